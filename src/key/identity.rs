use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::bech;
use super::hpke::{self, Opener, Recipient, Suite};
use super::signing::{PublicKey, Signing};
use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::kdf::exp;
use crate::secret::Secret;
use crate::time::Timestamp;

/// An identity file is a few lines; one that is longer is some other file.
pub(crate) const MAX_IDENTITY_FILE: u64 = 64 * 1024;

/// The secret key of a tenant or custodian, in memory. The same thing as an age identity: `AGE-SECRET-KEY-PQ-1…` is
/// the X-Wing seed, `AGE-SECRET-KEY-1…` the X25519 scalar. Wiped when dropped, never printed by accident.
///
/// ```
/// use strongroom::Identity;
/// let identity = Identity::generate()?;
/// assert!(identity.recipient().to_string().starts_with("age1pq1"));
/// # use strongroom::Opener;
/// # Ok::<(), strongroom::Error>(())
/// ```
pub struct Identity {
    secret: Secret,
    recipient: Recipient,
    /// Made of the secret when it is first asked for, which costs as much as a signature.
    signing: OnceLock<Signing>,
}

impl Identity {
    /// A new post-quantum identity.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if the system gives no randomness.
    pub fn generate() -> Result<Self> {
        Self::generate_for(Suite::XWing)
    }

    /// A new identity of the given suite.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if the system gives no randomness.
    pub fn generate_for(suite: Suite) -> Result<Self> {
        Ok(Self::from_secret(suite, Secret::generate()?))
    }

    pub(crate) fn from_secret(suite: Suite, secret: Secret) -> Self {
        let recipient = Recipient::of_secret(suite, &secret);
        Self { secret, recipient, signing: OnceLock::new() }
    }

    /// The public key that things are sealed to.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The Ed25519 key that checks what this identity signs: `EXP(seed, ENC("tenant-sign"))`.
    pub fn public_key(&self) -> PublicKey {
        self.signing().public_key()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing().sign(message)
    }

    fn signing(&self) -> &Signing {
        self.signing.get_or_init(|| Signing::from_seed(&exp(&self.secret, &enc("tenant-sign", &[]))))
    }

    /// The secret key as age writes it: the one way to take it out of memory. Wiped when the string is dropped.
    pub fn expose_secret(&self) -> Zeroizing<String> {
        let text = bech::encode(self.recipient.suite().identity_prefix(), self.secret.expose_secret());
        Zeroizing::new(text.to_uppercase())
    }

    /// Reads a plain identity file: comment lines, empty lines and exactly one identity.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no such file; else as the file system.
    pub fn read_file(path: impl AsRef<Path>) -> Result<Self> {
        let doing = "reading an identity file";
        let file = File::open(path).map_err(|e| Error::from_io(e, doing))?;
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_IDENTITY_FILE as usize + 1));
        file.take(MAX_IDENTITY_FILE + 1).read_to_end(&mut text).map_err(|e| Error::from_io(e, doing))?;
        Self::parse_file(&text)
    }

    pub(crate) fn parse_file(text: &[u8]) -> Result<Self> {
        let bad = || Error::new(ErrorKind::InvalidInput, "reading an identity file");
        let text = std::str::from_utf8(text).map_err(|_| bad())?;
        let mut keys = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        match (keys.next(), keys.next()) {
            (Some(key), None) if text.len() as u64 <= MAX_IDENTITY_FILE => key.parse(),
            _ => Err(bad()),
        }
    }

    /// Writes a plain identity file as `age-keygen` does, readable by its owner only, synced. Never overwrites.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if the file is there; else as the file system.
    pub fn write_file(&self, path: impl AsRef<Path>) -> Result<()> {
        write_secret_file(path.as_ref(), self.file_text().as_bytes(), "writing an identity file")
    }

    pub(crate) fn file_text(&self) -> Zeroizing<String> {
        let (now, key) = (Timestamp::now(), self.expose_secret());
        Zeroizing::new(format!("# created: {now}\n# public key: {}\n{}\n", self.recipient, *key))
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// Creates a file that only its owner can read, and syncs it and its folder.
pub(crate) fn write_secret_file(path: &Path, bytes: &[u8], doing: &'static str) -> Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        }
    });
    written.map_err(|e| Error::from_io(e, doing))
}

impl Opener for Identity {
    fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        hpke::open(self.recipient.suite(), &self.secret, enc, info, ciphertext)
    }

    fn sign(&self, message: &[u8]) -> Option<(PublicKey, [u8; 64])> {
        let signing = self.signing();
        Some((signing.public_key(), signing.sign(message)))
    }

    fn pseudonym_key(&self, info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let key = exp(&exp(&self.secret, &enc("tenant-pseudonym", &[])), info);
        Some(Zeroizing::new(*key.expose_secret()))
    }
}

impl FromStr for Identity {
    type Err = Error;

    /// Parses `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`, in capital letters as age writes them.
    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::new(ErrorKind::InvalidInput, "parsing an identity");
        if text.bytes().any(|b| b.is_ascii_lowercase()) {
            return Err(bad());
        }
        let (prefix, secret) = bech::decode(text).ok_or_else(bad)?;
        let suite =
            [Suite::XWing, Suite::X25519].into_iter().find(|s| s.identity_prefix() == prefix).ok_or_else(bad)?;
        Ok(Self::from_secret(suite, Secret::from_slice(&secret).ok_or_else(bad)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_its_file_and_the_file_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.txt");
        for suite in [Suite::XWing, Suite::X25519] {
            let identity = Identity::generate_for(suite).unwrap();
            identity.write_file(&path).unwrap();
            let back = Identity::read_file(&path).unwrap();
            assert_eq!(back.recipient(), identity.recipient());
            assert_eq!(back.public_key(), identity.public_key());
            assert_eq!(identity.write_file(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn two_keys_no_key_or_a_damaged_key_in_a_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.txt");
        let key = Identity::generate().unwrap().expose_secret().to_string();
        for text in [String::new(), format!("{key}\n{key}\n"), key.replace("PQ-1", "PQ-1Q"), key.to_lowercase()] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(Identity::read_file(&path).err().unwrap().kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn an_identity_of_age_keygen_gives_the_recipient_that_age_keygen_printed() {
        // Both lines printed by Debian's age-keygen 1.1.1.
        let identity: Identity =
            include_str!("../../tests/vectors/age-keygen.txt").lines().next_back().unwrap().parse().unwrap();
        let printed =
            include_str!("../../tests/vectors/age-keygen.txt").lines().find_map(|l| l.strip_prefix("# public key: "));
        assert_eq!(Some(identity.recipient().to_string().as_str()), printed);
    }
}
