use std::fmt;
use std::str::FromStr;

use super::checkpoint::{Signature, are_readable};
use super::key::{KeyKind, is_name, key_id};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;

/// Bytes of a note at the most, signatures included.
pub(crate) const MAX_NOTE: usize = 256 * 1024;

/// A text and signatures under it (C2SP signed-note), each Ed25519 over the text (type 0x01). No two are of one name and
/// key id. At most 256 KiB.
///
/// Written as the text, an empty line, and a line `— NAME base64(key id || signature)` for each signature. Parsing
/// verifies nothing, and refuses a note that nobody signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A text that nobody has signed yet.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it does not end in a line feed or holds another control character
    /// below U+0020; [`TooLarge`](ErrorKind::TooLarge) if it is longer than 256 KiB.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let (text, doing) = (text.into(), "making a note of a text");
        if text.len() > MAX_NOTE {
            return Err(Error::new(ErrorKind::TooLarge, doing));
        }
        if !is_text(&text) {
            return Err(Error::new(ErrorKind::InvalidInput, doing));
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// What is signed, the line feed that ends it included. Nothing about who says so: see [`verify`](Self::verify).
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds a signature under that name: `sign` gives the Ed25519 signature of what it is shown by `key`, and is not
    /// verified. An earlier one of the name and key is replaced.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if a note cannot carry the name; [`TooLarge`](ErrorKind::TooLarge) if
    /// the note would be longer than 256 KiB or have more than 100 signatures.
    pub fn sign_as(&mut self, name: &str, key: &PublicKey, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<()> {
        let doing = "signing a note";
        if !is_name(name) {
            return Err(Error::new(ErrorKind::InvalidInput, doing));
        }
        let bytes = sign(self.text.as_bytes()).to_vec();
        let signature = Signature { name: name.to_owned(), id: key_id(name, KeyKind::Log, key), bytes };
        let mut signed = self.clone();
        match signed.signatures.iter().position(|other| other.is_of_the_key_of(&signature)) {
            Some(at) => signed.signatures[at] = signature,
            None => signed.signatures.push(signature),
        }
        if !are_readable(&signed.signatures) || signed.to_string().len() > MAX_NOTE {
            return Err(Error::new(ErrorKind::TooLarge, doing));
        }
        *self = signed;
        Ok(())
    }

    /// Checks the signature of `key` under that name. Those of others are passed over.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not there or does not verify.
    pub fn verify(&self, name: &str, key: &PublicKey) -> Result<()> {
        let doing = "verifying a note's signature";
        let bad = || Error::new(ErrorKind::Tampered, doing);
        let id = key_id(name, KeyKind::Log, key);
        let own = self.signatures.iter().find(|s| s.name == name && s.id == id).ok_or_else(bad)?;
        let signature = own.bytes.as_slice().try_into().map_err(|_| bad())?;
        key.verify(self.text.as_bytes(), &signature, doing)
    }

    /// The names under the text, one for each signature, in their order. Nothing is verified.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|s| s.name.as_str())
    }
}

/// Lines without control characters.
fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.bytes().any(|b| b < b' ' && b != b'\n')
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, signatures } = self;
        write!(f, "Note({} bytes, {} signatures)", text.len(), signatures.len())
    }
}

impl FromStr for Note {
    type Err = Error;

    /// Parses what `Display` prints, to the byte. Verifies nothing.
    fn from_str(note: &str) -> Result<Self> {
        let doing = "parsing a note";
        if note.len() > MAX_NOTE {
            return Err(Error::new(ErrorKind::TooLarge, doing));
        }
        let parse = || {
            // The text may hold empty lines of its own; the signatures do not.
            let (text, signatures) = note.rsplit_once("\n\n")?;
            let (text, signatures) = (format!("{text}\n"), Signature::parse_lines(signatures)?);
            (is_text(&text) && are_readable(&signatures)).then_some(Self { text, signatures })
        };
        parse().ok_or_else(|| Error::new(ErrorKind::InvalidInput, doing))
    }
}
