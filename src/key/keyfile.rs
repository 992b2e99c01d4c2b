//! Secret keys of machines as text and in files.
//!
//! A key that has `fn to_secrets(&self) -> Zeroizing<Vec<u8>>` and `fn parse_secrets(&[u8]) -> Option<Self>` is given the rest
//! by [`keyfile`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::bech;
use super::identity::write_secret_file;
use crate::error::{Error, Result};

/// Gives a secret key its text and file. `$prefix`: of the text, in capital letters. `$what`: the key with its article.
macro_rules! keyfile {
    ($key:ident, $prefix:literal, $what:literal) => {
        impl $key {
            #[doc = concat!("The secret as text, `", $prefix, "1…`: the one way to take it out of memory.")]
            pub fn expose_secret(&self) -> zeroize::Zeroizing<String> {
                $crate::key::keyfile::text($prefix, &self.to_secrets())
            }

            /// Reads a file that [`write_file`](Self::write_file) wrote.
            ///
            /// # Errors
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is no such file; else as the file system.
            pub fn read_file(path: impl AsRef<std::path::Path>) -> $crate::Result<Self> {
                $crate::key::keyfile::read(path.as_ref(), concat!("reading ", $what, " file"))?.trim().parse()
            }

            /// Writes the secret to a new file that only its owner can read, synced.
            ///
            /// # Errors
            /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if the file is there; else as the file system.
            pub fn write_file(&self, path: impl AsRef<std::path::Path>) -> $crate::Result<()> {
                let doing = concat!("writing ", $what, " file");
                $crate::key::keyfile::write(path.as_ref(), &self.expose_secret(), doing)
            }
        }

        impl std::str::FromStr for $key {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                let secrets = $crate::key::keyfile::parse($prefix, text);
                secrets
                    .and_then(|secrets| Self::parse_secrets(&secrets))
                    .ok_or_else(|| $crate::Error::new($crate::ErrorKind::InvalidInput, concat!("parsing ", $what)))
            }
        }
    };
}

pub(super) use keyfile;

/// Bech32 in capital letters.
pub(super) fn text(prefix: &str, secrets: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(bech::encode(&prefix.to_lowercase(), secrets).to_uppercase())
}

pub(super) fn parse(prefix: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (found, secrets) = bech::decode(text)?;
    (found == prefix.to_lowercase()).then_some(secrets)
}

pub(super) fn read(path: &Path, doing: &'static str) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let read = File::open(path).and_then(|file| file.take(4096).read_to_string(&mut text));
    read.map_err(|e| Error::from_io(e, doing))?;
    Ok(text)
}

pub(super) fn write(path: &Path, text: &str, doing: &'static str) -> Result<()> {
    write_secret_file(path, Zeroizing::new(format!("{text}\n")).as_bytes(), doing)
}
