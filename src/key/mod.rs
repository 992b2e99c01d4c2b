//! Keys of people and machines: HPKE recipients and identities as age writes them, tenant cards, disclosure policies,
//! writers.

mod card;
mod bech;
mod hpke;
mod identity;
mod keyfile;
mod operator;
mod policy;
mod signing;
mod batch;
mod writer;

pub use card::{CardHash, TenantCard, TenantPin};
pub use hpke::{Opener, Recipient, Suite};
pub use identity::Identity;
pub use operator::{ClockKey, OperatorKey};
pub use policy::{CustodianKey, DisclosurePolicy, PolicyHash};
pub use signing::PublicKey;
pub use writer::WriterKey;

pub(crate) use batch::{Claim, verify_all};
pub(crate) use hpke::seal;
pub(crate) use identity::{MAX_IDENTITY_FILE, write_secret_file};
pub(crate) use signing::{Signing, VerifierKeys, signed, split_signed};
