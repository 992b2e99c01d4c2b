use std::collections::BTreeMap;

use super::item::{Item, Said};
use super::sentence::Group;
use crate::html::{Groups, Month, Outline};
use crate::time::Timestamp;

/// What stands above the entries it tells of; so they are gone through twice and never held. Memory: about 40 bytes a
/// day.
#[derive(Default)]
pub(crate) struct Tally {
    pub(super) entries: u64,
    pub(super) shredded: u64,
    pub(super) withheld: u64,
    pub(super) unreadable: u64,
    /// Entries without a time.
    pub(super) timeless: u64,
    pub(super) period: Option<(Timestamp, Timestamp)>,
    pub(super) months: BTreeMap<Month, [u64; Group::SERIES.len()]>,
    pub(super) outline: Outline,
}

impl Tally {
    pub(crate) fn add(&mut self, item: &Item) {
        let group = item.group();
        self.entries += 1;
        match item.said {
            Said::Act(_) => {}
            Said::Shredded => self.shredded += 1,
            Said::Withheld(_) => self.withheld += 1,
            Said::Unreadable => self.unreadable += 1,
        }
        self.outline.add(item.time, Groups::of(group as usize, !group.is_routine()));
        let Some(time) = item.time else {
            self.timeless += 1;
            return;
        };
        self.months.entry(Month::of(time)).or_default()[group as usize] += 1;
        let (first, last) = self.period.unwrap_or((time, time));
        self.period = Some((first.min(time), last.max(time)));
    }
}
