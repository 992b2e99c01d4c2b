use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// Bytes of a slot.
pub(crate) const SLOT: u64 = 32;

/// Bytes that must die. No journal, no log, no copy: a slot that is zeroed and synced is gone.
pub(crate) trait Slots: Send + Sync {
    /// Writes a reserved block of slots from `start` on and syncs. Only then may one be handed out.
    fn write(&self, start: u64, block: &[u8]) -> Result<()>;
    /// How many slots there are, whatever they hold.
    fn count(&self) -> Result<u64>;
    fn read(&self, slot: u64) -> Result<Slot>;
    /// Reads slots in bulk, as they lie; fewer than asked for if there are no more. Ask for a few thousand at most.
    fn read_block(&self, start: u64, count: u64) -> Result<Zeroizing<Vec<u8>>>;
    /// Zeroes slots and syncs: they are erased when this returns.
    fn shred(&self, slots: &[u64]) -> Result<()>;
}

/// What a slot holds.
pub(crate) enum Slot {
    Live(Secret),
    Erased,
}

/// One file of 32-byte slots.
pub(crate) struct FileSlots(File);

impl FileSlots {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        file.map(Self).map_err(|e| Error::from_io(e, "creating the shred file"))
    }

    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        // Who may only read the vault gets his errors when he writes.
        let file = file.or_else(|_| File::open(path));
        file.map(Self).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::new(ErrorKind::Damaged, "opening the shred file").because(e),
            _ => Error::from_io(e, "opening the shred file"),
        })
    }
}

impl Slots for FileSlots {
    fn write(&self, start: u64, block: &[u8]) -> Result<()> {
        let written = self.0.write_all_at(block, start * SLOT).and_then(|()| self.0.sync_data());
        written.map_err(|e| match e.raw_os_error() {
            // EBADF: the file could be opened for reading only.
            Some(9) => Error::new(ErrorKind::ReadOnly, "writing the shred file").because(e),
            _ => Error::from_io(e, "writing the shred file"),
        })
    }

    fn count(&self) -> Result<u64> {
        let size = self.0.metadata().map_err(|e| Error::from_io(e, "sizing the shred file"))?.len();
        Ok(size / SLOT)
    }

    fn read(&self, slot: u64) -> Result<Slot> {
        let doing = "reading a slot of the shred file";
        let offset = slot.checked_mul(SLOT).ok_or_else(|| Error::new(ErrorKind::Tampered, doing))?;
        let mut read = Ok(());
        let secret = Secret::from_fn(|bytes| read = self.0.read_exact_at(bytes, offset));
        read.map_err(|e| Error::from_io(e, doing))?;
        Ok(if secret.expose_secret() == &[0; 32] { Slot::Erased } else { Slot::Live(secret) })
    }

    fn read_block(&self, start: u64, count: u64) -> Result<Zeroizing<Vec<u8>>> {
        let mut block = Zeroizing::new(vec![0; (count * SLOT) as usize]);
        let mut filled = 0;
        while filled < block.len() {
            match self.0.read_at(&mut block[filled..], start * SLOT + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) => return Err(Error::from_io(e, "reading slots of the shred file")),
            }
        }
        block.truncate(filled - filled % SLOT as usize);
        Ok(block)
    }

    fn shred(&self, slots: &[u64]) -> Result<()> {
        let mut runs = slots.chunk_by(|slot, next| slot.checked_add(1) == Some(*next));
        let zeroed = runs.try_for_each(|run| self.0.write_all_at(&vec![0; run.len() * SLOT as usize], run[0] * SLOT));
        zeroed.and_then(|()| self.0.sync_data()).map_err(|e| Error::from_io(e, "zeroing slots of the shred file"))
    }
}
