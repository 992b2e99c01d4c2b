use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::header::hkdf;
use super::stanza::FileKey;
use super::{CHUNK, NONCE, TAG};
use crate::error::{Error, ErrorKind, Result};

/// The cipher of a file's payload: STREAM with ChaCha20-Poly1305, each chunk under its number and whether it is the last.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    pub(super) fn new(key: &FileKey, nonce: &[u8; NONCE]) -> Result<Self> {
        let key = hkdf(nonce, key.expose_secret(), b"payload");
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.expose_secret());
        key.map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| Error::new(ErrorKind::InvalidInput, "setting up a cipher"))
    }

    fn nonce(number: u64, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seals in place, with room for the tag at the end.
    pub(super) fn seal(&self, number: u64, last: bool, chunk: &mut Vec<u8>) -> Result<()> {
        let sealed = self.0.seal_in_place_append_tag(Self::nonce(number, last), Aad::empty(), chunk);
        sealed.map_err(|_| Error::new(ErrorKind::InvalidInput, "sealing a chunk of an age file"))
    }

    /// Opens in place and gives the length of what is in it now.
    ///
    /// # Errors
    /// `Tampered`; then the chunk is wiped.
    pub(super) fn open(&self, number: u64, last: bool, chunk: &mut [u8]) -> Result<usize> {
        // An empty last chunk is right only in an empty file.
        let shape = chunk.len() >= TAG && chunk.len() <= CHUNK + TAG && (chunk.len() > TAG || number == 0);
        let opened = match self.0.open_in_place(Self::nonce(number, last), Aad::empty(), chunk) {
            Ok(plain) if shape => Ok(plain.len()),
            _ => Err(Error::new(ErrorKind::Tampered, "opening a chunk of an age file")),
        };
        if opened.is_err() {
            chunk.fill(0);
        }
        opened
    }
}

/// The plaintext length of a payload of so many bytes behind its nonce; nothing if no payload is that long.
pub(super) fn opened_len(sealed: u64) -> Option<u64> {
    let chunks = sealed.div_ceil((CHUNK + TAG) as u64).max(1);
    let plain = sealed.checked_sub(chunks * TAG as u64)?;
    (plain > 0 || chunks == 1).then_some(plain).filter(|plain| plain.div_ceil(CHUNK as u64).max(1) == chunks)
}
