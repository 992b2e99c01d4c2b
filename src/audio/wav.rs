//! RIFF/WAVE headers (Microsoft, "Multiple Channel Audio Data and WAVE Files"; RF64: EBU Tech 3306).

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::{AudioInfo, Codec};

/// Bytes of a format chunk that is kept: the extensible form has 40, ADPCM with its tables some more.
const MAX_FORMAT: u32 = 4096;
/// Chunks that may come before the sound.
const MAX_CHUNKS: usize = 1000;

/// A header, and where the sound is.
pub(super) struct Wav {
    /// The format chunk as it is.
    pub(super) format: Vec<u8>,
    /// The format tag, of the extensible form's subformat where it is one.
    pub(super) tag: u16,
    pub(super) channels: u16,
    pub(super) rate: u32,
    bytes_a_second: u32,
    /// Bytes of a frame: one sample of every channel, or a block of a compressed format.
    pub(super) frame: u16,
    bits: u16,
    /// Samples that a `fact` chunk tells.
    fact: Option<u32>,
    pub(super) data_at: u64,
    pub(super) data_len: u64,
}

impl Wav {
    /// Reads a header from the front. Nothing if it is no WAV file or has no format or no sound.
    pub(super) fn read(source: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let end = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let mut start = [0; 12];
        if read_all(source, &mut start)? < 12 || &start[8..] != b"WAVE" {
            return Ok(None);
        }
        let long = matches!(&start[..4], b"RF64" | b"BW64");
        if !long && &start[..4] != b"RIFF" {
            return Ok(None);
        }
        let (mut at, mut format, mut fact, mut long_data) = (12u64, None, None, None);
        for _ in 0..MAX_CHUNKS {
            let mut head = [0; 8];
            source.seek(SeekFrom::Start(at))?;
            if read_all(source, &mut head)? < 8 {
                return Ok(None);
            }
            let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            at += 8;
            match &head[..4] {
                b"ds64" if long => {
                    let mut sizes = [0; 16];
                    if read_all(source, &mut sizes)? == 16 {
                        long_data = sizes.last_chunk::<8>().map(|size| u64::from_le_bytes(*size));
                    }
                }
                b"fmt " if len <= MAX_FORMAT => {
                    let mut bytes = vec![0; len as usize];
                    if read_all(source, &mut bytes)? < bytes.len() {
                        return Ok(None);
                    }
                    format = Some(bytes);
                }
                b"fact" => {
                    let mut samples = [0; 4];
                    if read_all(source, &mut samples)? == 4 {
                        fact = Some(u32::from_le_bytes(samples));
                    }
                }
                b"data" => {
                    let Some(format) = format else { return Ok(None) };
                    let there = end.saturating_sub(at);
                    let told = match (len, long_data) {
                        (u32::MAX, Some(long)) => long,
                        // What streams write that cannot go back to say how much came.
                        (0 | u32::MAX, _) => there,
                        (len, _) => u64::from(len),
                    };
                    return Ok(Self::of(format, fact, at, told.min(there)));
                }
                _ => {}
            }
            // Chunks begin at even places, but for writers that forget it.
            at += u64::from(len);
            if len % 2 == 1 {
                let mut padded = [0; 5];
                source.seek(SeekFrom::Start(at))?;
                let got = read_all(source, &mut padded)?;
                let is_name = |name: &[u8]| name.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
                at += u64::from(got < 5 || is_name(&padded[1..]) || !is_name(&padded[..4]));
            }
        }
        Ok(None)
    }

    fn of(format: Vec<u8>, fact: Option<u32>, data_at: u64, data_len: u64) -> Option<Self> {
        let short = |at: usize| format.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        let long = |at: usize| format.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        // The extensible form has the tag that it stands for at the front of its subformat.
        let tag = if short(0)? == 0xFFFE { short(24)? } else { short(0)? };
        let (channels, rate, frame) = (short(2)?, long(4)?, short(12)?);
        if channels == 0 || rate == 0 || frame == 0 {
            return None;
        }
        let (bytes_a_second, bits) = (long(8)?, short(14).unwrap_or(0));
        Some(Self { tag, channels, rate, bytes_a_second, frame, bits, fact, data_at, data_len, format })
    }

    pub(super) fn codec(&self) -> Codec {
        match self.tag {
            1 => Codec::Pcm,
            3 => Codec::Float,
            6 => Codec::ALaw,
            7 => Codec::MuLaw,
            0x02 | 0x11 => Codec::Adpcm,
            0x31 => Codec::Gsm,
            0x45 | 0x64 | 0x140 => Codec::G726,
            0x28F | 0x65 => Codec::G722,
            0x50 | 0x55 => Codec::Mp3,
            tag => Codec::Other(format!("WAVE format {tag:#06x}")),
        }
    }

    /// Whether a frame is one sample of every channel, so that the sound can be cut anywhere.
    pub(super) fn is_linear(&self) -> bool {
        let samples = matches!(self.codec(), Codec::Pcm | Codec::Float | Codec::ALaw | Codec::MuLaw);
        let bytes = match self.codec() {
            // Samples of G.711 are bytes, also where a header says nothing of bits, or those before compression.
            Codec::ALaw | Codec::MuLaw => 1,
            _ => u32::from(self.bits).div_ceil(8),
        };
        samples && bytes * u32::from(self.channels) == u32::from(self.frame)
    }

    pub(super) fn info(&self) -> AudioInfo {
        let ms = if self.is_linear() {
            Some(u128::from(self.data_len / u64::from(self.frame)) * 1000 / u128::from(self.rate))
        } else if let Some(samples) = self.fact.filter(|samples| *samples > 0) {
            Some(u128::from(samples) * 1000 / u128::from(self.rate))
        } else {
            (self.bytes_a_second > 0).then(|| u128::from(self.data_len) * 1000 / u128::from(self.bytes_a_second))
        };
        AudioInfo {
            codec: self.codec(),
            rate_hz: Some(self.rate),
            channels: Some(self.channels),
            bits: Some(self.bits).filter(|bits| *bits > 0),
            duration_ms: ms.and_then(|ms| u64::try_from(ms).ok()),
        }
    }

    /// Whole frames that the sound has.
    pub(super) fn frames(&self) -> u64 {
        self.data_len / u64::from(self.frame)
    }

    /// The frames that have anything of these milliseconds in them; none if they are behind the end.
    pub(super) fn frames_in(&self, ms: &Range<u64>) -> Range<u64> {
        let at = |ms: u64, round_up: u128| {
            u64::try_from((u128::from(ms) * u128::from(self.rate) + round_up) / 1000).unwrap_or(u64::MAX)
        };
        let first = at(ms.start, 0).min(self.frames());
        first..at(ms.end, 999).clamp(first, self.frames())
    }

    /// The milliseconds that begin before these frames do and before they end.
    pub(super) fn ms_of(&self, frames: &Range<u64>) -> Range<u64> {
        let told = |frame: u64| u64::try_from(u128::from(frame) * 1000 / u128::from(self.rate)).unwrap_or(u64::MAX);
        told(frames.start)..told(frames.end)
    }

    /// With a format chunk of numbers that a player needs: what else stood in it is gone. Expects linear sound.
    pub(super) fn without_extras(mut self) -> Self {
        let is_extensible = self.format.starts_with(&0xFFFE_u16.to_le_bytes());
        let mut format = [self.format[..2].to_vec(), self.channels.to_le_bytes().to_vec()].concat();
        format.extend(self.rate.to_le_bytes());
        format.extend(self.rate.saturating_mul(self.frame.into()).to_le_bytes());
        format.extend(self.frame.to_le_bytes());
        let bits = self.frame / self.channels * 8;
        format.extend(bits.to_le_bytes());
        if is_extensible {
            // Valid bits and the places of the channels are numbers; the subformat is its tag and a fixed end.
            let valid = self.bits.clamp(1, bits);
            format.extend(22_u16.to_le_bytes());
            format.extend(valid.to_le_bytes());
            format.extend(self.format.get(20..24).unwrap_or(&[0; 4]));
            format.extend(self.tag.to_le_bytes());
            format.extend([0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113]);
        } else if self.tag != 1 {
            format.extend([0, 0]);
        }
        self.format = format;
        self
    }

    /// A header for so many bytes of the same sound. Nothing if no WAV file is that long.
    pub(super) fn header(&self, data_len: u64) -> Option<Vec<u8>> {
        let frames = data_len / u64::from(self.frame);
        // Anything but plain PCM tells its number of samples.
        let fact = if self.tag == 1 && self.format.len() < 18 { 0 } else { 12 };
        let format_len = self.format.len() as u64;
        let riff = 4 + 8 + format_len + format_len % 2 + fact + 8 + data_len + data_len % 2;
        let mut header = b"RIFF".to_vec();
        header.extend(u32::try_from(riff).ok()?.to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend((format_len as u32).to_le_bytes());
        header.extend(&self.format);
        header.resize(header.len() + self.format.len() % 2, 0);
        if fact > 0 {
            header.extend(b"fact");
            header.extend(4u32.to_le_bytes());
            header.extend(u32::try_from(frames).ok()?.to_le_bytes());
        }
        header.extend(b"data");
        header.extend((data_len as u32).to_le_bytes());
        Some(header)
    }
}

/// Fills `buf` as far as there is anything.
fn read_all(source: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    crate::stream::read_full(source, buf)
}
