//! Time stamps (RFC 3161): the question is made here, the caller has it answered, and the answer is kept as it is.

use crate::error::{Error, ErrorKind, Result};

/// A question and its answer, both in DER.
pub(super) struct Stamp {
    pub(super) query: Vec<u8>,
    pub(super) reply: Vec<u8>,
}

/// Bytes of an answer at the most: signature, chain of certificates and revocations.
const MAX_REPLY: usize = 1 << 20;

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
/// `AlgorithmIdentifier` of SHA-256 (RFC 5754, section 2.2), its parameters NULL as OpenSSL writes them.
const SHA256: [u8; 15] = [0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00];

/// `TimeStampReq` (RFC 3161, section 2.4.1) of version 1 for a SHA-256 digest, with a nonce and the wish for the certificate.
pub(super) fn query(digest: &[u8; 32], nonce: [u8; 8]) -> Vec<u8> {
    let version = [INTEGER, 1, 1];
    let hashed = [&[0x04, 32], &digest[..]].concat();
    let imprint = [&[SEQUENCE, (SHA256.len() + hashed.len()) as u8], &SHA256[..], &hashed].concat();
    let certificate = [0x01, 1, 0xFF];
    let body = [&version[..], &imprint, &integer(nonce), &certificate].concat();
    [&[SEQUENCE, body.len() as u8], &body[..]].concat()
}

/// A positive number in its shortest form (X.690, section 8.3.2): the first bits are fixed for that.
fn integer(mut nonce: [u8; 8]) -> [u8; 10] {
    nonce[0] = nonce[0] & 0x3F | 0x40;
    let mut integer = [INTEGER, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    integer[2..].copy_from_slice(&nonce);
    integer
}

/// Takes a `TimeStampResp` (RFC 3161, section 2.4.2) whose status is granted, with or without changes, and which holds the
/// digest and the nonce of the question. Whether it is signed, and by whom, is for who reads it: `openssl ts -verify`.
///
/// # Errors
/// `Source` for anything else.
pub(super) fn accept(query: Vec<u8>, reply: Vec<u8>) -> Result<Stamp> {
    let bad = || Error::new(ErrorKind::Source, "taking a time stamp that does not answer the question");
    let whole = (reply.len() <= MAX_REPLY).then(|| element(&reply)).flatten();
    let (_, response) = whole.filter(|(tag, _)| *tag == SEQUENCE).ok_or_else(bad)?;
    let status = element(response).filter(|(tag, _)| *tag == SEQUENCE).and_then(|(_, status)| element(status));
    let granted = matches!(status, Some((INTEGER, [0 | 1])));
    let holds = |part: &[u8]| response.windows(part.len()).any(|window| window == part);
    // The digest and the nonce are where `query` put them.
    let asked = query.get(22..56).zip(query.get(56..66));
    if granted && asked.is_some_and(|(digest, nonce)| holds(digest) && holds(nonce)) {
        return Ok(Stamp { query, reply });
    }
    Err(bad())
}

/// The first element of DER: its tag and content.
fn element(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (len, rest) = rest.split_first()?;
    let (len, rest) = match len {
        0..=0x7F => (usize::from(*len), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(len - 0x80))?;
            (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    Some((*tag, rest.get(..len)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{hex, unhex};

    #[test]
    fn a_question_is_what_openssl_would_ask() {
        // `openssl ts -query -sha256 -cert -digest 0505…05`, with this nonce in place of its own.
        let expected = "3043020101 3031 300d06096086480165030402010500 0420".replace(' ', "")
            + &"05".repeat(32)
            + "02084142434445464748 0101ff".replace(' ', "").as_str();
        assert_eq!(hex(&query(&[5; 32], *b"ABCDEFGH")), expected);
        // Whatever is drawn, the number is positive and as short as can be.
        for first in [0, 0x7F, 0x80, 0xFF] {
            let asked = query(&[5; 32], [first; 8]);
            assert_eq!((asked.len(), asked[58] & 0xC0), (69, 0x40));
        }
    }

    #[test]
    fn an_answer_to_another_question_or_none_is_refused() {
        let asked = query(&[5; 32], *b"ABCDEFGH");
        let answer = |status: u8, of: &[u8]| {
            let body = [&[SEQUENCE, 3, INTEGER, 1, status, SEQUENCE, of.len() as u8], of].concat();
            [&[SEQUENCE, 0x81, body.len() as u8], &body[..]].concat()
        };
        for status in [0, 1] {
            assert!(accept(asked.clone(), answer(status, &asked)).is_ok());
        }
        let good = answer(0, &asked);
        for bad in [
            answer(2, &asked),
            answer(0, &query(&[6; 32], *b"ABCDEFGH")),
            answer(0, &query(&[5; 32], *b"ABCDEFGI")),
            good[..good.len() - 1].to_vec(),
            b"<html>busy</html>".to_vec(),
            unhex("3080").unwrap(),
            Vec::new(),
        ] {
            let refused = accept(asked.clone(), bad).map(|_| ()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Source);
        }
    }
}
