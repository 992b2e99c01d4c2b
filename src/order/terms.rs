use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::agreement::Country;
use crate::document::{is_readable, wire};
use crate::id::RecordId;
use crate::key::Recipient;
use crate::record::{Head, Identifier, PartKind};
use crate::time::Timestamp;

use super::words::LegalBasis;

/// Records that an order names at the most: a document has to stay one that people read.
pub const MAX_ORDER_RECORDS: usize = 1_500;
/// Subjects that an order names at the most.
const MAX_SUBJECTS: usize = 100;
/// Bytes of a name, contact or reference at the most.
const MAX_TEXT: usize = 256;
/// The last moment that documents write with four digits of a year.
const MAX_TIME: i64 = 253_402_300_799_999;

/// Who receives a disclosure.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// What it is called. 1 to 256 bytes.
    pub name: String,
    /// Where it is.
    pub country: Country,
    /// How its people are reached. 1 to 256 bytes.
    pub contact: String,
    /// The age key that packages are sealed to.
    #[serde(with = "wire::text")]
    pub recipient: Recipient,
}

/// What an order asks for.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderTerms {
    /// Who asks.
    pub authority: Authority,
    /// On what ground.
    pub basis: LegalBasis,
    /// The authority's own number or title for it. 1 to 256 bytes.
    pub reference: String,
    /// SHA-256 of the document that was served.
    pub served: [u8; 32],
    /// When it was served.
    pub received: Timestamp,
    /// Until when it is to be answered.
    pub due: Timestamp,
    /// From and before when the interactions took place that the document reaches.
    pub dates: Range<Timestamp>,
    /// Which records.
    pub scope: OrderScope,
    /// Which kinds of their parts; at least one.
    pub kinds: BTreeSet<PartKind>,
    /// Until when the tenant must not be told, if that was ordered; [`Vault::lift_gag`](crate::Vault::lift_gag) tells it before.
    pub gag_until: Option<Timestamp>,
    /// Until when it can be contested.
    pub challenge_by: Option<Timestamp>,
}

/// Which records an order is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderScope {
    /// These, each whole, or a stretch of its recordings in milliseconds.
    Records(BTreeMap<RecordId, Option<Range<u64>>>),
    /// Those in which one of these subjects took part and which began within a period.
    Subjects {
        /// Who: at least one.
        subjects: Vec<Identifier>,
        /// From and before when.
        period: Range<Timestamp>,
    },
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name: _, country, contact: _, recipient } = self;
        write!(f, "Authority({country}, {recipient})")
    }
}

impl fmt::Debug for OrderTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority: _, basis, reference: _, served: _, received, due, .. } = self;
        let Self { dates, scope, kinds, gag_until, challenge_by, .. } = self;
        let mut all = f.debug_struct("OrderTerms");
        all.field("basis", basis).field("received", received).field("due", due).field("dates", dates);
        all.field("scope", scope).field("kinds", kinds).field("gag_until", gag_until);
        all.field("challenge_by", challenge_by).finish_non_exhaustive()
    }
}

impl OrderTerms {
    /// What was served under that `reference` just now, whole: parts of every kind, no gag, and no date until which it can be
    /// contested.
    pub fn new(
        authority: Authority,
        basis: LegalBasis,
        reference: impl Into<String>,
        served: [u8; 32],
        dates: Range<Timestamp>,
        due: Timestamp,
        scope: OrderScope,
    ) -> Self {
        let (reference, received) = (reference.into(), Timestamp::now());
        let kinds = wire::kinds::ALL.into();
        let (gag_until, challenge_by) = (None, None);
        Self { authority, basis, reference, served, received, due, dates, scope, kinds, gag_until, challenge_by }
    }

    /// When it was served.
    #[must_use]
    pub fn received(self, received: Timestamp) -> Self {
        Self { received, ..self }
    }

    /// Only parts of these kinds.
    #[must_use]
    pub fn kinds(self, kinds: impl IntoIterator<Item = PartKind>) -> Self {
        Self { kinds: kinds.into_iter().collect(), ..self }
    }

    /// The tenant must not be told before then.
    #[must_use]
    pub fn gag_until(mut self, until: Timestamp) -> Self {
        self.gag_until = Some(until);
        self
    }

    /// It can be contested until then.
    #[must_use]
    pub fn challenge_by(mut self, by: Timestamp) -> Self {
        self.challenge_by = Some(by);
        self
    }

    /// What cannot be so, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let Self { authority, reference, received, due, dates, scope, kinds, gag_until, challenge_by, .. } = self;
        let times = [*received, *due, dates.start, dates.end].into_iter().chain(*gag_until).chain(*challenge_by);
        if !times.into_iter().all(|time| (0..=MAX_TIME).contains(&time.unix_ms())) {
            return Some("times, which must be from 1970 to 9999");
        }
        if ![&authority.name, &authority.contact, reference].iter().all(|text| is_readable(text, MAX_TEXT)) {
            return Some("authority or reference, which people cannot read");
        }
        if due < received || gag_until.is_some_and(|until| until <= *received) {
            return Some("due date or gag, which lies before it was received");
        }
        if dates.start >= dates.end || dates.end > *due {
            return Some("dates, which are no period, or reach past the day on which it is due");
        }
        if kinds.is_empty() {
            return Some("scope, which names no kind of part");
        }
        scope.fault(dates)
    }

    /// Whether they ask for a record that began then and says this of itself.
    pub(crate) fn cover(&self, record: RecordId, head: &Head) -> bool {
        self.dates.contains(&head.time()) && self.scope.covers(record, head)
    }

    /// Whether everything that these ask for was asked for by those, so that nothing is disclosed that was not.
    pub(super) fn are_narrower_than(&self, before: &Self) -> bool {
        let rest = |terms: &Self| Self {
            dates: before.dates.clone(),
            scope: before.scope.clone(),
            kinds: before.kinds.clone(),
            ..terms.clone()
        };
        let within = |a: &Range<Timestamp>, b: &Range<Timestamp>| b.start <= a.start && a.end <= b.end;
        rest(self) == *before
            && within(&self.dates, &before.dates)
            && self.kinds.is_subset(&before.kinds)
            && match (&self.scope, &before.scope) {
                (OrderScope::Records(now), OrderScope::Records(then)) => {
                    now.iter().all(|(record, stretch)| match (stretch, then.get(record)) {
                        (_, Some(None)) => true,
                        (Some(now), Some(Some(then))) => then.start <= now.start && now.end <= then.end,
                        _ => false,
                    })
                }
                (
                    OrderScope::Subjects { subjects: now, period },
                    OrderScope::Subjects { subjects: then, period: before },
                ) => now.iter().all(|who| then.contains(who)) && within(period, before),
                // Records may be listed where people were named, once they are found: who lists them answers for that.
                (OrderScope::Records(_), OrderScope::Subjects { .. }) => false,
                (OrderScope::Subjects { .. }, OrderScope::Records(_)) => false,
            }
    }
}

impl OrderScope {
    /// These records, whole.
    pub fn records(records: impl IntoIterator<Item = RecordId>) -> Self {
        Self::Records(records.into_iter().map(|record| (record, None)).collect())
    }

    /// The records in which one of these took part and which began within a period.
    pub fn subjects(subjects: impl IntoIterator<Item = Identifier>, period: Range<Timestamp>) -> Self {
        Self::Subjects { subjects: subjects.into_iter().collect(), period }
    }

    fn fault(&self, dates: &Range<Timestamp>) -> Option<&'static str> {
        match self {
            Self::Records(records) => {
                if records.is_empty() || records.len() > MAX_ORDER_RECORDS {
                    return Some("scope, which names no record or more than 1,500");
                }
                let empty = |stretch: &Range<u64>| stretch.start >= stretch.end || stretch.end > i64::MAX as u64;
                records.values().flatten().any(empty).then_some("scope, which names an empty stretch of a recording")
            }
            Self::Subjects { subjects, period } => {
                if subjects.is_empty() || subjects.len() > MAX_SUBJECTS {
                    return Some("scope, which names no subject or more than 100");
                }
                if subjects.iter().enumerate().any(|(at, who)| subjects[..at].contains(who)) {
                    return Some("scope, which names a subject twice");
                }
                let within = dates.start <= period.start && period.start < period.end && period.end <= dates.end;
                (!within).then_some("scope, which is no period or reaches past the dates of the order")
            }
        }
    }

    /// Whether a record that says this of itself is one of those.
    fn covers(&self, record: RecordId, head: &Head) -> bool {
        match self {
            Self::Records(records) => records.contains_key(&record),
            Self::Subjects { subjects, period } => {
                period.contains(&head.time()) && head.identifiers().any(|who| subjects.contains(who))
            }
        }
    }
}
