use std::collections::BTreeMap;
use std::ops::Range;

use crate::agreement::Country;
use crate::disclose::OrderStatus;
use crate::error::{Error, ErrorKind, Result};
use crate::html::Month;
use crate::order::{LegalBasis, ReviewOutcome};
use crate::time::Timestamp;
use crate::vault::Vault;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// What came of an order, for a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OrderOutcome {
    /// Nothing yet.
    Pending,
    /// It is contested.
    Challenged,
    /// It was not followed.
    Rejected,
    /// It was closed without anything being disclosed or refused.
    Withdrawn,
    /// Records were kept for it, and none disclosed.
    Preserved,
    /// Less was disclosed than it asked for.
    DisclosedInPart,
    /// What it asked for was disclosed.
    Disclosed,
}

impl OrderOutcome {
    /// Every outcome, in order.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Challenged,
        Self::Rejected,
        Self::Withdrawn,
        Self::Preserved,
        Self::DisclosedInPart,
        Self::Disclosed,
    ];

    /// The word that stands for it in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Challenged => "challenged",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Preserved => "preserved",
            Self::DisclosedInPart => "disclosed-in-part",
            Self::Disclosed => "disclosed",
        }
    }

    /// What came of an order as it stands.
    pub fn of(status: &OrderStatus) -> Self {
        let outcome = status.review.as_ref().map(|review| review.outcome);
        match outcome {
            _ if status.disclosed.is_some() && status.order.revision() > 1 => Self::DisclosedInPart,
            _ if status.disclosed.is_some() => Self::Disclosed,
            Some(ReviewOutcome::Rejected) => Self::Rejected,
            _ if status.preserved.is_some() && status.order.terms().basis == LegalBasis::Preservation => {
                Self::Preserved
            }
            _ if status.closed.is_some() => Self::Withdrawn,
            Some(ReviewOutcome::Challenged) => Self::Challenged,
            _ => Self::Pending,
        }
    }
}

/// How many orders came in within a period, on what grounds, and what came of them until now. As JSON, CSV or a page for people.
/// Counts can be given in bands, where the law allows no others to be published.
#[derive(Clone, Debug)]
pub struct TransparencyReport {
    pub(super) period: Range<Timestamp>,
    pub(super) written: Timestamp,
    pub(super) band: u64,
    pub(super) all: Counts,
    pub(super) by_basis: BTreeMap<LegalBasis, Counts>,
    pub(super) by_country: BTreeMap<Country, Counts>,
    pub(super) by_month: BTreeMap<Month, BTreeMap<LegalBasis, u64>>,
    /// Days from receipt to disclosure, of those that were answered by one, ascending.
    days: Vec<i64>,
}

/// What is counted of some orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) orders: u64,
    /// In the order of [`OrderOutcome::ALL`].
    pub(super) outcomes: [u64; 7],
    pub(super) records: u64,
    /// Of those that forbade to tell the tenant.
    pub(super) gagged: u64,
    /// Of these, whose tenant has been told since.
    pub(super) told: u64,
}

impl Counts {
    fn add(&mut self, status: &OrderStatus) {
        self.orders += 1;
        self.outcomes[OrderOutcome::of(status) as usize] += 1;
        if status.disclosed.is_some() {
            self.records += status.produced.as_ref().map_or(0, |produced| produced.records.len() as u64);
        }
        if status.order.terms().gag_until.is_some() {
            self.gagged += 1;
            self.told += u64::from(status.noticed.is_some());
        }
    }
}

impl TransparencyReport {
    /// Of those of these orders that came in within a period, as they stand.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the period is empty.
    pub fn of<'o>(period: Range<Timestamp>, orders: impl IntoIterator<Item = &'o OrderStatus>) -> Result<Self> {
        if period.start >= period.end {
            return Err(Error::new(ErrorKind::InvalidInput, "reporting the orders of an empty period"));
        }
        let mut report = Self {
            period,
            written: Timestamp::now(),
            band: 1,
            all: Counts::default(),
            by_basis: BTreeMap::new(),
            by_country: BTreeMap::new(),
            by_month: BTreeMap::new(),
            days: Vec::new(),
        };
        for status in orders {
            let terms = status.order.terms();
            if !report.period.contains(&terms.received) {
                continue;
            }
            report.all.add(status);
            report.by_basis.entry(terms.basis).or_default().add(status);
            report.by_country.entry(terms.authority.country).or_default().add(status);
            let month = report.by_month.entry(Month::of(terms.received)).or_default();
            *month.entry(terms.basis).or_default() += 1;
            if let Some(disclosed) = status.disclosed {
                report.days.push((disclosed.unix_ms() - terms.received.unix_ms()).max(0) / DAY);
            }
        }
        report.days.sort_unstable();
        Ok(report)
    }

    /// With counts in bands of so many: of 100, a count of 7 is `0-99`. 1 gives the counts themselves. In bands, nothing is told
    /// month by month or by country, and no median: these would say more than a band.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for 0.
    pub fn in_bands(self, width: u64) -> Result<Self> {
        if width == 0 {
            return Err(Error::new(ErrorKind::InvalidInput, "counting orders in bands of nothing"));
        }
        Ok(Self { band: width, ..self })
    }

    /// Half of those that were answered by a disclosure were so within so many whole days; nothing if none was.
    pub fn median_days(&self) -> Option<i64> {
        self.days.get(self.days.len().checked_sub(1)? / 2).copied().filter(|_| self.is_exact())
    }

    /// How many orders came in.
    pub fn orders(&self) -> u64 {
        self.all.orders
    }

    /// How many records were disclosed under them.
    pub fn records(&self) -> u64 {
        self.all.records
    }

    pub(super) fn is_exact(&self) -> bool {
        self.band == 1
    }

    /// A count as it is told.
    pub(super) fn told(&self, n: u64) -> String {
        if self.is_exact() {
            return n.to_string();
        }
        let from = n / self.band * self.band;
        format!("{from}-{}", from.saturating_add(self.band - 1))
    }
}

impl Vault {
    /// The report of the orders that came in within a period, about records of all tenants.
    ///
    /// # Errors
    /// As [`orders`](Self::orders) and [`TransparencyReport::of`].
    pub fn transparency_report(&self, period: Range<Timestamp>) -> Result<TransparencyReport> {
        let mut all = Vec::new();
        for tenant in self.tenants()? {
            all.extend(self.orders(tenant.id)?);
        }
        TransparencyReport::of(period, &all)
    }
}
