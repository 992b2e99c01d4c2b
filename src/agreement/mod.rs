//! What a tenant and a third party agree before a record is passed on, and the papers that follow a transfer. Pure: nothing
//! here reads or writes a file, or panics on any input. SPEC chapter 12.

mod words;
mod profile;
mod card;
mod policy;
mod terms;
mod contract;
mod refusal;
mod paper;
#[cfg(test)]
mod tests;

pub use card::{Country, RecipientCard};
pub use contract::Agreement;
pub use paper::{DeletionAcknowledgement, DeletionRequest, DeletionResult, DeliveryReceipt, Transferred};
pub use policy::{TransferPolicy, TransferRules};
pub use profile::{AccessControl, AtRest, InTransit, KeyCustody, Logging, ProtectionProfile, Shortfall, SubProcessors};
pub use refusal::Refusal;
pub use terms::{Scope, Terms};
pub use words::{Field, Onward, RecipientClass};
