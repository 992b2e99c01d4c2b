use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::stanza::{FileKey, Stanza};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

const VERSION: &str = "age-encryption.org/v1";
/// Characters in every line of a stanza's body but the last.
const COLUMNS: usize = 64;
/// Bytes of a header at the most: a few hundred post-quantum recipients.
const MAX_HEADER: usize = 1 << 20;
const MAX_STANZAS: usize = 1024;

/// A header as it was read: its stanzas, what its MAC covers, and the MAC.
pub(super) struct Header {
    pub(super) stanzas: Vec<Stanza>,
    covered: Vec<u8>,
    mac: [u8; 32],
}

pub(super) fn bad() -> Error {
    Error::new(ErrorKind::InvalidInput, "parsing the header of an age file")
}

/// HKDF-SHA256 with one block of output.
pub(super) fn hkdf(salt: &[u8], key: &[u8], info: &[u8]) -> Secret {
    let mut extract = hmac(salt);
    extract.update(key);
    let prk = zeroize::Zeroizing::new(<[u8; 32]>::from(extract.finalize().into_bytes()));
    let mut expand = hmac(&prk[..]);
    expand.update(info);
    expand.update(&[1]);
    Secret::from_fn(|out| *out = expand.finalize().into_bytes().into())
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key"))
}

fn mac_of(key: &FileKey, covered: &[u8]) -> [u8; 32] {
    let mut mac = hmac(hkdf(&[], key.expose_secret(), b"header").expose_secret());
    mac.update(covered);
    mac.finalize().into_bytes().into()
}

/// The header of a file under `key`.
pub(super) fn write(stanzas: &[Stanza], key: &FileKey) -> Vec<u8> {
    let mut header = format!("{VERSION}\n");
    for Stanza { args, body } in stanzas {
        header.push_str(&format!("-> {}\n", args.join(" ")));
        let body = BASE64.encode(body);
        let mut rest = body.as_str();
        while rest.len() >= COLUMNS {
            let (line, more) = rest.split_at(COLUMNS);
            header.push_str(line);
            header.push('\n');
            rest = more;
        }
        header.push_str(rest);
        header.push('\n');
    }
    header.push_str("---");
    let mac = mac_of(key, header.as_bytes());
    format!("{header} {}\n", BASE64.encode(mac)).into_bytes()
}

impl Header {
    /// Reads a header and not a byte more.
    pub(super) fn read(input: &mut impl Read) -> Result<Self> {
        let mut lines = Lines { input, read: Vec::new() };
        let version = lines.next()?;
        if version != VERSION {
            let age = version.starts_with("age-encryption.org/");
            return Err(if age {
                Error::new(ErrorKind::Unsupported, "reading an age file of another version")
            } else {
                bad()
            });
        }
        let mut stanzas = Vec::new();
        loop {
            let begun = lines.read.len();
            let line = lines.next()?;
            if let Some(mac) = line.strip_prefix("---") {
                let mac = mac.strip_prefix(' ').and_then(|mac| BASE64.decode(mac).ok()).ok_or_else(bad)?;
                let covered = lines.read[..begun + 3].to_vec();
                if stanzas.is_empty() {
                    return Err(bad());
                }
                return Ok(Self { stanzas, covered, mac: mac.try_into().map_err(|_| bad())? });
            }
            let args = line.strip_prefix("-> ").ok_or_else(bad)?;
            let args: Vec<String> = args.split(' ').map(str::to_owned).collect();
            let visible = |arg: &String| !arg.is_empty() && arg.bytes().all(|b| (33..=126).contains(&b));
            if !args.iter().all(visible) || stanzas.len() == MAX_STANZAS {
                return Err(bad());
            }
            let mut body = Vec::new();
            loop {
                let line = lines.next()?;
                if line.len() > COLUMNS {
                    return Err(bad());
                }
                body.extend(BASE64.decode(&line).map_err(|_| bad())?);
                if line.len() < COLUMNS {
                    break;
                }
            }
            stanzas.push(Stanza { args, body });
        }
    }

    pub(super) fn verify(&self, key: &FileKey) -> Result<()> {
        if bool::from(mac_of(key, &self.covered).ct_eq(&self.mac)) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Tampered, "verifying the header of an age file"))
    }
}

struct Lines<'a, R> {
    input: &'a mut R,
    read: Vec<u8>,
}

impl<R: Read> Lines<'_, R> {
    /// The next line, which must end in a newline, without it. Byte by byte: the payload is not ours to take.
    fn next(&mut self) -> Result<String> {
        let start = self.read.len();
        loop {
            let mut byte = [0];
            self.input.read_exact(&mut byte).map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => bad(),
                _ => Error::from_io(e, "reading an age file"),
            })?;
            self.read.push(byte[0]);
            if byte[0] == b'\n' {
                let line = &self.read[start..self.read.len() - 1];
                return if line.is_ascii() { String::from_utf8(line.to_vec()).map_err(|_| bad()) } else { Err(bad()) };
            }
            if self.read.len() >= MAX_HEADER {
                return Err(Error::new(ErrorKind::TooLarge, "reading the header of an age file, at most 1 MiB"));
            }
        }
    }
}
