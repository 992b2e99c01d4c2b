use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::{ArmorWriter, Passphrase, Reader, Writer};
use crate::error::{Error, Result};
use crate::key::{Identity, MAX_IDENTITY_FILE, write_secret_file};

impl Identity {
    /// Reads an identity file that is itself an age file under a passphrase, armored or not.
    ///
    /// # Errors
    /// [`WrongKey`](crate::ErrorKind::WrongKey) if the passphrase is another;
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if it is no such file; else as the file system.
    pub fn read_encrypted_file(path: impl AsRef<Path>, passphrase: &Passphrase) -> Result<Self> {
        let doing = "reading an encrypted identity file";
        let file = File::open(path).map_err(|e| Error::from_io(e, doing))?;
        let reader = Reader::new(file.take(2 * MAX_IDENTITY_FILE), passphrase)?;
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_IDENTITY_FILE as usize + 1));
        reader.take(MAX_IDENTITY_FILE + 1).read_to_end(&mut text).map_err(|e| Error::from_io(e, doing))?;
        Self::parse_file(&text)
    }

    /// Writes an identity file under a passphrase, armored, readable by its owner only, synced. Never overwrites.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if the file is there; else as the file system.
    pub fn write_encrypted_file(&self, path: impl AsRef<Path>, passphrase: &Passphrase) -> Result<()> {
        let doing = "writing an encrypted identity file";
        let mut writer = Writer::with_passphrase(ArmorWriter::new(Vec::new())?, passphrase)?;
        writer.write_all(self.file_text().as_bytes()).map_err(|e| Error::from_io(e, doing))?;
        let bytes = writer.finish()?.finish()?;
        write_secret_file(path.as_ref(), &bytes, doing)
    }
}
