use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
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
/// In the last field of a mark: how far the log had grown is not known.
const UNKNOWN: u32 = 1 << 31;

/// The ledgers' high-water marks, outside the database: what a log had grown to when its last commit was durable. Written
/// in place after every commit, so never ahead of the database; a database behind it was rolled back.
///
/// Each log has two copies of 128 bytes at `256 (log - 1)`: `u64(size) || root || tenant || u32(generation) || u32(end) ||
/// SHA-256 of what stands before || zeros`. The older one is overwritten, so that a torn write leaves the other.
pub(crate) struct Anchor {
    path: PathBuf,
    /// None if there is no such file: then no mark is known, and nothing is appended.
    file: Mutex<Option<Inner>>,
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
    /// That nothing may be appended to the log any more, because an old copy was put back.
    pub(crate) end: Option<End>,
}

/// What became of a log of which an old copy was put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The log that goes on. Each has a larger number than all that were marked before it.
    pub(crate) successor: Option<u32>,
    /// Whether the log may have grown beyond the mark.
    pub(crate) unknown: bool,
}

impl Anchor {
    pub(crate) fn create(path: &Path) -> Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|file| file.sync_all()).map_err(|e| Error::from_io(e, "creating a vault's anchor"))
    }

    /// # Errors
    /// `Damaged` if there is none.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let anchor = Self::open_or_lost(path)?;
        if anchor.is_lost() { Err(lost("opening a vault's anchor")) } else { Ok(anchor) }
    }

    /// Opens an anchor that need not be there: then every question about a mark is refused until it is
    /// [rebuilt](Self::rebuild).
    pub(crate) fn open_or_lost(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        // Who may only read the vault gets his errors when he writes.
        let file = match file.or_else(|_| File::open(path)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            file => Some(file.map_err(|e| Error::from_io(e, "opening a vault's anchor"))?),
        };
        Ok(Self { path: path.to_owned(), file: Mutex::new(file.map(Inner::new)) })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lock().is_none()
    }

    /// The mark of a log, if it has one.
    pub(crate) fn mark(&self, log: i64) -> Result<Option<Mark>> {
        let doing = "reading a vault's anchor";
        let guard = self.lock();
        let inner = present(&guard, doing)?;
        let copies = copies(&inner.file, log).map_err(|e| Error::from_io(e, doing))?;
        Ok(newest(&copies).map(|(mark, _)| mark))
    }

    /// Every log that has a mark.
    pub(crate) fn marks(&self) -> Result<Vec<(i64, Mark)>> {
        self.marks_where(|_| true)
    }

    /// The logs with a mark in one of whose copies the first 64 bytes are as wanted. The file is read in large pieces.
    fn marks_where(&self, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<(i64, Mark)>> {
        let doing = "reading a vault's anchor";
        let guard = self.lock();
        let inner = present(&guard, doing)?;
        let (mut marks, mut log, mut block) = (Vec::new(), 1, vec![0; 256 * 2 * COPY]);
        loop {
            let filled = read_up_to(&inner.file, &mut block, offset(log)).map_err(|e| Error::from_io(e, doing))?;
            block[filled..].fill(0);
            for both in block[..filled.next_multiple_of(2 * COPY)].as_chunks::<{ 2 * COPY }>().0 {
                if wanted(&both[..BODY]) || wanted(&both[COPY..COPY + BODY]) {
                    marks.extend(newest(&split(both)).map(|(mark, _)| (log, mark)));
                }
                log += 1;
            }
            if filled < block.len() {
                return Ok(marks);
            }
        }
    }

    /// Whether an old copy was ever gone on with.
    pub(crate) fn has_ends(&self) -> Result<bool> {
        Ok(self.marks_where(|body| body[60..64] != [0; 4])?.iter().any(|(_, mark)| mark.end.is_some()))
    }

    /// Raises marks, never lowers one, and ends logs, never opens one again. Called after the commit that they tell of.
    pub(crate) fn raise(&self, marks: &[(i64, Mark)]) -> Result<()> {
        let doing = "raising a vault's anchor";
        let mut guard = self.lock();
        let inner = present_mut(&mut guard, doing)?;
        let raised = (|| {
            // Another process may be raising the same mark; the lock goes with the file when this process dies.
            inner.file.lock()?;
            let written =
                marks.iter().map(|(log, mark)| write(&inner.file, *log, mark)).collect::<std::io::Result<_>>();
            inner.file.unlock()?;
            written
        })();
        let first: Vec<bool> = raised.map_err(|e| Error::from_io(e, doing))?;
        inner.dirty = true;
        // That a log has a mark at all must last: one without is taken for a log whose anchor was lost.
        if first.contains(&true) || inner.synced.elapsed() >= SYNC { inner.sync() } else { Ok(()) }
    }

    /// Makes what was raised durable. Done before anything is released.
    pub(crate) fn sync(&self) -> Result<()> {
        self.lock().as_mut().map_or(Ok(()), Inner::sync)
    }

    /// Puts another file in the anchor's place, with these marks and all that it had. Whoever has the old one open can
    /// append nothing more.
    pub(crate) fn rebuild(&self, marks: &[(i64, Mark)]) -> Result<()> {
        let mut guard = self.lock();
        let draft = self.path.with_added_extension("new");
        let built = (|| {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&draft)?;
            if let Some(old) = &*guard {
                let mut bytes = vec![0; old.file.metadata()?.len() as usize];
                let filled = read_up_to(&old.file, &mut bytes, 0)?;
                file.write_all_at(&bytes[..filled], 0)?;
            }
            marks.iter().try_for_each(|(log, mark)| write(&file, *log, mark).map(drop))?;
            file.sync_all()?;
            // After a crash before this, the old anchor is there, or none; after it, all marks are.
            fs::rename(&draft, &self.path)?;
            let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()?;
            Ok(file)
        })();
        let file = built.map_err(|e| Error::from_io(e, "putting a new anchor in a vault's"))?;
        *guard = Some(Inner::new(file));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Inner>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lost(doing: &'static str) -> Error {
    Error::new(ErrorKind::Damaged, doing).because("it is not there")
}

fn present<'a>(guard: &'a MutexGuard<'_, Option<Inner>>, doing: &'static str) -> Result<&'a Inner> {
    let inner = guard.as_ref().ok_or_else(|| lost(doing))?;
    inner.check(doing)?;
    Ok(inner)
}

fn present_mut<'a>(guard: &'a mut MutexGuard<'_, Option<Inner>>, doing: &'static str) -> Result<&'a mut Inner> {
    let inner = guard.as_mut().ok_or_else(|| lost(doing))?;
    inner.check(doing)?;
    Ok(inner)
}

impl Inner {
    fn new(file: File) -> Self {
        Self { file, synced: Instant::now(), dirty: false }
    }

    /// Refuses to go on with a file that another has taken the place of, or that was removed.
    fn check(&self, doing: &'static str) -> Result<()> {
        match self.file.metadata() {
            Ok(found) if found.nlink() > 0 => Ok(()),
            Ok(_) => Err(Error::new(ErrorKind::RolledBack, doing).because("it was replaced while the vault was open")),
            Err(e) => Err(Error::from_io(e, doing)),
        }
    }

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

/// Fills as much of `bytes` as there is from `at` on.
fn read_up_to(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], at + filled as u64)? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

fn copies(file: &File, log: i64) -> std::io::Result<Copies> {
    let mut bytes = [0; 2 * COPY];
    read_up_to(file, &mut bytes, offset(log))?;
    Ok(split(&bytes))
}

fn split(bytes: &[u8; 2 * COPY]) -> Copies {
    let mut copies = [[0; COPY]; 2];
    copies[0].copy_from_slice(&bytes[..COPY]);
    copies[1].copy_from_slice(&bytes[COPY..]);
    copies
}

/// The later of the copies that are whole, and where it stands. No field of a mark ever falls.
fn newest(copies: &Copies) -> Option<(Mark, usize)> {
    let marks = copies.iter().enumerate().filter_map(|(at, copy)| Some((Mark::parse(copy)?, at)));
    marks.max_by_key(|(mark, _)| (mark.generation, mark.size, End::to_code(mark.end)))
}

/// True if the log had no mark before.
fn write(file: &File, log: i64, mark: &Mark) -> std::io::Result<bool> {
    let current = newest(&copies(file, log)?);
    let raised = current.map_or(*mark, |(now, _)| now.raised(mark));
    if current.is_some_and(|(now, _)| now == raised) {
        return Ok(false);
    }
    let older = current.map_or(0, |(_, at)| 1 - at);
    file.write_all_at(&raised.to_bytes(), offset(log) + (older * COPY) as u64)?;
    Ok(current.is_none())
}

impl End {
    /// `0` without an end; else bit 31 if the size is unknown, and the successor's number, or 1 if there is none: the log
    /// that is first in a vault succeeds no other.
    fn to_code(end: Option<Self>) -> u32 {
        end.map_or(0, |end| end.successor.unwrap_or(1) | if end.unknown { UNKNOWN } else { 0 })
    }

    fn from_code(code: u32) -> Option<Self> {
        let successor = Some(code & !UNKNOWN).filter(|log| *log > 1);
        (code != 0).then_some(Self { successor, unknown: code & UNKNOWN != 0 })
    }
}

impl Mark {
    /// The mark as another raises it, in each field for itself.
    fn raised(self, other: &Self) -> Self {
        let end = match (self.end, other.end) {
            (Some(a), Some(b)) => {
                Some(End { successor: a.successor.max(b.successor), unknown: a.unknown || b.unknown })
            }
            (one, other) => one.or(other),
        };
        Self { end, ..if other.size > self.size { *other } else { self } }
    }

    pub(crate) fn to_bytes(self) -> [u8; COPY] {
        let mut bytes = [0; COPY];
        bytes[..8].copy_from_slice(&self.size.to_be_bytes());
        bytes[8..40].copy_from_slice(&self.root);
        bytes[40..56].copy_from_slice(self.tenant.as_bytes());
        bytes[56..60].copy_from_slice(&self.generation.to_be_bytes());
        bytes[60..64].copy_from_slice(&End::to_code(self.end).to_be_bytes());
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
            end: End::from_code(u32::from_be_bytes(bytes[60..64].try_into().ok()?)),
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
        let mark = |size| Mark { size, root: [size as u8; 32], tenant, generation: 1, end: None };
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

    #[test]
    fn a_log_that_ended_stays_so_and_a_later_successor_takes_the_place_of_an_earlier() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anchor");
        let anchor = Anchor::open_or_lost(&path).unwrap();
        assert_eq!(anchor.mark(1).unwrap_err().kind(), ErrorKind::Damaged);
        let (tenant, other) = (TenantId::from_bytes([2; 16]), TenantId::from_bytes([3; 16]));
        let mark = |size, end| Mark { size, root: [size as u8; 32], tenant, generation: 1, end };
        let end = |successor, unknown| Some(End { successor, unknown });
        anchor.rebuild(&[(1, mark(5, end(None, true))), (400, Mark { tenant: other, ..mark(4, None) })]).unwrap();
        assert_eq!(anchor.mark(1).unwrap(), Some(mark(5, end(None, true))));
        for (raise, expected) in [
            (mark(9, None), mark(9, end(None, true))),
            (mark(2, end(Some(6), false)), mark(9, end(Some(6), true))),
            (mark(9, end(Some(4), false)), mark(9, end(Some(6), true))),
            (mark(9, end(Some(7), false)), mark(9, end(Some(7), true))),
        ] {
            anchor.raise(&[(1, raise)]).unwrap();
            assert_eq!(anchor.mark(1).unwrap(), Some(expected));
        }
        assert!(anchor.has_ends().unwrap());
        assert_eq!(anchor.marks().unwrap().len(), 2);

        // Whoever has the old file open can do nothing more with it.
        let stale = Anchor::open(&path).unwrap();
        anchor.rebuild(&[(400, Mark { tenant: other, ..mark(8, None) })]).unwrap();
        assert_eq!(anchor.mark(1).unwrap(), Some(mark(9, end(Some(7), true))));
        assert_eq!(anchor.mark(400).unwrap().unwrap().size, 8);
        assert_eq!(stale.mark(1).unwrap_err().kind(), ErrorKind::RolledBack);
        assert_eq!(stale.raise(&[(1, mark(10, None))]).unwrap_err().kind(), ErrorKind::RolledBack);
    }
}
