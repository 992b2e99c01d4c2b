//! Production: records that somebody opened become the package of a disclosure. It knows neither ledger nor orders nor
//! custodians: who may open what is decided before.
//!
//! Everything is read and hashed first ([`prepare`]), so that the ledger can say what goes before anything does; then it is
//! read again and given out ([`Prepared::write`]).

mod options;
mod wanted;
mod bates;
mod layout;
mod plan;
mod copy;
mod gather;
mod sheet;
mod dat;
mod mail;
mod tables;
mod integrity;
mod certificate;
mod describe;
mod volume;
mod pages;
mod pack;
mod manifest;
mod stamp;
mod readme;
mod verify;
mod prepare;
mod write;
#[cfg(test)]
mod tests;

pub use options::{ProductionOptions, ProductionProfile};

#[cfg(test)]
pub(crate) use manifest::{Manifest, Range};
pub(crate) use prepare::{Prepared, prepare};
#[cfg(test)]
pub(crate) use volume::load_file;
pub(crate) use wanted::{Cover, Opened, Wanted, WantedRecord};

/// What tables begin with, so that spreadsheets take them for UTF-8.
const BOM: &str = "\u{FEFF}";
