use std::collections::BTreeSet;

use super::queue::{self, Queue};
use crate::error::{Error, ErrorKind, Result};
use crate::hold::{ATTEMPTS, Clearance, Holds, contended};
use crate::id::RecordId;
use crate::ledger::{ERASURE, Kind, Receipt, RecordSet, Tell, Told, check_text};
use crate::retrieve::{Places, TenantSession};
use crate::store::{Act, Op, RecordRow};

/// Records that one entry tells of.
const BATCH: usize = 4096;

/// What became of records that were to be erased.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Erased {
    /// Those that are erased now: what they were sealed with no longer exists.
    pub erased: Vec<RecordId>,
    /// Those that were before.
    pub already: Vec<RecordId>,
    /// Those that a hold keeps. They are erased when none does any more.
    pub deferred: Vec<HeldRecord>,
    /// Those of which nobody can tell whether a hold keeps them, since their heads do not open, and why. They are as they
    /// were.
    pub undecided: Vec<(RecordId, Error)>,
    /// The ledger's entries about it: what was authorised and what was put off, and then what was erased.
    pub receipts: Vec<Receipt>,
}

/// A record that a hold keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldRecord {
    /// The record.
    pub record: RecordId,
    /// The names of the matters that keep it.
    pub matters: Vec<String>,
}

impl TenantSession {
    /// Erases records: what each was sealed with is zeroed in place and synced, so that no key for it exists any more, and
    /// what is stored of it is removed. Its id, its time and sizes stay, which the ledger counts on, and nobody tells a record
    /// without its key from noise. Where a hold keeps a record the ledger says so, and it is erased when the last one ends.
    ///
    /// The ledger has said so before the first key is gone, and says so again when the last is. Killed in between, what was
    /// authorised is erased by whoever opens the vault next, who needs no key of the tenant's. There is no way back.
    ///
    /// Copies that were handed to third parties are not reached: see [`request_deletion`](Self::request_deletion), which
    /// finds them before and after.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the tenant has not one of them, and
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a reason that a ledger cannot tell: nothing is erased then;
    /// [`Tampered`](ErrorKind::Tampered) if nobody knows what is held, because what was said of it does not open;
    /// [`Locked`](ErrorKind::Locked) if others keep placing holds; else as the disk. Whatever fails after the ledger has said
    /// that a record is to be erased, it is: by calling this again, by [`Vault::sweep`](crate::Vault::sweep), or when the
    /// vault is opened.
    pub fn erase(&self, records: impl IntoIterator<Item = RecordId>, reason: &str) -> Result<Erased> {
        check_text(reason, "erasing records for a reason that a ledger cannot tell")?;
        let mut numbers = BTreeSet::new();
        for record in records {
            let row = self.room.store.record(self.tenant, record)?;
            numbers.insert(row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking up a record to erase"))?.n);
        }
        let numbers: Vec<i64> = numbers.into_iter().collect();
        let (mut holds, mut queue, mut done) = (Holds::default(), Queue::default(), Erased::default());
        for numbers in numbers.chunks(BATCH) {
            self.erase_some(numbers, reason, &mut holds, &mut queue, &mut done)?;
        }
        Ok(done)
    }

    fn erase_some(
        &self,
        numbers: &[i64],
        reason: &str,
        holds: &mut Holds,
        queue: &mut Queue,
        done: &mut Erased,
    ) -> Result<()> {
        for _ in 0..ATTEMPTS {
            holds.learn(self)?;
            let rows = self.room.store.records(self.tenant, numbers)?.into_iter().flatten();
            let Sorted { free, already, begun, deferred, undecided } = self.sort(rows, holds)?;
            let (ids, mut entries) = (free.iter().map(|cleared| cleared.record).collect::<Vec<_>>(), Vec::new());
            if !deferred.is_empty() {
                queue.learn(self)?;
                let new = deferred.iter().map(|held| held.record).filter(|record| !queue.has(record));
                let new: Vec<RecordId> = new.collect();
                if !new.is_empty() {
                    entries.push(self.putting_off(new, reason, holds)?);
                }
            }
            if !free.is_empty() {
                let tell = self.authorising(&ids, reason);
                entries.push((Clearance::spend(self.tenant, free, None).into(), tell, Act::Begin(ERASURE)));
            }
            let recorded = match self.record_all(entries) {
                // A hold came, or another erases the same: everything is asked again.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
                recorded => recorded?,
            };
            // After a crash here the ledger has said so, and the next process erases them.
            done.receipts.extend(recorded.iter().map(|recorded| Receipt::clone(&recorded.receipt)));
            let own = recorded.last().filter(|_| !ids.is_empty());
            let own = own.map(|recorded| (recorded.log, recorded.receipt.seq()));
            for entry in own.into_iter().chain(begun) {
                done.receipts.extend(self.carry_out(entry)?);
            }
            done.erased.extend(ids);
            done.already.extend(already);
            done.deferred.extend(deferred);
            done.undecided.extend(undecided);
            return Ok(());
        }
        Err(contended("erasing records"))
    }

    /// What may be erased, and why the rest may not.
    fn sort(&self, rows: impl Iterator<Item = RecordRow>, holds: &Holds) -> Result<Sorted> {
        let (mut sorted, mut places) = (Sorted::default(), Places::new());
        for row in rows {
            let record = row.record;
            if let Some(erasure) = self.room.store.erasure_of(record)? {
                sorted.already.push(record);
                // One that failed half way, or is at it.
                sorted.begun.extend(erasure.done.is_none().then_some((erasure.log, erasure.seq)));
                continue;
            }
            match holds.clear(self, row, &mut places, &BTreeSet::new()) {
                Ok(Ok(cleared)) => sorted.free.push(cleared),
                Ok(Err(matters)) => sorted.deferred.push(HeldRecord { record, matters }),
                Err(e) if is_its_own(&e) => sorted.undecided.push((record, e)),
                Err(e) => return Err(e),
            }
        }
        Ok(sorted)
    }

    /// The entry that says that records are about to be erased.
    pub(super) fn authorising(&self, records: &[RecordId], reason: &str) -> Tell {
        let mut tell = self.tell(Kind::ErasureAuthorised).detail("reason", reason);
        tell.records = Told::Set(RecordSet::of_ids(records.iter().copied()));
        tell
    }

    /// The entry that says that records are kept for now. Refused if a hold has ended meanwhile: nothing would end any more
    /// that they wait for.
    fn putting_off(&self, records: Vec<RecordId>, reason: &str, holds: &Holds) -> Result<(Vec<Op>, Tell, Act)> {
        let mut tell = self.tell(Kind::DeletionDeferred).detail("reason", reason);
        tell.records = Told::Set(RecordSet::of_ids(records.iter().copied()));
        let tell = tell.paper(queue::TOPIC, None, queue::encode(records, reason)?);
        Ok((vec![holds.seen(self.tenant)], tell, Act::None))
    }
}

/// What was found of records that are to be erased.
#[derive(Default)]
struct Sorted {
    free: Vec<Clearance>,
    already: Vec<RecordId>,
    /// Entries that let some of them be erased, which are not yet.
    begun: BTreeSet<(i64, u64)>,
    deferred: Vec<HeldRecord>,
    undecided: Vec<(RecordId, Error)>,
}

/// Whether a record's own bytes are at fault.
pub(super) fn is_its_own(error: &Error) -> bool {
    use ErrorKind::{Damaged, Tampered, Unsupported, WrongKey};
    matches!(error.kind(), Damaged | Tampered | Unsupported | WrongKey)
}
