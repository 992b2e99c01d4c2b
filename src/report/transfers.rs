use std::io::Write;

use super::account::Account;
use super::comparison::Acts;
use super::kept::{Kept, repetitions};
use crate::audit::AuditReport;
use crate::error::Result;
use crate::retrieve::TenantSession;
use crate::time::Timestamp;
use crate::transfer::TransferQuery;

/// What a page of transfers is about.
///
/// ```
/// use strongroom::{Timestamp, TransferQuery, TransfersPage};
/// let (from, until) = ("2026-07-01T00:00:00Z".parse()?, "2026-10-01T00:00:00Z".parse()?);
/// let third_quarter = TransfersPage::new().only(TransferQuery::all().period(from..until));
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct TransfersPage {
    query: TransferQuery,
    audits: Vec<AuditReport>,
    now: Option<Timestamp>,
}

impl TransfersPage {
    /// Every transfer, as of now.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only these transfers, and the agreements that they were under. What was asked for is not repeated on the page: it
    /// may name a person.
    #[must_use]
    pub fn only(mut self, query: TransferQuery) -> Self {
        self.query = query;
        self
    }

    /// Held against the audit of one of the tenant's ledgers: what it found, and whether it tells of the same agreements,
    /// transfers, receipts, requests to delete and answers up to its head. Without one, the page says that it was not
    /// compared. A tenant whose log was rotated has several.
    #[must_use]
    pub fn audited(mut self, report: &AuditReport) -> Self {
        self.audits.push(report.clone());
        self
    }

    /// As if it were then: what is due, overdue, in force or soon at its end.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}

impl TenantSession {
    /// Writes what was handed to third parties as a page for a person who has never seen a vault: what needs attention; who
    /// received how many records for what; what was refused, failed or lost sight of, and why; which receipts are open;
    /// which agreements stand, what they promise beside what is required; what may be kept no more; and every transfer with
    /// the number of its entry in the ledger. One HTML file without scripts that loads nothing. It names recipients and
    /// purposes, in the clear, and no person and nothing of a record.
    ///
    /// Memory: about two kilobytes for each transfer, and all agreements and requests to delete; the page itself is not
    /// held.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if an audit's report is about another ledger;
    /// [`Tampered`](crate::ErrorKind::Tampered) if what is kept of a transfer or an agreement does not open or verify; as
    /// [`transfers`](Self::transfers); else as `out`. What is in `out` then is no page.
    pub fn write_transfers_page(&self, page: &TransfersPage, out: &mut dyn Write) -> Result<()> {
        let TransfersPage { query, audits, now } = page;
        let tenant = self.room.tenant(self.tenant)?;
        let (agreed, deletions, history) = (self.agreed()?, self.deletions()?, self.history()?);
        let (acts, attempts) = (Acts::of(&history.transfers, &agreed, &deletions), repetitions(&history.transfers));
        let kept = Kept {
            tenant: tenant.name,
            tenant_id: tenant.id.to_string(),
            now: now.unwrap_or_else(Timestamp::now),
            logs: self.logs()?.iter().map(|log| (log.generation(), log.key())).collect(),
            policy: self.transfer_policy()?,
            restrictions: self.restrictions()?.into_iter().map(|restriction| restriction.purpose).collect(),
            sent: self.select(query, history)?,
            agreed,
            deletions,
            acts,
            attempts,
        };
        Account::of(kept, query, audits)?.write(out)
    }
}
