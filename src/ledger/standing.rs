//! How the ledgers in the database stand to their high-water marks outside it.

use std::collections::HashMap;
use std::fmt;

use super::stored::StoredLog;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::room::Room;
use crate::store::{LogRow, Mark, Which};
use crate::tlog::root;

/// Every mark of an anchor.
#[derive(Default)]
pub(crate) struct Marks {
    by_log: HashMap<i64, Mark>,
    by_tenant: HashMap<TenantId, Vec<i64>>,
}

/// A log that is not as the anchor has it, without another that says so and goes on.
pub(crate) struct Lag {
    pub(crate) tenant: TenantId,
    pub(crate) log: i64,
    pub(crate) generation: u32,
    pub(crate) mark: Option<Mark>,
    pub(crate) why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    /// It has fewer entries than it had.
    Behind,
    /// Nodes of its tree are missing.
    Damaged,
    /// Nothing may be appended to it any more, and no other goes on.
    Ended,
    /// The database knows nothing of it.
    Forgotten,
    /// It has other entries than it had. No older copy is so.
    Other,
    /// It has no mark, although it must have had one: the anchor is not the one that was written beside it.
    Unmarked,
}

impl Marks {
    /// Ask before the logs, which only grow.
    pub(crate) fn read(room: &Room) -> Result<Self> {
        let (mut by_log, mut by_tenant) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        for (log, mark) in room.anchor.marks()? {
            by_tenant.entry(mark.tenant).or_default().push(log);
            by_log.insert(log, mark);
        }
        Ok(Self { by_log, by_tenant })
    }

    /// What is not as it was marked.
    pub(crate) fn lags(&self, room: &Room) -> Result<Vec<Lag>> {
        let (mut lags, mut unknown) = (Vec::new(), self.by_tenant.clone());
        for row in room.store.tenants(Which::All)? {
            unknown.remove(&row.tenant);
            lags.extend(self.lags_of(room, row.tenant)?);
        }
        for (tenant, logs) in unknown {
            // Enrolled since the tenants were listed, it has its row by now.
            if room.store.tenants(Which::Id(tenant))?.is_empty() {
                lags.extend(logs.iter().filter_map(|log| self.forgotten(*log)).filter(|lag| !lag.is_told()));
            }
        }
        lags.sort_by_key(|lag| lag.log);
        Ok(lags)
    }

    /// What of a tenant's logs is not as it was marked.
    pub(crate) fn lags_of(&self, room: &Room, tenant: TenantId) -> Result<Vec<Lag>> {
        let rows = room.store.logs(tenant)?;
        let numbers: Vec<i64> = rows.iter().map(|row| row.n).collect();
        let goes_on = |mark: &Mark| {
            let successor = mark.end.and_then(|end| end.successor).map(i64::from);
            successor.is_some_and(|successor| numbers.contains(&successor))
        };
        let marked = self.by_tenant.get(&tenant).map_or(&[][..], Vec::as_slice);
        let forgotten = marked.iter().filter(|log| !numbers.contains(log)).filter_map(|log| self.forgotten(*log));
        let mut lags: Vec<Lag> = forgotten.filter(|lag| !lag.mark.as_ref().is_some_and(goes_on)).collect();
        for row in rows {
            let (log, generation, size) = (row.n, row.generation, row.size);
            let mark = self.by_log.get(&log).copied();
            let why = match &mark {
                None => Self::unmarked(room, &row)?,
                Some(mark) if (mark.tenant, mark.generation) != (tenant, generation) => Some(Why::Other),
                Some(mark) => match Self::compare(room, mark, row)? {
                    None if goes_on(mark) => None,
                    None if mark.size > size => Some(Why::Behind),
                    None => mark.end.map(|_| Why::Ended),
                    other => other,
                },
            };
            lags.extend(why.map(|why| Lag { tenant, log, generation, mark, why }));
        }
        Ok(lags)
    }

    /// A tenant's logs, where the database knows nothing of the tenant.
    pub(crate) fn lost_of(&self, tenant: TenantId) -> Vec<Lag> {
        let logs = self.by_tenant.get(&tenant).map_or(&[][..], Vec::as_slice);
        logs.iter().filter_map(|log| self.forgotten(*log)).collect()
    }

    /// The largest generation that a tenant's logs ever had, as far as marks tell.
    pub(crate) fn generation_of(&self, tenant: TenantId) -> u32 {
        let logs = self.by_tenant.get(&tenant).map_or(&[][..], Vec::as_slice);
        logs.iter().filter_map(|log| self.by_log.get(log)).map(|mark| mark.generation).max().unwrap_or(0)
    }

    pub(crate) fn get(&self, log: i64) -> Option<Mark> {
        self.by_log.get(&log).copied()
    }

    fn forgotten(&self, log: i64) -> Option<Lag> {
        let mark = self.by_log.get(&log)?;
        Some(Lag { tenant: mark.tenant, log, generation: mark.generation, mark: Some(*mark), why: Why::Forgotten })
    }

    fn unmarked(room: &Room, row: &LogRow) -> Result<Option<Why>> {
        // One that was opened since the marks were read has its own by now.
        let fine = row.size == 0 || room.store.is_first_commit(row.n)? || room.anchor.mark(row.n)?.is_some();
        Ok((!fine).then_some(Why::Unmarked))
    }

    /// Whether a log had the mark's root when it had its size, if it has that many entries.
    fn compare(room: &Room, mark: &Mark, row: LogRow) -> Result<Option<Why>> {
        if mark.size > row.size {
            return Ok(None);
        }
        match root(mark.size, &StoredLog { store: &*room.store, row }) {
            Ok(root) => Ok((root != mark.root).then_some(Why::Other)),
            Err(e) if e.kind() == ErrorKind::Damaged => Ok(Some(Why::Damaged)),
            Err(e) => Err(e),
        }
    }
}

impl Lag {
    /// The operator has said that an old copy was put back; there is no log, and none is missed.
    fn is_told(&self) -> bool {
        self.mark.is_some_and(|mark| mark.end.is_some())
    }
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ledger {} of tenant {} ", self.generation, self.tenant)?;
        f.write_str(match self.why {
            Why::Behind => "is behind its high-water mark",
            Why::Damaged => "lacks nodes of its tree",
            Why::Ended => "can grow no more since an old copy was put back, and no other goes on",
            Why::Forgotten => "has a high-water mark and is not there",
            Why::Other => "has another history than its high-water mark",
            Why::Unmarked => "has no high-water mark",
        })
    }
}

/// # Errors
/// `RolledBack` if there is any log that is not as it was marked.
pub(crate) fn refuse_lags(lags: &[Lag], doing: &'static str) -> Result<()> {
    match lags {
        [] => Ok(()),
        [lag, ..] => Err(Error::new(ErrorKind::RolledBack, doing).because(lag.to_string())),
    }
}
