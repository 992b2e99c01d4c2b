use std::fmt;
use std::ops::Range;

use crate::audio::Filler;
use crate::id::RecordId;

/// Something of a part that is not to be given out, and why. The original stays as it is; only what is produced lacks it.
///
/// ```
/// use strongroom::audio::Filler;
/// use strongroom::{RecordId, Redacted, Redaction, Redactions};
/// let call = RecordId::generate()?;
/// let why = "privileged: advice of counsel";
/// let redactions = Redactions::of(vec![
///     Redaction::new(call, 1, Redacted::Audio { ms: 61_500..74_000, with: Filler::Tone }, why),
///     Redaction::new(call, 2, Redacted::Text(812..1043), why),
/// ])?;
/// assert_eq!(redactions.part(call, 2).len(), 1);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Redaction {
    /// Of this record.
    pub record: RecordId,
    /// Of this part, counted from 1 as in the record's head.
    pub part: usize,
    /// What of it.
    pub what: Redacted,
    /// Why, in one line of 1 to 1000 bytes. It stands where the text was, and in the log of the production: it must not
    /// say what it hides.
    pub reason: String,
}

/// What of a part is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redacted {
    /// Bytes of [`Text::body`](crate::Text::body) of the part, from between two characters to between two others. A
    /// speaker's name that is no part of the body is hidden wherever a redacted span has a word of it.
    Text(Range<usize>),
    /// A stretch of a recording, in milliseconds from its beginning, to whole samples outwards and in every channel.
    Audio {
        /// From and until when.
        ms: Range<u64>,
        /// What is heard instead.
        with: Filler,
    },
    /// All of it: the part is withheld.
    Whole,
}

impl Redaction {
    /// A redaction of something for a reason. It is checked when it becomes one of [`Redactions`](crate::Redactions).
    pub fn new(record: RecordId, part: usize, what: Redacted, reason: impl Into<String>) -> Self {
        Self { record, part, what, reason: reason.into() }
    }

    /// Where it begins, in bytes or milliseconds: by this those of a part are in order, a whole one first.
    pub(super) fn place(&self) -> (u64, u64) {
        match &self.what {
            Redacted::Text(bytes) => (bytes.start as u64, bytes.end as u64),
            Redacted::Audio { ms, .. } => (ms.start, ms.end),
            Redacted::Whole => (0, 0),
        }
    }
}

impl fmt::Debug for Redaction {
    /// Without the reason, which may say too much.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, part, what, reason: _ } = self;
        write!(f, "Redaction({record} part {part}, {what:?})")
    }
}
