use std::collections::VecDeque;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::epoch::{EpochHeader, EpochWriter, MessageKeys};
use crate::error::{Error, ErrorKind, Result};
use crate::id::random;
use crate::index::IndexWriter;
use crate::key::WriterKey;
use crate::seal::Sharing;
use crate::secret::Secret;
use crate::store::{Change, Lease, Op, Outcome, SLOT};
use crate::vault::{Room, Tenant};

/// The first block of slots of an epoch; each further one is twice the last, up to [`MAX_BLOCK`]. A small tenant costs
/// 2 KiB, a busy one 512 KiB and two synchronisations every few thousand records.
const FIRST_BLOCK: u32 = 64;
const MAX_BLOCK: u32 = 16 * 1024;

/// The epoch that takes records now, and the one after it when it is over.
pub(super) struct Period {
    tenant: Tenant,
    writer: Arc<WriterKey>,
    current: Option<Current>,
}

struct Current {
    writer: EpochWriter,
    /// Before the lease, so that what is unused is wiped while the epoch still counts as open.
    slots: Pool,
    shared: Arc<OpenEpoch>,
}

/// What every record of an epoch needs until it is committed.
pub(super) struct OpenEpoch {
    pub(super) header: EpochHeader,
    pub(super) index: Arc<IndexWriter>,
    pub(super) sharing: Sharing,
    _lease: Lease,
}

/// What one record is sealed with. Dropped with its slots, it wipes them.
pub(super) struct Drawn {
    room: Arc<Room>,
    pub(super) epoch: Arc<OpenEpoch>,
    pub(super) keys: MessageKeys,
    /// Slot numbers and shred secrets, the head's first.
    pub(super) slots: Vec<(u64, Secret)>,
}

impl Drawn {
    /// Hands the slots on to whoever keeps or wipes them now.
    pub(super) fn release(mut self) -> Vec<u64> {
        std::mem::take(&mut self.slots).into_iter().map(|(slot, _)| slot).collect()
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        if !self.slots.is_empty() {
            // What cannot be wiped now, the sweep wipes when the epoch is over.
            let _ = self.room.slots.shred(&self.slots.iter().map(|(slot, _)| *slot).collect::<Vec<_>>());
        }
    }
}

impl Period {
    pub(super) fn new(tenant: Tenant, writer: Arc<WriterKey>) -> Self {
        Self { tenant, writer, current: None }
    }

    /// Draws keys and slots for records that have so many parts each, in one epoch if they fit.
    pub(super) fn draw(&mut self, room: &Arc<Room>, parts: impl Iterator<Item = usize>) -> Result<Vec<Drawn>> {
        let mut drawn = Vec::new();
        let parts: Vec<usize> = parts.collect();
        let mut ahead: usize = parts.iter().sum();
        for count in parts {
            if self.current.as_ref().is_none_or(|current| !current.writer.has_room(1)) {
                // The old epoch's unused slots are wiped as it is dropped; its lease lasts until its records are
                // committed.
                self.current = None;
                self.current = Some(self.open(room)?);
            }
            let Some(current) = &mut self.current else { unreachable!("opened above") };
            let slots = current.slots.take(count, ahead)?;
            ahead -= count;
            drawn.push(Drawn {
                room: Arc::clone(room),
                epoch: Arc::clone(&current.shared),
                keys: current.writer.draw(),
                slots,
            });
        }
        Ok(drawn)
    }

    fn open(&self, room: &Arc<Room>) -> Result<Current> {
        let (card, policy) = (&self.tenant.card, &self.tenant.policy);
        let writer = EpochWriter::open(card, policy, &self.writer)?;
        let header = writer.header.clone();
        let (epoch, tenant) = (header.epoch(), self.tenant.id);
        // The lease is there before the row, so that no epoch in the database looks abandoned while it is not.
        let lease = room.leases.take(epoch)?;
        room.store.commit(Change(vec![Op::OpenEpoch { epoch, tenant, header: header.to_bytes().to_vec() }]))?;
        let slots = Pool { room: Arc::clone(room), epoch: header.clone(), next: FIRST_BLOCK, blocks: VecDeque::new() };
        let sharing = Sharing { policy: policy.hash(), threshold: policy.threshold() };
        let index = Arc::clone(&writer.index);
        Ok(Current { writer, shared: Arc::new(OpenEpoch { header, index, sharing, _lease: lease }), slots })
    }
}

/// Slots that are reserved, durable, and not yet handed out.
struct Pool {
    room: Arc<Room>,
    epoch: EpochHeader,
    next: u32,
    blocks: VecDeque<Block>,
}

struct Block {
    start: u64,
    used: usize,
    secrets: Zeroizing<Vec<u8>>,
}

impl Pool {
    /// Takes `count` slots; `ahead` tells how many will be needed soon, these included.
    fn take(&mut self, count: usize, ahead: usize) -> Result<Vec<(u64, Secret)>> {
        let left: usize = self.blocks.iter().map(Block::left).sum();
        if left < count {
            let wanted = u32::try_from(ahead - left).unwrap_or(u32::MAX).min(MAX_BLOCK);
            let block = wanted.max(self.next).max((count - left) as u32);
            self.reserve(block)?;
            self.next = (block * 2).min(MAX_BLOCK);
        }
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            let Some(block) = self.blocks.front_mut() else { unreachable!("reserved above") };
            match block.take() {
                Some(slot) => taken.push(slot),
                None => drop(self.blocks.pop_front()),
            }
        }
        Ok(taken)
    }

    fn reserve(&mut self, count: u32) -> Result<()> {
        let mut secrets = Zeroizing::new(vec![0; count as usize * SLOT as usize]);
        random(&mut secrets)?;
        let epoch = self.epoch.epoch();
        let outcomes = self.room.store.commit(Change(vec![Op::ReserveSlots { epoch, count }]))?;
        let [Outcome::Slots(start)] = outcomes[..] else {
            return Err(Error::new(ErrorKind::Io, "reserving slots"));
        };
        // After a crash here the block is reserved and its slots are zeros or not there: nothing uses them.
        if let Err(error) = self.room.slots.write(start, &secrets) {
            // Some may have been written. They are wiped now, or by the sweep.
            let _ = self.room.slots.shred(&(start..start + u64::from(count)).collect::<Vec<_>>());
            return Err(error);
        }
        self.blocks.push_back(Block { start, used: 0, secrets });
        Ok(())
    }
}

impl Block {
    fn left(&self) -> usize {
        self.secrets.len() / SLOT as usize - self.used
    }

    fn take(&mut self) -> Option<(u64, Secret)> {
        let at = self.used * SLOT as usize;
        let secret = Secret::from_slice(self.secrets.get(at..at + SLOT as usize)?)?;
        self.used += 1;
        Some((self.start + self.used as u64 - 1, secret))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let unused: Vec<u64> =
            self.blocks.iter().flat_map(|b| b.start + b.used as u64..b.start + (b.used + b.left()) as u64).collect();
        if !unused.is_empty() {
            let _ = self.room.slots.shred(&unused);
        }
    }
}
