use std::collections::HashMap;

use crate::agree::Standing;
use crate::audit::AuditReport;
use crate::error::{Error, ErrorKind, Result};
use crate::html::Grouped;
use crate::key::PublicKey;
use crate::ledger::Kind;
use crate::recall::Deletion;
use crate::tlog::origin_of;
use crate::transfer::{SentTransfer, TransferOutcome};

/// The kinds of entries that the page tells of one by one, and what each is, in the plural.
pub(super) const KINDS: [(Kind, &str); 9] = [
    (Kind::AgreementSigned, "Agreements that came into force"),
    (Kind::AgreementRevoked, "Agreements that were revoked"),
    (Kind::TransferAuthorised, "Transfers that were authorised"),
    (Kind::TransferCompleted, "Transfers that were completed"),
    (Kind::TransferFailed, "Transfers that failed"),
    (Kind::TransferRefused, "Transfers that were refused"),
    (Kind::TransferReceipted, "Delivery receipts"),
    (Kind::RecipientsTold, "Requests to delete"),
    (Kind::DeletionAnswered, "Answers to requests to delete"),
];

/// The page's acts by ledger and kind.
#[derive(Default)]
pub(super) struct Acts {
    of: HashMap<PublicKey, [Vec<u64>; KINDS.len()]>,
}

impl Acts {
    pub(super) fn of(history: &[SentTransfer], agreed: &[Vec<Standing>], deletions: &[Deletion]) -> Self {
        let mut acts = Self::default();
        for sent in history {
            match sent.outcome {
                TransferOutcome::Refused(_) => acts.add(Kind::TransferRefused, Some(sent.entry)),
                _ => acts.add(Kind::TransferAuthorised, Some(sent.entry)),
            }
            match sent.outcome {
                TransferOutcome::Completed => acts.add(Kind::TransferCompleted, sent.outcome_entry),
                TransferOutcome::Failed(_) => acts.add(Kind::TransferFailed, sent.outcome_entry),
                TransferOutcome::Refused(_) | TransferOutcome::Running | TransferOutcome::Unknown => {}
            }
            acts.add(Kind::TransferReceipted, sent.receipt_entry);
        }
        for revisions in agreed {
            revisions.iter().for_each(|revision| acts.add(Kind::AgreementSigned, Some(revision.entry)));
            acts.add(Kind::AgreementRevoked, revisions.last().and_then(|newest| newest.revoked_entry));
        }
        for deletion in deletions {
            acts.add(Kind::RecipientsTold, Some(deletion.entry));
            deletion.answer_entries.iter().for_each(|entry| acts.add(Kind::DeletionAnswered, Some(*entry)));
        }
        acts
    }

    fn add(&mut self, kind: Kind, entry: Option<(PublicKey, u64)>) {
        let at = KINDS.iter().position(|(known, _)| *known == kind);
        if let (Some(at), Some((log, seq))) = (at, entry) {
            self.of.entry(log).or_default()[at].push(seq);
        }
    }

    /// How many of each kind, in all ledgers.
    pub(super) fn counts(&self) -> [u64; KINDS.len()] {
        std::array::from_fn(|at| self.of.values().map(|of| of[at].len() as u64).sum())
    }

    fn below(&self, log: &PublicKey, at: usize, size: u64) -> u64 {
        self.of.get(log).map_or(0, |of| of[at].iter().filter(|seq| **seq < size).count() as u64)
    }
}

/// The page held against audits of the tenant's ledgers.
#[derive(Default)]
pub(super) struct Comparison {
    /// What the audits found, and what the page has otherwise than they.
    pub(super) faults: Vec<String>,
    /// How many of the ledgers were audited.
    pub(super) audited: usize,
    pub(super) logs: usize,
}

impl Comparison {
    /// # Errors
    /// `InvalidInput` if a report is about none of these logs.
    pub(super) fn new(acts: &Acts, logs: &[(u32, PublicKey)], reports: &[AuditReport]) -> Result<Self> {
        let mut comparison = Self { logs: logs.len(), ..Self::default() };
        let mut audited: Vec<PublicKey> = Vec::new();
        for report in reports {
            comparison.faults.extend(report.findings.iter().map(|found| format!("The audit says: {found}.")));
            let Some(head) = &report.checkpoint else {
                // One without a head found why there is none.
                if report.is_clean() {
                    return Err(Error::new(ErrorKind::InvalidInput, "comparing transfers with a report of nothing"));
                }
                continue;
            };
            let log = logs.iter().map(|(_, key)| key).find(|key| origin_of(key) == head.origin);
            let log = log.ok_or_else(|| {
                Error::new(ErrorKind::InvalidInput, "comparing transfers with the report of another ledger's audit")
            })?;
            audited.push(*log);
            for (at, (kind, what)) in KINDS.iter().enumerate() {
                let told = report.kinds.get(&kind.to_string()).copied().unwrap_or(0);
                let here = acts.below(log, at, head.size);
                if told != here {
                    let (told, here) = (Grouped::from(told), Grouped::from(here));
                    comparison.faults.push(format!("{what}: the ledger tells of {told}, this vault keeps {here}."));
                }
            }
        }
        comparison.audited = logs.iter().filter(|(_, key)| audited.contains(key)).count();
        Ok(comparison)
    }
}
