//! A tenant, third parties, and a history of transfers that never happened.

mod agreements;
mod audits;
mod pages;
mod texts;

use std::collections::BTreeSet;

use super::account::Account;
use super::comparison::Acts;
use super::kept::{Kept, repetitions};
use crate::agree::Standing;
use crate::agreement::{
    Agreement, AtRest, Country, DeletionAcknowledgement, DeletionRequest, DeletionResult, Field, InTransit,
    ProtectionProfile, RecipientCard, RecipientClass, Terms, TransferPolicy, TransferRules, Transferred,
};
use crate::audit::AuditReport;
use crate::html::checker;
use crate::id::{TenantId, TransferId, VaultId};
use crate::key::{Identity, PublicKey, Suite, TenantCard};
use crate::recall::Deletion;
use crate::record::PartKind;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::tlog::origin_of;
use crate::transfer::{SentTransfer, TransferOutcome, TransferQuery};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const QUALITY: &str = "quality assurance";

fn identity(byte: u8) -> Identity {
    Identity::from_secret(Suite::X25519, Secret::from_slice(&[byte; 32]).unwrap())
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn after(time: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(time.unix_ms() + ms)
}

fn profile() -> ProtectionProfile {
    ProtectionProfile {
        at_rest: AtRest::Application,
        in_transit: InTransit::Tls13,
        breach_notice_hours: Some(24),
        deletion_days: Some(30),
        ..ProtectionProfile::weakest()
    }
}

/// What a vault would keep.
struct Books {
    now: Timestamp,
    log: PublicKey,
    next: u64,
    kept: Kept,
    sent: Vec<SentTransfer>,
    recipients: u8,
}

impl Books {
    fn new(now: &str) -> Self {
        let log = identity(0x14).public_key();
        let kept = Kept {
            tenant: "Harbor Energy".to_owned(),
            tenant_id: TenantId::from_bytes([2; 16]).to_string(),
            now: time(now),
            logs: vec![(1, log)],
            agreed: Vec::new(),
            policy: None,
            restrictions: Vec::new(),
            sent: Vec::new(),
            deletions: Vec::new(),
            acts: Acts::default(),
            attempts: Default::default(),
        };
        Self { now: time(now), log, next: 3, kept, sent: Vec::new(), recipients: 0 }
    }

    /// With a policy that service providers and affiliates can meet.
    fn with_policy(now: &str) -> Self {
        let mut books = Self::new(now);
        books.require(profile());
        books
    }

    fn card() -> TenantCard {
        TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &identity(0x11))
    }

    fn require(&mut self, required: ProtectionProfile) {
        let classes = BTreeSet::from([RecipientClass::ServiceProvider, RecipientClass::Affiliate]);
        let rules = TransferRules { required, classes, max_retention_days: 90 };
        let mut policy = TransferPolicy::new(&Self::card(), rules, after(self.now, -500 * DAY)).unwrap();
        policy.sign(&identity(0x11)).unwrap();
        self.kept.policy = Some(policy);
    }

    fn entry(&mut self) -> (PublicKey, u64) {
        self.next += 1;
        (self.log, self.next)
    }

    fn id(&self) -> TransferId {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&(self.sent.len() as u64).to_be_bytes());
        TransferId::from_bytes(id)
    }

    /// The key of a third party that there is not yet, and terms that the policy allows for a year.
    fn terms(&mut self, name: &str, from: Timestamp) -> (Identity, Terms) {
        self.recipients += 1;
        let key = identity(0x20 + self.recipients);
        let (class, country) = (RecipientClass::ServiceProvider, Country::new("DE").unwrap());
        let card = RecipientCard::new(name, class, &key, "privacy@example.com", country).unwrap();
        let mut terms = Terms::new(card, profile(), from, after(from, 365 * DAY)).purpose(QUALITY);
        terms.kinds.extend([PartKind::Audio, PartKind::Transcript]);
        terms.fields.extend([Field::Start, Field::Queue, Field::SubjectRoles]);
        (key, terms.retention_days(30).receipt_hours(48))
    }

    fn agree(&mut self, key: &Identity, terms: Terms) -> Agreement {
        let id = [u8::try_from(self.kept.agreed.len()).unwrap() + 1; 16];
        let agreement = Agreement::with_id(id, &Self::card(), identity(0x13).public_key(), self.log, terms).unwrap();
        self.sign(agreement, key)
    }

    /// Puts a first or next revision in force at the beginning of its time.
    fn sign(&mut self, mut agreement: Agreement, key: &Identity) -> Agreement {
        agreement.sign(&identity(0x11)).unwrap();
        agreement.sign(key).unwrap();
        let (since, entry) = (agreement.terms().valid_from, self.entry());
        let standing = Standing { agreement: agreement.clone(), since, entry, revoked: None, revoked_entry: None };
        match self.kept.agreed.iter_mut().find(|of| of[0].agreement.id() == agreement.id()) {
            Some(revisions) => revisions.push(standing),
            None => self.kept.agreed.push(vec![standing]),
        }
        agreement
    }

    /// A third party with an agreement from `from` on.
    fn party(&mut self, name: &str, from: &str) -> Agreement {
        let (key, terms) = self.terms(name, time(from));
        self.agree(&key, terms)
    }

    fn revoke(&mut self, agreement: &Agreement, at: &str, reason: &str) {
        let entry = self.entry();
        let revisions = self.kept.agreed.iter_mut().find(|of| of[0].agreement.id() == agreement.id()).unwrap();
        for standing in revisions {
            (standing.revoked, standing.revoked_entry) = (Some((time(at), reason.to_owned())), Some(entry));
        }
    }

    /// What was sent, and all of it given out.
    fn send(&mut self, agreement: &Agreement, at: Timestamp, records: u64) -> &mut SentTransfer {
        let entry = self.entry();
        let ended = self.entry();
        let id = self.id();
        self.sent.push(SentTransfer {
            id,
            at,
            entry,
            agreement: agreement.id(),
            agreement_hash: Some(agreement.hash()),
            recipient: Some(agreement.recipient().name().to_owned()),
            purpose: QUALITY.to_owned(),
            records,
            left_out: (0, 0),
            outcome: TransferOutcome::Completed,
            outcome_entry: Some(ended),
            receipt_by: Some(agreement.receipt_by(at)),
            receipted: None,
            receipt_entry: None,
            keep_until: Some(agreement.keep_until(at)),
            again: None,
        });
        self.sent.last_mut().unwrap()
    }

    /// The recipient signs for the last transfer.
    fn receipt(&mut self) {
        let entry = self.entry();
        let sent = self.sent.last_mut().unwrap();
        (sent.receipted, sent.receipt_entry) = (Some(after(sent.at, HOUR)), Some(entry));
    }

    fn fail(&mut self, reason: &str) -> TransferId {
        let sent = self.sent.last_mut().unwrap();
        sent.outcome = TransferOutcome::Failed(reason.to_owned());
        sent.id
    }

    fn lose(&mut self) -> TransferId {
        let sent = self.sent.last_mut().unwrap();
        (sent.outcome, sent.outcome_entry) = (TransferOutcome::Unknown, None);
        sent.id
    }

    fn refuse(&mut self, agreement: [u8; 16], at: Timestamp, reason: &str) {
        let entry = self.entry();
        let id = self.id();
        self.sent.push(SentTransfer {
            id,
            at,
            entry,
            agreement,
            agreement_hash: None,
            recipient: None,
            purpose: QUALITY.to_owned(),
            records: 0,
            left_out: (0, 0),
            outcome: TransferOutcome::Refused(reason.to_owned()),
            outcome_entry: Some(entry),
            receipt_by: None,
            receipted: None,
            receipt_entry: None,
            keep_until: None,
            again: None,
        });
    }

    /// Asks for all of the last transfer to be deleted.
    fn ask(&mut self, agreement: &Agreement, issued: Timestamp, due: Timestamp) -> DeletionRequest {
        let sent = self.sent.last().unwrap();
        let record = |n| format!("04040404-0404-0404-0404-{n:012}");
        let records = (0..sent.records).map(record).collect();
        let of = vec![Transferred { log: origin_of(&sent.entry.0), seq: sent.entry.1, records }];
        let mut request = DeletionRequest::new(agreement, of, issued, due, "+15722568385 asked").unwrap();
        request.sign(&identity(0x11)).unwrap();
        let recipient = agreement.recipient().name().to_owned();
        let (entry, kept) = (self.entry(), request.clone());
        self.kept.deletions.push(Deletion {
            request: kept,
            recipient,
            entry,
            answer: None,
            answer_entries: Vec::new(),
        });
        request
    }

    fn answer(&mut self, key: u8, request: &DeletionRequest, done: Timestamp, result: DeletionResult) {
        let mut answer = DeletionAcknowledgement::new(request, done, result, "+15722568385 has a hold").unwrap();
        answer.sign(&identity(key)).unwrap();
        let entry = self.entry();
        let of = self.kept.deletions.iter_mut().find(|of| of.request.id() == request.id()).unwrap();
        of.answer = Some(answer);
        of.answer_entries.push(entry);
    }

    fn account(self, query: &TransferQuery, audits: &[AuditReport]) -> Account {
        let Self { mut kept, sent, .. } = self;
        kept.acts = Acts::of(&sent, &kept.agreed, &kept.deletions);
        kept.attempts = repetitions(&sent);
        kept.sent = sent;
        Account::of(kept, query, audits).unwrap()
    }

    fn page(self) -> String {
        write(&self.account(&TransferQuery::all(), &[]))
    }
}

/// The page, which is checked.
fn write(account: &Account) -> String {
    let mut out = Vec::new();
    account.write(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    checker::check(&text);
    text
}
