use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use super::record::Record;
use super::session::TenantSession;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::store::{Order, PageRange};
use crate::time::Timestamp;

/// Which records to list, and in what order.
///
/// ```
/// use strongroom::{Listing, Timestamp};
/// let newest = Listing::by_commit().newest_first().limit(20);
/// let march = Listing::by_time(Timestamp::from_unix_ms(1_709_251_200_000)..Timestamp::from_unix_ms(1_711_929_600_000));
/// ```
#[derive(Clone, Debug)]
pub struct Listing {
    range: PageRange,
    limit: usize,
    after: Option<Cursor>,
}

impl Listing {
    const LIMIT: usize = 100;

    /// All records in the order of their commits: what is new comes last, and nothing is ever inserted before.
    pub fn by_commit() -> Self {
        Self::new(Order::Commit, None)
    }

    /// The records that began in a period, in the order of their beginnings.
    pub fn by_time(period: Range<Timestamp>) -> Self {
        Self::new(Order::Time, Some((period.start.unix_ms(), period.end.unix_ms())))
    }

    fn new(by: Order, times: Option<(i64, i64)>) -> Self {
        Self { range: PageRange { by, newest_first: false, after: None, times }, limit: Self::LIMIT, after: None }
    }

    /// Turns the order round.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.range.newest_first = true;
        self
    }

    /// Goes on where a page ended.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Records on a page, at most and at least one; 100 if it is not said.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }
}

/// A place in a listing. It stays true whatever is ingested or erased meanwhile: going on from it neither repeats nor
/// leaves out a record that was there. As text it fits a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    by: Order,
    time: i64,
    n: i64,
}

/// A page of a listing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Page {
    /// The records, in order.
    pub items: Vec<Listed>,
    /// Where to go on; nothing if there was no more.
    pub next: Option<Cursor>,
}

/// A record in a listing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listed {
    /// Its id.
    pub id: RecordId,
    /// The time it is listed under.
    pub time: Timestamp,
    /// The record with its head opened, or why it does not open: one bad record does not hide the others.
    pub record: Result<Record>,
}

impl TenantSession {
    /// Lists the tenant's records, one page at a time, with their heads opened.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the cursor is of the other order; else as the database.
    pub fn list(&self, listing: &Listing) -> Result<Page> {
        let mut range = listing.range;
        if let Some(Cursor { by, time, n }) = listing.after {
            if by != range.by {
                return Err(Error::new(ErrorKind::InvalidInput, "going on in a listing of another order"));
            }
            range.after = Some((time, n));
        }
        // One more than asked for tells whether there is more.
        let mut rows = self.room.store.page(self.tenant, &range, listing.limit.saturating_add(1))?;
        let more = rows.len() > listing.limit;
        rows.truncate(listing.limit);
        let last = rows.last().map(|row| Cursor { by: range.by, time: row.time.unix_ms(), n: row.n });
        let items = rows.into_iter().map(|row| Listed { id: row.record, time: row.time, record: self.open(row) });
        Ok(Page { items: items.collect(), next: last.filter(|_| more) })
    }

    /// A cursor behind the last record committed so far: listing by commit from it gives only what comes later.
    ///
    /// # Errors
    /// As the database.
    pub fn latest(&self) -> Result<Option<Cursor>> {
        let range = PageRange { by: Order::Commit, newest_first: true, after: None, times: None };
        let rows = self.room.store.page(self.tenant, &range, 1)?;
        Ok(rows.first().map(|row| Cursor { by: Order::Commit, time: row.time.unix_ms(), n: row.n }))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = if self.by == Order::Commit { 'c' } else { 't' };
        write!(f, "{by}.{}.{}", self.time, self.n)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (by, rest) = text.split_once('.')?;
            let (time, n) = rest.split_once('.')?;
            let by = match by {
                "c" => Order::Commit,
                "t" => Order::Time,
                _ => return None,
            };
            Some(Self { by, time: time.parse().ok()?, n: n.parse().ok()? })
        };
        parse().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing a cursor"))
    }
}
