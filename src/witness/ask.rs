use std::fmt;
use std::sync::{Arc, Weak};

use super::refusal::WitnessRefusal;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::ledger::{Obstacle, Outlet, Published, SinkError, SinkOptions, Source, StoredLog};
use crate::store::{CosignatureRow, LogRow};
use crate::time::Timestamp;
use crate::tlog::{
    ADD_CHECKPOINT, KeyKind, SignedCheckpoint, VerifierKey, add_checkpoint, conflict_size, consistency, root,
    verify_consistency,
};
use crate::vault::{Vault, VaultOptions};

/// Requests for one cosignature: one with what we know, one with what the witness then says, and one more if others ask it
/// at the same time.
const ATTEMPTS: usize = 3;
/// A cosignature of the newest head is asked for again when it is older than this, in seconds.
const RENEWAL: u64 = 12 * 3600;

/// Somebody on another machine who signs heads of ledgers, each time only if it continues what he saw before (C2SP
/// tlog-witness v1.0.0). Whoever believes him need not fear that others are shown another history.
///
/// A witness knows a log by its key ([`Vault::log_key`]), which his operator must be given, also of a log's successor.
pub struct Witness {
    key: VerifierKey,
    ask: Box<Ask>,
}

/// Posts a body to a path, and gives the status and the body of the answer.
type Ask = dyn FnMut(&str, &str) -> std::result::Result<(u16, Vec<u8>), SinkError> + Send;

impl Witness {
    /// Bytes of an answer, at the most.
    pub const MAX_ANSWER: usize = 128 * 1024;

    /// A witness by the key that his cosignatures are verified with, and a way to reach him: `ask` posts a body to his
    /// submission prefix followed by a path, and gives status and body of the answer. It follows no redirections, reads no
    /// more than [`MAX_ANSWER`](Self::MAX_ANSWER) bytes, and gives up after a while.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the key is not a cosigner's.
    pub fn new<A>(key: VerifierKey, ask: A) -> Result<Self>
    where
        A: FnMut(&str, &str) -> std::result::Result<(u16, Vec<u8>), SinkError> + Send + 'static,
    {
        if key.kind() != KeyKind::Cosigner {
            return Err(Error::new(ErrorKind::InvalidInput, "making a witness of a key that does not cosign"));
        }
        Ok(Self { key, ask: Box::new(ask) })
    }

    /// The key that his cosignatures are verified with.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Has the witness sign a head of a log, keeps what he signed and tells whether there is a newer one. Nothing if he need
    /// not be asked. `source` is asked for anew each time, and held while nobody is waited for.
    fn sign(
        &mut self,
        source: &dyn Fn() -> Result<Arc<Source>>,
        tenant: TenantId,
        log: i64,
        need: Need,
    ) -> Result<Option<(SignedCheckpoint, bool)>> {
        let mut old = None;
        for _ in 0..ATTEMPTS {
            let held = source()?;
            let question = Question::about(&held, tenant, log, &self.key, need, old)?;
            drop(held);
            let Some(question) = question else { return Ok(None) };
            let asked = (self.ask)(ADD_CHECKPOINT, &question.body);
            let more = question.more;
            let (status, answer) = asked.map_err(|e| Error::new(ErrorKind::Source, "reaching a witness").because(e))?;
            match question.read(status, answer, &self.key)? {
                Answer::Signed(signed) => {
                    let source = source()?;
                    source.stored(tenant, log)?.keep(&signed, &self.key)?;
                    return Ok(Some((*signed, more)));
                }
                Answer::Size(size) => old = Some(size),
            }
        }
        Err(refused(WitnessRefusal::Restless))
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({})", self.key.name())
    }
}

/// When a witness is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Always,
    /// Unless he signed the head lately.
    News,
}

/// A request, and what it was made from.
struct Question {
    old: u64,
    /// Whether there is a newer head than the one that is asked for.
    more: bool,
    head: SignedCheckpoint,
    body: String,
}

enum Answer {
    Signed(Box<SignedCheckpoint>),
    /// What the witness signed last is of this size.
    Size(u64),
}

impl Question {
    /// What to ask about a log, if there is anything: to sign its newest head, or first the newest that somebody else
    /// signed and this witness did not, so that all come to sign the same. `old` is what he says to have signed last.
    fn about(
        source: &Source,
        tenant: TenantId,
        log: i64,
        witness: &VerifierKey,
        need: Need,
        old: Option<u64>,
    ) -> Result<Option<Self>> {
        let log = source.stored(tenant, log)?;
        let (newest, lines) = (log.row.size, log.store.cosignatures(log.row.n, None)?);
        let (own, others): (Vec<_>, Vec<_>) = lines.iter().partition(|row| row.name == witness.name());
        let last = |rows: &[&CosignatureRow]| rows.first().map_or(0, |row| row.size);
        if need == Need::News && own.first().is_some_and(|row| row.size == newest && !is_old(row.time)) {
            return Ok(None);
        }
        let old = old.unwrap_or(last(&own));
        if old > newest {
            let doing = "comparing a ledger with what a witness saw of it";
            return Err(Error::new(ErrorKind::RolledBack, doing));
        }
        // The largest first: if it is not larger than what he signed, none is.
        let met = Some(last(&others)).filter(|size| (old + 1..newest).contains(size));
        let log = match met.map(|size| log.at(size)).transpose()?.flatten() {
            Some(older) => older,
            None => log,
        };
        let more = log.row.size < newest;
        Self::from(&log, old, more).map(Some)
    }

    fn from(log: &StoredLog<'_>, old: u64, more: bool) -> Result<Self> {
        let LogRow { size, key, note, .. } = &log.row;
        let head = log.checkpoint()?;
        let root_now = head.verify(key)?.root;
        let proof = consistency(old, *size, log)?;
        // It leads from our own past to our own head. A witness who refuses it has seen another past.
        verify_consistency(old, &root(old, log)?, *size, &root_now, &proof)?;
        // His own lines and others' are nothing to him.
        let bare = SignedCheckpoint::from_signature(head.checkpoint().clone(), key, note.unwrap_or([0; 64]));
        Ok(Self { old, more, body: add_checkpoint(old, &proof, &bare), head })
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// `Forked` if the witness saw another history; `Tampered` if there is no line of his that verifies; else as he refuses.
    fn read(self, status: u16, answer: Vec<u8>, witness: &VerifierKey) -> Result<Answer> {
        if answer.len() > Witness::MAX_ANSWER {
            return Err(Error::new(ErrorKind::TooLarge, "reading a witness's answer"));
        }
        let Self { old, more: _, mut head, body: _ } = self;
        let forked = || Error::new(ErrorKind::Forked, "comparing a ledger with what a witness saw of it");
        let unreadable = || refused(WitnessRefusal::Unreadable(status));
        match status {
            200 => {
                let lines = String::from_utf8(answer).map_err(|_| unreadable())?;
                head.take_cosignature(&lines, witness).map_err(|e| match e.kind() {
                    ErrorKind::InvalidInput => unreadable(),
                    _ => e,
                })?;
                Ok(Answer::Signed(Box::new(head)))
            }
            409 => match std::str::from_utf8(&answer).ok().and_then(conflict_size) {
                // He was asked from there: of that size he has another root.
                Some(size) if size == old => Err(forked()),
                Some(size) => Ok(Answer::Size(size)),
                // Of the same size no other size is to be told.
                None if old == head.checkpoint().size => Err(forked()),
                None => Err(unreadable()),
            },
            422 => Err(forked()),
            _ => Err(refused(WitnessRefusal::of(status))),
        }
    }
}

fn is_old(seconds: u64) -> bool {
    let now = Timestamp::now().unix_ms().max(0) as u64 / 1000;
    now.saturating_sub(seconds) > RENEWAL
}

fn refused(why: WitnessRefusal) -> Error {
    Error::new(ErrorKind::Refused, "asking a witness to sign").because(why)
}

impl Vault {
    /// Has a witness sign the head of a tenant's open log, keeps his line and gives the head with it. Where other
    /// cosigners have signed a head that he has not, he is asked for that one, so that all come to sign the same.
    ///
    /// Nothing waits for this but the caller. See [`VaultOptions::witness`] for one who is asked beside all work.
    ///
    /// # Errors
    /// [`Forked`](ErrorKind::Forked) if the witness saw another history of the log; [`RolledBack`](ErrorKind::RolledBack) if
    /// he saw more of it than there is, or it is behind its mark; [`Refused`](ErrorKind::Refused) with a
    /// [`WitnessRefusal`] if he does not sign; [`Tampered`](ErrorKind::Tampered) if what he signed does not verify;
    /// [`TooLarge`](ErrorKind::TooLarge) if his answer is; [`Source`](ErrorKind::Source) if he could not be reached; else as
    /// the database.
    pub fn witness(&self, tenant: TenantId, witness: &mut Witness) -> Result<SignedCheckpoint> {
        let (log, source) = (self.open_log(tenant)?.row.n, self.ledger()?.source());
        let signed = witness.sign(&|| Ok(Arc::clone(source)), tenant, log, Need::Always)?;
        // He is asked always.
        let (signed, _) = signed.ok_or_else(|| Error::new(ErrorKind::Unwitnessed, "asking a witness to sign"))?;
        // The sinks are given the line as well.
        self.ledger()?.publish(tenant);
        Ok(signed)
    }
}

impl VaultOptions {
    /// Has a witness sign the heads of the ledgers, from now on and beside all work, as a [sink](Self::sink) is given them: a
    /// commit never waits for him, what he refuses is tried again, and [`Vault::sinks`] says how far he is and why. What he
    /// signed is kept, and given to the sinks.
    ///
    /// A log that has a successor is brought to him once more if he signed it before. An idle one is brought to him again by
    /// [`Vault::publish`], when his line is older than twelve hours.
    #[must_use]
    pub fn witness(self, options: impl Into<SinkOptions>, witness: Witness) -> Self {
        self.outlet(options.into(), Box::new(witness))
    }
}

impl Outlet for Witness {
    fn publish(&mut self, tenant: TenantId, source: &Weak<Source>) -> Published {
        let mut done = Published::default();
        let Some(held) = source.upgrade() else { return done };
        let logs = match self.known(tenant, &held) {
            Ok(logs) => logs,
            Err(e) => return done.kept(Obstacle::Unread(Arc::new(e))),
        };
        drop(held);
        let gone = || Error::new(ErrorKind::NotFound, "publishing a vault's heads after it was closed");
        for log in logs {
            match self.sign(&|| source.upgrade().ok_or_else(gone), tenant, log, Need::News) {
                Ok(None) => {}
                Ok(Some((_, more))) => {
                    done.count += 1;
                    done.signed = true;
                    done.more |= more;
                }
                Err(e) => done = done.kept(Obstacle::Refused(Arc::new(e))),
            }
        }
        done
    }
}

impl Witness {
    /// The logs that he is asked about: the open one, and before it those that he knows.
    fn known(&self, tenant: TenantId, source: &Source) -> Result<Vec<i64>> {
        let mut logs: Vec<i64> = source.logs(tenant)?.iter().map(|row| row.n).collect();
        let open = logs.pop();
        let mut known = Vec::new();
        for log in logs {
            let lines = source.room.store.cosignatures(log, None)?;
            if lines.iter().any(|row| row.name == self.key.name()) {
                known.push(log);
            }
        }
        Ok(known.into_iter().chain(open).collect())
    }
}
