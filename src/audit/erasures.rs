//! What a ledger's entries say was to be erased, held against what the vault knows of it.

use super::report::AuditFinding;
use crate::error::Result;
use crate::ledger::{Kind, Message, RecordSet};
use crate::store::Store;

/// Rows read at once.
const PAGE: usize = 1024;

/// The erasures that entries authorise.
#[derive(Default)]
pub(super) struct Erasures(Vec<(u64, RecordSet)>);

impl Erasures {
    /// Takes what the next entry says; `seq` is its number.
    pub(super) fn learn(&mut self, seq: u64, message: &Message) {
        self.0.extend(message.records.filter(|_| message.kind == Kind::ErasureAuthorised).map(|set| (seq, set)));
    }

    /// Compares the records that each entry let be erased with those that the vault holds for erased by it.
    pub(super) fn finish(self, store: &dyn Store, log: i64, findings: &mut Vec<AuditFinding>) -> Result<()> {
        for (seq, told) in self.0 {
            let (mut ids, mut n) = (Vec::new(), 0);
            loop {
                let rows = store.erasure(log, seq, n, PAGE)?;
                let Some(last) = rows.last() else { break };
                n = last.record.n;
                ids.extend(rows.iter().map(|row| row.record.record));
            }
            if RecordSet::of_ids(ids) != told {
                findings.push(AuditFinding::ErasureAltered(seq));
            }
        }
        Ok(())
    }
}
