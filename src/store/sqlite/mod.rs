mod erasures;
mod order;
mod queue;
mod trees;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, ToSql, TransactionBehavior, ffi, params};

use order::{in_order, in_range};

use super::{
    ActRow, Anchor, Block, Change, CosignatureRow, EntryRow, EpochRow, ErasureRow, IdempotencyMark, Kept, LogRow,
    NewRecord, Op, Order, Outcome, PageRange, PaperRow, PermissionRow, RecordRow, Spot, StatementRows, Store,
    TenantRow, ToldRow, Which, header_digest,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId, VaultId};
use crate::index::{Drawn, Token};
use crate::key::PublicKey;
use crate::time::Timestamp;
use queue::Queue;
use trees::{Heads, Placed, Trees};

/// "strg": tells `file` and us whose database this is.
const APPLICATION_ID: i32 = 0x7374_7267;
/// One SQL file per layout, run and stamped in one transaction.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/1.sql")];
/// How long a commit waits for another process's.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections kept for readers that come and go.
const IDLE_READERS: usize = 8;
/// Numbers that documents may have been given after a copy of the database was made, with any prefix.
const NUMBERS_LOST: i64 = 10_000_000;

/// One SQLite database in WAL mode, fully synchronous, with one writing connection and a few for reading.
pub(crate) struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Connection>,
    queue: Queue,
    readers: Mutex<Vec<Connection>>,
    /// The ledgers' high-water marks: what is behind them is not appended to.
    anchor: Arc<Anchor>,
    heads: Mutex<Heads>,
    /// Set when a commit's outcome could not be learnt.
    poisoned: AtomicBool,
}

impl SqliteStore {
    /// Makes the database of a new vault.
    pub(crate) fn create(path: &Path, vault: VaultId, operator: &PublicKey) -> Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = connect(path, flags, "creating a vault's database")?;
        let made = (|| {
            // 16 KiB pages double the rate of batches of small parts.
            db.pragma_update(None, "page_size", 16_384)?;
            db.pragma_update(None, "application_id", APPLICATION_ID)?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            migrate(&mut db)?;
            let sql = "INSERT INTO vault (one, id, operator) VALUES (1, ?1, ?2)";
            db.execute(sql, params![vault.as_bytes(), operator.as_bytes()])?;
            // It writes in every ledger.
            enrol_writer(&db, operator, Timestamp::now())
        })();
        made.map_err(|e| failed(e, "creating a vault's database"))
    }

    /// Opens a vault's database and brings its layout up to date.
    pub(crate) fn open(path: &Path, anchor: Arc<Anchor>) -> Result<Self> {
        let doing = "opening a vault's database";
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = connect(path, flags, doing)?;
        let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(|e| failed(e, doing));
        let (owner, layout) = (pragma("application_id")?, pragma("user_version")?);
        if owner != APPLICATION_ID {
            return Err(Error::new(ErrorKind::Damaged, doing).because("it is no vault's database"));
        }
        if layout > MIGRATIONS.len() as i32 {
            return Err(Error::new(ErrorKind::Unsupported, doing).because(format!("its layout is {layout}")));
        }
        if layout < MIGRATIONS.len() as i32 {
            migrate(&mut db).map_err(|e| failed(e, "bringing a vault's database up to date"))?;
        }
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(db),
            queue: Queue::default(),
            readers: Mutex::default(),
            anchor,
            heads: Mutex::default(),
            poisoned: AtomicBool::new(false),
        })
    }

    fn read<T>(&self, doing: &'static str, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let idle = lock(&self.readers).pop();
        let db = match idle {
            Some(db) => db,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX, doing)?,
        };
        let read = query(&db).map_err(|e| failed(e, doing));
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(db);
        }
        read
    }

    /// Applies changes in one transaction and gives each its own result.
    fn commit_all(&self, changes: Vec<Change>) -> Vec<Result<Vec<Outcome>>> {
        let doing = "committing to a vault's database";
        let count = changes.len();
        let all = |error: &dyn Fn() -> Error| (0..count).map(|_| Err(error())).collect();
        let mut db = lock(&self.writer);
        if self.poisoned.load(Ordering::SeqCst) {
            let doing = "committing after a commit whose outcome is unknown";
            return all(&|| Error::new(ErrorKind::OutcomeUnknown, doing));
        }
        let committed = {
            let heads = lock(&self.heads);
            let mut trees = Trees::new(&self.anchor, &heads);
            apply_all(&mut db, changes, &mut trees).map(|results| (results, trees.marks()))
        };
        match committed {
            Ok((results, (marks, heads))) => {
                // The commit is durable. A crash here leaves the anchor behind it, which is where it may be.
                if !marks.is_empty() {
                    lock(&self.heads).extend(heads);
                    if self.anchor.raise(&marks).is_err() {
                        // What was committed is told; but a head that is not anchored must not be followed by others.
                        self.poisoned.store(true, Ordering::SeqCst);
                    }
                }
                results
            }
            Err(Failure { error, ambiguous }) => {
                if ambiguous {
                    self.poisoned.store(true, Ordering::SeqCst);
                }
                let kind = if ambiguous { ErrorKind::OutcomeUnknown } else { kind_of(&error) };
                all(&|| Error::new(kind, doing).because(error.to_string()))
            }
        }
    }
}

/// A transaction that did not commit, or may have.
struct Failure {
    error: rusqlite::Error,
    ambiguous: bool,
}

fn apply_all(
    db: &mut Connection,
    changes: Vec<Change>,
    trees: &mut Trees<'_>,
) -> Result<Vec<Result<Vec<Outcome>>>, Failure> {
    let clean = |error| Failure { error, ambiguous: false };
    let mut tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(clean)?;
    let alone = changes.len() == 1;
    let mut results = Vec::with_capacity(changes.len());
    // Dropped on every way out but the commit's: what was drawn for records that are not there is drawn again.
    let mut drawn = Vec::new();
    for change in changes {
        // A change that is refused leaves the others of its group alone. A savepoint copies every page that it touches,
        // so one that has no others goes without.
        let (mut own, before) = (Vec::new(), trees.before());
        let applied = if alone {
            apply_change(&tx, change, trees, &mut own)
        } else {
            let savepoint = tx.savepoint().map_err(clean)?;
            let applied = apply_change(&savepoint, change, trees, &mut own);
            applied.and_then(|outcomes| Ok(savepoint.commit().map(|()| outcomes)?))
        };
        match applied {
            Ok(_) => drawn.append(&mut own),
            // What is not committed must not be anchored either.
            Err(_) => trees.back_to(before),
        }
        match applied {
            Ok(outcomes) => results.push(Ok(outcomes)),
            Err(Refusal::Change(error)) if alone => return Ok(vec![Err(error)]),
            Err(Refusal::Change(error)) => results.push(Err(error)),
            Err(Refusal::Database(error)) => return Err(clean(error)),
        }
    }
    let notes = trees.seal(&tx).map_err(clean)?;
    // Until here nothing is on the disk that a recovery would take for committed. In the commit, a frame that could
    // not be written is missing; only a failed synchronisation leaves both outcomes possible.
    tx.commit().map_err(|error| {
        let ambiguous = match error.sqlite_error() {
            Some(e) => e.code == ErrorCode::SystemIoFailure && e.extended_code != ffi::SQLITE_IOERR_WRITE,
            None => true,
        };
        Failure { error, ambiguous }
    })?;
    drawn.into_iter().for_each(Drawn::keep);
    let told = |outcome| match outcome {
        Applied::Placed(placed) => {
            let appended = placed.map(|placed| trees.receipt(placed, &notes)).transpose()?;
            Ok(Outcome::Appended(appended.map(Box::new)))
        }
        Applied::Done(outcome) => Ok(outcome),
    };
    Ok(results.into_iter().map(|applied| applied?.into_iter().map(told).collect()).collect())
}

/// What an operation gave before the commit: an entry has its receipt only after it.
enum Applied {
    Done(Outcome),
    Placed(Option<Placed>),
}

/// Why an operation was not applied: the change asks what cannot be, or the database failed under it.
enum Refusal {
    Change(Error),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => {
                Self::Change(Error::new(ErrorKind::AlreadyExists, "adding to a vault's database").because(error))
            }
            _ => Self::Database(error),
        }
    }
}

fn apply_change(
    tx: &Connection,
    change: Change,
    trees: &mut Trees<'_>,
    drawn: &mut Vec<Drawn>,
) -> Result<Vec<Applied>, Refusal> {
    let (mut applied, mut added, mut untold) = (Vec::with_capacity(change.0.len()), Vec::new(), false);
    for op in change.0 {
        applied.push(match op {
            Op::AddRecord(record) => Applied::Done(add_record(tx, record, trees, drawn, &mut added)?),
            Op::Erase { tenant, records, deferred } => {
                erasures::begin(tx, trees.next(tx, tenant)?, tenant, &records, deferred)?;
                untold = true;
                Applied::Done(Outcome::Done)
            }
            Op::Append(append) => {
                let placed = trees.append(tx, append, &std::mem::take(&mut added))?;
                untold &= placed.is_none();
                Applied::Placed(placed)
            }
            Op::OpenLog { tenant, generation, key, follows } => {
                trees.begin(tx, tenant, generation, key, follows)?;
                Applied::Done(Outcome::Done)
            }
            op => Applied::Done(apply(tx, op, trees)?),
        });
    }
    if !added.is_empty() || untold {
        let doing = "adding or erasing records without an entry that tells of them";
        return Err(Refusal::Change(Error::new(ErrorKind::InvalidInput, doing)));
    }
    Ok(applied)
}

fn apply(tx: &Connection, op: Op, trees: &mut Trees<'_>) -> Result<Outcome, Refusal> {
    match op {
        Op::EnrolTenant { tenant, name, card, policy } => {
            tx.execute("INSERT INTO tenants (id, name) VALUES (?1, ?2)", params![tenant.as_bytes(), name])?;
            let n = tx.last_insert_rowid();
            tx.execute("INSERT INTO cards (tenant, version, bytes) VALUES (?1, 1, ?2)", params![n, card])?;
            tx.execute(
                "INSERT INTO policies (tenant, version, card, bytes) VALUES (?1, 1, 1, ?2)",
                params![n, policy],
            )?;
        }
        Op::Succeed { tenant, card, policy: (version, of, bytes) } => {
            // A version that is there already is a conflict: somebody else was faster.
            if let Some((version, bytes)) = card {
                let sql =
                    "INSERT INTO cards (tenant, version, bytes) VALUES ((SELECT n FROM tenants WHERE id = ?1), ?2, ?3)";
                tx.execute(sql, params![tenant.as_bytes(), version, bytes])?;
            }
            let sql = "INSERT INTO policies (tenant, version, card, bytes) VALUES
                ((SELECT n FROM tenants WHERE id = ?1), ?2, ?3, ?4)";
            tx.execute(sql, params![tenant.as_bytes(), version, of, bytes])?;
        }
        Op::EnrolWriter { writer, at } => enrol_writer(tx, &writer, at)?,
        Op::RetireWriter { writer, at } => {
            let sql = "UPDATE writers SET retired = ?2 WHERE key = ?1 AND retired IS NULL";
            if tx.execute(sql, params![writer.as_bytes(), at.unix_ms()])? == 0 {
                let doing = "looking up a writer that is enrolled and not retired";
                return Err(Refusal::Change(Error::new(ErrorKind::NotFound, doing)));
            }
        }
        Op::AdmitWriter { tenant, writer } => {
            let log = trees.next(tx, tenant)? >> LOG_BITS;
            let sql = "INSERT INTO admitted (log, writer) VALUES (?1, ?2)";
            tx.execute(sql, params![log, writer.as_bytes()])?;
        }
        Op::OpenEpoch { epoch, tenant, header } => {
            let sql = "INSERT INTO epochs (id, tenant, header) VALUES (?1, (SELECT n FROM tenants WHERE id = ?2), ?3)";
            tx.execute(sql, params![epoch.as_bytes(), tenant.as_bytes(), header])?;
        }
        Op::ReserveSlots { epoch, count, above, fill } => {
            // Blocks are never forgotten, so no slot is ever given twice; and where an old copy of the database was put
            // back, those that it forgot lie before `above`.
            let sql = "SELECT start + count FROM blocks ORDER BY start DESC LIMIT 1";
            let end: i64 = tx.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.unwrap_or(0);
            let start = end.max(above as i64);
            // What lies between is in no block: it comes with this one, and is swept when its epoch is over.
            let sql = "INSERT INTO blocks (start, count, epoch) VALUES (?1, ?2, (SELECT n FROM epochs WHERE id = ?3))";
            let whole = params![end, start - end + i64::from(count), epoch.as_bytes()];
            tx.prepare_cached(sql)?.execute(whole)?;
            if let Some(fill) = fill {
                // After a crash here the slots lie behind every block: the next takes them in.
                fill(start as u64).map_err(Refusal::Change)?;
            }
            return Ok(Outcome::Slots(start as u64));
        }
        Op::Permit { about, permission: PermissionRow { purpose, body } } => {
            let sql = "INSERT OR REPLACE INTO permissions (about, purpose, body) VALUES (?1, ?2, ?3)";
            tx.execute(sql, params![about, purpose, body])?;
        }
        Op::UsePermission { about, purpose } => {
            let sql = "DELETE FROM permissions WHERE about = ?1 AND purpose = ?2";
            if tx.execute(sql, params![about, purpose])? == 0 {
                let doing = "using a permission that was used, or that another took the place of";
                return Err(Refusal::Change(Error::new(ErrorKind::NotFound, doing)));
            }
        }
        Op::Forbid { about } => drop(tx.execute("DELETE FROM permissions WHERE about = ?1", [about])?),
        Op::Number { prefix, first, count } => {
            let end = first.checked_add(count).and_then(|end| i64::try_from(end).ok());
            let end = end.ok_or_else(|| Refusal::Change(Error::new(ErrorKind::TooLarge, "numbering documents")))?;
            if next_number(tx, &prefix)? != first {
                let doing = "numbering documents, some of which got their numbers meanwhile";
                return Err(Refusal::Change(Error::new(ErrorKind::AlreadyExists, doing)));
            }
            tx.execute("INSERT OR REPLACE INTO bates (prefix, next) VALUES (?1, ?2)", params![prefix, end])?;
        }
        Op::GiveBack { prefix, first, end } => {
            let sql = "UPDATE bates SET next = ?2 WHERE prefix = ?1 AND next = ?3";
            tx.execute(sql, params![prefix, first as i64, end as i64])?;
        }
        Op::Restored => {
            tx.execute("DELETE FROM permissions", [])?;
            tx.execute("INSERT OR IGNORE INTO bates (prefix, next) VALUES ('', 1)", [])?;
            let every = next_number(tx, "")? as i64;
            tx.execute("UPDATE bates SET next = max(next, ?1) + ?2", [every, NUMBERS_LOST])?;
        }
        Op::Cosign { log, row } => cosign(tx, log, row)?,
        Op::Erased { log, seq } => erasures::end(tx, at(log, seq))?,
        Op::Seen { tenant, topic, last } => {
            if trees.has_paper(tenant, topic) || last_paper(tx, tenant, topic)? != last {
                let doing = "deciding by papers when another was written meanwhile";
                return Err(Refusal::Change(Error::new(ErrorKind::AlreadyExists, doing)));
            }
        }
        Op::AddRecord(_) | Op::Append(_) | Op::Erase { .. } | Op::OpenLog { .. } => {
            unreachable!("applied by `apply_change`")
        }
    }
    Ok(Outcome::Done)
}

fn enrol_writer(db: &Connection, writer: &PublicKey, at: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO writers (key, enrolled) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    db.execute(sql, params![writer.as_bytes(), at.unix_ms()]).map(drop)
}

fn cosign(db: &Connection, log: i64, row: CosignatureRow) -> rusqlite::Result<()> {
    let CosignatureRow { size, name, time, line } = row;
    let sql = "INSERT INTO cosignatures (log, size, name, time, line) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO UPDATE SET time = excluded.time, line = excluded.line";
    db.execute(sql, params![log, size as i64, name, time as i64, line])?;
    // A witness may sign every second: of each day the last heads remain, and those that somebody signed who has not
    // signed a later one.
    let sql = "DELETE FROM cosignatures WHERE log = ?1 AND size < ?2 AND time / 86400 = ?3 / 86400
        AND size NOT IN (SELECT size FROM cosignatures WHERE log = ?1 AND size < ?2
            AND name NOT IN (SELECT name FROM cosignatures WHERE log = ?1 AND size = ?2))";
    db.execute(sql, params![log, size as i64, time as i64]).map(drop)
}

fn add_record(
    tx: &Connection,
    new: NewRecord,
    trees: &mut Trees<'_>,
    drawn: &mut Vec<Drawn>,
    added: &mut Vec<[u8; 32]>,
) -> Result<Outcome, Refusal> {
    if let Some(mark) = &new.idempotency
        && let Some(kept) = idempotent(tx, new.tenant, &mark.token)?
    {
        return if mark.is_of(&kept) {
            Ok(Outcome::Duplicate(kept.record))
        } else {
            let doing = "ingesting under an idempotency key that names another record";
            Err(Refusal::Change(Error::new(ErrorKind::IdempotencyConflict, doing)))
        };
    }
    let sql = "INSERT INTO records (id, tenant, epoch, entry, time, header, digest, head, token) VALUES
        (?1, (SELECT n FROM tenants WHERE id = ?2), (SELECT n FROM epochs WHERE id = ?3), ?4, ?5, ?6, ?7, ?8, ?9)";
    let (id, tenant, epoch, time) =
        (new.record.as_bytes(), new.tenant.as_bytes(), new.epoch.as_bytes(), new.time.unix_ms());
    let (entry, digest) = (trees.next(tx, new.tenant)?, header_digest(&new.header));
    let token = new.idempotency.map(|mark| mark.token);
    tx.prepare_cached(sql)?.execute(params![id, tenant, epoch, entry, time, new.header, digest, new.head, token])?;
    added.push(digest);
    let n = tx.last_insert_rowid();
    for (part, body) in &new.inline {
        tx.prepare_cached("INSERT INTO parts (at, body) VALUES (?1, ?2)")?.execute(params![place(n, *part), body])?;
    }
    let (tokens, own) = new.fields.draw();
    drawn.push(own);
    for token in tokens {
        let sql = "INSERT INTO tokens (epoch, token, record) VALUES ((SELECT n FROM epochs WHERE id = ?1), ?2, ?3)";
        tx.prepare_cached(sql)?.execute(params![epoch, token, n])?;
    }
    if let Some(IdempotencyMark { token, content }) = &new.idempotency {
        let sql = "INSERT INTO idempotency (tenant, token, content, record) VALUES
            ((SELECT n FROM tenants WHERE id = ?1), ?2, ?3, ?4)";
        tx.prepare_cached(sql)?.execute(params![tenant, token, content, n])?;
    }
    Ok(Outcome::Done)
}

fn idempotent(db: &Connection, tenant: TenantId, token: &[u8; 16]) -> rusqlite::Result<Option<Kept>> {
    let sql = "SELECT i.content, r.id FROM idempotency i JOIN records r ON r.n = i.record
        WHERE i.tenant = (SELECT n FROM tenants WHERE id = ?1) AND i.token = ?2";
    let kept = |row: &Row<'_>| Ok(Kept { content: row.get(0)?, record: RecordId::from_bytes(row.get(1)?) });
    db.prepare_cached(sql)?.query_row(params![tenant.as_bytes(), token], kept).optional()
}

impl Store for SqliteStore {
    fn commit(&self, change: Change) -> Result<Vec<Outcome>> {
        self.queue.commit(change, |changes| self.commit_all(changes))
    }

    fn vault(&self) -> Result<VaultId> {
        self.read("reading a vault's id", |db| {
            db.query_row("SELECT id FROM vault", [], |row| Ok(VaultId::from_bytes(row.get(0)?)))
        })
    }

    fn tenants(&self, which: Which<'_>) -> Result<Vec<TenantRow>> {
        self.read("looking tenants up", |db| {
            let (condition, bound): (_, &[&dyn ToSql]) = match &which {
                Which::All => ("", &[]),
                Which::Id(id) => ("WHERE t.id = ?1", &[id.as_bytes()]),
                Which::Name(name) => ("WHERE t.name = ?1", &[name]),
            };
            let sql = format!(
                "SELECT t.id, t.name,
                 (SELECT bytes FROM cards WHERE tenant = t.n ORDER BY version DESC LIMIT 1),
                 (SELECT bytes FROM policies WHERE tenant = t.n ORDER BY version DESC LIMIT 1)
                 FROM tenants t {condition} ORDER BY t.n"
            );
            let row = |row: &Row<'_>| {
                let tenant = TenantId::from_bytes(row.get(0)?);
                Ok(TenantRow { tenant, name: row.get(1)?, card: row.get(2)?, policy: row.get(3)? })
            };
            db.prepare_cached(&sql)?.query_map(bound, row)?.collect()
        })
    }

    fn writer_is_enrolled(&self, writer: &PublicKey) -> Result<bool> {
        self.read("looking a writer up", |db| {
            db.prepare_cached("SELECT 1 FROM writers WHERE key = ?1")?.exists([writer.as_bytes()])
        })
    }

    fn epoch(&self, epoch: EpochId) -> Result<Option<Vec<u8>>> {
        self.read("looking an epoch up", |db| {
            let sql = "SELECT header FROM epochs WHERE id = ?1";
            db.prepare_cached(sql)?.query_row([epoch.as_bytes()], |row| row.get(0)).optional()
        })
    }

    fn record(&self, tenant: TenantId, record: RecordId) -> Result<Option<RecordRow>> {
        self.read("looking a record up", |db| {
            let sql = "SELECT r.n, t.id, r.id, r.time, r.header, r.digest, r.head FROM records r JOIN tenants t ON t.n = r.tenant
                WHERE r.id = ?1 AND t.id = ?2";
            db.prepare_cached(sql)?.query_row([record.as_bytes(), tenant.as_bytes()], record_row).optional()
        })
    }

    fn page(&self, tenant: TenantId, range: &PageRange, limit: usize) -> Result<Vec<RecordRow>> {
        let columns = "n, ?1, id, time, header, digest, head";
        let rows = self.read("listing records", |db| select(db, columns, tenant, range, limit, record_row))?;
        in_range(rows, range, |row: &RecordRow| Spot { time: row.time.unix_ms(), n: row.n })
    }

    fn epochs_of(&self, tenant: TenantId) -> Result<Vec<EpochId>> {
        self.read("listing a tenant's epochs", |db| {
            let sql = "SELECT id FROM epochs WHERE tenant = (SELECT n FROM tenants WHERE id = ?1) ORDER BY n DESC";
            let row = |row: &Row<'_>| Ok(EpochId::from_bytes(row.get(0)?));
            db.prepare_cached(sql)?.query_map([tenant.as_bytes()], row)?.collect()
        })
    }

    fn find(&self, tokens: &[(EpochId, Token)]) -> Result<Vec<Option<Spot>>> {
        self.read("looking tokens up", |db| {
            let sql = "SELECT r.time, r.n FROM tokens k JOIN records r ON r.n = k.record
                WHERE k.epoch = (SELECT n FROM epochs WHERE id = ?1) AND k.token = ?2";
            let tx = db.unchecked_transaction()?;
            let mut statement = tx.prepare_cached(sql)?;
            let find = |(epoch, token): &(EpochId, Token)| {
                statement.query_row(params![epoch.as_bytes(), token], spot).optional()
            };
            tokens.iter().map(find).collect()
        })
    }

    fn spots(&self, tenant: TenantId, range: &PageRange, limit: usize) -> Result<Vec<Spot>> {
        let spots =
            self.read("listing the places of records", |db| select(db, "time, n", tenant, range, limit, spot))?;
        in_range(spots, range, |spot| *spot)
    }

    fn count(&self, tenant: TenantId, range: &PageRange) -> Result<u64> {
        self.read("counting records", |db| {
            let counted = select(db, "count(*)", tenant, range, usize::MAX, |row| row.get::<_, i64>(0))?;
            Ok(counted.first().map_or(0, |n| *n as u64))
        })
    }

    fn records(&self, tenant: TenantId, numbers: &[i64]) -> Result<Vec<Option<RecordRow>>> {
        self.read("reading records", |db| {
            let sql = "SELECT n, ?1, id, time, header, digest, head FROM records
                WHERE n = ?2 AND tenant = (SELECT n FROM tenants WHERE id = ?1)";
            // One transaction for all: each costs several locks.
            let tx = db.unchecked_transaction()?;
            let mut statement = tx.prepare_cached(sql)?;
            let mut read = |n: &i64| statement.query_row(params![tenant.as_bytes(), n], record_row).optional();
            numbers.iter().map(&mut read).collect()
        })
    }

    fn body(&self, n: i64, part: u32) -> Result<Option<Vec<u8>>> {
        self.read("reading a sealed part", |db| {
            let sql = "SELECT body FROM parts WHERE at = ?1";
            db.prepare_cached(sql)?.query_row([place(n, part)], |row| row.get(0)).optional()
        })
    }

    fn bodies(&self, parts: &[(i64, u32)]) -> Result<Vec<Option<Vec<u8>>>> {
        self.read("reading sealed parts", |db| {
            let tx = db.unchecked_transaction()?;
            let mut statement = tx.prepare_cached("SELECT body FROM parts WHERE at = ?1")?;
            let mut read =
                |(n, part): &(i64, u32)| statement.query_row([place(*n, *part)], |row| row.get(0)).optional();
            parts.iter().map(&mut read).collect()
        })
    }

    fn idempotent(&self, tenant: TenantId, token: &[u8; 16]) -> Result<Option<Kept>> {
        self.read("looking an idempotency key up", |db| idempotent(db, tenant, token))
    }

    fn erasure_of(&self, record: RecordId) -> Result<Option<ErasureRow>> {
        self.read("looking up whether a record was erased", |db| erasures::of(db, record))
    }

    fn erasure(&self, log: i64, seq: u64, n: i64, limit: usize) -> Result<Vec<ErasureRow>> {
        let rows =
            self.read("listing the records of an erasure", |db| erasures::by_entry(db, at(log, seq), n, limit))?;
        in_order(rows, n, |row: &ErasureRow| row.record.n)
    }

    fn erased(&self, before: Option<(i64, i64)>, limit: usize) -> Result<Vec<ErasureRow>> {
        self.read("listing records that were erased", |db| erasures::by_end(db, before, limit))
    }

    fn integrity(&self) -> Result<Vec<String>> {
        self.read("checking a vault's database", |db| {
            let mut found: Vec<String> =
                db.prepare("PRAGMA integrity_check")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            found.retain(|line| line != "ok");
            let dangling = |row: &Row<'_>| {
                Ok(format!(
                    "row {:?} of {} names a missing row",
                    row.get::<_, Option<i64>>(1)?,
                    row.get::<_, String>(0)?
                ))
            };
            found.extend(
                db.prepare("PRAGMA foreign_key_check")?.query_map([], dangling)?.collect::<Result<Vec<_>, _>>()?,
            );
            Ok(found)
        })
    }

    fn epochs(&self) -> Result<Vec<EpochRow>> {
        self.read("listing epochs", |db| {
            let row = |row: &Row<'_>| {
                let (epoch, tenant) = (EpochId::from_bytes(row.get(0)?), TenantId::from_bytes(row.get(1)?));
                Ok(EpochRow { epoch, tenant, header: row.get(2)? })
            };
            let sql = "SELECT e.id, t.id, e.header FROM epochs e JOIN tenants t ON t.n = e.tenant ORDER BY e.n";
            db.prepare(sql)?.query_map([], row)?.collect()
        })
    }

    fn blocks(&self) -> Result<Vec<Block>> {
        self.read("listing slot blocks", |db| {
            let row = |row: &Row<'_>| {
                let (start, count) = (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64);
                Ok(Block { start, count, epoch: EpochId::from_bytes(row.get(2)?) })
            };
            let sql = "SELECT b.start, b.count, e.id FROM blocks b JOIN epochs e ON e.n = b.epoch ORDER BY b.start";
            db.prepare(sql)?.query_map([], row)?.collect()
        })
    }

    fn last_record(&self) -> Result<i64> {
        self.read("looking for the last record", |db| {
            db.query_row("SELECT coalesce(max(n), 0) FROM records", [], |row| row.get(0))
        })
    }

    fn all_records(&self, n: i64, limit: usize) -> Result<Vec<RecordRow>> {
        let rows = self.read("listing all records", |db| {
            let sql = "SELECT r.n, t.id, r.id, r.time, r.header, r.digest, r.head FROM records r JOIN tenants t ON t.n = r.tenant
                WHERE r.n > ?1 ORDER BY r.n LIMIT ?2";
            db.prepare_cached(sql)?.query_map(params![n, limit as i64], record_row)?.collect()
        })?;
        in_order(rows, n, |row| row.n)
    }

    fn parts_of(&self, n: i64) -> Result<Vec<u32>> {
        self.read("listing a record's sealed parts", |db| {
            let sql = "SELECT at & 65535 FROM parts WHERE at >= ?1 AND at < ?2 ORDER BY at";
            db.prepare_cached(sql)?.query_map([place(n, 0), place(n + 1, 0)], |row| row.get(0))?.collect()
        })
    }

    fn orphan_parts(&self) -> Result<u64> {
        self.read("looking for sealed parts without a record", |db| {
            let sql = "SELECT count(*) FROM parts WHERE at >> 16 NOT IN (SELECT n FROM records)";
            db.query_row(sql, [], |row| row.get::<_, i64>(0).map(|n| n as u64))
        })
    }

    fn header(&self, record: RecordId) -> Result<Option<Vec<u8>>> {
        self.read("looking a record's header up", |db| {
            let sql = "SELECT header FROM records WHERE id = ?1";
            db.prepare_cached(sql)?.query_row([record.as_bytes()], |row| row.get(0)).optional()
        })
    }

    fn operator(&self) -> Result<PublicKey> {
        self.read("reading a vault's operator", |db| {
            db.query_row("SELECT operator FROM vault", [], |row| public_key(row, 0))
        })
    }

    fn statements(&self, tenant: TenantId) -> Result<StatementRows> {
        self.read("looking a tenant's statements up", |db| {
            let of = "WHERE tenant = (SELECT n FROM tenants WHERE id = ?1) ORDER BY version";
            let mut cards = db.prepare_cached(&format!("SELECT bytes FROM cards {of}"))?;
            let cards = cards.query_map([tenant.as_bytes()], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let mut policies = db.prepare_cached(&format!("SELECT card, bytes FROM policies {of}"))?;
            let policies = policies.query_map([tenant.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(StatementRows { cards, policies: policies.collect::<rusqlite::Result<_>>()? })
        })
    }

    fn versions(&self, tenant: TenantId) -> Result<(u32, u32)> {
        let doing = "looking the versions of a tenant's statements up";
        let query = |db: &Connection| {
            let sql = "SELECT (SELECT max(version) FROM cards WHERE tenant = t.n),
                (SELECT max(version) FROM policies WHERE tenant = t.n) FROM tenants t WHERE t.id = ?1";
            db.prepare_cached(sql)?.query_row([tenant.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        };
        // Asked before every commit. A reader forgets what it has read of the database when the writer commits; the writer
        // does not. Nobody waits for it.
        match self.writer.try_lock() {
            Ok(db) => query(&db).map_err(|e| failed(e, doing)),
            Err(_) => self.read(doing, query),
        }
    }

    fn writers(&self) -> Result<Vec<PublicKey>> {
        self.read("listing writers", |db| {
            db.prepare_cached("SELECT key FROM writers")?.query_map([], |row| public_key(row, 0))?.collect()
        })
    }

    fn is_admitted(&self, tenant: TenantId, writer: &PublicKey) -> Result<bool> {
        self.read("looking a writer up in a ledger", |db| {
            let sql =
                "SELECT 1 FROM admitted a JOIN writers w ON w.key = a.writer WHERE a.writer = ?2 AND w.retired IS NULL
                AND a.log = (SELECT n FROM logs WHERE tenant = (SELECT n FROM tenants WHERE id = ?1)
                             ORDER BY generation DESC LIMIT 1)";
            db.prepare_cached(sql)?.exists(params![tenant.as_bytes(), writer.as_bytes()])
        })
    }

    fn admitted(&self, log: i64) -> Result<Vec<PublicKey>> {
        self.read("listing the writers of a ledger", |db| {
            let sql = "SELECT writer FROM admitted WHERE log = ?1";
            db.prepare_cached(sql)?.query_map([log], |row| public_key(row, 0))?.collect()
        })
    }

    fn logs(&self, tenant: TenantId) -> Result<Vec<LogRow>> {
        self.read("looking a tenant's ledgers up", |db| {
            let sql = "SELECT n, generation, key, restored FROM logs
                WHERE tenant = (SELECT n FROM tenants WHERE id = ?1) ORDER BY generation";
            let mut logs = db.prepare_cached(sql)?;
            let mut last =
                db.prepare_cached("SELECT at, note FROM entries WHERE at >= ?1 AND at < ?2 ORDER BY at DESC LIMIT 1")?;
            let rows = logs.query_map([tenant.as_bytes()], |row| {
                let n = row.get(0)?;
                let bounds = [at(n, 0), at(n + 1, 0)];
                let head = last.query_row(bounds, |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).optional()?;
                let (size, note) = head.map_or((0, None), |(place, note)| ((place - bounds[0]) as u64 + 1, note));
                let (generation, restored) = (row.get(1)?, row.get(3)?);
                Ok(LogRow { n, generation, restored, key: public_key(row, 2)?, size, note })
            });
            rows?.collect()
        })
    }

    fn is_first_commit(&self, log: i64) -> Result<bool> {
        self.read("looking for the first commit of a ledger", |db| is_first_commit(db, log))
    }

    fn entries(&self, log: i64, from: u64, limit: usize) -> Result<Vec<EntryRow>> {
        let rows = self.read("reading a ledger's entries", |db| {
            let sql = "SELECT e.at, e.leaf, e.hashes, p.id, e.chain, e.slot, e.message, e.digest
                FROM entries e JOIN epochs p ON p.n = e.epoch WHERE e.at >= ?1 AND e.at < ?2 ORDER BY e.at LIMIT ?3";
            let row = |row: &Row<'_>| {
                Ok(EntryRow {
                    seq: (row.get::<_, i64>(0)? - at(log, 0)) as u64,
                    leaf: row.get(1)?,
                    hashes: row.get(2)?,
                    epoch: EpochId::from_bytes(row.get(3)?),
                    chain: row.get(4)?,
                    slot: row.get::<_, i64>(5)? as u64,
                    message: row.get(6)?,
                    digest: row.get(7)?,
                })
            };
            let bounds = params![at(log, from), at(log + 1, 0), limit as i64];
            db.prepare_cached(sql)?.query_map(bounds, row)?.collect()
        })?;
        in_order(rows, (from as i64).saturating_sub(1), |row: &EntryRow| row.seq as i64)
    }

    fn hashes(&self, log: i64, entries: &[u64]) -> Result<Vec<Option<Vec<u8>>>> {
        self.read("reading a ledger's tree", |db| {
            // One transaction for all: each costs several locks.
            let tx = db.unchecked_transaction()?;
            let mut select = tx.prepare_cached("SELECT hashes FROM entries WHERE at = ?1")?;
            let mut hashes = |entry| select.query_row([at(log, entry)], |row| row.get(0)).optional();
            entries.iter().map(|entry| hashes(*entry)).collect()
        })
    }

    fn acts(&self) -> Result<Vec<ActRow>> {
        self.read("listing acts without an outcome", |db| {
            let sql = "SELECT t.id, a.at, e.id, a.kind FROM acts a JOIN logs l ON l.n = a.at >> 40
                JOIN tenants t ON t.n = l.tenant JOIN epochs e ON e.n = a.epoch ORDER BY a.at";
            let row = |row: &Row<'_>| {
                let place: i64 = row.get(1)?;
                Ok(ActRow {
                    tenant: TenantId::from_bytes(row.get(0)?),
                    log: place >> LOG_BITS,
                    seq: (place & (at(1, 0) - 1)) as u64,
                    epoch: EpochId::from_bytes(row.get(2)?),
                    kind: row.get(3)?,
                })
            };
            db.prepare_cached(sql)?.query_map([], row)?.collect()
        })
    }

    fn papers(&self, tenant: TenantId, topic: Option<&str>, n: i64, limit: usize) -> Result<Vec<PaperRow>> {
        let rows = self.read("reading papers of a ledger's entries", |db| {
            let sql = "SELECT p.n, l.key, p.at, e.id, r.chain, r.slot, p.topic, p.about, p.body, p.digest
                FROM papers p JOIN entries r ON r.at = p.at JOIN epochs e ON e.n = r.epoch JOIN logs l ON l.n = p.at >> 40
                WHERE p.tenant = (SELECT n FROM tenants WHERE id = ?1) AND p.n > ?2 AND (?3 IS NULL OR p.topic = ?3)
                ORDER BY p.n LIMIT ?4";
            let row = |row: &Row<'_>| {
                Ok(PaperRow {
                    n: row.get(0)?,
                    at: row.get(2)?,
                    log: public_key(row, 1)?,
                    seq: (row.get::<_, i64>(2)? & (at(1, 0) - 1)) as u64,
                    epoch: EpochId::from_bytes(row.get(3)?),
                    chain: row.get(4)?,
                    slot: row.get::<_, i64>(5)? as u64,
                    topic: row.get(6)?,
                    about: row.get(7)?,
                    body: row.get(8)?,
                    digest: row.get(9)?,
                })
            };
            let bounds = params![tenant.as_bytes(), n, topic, limit as i64];
            db.prepare_cached(sql)?.query_map(bounds, row)?.collect()
        })?;
        in_order(rows, n, |row: &PaperRow| row.n)
    }

    fn last_paper(&self, tenant: TenantId, topic: &str) -> Result<i64> {
        self.read("looking up the last paper of a topic", |db| last_paper(db, tenant, topic))
    }

    fn permission(&self, about: &[u8; 16]) -> Result<Option<PermissionRow>> {
        self.read("looking a permission up", |db| {
            let sql = "SELECT purpose, body FROM permissions WHERE about = ?1";
            let row = |row: &Row<'_>| Ok(PermissionRow { purpose: row.get(0)?, body: row.get(1)? });
            db.prepare_cached(sql)?.query_row([about], row).optional()
        })
    }

    fn next_number(&self, prefix: &str) -> Result<u64> {
        self.read("looking the next number of a document up", |db| next_number(db, prefix))
    }

    fn epochs_between(&self, tenant: TenantId, (from, before): (i64, i64)) -> Result<Vec<EpochId>> {
        self.read("listing the epochs of a period", |db| {
            let sql = "SELECT id FROM epochs WHERE n IN (SELECT DISTINCT epoch FROM records
                WHERE tenant = (SELECT n FROM tenants WHERE id = ?1) AND time >= ?2 AND time < ?3) ORDER BY n";
            let row = |row: &Row<'_>| Ok(EpochId::from_bytes(row.get(0)?));
            db.prepare_cached(sql)?.query_map(params![tenant.as_bytes(), from, before], row)?.collect()
        })
    }

    fn told(&self, tenant: TenantId, n: i64, limit: usize) -> Result<Vec<ToldRow>> {
        let rows = self.read("reading what a ledger tells of", |db| {
            let sql = "SELECT n, id, entry, header FROM records
                WHERE tenant = (SELECT n FROM tenants WHERE id = ?1) AND n > ?2 ORDER BY n LIMIT ?3";
            let row = |row: &Row<'_>| {
                let place: i64 = row.get(2)?;
                let (log, seq) = (place >> LOG_BITS, (place & (at(1, 0) - 1)) as u64);
                Ok(ToldRow { n: row.get(0)?, record: RecordId::from_bytes(row.get(1)?), log, seq, header: row.get(3)? })
            };
            db.prepare_cached(sql)?.query_map(params![tenant.as_bytes(), n, limit as i64], row)?.collect()
        })?;
        in_order(rows, n, |row: &ToldRow| row.n)
    }

    fn cosignatures(&self, log: i64, size: Option<u64>) -> Result<Vec<CosignatureRow>> {
        self.read("reading cosignatures", |db| {
            let sql = "SELECT size, name, time, line FROM cosignatures WHERE log = ?1 AND size BETWEEN ?2 AND ?3
                ORDER BY size DESC, name";
            let row = |row: &Row<'_>| {
                let (size, time) = (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(2)? as u64);
                Ok(CosignatureRow { size, name: row.get(1)?, time, line: row.get(3)? })
            };
            let (from, to) = size.map_or((0, i64::MAX), |size| (size as i64, size as i64));
            db.prepare_cached(sql)?.query_map([log, from, to], row)?.collect()
        })
    }

    fn note(&self, log: i64, size: u64) -> Result<Option<[u8; 64]>> {
        let Some(last) = size.checked_sub(1) else { return Ok(None) };
        self.read("reading a ledger's signature", |db| {
            let mut select = db.prepare_cached("SELECT note FROM entries WHERE at = ?1")?;
            Ok(select.query_row([at(log, last)], |row| row.get(0)).optional()?.flatten())
        })
    }
}

/// The first number behind a prefix that nobody was given. That of no prefix is the first of all since a restore.
fn next_number(db: &Connection, prefix: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT max(next) FROM bates WHERE prefix IN (?1, '')";
    let next: Option<i64> = db.prepare_cached(sql)?.query_row([prefix], |row| row.get(0))?;
    Ok(next.map_or(1, |next| next as u64))
}

fn last_paper(db: &Connection, tenant: TenantId, topic: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT n FROM papers WHERE tenant = (SELECT n FROM tenants WHERE id = ?1) AND topic = ?2
        ORDER BY n DESC LIMIT 1";
    let last = db.prepare_cached(sql)?.query_row(params![tenant.as_bytes(), topic], |row| row.get(0));
    Ok(last.optional()?.unwrap_or(0))
}

/// Whether the entries of a log came with at most one commit: its anchor need not have a mark yet.
fn is_first_commit(db: &Connection, log: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) < 2 FROM
        (SELECT 1 FROM entries WHERE at >= ?1 AND at < ?2 AND note IS NOT NULL LIMIT 2)";
    db.prepare_cached(sql)?.query_row([at(log, 0), at(log + 1, 0)], |row| row.get(0))
}

/// Entries are numbered below 2^40 in a log, so that a log's lie together in their order.
const LOG_BITS: u32 = 40;

fn at(log: i64, seq: u64) -> i64 {
    // A size of 2^40 is out of reach: at 10,000 entries a second it takes three years.
    log << LOG_BITS | seq as i64
}

fn public_key(row: &Row<'_>, column: usize) -> rusqlite::Result<PublicKey> {
    let bytes = row.get(column)?;
    PublicKey::from_bytes(bytes)
        .map_err(|_| rusqlite::Error::InvalidColumnType(column, "key".to_owned(), rusqlite::types::Type::Blob))
}

/// Reads `columns` of the records in a range, in its order.
fn select<T>(
    db: &Connection,
    columns: &str,
    tenant: TenantId,
    range: &PageRange,
    limit: usize,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let (compare, direction) = if range.newest_first { ("<", "DESC") } else { (">", "ASC") };
    let order = match range.by {
        Order::Commit => format!("n {direction}"),
        Order::Time => format!("time {direction}, n {direction}"),
    };
    // One bound on each side of the index that is gone through: of two on one side SQLite would take the first, and
    // a row value with a constant in it would be compared row by row from the beginning.
    let (first, end) = range.times.unwrap_or((i64::MIN, i64::MAX));
    let last = range.times.map_or(i64::MAX, |_| end.saturating_sub(1));
    let (bounds, from, to) = match (range.by, range.newest_first) {
        (Order::Commit, newest_first) => {
            let outside = if newest_first { i64::MAX } else { i64::MIN };
            (format!("n {compare} ?3 AND ?2 = ?5"), (0, range.after.map_or(outside, |(_, n)| n)), 0)
        }
        (Order::Time, false) => {
            let from = range.after.unwrap_or((i64::MIN, i64::MIN)).max((first, i64::MIN));
            ("(time, n) > (?2, ?3) AND time <= ?5".to_owned(), from, last)
        }
        (Order::Time, true) => {
            let from = range.after.unwrap_or((i64::MAX, i64::MAX)).min((last, i64::MAX));
            ("(time, n) < (?2, ?3) AND time >= ?5".to_owned(), from, first)
        }
    };
    let sql = format!(
        "SELECT {columns} FROM records
         WHERE tenant = (SELECT n FROM tenants WHERE id = ?1) AND {bounds} ORDER BY {order} LIMIT ?4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let bound = params![tenant.as_bytes(), from.0, from.1, limit, to];
    db.prepare_cached(&sql)?.query_map(bound, row)?.collect()
}

fn spot(row: &Row<'_>) -> rusqlite::Result<Spot> {
    Ok(Spot { time: row.get(0)?, n: row.get(1)? })
}

fn record_row(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        n: row.get(0)?,
        tenant: TenantId::from_bytes(row.get(1)?),
        record: RecordId::from_bytes(row.get(2)?),
        time: Timestamp::from_unix_ms(row.get(3)?),
        header: row.get(4)?,
        digest: row.get(5)?,
        head: row.get(6)?,
    })
}

/// Parts are numbered below 65,536, so that a record's lie together in the order of commits.
fn place(n: i64, part: u32) -> i64 {
    n << 16 | i64::from(part)
}

fn connect(path: &Path, flags: OpenFlags, doing: &'static str) -> Result<Connection> {
    let open = || {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(PATIENCE)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // A statement whose plan could depend on what is bound to it would be planned again at every binding.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        db.pragma_update(None, "cell_size_check", true)?;
        // What a savepoint keeps is more than the 64 KiB beyond which SQLite would make a file of it.
        db.pragma_update(None, "temp_store", "MEMORY")?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.pragma_update(None, "secure_delete", true)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // 8 MiB: the inner pages of a million records.
        db.pragma_update(None, "cache_size", -8192)?;
        db.set_prepared_statement_cache_capacity(32);
        Ok(db)
    };
    open().map_err(|e| failed(e, doing))
}

fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    // Read again inside: another process may have been faster.
    let layout = tx.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))?;
    for (migration, number) in MIGRATIONS.iter().zip(1..).skip(layout as usize) {
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", number)?;
    }
    tx.commit()
}

fn failed(error: rusqlite::Error, doing: &'static str) -> Error {
    Error::new(kind_of(&error), doing).because(error)
}

fn kind_of(error: &rusqlite::Error) -> ErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ErrorKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Locked,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => ErrorKind::ReadOnly,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Damaged,
        Some(_) => ErrorKind::Io,
        // A column of another type than the layout has.
        None => ErrorKind::Damaged,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
