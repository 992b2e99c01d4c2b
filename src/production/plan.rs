use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use super::gather::info;
use super::wanted::{Opened, WantedRecord};
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::PartKind;
use crate::redact::{Redacted, Redaction, Redactions};
use crate::retrieve::Record;

/// What of a record is to be produced.
pub(super) struct Planned {
    pub(super) record: RecordId,
    /// Of its recordings, in milliseconds.
    pub(super) stretch: Option<Range<u64>>,
    /// The numbers of the parts.
    pub(super) parts: Vec<usize>,
    pub(super) withheld: Vec<Withheld>,
    /// Bytes of the parts.
    pub(super) bytes: u64,
}

/// Something that the order names and that is not produced.
#[derive(Clone)]
pub(super) struct Withheld {
    /// The part's number; none where it is the whole record.
    pub(super) part: Option<usize>,
    pub(super) why: Why,
}

/// Why something is not produced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The stretch cannot be cut out of it.
    CannotBeCut,
    /// It is of a codec in which nothing is replaced.
    CannotBeRedacted,
    Erased,
    /// Whoever reviewed it said so, for this reason.
    Reviewed(String),
    /// It says what is in the recording outside the stretch.
    SaysMoreThanTheStretch,
    /// It may say what is redacted or withheld elsewhere in the record.
    SaysWhatIsRedacted,
    /// It is too long to be redacted.
    TooLong,
}

/// What decides over each record.
pub(super) struct Planner<'s> {
    pub(super) source: &'s dyn Opened,
    pub(super) redactions: &'s Redactions,
    /// Parts that were found to say nothing of what is redacted elsewhere.
    pub(super) cleared: &'s BTreeSet<(RecordId, usize)>,
}

impl Planner<'_> {
    /// Decides over a record. Parts of kinds that are not asked for are passed over.
    ///
    /// # Errors
    /// `InvalidInput` for a redaction of a part that is not there or not of that kind; as reading.
    pub(super) fn plan(&self, wanted: &WantedRecord) -> Result<Planned> {
        let (mut parts, mut withheld, mut bytes) = (Vec::new(), Vec::new(), 0);
        match self.source.read(wanted.record) {
            Err(e) if e.kind() == ErrorKind::Erased => withheld.push(Withheld { part: None, why: Why::Erased }),
            Err(e) => return Err(e),
            Ok(record) => {
                self.check(&record)?;
                for (number, info) in record.parts() {
                    if wanted.kinds.as_ref().is_some_and(|kinds| !kinds.contains(&info.kind)) {
                        continue;
                    }
                    match self.forbids(wanted, &record, number, info.kind) {
                        Some(why) => withheld.push(Withheld { part: Some(number), why }),
                        None => {
                            parts.push(number);
                            bytes += info.len;
                        }
                    }
                }
            }
        }
        Ok(Planned { record: wanted.record, stretch: wanted.stretch.clone(), parts, withheld, bytes })
    }

    fn forbids(&self, wanted: &WantedRecord, record: &Record, number: usize, kind: PartKind) -> Option<Why> {
        let own = self.redactions.part(record.id(), number);
        if let Some(Redaction { what: Redacted::Whole, reason, .. }) = own.first() {
            return Some(Why::Reviewed(reason.clone()));
        }
        let told_elsewhere = matches!(kind, PartKind::Transcript | PartKind::Analysis | PartKind::Original);
        if wanted.stretch.is_some() && told_elsewhere {
            return Some(Why::SaysMoreThanTheStretch);
        }
        if !own.is_empty() || self.cleared.contains(&(record.id(), number)) {
            return None;
        }
        let mut others = self.redactions.record(record.id()).iter();
        others.any(|other| says(kind, record, other)).then_some(Why::SaysWhatIsRedacted)
    }

    /// Whether the redactions of a record are of its parts.
    fn check(&self, record: &Record) -> Result<()> {
        let refused = |doing| Err(Error::new(ErrorKind::InvalidInput, doing));
        for redaction in self.redactions.record(record.id()) {
            match (info(record, redaction.part).ok(), &redaction.what) {
                (None, _) => return refused("redacting a part that its record does not have"),
                (Some(info), Redacted::Text(_)) if info.kind == PartKind::Audio => {
                    return refused("redacting a recording as a text");
                }
                (Some(info), Redacted::Audio { .. }) if info.kind != PartKind::Audio => {
                    return refused("redacting what is no recording as one");
                }
                _ => {}
            }
        }
        let missing = |(of, part): &&(RecordId, usize)| *of == record.id() && info(record, *part).is_err();
        match self.cleared.iter().find(missing) {
            Some(_) => refused("producing a part whole that its record does not have"),
            None => Ok(()),
        }
    }
}

/// Whether a part of this kind may say what a redaction of another hides. What was said is in recording, transcript, messages
/// and the analyses of them, and everything is in the document that they were imported from.
fn says(kind: PartKind, record: &Record, redaction: &Redaction) -> bool {
    let conversation = |kind| matches!(kind, PartKind::Audio | PartKind::Transcript | PartKind::Chat | PartKind::Email);
    let Some(redacted) = info(record, redaction.part).ok().map(|info| info.kind) else { return false };
    let of_conversation = conversation(redacted)
        // An original that is withheld may be so for what it is.
        || (redacted == PartKind::Original && redaction.what != Redacted::Whole);
    match kind {
        PartKind::Original => redacted != PartKind::Original,
        PartKind::Analysis => of_conversation,
        kind => conversation(kind) && of_conversation,
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CannotBeCut => "the ordered stretch cannot be cut out of it",
            Self::CannotBeRedacted => "it is of a form in which nothing can be redacted",
            Self::Erased => "it was erased",
            Self::Reviewed(reason) => reason,
            Self::SaysMoreThanTheStretch => "it says what is in the recording outside the ordered stretch",
            Self::SaysWhatIsRedacted => "it may say what is redacted or withheld in another part of the record",
            Self::TooLong => "it is too long to be redacted",
        })
    }
}
