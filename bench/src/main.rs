//! Measures strongroom against plain files, plain SQLite and SQLCipher. See README.md.

mod bag;
mod border;
mod cipher;
mod files;
mod growth;
mod ledger;
mod memory;
mod ranges;
mod room;
mod sqlite;
mod table;
mod transfer;
mod work;

use std::error::Error;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use cipher::SqlCipher;
use room::Room;
use sqlite::Options;
use table::{Row, Table, Target, Versus};
use work::{Work, audio, median, texts};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
    if let Some(len) = value("--memory") {
        return memory::ingest_and_read(len.parse()?, Path::new(args.last().ok_or("give a folder")?));
    }
    if let Some(count) = value("--plan") {
        return bag::plan_and_write(count.parse()?);
    }
    if let Some(at) = args.iter().position(|a| a == "--transfer") {
        let [rounds, tenant, dir] = &args[at + 1..] else { return Err("give rounds, a tenant and a folder".into()) };
        return transfer::send(rounds.parse()?, tenant, Path::new(dir));
    }
    let quick = args.iter().any(|a| a == "--quick");
    let alone = args.iter().any(|a| a == "--alone");
    let rounds = match value("--rounds") {
        Some(rounds) => rounds.parse()?,
        None => {
            if quick {
                2
            } else {
                7
            }
        }
    };
    // Beside the program unless another disk is to be measured.
    let name = format!("bench-{}", std::process::id());
    let dir = match value("--dir") {
        Some(parent) => Path::new(parent).join(name),
        None => std::env::current_exe()?.with_file_name(name),
    };
    let smaller = if quick { 10 } else { 1 };
    let gigabytes = value("--gigabytes").map_or(Ok(2.0 / smaller as f64), |n| n.parse())?;
    let measured = measure(rounds, smaller, alone, value("--only").map(String::as_str), gigabytes, &dir);
    let _ = fs::remove_dir_all(&dir);
    print!("{}", measured?);
    Ok(())
}

/// Names a workload and says what is asked of it.
struct Case {
    name: &'static str,
    work: Work,
    custodians: usize,
    /// Threads that ingest at the same time. The peers have one: SQLite has one writer.
    callers: usize,
    targets: &'static [Target],
}

/// The workloads, divided by `smaller`.
fn cases(smaller: usize) -> Vec<Case> {
    use Target::{AtLeast, Rate};
    const LONG: &[Target] = &[AtLeast(Versus::Files, 0.8), AtLeast(Versus::SqlCipher, 5.0)];
    let audio = |name, len, count: usize, targets| Case {
        name,
        work: Work::Audio { len, count: (count / smaller).max(1) },
        custodians: 0,
        callers: 1,
        targets,
    };
    let texts = |name, batch, custodians, count: usize, targets| {
        let count = (count / smaller).max(batch);
        Case { name, work: Work::Texts { count, batch }, custodians, callers: 1, targets }
    };
    vec![
        audio("audio 30 MB", 30_000_000, 4, LONG),
        audio("audio 4 MB", 4_000_000, 20, LONG),
        audio("audio 100 KB", 100_000, 100, &[]),
        texts("text, 1 per commit", 1, 0, 500, &[AtLeast(Versus::Sqlite, 0.7)]),
        texts("text, batches of 100", 100, 0, 4_000, &[]),
        texts(
            "text, batches of 1000",
            1000,
            0,
            8_000,
            &[AtLeast(Versus::Sqlite, 1.0), AtLeast(Versus::SqlCipher, 1.8)],
        ),
        Case { callers: 2, ..texts("text, batches of 1000, 2 callers", 1000, 0, 8_000, &[]) },
        texts("text, 1 per commit, 3 of 5", 1, 5, 500, &[]),
        texts("text, batches of 100, 3 of 5", 100, 5, 4_000, &[]),
        texts("text, batches of 1000, 3 of 5", 1000, 5, 8_000, &[Rate(8000.0)]),
    ]
}

fn measure(
    rounds: usize,
    smaller: usize,
    alone: bool,
    only: Option<&str>,
    gigabytes: f64,
    dir: &Path,
) -> Result<Table> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut cipher = SqlCipher::start(&dir.join("sqlcipher"));
    if cipher.is_none() {
        eprintln!("SQLCipher's program is not built: its column stays empty");
    }
    let mut rows = Vec::new();
    for case in cases(smaller).into_iter().filter(|case| wanted(case.name)) {
        let mut row = Row::new(case.name, case.work, case.targets);
        for round in 0..rounds {
            say(case.name, round, rounds);
            // Every round begins with another, so that none always follows the same.
            for turn in 0..if alone { 1 } else { 5 } {
                let seconds = match if alone { 0 } else { (turn + round) % 5 } {
                    0 => room::run(case.work, case.custodians, case.callers, &dir.join("strongroom"))
                        .map(|s| Some((Versus::Us, s)))?,
                    1 => files::run(case.work, &dir.join("files"))?.map(|s| (Versus::Files, s)),
                    2 => Some((Versus::Sqlite, plain(case.work, None, dir)?)),
                    3 => Some((Versus::Sqlite16K, plain(case.work, Some(16_384), dir)?)),
                    _ => cipher.as_mut().map(|c| c.run(case.work)).transpose()?.map(|s| (Versus::SqlCipher, s)),
                };
                if let Some((versus, seconds)) = seconds {
                    row.add(versus, seconds);
                }
            }
        }
        rows.push(row);
    }
    let mut table = Table::new(rows, rounds, cipher.is_some());
    if wanted("get") {
        get(rounds, smaller, cipher.as_mut(), dir, &mut table)?;
    }
    if wanted("range") {
        ranges(rounds, smaller, dir, &mut table)?;
    }
    if wanted("age") {
        say("age", 0, 1);
        border::age_files(rounds, smaller, &mut table)?;
    }
    if wanted("archive") {
        say("archive", 0, 1);
        bag::bags(rounds, smaller, &dir.join("archive"), &mut table)?;
    }
    if wanted("vcon") {
        say("vcon", 0, 1);
        border::vcons(rounds.min(3), smaller, &dir.join("vcon"), &mut table)?;
    }
    if wanted("scan") {
        say("scan", 0, 1);
        growth::scan(rounds.min(5), smaller, &dir.join("scan"), &mut table)?;
    }
    if wanted("year") {
        say("year", 0, 1);
        growth::year(smaller as u64, &dir.join("year"), &mut table)?;
    }
    if wanted("growth") {
        say("growth", 0, 1);
        growth::growth(if smaller == 1 { 1 } else { 100 }, &dir.join("growth"), &mut table)?;
    }
    if wanted("ledger") {
        say("ledger", 0, 1);
        ledger::ledger(100_000 / smaller, &dir.join("ledger"), &mut table)?;
    }
    if wanted("transfer") {
        say("transfer", 0, 1);
        transfer::transfer(rounds.min(3), gigabytes, &dir.join("transfer"), &mut table)?;
    }
    if wanted("memory") {
        for len in [30_000_000, 300_000_000].into_iter().take(if smaller == 1 { 2 } else { 1 }) {
            let peak = memory::peak_of(len, &dir.join("memory"))? as f64 / 1e6;
            let name = format!("peak memory, one part of {} MB in and out", len / 1_000_000);
            table.single(&name, format!("{peak:.1} MB"), None, "< 64 MB", peak < 64.0);
        }
    }
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    Ok(table)
}

fn say(name: &str, round: usize, rounds: usize) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{name}, round {} of {rounds}", round + 1);
    }
}

fn plain(work: Work, page_size: Option<u32>, dir: &Path) -> Result<f64> {
    Ok(sqlite::run(work, Options { page_size, key: None }, &dir.join("sqlite"))?)
}

fn get(rounds: usize, smaller: usize, mut cipher: Option<&mut SqlCipher>, dir: &Path, table: &mut Table) -> Result<()> {
    let (stored, count) = (10_000 / smaller, 4_000 / smaller);
    let room = Room::new(&dir.join("get"), 0)?;
    let mut ids = Vec::new();
    for batch in texts(stored).chunks(1000) {
        ids.extend(room.add_texts(batch)?);
    }
    room::get(&room, &ids, count)?;
    let (mut p50, mut p99, mut sqlite, mut sealed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        say("get", round, rounds);
        let (half, most) = room::get(&room, &ids, count)?;
        p50.push(half);
        p99.push(most);
        let work = Work::Get { stored, count };
        sqlite.push(plain(work, None, dir)?);
        if let Some(cipher) = &mut cipher {
            sealed.push(cipher.run(work)?);
        }
    }
    let us = |times: &[f64]| format!("{:.0} µs", median(times) * 1e6);
    let mut peers = format!("plain SQLite {}", us(&sqlite));
    if !sealed.is_empty() {
        peers += &format!(", SQLCipher {}", us(&sealed));
    }
    table.single("get a 4 KB text, p50, warm", us(&p50), Some(peers), "< 1 ms", median(&p50) < 1e-3);
    table.note("get a 4 KB text, p99, warm", us(&p99));
    Ok(())
}

fn ranges(rounds: usize, smaller: usize, dir: &Path, table: &mut Table) -> Result<()> {
    let (bytes, count) = (audio(30_000_000), 1_000 / smaller);
    let room = Room::new(&dir.join("range"), 0)?;
    let id = room.add_audio(&bytes[..])?;
    files::add(dir, "plain", &bytes)?;
    let plain = dir.join("plain");
    let object = only_file(&dir.join("range/objects"))?;
    ranges::run(&room, id, &object, &plain, count)?;
    let mut times = Vec::new();
    for round in 0..rounds {
        say("range", round, rounds);
        times.push(ranges::run(&room, id, &object, &plain, count)?);
    }
    let mid = |of: &dyn Fn(&ranges::Times) -> f64| median(&times.iter().map(of).collect::<Vec<_>>());
    let us = |s: f64| format!("{:.1} µs", s * 1e6);
    type Pair = fn(&ranges::Times) -> (f64, f64);
    let pairs: [(&str, &str, Pair); 3] = [
        ("range of 64 KiB, part kept open, p50", "pread", |t| t.kept),
        ("range of 64 KiB, part opened each time, p50", "open and pread", |t| t.opened),
        ("range of 64 KiB, part kept open, not cached, p50", "pread", |t| t.cold),
    ];
    for (name, peer, pair) in pairs {
        let ratio = mid(&|t| pair(t).0 / pair(t).1);
        let beside = format!("{peer} {}, ratio {ratio:.2}", us(mid(&|t| pair(t).1)));
        table.single(name, us(mid(&|t| pair(t).0)), Some(beside), "<= 1.5 pread", ratio <= 1.5);
    }
    table.note("range of 64 KiB, record and part opened each time, p50", us(mid(&|t| t.record)));
    Ok(())
}

/// The one file below a folder of folders.
fn only_file(folder: &Path) -> Result<PathBuf> {
    let inner = fs::read_dir(folder)?.next().ok_or("no object was made")??.path();
    Ok(fs::read_dir(inner)?.next().ok_or("no object was made")??.path())
}
