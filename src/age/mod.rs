//! age v1 files (<https://c2sp.org/age>): what leaves the vault, and identities under a passphrase.
//!
//! Recipients are those of the crate: X-Wing keys give `mlkem768x25519` stanzas, X25519 keys `X25519` stanzas; a
//! passphrase gives a `scrypt` stanza. Reading is strict: what is not written as the specification says is refused.
//!
//! ```
//! use std::io::{Read, Write};
//! use strongroom::{Identity, age};
//! let identity = Identity::generate()?;
//! let mut writer = age::Writer::new(Vec::new(), &[identity.recipient().clone()])?;
//! writer.write_all(b"Hello")?;
//! let file = writer.finish()?;
//! let mut text = String::new();
//! age::Reader::new(&file[..], &identity)?.read_to_string(&mut text)?;
//! assert_eq!(text, "Hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod armor;
mod file;
mod header;
mod payload;
mod range;
mod reader;
mod stanza;
mod writer;

pub use armor::{ArmorReader, ArmorWriter};
pub use range::RangeReader;
pub use reader::Reader;
pub use stanza::{Passphrase, Stanza, Unlock};
pub use writer::Writer;

/// Plaintext bytes in every chunk of a payload but the last.
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const SEALED_CHUNK: usize = CHUNK + TAG;
/// Bytes of the nonce before the first chunk.
const NONCE: usize = 16;

#[cfg(test)]
mod tests;
