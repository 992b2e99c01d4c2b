use std::collections::{BTreeMap, HashMap, HashSet};

use super::account::{Account, Asked};
use super::books::Books;
use super::comparison::{Acts, Comparison};
use super::contract::Contract;
use super::item::Item;
use crate::agree::Standing;
use crate::agreement::{DeletionResult, TransferPolicy};
use crate::audit::AuditReport;
use crate::error::Result;
use crate::id::TransferId;
use crate::key::PublicKey;
use crate::recall::Deletion;
use crate::time::Timestamp;
use crate::tlog::origin_of;
use crate::transfer::{SentTransfer, TransferOutcome, TransferQuery};

/// What a vault keeps of transfers, before it is told.
pub(super) struct Kept {
    pub(super) tenant: String,
    pub(super) tenant_id: String,
    pub(super) now: Timestamp,
    /// Generations and keys of the tenant's ledgers, the oldest first.
    pub(super) logs: Vec<(u32, PublicKey)>,
    /// Every agreement in all its revisions, the newest last.
    pub(super) agreed: Vec<Vec<Standing>>,
    pub(super) policy: Option<TransferPolicy>,
    /// The purpose of each restriction in force.
    pub(super) restrictions: Vec<Option<String>>,
    /// The transfers that were asked for, the oldest first.
    pub(super) sent: Vec<SentTransfer>,
    pub(super) deletions: Vec<Deletion>,
    /// Of all transfers.
    pub(super) acts: Acts,
    pub(super) attempts: HashMap<TransferId, Attempts>,
}

impl Account {
    /// # Errors
    /// `InvalidInput` if a report is about another ledger.
    pub(super) fn of(kept: Kept, query: &TransferQuery, audits: &[AuditReport]) -> Result<Self> {
        let Kept { tenant, tenant_id, now, logs, agreed, policy, restrictions, sent, deletions, acts, attempts } = kept;
        let comparison = Comparison::new(&acts, &logs, audits)?;
        let mut purposes: BTreeMap<Option<String>, u64> = BTreeMap::new();
        restrictions.into_iter().for_each(|purpose| *purposes.entry(purpose).or_default() += 1);

        let mut books = Books::new(&agreed);
        let mut contracts: Vec<Contract> = Vec::new();
        for revisions in agreed {
            let party = revisions.last().map(|newest| books.party_of(newest.agreement.recipient()));
            let contract = party.and_then(|party| Contract::new(revisions, party, policy.as_ref(), now));
            contracts.extend(contract);
        }
        contracts.sort_by(|one, other| {
            let key = |of: &Contract| (of.stands, of.terms().valid_until, of.newest.agreement.id());
            key(one).cmp(&key(other))
        });
        let places: HashMap<[u8; 16], usize> =
            contracts.iter().enumerate().map(|(at, of)| (of.newest.agreement.id(), at)).collect();
        let wiped = wiped(&deletions);
        let item = |sent: SentTransfer| {
            let contract = places.get(&sent.agreement).copied();
            let (party, revision) = books.recipient(&sent, contract.and_then(|at| contracts.get(at)));
            let deleted = wiped.get(&place(&sent)).map_or(0, |of| of.of(sent.records));
            let attempts = attempts.get(&sent.id).copied();
            Item { party, contract, revision, attempts, deleted, sent }
        };
        let transfers: Vec<Item> = sent.into_iter().map(item).collect();
        show_only(query, &transfers, &mut contracts);
        let deletions = asked(query, deletions, &transfers, &wiped, &books);
        Ok(Self {
            tenant,
            tenant_id,
            now,
            query: query.clone(),
            logs,
            parties: books.finish(),
            contracts,
            policy,
            restrictions: purposes.into_iter().collect(),
            transfers,
            deletions,
            entries: acts.counts(),
            comparison,
        })
    }
}

/// What became of the attempts to send the same.
#[derive(Clone, Copy)]
pub(super) struct Attempts {
    /// The last transfer that repeats this one.
    pub(super) repeated: Option<TransferId>,
    /// Whether this one or another of them arrived.
    pub(super) arrived: bool,
}

/// Of every transfer that repeats another or is repeated.
pub(super) fn repetitions(history: &[SentTransfer]) -> HashMap<TransferId, Attempts> {
    // A repetition comes behind what it repeats, so that its first is known.
    let mut firsts: HashMap<TransferId, TransferId> = HashMap::new();
    for sent in history {
        if let Some(again) = sent.again {
            let first = *firsts.entry(again).or_insert(again);
            firsts.insert(sent.id, first);
        }
    }
    let (mut arrived, mut repeated) = (HashSet::<TransferId>::new(), HashMap::new());
    for sent in history {
        let first =
            firsts.get(&sent.id).filter(|_| sent.outcome == TransferOutcome::Completed || sent.receipted.is_some());
        arrived.extend(first.copied());
        repeated.extend(sent.again.map(|again| (again, sent.id)));
    }
    let attempts = |(id, first): (&TransferId, &TransferId)| {
        (*id, Attempts { repeated: repeated.get(id).copied(), arrived: arrived.contains(first) })
    };
    firsts.iter().map(attempts).collect()
}

/// What a recipient says that it deleted of a transfer.
#[derive(Default)]
struct Wiped {
    all: bool,
    names: HashSet<String>,
}

impl Wiped {
    fn of(&self, records: u64) -> u64 {
        if self.all { records } else { records.min(self.names.len() as u64) }
    }
}

fn wiped(deletions: &[Deletion]) -> HashMap<(String, u64), Wiped> {
    let mut wiped: HashMap<(String, u64), Wiped> = HashMap::new();
    for deletion in deletions {
        if deletion.answer.as_ref().is_none_or(|answer| answer.result() != DeletionResult::Deleted) {
            continue;
        }
        for of in deletion.request.transfers() {
            let there = wiped.entry((of.log.clone(), of.seq)).or_default();
            there.all |= of.records.is_empty();
            there.names.extend(of.records.iter().cloned());
        }
    }
    wiped
}

/// A transfer as a request to delete names it.
fn place(sent: &SentTransfer) -> (String, u64) {
    (origin_of(&sent.entry.0), sent.entry.1)
}

fn is_about_some(query: &TransferQuery) -> bool {
    let TransferQuery { record, subject, recipient, period: _ } = query;
    record.is_some() || subject.is_some() || recipient.is_some()
}

/// On a page of some transfers, only the agreements that they were under.
fn show_only(query: &TransferQuery, transfers: &[Item], contracts: &mut [Contract]) {
    if !is_about_some(query) {
        return;
    }
    let under: HashSet<usize> = transfers.iter().filter_map(|item| item.contract).collect();
    for (at, contract) in contracts.iter_mut().enumerate() {
        let card = contract.newest.agreement.recipient();
        let is_his =
            query.recipient.as_ref().is_some_and(|who| card.name() == who || card.recipient().to_string() == *who);
        contract.is_shown = under.contains(&at) || is_his;
    }
}

/// The requests about these transfers.
fn asked(
    query: &TransferQuery,
    deletions: Vec<Deletion>,
    transfers: &[Item],
    wiped: &HashMap<(String, u64), Wiped>,
    books: &Books,
) -> Vec<Asked> {
    let here: HashMap<(String, u64), u64> =
        transfers.iter().map(|item| (place(&item.sent), item.sent.records)).collect();
    let is_whole = !is_about_some(query) && query.period.is_none();
    let is_here = |deletion: &Deletion| {
        let mut of = deletion.request.transfers().iter();
        is_whole || of.any(|of| here.contains_key(&(of.log.clone(), of.seq)))
    };
    let asked = |deletion: Deletion| {
        let (mut records, mut is_made_good) = (0, true);
        for of in deletion.request.transfers() {
            let at = (of.log.clone(), of.seq);
            // A request that names none is about all.
            let all = here.get(&at).copied().unwrap_or(0);
            records += if of.records.is_empty() { all } else { of.records.len() as u64 };
            is_made_good &= wiped.get(&at).is_some_and(|gone| {
                let named = || of.records.iter().all(|record| gone.names.contains(record));
                gone.all || !of.records.is_empty() && named()
            });
        }
        Asked { party: books.of_key(&deletion.request.recipient_key()), records, is_made_good, deletion }
    };
    deletions.into_iter().filter(is_here).map(asked).collect()
}
