use std::fmt;
use std::io::{self, Read};

use ring::digest::{Context, Digest, SHA256, SHA512};

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

/// Hashes in every algorithm at once.
pub(super) struct Hasher([Context; 2]);

impl Hasher {
    pub(super) fn new() -> Self {
        Self([Context::new(&SHA256), Context::new(&SHA512)])
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|context| context.update(bytes));
    }

    pub(super) fn finish(self) -> Sums {
        Sums(self.0.map(Context::finish))
    }
}

/// The digests of one file.
pub(super) struct Sums([Digest; 2]);

impl Sums {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    pub(super) fn get(&self, algorithm: Algorithm) -> &[u8] {
        let [sha256, sha512] = &self.0;
        match algorithm {
            Algorithm::Sha256 => sha256.as_ref(),
            Algorithm::Sha512 => sha512.as_ref(),
        }
    }
}

/// Hands all of `reader` to `take`, a piece at a time, and returns its length.
pub(super) fn pump(reader: &mut dyn Read, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> Result<u64, Pumped> {
    let (mut buffer, mut len) = (zeroize::Zeroizing::new(vec![0; 64 * 1024]), 0);
    loop {
        let n = match reader.read(&mut buffer) {
            Ok(0) => return Ok(len),
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Pumped::Reading(e)),
        };
        take(buffer.get(..n).unwrap_or_default()).map_err(Pumped::Taking)?;
        len += n as u64;
    }
}

/// Which side of [`pump`] failed.
pub(super) enum Pumped {
    Reading(io::Error),
    Taking(io::Error),
}
