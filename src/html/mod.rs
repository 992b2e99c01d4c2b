//! The house style of the pages that people read: one file each, no scripts, nothing loaded from anywhere, light and
//! dark, for a screen, a phone and paper.
//!
//! Every text is escaped on its way out. What others wrote (names, purposes, reasons) goes through
//! [`Page::quoted`], which also keeps it from reordering what stands beside it.

mod escape;
mod number;
mod page;
mod date;
mod period;
mod plot;
mod chart;
#[cfg(test)]
pub(crate) mod checker;

pub(crate) use chart::{Bars, Series};
pub(crate) use date::{Clock, Day, Month};
pub(crate) use number::Grouped;
pub(crate) use page::{Attribute, Page};
