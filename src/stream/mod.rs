//! C2SP chunked encryption v1 with SHA-512 and AES-256-GCM ("Cobblestone-256", <https://c2sp.org/chunked-encryption>):
//! the one symmetric construction of this crate. It commits to key and context, seeks, and shows truncation.
//!
//! `ciphertext = salt(24) || commitment(32) || chunk_0 || … || chunk_last`; every chunk carries 16 KiB of plaintext
//! and a 16-byte tag, but the last, which is always shorter, maybe empty.

mod cipher;
mod frame;
mod open;
mod range;
mod seal;

pub use open::OpenReader;
pub use range::{RangeReader, ReadAt};
pub use seal::SealWriter;

pub(crate) use frame::{frame, unframe};
pub(crate) use open::{read_full, unwrap};
#[cfg(test)]
pub(crate) use seal::wrap_with_salt;
pub(crate) use seal::{Sealer, wrap};

/// Plaintext bytes in every chunk but the last.
pub const CHUNK: usize = 16 * 1024;
/// Bytes of the authentication tag behind every chunk.
pub const TAG: usize = 16;
/// Bytes of salt and commitment before the first chunk.
pub const HEADER: usize = 24 + 32;
/// Bytes of a sealed chunk that is not the last.
pub(crate) const SEALED_CHUNK: usize = CHUNK + TAG;
/// The limit that the construction sets: 2^38 chunks.
const MAX_CHUNKS: u64 = 1 << 38;

/// The ciphertext length of `len` plaintext bytes.
pub const fn sealed_len(len: u64) -> u64 {
    HEADER as u64 + len + (len / CHUNK as u64 + 1) * TAG as u64
}

/// The plaintext length of a ciphertext of `sealed` bytes; `None` if no ciphertext is that long.
pub const fn opened_len(sealed: u64) -> Option<u64> {
    let Some(body) = sealed.checked_sub(HEADER as u64) else { return None };
    let (full, last) = (body / SEALED_CHUNK as u64, body % SEALED_CHUNK as u64);
    if last < TAG as u64 || full >= MAX_CHUNKS {
        return None;
    }
    Some(full * CHUNK as u64 + last - TAG as u64)
}

#[cfg(test)]
mod tests;
