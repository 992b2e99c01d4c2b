//! What a sink has yet to be given, and how that is told.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sink::SinkOptions;
use crate::error::Error;
use crate::id::TenantId;

/// How far a sink is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SinkStatus {
    /// Its name.
    pub name: String,
    /// Heads that it took since the vault was opened.
    pub taken: u64,
    /// The tenants whose newest head it has not, the one that waits longest first.
    pub behind: Vec<Behind>,
}

/// A tenant whose newest head a sink has not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Behind {
    /// The tenant.
    pub tenant: TenantId,
    /// For how long.
    pub since: Duration,
    /// How often in a row it was tried in vain.
    pub tries: u32,
    /// Why.
    pub why: Obstacle,
}

/// Why a sink has not a head.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Obstacle {
    /// The sink was asked so long ago and has not answered yet.
    Busy(Duration),
    /// The sink panicked.
    Panicked,
    /// It is not its turn yet.
    Queued,
    /// The sink, or the witness, refused it.
    Refused(Arc<dyn std::error::Error + Send + Sync>),
    /// The vault did not give it out: the ledger could not be read, or is not what was signed.
    Unread(Arc<Error>),
}

impl SinkStatus {
    /// Whether it has all heads.
    pub fn is_current(&self) -> bool {
        self.behind.is_empty()
    }
}

impl fmt::Display for SinkStatus {
    /// One sentence: how many heads are behind, for how long the oldest, and what keeps the first that anything keeps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(oldest) = self.behind.first() else { return write!(f, "{} has all heads", self.name) };
        let (count, seconds) = (self.behind.len(), oldest.since.as_secs());
        let telling = self.behind.iter().find(|behind| !matches!(behind.why, Obstacle::Queued)).unwrap_or(oldest);
        write!(f, "{} is behind with the heads of {count} tenants, for {seconds} s: {}", self.name, telling.why)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(since) => write!(f, "it was asked {} s ago and has not answered", since.as_secs()),
            Self::Panicked => f.write_str("it panicked"),
            Self::Queued => f.write_str("its turn has not come"),
            Self::Refused(error) => write!(f, "it refused: {error}"),
            Self::Unread(error) => write!(f, "the vault did not give it out: {error}"),
        }
    }
}

/// What a sink has yet to be given. A tenant stands in it once, however many commits it makes.
pub(super) struct Queue {
    pub(super) options: SinkOptions,
    pub(super) waiting: HashMap<TenantId, Waiting>,
    pub(super) order: BTreeSet<(Instant, TenantId)>,
    pub(super) busy: Option<(TenantId, Waiting, Instant)>,
    /// When a tenant's head was taken last.
    pub(super) last: HashMap<TenantId, Instant>,
    pub(super) taken: u64,
    pub(super) ended: bool,
}

#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) due: Instant,
    pub(super) since: Instant,
    pub(super) tries: u32,
    pub(super) why: Obstacle,
}

impl Queue {
    pub(super) fn new(options: SinkOptions) -> Self {
        let (waiting, order, busy, last) = (HashMap::new(), BTreeSet::new(), None, HashMap::new());
        Self { options, waiting, order, busy, last, taken: 0, ended: false }
    }

    /// Has a tenant wait its turn, as one whose head is new since then. What was waiting when somebody came who wants it at
    /// once, at `hurry`, keeps to no pace.
    pub(super) fn tell(&mut self, tenant: TenantId, since: Instant, hurry: Option<Instant>) {
        if self.options.tenant.is_some_and(|only| only != tenant) {
            return;
        }
        let due = match self.last.get(&tenant) {
            Some(last) if Some(since) > hurry => since.max(*last + self.options.pace),
            _ => since,
        };
        let new = Waiting { due, since, tries: 0, why: Obstacle::Queued };
        let waiting = match self.take(tenant) {
            None => new,
            // What failed has its own time.
            Some(before) if before.tries > 0 => before,
            Some(before) => Waiting { due: before.due.min(due), since: before.since.min(since), ..new },
        };
        self.put(tenant, waiting);
    }

    /// Makes everything due, also what failed.
    pub(super) fn hurry(&mut self, now: Instant) {
        let tenants: Vec<TenantId> = self.waiting.keys().copied().collect();
        for tenant in tenants {
            if let Some(waiting) = self.take(tenant) {
                self.put(tenant, Waiting { due: now, ..waiting });
            }
        }
    }

    /// Notes that a tenant's head was taken. What was committed since it was read waits for the next turn.
    pub(super) fn took(&mut self, tenant: TenantId, now: Instant, hurry: Option<Instant>) {
        self.last.insert(tenant, now);
        if let Some(again) = self.take(tenant) {
            self.tell(tenant, again.since, hurry);
        }
    }

    pub(super) fn put(&mut self, tenant: TenantId, waiting: Waiting) {
        self.order.insert((waiting.due, tenant));
        self.waiting.insert(tenant, waiting);
    }

    pub(super) fn take(&mut self, tenant: TenantId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&tenant)?;
        self.order.remove(&(waiting.due, tenant));
        Some(waiting)
    }

    pub(super) fn has_all_of(&self, start: Instant) -> bool {
        let busy = self.busy.iter().map(|(_, waiting, _)| waiting);
        !self.waiting.values().chain(busy).any(|waiting| waiting.since <= start)
    }

    pub(super) fn status(&self, now: Instant) -> SinkStatus {
        let behind = |tenant: &TenantId, waiting: &Waiting, why| Behind {
            tenant: *tenant,
            since: now.saturating_duration_since(waiting.since),
            tries: waiting.tries,
            why,
        };
        let mut all: Vec<Behind> =
            self.waiting.iter().map(|(tenant, waiting)| behind(tenant, waiting, waiting.why.clone())).collect();
        if let Some((tenant, waiting, began)) = &self.busy {
            // Committed again since: that has waited for less.
            all.retain(|other| other.tenant != *tenant);
            all.push(behind(tenant, waiting, Obstacle::Busy(now.saturating_duration_since(*began))));
        }
        all.sort_by_key(|behind| Reverse(behind.since));
        SinkStatus { name: self.options.name.clone(), taken: self.taken, behind: all }
    }
}
