//! Package: what a recipient gets, opens and signs for. Needs no vault.

mod manifest;
mod open;

pub use open::{Package, PackageOptions};

pub(crate) use manifest::Manifest;

/// Names of files in a package's bag.
pub(crate) const AGREEMENT: &str = "custody/agreement.note";
pub(crate) const MANIFEST: &str = "custody/transfer.json";
/// How the names of the proofs begin that a log was followed by another.
pub(crate) const ROTATION: &str = "rotation-";
