use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use ring::digest::{Context, SHA256};

use super::hash::{Buffer, LONG, Sums, read, source_failed};
use super::inventory::Text;
use super::plan::{Layout, Plan};
use super::ustar::{BLOCK, RECORD, header};
use crate::error::{Error, ErrorKind, Result};

/// A payload file of a [`Plan`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PlannedFile<'a> {
    /// Its path from the bag's folder: `data/…`.
    pub path: &'a str,
    /// How many had been [added](Plan::add) before it: to find its source.
    pub added: usize,
    /// Its length in bytes.
    pub len: u64,
    /// Its digests.
    pub sums: &'a Sums,
}

/// What is compared with the plan when contents are written a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Only their length: for sources that verify what they give themselves.
    Length,
    /// Their length and SHA-256.
    Sha256,
}

/// An archive that is being written. What was written of it before [`finish`](Self::finish) is cut short and says so
/// to every reader.
#[must_use = "dropped before it has finished, the archive is cut short"]
pub struct ArchiveWriter<'a, W> {
    plan: &'a Plan,
    layout: Layout,
    /// Payload files that are written.
    next: usize,
    top: String,
    mtime: i64,
    stage: Stage<W>,
    failed: bool,
}

impl<'a, W: Write> ArchiveWriter<'a, W> {
    pub(super) fn start(plan: &'a Plan, layout: Layout, top: &str, mtime: i64, out: W) -> Result<Self> {
        let stage = Stage { out, buffer: Buffer::new(LONG), filled: 0, written: 0 };
        let mut archive = Self { plan, layout, next: 0, top: top.to_owned(), mtime, stage, failed: false };
        archive.tags(|path| path < "data/")?;
        Ok(archive)
    }

    /// The payload file whose contents are next, in the byte order of paths; `None` after the last.
    pub fn next_file(&self) -> Option<PlannedFile<'a>> {
        let number = *self.layout.order.get(self.next)?;
        let (path, listed) = self.plan.inventory.listed(number)?;
        Some(PlannedFile { path, added: number as usize, len: listed.len, sums: &listed.sums })
    }

    /// Writes all that `source` gives as [the next file](Self::next_file).
    ///
    /// # Errors
    /// - [`Source`](ErrorKind::Source) if the source fails, unless with an error of this crate, which is given back;
    ///   and if it gives fewer or more bytes than were planned;
    /// - [`DigestMismatch`](ErrorKind::DigestMismatch) if they are others;
    /// - [`InvalidInput`](ErrorKind::InvalidInput) if there is no next file;
    /// - those of the writer below.
    ///
    /// Nothing can be written after an error.
    pub fn put(&mut self, source: &mut dyn Read, verify: Verify) -> Result<()> {
        self.whole()?;
        let Some(file) = self.next_file() else {
            return Err(Error::new(ErrorKind::InvalidInput, "writing more files than were planned into an archive"));
        };
        // Until it is known to be whole.
        self.failed = true;
        self.head(file.path, file.len)?;
        let mut digest = (verify == Verify::Sha256).then(|| Context::new(&SHA256));
        let mut left = file.len;
        while left > 0 {
            let room = self.stage.room().map_err(writing)?;
            let most = room.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let room = room.get_mut(..most).unwrap_or_default();
            let got = read(source, room).map_err(reading)?;
            if got == 0 {
                return Err(Error::new(ErrorKind::Source, "reading a bag's file that is shorter than planned"));
            }
            if let (Some(digest), Some(bytes)) = (&mut digest, room.get(..got)) {
                digest.update(bytes);
            }
            self.stage.filled(got);
            left -= got as u64;
        }
        if read(source, &mut [0]).map_err(reading)? > 0 {
            return Err(Error::new(ErrorKind::Source, "reading a bag's file that is longer than planned"));
        }
        if digest.is_some_and(|digest| digest.finish().as_ref() != file.sums.sha256()) {
            return Err(Error::new(ErrorKind::DigestMismatch, "reading a bag's file that has changed since planned"));
        }
        self.stage.fill(BLOCK as u64).map_err(writing)?;
        self.next += 1;
        self.failed = false;
        Ok(())
    }

    /// Bytes of the whole archive.
    pub fn archive_len(&self) -> u64 {
        self.layout.len
    }

    /// Writes the manifests and the end, and gives back what was written to; it is not flushed.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if files are missing, [`Io`](ErrorKind::Io) after an error, and those
    /// of the writer below.
    pub fn finish(mut self) -> Result<W> {
        self.whole()?;
        if self.next_file().is_some() {
            return Err(Error::new(ErrorKind::InvalidInput, "finishing an archive that lacks files"));
        }
        self.tags(|path| path > "data/")?;
        let end = |stage: &mut Stage<W>| {
            stage.write_all(&[0; 2 * BLOCK])?;
            stage.fill(RECORD)?;
            stage.spill()
        };
        end(&mut self.stage).map_err(writing)?;
        Ok(self.stage.out)
    }

    fn whole(&self) -> Result<()> {
        if self.failed {
            return Err(Error::new(ErrorKind::Io, "going on with an archive after an error"));
        }
        Ok(())
    }

    /// Writes the files about the payload that are to be written now.
    fn tags(&mut self, now: impl Fn(&str) -> bool) -> Result<()> {
        let own = std::mem::take(&mut self.layout.own);
        let mut all: BTreeMap<&str, Option<&Text>> = self.plan.tags.keys().map(|path| (&**path, None)).collect();
        all.extend(own.iter().map(|(path, text)| (&**path, Some(text))));
        for (path, text) in all.into_iter().filter(|(path, _)| now(path)) {
            let given = self.plan.tags.get(path).map(Vec::as_slice).unwrap_or_default();
            self.head(path, text.map_or(given.len() as u64, |text| self.plan.text_len(text)))?;
            let written = match text {
                None => self.stage.write_all(given),
                Some(Text::Bytes(bytes)) => self.stage.write_all(bytes),
                Some(Text::Manifest(algorithm)) => {
                    self.plan.inventory.manifest(&self.layout.order, *algorithm, &mut self.stage)
                }
            };
            written.and_then(|()| self.stage.fill(BLOCK as u64)).map_err(writing)?;
        }
        self.layout.own = own;
        Ok(())
    }

    fn head(&mut self, path: &str, len: u64) -> Result<()> {
        let header = header(&format!("{}/{path}", self.top), len, self.mtime)?;
        self.stage.write_all(&header).map_err(writing)
    }
}

fn writing(error: io::Error) -> Error {
    Error::from_io(error, "writing an archive")
}

fn reading(error: io::Error) -> Error {
    source_failed(error, "reading what goes into an archive")
}

/// Bytes on their way out. Contents are read to where they leave from.
struct Stage<W> {
    out: W,
    buffer: Buffer,
    filled: usize,
    /// Bytes that have left.
    written: u64,
}

impl<W: Write> Stage<W> {
    /// Where the next bytes belong; never nothing.
    fn room(&mut self) -> io::Result<&mut [u8]> {
        if self.filled == self.buffer.bytes.len() {
            self.spill()?;
        }
        Ok(self.buffer.bytes.get_mut(self.filled..).unwrap_or_default())
    }

    /// There are so many more.
    fn filled(&mut self, more: usize) {
        self.filled += more;
        self.buffer.used = self.buffer.used.max(self.filled);
    }

    /// Adds zeros up to a multiple of `unit`.
    fn fill(&mut self, unit: u64) -> io::Result<()> {
        let at = self.written + self.filled as u64;
        let zeros = at.next_multiple_of(unit) - at;
        self.write_all(&[0; RECORD as usize][..zeros as usize])
    }

    fn spill(&mut self) -> io::Result<()> {
        self.out.write_all(self.buffer.bytes.get(..self.filled).unwrap_or_default())?;
        self.written += self.filled as u64;
        self.filled = 0;
        Ok(())
    }
}

impl<W: Write> Write for Stage<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room()?;
        let taken = room.len().min(bytes.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.filled(taken);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spill()
    }
}
