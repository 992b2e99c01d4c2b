//! What a ledger's entries say of transfers, held against what they say of agreements.

use std::collections::{BTreeMap, BTreeSet};

use super::report::AuditFinding;
use crate::error::Result;
use crate::id::TenantId;
use crate::key::PublicKey;
use crate::ledger::{Kind, Message};
use crate::store::Store;
use crate::time::Timestamp;

/// Papers that are read at once.
const PAGE: usize = 64;

/// The agreements that stand, as far as the entries so far tell, and the papers that these name.
#[derive(Default)]
pub(super) struct Handed {
    /// By their ids.
    standing: BTreeMap<String, Standing>,
    /// Whether there was a log before, which may tell of agreements that this one does not.
    begun_before: bool,
    papers: BTreeSet<(u64, String)>,
}

/// What became of an agreement, as entries tell it.
struct Standing {
    /// Of the revision in force.
    hash: Option<[u8; 32]>,
    until: Option<Timestamp>,
    revoked: bool,
}

impl Handed {
    /// Takes what the next entry says; `seq` is its number.
    pub(super) fn learn(&mut self, seq: u64, message: &Message, findings: &mut Vec<AuditFinding>) {
        let told = |name: &str| message.details.get(name).cloned().unwrap_or_default();
        self.papers.extend(told("papers").split_whitespace().map(|topic| (seq, topic.to_owned())));
        match message.kind {
            Kind::LogOpened => self.begun_before |= message.details.contains_key("predecessor"),
            Kind::Restored => self.begun_before = true,
            Kind::AgreementSigned => {
                let until = told("until").parse().ok();
                // A revision that was signed while another revoked the agreement has not undone that.
                let revoked = self.standing.get(&told("agreement")).is_some_and(|before| before.revoked);
                let standing = Standing { hash: message.payload, until, revoked };
                self.standing.insert(told("agreement"), standing);
            }
            Kind::AgreementRevoked => {
                let unknown = Standing { hash: message.payload, until: None, revoked: true };
                self.standing.entry(told("agreement")).or_insert(unknown).revoked = true;
            }
            Kind::TransferAuthorised => {
                let hash = told("agreement");
                let allowed = match self.standing.get(&told("agreement-id")) {
                    Some(Standing { hash: known, until, revoked }) => {
                        let same = known.is_some_and(|known| crate::id::hex(&known) == hash);
                        same && !revoked && until.is_none_or(|until| message.time < until)
                    }
                    None => self.begun_before,
                };
                if !allowed {
                    findings.push(AuditFinding::SentWithoutAgreement(seq));
                }
            }
            _ => {}
        }
    }

    /// Compares the papers that the entries name with those that are stored.
    pub(super) fn finish(
        mut self,
        store: &dyn Store,
        tenant: TenantId,
        log: &PublicKey,
        findings: &mut Vec<AuditFinding>,
    ) -> Result<()> {
        let mut n = 0;
        loop {
            let rows = store.papers(tenant, None, n, PAGE)?;
            let Some(last) = rows.last() else { break };
            n = last.n;
            for row in rows.iter().filter(|row| row.log == *log && row.is_whole()) {
                self.papers.remove(&(row.seq, row.topic.clone()));
            }
        }
        findings.extend(self.papers.into_iter().map(|(seq, _)| AuditFinding::PaperMissing(seq)));
        Ok(())
    }
}
