//! Where heads are kept outside the vault, and how one of them is read for it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::queue::Obstacle;
use super::stored::StoredLog;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::key::PublicKey;
use crate::room::Room;
use crate::store::{LogKeys, LogRow, Mark};
use crate::tlog::SignedCheckpoint;

/// Why a sink did not take a head, in its own words.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// The head of a ledger on its way out of the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerHead {
    /// Whose ledger it is.
    pub tenant: TenantId,
    /// Which of the tenant's logs: 1 for the first.
    pub generation: u32,
    /// The log's key.
    pub log: PublicKey,
    /// The head, signed by the log, with the lines that others have signed under it so far. Printed, it is the text that
    /// others read.
    pub checkpoint: SignedCheckpoint,
}

/// A place outside the vault that heads of ledgers are given to: best one in the tenant's own systems, out of reach of
/// whoever holds the vault. Whoever keeps heads there sees when a ledger is put back or told differently.
///
/// A closure `|head: &LedgerHead| ...` is a sink: so is anything sent over HTTP, by whatever client the caller has.
///
/// Each sink has a thread of its own, which nothing else in the vault waits for. A sink that fails or panics is asked
/// again, with the newest head that there is then; heads in between are left out. One that does not return is never asked
/// again: give it a timeout. It must not hold the vault, which would then never be closed.
pub trait Sink: Send {
    /// Takes the newest head of a log. The same head may come again: after the vault is opened, or with more lines
    /// signed under it. Heads of one log come in order; an older one than is there means that the vault was put back.
    ///
    /// # Errors
    /// Whatever keeps the head from being durable where it shall be. It is tried again later.
    fn take(&mut self, head: &LedgerHead) -> std::result::Result<(), SinkError>;
}

impl<F: FnMut(&LedgerHead) -> std::result::Result<(), SinkError> + Send> Sink for F {
    fn take(&mut self, head: &LedgerHead) -> std::result::Result<(), SinkError> {
        self(head)
    }
}

/// What a sink is called and what it is given. A name alone will do.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    pub(super) name: String,
    pub(super) pace: Duration,
    pub(super) tenant: Option<TenantId>,
}

impl SinkOptions {
    /// All tenants' heads, each log's once a second at most, under a name that [`SinkStatus`](super::SinkStatus) bears.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), pace: Duration::from_secs(1), tenant: None }
    }

    /// Heads of this tenant alone.
    #[must_use]
    pub fn only(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// The next head of a log not before so long after the last, a day at most; heads in between are left out. Waiting for
    /// them ([`Vault::publish`](crate::Vault::publish)) and the vault's end keep to no pace.
    #[must_use]
    pub fn every(mut self, pace: Duration) -> Self {
        self.pace = pace.min(Duration::from_secs(86_400));
        self
    }
}

impl<T: Into<String>> From<T> for SinkOptions {
    fn from(name: T) -> Self {
        Self::new(name)
    }
}

/// What a publishing thread gives heads to: a sink, or a witness.
pub(crate) trait Outlet: Send {
    /// Brings the newest heads of a tenant's logs out. It must not hold the source while it waits for anybody.
    fn publish(&mut self, tenant: TenantId, source: &Weak<Source>) -> Published;
}

/// What became of a tenant's heads.
#[derive(Default)]
pub(crate) struct Published {
    /// How many were taken.
    pub(crate) count: u64,
    /// Whether somebody signed under one, which is news for the other outlets.
    pub(crate) signed: bool,
    /// Whether there is a newer one than the last that was taken.
    pub(crate) more: bool,
    /// What kept one of them.
    pub(crate) obstacle: Option<Obstacle>,
}

impl Published {
    pub(crate) fn kept(mut self, obstacle: Obstacle) -> Self {
        self.obstacle.get_or_insert(obstacle);
        self
    }
}

/// Where heads are read. Publishing threads know it weakly, so that one that hangs keeps nothing of the vault.
pub(crate) struct Source {
    pub(crate) room: Arc<Room>,
    pub(crate) keys: Arc<dyn LogKeys>,
}

impl Source {
    /// A tenant's logs as they are stored, the oldest first, each compared with its high-water mark, but for those of which
    /// an old copy was put back and another goes on: what others have of them may be newer.
    ///
    /// # Errors
    /// `RolledBack` if one is behind its mark, `WrongKey` if one has a key that is not the operator's for it: nothing of
    /// it is given out.
    pub(crate) fn logs(&self, tenant: TenantId) -> Result<Vec<LogRow>> {
        let store = &self.room.store;
        // The marks first: a commit between the two makes a log larger than its mark, never smaller.
        let marked = store.logs(tenant)?.into_iter().map(|row| Ok((row.n, self.room.anchor.mark(row.n)?)));
        let marks: HashMap<i64, Mark> =
            marked.filter_map(|marked| marked.map(|(n, mark)| Some((n, mark?))).transpose()).collect::<Result<_>>()?;
        let mut rows = store.logs(tenant)?;
        let numbers: Vec<i64> = rows.iter().map(|row| row.n).collect();
        let successor = |mark: &Mark| mark.end.and_then(|end| end.successor).map(i64::from);
        rows.retain(|row| !marks.get(&row.n).and_then(successor).is_some_and(|log| numbers.contains(&log)));
        for row in &rows {
            let behind = |mark: &Mark| mark.tenant != tenant || mark.size > row.size || mark.end.is_some();
            if marks.get(&row.n).is_some_and(behind) {
                return Err(Error::new(ErrorKind::RolledBack, "comparing a ledger with its high-water mark"));
            }
            if self.keys.log_key(tenant, row.generation).public_key() != row.key {
                return Err(Error::new(ErrorKind::WrongKey, "comparing a ledger's key with the operator's"));
            }
        }
        Ok(rows)
    }

    /// One of a tenant's logs.
    ///
    /// # Errors
    /// As [`logs`](Self::logs); `NotFound` if the tenant has no such log.
    #[cfg(feature = "witness")]
    pub(crate) fn stored(&self, tenant: TenantId, log: i64) -> Result<StoredLog<'_>> {
        let row = self.logs(tenant)?.into_iter().find(|row| row.n == log);
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a tenant's ledger up"))?;
        Ok(StoredLog { store: &*self.room.store, row })
    }

    fn head(&self, tenant: TenantId, row: LogRow) -> Result<LedgerHead> {
        let (generation, log) = (row.generation, row.key);
        let checkpoint = StoredLog { store: &*self.room.store, row }.checkpoint()?;
        checkpoint.verify(&log)?;
        Ok(LedgerHead { tenant, generation, log, checkpoint })
    }
}

/// A sink, and what it has taken.
pub(crate) struct Given {
    sink: Box<dyn Sink>,
    /// By the log's number: the size, and the digest of the text.
    taken: HashMap<i64, (u64, [u8; 32])>,
}

impl Given {
    pub(crate) fn new(sink: impl Sink + 'static) -> Self {
        Self { sink: Box::new(sink), taken: HashMap::new() }
    }

    /// The heads that the sink has not taken yet, with their logs' numbers.
    fn wanted(&self, tenant: TenantId, source: &Source) -> Result<Vec<(i64, [u8; 32], LedgerHead)>> {
        let rows = source.logs(tenant)?;
        let open = rows.last().map(|row| row.n);
        let mut wanted = Vec::new();
        for row in rows {
            let (n, taken) = (row.n, self.taken.get(&row.n));
            // A log that has a successor neither grows nor is cosigned any more; one without entries has no head.
            if row.size == 0 || Some(n) != open && taken.is_some_and(|(size, _)| *size == row.size) {
                continue;
            }
            let head = source.head(tenant, row)?;
            let digest = Sha256::digest(head.checkpoint.to_string()).into();
            if taken.is_none_or(|(_, before)| *before != digest) {
                wanted.push((n, digest, head));
            }
        }
        Ok(wanted)
    }
}

impl Outlet for Given {
    fn publish(&mut self, tenant: TenantId, source: &Weak<Source>) -> Published {
        let mut done = Published::default();
        // The vault is gone: there is nothing to publish.
        let Some(source) = source.upgrade() else { return done };
        let wanted = match self.wanted(tenant, &source) {
            Ok(wanted) => wanted,
            Err(e) => return done.kept(Obstacle::Unread(Arc::new(e))),
        };
        drop(source);
        for (n, digest, head) in wanted {
            if let Err(e) = self.sink.take(&head) {
                return done.kept(Obstacle::Refused(Arc::from(e)));
            }
            self.taken.insert(n, (head.checkpoint.checkpoint().size, digest));
            done.count += 1;
        }
        done
    }
}
