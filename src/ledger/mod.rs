//! The ledgers: one for each tenant, in the same database and the same transactions as the rows that they tell of.

mod begun;
mod desk;
mod entry;
mod keys;
mod make;
mod erasure;
mod message;
mod own;
mod publisher;
mod queue;
mod receipt;
mod sink;
mod standing;
mod stored;
mod succession;

#[cfg(test)]
pub(crate) use message::KINDS;
pub use message::{Kind, Message, RecordSet};
pub use queue::{Behind, Obstacle, SinkStatus};
pub use receipt::Receipt;
pub use sink::{LedgerHead, Sink, SinkError, SinkOptions};

pub(crate) use begun::Begun;
pub(crate) use desk::{Ledger, Recorded, Signer, Tell, Told, Waiting, check_text, clip};
pub(crate) use entry::EntryPlace;
pub(crate) use erasure::{ERASURE, each_revived, erase_again};
pub(crate) use message::MAX_MESSAGE;
pub(crate) use receipt::log_files;
pub(crate) use sink::{Given, Outlet};
#[cfg(feature = "witness")]
pub(crate) use sink::{Published, Source};
pub(crate) use standing::{Lag, Marks, Why, refuse_lags};
pub(crate) use stored::StoredLog;
pub(crate) use succession::Succession;
