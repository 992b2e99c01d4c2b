use std::fmt;
use std::io::{self, Read, Write};

use ring::digest::{Context, Digest, SHA256, SHA512};
use zeroize::Zeroize;

use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;

/// A digest that manifests are written in and verified by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-512 (FIPS 180-4).
    Sha512,
}

impl Algorithm {
    pub(super) const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// As names of manifests have it: `sha256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes of a digest.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Hashes bytes in every algorithm as they come: write to it what also goes elsewhere.
///
/// ```
/// use strongroom::bagit::{Digests, Sums};
/// let mut digests = Digests::new();
/// std::io::copy(&mut &b"some bytes"[..], &mut digests)?;
/// assert_eq!(digests.len(), 10);
/// assert_eq!(digests.finish(), Sums::of(b"some bytes"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Digests {
    sha256: Context,
    sha512: Context,
    len: u64,
}

impl Digests {
    /// Of no bytes yet.
    pub fn new() -> Self {
        Self { sha256: Context::new(&SHA256), sha512: Context::new(&SHA512), len: 0 }
    }

    /// Adds bytes behind those that came before.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sha512.update(bytes);
        self.len += bytes.len() as u64;
    }

    /// How many bytes there were.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The digests of all of them.
    pub fn finish(self) -> Sums {
        Sums::new(&self.sha256.finish(), &self.sha512.finish())
    }
}

impl Default for Digests {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Digests {
    /// Takes everything and never fails.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The digests of one file: 96 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    sha256: [u8; 32],
    sha512: [u8; 64],
}

impl Sums {
    fn new(sha256: &Digest, sha512: &Digest) -> Self {
        let mut sums = Self { sha256: [0; 32], sha512: [0; 64] };
        sums.sha256.copy_from_slice(sha256.as_ref());
        sums.sha512.copy_from_slice(sha512.as_ref());
        sums
    }

    /// Those of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digests = Digests::new();
        digests.update(bytes);
        digests.finish()
    }

    /// Those of all that `reader` gives, and its length in bytes.
    ///
    /// # Errors
    /// [`Source`](ErrorKind::Source) if the reader fails, unless with an error of this crate, which is given back.
    pub fn read(reader: &mut dyn Read) -> Result<(u64, Self)> {
        Self::read_all(reader).map_err(|e| source_failed(e, "reading what goes into a bag"))
    }

    pub(super) fn read_all(reader: &mut dyn Read) -> io::Result<(u64, Self)> {
        let mut digests = Digests::new();
        let len = pump(reader, |bytes| {
            digests.update(bytes);
            Ok(())
        })
        .map_err(|(Pumped::Reading(e) | Pumped::Taking(e))| e)?;
        Ok((len, digests.finish()))
    }

    /// SHA-256.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// SHA-512.
    pub fn sha512(&self) -> &[u8; 64] {
        &self.sha512
    }

    pub(super) fn get(&self, algorithm: Algorithm) -> &[u8] {
        match algorithm {
            Algorithm::Sha256 => &self.sha256,
            Algorithm::Sha512 => &self.sha512,
        }
    }
}

impl fmt::Debug for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sums({})", hex(&self.sha256))
    }
}

/// What a reader of the caller's failed with.
pub(super) fn source_failed(error: io::Error, doing: &'static str) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => own,
        Err(error) => Error::new(ErrorKind::Source, doing).because(error),
    }
}

/// Bytes that are read at once from a file that may be short, where a long buffer costs more than its digests, and from
/// one that is not.
const SHORT: usize = 8 * 1024;
pub(super) const LONG: usize = 256 * 1024;

/// Hands all of `reader` to `take`, a piece at a time, and returns its length.
pub(super) fn pump(reader: &mut dyn Read, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<u64, Pumped> {
    let (mut buffer, mut len) = (Buffer::new(SHORT), 0);
    loop {
        let bytes = buffer.read(reader, u64::MAX).map_err(Pumped::Reading)?;
        if bytes.is_empty() {
            return Ok(len);
        }
        take(bytes).map_err(Pumped::Taking)?;
        len += bytes.len() as u64;
        if len >= SHORT as u64 && buffer.bytes.len() == SHORT {
            buffer = Buffer::new(LONG);
        }
    }
}

/// Which side of [`pump`] failed.
pub(super) enum Pumped {
    Reading(io::Error),
    Taking(io::Error),
}

/// Where contents are on their way. Wiped as far as it was used.
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    /// How far that was.
    pub(super) used: usize,
}

impl Buffer {
    pub(super) fn new(len: usize) -> Self {
        Self { bytes: vec![0; len], used: 0 }
    }

    /// The next bytes of `reader`, at most so many; none at its end.
    pub(super) fn read(&mut self, reader: &mut dyn Read, most: u64) -> io::Result<&[u8]> {
        let most = self.bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        let got = read(reader, self.bytes.get_mut(..most).unwrap_or_default())?;
        self.used = self.used.max(got);
        Ok(self.bytes.get(..got).unwrap_or_default())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.bytes.get_mut(..self.used).unwrap_or_default().zeroize();
    }
}

/// Reads once, whatever interrupts it.
pub(super) fn read(reader: &mut dyn Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(room) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // A reader that claims more than there was room for has given what there was room for.
            got => return got.map(|n| n.min(room.len())),
        }
    }
}
