use std::io;

use super::account::Account;
use super::contract::day;
use super::item::{Item, State, anchor, file, records};
use super::tally::Tally;
use crate::html::{Days, Entry, Filter, Page};
use crate::transfer::TransferOutcome;

impl Account {
    /// Every transfer, under its month and day.
    pub(super) fn timeline(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        let outline = &tally.outline;
        page.open("section", &[("class", &outline.class()), ("aria-labelledby", &"transfers")])?;
        page.element("h2", &[("id", &"transfers")], "Every transfer")?;
        if outline.is_empty() {
            let text =
                if self.is_whole() { "Nothing was sent, and nothing was refused." } else { "There are none such." };
            page.element("p", &[("class", &"nothing")], text)?;
            return page.close();
        }
        outline.months(page)?;
        Filter { items: "transfers", rare: "What needs attention", names: &State::NAMES }
            .write(outline.groups(), page)?;
        let mut days = Days::default();
        for item in &self.transfers {
            days.at(Some(item.sent.at), outline, page)?;
            self.transfer(item, tally, page)?;
        }
        days.finish(page)?;
        page.close()
    }

    fn transfer(&self, item: &Item, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        let (state, id, sent) = (item.state(self.now), item.anchor(), &item.sent);
        let entry = Entry {
            id: Some(&id),
            paint: state as usize,
            time: Some(sent.at),
            is_rare: item.needs_attention(self.now),
            tone: state.tone(),
        };
        entry.open(page)?;
        let name = self.party(item.party).map(|party| party.name.as_str());
        page.open("p", &[])?;
        item.told(name, self.now, page)?;
        page.close()?;
        page.open("dl", &[])?;
        page.pair("Purpose", &sent.purpose)?;
        if let TransferOutcome::Failed(reason) | TransferOutcome::Refused(reason) = &sent.outcome {
            page.pair("Reason", reason)?;
        }
        self.under(item, page)?;
        self.confirmed(item, page)?;
        if sent.left_out.0 > 0 {
            let (left_out, restricted) = sent.left_out;
            page.pair_of("Left out", |page| match restricted {
                0 => page.text(records(left_out)),
                n => page.text(format_args!("{}, {n} on request", records(left_out))),
            })?;
        }
        if let Some(until) = sent.keep_until.filter(|_| sent.may_have_arrived()) {
            self.kept(item, day(until), page)?;
        }
        self.repetitions(item, tally, page)?;
        page.close()?;
        let mut name = self.entry(sent.entry);
        name.replace_range(..1, "E");
        Entry::close(&id, name, &file(sent.entry), page)
    }

    fn under(&self, item: &Item, page: &mut Page<'_>) -> io::Result<()> {
        let Some(contract) = item.contract.and_then(|at| self.contracts.get(at)) else { return Ok(()) };
        page.pair_of("Under", |page| {
            let revision = item.revision.map_or(String::new(), |revision| format!(", revision {revision}"));
            let text = format!("the agreement{revision}");
            if contract.is_shown { page.link(contract.anchor(), text) } else { page.text(text) }
        })
    }

    /// How it ended, and whether the recipient signed for it.
    fn confirmed(&self, item: &Item, page: &mut Page<'_>) -> io::Result<()> {
        let sent = &item.sent;
        match (&sent.outcome, sent.outcome_entry) {
            (TransferOutcome::Completed, Some(entry)) => {
                page.pair_of("Completed", |page| page.text(self.entry(entry)))?;
            }
            (TransferOutcome::Failed(_), Some(entry)) => {
                page.pair_of("Failed", |page| page.text(self.entry(entry)))?;
            }
            _ => {}
        }
        match (sent.receipted, sent.receipt_entry, sent.receipt_by) {
            (Some(at), Some(entry), _) => {
                page.pair_of("Delivery receipt", |page| page.text(format_args!("{}, {}", day(at), self.entry(entry))))
            }
            (None, _, Some(by)) if item.awaits_receipt() => page.pair_of("Delivery receipt", |page| {
                let word = if sent.receipt_is_overdue(self.now) { "was due on" } else { "due by" };
                page.text(format_args!("{word} {}", day(by)))
            }),
            _ => Ok(()),
        }
    }

    fn kept(&self, item: &Item, until: String, page: &mut Page<'_>) -> io::Result<()> {
        if item.outstays(self.now) > 0 {
            return page.pair_of("Had to be deleted by", |page| page.text(until));
        }
        if item.deleted > 0 && item.deleted >= item.sent.records {
            return page.pair_of("Deleted", |page| page.text("as the recipient signed"));
        }
        page.pair_of("May be kept until", |page| page.text(until))
    }

    fn repetitions(&self, item: &Item, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        for (name, id) in
            [("Repeats", item.sent.again), ("Sent again", item.attempts.and_then(|attempts| attempts.repeated))]
        {
            let Some(id) = id else { continue };
            page.pair_of(name, |page| {
                if tally.ids.contains(&id) {
                    page.link(anchor(id), "this transfer")
                } else {
                    page.text("a transfer that is not on this page")
                }
            })?;
        }
        Ok(())
    }
}
