//! E-mail: messages (RFC 5322, MIME) and mbox files. A message is kept byte for byte.

mod import;
mod mbox;

pub use import::Import;
pub use mbox::{Mbox, MboxMessage};

pub(crate) use import::sent;

/// Bytes of a message.
pub const MAX_MESSAGE: u64 = 64 << 20;
