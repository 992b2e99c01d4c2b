use super::redaction::{Redacted, Redaction};
use crate::document::is_readable;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;

/// Bytes of a reason.
const MAX_REASON: usize = 1000;

/// The redactions of a production, checked as far as can be told without the records: each has a readable reason, is not
/// empty and of a part that can be redacted, and no part is redacted both as a text and as a recording. In order of records,
/// parts and places; none is there twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redactions(Vec<Redaction>);

impl Redactions {
    /// Nothing is redacted.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Checks redactions, in any order. They may overlap.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a reason that is empty, too long, of several lines or with characters
    /// that hide something; an empty range; a part 0, which is the head; a part of which one redaction is of a text and
    /// one of a recording.
    pub fn of(mut all: Vec<Redaction>) -> Result<Self> {
        for redaction in &all {
            if let Some(why) = fault(redaction) {
                return Err(refused(why, redaction));
            }
        }
        all.sort_by(|a, b| {
            let key = |of: &Redaction| (of.record, of.part, of.what != Redacted::Whole, of.place());
            key(a).cmp(&key(b)).then_with(|| a.reason.cmp(&b.reason))
        });
        all.dedup();
        let form = |of: &Redaction| match of.what {
            Redacted::Text(_) => Some(1),
            Redacted::Audio { .. } => Some(2),
            Redacted::Whole => None,
        };
        let ranges = || all.iter().filter(|of| form(of).is_some());
        for (a, b) in ranges().zip(ranges().skip(1)) {
            if (a.record, a.part) == (b.record, b.part) && form(a) != form(b) {
                return Err(refused("a part cannot be both a text and a recording", b));
            }
        }
        Ok(Self(all))
    }

    /// Those of a part, in order of their places; one of the whole part comes first.
    pub fn part(&self, record: RecordId, part: usize) -> &[Redaction] {
        self.slice((record, part), (record, part))
    }

    /// Those of a record, in order of its parts.
    pub fn record(&self, record: RecordId) -> &[Redaction] {
        self.slice((record, 0), (record, usize::MAX))
    }

    /// All, in order of records, parts and places.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Redaction> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn slice(&self, first: (RecordId, usize), last: (RecordId, usize)) -> &[Redaction] {
        let place = |of: &Redaction| (of.record, of.part);
        let begin = self.0.partition_point(|of| place(of) < first);
        let end = self.0.partition_point(|of| place(of) <= last);
        self.0.get(begin..end).unwrap_or_default()
    }
}

fn fault(redaction: &Redaction) -> Option<&'static str> {
    let is_empty = match &redaction.what {
        Redacted::Text(bytes) => bytes.is_empty(),
        Redacted::Audio { ms, .. } => ms.is_empty(),
        Redacted::Whole => false,
    };
    match redaction {
        _ if redaction.part == 0 => Some("parts are counted from 1"),
        _ if is_empty => Some("its range is empty"),
        // It stands in brackets.
        _ if !is_readable(&redaction.reason, MAX_REASON) || redaction.reason.contains(['[', ']']) => {
            Some("its reason must be one line of 1 to 1000 bytes without brackets and hidden characters")
        }
        _ => None,
    }
}

fn refused(why: &'static str, redaction: &Redaction) -> Error {
    let doing = format!("checking a redaction of part {} of record {}: {why}", redaction.part, redaction.record);
    Error::new(ErrorKind::InvalidInput, doing)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::audio::Filler;

    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 16])
    }

    fn text(record: u8, part: usize, start: usize) -> Redaction {
        Redaction::new(id(record), part, Redacted::Text(start..start + 5), "a card number")
    }

    #[test]
    fn redactions_are_found_by_record_and_part_in_order_of_their_places() {
        let whole = Redaction::new(id(2), 3, Redacted::Whole, "privileged");
        let all = vec![text(2, 3, 9), text(1, 1, 5), text(2, 3, 7), whole.clone(), text(2, 4, 0), text(2, 3, 9)];
        let set = Redactions::of(all).unwrap();
        assert_eq!((set.len(), set.is_empty(), Redactions::none().is_empty()), (5, false, true));
        assert_eq!(set.part(id(2), 3), [whole, text(2, 3, 7), text(2, 3, 9)]);
        assert_eq!((set.record(id(2)).len(), set.record(id(1)).len(), set.record(id(3)).len()), (4, 1, 0));
        assert!(set.part(id(1), 2).is_empty());
        assert_eq!(set.iter().next(), Some(&text(1, 1, 5)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_named() {
        let audio = Redacted::Audio { ms: 5..6, with: Filler::Tone };
        let one = |what: Redacted, reason: &str| vec![Redaction::new(id(1), 1, what, reason)];
        for (all, why) in [
            (one(Redacted::Text(3..3), "x"), "range is empty"),
            (one(Redacted::Audio { ms: Range { start: 7, end: 6 }, with: Filler::Silence }, "x"), "range is empty"),
            (one(Redacted::Whole, ""), "its reason"),
            (one(Redacted::Whole, " x"), "its reason"),
            (one(Redacted::Whole, "two\nlines"), "its reason"),
            (one(Redacted::Whole, "x\u{202e}y"), "its reason"),
            (one(Redacted::Whole, "x] y"), "its reason"),
            (one(Redacted::Whole, &"x".repeat(1001)), "its reason"),
            (vec![text(1, 0, 1)], "counted from 1"),
            (vec![text(1, 1, 1), Redaction::new(id(1), 1, audio.clone(), "x")], "both a text and a recording"),
        ] {
            let e = Redactions::of(all).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::InvalidInput);
            assert!(e.to_string().contains(why) && e.to_string().contains(&id(1).to_string()), "{e}");
        }
        // A whole part may also have ranges: it is withheld all the same.
        let whole = Redaction::new(id(1), 1, Redacted::Whole, "x");
        assert_eq!(Redactions::of(vec![text(1, 1, 1), whole, text(1, 2, 1)]).unwrap().len(), 3);
    }

    #[test]
    fn no_reason_is_printed() {
        let set = Redactions::of(vec![Redaction::new(id(1), 1, Redacted::Whole, "about Olivia")]).unwrap();
        assert!(!format!("{set:?}").contains("Olivia"));
    }
}
