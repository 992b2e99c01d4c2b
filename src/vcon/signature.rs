//! Signatures of signed vCons: General JWS JSON (RFC 7515), keys as SubjectPublicKeyInfo (RFC 5280).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use serde_json::Value;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

/// Whom a signature is believed: keys by themselves, and who certifies keys.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// SubjectPublicKeyInfo in DER.
    pub(super) keys: Vec<Vec<u8>>,
    /// Certificates in DER.
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) at: Option<Timestamp>,
}

fn bad(doing: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, doing)
}

/// DER of the first PEM block of that label, or the bytes as they are if they are DER.
pub(super) fn der(bytes: &[u8], label: &str) -> Result<Vec<u8>> {
    if bytes.first() == Some(&0x30) {
        return Ok(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| bad("reading a PEM file"))?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let body = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(body, _)| body);
    let body: String = body.ok_or_else(|| bad("reading a PEM file"))?.split_whitespace().collect();
    STANDARD.decode(body).map_err(|_| bad("reading a PEM file"))
}

/// Whether a trusted key signed the document. `Ok(false)` if there is no key to tell by, or none that a signature which
/// we understand is by.
///
/// # Errors
/// `Tampered` if a signature by a trusted key, or by one that a trusted authority certifies, does not verify.
pub(super) fn verify(jws: &Value, trust: &Trust) -> Result<bool> {
    let malformed = || bad("reading the signatures of a vCon");
    let tampered = || Error::new(ErrorKind::Tampered, "verifying the signature of a vCon");
    let payload = jws.get("payload").and_then(Value::as_str).ok_or_else(malformed)?;
    let flattened = [jws.clone()];
    let signatures = match jws.get("signatures") {
        Some(Value::Array(all)) if !all.is_empty() => &all[..],
        Some(_) => return Err(malformed()),
        None => &flattened,
    };
    let mut verified = false;
    for signature in signatures {
        let text = |name| signature.get(name).and_then(Value::as_str).ok_or_else(malformed);
        let protected = text("protected")?;
        let header = URL_SAFE_NO_PAD.decode(protected).map_err(|_| malformed())?;
        let header: Value = serde_json::from_slice(&header).map_err(|_| malformed())?;
        let bytes = URL_SAFE_NO_PAD.decode(text("signature")?).map_err(|_| malformed())?;
        if header.get("crit").is_some() {
            // It says that it must be understood otherwise (RFC 7515 section 4.1.11).
            continue;
        }
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or_else(malformed)?;
        let signed = format!("{protected}.{payload}");
        let check = |key: &[u8]| check(algorithm, key, signed.as_bytes(), &bytes);

        if trust.keys.iter().any(|key| check(key)) {
            verified = true;
            continue;
        }
        let unprotected = signature.get("header");
        let chain = header.get("x5c").or_else(|| unprotected.and_then(|h| h.get("x5c"))).and_then(Value::as_array);
        let chain = chain.into_iter().flatten().filter_map(Value::as_str);
        let chain = chain.map(|cert| STANDARD.decode(cert)).collect::<Result<Vec<_>, _>>().map_err(|_| malformed())?;
        match certified_key(&chain, trust) {
            Some(key) if check(&key) => verified = true,
            Some(_) => return Err(tampered()),
            // A key was given and this is not its signature: nobody whom we know signed this.
            None => {}
        }
    }
    if !verified && !trust.keys.is_empty() {
        return Err(tampered());
    }
    Ok(verified)
}

/// The key of a chain's first certificate, if the chain leads to a trusted one.
fn certified_key(chain: &[Vec<u8>], trust: &Trust) -> Option<Vec<u8>> {
    let leaf_bytes = chain.first()?;
    // A certificate that is trusted by itself needs no chain, nor be of a version that has extensions.
    if trust.roots.contains(leaf_bytes) {
        return key_of(leaf_bytes);
    }
    let leaf_der = CertificateDer::from_slice(leaf_bytes);
    let leaf = EndEntityCert::try_from(&leaf_der).ok()?;
    let key = leaf.subject_public_key_info().to_vec();
    let roots: Vec<CertificateDer<'_>> = trust.roots.iter().map(|root| CertificateDer::from_slice(root)).collect();
    let anchors: Vec<_> = roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect();
    let between: Vec<CertificateDer<'_>> = chain[1..].iter().map(|cert| CertificateDer::from_slice(cert)).collect();
    let at = trust.at.unwrap_or_else(Timestamp::now).unix_ms().max(0) as u64 / 1000;
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at));
    // id-kp-emailProtection where a certificate limits its use at all: there is none for vCons.
    let usage = KeyUsage::required_if_present(&[0x2b, 6, 1, 5, 5, 7, 3, 4]);
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    leaf.verify_for_usage(algorithms, &anchors, &between, at, usage, None, None).ok()?;
    Some(key)
}

/// Whether `signature` is that of `key` (SubjectPublicKeyInfo) under the JWS algorithm.
fn check(algorithm: &str, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    const ED: &[u8] = &[0x2b, 0x65, 0x70];
    let (oid, verifier): (_, &'static dyn VerificationAlgorithm) = match algorithm {
        "RS256" => (RSA, &RSA_PKCS1_2048_8192_SHA256),
        "RS384" => (RSA, &RSA_PKCS1_2048_8192_SHA384),
        "RS512" => (RSA, &RSA_PKCS1_2048_8192_SHA512),
        "PS256" => (RSA, &RSA_PSS_2048_8192_SHA256),
        "ES256" => (EC, &ECDSA_P256_SHA256_FIXED),
        "ES384" => (EC, &ECDSA_P384_SHA384_FIXED),
        "EdDSA" | "Ed25519" => (ED, &ED25519),
        _ => return false,
    };
    let key = spki(key).filter(|(kind, _)| *kind == oid);
    key.is_some_and(|(_, key)| UnparsedPublicKey::new(verifier, key).verify(message, signature).is_ok())
}

/// Algorithm and key of a SubjectPublicKeyInfo.
fn spki(der: &[u8]) -> Option<(&[u8], &[u8])> {
    // A certificate's key comes without its outer sequence.
    let inside = match read(der)? {
        (0x30, inside, []) if read(inside).is_some_and(|(tag, ..)| tag == 0x30) => inside,
        _ => der,
    };
    let (0x30, algorithm, rest) = read(inside)? else { return None };
    let (6, oid, _) = read(algorithm)? else { return None };
    let (3, bits, _) = read(rest)? else { return None };
    Some((oid, bits.strip_prefix(&[0])?))
}

/// The SubjectPublicKeyInfo of a certificate (RFC 5280 section 4.1).
fn key_of(certificate: &[u8]) -> Option<Vec<u8>> {
    let (0x30, certificate, []) = read(certificate)? else { return None };
    let (0x30, mut fields, _) = read(certificate)? else { return None };
    if let (0xA0, _, rest) = read(fields)? {
        fields = rest;
    }
    // Serial number, algorithm, issuer, validity, subject.
    for _ in 0..5 {
        fields = read(fields)?.2;
    }
    let (0x30, _, rest) = read(fields)? else { return None };
    Some(fields[..fields.len() - rest.len()].to_vec())
}

/// Tag, content and what follows.
fn read(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, len], rest) = der.split_first_chunk::<2>()?;
    let (len, rest) = match len {
        0..=0x7f => (usize::from(len), rest),
        0x81 => rest.split_first().map(|(len, rest)| (usize::from(*len), rest))?,
        0x82 => rest.split_first_chunk::<2>().map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest))?,
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}
