//! The three stores, cut by what they promise: [`Store`] keeps rows that must agree, [`Objects`] bytes that must last,
//! [`Slots`] bytes that must die.

mod anchor;
mod entry;
mod lease;
mod objects;
mod reserve;
mod slots;
mod sqlite;

pub(crate) use anchor::{Anchor, End, Mark};
pub(crate) use entry::{Act, Append, Appended, LogKeys, Make, NewEntry, NewPaper, Position};
pub(crate) use lease::{Lease, Leases};
pub(crate) use objects::{FileObjects, Found, ObjectName, ObjectWriter, Objects};
pub(crate) use reserve::Reserve;
pub(crate) use slots::{FileSlots, SLOT, Slot, Slots};
pub(crate) use sqlite::SqliteStore;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId, VaultId};
use crate::index::{Fields, Token};
use crate::key::PublicKey;
use crate::record::RecordHeader;
use crate::time::Timestamp;

/// A sealed part of at most so many bytes is stored in the database, a larger one as an object.
pub(crate) const MAX_INLINE: u64 = 64 * 1024;

/// Rows that must agree.
///
/// Serializable; [`commit`](Self::commit) is atomic and durable when it returns. Readers see whole commits only.
pub(crate) trait Store: Send + Sync {
    /// Applies a change whole or not at all. Concurrent changes may share one synchronisation of the disk.
    ///
    /// # Errors
    /// `OutcomeUnknown` if it cannot be told whether it was applied: the store then refuses every further commit. With
    /// any other error nothing was applied.
    fn commit(&self, change: Change) -> Result<Vec<Outcome>>;

    fn vault(&self) -> Result<VaultId>;
    fn tenants(&self, which: Which<'_>) -> Result<Vec<TenantRow>>;
    fn writer_is_enrolled(&self, writer: &PublicKey) -> Result<bool>;
    fn epoch(&self, epoch: EpochId) -> Result<Option<Vec<u8>>>;
    fn record(&self, tenant: TenantId, record: RecordId) -> Result<Option<RecordRow>>;
    /// At most `limit` records of a tenant behind a place in an order.
    fn page(&self, tenant: TenantId, range: &PageRange, limit: usize) -> Result<Vec<RecordRow>>;
    /// Ids of a tenant's epochs, the newest first.
    fn epochs_of(&self, tenant: TenantId) -> Result<Vec<EpochId>>;
    /// Where the records that have these tokens stand in the order of their times.
    fn find(&self, tokens: &[(EpochId, Token)]) -> Result<Vec<Option<Spot>>>;
    /// At most `limit` places of records behind a place in an order.
    fn spots(&self, tenant: TenantId, range: &PageRange, limit: usize) -> Result<Vec<Spot>>;
    /// How many records there are behind a place in an order.
    fn count(&self, tenant: TenantId, range: &PageRange) -> Result<u64>;
    /// The records of a tenant that have these numbers.
    fn records(&self, tenant: TenantId, numbers: &[i64]) -> Result<Vec<Option<RecordRow>>>;
    /// A part stored inline.
    fn body(&self, n: i64, part: u32) -> Result<Option<Vec<u8>>>;
    /// Many of them.
    fn bodies(&self, parts: &[(i64, u32)]) -> Result<Vec<Option<Vec<u8>>>>;
    /// What is kept under an idempotency token.
    fn idempotent(&self, tenant: TenantId, token: &[u8; 16]) -> Result<Option<Kept>>;
    /// What was said of a record's erasure.
    fn erasure_of(&self, record: RecordId) -> Result<Option<ErasureRow>>;
    /// At most `limit` records behind number `n` that an entry says are to be erased, whether they are by now or not.
    fn erasure(&self, log: i64, seq: u64, n: i64, limit: usize) -> Result<Vec<ErasureRow>>;
    /// At most `limit` records whose slots were zeroed, before a place in that order: those that were last come first.
    fn erased(&self, before: Option<(i64, i64)>, limit: usize) -> Result<Vec<ErasureRow>>;

    /// Complaints of the database about itself.
    fn integrity(&self) -> Result<Vec<String>>;
    fn epochs(&self) -> Result<Vec<EpochRow>>;
    fn blocks(&self) -> Result<Vec<Block>>;
    /// The number of the last record committed so far.
    fn last_record(&self) -> Result<i64>;
    /// At most `limit` records of all tenants behind `n`.
    fn all_records(&self, n: i64, limit: usize) -> Result<Vec<RecordRow>>;
    /// The numbers of a record's inline parts.
    fn parts_of(&self, n: i64) -> Result<Vec<u32>>;
    /// How many inline parts have no record.
    fn orphan_parts(&self) -> Result<u64>;
    /// The header of a record of any tenant.
    fn header(&self, record: RecordId) -> Result<Option<Vec<u8>>>;

    /// The key that checks what the vault's operator signs.
    fn operator(&self) -> Result<PublicKey>;
    /// All cards and policies that a tenant had, in the order of their versions.
    fn statements(&self, tenant: TenantId) -> Result<StatementRows>;
    /// The versions of the card and policy in force.
    fn versions(&self, tenant: TenantId) -> Result<(u32, u32)>;
    fn writers(&self) -> Result<Vec<PublicKey>>;
    /// Whether a tenant's open log has an entry of a writer that is not retired.
    fn is_admitted(&self, tenant: TenantId, writer: &PublicKey) -> Result<bool>;
    /// Writers that a log has an entry of.
    fn admitted(&self, log: i64) -> Result<Vec<PublicKey>>;
    /// A tenant's logs, the oldest first.
    fn logs(&self, tenant: TenantId) -> Result<Vec<LogRow>>;
    /// Whether a log's entries came with at most one commit, so that it need not have a mark yet.
    fn is_first_commit(&self, log: i64) -> Result<bool>;
    /// At most `limit` entries of a log from number `from` on.
    fn entries(&self, log: i64, from: u64, limit: usize) -> Result<Vec<EntryRow>>;
    /// The hashes that entries of a log complete.
    fn hashes(&self, log: i64, entries: &[u64]) -> Result<Vec<Option<Vec<u8>>>>;
    /// What was begun and not concluded.
    fn acts(&self) -> Result<Vec<ActRow>>;
    /// At most `limit` headers of a tenant's records behind number `n`, as the ledger knows them.
    fn told(&self, tenant: TenantId, n: i64, limit: usize) -> Result<Vec<ToldRow>>;
    /// At most `limit` papers of a tenant behind paper `n`, of one topic or of all.
    fn papers(&self, tenant: TenantId, topic: Option<&str>, n: i64, limit: usize) -> Result<Vec<PaperRow>>;
    /// The number of the last paper of a topic, 0 if there is none.
    fn last_paper(&self, tenant: TenantId, topic: &str) -> Result<i64>;
    /// The permission to open something once, if it was not used.
    fn permission(&self, about: &[u8; 16]) -> Result<Option<PermissionRow>>;
    /// The first number behind a prefix that no document was given.
    fn next_number(&self, prefix: &str) -> Result<u64>;
    /// The epochs of a tenant's records whose times lie in a period, from and before.
    fn epochs_between(&self, tenant: TenantId, times: (i64, i64)) -> Result<Vec<EpochId>>;
    /// Lines that others signed under checkpoints of a log, or under that of one size, the largest first.
    fn cosignatures(&self, log: i64, size: Option<u64>) -> Result<Vec<CosignatureRow>>;
    /// The log's signature of its checkpoint of a size, if a commit ended there.
    fn note(&self, log: i64, size: u64) -> Result<Option<[u8; 64]>>;
}

/// Operations that are committed together.
#[derive(Default)]
pub(crate) struct Change(pub(crate) Vec<Op>);

/// One row's worth of change.
pub(crate) enum Op {
    EnrolTenant {
        tenant: TenantId,
        name: String,
        card: Vec<u8>,
        policy: Vec<u8>,
    },
    /// Puts the next versions of a tenant's card and policy in force; a card never without a policy that its key signed.
    Succeed {
        tenant: TenantId,
        card: Option<(u32, Vec<u8>)>,
        policy: (u32, u32, Vec<u8>),
    },
    EnrolWriter {
        writer: PublicKey,
        at: Timestamp,
    },
    RetireWriter {
        writer: PublicKey,
        at: Timestamp,
    },
    /// Begins a tenant's next log. Writers of the one before are admitted to it.
    OpenLog {
        tenant: TenantId,
        generation: u32,
        key: PublicKey,
        follows: Follows,
    },
    /// Lets a writer write in a tenant's open log.
    AdmitWriter {
        tenant: TenantId,
        writer: PublicKey,
    },
    OpenEpoch {
        epoch: EpochId,
        tenant: TenantId,
        header: Vec<u8>,
    },
    /// Gives the number of the first of `count` slots that nobody else has or had, none of them before number `above`,
    /// where the slots end that were ever written. `fill` writes them while nobody else can reserve any.
    ReserveSlots {
        epoch: EpochId,
        count: u32,
        above: u64,
        fill: Option<Fill>,
    },
    /// Needs an [`Append`](Self::Append) behind it: no record without an entry that tells of it.
    AddRecord(NewRecord),
    /// Notes that records are to be erased: those of these numbers, which the tenant has. Needs an
    /// [`Append`](Self::Append) behind it, of the entry that says so. `deferred` is the place of one that put it off.
    /// Refused with `AlreadyExists` if one of them is to be erased already.
    Erase {
        tenant: TenantId,
        records: Vec<i64>,
        deferred: Option<i64>,
    },
    /// Notes that the slots are zeros of all records that an entry says are to be erased, and removes what is stored of
    /// these in the database.
    Erased {
        log: i64,
        seq: u64,
    },
    /// Refused with `AlreadyExists` if a paper of that topic is stored, or is about to be, that is not the one that was
    /// seen last: whoever decides by papers must not miss one.
    Seen {
        tenant: TenantId,
        topic: &'static str,
        last: i64,
    },
    /// Adds an entry to a tenant's open log.
    Append(Append),
    /// Permits to open something once, instead of what was permitted about it before.
    Permit {
        about: [u8; 16],
        permission: PermissionRow,
    },
    /// Uses the permission about something that is for that purpose. Refused if it is not there.
    UsePermission {
        about: [u8; 16],
        purpose: [u8; 32],
    },
    /// Takes back what was permitted about something, if anything was.
    Forbid {
        about: [u8; 16],
    },
    /// Gives `count` documents the numbers from `first` on. Refused if somebody else was given one of them.
    Number {
        prefix: String,
        first: u64,
        count: u64,
    },
    /// Gives back the numbers from `first` to before `end`, which no document bears, if nobody was given one behind them.
    GiveBack {
        prefix: String,
        first: u64,
        end: u64,
    },
    /// An old copy of the database was put back. Takes every permission back, one of which may have been used since, and
    /// goes on with numbers of documents that nobody was given since.
    Restored,
    /// Adds a line that somebody else signed under a checkpoint.
    Cosign {
        log: i64,
        row: CosignatureRow,
    },
}

/// What a log begins after. Refused if the tenant's open log is another by then.
#[derive(Clone, Copy)]
pub(crate) enum Follows {
    /// No log.
    Nothing,
    /// Logs of which the database knows nothing any more.
    Forgotten,
    /// The open log, of that generation, which may be appended to until then.
    Open(u32),
    /// The open log, of that generation and size, to which nothing may be appended: an old copy of it was put back.
    Ended(u32, u64),
}

/// Is told the first of the slots that were reserved.
pub(crate) type Fill = Box<dyn FnOnce(u64) -> Result<()> + Send>;

/// What an operation gave.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    Slots(u64),
    /// Nothing if the entry had nothing to tell.
    Appended(Option<Box<Appended>>),
    /// The record was there already, under the same idempotency token and content; nothing was added.
    Duplicate(RecordId),
}

pub(crate) struct NewRecord {
    pub(crate) record: RecordId,
    pub(crate) tenant: TenantId,
    pub(crate) epoch: EpochId,
    pub(crate) time: Timestamp,
    pub(crate) header: Vec<u8>,
    pub(crate) head: Vec<u8>,
    pub(crate) inline: Vec<(u32, Vec<u8>)>,
    pub(crate) idempotency: Option<IdempotencyMark>,
    pub(crate) fields: Fields,
}

/// A producer's idempotency key and what it named, as nobody without the writer's secret can compute them.
#[derive(Clone, Copy)]
pub(crate) struct IdempotencyMark {
    pub(crate) token: [u8; 16],
    pub(crate) content: [u8; 16],
}

impl IdempotencyMark {
    /// Whether this is the record that was kept: of one that was erased nobody can tell, and it does not come back.
    pub(crate) fn is_of(&self, kept: &Kept) -> bool {
        kept.content.is_none_or(|content| content == self.content)
    }
}

/// What is kept under an idempotency token: the mark of its content, unless it was erased, and its record.
pub(crate) struct Kept {
    pub(crate) content: Option<[u8; 16]>,
    pub(crate) record: RecordId,
}

/// A record that is to be erased, or was, without its head.
pub(crate) struct ErasureRow {
    pub(crate) record: RecordRow,
    /// The entry that says so.
    pub(crate) log: i64,
    pub(crate) seq: u64,
    /// The place of the entry that had put it off.
    pub(crate) deferred: Option<(i64, u64)>,
    /// Its place in the order in which the slots were zeroed, if they were.
    pub(crate) done: Option<(i64, i64)>,
}

/// Which tenants to look up.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    All,
    Id(TenantId),
    Name(&'a str),
}

pub(crate) struct TenantRow {
    pub(crate) tenant: TenantId,
    pub(crate) name: String,
    pub(crate) card: Vec<u8>,
    pub(crate) policy: Vec<u8>,
}

pub(crate) struct StatementRows {
    pub(crate) cards: Vec<Vec<u8>>,
    /// Each with the version of the card whose key signed it.
    pub(crate) policies: Vec<(u32, Vec<u8>)>,
}

pub(crate) struct LogRow {
    pub(crate) n: i64,
    pub(crate) generation: u32,
    /// It goes on where an old copy of the log before it was put back.
    pub(crate) restored: bool,
    pub(crate) key: PublicKey,
    pub(crate) size: u64,
    /// The signature of the checkpoint at that size.
    pub(crate) note: Option<[u8; 64]>,
}

pub(crate) struct EntryRow {
    pub(crate) seq: u64,
    pub(crate) leaf: [u8; 128],
    pub(crate) hashes: Vec<u8>,
    pub(crate) epoch: EpochId,
    pub(crate) chain: u32,
    pub(crate) slot: u64,
    pub(crate) message: Vec<u8>,
    pub(crate) digest: [u8; 8],
}

impl EntryRow {
    /// Whether the row is as it was stored, as far as one without a key can tell.
    pub(crate) fn is_whole(&self) -> bool {
        self.digest == entry_digest(&self.leaf, self.chain, self.slot, &self.message)
    }
}

/// What the row of an entry keeps beside it.
pub(crate) fn entry_digest(leaf: &[u8; 128], chain: u32, slot: u64, message: &[u8]) -> [u8; 8] {
    let hash = Sha256::new_with_prefix(leaf).chain_update(chain.to_be_bytes()).chain_update(slot.to_be_bytes());
    let mut digest = [0; 8];
    digest.copy_from_slice(&hash.chain_update(message).finalize()[..8]);
    digest
}

/// Somebody's line under a checkpoint, with the line feed that ends it, its signer's name, and the size of the checkpoint.
pub(crate) struct CosignatureRow {
    pub(crate) size: u64,
    pub(crate) name: String,
    /// Seconds since 1970.
    pub(crate) time: u64,
    pub(crate) line: String,
}

pub(crate) struct ActRow {
    pub(crate) tenant: TenantId,
    pub(crate) log: i64,
    pub(crate) seq: u64,
    pub(crate) epoch: EpochId,
    pub(crate) kind: String,
}

/// What may open something once.
pub(crate) struct PermissionRow {
    pub(crate) purpose: [u8; 32],
    pub(crate) body: Vec<u8>,
}

/// A sealed document, and the entry that speaks of it.
pub(crate) struct PaperRow {
    pub(crate) n: i64,
    /// Where the entry stands among all: larger for later ones of a tenant.
    pub(crate) at: i64,
    pub(crate) log: PublicKey,
    pub(crate) seq: u64,
    pub(crate) epoch: EpochId,
    pub(crate) chain: u32,
    pub(crate) slot: u64,
    pub(crate) topic: String,
    pub(crate) about: Option<[u8; 16]>,
    pub(crate) body: Vec<u8>,
    pub(crate) digest: [u8; 8],
}

impl PaperRow {
    /// Whether the row is as it was stored, as far as one without a key can tell.
    pub(crate) fn is_whole(&self) -> bool {
        self.digest == paper_digest(&self.topic, self.about, &self.body)
    }
}

/// What the row of a paper keeps beside it.
pub(crate) fn paper_digest(topic: &str, about: Option<[u8; 16]>, body: &[u8]) -> [u8; 8] {
    let about = about.as_ref().map_or(&[][..], |about| about);
    let mut digest = [0; 8];
    digest.copy_from_slice(&Sha256::new_with_prefix(topic).chain_update(about).chain_update(body).finalize()[..8]);
    digest
}

/// A record as an audit compares it with the ledger.
pub(crate) struct ToldRow {
    pub(crate) n: i64,
    pub(crate) record: RecordId,
    pub(crate) log: i64,
    pub(crate) seq: u64,
    pub(crate) header: Vec<u8>,
}

pub(crate) struct RecordRow {
    pub(crate) n: i64,
    pub(crate) tenant: TenantId,
    pub(crate) record: RecordId,
    pub(crate) time: Timestamp,
    header: Vec<u8>,
    digest: [u8; 32],
    pub(crate) head: Vec<u8>,
}

impl RecordRow {
    /// The header, if it is the one that was stored, in the row and the vault that it names.
    pub(crate) fn header(&self, vault: VaultId) -> Result<RecordHeader> {
        let misplaced = || Error::new(ErrorKind::Tampered, "placing a record");
        if header_digest(&self.header) != self.digest {
            return Err(misplaced());
        }
        let header = RecordHeader::from_bytes(&self.header)?;
        let place = (header.vault, header.tenant, header.record, header.time);
        if place == (vault, self.tenant, self.record, self.time) { Ok(header) } else { Err(misplaced()) }
    }
}

/// What the row keeps beside a header, and a ledger's entry counts.
pub(crate) fn header_digest(header: &[u8]) -> [u8; 32] {
    Sha256::digest(header).into()
}

pub(crate) struct EpochRow {
    pub(crate) epoch: EpochId,
    pub(crate) tenant: TenantId,
    pub(crate) header: Vec<u8>,
}

pub(crate) struct Block {
    pub(crate) start: u64,
    pub(crate) count: u64,
    pub(crate) epoch: EpochId,
}

/// Which records a page holds, and in what order: those behind the place `after`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRange {
    pub(crate) by: Order,
    pub(crate) newest_first: bool,
    pub(crate) after: Option<(i64, i64)>,
    /// Times from and before, for [`Order::Time`]; commit numbers are not bounded.
    pub(crate) times: Option<(i64, i64)>,
}

/// Where a record stands: its time and its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Spot {
    pub(crate) time: i64,
    pub(crate) n: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Commit,
    Time,
}
