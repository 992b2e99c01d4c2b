//! What a recording is, and a stretch of it.
//!
//! Recognising is best effort and never stands in the way of an ingest. WAV headers are read by our own reader, since
//! telephone codecs are what others leave out; everything else by [`lofty`].

mod wav;
mod mp3;
mod sample;
mod cut;
mod replace;
mod peaks;

use std::fmt;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::{AudioFile, FileType};
use lofty::probe::Probe;

pub use cut::{Cut, cut};
pub(crate) use peaks::Peaks;
pub use replace::Filler;
pub(crate) use replace::{Replaced, replace};

/// What a recording says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AudioInfo {
    /// How the sound is coded.
    pub codec: Codec,
    /// Samples a second, of each channel.
    pub rate_hz: Option<u32>,
    /// Channels: 2 where agent and customer were recorded apart.
    pub channels: Option<u16>,
    /// Bits of a sample, where samples are stored as such.
    pub bits: Option<u16>,
    /// How long it is, in milliseconds.
    pub duration_ms: Option<u64>,
}

/// How sound is coded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Linear samples.
    Pcm,
    /// Linear samples in floating point.
    Float,
    /// G.711 µ-law.
    MuLaw,
    /// G.711 A-law.
    ALaw,
    /// GSM 06.10.
    Gsm,
    /// IMA, Microsoft or another ADPCM.
    Adpcm,
    /// G.722.
    G722,
    /// G.726.
    G726,
    /// MPEG audio layer III.
    Mp3,
    /// FLAC.
    Flac,
    /// Opus.
    Opus,
    /// Vorbis.
    Vorbis,
    /// AAC and what else MP4 holds.
    Aac,
    /// Anything else: a name, or a WAVE format tag in hexadecimal.
    Other(String),
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pcm => "PCM",
            Self::Float => "float PCM",
            Self::MuLaw => "µ-law",
            Self::ALaw => "A-law",
            Self::Gsm => "GSM",
            Self::Adpcm => "ADPCM",
            Self::G722 => "G.722",
            Self::G726 => "G.726",
            Self::Mp3 => "MP3",
            Self::Flac => "FLAC",
            Self::Opus => "Opus",
            Self::Vorbis => "Vorbis",
            Self::Aac => "AAC",
            Self::Other(name) => name,
        })
    }
}

/// Looks at the beginning of a recording, from wherever it stands to the front. Nothing if it is not recognised: raw GSM
/// or G.722 without a header cannot be.
pub fn probe(source: &mut (impl Read + Seek)) -> Option<AudioInfo> {
    source.seek(SeekFrom::Start(0)).ok()?;
    if let Ok(Some(wav)) = wav::Wav::read(source) {
        return Some(wav.info());
    }
    source.seek(SeekFrom::Start(0)).ok()?;
    // A parser of many formats that nobody here wrote: a panic in it must not cost a call.
    catch_unwind(AssertUnwindSafe(|| with_lofty(source))).ok().flatten()
}

fn with_lofty(source: &mut (impl Read + Seek)) -> Option<AudioInfo> {
    let options = ParseOptions::new().read_tags(false).read_cover_art(false).parsing_mode(ParsingMode::BestAttempt);
    let probe = Probe::new(BufReader::new(source)).options(options).guess_file_type().ok()?;
    let codec = match probe.file_type()? {
        FileType::Mpeg => Codec::Mp3,
        FileType::Flac => Codec::Flac,
        FileType::Opus => Codec::Opus,
        FileType::Vorbis => Codec::Vorbis,
        FileType::Mp4 | FileType::Aac => Codec::Aac,
        other => Codec::Other(format!("{other:?}")),
    };
    let file = probe.read().ok()?;
    let told = file.properties();
    let ms = u64::try_from(told.duration().as_millis()).ok().filter(|ms| *ms > 0);
    Some(AudioInfo {
        codec,
        rate_hz: told.sample_rate().filter(|rate| *rate > 0),
        channels: told.channels().map(u16::from).filter(|channels| *channels > 0),
        bits: told.bit_depth().map(u16::from),
        duration_ms: ms,
    })
}

#[cfg(test)]
mod tests;
