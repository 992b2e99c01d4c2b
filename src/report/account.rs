use super::comparison::{Comparison, KINDS};
use super::contract::{Contract, day};
use super::item::Item;
use super::party::Party;
use crate::agreement::TransferPolicy;
use crate::html::moment;
use crate::key::PublicKey;
use crate::recall::Deletion;
use crate::time::Timestamp;
use crate::transfer::TransferQuery;

/// Everything that a page of transfers tells of.
pub(super) struct Account {
    pub(super) tenant: String,
    pub(super) tenant_id: String,
    /// As of when it is told.
    pub(super) now: Timestamp,
    pub(super) query: TransferQuery,
    /// Generations and keys of the tenant's ledgers, the oldest first.
    pub(super) logs: Vec<(u32, PublicKey)>,
    pub(super) parties: Vec<Party>,
    /// The most pressing first.
    pub(super) contracts: Vec<Contract>,
    pub(super) policy: Option<TransferPolicy>,
    /// Purposes, and how many restrictions in force are for each; for every one if none is named.
    pub(super) restrictions: Vec<(Option<String>, u64)>,
    /// The oldest first.
    pub(super) transfers: Vec<Item>,
    /// The oldest first.
    pub(super) deletions: Vec<Asked>,
    /// How many entries of each kind tell of what is kept.
    pub(super) entries: [u64; KINDS.len()],
    pub(super) comparison: Comparison,
}

/// A request to delete.
pub(super) struct Asked {
    pub(super) deletion: Deletion,
    /// Who was asked, among the parties.
    pub(super) party: Option<usize>,
    /// How many records it is about.
    pub(super) records: u64,
    /// Whether the recipient says of all of them, in whatever answer, that they are deleted.
    pub(super) is_made_good: bool,
}

impl Account {
    /// Whether it has all transfers, and not only those that were asked for.
    pub(super) fn is_whole(&self) -> bool {
        let TransferQuery { record, subject, recipient, period } = &self.query;
        record.is_none() && subject.is_none() && recipient.is_none() && period.is_none()
    }

    /// Which transfers these are. What was asked for is not repeated: it may name a person.
    pub(super) fn period(&self) -> String {
        let TransferQuery { record, subject, recipient, period } = &self.query;
        let mut of = String::new();
        if recipient.is_some() {
            of.push_str(" to one recipient");
        }
        match (record, subject) {
            (None, None) => {}
            (Some(_), None) => of.push_str(" that held one record"),
            (None, Some(_)) => of.push_str(" that held records of one person"),
            (Some(_), Some(_)) => of.push_str(" that held one record of one person"),
        }
        let ends = self.transfers.first().zip(self.transfers.last());
        let shown = match (period, ends) {
            (Some(period), _) => {
                let last = Timestamp::from_unix_ms(period.end.unix_ms().saturating_sub(1));
                format!("Transfers{of}, {} to {}", day(period.start), day(last))
            }
            (None, Some((first, last))) => {
                format!("All transfers{of}, {} to {}", day(first.sent.at), day(last.sent.at))
            }
            (None, None) => format!("All transfers{of}"),
        };
        format!("{shown}. Written on {}.", moment(self.now))
    }

    /// What an entry is called: with its ledger, if there are several.
    pub(super) fn entry(&self, (log, seq): (PublicKey, u64)) -> String {
        let generation = self.logs.iter().find(|(_, key)| *key == log).map(|(generation, _)| *generation);
        match generation {
            Some(generation) if self.logs.len() > 1 => format!("entry {seq} of ledger {generation}"),
            _ => format!("entry {seq}"),
        }
    }

    pub(super) fn party(&self, at: Option<usize>) -> Option<&Party> {
        self.parties.get(at?)
    }
}
