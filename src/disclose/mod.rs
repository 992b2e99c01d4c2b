//! Disclose: what an order of an authority reaches is opened by a quorum of custodians, or with the tenant's consent, and
//! given to the authority. Every step is an entry in the tenant's ledger, before anything leaves. SPEC chapter 14.

mod kept;
mod status;
mod desk;
mod begun;
mod quorum;
mod consent;
mod number;
mod give;
mod notice;
mod drill;
#[cfg(test)]
pub(crate) mod tests;

pub use consent::TenantConsent;
pub use drill::Drilled;
pub use give::{Disclosed, Permission};
pub use quorum::Quorum;
pub use status::{Numbered, OrderReview, OrderState, OrderStatus, Produced};
