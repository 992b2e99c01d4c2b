use std::fmt;
use std::ops::Range;

use super::wanted::{Opened, WantedRecord};
use crate::error::{ErrorKind, Result};
use crate::id::RecordId;
use crate::record::PartKind;

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
    Erased,
    /// It says what is in the recording outside the stretch.
    SaysMoreThanTheStretch,
}

/// Decides over a record. Parts of kinds that are not asked for are passed over.
pub(super) fn plan(wanted: &WantedRecord, source: &dyn Opened) -> Result<Planned> {
    let (mut parts, mut withheld, mut bytes) = (Vec::new(), Vec::new(), 0);
    match source.read(wanted.record) {
        Err(e) if e.kind() == ErrorKind::Erased => withheld.push(Withheld { part: None, why: Why::Erased }),
        Err(e) => return Err(e),
        Ok(record) => {
            for (number, info) in record.parts() {
                if wanted.kinds.as_ref().is_some_and(|kinds| !kinds.contains(&info.kind)) {
                    continue;
                }
                match forbids(wanted, info.kind) {
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

fn forbids(wanted: &WantedRecord, kind: PartKind) -> Option<Why> {
    let told_elsewhere = matches!(kind, PartKind::Transcript | PartKind::Analysis | PartKind::Original);
    (wanted.stretch.is_some() && told_elsewhere).then_some(Why::SaysMoreThanTheStretch)
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CannotBeCut => "the ordered stretch cannot be cut out of it",
            Self::Erased => "it was erased",
            Self::SaysMoreThanTheStretch => "it says what is in the recording outside the ordered stretch",
        })
    }
}
