use std::collections::BTreeMap;

use super::item::{Item, Said};
use super::sentence::Group;
use crate::html::{Day, Month};
use crate::time::Timestamp;

/// What stands above the entries it tells of; so they are gone through twice and never held. Memory: about 40 bytes a
/// day.
#[derive(Default)]
pub(crate) struct Tally {
    pub(super) entries: u64,
    pub(super) shredded: u64,
    pub(super) unreadable: u64,
    /// Entries without a time.
    pub(super) timeless: u64,
    pub(super) period: Option<(Timestamp, Timestamp)>,
    pub(super) groups: Groups,
    pub(super) months: BTreeMap<Month, [u64; Group::SERIES.len()]>,
    latest: Option<Timestamp>,
    /// What stands below each heading; an entry without a time stands with the one before it.
    below_month: BTreeMap<Option<Month>, Groups>,
    below_day: BTreeMap<Option<Day>, Groups>,
}

/// Some of the groups.
#[derive(Clone, Copy, Default)]
pub(super) struct Groups(u8);

impl Tally {
    pub(crate) fn add(&mut self, item: &Item) {
        let group = item.group();
        self.entries += 1;
        self.groups.insert(group);
        match item.said {
            Said::Act(_) => {}
            Said::Shredded => self.shredded += 1,
            Said::Unreadable => self.unreadable += 1,
        }
        self.latest = item.time.or(self.latest);
        self.below_month.entry(self.latest.map(Month::of)).or_default().insert(group);
        self.below_day.entry(self.latest.map(Day::of)).or_default().insert(group);
        let Some(time) = item.time else {
            self.timeless += 1;
            return;
        };
        self.months.entry(Month::of(time)).or_default()[group as usize] += 1;
        let (first, last) = self.period.unwrap_or((time, time));
        self.period = Some((first.min(time), last.max(time)));
    }

    pub(super) fn below_month(&self, month: Option<Month>) -> Groups {
        self.below_month.get(&month).copied().unwrap_or_default()
    }

    pub(super) fn below_day(&self, day: Option<Day>) -> Groups {
        self.below_day.get(&day).copied().unwrap_or_default()
    }
}

impl Groups {
    fn insert(&mut self, group: Group) {
        self.0 |= 1 << group as u8;
    }

    pub(super) fn contains(self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }

    /// By these a style finds the headings that have something below them. Looking below them instead (`:has`) would
    /// take a browser minutes on a long page.
    pub(super) fn classes(self) -> String {
        let mut classes: String =
            (0..Group::SERIES.len()).filter(|at| self.contains(*at)).map(|at| format!(" g{at}")).collect();
        let routine = 1 << Group::Stored as u8 | 1 << Group::Read as u8;
        if self.0 & !routine != 0 {
            classes.push_str(" rare");
        }
        classes
    }
}
