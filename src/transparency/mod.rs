//! Transparency: how many orders came in, on what grounds, and what came of them, for everybody. No tenant, person, record or
//! reference is in it.

mod report;
mod text;
mod page;
#[cfg(test)]
mod tests;

pub use report::{OrderOutcome, TransparencyReport};
