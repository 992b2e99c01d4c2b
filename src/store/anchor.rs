use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::tlog::Hash;

/// The file is synced at least so often while commits come.
const SYNC: Duration = Duration::from_secs(1);
/// Bytes of a mark and of its digest.
const BODY: usize = 64;
const COPY: usize = 128;

/// The ledgers' high-water marks, outside the database: what a log had grown to when its last commit was durable. Written
/// in place after every commit, so never ahead of the database; a database behind it was rolled back.
///
/// Each log has two copies of 128 bytes at `256 (log - 1)`: `u64(size) || root || tenant || u32(generation) || 0000 ||
/// SHA-256 of what stands before || zeros`. The older one is overwritten, so that a torn write leaves the other.
pub(crate) struct Anchor {
    file: Mutex<Inner>,
}

struct Inner {
    file: File,
    /// When the file was synced last, and whether it was written since.
    synced: Instant,
    dirty: bool,
}

/// What a log had grown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) tenant: TenantId,
    pub(crate) generation: u32,
}

impl Anchor {
    pub(crate) fn create(path: &Path) -> Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|file| file.sync_all()).map_err(|e| Error::from_io(e, "creating a vault's anchor"))
    }

    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        // Who may only read the vault gets his errors when he writes.
        let file = file.or_else(|_| File::open(path)).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::new(ErrorKind::Damaged, "opening a vault's anchor").because(e),
            _ => Error::from_io(e, "opening a vault's anchor"),
        })?;
        Ok(Self { file: Mutex::new(Inner { file, synced: Instant::now(), dirty: false }) })
    }

    /// The mark of a log, if it has one.
    pub(crate) fn mark(&self, log: i64) -> Result<Option<Mark>> {
        let copies = copies(&self.lock().file, log).map_err(|e| Error::from_io(e, "reading a vault's anchor"))?;
        Ok(newest(&copies).map(|(mark, _)| mark))
    }

    /// Every log that has a mark.
    pub(crate) fn marks(&self) -> Result<Vec<(i64, Mark)>> {
        let inner = self.lock();
        let read = || {
            let logs = inner.file.metadata()?.len().div_ceil(2 * COPY as u64) as i64;
            let marks = (1..=logs).map(|log| Ok(newest(&copies(&inner.file, log)?).map(|(mark, _)| (log, mark))));
            marks.filter_map(Result::transpose).collect::<std::io::Result<_>>()
        };
        read().map_err(|e| Error::from_io(e, "reading a vault's anchor"))
    }

    /// Raises marks, never lowers one. Called after the commit that they tell of.
    pub(crate) fn raise(&self, marks: &[(i64, Mark)]) -> Result<()> {
        let mut inner = self.lock();
        let raised = (|| {
            // Another process may be raising the same mark; the lock goes with the file when this process dies.
            inner.file.lock()?;
            let written = marks.iter().try_for_each(|(log, mark)| write(&inner.file, *log, mark));
            inner.file.unlock()?;
            written
        })();
        raised.map_err(|e| Error::from_io(e, "raising a vault's anchor"))?;
        inner.dirty = true;
        if inner.synced.elapsed() >= SYNC { inner.sync() } else { Ok(()) }
    }

    /// Makes what was raised durable. Done before anything is released.
    pub(crate) fn sync(&self) -> Result<()> {
        self.lock().sync()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn sync(&mut self) -> Result<()> {
        if self.dirty {
            self.file.sync_data().map_err(|e| Error::from_io(e, "syncing a vault's anchor"))?;
            self.dirty = false;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

impl Drop for Anchor {
    fn drop(&mut self) {
        // What is lost here makes the mark lower, never higher.
        let _ = self.sync();
    }
}

type Copies = [[u8; COPY]; 2];

fn offset(log: i64) -> u64 {
    2 * COPY as u64 * (log as u64 - 1)
}

fn copies(file: &File, log: i64) -> std::io::Result<Copies> {
    let mut bytes = [0; 2 * COPY];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset(log) + filled as u64)? {
            0 => break,
            n => filled += n,
        }
    }
    let mut copies = [[0; COPY]; 2];
    copies[0].copy_from_slice(&bytes[..COPY]);
    copies[1].copy_from_slice(&bytes[COPY..]);
    Ok(copies)
}

/// The larger of the copies that are whole, and where it stands.
fn newest(copies: &Copies) -> Option<(Mark, usize)> {
    let marks = copies.iter().enumerate().filter_map(|(at, copy)| Some((Mark::parse(copy)?, at)));
    marks.max_by_key(|(mark, _)| (mark.generation, mark.size))
}

fn write(file: &File, log: i64, mark: &Mark) -> std::io::Result<()> {
    let current = newest(&copies(file, log)?);
    if current.is_some_and(|(now, _)| now.size >= mark.size) {
        return Ok(());
    }
    let older = current.map_or(0, |(_, at)| 1 - at);
    file.write_all_at(&mark.to_bytes(), offset(log) + (older * COPY) as u64)
}

impl Mark {
    pub(crate) fn to_bytes(self) -> [u8; COPY] {
        let mut bytes = [0; COPY];
        bytes[..8].copy_from_slice(&self.size.to_be_bytes());
        bytes[8..40].copy_from_slice(&self.root);
        bytes[40..56].copy_from_slice(self.tenant.as_bytes());
        bytes[56..60].copy_from_slice(&self.generation.to_be_bytes());
        let digest = digest(&bytes[..BODY]);
        bytes[BODY..BODY + 32].copy_from_slice(&digest);
        bytes
    }

    fn parse(bytes: &[u8; COPY]) -> Option<Self> {
        if digest(&bytes[..BODY]) != bytes[BODY..BODY + 32] {
            return None;
        }
        Some(Self {
            size: u64::from_be_bytes(bytes[..8].try_into().ok()?),
            root: bytes[8..40].try_into().ok()?,
            tenant: TenantId::from_bytes(bytes[40..56].try_into().ok()?),
            generation: u32::from_be_bytes(bytes[56..60].try_into().ok()?),
        })
    }
}

fn digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(enc("anchor", &[body])).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_rises_and_never_falls_and_survives_a_torn_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anchor");
        Anchor::create(&path).unwrap();
        let anchor = Anchor::open(&path).unwrap();
        let tenant = TenantId::from_bytes([2; 16]);
        let mark = |size| Mark { size, root: [size as u8; 32], tenant, generation: 1 };
        assert_eq!(anchor.mark(3).unwrap(), None);
        for size in [1, 5, 4, 9] {
            anchor.raise(&[(3, mark(size))]).unwrap();
        }
        assert_eq!(anchor.mark(3).unwrap(), Some(mark(9)));
        assert_eq!(anchor.marks().unwrap(), [(3, mark(9))]);

        let mut bytes = std::fs::read(&path).unwrap();
        let newest = (0..2).map(|copy| 2 * 2 * COPY + copy * COPY).find(|at| bytes[at + 7] == 9).unwrap();
        bytes[newest + 20] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(anchor.mark(3).unwrap(), Some(mark(5)));
    }
}
