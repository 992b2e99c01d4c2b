use std::sync::Arc;

use super::desk::{Ledger, Recorded};
use crate::error::{ErrorKind, Result};
use crate::key::PublicKey;
use crate::store::Act;

/// What an entry began, until its end is told. If that cannot be told, or nobody comes to it, the ledger says at the next
/// occasion that nobody knows.
pub(crate) struct Begun {
    ledger: Arc<Ledger>,
    recorded: Option<Recorded>,
    /// All of it was given out: it has not failed, though nobody may be able to say how it ended.
    pub(crate) given_out: bool,
}

impl Begun {
    pub(crate) fn new(ledger: &Arc<Ledger>, recorded: Recorded) -> Self {
        Self { ledger: Arc::clone(ledger), recorded: Some(recorded), given_out: false }
    }

    /// The entry: the key of its log, and its number there. Nothing once the end is told.
    pub(crate) fn entry(&self) -> Option<(PublicKey, u64)> {
        self.recorded.as_ref().map(|recorded| (recorded.receipt.log(), recorded.receipt.seq()))
    }

    /// What the entry does that tells the end.
    pub(crate) fn end(&self) -> Option<Act> {
        self.recorded.as_ref().map(|recorded| Act::End(recorded.log, recorded.receipt.seq()))
    }

    /// Takes what came of telling the end. If it is told already, there is nothing more to tell.
    pub(crate) fn ended<T>(&mut self, told: &Result<T>) {
        if told.as_ref().err().is_none_or(|e| e.kind() == ErrorKind::NotFound) {
            self.recorded = None;
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(recorded) = &self.recorded {
            self.ledger.leave((recorded.log, recorded.receipt.seq()));
        }
    }
}
