use std::fmt;
use std::io::{self, BufRead, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::{Error, ErrorKind, Result};

pub(super) const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS: usize = 64;
/// Bytes that a full line stands for.
const LINE: usize = 48;
/// White space allowed before and behind the armor.
const MAX_SPACE: usize = 1024;

/// Reads what armor holds. Strict (RFC 7468, "strict" as age has it): no headers, no other line lengths.
pub struct ArmorReader<R> {
    input: R,
    state: State,
    line: Vec<u8>,
    plain: Vec<u8>,
    position: usize,
}

#[derive(PartialEq, Eq)]
enum State {
    Before,
    Inside,
    /// A short line was the last.
    Ending,
    Done,
}

fn bad() -> io::Error {
    Error::new(ErrorKind::InvalidInput, "reading the armor of an age file").into()
}

impl<R: BufRead> ArmorReader<R> {
    /// Armor from its first line on.
    pub fn new(input: R) -> Self {
        Self { input, state: State::Before, line: Vec::new(), plain: Vec::new(), position: 0 }
    }

    /// Reads a line without its end, which is LF or CRLF. Nothing at the end of the input.
    fn next_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        (&mut self.input).take(MAX_SPACE as u64).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(false);
        }
        if self.line.pop_if(|b| *b == b'\n').is_some() {
            self.line.pop_if(|b| *b == b'\r');
        }
        Ok(true)
    }

    fn decode_line(&mut self) -> io::Result<()> {
        if self.state == State::Before {
            let mut space = 0;
            loop {
                if !self.next_line()? {
                    return Err(bad());
                }
                let line = self.line.trim_ascii_start();
                if !line.is_empty() {
                    if line.trim_ascii_end() != BEGIN.as_bytes() || !self.line.ends_with(BEGIN.as_bytes()) {
                        return Err(bad());
                    }
                    break;
                }
                space += self.line.len() + 1;
                if space > MAX_SPACE {
                    return Err(bad());
                }
            }
            self.state = State::Inside;
        }
        if !self.next_line()? {
            return Err(bad());
        }
        if self.line == END.as_bytes() {
            self.state = State::Done;
            return self.trailing_space();
        }
        if self.state == State::Ending || self.line.is_empty() || self.line.len() > COLUMNS {
            // Only the end may follow a short line; trailing white space of the end's own line is allowed.
            return if self.line.trim_ascii_end() == END.as_bytes() {
                self.state = State::Done;
                self.trailing_space()
            } else {
                Err(bad())
            };
        }
        if self.line.trim_ascii_end() == END.as_bytes() {
            self.state = State::Done;
            return self.trailing_space();
        }
        self.plain = BASE64.decode(&self.line).map_err(|_| bad())?;
        self.position = 0;
        if self.line.len() < COLUMNS || self.plain.len() < LINE {
            self.state = State::Ending;
        }
        Ok(())
    }

    fn trailing_space(&mut self) -> io::Result<()> {
        self.plain.clear();
        self.position = 0;
        let mut rest = Vec::new();
        (&mut self.input).take(MAX_SPACE as u64 + 1).read_to_end(&mut rest)?;
        if rest.len() > MAX_SPACE || !rest.iter().all(u8::is_ascii_whitespace) {
            return Err(bad());
        }
        Ok(())
    }
}

impl<R: BufRead> Read for ArmorReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.position == self.plain.len() {
            if self.state == State::Done || buf.is_empty() {
                return Ok(0);
            }
            self.decode_line()?;
        }
        let n = buf.len().min(self.plain.len() - self.position);
        buf[..n].copy_from_slice(&self.plain[self.position..][..n]);
        self.position += n;
        Ok(n)
    }
}

impl<R> fmt::Debug for ArmorReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArmorReader(..)")
    }
}

/// Writes armor around whatever is written to it. Whole only after [`finish`](Self::finish).
pub struct ArmorWriter<W> {
    output: W,
    line: Vec<u8>,
}

impl<W: Write> ArmorWriter<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// As the output.
    pub fn new(mut output: W) -> Result<Self> {
        writeln!(output, "{BEGIN}").map_err(|e| Error::from_io(e, "writing armor"))?;
        Ok(Self { output, line: Vec::with_capacity(LINE) })
    }

    /// Writes the last line and gives the output back, flushed.
    ///
    /// # Errors
    /// As the output.
    pub fn finish(mut self) -> Result<W> {
        let rest = if self.line.is_empty() { String::new() } else { BASE64.encode(&self.line) + "\n" };
        let written = writeln!(self.output, "{rest}{END}").and_then(|()| self.output.flush());
        written.map_err(|e| Error::from_io(e, "writing armor"))?;
        Ok(self.output)
    }
}

impl<W: Write> Write for ArmorWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = buf.len().min(LINE - self.line.len());
        self.line.extend_from_slice(&buf[..n]);
        if self.line.len() == LINE {
            writeln!(self.output, "{}", BASE64.encode(&self.line))?;
            self.line.clear();
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl<W> fmt::Debug for ArmorWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArmorWriter(..)")
    }
}
