use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
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

/// What an epoch's file tells.
#[derive(PartialEq, Eq)]
enum Mark {
    Held,
    Abandoned,
    Gone,
}

impl Leases {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self(root)
    }

    pub(crate) fn take(&self, epoch: EpochId) -> Result<Lease> {
        let path = self.0.join(epoch.to_hex());
        let taken = File::open(&self.0).and_then(|folder| {
            // Until the file is locked it looks abandoned: whoever looks for such files waits, or this one does.
            folder.lock_shared()?;
            let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            file.lock()?;
            Ok(file)
        });
        let file = taken.map_err(|e| Error::from_io(e, "marking an epoch as open"))?;
        Ok(Lease { file: Some(file), path })
    }

    /// Whether somebody still writes in the epoch.
    pub(crate) fn is_live(&self, epoch: EpochId) -> Result<bool> {
        let mark = self.mark(epoch).map_err(|e| Error::from_io(e, "looking whether an epoch is open"))?;
        Ok(mark == Mark::Held)
    }

    /// Epochs whose process died.
    pub(crate) fn abandoned(&self) -> Result<Vec<EpochId>> {
        self.all(&Mark::Abandoned, "looking for epochs whose writer is gone")
    }

    /// Whether somebody writes in any epoch.
    pub(crate) fn any_live(&self) -> Result<bool> {
        Ok(!self.all(&Mark::Held, "looking whether anybody writes in a vault")?.is_empty())
    }

    fn all(&self, wanted: &Mark, doing: &'static str) -> Result<Vec<EpochId>> {
        let look = || {
            let _quiet = self.quiet()?;
            let mut found = Vec::new();
            for file in fs::read_dir(&self.0)? {
                let epoch = file?.file_name().to_str().and_then(|name| name.parse::<EpochId>().ok());
                if let Some(epoch) = epoch
                    && self.mark(epoch)? == *wanted
                {
                    found.push(epoch);
                }
            }
            Ok(found)
        };
        look().map_err(|e| Error::from_io(e, doing))
    }

    /// Removes what a dead process left, and nothing that somebody holds.
    pub(crate) fn remove(&self, epoch: EpochId) -> Result<()> {
        let remove = || {
            let _quiet = self.quiet()?;
            match self.mark(epoch)? {
                Mark::Abandoned => fs::remove_file(self.0.join(epoch.to_hex())),
                Mark::Held | Mark::Gone => Ok(()),
            }
        };
        remove().map_err(|e| Error::from_io(e, "removing an epoch's mark"))
    }

    /// No file is between its creation and its lock while this is held.
    fn quiet(&self) -> std::io::Result<File> {
        let folder = File::open(&self.0)?;
        folder.lock()?;
        Ok(folder)
    }

    fn mark(&self, epoch: EpochId) -> std::io::Result<Mark> {
        let file = match File::open(self.0.join(epoch.to_hex())) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Mark::Gone),
            file => file?,
        };
        match file.try_lock_shared() {
            // Closed in order between our opening and our locking it.
            Ok(()) if file.metadata()?.nlink() == 0 => Ok(Mark::Gone),
            Ok(()) => Ok(Mark::Abandoned),
            Err(TryLockError::WouldBlock) => Ok(Mark::Held),
            Err(TryLockError::Error(e)) => Err(e),
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
