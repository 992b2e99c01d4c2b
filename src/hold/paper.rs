//! What is kept of holds, sealed beside the entries that tell of them.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::encoding::codec;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::ledger::check_text;
use crate::record::Identifier;
use crate::time::Timestamp;

/// The topic of the papers that holds are kept in.
pub(crate) const TOPIC: &str = "hold";
const VERSION: u16 = 1;
const MAX: u64 = 16 << 20;

/// What a matter keeps from being erased. Whatever it names is held, and what comes in later as well.
///
/// ```
/// use strongroom::{Hold, Identifier, Timestamp};
/// let year = Timestamp::from_unix_ms(1_704_067_200_000)..Timestamp::from_unix_ms(1_735_689_600_000);
/// let hold = Hold::new("Miller v. Acme, 24-cv-1071", "notice of suit, 3 March")
///     .subject(Identifier::tel("+15722568385")?)
///     .period(year);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    matter: String,
    reason: String,
    records: BTreeSet<RecordId>,
    subjects: Vec<Identifier>,
    /// From and before.
    period: Option<(Timestamp, Timestamp)>,
    everything: bool,
}

impl Hold {
    /// For a matter, as those who keep its file call it, and why. The ledger tells both: they name no people.
    pub fn new(matter: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            matter: matter.into(),
            reason: reason.into(),
            records: BTreeSet::new(),
            subjects: Vec::new(),
            period: None,
            everything: false,
        }
    }

    /// These records, at most some 500,000, whenever they began.
    #[must_use]
    pub fn records(mut self, records: impl IntoIterator<Item = RecordId>) -> Self {
        self.records.extend(records);
        self
    }

    /// Every record in which somebody has this identifier; named more than once, one of them.
    #[must_use]
    pub fn subject(mut self, identifier: Identifier) -> Self {
        self.subjects.push(identifier);
        self
    }

    /// Records that began in this period, of the subjects if any are named: else all of them.
    #[must_use]
    pub fn period(mut self, period: Range<Timestamp>) -> Self {
        self.period = Some((period.start, period.end));
        self
    }

    /// Every record of the tenant.
    #[must_use]
    pub fn everything(mut self) -> Self {
        self.everything = true;
        self
    }

    /// The matter.
    pub fn matter(&self) -> &str {
        &self.matter
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The records that are named one by one.
    pub fn held_records(&self) -> &BTreeSet<RecordId> {
        &self.records
    }

    /// The subjects.
    pub fn held_subjects(&self) -> &[Identifier] {
        &self.subjects
    }

    /// The period, of the subjects or, without any, of all records.
    pub fn held_period(&self) -> Option<Range<Timestamp>> {
        self.period.map(|(from, before)| from..before)
    }

    /// Whether it is about every record.
    pub fn holds_everything(&self) -> bool {
        self.everything
    }

    /// Refuses what holds nothing, or what a ledger cannot name.
    pub(super) fn check(&self) -> Result<()> {
        let invalid = |why: &'static str| Err(Error::new(ErrorKind::InvalidInput, "placing a hold").because(why));
        check_name(&self.matter)?;
        check_text(&self.reason, "placing a hold for a reason that a ledger cannot name")?;
        if self.period.is_some_and(|(from, before)| from >= before) {
            return invalid("its period is over before it begins");
        }
        if self.names().is_empty() { invalid("it is about nothing") } else { Ok(()) }
    }

    /// What it is about, in the words that the ledger has.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let named = [
            (!self.records.is_empty(), "records"),
            (!self.subjects.is_empty(), "subjects"),
            (self.period.is_some(), "period"),
            (self.everything, "everything"),
        ];
        named.into_iter().filter_map(|(is, name)| is.then_some(name)).collect()
    }
}

/// A matter is found again by its name, to the letter.
pub(super) fn check_name(matter: &str) -> Result<()> {
    let doing = "naming a matter in a way that a ledger cannot";
    check_text(matter, doing)?;
    if matter.trim() == matter { Ok(()) } else { Err(Error::new(ErrorKind::InvalidInput, doing)) }
}

/// What an entry says of a matter.
#[derive(Serialize, Deserialize)]
pub(crate) enum Said {
    /// `order` is that which the operator placed it for; nothing if the tenant did.
    Placed {
        at: Timestamp,
        by: String,
        order: Option<[u8; 16]>,
        hold: Hold,
    },
    Proposed {
        at: Timestamp,
        by: String,
        order: Option<[u8; 16]>,
        matter: String,
        reason: String,
    },
    Released {
        at: Timestamp,
        by: String,
        order: Option<[u8; 16]>,
        matter: String,
        reason: String,
    },
}

pub(crate) fn encode(said: &Said) -> Result<Vec<u8>> {
    codec::encode_versioned(VERSION, said, MAX, "a hold")
}

pub(super) fn decode(bytes: &[u8]) -> Result<Said> {
    codec::decode_versioned(VERSION, bytes, MAX, "a hold")
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { matter: _, reason: _, records, subjects, period: _, everything: _ } = self;
        let names = self.names().join(", ");
        write!(f, "Hold(on {names}: {} records, {} subjects)", records.len(), subjects.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_kept_in_the_bytes_that_the_specification_says() {
        let ids = [[4; 16], [3; 16]].map(RecordId::from_bytes);
        let hold = Hold::new("m", "why").records(ids).subject(Identifier::tel("+15722568385").unwrap());
        let hold = hold.period(Timestamp::from_unix_ms(-1)..Timestamp::from_unix_ms(2));
        let said = Said::Placed { at: Timestamp::from_unix_ms(5), by: "ann".into(), order: Some([9; 16]), hold };
        let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let by_hand = [
            vec![1, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0],
            text("ann"),
            [&[1][..], &[9; 16]].concat(),
            text("m"),
            text("why"),
            [&[2, 0, 0, 0, 0, 0, 0, 0][..], &[3; 16], &[4; 16]].concat(),
            [&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &text("+15722568385")].concat(),
            [&[1][..], &(-1i64).to_le_bytes(), &2i64.to_le_bytes()].concat(),
            vec![0],
        ];
        assert_eq!(encode(&said).unwrap(), by_hand.concat());
        assert!(matches!(decode(&by_hand.concat()), Ok(Said::Placed { hold, .. }) if hold.held_records().len() == 2));
        let released = Said::Released {
            at: Timestamp::from_unix_ms(5),
            by: "b".into(),
            order: None,
            matter: "m".into(),
            reason: "o".into(),
        };
        let by_hand =
            [vec![1, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0], text("b"), vec![0], text("m"), text("o")].concat();
        assert_eq!(encode(&released).unwrap(), by_hand);
    }
}
