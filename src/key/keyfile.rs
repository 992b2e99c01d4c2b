//! Secret keys of machines as text and in files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::bech;
use super::identity::write_secret_file;
use crate::error::{Error, Result};

/// Bech32 in capital letters.
pub(super) fn text(prefix: &str, secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(bech::encode(prefix, secret).to_uppercase())
}

pub(super) fn parse(prefix: &str, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (found, secret) = bech::decode(text)?;
    (found == prefix).then_some(secret)
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
