use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use ring::digest::{Context, SHA256};

use super::hash::{Algorithm, Buffer, LONG, Sums, read, source_failed};
use super::inventory::{Inventory, Text};
use super::name::portable_segment;
use super::ustar::{BLOCK, MAX_FILE, RECORD, header, split};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

/// A bag that is to become one file, an archive: what it will hold is told first, so that its manifests, its digests
/// and its length are known before any of it is written; then [`write`](Self::write) takes the contents.
///
/// The archive is a ustar (POSIX.1-1988) of files only, all of mode 0600, owner and group 0, and the same time, in the
/// byte order of their paths: byte for byte what GNU tar makes of the unpacked bag. The same plan, name and time give
/// the same bytes. Names are as for [`Writer`](super::Writer), and have to fit into the format: at most 100 bytes
/// behind the last slash within the first 156, the name of the archive's folder included.
///
/// Memory: for each file its path and some 150 bytes, and the bytes of files about the payload.
///
/// ```
/// use strongroom::Timestamp;
/// use strongroom::bagit::{Plan, Sums, Verify};
///
/// let (one, two) = (b"the first", b"the second");
/// let mut plan = Plan::new();
/// plan.add("two.txt", two.len() as u64, Sums::of(two))?;
/// plan.add("one.txt", one.len() as u64, Sums::of(one))?;
/// let digest = plan.manifest_sha256();
/// plan.tag_file("custody/note.txt", format!("who had {digest:02x?}").into_bytes())?;
///
/// let mut archive = plan.write("my-bag", Timestamp::from_unix_ms(1_710_605_360_701), Vec::new())?;
/// while let Some(file) = archive.next_file() {
///     let mut source: &[u8] = if file.added == 0 { two } else { one };
///     archive.put(&mut source, Verify::Sha256)?;
/// }
/// let bytes = archive.finish()?;
/// assert_eq!(bytes.len() as u64, plan.archive_len("my-bag")?);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Default)]
pub struct Plan {
    inventory: Inventory,
    tags: BTreeMap<String, Vec<u8>>,
    tag_bytes: usize,
}

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

impl Plan {
    /// Files that a plan takes: payload and about it together.
    pub const MAX_FILES: usize = 200_000;
    /// Bytes of a file, by the format: 8 GiB less one.
    pub const MAX_FILE: u64 = MAX_FILE;
    /// Bytes of all files about the payload together, which are held in memory.
    pub const MAX_TAG_BYTES: usize = 64 << 20;

    /// Of an empty bag.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists the payload file `data/<path>` of `len` bytes with these digests.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable or taken,
    /// [`TooLarge`](ErrorKind::TooLarge) beyond [`MAX_FILES`](Self::MAX_FILES) or [`MAX_FILE`](Self::MAX_FILE).
    pub fn add(&mut self, path: &str, len: u64, sums: Sums) -> Result<()> {
        self.one_more()?;
        if len > MAX_FILE {
            return Err(Error::new(ErrorKind::TooLarge, "planning a bag's file of 8 GiB or more"));
        }
        self.inventory.add(path, len, sums)
    }

    /// Whether the payload file `data/<path>` is listed.
    pub fn has(&self, path: &str) -> bool {
        self.inventory.has(path)
    }

    /// Adds a file about the payload, anywhere but under `data/`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable, taken, or one that BagIt uses itself,
    /// [`TooLarge`](ErrorKind::TooLarge) beyond [`MAX_FILES`](Self::MAX_FILES) or [`MAX_TAG_BYTES`](Self::MAX_TAG_BYTES).
    pub fn tag_file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
        self.one_more()?;
        let bytes = bytes.into();
        let all = self.tag_bytes.saturating_add(bytes.len());
        if all > Self::MAX_TAG_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "planning a bag with more than 64 MiB about its payload"));
        }
        self.inventory.add_tag(path, Sums::of(&bytes))?;
        self.tags.insert(path.to_owned(), bytes);
        self.tag_bytes = all;
        Ok(())
    }

    fn one_more(&self) -> Result<()> {
        if self.inventory.files() + self.tags.len() >= Self::MAX_FILES {
            return Err(Error::new(ErrorKind::TooLarge, "planning a bag of more than 200,000 files"));
        }
        Ok(())
    }

    /// Says something about the bag, as [`Writer::info`](super::Writer::info) does; `Bagging-Date` is the date, in
    /// UTC, of the time that [`write`](Self::write) is given.
    ///
    /// # Errors
    /// As there.
    pub fn info(&mut self, label: &str, value: &str) -> Result<()> {
        self.inventory.info(label, value)
    }

    /// Payload files so far.
    pub fn files(&self) -> usize {
        self.inventory.files()
    }

    /// Their bytes.
    pub fn octets(&self) -> u64 {
        self.inventory.octets()
    }

    /// SHA-256 of `manifest-sha256.txt`: of all payload files so far, their paths and contents.
    pub fn manifest_sha256(&self) -> [u8; 32] {
        let mut digest = Sha256Of(Context::new(&SHA256));
        // A digest takes everything.
        let _ = self.inventory.manifest(&self.inventory.order(), Algorithm::Sha256, &mut digest);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.0.finish().as_ref());
        bytes
    }

    /// Bytes of the archive whose one folder has this name.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if that is no name for a folder, or does not leave enough room for
    /// another name.
    pub fn archive_len(&self, top: &str) -> Result<u64> {
        self.layout(top, Timestamp::from_unix_ms(0)).map(|layout| layout.len)
    }

    /// Starts the archive, whose one folder is called `top`, with `made` as the time of all files, in whole seconds.
    /// `out` gets everything in pieces of 256 KiB, and a last shorter one.
    ///
    /// # Errors
    /// As [`archive_len`](Self::archive_len); also for a time before 1970 or after 2242; those of `out`.
    pub fn write<W: Write>(&self, top: &str, made: Timestamp, out: W) -> Result<ArchiveWriter<'_, W>> {
        let Layout { own, order, len } = self.layout(top, made)?;
        let mut archive = ArchiveWriter {
            plan: self,
            own,
            order,
            next: 0,
            top: top.to_owned(),
            mtime: made.unix_ms().div_euclid(1000),
            len,
            stage: Stage { out, buffer: Buffer::new(LONG), filled: 0, written: 0 },
            failed: false,
        };
        archive.tags(|path| path < "data/")?;
        Ok(archive)
    }

    fn layout(&self, top: &str, made: Timestamp) -> Result<Layout> {
        if !portable_segment(top) {
            return Err(Error::new(ErrorKind::InvalidInput, "naming the folder of an archive"));
        }
        let order = self.inventory.order();
        let own = self.inventory.own(&order, made);
        let mut blocks = 2;
        let mut count = |path: &str, len: u64| {
            split(&format!("{top}/{path}"))?;
            blocks += 1 + len.div_ceil(BLOCK as u64);
            Ok::<_, Error>(())
        };
        self.tags.iter().try_for_each(|(path, bytes)| count(path, bytes.len() as u64))?;
        own.iter().try_for_each(|(path, text)| count(path, self.text_len(text)))?;
        let mut listed = order.iter().filter_map(|number| self.inventory.listed(*number));
        listed.try_for_each(|(path, listed)| count(path, listed.len))?;
        Ok(Layout { own, order, len: (blocks * BLOCK as u64).next_multiple_of(RECORD) })
    }

    fn text_len(&self, text: &Text) -> u64 {
        match text {
            Text::Bytes(bytes) => bytes.len() as u64,
            Text::Manifest(algorithm) => self.inventory.manifest_len(*algorithm),
        }
    }
}

struct Layout {
    own: Vec<(String, Text)>,
    order: Vec<u32>,
    len: u64,
}

struct Sha256Of(Context);

impl Write for Sha256Of {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An archive that is being written. What was written of it before [`finish`](Self::finish) is cut short and says so
/// to every reader.
#[must_use = "dropped before it has finished, the archive is cut short"]
pub struct ArchiveWriter<'a, W> {
    plan: &'a Plan,
    own: Vec<(String, Text)>,
    order: Vec<u32>,
    /// Payload files that are written.
    next: usize,
    top: String,
    mtime: i64,
    len: u64,
    stage: Stage<W>,
    failed: bool,
}

impl<'a, W: Write> ArchiveWriter<'a, W> {
    /// The payload file whose contents are next, in the byte order of paths; `None` after the last.
    pub fn next_file(&self) -> Option<PlannedFile<'a>> {
        let number = *self.order.get(self.next)?;
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
        self.len
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
        let own = std::mem::take(&mut self.own);
        let mut all: BTreeMap<&str, Option<&Text>> = self.plan.tags.keys().map(|path| (&**path, None)).collect();
        all.extend(own.iter().map(|(path, text)| (&**path, Some(text))));
        for (path, text) in all.into_iter().filter(|(path, _)| now(path)) {
            let given = self.plan.tags.get(path).map(Vec::as_slice).unwrap_or_default();
            self.head(path, text.map_or(given.len() as u64, |text| self.plan.text_len(text)))?;
            let written = match text {
                None => self.stage.write_all(given),
                Some(Text::Bytes(bytes)) => self.stage.write_all(bytes),
                Some(Text::Manifest(algorithm)) => {
                    self.plan.inventory.manifest(&self.order, *algorithm, &mut self.stage)
                }
            };
            written.and_then(|()| self.stage.fill(BLOCK as u64)).map_err(writing)?;
        }
        self.own = own;
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
