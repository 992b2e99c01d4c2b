//! Audit: what a tenant can say of its own ledger, and an auditor of a receipt.

mod auditor;
mod erasures;
mod export;
mod handed;
mod ordered;
mod fold;
mod folder;
mod log;
mod page;
mod records;
mod report;

pub(crate) use page::ENTRY_CHECK;

pub use auditor::Auditor;
pub use export::ExportedLog;
pub use log::{Entry, State, TenantLog};
pub use report::{AuditFinding, AuditReport};
