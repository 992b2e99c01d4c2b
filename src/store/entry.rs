use std::sync::Arc;

use crate::error::Result;
use crate::id::{EpochId, TenantId};
use crate::key::{PublicKey, Signing};
use crate::time::Timestamp;
use crate::tlog::{Checkpoint, InclusionProof};

/// An entry that waits for its place in a tenant's open log.
pub(crate) struct Append {
    pub(crate) tenant: TenantId,
    /// Refused unless the log has admitted this writer and it is not retired.
    pub(crate) writer: Option<PublicKey>,
    pub(crate) make: Make,
    pub(crate) keys: Arc<dyn LogKeys>,
    pub(crate) act: Act,
}

/// Makes an entry for its place, or none if there is nothing to tell. Called while nobody else can append: it must not
/// wait for anything.
pub(crate) type Make = Box<dyn FnOnce(&Position<'_>) -> Result<Option<NewEntry>> + Send>;

/// Where an entry comes to stand.
pub(crate) struct Position<'a> {
    pub(crate) log: PublicKey,
    pub(crate) origin: &'a str,
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    /// Digests of the record headers that the same change added before it.
    pub(crate) added: &'a [[u8; 32]],
    /// Where the log before this one ended, if there was one.
    pub(crate) predecessor: Option<&'a Checkpoint>,
}

/// An entry as it is stored.
pub(crate) struct NewEntry {
    pub(crate) leaf: [u8; 128],
    pub(crate) epoch: EpochId,
    pub(crate) chain: u32,
    pub(crate) slot: u64,
    pub(crate) message: Vec<u8>,
    pub(crate) papers: Vec<NewPaper>,
}

/// A sealed document that an entry speaks of.
pub(crate) struct NewPaper {
    pub(crate) topic: &'static str,
    pub(crate) about: Option<[u8; 16]>,
    pub(crate) body: Vec<u8>,
}

/// What an entry does to the list of acts that were begun.
pub(crate) enum Act {
    None,
    /// Begins one of that kind.
    Begin(&'static str),
    /// Concludes what the entry of that log and number began. Refused if it is concluded already.
    End(i64, u64),
}

/// Whoever can sign for the logs.
pub(crate) trait LogKeys: Send + Sync {
    fn log_key(&self, tenant: TenantId, generation: u32) -> Arc<Signing>;
}

/// An entry that is durable.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) log: i64,
    pub(crate) key: PublicKey,
    pub(crate) proof: InclusionProof,
}
