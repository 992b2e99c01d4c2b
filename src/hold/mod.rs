//! Hold: what must not be erased as long as a matter lasts, whoever wants it erased.

mod matter;
mod paper;
mod place;

pub use matter::{Matter, PlacedHold, RELEASE_TIME, ReleaseProposal};
pub use paper::Hold;

pub(crate) use matter::{Clearance, Holds, MatterKey, may_confirm};
pub(crate) use paper::{Said, TOPIC, encode};
pub(crate) use place::{ATTEMPTS, contended, preserved_release};
