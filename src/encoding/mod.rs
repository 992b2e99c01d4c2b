//! The three encodings: [`enc`] for bytes that are signed, hashed or derived from, `codec` for rows and heads, and
//! Padmé for lengths. SPEC "Encodings".

pub(crate) mod codec;
mod enc;
mod padme;

pub(crate) use enc::Fields;
pub use enc::{enc, parse};
pub use padme::{MIN_PADDED, padded_len};
