//! Transfer: records go to a third party, under a live agreement, sealed to it, and written first.

mod wish;
mod minimise;
mod paper;
mod plan;
mod content;
mod pack;
mod send;
mod sent;

#[cfg(test)]
pub(crate) use minimise::Pseudonyms;
pub use plan::{Exclusion, PlannedRecord, TransferPlan, WhyExcluded};
pub use send::SentPackage;
pub use sent::{SentRecord, SentTransfer, TransferOutcome, TransferQuery};
pub use wish::{Subjects, Transfer};
