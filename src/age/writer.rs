use std::fmt;
use std::io::{self, Write};

use super::CHUNK;
use super::header;
use super::payload::Cipher;
use super::stanza::{FileKey, Passphrase, Stanza};
use crate::error::{Error, ErrorKind, Result};
use crate::id::random;
use crate::key::Recipient;
use crate::secret::Plain;

/// Writes an age file. It is whole only after [`finish`](Self::finish); dropped before, it is one that no reader takes
/// for whole.
pub struct Writer<W> {
    output: W,
    cipher: Cipher,
    number: u64,
    chunk: Plain,
    /// After a failed write nobody knows what was written.
    failed: bool,
}

impl<W: Write> Writer<W> {
    /// A file that each of these recipients can open.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) without a recipient, with more than 1,024, or with some that are
    /// post-quantum and some that are not: the file would be no safer than the weakest; else as the output.
    pub fn new(output: W, recipients: &[Recipient]) -> Result<Self> {
        let uniform = recipients.iter().all(|r| r.suite() == recipients[0].suite());
        if recipients.is_empty() || recipients.len() > 1024 || !uniform {
            return Err(Error::new(ErrorKind::InvalidInput, "checking the recipients of an age file"));
        }
        let key = FileKey::generate()?;
        let stanzas = recipients.iter().map(|recipient| Stanza::seal(&key, recipient)).collect::<Result<Vec<_>>>()?;
        Self::start(output, &key, &stanzas)
    }

    /// A file that a passphrase opens.
    ///
    /// # Errors
    /// As the output.
    pub fn with_passphrase(output: W, passphrase: &Passphrase) -> Result<Self> {
        let key = FileKey::generate()?;
        let stanza = passphrase.stanza(&key)?;
        Self::start(output, &key, &[stanza])
    }

    fn start(mut output: W, key: &FileKey, stanzas: &[Stanza]) -> Result<Self> {
        let mut nonce = [0; super::NONCE];
        random(&mut nonce)?;
        let written = output.write_all(&header::write(stanzas, key)).and_then(|()| output.write_all(&nonce));
        written.map_err(|e| Error::from_io(e, "writing an age file"))?;
        let chunk = Plain::from(Vec::with_capacity(super::SEALED_CHUNK));
        Ok(Self { output, cipher: Cipher::new(key, &nonce)?, number: 0, chunk, failed: false })
    }

    /// Writes the last chunk and gives the output back, flushed.
    ///
    /// # Errors
    /// As the output.
    pub fn finish(mut self) -> Result<W> {
        let written = self.write_chunk(true).and_then(|()| self.output.flush());
        written.map_err(|e| Error::from_io(e, "writing an age file"))?;
        Ok(self.output)
    }

    fn write_chunk(&mut self, last: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(io::Error::other("an earlier write failed"));
        }
        self.cipher.seal(self.number, last, &mut self.chunk)?;
        self.output.write_all(&self.chunk)?;
        self.failed = false;
        self.number += 1;
        self.chunk.clear();
        Ok(())
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        // A full chunk waits for a byte behind it: the last may be full.
        if self.chunk.len() == CHUNK && !buf.is_empty() {
            self.write_chunk(false)?;
        }
        let n = buf.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&buf[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl<W> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "age::Writer(chunk {})", self.number)
    }
}
