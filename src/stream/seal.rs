use std::io::{self, Write};

use super::cipher::{Gcm, MessageCipher, Ring, Wiping};
use super::{CHUNK, HEADER, SEALED_CHUNK, TAG};
use crate::error::Result;
use crate::id::random;
use crate::secret::{Plain, Secret};

/// Seals what is written to it. Holds one chunk; call [`finish`](Self::finish), or the stream is a truncated one that
/// nothing opens.
#[must_use = "an unfinished stream does not open"]
pub struct SealWriter<W> {
    out: W,
    sealer: Sealer<Ring>,
    sealed: Vec<u8>,
    /// Set once `out` has failed: how much it took is unknown, so nothing may follow.
    failed: bool,
}

impl<W: Write> SealWriter<W> {
    /// Starts a stream under a 32-byte key, bound to `context`, with a random salt.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) if the system gives no randomness.
    pub fn new(out: W, key: &[u8; 32], context: &[u8]) -> Result<Self> {
        let key = Secret::from_fn(|k| k.copy_from_slice(key));
        let mut sealed = Vec::with_capacity(2 * SEALED_CHUNK);
        let sealer = Sealer::start(&key, context, &mut sealed)?;
        Ok(Self { out, sealer, sealed, failed: false })
    }

    /// Writes the last chunk, flushes, and gives the inner writer back.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.sealer.finish(&mut self.sealed)?;
        self.pass_on()?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Gives `out` what is sealed.
    fn pass_on(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(io::Error::other("sealing on after a write failed"));
        }
        self.out.write_all(&self.sealed)?;
        self.sealed.clear();
        self.failed = false;
        Ok(())
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = &buf[..buf.len().min(CHUNK)];
        self.sealer.update(taken, &mut self.sealed)?;
        self.pass_on()?;
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Turns plaintext into sealed chunks, appended to a buffer of the caller's.
pub(crate) struct Sealer<C = Ring> {
    cipher: MessageCipher<C>,
    index: u64,
    /// Plaintext bytes of the open chunk: they are the tail of the caller's buffer only while `update` runs.
    pending: Plain,
}

impl<C: Gcm> Sealer<C> {
    /// Appends salt and commitment.
    pub(crate) fn start(key: &Secret, context: &[u8], out: &mut Vec<u8>) -> Result<Self> {
        let mut salt = [0; 24];
        random(&mut salt)?;
        Ok(Self::start_with_salt(key, context, &salt, out))
    }

    /// As [`start`](Self::start). A salt must never repeat under one key.
    pub(crate) fn start_with_salt(key: &Secret, context: &[u8], salt: &[u8; 24], out: &mut Vec<u8>) -> Self {
        let cipher = MessageCipher::derive(key, salt, context);
        out.extend_from_slice(salt);
        out.extend_from_slice(cipher.commitment());
        Self { cipher, index: 0, pending: Plain::default() }
    }

    /// Appends the chunks that `plain` completes.
    pub(crate) fn update(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if !self.pending.is_empty() {
            let (head, rest) = plain.split_at(plain.len().min(CHUNK - self.pending.len()));
            self.pending.extend_from_slice(head);
            plain = rest;
            if self.pending.len() < CHUNK {
                return Ok(());
            }
            let full = std::mem::take(&mut *self.pending);
            self.chunk(&Plain::from(full), out)?;
        }
        let (chunks, rest) = plain.as_chunks::<CHUNK>();
        for chunk in chunks {
            self.chunk(chunk, out)?;
        }
        if !rest.is_empty() {
            self.pending.reserve_exact(CHUNK);
            self.pending.extend_from_slice(rest);
        }
        Ok(())
    }

    /// Appends the last chunk. Nothing may follow.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let last = std::mem::take(&mut *self.pending);
        self.chunk(&Plain::from(last), out)
    }

    /// Appends all chunks of a message that is whole in memory.
    pub(crate) fn whole(mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        debug_assert!(self.index == 0 && self.pending.is_empty());
        let (chunks, last) = plain.as_chunks::<CHUNK>();
        chunks.iter().try_for_each(|chunk| self.chunk(chunk, out))?;
        self.chunk(last, out)
    }

    fn chunk(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        out.reserve(plain.len() + TAG);
        out.extend_from_slice(plain);
        let tag = self.cipher.seal(self.index, &mut out[start..])?;
        out.extend_from_slice(&tag);
        self.index += 1;
        Ok(())
    }
}

/// `COB(key, context, plain)` in one piece through the wiping cipher, for keys and shares.
pub(crate) fn wrap(key: &Secret, context: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let mut salt = [0; 24];
    random(&mut salt)?;
    wrap_with_salt(key, context, &salt, plain)
}

/// As [`wrap`]. A salt must never repeat under one key.
pub(crate) fn wrap_with_salt(key: &Secret, context: &[u8], salt: &[u8; 24], plain: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(HEADER + plain.len() + TAG);
    Sealer::<Wiping>::start_with_salt(key, context, salt, &mut out).whole(plain, &mut out)?;
    Ok(out)
}
