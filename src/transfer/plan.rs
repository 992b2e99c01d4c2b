use std::fmt;

use super::minimise::Minimiser;
use super::wish::{Records, Transfer, Wish};
use crate::agreement::Agreement;
use crate::bundle::MAX_PACKAGE_RECORDS;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::{Head, PartKind};
use crate::restrict::Restrictions;
use crate::retrieve::{Record, TenantSession};

/// Records that are listed at once.
const PAGE: usize = 256;

/// What a transfer would send, and what it would leave out and why.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TransferPlan {
    /// What goes, in the order of the selection.
    pub records: Vec<PlannedRecord>,
    /// What does not go.
    pub excluded: Vec<Exclusion>,
    /// Bytes of the parts that go, before they are cut and packed.
    pub bytes: u64,
}

/// A record that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedRecord {
    /// Its id.
    pub record: RecordId,
    /// What the recipient will call it.
    pub name: RecordId,
    /// Numbers of the parts that go.
    pub parts: Vec<usize>,
}

/// Something that does not go: a record, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exclusion {
    /// The record.
    pub record: RecordId,
    /// The part's number, if the record's others go.
    pub part: Option<usize>,
    /// Why.
    pub why: WhyExcluded,
}

/// Why something does not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhyExcluded {
    /// A stretch of it was asked for, and it is of a codec that is not cut, or shorter.
    CannotBeCut,
    /// It was erased.
    Erased,
    /// The agreement, or the selection, is not about parts of this kind.
    Kind(PartKind),
    /// It is an e-mail message, which names people who are to go under pseudonyms or not at all.
    MessageNamesPeople,
    /// None of its parts may go.
    NothingLeft,
    /// The agreement is about other queues or subjects.
    OutOfScope,
    /// It is an original document, which says what is to be left out.
    OriginalSaysMore,
    /// Somebody in it asked not to be handed on.
    Restricted,
    /// Only a stretch of the recording goes, and this says what is in the rest of it.
    SaysMoreThanTheStretch(PartKind),
}

impl TransferPlan {
    /// How many records are left out because somebody in them asked for it.
    pub fn restricted(&self) -> u64 {
        self.excluded.iter().filter(|e| e.why == WhyExcluded::Restricted).count() as u64
    }

    /// How many records are left out, for whatever reason.
    pub fn left_out(&self) -> u64 {
        self.excluded.iter().filter(|e| e.part.is_none()).count() as u64
    }
}

/// What decides over each record.
pub(super) struct Choice<'a> {
    pub(super) agreement: Agreement,
    pub(super) purpose: &'a str,
    pub(super) wish: &'a Wish,
    pub(super) kinds: Vec<PartKind>,
    pub(super) minimiser: Minimiser,
    pub(super) restrictions: Restrictions,
}

impl Choice<'_> {
    /// Goes through the selection. Everything that is looked at counts as read in this session.
    pub(super) fn plan(&self, session: &TenantSession, transfer: &Transfer) -> Result<TransferPlan> {
        let mut plan = TransferPlan::default();
        match &transfer.records {
            Records::These(ids) => {
                let mut seen = std::collections::HashSet::new();
                for id in ids.iter().filter(|id| seen.insert(**id)) {
                    self.take(*id, session.read(*id), &mut plan)?;
                }
            }
            Records::Listed(listing) => {
                let listing = (**listing).clone().limit(PAGE);
                session.each_listed(listing, |listed| self.take(listed.id, listed.record, &mut plan))?;
            }
        }
        Ok(plan)
    }

    fn take(&self, id: RecordId, record: Result<Record>, plan: &mut TransferPlan) -> Result<()> {
        let record = match record {
            Ok(record) => record,
            Err(e) if e.kind() == ErrorKind::Erased => {
                plan.excluded.push(Exclusion { record: id, part: None, why: WhyExcluded::Erased });
                return Ok(());
            }
            // What does not open is not passed over in silence.
            Err(e) => return Err(e),
        };
        if let Some(why) = self.forbids(record.head()) {
            plan.excluded.push(Exclusion { record: id, part: None, why });
            return Ok(());
        }
        let (mut parts, mut bytes, mut excluded) = (Vec::new(), 0, Vec::new());
        for (number, info) in record.parts() {
            match self.part(&record, number, info.kind)? {
                None => {
                    parts.push(number);
                    bytes += info.len;
                }
                Some(why) => excluded.push(Exclusion { record: id, part: Some(number), why }),
            }
        }
        plan.excluded.append(&mut excluded);
        if parts.is_empty() {
            plan.excluded.push(Exclusion { record: id, part: None, why: WhyExcluded::NothingLeft });
            return Ok(());
        }
        if plan.records.len() == MAX_PACKAGE_RECORDS {
            return Err(Error::new(ErrorKind::TooLarge, "planning a transfer of more than 30,000 records"));
        }
        plan.bytes += bytes;
        plan.records.push(PlannedRecord { record: id, name: self.minimiser.name(id)?, parts });
        Ok(())
    }

    /// Why a record that says this of itself does not go.
    pub(super) fn forbids(&self, head: &Head) -> Option<WhyExcluded> {
        if self.restrictions.forbid(head, self.purpose) {
            return Some(WhyExcluded::Restricted);
        }
        (!self.agreement.covers(head)).then_some(WhyExcluded::OutOfScope)
    }

    /// Why a part does not go.
    fn part(&self, record: &Record, number: usize, kind: PartKind) -> Result<Option<WhyExcluded>> {
        if !self.kinds.contains(&kind) {
            return Ok(Some(WhyExcluded::Kind(kind)));
        }
        let stretch = self.wish.stretch(record.id()).is_some();
        let told_elsewhere = matches!(kind, PartKind::Transcript | PartKind::Analysis | PartKind::Original);
        if stretch && told_elsewhere {
            return Ok(Some(WhyExcluded::SaysMoreThanTheStretch(kind)));
        }
        // It says what the other parts do, too.
        let all_kinds = record.parts().all(|(_, info)| self.kinds.contains(&info.kind));
        if kind == PartKind::Original && !(all_kinds && self.minimiser.says_everything()) {
            return Ok(Some(WhyExcluded::OriginalSaysMore));
        }
        // Its header names who took part, whatever the field says.
        if kind == PartKind::Email && !self.minimiser.names_everybody() {
            return Ok(Some(WhyExcluded::MessageNamesPeople));
        }
        match record.part(number) {
            Ok(_) => Ok(None),
            Err(e) if e.kind() == ErrorKind::Erased => Ok(Some(WhyExcluded::Erased)),
            Err(e) => Err(e),
        }
    }
}

impl fmt::Display for WhyExcluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotBeCut => f.write_str("the stretch cannot be cut out of it"),
            Self::Erased => f.write_str("it was erased"),
            Self::Kind(kind) => write!(f, "{kind} is not among what is to go"),
            Self::MessageNamesPeople => f.write_str("the message names people who are not to be named"),
            Self::NothingLeft => f.write_str("nothing of it may go"),
            Self::OutOfScope => f.write_str("the agreement is about other queues or subjects"),
            Self::OriginalSaysMore => f.write_str("the original document says what is to be left out"),
            Self::Restricted => f.write_str("somebody in it asked not to be handed on"),
            Self::SaysMoreThanTheStretch(kind) => {
                write!(f, "{kind} says what was said outside the stretch of the recording that goes")
            }
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, part, why } = self;
        match part {
            Some(part) => write!(f, "part {part} of {record}: {why}"),
            None => write!(f, "{record}: {why}"),
        }
    }
}

impl fmt::Display for TransferPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, left_out, restricted) = (self.records.len(), self.left_out(), self.restricted());
        let bytes = self.bytes;
        writeln!(f, "{records} records would go, {bytes} bytes of parts.")?;
        write!(f, "{left_out} records would not, {restricted} of them because somebody asked for it.")?;
        self.excluded.iter().try_for_each(|excluded| write!(f, "\n  {excluded}"))
    }
}
