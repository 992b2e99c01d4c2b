use std::io::{self, Read};

use zeroize::{Zeroize, Zeroizing};

use super::cipher::{Gcm, MessageCipher, Ring, Wiping};
use super::{CHUNK, HEADER, SEALED_CHUNK, TAG};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::{Plain, Secret};

/// Opens a sealed stream from front to back. Holds one chunk, and gives nothing of a chunk before its tag is checked.
///
/// A stream that was cut, extended or changed gives an `io::Error` whose source is an [`Error`] of kind
/// [`Tampered`](ErrorKind::Tampered), at the first bad chunk and at every read after it.
pub struct OpenReader<R> {
    input: R,
    cipher: MessageCipher<Ring>,
    chunk: Plain,
    given: usize,
    index: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Ended,
    Failed,
}

impl<R: Read> OpenReader<R> {
    /// Reads salt and commitment, and checks that `key` and `context` are those that the stream was sealed under.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if they are not or the stream is too short to tell; else as the reader.
    pub fn new(mut input: R, key: &[u8; 32], context: &[u8]) -> Result<Self> {
        let mut header = [0; HEADER];
        let got = read_full(&mut input, &mut header).map_err(|e| Error::from_io(e, "reading a sealed stream"))?;
        if got < HEADER {
            return Err(truncated());
        }
        let key = Secret::from_fn(|k| k.copy_from_slice(key));
        let cipher = MessageCipher::check(&key, &header, context)?;
        Ok(Self { input, cipher, chunk: Plain::default(), given: 0, index: 0, state: State::Open })
    }

    /// Reads and opens the next chunk. On any failure the reader stays failed.
    fn next_chunk(&mut self) -> Result<()> {
        self.state = State::Failed;
        self.given = 0;
        self.chunk.resize(SEALED_CHUNK, 0);
        let got = read_full(&mut self.input, &mut self.chunk);
        let got = got.map_err(|e| Error::from_io(e, "reading a sealed stream")).inspect_err(|_| self.chunk.clear())?;
        self.chunk.truncate(got);
        open_in_place(&self.cipher, self.index, &mut self.chunk)?;
        self.index += 1;
        if self.chunk.len() < CHUNK {
            // A short chunk is the last. Whatever follows was not sealed.
            let mut one = [0];
            let got = read_full(&mut self.input, &mut one);
            let got = got.map_err(|e| Error::from_io(e, "reading a sealed stream"));
            if got.inspect_err(|_| self.chunk.zeroize())? > 0 {
                self.chunk.zeroize();
                return Err(Error::new(ErrorKind::Tampered, "checking that nothing follows a sealed stream"));
            }
            self.state = State::Ended;
        } else {
            self.state = State::Open;
        }
        Ok(())
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            match self.state {
                State::Open => self.next_chunk()?,
                State::Ended => return Ok(0),
                State::Failed => return Err(Error::new(ErrorKind::Tampered, "reading on after a failure").into()),
            }
        }
        let n = buf.len().min(self.chunk.len() - self.given);
        buf[..n].copy_from_slice(&self.chunk[self.given..][..n]);
        self.given += n;
        Ok(n)
    }
}

/// Opens a whole stream of [`wrap`](super::wrap).
pub(crate) fn unwrap(key: &Secret, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (header, body) = sealed.split_first_chunk::<HEADER>().ok_or_else(truncated)?;
    let cipher = MessageCipher::<Wiping>::check(key, header, context)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    let (full, last) = body.as_chunks::<SEALED_CHUNK>();
    for (index, chunk) in full.iter().map(|c| &c[..]).chain([last]).enumerate() {
        let mut chunk = Zeroizing::new(chunk.to_vec());
        open_in_place(&cipher, index as u64, &mut chunk)?;
        plain.extend_from_slice(&chunk);
    }
    Ok(plain)
}

/// Turns a sealed chunk into its plaintext, or into nothing.
pub(super) fn open_in_place<C: Gcm>(cipher: &MessageCipher<C>, index: u64, chunk: &mut Vec<u8>) -> Result<()> {
    let opened = match chunk.split_last_chunk_mut::<TAG>() {
        Some((body, tag)) => cipher.open(index, body, tag),
        None => Err(truncated()),
    };
    match opened {
        Ok(()) => chunk.truncate(chunk.len() - TAG),
        Err(_) => chunk.zeroize(),
    }
    opened
}

pub(super) fn truncated() -> Error {
    Error::new(ErrorKind::Tampered, "finding the end of a sealed stream")
}

/// Reads until `buf` is full or the input ends.
pub(crate) fn read_full(input: &mut (impl Read + ?Sized), buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match input.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
