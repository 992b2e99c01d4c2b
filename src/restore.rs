//! Restore: an operator goes on with an old copy of a vault, and every ledger that lost something says so.
//!
//! A log of which an old copy was put back is never signed again: it may have been signed further already, and two heads of
//! one size are what an audit must be able to rely on never to see. Another log goes on, with a key that never signed,
//! and its first entry, `restored`, tells what is left of the old one and what that had grown to, signed by the old one's
//! own key. Until that entry is durable, nothing is written or read for that tenant.
//!
//! The order: the anchor notes that the logs ended; one commit for each tenant opens the log that goes on; the anchor
//! notes which one that is. After a crash anywhere, nothing can be appended to a log that ended, and the next try goes on
//! with the tenants that are left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::key::{OperatorKey, PublicKey};
use crate::ledger::{Kind, Lag, Ledger, Marks, Receipt, StoredLog, Why, check_text, erase_again};
use crate::room::Room;
use crate::store::{Act, End, Follows, LogRow, Mark, Op, Which};
use crate::tlog::empty_root;
use crate::vault::{Vault, VaultOptions};

/// A vault of which an old copy was put back, or whose anchor is lost, before its operator goes on with it. Nobody else
/// can while this is held.
pub struct Restoration {
    vault: Vault,
    losses: Vec<Loss>,
    everything: bool,
    /// Locked, so that nobody else restores the vault at the same time.
    _alone: File,
}

/// What a vault's database lacks of one ledger, as far as the anchor tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// Whose it is.
    pub tenant: TenantId,
    /// The name that the tenant was enrolled under, if the database knows it: else it must be
    /// [enrolled](Vault::enrol) again.
    pub name: Option<String>,
    /// Which of the tenant's ledgers.
    pub generation: u32,
    /// How many entries there are.
    pub kept: u64,
    /// How many there had been; nothing if nobody knows.
    pub had: Option<u64>,
}

/// A ledger that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Whose it is.
    pub tenant: TenantId,
    /// The key of the log that goes on: give it to the tenant, as after [`Vault::rotate_log`].
    pub key: PublicKey,
    /// The entry that says what was lost.
    pub receipt: Receipt,
}

impl Vault {
    /// Opens a vault of which an older copy was put back, to see what is missing and go on all the same. Nothing is changed
    /// until [`restore`](Restoration::restore).
    ///
    /// Put back `vault.db` without the newer `vault.db-wal` and `vault.db-shm`, and leave `shred` and the anchor as they
    /// are: a slot that was erased since stays so, and the anchor tells what is missing. If the anchor is lost, every
    /// ledger is taken for one that may have grown further.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if it is another operator's; [`Locked`](ErrorKind::Locked) if somebody writes in
    /// the vault or restores it; [`Damaged`](ErrorKind::Damaged) if the database is not whole;
    /// [`Forked`](ErrorKind::Forked) if a ledger has another history than its mark: that is no older copy of it. Else as
    /// [`open`](Self::open).
    pub fn open_to_restore(path: impl AsRef<Path>, options: impl Into<VaultOptions>) -> Result<Restoration> {
        // Sinks are given the heads when the vault is opened again.
        let VaultOptions { operator, anchor, .. } = options.into();
        let room = Room::open_to_restore(path.as_ref(), anchor.as_deref())?;
        Restoration::of(room, operator, path.as_ref())
    }
}

impl Restoration {
    pub(crate) fn of(room: Room, operator: Arc<OperatorKey>, path: &Path) -> Result<Self> {
        let doing = "opening a vault to restore it";
        if room.store.operator()? != operator.public_key() {
            return Err(Error::new(ErrorKind::WrongKey, doing));
        }
        let alone = File::open(path).map_err(|e| Error::from_io(e, doing))?;
        alone.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => Error::new(ErrorKind::Locked, doing),
            TryLockError::Error(e) => Error::from_io(e, doing),
        })?;
        if room.leases.any_live()? {
            return Err(Error::new(ErrorKind::Locked, doing).because("somebody writes in it"));
        }
        let complaints = room.store.integrity()?;
        if !complaints.is_empty() {
            return Err(Error::new(ErrorKind::Damaged, doing).because(complaints.join("; ")));
        }
        let vault = Vault::of(room, operator, Vec::new())?;
        let mut this = Self { vault, losses: Vec::new(), everything: false, _alone: alone };
        this.losses = this.look()?;
        Ok(this)
    }

    /// What is missing. Empty if every ledger is as the anchor has it: there is nothing to restore then, unless the anchor
    /// was put back as well.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Takes every ledger for one that may have grown further, whatever the anchor says: for when it is an old copy, too.
    ///
    /// # Errors
    /// As the database.
    pub fn everything(mut self) -> Result<Self> {
        self.everything = true;
        self.losses = self.look()?;
        Ok(self)
    }

    /// Goes on with the vault as it is. For every tenant whose ledger lost something, another log begins with an entry,
    /// `restored`, which names what is left, what is lost, and the reason, in the operator's words of at most 1,024 bytes.
    /// Gives those logs; those that an earlier try had begun are not among them.
    ///
    /// What was written since the copy is lost. What was changed since is as it was before: a writer that was retired may
    /// write again, cards, policies, agreements, restrictions and orders are those of then. Do such things again. Ids of records
    /// and what producers may repeat under idempotency keys stay good; cursors that were handed out since the copy do not, and
    /// no request to custodians and no consent: ask again. Numbers of disclosed documents go on ten million behind.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a reason that a ledger cannot name;
    /// [`WrongKey`](ErrorKind::WrongKey) if a ledger is not this operator's; [`Tampered`](ErrorKind::Tampered) if its head
    /// does not verify; else as the disk. Then some tenants' ledgers may go on and others not: try again. Nothing is
    /// written or read for those that do not.
    pub fn restore(self, reason: &str) -> Result<Vec<Restored>> {
        check_text(reason, "restoring a vault for a reason that a ledger can name")?;
        // The shred file may be an old copy, too.
        erase_again(&self.vault.room, true)?;
        self.end()?;
        let (room, marks) = (&*self.vault.room, Marks::read(&self.vault.room)?);
        let mut restored = Vec::new();
        for tenant in room.store.tenants(Which::All)? {
            let lags = marks.lags_of(room, tenant.tenant)?;
            if !lags.is_empty() {
                let first = restored.is_empty();
                restored.extend(self.go_on(tenant.tenant, &marks, &lags, reason, first)?);
            }
        }
        Ok(restored)
    }

    fn look(&self) -> Result<Vec<Loss>> {
        let (room, ledger) = (&*self.vault.room, self.vault.ledger()?);
        let lags = if room.anchor.is_lost() { Vec::new() } else { Marks::read(room)?.lags(room)? };
        for lag in &lags {
            match lag.why {
                Why::Damaged => return Err(failed(ErrorKind::Damaged, lag)),
                Why::Other => return Err(failed(ErrorKind::Forked, lag)),
                Why::Behind | Why::Ended | Why::Forgotten | Why::Unmarked => {}
            }
        }
        let all = self.is_new_anchor_wanted(&lags);
        let mut losses = BTreeMap::new();
        for tenant in room.store.tenants(Which::All)? {
            if let Some(row) = room.store.logs(tenant.tenant)?.pop().filter(|_| all) {
                if row.key != ledger.log_key(tenant.tenant, row.generation) {
                    return Err(not_ours());
                }
                let name = Some(tenant.name.clone());
                let loss = Loss { tenant: tenant.tenant, name, generation: row.generation, kept: row.size, had: None };
                losses.insert(row.n, loss);
            }
        }
        for lag in lags {
            let name = room.store.tenants(Which::Id(lag.tenant))?.pop().map(|row| row.name);
            let row = room.store.logs(lag.tenant)?.into_iter().find(|row| row.n == lag.log);
            if row.as_ref().is_some_and(|row| row.key != ledger.log_key(lag.tenant, lag.generation)) {
                return Err(not_ours());
            }
            let kept = row.map_or(0, |row| row.size);
            let known = lag.mark.filter(|mark| !all && mark.end.is_none_or(|end| !end.unknown));
            let (tenant, generation, had) = (lag.tenant, lag.generation, known.map(|mark| mark.size.max(kept)));
            losses.insert(lag.log, Loss { tenant, name, generation, kept, had });
        }
        Ok(losses.into_values().collect())
    }

    /// Whether the anchor cannot be believed, and an earlier try has not put another in its place yet.
    fn is_new_anchor_wanted(&self, lags: &[Lag]) -> bool {
        let begun = lags.iter().any(|lag| lag.mark.is_some_and(|mark| mark.end.is_some_and(|end| end.unknown)));
        let unmarked = lags.iter().any(|lag| lag.why == Why::Unmarked);
        self.vault.room.anchor.is_lost() || unmarked || self.everything && !begun
    }

    /// Notes in the anchor, durably, that nothing may be appended to the logs that lost something.
    fn end(&self) -> Result<()> {
        let room = &*self.vault.room;
        if room.anchor.is_lost() {
            return self.end_everything(&Marks::default(), &[]);
        }
        let marks = Marks::read(room)?;
        let lags = marks.lags(room)?;
        if self.is_new_anchor_wanted(&lags) {
            return self.end_everything(&marks, &lags);
        }
        let mut ended: BTreeMap<i64, Mark> = lags.iter().filter_map(|lag| Some((lag.log, lag.mark?))).collect();
        for tenant in lags.iter().map(|lag| lag.tenant).collect::<BTreeSet<_>>() {
            let mut rows = room.store.logs(tenant)?;
            let begun = begun(&rows, lags.iter().filter(|lag| lag.tenant == tenant)).is_some();
            if let Some(open) = rows.pop().filter(|_| !begun) {
                ended.insert(open.n, self.mark(&marks, tenant, open)?);
            }
        }
        self.vault.ledger()?.end(ended.into_iter(), None)
    }

    /// Puts an anchor in the place of one that is lost or cannot be believed, by which every open log has ended.
    fn end_everything(&self, marks: &Marks, lags: &[Lag]) -> Result<()> {
        let room = &*self.vault.room;
        let ended = |mark, successor| Mark { end: Some(End { successor, unknown: true }), ..mark };
        let mut new: Vec<(i64, Mark)> = lags.iter().filter_map(|lag| Some((lag.log, ended(lag.mark?, None)))).collect();
        for tenant in room.store.tenants(Which::All)? {
            let mut successor = None;
            for row in room.store.logs(tenant.tenant)?.into_iter().rev() {
                let log = row.n;
                new.push((log, ended(self.mark(marks, tenant.tenant, row)?, successor)));
                successor = u32::try_from(log).ok();
            }
        }
        if new.is_empty() {
            // An anchor without any mark would be that of a vault to which nothing ever happened.
            let (tenant, root) = (TenantId::from_bytes([0; 16]), empty_root());
            new.push((1, ended(Mark { size: 0, root, tenant, generation: 0, end: None }, None)));
        }
        room.anchor.rebuild(&new)
    }

    /// The mark of a log that the database has, or where it stands now if it has none.
    fn mark(&self, marks: &Marks, tenant: TenantId, row: LogRow) -> Result<Mark> {
        match marks.get(row.n) {
            Some(mark) => Ok(mark),
            None => self.vault.ledger()?.mark_of(tenant, &StoredLog { store: &*self.vault.room.store, row }),
        }
    }

    /// Begins the log that goes on, unless an earlier try has.
    fn go_on(&self, id: TenantId, marks: &Marks, lags: &[Lag], reason: &str, first: bool) -> Result<Option<Restored>> {
        let (room, ledger) = (&*self.vault.room, self.vault.ledger()?);
        let ended = || lags.iter().filter_map(|lag| Some((lag.log, lag.mark?)));
        let rows = room.store.logs(id)?;
        if let Some(log) = begun(&rows, lags.iter()) {
            ledger.end(ended(), Some(log))?;
            return Ok(None);
        }
        let open = self.vault.open_log(id)?.row;
        let known = rows.iter().map(|row| row.generation).max().unwrap_or(0).max(marks.generation_of(id));
        let generation = Ledger::fresh_generation(known)?;
        let key = ledger.log_key(id, generation);
        let tenant = self.vault.tenant(id)?;
        let tell = self.vault.log_opened(Kind::Restored, &tenant.card, &tenant.policy)?;
        let mut tell = self.vault.with_writers(tell.detail("generation", generation), open.n)?;
        tell.basis = Some(reason.to_owned());
        tell.details.extend(ledger.successions(lags, &key)?);
        let follows = Follows::Ended(open.generation, open.size);
        let mut begin = vec![Op::OpenLog { tenant: id, generation, key, follows }];
        begin.extend(first.then_some(Op::Restored));
        let recorded = ledger.append(id, tell, ledger.own_signer(), Act::None, begin)?;
        // After a crash here the log goes on, and the next try notes that it does.
        ledger.end(ended(), Some(recorded.log))?;
        Ok(Some(Restored { tenant: id, key, receipt: Receipt::clone(&recorded.receipt) }))
    }
}

/// The log that an earlier try began and that goes on where these do not, if there is one.
fn begun<'a>(rows: &[LogRow], lags: impl Iterator<Item = &'a Lag> + Clone) -> Option<i64> {
    let goes_on = |lag: &Lag, log| {
        // A later one than this may be known already, and be lost as well.
        let other = lag.mark.and_then(|mark| mark.end).and_then(|end| end.successor);
        lag.log < log && other.is_none_or(|other| i64::from(other) <= log)
    };
    let mut logs = rows.iter().filter(|row| row.restored).map(|row| row.n);
    logs.rfind(|log| lags.clone().all(|lag| goes_on(lag, *log)))
}

fn not_ours() -> Error {
    Error::new(ErrorKind::WrongKey, "opening a vault to restore it, of which another operator signs a ledger")
}

fn failed(kind: ErrorKind, lag: &Lag) -> Error {
    Error::new(kind, "comparing a vault that is to be restored with its anchor").because(lag.to_string())
}

impl fmt::Debug for Restoration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vault, losses, everything, _alone: _ } = self;
        write!(f, "Restoration({} with {} losses, everything: {everything})", vault.id(), losses.len())
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, name, generation, kept, had } = self;
        match name {
            Some(name) => write!(f, "ledger {generation} of {name}: ")?,
            None => write!(f, "ledger {generation} of tenant {tenant}, which is not enrolled any more: ")?,
        }
        match had {
            Some(had) => write!(f, "{kept} of {had} entries are there"),
            None => write!(f, "{kept} entries are there, and nobody knows how many there had been"),
        }
    }
}
