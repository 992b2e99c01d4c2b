use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;

use zeroize::Zeroizing;

use super::mp3::Frames;
use super::wav::Wav;
use super::{Codec, probe};
use crate::error::{Error, ErrorKind, Result};

/// What was cut out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cut {
    /// The stretch in milliseconds, to whole frames: what was asked for is in it, but for what lies behind the end.
    pub ms: Range<u64>,
    /// The bytes of the source that were taken.
    pub source: Range<u64>,
    /// `audio/wav` or `audio/mpeg`.
    pub media_type: &'static str,
}

/// Writes the stretch `ms` (milliseconds from the beginning) of a recording as a file that plays.
///
/// PCM, floating point, µ-law and A-law in WAV, also extensible and of any number of channels: exactly the frames
/// asked for, and nothing else of the sound is read. MP3: whole frames, as an MP3 stream; what comes before them is
/// read but not written. A decoder may need the frame before for the first one, which then sounds for a few
/// hundredths of a second like silence. Memory: 256 KiB.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) for an empty stretch or one behind the end;
/// [`Unsupported`](ErrorKind::Unsupported) for any other codec; [`TooLarge`](ErrorKind::TooLarge) above 4 GiB; as the
/// source and the output.
pub fn cut(source: &mut (impl Read + Seek), ms: Range<u64>, out: &mut impl Write) -> Result<Cut> {
    let reading = |e| Error::from_io(e, "reading a recording");
    if ms.start >= ms.end {
        return Err(Error::new(ErrorKind::InvalidInput, "cutting an empty stretch out of a recording"));
    }
    if let Some(wav) = Wav::read(source).map_err(reading)? {
        return if wav.is_linear() { cut_wav(&wav, source, ms, out) } else { Err(unsupported(&wav.codec())) };
    }
    match probe(source).map(|info| info.codec) {
        Some(Codec::Mp3) => cut_mp3(source, ms, out),
        Some(codec) => Err(unsupported(&codec)),
        None => Err(Error::new(ErrorKind::Unsupported, "cutting a recording that is not recognised")),
    }
}

fn unsupported(codec: &Codec) -> Error {
    // A name from a file would be its own words.
    let name = if matches!(codec, Codec::Other(_)) { "this codec".to_owned() } else { codec.to_string() };
    Error::new(ErrorKind::Unsupported, format!("cutting a recording in {name}, which has to be decoded first"))
}

fn behind_the_end() -> Error {
    Error::new(ErrorKind::InvalidInput, "cutting a stretch behind the end of a recording")
}

fn cut_wav(wav: &Wav, source: &mut (impl Read + Seek), ms: Range<u64>, out: &mut impl Write) -> Result<Cut> {
    let Range { start: first, end: last } = wav.frames_in(&ms);
    if first >= last {
        return Err(behind_the_end());
    }
    let frame = u64::from(wav.frame);
    let len = (last - first) * frame;
    let too_large = || Error::new(ErrorKind::TooLarge, "cutting more than 4 GiB out of a recording");
    let header = wav.header(len).ok_or_else(too_large)?;
    let begin = wav.data_at + first * frame;
    let (reading, writing) = ("reading a recording", "writing a stretch of a recording");
    out.write_all(&header).map_err(|e| Error::from_io(e, writing))?;
    source.seek(SeekFrom::Start(begin)).map_err(|e| Error::from_io(e, reading))?;
    let mut block = Zeroizing::new(vec![0; (256 * 1024).min(len as usize).max(1)]);
    let mut left = len;
    while left > 0 {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        source.read_exact(&mut block[..n]).map_err(|e| Error::from_io(e, reading))?;
        out.write_all(&block[..n]).map_err(|e| Error::from_io(e, writing))?;
        left -= n as u64;
    }
    if len % 2 == 1 {
        out.write_all(&[0]).map_err(|e| Error::from_io(e, writing))?;
    }
    Ok(Cut { ms: wav.ms_of(&(first..last)), source: begin..begin + len, media_type: "audio/wav" })
}

fn cut_mp3(source: &mut (impl Read + Seek), ms: Range<u64>, out: &mut impl Write) -> Result<Cut> {
    let reading = |e| Error::from_io(e, "reading a recording");
    let mut frames = Frames::find(source).map_err(reading)?.ok_or_else(|| unsupported(&Codec::Mp3))?;
    // In millionths of a second, since a rate may change.
    let (mut now, mut cut): (u64, Option<Cut>) = (0, None);
    while let Some(frame) = frames.next().map_err(reading)? {
        let next = now + u64::from(frame.samples) * 1_000_000 / u64::from(frame.rate);
        if now >= ms.end.saturating_mul(1000) {
            break;
        }
        if next > ms.start.saturating_mul(1000) {
            out.write_all(&frame.bytes).map_err(|e| Error::from_io(e, "writing a stretch of a recording"))?;
            let end = frame.at + frame.bytes.len() as u64;
            let begun = cut.take().map_or((now / 1000, frame.at), |cut| (cut.ms.start, cut.source.start));
            cut = Some(Cut { ms: begun.0..next.div_ceil(1000), source: begun.1..end, media_type: "audio/mpeg" });
        }
        now = next;
    }
    cut.ok_or_else(behind_the_end)
}
