use std::num::NonZeroU64;
use std::ops::Range;

use super::count::Count;
use super::order::OrderRecord;
use super::tally::{Sums, Tally};
use crate::document::is_readable;
use crate::error::{Error, ErrorKind, Result};
use crate::html::Month;
use crate::time::Timestamp;

/// Bytes of a publisher's name.
const MAX_NAME: usize = 256;
/// Months of a period.
const MAX_MONTHS: usize = 1200;

/// What is published about the orders of a period.
///
/// An order counts where it was received, with what had come of it when the report was made. Orders from before that were
/// answered in the period are counted apart.
///
/// ```
/// use std::num::NonZeroU64;
/// use strongroom::{OrderRecord, TransparencyReport};
/// let (from, until) = ("2026-01-01T00:00:00Z".parse()?, "2026-07-01T00:00:00Z".parse()?);
/// let orders: Vec<OrderRecord> = Vec::new(); // Vault::order_records
/// let report = TransparencyReport::of(&orders, "Acme Contact Centres", from..until)?;
/// assert!(report.to_csv().starts_with("dimension,key,outcome,orders,records\r\ntotal,,,0,0\r\n"));
/// let in_bands = report.in_bands(NonZeroU64::new(100).unwrap());
/// assert!(in_bands.to_csv().contains("total,,,0-99,0-99\r\n"));
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TransparencyReport {
    pub(super) publisher: String,
    pub(super) period: Range<Timestamp>,
    pub(super) now: Timestamp,
    pub(super) bands: Option<NonZeroU64>,
    /// The orders that it is about, so that it can be made as of another day.
    orders: Vec<OrderRecord>,
    pub(super) tally: Tally,
}

impl TransparencyReport {
    /// Counts the orders that were received in a period, as they stand now. `publisher` is who publishes the report, in 1 to
    /// 256 bytes. Of an order that is there twice the first counts.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the period is empty or longer than a hundred years, or the name cannot be
    /// shown.
    pub fn of(orders: &[OrderRecord], publisher: &str, period: Range<Timestamp>) -> Result<Self> {
        let refused = |doing| Err(Error::new(ErrorKind::InvalidInput, doing));
        if !is_readable(publisher, MAX_NAME) {
            return refused("naming who publishes a transparency report");
        }
        if period.is_empty() || months(&period).nth(MAX_MONTHS).is_some() {
            return refused("choosing the period of a transparency report");
        }
        let now = Timestamp::now();
        let tally = Tally::of(orders, &period, now);
        Ok(Self { publisher: publisher.to_owned(), period, now, bands: None, orders: orders.to_vec(), tally })
    }

    /// Says of every number only which band it is in, bands being of that many numbers from 0 on: with 100, `0–99` for all
    /// from 0 to 99. So published reports do where the number itself must not be known. Months, countries and charts are left
    /// out, and so is how long answers took, of fewer orders than a band has.
    #[must_use]
    pub fn in_bands(mut self, width: NonZeroU64) -> Self {
        self.bands = Some(width);
        self
    }

    /// As if it were then: what is overdue, and what tenants may not know of yet.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.tally = Tally::of(&self.orders, &self.period, now);
        self.now = now;
        self
    }

    pub(super) fn count(&self, n: u64) -> Count {
        Count::of(n, self.bands)
    }

    /// The median of how long answers took, in tenths of a day.
    pub(super) fn median_tenths(&self) -> Option<i64> {
        let least = self.bands.map_or(1, NonZeroU64::get);
        self.tally.median_tenths.filter(|_| self.tally.answered >= least)
    }

    /// Every month of the period, with what was received in it.
    pub(super) fn months(&self) -> impl Iterator<Item = (Month, Sums)> {
        months(&self.period).map(|month| (month, self.tally.months.get(&month).cloned().unwrap_or_default()))
    }

    /// Every half of a year that the period touches: `2026-H1`.
    pub(super) fn halves(&self) -> Vec<(String, u64, u64)> {
        let mut halves: Vec<(String, u64, u64)> = Vec::new();
        for (month, sums) in self.months() {
            let name = format!("{:04}-H{}", month.year(), if month.number() <= 6 { 1 } else { 2 });
            match halves.last_mut().filter(|(last, ..)| *last == name) {
                Some((_, orders, records)) => {
                    *orders += sums.orders;
                    *records = records.saturating_add(sums.records);
                }
                None => halves.push((name, sums.orders, sums.records)),
            }
        }
        halves
    }
}

fn months(period: &Range<Timestamp>) -> impl Iterator<Item = Month> + use<> {
    let last = Month::of(Timestamp::from_unix_ms(period.end.unix_ms().saturating_sub(1)));
    std::iter::successors(Some(Month::of(period.start)), |month| Some(month.next()))
        .take_while(move |month| *month <= last)
}
