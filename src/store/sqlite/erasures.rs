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
