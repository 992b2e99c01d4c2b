use std::io::{Read, Write};
use std::path::Path;

use super::folder::Folder;
use super::hash::{Buffer, LONG, read, source_failed};
use super::name::{Names, portable_segment};
use super::ustar::{BLOCK, parse};
use crate::error::{Error, ErrorKind, Result};

/// Zeros behind an archive's end: what programs fill up to is less.
const MAX_ZEROS: u64 = 1 << 20;

/// What [`unpack`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files.
    pub files: u64,
    /// Bytes of all of them together.
    pub bytes: u64,
}

impl Default for Limits {
    /// What a [`Plan`](super::Plan) takes with the six files of the bag itself, 200,006 files, and 1 TiB.
    fn default() -> Self {
        Self { files: super::Plan::MAX_FILES as u64 + 6, bytes: 1 << 40 }
    }
}

/// What [`unpack`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unpacked {
    /// The name of the archive's one folder.
    pub top: String,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Unpacks an archive as [`Plan::write`](super::Plan::write) makes them, so that what is in its one folder is in
/// `folder`, which must be empty or not there: in `<folder>.part` first, which gets its name when everything is there
/// and durable. On failure nothing is left; after a crash, `<folder>.part` is left and can be removed. Nothing is
/// written elsewhere. Files get mode 0600 and folders 0700, whatever the archive says. Nothing is verified: that is
/// what [`Bag::verify`](super::Bag::verify) does.
///
/// Memory: for each file its path and some 20 bytes, and a buffer.
///
/// # Errors
/// - [`InvalidInput`](ErrorKind::InvalidInput) for whatever such an archive cannot hold: links, folders, devices and
///   extensions of pax and GNU; a name that some system could not store, that leads elsewhere, is there already, or
///   differs only in case from another; a second folder at the top; anything but zeros between files or at the end;
/// - [`Damaged`](ErrorKind::Damaged) if the archive is cut short or a header's checksum is wrong;
/// - [`TooLarge`](ErrorKind::TooLarge) beyond the limits;
/// - [`Source`](ErrorKind::Source) if the reader fails, unless with an error of this crate, which is given back;
/// - [`AlreadyExists`](ErrorKind::AlreadyExists) if `folder` has something in it or `<folder>.part` is there, and
///   those of the file system.
pub fn unpack(reader: &mut dyn Read, folder: impl AsRef<Path>, limits: Limits) -> Result<Unpacked> {
    let mut folder = Folder::create(folder.as_ref())?;
    let mut archive = Archive::new(reader, limits);
    while let Some(path) = archive.next_file()? {
        let (mut file, mut len) = (folder.file(&path)?, 0);
        while let Some(bytes) = archive.contents()? {
            file.write_all(bytes).map_err(|e| Error::from_io(e, "unpacking a file"))?;
            len += bytes.len() as u64;
        }
        folder.sync_later(file, len)?;
    }
    let unpacked = archive.found();
    folder.finish()?;
    Ok(unpacked)
}

/// An archive that is being read, of which everything has been checked that has been given out.
pub(crate) struct Archive<'a> {
    reader: &'a mut dyn Read,
    limits: Limits,
    names: Names,
    top: String,
    files: u64,
    bytes: u64,
    /// Bytes of the file that are still to come, and zeros behind it.
    left: u64,
    padding: usize,
    buffer: Buffer,
}

impl<'a> Archive<'a> {
    pub(crate) fn new(reader: &'a mut dyn Read, limits: Limits) -> Self {
        Self {
            reader,
            limits,
            names: Names::default(),
            top: String::new(),
            files: 0,
            bytes: 0,
            left: 0,
            padding: 0,
            buffer: Buffer::new(LONG),
        }
    }

    /// The next file's path within the archive's folder; `None` after the last, when all has been read.
    pub(crate) fn next_file(&mut self) -> Result<Option<String>> {
        while self.contents()?.is_some() {}
        let header = self.block()?;
        if header == [0; BLOCK] {
            return self.end().map(|()| None);
        }
        let entry = parse(&header)?;
        let refused = |doing: &'static str| Error::new(ErrorKind::InvalidInput, doing);
        let (top, path) = entry.path.split_once('/').ok_or_else(|| refused("reading an archive without a folder"))?;
        if self.files == 0 {
            self.top = top.to_owned();
        }
        if self.top != top || !portable_segment(top) {
            return Err(refused("reading an archive with other folders at its top than one"));
        }
        self.names.take(path)?;
        self.files += 1;
        self.bytes = self.bytes.saturating_add(entry.len);
        if self.files > self.limits.files || self.bytes > self.limits.bytes {
            return Err(Error::new(ErrorKind::TooLarge, "unpacking an archive beyond its limits"));
        }
        self.left = entry.len;
        self.padding = (entry.len.next_multiple_of(BLOCK as u64) - entry.len) as usize;
        Ok(Some(path.to_owned()))
    }

    /// The next bytes of the file; `None` after the last.
    pub(crate) fn contents(&mut self) -> Result<Option<&[u8]>> {
        if self.left == 0 {
            let mut padding = [0; BLOCK];
            self.whole(self.padding, &mut padding)?;
            self.padding = 0;
            return zeros(&padding).map(|()| None);
        }
        let bytes = self.buffer.read(self.reader, self.left).map_err(failed)?;
        if bytes.is_empty() {
            return Err(cut());
        }
        self.left -= bytes.len() as u64;
        Ok(Some(bytes))
    }

    pub(crate) fn found(self) -> Unpacked {
        Unpacked { top: self.top, files: self.files, bytes: self.bytes }
    }

    /// After one block of zeros: another, and then nothing but zeros, and not many.
    fn end(&mut self) -> Result<()> {
        zeros(&self.block()?)?;
        let mut more = 0;
        loop {
            let mut bytes = [0; BLOCK];
            let got = read(self.reader, &mut bytes).map_err(failed)?;
            if got == 0 {
                return Ok(());
            }
            more += got as u64;
            zeros(&bytes)?;
            if more > MAX_ZEROS {
                return Err(Error::new(ErrorKind::TooLarge, "reading zeros behind an archive"));
            }
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.whole(BLOCK, &mut block)?;
        Ok(block)
    }

    /// Reads `len` bytes of what comes next.
    fn whole(&mut self, len: usize, block: &mut [u8; BLOCK]) -> Result<()> {
        let mut room = &mut block[..len];
        while !room.is_empty() {
            match read(self.reader, room).map_err(failed)? {
                0 => return Err(cut()),
                got => room = room.get_mut(got..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

fn zeros(bytes: &[u8]) -> Result<()> {
    if bytes.iter().any(|b| *b != 0) {
        return Err(Error::new(ErrorKind::InvalidInput, "reading an archive with more than files in it"));
    }
    Ok(())
}

fn cut() -> Error {
    Error::new(ErrorKind::Damaged, "reading an archive that is cut short")
}

fn failed(error: std::io::Error) -> Error {
    source_failed(error, "reading an archive")
}
