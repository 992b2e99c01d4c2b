use std::io::Read;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use super::MAX_DOCUMENT;
use super::exact::{Lost, exact, names};
use super::normalise::REPLACED;
use crate::error::{Error, ErrorKind, Result};
use crate::id::unhex;
use crate::record::{Coercion, ProducerDigest};

/// Reads base64 of either alphabet, padded or not.
const fn tolerant(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

const URL_SAFE: GeneralPurpose = tolerant(&alphabet::URL_SAFE);
const STANDARD: GeneralPurpose = tolerant(&alphabet::STANDARD);

/// Bytes of base64 of either alphabet, padded or not, with or without white space.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let dense: String;
    let text = if text.contains(|c: char| c.is_ascii_whitespace()) {
        dense = text.split_ascii_whitespace().collect();
        dense.as_str()
    } else {
        text
    };
    URL_SAFE.decode(text).or_else(|_| STANDARD.decode(text)).ok()
}

/// The forms that a document comes in.
pub(crate) struct Form {
    pub(crate) document: Value,
    /// Of the signed form, General JWS JSON (RFC 7515 section 7.2.1), the whole for who verifies it.
    pub(crate) jws: Option<Value>,
    /// What the parser would have lost: it is in the document among what was replaced.
    pub(crate) coercions: Vec<Coercion>,
}

fn bad() -> Error {
    Error::new(ErrorKind::InvalidInput, "reading a vCon")
}

fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, "reading a vCon of more bytes than are allowed")
}

/// Whether bytes look like a vCon in any form, packed or not: cheap, and no promise that they are one. Of a document
/// that is cut off, what is there must have the names that tell.
pub fn is_vcon(bytes: &[u8]) -> bool {
    let mut unpacked = Vec::new();
    let bytes = match bytes {
        [0x1f, 0x8b, ..] => {
            // As far as it unpacks.
            let _ = MultiGzDecoder::new(bytes).take(MAX_DOCUMENT).read_to_end(&mut unpacked);
            &unpacked[..]
        }
        _ => bytes,
    };
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if !text.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    let mut seen: Vec<&[u8]> = Vec::new();
    for name in names(text) {
        let known: [&[u8]; 7] = [b"vcon", b"uuid", b"parties", b"dialog", b"payload", b"signatures", b"ciphertext"];
        if known.contains(&name) {
            seen.push(name);
        }
        let has = |name: &[u8]| seen.contains(&name);
        if has(b"vcon")
            || (has(b"uuid") && (has(b"parties") || has(b"dialog")))
            || (has(b"payload") && has(b"signatures"))
            || has(b"ciphertext")
        {
            return true;
        }
    }
    false
}

/// The document in whatever form it comes: plain, signed (its payload, unverified) or packed with gzip.
///
/// What a JSON parser would lose is in it under `strongroom_replaced` by its place, as [`normalise`](super::normalise())
/// keeps what it replaces: numbers of more digits than a double has, the earlier values of members named twice (with `#1`
/// and so on behind the place), texts with half a character.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if it is no vCon; [`Unsupported`](ErrorKind::Unsupported) if it is
/// encrypted; [`TooLarge`](ErrorKind::TooLarge) above [`MAX_DOCUMENT`].
pub fn parse(bytes: &[u8]) -> Result<Value> {
    Ok(Form::read(bytes, MAX_DOCUMENT)?.document)
}

impl Form {
    pub(crate) fn read(bytes: &[u8], most: u64) -> Result<Self> {
        if bytes.len() as u64 > most {
            return Err(too_large());
        }
        let mut unpacked = Vec::new();
        let bytes = match bytes {
            [0x1f, 0x8b, ..] => {
                MultiGzDecoder::new(bytes).take(most + 1).read_to_end(&mut unpacked).map_err(|e| bad().because(e))?;
                if unpacked.len() as u64 > most {
                    return Err(too_large());
                }
                &unpacked[..]
            }
            _ => bytes,
        };
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let Parsed { value, lost } = read(bytes)?;
        let members = value.as_object().ok_or_else(bad)?;
        if members.contains_key("ciphertext") {
            return Err(Error::new(ErrorKind::Unsupported, "reading a vCon that is encrypted: decrypt it first"));
        }
        let (Parsed { value, lost }, jws) = if members.contains_key("signatures")
            || (members.contains_key("payload") && members.contains_key("signature"))
        {
            let payload = members.get("payload").and_then(Value::as_str).and_then(decode_base64).ok_or_else(bad)?;
            (read(&payload)?, Some(value))
        } else {
            (Parsed { value, lost }, None)
        };
        check_shape(&value)?;
        let mut document = value;
        if !lost.values.is_empty()
            && let Some(members) = document.as_object_mut()
        {
            // A member of that name and of another kind is not ours, and kept like others.
            let mut replaced = match members.remove(REPLACED) {
                Some(Value::Object(replaced)) => replaced,
                Some(other) => Map::from_iter([(format!("/{REPLACED}"), other)]),
                None => Map::new(),
            };
            for (place, value) in lost.values {
                replaced.entry(place).or_insert(value);
            }
            members.insert(REPLACED.into(), Value::Object(replaced));
        }
        Ok(Self { document, jws, coercions: lost.coercions })
    }
}

struct Parsed {
    value: Value,
    lost: Lost,
}

fn read(bytes: &[u8]) -> Result<Parsed> {
    let (text, lost) = exact(bytes);
    // The parser's message tells a line and a column, never what stands there.
    let value = serde_json::from_slice(&text).map_err(|e| bad().because(e))?;
    Ok(Parsed { value, lost })
}

/// An object that has at least one of the members that only vCons have together.
fn check_shape(value: &Value) -> Result<()> {
    let members = value.as_object().ok_or_else(bad)?;
    let known = ["vcon", "uuid", "parties", "dialog", "analysis", "attachments"];
    if known.iter().filter(|name| members.contains_key(**name)).count() < 2 {
        return Err(bad());
    }
    Ok(())
}

/// The bytes of an inline body.
pub(crate) fn decode_body(body: &Value, encoding: Option<&str>) -> Option<Vec<u8>> {
    match (body, encoding) {
        (Value::String(text), Some("base64url" | "base64")) => decode_base64(text),
        (Value::String(text), _) => Some(text.clone().into_bytes()),
        (Value::Null, _) => None,
        (other, _) => serde_json::to_vec(other).ok(),
    }
}

/// What a reference says that its content hashes to: `content_hash`, or `alg` and `signature` of the first drafts.
pub(crate) fn content_hash(reference: &Value) -> Option<ProducerDigest> {
    let one = |text: &str| {
        let (name, digest) = text.split_once('-')?;
        digest_of(name, digest)
    };
    let hash = match reference.get("content_hash") {
        Some(Value::String(text)) => one(text),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).find_map(one),
        _ => None,
    };
    hash.or_else(|| {
        let text = |name| reference.get(name).and_then(Value::as_str);
        digest_of(text("alg")?, text("signature")?)
    })
}

fn digest_of(name: &str, digest: &str) -> Option<ProducerDigest> {
    let len = match name.to_ascii_lowercase().replace('-', "").as_str() {
        "sha512" => 64,
        "sha256" => 32,
        _ => return None,
    };
    // Some write it in hexadecimal, which is base64 of another length.
    let digest = if digest.len() == 2 * len { unhex(&digest.to_ascii_lowercase())? } else { decode_base64(digest)? };
    match digest.len() {
        64 if len == 64 => Some(ProducerDigest::Sha512(digest)),
        32 if len == 32 => Some(ProducerDigest::Sha256(digest)),
        _ => None,
    }
}
