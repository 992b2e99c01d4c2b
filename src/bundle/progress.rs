use std::ops::ControlFlow;

use crate::error::{Error, ErrorKind, Result};

/// How far a package has come that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageProgress {
    /// What is being done.
    pub stage: PackageStage,
    /// Bytes of parts that are done in this stage.
    pub bytes: u64,
    /// Bytes of all parts that go.
    pub of: u64,
}

/// What is being done to make a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PackageStage {
    /// Everything is read and hashed. Nothing has left, and the ledger does not say that anything will.
    Hashing,
    /// The ledger has said so, and the package is given out.
    Sending,
}

/// Is told how far a package has come, and may end it.
pub(crate) type Watch<'w> = &'w mut dyn FnMut(PackageProgress) -> ControlFlow<()>;

/// Tells, and goes on if that is wanted.
pub(crate) fn proceed(watch: Watch<'_>, stage: PackageStage, bytes: u64, of: u64) -> Result<()> {
    match watch(PackageProgress { stage, bytes: bytes.min(of), of }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "sending records to a third party")),
    }
}
