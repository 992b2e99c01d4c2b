//! What a vault costs as it grows: with ten thousand, a hundred thousand and a million records already there.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use strongroom::{
    Access, Channel, DisclosurePolicy, Draft, Identifier, Identity, Listing, PartKind, Pattern, RecordId, Role,
    Subject, TenantCard, TenantId, Timestamp, Vault, WriterKey,
};

use crate::Result;
use crate::room::{Room, operator};
use crate::table::Table;
use crate::work::{Numbers, median, quantile, texts};

/// Records in which one person is.
const EACH: u64 = 5;

fn who(person: u64) -> Identifier {
    Identifier::tel(&format!("+49{:010}", 1_000_000_000 + person)).expect("a number")
}

fn draft(n: u64) -> Draft<'static> {
    // As they come: one after the other, a few at a time not quite in order.
    let start = Timestamp::from_unix_ms(1_700_000_000_000 + n as i64 * 1000 + (n as i64 * 7919) % 5000);
    let text = format!("call {n}: thank you for calling, my account number is {}", n * 7);
    Draft::new(Channel::Voice).start(start).queue("billing").subject(Subject::new(Role::Customer, who(n / EACH))).part(
        PartKind::Transcript,
        "text/plain",
        std::io::Cursor::new(text.into_bytes()),
    )
}

struct Measured {
    batch: f64,
    single: f64,
    get: f64,
    list: f64,
    find: f64,
    epochs: usize,
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

fn measure(room: &Room, ids: &mut Vec<RecordId>, dir: &Path) -> Result<Measured> {
    let mut numbers = Numbers::new(9);
    let mut each = |count: usize, work: &mut dyn FnMut(u64) -> Result<()>| -> Result<f64> {
        let times: Vec<f64> = (0..count)
            .map(|_| {
                let number = numbers.next();
                timed(|| work(number))
            })
            .collect::<Result<_>>()?;
        Ok(median(&times))
    };
    let stored = ids.len() as u64;
    let get = each(2000, &mut |n| Ok(drop(room.session.read(ids[(n % stored) as usize])?.read_part(1)?)))?;
    let list = each(200, &mut |n| {
        let from = Timestamp::from_unix_ms(1_700_000_000_000 + (n % stored) as i64 * 1000);
        let to = Timestamp::from_unix_ms(i64::MAX);
        Ok(drop(room.session.list(&Listing::by_time(from..to).limit(100))?))
    })?;
    let people = stored / EACH;
    let find = each(200, &mut |n| {
        let found = room.session.list(&Listing::newest().subject(who(n % people)))?;
        assert_eq!(found.items.len(), EACH as usize);
        Ok(())
    })?;
    let mut next = stored;
    let mut add = |count: u64| -> Result<f64> {
        let drafts = (next..next + count).map(draft).collect();
        next += count;
        let start = Instant::now();
        ids.extend(room.ingestor.ingest_batch(drafts)?.iter().map(|i| i.record));
        Ok(start.elapsed().as_secs_f64())
    };
    let batch = median(&(0..9).map(|_| add(1000)).collect::<Result<Vec<_>>>()?) / 1000.0;
    let single = median(&(0..1000).map(|_| add(1)).collect::<Result<Vec<_>>>()?);
    let db = rusqlite::Connection::open(dir.join("vault.db"))?;
    let epochs: i64 = db.query_row("SELECT count(*) FROM epochs", [], |row| row.get(0))?;
    Ok(Measured { batch, single, get, list, find, epochs: epochs as usize })
}

pub fn growth(smaller: u64, dir: &Path, table: &mut Table) -> Result<()> {
    let room = Room::new(dir, 0)?;
    let mut ids: Vec<RecordId> = Vec::new();
    let mut steps = Vec::new();
    for step in [10_000, 100_000, 1_000_000].map(|step| step / smaller) {
        while (ids.len() as u64) < step {
            let from = ids.len() as u64;
            let drafts = (from..(from + 1000).min(step)).map(draft).collect();
            ids.extend(room.ingestor.ingest_batch(drafts)?.iter().map(|i| i.record));
        }
        steps.push((step, measure(&room, &mut ids, dir)?));
    }
    type Of = fn(&Measured) -> f64;
    let kinds: [(&str, Of); 5] = [
        ("ingest, batches of 1000, a record", |m| m.batch),
        ("ingest, one", |m| m.single),
        ("get, p50", |m| m.get),
        ("list 100 by time, p50", |m| m.list),
        ("find a person's 5 records, p50", |m| m.find),
    ];
    for (name, of) in kinds {
        let times: Vec<f64> = steps.iter().map(|(_, m)| of(m)).collect();
        let ratio = times[2] / times[0];
        let each: Vec<String> = times.iter().map(|t| format!("{:.0}", t * 1e6)).collect();
        let name = format!("growth: {name}");
        let figure = format!("{} µs", each.join(" / "));
        let beside = format!(
            "with {} records, ratio {ratio:.2}",
            steps.iter().map(|(n, _)| n.to_string()).collect::<Vec<_>>().join(" / ")
        );
        table.single(&name, figure, Some(beside), "<= 1.3 times", ratio <= 1.3);
    }
    let epochs: Vec<String> = steps.iter().map(|(_, m)| m.epochs.to_string()).collect();
    table.note("growth: epochs", epochs.join(" / "));
    open_with_tenants(room, smaller, dir, table)
}

/// Opens the vault that has grown, with a thousand tenants in it.
fn open_with_tenants(room: Room, smaller: u64, dir: &Path, table: &mut Table) -> Result<()> {
    let vault = Vault::open(dir, operator())?;
    let owner = Identity::generate()?;
    for n in 0..1000 / smaller {
        let card = TenantCard::new(vault.id(), TenantId::generate()?, &owner);
        vault.enrol(&format!("tenant {n}"), &card, &DisclosurePolicy::none(&card, &owner)?)?;
    }
    drop((room, vault));
    let times = (0..21).map(|_| timed(|| Ok(drop(Vault::open(dir, operator())?)))).collect::<Result<Vec<_>>>()?;
    let ms = |s: f64| format!("{:.1} ms", s * 1e3);
    let opened = median(&times);
    table.single("open a vault of 1M records, 1,000 tenants", ms(opened), None, "< 50 ms", opened < 0.05);
    fs::remove_dir_all(dir)?;
    Ok(())
}

/// A person among a year of epochs, opened before and not.
pub fn year(smaller: u64, dir: &Path, table: &mut Table) -> Result<()> {
    let _ = fs::remove_dir_all(dir);
    let vault = Vault::create(dir, operator())?;
    let writer = Arc::new(WriterKey::generate()?);
    vault.enrol_writer(writer.public_key())?;
    let owner = Arc::new(Identity::generate()?);
    let card = TenantCard::new(vault.id(), TenantId::generate()?, &owner);
    let pin = vault.enrol("bench", &card, &DisclosurePolicy::none(&card, &owner)?)?;
    for day in 0..365 / smaller {
        let ingestor = vault.ingestor(&pin, Arc::clone(&writer))?;
        ingestor.ingest_batch((day * 100..(day + 1) * 100).map(draft).collect())?;
    }
    let session = || vault.session(pin.tenant, Arc::clone(&owner), Access::new("bench", "measuring"));
    let look = |session: &strongroom::TenantSession, n: u64| {
        timed(|| Ok(assert_eq!(session.list(&Listing::newest().subject(who(n)))?.items.len(), 5)))
    };
    let people = 365 / smaller * 20;
    let cold = (0..7).map(|n| look(&session()?, n * 3 % people)).collect::<Result<Vec<_>>>()?;
    let warm = session()?;
    look(&warm, 0)?;
    let times = (0..500).map(|n| look(&warm, n * 13 % people)).collect::<Result<Vec<_>>>()?;
    let ms = |s: f64| format!("{:.1} ms", s * 1e3);
    let (p50, cold) = (median(&times), median(&cold));
    table.single("find a person in 365 epochs, opened before, p50", ms(p50), None, "< 20 ms", p50 < 0.02);
    table.note("find a person in 365 epochs, opened before, p99", ms(quantile(&times, 0.99)));
    table.single("find a person in 365 epochs, none opened", ms(cold), None, "< 1 s", cold < 1.0);
    fs::remove_dir_all(dir)?;
    Ok(())
}

/// Looks through transcripts for phrases.
pub fn scan(rounds: usize, smaller: usize, dir: &Path, table: &mut Table) -> Result<()> {
    for (count, len, target) in [(100_000, 4096, 100_000.0), (10_000, 65_536, 1e9)] {
        let count = count / smaller;
        let room = Room::new(dir, 0)?;
        let bodies = texts(1000);
        for batch in 0..count.div_ceil(1000) {
            let bodies: Vec<Vec<u8>> = bodies
                .iter()
                .take(count)
                .enumerate()
                .map(|(n, body)| {
                    let mut body = body.repeat(len / body.len());
                    body[..21].copy_from_slice(format!("call {:016x}", batch * 1000 + n).as_bytes());
                    body
                })
                .collect();
            room.add_texts(&bodies)?;
        }
        for (name, pattern, found) in [
            ("phrase in any case", Pattern::phrase("call 0000000000000123")?, 1),
            ("exact text", Pattern::exact("call 0000000000000123")?, 1),
            ("regular expression", Pattern::regex(r"\bpurchase\s+order\s+\d{4,}\b")?, 0),
        ] {
            let mut times = Vec::new();
            for _ in 0..rounds {
                times.push(timed(|| {
                    let matches = room.session.search(&Listing::newest(), &pattern, |_| ControlFlow::Continue(()))?;
                    assert_eq!((matches.records.len(), matches.unsearched.len()), (found.min(count), 0));
                    Ok(())
                })?);
            }
            let seconds = median(&times);
            let (rate, bytes) = (count as f64 / seconds, (count * len) as f64 / seconds);
            let held = if len == 4096 { rate >= target } else { bytes >= target };
            let wanted = if len == 4096 { ">= 100,000/s" } else { ">= 1 GB/s" };
            let name = format!("scan {count} texts of {} KB, {name}", len / 1024);
            table.single(&name, format!("{rate:.0} /s"), Some(format!("{:.2} GB/s", bytes / 1e9)), wanted, held);
        }
        drop(room);
        fs::remove_dir_all(dir)?;
    }
    Ok(())
}
