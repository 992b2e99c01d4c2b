use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use zeroize::Zeroizing;

use super::sample::{Sample, part};
use super::wav::Wav;
use crate::error::{Error, Result};

/// Bytes that are read at once, at most.
const BLOCK: usize = 256 * 1024;
/// Channels of which a picture is made.
const MAX_CHANNELS: u16 = 8;

/// How loud a recording is from place to place: what a picture of it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peaks {
    /// The stretch that it is of, in milliseconds of the source.
    pub(crate) ms: Range<u64>,
    /// For each channel, the loudest sample of each bucket: 0 to 255, which is full scale. A bucket in which nothing may
    /// be looked at is 0.
    pub(crate) channels: Vec<Vec<u8>>,
}

impl Peaks {
    /// Looks at a WAV recording, or a stretch of it, in so many buckets of the same length; fewer if it has not as many
    /// samples. What is in `hidden` (milliseconds of the source) is not even read. Nothing for what is not PCM, floating
    /// point, µ-law or A-law in WAV, is empty, or has more than 8 channels. Memory: 256 KiB, and a byte a bucket and
    /// channel.
    ///
    /// # Errors
    /// As the source.
    pub(crate) fn of(
        source: &mut (impl Read + Seek),
        stretch: Option<Range<u64>>,
        hidden: &[Range<u64>],
        buckets: usize,
    ) -> Result<Option<Self>> {
        let reading = |e| Error::from_io(e, "reading a recording");
        let Some(wav) = Wav::read(source).map_err(reading)? else { return Ok(None) };
        let Some(sample) = Sample::of(&wav).filter(|_| wav.channels <= MAX_CHANNELS) else { return Ok(None) };
        let frames = stretch.map_or(0..wav.frames(), |ms| wav.frames_in(&ms));
        let all = frames.end - frames.start;
        let buckets = (buckets as u64).min(all);
        if buckets == 0 {
            return Ok(None);
        }
        // Telephone calls mostly are of single bytes.
        let levels = sample.levels();
        let mut hidden: Vec<Range<u64>> = hidden.iter().map(|ms| wav.frames_in(ms)).collect();
        hidden.sort_by_key(|frames| frames.start);
        let frame = u64::from(wav.frame);
        let at_once = (BLOCK as u64 / frame).max(1).min(all);
        let mut block = Zeroizing::new(vec![0; (at_once * frame) as usize]);
        let mut channels = vec![vec![0; buckets as usize]; wav.channels.into()];
        // The first frame behind a bucket.
        let behind = |bucket: usize| {
            let end = (u128::from(all) * (bucket as u128 + 1)).div_ceil(buckets.into());
            frames.start + u64::try_from(end).unwrap_or(all)
        };
        let mut bucket = 0;
        for shown in between(&hidden, &frames) {
            source.seek(SeekFrom::Start(wav.data_at + shown.start * frame)).map_err(reading)?;
            let mut at = shown.start;
            while at < shown.end {
                while behind(bucket) <= at {
                    bucket += 1;
                }
                let n = (shown.end.min(behind(bucket)) - at).min(at_once);
                let bytes = &mut block[..(n * frame) as usize];
                source.read_exact(bytes).map_err(reading)?;
                for (number, peaks) in channels.iter_mut().enumerate() {
                    let frames = bytes.chunks_exact(frame as usize);
                    let loudest = match &levels {
                        Some(levels) => {
                            let samples = frames.filter_map(|of_all| of_all.get(number));
                            samples.map(|byte| levels[usize::from(*byte)]).max().unwrap_or_default()
                        }
                        None => {
                            let begin = number * sample.len();
                            let samples = frames.filter_map(|of_all| of_all.get(begin..begin + sample.len()));
                            part(samples.map(|bytes| sample.level(bytes)).fold(0.0, f32::max))
                        }
                    };
                    if let Some(peak) = peaks.get_mut(bucket) {
                        *peak = loudest.max(*peak);
                    }
                }
                at += n;
            }
        }
        Ok(Some(Self { ms: wav.ms_of(&frames), channels }))
    }
}

/// What of the whole is in none of the ranges, which are in order and may overlap.
fn between(ranges: &[Range<u64>], whole: &Range<u64>) -> Vec<Range<u64>> {
    let (mut shown, mut at) = (Vec::new(), whole.start);
    for range in ranges {
        shown.push(at..range.start.min(whole.end));
        at = at.max(range.end);
    }
    shown.push(at..whole.end);
    shown.retain(|range| !range.is_empty());
    shown
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::tests::{Watched, sound, wav};
    use super::*;

    /// A stereo recording of two seconds: the left channel grows louder, the right is silent but for one sample.
    fn recording() -> Vec<u8> {
        let mut sound = Vec::new();
        for n in 0..16_000_i32 {
            let left = n * 2 * if n % 2 == 0 { 1 } else { -1 };
            let right = if n == 9_999 { -16_384 } else { 0 };
            sound.extend([(left as i16).to_le_bytes(), (right as i16).to_le_bytes()].concat());
        }
        wav(1, 2, 16, 8000, &sound, false, sound.len() as u32)
    }

    fn peaks(file: &[u8], stretch: Option<Range<u64>>, hidden: &[Range<u64>], buckets: usize) -> Option<Peaks> {
        Peaks::of(&mut Cursor::new(file), stretch, hidden, buckets).unwrap()
    }

    #[test]
    fn each_channel_has_its_loudest_sample_in_every_bucket() {
        let told = peaks(&recording(), None, &[], 8).unwrap();
        assert_eq!(told.ms, 0..2000);
        assert_eq!(told.channels, [vec![31, 62, 93, 124, 156, 187, 218, 249], vec![0, 0, 0, 0, 128, 0, 0, 0]]);
        let told = peaks(&recording(), Some(1000..1500), &[], 2).unwrap();
        assert_eq!((told.ms, told.channels), (1000..1500, vec![vec![156, 187], vec![128, 0]]));
        // No more buckets than samples.
        assert_eq!(peaks(&recording(), Some(1..2), &[], 600).unwrap().channels[0].len(), 8);
    }

    #[test]
    fn what_is_hidden_is_not_looked_at() {
        let file = recording();
        let hidden = [1200..1300, 500..1000, 900..1100, 1900..9999];
        let told = peaks(&file, None, &hidden, 20).unwrap();
        assert_eq!(told.channels[0][5..11], [0; 6]);
        assert_eq!((told.channels[0][12], told.channels[0][19]), (0, 0));
        assert!(told.channels[0][4] > 50 && told.channels[0][11] > 140 && told.channels[1].iter().all(|p| *p == 0));
        let mut source = Watched::new(&file);
        Peaks::of(&mut source, Some(100..1950), &hidden, 20).unwrap();
        for (n, was_read) in source.read.iter().enumerate().skip(file.len() - 64_000) {
            let ms = (n - (file.len() - 64_000)) / 32;
            assert_eq!(*was_read, matches!(ms, 100..500 | 1100..1200 | 1300..1900), "{ms}");
        }
        assert_eq!(peaks(&file, None, std::slice::from_ref(&(0..9999)), 3).unwrap().channels[0], [0; 3]);
    }

    #[test]
    fn every_linear_form_has_peaks_and_no_other_has() {
        for (tag, bits) in [(1, 8), (1, 16), (1, 24), (1, 32), (6, 8), (7, 8)] {
            let file = wav(tag, 1, bits, 8000, &sound(8000 * usize::from(bits) / 8), false, 0);
            let told = peaks(&file, None, &[], 10).unwrap();
            assert!(told.channels[0].iter().all(|peak| *peak > 200), "{tag} {bits} {told:?}");
        }
        let quiet = wav(3, 1, 32, 8000, &0.25_f32.to_le_bytes().repeat(8000), false, 32_000);
        assert_eq!(peaks(&quiet, None, &[], 3).unwrap().channels[0], [64; 3]);
        let loud = wav(3, 1, 32, 8000, &[f32::MAX, f32::NAN].map(f32::to_le_bytes).concat(), false, 8);
        assert_eq!(peaks(&loud, None, &[], 2).unwrap().channels[0], [255, 0]);
        for none in [
            wav(0x31, 1, 8, 8000, &sound(650), false, 650),
            wav(1, 9, 8, 8000, &sound(900), false, 900),
            wav(1, 1, 16, 8000, &[], false, 0),
            b"no sound".to_vec(),
        ] {
            assert_eq!(peaks(&none, None, &[], 10), None);
        }
        assert_eq!(peaks(&recording(), Some(2000..3000), &[], 10), None);
    }
}
