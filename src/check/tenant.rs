use std::collections::{HashMap, VecDeque};
use std::io::Read;

use super::report::{CheckReport, FindingKind};
use crate::error::{Error, ErrorKind, Result};
use crate::id::EpochId;
use crate::index::Token;
use crate::record::Digests;
use crate::retrieve::{Listing, Record, TenantSession};

impl TenantSession {
    /// Opens every part of every record of the tenant, from the first byte to the proven end, and compares it with its
    /// producer's digest where there is one. Looks every record up by each of its identifiers.
    ///
    /// # Errors
    /// As the database, if it keeps the check from going on. What does not open is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        let mut index = IndexCheck::default();
        self.each_listed(Listing::by_commit(), |listed| {
            report.records += 1;
            match listed.record {
                Ok(record) => {
                    open_all(&record, &mut report);
                    index.check(self, &record, &mut report)?;
                }
                Err(e) if e.kind() == ErrorKind::Erased => report.erased += 1,
                Err(e) => report.find(FindingKind::Sealed, Some(listed.id), format!("head: {e}")),
            }
            Ok(())
        })?;
        Ok(report)
    }
}

/// Epochs whose counts are kept: more than write at the same time. Those of a forgotten one are counted again.
const EPOCHS: usize = 16;

/// How many records each value of an epoch has had so far, for the epochs that came last.
#[derive(Default)]
struct IndexCheck(VecDeque<(EpochId, HashMap<Token, u32>)>);

impl IndexCheck {
    /// Whether a lookup that counts a value's tokens from 0 comes to this record before one is missing.
    fn check(&mut self, session: &TenantSession, record: &Record, report: &mut CheckReport) -> Result<()> {
        let id = record.header().epoch;
        let reader = session.epoch(id)?;
        let at = self.0.iter().position(|(epoch, _)| *epoch == id);
        let (_, mut counts) = at.and_then(|at| self.0.remove(at)).unwrap_or_else(|| (id, HashMap::new()));
        for identifier in record.head().identifiers() {
            let token = |counter| reader.index_key.token(identifier.scheme(), identifier.value(), counter);
            let count = counts.entry(token(0)).or_default();
            loop {
                match session.room.store.find(&[(id, token(*count))])?[..] {
                    // Of a record before this one, which may be erased.
                    [Some(spot)] if spot.n < record.n => *count += 1,
                    [Some(spot)] if spot.n == record.n => break,
                    _ => {
                        let what = format!("a lookup by its {} does not find it", identifier.scheme());
                        report.find(FindingKind::Index, Some(record.id()), what);
                        break;
                    }
                }
            }
        }
        self.0.push_back((id, counts));
        if self.0.len() > EPOCHS {
            self.0.pop_front();
        }
        Ok(())
    }
}

fn open_all(record: &Record, report: &mut CheckReport) {
    report.slots += 1;
    for (number, info) in record.parts() {
        let opened = (|| {
            let mut reader = record.part(number)?;
            let mut digests = Digests::new(info.digest.as_ref(), false);
            let mut block = vec![0; 256 * 1024];
            loop {
                match reader.read(&mut block).map_err(|e| Error::from_io(e, "reading a part"))? {
                    0 => break,
                    n => digests.update(&block[..n]),
                }
            }
            digests.finish().map(|_| reader.len())
        })();
        match opened {
            Ok(len) => {
                report.parts += 1;
                report.bytes += len;
                report.slots += 1;
            }
            Err(e) => report.find(FindingKind::Sealed, Some(record.id()), format!("part {number}: {e}")),
        }
    }
}
