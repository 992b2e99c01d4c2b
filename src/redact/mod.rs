//! Redactions: what of a record is left out of a copy that is given to somebody, and the copy without it.
//!
//! Nothing of what is redacted is in the copy. A text becomes plain text, whatever it was; a recording gets a new header and
//! none of its other chunks.

mod redaction;
mod set;
mod copy;

pub(crate) use copy::{RedactedText, redact_audio, redact_text};
pub use redaction::{Redacted, Redaction};
pub use set::Redactions;
