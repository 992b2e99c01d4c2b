//! Documents that people sign: JSON texts in one spelling, in signed notes (C2SP signed-note). SPEC 12.1.

pub(crate) mod wire;
mod signed;
mod words;

pub(crate) use signed::{Document, Signed, VERSION, documents};
#[cfg(test)]
pub(crate) use words::hides;
pub(crate) use words::{is_readable, words};
