//! Heads of the ledgers leave the vault, and whatever becomes of them outside, nothing inside waits for it.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Owner, operator, rows, text};
use strongroom::tlog::SignedCheckpoint;
use strongroom::*;

/// Longer than any machine needs, shorter than anybody waits.
const LONG: Duration = Duration::from_secs(30);

/// A vault with a tenant and a writer, in a folder, with sinks.
struct House {
    dir: tempfile::TempDir,
    vault: Vault,
    acme: Owner,
    writer: Arc<WriterKey>,
}

impl House {
    fn new(options: VaultOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("v"), options).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let acme = Owner::enrol(&vault, "acme", 0);
        Self { dir, vault, acme, writer }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("v")
    }

    fn ingest(&self, count: usize) {
        ingest(&self.vault, &self.acme, &self.writer, count);
    }
}

fn ingest(vault: &Vault, owner: &Owner, writer: &Arc<WriterKey>, count: usize) {
    let ingestor = vault.ingestor(&owner.pin, Arc::clone(writer)).unwrap();
    (0..count).for_each(|n| drop(ingestor.ingest(text(&n.to_string())).unwrap()));
}

fn options() -> VaultOptions {
    VaultOptions::new(operator())
}

/// A sink that keeps everything, and where it keeps it.
fn keeping() -> (impl Sink, Arc<Mutex<Vec<LedgerHead>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&kept);
    let sink = move |head: &LedgerHead| {
        into.lock().unwrap().push(head.clone());
        Ok(())
    };
    (sink, kept)
}

/// A sink that says when it is asked and does not return until it is told to.
fn hanging() -> (impl Sink, Receiver<()>, Sender<()>) {
    let ((asked, when_asked), (go_on, told)) = (channel(), channel());
    let sink = move |_: &LedgerHead| {
        let _ = asked.send(());
        let _ = told.recv();
        Ok(())
    };
    (sink, when_asked, go_on)
}

fn kept(folder: &Path, log: &PublicKey) -> SignedCheckpoint {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(log.as_bytes());
    let name: String = hash.iter().map(|b| format!("{b:02x}")).collect();
    let kept: SignedCheckpoint = fs::read_to_string(folder.join(name + ".checkpoint")).unwrap().parse().unwrap();
    kept.verify(log).unwrap();
    kept
}

fn current(vault: &Vault) {
    let sinks = vault.publish(LONG).unwrap();
    assert!(sinks.iter().all(SinkStatus::is_current), "{sinks:?}");
}

/// Waits until a sink's only obstacle is one of this kind, and gives how often it was tried.
fn until(vault: &Vault, sink: usize, wanted: impl Fn(&Obstacle) -> bool) -> u32 {
    let start = Instant::now();
    loop {
        let status = vault.sinks().remove(sink);
        match status.behind.first() {
            Some(behind) if wanted(&behind.why) => return behind.tries,
            _ => assert!(start.elapsed() < LONG, "{status}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn every_commit_reaches_a_folder_and_what_is_kept_there_is_the_logs_own() {
    let heads = tempfile::tempdir().unwrap();
    let folder = heads.path().join("deep").join("er");
    let house = House::new(options().sink("disk", FolderSink::new(&folder)));
    let tenant = house.acme.pin.tenant;
    house.ingest(3);
    current(&house.vault);
    let key = house.vault.log_key(tenant).unwrap();
    assert_eq!(kept(&folder, &key), house.vault.checkpoint(tenant).unwrap());
    drop(house.acme.session(&house.vault));
    current(&house.vault);
    let before = house.vault.checkpoint(tenant).unwrap();
    assert_eq!((kept(&folder, &key), before.checkpoint().size), (before.clone(), 7));

    // A log that is closed leaves its last head, and its successor stands beside it.
    house.vault.rotate_log(tenant).unwrap();
    current(&house.vault);
    let next = house.vault.log_key(tenant).unwrap();
    assert_eq!(kept(&folder, &key).checkpoint().size, before.checkpoint().size + 1);
    assert_eq!(kept(&folder, &next).checkpoint().size, 1);
    let names: Vec<_> = common::files(&folder).iter().map(|f| f.extension().unwrap().to_owned()).collect();
    assert_eq!(names, ["checkpoint", "checkpoint"], "no draft is left");
}

#[test]
fn a_sink_that_hangs_holds_up_neither_commits_nor_other_sinks_nor_the_end_of_the_vault() {
    let ((hangs, asked, go_on), (keeps, heads)) = (hanging(), keeping());
    let house = House::new(options().sink("hangs", hangs).sink("keeps", keeps));
    asked.recv_timeout(LONG).unwrap();
    house.ingest(5);
    let size = house.vault.checkpoint(house.acme.pin.tenant).unwrap().checkpoint().size;

    let start = Instant::now();
    let status = house.vault.publish(Duration::from_millis(300)).unwrap();
    assert!((Duration::from_millis(300)..LONG).contains(&start.elapsed()));
    let [behind] = &status[0].behind[..] else { panic!("{status:?}") };
    assert_eq!((behind.tenant, status[0].taken), (house.acme.pin.tenant, 0));
    assert!(matches!(behind.why, Obstacle::Busy(since) if since >= Duration::from_millis(300)), "{status:?}");
    assert!(status[1].is_current(), "{}", status[1]);
    assert_eq!(heads.lock().unwrap().last().unwrap().checkpoint.checkpoint().size, size);

    let path = house.path();
    let House { dir: _dir, vault, acme, writer } = house;
    drop((acme, writer));
    let start = Instant::now();
    drop(vault);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    if cfg!(target_os = "linux") {
        // The thread that hangs keeps nothing of the vault open.
        let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        assert_eq!(open.filter(|file| file.starts_with(&path)).collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }
    drop(go_on);
}

#[test]
fn a_sink_that_panics_is_asked_again_with_the_newest_head() {
    let (go, (mut keeps, heads)) = (Arc::new(AtomicBool::new(false)), keeping());
    let well = Arc::clone(&go);
    let sink = move |head: &LedgerHead| {
        assert!(well.load(Ordering::SeqCst), "this panic is part of a test");
        keeps.take(head)
    };
    let house = House::new(options().sink("panics", sink));
    assert!(until(&house.vault, 0, |why| matches!(why, Obstacle::Panicked)) >= 1);
    house.ingest(4);
    go.store(true, Ordering::SeqCst);
    current(&house.vault);
    let newest = house.vault.checkpoint(house.acme.pin.tenant).unwrap();
    let heads: Vec<_> = heads.lock().unwrap().iter().map(|head| head.checkpoint.clone()).collect();
    assert_eq!(heads, [newest], "those in between are left out");
    assert_eq!(house.vault.sinks()[0].taken, 1);
}

#[derive(Debug, thiserror::Error)]
#[error("the system over there answers {0}")]
struct Answer(u16);

#[test]
fn a_sink_that_refuses_one_tenant_says_why_and_takes_the_others() {
    let refused = Arc::new(Mutex::new(None));
    let (who, (mut keeps, heads)) = (Arc::clone(&refused), keeping());
    let sink = move |head: &LedgerHead| {
        if *who.lock().unwrap() == Some(head.tenant) { Err(Answer(503).into()) } else { keeps.take(head) }
    };
    let house = House::new(options().sink("picky", sink));
    *refused.lock().unwrap() = Some(house.acme.pin.tenant);
    house.ingest(1);
    let tries = until(&house.vault, 0, |why| match why {
        Obstacle::Refused(error) => {
            assert_eq!(error.downcast_ref::<Answer>().unwrap().0, 503);
            true
        }
        _ => false,
    });
    let bolt = Owner::enrol(&house.vault, "bolt", 0);
    let status = house.vault.publish(Duration::from_millis(500)).unwrap().remove(0);
    assert_eq!(status.behind.iter().map(|b| b.tenant).collect::<Vec<_>>(), [house.acme.pin.tenant]);
    assert!(status.behind[0].tries > tries, "it was asked again");
    assert!(status.to_string().contains("the system over there answers 503"), "{status}");
    assert!(heads.lock().unwrap().iter().any(|head| head.tenant == bolt.pin.tenant));
    *refused.lock().unwrap() = None;
    current(&house.vault);
}

#[test]
fn a_sink_is_asked_at_its_own_pace_and_gets_what_is_newest_then() {
    let ((slow, seldom), (one, own)) = (keeping(), keeping());
    let hour = Duration::from_secs(3600);
    let house = House::new(options().sink(SinkOptions::new("slow").every(hour), slow));
    current(&house.vault);
    let count = |heads: &Arc<Mutex<Vec<LedgerHead>>>| heads.lock().unwrap().len();
    assert_eq!(count(&seldom), 1);
    house.ingest(10);
    assert!(matches!(house.vault.sinks()[0].behind[0].why, Obstacle::Queued));
    assert_eq!(count(&seldom), 1, "its turn has not come");
    current(&house.vault);
    assert_eq!(count(&seldom), 2, "one head for all ten commits");

    let House { dir, vault, acme, writer } = house;
    let bolt = Owner::enrol(&vault, "bolt", 0);
    drop(vault);
    let only = SinkOptions::new("bolt's own").only(bolt.pin.tenant);
    let vault = Vault::open(dir.path().join("v"), options().sink(only, one)).unwrap();
    [&acme, &bolt].into_iter().for_each(|owner| ingest(&vault, owner, &writer, 2));
    current(&vault);
    assert!(own.lock().unwrap().iter().all(|head| head.tenant == bolt.pin.tenant));
    assert_eq!(own.lock().unwrap().last().unwrap().checkpoint, vault.checkpoint(bolt.pin.tenant).unwrap());
}

#[test]
fn what_was_not_taken_is_given_when_the_vault_is_opened_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let house = House::new(options().sink("away", move |_: &LedgerHead| {
        count.fetch_add(1, Ordering::SeqCst);
        Err(Answer(502).into())
    }));
    house.ingest(2);
    until(&house.vault, 0, |why| matches!(why, Obstacle::Refused(_)));
    let House { dir, vault, acme, .. } = house;
    let newest = vault.checkpoint(acme.pin.tenant).unwrap();
    let start = Instant::now();
    drop(vault);
    assert!(start.elapsed() < LONG && tries.load(Ordering::SeqCst) > 0);

    let (keeps, heads) = keeping();
    let vault = Vault::open(dir.path().join("v"), options().sink("back", keeps)).unwrap();
    current(&vault);
    assert_eq!(heads.lock().unwrap().last().unwrap().checkpoint, newest);
    // And nothing twice.
    current(&vault);
    assert_eq!(heads.lock().unwrap().len(), 1);
}

#[test]
fn a_vault_that_is_dropped_lets_its_sinks_take_the_last_head() {
    let (keeps, heads) = keeping();
    let hour = Duration::from_secs(3600);
    let house = House::new(options().sink(SinkOptions::new("slow").every(hour), keeps));
    house.ingest(7);
    let House { dir: _dir, vault, acme, .. } = house;
    let newest = vault.checkpoint(acme.pin.tenant).unwrap();
    drop(vault);
    assert_eq!(heads.lock().unwrap().last().unwrap().checkpoint, newest);
}

#[test]
fn what_another_process_commits_is_published_by_whoever_is_asked_to() {
    let (keeps, heads) = keeping();
    let house = House::new(options());
    let publisher = Vault::open(house.path(), options().sink("keeps", keeps)).unwrap();
    house.ingest(3);
    current(&publisher);
    let newest = house.vault.checkpoint(house.acme.pin.tenant).unwrap();
    assert_eq!(heads.lock().unwrap().last().unwrap().checkpoint, newest);
    assert!(house.vault.publish(LONG).unwrap().is_empty() && house.vault.sinks().is_empty());
    let keyless = Vault::open_to_check(house.path()).unwrap();
    assert!(keyless.sinks().is_empty());
    assert_eq!(keyless.publish(LONG).unwrap_err().kind(), ErrorKind::WrongKey);
}

fn refused(vault: &Vault) -> ErrorKind {
    let kind = Mutex::new(None);
    until(vault, 0, |why| match why {
        Obstacle::Refused(error) => {
            *kind.lock().unwrap() = error.downcast_ref::<Error>().map(Error::kind);
            true
        }
        Obstacle::Unread(error) => {
            *kind.lock().unwrap() = Some(error.kind());
            true
        }
        _ => false,
    });
    kind.into_inner().unwrap().unwrap()
}

#[test]
fn a_folder_never_goes_back_whatever_the_vault_is_made_to_say() {
    let heads = tempfile::tempdir().unwrap();
    let house = House::new(options());
    house.ingest(1);
    let House { dir, vault, acme, writer } = house;
    let (path, tenant) = (dir.path().join("v"), acme.pin.tenant);
    drop(vault);
    let old: Vec<_> = common::files(&path).into_iter().map(|file| (fs::read(&file).unwrap(), file)).collect();
    let open = || Vault::open(&path, options().sink("disk", FolderSink::new(heads.path()))).unwrap();
    let vault = open();
    ingest(&vault, &acme, &writer, 2);
    current(&vault);
    let (key, newest) = (vault.log_key(tenant).unwrap(), vault.checkpoint(tenant).unwrap());
    drop(vault);

    // The whole folder is put back, with its anchor: nothing in it can tell.
    for name in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(path.join(name));
    }
    old.iter().for_each(|(bytes, file)| fs::write(file, bytes).unwrap());
    let vault = open();
    assert_eq!(refused(&vault), ErrorKind::RolledBack);
    assert_eq!(kept(heads.path(), &key), newest);
    // It grows again, otherwise, to the same size.
    ingest(&vault, &acme, &writer, 2);
    assert_eq!(vault.checkpoint(tenant).unwrap().checkpoint().size, newest.checkpoint().size);
    vault.publish(Duration::from_millis(300)).unwrap();
    assert_eq!(refused(&vault), ErrorKind::Forked);
    assert_eq!(kept(heads.path(), &key), newest);

    // What is in the folder but no head of this log is written over.
    let file = common::files(heads.path()).remove(0);
    fs::write(&file, newest.to_string().replace('=', "A")).unwrap();
    current(&vault);
    assert_eq!(kept(heads.path(), &key), vault.checkpoint(tenant).unwrap());
}

#[test]
fn a_ledger_that_is_not_what_was_signed_is_given_to_nobody() {
    type Change = fn(&rusqlite::Connection);
    let changes: [(Change, ErrorKind); 3] = [
        (|db| run(db, "DELETE FROM entries WHERE at = (1 << 40) + 3"), ErrorKind::RolledBack),
        (|db| run(db, "UPDATE logs SET key = (SELECT operator FROM vault)"), ErrorKind::WrongKey),
        (|db| run(db, "UPDATE entries SET note = zeroblob(64) WHERE note IS NOT NULL"), ErrorKind::Tampered),
    ];
    for (change, expected) in changes {
        let house = House::new(options());
        house.ingest(2);
        let House { dir, vault, .. } = house;
        drop(vault);
        let path = dir.path().join("v");
        change(&rows(&path));
        let (keeps, heads) = keeping();
        let vault = Vault::open(&path, options().sink("keeps", keeps)).unwrap();
        assert_eq!(refused(&vault), expected);
        assert!(heads.lock().unwrap().is_empty());
    }
}

fn run(db: &rusqlite::Connection, sql: &str) {
    assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn a_vault_that_its_own_sink_holds_last_ends_without_waiting_for_itself() {
    let held = Arc::new(Mutex::new(None::<Vault>));
    let (last, (ended, when_ended)) = (Arc::clone(&held), channel());
    let house = House::new(options().sink("holds", move |_: &LedgerHead| {
        let Some(vault) = last.lock().unwrap().take() else { return Err(Answer(404).into()) };
        let start = Instant::now();
        drop(vault);
        let _ = ended.send(start.elapsed());
        Ok(())
    }));
    let House { dir: _dir, vault, .. } = house;
    *held.lock().unwrap() = Some(vault);
    let waited = when_ended.recv_timeout(LONG).unwrap();
    assert!(waited < Duration::from_millis(900), "{waited:?}");
}
