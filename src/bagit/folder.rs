use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Files that are synced together: a file system writes them down at once where one by one costs it a commit each.
const TOGETHER: usize = 64;
/// Bytes of which they are synced earlier.
const BYTES_TOGETHER: u64 = 64 << 20;
/// Threads that wait for that.
const WAITING: usize = 16;

/// A folder that is made as `<folder>.part` and gets its name when it is whole and durable. Dropped before, it leaves
/// nothing; after a crash, `<folder>.part` is left and can be removed.
pub(super) struct Folder {
    folder: PathBuf,
    part: PathBuf,
    unsynced: Vec<File>,
    unsynced_bytes: u64,
    finished: bool,
}

impl Folder {
    /// # Errors
    /// - [`AlreadyExists`](ErrorKind::AlreadyExists) if `folder` has something in it or `<folder>.part` is there;
    /// - [`InvalidInput`](ErrorKind::InvalidInput) if `folder` has no name;
    /// - those of the file system.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let failed = |e| Error::from_io(e, "creating a bag");
        let Some(name) = folder.file_name() else {
            return Err(Error::new(ErrorKind::InvalidInput, "creating a bag without a name"));
        };
        match fs::read_dir(folder).map(|mut entries| entries.next()) {
            Ok(None) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Ok(Some(_)) => return Err(Error::new(ErrorKind::AlreadyExists, "creating a bag in a folder with files")),
            Err(e) => return Err(failed(e)),
        }
        // Without a trailing slash, which would have the folder's rename refused.
        let folder = folder.with_file_name(name);
        let part = folder.with_added_extension("part");
        fs::DirBuilder::new().mode(0o700).create(&part).map_err(failed)?;
        Ok(Self { folder, part, unsynced: Vec::new(), unsynced_bytes: 0, finished: false })
    }

    /// Makes a folder in it, and those that it is in.
    pub(super) fn folder(&self, path: &str) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.part.join(path))
    }

    /// Makes a file in it that only its owner may read, and the folders that it is in.
    pub(super) fn file(&self, path: &str) -> Result<File> {
        let folder = path.rsplit_once('/').map_or(Ok(()), |(folder, _)| self.folder(folder));
        let open = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.part.join(path));
        folder.and_then(|()| open()).map_err(|e| Error::from_io(e, "creating a bag's file"))
    }

    /// Takes a file of so many bytes that is written, to sync it together with others before the folder is finished.
    pub(super) fn sync_later(&mut self, file: File, len: u64) -> Result<()> {
        self.unsynced.push(file);
        self.unsynced_bytes = self.unsynced_bytes.saturating_add(len);
        if self.unsynced.len() >= TOGETHER || self.unsynced_bytes >= BYTES_TOGETHER {
            self.sync_files()?;
        }
        Ok(())
    }

    fn sync_files(&mut self) -> Result<()> {
        self.unsynced_bytes = 0;
        // By the handles that wrote them: what the disk failed to write is told to these for certain.
        let files = std::mem::take(&mut self.unsynced);
        let sync = |files: &[File]| files.iter().try_for_each(File::sync_all);
        let synced = std::thread::scope(|scope| {
            let shares = files.chunks(files.len().div_ceil(WAITING).max(1));
            let threads: Vec<_> = shares.map(|share| scope.spawn(move || sync(share))).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().try_for_each(join)
        });
        synced.map_err(|e| Error::from_io(e, "syncing a bag's files"))
    }

    pub(super) fn remove(&self, path: &str) {
        let _ = fs::remove_file(self.part.join(path));
    }

    /// Makes the files that were to be synced later durable, and the folders, and gives the folder its name.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if something has come to be in the folder meanwhile,
    /// [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) if it has its name but may lose it in a power cut, and those of
    /// the file system.
    pub(super) fn finish(mut self) -> Result<()> {
        self.sync_files()?;
        sync(&self.part).map_err(|e| Error::from_io(e, "syncing a bag"))?;
        fs::rename(&self.part, &self.folder).map_err(|e| match e.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                Error::new(ErrorKind::AlreadyExists, "naming a bag").because(e)
            }
            _ => Error::from_io(e, "naming a bag"),
        })?;
        self.finished = true;
        let parent = self.folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)
            .and_then(|f| f.sync_all())
            .map_err(|e| Error::new(ErrorKind::OutcomeUnknown, "syncing the folder that a bag is in").because(e))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_dir_all(&self.part);
        }
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}
