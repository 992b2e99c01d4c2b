//! What all documents have in common: a JSON text, signed by those whom it names.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::words::hides;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Opener, PublicKey};
use crate::tlog::{MAX_NOTE, Note};

/// The version of every document that this build writes.
pub(crate) const VERSION: u32 = 1;
/// Bytes of a document's text at the most, so that there is room for its signatures in the note.
const MAX_TEXT: usize = MAX_NOTE - 1024;

/// What is signed. Its members begin with `document` and `version`.
pub(crate) trait Document: Serialize + DeserializeOwned {
    /// The member `document`.
    const NAME: &'static str;
    /// The same for people, with its article.
    const WHAT: &'static str;

    /// Which of its members cannot be so, if any.
    fn fault(&self) -> Option<&'static str>;

    /// Whose signatures it bears: under which name, and by which key.
    fn signers(&self) -> Vec<(&'static str, PublicKey)>;
}

/// A document and its note. Every signature in it is of a signer whom the document names, and verified.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Signed<D> {
    pub(crate) document: D,
    note: Note,
}

impl<D: Document> Signed<D> {
    /// A document that nobody has signed.
    pub(crate) fn new(document: D) -> Result<Self> {
        if let Some(member) = document.fault() {
            return Err(Error::new(ErrorKind::InvalidInput, format!("checking {}'s {member}", D::WHAT)));
        }
        let (text, doing) = (print(&document), || format!("writing {}", D::WHAT));
        if text.len() > MAX_TEXT {
            return Err(Error::new(ErrorKind::TooLarge, doing()));
        }
        let note = Note::new(text)?;
        if !is_plain(&note) || parse_text::<D>(note.text()).is_none() {
            return Err(Error::new(ErrorKind::InvalidInput, doing()));
        }
        Ok(Self { document, note })
    }

    /// Parses a signed document and verifies every signature that it bears. Only what printing gives is accepted.
    pub(crate) fn parse(note: &str) -> Result<Self> {
        let error = |kind| Error::new(kind, format!("parsing {}", D::WHAT));
        let bad = || error(ErrorKind::Tampered);
        let parsed: Note = note.parse().map_err(|e: Error| match e.kind() {
            ErrorKind::TooLarge => error(ErrorKind::TooLarge),
            _ => bad(),
        })?;
        #[derive(Deserialize)]
        struct Head {
            document: String,
            version: u32,
        }
        // serde_json's errors quote what they stumble over: they are not passed on.
        let head: Head = serde_json::from_str(parsed.text()).map_err(|_| bad())?;
        if head.document == D::NAME && head.version > VERSION {
            return Err(error(ErrorKind::Unsupported));
        }
        if head.document != D::NAME || head.version != VERSION || !is_plain(&parsed) {
            return Err(bad());
        }
        let document: D = parse_text(parsed.text()).ok_or_else(bad)?;
        let signers = document.signers();
        let own: Vec<_> = signers.iter().filter(|(name, _)| parsed.names().any(|n| n == *name)).collect();
        // A line more than signers is of somebody else, or of one under two keys.
        let foreign = parsed.names().count() != own.len();
        if foreign || document.fault().is_some() {
            return Err(bad());
        }
        own.into_iter().try_for_each(|(name, key)| parsed.verify(name, key))?;
        Ok(Self { document, note: parsed })
    }

    /// Adds the signature of a signer whose key `opener` holds.
    pub(crate) fn sign(&mut self, opener: &dyn Opener) -> Result<()> {
        let wrong = || Error::new(ErrorKind::WrongKey, format!("signing {}", D::WHAT));
        let (key, signature) = opener.sign(self.note.text().as_bytes()).ok_or_else(wrong)?;
        self.add_signature(&key, signature)
    }

    /// Adds a signature that was made elsewhere.
    pub(crate) fn add_signature(&mut self, key: &PublicKey, signature: [u8; 64]) -> Result<()> {
        let doing = || format!("signing {}", D::WHAT);
        let signers = self.document.signers();
        let own = signers.iter().find(|(_, signer)| signer == key);
        let (name, _) = own.ok_or_else(|| Error::new(ErrorKind::WrongKey, doing()))?;
        key.verify(self.note.text().as_bytes(), &signature, "verifying a document's new signature")?;
        self.note.sign_as(name, key, |_| signature)
    }

    pub(crate) fn is_signed_by(&self, name: &str) -> bool {
        self.document.signers().iter().any(|(own, key)| *own == name && self.note.verify(own, key).is_ok())
    }

    /// Checks that all signers signed.
    pub(crate) fn verify(&self) -> Result<()> {
        self.document.signers().iter().try_for_each(|(name, key)| self.note.verify(name, key))
    }

    pub(crate) fn note(&self) -> &Note {
        &self.note
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.note.text()).into()
    }
}

fn print(document: &impl Serialize) -> String {
    // Strings, numbers, and lists and structs of them always serialise.
    let text = serde_json::to_string_pretty(document).unwrap_or_else(|_| unreachable!("strings and numbers"));
    text + "\n"
}

/// The document whose one spelling this is.
fn parse_text<D: Document>(text: &str) -> Option<D> {
    serde_json::from_str(text).ok().filter(|document: &D| print(document) == text)
}

fn is_plain(note: &Note) -> bool {
    !note.text().contains(|c| hides(c) && c != '\n')
}

/// What every kind of signed document does; each is a struct of one field, a [`Signed`].
macro_rules! documents {
    ($($name:ident)*) => {$(
        impl $name {
            /// What is signed: the JSON text, with the line feed that ends it.
            pub fn text(&self) -> &str {
                self.0.note().text()
            }

            /// SHA-256 of [`text`](Self::text), whoever has signed it.
            pub fn hash(&self) -> [u8; 32] {
                self.0.hash()
            }

            /// Adds the signature of the party whose key `opener` holds. Signing again changes nothing.
            ///
            /// # Errors
            /// [`WrongKey`]($crate::error::ErrorKind::WrongKey) if that key is none that the document names, or is not
            /// at hand: see [`add_signature`](Self::add_signature).
            pub fn sign(&mut self, opener: &dyn $crate::key::Opener) -> $crate::error::Result<()> {
                self.0.sign(opener)
            }

            /// Adds a signature that was made elsewhere, in an HSM for example: Ed25519 over
            /// [`text`](Self::text) by `key`.
            ///
            /// # Errors
            /// [`WrongKey`]($crate::error::ErrorKind::WrongKey) if the key is none that the document names;
            /// [`Tampered`]($crate::error::ErrorKind::Tampered) if the signature does not verify.
            pub fn add_signature(
                &mut self,
                key: &$crate::key::PublicKey,
                signature: [u8; 64],
            ) -> $crate::error::Result<()> {
                self.0.add_signature(key, signature)
            }
        }

        impl ::std::fmt::Display for $name {
            /// As a signed note (C2SP signed-note). One that nobody has signed does not parse.
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.note().fmt(f)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!(stringify!($name), "({}, {:?})"), $crate::id::hex(&self.hash()), self.0.note())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::error::Error;

            /// Parses what `Display` prints, to the byte, and verifies every signature under it. Which are missing tells
            /// `verify`.
            ///
            /// # Errors
            /// [`Tampered`]($crate::error::ErrorKind::Tampered) if it is no such document, or a signature is forged or
            /// of somebody whom it does not name; [`TooLarge`]($crate::error::ErrorKind::TooLarge) above 256 KiB;
            /// [`Unsupported`]($crate::error::ErrorKind::Unsupported) if it is of a later version.
            fn from_str(note: &str) -> $crate::error::Result<Self> {
                $crate::document::Signed::parse(note).map(Self)
            }
        }
    )*};
}
pub(crate) use documents;
