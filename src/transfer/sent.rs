use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::minimise::Pseudonyms;
use super::paper::{self, Authorised, Held, HeldRecord, Step};
use crate::agreement::DeliveryReceipt;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, TransferId};
use crate::key::PublicKey;
use crate::ledger::{Kind, Receipt};
use crate::record::Identifier;
use crate::retrieve::{Listing, PaperPlace, TenantSession};
use crate::time::Timestamp;
use crate::tlog::origin_of;

/// A transfer, and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SentTransfer {
    /// Its id. Of one that was refused as well.
    pub id: TransferId,
    /// When it was authorised, or refused.
    pub at: Timestamp,
    /// The ledger that tells of it, and the number of its entry.
    pub entry: (PublicKey, u64),
    /// The agreement's id.
    pub agreement: [u8; 16],
    /// SHA-256 of the agreement's revision; of a refused one nothing.
    pub agreement_hash: Option<[u8; 32]>,
    /// The recipient's name, if there was such an agreement.
    pub recipient: Option<String>,
    /// What for.
    pub purpose: String,
    /// How many records.
    pub records: u64,
    /// How many were left out, and of these, how many because somebody in them asked for it.
    pub left_out: (u64, u64),
    /// How it ended.
    pub outcome: TransferOutcome,
    /// The entry that tells how it ended, of a refused one the same. Nothing while it goes on, and if nobody knows.
    pub outcome_entry: Option<(PublicKey, u64)>,
    /// Until when the recipient's receipt is due.
    pub receipt_by: Option<Timestamp>,
    /// When the recipient's receipt was recorded.
    pub receipted: Option<Timestamp>,
    /// The entry that tells of the receipt.
    pub receipt_entry: Option<(PublicKey, u64)>,
    /// Until when the recipient may keep it.
    pub keep_until: Option<Timestamp>,
    /// The transfer that it repeats.
    pub again: Option<TransferId>,
}

/// How a transfer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferOutcome {
    /// It goes on.
    Running,
    /// All of it was given out.
    Completed,
    /// It ended before its end, for this reason. Some of it may have been given out.
    Failed(String),
    /// Nothing was given out, for this reason.
    Refused(String),
    /// Its process died, or could not say how it ended: nobody knows how much was given out.
    Unknown,
}

/// Which transfers to list.
#[derive(Clone, Default)]
pub struct TransferQuery {
    pub(crate) record: Option<RecordId>,
    pub(crate) subject: Option<Identifier>,
    pub(crate) recipient: Option<String>,
    pub(crate) period: Option<Range<Timestamp>>,
}

impl TransferQuery {
    /// All.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only those that held this record.
    #[must_use]
    pub fn record(mut self, record: RecordId) -> Self {
        self.record = Some(record);
        self
    }

    /// Only those that held a record in which somebody has this identifier.
    #[must_use]
    pub fn subject(mut self, subject: Identifier) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Only those to the recipient of this name or age key.
    #[must_use]
    pub fn recipient(mut self, recipient: impl Into<String>) -> Self {
        self.recipient = Some(recipient.into());
        self
    }

    /// Only those that were authorised or refused in a period.
    #[must_use]
    pub fn period(mut self, period: Range<Timestamp>) -> Self {
        self.period = Some(period);
        self
    }
}

impl SentTransfer {
    fn is_running(&self) -> bool {
        self.outcome == TransferOutcome::Running
    }

    /// Whether something of it may be at the recipient.
    pub fn may_have_arrived(&self) -> bool {
        !matches!(self.outcome, TransferOutcome::Refused(_))
    }

    /// Whether a receipt is due at `now` that nobody has recorded. Of one that failed, none is due.
    pub fn receipt_is_overdue(&self, now: Timestamp) -> bool {
        let due = matches!(self.outcome, TransferOutcome::Completed | TransferOutcome::Unknown);
        due && self.receipted.is_none() && self.receipt_by.is_some_and(|by| now >= by)
    }
}

/// A record as a recipient got it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentRecord {
    /// Its id.
    pub record: RecordId,
    /// What the recipient calls it.
    pub name: RecordId,
    /// Numbers of the parts that went.
    pub parts: Vec<usize>,
}

impl From<HeldRecord> for SentRecord {
    fn from(held: HeldRecord) -> Self {
        let HeldRecord { record, name, parts } = held;
        Self { record, name, parts: parts.into_iter().map(usize::from).collect() }
    }
}

impl TenantSession {
    /// What was sent, or refused, to whom: the oldest first.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if what is kept of one does not open; else as the database.
    pub fn transfers(&self, query: &TransferQuery) -> Result<Vec<SentTransfer>> {
        self.select(query, self.history()?)
    }

    /// Those of a history that a query is about.
    pub(crate) fn select(&self, query: &TransferQuery, history: History) -> Result<Vec<SentTransfer>> {
        let History { transfers: mut all, keys } = history;
        let wanted: Option<HashSet<RecordId>> = match (&query.record, &query.subject) {
            (None, None) => None,
            (Some(record), None) => Some(HashSet::from([*record])),
            (record, Some(subject)) => {
                let mut of_subject = self.records_of(subject)?;
                of_subject.retain(|id| record.is_none_or(|record| record == *id));
                Some(of_subject)
            }
        };
        if let Some(wanted) = wanted {
            let holding = self.holding(&wanted)?;
            all.retain(|sent| holding.contains_key(&sent.id));
        }
        all.retain(|sent| {
            let to = |who: &String| {
                sent.recipient.as_ref() == Some(who) || keys.get(&sent.id).is_some_and(|key| **key == **who)
            };
            query.recipient.as_ref().is_none_or(to)
                && query.period.as_ref().is_none_or(|period| period.contains(&sent.at))
        });
        Ok(all)
    }

    /// The records of a transfer.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is none of that id, or it was refused; else as
    /// [`transfers`](Self::transfers).
    pub fn sent_records(&self, id: TransferId) -> Result<Vec<SentRecord>> {
        Ok(self.held(id)?.records.into_iter().map(SentRecord::from).collect())
    }

    /// Who is behind a pseudonym that the recipient of a transfer has: looked for in the records of that transfer, as far
    /// as they are not erased. For one from before a change of card, give the session the former identity:
    /// [`with_former`](Self::with_former).
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if nobody in them; [`Unsupported`](ErrorKind::Unsupported) if the tenant's key is
    /// held where it gives no pseudonyms; else as [`read`](Self::read).
    pub fn subject_of(&self, id: TransferId, pseudonym: &str) -> Result<Identifier> {
        let not_found = || Error::new(ErrorKind::NotFound, "looking a pseudonym's subject up");
        let authorised = self.authorised(id)?.ok_or_else(not_found)?;
        let recipient = authorised.key.parse()?;
        // Made with the key of the card that was in force then.
        let pseudonyms = self.openers().filter_map(|opener| Pseudonyms::of(opener, &recipient, &authorised.purpose));
        let pseudonyms: Vec<Pseudonyms> = pseudonyms.collect();
        if pseudonyms.is_empty() {
            return Err(Error::new(ErrorKind::Unsupported, "reversing pseudonyms with a key that gives none"));
        }
        for held in self.held(id)?.records {
            let record = match self.read(held.record) {
                Ok(record) => record,
                Err(e) if e.kind() == ErrorKind::Erased => continue,
                Err(e) => return Err(e),
            };
            if let Some(who) =
                record.head().identifiers().find(|who| pseudonyms.iter().any(|p| p.subject(who) == pseudonym))
            {
                return Ok(who.clone());
            }
        }
        Err(not_found())
    }

    /// Records that a recipient signed for what it received.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if it is about no transfer of this tenant; [`Tampered`](ErrorKind::Tampered) if
    /// the recipient of that transfer did not sign it, or it is about something else than what was sent;
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if one was recorded; else as the disk.
    pub fn record_receipt(&self, receipt: &DeliveryReceipt) -> Result<Receipt> {
        let doing = "recording a recipient's receipt";
        let (mut found, mut receipted) = (None, HashSet::new());
        self.each_step(|KnownStep { id, log, seq, step }| {
            match step {
                Step::Authorised(authorised) if seq == receipt.seq() && origin_of(&log) == receipt.log() => {
                    found = Some((id, authorised));
                }
                Step::Receipted { .. } => drop(receipted.insert(id)),
                _ => {}
            }
            Ok(())
        })?;
        let (id, authorised) = found.ok_or_else(|| Error::new(ErrorKind::NotFound, doing))?;
        receipt.verify(&self.agreement_of(&authorised.hash)?)?;
        if receipt.payload() != authorised.payload {
            return Err(Error::new(ErrorKind::Tampered, doing).because("it is for something else than what was sent"));
        }
        if receipted.contains(&id) {
            return Err(Error::new(ErrorKind::AlreadyExists, doing));
        }
        let step = Step::Receipted { at: Timestamp::now(), note: receipt.to_string() };
        let mut tell = self.tell(Kind::TransferReceipted).detail("transfer", id);
        tell = tell.detail("authorised", receipt.seq()).detail("received", receipt.received());
        tell.payload = Some(receipt.hash());
        tell.purpose = Some(authorised.purpose.clone());
        let about = Some(*id.as_bytes());
        self.say(tell.paper(paper::TOPIC, about, paper::encode(&step)?))
    }

    /// A transfer that was authorised and did not complete.
    pub(super) fn unfinished(&self, id: TransferId) -> Result<(SentTransfer, Held)> {
        let doing = "sending a transfer again";
        let all = self.history()?.transfers;
        let find = |id: TransferId| all.iter().find(|sent| sent.id == id);
        let mut first = id;
        while let Some(before) = find(first).and_then(|sent| sent.again) {
            first = before;
        }
        // That one and all that repeat it, which come behind it.
        let mut same = HashSet::from([first]);
        for sent in &all {
            if sent.again.is_some_and(|before| same.contains(&before)) {
                same.insert(sent.id);
            }
        }
        let refused = |sent: &&SentTransfer| matches!(sent.outcome, TransferOutcome::Refused(_));
        let sent = find(id).filter(|sent| !refused(sent)).ok_or_else(|| Error::new(ErrorKind::NotFound, doing))?;
        // The recipient may say that it has arrived where nobody here knows, or where its end was not told.
        let arrives = |sent: &SentTransfer| {
            sent.receipted.is_some() || matches!(sent.outcome, TransferOutcome::Completed | TransferOutcome::Running)
        };
        if all.iter().any(|sent| same.contains(&sent.id) && arrives(sent)) {
            return Err(Error::new(ErrorKind::AlreadyExists, doing));
        }
        Ok((sent.clone(), self.held(id)?))
    }

    /// Every transfer, in the order of their first entries. Memory: some 500 bytes for each.
    pub(crate) fn history(&self) -> Result<History> {
        loop {
            let last = self.room.store.last_paper(self.tenant, paper::TOPIC)?;
            let mut history = self.told()?;
            if !history.transfers.iter().any(SentTransfer::is_running) {
                return Ok(history);
            }
            let going_on = self.room.going_on(self.tenant)?;
            let ended = |sent: &&mut SentTransfer| sent.is_running() && !going_on.contains(&sent.entry);
            let ended: Vec<&mut SentTransfer> = history.transfers.iter_mut().filter(ended).collect();
            // It ended as it should if that has been said since.
            if !ended.is_empty() && self.room.store.last_paper(self.tenant, paper::TOPIC)? != last {
                continue;
            }
            ended.into_iter().for_each(|sent| sent.outcome = TransferOutcome::Unknown);
            return Ok(history);
        }
    }

    /// What was said of every transfer. One that was authorised and of whose end nothing was said goes on.
    fn told(&self) -> Result<History> {
        let (mut order, mut all, mut keys) = (Vec::new(), HashMap::new(), HashMap::new());
        // A key has up to two kilobytes, and most transfers go to few recipients.
        let mut known_keys: HashSet<Arc<str>> = HashSet::new();
        self.each_step(|KnownStep { id, log, seq, step }| {
            let bad = || Error::new(ErrorKind::Tampered, "reading what became of a transfer");
            let entry = Some((log, seq));
            match step {
                Step::Authorised(said) => {
                    let key =
                        known_keys.get(said.key.as_str()).map_or_else(|| Arc::from(said.key.as_str()), Arc::clone);
                    known_keys.insert(Arc::clone(&key));
                    keys.insert(id, key);
                    order.push(id);
                    let sent = SentTransfer {
                        id,
                        at: said.at,
                        entry: (log, seq),
                        agreement: said.agreement,
                        agreement_hash: Some(said.hash),
                        recipient: Some(said.recipient),
                        purpose: said.purpose,
                        records: said.records,
                        left_out: (said.left_out, said.restricted),
                        outcome: TransferOutcome::Running,
                        outcome_entry: None,
                        receipt_by: Some(said.receipt_by),
                        receipted: None,
                        receipt_entry: None,
                        keep_until: Some(said.keep_until),
                        again: said.again.map(TransferId::from_bytes),
                    };
                    all.insert(id, sent);
                }
                Step::Refused { at, agreement, recipient, purpose, reason } => {
                    order.push(id);
                    let sent = SentTransfer {
                        id,
                        at,
                        entry: (log, seq),
                        agreement,
                        agreement_hash: None,
                        recipient,
                        purpose,
                        records: 0,
                        left_out: (0, 0),
                        outcome: TransferOutcome::Refused(reason),
                        outcome_entry: entry,
                        receipt_by: None,
                        receipted: None,
                        receipt_entry: None,
                        keep_until: None,
                        again: None,
                    };
                    all.insert(id, sent);
                }
                Step::Completed { .. } => {
                    let sent = all.get_mut(&id).ok_or_else(bad)?;
                    (sent.outcome, sent.outcome_entry) = (TransferOutcome::Completed, entry);
                }
                Step::Failed { reason, .. } => {
                    let sent = all.get_mut(&id).ok_or_else(bad)?;
                    (sent.outcome, sent.outcome_entry) = (TransferOutcome::Failed(reason), entry);
                }
                Step::Receipted { at, .. } => {
                    let sent = all.get_mut(&id).ok_or_else(bad)?;
                    (sent.receipted, sent.receipt_entry) = (Some(at), entry);
                }
            }
            Ok(())
        })?;
        Ok(History { transfers: order.into_iter().filter_map(|id| all.remove(&id)).collect(), keys })
    }

    fn each_step(&self, mut visit: impl FnMut(KnownStep) -> Result<()>) -> Result<()> {
        self.each_paper(paper::TOPIC, PaperPlace::default(), |paper| {
            let about =
                paper.about.ok_or_else(|| Error::new(ErrorKind::Tampered, "reading what is kept of a transfer"));
            let (id, step) = (TransferId::from_bytes(about?), paper::decode(&paper.bytes)?);
            visit(KnownStep { id, log: paper.log, seq: paper.seq, step })
        })
    }

    /// What was authorised under an id.
    fn authorised(&self, id: TransferId) -> Result<Option<Authorised>> {
        let mut found = None;
        self.each_step(|known| {
            if let (true, Step::Authorised(authorised)) = (known.id == id, known.step) {
                found = Some(*authorised);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn held(&self, id: TransferId) -> Result<Held> {
        let mut found = None;
        self.each_held(|of, held| {
            if of == id {
                found = Some(held);
            }
        })?;
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking up what a transfer held"))
    }

    /// The transfers that held some of these records, each with those.
    pub(crate) fn holding(&self, wanted: &HashSet<RecordId>) -> Result<HashMap<TransferId, Vec<SentRecord>>> {
        let mut found = HashMap::new();
        self.each_held(|id, held| {
            let some = held.records.into_iter().filter(|held| wanted.contains(&held.record));
            let some: Vec<SentRecord> = some.map(SentRecord::from).collect();
            if !some.is_empty() {
                found.insert(id, some);
            }
        })?;
        Ok(found)
    }

    fn each_held(&self, mut visit: impl FnMut(TransferId, Held)) -> Result<()> {
        self.each_paper(paper::RECORDS, PaperPlace::default(), |paper| {
            let about = paper.about.ok_or_else(|| Error::new(ErrorKind::Tampered, "reading what a transfer held"))?;
            visit(TransferId::from_bytes(about), paper::decode(&paper.bytes)?);
            Ok(())
        })
    }

    /// Ids of the records that name a subject.
    fn records_of(&self, subject: &Identifier) -> Result<HashSet<RecordId>> {
        let mut found = HashSet::new();
        self.each_listed(Listing::by_commit().subject(subject.clone()).limit(256), |listed| {
            found.insert(listed.id);
            Ok(())
        })?;
        Ok(found)
    }
}

/// Every transfer, and the age keys of their recipients.
pub(crate) struct History {
    pub(crate) transfers: Vec<SentTransfer>,
    keys: HashMap<TransferId, Arc<str>>,
}

struct KnownStep {
    id: TransferId,
    log: PublicKey,
    seq: u64,
    step: Step,
}
