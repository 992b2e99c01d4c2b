use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::agreement::{Field, Terms};
use crate::id::RecordId;
use crate::record::PartKind;
use crate::retrieve::Listing;

/// What is to be sent: which records, and what of them, under which agreement, and what for.
///
/// What is not said is as little as can be: subjects under pseudonyms. Kinds and fields are those that the agreement
/// allows, unless fewer are named.
#[derive(Clone)]
pub struct Transfer {
    pub(super) agreement: [u8; 16],
    pub(super) purpose: String,
    pub(super) records: Records,
    pub(super) wish: Wish,
}

#[derive(Clone)]
pub(super) enum Records {
    Listed(Box<Listing>),
    These(Vec<RecordId>),
}

/// What of each record is to be sent. Kept with the transfer, so that it can be sent again.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(super) kinds: Option<Vec<PartKind>>,
    pub(super) fields: Option<BTreeSet<Field>>,
    pub(super) subjects: Subjects,
    /// Stretches of the audio in milliseconds, by record.
    pub(super) stretches: BTreeMap<RecordId, (u64, u64)>,
    pub(super) everywhere: Option<(u64, u64)>,
}

/// How those who took part are named in what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Subjects {
    /// By their names and identifiers, where the agreement allows these fields.
    Named,
    /// By a pseudonym for each identifier, which is another for every recipient and purpose, and which only the tenant
    /// finds the subject of: [`TenantSession::subject_of`](crate::TenantSession::subject_of).
    #[default]
    Pseudonyms,
    /// Not at all.
    LeftOut,
}

impl Subjects {
    /// The word that stands for it in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Pseudonyms => "pseudonyms",
            Self::LeftOut => "left-out",
        }
    }
}

impl Transfer {
    /// These records, under the agreement of that id, for one of its purposes.
    pub fn of(agreement: [u8; 16], purpose: impl Into<String>, records: impl IntoIterator<Item = RecordId>) -> Self {
        let records = Records::These(records.into_iter().collect());
        Self { agreement, purpose: purpose.into(), records, wish: Wish::default() }
    }

    /// All records of a listing, to its end, whatever its limit.
    pub fn listed(agreement: [u8; 16], purpose: impl Into<String>, listing: Listing) -> Self {
        let records = Records::Listed(Box::new(listing));
        Self { agreement, purpose: purpose.into(), records, wish: Wish::default() }
    }

    /// Only parts of these kinds.
    #[must_use]
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = PartKind>) -> Self {
        self.wish.kinds = Some(kinds.into_iter().collect());
        self
    }

    /// Only these fields of what a record says about itself.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.wish.fields = Some(fields.into_iter().collect());
        self
    }

    /// How those who took part are named.
    #[must_use]
    pub fn subjects(mut self, subjects: Subjects) -> Self {
        self.wish.subjects = subjects;
        self
    }

    /// Only this stretch of every recording, in milliseconds from its beginning. What says what was said in the rest of
    /// it, transcripts, analyses and original documents, is left out.
    #[must_use]
    pub fn stretch(mut self, ms: Range<u64>) -> Self {
        self.wish.everywhere = Some((ms.start, ms.end));
        self
    }

    /// Only this stretch of the recordings of one record: see [`stretch`](Self::stretch).
    #[must_use]
    pub fn stretch_of(mut self, record: RecordId, ms: Range<u64>) -> Self {
        self.wish.stretches.insert(record, (ms.start, ms.end));
        self
    }
}

impl Wish {
    /// The kinds of parts that are asked for, where these terms hold: all that they name, unless some were named.
    pub(super) fn kinds(&self, terms: &Terms) -> Vec<PartKind> {
        self.kinds.clone().unwrap_or_else(|| terms.kinds.iter().copied().collect())
    }

    /// As [`kinds`](Self::kinds), the fields.
    pub(super) fn fields(&self, terms: &Terms) -> BTreeSet<Field> {
        self.fields.clone().unwrap_or_else(|| terms.fields.clone())
    }

    /// The stretch that is asked for of a record's recordings, in milliseconds.
    pub(super) fn stretch(&self, record: RecordId) -> Option<Range<u64>> {
        self.stretches.get(&record).or(self.everywhere.as_ref()).map(|(start, end)| *start..*end)
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agreement, purpose, records, wish: _ } = self;
        let what = match records {
            Records::Listed(listing) => format!("{listing:?}"),
            Records::These(ids) => format!("{} records", ids.len()),
        };
        write!(f, "Transfer({what} under {} for {purpose:?})", crate::id::hex(agreement))
    }
}
