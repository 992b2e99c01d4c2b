use std::collections::BTreeMap;
use std::fmt;

use crate::id::RecordId;
use crate::time::Timestamp;
use crate::tlog::Checkpoint;

/// What an audit of a ledger found and counted. Printed, it says so in sentences.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuditReport {
    /// What is wrong.
    pub findings: Vec<AuditFinding>,
    /// The head that was audited, if it is the log's own.
    pub checkpoint: Option<Checkpoint>,
    /// The size of the pinned checkpoint that it was compared with.
    pub pinned: Option<u64>,
    /// Entries whose message opened and fits its leaf.
    pub opened: u64,
    /// Entries whose message was shredded.
    pub shredded: u64,
    /// Entries that the operator withholds, as it signed, because it was ordered to.
    pub withheld: u64,
    /// Until when, the last of them.
    pub withheld_until: Option<Timestamp>,
    /// Entries whose message an export leaves out: it was shredded, or did not open, or somebody took it away.
    pub missing: u64,
    /// Records that the entries tell of and whose headers are there; nothing if they were not compared.
    pub records: Option<u64>,
    /// Records that the entries say were erased. Their headers are there, and counted in `records`.
    pub erased: u64,
    /// Entries of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// When the first and the last entry say that they were written.
    pub period: Option<(Timestamp, Timestamp)>,
    /// When the clock saw the ledger last, and how much of it.
    pub clock: Option<(Timestamp, u64)>,
    /// Since when as many witnesses as were asked for have seen the ledger, and how much of it.
    pub witnessed: Option<(Timestamp, u64)>,
    /// Entries that began something and have no outcome yet: it is going on, or its process died.
    pub unconcluded: Vec<u64>,
}

/// Something that is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditFinding {
    /// The message of an entry is not the one that its leaf was made from.
    Altered(u64),
    /// The clock saw a later head, or an entry says a time that cannot be: before the one before it, or on the other side
    /// of the clock's signature.
    Backdated(u64),
    /// An entry's signature does not verify.
    BadSignature(u64),
    /// The records that an entry let be erased are not those that the vault holds for erased by it.
    ErasureAltered(u64),
    /// What an entry gives to an authority was not let be opened, as the entries before it tell: of that order, in that
    /// revision, these records, and once.
    DisclosedWithoutApproval(u64),
    /// A file of an export is not there, or is not what belongs there.
    File(String),
    /// The log has another history than the pinned checkpoint, or that of a receipt, had at that size.
    Forked(u64),
    /// The day has passed until which an entry was to be withheld, and no notice was given.
    NoticeOverdue(u64),
    /// An entry says that something was opened under an order, and those who may had not let it be, as the entries before it
    /// tell: the order was not to be followed, or was being followed already, the tenant had not consented, or fewer custodians
    /// approved than must, or others.
    OpenedWithoutApproval(u64),
    /// A document that an entry names is not stored, or not as it was.
    PaperMissing(u64),
    /// Fewer or other records are stored than an entry tells of.
    RecordsMissing(u64),
    /// A record is stored that no entry tells of.
    RecordUntold(RecordId),
    /// The message of an entry was made for another place or log.
    Reordered(u64),
    /// The head is signed by another key than the log's, or by none.
    Resigned,
    /// An old copy of the vault was put back, and later entries are lost, as a signed entry in the log that goes on says.
    Restored {
        /// Of which generation that log is.
        successor: u32,
        /// How many entries are left.
        kept: u64,
        /// How many there had been; nothing if the operator does not know.
        had: Option<u64>,
    },
    /// The entries are not those that the head was signed over.
    Rewritten,
    /// The log is smaller than the pinned checkpoint, or one that others signed, which had that size, and no signed entry
    /// says so.
    RolledBack(u64),
    /// What an entry authorised to be sent was under no agreement that stood then, as the entries before it tell.
    SentWithoutAgreement(u64),
    /// The clock's last signature is older than was asked for, or there is none.
    Stale,
    /// The log has fewer entries than its head says: so many are there.
    Truncated(u64),
    /// Nobody knows the key that signed an entry.
    UnknownActor(u64),
    /// An entry does not open although its key is there, or is no message.
    Unreadable(u64),
    /// Fewer witnesses than were asked for have signed a head lately enough.
    Unwitnessed,
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(seq) => write!(f, "entry {seq} has another message than the one that was written"),
            Self::Backdated(seq) => write!(f, "entry {seq} says a time at which it cannot have been written"),
            Self::BadSignature(seq) => write!(f, "the signature of entry {seq} does not verify"),
            Self::ErasureAltered(seq) => {
                write!(f, "the records that entry {seq} let be erased are not those that are held for erased by it")
            }
            Self::DisclosedWithoutApproval(seq) => {
                write!(f, "nobody had let be opened what entry {seq} gives to an authority")
            }
            Self::File(name) => write!(f, "the file {name} is missing or is not what belongs there"),
            Self::Forked(size) => {
                write!(f, "the first {size} entries are not those of a head that was signed over them")
            }
            Self::NoticeOverdue(seq) => {
                write!(f, "entry {seq} is still withheld, although the day has passed until which it was to be")
            }
            Self::OpenedWithoutApproval(seq) => {
                write!(f, "what entry {seq} says was opened under an order was not let be opened by those who may")
            }
            Self::PaperMissing(seq) => write!(f, "a document that entry {seq} names is not stored as it was"),
            Self::RecordsMissing(seq) => {
                write!(f, "the records that entry {seq} tells of are not those that are stored")
            }
            Self::RecordUntold(record) => write!(f, "no entry tells of record {record}"),
            Self::Reordered(seq) => write!(f, "entry {seq} was written for another place"),
            Self::Resigned => f.write_str("the head is not signed by the log's key"),
            Self::Restored { successor, kept, had } => {
                match had {
                    Some(had) => write!(f, "of {had} entries the first {kept} are left")?,
                    None => write!(f, "the first {kept} entries are left, and nobody knows how many there had been")?,
                }
                write!(f, ": an old copy was put back, as the first entry of ledger {successor}, which goes on, says")
            }
            Self::Rewritten => f.write_str("the entries are not those that the head was signed over"),
            Self::RolledBack(size) => {
                write!(f, "the ledger had {size} entries when a head was signed, and has fewer now")
            }
            Self::Stale => f.write_str("the clock has not signed the ledger lately enough"),
            Self::Truncated(there) => write!(f, "only {there} entries are there, fewer than the head says"),
            Self::SentWithoutAgreement(seq) => {
                write!(f, "what entry {seq} let go to a third party was under no agreement that stood then")
            }
            Self::UnknownActor(seq) => write!(f, "nobody knows the key that signed entry {seq}"),
            Self::Unreadable(seq) => write!(f, "entry {seq} does not open"),
            Self::Unwitnessed => {
                f.write_str("fewer witnesses than were asked for have signed the ledger lately enough")
            }
        }
    }
}

impl AuditReport {
    /// Nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// What no audit of a ledger can know, in plain words.
    pub fn cannot_know(&self) -> Vec<String> {
        let mut limits = vec![
            "Whether a changed program read something and did not write it: the ledger has what was written."
                .to_owned(),
            "What was written after this head.".to_owned(),
        ];
        if self.pinned.is_none() && self.witnessed.is_none() {
            limits.push("Whether others are shown another history: no earlier checkpoint was compared.".to_owned());
        }
        if self.clock.is_none() {
            limits
                .push("Whether the times are true: they are the operator's, and no clock vouches for them.".to_owned());
        }
        if self.kinds.contains_key("restored") {
            limits.push("What the entries said that were lost when an old copy of the vault was put back.".to_owned());
        }
        if self.shredded > 0 {
            limits.push(format!("What the {} shredded entries said.", self.shredded));
        }
        if self.withheld > 0 {
            limits.push(format!("What the {} withheld entries say, until the tenant is told.", self.withheld));
        }
        if self.missing > 0 {
            limits.push(format!("What the {} entries without a message said, and why it is not there.", self.missing));
        }
        if self.records.is_none() {
            limits.push(
                "Whether the stored records are those that the entries tell of: they were not at hand.".to_owned(),
            );
        }
        if !self.unconcluded.is_empty() {
            limits.push(format!("What became of {} acts that have no outcome yet.", self.unconcluded.len()));
        }
        limits
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.checkpoint {
            Some(head) => {
                writeln!(f, "A ledger of {} entries: {} opened, {} shredded.", head.size, self.opened, self.shredded)?
            }
            None => writeln!(f, "A ledger without a head of its own.")?,
        }
        if let Some(until) = self.withheld_until {
            match self.withheld {
                1 => writeln!(f, "1 entry withheld until {until}.")?,
                n => writeln!(f, "{n} entries withheld, the last until {until}.")?,
            }
        }
        if let Some((first, last)) = self.period {
            writeln!(f, "From {first} to {last}.")?;
        }
        for (kind, count) in &self.kinds {
            writeln!(f, "  {count:>8}  {kind}")?;
        }
        if let Some(records) = self.records {
            writeln!(f, "{records} records are stored as the entries tell.")?;
        }
        if self.erased > 0 {
            writeln!(f, "{} records were erased.", self.erased)?;
        }
        if let Some(pinned) = self.pinned {
            writeln!(f, "Compared with a checkpoint of {pinned} entries that was pinned before.")?;
        }
        if let Some((time, size)) = self.clock {
            writeln!(f, "The clock saw {size} entries at {time}.")?;
        }
        if let Some((time, size)) = self.witnessed {
            writeln!(f, "As many witnesses as were asked for have seen {size} entries, the last of them at {time}.")?;
        }
        match &self.findings[..] {
            [] => writeln!(f, "Nothing is wrong.")?,
            findings => {
                writeln!(f, "{} findings:", findings.len())?;
                findings.iter().try_for_each(|finding| writeln!(f, "- {finding}"))?;
            }
        }
        writeln!(f, "What this cannot know:")?;
        self.cannot_know().iter().try_for_each(|limit| writeln!(f, "- {limit}"))
    }
}
