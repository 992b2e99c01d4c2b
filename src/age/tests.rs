use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};

use flate2::read::ZlibDecoder;
use sha2::{Digest, Sha256};

use super::*;
use crate::error::{Error, ErrorKind};
use crate::id::hex;
use crate::key::{Identity, Suite};

/// A vector of C2SP/CCTV: what it says of itself, and the file.
struct Vector {
    told: BTreeMap<String, Vec<String>>,
    file: Vec<u8>,
}

fn vectors() -> Vec<(String, Vector)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/age-cctv");
    let mut vectors: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let mut told = BTreeMap::<_, Vec<_>>::new();
            let mut rest = &bytes[..];
            loop {
                let end = rest.iter().position(|b| *b == b'\n').unwrap();
                let line = std::str::from_utf8(&rest[..end]).unwrap();
                rest = &rest[end + 1..];
                let Some((key, value)) = line.split_once(": ") else { break };
                told.entry(key.to_owned()).or_default().push(value.to_owned());
            }
            let mut file = rest.to_vec();
            if told.contains_key("compressed") {
                file.clear();
                ZlibDecoder::new(rest).read_to_end(&mut file).unwrap();
            }
            (path.file_name().unwrap().to_str().unwrap().to_owned(), Vector { told, file })
        })
        .collect();
    vectors.sort_by(|a, b| a.0.cmp(&b.0));
    vectors
}

/// Several keys, each tried.
struct Any(Vec<Box<dyn Unlock>>);

impl Unlock for Any {
    fn unlock(&self, stanzas: &[Stanza]) -> crate::Result<Option<stanza::FileKey>> {
        let mut found = None;
        for key in &self.0 {
            found = found.or(key.unlock(stanzas)?);
        }
        Ok(found)
    }
}

/// What the reader gave before it ended, and how it ended.
fn read(mut reader: impl Read) -> (Vec<u8>, Option<ErrorKind>) {
    let mut plain = Vec::new();
    let end = reader.read_to_end(&mut plain);
    (plain, end.err().map(|e| Error::from_io(e, "reading").kind()))
}

#[test]
fn every_vector_of_the_community_kit_is_read_as_it_says() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 143);
    let mut ranged = 0;
    for (name, Vector { told, file }) in vectors {
        let mut keys: Vec<Box<dyn Unlock>> = Vec::new();
        for identity in told.get("identity").into_iter().flatten() {
            keys.push(Box::new(identity.parse::<Identity>().unwrap()));
        }
        for passphrase in told.get("passphrase").into_iter().flatten() {
            keys.push(Box::new(Passphrase::new(passphrase.as_str())));
        }
        let key = Any(keys);
        let expect = told["expect"][0].as_str();
        let check = |how: &str, (plain, error): (Vec<u8>, Option<ErrorKind>)| {
            let fits = match expect {
                "success" => error.is_none(),
                "no match" => error == Some(ErrorKind::WrongKey),
                "HMAC failure" | "payload failure" => error == Some(ErrorKind::Tampered),
                "armor failure" => error == Some(ErrorKind::InvalidInput),
                // A file that ends in its nonce is cut.
                "header failure" if name.ends_with("_nonce") => error == Some(ErrorKind::Tampered),
                "header failure" => {
                    use ErrorKind::{InvalidInput, TooLarge, Unsupported};
                    matches!(error, Some(InvalidInput | Unsupported | TooLarge))
                }
                other => panic!("{name} expects {other}"),
            };
            assert!(fits, "{how} {name}: {expect}, and it ended with {error:?}");
            if let Some(payload) = told.get("payload") {
                let given = hex(&Sha256::digest(&plain));
                // We read on before we take a chunk for one that is not the last. So behind garbage, or where the last
                // is missing, we give one chunk less than the kit's own reader; ranges may stop earlier still.
                let ends = ["trailing_garbage", "garbage_encoded", "no_final", "two_final_chunks"];
                let fewer = how == "range" || ends.iter().any(|end| name.contains(end));
                let less = error.is_some() && fewer && plain.len().is_multiple_of(CHUNK);
                assert!(given == payload[0] || less, "{how} {name}");
            }
        };
        check(
            "stream",
            match Reader::new(&file[..], &key) {
                Ok(reader) => read(reader),
                Err(e) => (Vec::new(), Some(e.kind())),
            },
        );
        if !told.contains_key("armored") {
            ranged += 1;
            check(
                "range",
                match RangeReader::new(file, &key) {
                    Ok(reader) => read(reader),
                    Err(e) => (Vec::new(), Some(e.kind())),
                },
            );
        }
    }
    assert_eq!(ranged, 110);
}

fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[test]
fn every_length_comes_back_for_every_kind_of_recipient_armored_or_not() {
    let keys = [Suite::XWing, Suite::X25519].map(|suite| Identity::generate_for(suite).unwrap());
    let passphrase = || Passphrase::new("correct horse").work(4);
    for len in [0, 1, 47, 48, 49, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7, 5 * CHUNK] {
        let plain = noise(len);
        for key in &keys {
            let mut writer = Writer::new(Vec::new(), &[key.recipient().clone()]).unwrap();
            plain.chunks(1000).for_each(|piece| writer.write_all(piece).unwrap());
            let file = writer.finish().unwrap();
            assert_eq!(read(Reader::new(&file[..], key).unwrap()), (plain.clone(), None), "{len}");
            let mut range = RangeReader::new(file, key).unwrap();
            assert_eq!(range.seek(SeekFrom::End(0)).unwrap(), len as u64);
            for at in [0, len / 2, len.saturating_sub(3)] {
                range.seek(SeekFrom::Start(at as u64)).unwrap();
                assert_eq!(read(&mut range), (plain[at..].to_vec(), None), "{len} from {at}");
            }
        }
        let armor = ArmorWriter::new(Vec::new()).unwrap();
        let mut writer = Writer::with_passphrase(armor, &passphrase()).unwrap();
        writer.write_all(&plain).unwrap();
        let file = writer.finish().unwrap().finish().unwrap();
        assert_eq!(read(Reader::new(&file[..], &passphrase()).unwrap()), (plain, None), "{len}");
    }
}

#[test]
fn a_file_that_was_changed_or_cut_anywhere_is_refused() {
    let key = Identity::generate_for(Suite::X25519).unwrap();
    let mut writer = Writer::new(Vec::new(), &[key.recipient().clone()]).unwrap();
    writer.write_all(b"Hello").unwrap();
    let file = writer.finish().unwrap();
    let refused = |bytes: &[u8]| {
        let streamed = Reader::new(bytes, &key).map(read).map_or_else(|e| Some(e.kind()), |(_, error)| error);
        let ranged =
            RangeReader::new(bytes.to_vec(), &key).map(read).map_or_else(|e| Some(e.kind()), |(_, error)| error);
        streamed.is_some() && ranged.is_some()
    };
    assert!(!refused(&file));
    for at in 0..file.len() {
        assert!(refused(&file[..at]), "cut at {at}");
        for bit in 0..8 {
            let mut bytes = file.clone();
            bytes[at] ^= 1 << bit;
            assert!(refused(&bytes), "bit {bit} of byte {at}");
        }
    }
    assert!(refused(&[&file[..], b"x"].concat()));
}

#[test]
fn a_file_is_for_its_recipients_and_mixing_strengths_is_refused() {
    let [a, b, c] = [(); 3].map(|()| Identity::generate().unwrap());
    let weak = Identity::generate_for(Suite::X25519).unwrap();
    let to = [a.recipient().clone(), b.recipient().clone()];
    let file = Writer::new(Vec::new(), &to).unwrap().finish().unwrap();
    assert!(Reader::new(&file[..], &a).is_ok() && Reader::new(&file[..], &b).is_ok());
    for key in [&c as &dyn Unlock, &weak, &Passphrase::new("x")] {
        assert_eq!(Reader::new(&file[..], key).err().unwrap().kind(), ErrorKind::WrongKey);
    }
    let mixed = [a.recipient().clone(), weak.recipient().clone()];
    assert_eq!(Writer::new(Vec::new(), &mixed).err().unwrap().kind(), ErrorKind::InvalidInput);
    assert_eq!(Writer::new(Vec::new(), &[]).err().unwrap().kind(), ErrorKind::InvalidInput);
}

#[test]
fn an_identity_file_under_a_passphrase_comes_back_with_it_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.age");
    let me = Identity::generate().unwrap();
    let passphrase = || Passphrase::new("correct horse").work(4);
    me.write_encrypted_file(&path, &passphrase()).unwrap();
    assert_eq!(Identity::read_encrypted_file(&path, &passphrase()).unwrap().recipient(), me.recipient());
    let kind = |result: crate::Result<Identity>| result.err().unwrap().kind();
    assert_eq!(kind(Identity::read_encrypted_file(&path, &Passphrase::new("wrong"))), ErrorKind::WrongKey);
    assert_eq!(kind(Identity::read_encrypted_file(&path, &passphrase().at_most(3))), ErrorKind::TooLarge);
    assert_eq!(me.write_encrypted_file(&path, &passphrase()).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(kind(Identity::read_file(&path)), ErrorKind::InvalidInput);
    let plain = folder.path().join("plain");
    me.write_file(&plain).unwrap();
    assert_eq!(kind(Identity::read_encrypted_file(&plain, &passphrase())), ErrorKind::InvalidInput);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
