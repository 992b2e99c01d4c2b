use std::io::Read;

use super::report::{CheckReport, FindingKind};
use crate::error::{Error, ErrorKind, Result};
use crate::record::Digests;
use crate::retrieve::{Listing, Record, TenantSession};

impl TenantSession {
    /// Opens every part of every record of the tenant, from the first byte to the proven end, and compares it with its
    /// producer's digest where there is one.
    ///
    /// # Errors
    /// As the database, if it keeps the check from going on. What does not open is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        let mut listing = Listing::by_commit();
        loop {
            let page = self.list(&listing)?;
            for listed in page.items {
                report.records += 1;
                match listed.record {
                    Ok(record) => open_all(&record, &mut report),
                    Err(e) if e.kind() == ErrorKind::Erased => report.erased += 1,
                    Err(e) => report.find(FindingKind::Sealed, Some(listed.id), format!("head: {e}")),
                }
            }
            match page.next {
                Some(next) => listing = Listing::by_commit().after(next),
                None => return Ok(report),
            }
        }
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
