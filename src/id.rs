use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        ///
        /// 16 bytes, a UUID of version 7 (RFC 9562): it tells when it was made and nothing else.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new id from the clock and the system's random source.
            ///
            /// # Errors
            /// [`Io`](ErrorKind::Io) if the system gives no randomness.
            pub fn generate() -> Result<Self> {
                Ok(Self(uuid_v7()?))
            }

            /// The id that has these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Without hyphens, as names of files have it.
            #[allow(dead_code)]
            pub(crate) fn to_hex(self) -> String {
                hex(&self.0)
            }
        }

        impl fmt::Display for $name {
            /// As a UUID: `8-4-4-4-12` lower-case hexadecimal digits.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let h = hex(&self.0);
                write!(f, "{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Parses what `Display` prints; hyphens may be missing.
            fn from_str(text: &str) -> Result<Self> {
                unhex(&text.replace('-', ""))
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self)
                    .ok_or_else(|| Error::new(ErrorKind::InvalidInput, concat!("parsing a ", stringify!($name))))
            }
        }
    )*};
}

ids! {
    /// Names one writing process's key period.
    EpochId,
    /// Names an order to disclose records.
    OrderId,
    /// Names a record.
    RecordId,
    /// Names a tenant.
    TenantId,
    /// Names a transfer to a third party.
    TransferId,
    /// Names a vault.
    VaultId,
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from_digit(u32::from(d), 16).unwrap_or('?')).collect()
}

/// The inverse of [`hex`]; `None` for anything else, capital letters included.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[a, b]| Some(digit(a)? << 4 | digit(b)?)).collect()
}

/// Fills `buf` from the system's random source.
pub(crate) fn random(buf: &mut [u8]) -> Result<()> {
    getrandom::fill(buf).map_err(|e| Error::new(ErrorKind::Io, "drawing random bytes").because(e))
}

fn uuid_v7() -> Result<[u8; 16]> {
    let mut id = [0; 16];
    random(&mut id)?;
    id[..6].copy_from_slice(&Timestamp::now().unix_ms().to_be_bytes()[2..]);
    id[6] = 0x70 | id[6] & 0x0f;
    id[8] = 0x80 | id[8] & 0x3f;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_as_a_version_7_uuid_and_parses_back() {
        let id = RecordId::generate().unwrap();
        let text = id.to_string();
        assert_eq!((text.len(), &text[14..15]), (36, "7"));
        assert_eq!(text.parse::<RecordId>().unwrap(), id);
        assert_eq!(id.to_hex().parse::<RecordId>().unwrap(), id);
        assert!("0123".parse::<RecordId>().is_err());
        assert!(text.to_uppercase().replace('-', "G").parse::<RecordId>().is_err());
    }
}
