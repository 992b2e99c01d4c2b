use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// A folder that is made as `<folder>.part` and gets its name when it is whole and durable. Dropped before, it leaves
/// nothing; after a crash, `<folder>.part` is left and can be removed.
pub(super) struct Folder {
    folder: PathBuf,
    part: PathBuf,
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
        Ok(Self { folder, part, finished: false })
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

    pub(super) fn remove(&self, path: &str) {
        let _ = fs::remove_file(self.part.join(path));
    }

    /// Makes the folders durable, whose files already are, and gives the folder its name.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if something has come to be in the folder meanwhile,
    /// [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) if it has its name but may lose it in a power cut, and those of
    /// the file system.
    pub(super) fn finish(mut self) -> Result<()> {
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
