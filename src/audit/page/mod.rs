//! The page on which a person who has never seen a ledger reads one: what happened, when, by whom, on which basis, and
//! how to check it.

mod sentence;
mod item;
mod tally;
mod timeline;
mod guide;
mod heading;
mod appendix;
mod write;
mod log;
#[cfg(test)]
mod tests;

pub(crate) use log::ENTRY_CHECK;

use heading::Heading;
use item::{Act, Item, Said};
use tally::Tally;
use write::write;
