use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::date::{Day, Month};
use super::filter::Groups;
use super::number::Grouped;
use super::page::Page;
use crate::time::Timestamp;

/// From so many items on, a browser lays out only the days that are looked at.
const LONG: u64 = 1_000;

/// The headings of a list of what happened when, and what stands below each of them. It is told of every item before the
/// first is written. Memory: about 40 bytes a day.
#[derive(Default)]
pub(crate) struct Outline {
    items: u64,
    groups: Groups,
    latest: Option<Timestamp>,
    /// Items that have a time.
    months: BTreeMap<Month, u64>,
    below_month: BTreeMap<Option<Month>, Groups>,
    below_day: BTreeMap<Option<Day>, Groups>,
}

impl Outline {
    /// An item without a time stands with the one before it.
    pub(crate) fn add(&mut self, time: Option<Timestamp>, groups: Groups) {
        self.items += 1;
        self.groups |= groups;
        self.latest = time.or(self.latest);
        *self.below_month.entry(self.latest.map(Month::of)).or_default() |= groups;
        *self.below_day.entry(self.latest.map(Day::of)).or_default() |= groups;
        if let Some(time) = time {
            *self.months.entry(Month::of(time)).or_default() += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// The groups of all items.
    pub(crate) fn groups(&self) -> Groups {
        self.groups
    }

    /// The class of the section that the list is in.
    pub(crate) fn class(&self) -> &'static str {
        if self.items > LONG { "timeline long" } else { "timeline" }
    }

    /// A year in a line, a link for each month that has items.
    pub(crate) fn months(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("nav", &[("id", &"months"), ("aria-label", &"Months")])?;
        let mut year = None;
        for (month, items) in &self.months {
            if year != Some(month.year()) {
                if year.replace(month.year()).is_some() {
                    page.close()?;
                    page.close()?;
                }
                page.open("section", &[])?;
                page.element("h3", &[], month.year())?;
                page.open("ol", &[])?;
            }
            month_link(*month, *items, page)?;
        }
        if year.is_some() {
            page.close()?;
            page.close()?;
        }
        page.close()
    }
}

fn month_link(month: Month, items: u64, page: &mut Page<'_>) -> io::Result<()> {
    page.open("li", &[("class", &format_args!("m{}", month.number()))])?;
    page.open_link(format_args!("m{}", month.slug()))?;
    page.text(month.short_name())?;
    page.text(" ")?;
    page.element("small", &[], Grouped::from(items))?;
    page.close()?;
    page.close()
}

/// Writes the headings: months, and the days in them. A day that comes again, because a clock went back, has its heading
/// again.
#[derive(Default)]
pub(crate) struct Days {
    /// Those that have their anchor.
    months: BTreeSet<Month>,
    month: Option<Month>,
    day: Option<Day>,
    is_open: bool,
}

impl Days {
    /// Opens the list that an item of this time belongs in.
    pub(crate) fn at(&mut self, time: Option<Timestamp>, outline: &Outline, page: &mut Page<'_>) -> io::Result<()> {
        let (month, day) = (time.map(Month::of), time.map(Day::of));
        if self.is_open && (day == self.day || day.is_none()) {
            return Ok(());
        }
        let is_other_month = !self.is_open || month != self.month;
        if self.is_open {
            (0..if is_other_month { 3 } else { 2 }).try_for_each(|_| page.close())?;
        }
        let below = |groups: Option<&Groups>| groups.copied().unwrap_or_default().classes();
        if is_other_month {
            let class = format!("month{}", below(outline.below_month.get(&month)));
            page.open("section", &[("class", &class)])?;
            match month {
                Some(month) => self.month_heading(month, page)?,
                None => page.element("h3", &[], "Time not known")?,
            }
        }
        let class = format!("day{}", below(outline.below_day.get(&day)));
        page.open("section", &[("class", &class)])?;
        if let Some(day) = day {
            page.element("h4", &[], day)?;
        }
        page.open("ol", &[])?;
        (self.month, self.day, self.is_open) = (month, day, true);
        Ok(())
    }

    pub(crate) fn finish(self, page: &mut Page<'_>) -> io::Result<()> {
        if self.is_open { (0..3).try_for_each(|_| page.close()) } else { Ok(()) }
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
}
