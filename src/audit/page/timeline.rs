use std::io;
use std::ops::Range;

use super::item::{Act, Item, Said};
use super::sentence::sentence;
use super::tally::Tally;
use crate::html::{Days, Entry, Grouped, Page, moment};
use crate::time::Timestamp;

/// Processes that commit at the same moment may be written in another order.
const TOLERATED_MS: i64 = 60_000;

const SHREDDED: &str = "The text of this entry was erased. That it was made, and where it stands, can still be proved.";
const UNREADABLE: &str =
    "The text of this entry is not shown: it does not open, or is not what was written. The audit above says which.";

/// Entries in the order of the ledger, under their months and days.
#[derive(Default)]
pub(super) struct Timeline {
    days: Days,
    first: Option<u64>,
    highest: Option<u64>,
    last: Option<(u64, Option<Timestamp>)>,
}

impl Timeline {
    pub(super) fn item(&mut self, item: &Item, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        self.days.at(item.time, &tally.outline, page)?;
        self.oddities(item, page)?;
        let first = *self.first.get_or_insert(item.seq);
        let (group, id) = (item.group(), format!("e{}", item.seq));
        // An entry that comes again has no second anchor.
        let is_new = self.highest.is_none_or(|highest| item.seq > highest);
        let (id, own, is_rare) = (id.as_str(), is_new.then_some(id.as_str()), !group.is_routine());
        Entry { id: own, paint: group as usize, time: item.time, is_rare, tone: group.tone() }.open(page)?;
        self.highest = self.highest.max(Some(item.seq));
        match &item.said {
            Said::Act(act) => told(act, first..item.seq, page)?,
            Said::Shredded => page.element("p", &[], SHREDDED)?,
            Said::Withheld(until) => {
                page.element("p", &[], format_args!("The operator withholds this entry until {}.", moment(*until)))?
            }
            Said::Unreadable => page.element("p", &[], UNREADABLE)?,
        }
        Entry::close(id, format_args!("Entry {}", Grouped::from(item.seq)), &item.receipt, page)
    }

    pub(super) fn finish(self, page: &mut Page<'_>) -> io::Result<()> {
        self.days.finish(page)
    }

    /// What a ledger in order never has, said where it is.
    fn oddities(&mut self, item: &Item, page: &mut Page<'_>) -> io::Result<()> {
        let (before, time) = self.last.unzip();
        let time = time.flatten();
        if let Some(before) = before.filter(|before| before.checked_add(1) != Some(item.seq)) {
            let gap = match (before.saturating_add(1), item.seq.saturating_sub(1)) {
                (one, same) if one == same => format!("Entry {} is not on this page.", Grouped::from(one)),
                (first, last) if first < last => {
                    format!("Entries {} to {} are not on this page.", Grouped::from(first), Grouped::from(last))
                }
                _ => "The next entry is out of order.".to_owned(),
            };
            page.element("li", &[("class", &"oddity")], gap)?;
        }
        let back = item.time.zip(time).map(|(time, before)| before.unix_ms().saturating_sub(time.unix_ms()));
        if back.is_some_and(|ms| ms > TOLERATED_MS) {
            let text = "The next entry was written after the one before it, but its clock says earlier.";
            page.element("li", &[("class", &"oddity")], text)?;
        }
        self.last = Some((item.seq, item.time.or(time)));
        Ok(())
    }
}

/// `on_page`: the entries that a link can lead to.
fn told(act: &Act, on_page: Range<u64>, page: &mut Page<'_>) -> io::Result<()> {
    page.open("p", &[])?;
    match sentence(&act.kind, act.records) {
        Some((_, sentence)) => page.text(sentence)?,
        None => {
            page.text("An act of a kind that this program does not know: ")?;
            page.quoted(&act.kind)?;
        }
    }
    page.close()?;
    page.open("dl", &[])?;
    for (name, value) in [("By", Some(&act.actor)), ("Basis", act.basis.as_ref()), ("Purpose", act.purpose.as_ref())] {
        if let Some(value) = value {
            page.pair(name, value)?;
        }
    }
    if let Some(refers) = act.refers {
        let text = format!("entry {}", Grouped::from(refers));
        page.pair_of("Follows", |page| {
            if on_page.contains(&refers) { page.link(format_args!("e{refers}"), text) } else { page.text(text) }
        })?;
    }
    page.close()?;
    details(&act.details, page)
}

/// Apart from what the page says in its own words: here the names are the writer's, too.
fn details(details: &[(String, String)], page: &mut Page<'_>) -> io::Result<()> {
    if details.is_empty() {
        return Ok(());
    }
    page.open("dl", &[("class", &"details")])?;
    for (name, value) in details {
        page.open("div", &[])?;
        for (tag, text) in [("dt", name), ("dd", value)] {
            page.open(tag, &[])?;
            page.quoted(text)?;
            page.close()?;
        }
        page.close()?;
    }
    page.close()
}
