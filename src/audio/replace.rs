use std::f64::consts::TAU;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;

use zeroize::Zeroizing;

use super::sample::Sample;
use super::wav::Wav;
use super::{Codec, probe};
use crate::error::{Error, ErrorKind, Result};

/// Bytes that are written at once.
const BLOCK: usize = 256 * 1024;
/// 20 dB below a sine of full scale (AES17).
const AMPLITUDE: f64 = 0.1;
/// Hertz.
const TONE: u32 = 1000;

/// What is heard instead of something that was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filler {
    /// Nothing.
    Silence,
    /// A sine of 1 kHz at -20 dBFS, or of a quarter of the rate where that is below 4 kHz.
    Tone,
}

/// A recording of which something was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// The stretch that was written, in milliseconds of the source, to whole frames.
    pub(crate) ms: Range<u64>,
    /// The bytes of the source that the stretch is of.
    pub(crate) source: Range<u64>,
    /// What was replaced in it, in order and apart, in milliseconds of the source, to whole frames.
    pub(crate) stretches: Vec<(Range<u64>, Filler)>,
}

/// Writes a WAV recording, or a stretch of it, with the ranges (milliseconds of the source, in any order) replaced in
/// every channel. It plays as long as it did, but for half a frame at the end.
///
/// Every frame that has anything of a range is replaced; ranges that overlap become one, with a tone if one of them asks
/// for it. What is replaced is not even read. The header is written anew: no other chunk comes along (`LIST`, `bext`,
/// `iXML`, cue points may quote what is said), nor what a format chunk holds beside its numbers. Memory: 256 KiB.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) for an empty range and one that begins behind the end of the source;
/// [`Unsupported`](ErrorKind::Unsupported) for all but PCM, floating point, µ-law and A-law in WAV;
/// [`TooLarge`](ErrorKind::TooLarge) above 4 GiB; as the source and the output.
pub(crate) fn replace(
    source: &mut (impl Read + Seek),
    stretch: Option<Range<u64>>,
    ranges: &[(Range<u64>, Filler)],
    out: &mut impl Write,
) -> Result<Replaced> {
    let reading = |e| Error::from_io(e, "reading a recording");
    let Some(wav) = Wav::read(source).map_err(reading)? else { return Err(unsupported(probe(source).as_ref())) };
    let Some(sample) = Sample::of(&wav) else { return Err(unsupported(Some(&wav.info()))) };
    let wav = wav.without_extras();
    let written = match stretch {
        None => 0..wav.frames(),
        Some(ms) => frames_in(&wav, &ms)?,
    };
    let replaced = clipped(merged(&wav, ranges)?, &written);
    let frame = u64::from(wav.frame);
    let len = (written.end - written.start) * frame;
    let too_large = || Error::new(ErrorKind::TooLarge, "redacting more than 4 GiB of a recording");
    let block = Zeroizing::new(vec![0; usize::try_from(len).unwrap_or(BLOCK).min(BLOCK)]);
    let mut copy = Copying { wav: &wav, sample, source, out, block };
    copy.write(&wav.header(len).ok_or_else(too_large)?)?;
    let mut at = written.start;
    for (frames, filler) in &replaced {
        copy.pass(at..frames.start)?;
        copy.fill(frames.end - frames.start, *filler)?;
        at = frames.end;
    }
    copy.pass(at..written.end)?;
    if len % 2 == 1 {
        copy.write(&[0])?;
    }
    let begin = wav.data_at + written.start * frame;
    Ok(Replaced {
        ms: wav.ms_of(&written),
        source: begin..begin + len,
        stretches: replaced.iter().map(|(frames, filler)| (wav.ms_of(frames), *filler)).collect(),
    })
}

fn unsupported(info: Option<&super::AudioInfo>) -> Error {
    // A name from a file would be its own words.
    let known = info.map(|info| &info.codec).filter(|codec| !matches!(codec, Codec::Other(_)));
    let doing = match known {
        Some(codec @ (Codec::Pcm | Codec::Float)) => format!("redacting a recording in {codec} of this width"),
        Some(codec) => format!("redacting a recording in {codec}, which has to be decoded first"),
        None => "redacting a recording that is not recognised".to_owned(),
    };
    Error::new(ErrorKind::Unsupported, doing)
}

fn frames_in(wav: &Wav, ms: &Range<u64>) -> Result<Range<u64>> {
    let frames = wav.frames_in(ms);
    let why = match (ms.is_empty(), frames.is_empty()) {
        (true, _) => "an empty stretch",
        (false, true) => "a stretch behind the end",
        (false, false) => return Ok(frames),
    };
    Err(Error::new(ErrorKind::InvalidInput, format!("redacting {why} of a recording")))
}

/// The frames of the ranges, in order and apart.
fn merged(wav: &Wav, ranges: &[(Range<u64>, Filler)]) -> Result<Vec<(Range<u64>, Filler)>> {
    let mut all = Vec::with_capacity(ranges.len());
    for (ms, filler) in ranges {
        all.push((frames_in(wav, ms)?, *filler));
    }
    all.sort_by_key(|(frames, _)| frames.start);
    let mut merged: Vec<(Range<u64>, Filler)> = Vec::with_capacity(all.len());
    for (frames, filler) in all {
        match merged.last_mut() {
            Some((last, fills)) if frames.start < last.end || (frames.start == last.end && *fills == filler) => {
                last.end = last.end.max(frames.end);
                *fills = (*fills).max(filler);
            }
            _ => merged.push((frames, filler)),
        }
    }
    Ok(merged)
}

/// What of them is within.
fn clipped(ranges: Vec<(Range<u64>, Filler)>, within: &Range<u64>) -> Vec<(Range<u64>, Filler)> {
    let clip =
        |(frames, filler): (Range<u64>, Filler)| (frames.start.max(within.start)..frames.end.min(within.end), filler);
    ranges.into_iter().map(clip).filter(|(frames, _)| !frames.is_empty()).collect()
}

struct Copying<'a, R, W> {
    wav: &'a Wav,
    sample: Sample,
    source: &'a mut R,
    out: &'a mut W,
    block: Zeroizing<Vec<u8>>,
}

impl<R: Read + Seek, W: Write> Copying<'_, R, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|e| Error::from_io(e, "writing a redacted recording"))
    }

    /// Copies frames as they are.
    fn pass(&mut self, frames: Range<u64>) -> Result<()> {
        let reading = |e| Error::from_io(e, "reading a recording");
        let frame = u64::from(self.wav.frame);
        let mut left = frames.end.saturating_sub(frames.start) * frame;
        if left == 0 {
            return Ok(());
        }
        self.source.seek(SeekFrom::Start(self.wav.data_at + frames.start * frame)).map_err(reading)?;
        while left > 0 {
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(self.block.len());
            self.source.read_exact(&mut self.block[..n]).map_err(reading)?;
            self.out.write_all(&self.block[..n]).map_err(|e| Error::from_io(e, "writing a redacted recording"))?;
            left -= n as u64;
        }
        Ok(())
    }

    fn fill(&mut self, frames: u64, filler: Filler) -> Result<()> {
        let frame = usize::from(self.wav.frame);
        let at_once = usize::try_from(frames).unwrap_or(usize::MAX).min((BLOCK / frame).max(1));
        // Not the block that what was read is in.
        let mut filled = vec![0; at_once * frame];
        let mut done = 0;
        while done < frames {
            let n = usize::try_from(frames - done).unwrap_or(usize::MAX).min(at_once);
            for (at, bytes) in filled[..n * frame].chunks_exact_mut(frame).enumerate() {
                let value = match filler {
                    Filler::Silence => 0.0,
                    Filler::Tone => AMPLITUDE * sine(done + at as u64, self.wav.rate),
                };
                bytes.chunks_exact_mut(self.sample.len()).for_each(|bytes| self.sample.write(value, bytes));
            }
            self.write(&filled[..n * frame])?;
            done += n as u64;
        }
        Ok(())
    }
}

/// The tone at one frame, counted from its beginning.
fn sine(frame: u64, rate: u32) -> f64 {
    // Of low rates, a sine that they can hold.
    let (hertz, rate) = if rate < 4 * TONE { (1, 4) } else { (TONE.into(), rate.into()) };
    // Every second begins anew: no number grows until it is inexact.
    ((frame % rate * hertz) as f64 / rate as f64 * TAU).sin()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::tests::{sound, wav};
    use super::*;

    fn replaced(file: &[u8], ranges: &[(Range<u64>, Filler)]) -> Result<(Vec<u8>, Replaced)> {
        let mut out = Vec::new();
        let told = replace(&mut Cursor::new(file), None, ranges, &mut out)?;
        Ok((out, told))
    }

    fn data(file: &[u8]) -> &[u8] {
        let wav = Wav::read(&mut Cursor::new(file)).unwrap().unwrap();
        &file[wav.data_at as usize..][..wav.data_len as usize]
    }

    /// Format tag, channels, bits, and the byte patterns of a silent sample.
    const FORMS: [(u16, u16, u16, &[u8]); 10] = [
        (1, 1, 8, &[0x80]),
        (1, 2, 16, &[0, 0]),
        (1, 1, 24, &[0, 0, 0]),
        (1, 3, 32, &[0, 0, 0, 0]),
        (3, 2, 32, &[0; 4]),
        (3, 1, 64, &[0; 8]),
        (7, 1, 8, &[0xFF]),
        (7, 2, 8, &[0xFF]),
        (6, 1, 8, &[0xD5]),
        (6, 2, 8, &[0xD5]),
    ];

    #[test]
    fn of_every_form_the_frames_in_the_ranges_are_replaced_and_no_others() {
        for (tag, channels, bits, silence) in FORMS {
            for (rate, extensible) in [(8000, false), (11_025, true)] {
                let frame = usize::from(channels * bits / 8);
                let sound = sound(rate as usize * 2 * frame);
                let file = wav(tag, channels, bits, rate, &sound, extensible, sound.len() as u32);
                let at = |ms: usize, up: usize| (ms * rate as usize + up) / 1000 * frame;
                let (quiet, loud) = (at(501, 0)..at(777, 999), at(1200, 0)..at(1999, 999));
                let ranges = [(1200..1999, Filler::Tone), (501..777, Filler::Silence)];
                let (out, told) = replaced(&file, &ranges).unwrap();
                let made = data(&out);
                assert_eq!(made.len(), sound.len());
                for (n, (is, was)) in made.iter().zip(&sound).enumerate() {
                    if quiet.contains(&n) {
                        assert_eq!(*is, silence[(n - quiet.start) % silence.len()], "{tag} {bits} {n}");
                    } else if !loud.contains(&n) {
                        assert_eq!(is, was, "{tag} {bits} {n}");
                    }
                }
                let form = Sample::of(&Wav::read(&mut Cursor::new(&file)).unwrap().unwrap()).unwrap();
                let levels: Vec<f32> = made[loud].chunks_exact(form.len()).map(|s| form.level(s)).collect();
                let loudest = levels.iter().copied().fold(0.0, f32::max);
                assert!((0.094..0.104).contains(&loudest), "{tag} {bits} {loudest}");
                let power = levels.iter().map(|l| l * l).sum::<f32>() / levels.len() as f32;
                assert!((20.0 * power.sqrt().log10() + 23.0).abs() < 0.35, "{tag} {bits} {power}");
                assert_eq!(told.stretches.len(), 2);
                assert!(told.stretches[0].0.start <= 501 && told.stretches[0].0.end >= 777, "{told:?}");
            }
        }
    }

    /// Every sample of a file as SoX decodes it and what it complains of, or nothing where there is no SoX.
    fn by_sox(file: &[u8]) -> Option<(Vec<f64>, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        std::fs::write(&path, file).unwrap();
        let mut sox = std::process::Command::new("sox");
        let done = match sox.arg(&path).args(["-t", "f64", "-L", "-"]).output() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
            done => done.unwrap(),
        };
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}");
        Some((done.stdout.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(), said))
    }

    #[test]
    fn another_decoder_hears_the_rest_unchanged_and_silence_or_a_tone_between() {
        for (tag, channels, bits, _) in FORMS {
            // SoX clips what does not fit 32 bits of integer, and floats of any bytes do not.
            let sound = if tag == 3 {
                let float = |n: u32| f64::from((n.wrapping_mul(2_654_435_761) >> 16) as u16) / 65_536.0 - 0.5;
                let samples = 0..2 * 8000 * u32::from(channels);
                match bits {
                    32 => samples.flat_map(|n| (float(n) as f32).to_le_bytes()).collect(),
                    _ => samples.flat_map(|n| float(n).to_le_bytes()).collect(),
                }
            } else {
                sound(2 * 8000 * usize::from(channels * bits / 8))
            };
            let file = wav(tag, channels, bits, 8000, &sound, tag == 1 && bits > 16, sound.len() as u32);
            let ranges = [(250..500, Filler::Silence), (1000..1750, Filler::Tone)];
            let (out, _) = replaced(&file, &ranges).unwrap();
            let (Some((was, _)), Some((is, said))) = (by_sox(&file), by_sox(&out)) else {
                return println!("skipped: this system has no SoX");
            };
            assert_eq!(said, "", "it complains of the copy: {tag} {bits}");
            let frames = |ms: usize| ms * 8 * usize::from(channels);
            assert_eq!((was.len(), is.len()), (frames(2000), frames(2000)), "{tag} {bits}");
            for kept in [0..250, 500..1000, 1750..2000] {
                assert_eq!(was[frames(kept.start)..frames(kept.end)], is[frames(kept.start)..frames(kept.end)]);
            }
            // A-law has no zero: its least step is the silence.
            assert!(is[frames(250)..frames(500)].iter().all(|sample| sample.abs() <= 8.0 / 32_768.0), "{tag} {bits}");
            for channel in 0..usize::from(channels) {
                let tone: Vec<f64> =
                    is[frames(1000)..frames(1750)].iter().skip(channel).step_by(channels.into()).copied().collect();
                let power = tone.iter().map(|s| s * s).sum::<f64>() / tone.len() as f64;
                let turns = |n: usize| n as f64 * TAU / 8.0;
                let (re, im) = tone
                    .iter()
                    .enumerate()
                    .fold((0.0, 0.0), |(re, im), (n, s)| (re + s * turns(n).cos(), im + s * turns(n).sin()));
                let at_1_khz = 2.0 * (re * re + im * im) / (tone.len() as f64).powi(2);
                assert!((10.0 * power.log10() + 23.01).abs() < 0.2, "{tag} {bits} {power}");
                assert!(at_1_khz / power > 0.995, "{tag} {bits} {}", at_1_khz / power);
            }
        }
    }

    #[test]
    fn nothing_but_the_sound_and_its_numbers_comes_along() {
        let sound = sound(16_000);
        for extensible in [false, true] {
            let mut file = wav(7, 1, 8, 8000, &sound, extensible, sound.len() as u32);
            file.extend(b"LIST\x10\0\0\0INFOICMT\x04\0\0\0card");
            let at = file.windows(4).position(|w| w == b"fmt ").unwrap() + 8;
            // A format chunk with more behind its numbers, and another average than its own.
            let len = u32::from_le_bytes(file[at - 4..at].try_into().unwrap()) as usize;
            file.splice(at + len..at + len, b"4111 1111 1111 1111".iter().copied().chain([0]));
            file[at - 4..at].copy_from_slice(&(len as u32 + 20).to_le_bytes());
            file[at + 8..at + 12].copy_from_slice(b"PIN7");
            let (out, _) = replaced(&file, &[(0..10, Filler::Silence)]).unwrap();
            for leak in [&b"card"[..], b"4111", b"PIN7", b"LIST", b"odd"] {
                assert!(!out.windows(leak.len()).any(|w| w == leak), "{leak:?}");
            }
            let info = probe(&mut Cursor::new(&out)).unwrap();
            assert_eq!((info.codec, info.rate_hz, info.duration_ms), (Codec::MuLaw, Some(8000), Some(2000)));
            assert_eq!(u32::from_le_bytes(out[4..8].try_into().unwrap()) as usize, out.len() - 8);
        }
    }

    #[test]
    fn what_is_replaced_is_not_read() {
        let sound = sound(8000 * 2 * 60);
        let file = wav(1, 1, 16, 8000, &sound, false, sound.len() as u32);
        let begin = file.len() - sound.len();
        let mut source = super::super::tests::Watched::new(&file);
        let ranges = [(10_000..20_000, Filler::Silence), (40_000..50_000, Filler::Tone)];
        replace(&mut source, Some(5000..45_000), &ranges, &mut Vec::new()).unwrap();
        for (n, was_read) in source.read.iter().enumerate().skip(begin) {
            let ms = (n - begin) / 16;
            assert_eq!(*was_read, matches!(ms, 5000..10_000 | 20_000..40_000), "{ms}");
        }
    }

    #[test]
    fn ranges_in_any_order_that_overlap_are_one() {
        use Filler::{Silence, Tone};
        let file = wav(1, 1, 16, 8000, &sound(8000 * 2 * 2), false, 0);
        let (_, told) = replaced(
            &file,
            &[
                (1500..9999, Silence),
                (100..200, Silence),
                (150..300, Tone),
                (300..400, Tone),
                (400..500, Silence),
                (100..101, Silence),
                (1999..2000, Silence),
            ],
        )
        .unwrap();
        assert_eq!(told.stretches, [(100..400, Tone), (400..500, Silence), (1500..2000, Silence)]);
        assert_eq!(told.ms, 0..2000);
    }

    #[test]
    fn of_a_stretch_the_ranges_count_from_the_beginning_of_the_whole() {
        let sound = sound(8000 * 2 * 3);
        let file = wav(1, 1, 16, 8000, &sound, false, sound.len() as u32);
        let mut out = Vec::new();
        let ranges = [(0..500, Filler::Silence), (900..1100, Filler::Silence), (1500..1600, Filler::Silence)];
        let told = replace(&mut Cursor::new(&file), Some(1000..2000), &ranges, &mut out).unwrap();
        assert_eq!((told.ms.clone(), told.stretches.len()), (1000..2000, 2));
        assert_eq!(told.stretches[0].0, 1000..1100);
        let made = data(&out);
        assert_eq!(made.len(), 16_000);
        assert!(made[..1600].iter().chain(&made[8000..9600]).all(|b| *b == 0));
        assert_eq!(made[1600..8000], sound[17_600..24_000]);
        assert_eq!(&file[told.source.start as usize..told.source.end as usize], &sound[16_000..32_000]);
    }

    #[test]
    fn what_cannot_be_done_is_refused_before_anything_is_written() {
        let file = wav(1, 1, 16, 8000, &sound(16_000), false, 0);
        let refused = |file: &[u8], stretch: Option<Range<u64>>, ms: Range<u64>| {
            let mut out = Vec::new();
            let e = replace(&mut Cursor::new(file), stretch, &[(ms, Filler::Tone)], &mut out).unwrap_err();
            assert!(out.is_empty());
            (e.kind(), e.to_string())
        };
        for ms in [5..5, 1000..1001, u64::MAX - 1..u64::MAX] {
            assert_eq!(refused(&file, None, ms).0, ErrorKind::InvalidInput);
        }
        for stretch in [1000..2000, 5..5] {
            assert_eq!(refused(&file, Some(stretch), 0..1).0, ErrorKind::InvalidInput);
        }
        // GSM, a width that nobody plays, and no sound at all.
        for (tag, bits, named) in [(0x31, 8, "GSM"), (1, 48, "PCM of this width"), (0x9999, 8, "not recognised")] {
            let (kind, text) = refused(&wav(tag, 1, bits, 8000, &sound(480), false, 480), None, 0..1);
            assert_eq!(kind, ErrorKind::Unsupported);
            assert!(text.contains(named), "{text}");
        }
        assert_eq!(refused(b"no sound", None, 0..1).0, ErrorKind::Unsupported);
    }

    #[test]
    fn a_tone_keeps_its_phase_for_an_hour_and_low_rates_have_one_too() {
        for rate in [4000, 8000, 44_100, 48_000] {
            let hour = u64::from(rate) * 3600;
            assert!((0..100).all(|n| (sine(n, rate) - sine(hour + n, rate)).abs() < 1e-9));
        }
        assert!((0..4).any(|n| sine(n, 1000) > 0.99));
    }
}
