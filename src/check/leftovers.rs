use std::collections::HashSet;
use std::path::PathBuf;

use super::named::{SlotBook, each_record, enter_entries, heads};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId};
use crate::ledger::each_revived;
use crate::record::RecordHeader;
use crate::room::Room;
use crate::store::{Block, Found, ObjectName, SLOT};

/// Slots read at once.
const READ: usize = 4096;

/// What no record names, in epochs that nobody writes in any more.
#[derive(Default)]
pub(super) struct Leftovers {
    pub(super) objects: Vec<ObjectName>,
    pub(super) unfinished: Vec<PathBuf>,
    pub(super) slots: Vec<u64>,
    pub(super) leases: Vec<EpochId>,
    /// Records that were erased and have secrets in the shred file: an old copy of it was put back.
    pub(super) revived: Vec<RecordId>,
    /// Nothing of ours: reported, never removed.
    pub(super) strangers: Vec<PathBuf>,
}

/// Epochs that are over. Asked before anything else is listed: they can gain no record, and only of them anything can
/// be left over. An epoch has its lease before it has its row, so one that is listed here without a lease has let go of
/// it; and one that begins from now on is not among them, however soon it ends.
pub(super) fn closed_epochs(room: &Room) -> Result<HashSet<EpochId>> {
    let mut closed = HashSet::new();
    for row in room.store.epochs()? {
        if !room.leases.is_live(row.epoch)? {
            closed.insert(row.epoch);
        }
    }
    Ok(closed)
}

/// Looks through objects, slots and leases. `named` holds the slots of every record of the closed epochs.
pub(super) fn find(room: &Room, closed: &HashSet<EpochId>, named: &SlotBook) -> Result<Leftovers> {
    let mut left = Leftovers::default();
    room.objects.list(&mut |found| {
        match found {
            Found::Object(object) if is_erased(room, object.record)? => {
                // Listed while it was being removed, or put back.
                if room.objects.open(object).is_ok() {
                    left.objects.push(object);
                }
            }
            Found::Object(object) if closed.contains(&object.epoch) => {
                if !is_named(room, object)? {
                    left.objects.push(object);
                }
            }
            Found::Unfinished(epoch, path) if closed.contains(&epoch) => left.unfinished.push(path),
            Found::Object(ObjectName { epoch, .. }) | Found::Unfinished(epoch, _) if is_known(room, epoch)? => {}
            Found::Object(object) if is_named(room, object)? => {}
            Found::Object(ObjectName { epoch, record, part }) => {
                left.strangers.push(PathBuf::from(format!("{}/{}.{part}", epoch.to_hex(), record.to_hex())));
            }
            Found::Unfinished(_, path) | Found::Stranger(path) => left.strangers.push(path),
        }
        Ok(())
    })?;
    let slots_there = room.slots.count()?;
    for Block { start, count, epoch } in room.store.blocks()? {
        if !closed.contains(&epoch) {
            continue;
        }
        let end = start.saturating_add(count).min(slots_there);
        for from in (start..end).step_by(READ) {
            let block = room.slots.read_block(from, (end - from).min(READ as u64))?;
            let slots = (from..).zip(block.as_chunks::<{ SLOT as usize }>().0);
            left.slots.extend(slots.filter(|(n, slot)| !named.contains(*n) && **slot != [0; 32]).map(|(n, _)| n));
        }
    }
    each_revived(room, |header| left.revived.push(header.record))?;
    left.leases = room.leases.abandoned()?;
    Ok(left)
}

fn is_known(room: &Room, epoch: EpochId) -> Result<bool> {
    Ok(room.store.epoch(epoch)?.is_some())
}

/// Every slot that a record names, if every header is plausible. One that is not might name anything: `check` reports
/// it, and a sweep stops here.
pub(super) fn named_slots(room: &Room) -> Result<SlotBook> {
    // What comes later belongs to epochs that are not closed. Asked before the book is opened, which then has every
    // block and slot that these records name.
    let (last, heads) = (room.store.last_record()?, heads(room)?);
    let mut named = SlotBook::new(room)?;
    each_record(room, last, |row| {
        let header = row.header(room.id)?;
        if header.parts.iter().all(|part| named.enter(header.epoch, part.slot)) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Tampered, "telling what records name from what a crash left"))
        }
    })?;
    // An entry that came in since belongs to an epoch that is not closed.
    if enter_entries(room, &heads, &mut named)?.is_empty() {
        return Ok(named);
    }
    Err(Error::new(ErrorKind::Tampered, "telling what entries name from what a crash left"))
}

fn is_named(room: &Room, object: ObjectName) -> Result<bool> {
    let Some(header) = room.store.header(object.record)? else { return Ok(false) };
    let header = RecordHeader::from_bytes(&header)?;
    Ok(object.part > 0 && header.epoch == object.epoch && (object.part as usize) < header.parts.len())
}

/// Whether a record was erased, as the ledger says: nothing that is left of it is opened by anybody.
pub(super) fn is_erased(room: &Room, record: RecordId) -> Result<bool> {
    Ok(room.store.erasure_of(record)?.is_some_and(|erasure| erasure.done.is_some()))
}
