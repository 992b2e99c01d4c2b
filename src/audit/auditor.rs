use std::time::Duration;

use super::fold::{Cosigned, Fold, Said, Signed};
use super::log::{Entry, Reading, TenantLog};
use super::ordered::Ordered;
use super::records::Records;
use super::report::{AuditFinding, AuditReport};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{PublicKey, VerifierKeys};
use crate::ledger::{Message, Receipt, Succession};
use crate::tlog::{Leaf, Policy, SignedCheckpoint, VerifierKey};

/// Entries of an export that are judged at once, on all cores.
pub(super) const BLOCK: usize = 4096;
/// Entries of a log that all cores together judge at once. Each goes on for long: it comes to its stretch from the
/// beginning of an epoch's chain, and many signatures verify faster together.
const AHEAD: usize = 16 * 1024;
const MIN_STRETCH: usize = 1024;

/// Verifies a ledger, or a receipt from it, by what somebody outside the vault knows: the log's key, a checkpoint that he
/// kept, the keys of a clock and of witnesses. Opens nothing by itself.
#[derive(Clone, Debug)]
pub struct Auditor {
    pub(super) log: PublicKey,
    pub(super) pinned: Option<SignedCheckpoint>,
    pub(super) clock: Option<(VerifierKey, Duration)>,
    pub(super) witnesses: Option<(Policy, Duration)>,
}

impl Auditor {
    /// With the log's key.
    pub fn new(log: PublicKey) -> Self {
        Self { log, pinned: None, clock: None, witnesses: None }
    }

    /// And a checkpoint of the log that was kept from an earlier audit.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the log's key did not sign it.
    pub fn pinned(mut self, checkpoint: SignedCheckpoint) -> Result<Self> {
        checkpoint.verify(&self.log)?;
        self.pinned = Some(checkpoint);
        Ok(self)
    }

    /// And a clock whose last signature must be no older than this.
    #[must_use]
    pub fn clock(mut self, clock: VerifierKey, age: Duration) -> Self {
        self.clock = Some((clock, age));
        self
    }

    /// And witnesses, of whom as many as the policy asks for must have signed the head of every receipt, and a head of the
    /// ledger that is no older than this.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if the policy is of another log.
    pub fn witnesses(mut self, policy: Policy, age: Duration) -> Result<Self> {
        if policy.log() != self.log {
            return Err(Error::new(ErrorKind::WrongKey, "auditing a ledger under another's policy"));
        }
        self.witnesses = Some((policy, age));
        Ok(self)
    }

    /// Verifies a receipt offline, and says what the entry says.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if anything does not hold; [`Unwitnessed`](ErrorKind::Unwitnessed) if fewer
    /// witnesses have signed its head than are asked for.
    pub fn receipt(&self, receipt: &Receipt) -> Result<Message> {
        let message = receipt.verify(&self.log)?;
        if let Some((policy, _)) = &self.witnesses {
            policy.verify(&receipt.proof().checkpoint)?;
        }
        Ok(message)
    }

    /// Audits the whole of a tenant's ledger: every entry against its leaf, its place and its signature, the leaves against
    /// the head, the head against the pinned checkpoint, and the records that are stored against what the entries tell.
    ///
    /// # Errors
    /// As the database. What is wrong with the ledger is in the report.
    pub fn audit(&self, log: &TenantLog<'_>) -> Result<AuditReport> {
        let mut report =
            AuditReport { pinned: self.pinned.as_ref().map(|p| p.checkpoint().size), ..AuditReport::default() };
        // Of another log, which may go on where an old copy of ours was put back.
        let own = log.key() == self.log;
        let (before, after) = if own { (None, self.successor(log)?) } else { (log.succession(&self.log)?, None) };
        match &before {
            Some(succession) => {
                report.pinned = None;
                self.tell_loss(succession, log.generation(), &mut report);
            }
            None if !own => report.findings.push(AuditFinding::Resigned),
            None => {}
        }
        let (size, store) = (log.size(), &*log.session.room.store);
        let mut records = Records::new(store, log.session.tenant, log.stored.row.n);
        // The key that the auditor knows has said that this log, of another key, goes on.
        let key = if before.is_some() { log.key() } else { self.log };
        let mut walk = Fold::new(self, key, size, log.actors()?.clone(), cosigned(log)?);
        walk.ordered = Ordered::among(&log.session.room.statements(log.session.tenant)?.policies);
        judge_all(log, &walk.actors.clone(), |seq, Judged { leaf, said, signed }| {
            let next = seq == walk.edge.size();
            if next {
                let told = walk.take(&leaf, said, signed, &mut report);
                records.compare(seq, told, &mut report.findings)?;
            }
            Ok(next)
        })?;
        records.finish(size, &mut report.findings)?;
        report.records = Some(records.compared);
        let handed = std::mem::take(&mut walk.handed);
        handed.finish(store, log.session.tenant, &log.key(), &mut report.findings)?;
        let erasures = std::mem::take(&mut walk.erasures);
        erasures.finish(store, log.stored.row.n, &mut report.findings)?;
        walk.finish(log.stored.row.note, after, &mut report);
        Ok(report)
    }

    /// The log that goes on where an old copy of this one was put back, by its generation, and what it says of this one.
    fn successor(&self, log: &TenantLog<'_>) -> Result<Option<(u32, Succession)>> {
        for later in log.session.logs()?.iter().filter(|later| later.generation() > log.generation()) {
            if let Some(succession) = later.succession(&self.log)? {
                return Ok(Some((later.generation(), succession)));
            }
        }
        Ok(None)
    }

    /// Says what was lost, and compares that with what is pinned.
    pub(super) fn tell_loss(&self, succession: &Succession, successor: u32, report: &mut AuditReport) {
        let Succession { kept, had, .. } = succession;
        report.findings.push(AuditFinding::Restored { successor, kept: kept.0, had: had.map(|(size, _)| size) });
        let Some(pinned) = self.pinned.as_ref().map(SignedCheckpoint::checkpoint) else { return };
        for (size, root) in [Some(*kept), *had].into_iter().flatten() {
            let forked = AuditFinding::Forked(size);
            if size == pinned.size && root != pinned.root && !report.findings.contains(&forked) {
                report.findings.push(forked);
            }
        }
        // More was pinned than the operator says there had been.
        if had.is_some_and(|(size, _)| size < pinned.size) {
            report.findings.push(AuditFinding::RolledBack(pinned.size));
        }
    }
}

/// An entry as far as it can be judged by itself.
struct Judged {
    leaf: Leaf,
    said: Said,
    signed: Signed,
}

/// Judges the entries of a log and gives them to `take` in their order, until one is missing or it does not want the next.
/// All cores open entries, each at a stretch of the log, while this thread takes those that were opened before.
fn judge_all(
    log: &TenantLog<'_>,
    actors: &VerifierKeys,
    mut take: impl FnMut(u64, Judged) -> Result<bool>,
) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let stretch = (AHEAD / cores).max(MIN_STRETCH);
    std::thread::scope(|scope| {
        let begin = |at: u64| {
            let stretches = (at..log.size()).step_by(stretch).take(cores);
            stretches.map(|from| scope.spawn(move || judge(log, from, stretch, actors))).collect::<Vec<_>>()
        };
        let (mut at, mut begun) = (0, begin(0));
        while !begun.is_empty() {
            at += (cores * stretch) as u64;
            let next = begin(at);
            for thread in begun {
                let judged = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                for (seq, judged) in judged {
                    if !take(seq, judged)? {
                        return Ok(());
                    }
                }
            }
            begun = next;
        }
        Ok(())
    })
}

/// Opens a stretch of a log, and verifies its signatures together.
fn judge(log: &TenantLog<'_>, from: u64, stretch: usize, actors: &VerifierKeys) -> Result<Vec<(u64, Judged)>> {
    let (rows, mut reading) = (log.rows(from, stretch)?, Reading::default());
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        let Entry { seq, leaf, state } = log.open(row, &mut reading)?;
        opened.push((seq, Said::of(state, &leaf), leaf));
    }
    let signed = Signed::of_all(opened.iter().map(|(_, _, leaf)| leaf), actors);
    Ok(opened.into_iter().zip(signed).map(|((seq, said, leaf), signed)| (seq, Judged { leaf, said, signed })).collect())
}

/// Does something with each core's share of many things, and gives what it made in their order.
pub(super) fn on_all_cores<T: Send, U: Send>(
    all: Vec<T>,
    work: impl Fn(Vec<T>) -> Result<Vec<U>> + Sync,
) -> Result<Vec<U>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(cores).max(1);
    let (mut all, work) = (all.into_iter(), &work);
    let shares: Vec<Vec<T>> =
        std::iter::from_fn(|| Some(all.by_ref().take(share).collect::<Vec<_>>()).filter(|s| !s.is_empty())).collect();
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || work(share))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect::<Result<Vec<_>>>()
    });
    Ok(made?.into_iter().flatten().collect())
}

/// The heads of a log that others signed, the largest first, but for those that came after it was looked up.
fn cosigned(log: &TenantLog<'_>) -> Result<Vec<Cosigned>> {
    let (store, row) = (log.stored.store, &log.stored.row);
    let lines = store.cosignatures(row.n, None)?;
    // Looked up again behind the lines: a line under a larger head than this is of one that is gone.
    let size = store.logs(log.session.tenant)?.iter().find(|now| now.n == row.n).map_or(0, |now| now.size);
    let mut heads = Vec::new();
    for rows in lines.chunk_by(|a, b| a.size == b.size).filter(|rows| !(row.size + 1..=size).contains(&rows[0].size)) {
        let note = store.note(row.n, rows[0].size)?.unwrap_or([0; 64]);
        let lines = rows.iter().map(|row| (row.name.clone(), row.line.clone())).collect();
        heads.push(Cosigned { size: rows[0].size, note, lines });
    }
    Ok(heads)
}
