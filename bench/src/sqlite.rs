//! The peer that is a table: plain SQLite in this package, SQLCipher in the one beside it, from the same source.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, Result, params};

use crate::work::{Numbers, TEXT, Work, audio, median, texts};

/// How a peer's database is made.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Bytes of a page; the library's default if there is none.
    pub page_size: Option<u32>,
    /// SQLCipher's raw key.
    pub key: Option<&'a str>,
}

/// Makes a database in `dir`, does the work, and gives its seconds; for reads, the median of one.
pub fn run(work: Work, options: Options<'_>, dir: &Path) -> Result<f64> {
    let _ = fs::remove_dir_all(dir);
    fs::create_dir_all(dir).map_err(|e| rusqlite::Error::InvalidPath(format!("{}: {e}", dir.display()).into()))?;
    let mut db = open(&dir.join("peer.db"), options)?;
    let seconds = match work {
        Work::Audio { len, count } => {
            let body = audio(len);
            insert(&mut db, &[&body])?;
            let start = Instant::now();
            (0..count).try_for_each(|_| insert(&mut db, &[&body]))?;
            start.elapsed().as_secs_f64()
        }
        Work::Texts { count, batch } => {
            let bodies = texts(count);
            insert(&mut db, &[&bodies[0]])?;
            let start = Instant::now();
            for batch in bodies.chunks(batch) {
                insert(&mut db, &batch.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            }
            start.elapsed().as_secs_f64()
        }
        Work::Get { stored, count } => {
            let bodies = texts(stored);
            for batch in bodies.chunks(1000) {
                insert(&mut db, &batch.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            }
            let (mut numbers, mut times) = (Numbers::new(3), Vec::with_capacity(count));
            for _ in 0..count {
                let n = numbers.below(stored as u64);
                let start = Instant::now();
                let mut get = db.prepare_cached("SELECT body FROM records WHERE n = ?1")?;
                let body: Vec<u8> = get.query_row([n as i64 + 1], |row| row.get(0))?;
                times.push(start.elapsed().as_secs_f64());
                assert_eq!(body.len(), TEXT);
            }
            median(&times)
        }
    };
    drop(db);
    let _ = fs::remove_dir_all(dir);
    Ok(seconds)
}

fn open(path: &Path, options: Options<'_>) -> Result<Connection> {
    let db = Connection::open(path)?;
    if let Some(key) = options.key {
        db.pragma_update(None, "key", key)?;
    }
    if let Some(size) = options.page_size {
        db.pragma_update(None, "page_size", size)?;
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    // The leanest table that keeps a body: what strongroom is compared with has no id, no time and no index.
    db.execute_batch("CREATE TABLE records (n INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    Ok(db)
}

fn insert(db: &mut Connection, bodies: &[&[u8]]) -> Result<()> {
    let tx = db.transaction()?;
    for body in bodies {
        tx.prepare_cached("INSERT INTO records (body) VALUES (?1)")?.execute(params![body])?;
    }
    tx.commit()
}
