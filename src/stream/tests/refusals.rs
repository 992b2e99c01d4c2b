use std::io::Cursor;

use super::*;

#[test]
fn any_flipped_byte_of_a_message_of_one_chunk_is_refused_before_any_plaintext() {
    let plain = noise(100);
    for at in 0..seal(&plain).len() {
        refuses_a_flip(&plain, at);
    }
    (0..HEADER + TAG).for_each(|at| refuses_a_flip(b"", at));
}

#[test]
fn a_flipped_byte_in_a_message_of_three_chunks_spoils_its_own_chunk_only() {
    let plain = noise(THREE);
    let tags = [1, 2].map(|k| HEADER + k * SEALED_CHUNK);
    let starts = [0, 23, 24, 55, HEADER, HEADER + 1, HEADER + CHUNK / 2];
    let around = tags.into_iter().flat_map(|end| (end - TAG - 1..=end + 1).chain([end + CHUNK / 3]));
    let end = seal(&plain).len();
    for at in starts.into_iter().chain(around.filter(|at| *at < end)).chain(end - TAG - 2..end) {
        refuses_a_flip(&plain, at);
    }
}

fn refuses_a_flip(plain: &[u8], at: usize) {
    let mut sealed = seal(plain);
    sealed[at] ^= 0x01;
    let Some(body) = at.checked_sub(HEADER) else {
        assert_eq!(OpenReader::new(&sealed[..], &KEY, CONTEXT).err().unwrap().kind(), ErrorKind::Tampered, "{at}");
        assert_eq!(ranges(&sealed).err().unwrap().kind(), ErrorKind::Tampered, "{at}");
        return;
    };
    let bad = body / SEALED_CHUNK;
    let (opened, failed) = open_all(&sealed, &KEY, CONTEXT);
    assert!(opened == plain[..bad * CHUNK], "byte {at}: {} bytes were released", opened.len());
    assert_eq!(failed, Some(ErrorKind::Tampered));

    let mut reader = ranges(&sealed).unwrap();
    for (chunk, expected) in plain.chunks(CHUNK).enumerate() {
        let mut range = vec![0xEE; expected.len()];
        let read = reader.read_range((chunk * CHUNK) as u64, &mut range);
        if chunk == bad {
            assert_eq!(read.unwrap_err().kind(), ErrorKind::Tampered, "{at}");
            assert!(range.iter().all(|b| *b == 0), "byte {at}");
        } else {
            assert!(read.is_ok() && range == expected, "byte {at}, chunk {chunk}");
        }
    }
    if !plain.is_empty() {
        let mut whole = vec![0xEE; plain.len()];
        assert_eq!(reader.read_range(0, &mut whole).unwrap_err().kind(), ErrorKind::Tampered);
        assert!(whole.iter().all(|b| *b == 0), "byte {at}");
    }
    assert!(reader.read_to_end(&mut Vec::new()).is_err(), "byte {at}");
}

#[test]
fn every_truncation_is_refused_after_the_whole_chunks_before_it() {
    let small = noise(100);
    let sealed = seal(&small);
    (0..sealed.len()).for_each(|cut| refuses_a_length(&small, &sealed[..cut]));

    let plain = noise(THREE);
    let sealed = seal(&plain);
    let near = |cut: &usize| [0, 1, 2].iter().any(|k| cut.abs_diff(HEADER + k * SEALED_CHUNK) <= TAG + 2);
    for cut in (0..sealed.len()).filter(|cut| near(cut) || cut % 211 == 0 || sealed.len() - cut < 20) {
        refuses_a_length(&plain, &sealed[..cut]);
    }
}

#[test]
fn every_trailing_byte_is_refused() {
    for len in [0, 100, CHUNK - 1, CHUNK, THREE] {
        let plain = noise(len);
        for more in [1, TAG - 1, TAG, TAG + 1, SEALED_CHUNK - 1, SEALED_CHUNK, SEALED_CHUNK + TAG] {
            refuses_a_length(&plain, &[seal(&plain), vec![0; more]].concat());
        }
    }
    // The last chunk ends where the first read does: the byte comes alone.
    let sealed = seal(&noise(100));
    let late = Cursor::new(sealed).chain(io::empty()).chain(Cursor::new([0]));
    assert!(OpenReader::new(late, &KEY, CONTEXT).unwrap().read_to_end(&mut Vec::new()).is_err());
}

fn refuses_a_length(plain: &[u8], sealed: &[u8]) {
    let len = sealed.len();
    let whole = len.saturating_sub(HEADER) / SEALED_CHUNK;
    let authentic = (whole * CHUNK).min(plain.len() / CHUNK * CHUNK);
    let (opened, failed) = open_all(sealed, &KEY, CONTEXT);
    assert!(opened == plain[..authentic], "{len}: {} bytes were released", opened.len());
    assert_eq!(failed, Some(ErrorKind::Tampered), "{len}");
    let Ok(mut reader) = ranges(sealed) else { return };
    let from = reader.claimed_len() / CHUNK as u64 * CHUNK as u64;
    let mut last = vec![0xEE; (reader.claimed_len() - from) as usize];
    assert_eq!(reader.read_range(from, &mut last).is_ok(), last.is_empty(), "{len}");
    assert!(last.iter().all(|b| *b == 0), "{len}");
    assert_eq!(reader.authenticate_end().unwrap_err().kind(), ErrorKind::Tampered, "{len}");
    assert!(reader.seek(SeekFrom::End(0)).is_err(), "{len}");
    assert!(reader.read_to_end(&mut Vec::new()).is_err(), "{len}");
}

#[test]
fn swapped_repeated_and_foreign_chunks_are_refused() {
    let plain = noise(3 * CHUNK + 5);
    let (sealed, other) = (seal(&plain), seal(&plain));
    let chunk = |from: &[u8], k: usize| from[HEADER + k * SEALED_CHUNK..][..SEALED_CHUNK].to_vec();
    let put = |at: &[(usize, Vec<u8>)]| {
        let mut sealed = sealed.clone();
        at.iter().for_each(|(k, c)| sealed[HEADER + k * SEALED_CHUNK..][..SEALED_CHUNK].copy_from_slice(c));
        sealed
    };
    for (first_bad, changed) in [
        (0, put(&[(0, chunk(&sealed, 1)), (1, chunk(&sealed, 0))])),
        (1, put(&[(1, chunk(&sealed, 2)), (2, chunk(&sealed, 1))])),
        (1, put(&[(1, chunk(&sealed, 0))])),
        (2, put(&[(2, chunk(&other, 2))])),
    ] {
        for (opened, failed) in [open_all(&changed, &KEY, CONTEXT), open_by_chunk(&changed, &KEY, CONTEXT)] {
            assert!(opened == plain[..first_bad * CHUNK], "{first_bad}");
            assert_eq!(failed, Some(ErrorKind::Tampered));
        }
    }
}
