use std::io;

use super::account::{Account, Asked};
use super::contract::{brief_day, day};
use super::item::file;
use super::tally::{OfParty, Tally};
use crate::agreement::DeletionResult;
use crate::html::{Column, Page, Table};

/// Requests at the most.
const MOST: usize = 100;

const PASSED: [Column<'static>; 4] =
    [Column::Text("Recipient"), Column::Count("Transfers"), Column::Count("Records"), Column::Text("Since")];
const REQUESTS: [Column<'static>; 5] = [
    Column::Text("Due"),
    Column::Text("Recipient"),
    Column::Count("Records"),
    Column::Text("Answer"),
    Column::Text("Entry"),
];

impl Account {
    pub(super) fn retention(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"retention")])?;
        page.element("h2", &[("id", &"retention")], "Retention and deletion")?;
        page.element(
            "p",
            &[],
            "A recipient may keep what it received for as long as the agreement says. The vault cannot look whether it \
             was deleted: what it knows is what the recipient has signed.",
        )?;
        page.element("h3", &[], "Past the time agreed, and not known to be deleted")?;
        let mut passed: Vec<(&usize, &OfParty)> =
            tally.parties.iter().filter(|(_, of)| of.outstay.transfers > 0).collect();
        passed.sort_by_key(|(at, of)| (of.outstay.since, **at));
        if passed.is_empty() {
            let next = tally.parties.values().filter_map(|of| of.outstay.next).min();
            let text = next.map_or("No recipient has anything whose time has passed.".to_owned(), |next| {
                format!("No recipient has anything whose time has passed. The next passes on {}.", day(next))
            });
            page.element("p", &[("class", &"nothing")], text)?;
        } else {
            Table { caption: "Past the time agreed, and not known to be deleted", columns: &PASSED }.open(page)?;
            page.open("tbody", &[])?;
            for (at, of) in passed {
                let Some(party) = self.party(Some(*at)) else { continue };
                page.open("tr", &[])?;
                page.open("th", &[("scope", &"row")])?;
                party.write(page)?;
                page.close()?;
                Table::count(of.outstay.transfers.into(), page)?;
                Table::count(of.outstay.records.into(), page)?;
                Table::cell(PASSED[3], page)?;
                page.text(of.outstay.since.map_or(String::new(), brief_day))?;
                page.close()?;
                page.close()?;
            }
            page.close()?;
            Table::close(page)?;
        }
        page.element("h3", &[], "Requests to delete")?;
        self.requests(page)?;
        page.close()
    }

    fn requests(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.deletions.is_empty() {
            return page.element("p", &[("class", &"nothing")], "No recipient was asked to delete anything.");
        }
        // What is open first, the oldest first; then the newest answers.
        let mut all: Vec<&Asked> = self.deletions.iter().collect();
        all.sort_by_key(|asked| match &asked.deletion.answer {
            None => (false, asked.deletion.request.due().unix_ms()),
            Some(answer) => (true, answer.done().unix_ms().saturating_neg()),
        });
        Table { caption: "Requests to delete", columns: &REQUESTS }.open(page)?;
        page.open("tbody", &[])?;
        for asked in all.iter().take(MOST) {
            self.request(asked, page)?;
        }
        page.close()?;
        Table::close(page)?;
        Table::rest(all.len(), MOST, "more, which were answered or are due later, are not shown.", page)?;
        Ok(())
    }

    fn request(&self, asked: &Asked, page: &mut Page<'_>) -> io::Result<()> {
        let Asked { deletion, party, records, is_made_good } = asked;
        page.open("tr", &[])?;
        page.element("th", &[("scope", &"row"), ("class", &"date")], brief_day(deletion.request.due()))?;
        Table::cell(REQUESTS[1], page)?;
        match self.party(*party) {
            Some(party) => party.write(page)?,
            None => page.quoted(&deletion.recipient)?,
        }
        page.close()?;
        Table::count((*records).into(), page)?;
        Table::cell(REQUESTS[3], page)?;
        match &deletion.answer {
            None if *is_made_good => page.text("deleted, as another answer says")?,
            None if deletion.is_overdue(self.now) => page.element("b", &[("class", &"late")], "overdue")?,
            None => page.text("open")?,
            Some(answer) => {
                let done = brief_day(answer.done());
                match answer.result() {
                    DeletionResult::Deleted => page.text(format_args!("all deleted, {done}"))?,
                    DeletionResult::Partly => {
                        page.element("b", &[("class", &"late")], "partly")?;
                        page.text(format_args!(" deleted, {done}"))?;
                    }
                    DeletionResult::Refused => {
                        page.element("b", &[("class", &"late")], "refused")?;
                        page.text(format_args!(", {done}"))?;
                    }
                }
                if *is_made_good && answer.result() != DeletionResult::Deleted {
                    page.text("; all deleted, as another answer says")?;
                }
            }
        }
        page.close()?;
        Table::cell(REQUESTS[4], page)?;
        page.text(format_args!("{} ", self.entry(deletion.entry)))?;
        page.element("code", &[], file(deletion.entry))?;
        for entry in deletion.answer_entries.iter().copied() {
            page.text(format_args!(", answered in {} ", self.entry(entry)))?;
            page.element("code", &[], file(entry))?;
        }
        page.close()?;
        page.close()
    }
}
