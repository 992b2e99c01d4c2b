use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::id::EpochId;

/// Who is still writing: one locked file per open epoch. The system lets go of the lock when its process dies, however
/// it dies, so an epoch whose file can be locked is over.
pub(crate) struct Leases(PathBuf);

/// Held while an epoch takes records.
pub(crate) struct Lease {
    file: Option<File>,
    path: PathBuf,
}

impl Leases {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self(root)
    }

    pub(crate) fn take(&self, epoch: EpochId) -> Result<Lease> {
        let path = self.0.join(epoch.to_hex());
        let taken = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|file| {
            file.lock()?;
            Ok(file)
        });
        let file = taken.map_err(|e| Error::from_io(e, "marking an epoch as open"))?;
        Ok(Lease { file: Some(file), path })
    }

    /// Whether somebody still writes in the epoch.
    pub(crate) fn is_live(&self, epoch: EpochId) -> Result<bool> {
        match File::open(self.0.join(epoch.to_hex())) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => Ok(false),
                Err(TryLockError::WouldBlock) => Ok(true),
                Err(TryLockError::Error(e)) => Err(Error::from_io(e, "looking whether an epoch is open")),
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::from_io(e, "looking whether an epoch is open")),
        }
    }

    /// Epochs that have a file, live or left behind.
    pub(crate) fn list(&self) -> Result<Vec<EpochId>> {
        let failed = |e| Error::from_io(e, "listing open epochs");
        let mut epochs = Vec::new();
        for file in fs::read_dir(&self.0).map_err(failed)? {
            epochs.extend(file.map_err(failed)?.file_name().to_str().and_then(|n| n.parse::<EpochId>().ok()));
        }
        Ok(epochs)
    }

    /// Removes what a dead process left.
    pub(crate) fn remove(&self, epoch: EpochId) -> Result<()> {
        match fs::remove_file(self.0.join(epoch.to_hex())) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::from_io(e, "removing an epoch's mark")),
            _ => Ok(()),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The name goes before the lock: an epoch with a file that nobody holds is one that crashed.
        let _ = fs::remove_file(&self.path);
        drop(self.file.take());
    }
}
