use std::fmt;

use crate::id::RecordId;

/// What a check found and counted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// What is wrong, each with its place.
    pub findings: Vec<Finding>,
    /// Tenants whose card and policy were verified.
    pub tenants: u64,
    /// Epoch headers that were verified.
    pub epochs: u64,
    /// Entries of the ledgers whose leaf is in the tree.
    pub entries: u64,
    /// Records whose header and sealed parts were looked at.
    pub records: u64,
    /// Records whose head has been erased.
    pub erased: u64,
    /// Sealed parts that were hashed, or opened where a key was at hand.
    pub parts: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Slots in use.
    pub slots: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The record it concerns, if it concerns one.
    pub record: Option<RecordId>,
    /// Where it is: ids, numbers and names of files.
    pub place: String,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// The database says of itself that it is not whole.
    Database,
    /// A card, policy or epoch header does not parse, does not verify or is not where it belongs.
    Statement,
    /// A record's header does not parse or is not where it belongs.
    Header,
    /// A ledger's tree or head is not what was signed, or it is behind what it was.
    Ledger,
    /// A sealed part, object or slot that a header names is not there, or is cut.
    Missing,
    /// A sealed part is not what its header says.
    Digest,
    /// A slot is named twice, or lies in no block of its record's epoch.
    Slot,
    /// A record or part does not open although its digest is right, or opens to something else than it says.
    Sealed,
    /// A record is not found by an identifier that it names.
    Index,
    /// Stored bytes that no record names, in a place that is not swept.
    Stray,
    /// What a crash left; [`Vault::sweep`](crate::Vault::sweep) removes it.
    Leftover,
}

impl CheckReport {
    /// Nothing is wrong, and no crash left anything.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Nothing is wrong but what a crash left and a sweep removes.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|f| f.kind == FindingKind::Leftover)
    }

    pub(super) fn find(&mut self, kind: FindingKind, record: Option<RecordId>, place: impl Into<String>) {
        self.findings.push(Finding { kind, record, place: place.into() });
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { findings, tenants, epochs, entries, records, erased, parts, bytes, slots } = self;
        writeln!(
            f,
            "{tenants} tenants, {epochs} epochs, {entries} ledger entries, {records} records ({erased} erased), {parts} sealed parts of {bytes} bytes, {slots} slots"
        )?;
        for finding in findings {
            writeln!(f, "{finding}")?;
        }
        let verdict = if self.is_clean() {
            "nothing found"
        } else if self.is_sound() {
            "sound; a sweep removes what a crash left"
        } else {
            "DAMAGED"
        };
        write!(f, "{verdict}")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, record, place } = self;
        write!(f, "{kind:?}: {place}")?;
        record.map_or(Ok(()), |record| write!(f, " (record {record})"))
    }
}
