//! Report: the page on which a person who has never seen a vault reads what was handed to third parties, what they
//! promised, and what is open.

mod item;
mod party;
mod contract;
mod comparison;
mod account;
mod books;
mod kept;
mod tally;
mod attention;
mod heading;
mod recipients;
mod receipts;
mod setbacks;
mod profile;
mod agreements;
mod retention;
mod restrictions;
mod timeline;
mod appendix;
mod write;
mod transfers;
#[cfg(test)]
mod tests;

pub use transfers::TransfersPage;
