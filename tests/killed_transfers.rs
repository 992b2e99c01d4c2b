//! A process that is killed while it sends records to a third party has released nothing that the ledger had not said, and
//! the ledger says that nobody knows how far it came.

mod common;

use std::fs::{self, File};
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::doomed::{self, Doomed, Slow, random, say, say_and_wait};
use common::third_party::{PURPOSE, ThirdParty, agree, rules, state_policy};
use common::{World, noise};
use strongroom::*;

const RECORDS: u64 = 6;

/// Where a process stops and waits to be killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    /// While it reads and hashes.
    Hashing,
    /// With the package's first bytes in its hands.
    FirstByte,
    /// When so many bytes have left.
    After(u64),
    /// When all have left, and the ledger does not know.
    Whole,
    /// Nowhere.
    Never,
}

#[test]
fn a_process_that_is_killed_before_the_ledger_has_said_so_has_released_nothing() {
    const NAME: &str = "a_process_that_is_killed_before_the_ledger_has_said_so_has_released_nothing";
    if let Some(job) = Job::given() {
        return job.send();
    }
    let scene = Scene::new();
    let mut child = scene.start(NAME, Stop::Hashing, 0);
    child.reaches("stop");
    child.kill();
    assert_eq!(fs::read(scene.out()).unwrap(), b"", "nothing is said, and nothing has left");
    let vault = scene.open();
    let session = scene.session(&vault);
    assert!(session.transfers(&TransferQuery::all()).unwrap().is_empty());
    assert!(messages(&session, Kind::TransferAuthorised).is_empty());
    session.transfer(&scene.transfer(), Vec::new(), |_| ControlFlow::Continue(())).unwrap();
    drop(session);
    scene.is_sound(&vault);
}

#[test]
fn wherever_a_process_is_killed_while_it_sends_nobody_knows_what_arrived_and_it_can_be_sent_again() {
    const NAME: &str = "wherever_a_process_is_killed_while_it_sends_nobody_knows_what_arrived_and_it_can_be_sent_again";
    if let Some(job) = Job::given() {
        return job.send();
    }
    let scene = Scene::new();
    let stops = [Stop::FirstByte, Stop::After(1), Stop::After(100_000), Stop::After(900_000), Stop::Whole];
    for (round, stop) in stops.into_iter().enumerate() {
        let mut child = scene.start(NAME, stop, 0);
        child.reaches("stop");

        // While it lives it goes on, whoever opens the vault.
        let vault = scene.open();
        let session = scene.session(&vault);
        let sent = session.transfers(&TransferQuery::all()).unwrap().pop().unwrap();
        assert_eq!(sent.outcome, TransferOutcome::Running, "{stop:?}");
        let authorised = messages(&session, Kind::TransferAuthorised).pop().unwrap();
        assert_eq!(sent.entry.1, authorised.seq, "{stop:?}: said before the first byte");
        let early = session.transfer_again(sent.id, Vec::new(), |_| ControlFlow::Continue(())).unwrap_err();
        assert_eq!(early.kind(), ErrorKind::AlreadyExists, "{stop:?}");
        drop((session, vault));

        child.kill();
        let left = fs::read(scene.out()).unwrap();
        match stop {
            Stop::FirstByte => assert_eq!(left, b""),
            Stop::After(bytes) => assert!(left.len() as u64 >= bytes && left.len() < 1_300_000, "{}", left.len()),
            _ => assert!(left.len() > 1_300_000, "{}", left.len()),
        }
        let vault = scene.open();
        let session = scene.session(&vault);
        scene.nobody_knows(&session, &sent, &authorised);
        assert_eq!(messages(&session, Kind::OutcomeUnknown).iter().filter(|m| of_transfer(m)).count(), round + 1);
        match (stop, scene.open_package(&left)) {
            // It had all left: what the recipient says about it counts, and it gets no second copy.
            (Stop::Whole, package) => {
                let receipt = package.unwrap().receipt(&scene.party.identity).unwrap();
                session.record_receipt(&receipt).unwrap();
                let second = session.transfer_again(sent.id, Vec::new(), |_| ControlFlow::Continue(())).unwrap_err();
                assert_eq!(second.kind(), ErrorKind::AlreadyExists);
            }
            // Cut so early that it is no age file.
            (Stop::FirstByte, package) => {
                assert_eq!(package.unwrap_err().kind(), ErrorKind::InvalidInput);
                scene.is_sent_again(&session, &sent);
            }
            (_, package) => {
                assert_eq!(package.unwrap_err().kind(), ErrorKind::Tampered, "{stop:?}");
                scene.is_sent_again(&session, &sent);
            }
        }
        drop(session);
        scene.is_sound(&vault);
    }
}

#[test]
fn no_byte_is_released_before_the_ledger_has_said_so_whenever_the_process_is_killed() {
    const NAME: &str = "no_byte_is_released_before_the_ledger_has_said_so_whenever_the_process_is_killed";
    if let Some(job) = Job::given() {
        return job.send();
    }
    let scene = Scene::new();
    let (mut nothing, mut some, mut known) = (0, 0, 0);
    for round in 0..16u64 {
        // It writes some twenty pieces, waiting before each. Every other time it has written the first.
        let mut child = scene.start(NAME, Stop::Never, 8);
        child.reaches(if round % 2 == 0 { "begin" } else { "byte" });
        let delay = random() % (15 * round + 1);
        thread::sleep(Duration::from_millis(delay));
        child.kill();
        let left = fs::read(scene.out()).unwrap();
        let vault = scene.open();
        let session = scene.session(&vault);
        let all = session.transfers(&TransferQuery::all()).unwrap();
        let said: Vec<_> = all[known..].iter().map(|sent| &sent.outcome).collect();
        assert!(round % 2 == 0 || !left.is_empty());
        println!("round {round}: killed after {delay} ms, {} bytes left, {said:?}", left.len());
        match &all[known..] {
            [] => assert_eq!(left, b"", "round {round}: nothing was said"),
            [sent] if sent.outcome == TransferOutcome::Completed => {
                assert_eq!(scene.open_package(&left).unwrap().records(), RECORDS);
            }
            [sent] => {
                let authorised = messages(&session, Kind::TransferAuthorised).pop().unwrap();
                scene.nobody_knows(&session, sent, &authorised);
                scene.is_sent_again(&session, sent);
            }
            more => panic!("{more:?}"),
        }
        nothing += usize::from(left.is_empty());
        some += usize::from(!left.is_empty());
        known = session.transfers(&TransferQuery::all()).unwrap().len();
        drop(session);
        scene.is_sound(&vault);
    }
    assert!(nothing > 0 && some > 2, "the kills came too early or too late to show anything: {nothing}, {some}");
}

/// A vault with records and an agreement to send them under.
struct Scene {
    world: World,
    party: ThirdParty,
    agreement: Agreement,
    ids: Vec<RecordId>,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let party = ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider);
        state_policy(&world, &world.acme, rules());
        let agreement = agree(&world, &world.acme, &party, party.terms());
        let ingestor = world.ingestor(&world.acme);
        let draft = |n: u64| {
            let who = Subject::new(Role::Customer, Identifier::tel(&format!("+1572256838{n}")).unwrap());
            let audio = Cursor::new(noise(220_000 + n as usize));
            Draft::new(Channel::Voice).subject(who).part(PartKind::Audio, "audio/x-unknown", audio).part(
                PartKind::Transcript,
                "text/plain",
                Cursor::new(b"words".to_vec()),
            )
        };
        let ids = (0..RECORDS).map(|n| ingestor.ingest(draft(n)).unwrap().record).collect();
        Self { world, party, agreement, ids }
    }

    /// The vault as the next process finds it.
    fn open(&self) -> Vault {
        Vault::open(self.world.path(), common::operator()).unwrap()
    }

    fn session(&self, vault: &Vault) -> TenantSession {
        self.world.acme.session(vault)
    }

    fn transfer(&self) -> Transfer {
        Transfer::of(self.agreement.id(), PURPOSE, self.ids.clone())
    }

    fn out(&self) -> PathBuf {
        self.world.dir.path().join("package.age")
    }

    fn start(&self, test: &str, stop: Stop, pause: u64) -> Doomed {
        let _ = fs::remove_file(self.out());
        let stop = match stop {
            Stop::Hashing => "hashing".to_owned(),
            Stop::FirstByte => "0".to_owned(),
            Stop::After(bytes) => bytes.to_string(),
            Stop::Whole => "whole".to_owned(),
            Stop::Never => "never".to_owned(),
        };
        let (path, out) = (self.world.path(), self.out());
        let agreement: String = self.agreement.id().iter().map(|b| format!("{b:02x}")).collect();
        let job: [&str; 7] = [
            path.to_str().unwrap(),
            out.to_str().unwrap(),
            &self.world.acme.pin.tenant.to_string(),
            &self.world.acme.identity.expose_secret(),
            &agreement,
            &stop,
            &pause.to_string(),
        ];
        Doomed::start(test, Job::ENV, &job)
    }

    fn open_package(&self, bytes: &[u8]) -> Result<Package> {
        let folder = self.world.dir.path().join("opened");
        let opened = Package::open(bytes, &self.party.identity, &folder, &PackageOptions::new());
        if let Err(error) = &opened {
            assert!(!folder.exists(), "{error}");
        }
        let _ = fs::remove_dir_all(folder);
        opened
    }

    /// The ledger and the list say so, and the entry about it is the only one that refers to the first.
    fn nobody_knows(&self, session: &TenantSession, sent: &SentTransfer, authorised: &Message) {
        let now = session.transfers(&TransferQuery::all()).unwrap().into_iter().find(|s| s.id == sent.id).unwrap();
        assert_eq!((now.outcome, now.records, now.entry.1), (TransferOutcome::Unknown, RECORDS, authorised.seq));
        let log = session.log().unwrap();
        let all: Vec<Message> = log.entries(0, 10_000).unwrap().into_iter().filter_map(opened).collect();
        let concluding: Vec<&Message> = all.iter().filter(|m| m.refers == Some(authorised.seq)).collect();
        let [unknown] = concluding[..] else { panic!("{concluding:?}") };
        assert_eq!((&unknown.kind, of_transfer(unknown)), (&Kind::OutcomeUnknown, true));
    }

    fn is_sent_again(&self, session: &TenantSession, sent: &SentTransfer) {
        let mut out = Vec::new();
        let again = session.transfer_again(sent.id, &mut out, |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(self.open_package(&out).unwrap().transfer(), again.id);
        let all = session.transfers(&TransferQuery::all()).unwrap();
        let last = all.last().unwrap();
        assert_eq!((last.id, &last.outcome, last.again), (again.id, &TransferOutcome::Completed, Some(sent.id)));
        let named = messages(session, Kind::TransferAuthorised).pop().unwrap();
        assert_eq!(named.details.get("again"), Some(&sent.id.to_string()));
    }

    fn is_sound(&self, vault: &Vault) {
        doomed::is_sound(vault);
        let session = self.session(vault);
        let log = session.log().unwrap();
        let report = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(report.findings.is_empty(), "{report}");
    }
}

fn opened(entry: Entry) -> Option<Message> {
    match entry.state {
        State::Open(_, message) => Some(*message),
        _ => None,
    }
}

fn messages(session: &TenantSession, kind: Kind) -> Vec<Message> {
    let entries = session.log().unwrap().entries(0, 10_000).unwrap();
    entries.into_iter().filter_map(opened).filter(|message| message.kind == kind).collect()
}

fn of_transfer(message: &Message) -> bool {
    message.details.get("began").is_some_and(|began| began == "transfer")
}

/// What a process that is about to die was told to do.
struct Job {
    session: TenantSession,
    transfer: Transfer,
    out: PathBuf,
    stop: String,
    pause: Duration,
}

impl Job {
    const ENV: &str = "STRONGROOM_TEST_SEND";

    fn given() -> Option<Self> {
        let job = std::env::var(Self::ENV).ok()?;
        let [path, out, tenant, identity, agreement, stop, pause] = job.split('\n').collect::<Vec<_>>()[..] else {
            panic!("a job")
        };
        let vault = Vault::open(path, common::operator()).unwrap();
        let identity: Arc<Identity> = Arc::new(identity.parse().unwrap());
        let access = Access::new("sender", "about to die");
        let session = vault.session(tenant.parse().unwrap(), identity, access).unwrap();
        let agreement: Vec<u8> =
            (0..32).step_by(2).map(|at| u8::from_str_radix(&agreement[at..at + 2], 16).unwrap()).collect();
        let listing = Listing::by_commit();
        let transfer = Transfer::listed(agreement.try_into().unwrap(), PURPOSE, listing);
        let pause = Duration::from_millis(pause.parse().unwrap());
        Some(Self { session, transfer, out: out.into(), stop: stop.to_owned(), pause })
    }

    fn send(self) {
        let Self { session, transfer, out, stop, pause } = self;
        let file = File::create_new(out).unwrap();
        say("begin");
        let hashing = stop == "hashing";
        let out = Slow::new(file, &stop, pause);
        let sent = session.transfer(&transfer, out, |progress| {
            if hashing && progress.bytes > 500_000 {
                say_and_wait();
            }
            ControlFlow::Continue(())
        });
        sent.unwrap();
    }
}
