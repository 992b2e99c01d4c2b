//! Records: what a producer gives (a [`Draft`]), what a tenant reads (a [`Head`] and parts), what everybody may see (a
//! [`RecordHeader`]).

mod digest;
mod draft;
mod head;
mod header;
mod import;
mod subject;

pub use digest::ProducerDigest;
pub use draft::{Draft, DraftPart};
pub use head::{Channel, Direction, Head, MAX_HEAD, PartInfo, PartKind};
pub use header::{PartHeader, RecordHeader};
pub use import::{Coercion, Imported};
pub use subject::{DialPlan, Identifier, Role, Subject};

pub(crate) use digest::Digests;
pub(crate) use draft::Content;
pub(crate) use import::COERCIONS;
