use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Enough for the slots, log pages and entries of a few commits.
const SIZE: usize = 1 << 20;

/// Space that is given up when the disk is full, so that the ledgers can still say so.
pub(crate) struct Reserve(PathBuf);

impl Reserve {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Whether the space is there.
    pub(crate) fn is_held(&self) -> bool {
        self.0.exists()
    }

    /// Takes the space.
    ///
    /// # Errors
    /// `Full` if there is none.
    pub(crate) fn hold(&self) -> Result<()> {
        self.hold_of(SIZE)
    }

    /// Takes the space again, once there is twice as much: or else the next commit would find none.
    ///
    /// # Errors
    /// `Full` as long as there is less.
    pub(crate) fn hold_again(&self) -> Result<()> {
        self.hold_of(2 * SIZE)
    }

    fn hold_of(&self, size: usize) -> Result<()> {
        let draft = self.0.with_extension("new");
        let held = (|| {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&draft)?;
            // Not zeros: a file system that packs them would hold nothing back.
            let block: Vec<u8> = (0..size).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            file.write_all(&block)?;
            file.sync_all()?;
            if size > SIZE {
                file.set_len(SIZE as u64)?;
                file.sync_all()?;
            }
            fs::rename(&draft, &self.0)
        })();
        held.map_err(|e| {
            let _ = fs::remove_file(&draft);
            Error::from_io(e, "setting space aside for the ledgers")
        })
    }

    /// Gives the space up. True if it was held.
    pub(crate) fn release(&self) -> bool {
        let released = fs::remove_file(&self.0).is_ok();
        if let Some(folder) = self.0.parent().filter(|_| released) {
            let _ = File::open(folder).and_then(|f| f.sync_all());
        }
        released
    }
}
