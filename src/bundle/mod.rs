//! Bundle: records as vCons with their media in files beside them, as whoever gets records gets them. What transfers and
//! disclosures have in common: everything is read and hashed before anything is given out, and then read again.

mod progress;
mod work;
mod file;
mod document;

pub use progress::{PackageProgress, PackageStage};

pub(crate) use document::{BUNDLE, BUNDLE_TEXT, Budget, document};
pub(crate) use file::{Counted, copy, extension, hash, media_name, piped};
pub(crate) use progress::{Watch, proceed};
pub(crate) use work::each;

/// Records in one package at the most, and files: what is kept of each in memory while it is made is some 600 bytes.
pub const MAX_PACKAGE_RECORDS: usize = 30_000;
