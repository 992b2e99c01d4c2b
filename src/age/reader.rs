use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use super::armor::{self, ArmorReader};
use super::header::Header;
use super::payload::Cipher;
use super::stanza::{FileKey, Unlock};
use super::{NONCE, SEALED_CHUNK, TAG};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Plain;
use crate::stream::read_full;

/// Reads an age file from front to back, armored or not. Gives no byte that is not authentic, and reports the end only
/// when it is proven; until then the file may have been cut.
pub struct Reader<R> {
    input: Input<R>,
    cipher: Cipher,
    number: u64,
    /// What was read beyond the chunk before: one byte tells whether that was the last.
    ahead: Option<u8>,
    chunk: Plain,
    position: usize,
    done: bool,
}

enum Input<R> {
    Binary(BufReader<R>),
    Armored(ArmorReader<BufReader<R>>),
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Binary(input) => input.read(buf),
            Self::Armored(input) => input.read(buf),
        }
    }
}

/// The key of a file with this header.
///
/// # Errors
/// `WrongKey` if it is for somebody else; `Tampered` if the header was changed.
pub(super) fn file_key(header: &Header, key: &(impl Unlock + ?Sized)) -> Result<FileKey> {
    let found = key.unlock(&header.stanzas)?;
    let found = found.ok_or_else(|| Error::new(ErrorKind::WrongKey, "opening an age file"))?;
    header.verify(&found)?;
    Ok(found)
}

impl<R: Read> Reader<R> {
    /// Reads the header and finds the file's key.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if it is for somebody else; [`Tampered`](ErrorKind::Tampered) if the header
    /// was changed; [`InvalidInput`](ErrorKind::InvalidInput) if it is no age file;
    /// [`Unsupported`](ErrorKind::Unsupported) for another version; else as the source.
    pub fn new(input: R, key: &(impl Unlock + ?Sized)) -> Result<Self> {
        let doing = "reading an age file";
        let mut input = BufReader::with_capacity(SEALED_CHUNK, input);
        let first = input.fill_buf().map_err(|e| Error::from_io(e, doing))?;
        // Armor may have white space before it, a header may not.
        let armored = first.first().is_some_and(|b| *b == armor::BEGIN.as_bytes()[0] || b.is_ascii_whitespace());
        let mut input = if armored { Input::Armored(ArmorReader::new(input)) } else { Input::Binary(input) };
        let header = Header::read(&mut input)?;
        let key = file_key(&header, key)?;
        let mut nonce = [0; NONCE];
        input.read_exact(&mut nonce).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => Error::new(ErrorKind::Tampered, "reading an age file that is cut"),
            _ => Error::from_io(e, doing),
        })?;
        let cipher = Cipher::new(&key, &nonce)?;
        Ok(Self { input, cipher, number: 0, ahead: None, chunk: Plain::default(), position: 0, done: false })
    }

    fn next_chunk(&mut self) -> Result<()> {
        let failed = |e| Error::from_io(e, "reading an age file");
        self.chunk.resize(SEALED_CHUNK + 1, 0);
        let mut filled = 0;
        if let Some(byte) = self.ahead.take() {
            self.chunk[0] = byte;
            filled = 1;
        }
        filled += read_full(&mut self.input, &mut self.chunk[filled..]).map_err(failed)?;
        let last = filled <= SEALED_CHUNK;
        if !last {
            self.ahead = Some(self.chunk[SEALED_CHUNK]);
        }
        self.chunk.truncate(filled.min(SEALED_CHUNK));
        if self.chunk.len() < TAG {
            self.chunk.clear();
            return Err(Error::new(ErrorKind::Tampered, "reading an age file that is cut"));
        }
        let opened = self.cipher.open(self.number, last, &mut self.chunk);
        self.chunk.truncate(*opened.as_ref().unwrap_or(&0));
        opened?;
        self.number += 1;
        self.position = 0;
        self.done = last;
        Ok(())
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.position == self.chunk.len() {
            if self.done || buf.is_empty() {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let n = buf.len().min(self.chunk.len() - self.position);
        buf[..n].copy_from_slice(&self.chunk[self.position..][..n]);
        self.position += n;
        Ok(n)
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "age::Reader(chunk {})", self.number)
    }
}
