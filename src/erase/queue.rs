//! What was to be erased while a hold stood.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::encoding::codec;
use crate::error::Result;
use crate::id::{RecordId, TenantId};
use crate::key::PublicKey;
use crate::retrieve::{PaperPlace, TenantSession};
use crate::store::Op;
use crate::time::Timestamp;

/// The topic of the papers that it is kept in.
pub(super) const TOPIC: &str = "deferral";
const VERSION: u16 = 1;
const MAX: u64 = 1 << 20;

/// A record that was to be erased, and will be when no hold keeps it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeferredDeletion {
    /// The record.
    pub record: RecordId,
    /// Why it was to be erased.
    pub reason: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// The ledger that tells that it was put off, and the number of its entry.
    pub entry: (PublicKey, u64),
}

#[derive(Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    reason: String,
    records: Vec<RecordId>,
}

/// What one entry put off.
pub(super) struct Deferral {
    /// The place of the entry.
    pub(super) at: i64,
    pub(super) entry: (PublicKey, u64),
    pub(super) since: Timestamp,
    pub(super) reason: String,
    pub(super) records: Vec<RecordId>,
}

/// Everything that was ever put off, as far as somebody has read of it.
#[derive(Default)]
pub(super) struct Queue {
    deferrals: Vec<Deferral>,
    records: HashSet<RecordId>,
    last: PaperPlace,
}

impl Queue {
    /// Reads what was put off since.
    pub(super) fn learn(&mut self, session: &TenantSession) -> Result<()> {
        if session.room.store.last_paper(session.tenant, TOPIC)? == self.last.n {
            return Ok(());
        }
        session.each_paper(TOPIC, self.last, |paper| {
            let Said { at: since, reason, records } =
                codec::decode_versioned(VERSION, &paper.bytes, MAX, "what was to be erased")?;
            self.last = paper.place;
            self.records.extend(&records);
            let (at, entry) = (paper.place.at, (paper.log, paper.seq));
            self.deferrals.push(Deferral { at, entry, since, reason, records });
            Ok(())
        })
    }

    pub(super) fn has(&self, record: &RecordId) -> bool {
        self.records.contains(record)
    }

    /// What refuses a change if anything was put off that is not known here.
    pub(super) fn seen(&self, tenant: TenantId) -> Op {
        Op::Seen { tenant, topic: TOPIC, last: self.last.n }
    }

    /// What still waits, each record once.
    pub(super) fn waiting(&self, session: &TenantSession) -> Result<Vec<Deferral>> {
        let (mut waiting, mut seen) = (Vec::new(), HashSet::new());
        for Deferral { at, entry, since, reason, records } in &self.deferrals {
            let mut left = Vec::new();
            for record in records.iter().filter(|record| seen.insert(**record)) {
                if session.room.store.erasure_of(*record)?.is_none() {
                    left.push(*record);
                }
            }
            if !left.is_empty() {
                let reason = reason.clone();
                waiting.push(Deferral { at: *at, entry: *entry, since: *since, reason, records: left });
            }
        }
        Ok(waiting)
    }
}

/// The paper that says so.
pub(super) fn encode(records: Vec<RecordId>, reason: &str) -> Result<Vec<u8>> {
    let said = Said { at: Timestamp::now(), reason: reason.to_owned(), records };
    codec::encode_versioned(VERSION, &said, MAX, "what was to be erased")
}

impl TenantSession {
    /// Records that were to be erased and are kept by a hold, in the order in which they were put off.
    ///
    /// # Errors
    /// [`Tampered`](crate::ErrorKind::Tampered) if what was put off does not open; else as the database.
    pub fn deferred_deletions(&self) -> Result<Vec<DeferredDeletion>> {
        let mut queue = Queue::default();
        queue.learn(self)?;
        let each = |Deferral { at: _, entry, since, reason, records }: Deferral| {
            let deletion = move |record| DeferredDeletion { record, reason: reason.clone(), since, entry };
            records.into_iter().map(deletion)
        };
        Ok(queue.waiting(self)?.into_iter().flat_map(each).collect())
    }
}
