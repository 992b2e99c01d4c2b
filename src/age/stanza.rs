use std::fmt;

use ::hpke::aead::ChaCha20Poly1305;
use ::hpke::kdf::HkdfSha256;
use ::hpke::kem::{Kem, XWing};
use ::hpke::{Deserializable, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use scrypt::Params;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::header::{bad, hkdf};
use crate::error::{Error, ErrorKind, Result};
use crate::id::random;
use crate::key::{Identity, Recipient, Suite};
use crate::secret::Secret;

const X25519: &str = "X25519";
const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const HYBRID: &str = "mlkem768x25519";
const HYBRID_INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
const SCRYPT: &str = "scrypt";
const SCRYPT_SALT: &[u8] = b"age-encryption.org/v1/scrypt";
/// Bytes of a file key sealed in a stanza.
const WRAPPED: usize = 32;

/// The 16 bytes that everything in a file is derived from.
pub struct FileKey(Zeroizing<[u8; 16]>);

impl FileKey {
    pub(super) fn generate() -> Result<Self> {
        let mut key = Zeroizing::new([0; 16]);
        random(&mut key[..])?;
        Ok(Self(key))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(super) fn expose_secret(&self) -> &[u8; 16] {
        &self.0
    }
}

/// One recipient's entry in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    /// Its type and arguments.
    pub args: Vec<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Whoever can find the key of a file among its stanzas: an [`Identity`], a [`Passphrase`].
pub trait Unlock {
    /// The file's key, or nothing if no stanza is for this one.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if a stanza of a known type is malformed;
    /// [`TooLarge`](ErrorKind::TooLarge) if a passphrase would take more work than allowed.
    fn unlock(&self, stanzas: &[Stanza]) -> Result<Option<FileKey>>;
}

impl Stanza {
    pub(super) fn seal(key: &FileKey, recipient: &Recipient) -> Result<Self> {
        match recipient.suite() {
            Suite::X25519 => Self::seal_x25519(key, recipient),
            Suite::XWing => {
                let failed = |e| Error::new(ErrorKind::InvalidInput, "sealing an age file to a recipient").because(e);
                let public = <XWing as Kem>::PublicKey::from_bytes(recipient.as_bytes()).map_err(failed)?;
                let (enc, body) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
                    &OpModeS::Base,
                    &public,
                    HYBRID_INFO,
                    key.expose_secret(),
                    b"",
                )
                .map_err(failed)?;
                Ok(Self { args: vec![HYBRID.to_owned(), BASE64.encode(enc.to_bytes())], body })
            }
        }
    }

    fn seal_x25519(key: &FileKey, recipient: &Recipient) -> Result<Self> {
        let failed = || Error::new(ErrorKind::InvalidInput, "sealing an age file to a recipient");
        let theirs: [u8; 32] = recipient.as_bytes().try_into().map_err(|_| failed())?;
        let ephemeral = StaticSecret::from(*Secret::generate()?.expose_secret());
        let share = PublicKey::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(&PublicKey::from(theirs));
        if !shared.was_contributory() {
            return Err(failed());
        }
        let wrap = hkdf(&[share.as_bytes(), &theirs[..]].concat(), shared.as_bytes(), X25519_INFO);
        Ok(Self { args: vec![X25519.to_owned(), BASE64.encode(share.as_bytes())], body: wrap_key(&wrap, key)? })
    }
}

impl Unlock for Identity {
    fn unlock(&self, stanzas: &[Stanza]) -> Result<Option<FileKey>> {
        alone(stanzas)?;
        let mut found = None;
        for Stanza { args, body } in stanzas {
            let opened = match (args[0].as_str(), self.recipient().suite()) {
                (X25519, suite) => {
                    let [_, share] = &args[..] else { return Err(bad()) };
                    let share: [u8; 32] = decode(share)?.try_into().map_err(|_| bad())?;
                    if body.len() != WRAPPED {
                        return Err(bad());
                    }
                    if suite == Suite::X25519 { self.open_x25519(&share, body)? } else { None }
                }
                (HYBRID, suite) => {
                    let [_, enc] = &args[..] else { return Err(bad()) };
                    let enc = decode(enc)?;
                    if body.len() != WRAPPED || enc.len() != Suite::XWing.enc_len() {
                        return Err(bad());
                    }
                    if suite == Suite::XWing { self.open_hybrid(&enc, body)? } else { None }
                }
                _ => None,
            };
            // Every stanza is checked, whichever is ours.
            found = found.or(opened);
        }
        Ok(found)
    }
}

impl Identity {
    fn open_x25519(&self, share: &[u8; 32], body: &[u8]) -> Result<Option<FileKey>> {
        let shared = StaticSecret::from(*self.secret().expose_secret()).diffie_hellman(&PublicKey::from(*share));
        if !shared.was_contributory() {
            return Err(bad());
        }
        let salt = [&share[..], self.recipient().as_bytes()].concat();
        Ok(unwrap_key(&hkdf(&salt, shared.as_bytes(), X25519_INFO), body))
    }

    fn open_hybrid(&self, enc: &[u8], body: &[u8]) -> Result<Option<FileKey>> {
        // X-Wing ends with an X25519 share and does not mind one of low order; age does. Any clamped scalar tells.
        let share = enc.last_chunk::<32>().ok_or_else(bad)?;
        if !StaticSecret::from([1; 32]).diffie_hellman(&PublicKey::from(*share)).was_contributory() {
            return Err(bad());
        }
        let key = <XWing as Kem>::PrivateKey::from_bytes(self.secret().expose_secret()).map_err(|_| bad())?;
        let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(|_| bad())?;
        let opened =
            single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(&OpModeR::Base, &key, &enc, HYBRID_INFO, body, b"");
        match opened {
            Ok(plain) => Ok(FileKey::from_slice(&Zeroizing::new(plain))),
            // A share of low order is malformed; what does not authenticate is for somebody else.
            Err(::hpke::HpkeError::OpenError) => Ok(None),
            Err(_) => Err(bad()),
        }
    }
}

/// A passphrase, and how much work it may cost. Wiped when dropped.
pub struct Passphrase {
    text: Zeroizing<String>,
    log_n: u8,
    most: u8,
}

impl Passphrase {
    /// A passphrase. Writing costs 2^18 rounds of scrypt (256 MiB of memory, about a second); reading is refused
    /// above 2^22.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), log_n: 18, most: 22 }
    }

    /// Another work factor for writing, as the logarithm of the rounds: 1 to 22.
    #[must_use]
    pub fn work(self, log_n: u8) -> Self {
        Self { log_n: log_n.clamp(1, 22), ..self }
    }

    /// Another limit for reading, as the logarithm of the rounds.
    #[must_use]
    pub fn at_most(self, log_n: u8) -> Self {
        Self { most: log_n, ..self }
    }

    pub(super) fn stanza(&self, key: &FileKey) -> Result<Stanza> {
        let mut salt = [0; 16];
        random(&mut salt)?;
        let body = wrap_key(&self.derive(&salt, self.log_n)?, key)?;
        Ok(Stanza { args: vec![SCRYPT.to_owned(), BASE64.encode(salt), self.log_n.to_string()], body })
    }

    fn derive(&self, salt: &[u8; 16], log_n: u8) -> Result<Secret> {
        let params = Params::new(log_n, 8, 1).map_err(|_| bad())?;
        let salt = [SCRYPT_SALT, salt].concat();
        let mut done = Ok(());
        let key = Secret::from_fn(|out| done = scrypt::scrypt(self.text.as_bytes(), &salt, &params, out));
        done.map_err(|_| bad())?;
        Ok(key)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Unlock for Passphrase {
    fn unlock(&self, stanzas: &[Stanza]) -> Result<Option<FileKey>> {
        alone(stanzas)?;
        let [Stanza { args, body }] = stanzas else { return Ok(None) };
        if args[0] != SCRYPT {
            return Ok(None);
        }
        let [_, salt, log_n] = &args[..] else { return Err(bad()) };
        let salt: [u8; 16] = decode(salt)?.try_into().map_err(|_| bad())?;
        let digits = log_n.bytes().all(|b| b.is_ascii_digit()) && !log_n.starts_with('0') && log_n.len() <= 2;
        let log_n: u8 = log_n.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        if body.len() != WRAPPED || log_n > 63 {
            return Err(bad());
        }
        if log_n > self.most {
            return Err(Error::new(ErrorKind::TooLarge, "opening an age file whose passphrase costs too much work"));
        }
        Ok(unwrap_key(&self.derive(&salt, log_n)?, body))
    }
}

/// A passphrase's stanza must be the only one: who knows it could have written the file.
fn alone(stanzas: &[Stanza]) -> Result<()> {
    let secret = stanzas.iter().any(|stanza| stanza.args[0] == SCRYPT);
    if secret && stanzas.len() > 1 { Err(bad()) } else { Ok(()) }
}

fn decode(text: &str) -> Result<Vec<u8>> {
    BASE64.decode(text).map_err(|_| bad())
}

/// Each wrapping key is used once, so its nonce is zero.
fn cipher(key: &Secret) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.expose_secret());
    key.map(LessSafeKey::new).map_err(|_| Error::new(ErrorKind::InvalidInput, "setting up a cipher"))
}

fn wrap_key(wrap: &Secret, key: &FileKey) -> Result<Vec<u8>> {
    let mut body = key.expose_secret().to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let sealed = cipher(wrap)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut body);
    sealed.map_err(|_| Error::new(ErrorKind::InvalidInput, "sealing an age file's key"))?;
    Ok(body)
}

fn unwrap_key(wrap: &Secret, body: &[u8]) -> Option<FileKey> {
    let mut body = Zeroizing::new(body.to_vec());
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let plain = cipher(wrap).ok()?.open_in_place(nonce, Aad::empty(), &mut body[..]).ok()?;
    FileKey::from_slice(plain)
}
