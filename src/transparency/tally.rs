use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::order::OrderRecord;
use super::words::OrderOutcome;
use crate::agreement::Country;
use crate::html::Month;
use crate::order::LegalBasis;
use crate::time::Timestamp;

/// Milliseconds of a tenth of a day.
const TENTH: i64 = 8_640_000;

/// What is counted of the orders of a period, to the one.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) all: Sums,
    pub(super) tenants: u64,
    /// Orders that came with the instruction not to tell the tenant, and those that it still may not know of.
    pub(super) gagged: u64,
    pub(super) untold: u64,
    /// Orders that were answered after they were due, or were not answered though they are due.
    pub(super) late: u64,
    /// Orders that were answered, and the median of how long that took, in tenths of a day.
    pub(super) answered: u64,
    pub(super) median_tenths: Option<i64>,
    pub(super) bases: BTreeMap<LegalBasis, Sums>,
    pub(super) countries: BTreeMap<Option<Country>, Sums>,
    pub(super) months: BTreeMap<Month, Sums>,
    /// Orders from before the period that were answered in it.
    pub(super) earlier: Sums,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) orders: u64,
    pub(super) records: u64,
    pub(super) outcomes: BTreeMap<OrderOutcome, OfOutcome>,
    pub(super) bases: BTreeMap<LegalBasis, u64>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfOutcome {
    pub(super) orders: u64,
    pub(super) records: u64,
}

impl Tally {
    /// Of the orders that were received in the period, as they stood at `now`.
    pub(super) fn of(orders: &[OrderRecord], period: &Range<Timestamp>, now: Timestamp) -> Self {
        let mut tally = Self::default();
        let (mut seen, mut tenants, mut took) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for order in orders.iter().filter(|order| seen.insert(order.order)) {
            if order.received < period.start && order.answered.is_some_and(|at| period.contains(&at)) {
                tally.earlier.add(order);
            }
            if !period.contains(&order.received) {
                continue;
            }
            tally.all.add(order);
            tenants.insert(order.tenant);
            tally.gagged += u64::from(order.gagged_until.is_some());
            tally.untold += u64::from(order.is_untold(now));
            tally.late += u64::from(order.is_late(now));
            if let Some(answered) = order.answered {
                let ms = answered.unix_ms().saturating_sub(order.received.unix_ms());
                // One that was written down late was answered at once.
                took.push(ms.max(0));
            }
            tally.bases.entry(order.basis).or_default().add(order);
            tally.countries.entry(order.country).or_default().add(order);
            tally.months.entry(Month::of(order.received)).or_default().add(order);
        }
        tally.tenants = tenants.len() as u64;
        tally.answered = took.len() as u64;
        tally.median_tenths = median(took).map(|ms| ms.saturating_add(TENTH / 2) / TENTH);
        tally
    }
}

/// The middle one, or what is halfway between the two in the middle.
fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    let middle = all.len() / 2;
    let upper = *all.get(middle)?;
    let lower = if all.len().is_multiple_of(2) { all.get(middle.checked_sub(1)?).copied()? } else { upper };
    Some(lower + (upper - lower) / 2)
}

impl Sums {
    fn add(&mut self, order: &OrderRecord) {
        self.orders += 1;
        self.records = self.records.saturating_add(order.records);
        let of = self.outcomes.entry(order.outcome).or_default();
        of.orders += 1;
        of.records = of.records.saturating_add(order.records);
        *self.bases.entry(order.basis).or_default() += 1;
    }

    pub(super) fn of_outcome(&self, outcome: OrderOutcome) -> OfOutcome {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }
}
