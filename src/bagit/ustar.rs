//! Headers of archives in POSIX.1-1988's format, ustar, as GNU tar 1.34 writes them for files.

use crate::error::{Error, ErrorKind, Result};

/// Bytes of a header, and what contents are filled up to.
pub(crate) const BLOCK: usize = 512;
/// What GNU tar fills an archive up to.
pub(super) const RECORD: u64 = 20 * BLOCK as u64;
/// Bytes of the largest file: what eleven octal digits say.
pub(super) const MAX_FILE: u64 = 0o77_777_777_777;
/// Bytes of a name and of the folders before it.
const MAX_NAME: usize = 100;
const MAX_PREFIX: usize = 155;

/// Where a header's fields are.
mod field {
    use std::ops::Range;
    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const MODE: Range<usize> = 100..108;
    pub(super) const UID: Range<usize> = 108..116;
    pub(super) const GID: Range<usize> = 116..124;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const MTIME: Range<usize> = 136..148;
    pub(super) const CHECKSUM: Range<usize> = 148..156;
    pub(super) const TYPE: usize = 156;
    pub(super) const MAGIC: Range<usize> = 257..265;
    pub(super) const MAJOR: Range<usize> = 329..337;
    pub(super) const MINOR: Range<usize> = 337..345;
    pub(super) const PREFIX: Range<usize> = 345..500;
}
const MAGIC: &[u8; 8] = b"ustar\x0000";
const FILE: u8 = b'0';

/// The header of a file that only its owner, number 0, may read and write; `mtime` in seconds since 1970.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) for a name that does not fit or a time before 1970 or after 2242,
/// [`TooLarge`](ErrorKind::TooLarge) for 8 GiB and more.
pub(crate) fn header(path: &str, len: u64, mtime: i64) -> Result<[u8; BLOCK]> {
    let (prefix, name) = split(path)?;
    let Some(mtime) = u64::try_from(mtime).ok().filter(|t| *t <= MAX_FILE) else {
        return Err(Error::new(ErrorKind::InvalidInput, "dating an archive before 1970 or after 2242"));
    };
    if len > MAX_FILE {
        return Err(Error::new(ErrorKind::TooLarge, "putting a file of 8 GiB or more into an archive"));
    }
    let mut header = [0; BLOCK];
    let mut put = |field: std::ops::Range<usize>, bytes: &[u8]| {
        header[field].iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    };
    put(field::NAME, name.as_bytes());
    put(field::MODE, b"0000600");
    put(field::UID, b"0000000");
    put(field::GID, b"0000000");
    put(field::SIZE, format!("{len:011o}").as_bytes());
    put(field::MTIME, format!("{mtime:011o}").as_bytes());
    put(field::TYPE..field::TYPE + 1, &[FILE]);
    put(field::MAGIC, MAGIC);
    put(field::MAJOR, b"0000000");
    put(field::MINOR, b"0000000");
    put(field::PREFIX, prefix.as_bytes());
    let checksum = format!("{:06o}\0 ", checksum(&header));
    header[field::CHECKSUM].copy_from_slice(checksum.as_bytes());
    Ok(header)
}

/// What a header says of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) len: u64,
}

/// Reads a header of a file. Owner, mode and time are passed over.
///
/// # Errors
/// [`Damaged`](ErrorKind::Damaged) if the checksum is wrong, [`InvalidInput`](ErrorKind::InvalidInput) for whatever is
/// no file's header in this format.
pub(super) fn parse(header: &[u8; BLOCK]) -> Result<Entry> {
    let refused = |doing: &'static str| Error::new(ErrorKind::InvalidInput, doing);
    if octal(&header[field::CHECKSUM]) != Some(checksum(header).into()) {
        return Err(Error::new(ErrorKind::Damaged, "reading a header of an archive with a wrong checksum"));
    }
    if &header[field::MAGIC] != MAGIC {
        return Err(refused("reading an archive that is not in the format ustar"));
    }
    if header[field::TYPE] != FILE {
        return Err(refused("reading an archive with something else in it than files"));
    }
    let len = octal(&header[field::SIZE]).ok_or_else(|| refused("reading a length in an archive"))?;
    let (prefix, name) = (text(&header[field::PREFIX]), text(&header[field::NAME]));
    let (Some(prefix), Some(name)) = (prefix, name) else { return Err(refused("reading a name in an archive")) };
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
    Ok(Entry { path, len })
}

/// Octal digits, ended by NULs or spaces.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(field).ok()?.trim_end_matches(['\0', ' ']);
    let all = !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0'..=b'7'));
    all.then(|| u64::from_str_radix(digits, 8).ok()).flatten()
}

/// A text with nothing but NULs behind it.
fn text(field: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(field).ok()?.trim_end_matches('\0');
    (!text.contains('\0')).then_some(text)
}

/// What a header says of a path, as prefix and name: as GNU tar does, one that does not fit into the name is split at
/// the last slash that leaves a prefix that fits.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if it does not fit.
pub(super) fn split(path: &str) -> Result<(&str, &str)> {
    if path.len() <= MAX_NAME {
        return Ok(("", path));
    }
    let head = path.get(..path.len().min(MAX_PREFIX + 1));
    let split = head.and_then(|head| head.rfind('/')).and_then(|at| Some((path.get(..at)?, path.get(at + 1..)?)));
    split
        .filter(|(_, name)| name.len() <= MAX_NAME)
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "naming a file of an archive with a name that is too long"))
}

/// The sum of a header's bytes, those of its checksum counted as spaces.
fn checksum(header: &[u8; BLOCK]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
    sum(header) - sum(&header[field::CHECKSUM]) + 8 * u32::from(b' ')
}
