use super::status::Numbered;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, TenantId};
use crate::store::{Change, Op, Store};
use crate::vault::Vault;

/// How often numbers are asked for again because somebody else was faster.
const ATTEMPTS: usize = 64;

/// Numbers that nobody else is given, as many as documents there can be. What no document bears is given back when this is
/// dropped, if nobody has numbers behind them; else, and after a crash, some are never given.
pub(super) struct Numbers<'v> {
    store: &'v dyn Store,
    prefix: Option<String>,
    pub(super) first: u64,
    /// How many documents bear one, and how many there are.
    used: u64,
    count: u64,
}

impl Vault {
    /// Numbers for documents of records, each of which may be one document for each of its parts; none without a prefix.
    pub(super) fn number(&self, tenant: TenantId, prefix: Option<&str>, records: &[RecordId]) -> Result<Numbers<'_>> {
        let store = &*self.room.store;
        let Some(prefix) = prefix else {
            return Ok(Numbers { store, prefix: None, first: 1, used: 0, count: 0 });
        };
        let mut count = 0;
        for record in records {
            let row = store.record(tenant, *record)?;
            let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking up what is to be numbered"))?;
            // The first is the head.
            count += row.header(self.room.id)?.parts.len().saturating_sub(1) as u64;
        }
        for _ in 0..ATTEMPTS {
            let first = store.next_number(prefix)?;
            let take = Op::Number { prefix: prefix.to_owned(), first, count };
            match self.ledger()?.commit(tenant, Change(vec![take])) {
                Ok(_) => return Ok(Numbers { store, prefix: Some(prefix.to_owned()), first, used: 0, count }),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(Error::new(ErrorKind::Locked, "numbering documents").because("others keep taking numbers"))
    }
}

impl Numbers<'_> {
    /// Lets so many documents bear them, the first ones.
    pub(super) fn take(&mut self, used: u64) -> Result<Option<Numbered>> {
        let Some(prefix) = self.prefix.clone().filter(|_| used > 0) else { return Ok(None) };
        if used > self.count {
            return Err(Error::new(ErrorKind::TooLarge, "numbering more documents than a record has parts"));
        }
        self.used = used;
        Ok(Some(Numbered { prefix, first: self.first, count: used }))
    }
}

impl Drop for Numbers<'_> {
    fn drop(&mut self) {
        if let Some(prefix) = self.prefix.take().filter(|_| self.used < self.count) {
            let (first, end) = (self.first + self.used, self.first + self.count);
            let _ = self.store.commit(Change(vec![Op::GiveBack { prefix, first, end }]));
        }
    }
}
