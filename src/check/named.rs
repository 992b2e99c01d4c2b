use std::collections::HashMap;
use std::ops::Range;

use crate::error::Result;
use crate::id::{EpochId, TenantId};
use crate::room::Room;
use crate::store::{Block, LogRow, RecordRow, Which};

/// Records read at once.
const PAGE: usize = 256;

/// Visits the records of all tenants in the order of their commits, up to number `last`.
pub(super) fn each_record(room: &Room, last: i64, mut visit: impl FnMut(RecordRow) -> Result<()>) -> Result<()> {
    let mut n = 0;
    loop {
        let rows = room.store.all_records(n, PAGE)?;
        let Some(end) = rows.last() else { return Ok(()) };
        n = end.n;
        for row in rows {
            if row.n > last {
                return Ok(());
            }
            visit(row)?;
        }
    }
}

/// The ledgers as they are now. Asked before the slots' book is opened, which then has every block that their entries
/// lie in.
pub(super) fn heads(room: &Room) -> Result<Vec<(TenantId, LogRow)>> {
    let mut heads = Vec::new();
    for tenant in room.store.tenants(Which::All)? {
        heads.extend(room.store.logs(tenant.tenant)?.into_iter().map(|log| (tenant.tenant, log)));
    }
    Ok(heads)
}

/// Enters the slots of every ledger's entries. Gives the entries whose row or slot cannot be right.
pub(super) fn enter_entries(
    room: &Room,
    heads: &[(TenantId, LogRow)],
    named: &mut SlotBook,
) -> Result<Vec<(TenantId, u64)>> {
    let mut wrong = Vec::new();
    for (tenant, log) in heads {
        let mut seq = 0;
        while seq < log.size {
            let rows = room.store.entries(log.n, seq, PAGE.min((log.size - seq) as usize))?;
            let Some(last) = rows.last() else { break };
            seq = last.seq + 1;
            let misplaced = rows.iter().filter(|row| !(row.is_whole() && named.enter(row.epoch, row.slot)));
            wrong.extend(misplaced.map(|row| (*tenant, row.seq)));
        }
    }
    Ok(wrong)
}

/// Slots that record headers name, one bit each.
pub(super) struct SlotBook {
    blocks: HashMap<EpochId, Vec<Range<u64>>>,
    /// How many slots the shred file has.
    there: u64,
    named: Vec<u64>,
}

impl SlotBook {
    pub(super) fn new(room: &Room) -> Result<Self> {
        let mut blocks: HashMap<_, Vec<_>> = HashMap::new();
        for Block { start, count, epoch } in room.store.blocks()? {
            blocks.entry(epoch).or_default().push(start..start.saturating_add(count));
        }
        Ok(Self { blocks, there: room.slots.count()?, named: Vec::new() })
    }

    /// Enters a slot that a record of `epoch` names. False if it was named before, or lies in no block of the epoch or
    /// behind the file's end: then it is not kept, so a header that lies costs no memory.
    pub(super) fn enter(&mut self, epoch: EpochId, slot: u64) -> bool {
        let blocks = self.blocks.get(&epoch).map_or(&[][..], Vec::as_slice);
        if slot >= self.there || !blocks.iter().any(|block| block.contains(&slot)) {
            return false;
        }
        let (word, bit) = ((slot / 64) as usize, 1 << (slot % 64));
        if self.named.len() <= word {
            self.named.resize(word + 1, 0);
        }
        let new = self.named[word] & bit == 0;
        self.named[word] |= bit;
        new
    }

    pub(super) fn contains(&self, slot: u64) -> bool {
        self.named.get((slot / 64) as usize).is_some_and(|word| word & 1 << (slot % 64) != 0)
    }
}
