use std::ops::ControlFlow;

use crate::error::{Error, ErrorKind, Result};

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// What is being done.
    pub stage: TransferStage,
    /// Bytes of parts that are done in this stage.
    pub bytes: u64,
    /// Bytes of all parts that go.
    pub of: u64,
}

/// What a transfer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransferStage {
    /// Everything is read and hashed. Nothing has left, and the ledger does not say that anything will.
    Hashing,
    /// The ledger has said so, and the package is given out.
    Sending,
}

/// Is told how far a transfer has come, and may end it.
pub(super) type Watch<'w> = &'w mut dyn FnMut(TransferProgress) -> ControlFlow<()>;

/// Tells, and goes on if that is wanted.
pub(super) fn proceed(watch: Watch<'_>, stage: TransferStage, bytes: u64, of: u64) -> Result<()> {
    match watch(TransferProgress { stage, bytes: bytes.min(of), of }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "sending records to a third party")),
    }
}
