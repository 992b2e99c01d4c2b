//! vCons (draft-ietf-vcon-vcon-core-04): tolerant import of every version there is, strict export of version 0.4.0.
//!
//! A document is kept byte for byte beside what was made of it, so everything that it says comes back:
//! [`normalise`] makes a strict 0.4.0 document of any other and lists what it changed. What a strict member cannot hold
//! stays in the document under `strongroom_replaced`, by its place.

mod exact;
mod form;
mod import;
mod normalise;
mod signature;
mod write;

pub use form::{is_vcon, parse};
pub use import::Import;
pub use normalise::normalise;

pub(crate) use import::Read;
pub(crate) use write::{BAG_URL, Content, ExportPart, append, build, file_name, refer, referring};

/// The version that is written.
pub const VERSION: &str = "0.4.0";
/// Bytes of a document, also once it is unpacked.
pub const MAX_DOCUMENT: u64 = 64 << 20;
/// The media type of a document.
pub const MEDIA_TYPE: &str = "application/vcon+json";
/// The media type of a signed document.
pub const SIGNED_MEDIA_TYPE: &str = "application/vcon+json;form=signed";
/// The media type of a document packed with gzip.
pub const GZIP_MEDIA_TYPE: &str = "application/vcon+json;encoding=gzip";
