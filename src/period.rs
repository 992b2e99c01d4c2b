//! Epochs that take records and entries: keys and slots are drawn from here, whoever seals with them.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use crate::epoch::{EpochHeader, EpochWriter, MessageKeys};
use crate::error::{Error, ErrorKind, Result};
use crate::id::random;
use crate::index::IndexWriter;
use crate::key::WriterKey;
use crate::room::{Room, Tenant};
use crate::seal::Sharing;
use crate::secret::Secret;
use crate::store::{Change, Lease, Op, Outcome, SLOT};

/// The first block of slots of an epoch; each further one is twice the last, up to [`MAX_BLOCK`]. A small tenant costs
/// 2 KiB, a busy one 512 KiB and two synchronisations every few thousand records.
const FIRST_BLOCK: u32 = 64;
const MAX_BLOCK: u32 = 16 * 1024;

/// The epoch that takes records now, and the one after it when it is over.
pub(crate) struct Period {
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
pub(crate) struct OpenEpoch {
    pub(crate) header: EpochHeader,
    pub(crate) index: Arc<IndexWriter>,
    pub(crate) sharing: Sharing,
    _lease: Lease,
}

/// What one record or entry is sealed with. Dropped with its slots, it wipes them.
pub(crate) struct Drawn {
    room: Arc<Room>,
    pub(crate) epoch: Arc<OpenEpoch>,
    pub(crate) keys: MessageKeys,
    /// Slot numbers and shred secrets, the head's first.
    pub(crate) slots: Vec<(u64, Secret)>,
}

impl Drawn {
    /// Hands the slots on to whoever keeps or wipes them now.
    pub(crate) fn release(mut self) -> Vec<u64> {
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
    pub(crate) fn new(tenant: Tenant, writer: Arc<WriterKey>) -> Self {
        Self { tenant, writer, current: None }
    }

    /// Draws keys and slots for records that have so many parts each, in one epoch if they fit.
    ///
    /// # Errors
    /// `Full` if the disk has no room for more of them, with a sentence of its own: nothing was sealed yet.
    pub(crate) fn draw(&mut self, room: &Arc<Room>, parts: impl Iterator<Item = usize>) -> Result<Vec<Drawn>> {
        self.draw_each(room, parts).map_err(|e| match e.kind() {
            ErrorKind::Full => {
                Error::new(ErrorKind::Full, "reserving keys and slots for what is to be sealed").because(e)
            }
            _ => e,
        })
    }

    fn draw_each(&mut self, room: &Arc<Room>, parts: impl Iterator<Item = usize>) -> Result<Vec<Drawn>> {
        self.follow(room)?;
        let mut drawn = Vec::new();
        let parts: Vec<usize> = parts.collect();
        let mut ahead: usize = parts.iter().sum();
        for count in parts {
            if self.current.as_ref().is_none_or(|current| !current.writer.has_room(1)) {
                // The old epoch's unused slots are wiped as it is dropped; its lease lasts until its records are
                // committed.
                self.current = None;
                let (opening, ops) = self.prepare(room, ahead)?;
                room.store.commit(Change(ops.into()))?;
                self.install(opening);
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

    /// Goes over to the tenant's card and policy if they have successors: what is sealed from now on is sealed to them.
    fn follow(&mut self, room: &Room) -> Result<()> {
        let Tenant { id, card, policy, .. } = &self.tenant;
        if room.store.versions(*id)? == (card.version(), policy.version()) {
            return Ok(());
        }
        let tenant = room.successor(&self.tenant)?;
        self.current = None;
        self.tenant = tenant;
        Ok(())
    }

    /// Makes an epoch with room for `slots`, and the operations that store it. Its first block is written inside their
    /// transaction, so that one commit opens it.
    pub(crate) fn prepare(&self, room: &Arc<Room>, slots: usize) -> Result<(Opening, [Op; 2])> {
        let (card, policy) = (&self.tenant.card, &self.tenant.policy);
        let writer = EpochWriter::open(card, policy, &self.writer)?;
        let header = writer.header.clone();
        let (epoch, tenant) = (header.epoch(), self.tenant.id);
        // The lease is there before the row, so that no epoch in the database looks abandoned while it is not.
        let lease = room.leases.take(epoch)?;
        let count = u32::try_from(slots).unwrap_or(MAX_BLOCK).clamp(FIRST_BLOCK, MAX_BLOCK);
        let mut secrets = Zeroizing::new(vec![0; count as usize * SLOT as usize]);
        random(&mut secrets)?;
        let block = Arc::new(FirstBlock { start: OnceLock::new(), secrets });
        let (filled, into) = (Arc::clone(&block), Arc::clone(room));
        let fill = Box::new(move |start| {
            into.slots.write(start, &filled.secrets)?;
            filled.start.set(start).map_err(|_| Error::new(ErrorKind::Io, "reserving slots twice"))
        });
        let ops = [
            Op::OpenEpoch { epoch, tenant, header: header.to_bytes().to_vec() },
            Op::ReserveSlots { epoch, count, above: room.slots.count()?, fill: Some(fill) },
        ];
        let sharing = Sharing { policy: policy.hash(), threshold: policy.threshold() };
        let index = Arc::clone(&writer.index);
        let shared = Arc::new(OpenEpoch { header, index, sharing, _lease: lease });
        Ok((Opening { room: Arc::clone(room), writer, shared, block, used: 0 }, ops))
    }

    /// Begins the epoch that was prepared, now that it is stored.
    pub(crate) fn install(&mut self, opening: Opening) {
        let Opening { room, writer, shared, block, used } = opening;
        let Some(start) = block.start.get() else { unreachable!("its block was reserved with it") };
        let next = (block.secrets.len() as u32 / SLOT as u32 * 2).min(MAX_BLOCK);
        let blocks = VecDeque::from([Block { start: *start, used, secrets: block.secrets.clone() }]);
        let slots = Pool { room, epoch: shared.header.clone(), next, blocks };
        self.current = Some(Current { writer, slots, shared });
    }
}

/// An epoch that is not stored yet.
pub(crate) struct Opening {
    room: Arc<Room>,
    writer: EpochWriter,
    pub(crate) shared: Arc<OpenEpoch>,
    block: Arc<FirstBlock>,
    used: usize,
}

/// An epoch's first slots, whose place is known inside the transaction that reserves them.
pub(crate) struct FirstBlock {
    start: OnceLock<u64>,
    secrets: Zeroizing<Vec<u8>>,
}

impl Opening {
    /// Draws the first message keys and slot, for an entry in the very transaction that stores the epoch.
    pub(crate) fn draw(&mut self) -> Result<(MessageKeys, Arc<FirstBlock>, Secret)> {
        let secret = Secret::from_slice(&self.block.secrets[..SLOT as usize]);
        let secret = secret.filter(|_| self.used == 0).ok_or_else(|| Error::new(ErrorKind::Io, "drawing a slot"))?;
        self.used = 1;
        Ok((self.writer.draw(), Arc::clone(&self.block), secret))
    }
}

impl FirstBlock {
    /// The first slot, once it is reserved.
    pub(crate) fn slot(&self) -> Option<u64> {
        self.start.get().copied()
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
        let reserve = Op::ReserveSlots { epoch, count, above: self.room.slots.count()?, fill: None };
        let outcomes = self.room.store.commit(Change(vec![reserve]))?;
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
