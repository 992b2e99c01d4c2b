//! What goes through a ledger from its first entry on, wherever the entries come from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::auditor::Auditor;
use super::erasures::Erasures;
use super::handed::Handed;
use super::log::State;
use super::ordered::Ordered;
use super::report::{AuditFinding, AuditReport};
use crate::key::{Claim, PublicKey, VerifierKeys, verify_all};
use crate::ledger::{Kind, Message, RecordSet, Succession};
use crate::time::Timestamp;
use crate::tlog::{Checkpoint, Edge, Hash, Leaf, SignedCheckpoint, VerifierKey, origin_of};

/// Clocks of one machine's processes may differ by so much, in milliseconds.
const TOLERANCE: i64 = 120_000;

/// What an entry's signature is worth.
pub(super) enum Signed {
    By(PublicKey),
    Badly,
    ByStranger,
}

impl Signed {
    /// That of each leaf.
    pub(super) fn of_all<'l>(leaves: impl Iterator<Item = &'l Leaf>, actors: &VerifierKeys) -> Vec<Self> {
        let leaves: Vec<(&Leaf, Option<PublicKey>)> = leaves.map(|leaf| (leaf, actors.of(&leaf.key_hash))).collect();
        let claims: Vec<Claim> = leaves.iter().filter_map(|(leaf, actor)| Some(leaf.claim((*actor)?))).collect();
        let mut verified = verify_all(&claims).into_iter();
        let signed = |(_, actor): (_, Option<PublicKey>)| match actor {
            Some(actor) if verified.next() == Some(true) => Self::By(actor),
            Some(_) => Self::Badly,
            None => Self::ByStranger,
        };
        leaves.into_iter().map(signed).collect()
    }
}

/// What an entry says, as far as it is at hand.
pub(super) enum Said {
    /// Something else than its leaf was made from.
    Altered,
    /// Nobody can tell: it is not there.
    Missing,
    Shredded,
    This(Box<Message>),
    Unreadable,
    /// Nobody but the operator and the custodians, until then.
    Withheld(Timestamp),
}

impl Said {
    pub(super) fn of(state: State, leaf: &Leaf) -> Self {
        match state {
            State::Open(bytes, message) if leaf.is_of(&bytes) => Self::This(message),
            State::Open(..) => Self::Altered,
            State::Shredded => Self::Shredded,
            State::Unreadable(_) => Self::Unreadable,
            State::Withheld(withheld) => Self::Withheld(withheld.until()),
        }
    }
}

/// The state of an audit that goes through a log from its first entry on.
pub(super) struct Fold<'a> {
    auditor: &'a Auditor,
    key: PublicKey,
    origin: String,
    pinned: Option<&'a Checkpoint>,
    size: u64,
    pub(super) edge: Edge,
    /// The hashes that the last entry completed.
    pub(super) completed: Vec<Hash>,
    pub(super) actors: VerifierKeys,
    /// What the entries so far say who may write.
    named: BTreeSet<[u8; 32]>,
    /// Whether every entry so far could be read, so that `named` is complete.
    complete: bool,
    /// The operator, as the log's first entry names it.
    pub(super) operator: Option<PublicKey>,
    begun: BTreeSet<u64>,
    pub(super) handed: Handed,
    pub(super) erasures: Erasures,
    pub(super) ordered: Ordered,
    last: Option<Timestamp>,
    /// Heads that others signed, the largest first, and the roots of their sizes once they are reached.
    cosigned: Vec<Cosigned>,
    sizes: BTreeSet<u64>,
    pub(super) roots: BTreeMap<u64, Hash>,
    /// The size of the head that the clock signed last, as its line's name has it.
    clocked: u64,
    /// The latest time that an entry before that head says, and the earliest of one behind it.
    before: Option<(u64, Timestamp)>,
    behind: Option<(u64, Timestamp)>,
}

impl<'a> Fold<'a> {
    /// Of the log with that key: the auditor's, or one of which the auditor's log has said that it goes on.
    pub(super) fn new(
        auditor: &'a Auditor,
        key: PublicKey,
        size: u64,
        actors: VerifierKeys,
        cosigned: Vec<Cosigned>,
    ) -> Self {
        let pinned = auditor.pinned.as_ref().map(SignedCheckpoint::checkpoint).filter(|_| key == auditor.log);
        let clock = auditor.clock.as_ref().map(|(clock, _)| clock);
        let clocked = clock.and_then(|clock| cosigned.iter().find(|head| head.names(clock)));
        Self {
            clocked: clocked.map_or(0, |head| head.size),
            auditor,
            key,
            origin: origin_of(&key),
            pinned,
            size,
            edge: Edge::default(),
            completed: Vec::new(),
            actors,
            named: BTreeSet::new(),
            complete: true,
            operator: None,
            begun: BTreeSet::new(),
            handed: Handed::default(),
            erasures: Erasures::default(),
            ordered: Ordered::default(),
            last: None,
            sizes: cosigned.iter().map(|head| head.size).collect(),
            cosigned,
            roots: BTreeMap::new(),
            before: None,
            behind: None,
        }
    }

    /// Takes the next entry. Gives the records that it tells of: those of a commit, or none; nothing if it cannot be read.
    pub(super) fn take(
        &mut self,
        leaf: &Leaf,
        said: Said,
        signed: Signed,
        report: &mut AuditReport,
    ) -> Option<RecordSet> {
        let seq = self.edge.size();
        self.completed = self.edge.push(leaf.hash());
        if self.sizes.contains(&self.edge.size()) {
            self.roots.insert(self.edge.size(), self.edge.root());
        }
        if let Some(pinned) = self.pinned
            && pinned.size == self.edge.size()
            && pinned.root != self.edge.root()
        {
            report.findings.push(AuditFinding::Forked(pinned.size));
        }
        let key = match signed {
            Signed::By(key) => Some(key),
            Signed::Badly => {
                report.findings.push(AuditFinding::BadSignature(seq));
                None
            }
            Signed::ByStranger => {
                report.findings.push(AuditFinding::UnknownActor(seq));
                None
            }
        };
        let message = match said {
            Said::This(message) => message,
            Said::Withheld(until) => {
                report.withheld += 1;
                report.withheld_until = report.withheld_until.max(Some(until));
                if until <= Timestamp::now() {
                    report.findings.push(AuditFinding::NoticeOverdue(seq));
                }
                self.ordered.miss();
                // It tells of no record that came in: whoever says that one did finds that nobody told of it.
                return Some(RecordSet::of_headers([]));
            }
            other => {
                match other {
                    Said::Shredded => report.shredded += 1,
                    Said::Missing => report.missing += 1,
                    Said::Altered => report.findings.push(AuditFinding::Altered(seq)),
                    _ => report.findings.push(AuditFinding::Unreadable(seq)),
                }
                // Whom it named, nobody knows.
                self.complete = false;
                return None;
            }
        };
        report.opened += 1;
        if (message.log.as_str(), message.seq) != (self.origin.as_str(), seq) {
            report.findings.push(AuditFinding::Reordered(seq));
        }
        self.learn(&message);
        self.handed.learn(seq, &message, &mut report.findings);
        self.erasures.learn(seq, &message);
        self.ordered.learn((seq, &message), key, self.complete, &mut report.findings);
        report.erased += message.records.filter(|_| message.kind == Kind::Erased).map_or(0, |set| set.count);
        if let Some(key) = key
            && self.complete
            && !self.named.contains(key.as_bytes())
        {
            report.findings.push(AuditFinding::UnknownActor(seq));
        }
        if self.last.is_some_and(|last| message.time.unix_ms() < last.unix_ms() - TOLERANCE) {
            report.findings.push(AuditFinding::Backdated(seq));
        }
        self.last = self.last.max(Some(message.time));
        let here = Some((seq, message.time));
        if seq < self.clocked {
            self.before = self.before.filter(|(_, time)| *time >= message.time).or(here);
        } else {
            self.behind = self.behind.filter(|(_, time)| *time <= message.time).or(here);
        }
        report.period = Some((report.period.map_or(message.time, |(first, _)| first), message.time));
        *report.kinds.entry(message.kind.to_string()).or_default() += 1;
        match message.kind {
            Kind::SessionOpened
            | Kind::TransferAuthorised
            | Kind::OrderApproved
            | Kind::ErasureAuthorised
            | Kind::Degraded => {
                self.begun.insert(seq);
            }
            Kind::SessionClosed
            | Kind::OrderDisclosed
            | Kind::OrderFailed
            | Kind::OrderFound
            | Kind::TransferCompleted
            | Kind::TransferFailed
            | Kind::Erased
            | Kind::OutcomeUnknown
            | Kind::Recovered => {
                if let Some(began) = message.refers {
                    self.begun.remove(&began);
                }
            }
            _ => {}
        }
        let none = RecordSet::of_headers([]);
        Some(message.records.filter(|_| message.kind == Kind::Ingested).unwrap_or(none))
    }

    /// Where the next entry stands.
    pub(super) fn place(&self) -> (PublicKey, u64) {
        (self.key, self.edge.size())
    }

    /// Takes from an entry who may sign what comes after it.
    fn learn(&mut self, message: &Message) {
        let names: &[&str] = match message.kind {
            Kind::LogOpened | Kind::Restored => &["operator", "tenant-key", "writers"],
            Kind::CardChanged => &["tenant-key"],
            Kind::WriterEnrolled => &["writer"],
            _ => &[],
        };
        for name in names {
            let keys = message.details.get(*name).map_or("", String::as_str).split(' ');
            self.named.extend(keys.filter_map(public_key));
        }
        if matches!(message.kind, Kind::LogOpened | Kind::Restored) {
            let operator = message.details.get("operator").and_then(|key| public_key(key));
            self.operator = operator.and_then(|key| PublicKey::from_bytes(key).ok());
        }
        if message.kind == Kind::WriterRetired {
            let key = message.details.get("writer").and_then(|key| public_key(key));
            key.map(|key| self.named.remove(&key));
        }
    }

    pub(super) fn finish(self, note: Option<[u8; 64]>, after: Option<(u32, Succession)>, report: &mut AuditReport) {
        let there = self.edge.size();
        if there < self.size {
            report.findings.push(AuditFinding::Truncated(there));
        }
        // What goes on says of this log what is found, or else it says nothing of it.
        let after = after.filter(|(_, succession)| succession.kept == (there, self.edge.root()));
        if let Some((successor, succession)) = &after {
            self.auditor.tell_loss(succession, *successor, report);
        } else if let Some(pinned) = self.pinned.filter(|pinned| pinned.size > there) {
            report.findings.push(AuditFinding::RolledBack(pinned.size));
        }
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: there, root: self.edge.root() };
        let signed = SignedCheckpoint::from_signature(checkpoint.clone(), &self.key, note.unwrap_or([0; 64]));
        if signed.verify(&self.key).is_ok() {
            report.checkpoint = Some(checkpoint);
        } else if there == self.size && !report.findings.contains(&AuditFinding::Resigned) {
            report.findings.push(if note.is_none() { AuditFinding::Resigned } else { AuditFinding::Rewritten });
        }
        self.compare_clock(report);
        self.compare_witnesses(report);
        report.unconcluded = self.begun.into_iter().collect();
    }

    fn compare_clock(&self, report: &mut AuditReport) {
        let Some((clock, age)) = &self.auditor.clock else { return };
        self.compare_sizes(|head| head.names(clock), report);
        let seen = self.cosigned.iter().find(|head| head.size == self.clocked).and_then(|head| {
            let seconds = self.head(head)?.cosigned_by(clock).ok()??;
            Some((time(seconds)?, head.size))
        });
        report.clock = seen;
        if !seen.is_some_and(|(time, _)| is_fresh(time, *age)) {
            report.findings.push(AuditFinding::Stale);
        }
        if let Some((time, _)) = seen {
            let late = self.before.filter(|(_, said)| said.unix_ms() > time.unix_ms() + TOLERANCE);
            let early = self.behind.filter(|(_, said)| said.unix_ms() < time.unix_ms() - TOLERANCE);
            report.findings.extend([late, early].into_iter().flatten().map(|(seq, _)| AuditFinding::Backdated(seq)));
        }
    }

    fn compare_witnesses(&self, report: &mut AuditReport) {
        let Some((policy, age)) = &self.auditor.witnesses else { return };
        let Some(last) = policy.threshold().checked_sub(1) else { return };
        self.compare_sizes(|head| policy.witnesses().iter().any(|witness| head.names(witness)), report);
        let quorum = |head: &Cosigned| {
            let signed = self.head(head)?;
            let (_, seconds) = *policy.verify(&signed).ok()?.get(last)?;
            Some((time(seconds)?, head.size))
        };
        report.witnessed = self.cosigned.iter().find_map(quorum);
        if !report.witnessed.is_some_and(|(time, _)| is_fresh(time, *age)) {
            report.findings.push(AuditFinding::Unwitnessed);
        }
    }

    /// Whoever signed a larger head than there is has seen what is gone.
    fn compare_sizes(&self, signed: impl Fn(&Cosigned) -> bool, report: &mut AuditReport) {
        if let Some(head) = self.cosigned.iter().find(|head| signed(head)).filter(|head| head.size > self.edge.size()) {
            let finding = AuditFinding::RolledBack(head.size);
            if !report.findings.contains(&finding) {
                report.findings.push(finding);
            }
        }
    }

    /// A head that others signed, over the entries that are there.
    fn head(&self, cosigned: &Cosigned) -> Option<SignedCheckpoint> {
        let root = *self.roots.get(&cosigned.size)?;
        let head = Checkpoint { origin: self.origin.clone(), size: cosigned.size, root };
        let mut head = SignedCheckpoint::from_signature(head, &self.key, cosigned.note);
        cosigned.lines.iter().for_each(|(_, line)| drop(head.add_lines(line)));
        Some(head)
    }
}

/// A head that others signed: the log's signature of it, and their names and lines.
pub(super) struct Cosigned {
    pub(super) size: u64,
    pub(super) note: [u8; 64],
    pub(super) lines: Vec<(String, String)>,
}

impl Cosigned {
    fn names(&self, signer: &VerifierKey) -> bool {
        self.lines.iter().any(|(name, _)| name == signer.name())
    }
}

fn time(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_ms(i64::try_from(seconds).ok()?.checked_mul(1000)?))
}

fn is_fresh(time: Timestamp, age: Duration) -> bool {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::now().unix_ms().saturating_sub(time.unix_ms()) <= age
}

fn public_key(text: &str) -> Option<[u8; 32]> {
    crate::id::unhex(text)?.try_into().ok()
}
