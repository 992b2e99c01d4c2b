use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, TenantId, VaultId};
use crate::key::PublicKey;
use crate::order::{DisclosureOrder, OrderScope, ReviewOutcome};
use crate::room::Room;
use crate::time::Timestamp;

use super::kept::Step;

/// An order, and what became of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct OrderStatus {
    /// The order, in its newest revision.
    pub order: DisclosureOrder,
    /// The ledger that tells of it, and the number of its first entry.
    pub entry: (PublicKey, u64),
    /// Who took it in.
    pub received_by: String,
    /// The last review.
    pub review: Option<OrderReview>,
    /// Since when its records are kept from being erased, as the operator knows it: the tenant lists its holds.
    pub preserved: Option<Timestamp>,
    /// The records that were found, of an order about subjects.
    pub found: Option<Vec<RecordId>>,
    /// How many epochs nobody has looked in for them that have records of the period: they were sealed when the tenant had named no
    /// custodians. The tenant's own consent reaches them.
    pub unsearched: u64,
    /// The keys of the custodians who approved last.
    pub approved_by: Vec<PublicKey>,
    /// When the tenant agreed.
    pub consented: Option<Timestamp>,
    /// What was given out, or was to be.
    pub produced: Option<Produced>,
    /// When all of it had been given out.
    pub disclosed: Option<Timestamp>,
    /// What was begun and stopped, and why.
    pub failures: Vec<(Timestamp, String)>,
    /// When the tenant was told.
    pub noticed: Option<Timestamp>,
    /// When something was begun last that ended without anybody saying how far it had come.
    pub unknown: Option<Timestamp>,
    /// When it was closed, and why.
    pub closed: Option<(Timestamp, String)>,
    /// The entry that says who let something be opened, and when that was, as long as it goes on.
    pub(super) begun: Option<((PublicKey, u64), Timestamp)>,
    /// The requests and consents that were used, by their hashes.
    pub(super) used: Vec<[u8; 32]>,
}

/// What came of the review of an order.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderReview {
    /// What.
    pub outcome: ReviewOutcome,
    /// Why.
    pub reason: String,
    /// Who reviewed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What was given out under an order, or was to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Produced {
    /// When that began.
    pub at: Timestamp,
    /// The profile of the package.
    pub profile: String,
    /// The records.
    pub records: Vec<RecordId>,
    /// How many files.
    pub files: u64,
    /// How many parts were withheld from it.
    pub withheld: u64,
    /// How many documents have something redacted.
    pub redacted: u64,
    /// SHA-256 of its `disclosure.json`.
    pub manifest: [u8; 32],
    /// The numbers of its documents, if it has any.
    pub bates: Option<Numbered>,
}

/// Numbers that documents were given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Numbered {
    /// What stands before each.
    pub prefix: String,
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderState {
    /// It came in and was not reviewed.
    Received,
    /// It is to be followed, as it is or narrowed.
    Accepted,
    /// It is contested.
    Challenged,
    /// It is not followed.
    Rejected,
    /// A quorum, or the tenant, let its records be found or opened, and somebody is about it.
    Approved,
    /// Everything was given out.
    Disclosed,
    /// It is over.
    Closed,
}

impl fmt::Debug for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderStatus({}, revision {}, {:?})", self.order.id(), self.order.revision(), self.state())
    }
}

impl fmt::Debug for OrderReview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outcome, reason: _, by: _, at } = self;
        write!(f, "OrderReview({outcome}, {at})")
    }
}

impl OrderStatus {
    /// Where it stands.
    pub fn state(&self) -> OrderState {
        match &self.review {
            _ if self.closed.is_some() => OrderState::Closed,
            _ if self.disclosed.is_some() => OrderState::Disclosed,
            _ if self.begun.is_some() => OrderState::Approved,
            None => OrderState::Received,
            Some(review) => match review.outcome {
                ReviewOutcome::Accepted | ReviewOutcome::Narrowed => OrderState::Accepted,
                ReviewOutcome::Challenged => OrderState::Challenged,
                ReviewOutcome::Rejected => OrderState::Rejected,
            },
        }
    }

    /// Whether the tenant should have been told by `now` and was not.
    pub fn notice_is_overdue(&self, now: Timestamp) -> bool {
        self.noticed.is_none() && self.order.terms().gag_until.is_none_or(|until| until <= now)
    }

    /// Whether it should have been answered by `now` and was not.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.order.terms().due <= now && self.disclosed.is_none() && self.closed.is_none()
    }

    /// Whoever was about it is gone, and has not said how far it came.
    fn ended_somehow(&mut self) {
        if let Some((_, at)) = self.begun.take() {
            self.unknown = Some(at);
        }
    }

    /// The day until which its tenant must not be told of it, while it is to come.
    pub(super) fn gagged(&self, now: Timestamp) -> Option<Timestamp> {
        self.order.terms().gag_until.filter(|until| now < *until)
    }

    /// The records that it is about, as far as that is known.
    pub fn records(&self) -> Vec<RecordId> {
        match (&self.order.terms().scope, &self.found) {
            (OrderScope::Records(records), _) => records.keys().copied().collect(),
            (OrderScope::Subjects { .. }, found) => found.clone().unwrap_or_default(),
        }
    }
}

/// Goes through what was said of orders and gives each as it stands, in the order in which they came in.
pub(super) struct Book {
    /// Whose orders they are: of which vault and tenant, and the operator's key.
    of: (VaultId, TenantId, PublicKey),
    pub(super) orders: Vec<OrderStatus>,
    /// The number of the last paper that was gone through.
    pub(super) last: i64,
}

impl Book {
    /// What `read` goes through, as it stands: what was begun and does not go on has ended.
    pub(super) fn of(
        room: &Room,
        (tenant, topic): (TenantId, &str),
        operator: PublicKey,
        read: impl Fn(&mut Self) -> Result<()>,
    ) -> Result<Self> {
        loop {
            // Not the last that is read: others may be there that the reader must not know of.
            let last = room.store.last_paper(tenant, topic)?;
            let mut book = Self { of: (room.id, tenant, operator), orders: Vec::new(), last: 0 };
            read(&mut book)?;
            let going_on = match book.orders.iter().any(|status| status.begun.is_some()) {
                true => room.going_on(tenant)?,
                false => return Ok(book),
            };
            let ended = |status: &OrderStatus| status.begun.is_some_and(|(entry, _)| !going_on.contains(&entry));
            // It ended in order if that has been said since.
            if book.orders.iter().any(ended) && room.store.last_paper(tenant, topic)? != last {
                continue;
            }
            for status in book.orders.iter_mut().filter(|status| ended(status)) {
                status.ended_somehow();
            }
            return Ok(book);
        }
    }

    /// An order, of this tenant, that the operator signed.
    fn order(&self, note: &str) -> Result<DisclosureOrder> {
        let (vault, tenant, operator) = self.of;
        let order: DisclosureOrder = note.parse()?;
        order.verify(&operator)?;
        if (order.vault(), order.tenant()) != (vault, tenant) {
            return Err(Error::new(ErrorKind::Tampered, "reading an order of somebody else"));
        }
        Ok(order)
    }

    /// Takes what an entry says of the order of that id.
    pub(super) fn learn(&mut self, id: [u8; 16], entry: (PublicKey, u64), step: Step) -> Result<()> {
        let bad = || Error::new(ErrorKind::Tampered, "reading what became of an order");
        if let Step::Received { note, by, .. } = step {
            let order = self.order(&note)?;
            if order.id().as_bytes() != &id || order.revision() != 1 {
                return Err(bad());
            }
            self.orders.push(OrderStatus {
                order,
                entry,
                received_by: by,
                review: None,
                preserved: None,
                found: None,
                unsearched: 0,
                approved_by: Vec::new(),
                consented: None,
                produced: None,
                disclosed: None,
                failures: Vec::new(),
                noticed: None,
                unknown: None,
                closed: None,
                begun: None,
                used: Vec::new(),
            });
            return Ok(());
        }
        let order = match &step {
            Step::Reviewed { note: Some(note), .. } => Some(self.order(note)?),
            _ => None,
        };
        let status = self.orders.iter_mut().find(|status| status.order.id().as_bytes() == &id).ok_or_else(bad)?;
        match step {
            Step::Received { .. } => return Err(bad()),
            Step::Reviewed { at, outcome, reason, by, note: _ } => {
                if let Some(order) = order {
                    if !order.follows(&status.order) {
                        return Err(bad());
                    }
                    status.order = order;
                    // It may not be about all of them any more.
                    status.found = None;
                }
                status.review = Some(OrderReview { outcome, reason, by, at });
            }
            Step::Preserved { at } => status.preserved = Some(at),
            Step::Consented { at, .. } => status.consented = Some(at),
            Step::Approved { at, request, custodians, .. } => {
                let keys = custodians.into_iter().map(PublicKey::from_bytes);
                status.approved_by = keys.collect::<Result<_>>()?;
                status.ended_somehow();
                status.begun = Some((entry, at));
                status.used.push(request);
            }
            Step::Found { records, unsearched, .. } => {
                (status.found, status.unsearched) = (Some(records), unsearched);
                status.begun = None;
            }
            Step::Producing(producing) => {
                let super::kept::Producing { at, profile, records, files, withheld, redacted, manifest, bates } =
                    *producing;
                let bates = bates.map(|(prefix, first, count)| Numbered { prefix, first, count });
                status.produced = Some(Produced { at, profile, records, files, withheld, redacted, manifest, bates });
            }
            Step::Disclosed { at, .. } => {
                status.disclosed = Some(at);
                status.begun = None;
            }
            Step::Failed { at, reason } => {
                status.failures.push((at, reason));
                status.begun = None;
            }
            Step::Noticed { at, .. } => status.noticed = Some(at),
            Step::Closed { at, reason, .. } => status.closed = Some((at, reason)),
        }
        Ok(())
    }
}
