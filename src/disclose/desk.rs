//! Where orders come in and are reviewed.

use super::consent::permits;
use super::kept::{DESK, ORDER, Step, decode, encode};
use super::status::{Book, OrderState, OrderStatus};
use crate::error::{Error, ErrorKind, Result};
use crate::hold::{Hold, preserved_release};
use crate::id::{OrderId, TenantId, hex};
use crate::ledger::{Kind, Ledger, Receipt, Recorded, Tell, check_text};
use crate::order::{
    DisclosureNotice, DisclosureOrder, GAG, Gag, GagKey, NOTICE, Notified, OrderScope, OrderTerms, ReviewOutcome,
    WITHHELD,
};
use crate::store::{Act, Op};
use crate::time::Timestamp;
use crate::vault::Vault;

/// How often something is decided again because more was said of orders while it was.
const ATTEMPTS: usize = 64;
/// Clocks of an operator's machines may differ by so much, in milliseconds.
const CLOCKS: i64 = 120_000;

impl Vault {
    /// Takes in an order about records of a tenant. The ledger says so before this returns, and with it the tenant is told; with
    /// a gag, the entry and every later one of the order is withheld from the tenant until that is over. `by` is who takes it in,
    /// as the ledger names it.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the terms cannot be so: a scope that is empty, unbounded, or reaches past
    /// the dates of the order, or a day of receipt that is to come; [`NotFound`](ErrorKind::NotFound) if there is no such tenant; else as the disk.
    pub fn receive_order(&self, tenant: TenantId, terms: OrderTerms, by: &str) -> Result<(DisclosureOrder, Receipt)> {
        check_text(by, "taking in an order without somebody whom a ledger can name")?;
        // What is dated ahead would be due, gagged or contested by days that nobody had in mind.
        if terms.received.unix_ms() > Timestamp::now().unix_ms() + CLOCKS {
            let doing = "taking in an order that is dated after today";
            return Err(Error::new(ErrorKind::InvalidInput, doing));
        }
        let (ledger, owner) = (self.ledger()?, self.tenant(tenant)?);
        if terms.gag_until.is_some_and(|until| until <= Timestamp::now()) {
            return Err(Error::new(ErrorKind::InvalidInput, "taking in an order whose gag is over"));
        }
        let gag = match terms.gag_until {
            Some(until) => Some(Gag::new(GagKey::generate()?, self.id(), tenant, until, owner.policy.custodians())?),
            None => None,
        };
        let mut order = DisclosureOrder::new(self.id(), tenant, ledger.operator.public_key(), terms)?;
        sign_order(ledger, &mut order)?;
        let (at, note) = (Timestamp::now(), order.to_string());
        let step = Step::Received { at, note, by: by.to_owned() };
        let case = Case { ledger, tenant, id: order.id(), gag, seen: 0 };
        let mut tell = case.tell(Kind::OrderReceived, by, &order, &step)?;
        tell = tell.detail("served", hex(&order.terms().served));
        if let Some(gag) = &case.gag {
            tell = tell.own_paper(GAG, Some(*order.id().as_bytes()), gag.encode()?);
        }
        let mut entries = vec![(Vec::new(), tell, ledger.own_signer(), Act::None)];
        if case.gag.is_none() {
            // Told at once: the tenant reads the same commit.
            let (tell, _) = case.notice(by, &order, "received", 0)?;
            entries.push((Vec::new(), tell, ledger.own_signer(), Act::None));
        }
        let recorded = ledger.append_all(tenant, entries)?;
        self.room.anchor.sync()?;
        let first = recorded.first().ok_or_else(|| Error::new(ErrorKind::Io, "taking in an order"))?;
        Ok((order, Receipt::clone(&first.receipt)))
    }

    /// Says what came of the review of an order, and why. `narrowed` is what is left of it, when it is followed in part.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such order; [`Refused`](ErrorKind::Refused) if it is past review, or
    /// somebody is finding or giving out its records;
    /// [`InvalidInput`](ErrorKind::InvalidInput) if `narrowed` asks for more than the order does, or is missing or one too many;
    /// else as the disk.
    pub fn review_order(
        &self,
        tenant: TenantId,
        order: OrderId,
        outcome: ReviewOutcome,
        reason: &str,
        narrowed: Option<OrderTerms>,
        by: &str,
    ) -> Result<(DisclosureOrder, Receipt)> {
        let doing = "reviewing an order with words that a ledger cannot tell";
        check_text(by, doing)?;
        check_text(reason, doing)?;
        if (outcome == ReviewOutcome::Narrowed) != narrowed.is_some() {
            let doing = "reviewing an order that is narrowed to nothing that was said, or is not narrowed";
            return Err(Error::new(ErrorKind::InvalidInput, doing));
        }
        self.deciding(tenant, order, "reviewing an order", |case, status| {
            let why = match status.state() {
                OrderState::Approved => "its records are being found or given out",
                OrderState::Disclosed => "it was answered",
                OrderState::Closed => "it is closed",
                OrderState::Received | OrderState::Accepted | OrderState::Challenged | OrderState::Rejected => "",
            };
            if !why.is_empty() {
                return Err(Error::new(ErrorKind::Refused, "reviewing an order").because(why));
            }
            let (mut order, mut note) = (status.order, None);
            if let Some(terms) = &narrowed {
                order = order.narrowed(terms.clone())?;
                sign_order(case.ledger, &mut order)?;
                note = Some(order.to_string());
            }
            let at = Timestamp::now();
            let step = Step::Reviewed { at, outcome, reason: reason.to_owned(), by: by.to_owned(), note };
            let tell = case.tell(Kind::OrderReviewed, by, &order, &step)?;
            let tell = tell.detail("outcome", outcome).detail("reason", reason);
            let recorded = case.decide(tell, Act::None, Vec::new())?;
            Ok((order, Receipt::clone(&recorded.receipt)))
        })
    }

    /// Says that an order is over: it was answered, rejected or withdrawn. Nothing is opened under it any more.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such order; [`AlreadyExists`](ErrorKind::AlreadyExists) if it is closed;
    /// [`Refused`](ErrorKind::Refused) while the tenant has not been told, or somebody is finding or giving out its records;
    /// else as the disk. Where its records are kept ([`preserve_order`](Self::preserve_order)), the tenant may confirm now that
    /// they need not be.
    pub fn close_order(&self, tenant: TenantId, order: OrderId, reason: &str, by: &str) -> Result<Receipt> {
        let doing = "closing an order with words that a ledger cannot tell";
        check_text(by, doing)?;
        check_text(reason, doing)?;
        self.deciding(tenant, order, "closing an order", |case, status| {
            let refused = |why| Error::new(ErrorKind::Refused, "closing an order").because(why);
            if status.closed.is_some() {
                return Err(Error::new(ErrorKind::AlreadyExists, "closing an order that is closed"));
            }
            if status.begun.is_some() {
                return Err(refused("its records are being found or given out"));
            }
            if status.noticed.is_none() {
                return Err(refused("the tenant has not been told of it"));
            }
            let step = Step::Closed { at: Timestamp::now(), reason: reason.to_owned(), by: by.to_owned() };
            let mut all = vec![case.tell(Kind::OrderClosed, by, &status.order, &step)?.detail("reason", reason)];
            if status.preserved.is_some() {
                all.insert(0, preserved_release(&matter(order), *order.as_bytes(), reason)?);
            }
            // What is kept to open something once has nothing to open any more.
            let forbidden = [*order.as_bytes(), permits(order)].map(|about| Op::Forbid { about });
            case.decide_all(all, forbidden.into())
        })
    }

    /// Keeps the records that an order is about from being erased until it is over: a hold (see [`Hold`](crate::Hold)) for the matter
    /// `order <id>`, on the records that it lists or on its subjects in their period. It ends when [`close_order`](Self::close_order)
    /// has said that the order is over and the tenant confirms it:
    /// [`TenantSession::confirm_release`](crate::TenantSession::confirm_release).
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) while the tenant must not be told, who sees every hold, and for an order that is closed;
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if they are kept; [`NotFound`](ErrorKind::NotFound) if there is no such order,
    /// or it lists a record that is not there; else as the disk.
    pub fn preserve_order(&self, tenant: TenantId, order: OrderId) -> Result<Receipt> {
        let doing = "keeping the records of an order";
        self.deciding(tenant, order, doing, |case, status| {
            let refused = |why: &str| Err(Error::new(ErrorKind::Refused, doing).because(why.to_owned()));
            if case.gag.is_some() {
                return refused("the tenant, who sees every hold, must not be told of it yet");
            }
            if status.closed.is_some() {
                return refused("it is closed");
            }
            if status.preserved.is_some() {
                return Err(Error::new(ErrorKind::AlreadyExists, doing));
            }
            let terms = status.order.terms();
            let hold = Hold::new(matter(order), format!("{}, {}", terms.basis, terms.reference));
            let hold = match terms.scope {
                OrderScope::Records(records) => hold.records(records.into_keys()),
                OrderScope::Subjects { subjects, period } => {
                    subjects.into_iter().fold(hold, Hold::subject).period(period)
                }
            };
            let kept = encode(&Step::Preserved { at: Timestamp::now() })?;
            self.preserve(tenant, &hold, *order.as_bytes(), (DESK, kept), vec![case.unless_more_was_said()])
        })
    }

    /// Every order about a tenant's records, as the operator knows them, in the order in which they came in.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if what is kept of one does not open; else as the database.
    pub fn orders(&self, tenant: TenantId) -> Result<Vec<OrderStatus>> {
        self.book(tenant).map(|book| book.orders)
    }

    fn book(&self, tenant: TenantId) -> Result<Book> {
        let bad = || Error::new(ErrorKind::Tampered, "reading what is kept of an order");
        let ledger = self.ledger()?;
        Book::of(&self.room, (tenant, DESK), ledger.operator.public_key(), |book| {
            for paper in ledger.own_papers(tenant, DESK)? {
                book.last = paper.n;
                book.learn(paper.about.ok_or_else(bad)?, (paper.log, paper.seq), decode(&paper.bytes)?)?;
            }
            Ok(())
        })
    }

    /// Decides something about an order as it stands: again, if more was said of the tenant's orders meanwhile. What is
    /// decided is said with [`Case::decide`].
    pub(super) fn deciding<'v, T>(
        &'v self,
        tenant: TenantId,
        id: OrderId,
        doing: &'static str,
        mut decide: impl FnMut(Case<'v>, OrderStatus) -> Result<T>,
    ) -> Result<T> {
        self.ledger()?.conclude_left();
        for _ in 0..ATTEMPTS {
            let (case, status) = self.case(tenant, id)?;
            let seen = case.seen;
            match decide(case, status) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists && self.room.store.last_paper(tenant, DESK)? != seen => {
                }
                decided => return decided,
            }
        }
        Err(Error::new(ErrorKind::Locked, doing).because("others keep saying something of the tenant's orders"))
    }

    /// An order as it stands, and what is needed to go on with it.
    pub(super) fn case(&self, tenant: TenantId, id: OrderId) -> Result<(Case<'_>, OrderStatus)> {
        let Book { orders, last: seen, .. } = self.book(tenant)?;
        let status = orders.into_iter().find(|status| status.order.id() == id);
        let status = status.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking an order up"))?;
        let ledger = self.ledger()?;
        let mut gag = None;
        if status.order.terms().gag_until.is_some() && status.noticed.is_none() {
            let papers = ledger.own_papers(tenant, GAG)?;
            let kept = papers.into_iter().find(|paper| paper.about == Some(*id.as_bytes()));
            let kept = kept.ok_or_else(|| Error::new(ErrorKind::Damaged, "looking up what an order withholds"))?;
            gag = Some(Gag::decode(&kept.bytes)?);
        }
        Ok((Case { ledger, tenant, id, gag, seen }, status))
    }
}

/// What every entry of an order needs.
pub(super) struct Case<'v> {
    pub(super) ledger: &'v std::sync::Arc<Ledger>,
    pub(super) tenant: TenantId,
    pub(super) id: OrderId,
    /// What keeps the tenant from reading it, as long as it does.
    pub(super) gag: Option<Gag>,
    /// The last paper about orders of the tenant that was read.
    pub(super) seen: i64,
}

impl Case<'_> {
    /// What an entry of the order says, with what is kept of it.
    pub(super) fn tell(&self, kind: Kind, by: &str, order: &DisclosureOrder, step: &Step) -> Result<Tell> {
        let about = Some(*self.id.as_bytes());
        let mut tell = Tell::new(kind, by).detail("order", self.id).detail("revision", order.revision());
        tell.basis = Some(order.terms().basis.to_string());
        tell.payload = Some(order.hash());
        tell.gag = self.gag.as_ref().map(Gag::copy);
        Ok(tell.paper(ORDER, about, encode(step)?).own_paper(DESK, about, encode(step)?))
    }

    /// What the entry says by which the tenant is told. It is never withheld.
    pub(super) fn notice(
        &self,
        by: &str,
        order: &DisclosureOrder,
        outcome: &str,
        records: u64,
    ) -> Result<(Tell, DisclosureNotice)> {
        let mut notice = DisclosureNotice::new(order, outcome, records)?;
        let signature = self.ledger.operator.sign(notice.text().as_bytes());
        notice.add_signature(&self.ledger.operator.public_key(), signature)?;
        let step = Step::Noticed { at: Timestamp::now(), note: notice.to_string() };
        let mut tell = self.tell(Kind::NoticeGiven, by, order, &step)?;
        tell.gag = None;
        tell.payload = Some(notice.hash());
        let key = self.gag.as_ref().map(Gag::key);
        let notified = Notified::new(order.to_string(), notice.to_string(), key);
        Ok((tell.paper(NOTICE, Some(*self.id.as_bytes()), notified.encode()?), notice))
    }

    /// Says what was decided, unless more was said of the tenant's orders since: then it is refused with `AlreadyExists`.
    pub(super) fn decide(&self, tell: Tell, act: Act, mut ops: Vec<Op>) -> Result<Recorded> {
        ops.insert(0, self.unless_more_was_said());
        self.append(tell, act, ops)
    }

    /// As [`decide`](Self::decide), for what is said together; gives the receipt of the last.
    fn decide_all(&self, all: Vec<Tell>, mut ops: Vec<Op>) -> Result<Receipt> {
        ops.insert(0, self.unless_more_was_said());
        let entry = |tell| (std::mem::take(&mut ops), tell, self.ledger.own_signer(), Act::None);
        let last = self.ledger.append_all(self.tenant, all.into_iter().map(entry).collect())?.pop();
        let last = last.ok_or_else(|| Error::new(ErrorKind::Io, "saying what was decided about an order"))?;
        self.ledger.sync()?;
        Ok(Receipt::clone(&last.receipt))
    }

    pub(super) fn unless_more_was_said(&self) -> Op {
        Op::Seen { tenant: self.tenant, topic: DESK, last: self.seen }
    }

    pub(super) fn append(&self, tell: Tell, act: Act, ops: Vec<Op>) -> Result<Recorded> {
        let recorded = self.ledger.append(self.tenant, tell, self.ledger.own_signer(), act, ops)?;
        // Nothing is given out while the mark of what was said about it could still be lost.
        self.ledger.sync()?;
        Ok(recorded)
    }

    /// What an act of the order is called in the list of those that were begun: nothing that gives it away.
    pub(super) fn act(&self) -> Act {
        Act::Begin(if self.gag.is_some() { WITHHELD } else { "disclosure" })
    }
}

/// The name of the matter that an order's records are held for.
fn matter(order: OrderId) -> String {
    format!("order {order}")
}

pub(super) fn sign_order(ledger: &Ledger, order: &mut DisclosureOrder) -> Result<()> {
    let signature = ledger.operator.sign(order.text().as_bytes());
    order.add_signature(&ledger.operator.public_key(), signature)
}
