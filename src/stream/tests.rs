use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;

use super::cipher::{Gcm, Ring, Wiping};
use super::*;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

mod refusals;
mod vectors;

const KEY: [u8; 32] = [0x5A; 32];
const CONTEXT: &[u8] = b"here";
/// The length of three chunks, the last short.
const THREE: usize = 2 * CHUNK + 100;

#[test]
fn every_length_around_chunk_boundaries_opens_whole_and_by_range() {
    for len in boundary_lengths() {
        let plain = noise(len);
        let sealed = seal(&plain);
        assert_eq!(sealed_len(len as u64), sealed.len() as u64, "{len}");
        assert_eq!(opened_len(sealed.len() as u64), Some(len as u64));

        let (opened, failed) = open_all(&sealed, &KEY, CONTEXT);
        assert!(opened == plain && failed.is_none(), "{len}");
        let mut reader = ranges(&sealed).unwrap();
        let mut opened = Vec::new();
        reader.read_to_end(&mut opened).unwrap();
        assert!(opened == plain, "{len}");
        assert_eq!((reader.claimed_len(), reader.authenticate_end().unwrap()), (len as u64, len as u64));
        for (from, to) in [(0, len), (len / 2, len), (len, len), (len / 3, len / 2), (CHUNK - 2, CHUNK + 2)] {
            let (from, to) = (from.min(len), to.min(len));
            let mut range = vec![0; to - from];
            reader.read_range(from as u64, &mut range).unwrap();
            assert!(range == plain[from..to], "{len}: {from}..{to}");
        }
        let past = reader.read_range(len as u64, &mut [0]).unwrap_err();
        assert_eq!(past.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn lengths_that_no_stream_has_are_told_apart_from_those_that_some_has() {
    let mut sealed = 0;
    for len in 0..3 * CHUNK as u64 {
        let next = sealed_len(len);
        assert!((sealed..next).all(|between| opened_len(between).is_none()), "between {sealed} and {next}");
        assert_eq!(opened_len(next), Some(len));
        sealed = next + 1;
    }
}

#[test]
fn a_seek_from_the_end_authenticates_the_end_first() {
    let plain = noise(THREE);
    let medium = Watched { bytes: seal(&plain), reads: Mutex::default() };
    let mut reader = RangeReader::new(&medium, &KEY, CONTEXT).unwrap();
    let header = (0, HEADER);
    assert_eq!(*medium.reads.lock().unwrap(), [header]);
    assert_eq!(reader.seek(SeekFrom::End(-(CHUNK as i64))).unwrap(), (THREE - CHUNK) as u64);
    assert_eq!(*medium.reads.lock().unwrap(), [header, ((HEADER + 2 * SEALED_CHUNK) as u64, 100 + TAG)]);
    let mut tail = Vec::new();
    reader.read_to_end(&mut tail).unwrap();
    assert!(tail == plain[THREE - CHUNK..]);

    // Cut so that the length is a possible one: only the last chunk's tag can tell.
    let cut = medium.bytes[..medium.bytes.len() - 40].to_vec();
    let mut reader = ranges(&cut).unwrap();
    let refused = reader.seek(SeekFrom::End(-1)).unwrap_err();
    assert_eq!(Error::from_io(refused, "").kind(), ErrorKind::Tampered);
    assert_eq!(reader.stream_position().unwrap(), 0);
}

#[test]
fn seeks_from_start_and_current_land_where_they_say_and_never_before_the_start() {
    let plain = noise(THREE);
    let mut reader = ranges(&seal(&plain)).unwrap();
    let mut two = [0; 2];
    for (to, at) in [
        (SeekFrom::Start(CHUNK as u64 - 1), CHUNK - 1),
        (SeekFrom::Current(CHUNK as i64), 2 * CHUNK + 1),
        (SeekFrom::Current(-3), 2 * CHUNK),
        (SeekFrom::Start(0), 0),
    ] {
        assert_eq!(reader.seek(to).unwrap(), at as u64);
        reader.read_exact(&mut two).unwrap();
        assert_eq!(two, plain[at..at + 2]);
    }
    for to in [SeekFrom::Current(-3), SeekFrom::End(-(THREE as i64) - 1)] {
        assert_eq!(reader.seek(to).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(reader.stream_position().unwrap(), 2);
    }
    reader.seek(SeekFrom::Start(THREE as u64 + 1)).unwrap();
    assert_eq!(reader.read(&mut two).unwrap(), 0);
}

#[test]
fn ring_and_aes_gcm_give_the_same_bytes_and_open_each_others() {
    for len in boundary_lengths() {
        let plain = noise(len);
        let (fast, wiping) = (sealed_by::<Ring>(&plain), sealed_by::<Wiping>(&plain));
        assert!(fast == wiping, "{len}");
        assert!(open_all(&wiping, &KEY, CONTEXT) == (plain.clone(), None), "{len}");
        assert!(unwrap(&secret(), CONTEXT, &fast).unwrap()[..] == plain, "{len}");
        let wrapped = wrap(&secret(), CONTEXT, &plain).unwrap();
        assert!(open_all(&wrapped, &KEY, CONTEXT) == (plain, None), "{len}");
    }
}

fn sealed_by<C: Gcm>(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sealer = Sealer::<C>::start_with_salt(&secret(), CONTEXT, &[7; 24], &mut out);
    sealer.update(plain, &mut out).unwrap();
    sealer.finish(&mut out).unwrap();
    out
}

#[test]
fn another_key_or_context_is_refused_at_construction() {
    let sealed = seal(b"plain");
    let mut other = KEY;
    other[31] ^= 1;
    for (key, context) in [(&other, CONTEXT), (&KEY, &b"her"[..]), (&KEY, b"here\0"), (&KEY, b"")] {
        assert_eq!(OpenReader::new(&sealed[..], key, context).err().unwrap().kind(), ErrorKind::Tampered);
        assert_eq!(RangeReader::new(sealed.clone(), key, context).err().unwrap().kind(), ErrorKind::Tampered);
        let key = Secret::from_slice(key).unwrap();
        assert_eq!(unwrap(&key, context, &sealed).unwrap_err().kind(), ErrorKind::Tampered);
    }
}

#[test]
fn a_writer_holds_back_less_than_a_chunk() {
    let gauge = Gauge::default();
    let mut writer = SealWriter::new(&gauge, &KEY, CONTEXT).unwrap();
    let (mut given, piece) = (0, vec![0; 100_003]);
    while given < 64 << 20 {
        writer.write_all(&piece).unwrap();
        given += piece.len();
        assert_eq!(gauge.total.get(), HEADER + given / CHUNK * SEALED_CHUNK, "after {given}");
    }
    writer.finish().unwrap();
    assert_eq!(gauge.total.get() as u64, sealed_len(given as u64));
    assert!(gauge.largest.get() <= HEADER + 2 * SEALED_CHUNK, "{} bytes at once", gauge.largest.get());
}

#[test]
fn what_comes_after_the_end_of_a_stream_withholds_its_last_chunk_for_good() {
    for after in [Ok(vec![0]), Err(io::ErrorKind::TimedOut)] {
        let input = Parts(vec![after, Ok(seal(b"plain"))]);
        let mut reader = OpenReader::new(input, &KEY, CONTEXT).unwrap();
        let mut opened = Vec::new();
        for _ in 0..3 {
            assert!(reader.read_to_end(&mut opened).is_err());
        }
        assert_eq!(opened, b"");
    }
}

#[test]
fn a_buffer_is_wiped_whenever_its_range_cannot_be_read() {
    let reader = ranges(&seal(b"plain")).unwrap();
    let mut buf = [0xEE; 6];
    assert_eq!(reader.read_range(0, &mut buf).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(buf, [0; 6]);
}

#[test]
fn readers_hold_no_more_than_they_say_and_touch_no_more_than_they_need() {
    let sealed = seal(&noise(64 * CHUNK));
    let mut input = &sealed[..];
    let mut reader = OpenReader::new(&mut input, &KEY, CONTEXT).unwrap();
    reader.read_exact(&mut [0]).unwrap();
    drop(reader);
    assert_eq!(sealed.len() - input.len(), HEADER + SEALED_CHUNK);

    let medium = Watched { bytes: sealed, reads: Mutex::default() };
    let mut reader = RangeReader::new(&medium, &KEY, CONTEXT).unwrap();
    reader.read_range(CHUNK as u64 * 3 - 1, &mut [0; 2]).unwrap();
    let two = ((HEADER + 2 * SEALED_CHUNK) as u64, 2 * SEALED_CHUNK);
    assert_eq!(medium.reads.lock().unwrap()[1..], [two]);
    reader.read_to_end(&mut Vec::new()).unwrap();
    reader.read_range(0, &mut vec![0; 64 * CHUNK]).unwrap();
    let largest = medium.reads.lock().unwrap().iter().map(|(_, len)| *len).max();
    assert_eq!(largest, Some(16 * SEALED_CHUNK));
}

#[test]
fn a_writer_whose_output_failed_never_says_that_it_finished() {
    struct FailsOnce(bool);
    impl Write for FailsOnce {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) { Ok(buf.len()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = SealWriter::new(FailsOnce(false), &KEY, CONTEXT).unwrap();
    assert_eq!(writer.write(b"plain").unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(writer.write(b"plain").is_err());
    assert!(writer.finish().is_err());
}

#[test]
fn an_unfinished_stream_does_not_open() {
    let mut out = Vec::new();
    let mut writer = SealWriter::new(&mut out, &KEY, CONTEXT).unwrap();
    writer.write_all(&noise(THREE)).unwrap();
    drop(writer);
    let (opened, failed) = open_all(&out, &KEY, CONTEXT);
    assert_eq!((opened.len(), failed), (2 * CHUNK, Some(ErrorKind::Tampered)));
}

/// Counts what is written to it.
#[derive(Default)]
struct Gauge {
    total: Cell<usize>,
    largest: Cell<usize>,
}

impl Write for &Gauge {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.total.set(self.total.get() + buf.len());
        self.largest.set(self.largest.get().max(buf.len()));
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives its parts from the last to the first, with an end of file after each.
struct Parts(Vec<Result<Vec<u8>, io::ErrorKind>>);

impl Read for Parts {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(part) = self.0.last_mut() else { return Ok(0) };
        let left = part.as_mut().map_err(|kind| io::Error::from(*kind))?;
        let n = buf.len().min(left.len());
        buf[..n].copy_from_slice(&left[..n]);
        left.drain(..n);
        if n == 0 {
            self.0.pop();
        }
        Ok(n)
    }
}

/// Remembers where and how much it was read.
struct Watched {
    bytes: Vec<u8>,
    reads: Mutex<Vec<(u64, usize)>>,
}

impl ReadAt for &Watched {
    fn size(&self) -> io::Result<u64> {
        self.bytes.size()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.reads.lock().unwrap().push((offset, buf.len()));
        self.bytes.read_exact_at(buf, offset)
    }
}

/// Sealed in pieces that match no chunk.
fn seal(plain: &[u8]) -> Vec<u8> {
    let mut writer = SealWriter::new(Vec::new(), &KEY, CONTEXT).unwrap();
    let (mut rest, mut pieces) = (plain, [1, 4_099, CHUNK, 2, CHUNK + 1, 3 * CHUNK].into_iter().cycle());
    while !rest.is_empty() {
        let piece;
        (piece, rest) = rest.split_at(rest.len().min(pieces.next().unwrap()));
        writer.write_all(piece).unwrap();
    }
    writer.finish().unwrap()
}

fn ranges(sealed: &[u8]) -> crate::Result<RangeReader<Vec<u8>>> {
    RangeReader::new(sealed.to_vec(), &KEY, CONTEXT)
}

/// What an [`OpenReader`] releases and how it fails, if it does. A failed reader must fail again.
fn open_all(sealed: &[u8], key: &[u8; 32], context: &[u8]) -> (Vec<u8>, Option<ErrorKind>) {
    let mut opened = Vec::new();
    let mut reader = match OpenReader::new(sealed, key, context) {
        Ok(reader) => reader,
        Err(error) => return (opened, Some(error.kind())),
    };
    let failed = reader.read_to_end(&mut opened).err().map(|e| Error::from_io(e, "").kind());
    let released = opened.len();
    assert_eq!(reader.read_to_end(&mut opened).is_err(), failed.is_some());
    assert_eq!(opened.len(), released);
    (opened, failed)
}

/// As [`open_all`], chunk by chunk with a [`RangeReader`] and then its end.
fn open_by_chunk(sealed: &[u8], key: &[u8; 32], context: &[u8]) -> (Vec<u8>, Option<ErrorKind>) {
    let mut opened = Vec::new();
    let whole = RangeReader::new(sealed.to_vec(), key, context).and_then(|mut reader| {
        while (opened.len() as u64) < reader.claimed_len() {
            let mut chunk = vec![0; CHUNK.min(reader.claimed_len() as usize - opened.len())];
            reader.read_range(opened.len() as u64, &mut chunk)?;
            opened.extend(chunk);
        }
        reader.authenticate_end()
    });
    (opened, whole.err().map(|e| e.kind()))
}

fn secret() -> Secret {
    Secret::from_slice(&KEY).unwrap()
}

fn boundary_lengths() -> impl Iterator<Item = usize> {
    [0, 1].into_iter().chain((1..=5).flat_map(|k| [k * CHUNK - 1, k * CHUNK, k * CHUNK + 1]))
}

/// Bytes that do not repeat.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64 ^ len as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}
