//! The ledgers: one for each tenant, in the same database and the same transactions as the rows that they tell of.

mod desk;
mod entry;
mod message;
mod receipt;
mod stored;

#[cfg(test)]
pub(crate) use message::KINDS;
pub use message::{Kind, Message, RecordSet};
pub use receipt::Receipt;

pub(crate) use desk::{Ledger, Recorded, Signer, Tell, Told, Waiting, check_text};
pub(crate) use entry::EntryPlace;
pub(crate) use receipt::log_files;
pub(crate) use stored::StoredLog;
