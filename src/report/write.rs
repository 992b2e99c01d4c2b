use std::io::Write;

use super::account::Account;
use super::heading::explanation;
use super::tally::Tally;
use crate::error::{Error, Result};
use crate::html::{Page, footer};

impl Account {
    /// Writes the page as it goes.
    pub(super) fn write(&self, out: &mut dyn Write) -> Result<()> {
        let failed = |e| Error::from_io(e, "writing a page of transfers");
        let tally = Tally::of(self);
        let title = format!("Transfers of {}", self.tenant);
        let mut page = Page::begin(title, out).map_err(failed)?;
        self.masthead(&tally, &mut page).map_err(failed)?;
        page.open("main", &[]).map_err(failed)?;
        self.verdict(&tally, &mut page).map_err(failed)?;
        explanation(&mut page).map_err(failed)?;
        self.recipients(&tally, &mut page).map_err(failed)?;
        self.chart(&tally, &mut page).map_err(failed)?;
        self.receipts(&tally, &mut page).map_err(failed)?;
        self.setbacks(&tally, &mut page).map_err(failed)?;
        self.agreements(&tally, &mut page).map_err(failed)?;
        self.retention(&tally, &mut page).map_err(failed)?;
        self.restricted(&tally, &mut page).map_err(failed)?;
        self.timeline(&tally, &mut page).map_err(failed)?;
        self.checking(&mut page).map_err(failed)?;
        self.values(&mut page)?.map_err(failed)?;
        page.close().map_err(failed)?;
        footer(self.now, &mut page).map_err(failed)?;
        page.finish().map_err(failed)
    }
}
