//! BagIt 1.0 (RFC 8493): a folder that says of each of its files what it hashes to.
//!
//! [`Writer`] makes bags as folders, [`Plan`] as archives, of which [`unpack`] makes folders again. Their files have
//! SHA-256 and SHA-512 digests, so that `bagit.py --validate`, `sha256sum -c manifest-sha256.txt` and
//! `sha512sum -c manifest-sha512.txt` verify them. [`Bag`] verifies bags of the versions 0.93 to 1.0.
//!
//! What [`Bag`] does not do, and reports as a [`Finding`] wherever it matters:
//! - MD5, SHA-1 and other digests are not computed: who can change a bag can make two files with the same one. A bag
//!   whose payload has no other digests is therefore not valid here.
//! - Tag files in other encodings than UTF-8 are not read.
//! - Links are not followed, not even within the bag.
//! - File names are compared byte for byte: a name that a file system has put into another Unicode form is missing.
//! - Nothing is fetched.

mod archive;
mod folder;
mod hash;
mod inventory;
mod name;
mod plan;
mod tags;
mod unpack;
mod ustar;
mod verify;
mod write;

pub use archive::{ArchiveWriter, PlannedFile, Verify};
pub use hash::{Algorithm, Digests, Sums};
pub use plan::Plan;
pub use unpack::{Limits, Unpacked, unpack};
pub use verify::{Bag, Finding, FindingKind, Report};
pub use write::{PayloadFile, Writer};

#[cfg(any(test, fuzzing))]
pub(crate) use tags::{Declaration, Version, fetch, info, info_text, manifest};
#[cfg(any(test, fuzzing))]
pub(crate) use {unpack::Archive, ustar::header};

/// Whether the writer would take this of a bag.
#[cfg(any(test, fuzzing))]
pub(crate) fn is_writable(label: &str, value: &str) -> bool {
    tags::is_label(label) && tags::is_value(value)
}
