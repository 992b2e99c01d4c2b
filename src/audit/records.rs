use std::collections::VecDeque;

use super::report::AuditFinding;
use crate::error::Result;
use crate::id::TenantId;
use crate::ledger::RecordSet;
use crate::store::{Store, ToldRow, header_digest};

/// Rows read at once.
const PAGE: usize = 1024;

/// The records of a tenant, gone through beside the entries that tell of them: both are in the order of their commits.
pub(super) struct Records<'a> {
    store: &'a dyn Store,
    tenant: TenantId,
    log: i64,
    last: i64,
    ahead: VecDeque<ToldRow>,
    over: bool,
    pub(super) compared: u64,
}

impl<'a> Records<'a> {
    pub(super) fn new(store: &'a dyn Store, tenant: TenantId, log: i64) -> Self {
        Self { store, tenant, log, last: 0, ahead: VecDeque::new(), over: false, compared: 0 }
    }

    /// Compares the records that name entry `seq` with what it tells. Of an entry that cannot be read nobody knows.
    pub(super) fn compare(
        &mut self,
        seq: u64,
        told: Option<RecordSet>,
        findings: &mut Vec<AuditFinding>,
    ) -> Result<()> {
        let mut own = Vec::new();
        while let Some(row) = self.next_up_to(seq)? {
            if row.seq == seq { own.push(row) } else { findings.push(AuditFinding::RecordUntold(row.record)) }
        }
        let stored = RecordSet::of_headers(own.iter().map(|row| header_digest(&row.header)));
        match told {
            Some(told) if told.count == 0 => {
                findings.extend(own.iter().map(|row| AuditFinding::RecordUntold(row.record)));
            }
            Some(told) if told != stored => findings.push(AuditFinding::RecordsMissing(seq)),
            _ => self.compared += own.len() as u64,
        }
        Ok(())
    }

    /// Whatever is left names entries that are not there. Those behind `size` came since.
    pub(super) fn finish(&mut self, size: u64, findings: &mut Vec<AuditFinding>) -> Result<()> {
        while let Some(row) = self.next_up_to(size.saturating_sub(1))? {
            findings.push(AuditFinding::RecordUntold(row.record));
        }
        Ok(())
    }

    fn next_up_to(&mut self, seq: u64) -> Result<Option<ToldRow>> {
        loop {
            match self.ahead.front() {
                Some(row) if row.log != self.log => drop(self.ahead.pop_front()),
                Some(row) if row.seq <= seq => return Ok(self.ahead.pop_front()),
                Some(_) => return Ok(None),
                None if self.over => return Ok(None),
                None => {
                    self.ahead = self.store.told(self.tenant, self.last, PAGE)?.into();
                    self.over = self.ahead.len() < PAGE;
                    self.last = self.ahead.back().map_or(self.last, |row| row.n);
                }
            }
        }
    }
}
