use std::ops::Range;

use crate::error::Result;
use crate::id::{OrderId, RecordId, TenantId, VaultId};
use crate::record::PartKind;
use crate::retrieve::{Record, TenantSession};
use crate::time::Timestamp;

/// Opens the records of a production: a quorum's keys, or the tenant's session. Nothing but the records listed opens.
pub(crate) trait Opened: Sync {
    /// Opens a record's head; its parts open as they are read.
    fn read(&self, record: RecordId) -> Result<Record>;
}

impl Opened for TenantSession {
    fn read(&self, record: RecordId) -> Result<Record> {
        TenantSession::read(self, record)
    }
}

/// What every document of a production says of it, for people.
#[derive(Clone, Debug)]
pub(crate) struct Cover {
    pub(crate) order: OrderId,
    /// SHA-256 of the order's text.
    pub(crate) order_hash: [u8; 32],
    pub(crate) vault: VaultId,
    pub(crate) tenant: TenantId,
    pub(crate) tenant_name: String,
    pub(crate) authority: String,
    /// The authority's own name for the matter.
    pub(crate) reference: String,
    /// The legal basis.
    pub(crate) basis: String,
    pub(crate) created: Timestamp,
    /// Who makes it, as the ledger names them.
    pub(crate) by: String,
}

/// What is to be produced, in this order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) records: Vec<WantedRecord>,
}

/// A record that is to be produced, and what of it.
#[derive(Clone, Debug)]
pub(crate) struct WantedRecord {
    pub(crate) record: RecordId,
    /// Parts of these kinds; all if none are named.
    pub(crate) kinds: Option<Vec<PartKind>>,
    /// This stretch of its recordings, in milliseconds from their beginning.
    pub(crate) stretch: Option<Range<u64>>,
}
