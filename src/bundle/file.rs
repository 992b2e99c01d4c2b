use std::io::{self, PipeWriter, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::bagit::{Digests, Sums};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Plain;

/// Bytes that are read at once.
const BLOCK: usize = 256 * 1024;

/// Hashes what `make` writes, with `tell` being told of every piece: what it gives back, the length and the digests.
pub(crate) fn hash<T>(
    tell: &dyn Fn(u64) -> Result<()>,
    make: impl FnOnce(&mut Hashing<'_>) -> Result<T>,
) -> Result<(T, u64, Sums)> {
    let mut sink = Hashing { digests: Digests::new(), tell };
    let made = make(&mut sink)?;
    Ok((made, sink.digests.len(), sink.digests.finish()))
}

/// Writes all of a part, a piece at a time.
pub(crate) fn copy(part: &mut dyn Read, out: &mut dyn Write) -> Result<()> {
    let mut block = Plain::from(vec![0; BLOCK]);
    loop {
        let got = part.read(&mut block).map_err(|e| Error::from_io(e, "reading a part"))?;
        if got == 0 {
            return Ok(());
        }
        out.write_all(&block[..got]).map_err(|e| Error::from_io(e, "copying a part"))?;
    }
}

/// Hands what `make` writes to `take`, as it is written.
pub(crate) fn piped(
    make: impl FnOnce(&mut PipeWriter) -> Result<()> + Send,
    take: impl FnOnce(&mut dyn Read) -> Result<()>,
) -> Result<()> {
    let (mut reader, mut writer) = io::pipe().map_err(|e| Error::from_io(e, "making a file of a part"))?;
    std::thread::scope(|scope| {
        let making = scope.spawn(move || make(&mut writer));
        let taken = take(&mut reader);
        // A taker that gave up must not leave the other waiting for it.
        drop(reader);
        let made = making.join().unwrap_or_else(|_| Err(Error::new(ErrorKind::Io, "making a file of a part")));
        taken.and(made)
    })
}

/// Hashes what is written to it.
pub(crate) struct Hashing<'t> {
    digests: Digests,
    tell: &'t dyn Fn(u64) -> Result<()>,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digests.update(bytes);
        (self.tell)(bytes.len() as u64)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells how much was read.
pub(crate) struct Counted<'c, T> {
    pub(crate) content: &'c mut dyn Read,
    pub(crate) tell: T,
}

impl<T: FnMut(u64) -> Result<()>> Read for Counted<'_, T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.content.read(buf)?;
        (self.tell)(got as u64)?;
        Ok(got)
    }
}

/// As the vCon Zip Bundle names files (draft-miller-vcon-zip-bundle-00).
pub(crate) fn media_name(sums: &Sums, extension: &str) -> String {
    format!("sha512-{}.{extension}", URL_SAFE_NO_PAD.encode(sums.sha512()))
}

/// What programs expect a file of that type to be called.
pub(crate) fn extension(media_type: &str) -> &'static str {
    match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/ogg" | "audio/opus" => "ogg",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        "video/mp4" => "mp4",
        "application/json" | "application/vcon+json" => "json",
        "application/pdf" => "pdf",
        "message/rfc822" => "eml",
        "text/html" => "html",
        "text/plain" => "txt",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        _ => "bin",
    }
}
