use std::io::{self, Read, Seek, SeekFrom};

use super::cipher::{MessageCipher, Ring};
use super::open::truncated;
use super::{CHUNK, HEADER, SEALED_CHUNK, opened_len};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::{Plain, Secret};

/// Bytes that can be read from any place, by several readers at once: a file, an object, a slice.
pub trait ReadAt: Send + Sync {
    /// How many bytes there are.
    ///
    /// # Errors
    /// Those of the medium.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buf` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` if there are not that many bytes; else those of the medium.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).ok().and_then(|from| self.get(from..)).and_then(|b| b.get(..buf.len()));
        buf.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Box<T> {
    fn size(&self) -> io::Result<u64> {
        (**self).size()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        (**self).read_exact_at(buf, offset)
    }
}

impl ReadAt for std::fs::File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buf, offset)
    }
}

/// Opens a sealed stream at any place, touching only the chunks asked for.
///
/// [`SeekFrom::End`] authenticates the last chunk first, so a cut stream cannot move the end (C2SP chunked-encryption,
/// "Implementation notes"). Holds at most 16 chunks.
pub struct RangeReader<R> {
    input: R,
    cipher: MessageCipher<Ring>,
    len: u64,
    end_is_authentic: bool,
    position: u64,
    window: Window,
}

/// The opened chunks that sequential reads are served from.
struct Window {
    start: u64,
    plain: Plain,
}

/// Chunks opened at once when a reader goes on from one to the next.
const WINDOW_CHUNKS: u64 = 16;

impl<R: ReadAt> RangeReader<R> {
    /// Reads salt and commitment, and checks that `key` and `context` are those that the stream was sealed under.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if they are not, or if no stream has this length; else as the medium.
    pub fn new(input: R, key: &[u8; 32], context: &[u8]) -> Result<Self> {
        let key = Secret::from_fn(|k| k.copy_from_slice(key));
        Self::with_secret(input, &key, context)
    }

    pub(crate) fn with_secret(input: R, key: &Secret, context: &[u8]) -> Result<Self> {
        let size = input.size().map_err(|e| Error::from_io(e, "sizing a sealed stream"))?;
        let len = opened_len(size).ok_or_else(truncated)?;
        let mut header = [0; HEADER];
        input.read_exact_at(&mut header, 0).map_err(|e| Error::from_io(e, "reading a sealed stream"))?;
        let cipher = MessageCipher::check(key, &header, context)?;
        let window = Window { start: 0, plain: Plain::default() };
        Ok(Self { input, cipher, len, end_is_authentic: false, position: 0, window })
    }

    /// The plaintext length that the ciphertext's length implies. Authentic only after
    /// [`authenticate_end`](Self::authenticate_end).
    pub fn claimed_len(&self) -> u64 {
        self.len
    }

    /// Opens the last chunk, which proves the length; returns it.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the stream was cut or extended; else as the medium.
    pub fn authenticate_end(&mut self) -> Result<u64> {
        if !self.end_is_authentic {
            self.open_chunks(self.len / CHUNK as u64, 1, &mut Plain::default())?;
            self.end_is_authentic = true;
        }
        Ok(self.len)
    }

    /// Fills `buf` from plaintext position `offset`. On an error nothing in `buf` is to be trusted, and it is wiped.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) past the end, [`Tampered`](ErrorKind::Tampered) if a chunk does not
    /// open; else as the medium.
    pub fn read_range(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.len);
        let Some(end) = end else {
            buf.fill(0);
            return Err(Error::new(ErrorKind::InvalidInput, "reading past the end of a sealed stream"));
        };
        let mut plain = Plain::default();
        let (mut at, mut filled) = (offset, 0);
        while at < end {
            let first = at / CHUNK as u64;
            let chunks = (end.div_ceil(CHUNK as u64) - first).min(WINDOW_CHUNKS);
            if let Err(error) = self.open_chunks(first, chunks, &mut plain) {
                buf.fill(0);
                return Err(error);
            }
            let from = &plain[(at % CHUNK as u64) as usize..];
            let n = from.len().min(buf.len() - filled);
            buf[filled..][..n].copy_from_slice(&from[..n]);
            filled += n;
            at += n as u64;
        }
        Ok(())
    }

    /// Opens `chunks` chunks from `first` on into `plain`: one read, then each in its place.
    fn open_chunks(&self, first: u64, chunks: u64, plain: &mut Plain) -> Result<()> {
        let start = first * CHUNK as u64;
        let end = ((first + chunks) * CHUNK as u64).min(self.len);
        let last_short = (first + chunks) * CHUNK as u64 > self.len;
        let tags = (end - start) / CHUNK as u64 + u64::from(last_short);
        let sealed = (end - start + tags * super::TAG as u64) as usize;
        plain.resize(sealed, 0);
        let offset = HEADER as u64 + first * SEALED_CHUNK as u64;
        self.input.read_exact_at(plain, offset).map_err(|e| Error::from_io(e, "reading a sealed stream"))?;
        let mut opened = 0;
        for index in first..first + tags {
            let from = (index - first) as usize * SEALED_CHUNK;
            let to = (from + SEALED_CHUNK).min(sealed);
            let (body, tag) = plain[from..to].split_last_chunk_mut::<{ super::TAG }>().ok_or_else(truncated)?;
            let (len, tag) = (body.len(), *tag);
            if let Err(error) = self.cipher.open(index, body, &tag) {
                plain.fill(0);
                return Err(error);
            }
            plain.copy_within(from..from + len, opened);
            opened += len;
        }
        plain.truncate(opened);
        Ok(())
    }
}

impl<R: ReadAt> Read for RangeReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.len {
            // The end is reported only when it is proven.
            self.authenticate_end()?;
            return Ok(0);
        }
        if buf.is_empty() {
            return Ok(0);
        }
        let held = self.window.start..self.window.start + self.window.plain.len() as u64;
        if !held.contains(&self.position) {
            // One chunk for a reader that has jumped, more for one that goes on.
            let chunks = if self.position == held.end && self.position > 0 { WINDOW_CHUNKS } else { 1 };
            let first = self.position / CHUNK as u64;
            let chunks = chunks.min(self.len.div_ceil(CHUNK as u64) - first);
            let mut plain = std::mem::take(&mut self.window.plain);
            self.open_chunks(first, chunks, &mut plain)?;
            self.window = Window { start: first * CHUNK as u64, plain };
        }
        let from = &self.window.plain[(self.position - self.window.start) as usize..];
        let n = from.len().min(buf.len());
        buf[..n].copy_from_slice(&from[..n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl<R: ReadAt> Seek for RangeReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.authenticate_end()?.checked_add_signed(by),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
