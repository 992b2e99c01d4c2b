//! Transparency: what an operator publishes about the orders that it received and what came of them. Numbers alone: nobody
//! who took part in a conversation, no tenant, no authority, no reference and no record is named.

mod words;
mod order;
mod count;
mod tally;
mod report;
mod json;
mod csv;
mod page;
mod gather;
#[cfg(test)]
mod tests;

pub use order::OrderRecord;
pub use report::TransparencyReport;
pub use words::OrderOutcome;
