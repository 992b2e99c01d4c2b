//! How what the ledger says is to be erased is erased: by the session that wrote so or, where its process died, by whoever
//! opens the vault next. Nobody needs a key for it.
//!
//! The order: the entry `erasure.authorised`, with the rows that name the records; the slots are zeroed and synced, which is
//! the erasure; objects go; one commit removes what is left in the database and appends `erased`. After a crash anywhere the
//! act has no outcome yet, and doing all of it again does no harm.

use std::collections::BTreeSet;

use super::desk::{Ledger, Recorded, Signer, Tell, Told};
use super::message::RecordSet;
use crate::error::{ErrorKind, Result};
use crate::id::TenantId;
use crate::key::PublicKey;
use crate::record::RecordHeader;
use crate::room::Room;
use crate::store::{Act, ErasureRow, MAX_INLINE, ObjectName, Op, Slot};
use crate::tlog::origin_of;

/// The act that an entry begins which authorises an erasure.
pub(crate) const ERASURE: &str = "erasure";
/// Records looked at at once.
const PAGE: usize = 1024;

impl Ledger {
    /// Erases what the entry of that log and number says is to be erased, and writes `tell` about it. Nothing if another
    /// has concluded it meanwhile.
    ///
    /// # Errors
    /// `Tampered` if a header is not the one that was stored, so that its slots are not known: the others are erased all
    /// the same. Else as the disk. The act stays without an outcome and is carried out by the next try.
    pub(crate) fn erase(
        &self,
        tenant: TenantId,
        (log, seq): (i64, u64),
        mut tell: Tell,
        signer: Signer,
    ) -> Result<Option<Recorded>> {
        let room = &*self.room;
        // What cannot be undone waits until the mark of what says so cannot be lost.
        room.anchor.sync()?;
        let (mut ids, mut deferred, mut unknown) = (Vec::new(), None, Ok(()));
        let mut n = 0;
        loop {
            let rows = room.store.erasure(log, seq, n, PAGE)?;
            let Some(last) = rows.last() else { break };
            n = last.record.n;
            let mut headers = Vec::with_capacity(rows.len());
            for row in rows {
                ids.push(row.record.record);
                deferred = row.deferred;
                match row.record.header(room.id) {
                    Ok(header) => headers.push(header),
                    Err(error) => unknown = Err(error),
                }
            }
            shred(room, headers.iter())?;
            // After a crash here, or a failure of what follows, they are erased and the ledger has not said so.
            headers.iter().try_for_each(|header| remove_objects(room, header))?;
            headers.iter().map(|header| header.epoch).collect::<BTreeSet<_>>().into_iter().try_for_each(|epoch| {
                match room.objects.sync(epoch) {
                    // It had none.
                    Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
                    synced => synced,
                }
            })?;
        }
        unknown?;
        let logs = room.store.logs(tenant)?;
        let key = |log| logs.iter().find(|row| row.n == log).map(|row| row.key);
        tell.records = Told::Set(RecordSet::of_ids(ids));
        tell.refers = key(log).map(|key| (key, seq));
        if let Some((log, seq)) = deferred
            && let Some(key) = key(log)
        {
            tell = tell.deferred(&key, seq);
        }
        match self.append(tenant, tell, signer, Act::End(log, seq), vec![Op::Erased { log, seq }]) {
            Ok(recorded) => Ok(Some(recorded)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl Tell {
    /// Says that an entry had put this off.
    pub(crate) fn deferred(self, log: &PublicKey, seq: u64) -> Self {
        self.detail("deferred", seq).detail("deferred-log", origin_of(log))
    }
}

/// Zeroes again what was erased before and has its secrets in the shred file all the same, because an old copy of that was
/// put back. Looks at what was erased last; only if that has, or if `all` is wanted, at everything. Gives how many records
/// were erased again.
pub(crate) fn erase_again(room: &Room, all: bool) -> Result<u64> {
    let (mut again, mut before) = (0, None);
    loop {
        let rows = room.store.erased(before, PAGE)?;
        let Some(last) = rows.last() else { return Ok(again) };
        before = last.done;
        let (mut live, mut old) = (Vec::new(), false);
        for row in &rows {
            match standing(room, row)? {
                Standing::Erased => {}
                Standing::Live(header) => live.push(header),
                Standing::Missing => old = true,
            }
        }
        again += live.len() as u64;
        if !live.is_empty() {
            shred(room, live.iter())?;
        }
        if live.is_empty() && !old && !all {
            return Ok(again);
        }
    }
}

/// Visits the records that were erased and whose slots are no zeros, as far as their headers tell.
pub(crate) fn each_revived(room: &Room, mut visit: impl FnMut(&RecordHeader)) -> Result<()> {
    let mut before = None;
    loop {
        let rows = room.store.erased(before, PAGE)?;
        let Some(last) = rows.last() else { return Ok(()) };
        before = last.done;
        for row in &rows {
            if let Standing::Live(header) = standing(room, row)? {
                visit(&header);
            }
        }
    }
}

/// What the slots hold of a record that was erased.
enum Standing {
    Erased,
    Live(RecordHeader),
    /// The file ends before them.
    Missing,
}

fn standing(room: &Room, row: &ErasureRow) -> Result<Standing> {
    // A header that is not the one that was stored is a check's to report.
    let Ok(header) = row.record.header(room.id) else { return Ok(Standing::Erased) };
    let mut missing = false;
    for part in &header.parts {
        match room.slots.read(part.slot) {
            Ok(Slot::Erased) => {}
            Ok(Slot::Live(_)) => return Ok(Standing::Live(header)),
            Err(e) if e.kind() == ErrorKind::Damaged => missing = true,
            Err(e) => return Err(e),
        }
    }
    Ok(if missing { Standing::Missing } else { Standing::Erased })
}

/// Zeroes the slots of records, and syncs: they are erased when this returns.
fn shred<'h>(room: &Room, headers: impl Iterator<Item = &'h RecordHeader>) -> Result<()> {
    // An old copy of the file may end before them: nothing is written behind its end.
    let there = room.slots.count()?;
    let slots = headers.flat_map(|header| header.parts.iter().map(|part| part.slot)).filter(|slot| *slot < there);
    let slots: BTreeSet<u64> = slots.collect();
    if slots.is_empty() {
        return Ok(());
    }
    room.slots.shred(&slots.into_iter().collect::<Vec<_>>())
}

fn remove_objects(room: &Room, header: &RecordHeader) -> Result<()> {
    for (part, _) in (0u32..).zip(&header.parts).filter(|(number, part)| *number > 0 && part.len > MAX_INLINE) {
        room.objects.delete(ObjectName { epoch: header.epoch, record: header.record, part })?;
    }
    Ok(())
}
