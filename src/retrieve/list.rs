use std::fmt;
use std::ops::{ControlFlow, Range};
use std::str::FromStr;

use super::filter::{Filter, names};
use super::record::Record;
use super::session::TenantSession;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::{Channel, Direction, Identifier};
use crate::store::{Order, PageRange, Spot};
use crate::time::Timestamp;

/// Which records to list, and in what order.
///
/// ```
/// use strongroom::{Listing, Timestamp};
/// let newest = Listing::by_commit().newest_first().limit(20);
/// # use strongroom::{Channel, Identifier};
/// let his = Listing::newest().subject(Identifier::tel("+15722568385")?).channel(Channel::Voice);
/// let march = Listing::by_time(Timestamp::from_unix_ms(1_709_251_200_000)..Timestamp::from_unix_ms(1_711_929_600_000));
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone)]
pub struct Listing {
    range: PageRange,
    pub(crate) filter: Filter,
    pub(crate) limit: usize,
    after: Option<Cursor>,
}

impl Listing {
    const LIMIT: usize = 100;

    /// All records in the order of their commits: what is new comes last, and nothing is ever inserted before.
    pub fn by_commit() -> Self {
        Self::new(Order::Commit, None)
    }

    /// All records, the last begun first.
    pub fn newest() -> Self {
        Self::new(Order::Time, None).newest_first()
    }

    /// The records that began in a period, in the order of their beginnings.
    pub fn by_time(period: Range<Timestamp>) -> Self {
        Self::new(Order::Time, Some((period.start.unix_ms(), period.end.unix_ms())))
    }

    fn new(by: Order, times: Option<(i64, i64)>) -> Self {
        let range = PageRange { by, newest_first: false, after: None, times };
        Self { range, filter: Filter::default(), limit: Self::LIMIT, after: None }
    }

    /// Turns the order round.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.range.newest_first = true;
        self
    }

    /// Only records in which somebody has this identifier. They are found by the tokens of the index, so this costs the
    /// same however many others there are.
    #[must_use]
    pub fn subject(mut self, identifier: Identifier) -> Self {
        self.filter.subject = Some(identifier);
        self
    }

    /// Only records of this channel. This and what follows is read in the heads, which are opened on all cores.
    #[must_use]
    pub fn channel(mut self, channel: Channel) -> Self {
        self.filter.channel = Some(channel);
        self
    }

    /// Only records of this direction.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.filter.direction = Some(direction);
        self
    }

    /// Only records that came through this queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.filter.queue = Some(queue.into());
        self
    }

    /// Only records of this agent.
    #[must_use]
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.filter.agent = Some(agent.into());
        self
    }

    /// Only records in this language or one of its kinds: `de` lists `de-CH` as well (RFC 4647 section 3.3.1).
    #[must_use]
    pub fn language(mut self, range: impl Into<String>) -> Self {
        self.filter.language = Some(range.into());
        self
    }

    /// Only records with this label; with several, those that have all of them.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.filter.tags.push(tag.into());
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

    /// The range of records, from the cursor on.
    ///
    /// # Errors
    /// `InvalidInput` if the cursor is of the other order.
    pub(crate) fn range(&self) -> Result<PageRange> {
        match self.after {
            Some(Cursor { by, .. }) if by != self.range.by => {
                Err(Error::new(ErrorKind::InvalidInput, "going on in a listing of another order"))
            }
            after => Ok(PageRange { after: after.map(|c| (c.time, c.n)), ..self.range }),
        }
    }

    pub(crate) fn cursor(&self, at: Spot) -> Cursor {
        Cursor { by: self.range.by, time: at.time, n: at.n }
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
    /// Lists the tenant's records, one page at a time, with their heads opened. What does not open is listed whatever
    /// the listing asks for, since nobody can tell.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the cursor is of the other order; else as the database.
    pub fn list(&self, listing: &Listing) -> Result<Page> {
        let range = listing.range()?;
        if !listing.filter.asks_nothing() {
            let scanned =
                self.scan(listing, listing.limit, |all| listing.admit_all(all), |_, _| ControlFlow::Continue(()))?;
            let items: Vec<Listed> = scanned.kept.into_iter().map(|(_, listed)| listed).collect();
            self.give_all(items.iter().filter_map(|listed| listed.record.as_ref().ok()))?;
            return Ok(Page { items, next: scanned.next.map(|spot| listing.cursor(spot)) });
        }
        // One more than asked for tells whether there is more.
        let mut rows = self.room.store.page(self.tenant, &range, listing.limit.saturating_add(1))?;
        let more = rows.len() > listing.limit;
        rows.truncate(listing.limit);
        let last = rows.last().map(|row| Cursor { by: range.by, time: row.time.unix_ms(), n: row.n });
        let items = rows.into_iter().map(|row| Listed { id: row.record, time: row.time, record: self.open(row) });
        let items: Vec<Listed> = items.collect();
        self.give_all(items.iter().filter_map(|listed| listed.record.as_ref().ok()))?;
        Ok(Page { items, next: last.filter(|_| more) })
    }

    /// Goes through a whole listing, page after page of its limit.
    pub(crate) fn each_listed(&self, mut listing: Listing, mut visit: impl FnMut(Listed) -> Result<()>) -> Result<()> {
        loop {
            let page = self.list(&listing)?;
            page.items.into_iter().try_for_each(&mut visit)?;
            match page.next {
                Some(next) => listing = listing.after(next),
                None => return Ok(()),
            }
        }
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

impl Listing {
    fn admit_all(&self, all: Vec<Listed>) -> Vec<Option<Listed>> {
        all.into_iter().map(|listed| self.admit(listed)).collect()
    }

    /// The record if it is one of those that are asked for.
    pub(crate) fn admit(&self, listed: Listed) -> Option<Listed> {
        let Ok(record) = &listed.record else { return Some(listed) };
        if let Some(who) = &self.filter.subject
            && !names(record.head(), who)
        {
            // The index led here, and the record knows nothing of him.
            let record = Err(Error::new(ErrorKind::Tampered, "comparing a record with the token that led to it"));
            return Some(Listed { record, ..listed });
        }
        self.filter.admits(record.head()).then_some(listed)
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { range, filter: _, limit, after } = self;
        write!(f, "Listing({range:?}, at most {limit} after {after:?})")
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
