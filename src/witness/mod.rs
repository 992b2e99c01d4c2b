//! Witnesses: others, on machines of their own, who sign that a ledger continues what they saw of it.

mod ask;
mod refusal;

pub use ask::Witness;
pub use refusal::WitnessRefusal;
