use std::io::Cursor;

use super::wav::Wav;
use super::*;
use crate::error::ErrorKind;

/// A WAV file: format tag, channels, bits, samples as bytes, other chunks before the sound.
pub(super) fn wav(tag: u16, channels: u16, bits: u16, rate: u32, data: &[u8], extensible: bool, told: u32) -> Vec<u8> {
    let frame = channels * bits / 8;
    let mut format = Vec::new();
    format.extend(if extensible { 0xFFFE } else { tag }.to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend((rate * u32::from(frame)).to_le_bytes());
    format.extend(frame.to_le_bytes());
    format.extend(bits.to_le_bytes());
    if extensible {
        format.extend([22, 0, bits as u8, 0, 3, 0, 0, 0]);
        format.extend(tag.to_le_bytes());
        format.extend([0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113]);
    }
    let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0odd\0fmt ".to_vec();
    file.extend((format.len() as u32).to_le_bytes());
    file.extend(&format);
    file.extend(b"data");
    file.extend(told.to_le_bytes());
    file.extend(data);
    file
}

pub(super) fn sound(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 256) as u8).collect()
}

#[test]
fn every_linear_form_is_cut_to_the_frame_and_plays() {
    for (tag, channels, bits, extensible) in [
        (1, 1, 16, false),
        (1, 2, 16, true),
        (1, 1, 8, false),
        (1, 2, 24, true),
        (3, 1, 32, false),
        (6, 2, 8, false),
        (7, 1, 8, false),
        (7, 2, 8, true),
    ] {
        let frame = usize::from(channels * bits / 8);
        // Half a frame at the end.
        let data = sound(8000 * 3 * frame + frame / 2);
        for told in [data.len() as u32, 0, u32::MAX] {
            let file = wav(tag, channels, bits, 8000, &data, extensible, told);
            let info = probe(&mut Cursor::new(&file)).unwrap();
            assert_eq!((info.rate_hz, info.channels, info.duration_ms), (Some(8000), Some(channels), Some(3000)));
            for (range, first, last) in
                [(0..1, 0, 8), (500..1500, 4000, 12_000), (2999..9999, 23_992, 24_000), (0..u64::MAX, 0, 24_000)]
            {
                let mut out = Vec::new();
                let cut = cut(&mut Cursor::new(&file), range.clone(), &mut out).unwrap();
                let expected = &data[first * frame..last * frame];
                let again = Wav::read(&mut Cursor::new(&out)).unwrap().unwrap();
                assert_eq!(&out[again.data_at as usize..][..again.data_len as usize], expected, "{tag} {range:?}");
                assert_eq!(again.info(), AudioInfo { duration_ms: again.info().duration_ms, ..info.clone() });
                assert_eq!(&file[cut.source.start as usize..cut.source.end as usize], expected);
                assert_eq!(u32::from_le_bytes(out[4..8].try_into().unwrap()) as usize, out.len() - 8);
            }
        }
    }
}

#[test]
fn headers_that_many_programs_write_wrong_are_read() {
    let data = sound(8000 * 2);
    // G.711 of a format chunk without bits, or with those before compression.
    for bits in [None, Some(0u16), Some(16)] {
        let mut format = [7u16.to_le_bytes(), 1u16.to_le_bytes()].concat();
        format.extend([8000u32.to_le_bytes(), 8000u32.to_le_bytes()].concat());
        format.extend(1u16.to_le_bytes());
        format.extend(bits.iter().flat_map(|bits| bits.to_le_bytes()));
        // A chunk of odd length, with the byte that fills it up and without.
        for odd in [&b"LIST\x03\0\0\0odd\0"[..], b"LIST\x03\0\0\0odd", b""] {
            let mut file = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
            file.extend((format.len() as u32).to_le_bytes());
            file.extend(&format);
            file.extend(odd);
            file.extend(b"data");
            file.extend((data.len() as u32).to_le_bytes());
            file.extend(&data);
            let mut out = Vec::new();
            let cut = cut(&mut Cursor::new(&file), 500..1000, &mut out).unwrap();
            assert_eq!(&file[cut.source.start as usize..cut.source.end as usize], &data[4000..8000]);
            assert!(out.ends_with(&data[4000..8000]));
            assert_eq!(probe(&mut Cursor::new(&file)).unwrap().duration_ms, Some(2000));
        }
    }
}

/// Counts what is read of it.
struct Counting(Cursor<Vec<u8>>, u64);

impl Read for Counting {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.read(buf)?;
        self.1 += n as u64;
        Ok(n)
    }
}

impl Seek for Counting {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

/// Marks which bytes of a file are read.
pub(super) struct Watched<'a> {
    file: &'a [u8],
    at: usize,
    pub(super) read: Vec<bool>,
}

impl<'a> Watched<'a> {
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self { file, at: 0, read: vec![false; file.len()] }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let mut rest = &self.file[self.at.min(self.file.len())..];
        let n = rest.read(buf)?;
        self.read[self.at..self.at + n].fill(true);
        self.at += n;
        Ok(n)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let mut file = Cursor::new(self.file);
        file.set_position(self.at as u64);
        self.at = file.seek(to)? as usize;
        Ok(self.at as u64)
    }
}

#[test]
fn nothing_but_the_stretch_is_read() {
    let data = sound(16_000 * 600);
    let mut source = Counting(Cursor::new(wav(1, 1, 16, 8000, &data, false, data.len() as u32)), 0);
    cut(&mut source, 300_000..310_000, &mut Vec::new()).unwrap();
    assert!(source.1 < 160_000 + 200, "{} bytes read", source.1);
}

#[test]
fn mp3_is_cut_to_whole_frames_and_other_codecs_are_named() {
    // MPEG 2 layer III, 64 kbit/s, 24 kHz, no padding: 192 bytes and 24 ms a frame.
    let frame = |n: u8| {
        let mut frame = vec![n; 192];
        frame[..4].copy_from_slice(&[0xFF, 0xF3, 0x84, 0xC4]);
        frame
    };
    let mut file = b"ID3\x03\0\0\0\0\0\x05junk!".to_vec();
    let mut table = frame(0);
    table[13..17].copy_from_slice(b"Xing");
    file.extend(&table);
    (0..100).for_each(|n| file.extend(frame(n)));
    let mut out = Vec::new();
    let cut_out = cut(&mut Cursor::new(&file), 240..480, &mut out).unwrap();
    assert_eq!((cut_out.ms, cut_out.media_type), (240..480, "audio/mpeg"));
    assert_eq!(out, (10..20).flat_map(frame).collect::<Vec<u8>>());
    let mut out = Vec::new();
    assert_eq!(cut(&mut Cursor::new(&file), 241..242, &mut out).unwrap().ms, 240..264);
    assert_eq!(out, frame(10));

    let gsm = wav(0x31, 1, 0, 8000, &sound(650), false, 650);
    let refused = |file: &[u8], range| cut(&mut Cursor::new(file), range, &mut Vec::new()).unwrap_err();
    // A block of GSM is 65 bytes, which the header above does not say.
    assert_eq!(refused(&gsm, 0..100).kind(), ErrorKind::Unsupported);
    let adpcm = wav(0x11, 1, 16, 8000, &sound(650), false, 650);
    assert!(refused(&adpcm, 0..100).to_string().contains("ADPCM"));
    assert_eq!(refused(b"no sound at all", 0..100).kind(), ErrorKind::Unsupported);
    let pcm = wav(1, 1, 16, 8000, &sound(16_000), false, 16_000);
    for range in [5..5, 1000..2000] {
        assert_eq!(refused(&pcm, range).kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_header_that_is_cut_or_changed_anywhere_is_survived() {
    let data = sound(400);
    for file in [wav(1, 2, 16, 8000, &data, true, 400), wav(7, 1, 8, 8000, &data, false, u32::MAX)] {
        for at in 0..file.len() {
            let _ = probe(&mut Cursor::new(&file[..at]));
            for change in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
                let mut file = file.clone();
                file[at] ^= change;
                let _ = probe(&mut Cursor::new(&file));
                let _ = cut(&mut Cursor::new(&file), 1..20, &mut Vec::new());
                let _ = Peaks::of(&mut Cursor::new(&file), Some(1..20), &[2..3, 5..9], 7);
                let fill = [(1..20, Filler::Tone)];
                let _ = replace(&mut Cursor::new(&file), Some(0..30), &fill, &mut Vec::new());
            }
        }
    }
}
