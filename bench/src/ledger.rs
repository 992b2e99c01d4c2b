//! What the ledger costs: entries one by one and from many threads, proofs, and an audit of everything.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use strongroom::{Access, Auditor, Channel, Draft, PartKind};

use crate::Result;
use crate::room::Room;
use crate::table::Table;
use crate::work::{Numbers, median, quantile};

const THREADS: usize = 64;

/// `size` is about how many entries the ledger has when it is proved from and audited.
pub fn ledger(size: usize, dir: &Path, table: &mut Table) -> Result<()> {
    let room = Room::new(dir, 0)?;
    let small = |n: usize| {
        let text = std::io::Cursor::new(format!("call {n}").into_bytes());
        Draft::new(Channel::Chat).part(PartKind::Chat, "text/plain", text)
    };

    let mut file = File::create(dir.with_extension("sync"))?;
    let mut syncs = Vec::new();
    let mut singles = Vec::new();
    for n in 0..(size / 20).clamp(100, 1000) {
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        syncs.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        room.ingestor.ingest(small(n))?;
        singles.push(start.elapsed().as_secs_f64());
    }
    // Each ends with one entry and nothing else.
    let access = || Access::new("bench", "measuring");
    let open = |_| room.vault.session(room.session.tenant(), Arc::clone(&room.identity), access());
    let open: Vec<_> = (0..singles.len()).map(open).collect::<std::result::Result<_, _>>()?;
    let mut entries = Vec::new();
    for session in open {
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        syncs.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        session.close()?;
        entries.push(start.elapsed().as_secs_f64());
    }
    let us = |s: f64| format!("{:.0} µs", s * 1e6);
    for (name, times) in [("an entry, one at a time, p50", &entries), ("a record and its entry, p50", &singles)] {
        let ratio = median(times) / median(&syncs);
        let beside = format!("write and fsync {}, ratio {ratio:.2}", us(median(&syncs)));
        table.single(name, us(median(times)), Some(beside), "<= 1.3", ratio <= 1.3);
    }

    let each = size / THREADS;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let run = || (0..each).try_for_each(|n| room.ingestor.ingest(small(n)).map(drop));
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread that ingests"))
    })?;
    let rate = (each * THREADS) as f64 / start.elapsed().as_secs_f64();
    table.single(
        "records and their entries, 64 threads committing",
        format!("{rate:.0} /s"),
        None,
        ">= 5,000/s",
        rate >= 5000.0,
    );

    let log = room.session.log()?;
    let mut numbers = Numbers::new(5);
    let receipts = (0..200).map(|_| numbers.below(log.size()));
    let times = receipts
        .map(|seq| {
            let start = Instant::now();
            let receipt = log.receipt(seq)?;
            let proved = start.elapsed().as_secs_f64();
            let start = Instant::now();
            receipt.verify(&log.key())?;
            Ok((proved, start.elapsed().as_secs_f64()))
        })
        .collect::<Result<Vec<(f64, f64)>>>()?;
    let (proved, verified): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
    let name = format!("a receipt out of {} entries, opened and proved, p50", log.size());
    table.single(&name, us(median(&proved)), None, "< 150 µs", median(&proved) < 150e-6);
    table.note("the same, p99", us(quantile(&proved, 0.99)));
    table.note("a receipt verified, p50", us(median(&verified)));

    let start = Instant::now();
    let report = Auditor::new(log.key()).audit(&log)?;
    let seconds = start.elapsed().as_secs_f64();
    assert!(report.is_clean(), "{report}");
    let rate = log.size() as f64 / seconds;
    let beside = format!("{rate:.0} entries a second");
    let million = 1e6 / rate;
    let name = format!("audit of {} entries, every message and signature", log.size());
    table.single(&name, format!("{seconds:.1} s"), Some(beside), "1M in 10 s", million < 10.0);
    drop(log);
    drop(room);
    fs::remove_dir_all(dir)?;
    Ok(())
}
