use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use super::item::{Act, Item, Said};
use super::sentence::sentence;
use super::tally::Tally;
use crate::html::{Attribute, Clock, Day, Grouped, Month, Page};
use crate::time::Timestamp;

/// Processes that commit at the same moment may be written in another order.
const TOLERATED_MS: i64 = 60_000;

const SHREDDED: &str = "The text of this entry was erased. That it was made, and where it stands, can still be proved.";
const UNREADABLE: &str =
    "The text of this entry is not shown: it does not open, or is not what was written. The audit above says which.";

/// Entries in the order of the ledger, under their months and days. A day that comes again, because a clock went back,
/// has its heading again.
#[derive(Default)]
pub(super) struct Timeline {
    /// Those that have their anchor.
    months: BTreeSet<Month>,
    month: Option<Month>,
    day: Option<Day>,
    is_open: bool,
    first: Option<u64>,
    highest: Option<u64>,
    last: Option<(u64, Option<Timestamp>)>,
}

impl Timeline {
    pub(super) fn item(&mut self, item: &Item, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        self.heading(item.time, tally, page)?;
        self.oddities(item, page)?;
        let first = *self.first.get_or_insert(item.seq);
        let group = item.group();
        let class = format!("entry s{}{}", group as usize, if group.is_grave() { " grave" } else { "" });
        let id = format!("e{}", item.seq);
        let attributes: [Attribute<'_>; 2] = [("class", &class), ("id", &id)];
        // An entry that comes again has no second anchor.
        let is_new = self.highest.is_none_or(|highest| item.seq > highest);
        page.open("li", if is_new { &attributes } else { &attributes[..1] })?;
        self.highest = self.highest.max(Some(item.seq));
        page.open("div", &[("class", &"when")])?;
        match item.time {
            Some(time) => page.element("time", &[("datetime", &time)], Clock(time))?,
            None => page.text("No time")?,
        }
        page.close()?;
        page.open("div", &[("class", &"what")])?;
        match &item.said {
            Said::Act(act) => told(act, first..item.seq, page)?,
            Said::Shredded => page.element("p", &[], SHREDDED)?,
            Said::Unreadable => page.element("p", &[], UNREADABLE)?,
        }
        page.close()?;
        page.open("div", &[("class", &"ref")])?;
        page.link(&id, format_args!("Entry {}", Grouped::from(item.seq)))?;
        page.open("code", &[])?;
        page.quoted(&item.receipt)?;
        page.close()?;
        page.close()?;
        page.close()
    }

    pub(super) fn finish(self, page: &mut Page<'_>) -> io::Result<()> {
        if self.is_open { (0..3).try_for_each(|_| page.close()) } else { Ok(()) }
    }

    /// An entry without a time stands with the one before it.
    fn heading(&mut self, time: Option<Timestamp>, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        let (month, day) = (time.map(Month::of), time.map(Day::of));
        if self.is_open && (day == self.day || day.is_none()) {
            return Ok(());
        }
        let is_other_month = !self.is_open || month != self.month;
        if self.is_open {
            (0..if is_other_month { 3 } else { 2 }).try_for_each(|_| page.close())?;
        }
        if is_other_month {
            page.open("section", &[("class", &format_args!("month{}", tally.below_month(month).classes()))])?;
            match month {
                Some(month) => self.month_heading(month, page)?,
                None => page.element("h3", &[], "Time not known")?,
            }
        }
        page.open("section", &[("class", &format_args!("day{}", tally.below_day(day).classes()))])?;
        if let Some(day) = day {
            page.element("h4", &[], day)?;
        }
        page.open("ol", &[])?;
        (self.month, self.day, self.is_open) = (month, day, true);
        Ok(())
    }

    fn month_heading(&mut self, month: Month, page: &mut Page<'_>) -> io::Result<()> {
        page.open("div", &[("class", &"month-name")])?;
        if self.months.insert(month) {
            page.element("h3", &[("id", &format_args!("m{}", month.slug()))], month)?;
        } else {
            page.element("h3", &[], format_args!("{month}, again"))?;
        }
        page.link("months", "All months")?;
        page.close()
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
        page.open("div", &[])?;
        page.element("dt", &[], "Follows")?;
        page.open("dd", &[])?;
        let text = format!("entry {}", Grouped::from(refers));
        if on_page.contains(&refers) {
            page.link(format_args!("e{refers}"), text)?
        } else {
            page.text(text)?
        }
        page.close()?;
        page.close()?;
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
