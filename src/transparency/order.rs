use super::words::OrderOutcome;
use crate::agreement::Country;
use crate::id::{OrderId, TenantId};
use crate::order::LegalBasis;
use crate::time::Timestamp;

/// What a transparency report may know of an order. It has no room for who asked, under which reference, and about whom.
///
/// [`Vault::order_records`](crate::Vault::order_records) gives those of a vault; whoever runs several puts them together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderRecord {
    /// Which order, so that none counts twice.
    pub order: OrderId,
    /// Whose records it is about: tenants are counted.
    pub tenant: TenantId,
    /// On what ground.
    pub basis: LegalBasis,
    /// Where the authority is.
    pub country: Option<Country>,
    /// When it was served.
    pub received: Timestamp,
    /// Until when it was to be answered.
    pub due: Timestamp,
    /// What came of it.
    pub outcome: OrderOutcome,
    /// How many records were given out under it, or may have been: a disclosure that stopped counts.
    pub records: u64,
    /// When it was answered: everything was given out, or it was rejected, or it ended.
    pub answered: Option<Timestamp>,
    /// Until when the tenant must not be told, if that was ordered.
    pub gagged_until: Option<Timestamp>,
    /// When the tenant was told.
    pub noticed: Option<Timestamp>,
}

impl OrderRecord {
    /// An order that was served and of which nothing came yet, from nobody knows where.
    pub fn new(order: OrderId, tenant: TenantId, basis: LegalBasis, received: Timestamp, due: Timestamp) -> Self {
        Self {
            order,
            tenant,
            basis,
            country: None,
            received,
            due,
            outcome: OrderOutcome::Pending,
            records: 0,
            answered: None,
            gagged_until: None,
            noticed: None,
        }
    }

    /// Whether it was answered after it was due, or is overdue at `now`.
    pub(super) fn is_late(&self, now: Timestamp) -> bool {
        self.answered.unwrap_or(now) > self.due
    }

    /// Whether the tenant is not to know of it at `now`.
    pub(super) fn is_untold(&self, now: Timestamp) -> bool {
        self.noticed.is_none() && self.gagged_until.is_some_and(|until| until > now)
    }
}
