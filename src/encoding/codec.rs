//! Rows and heads as bytes: bincode 1.3.3, fixed-width little-endian integers, a length limit, no trailing bytes.
//!
//! Only for bytes inside an authenticated envelope. bincode 1 is unmaintained (RUSTSEC-2025-0141); the layout is plain
//! enough to write by hand (SPEC "Codec") and equals bincode 2's `legacy()`, which is the way out.

use bincode::Options;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, ErrorKind, Result};

fn options(limit: u64) -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_little_endian().reject_trailing_bytes().with_limit(limit)
}

/// The bytes of `value`, at most `limit` of them.
pub(crate) fn encode<T: Serialize>(value: &T, limit: u64, what: &'static str) -> Result<Vec<u8>> {
    let serialized = options(limit).serialize(value);
    serialized.map_err(|e| match *e {
        bincode::ErrorKind::SizeLimit => Error::new(ErrorKind::TooLarge, format!("encoding {what}")),
        // The other errors may quote the value, which is confidential.
        _ => Error::new(ErrorKind::InvalidInput, format!("encoding {what}")),
    })
}

/// The value of `bytes`, all of them. Never allocates more than they could hold.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], limit: u64, what: &'static str) -> Result<T> {
    options(limit).deserialize(bytes).map_err(|_| Error::new(ErrorKind::Tampered, format!("decoding {what}")))
}

/// The bytes of `value` behind those of the version of its layout: what is kept and may be laid out otherwise one day.
pub(crate) fn encode_versioned<T: Serialize>(
    version: u16,
    value: &T,
    limit: u64,
    what: &'static str,
) -> Result<Vec<u8>> {
    encode(&(version, value), limit, what)
}

/// The value of `bytes` if it is of this version.
///
/// # Errors
/// `Unsupported` if it is of another; `Tampered` if it is no such value.
pub(crate) fn decode_versioned<T: DeserializeOwned>(
    version: u16,
    bytes: &[u8],
    limit: u64,
    what: &'static str,
) -> Result<T> {
    match bytes.first_chunk::<2>().map(|v| u16::from_le_bytes(*v)) {
        Some(there) if there == version => Ok(decode::<(u16, T)>(bytes, limit, what)?.1),
        Some(_) => Err(Error::new(ErrorKind::Unsupported, format!("decoding {what} of a later version"))),
        None => Err(Error::new(ErrorKind::Tampered, format!("decoding {what}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_one_that_the_specification_writes_by_hand() {
        let value = (7u16, Some(-2i64), vec!["ab".to_string()], None::<u8>, [9u8; 2]);
        let mut by_hand = vec![7, 0, 1];
        by_hand.extend((-2i64).to_le_bytes());
        by_hand.extend([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', 0, 9, 9]);
        assert_eq!(encode(&value, 100, "x").unwrap(), by_hand);
        assert_eq!(decode::<(u16, Option<i64>, Vec<String>, Option<u8>, [u8; 2])>(&by_hand, 100, "x").unwrap(), value);
    }

    #[test]
    fn a_longer_shorter_or_oversized_value_is_refused() {
        let bytes = encode(&vec![1u64, 2], 100, "x").unwrap();
        assert!(decode::<Vec<u64>>(&[&bytes[..], &[0]].concat(), 100, "x").is_err());
        assert!(decode::<Vec<u64>>(&bytes[..bytes.len() - 1], 100, "x").is_err());
        assert!(decode::<Vec<u64>>(&u64::MAX.to_le_bytes(), 100, "x").is_err());
        assert_eq!(encode(&vec![0u8; 200], 100, "x").unwrap_err().kind(), ErrorKind::TooLarge);
    }
}
