use std::fmt;
use std::str::FromStr;

use ::hpke::aead::AesGcm256;
use ::hpke::kdf::HkdfSha256;
use ::hpke::kem::{Kem, X25519HkdfSha256, XWing};
use ::hpke::{Deserializable, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal};
use zeroize::Zeroizing;

use super::bech;
use super::signing::PublicKey;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// A public-key suite: HPKE (RFC 9180) in base mode with HKDF-SHA256 and AES-256-GCM under one of two KEMs.
///
/// Stored beside every ciphertext and bound in every `info`; never negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// MLKEM768-X25519 ("X-Wing", KEM 0x647a): safe if either half is. The default.
    XWing,
    /// X25519 (KEM 0x0020): small keys, and hardware that holds them. Not safe against a quantum computer.
    X25519,
}

impl Suite {
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::XWing => 1,
            Self::X25519 => 2,
        }
    }

    pub(crate) fn from_code(code: u16) -> Result<Self> {
        match code {
            1 => Ok(Self::XWing),
            2 => Ok(Self::X25519),
            _ => Err(Error::new(ErrorKind::Unsupported, format!("looking up public-key suite {code}"))),
        }
    }

    const fn recipient_prefix(self) -> &'static str {
        match self {
            Self::XWing => "age1pq",
            Self::X25519 => "age",
        }
    }

    pub(super) const fn identity_prefix(self) -> &'static str {
        match self {
            Self::XWing => "age-secret-key-pq-",
            Self::X25519 => "age-secret-key-",
        }
    }

    /// Bytes of the encapsulated key before every HPKE ciphertext.
    pub(crate) const fn enc_len(self) -> usize {
        match self {
            Self::XWing => 1120,
            Self::X25519 => 32,
        }
    }
}

/// A public key that things are sealed to. Written as age writes recipients: `age1pq1…` or `age1…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Recipient {
    suite: Suite,
    key: Vec<u8>,
}

impl Recipient {
    /// Takes the raw public key of a suite: 1,216 bytes for X-Wing, 32 for X25519.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no valid public key.
    pub fn from_bytes(suite: Suite, key: &[u8]) -> Result<Self> {
        let valid = match suite {
            Suite::XWing => <XWing as Kem>::PublicKey::from_bytes(key).is_ok(),
            // The all-zero point and its kin make every shared secret zero; HPKE refuses them only when sealing.
            Suite::X25519 => {
                <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(key).is_ok()
                    && seal_to::<X25519HkdfSha256>(key, b"", b"").is_ok()
            }
        };
        if !valid {
            return Err(Error::new(ErrorKind::InvalidInput, "checking a public key"));
        }
        Ok(Self { suite, key: key.to_vec() })
    }

    /// The suite that seals to this key.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The raw public key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.key
    }

    /// The public key of a seed (X-Wing) or scalar (X25519).
    pub(super) fn of_secret(suite: Suite, secret: &Secret) -> Self {
        let key = match suite {
            Suite::XWing => public_of::<XWing>(secret),
            Suite::X25519 => public_of::<X25519HkdfSha256>(secret),
        };
        Self { suite, key }
    }

    /// `u16(suite) || key`, as cards and policies hold it.
    pub(crate) fn to_field(&self) -> Vec<u8> {
        [&self.suite.code().to_be_bytes()[..], &self.key].concat()
    }

    pub(crate) fn from_field(field: &[u8]) -> Result<Self> {
        let (code, key) =
            field.split_first_chunk::<2>().ok_or_else(|| Error::new(ErrorKind::Tampered, "parsing a public key"))?;
        Self::from_bytes(Suite::from_code(u16::from_be_bytes(*code))?, key)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech::encode(self.suite.recipient_prefix(), &self.key))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

impl FromStr for Recipient {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::new(ErrorKind::InvalidInput, "parsing a recipient");
        let (prefix, key) = bech::decode(text).ok_or_else(bad)?;
        let suite =
            [Suite::XWing, Suite::X25519].into_iter().find(|s| s.recipient_prefix() == prefix).ok_or_else(bad)?;
        // age writes recipients in lower case.
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(bad());
        }
        Self::from_bytes(suite, &key)
    }
}

/// Whoever holds a secret key: an [`Identity`](super::Identity) in memory, or your own door to a KMS or HSM.
///
/// One call opens one epoch; a session opens each epoch once and keeps what it needs.
pub trait Opener: Send + Sync {
    /// The public key that things are sealed to.
    fn recipient(&self) -> &Recipient;

    /// HPKE base-mode open (RFC 9180 section 6.1): `enc || ciphertext` under `info`, with empty AAD, as a single
    /// message.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if it does not open; whatever fits if the key's keeper cannot be reached.
    fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>>;

    /// Signs with the key that the tenant's card names, if it is at hand in memory. Then the ledger's entries about what
    /// the tenant does bear the tenant's own signature, else the operator's. Called while a ledger is being written: it
    /// must not wait for another machine.
    fn sign(&self, _message: &[u8]) -> Option<(PublicKey, [u8; 64])> {
        None
    }

    /// `EXP(EXP(seed, ENC("tenant-pseudonym")), info)`: what pseudonyms are made with, if the seed is at hand in memory.
    /// Without it, nothing can be transferred under pseudonyms.
    fn pseudonym_key(&self, _info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        None
    }
}

impl<T: Opener + ?Sized> Opener for std::sync::Arc<T> {
    fn recipient(&self) -> &Recipient {
        (**self).recipient()
    }

    fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        (**self).open(enc, info, ciphertext)
    }

    fn sign(&self, message: &[u8]) -> Option<(PublicKey, [u8; 64])> {
        (**self).sign(message)
    }

    fn pseudonym_key(&self, info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        (**self).pseudonym_key(info)
    }
}

/// `enc || ciphertext` of `plain` to `recipient` under `info`.
pub(crate) fn seal(recipient: &Recipient, info: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let sealed = match recipient.suite {
        Suite::XWing => seal_to::<XWing>(&recipient.key, info, plain),
        Suite::X25519 => seal_to::<X25519HkdfSha256>(&recipient.key, info, plain),
    };
    sealed.map_err(|e| Error::new(ErrorKind::InvalidInput, "sealing to a public key").because(e))
}

/// Opens with a secret in memory.
pub(super) fn open(
    suite: Suite,
    secret: &Secret,
    enc: &[u8],
    info: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let opened = match suite {
        Suite::XWing => open_with::<XWing>(secret, enc, info, ciphertext),
        Suite::X25519 => open_with::<X25519HkdfSha256>(secret, enc, info, ciphertext),
    };
    opened
        .map(Zeroizing::new)
        .map_err(|e| Error::new(ErrorKind::WrongKey, "opening what was sealed to a public key").because(e))
}

fn seal_to<K: Kem>(key: &[u8], info: &[u8], plain: &[u8]) -> Result<Vec<u8>, ::hpke::HpkeError> {
    let key = K::PublicKey::from_bytes(key)?;
    let (enc, sealed) = single_shot_seal::<AesGcm256, HkdfSha256, K>(&OpModeS::Base, &key, info, plain, b"")?;
    Ok([&enc.to_bytes()[..], &sealed].concat())
}

fn open_with<K: Kem>(secret: &Secret, enc: &[u8], info: &[u8], sealed: &[u8]) -> Result<Vec<u8>, ::hpke::HpkeError> {
    let key = K::PrivateKey::from_bytes(secret.expose_secret())?;
    let enc = K::EncappedKey::from_bytes(enc)?;
    single_shot_open::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &key, &enc, info, sealed, b"")
}

fn public_of<K: Kem>(secret: &Secret) -> Vec<u8> {
    // Any 32 bytes are a secret key of either KEM.
    let key = K::PrivateKey::from_bytes(secret.expose_secret()).unwrap_or_else(|_| unreachable!("32 bytes"));
    K::sk_to_pk(&key).to_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use ::hpke::aead::ChaCha20Poly1305;

    use super::*;
    use crate::id::unhex;

    /// Opens every encryption of every vector of our KEM, KDF and either AEAD.
    fn vectors<K: Kem>(json: &str, kem: u64) -> usize {
        let vectors: serde_json::Value = serde_json::from_str(json).unwrap();
        let bytes = |v: &serde_json::Value, name: &str| unhex(v[name].as_str().unwrap()).unwrap();
        let mut run = 0;
        for v in vectors.as_array().unwrap().iter().filter(|v| v["kem_id"] == kem && v["kdf_id"] == 1 && v["mode"] == 0)
        {
            let key = K::PrivateKey::from_bytes(&bytes(v, "skRm")).unwrap();
            assert_eq!(K::sk_to_pk(&key).to_bytes().to_vec(), bytes(v, "pkRm"));
            let enc = K::EncappedKey::from_bytes(&bytes(v, "enc")).unwrap();
            let info = bytes(v, "info");
            macro_rules! open_all {
                ($aead:ty) => {{
                    let mut context =
                        ::hpke::setup_receiver::<$aead, HkdfSha256, K>(&OpModeR::Base, &key, &enc, &info).unwrap();
                    let Some(all) = v["encryptions"].as_array() else { panic!("no encryptions") };
                    for e in all {
                        let opened = context.open(&bytes(e, "ct"), &bytes(e, "aad")).unwrap();
                        assert_eq!(opened, bytes(e, "pt"));
                        run += 1;
                    }
                }};
            }
            match v["aead_id"].as_u64().unwrap() {
                2 => open_all!(AesGcm256),
                3 => open_all!(ChaCha20Poly1305),
                _ => {}
            }
        }
        run
    }

    #[test]
    fn the_rfc_9180_vectors_of_suite_2_open() {
        assert!(vectors::<X25519HkdfSha256>(include_str!("../../tests/vectors/hpke-rfc9180-x25519.json"), 0x20) > 10);
    }

    #[test]
    fn the_hpke_pq_vectors_of_x_wing_open() {
        assert!(vectors::<XWing>(include_str!("../../tests/vectors/hpke-pq-xwing.json"), 0x647a) > 5);
    }

    #[test]
    fn a_sealed_secret_opens_only_under_its_info_and_key() {
        for suite in [Suite::XWing, Suite::X25519] {
            let (alice, bob) = (Secret::generate().unwrap(), Secret::generate().unwrap());
            let sealed = seal(&Recipient::of_secret(suite, &alice), b"info", b"plain").unwrap();
            let (enc, ct) = sealed.split_at(suite.enc_len());
            assert_eq!(&open(suite, &alice, enc, b"info", ct).unwrap()[..], b"plain");
            assert_eq!(open(suite, &alice, enc, b"inf0", ct).unwrap_err().kind(), ErrorKind::WrongKey);
            assert_eq!(open(suite, &bob, enc, b"info", ct).unwrap_err().kind(), ErrorKind::WrongKey);
            assert!(open(suite, &alice, &enc[1..], b"info", ct).is_err());
        }
    }

    #[test]
    fn a_recipient_prints_as_age_writes_it_and_parses_back() {
        for (suite, prefix, len) in [(Suite::XWing, "age1pq1", 1959), (Suite::X25519, "age1", 62)] {
            let recipient = Recipient::of_secret(suite, &Secret::generate().unwrap());
            let text = recipient.to_string();
            assert!(text.starts_with(prefix), "{text}");
            assert_eq!(text.len(), len);
            assert_eq!(text.parse::<Recipient>().unwrap(), recipient);
            assert!(text.to_uppercase().parse::<Recipient>().is_err());
        }
        assert!(Recipient::from_bytes(Suite::X25519, &[0; 32]).is_err());
    }
}
