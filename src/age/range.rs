use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use super::header::Header;
use super::payload::{Cipher, opened_len};
use super::reader::file_key;
use super::stanza::Unlock;
use super::{CHUNK, NONCE, SEALED_CHUNK, TAG};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Plain;
use crate::stream::ReadAt;

/// Reads an age file that is not armored at any place, opening only the chunks that it touches.
///
/// [`SeekFrom::End`] opens the last chunk first: a file that was cut cannot move its end.
pub struct RangeReader<R> {
    input: R,
    cipher: Cipher,
    /// Where the first chunk begins.
    start: u64,
    len: u64,
    position: u64,
    end_is_authentic: bool,
    held: Option<u64>,
    chunk: Plain,
}

impl<R: ReadAt> RangeReader<R> {
    /// Reads the header and finds the file's key.
    ///
    /// # Errors
    /// As [`Reader::new`](super::Reader::new); [`Tampered`](ErrorKind::Tampered) if no file has this length.
    pub fn new(input: R, key: &(impl Unlock + ?Sized)) -> Result<Self> {
        let doing = "reading an age file";
        let size = input.size().map_err(|e| Error::from_io(e, doing))?;
        let mut front = Front { input: &input, at: 0, size, buffer: Vec::new(), used: 0 };
        let header = Header::read(&mut front)?;
        let key = file_key(&header, key)?;
        let at = front.at - (front.buffer.len() - front.used) as u64;
        let cut = || Error::new(ErrorKind::Tampered, "reading an age file that is cut");
        let start = at + NONCE as u64;
        let len = size.checked_sub(start).and_then(opened_len).ok_or_else(cut)?;
        let mut nonce = [0; NONCE];
        input.read_exact_at(&mut nonce, at).map_err(|e| Error::from_io(e, doing))?;
        let cipher = Cipher::new(&key, &nonce)?;
        Ok(Self {
            input,
            cipher,
            start,
            len,
            position: 0,
            end_is_authentic: false,
            held: None,
            chunk: Plain::default(),
        })
    }

    /// Opens the last chunk, which proves the length; returns it.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the file was cut or extended; else as the source.
    pub fn authenticate_end(&mut self) -> Result<u64> {
        if !self.end_is_authentic {
            self.hold(self.last())?;
            self.end_is_authentic = true;
        }
        Ok(self.len)
    }

    fn last(&self) -> u64 {
        self.len.saturating_sub(1) / CHUNK as u64
    }

    fn hold(&mut self, number: u64) -> Result<()> {
        if self.held == Some(number) {
            return Ok(());
        }
        self.held = None;
        let last = number == self.last();
        let len = if last { (self.len - number * CHUNK as u64) as usize + TAG } else { SEALED_CHUNK };
        self.chunk.resize(len, 0);
        let at = self.start + number * SEALED_CHUNK as u64;
        self.input.read_exact_at(&mut self.chunk, at).map_err(|e| Error::from_io(e, "reading an age file"))?;
        let opened = self.cipher.open(number, last, &mut self.chunk)?;
        self.chunk.truncate(opened);
        self.held = Some(number);
        Ok(())
    }
}

impl<R: ReadAt> Read for RangeReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.len {
            self.authenticate_end()?;
            return Ok(0);
        }
        self.hold(self.position / CHUNK as u64)?;
        let from = &self.chunk[(self.position % CHUNK as u64) as usize..];
        let n = buf.len().min(from.len());
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

impl<R> fmt::Debug for RangeReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "age::RangeReader(at {} of {} bytes)", self.position, self.len)
    }
}

/// Reads from the front of a source, a few kilobytes at a time.
struct Front<'a, R> {
    input: &'a R,
    at: u64,
    size: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl<R: ReadAt> Read for Front<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.used == self.buffer.len() {
            let n = (self.size - self.at).min(4096) as usize;
            self.buffer.resize(n, 0);
            self.used = 0;
            self.input.read_exact_at(&mut self.buffer, self.at)?;
            self.at += n as u64;
        }
        let n = buf.len().min(self.buffer.len() - self.used);
        buf[..n].copy_from_slice(&self.buffer[self.used..][..n]);
        self.used += n;
        Ok(n)
    }
}
