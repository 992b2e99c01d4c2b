//! MPEG audio layer III frames (ISO/IEC 11172-3, 13818-3).

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::stream::read_full;

/// Bytes that may come before the first frame.
const MAX_LEAD: usize = 64 * 1024;

/// Gives one frame after the other.
pub(super) struct Frames<R> {
    input: BufReader<R>,
    pub(super) at: u64,
    first: bool,
}

pub(super) struct Frame {
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
    /// Samples of each channel, and samples a second.
    pub(super) samples: u32,
    pub(super) rate: u32,
}

struct Header {
    len: usize,
    samples: u32,
    rate: u32,
}

impl Header {
    fn parse(b: [u8; 4]) -> Option<Self> {
        let version = (b[1] >> 3) & 3;
        // Sync, a version that is, layer III.
        if b[0] != 0xFF || b[1] & 0xE0 != 0xE0 || version == 1 || (b[1] >> 1) & 3 != 1 {
            return None;
        }
        const ONE: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const TWO: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let first = version == 3;
        let table = if first { ONE } else { TWO };
        let kbps = *table.get(usize::from(b[2] >> 4)).filter(|kbps| **kbps > 0)?;
        let rate = [44_100, 48_000, 32_000].get(usize::from((b[2] >> 2) & 3))? / [4, 1, 2, 1][usize::from(version)];
        let samples = if first { 1152 } else { 576 };
        let len = samples / 8 * kbps * 1000 / rate + u32::from((b[2] >> 1) & 1);
        (len > 4).then_some(Self { len: len as usize, samples, rate })
    }
}

impl<R: Read + Seek> Frames<R> {
    /// Finds the first frame, behind an ID3v2 tag if there is one. Nothing if none comes soon.
    pub(super) fn find(mut input: R) -> io::Result<Option<Self>> {
        input.seek(SeekFrom::Start(0))?;
        let mut head = [0; 10];
        let got = read_full(&mut input, &mut head)?;
        let mut at = 0;
        if got == 10 && head.starts_with(b"ID3") {
            at = 10 + head[6..].iter().fold(0u64, |size, byte| size << 7 | u64::from(byte & 0x7F));
        }
        input.seek(SeekFrom::Start(at))?;
        let mut lead = vec![0; MAX_LEAD];
        let got = read_full(&mut input, &mut lead)?;
        let header = |at: usize| lead[..got].get(at..at + 4).and_then(|b| b.try_into().ok()).and_then(Header::parse);
        // A frame behind which another comes, or the end.
        let found = (0..got).find(|at| header(*at).is_some_and(|h| at + h.len == got || header(at + h.len).is_some()));
        let Some(found) = found else { return Ok(None) };
        at += found as u64;
        input.seek(SeekFrom::Start(at))?;
        Ok(Some(Self { input: BufReader::with_capacity(64 * 1024, input), at, first: true }))
    }

    /// The next frame; nothing at the end, or where what follows is none.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let mut head = [0; 4];
            if read_full(&mut self.input, &mut head)? < 4 {
                return Ok(None);
            }
            let Some(header) = Header::parse(head) else { return Ok(None) };
            let mut bytes = head.to_vec();
            bytes.resize(header.len, 0);
            if read_full(&mut self.input, &mut bytes[4..])? < header.len - 4 {
                return Ok(None);
            }
            let at = self.at;
            self.at += header.len as u64;
            // The first may hold no sound but a table of contents for all.
            let names =
                |name: &[u8]| bytes.get(4..40.min(bytes.len())).is_some_and(|b| b.windows(4).any(|w| w == name));
            if std::mem::take(&mut self.first) && (names(b"Xing") || names(b"Info")) {
                continue;
            }
            return Ok(Some(Frame { at, bytes, samples: header.samples, rate: header.rate }));
        }
    }
}
