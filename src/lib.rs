//! strongroom
#![forbid(unsafe_code)]

// words
mod error;
mod time;
mod id;
pub mod encoding;
// keys
mod secret;
mod kdf;
pub mod stream;
mod key;
mod shares;
mod epoch;
// things
mod record;
mod seal;

pub use epoch::{EPOCH_RECORDS, EPOCH_TIME, EpochHeader};
pub use error::{Error, ErrorKind, Result};
pub use id::{EpochId, RecordId, TenantId, VaultId};
pub use key::{
    CardHash, DisclosurePolicy, Identity, Opener, PolicyHash, PublicKey, Recipient, Suite, TenantCard, TenantPin,
    WriterKey,
};
pub use record::{
    Channel, DialPlan, Direction, Draft, DraftPart, Head, Identifier, MAX_HEAD, PartHeader, PartInfo, PartKind,
    ProducerDigest, RecordHeader, Role, Subject,
};
pub use time::Timestamp;
