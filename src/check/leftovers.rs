use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::error::Result;
use crate::id::EpochId;
use crate::record::RecordHeader;
use crate::store::{Block, Found, MAX_INLINE, ObjectName, SLOT};
use crate::vault::Room;

/// Slots read at once.
const READ: usize = 4096;
/// Records read at once.
pub(super) const PAGE: usize = 256;

/// What no record names, in epochs that nobody writes in any more.
#[derive(Default)]
pub(super) struct Leftovers {
    pub(super) objects: Vec<ObjectName>,
    pub(super) unfinished: Vec<PathBuf>,
    pub(super) slots: Vec<u64>,
    pub(super) leases: Vec<EpochId>,
    /// Nothing of ours: reported, never removed.
    pub(super) strangers: Vec<PathBuf>,
}

/// Slots that record headers name, one bit each.
pub(super) struct SlotSet(Vec<u64>);

impl SlotSet {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether the slot was not there before. A number behind the file's end is as good as named twice: it is not
    /// kept, so a header that lies costs no memory.
    pub(super) fn insert(&mut self, slot: u64, end: u64) -> bool {
        if slot >= end {
            return false;
        }
        let (word, bit) = ((slot / 64) as usize, 1 << (slot % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    pub(super) fn contains(&self, slot: u64) -> bool {
        self.0.get((slot / 64) as usize).is_some_and(|word| word & 1 << (slot % 64) != 0)
    }
}

/// Epochs that somebody may still be writing in. Asked before anything is listed: an epoch that is over by then can
/// gain no record.
pub(super) fn live_epochs(room: &Room) -> Result<HashSet<EpochId>> {
    let mut live = HashSet::new();
    for epoch in room.leases.list()? {
        if room.leases.is_live(epoch)? {
            live.insert(epoch);
        }
    }
    Ok(live)
}

/// Looks through objects, slots and leases. `named` holds the slots of every record.
pub(super) fn find(room: &Room, live: &HashSet<EpochId>, named: &SlotSet) -> Result<Leftovers> {
    let mut left = Leftovers::default();
    room.objects.list(&mut |found| {
        match found {
            Found::Object(object) if live.contains(&object.epoch) => {}
            Found::Object(object) if !is_named(room, object)? => left.objects.push(object),
            Found::Object(_) => {}
            Found::Unfinished(epoch, path) if !live.contains(&epoch) => left.unfinished.push(path),
            Found::Unfinished(..) => {}
            Found::Stranger(path) => left.strangers.push(path),
        }
        Ok(())
    })?;
    let slots_there = room.slots.count()?;
    for Block { start, count, epoch } in room.store.blocks()? {
        if live.contains(&epoch) {
            continue;
        }
        let end = start.saturating_add(count).min(slots_there);
        for from in (start..end).step_by(READ) {
            let block = room.slots.read_block(from, (end - from).min(READ as u64))?;
            let slots = (from..).zip(block.as_chunks::<{ SLOT as usize }>().0);
            left.slots.extend(slots.filter(|(n, slot)| !named.contains(*n) && **slot != [0; 32]).map(|(n, _)| n));
        }
    }
    left.leases.extend(room.leases.list()?.into_iter().filter(|epoch| !live.contains(epoch)));
    // Leases taken since `live` was asked for.
    let mut still = HashMap::new();
    left.leases.retain(|epoch| !*still.entry(*epoch).or_insert_with(|| room.leases.is_live(*epoch).unwrap_or(true)));
    Ok(left)
}

/// Every slot that a record names, without looking at anything else.
pub(super) fn named_slots(room: &Room) -> Result<SlotSet> {
    let (mut named, mut n, slots_there) = (SlotSet::new(), 0, room.slots.count()?);
    loop {
        let rows = room.store.all_records(n, PAGE)?;
        let Some(last) = rows.last() else { return Ok(named) };
        n = last.n;
        for row in rows {
            // A header that does not parse might name any slot: `check` reports it, and a sweep stops here.
            for part in RecordHeader::from_bytes(&row.header)?.parts {
                named.insert(part.slot, slots_there);
            }
        }
    }
}

fn is_named(room: &Room, object: ObjectName) -> Result<bool> {
    let Some(header) = room.store.header(object.record)? else { return Ok(false) };
    let header = RecordHeader::from_bytes(&header)?;
    let part = header.parts.get(object.part as usize);
    Ok(object.part > 0 && header.epoch == object.epoch && part.is_some_and(|p| p.len > MAX_INLINE))
}
