use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::account::Account;
use super::item::Item;
use crate::html::{Groups, Month, Outline};
use crate::id::TransferId;
use crate::time::Timestamp;
use crate::transfer::TransferOutcome;

/// What is counted before anything is written.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) sums: Sums,
    /// By the numbers of the parties.
    pub(super) parties: BTreeMap<usize, OfParty>,
    /// Transfers that did not come to their end, by what became of them and why.
    pub(super) setbacks: BTreeMap<(Setback, String), OfSetback>,
    /// Records by month and party; those of transfers that did not come to their end have none.
    pub(super) months: BTreeMap<Month, BTreeMap<Option<usize>, u64>>,
    /// Numbers of transfers without a delivery receipt that is due, now or later, by when it is.
    pub(super) awaited: BTreeSet<(Timestamp, usize)>,
    /// Transfers that arrived and their records, by their agreements.
    pub(super) agreements: HashMap<[u8; 16], (u64, u64)>,
    /// Those on the page.
    pub(super) ids: HashSet<TransferId>,
    /// Transfers that need attention because nothing repaired them.
    pub(super) unknown: u64,
    pub(super) failed: u64,
    pub(super) outline: Outline,
}

/// Of what arrived.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) transfers: u64,
    pub(super) records: u64,
    /// Records that were left out because somebody asked for it.
    pub(super) restricted: u64,
    /// Delivery receipts that are due, now or later.
    pub(super) open: u64,
    pub(super) overdue: u64,
    pub(super) last: Option<Timestamp>,
}

#[derive(Default)]
pub(super) struct OfParty {
    pub(super) sums: Sums,
    pub(super) purposes: BTreeMap<String, Sums>,
    pub(super) outstay: Outstay,
}

/// What a recipient may keep no more.
#[derive(Clone, Copy, Default)]
pub(super) struct Outstay {
    pub(super) transfers: u64,
    pub(super) records: u64,
    pub(super) since: Option<Timestamp>,
    /// When the next time passes, of what may be kept still.
    pub(super) next: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setback {
    Unknown,
    Failed,
    Refused,
}

pub(super) struct OfSetback {
    pub(super) transfers: u64,
    /// The number of the last of them.
    pub(super) last: usize,
}

impl Tally {
    pub(super) fn of(account: &Account) -> Self {
        let mut tally = Self::default();
        for (at, item) in account.transfers.iter().enumerate() {
            tally.add(at, item, account.now);
        }
        tally
    }

    fn add(&mut self, at: usize, item: &Item, now: Timestamp) {
        let sent = &item.sent;
        let needs_attention = item.needs_attention(now);
        self.outline.add(Some(sent.at), Groups::of(item.state(now) as usize, needs_attention));
        let setback = match &sent.outcome {
            _ if item.arrived() => None,
            TransferOutcome::Refused(reason) => Some((Setback::Refused, reason.clone())),
            TransferOutcome::Failed(reason) => Some((Setback::Failed, reason.clone())),
            TransferOutcome::Unknown => Some((Setback::Unknown, String::new())),
            TransferOutcome::Running | TransferOutcome::Completed => None,
        };
        if let Some(setback) = setback {
            match setback.0 {
                Setback::Unknown if needs_attention => self.unknown += 1,
                Setback::Failed if needs_attention => self.failed += 1,
                Setback::Unknown | Setback::Failed | Setback::Refused => {}
            }
            let of = self.setbacks.entry(setback).or_insert(OfSetback { transfers: 0, last: at });
            of.transfers += 1;
            of.last = at;
        }
        if let Some(by) = sent.receipt_by.filter(|_| item.awaits_receipt()) {
            self.awaited.insert((by, at));
        }
        if sent.may_have_arrived() {
            let month = self.months.entry(Month::of(sent.at)).or_default();
            *month.entry(item.party.filter(|_| item.arrived())).or_default() += sent.records;
        }
        self.ids.insert(sent.id);
        if item.arrived() {
            let (transfers, records) = self.agreements.entry(sent.agreement).or_default();
            (*transfers, *records) = (*transfers + 1, *records + sent.records);
        }
        self.sums.add(item, now);
        let Some(party) = item.party.filter(|_| sent.may_have_arrived()) else { return };
        let of = self.parties.entry(party).or_default();
        of.sums.add(item, now);
        of.outstay.add(item, now);
        if item.arrived() || item.awaits_receipt() {
            of.purposes.entry(sent.purpose.clone()).or_default().add(item, now);
        }
    }
}

impl Sums {
    fn add(&mut self, item: &Item, now: Timestamp) {
        self.open += u64::from(item.awaits_receipt());
        self.overdue += u64::from(item.sent.receipt_is_overdue(now));
        if item.arrived() {
            self.transfers += 1;
            self.records += item.sent.records;
            self.restricted += item.sent.left_out.1;
            self.last = self.last.max(Some(item.sent.at));
        }
    }
}

impl Outstay {
    fn add(&mut self, item: &Item, now: Timestamp) {
        let Some(until) = item.sent.keep_until else { return };
        let outstays = item.outstays(now);
        if outstays > 0 {
            self.transfers += 1;
            self.records += outstays;
            self.since = Some(self.since.map_or(until, |since| since.min(until)));
        } else if until > now && item.sent.records > item.deleted {
            self.next = Some(self.next.map_or(until, |next| next.min(until)));
        }
    }
}
