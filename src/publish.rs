//! Publishing: heads of the ledgers leave the vault for places that whoever holds it does not rule over.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{LedgerHead, Sink, SinkError, SinkStatus};
use crate::tlog::SignedCheckpoint;
use crate::vault::Vault;

impl Vault {
    /// How far each sink is that the vault was opened with, in that order: which heads it has not, for how long, and why.
    pub fn sinks(&self) -> Vec<SinkStatus> {
        self.ledger().map(|ledger| ledger.sinks()).unwrap_or_default()
    }

    /// Gives the newest heads to every sink now, also those that other processes committed, and waits until each has
    /// taken them, at most so long. Says how far each is then.
    ///
    /// Nobody needs this but who wants to wait: what is committed here is published anyway. A vault that is dropped lets
    /// its sinks go on for a second at the most; what they have not taken by then, they are given when it is opened again.
    ///
    /// # Errors
    /// As the database. What a sink or a single ledger does not allow is in the status.
    pub fn publish(&self, timeout: Duration) -> Result<Vec<SinkStatus>> {
        let ledger = self.ledger()?;
        ledger.publish_all()?;
        Ok(ledger.flush(timeout))
    }
}

/// A folder that keeps the newest head of every log, each in a file named `<hex H(log key)>.checkpoint`: written whole,
/// synced, and renamed. Processes may share one.
///
/// It never goes back: a head that is older than the one in the folder, or another of the same size, is refused, and the
/// folder keeps what it has.
#[derive(Clone, Debug)]
pub struct FolderSink {
    folder: PathBuf,
}

impl FolderSink {
    /// In this folder, which is made when the first head comes. Choose one on another disk than the vault's, out of reach of
    /// whoever can change the vault: there each head costs two synchronisations of the disk that the commits wait for too.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn keep(&self, head: &LedgerHead) -> Result<()> {
        let doing = "keeping a ledger's head in a folder";
        let failed = |e| Error::from_io(e, doing);
        let hash = <sha2::Sha256 as sha2::Digest>::digest(head.log.as_bytes());
        let path = self.folder.join(format!("{}.checkpoint", crate::id::hex(&hash)));
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let folder = File::open(&self.folder).map_err(failed)?;
        // From the comparison to the rename nobody else writes here; the lock goes with the handle.
        folder.lock().map_err(failed)?;
        let mut new = head.checkpoint.clone();
        if let Some(kept) = kept(&path, head).map_err(failed)? {
            match kept.checkpoint().size.cmp(&new.checkpoint().size) {
                Ordering::Greater => return Err(Error::new(ErrorKind::RolledBack, doing)),
                Ordering::Equal if kept.checkpoint() != new.checkpoint() => {
                    return Err(Error::new(ErrorKind::Forked, doing));
                }
                // Lines that another process has brought already stay; a cosigner's later line takes the place of its own.
                Ordering::Equal => kept.others().for_each(|(_, line)| drop(new.add_lines(&format!("{line}\n")))),
                Ordering::Less => {}
            }
            if kept == new {
                return Ok(());
            }
        }
        let draft = path.with_added_extension("new");
        let written = (|| {
            let mut file = File::create(&draft)?;
            file.write_all(new.to_string().as_bytes())?;
            file.sync_all()?;
            // After a crash here the old head is there still, and the draft is written over next time.
            fs::rename(&draft, &path)?;
            folder.sync_all()
        })();
        written.map_err(failed)
    }
}

/// The head in a file, if its log signed it. Whatever else is there was not written by a sink.
fn kept(path: &Path, head: &LedgerHead) -> std::io::Result<Option<SignedCheckpoint>> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    Ok(text.parse::<SignedCheckpoint>().ok().filter(|kept| kept.verify(&head.log).is_ok()))
}

impl Sink for FolderSink {
    /// # Errors
    /// [`RolledBack`](ErrorKind::RolledBack) if the folder has a newer head, [`Forked`](ErrorKind::Forked) if it has
    /// another of the same size; else as the file system.
    fn take(&mut self, head: &LedgerHead) -> std::result::Result<(), SinkError> {
        Ok(self.keep(head)?)
    }
}
