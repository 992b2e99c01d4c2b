use std::ops::Range;

use super::order::OrderRecord;
use super::report::TransparencyReport;
use super::words::OrderOutcome;
use crate::disclose::OrderStatus;
use crate::error::Result;
use crate::order::{LegalBasis, ReviewOutcome};
use crate::time::Timestamp;
use crate::vault::Vault;

impl From<&OrderStatus> for OrderRecord {
    fn from(status: &OrderStatus) -> Self {
        let terms = status.order.terms();
        let new = Self::new(status.order.id(), status.order.tenant(), terms.basis, terms.received, terms.due);
        Self {
            country: Some(terms.authority.country),
            outcome: outcome(status, terms.basis),
            records: status.produced.as_ref().map_or(0, |produced| produced.records.len() as u64),
            answered: answered(status),
            gagged_until: terms.gag_until,
            noticed: status.noticed,
            ..new
        }
    }
}

fn outcome(status: &OrderStatus, basis: LegalBasis) -> OrderOutcome {
    let review = status.review.as_ref().map(|review| review.outcome);
    // What was begun and is closed may have been given out, in whole or in part.
    let given = status.disclosed.is_some() || (status.produced.is_some() && status.closed.is_some());
    let narrowed = review == Some(ReviewOutcome::Narrowed) || status.order.revision() > 1;
    match review {
        _ if given && narrowed => OrderOutcome::Narrowed,
        _ if given => OrderOutcome::Complied,
        Some(ReviewOutcome::Rejected) => OrderOutcome::Rejected,
        _ if basis == LegalBasis::Preservation && status.preserved.is_some() => OrderOutcome::Preserved,
        _ if status.closed.is_some() => OrderOutcome::Withdrawn,
        Some(ReviewOutcome::Challenged) => OrderOutcome::Challenged,
        _ => OrderOutcome::Pending,
    }
}

fn answered(status: &OrderStatus) -> Option<Timestamp> {
    let rejected = status.review.as_ref().filter(|review| review.outcome == ReviewOutcome::Rejected);
    let closed = status.closed.as_ref().map(|(at, _)| *at);
    status.disclosed.or(rejected.map(|review| review.at)).or(closed)
}

impl Vault {
    /// What a transparency report may know of the orders about all tenants' records, gagged ones among them.
    ///
    /// # Errors
    /// As [`orders`](Self::orders).
    pub fn order_records(&self) -> Result<Vec<OrderRecord>> {
        let mut all = Vec::new();
        for tenant in self.tenants()? {
            all.extend(self.orders(tenant.id)?.iter().map(OrderRecord::from));
        }
        Ok(all)
    }

    /// The report of the orders that were received in a period, about records of all tenants. `publisher` is who publishes
    /// it.
    ///
    /// # Errors
    /// As [`orders`](Self::orders) and [`TransparencyReport::of`].
    pub fn transparency_report(&self, publisher: &str, period: Range<Timestamp>) -> Result<TransparencyReport> {
        TransparencyReport::of(&self.order_records()?, publisher, period)
    }
}
