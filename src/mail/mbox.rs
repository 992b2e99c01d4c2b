use std::fmt;
use std::io::BufRead;

use super::MAX_MESSAGE;
use crate::error::{Error, ErrorKind, Result};

/// The messages of an mbox file, one after the other and never more than one in memory.
///
/// A message begins after a line that starts with `From ` (RFC 4155): at the beginning of the file; anywhere if the line
/// goes on with an address and a time, as all writers have it; and behind an empty line if it goes on with
/// an address or a single word. Any other is a line of text that a writer forgot to quote. Lines that start with `>From ` after any number of `>` lose one (mboxrd); [`MboxMessage::unquoted`] tells.
pub struct Mbox<R> {
    input: R,
    /// The `From ` line of the next message was read.
    begun: bool,
    done: bool,
    line: Vec<u8>,
}

/// A message of an mbox file.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MboxMessage {
    /// Its bytes, without the line before it and the empty line behind it.
    pub bytes: Vec<u8>,
    /// How many of its lines lost a `>`: one in a file of the older kind (mboxo) may not have meant it.
    pub unquoted: usize,
}

impl fmt::Debug for MboxMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MboxMessage({} bytes)", self.bytes.len())
    }
}

impl<R: BufRead> Mbox<R> {
    /// The messages of a file.
    pub fn new(input: R) -> Self {
        Self { input, begun: false, done: false, line: Vec::new() }
    }

    /// Reads a line, at most as long as a message may be. Nothing at the end.
    fn read_line(&mut self) -> Result<bool> {
        self.line.clear();
        let read = std::io::Read::take(&mut self.input, MAX_MESSAGE).read_until(b'\n', &mut self.line);
        read.map_err(|e| Error::from_io(e, "reading an mbox file"))?;
        Ok(!self.line.is_empty())
    }

    fn next_message(&mut self) -> Result<Option<MboxMessage>> {
        while !self.begun {
            if !self.read_line()? {
                return Ok(None);
            }
            if self.line.starts_with(b"From ") {
                self.begun = true;
            } else if !self.line.trim_ascii().is_empty() {
                self.done = true;
                return Err(Error::new(ErrorKind::InvalidInput, "reading what is no mbox file"));
            }
        }
        self.begun = false;
        let mut message = MboxMessage { bytes: Vec::new(), unquoted: 0 };
        let (mut empty_before, mut too_large) = (false, false);
        while self.read_line()? {
            if separates(&self.line, empty_before) {
                self.begun = true;
                break;
            }
            empty_before = self.line.trim_ascii_end().is_empty();
            let quotes = self.line.iter().take_while(|b| **b == b'>').count();
            let line = if quotes > 0 && self.line[quotes..].starts_with(b"From ") {
                message.unquoted += 1;
                &self.line[1..]
            } else {
                &self.line[..]
            };
            too_large |= (message.bytes.len() + line.len()) as u64 > MAX_MESSAGE;
            if too_large {
                // What follows of it is read over, so that the next one can be given.
                message.bytes = Vec::new();
            } else {
                message.bytes.extend_from_slice(line);
            }
        }
        if too_large {
            return Err(Error::new(ErrorKind::TooLarge, "reading a message of more than 64 MiB in an mbox file"));
        }
        // The empty line before the next message is the file's.
        if self.begun || empty_before {
            for end in [&b"\r\n"[..], b"\n"] {
                if message.bytes.ends_with(end) {
                    message.bytes.truncate(message.bytes.len() - end.len());
                    break;
                }
            }
        }
        Ok(Some(message))
    }
}

/// Whether a message begins behind a line.
fn separates(line: &[u8], empty_before: bool) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let words = || rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let number = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    // hh:mm or hh:mm:ss
    let clock = |word: &[u8]| word.contains(&b':') && word.split(|b| *b == b':').all(|n| n.len() <= 2 && number(n));
    let year = |word: &[u8]| word.len() == 4 && number(word);
    let dated = words().any(clock) && words().any(year);
    let addressed = words().next().is_some_and(|word| word.contains(&b'@'));
    dated || (empty_before && (addressed || words().count() <= 1))
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = Result<MboxMessage>;

    /// The next message. After [`TooLarge`](ErrorKind::TooLarge) the one behind it; after any other error none.
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_message().transpose();
        self.done |= match &next {
            None => true,
            Some(Err(e)) => e.kind() != ErrorKind::TooLarge,
            Some(Ok(_)) => false,
        };
        next
    }
}

impl<R> fmt::Debug for Mbox<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mbox(..)")
    }
}
