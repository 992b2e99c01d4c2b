use std::sync::Arc;

use super::desk::Case;
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;
use crate::ledger::{Kind, Ledger, Receipt, Recorded, Tell, clip};
use crate::store::Act;
use crate::time::Timestamp;

use super::kept::Step;
use super::status::OrderStatus;

/// What an entry began, until its end is told. If that cannot be told, or nobody comes to it, the ledger says at the next
/// occasion that nobody knows.
pub(super) struct Begun {
    ledger: Arc<Ledger>,
    recorded: Option<Recorded>,
    /// All of it was given out.
    pub(super) given_out: bool,
}

impl Begun {
    /// The entry: the key of its log, and its number there.
    pub(super) fn entry(&self) -> Option<(PublicKey, u64)> {
        self.recorded.as_ref().map(|recorded| (recorded.receipt.log(), recorded.receipt.seq()))
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(recorded) = &self.recorded {
            self.ledger.leave((recorded.log, recorded.receipt.seq()));
        }
    }
}

impl Case<'_> {
    pub(super) fn begun(&self, recorded: Recorded) -> Begun {
        Begun { ledger: Arc::clone(self.ledger), recorded: Some(recorded), given_out: false }
    }

    /// Says how something ended.
    pub(super) fn end(&self, begun: &mut Begun, mut tell: Tell) -> Result<Receipt> {
        let over = || Error::new(ErrorKind::NotFound, "ending what is over");
        let recorded = begun.recorded.as_ref().ok_or_else(over)?;
        tell.refers = begun.entry();
        let ended = self.append(tell, Act::End(recorded.log, recorded.receipt.seq()), Vec::new());
        if ended.as_ref().err().is_none_or(|e| e.kind() == ErrorKind::NotFound) {
            begun.recorded = None;
        }
        ended.map(|ended| Receipt::clone(&ended.receipt))
    }

    /// Says that something ended before its end.
    pub(super) fn fail(&self, status: &OrderStatus, begun: &mut Begun, reason: &str, by: &str) {
        let reason = clip(reason);
        let step = Step::Failed { at: Timestamp::now(), reason: reason.clone() };
        let tell = self.tell(Kind::OrderFailed, by, &status.order, &step);
        let _ = tell.and_then(|tell| self.end(begun, tell.detail("reason", reason)));
    }
}
