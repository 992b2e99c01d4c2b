use std::io::Read;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::MAX_DOCUMENT;
use crate::error::{Error, ErrorKind, Result};
use crate::record::ProducerDigest;

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
pub(crate) enum Form {
    Plain(Value),
    /// General JWS JSON (RFC 7515 section 7.2.1): the payload, and the whole for who verifies it.
    Signed {
        payload: Value,
        jws: Value,
    },
}

fn bad() -> Error {
    Error::new(ErrorKind::InvalidInput, "reading a vCon")
}

fn too_large() -> Error {
    Error::new(ErrorKind::TooLarge, "reading a vCon of more bytes than are allowed")
}

/// Whether bytes look like a vCon in any form, packed or not: cheap, and no promise that they are one.
pub fn is_vcon(bytes: &[u8]) -> bool {
    let mut start = Vec::new();
    let head = match bytes {
        [0x1f, 0x8b, ..] => {
            // As far as it unpacks.
            let _ = MultiGzDecoder::new(bytes).take(64 * 1024).read_to_end(&mut start);
            &start[..]
        }
        _ => &bytes[..bytes.len().min(64 * 1024)],
    };
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let has = |name: &str| text.contains(&format!("\"{name}\""));
    text.starts_with('{')
        && (has("vcon")
            || (has("uuid") && (has("parties") || has("dialog")))
            || (has("payload") && has("signatures"))
            || has("ciphertext"))
}

/// The document in whatever form it comes: plain, signed (its payload, unverified) or packed with gzip.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) if it is no vCon; [`Unsupported`](ErrorKind::Unsupported) if it is
/// encrypted; [`TooLarge`](ErrorKind::TooLarge) above [`MAX_DOCUMENT`].
pub fn parse(bytes: &[u8]) -> Result<Value> {
    match Form::read(bytes, MAX_DOCUMENT)? {
        Form::Plain(document) | Form::Signed { payload: document, .. } => Ok(document),
    }
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
        // The parser's message tells a line and a column, never what stands there.
        let value: Value = serde_json::from_slice(bytes).map_err(|e| bad().because(e))?;
        let members = value.as_object().ok_or_else(bad)?;
        if members.contains_key("ciphertext") {
            return Err(Error::new(ErrorKind::Unsupported, "reading a vCon that is encrypted: decrypt it first"));
        }
        if members.contains_key("signatures") || (members.contains_key("payload") && members.contains_key("signature"))
        {
            let payload = members.get("payload").and_then(Value::as_str).and_then(decode_base64).ok_or_else(bad)?;
            let payload: Value = serde_json::from_slice(&payload).map_err(|e| bad().because(e))?;
            check_shape(&payload)?;
            return Ok(Self::Signed { payload, jws: value });
        }
        check_shape(&value)?;
        Ok(Self::Plain(value))
    }
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
    let digest = decode_base64(digest)?;
    match (name.to_ascii_lowercase().replace('-', "").as_str(), digest.len()) {
        ("sha512", 64) => Some(ProducerDigest::Sha512(digest)),
        ("sha256", 32) => Some(ProducerDigest::Sha256(digest)),
        _ => None,
    }
}
