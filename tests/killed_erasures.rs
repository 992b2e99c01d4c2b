//! A process that is killed while it erases leaves every record whole or erased, and what the ledger had said is erased when the
//! vault is opened next, without the tenant's key.

mod common;

use std::collections::BTreeSet;
use std::io::{self, BufRead, Cursor, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::doomed::{Doomed, random, say, say_and_wait};
use common::{World, noise, text};
use strongroom::*;

const ROUNDS: u64 = 12;
/// Records that a process erases at once.
const AT_ONCE: usize = 5;

#[test]
fn whenever_a_process_is_killed_while_it_erases_every_record_is_whole_or_erased_as_the_ledger_says() {
    const NAME: &str =
        "whenever_a_process_is_killed_while_it_erases_every_record_is_whole_or_erased_as_the_ledger_says";
    if let Ok(job) = std::env::var(ENV) {
        return erase_for_ever(&job);
    }
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let (mut all, mut acknowledged, mut authorised) = (Vec::<RecordId>::new(), BTreeSet::new(), 0);
    let mut half_way = 0;
    for round in 0..ROUNDS {
        let drafts = (0..60).map(|n| match n % 3 {
            0 => text("words").part(PartKind::Audio, "audio/x-unknown", Cursor::new(noise(100_000 + n))),
            _ => text("words"),
        });
        let new: Vec<RecordId> = ingestor.ingest_batch(drafts.collect()).unwrap().iter().map(|i| i.record).collect();
        // One of each handful is held, and its deletion runs when the matter is over.
        let held: Vec<RecordId> = new.iter().copied().step_by(AT_ONCE).collect();
        let session = world.session(&world.acme);
        session.place_hold(&Hold::new(format!("matter {round}"), "suit").records(held.iter().copied())).unwrap();
        session.propose_release(&format!("matter {round}"), "settled").unwrap();
        drop(session);

        let ids: Vec<String> = new.iter().map(ToString::to_string).collect();
        let path = world.path();
        let job: [&str; 5] = [
            path.to_str().unwrap(),
            &world.acme.pin.tenant.to_string(),
            &world.acme.identity.expose_secret(),
            &format!("matter {round}"),
            &ids.join(" "),
        ];
        let mut child = Doomed::start(NAME, ENV, &job);
        child.reaches("begin");
        let Doomed { mut child, mut lines } = child;
        let listening = thread::spawn(move || {
            let (mut heard, mut line) = (Vec::new(), String::new());
            while lines.read_line(&mut line).unwrap_or(0) > 0 {
                // A line that the kill cut short was not heard.
                match line.split_whitespace().collect::<Vec<_>>()[..] {
                    ["erased", id, "end"] => heard.push(id.parse::<RecordId>().unwrap()),
                    ["done"] => break,
                    _ => {}
                }
                line.clear();
            }
            heard
        });
        let delay = random() % 200;
        thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let heard = listening.join().unwrap();

        // Whoever has no key of the tenant's finishes it.
        let begun = begun(&world);
        half_way += begun;
        let vault = Vault::open(&path, common::operator()).unwrap();
        assert_eq!(self::begun(&world), 0, "round {round}");
        let session = world.acme.session(&vault);
        all.extend(&new);
        acknowledged.extend(heard);
        let mut erased = BTreeSet::new();
        for id in &all {
            match session.read(*id) {
                Ok(record) => assert_eq!(record.read_part(1).unwrap(), b"words", "round {round}"),
                Err(e) if e.kind() == ErrorKind::Erased => drop(erased.insert(*id)),
                Err(e) => panic!("round {round}: {e:?}"),
            }
        }
        assert!(acknowledged.is_subset(&erased), "round {round}: what was acknowledged is erased");
        let stands = session.holds().unwrap().iter().any(|matter| matter.name == format!("matter {round}"));
        assert!(!stands || held.iter().all(|id| !erased.contains(id)), "round {round}: a hold was beaten");
        let told = audit(&session);
        assert_eq!(told.erased, erased.len() as u64, "round {round}");
        let now = told.kinds.get("erasure.authorised").copied().unwrap_or(0);
        assert_eq!(now, told.kinds.get("erased").copied().unwrap_or(0), "round {round}");
        assert!(now >= authorised);
        authorised = now;
        drop(session);
        vault.sweep().unwrap();
        let report = vault.check().unwrap();
        assert!(report.is_clean(), "round {round}: {report}");
        assert_eq!(report.erased, erased.len() as u64);
        println!(
            "round {round}: killed after {delay} ms, {} of {} erased, {begun} begun, matter stands: {stands}",
            erased.len(),
            all.len()
        );
    }
    println!("{half_way} erasures were half way");
    assert!(acknowledged.len() > 20, "the kills came too early to show anything");
}

const ENV: &str = "STRONGROOM_TEST_ERASE";

fn erase_for_ever(job: &str) {
    let [path, tenant, identity, matter, ids] = job.split('\n').collect::<Vec<_>>()[..] else { panic!("a job") };
    let vault = Vault::open(path, common::operator()).unwrap();
    let identity: Arc<Identity> = Arc::new(identity.parse().unwrap());
    let session = vault.session(tenant.parse().unwrap(), identity, Access::new("eraser", "about to die")).unwrap();
    let ids: Vec<RecordId> = ids.split(' ').map(|id| id.parse().unwrap()).collect();
    say("begin");
    for some in ids.chunks(AT_ONCE) {
        tell(&session.erase(some.iter().copied(), "retention").unwrap().erased);
    }
    tell(&session.confirm_release(matter, "over").unwrap().erased);
    say("done");
    say_and_wait();
}

fn tell(erased: &[RecordId]) {
    let lines: String = erased.iter().map(|id| format!("\nerased {id} end\n")).collect();
    io::stdout().lock().write_all(lines.as_bytes()).unwrap();
    io::stdout().flush().unwrap();
}

/// Erasures that are authorised and not done.
fn begun(world: &World) -> i64 {
    common::rows(&world.path())
        .query_row("SELECT count(DISTINCT at) FROM erasures WHERE done IS NULL", [], |row| row.get(0))
        .unwrap()
}

fn audit(session: &TenantSession) -> AuditReport {
    let log = session.log().unwrap();
    let report = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(report.is_clean(), "{report}");
    report
}
