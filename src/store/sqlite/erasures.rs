//! What is to be erased, and what was.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::{LOG_BITS, Refusal, at, place, record_row};
use crate::error::{Error, ErrorKind};
use crate::id::{RecordId, TenantId};
use crate::store::{ErasureRow, RecordRow};

/// What an erasure is read as. The head is not: it may be long, and is opened by nobody any more.
const COLUMNS: &str = "r.n, t.id, r.id, r.time, r.header, r.digest, x'', e.at, e.deferred, e.done
    FROM erasures e JOIN records r ON r.n = e.record JOIN tenants t ON t.n = r.tenant";

/// Notes what is to be erased, as the entry at a place will say.
pub(super) fn begin(
    tx: &Connection,
    entry: i64,
    tenant: TenantId,
    records: &[i64],
    deferred: Option<i64>,
) -> Result<(), Refusal> {
    let sql = "INSERT INTO erasures (record, at, deferred) SELECT n, ?2, ?3 FROM records
        WHERE n = ?1 AND tenant = (SELECT n FROM tenants WHERE id = ?4)";
    let mut insert = tx.prepare_cached(sql)?;
    for record in records {
        if insert.execute(params![record, entry, deferred, tenant.as_bytes()])? == 0 {
            let doing = "looking up a record that is to be erased";
            return Err(Refusal::Change(Error::new(ErrorKind::NotFound, doing)));
        }
    }
    Ok(())
}

/// Removes what is left of records whose slots are zeros. Their rows stay: the ledger counts on their headers, and lookups
/// on their tokens.
pub(super) fn end(tx: &Connection, entry: i64) -> Result<(), Refusal> {
    let mut select = tx.prepare_cached("SELECT record FROM erasures WHERE at = ?1")?;
    let records: Vec<i64> = select.query_map([entry], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for n in records {
        let bodies = [place(n, 0), place(n + 1, 0)];
        tx.prepare_cached("DELETE FROM parts WHERE at >= ?1 AND at < ?2")?.execute(bodies)?;
        // What the record held could be guessed against it, by a writer.
        let sql = "UPDATE idempotency SET content = NULL
            WHERE (tenant, token) = (SELECT tenant, token FROM records WHERE n = ?1)";
        tx.prepare_cached(sql)?.execute([n])?;
        tx.prepare_cached("UPDATE records SET head = x'' WHERE n = ?1")?.execute([n])?;
    }
    let sql = "UPDATE erasures SET done = (SELECT coalesce(max(done), 0) + 1 FROM erasures WHERE done IS NOT NULL)
        WHERE at = ?1 AND done IS NULL";
    tx.prepare_cached(sql)?.execute([entry])?;
    Ok(())
}

pub(super) fn of(db: &Connection, record: RecordId) -> rusqlite::Result<Option<ErasureRow>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} WHERE r.id = ?1"))?.query_row([record.as_bytes()], row).optional()
}

pub(super) fn by_entry(db: &Connection, entry: i64, n: i64, limit: usize) -> rusqlite::Result<Vec<ErasureRow>> {
    all(db, "WHERE e.at = ?1 AND e.record > ?2 ORDER BY e.record LIMIT ?3", params![entry, n, limit as i64])
}

pub(super) fn by_end(db: &Connection, before: Option<(i64, i64)>, limit: usize) -> rusqlite::Result<Vec<ErasureRow>> {
    let (done, record) = before.unwrap_or((i64::MAX, i64::MAX));
    let condition = "WHERE e.done IS NOT NULL AND (e.done, e.record) < (?1, ?2)
        ORDER BY e.done DESC, e.record DESC LIMIT ?3";
    all(db, condition, params![done, record, limit as i64])
}

fn all(db: &Connection, condition: &str, bound: &[&dyn ToSql]) -> rusqlite::Result<Vec<ErasureRow>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} {condition}"))?.query_map(bound, row)?.collect()
}

fn row(row: &Row<'_>) -> rusqlite::Result<ErasureRow> {
    let split = |place: i64| (place >> LOG_BITS, (place & (at(1, 0) - 1)) as u64);
    let record: RecordRow = record_row(row)?;
    let (log, seq) = split(row.get(7)?);
    let deferred = row.get::<_, Option<i64>>(8)?.map(split);
    let done = row.get::<_, Option<i64>>(9)?.map(|done| (done, record.n));
    Ok(ErasureRow { record, log, seq, deferred, done })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::id::EpochId;
    use crate::key::{DisclosurePolicy, Identity, OperatorKey, Signing, Suite, TenantCard, WriterKey};
    use crate::record::{Channel, Draft, PartKind};
    use crate::store::sqlite::SqliteStore;
    use crate::store::{Act, Anchor, Append, Change, LogKeys, Make, NewEntry, NewPaper, Op, Outcome, Store};
    use crate::vault::Vault;

    #[test]
    fn what_was_decided_before_a_paper_is_refused_behind_it_also_within_one_group() {
        let world = World::new();
        let (seen, erase) = (|last| Op::Seen { tenant: world.tenant, topic: "hold", last }, || world.erase());
        let store = &world.store;
        let kinds = |results: Vec<crate::error::Result<Vec<Outcome>>>| {
            results.into_iter().map(|result| result.err().map(|e| e.kind())).collect::<Vec<_>>()
        };
        let refused = Some(ErrorKind::AlreadyExists);
        // The one behind the paper is refused, and leaves nothing; the one before it, and others, are not.
        let group = vec![
            Change(vec![seen(0), world.entry(None)]),
            Change(vec![world.entry(Some("other"))]),
            Change(vec![seen(0), world.entry(Some("hold"))]),
            Change(vec![seen(0), erase(), world.entry(None)]),
        ];
        assert_eq!(kinds(store.commit_all(group)), [None, None, None, refused]);
        let last = store.last_paper(world.tenant, "hold").unwrap();
        assert!(last > 0 && store.erasure_of(world.record).unwrap().is_none());
        let alone = |last| kinds(store.commit_all(vec![Change(vec![seen(last), erase(), world.entry(None)])]));
        assert_eq!(alone(0), [refused]);
        assert_eq!(alone(last), [None]);
        assert_eq!(alone(last), [refused], "it is to be erased already");
        assert!(store.erasure_of(world.record).unwrap().is_some_and(|row| row.done.is_none()));
    }

    #[test]
    fn nothing_is_to_be_erased_without_an_entry_or_of_another_tenant() {
        let world = World::new();
        let kind = |ops: Vec<Op>| world.store.commit(Change(ops)).unwrap_err().kind();
        assert_eq!(kind(vec![world.erase()]), ErrorKind::InvalidInput);
        assert_eq!(kind(vec![world.entry(None), world.erase()]), ErrorKind::InvalidInput);
        let missing = Op::Erase { tenant: world.tenant, records: vec![1, 2], deferred: None };
        assert_eq!(kind(vec![missing, world.entry(None)]), ErrorKind::NotFound);
        assert!(world.store.erasure_of(world.record).unwrap().is_none());
    }

    #[test]
    fn what_was_erased_last_is_read_first() {
        let world = World::new();
        let end = |seq| Change(vec![Op::Erased { log: 1, seq }]);
        let size = || world.store.logs(world.tenant).unwrap()[0].size;
        let mut begun = Vec::new();
        for record in 1..=3 {
            let erase = Op::Erase { tenant: world.tenant, records: vec![record], deferred: None };
            begun.push(size());
            world.store.commit(Change(vec![erase, world.entry(None)])).unwrap();
            if record < 3 {
                world.ingest();
            }
        }
        let order = |before| {
            let rows = world.store.erased(before, 2).unwrap();
            rows.into_iter().map(|row| (row.seq, row.done.unwrap())).collect::<Vec<_>>()
        };
        assert!(order(None).is_empty());
        [1, 0, 2].into_iter().for_each(|n: usize| drop(world.store.commit(end(begun[n])).unwrap()));
        let first = order(None);
        assert_eq!(first.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [begun[2], begun[0]]);
        let then = order(Some(first[1].1));
        assert_eq!(then.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [begun[1]]);
        assert!(order(Some(then[0].1)).is_empty());
        // Ended again, it stays where it was.
        world.store.commit(end(begun[1])).unwrap();
        assert_eq!(order(None), first);
    }

    /// A vault's database with a record, open beside the vault.
    struct World {
        _dir: tempfile::TempDir,
        operator: Arc<OperatorKey>,
        vault: Vault,
        writer: Arc<WriterKey>,
        pin: crate::key::TenantPin,
        store: SqliteStore,
        tenant: TenantId,
        record: RecordId,
        epoch: EpochId,
    }

    impl World {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (path, operator) = (dir.path().join("v"), Arc::new(OperatorKey::generate().unwrap()));
            let vault = Vault::create(&path, Arc::clone(&operator)).unwrap();
            let identity = Identity::generate_for(Suite::X25519).unwrap();
            let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
            let pin = vault.enrol("t", &card, &DisclosurePolicy::none(&card, &identity).unwrap()).unwrap();
            let writer = Arc::new(WriterKey::generate().unwrap());
            vault.enrol_writer(writer.public_key()).unwrap();
            let store = open(&path);
            let (tenant, epoch) = (pin.tenant, store.epochs_of(pin.tenant).unwrap()[0]);
            let record = RecordId::from_bytes([0; 16]);
            let mut this = Self { _dir: dir, operator, vault, writer, pin, store, tenant, record, epoch };
            this.record = this.ingest();
            this
        }

        fn ingest(&self) -> RecordId {
            let draft = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x", &b"x"[..]);
            self.vault.ingestor(&self.pin, Arc::clone(&self.writer)).unwrap().ingest(draft).unwrap().record
        }

        fn erase(&self) -> Op {
            Op::Erase { tenant: self.tenant, records: vec![1], deferred: None }
        }

        fn entry(&self, topic: Option<&'static str>) -> Op {
            let epoch = self.epoch;
            let make: Make = Box::new(move |_| {
                let papers = topic.into_iter().map(|topic| NewPaper { topic, about: None, body: vec![1] }).collect();
                let (leaf, message) = ([7; 128], vec![1]);
                Ok(Some(NewEntry { leaf, epoch, chain: 0, slot: 0, message, papers }))
            });
            let keys = Arc::new(Keys(self.vault.id(), Arc::clone(&self.operator)));
            Op::Append(Append { tenant: self.tenant, writer: None, make, keys, act: Act::None })
        }
    }

    fn open(path: &Path) -> SqliteStore {
        SqliteStore::open(&path.join("vault.db"), Arc::new(Anchor::open(&path.join("anchor")).unwrap())).unwrap()
    }

    struct Keys(crate::id::VaultId, Arc<OperatorKey>);

    impl LogKeys for Keys {
        fn log_key(&self, tenant: TenantId, generation: u32) -> Arc<Signing> {
            Arc::new(self.1.log_key(self.0, tenant, generation))
        }
    }
}
