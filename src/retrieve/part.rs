use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use crate::error::{Error, ErrorKind, Result};
use crate::stream::{RangeReader, ReadAt};

/// Reads a part from any place: `Read`, `Seek`, and ranges. Gives no byte that is not authentic.
pub struct PartReader {
    sealed: RangeReader<Box<dyn ReadAt>>,
    len: u64,
    position: u64,
}

impl PartReader {
    pub(super) fn new(sealed: RangeReader<Box<dyn ReadAt>>, len: u64) -> Self {
        Self { sealed, len, position: 0 }
    }

    /// The part's length in bytes. From the head, so it is authentic.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buf` from byte `offset` of the part, opening only the chunks that it touches.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) past the part's end; [`Tampered`](ErrorKind::Tampered) or
    /// [`Damaged`](ErrorKind::Damaged) if the bytes are not what was sealed, and then `buf` is wiped.
    pub fn read_range(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.len);
        end.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "reading past the end of a part"))?;
        self.sealed.read_range(offset, buf)
    }
}

impl Read for PartReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.len {
            // The end is reported only when it is proven.
            self.sealed.authenticate_end()?;
            return Ok(0);
        }
        let n = buf.len().min(usize::try_from(self.len - self.position).unwrap_or(usize::MAX));
        let n = self.sealed.read(&mut buf[..n])?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for PartReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => {
                self.sealed.authenticate_end()?;
                self.len.checked_add_signed(by)
            }
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.sealed.seek(SeekFrom::Start(self.position))?;
        Ok(self.position)
    }
}

impl fmt::Debug for PartReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sealed: _, len, position } = self;
        write!(f, "PartReader(at {position} of {len} bytes)")
    }
}
