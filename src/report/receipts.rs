use std::io;

use super::account::Account;
use super::contract::brief_day;
use super::item::records;
use super::tally::Tally;
use crate::html::{Column, Grouped, Page, Table, counted};

/// Rows at the most; the list of all transfers has the rest.
const MOST: usize = 50;

const COLUMNS: [Column<'static>; 4] =
    [Column::Text("Due"), Column::Text("Recipient"), Column::Count("Records"), Column::Text("Transfer")];

impl Account {
    pub(super) fn receipts(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"receipts")])?;
        page.element("h2", &[("id", &"receipts")], "Delivery receipts")?;
        let (open, overdue) = (tally.sums.open, tally.sums.overdue);
        if open == 0 {
            let text = match tally.sums.transfers {
                0 => "Nothing was sent, so nobody has to sign for anything.",
                _ => "For everything that was sent the recipient has signed.",
            };
            page.element("p", &[("class", &"nothing")], text)?;
            return page.close();
        }
        let waits = if open == 1 { "has" } else { "have" };
        let late = match overdue {
            0 => "none is overdue".to_owned(),
            1 if open == 1 => "it is overdue".to_owned(),
            n if n == open => "all are overdue".to_owned(),
            1 => "1 is overdue".to_owned(),
            n => format!("{} are overdue", Grouped::from(n)),
        };
        let text = format!(
            "{} {waits} not been signed for: {late}. {} in all went out without a signature.",
            counted(open, "transfer", "transfers"),
            records(tally.awaited.iter().map(|(_, at)| self.transfers[*at].sent.records).sum()),
        );
        page.element("p", &[], text)?;
        Table { caption: "Delivery receipts that are open", columns: &COLUMNS }.open(page)?;
        page.open("tbody", &[])?;
        for (by, at) in tally.awaited.iter().take(MOST) {
            let item = &self.transfers[*at];
            page.open("tr", &[])?;
            let is_late = item.sent.receipt_is_overdue(self.now);
            page.open("th", &[("scope", &"row"), ("class", &"date")])?;
            page.text(brief_day(*by))?;
            if is_late {
                page.text(" ")?;
                page.element("b", &[("class", &"late")], "overdue")?;
            }
            page.close()?;
            Table::cell(COLUMNS[1], page)?;
            if let Some(party) = self.party(item.party) {
                party.write(page)?;
            }
            page.close()?;
            Table::count(item.sent.records.into(), page)?;
            Table::cell(COLUMNS[3], page)?;
            page.link(item.anchor(), self.entry(item.sent.entry))?;
            page.close()?;
            page.close()?;
        }
        page.close()?;
        Table::close(page)?;
        Table::rest(
            tally.awaited.len(),
            MOST,
            "more are marked in the list of every transfer; it can show them alone.",
            page,
        )?;
        page.close()
    }
}
