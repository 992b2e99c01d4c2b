//! Check and sweep: what a vault's bytes say without any key, with the tenant's, and what a crash left in them.

mod leftovers;
mod named;
mod report;
mod sealed;
mod sweep;
mod tenant;

pub use report::{CheckReport, Finding, FindingKind};
pub use sweep::Swept;
