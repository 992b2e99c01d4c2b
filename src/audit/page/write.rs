use std::io::Write;

use super::heading::Heading;
use super::item::Item;
use super::tally::Tally;
use super::timeline::Timeline;
use crate::error::{Error, Result};
use crate::html::Page;

/// Writes the page of a ledger. `tally` has been told of the same items, which are written as they come: memory does not
/// grow with them.
pub(crate) fn write(
    heading: &Heading<'_>,
    tally: &Tally,
    items: impl IntoIterator<Item = Result<Item>>,
    out: &mut dyn Write,
) -> Result<()> {
    let failed = |e| Error::from_io(e, "writing the page of a ledger");
    let mut page = Page::begin(format_args!("Ledger of {}", heading.tenant), out).map_err(failed)?;
    heading.above(tally, &mut page).map_err(failed)?;
    let mut timeline = Timeline::default();
    for item in items {
        timeline.item(&item?, tally, &mut page).map_err(failed)?;
    }
    timeline.finish(&mut page).map_err(failed)?;
    heading.below(&mut page).map_err(failed)?;
    page.finish().map_err(failed)
}
