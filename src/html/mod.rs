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
mod table;
mod plot;
mod chart;
mod masthead;
mod filter;
mod outline;
mod entry;
mod appendix;
#[cfg(test)]
pub(crate) mod checker;

pub(crate) use appendix::{Check, footer, limits, values};
pub(crate) use chart::{Bars, Series};
pub(crate) use date::{Clock, Day, Month, moment};
pub(crate) use entry::{Entry, Tone};
pub(crate) use filter::{Filter, Groups};
pub(crate) use masthead::Masthead;
pub(crate) use number::{Grouped, counted};
pub(crate) use outline::{Days, Outline};
pub(crate) use page::{Attribute, Beside, Page};
pub(crate) use table::{Column, Table};
