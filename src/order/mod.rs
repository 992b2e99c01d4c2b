//! What is written when records have to be disclosed: the order, what goes out to the custodians and what they answer, the
//! tenant's consent. Pure: nothing here reads or writes a file, or panics on any input. SPEC chapter 14.

mod words;
mod terms;
mod document;
mod statement;
mod request;
mod approval;
mod custodian;
mod withheld;
mod kept;
#[cfg(test)]
mod tests;

pub(crate) use approval::Combined;
#[cfg(test)]
pub(crate) use approval::info as approval_info;
pub use approval::{Approval, ApprovalFault};
pub use custodian::Custodian;
pub use document::DisclosureOrder;
pub(crate) use document::canary;
pub(crate) use kept::{GAG, NOTICE, Notified};
pub(crate) use request::Asked;
pub use request::{OrderRequest, Stage};
pub use statement::{DisclosureConsent, DisclosureNotice};
pub use terms::{Authority, MAX_ORDER_RECORDS, OrderScope, OrderTerms};
pub(crate) use withheld::{Gag, WITHHELD};
pub use withheld::{GagKey, Withheld};
pub use words::{LegalBasis, ReviewOutcome};
