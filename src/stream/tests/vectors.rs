use std::io::Read;

use ring::digest::{SHA512, digest};
use serde_json::Value;

use super::{open_all, open_by_chunk};
use crate::id::{hex, unhex};
use crate::secret::Secret;
use crate::stream::{OpenReader, RangeReader, opened_len, unwrap};

#[test]
fn all_wycheproof_vectors_hold_front_to_back_by_range_and_in_one_piece() {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/c2sp_chunked_encryption_aes_256_gcm_test.json"))
            .unwrap();
    let mut ran = 0;
    for group in file["testGroups"].as_array().unwrap() {
        assert_eq!((group["aead"].as_str(), group["sha"].as_str()), (Some("AEAD_AES_256_GCM"), Some("SHA-512")));
        for vector in group["tests"].as_array().unwrap() {
            run_vector(vector);
            ran += 1;
        }
    }
    assert_eq!((ran, file["numberOfTests"].as_u64()), (35, Some(35)));
}

fn run_vector(vector: &Value) {
    let id = &vector["tcId"];
    let bytes = |name: &str| unhex(vector[name].as_str().unwrap()).unwrap();
    let flag = |name: &str| vector["flags"].as_array().unwrap().iter().any(|f| f == name);
    let mut sealed = Vec::new();
    flate2::read::ZlibDecoder::new(&bytes("ct")[..]).read_to_end(&mut sealed).unwrap();
    let (key, context) = (<[u8; 32]>::try_from(bytes("key")), bytes("ctx"));
    assert_eq!(key.is_err(), flag("InvalidKeySize"), "{id}");
    let Ok(key) = key else { return };
    let valid = vector["result"] == "valid";
    // The whole message of a valid vector, the longest authentic prefix of a partial one, else nothing.
    let expected = vector["msgSha512"].as_str().map(|sha| (vector["msgLength"].as_u64().unwrap(), sha.to_owned()));
    assert_eq!(expected.is_some(), valid || flag("PartialPlaintext"), "{id}");
    let expected = expected.unwrap_or_else(|| (0, sha512(b"")));

    let (streamed, failed) = open_all(&sealed, &key, &context);
    assert_eq!((streamed.len() as u64, sha512(&streamed)), expected, "{id}");
    assert_eq!(failed.is_none(), valid, "{id}");
    let (ranged, failed) = open_by_chunk(&sealed, &key, &context);
    // A length that no stream has is refused at once, prefix and all.
    let whole = (ranged.len() as u64, sha512(&ranged)) == expected;
    assert!(whole || (ranged.is_empty() && opened_len(sealed.len() as u64).is_none()), "{id}");
    assert_eq!(failed.is_none(), valid, "{id}");
    let end = RangeReader::new(sealed.clone(), &key, &context).and_then(|mut r| r.authenticate_end());
    assert_eq!(end.is_ok(), valid || flag("ValidFinalChunk"), "{id}");
    let whole = unwrap(&Secret::from_slice(&key).unwrap(), &context, &sealed);
    assert_eq!(whole.ok().map(|w| w.to_vec()), valid.then_some(streamed), "{id}");
    let refused = OpenReader::new(&sealed[..], &key, &context).is_err();
    assert_eq!(refused, flag("HeaderFailure"), "{id}");
}

fn sha512(bytes: &[u8]) -> String {
    hex(digest(&SHA512, bytes).as_ref())
}
