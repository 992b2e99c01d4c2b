use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId};
use crate::stream::ReadAt;

/// Names a sealed part that is stored outside the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectName {
    pub(crate) epoch: EpochId,
    pub(crate) record: RecordId,
    pub(crate) part: u32,
}

/// Bytes that must last. Written once and whole, under a name that is never used again.
pub(crate) trait Objects: Send + Sync {
    /// Starts an object. It is there under its name only once the writer has finished.
    fn create(&self, name: ObjectName) -> Result<Box<dyn ObjectWriter>>;
    /// Makes every finished object of the epoch durable. Nothing may name one before.
    fn sync(&self, epoch: EpochId) -> Result<()>;
    fn open(&self, name: ObjectName) -> Result<Box<dyn ReadAt>>;
    /// Removes an object; it need not be there.
    fn delete(&self, name: ObjectName) -> Result<()>;
    /// Everything that is there, epoch by epoch.
    fn list(&self, visit: &mut dyn FnMut(Found) -> Result<()>) -> Result<()>;
    /// Removes what [`list`](Self::list) found and an object's name does not reach.
    fn delete_stray(&self, stray: &Path) -> Result<()>;
}

/// The writing side of one object. Dropped before it has finished, it leaves nothing.
pub(crate) trait ObjectWriter: Send {
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
    /// Makes the bytes durable and gives the object its name.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// What a listing found.
pub(crate) enum Found {
    Object(ObjectName),
    /// A file that was never finished, in the folder of this epoch.
    Unfinished(EpochId, PathBuf),
    /// Nothing of ours.
    Stranger(PathBuf),
}

/// One file per object, `<epoch>/<record>.<part>`, written whole, synced, renamed; then the folder is synced.
pub(crate) struct FileObjects {
    root: PathBuf,
    /// Folders that are known to be there and durable.
    folders: Mutex<HashSet<EpochId>>,
}

impl FileObjects {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, folders: Mutex::default() }
    }

    fn folder(&self, epoch: EpochId) -> PathBuf {
        self.root.join(epoch.to_hex())
    }

    fn path(&self, name: ObjectName) -> PathBuf {
        self.folder(name.epoch).join(format!("{}.{}", name.record.to_hex(), name.part))
    }
}

impl Objects for FileObjects {
    fn create(&self, name: ObjectName) -> Result<Box<dyn ObjectWriter>> {
        let made = (|| {
            let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            if !folders.contains(&name.epoch) {
                fs::create_dir_all(self.folder(name.epoch))?;
                File::open(&self.root)?.sync_all()?;
                folders.insert(name.epoch);
            }
            drop(folders);
            let path = self.path(name);
            let draft = path.with_added_extension("tmp");
            // After a crash from here until the rename, the draft is left: the sweep knows it by its extension.
            let file = OpenOptions::new().write(true).create_new(true).open(&draft)?;
            Ok(FileWriter { file, draft, path, unsynced: 0, early: None, finished: false })
        })();
        made.map(|w| Box::new(w) as Box<dyn ObjectWriter>).map_err(|e| Error::from_io(e, "creating an object"))
    }

    fn sync(&self, epoch: EpochId) -> Result<()> {
        File::open(self.folder(epoch))
            .and_then(|f| f.sync_all())
            .map_err(|e| Error::from_io(e, "syncing a folder of objects"))
    }

    fn open(&self, name: ObjectName) -> Result<Box<dyn ReadAt>> {
        match File::open(self.path(name)) {
            Ok(file) => Ok(Box::new(file)),
            // A row names it, so a missing file is damage and not a wrong question.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::new(ErrorKind::Damaged, "opening an object").because(e))
            }
            Err(e) => Err(Error::from_io(e, "opening an object")),
        }
    }

    fn delete(&self, name: ObjectName) -> Result<()> {
        self.delete_stray(&self.path(name))
    }

    fn list(&self, visit: &mut dyn FnMut(Found) -> Result<()>) -> Result<()> {
        let failed = |e| Error::from_io(e, "listing objects");
        for folder in fs::read_dir(&self.root).map_err(failed)? {
            let folder = folder.map_err(failed)?;
            let epoch = folder.file_name().to_str().filter(|n| n.len() == 32).and_then(|n| n.parse::<EpochId>().ok());
            let Some(epoch) = epoch else {
                visit(Found::Stranger(folder.path()))?;
                continue;
            };
            for file in fs::read_dir(folder.path()).map_err(failed)? {
                let path = file.map_err(failed)?.path();
                let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                let object = name.split_once('.').and_then(|(record, part)| {
                    let (record, part) = (Some(record).filter(|r| r.len() == 32)?.parse().ok()?, part.parse().ok()?);
                    Some(ObjectName { epoch, record, part })
                });
                visit(match object {
                    // Spelt as we would spell it.
                    Some(object) if self.path(object) == path => Found::Object(object),
                    _ if name.ends_with(".tmp") => Found::Unfinished(epoch, path),
                    _ => Found::Stranger(path),
                })?;
            }
        }
        Ok(())
    }

    fn delete_stray(&self, stray: &Path) -> Result<()> {
        match fs::remove_file(stray) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::from_io(e, "removing an object")),
            _ => Ok(()),
        }
    }
}

struct FileWriter {
    file: File,
    draft: PathBuf,
    path: PathBuf,
    unsynced: usize,
    early: Option<JoinHandle<std::io::Result<()>>>,
    finished: bool,
}

/// Bytes after which the disk is put to work while more are sealed: the final sync then has little left to wait for.
const WRITEBACK: usize = 1 << 20;

impl FileWriter {
    fn write_back(&mut self) -> std::io::Result<()> {
        if self.early.as_ref().is_some_and(|early| !early.is_finished()) {
            return Ok(());
        }
        self.join_early()?;
        let file = self.file.try_clone()?;
        self.early = Some(std::thread::spawn(move || file.sync_data()));
        self.unsynced = 0;
        Ok(())
    }

    fn join_early(&mut self) -> std::io::Result<()> {
        match self.early.take().map(JoinHandle::join) {
            Some(Ok(synced)) => synced,
            Some(Err(_)) => Err(std::io::Error::other("the thread that syncs an object died")),
            None => Ok(()),
        }
    }
}

impl ObjectWriter for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes).and_then(|()| {
            self.unsynced += bytes.len();
            if self.unsynced >= WRITEBACK { self.write_back() } else { Ok(()) }
        });
        written.map_err(|e| Error::from_io(e, "writing an object"))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let finished = self.join_early().and_then(|()| self.file.sync_all()).and_then(|()| {
            // The bytes are durable, the name is not: after a crash here the folder has either, and no row names it.
            fs::rename(&self.draft, &self.path)
        });
        self.finished = finished.is_ok();
        finished.map_err(|e| Error::from_io(e, "finishing an object"))
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.finished {
            let _ = self.join_early();
            // What cannot be removed now, the sweep removes.
            let _ = fs::remove_file(&self.draft);
        }
    }
}
