//! Transfer: records go to a third party, under a live agreement, sealed to it, and written first.

mod wish;
mod minimise;
mod paper;
mod plan;
mod content;
mod progress;
mod pack;
mod send;
mod sent;

#[cfg(test)]
pub(crate) use minimise::Pseudonyms;
pub use plan::{Exclusion, MAX_RECORDS as MAX_TRANSFER_RECORDS, PlannedRecord, TransferPlan, WhyExcluded};
pub use progress::{TransferProgress, TransferStage};
pub use send::SentPackage;
pub use sent::{SentRecord, SentTransfer, TransferOutcome, TransferQuery};
pub use wish::{Subjects, Transfer};
