//! Retrieve: the owner reads what is his, by id, by part, by range, and lists it.

mod filter;
mod list;
mod paper;
mod part;
mod record;
mod scan;
mod session;
mod subject;
mod veil;

pub use list::{Cursor, Listed, Listing, Page};
pub use part::PartReader;
pub use record::Record;
pub use session::{Access, TenantSession};

pub(crate) use paper::PaperPlace;
pub(crate) use record::SlotWindow;
pub(crate) use session::Places;
pub(crate) use subject::spots_of;
pub(crate) use veil::{Veil, Veils, withheld};
