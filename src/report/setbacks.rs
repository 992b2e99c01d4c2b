use std::io;

use super::account::Account;
use super::contract::brief_day;
use super::tally::{OfSetback, Setback, Tally};
use crate::html::{Column, Page, Table};

/// Reasons at the most; the list of all transfers has the rest.
const MOST: usize = 50;

const COLUMNS: [Column<'static>; 4] =
    [Column::Text("What"), Column::Text("Why"), Column::Count("Transfers"), Column::Text("The last")];

impl Setback {
    fn name(self) -> &'static str {
        match self {
            Self::Unknown => "Outcome unknown",
            Self::Failed => "Failed",
            Self::Refused => "Refused",
        }
    }
}

impl Account {
    pub(super) fn setbacks(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"setbacks")])?;
        page.element("h2", &[("id", &"setbacks")], "What did not go through")?;
        if tally.setbacks.is_empty() {
            page.element("p", &[("class", &"nothing")], "No transfer was refused, failed or was lost sight of.")?;
            return page.close();
        }
        page.element(
            "p",
            &[],
            "Of a refused transfer nothing left the vault. One that failed, or whose outcome nobody knows, may have \
             been given out in part; no program takes a part of it for the whole.",
        )?;
        // By what became of them, then the most frequent reason first.
        let mut all: Vec<(&(Setback, String), &OfSetback)> = tally.setbacks.iter().collect();
        all.sort_by_key(|((what, reason), of)| (*what, std::cmp::Reverse(of.transfers), reason.as_str()));
        Table { caption: "What did not go through, and why", columns: &COLUMNS }.open(page)?;
        page.open("tbody", &[])?;
        for ((what, reason), of) in all.iter().take(MOST) {
            page.open("tr", &[])?;
            page.element("th", &[("scope", &"row")], what.name())?;
            Table::cell(COLUMNS[1], page)?;
            match what {
                Setback::Unknown => page.text("the program stopped before it could say")?,
                Setback::Failed | Setback::Refused => page.quoted(reason)?,
            }
            page.close()?;
            Table::count(of.transfers.into(), page)?;
            let last = &self.transfers[of.last];
            Table::cell(COLUMNS[3], page)?;
            page.link(last.anchor(), brief_day(last.sent.at))?;
            page.close()?;
            page.close()?;
        }
        page.close()?;
        Table::close(page)?;
        Table::rest(all.len(), MOST, "rarer reasons are in the list of every transfer.", page)?;
        page.close()
    }
}
