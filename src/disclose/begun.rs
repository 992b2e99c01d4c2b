use super::desk::Case;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Begun, Kind, Receipt, Recorded, Tell, clip};
use crate::time::Timestamp;

use super::kept::Step;
use super::status::OrderStatus;

impl Case<'_> {
    pub(super) fn begun(&self, recorded: Recorded) -> Begun {
        Begun::new(self.ledger, recorded)
    }

    /// Says how something ended.
    pub(super) fn end(&self, begun: &mut Begun, mut tell: Tell) -> Result<Receipt> {
        let over = || Error::new(ErrorKind::NotFound, "ending what is over");
        tell.refers = begun.entry();
        let ended = self.append(tell, begun.end().ok_or_else(over)?, Vec::new());
        begun.ended(&ended);
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
