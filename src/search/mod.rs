//! Search: opens texts and looks through them, on all cores. Nothing about a text is kept at rest, so this is the only
//! way to find one, and only its owner has it.

mod pattern;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::Read;
use std::ops::{ControlFlow, Range};

pub use pattern::Pattern;

use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::{PartInfo, PartKind};
use crate::retrieve::{Cursor, Listed, Listing, PartReader, Record, SlotWindow, TenantSession};
use crate::secret::Plain;
use crate::store::PageRange;
use crate::text::Text;

/// Bytes of a text that is looked through; a longer one is named among those that were not.
const MAX_TEXT: u64 = 64 << 20;
/// Places that are told of one record.
const MAX_PLACES: usize = 100;

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Records looked at so far.
    pub looked_at: u64,
    /// Records that the listing has at the most.
    pub of: u64,
    /// Records kept so far: those that match, and those that could not be searched.
    pub kept: usize,
}

/// What a search found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Matches {
    /// Records with the pattern in them, in the listing's order.
    pub records: Vec<Match>,
    /// Records that may have it: what of them does not open, and why. They count against the listing's limit.
    pub unsearched: Vec<(RecordId, Error)>,
    /// Where to go on, if the limit or the watcher ended the search before the listing did.
    pub next: Option<Cursor>,
}

/// A record in which the pattern is.
#[derive(Debug)]
#[non_exhaustive]
pub struct Match {
    /// The record.
    pub record: Record,
    /// The first 100 places in its texts, in order.
    pub places: Vec<Place>,
    /// How many places there are.
    pub count: usize,
}

/// A place in a text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The number of the part.
    pub part: usize,
    /// The bytes of [`Text::body`] that match; of the part itself where it is plain UTF-8.
    pub range: Range<usize>,
    /// What surrounds it, on one line.
    pub snippet: String,
    /// The bytes of the snippet that match.
    pub highlight: Range<usize>,
    /// Who said it, if the text tells.
    pub speaker: Option<String>,
    /// When it was said, in milliseconds from the start of the call, if the text tells.
    pub at_ms: Option<u64>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, range, snippet: _, highlight: _, speaker: _, at_ms } = self;
        write!(f, "Place({range:?} of part {part}, at {at_ms:?} ms)")
    }
}

impl TenantSession {
    /// Looks for a pattern in the transcripts, chats and e-mails of a listing's records, on all cores and in bounded
    /// memory. The listing's limit is that of the records found.
    ///
    /// `watch` is told now and then how far it is and may end the search, with what was found so far and where to go
    /// on. It is never told while nothing comes to an end, so it is no clock.
    ///
    /// # Errors
    /// As [`list`](TenantSession::list).
    ///
    /// ```no_run
    /// # use strongroom::*;
    /// # fn f(session: TenantSession) -> Result<()> {
    /// use std::ops::ControlFlow;
    /// let found = session.search(&Listing::newest().queue("billing"), &Pattern::phrase("purchase order")?, |progress| {
    ///     eprint!("\r{} of {}", progress.looked_at, progress.of);
    ///     ControlFlow::Continue(())
    /// })?;
    /// for hit in found.records {
    ///     println!("{} {}", hit.record.id(), hit.places[0].snippet);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn search(
        &self,
        listing: &Listing,
        pattern: &Pattern,
        mut watch: impl FnMut(Progress) -> ControlFlow<()> + Send,
    ) -> Result<Matches> {
        let range: PageRange = listing.range()?;
        let of = self.room.store.count(self.tenant, &range)?;
        let visit = |all: Vec<Listed>| {
            let admitted = all.into_iter().map(|listed| listing.admit(listed)).collect();
            self.look_through_all(admitted, pattern)
        };
        let watch = |looked_at, kept| watch(Progress { looked_at, of, kept });
        let scanned = self.scan(listing, listing.limit, visit, watch)?;
        let next = scanned.next.map(|spot| listing.cursor(spot));
        let mut matches = Matches { records: Vec::new(), unsearched: Vec::new(), next };
        for (_, found) in scanned.kept {
            match found {
                Ok(found) => matches.records.push(found),
                Err(unsearched) => matches.unsearched.push(unsearched),
            }
        }
        Ok(matches)
    }

    fn look_through_all(&self, all: Vec<Option<Listed>>, pattern: &Pattern) -> Vec<Option<Found>> {
        let mut texts = Texts::new(self, &all);
        let mut look = |listed: Listed| {
            let id = listed.id;
            match listed.record.and_then(|record| look_through(record, pattern, &mut texts)) {
                Ok(found) if found.count == 0 => None,
                Ok(found) => Some(Ok(found)),
                // What was erased has no text any more.
                Err(error) if error.kind() == ErrorKind::Erased => None,
                Err(error) => Some(Err((id, error))),
            }
        };
        all.into_iter().map(|listed| listed.and_then(&mut look)).collect()
    }
}

/// A match, or what of a record does not open.
type Found = Result<Match, (RecordId, Error)>;

/// The sealed texts of a few dozen records, read from the database a few megabytes at a time.
struct Texts<'a> {
    session: &'a TenantSession,
    /// Where they are, in the order in which they will be asked for, and how long.
    ahead: VecDeque<((i64, u32), u64)>,
    read: HashMap<(i64, u32), Vec<u8>>,
    slots: SlotWindow,
}

/// Bytes that are read at once.
const AT_ONCE: u64 = 4 << 20;

impl<'a> Texts<'a> {
    fn new(session: &'a TenantSession, all: &[Option<Listed>]) -> Self {
        let records = all.iter().flatten().filter_map(|listed| listed.record.as_ref().ok());
        let inline = |record: &Record| {
            let numbers = texts_of(record).map(|(number, _)| number);
            numbers.filter_map(|number| Some((record.inline(number)?, record.sealed_len(number)))).collect::<Vec<_>>()
        };
        let ahead = records.flat_map(inline).collect();
        Self { session, ahead, read: HashMap::new(), slots: SlotWindow::many() }
    }

    /// Opens the next text.
    fn open(&mut self, record: &Record, number: usize) -> Result<PartReader> {
        let mut body = None;
        if let Some(place) = record.inline(number) {
            // Those of a record that failed were skipped, so it may be further ahead.
            while !self.read.contains_key(&place) && !self.ahead.is_empty() {
                let mut bytes = 0;
                let fit = self.ahead.iter().take_while(|(_, len)| {
                    bytes += len;
                    bytes <= AT_ONCE
                });
                let count = fit.count().max(1);
                let places: Vec<(i64, u32)> = self.ahead.drain(..count).map(|(place, _)| place).collect();
                let bodies = self.session.room.store.bodies(&places)?;
                self.read = places.into_iter().zip(bodies).filter_map(|(place, body)| Some((place, body?))).collect();
            }
            body = self.read.remove(&place);
        }
        record.part_from(number, body, &mut self.slots)
    }
}

/// The parts of a record that are looked through.
fn texts_of(record: &Record) -> impl Iterator<Item = (usize, &PartInfo)> {
    let texts = |kind| matches!(kind, PartKind::Transcript | PartKind::Chat | PartKind::Email);
    record.parts().filter(move |(_, info)| texts(info.kind))
}

impl Record {
    /// The text of a part, as a person reads it and as a search looks through it.
    ///
    /// # Errors
    /// As [`part`](Record::part); [`TooLarge`](ErrorKind::TooLarge) above 64 MiB.
    pub fn text(&self, number: usize) -> Result<Text<'static>> {
        let plain = whole(self.part(number)?)?;
        let media_type = self.head().parts[number - 1].media_type.as_str();
        Ok(Text::of(media_type, &plain).into_owned())
    }
}

fn whole(mut reader: PartReader) -> Result<Plain> {
    if reader.len() > MAX_TEXT {
        return Err(Error::new(ErrorKind::TooLarge, "reading a text of more than 64 MiB"));
    }
    let mut plain = Plain::from(Vec::with_capacity(reader.len() as usize + 1));
    reader.read_to_end(&mut plain).map_err(|e| Error::from_io(e, "reading a text"))?;
    Ok(plain)
}

fn look_through(record: Record, pattern: &Pattern, texts: &mut Texts<'_>) -> Result<Match> {
    let (mut places, mut count) = (Vec::new(), 0);
    for (number, info) in texts_of(&record) {
        let plain = whole(texts.open(&record, number)?)?;
        let text = Text::of(&info.media_type, &plain);
        for found in pattern.0.find_iter(text.body()) {
            count += 1;
            if places.len() < MAX_PLACES {
                places.push(place(&text, number, found.range()));
            }
        }
    }
    Ok(Match { record, places, count })
}

/// Characters of a snippet on either side of what was found, and of that itself.
const AROUND: usize = 60;
const WITHIN: usize = 200;

fn place(text: &Text<'_>, part: usize, range: Range<usize>) -> Place {
    let body = text.body();
    let turn = text.turn_at(range.start);
    // A snippet stays within its line where there is one.
    let before = &body[..range.start];
    let before = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    let start = before
        .char_indices()
        .rev()
        .nth(AROUND)
        .map_or(0, |(at, _)| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let cut = |s: &str, most: usize| s.char_indices().nth(most).map_or(s.len(), |(at, _)| at);
    let found = &body[range.clone()];
    let found = &found[..cut(found, WITHIN)];
    let after = &body[range.end..];
    let after = &after[..after.find('\n').unwrap_or(after.len())];
    let after = &after[..cut(after, AROUND)];
    let mut snippet = one_line(&before[start..]);
    let from = snippet.len();
    snippet.push_str(&one_line(found));
    let highlight = from..snippet.len();
    snippet.push_str(&one_line(after));
    let (speaker, at_ms) = turn.map_or((None, None), |turn| (turn.speaker, turn.at_ms));
    Place { part, range, snippet, highlight, speaker, at_ms }
}

/// Without control characters, which a terminal would obey.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
