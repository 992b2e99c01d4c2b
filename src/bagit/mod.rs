//! BagIt 1.0 (RFC 8493): a folder that says of each of its files what it hashes to.

mod hash;
mod name;
mod tags;
mod write;

pub use hash::Algorithm;
pub use write::{PayloadFile, Writer};
