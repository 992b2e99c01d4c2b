//! A process that is killed while it gives records to an authority has released nothing that the ledger had not said, the
//! ledger says that nobody knows how far it came, and a tenant that must not know of the order learns nothing from that.

mod common;

use std::fs::{self, File};
use std::io::{self, Cursor};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use common::court::{Court, day, tomorrow};
use common::doomed::{self, Doomed, Slow, random, say, say_and_wait};
use common::noise;
use strongroom::*;

/// Where a process stops and waits to be killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    /// With the keys of the records in its hands.
    Opened,
    /// While it reads and hashes.
    Hashing,
    /// When so many bytes have left: of 0, with the first in its hands.
    After(u64),
    /// When all have left, and the ledger does not know.
    Whole,
    /// Nowhere.
    Never,
}

#[test]
fn wherever_a_process_is_killed_while_it_discloses_nobody_knows_and_it_can_be_done_again() {
    const NAME: &str = "wherever_a_process_is_killed_while_it_discloses_nobody_knows_and_it_can_be_done_again";
    if let Some(job) = Job::given() {
        return job.disclose();
    }
    let mut scene = Scene::new();
    let stops = [Stop::Opened, Stop::Hashing, Stop::After(0), Stop::After(1), Stop::After(400_000), Stop::Whole];
    for stop in stops {
        let order = scene.court.accepted(scene.terms());
        let known = scene.messages().len();
        let mut child = scene.start(NAME, &order, stop, 0);
        child.reaches("stop");

        // While it lives it goes on, and nobody comes between.
        let status = scene.status(&order);
        assert_eq!((status.state(), status.unknown), (OrderState::Approved, None), "{stop:?}");
        assert!(scene.review(&order, ReviewOutcome::Challenged).is_err() && scene.close(&order).is_err());
        scene.reopen();
        assert_eq!(scene.status(&order).state(), OrderState::Approved, "{stop:?}");
        child.kill();

        let left = fs::read(scene.out()).unwrap();
        let begun = matches!(stop, Stop::After(_) | Stop::Whole);
        match stop {
            Stop::Opened | Stop::Hashing | Stop::After(0) => assert_eq!(left, b"", "{stop:?}"),
            Stop::After(bytes) => assert!(left.len() as u64 >= bytes && left.len() < 900_000, "{}", left.len()),
            _ => assert!(left.len() > 900_000, "{}", left.len()),
        }
        // Another process may be the one that finds it.
        scene.reopen();
        let messages = scene.messages().split_off(known);
        let kinds: Vec<String> = messages.iter().map(|message| message.kind.to_string()).collect();
        let expected = ["order.approved", "order.producing", "outcome.unknown"];
        let expected: Vec<&str> = expected.into_iter().filter(|kind| begun || *kind != "order.producing").collect();
        assert_eq!(kinds, expected, "{stop:?}");
        let unknown = messages.last().unwrap();
        assert_eq!((unknown.refers, unknown.details["began"].as_str()), (Some(messages[0].seq), "disclosure"));
        let status = scene.status(&order);
        assert_eq!((status.state(), status.disclosed), (OrderState::Accepted, None));
        assert!(status.unknown.is_some() && status.produced.is_some() == begun, "{stop:?}");
        assert_eq!(scene.is_whole(&left), stop == Stop::Whole, "{stop:?}");

        // What was used is used; counsel may have their say; it can be done again.
        let refused = scene.open_again().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound, "{stop:?}");
        scene.review(&order, ReviewOutcome::Challenged).unwrap();
        scene.court.accept(&order);
        let (disclosed, package) = scene.court.disclose(scene.court.quorum(&order));
        assert!(scene.is_whole(&package) && disclosed.records == 2);
        assert_eq!(scene.status(&order).state(), OrderState::Disclosed);
        scene.close(&order).unwrap();
        scene.is_sound();
    }
}

#[test]
fn a_process_that_is_killed_under_a_gag_leaves_the_tenant_as_ignorant_as_before() {
    const NAME: &str = "a_process_that_is_killed_under_a_gag_leaves_the_tenant_as_ignorant_as_before";
    if let Some(job) = Job::given() {
        return job.disclose();
    }
    let mut scene = Scene::new();
    let mut withheld = 0;
    for stop in [Stop::Opened, Stop::After(1), Stop::Whole] {
        let order = scene.court.accepted(scene.terms().gag_until(tomorrow()));
        let mut child = scene.start(NAME, &order, stop, 0);
        child.reaches("stop");
        child.kill();
        scene.reopen();
        // Received, reviewed, approved, the end of that, and what was to be given out if it came so far.
        withheld += if stop == Stop::Opened { 4 } else { 5 };
        let session = scene.court.session();
        assert_eq!(session.withheld().unwrap().len(), withheld, "{stop:?}");
        assert!(session.orders().unwrap().is_empty());
        drop(session);
        let told = scene.messages();
        let told: Vec<String> = told.iter().map(|message| message.kind.to_string()).collect();
        let ordinary = |kind: &String| ["log.opened", "writer.enrolled", "ingested"].contains(&kind.as_str());
        assert!(told.iter().all(ordinary), "{stop:?}: {told:?}");
        let report = scene.court.audit();
        assert!(report.is_clean() && report.unconcluded.len() == 1 && report.withheld == withheld as u64, "{report}");
        let status = scene.status(&order);
        assert!(status.state() == OrderState::Accepted && status.unknown.is_some());
    }
    // When the day has come, the tenant reads that, too.
    let soon = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 1_000);
    let order = scene.court.accepted(scene.terms().gag_until(soon));
    let mut child = scene.start(NAME, &order, Stop::Opened, 0);
    child.reaches("stop");
    child.kill();
    scene.reopen();
    while Timestamp::now() < soon {
        thread::sleep(Duration::from_millis(50));
    }
    scene.court.vault.give_notice(scene.court.tenant(), order.id(), "officer").unwrap();
    let told = scene.messages();
    let approved = told.iter().find(|message| message.kind == Kind::OrderApproved).unwrap();
    let unknown = told.iter().find(|message| message.kind == Kind::OutcomeUnknown).unwrap();
    assert_eq!((unknown.refers, unknown.details["began"].as_str()), (Some(approved.seq), "disclosure"));
    let known = scene.court.session().orders().unwrap();
    assert!(known.len() == 1 && known[0].unknown.is_some());
    scene.is_sound();
}

#[test]
fn no_byte_is_given_out_before_the_ledger_has_said_so_whenever_the_process_is_killed() {
    const NAME: &str = "no_byte_is_given_out_before_the_ledger_has_said_so_whenever_the_process_is_killed";
    if let Some(job) = Job::given() {
        return job.disclose();
    }
    let mut scene = Scene::new();
    let (mut nothing, mut some) = (0, 0);
    for round in 0..14u64 {
        let order = scene.court.accepted(scene.terms());
        let mut child = scene.start(NAME, &order, Stop::Never, 8);
        child.reaches(if round % 2 == 0 { "begin" } else { "byte" });
        let delay = random() % (15 * round + 1);
        thread::sleep(Duration::from_millis(delay));
        child.kill();
        let left = fs::read(scene.out()).unwrap();
        scene.reopen();
        let status = scene.status(&order);
        println!("round {round}: killed after {delay} ms, {} bytes left, {:?}", left.len(), status.state());
        assert!(round % 2 == 0 || !left.is_empty());
        assert!(left.is_empty() || status.produced.is_some(), "round {round}: nothing was said");
        match status.state() {
            OrderState::Disclosed => assert!(scene.is_whole(&left)),
            OrderState::Accepted => {
                assert_eq!(status.unknown.is_some(), !status.approved_by.is_empty());
                assert!(status.approved_by.is_empty() || scene.open_again().is_err(), "what was used opens again");
                assert_eq!(scene.court.disclose(scene.court.quorum(&order)).0.records, 2);
            }
            other => panic!("round {round}: {other:?}"),
        }
        nothing += usize::from(left.is_empty());
        some += usize::from(!left.is_empty());
        scene.is_sound();
    }
    assert!(nothing > 0 && some > 2, "the kills came too early or too late to show anything: {nothing}, {some}");
}

/// A court before which two long calls are asked for.
struct Scene {
    court: Court,
    calls: Vec<RecordId>,
}

impl Scene {
    fn new() -> Self {
        let court = Court::new();
        let ingestor = court.vault.ingestor(&court.owner.pin, std::sync::Arc::clone(&court.writer)).unwrap();
        let long = |n: usize| {
            let audio = Cursor::new(noise(500_000 + n));
            Draft::new(Channel::Voice).start(day(n as i64)).part(PartKind::Audio, "audio/x-unknown", audio)
        };
        let calls = (0..2).map(|n| ingestor.ingest(long(n)).unwrap().record).collect();
        drop(ingestor);
        Self { court, calls }
    }

    fn terms(&self) -> OrderTerms {
        self.court.terms(OrderScope::records(self.calls.iter().copied()))
    }

    fn path(&self) -> PathBuf {
        self.court.dir.path().join("my.vault")
    }

    fn out(&self) -> PathBuf {
        self.court.dir.path().join("package.age")
    }

    /// The vault as the next process finds it.
    fn reopen(&mut self) {
        self.court.vault = Vault::open(self.path(), common::operator()).unwrap();
    }

    fn status(&self, order: &DisclosureOrder) -> OrderStatus {
        let all = self.court.vault.orders(self.court.tenant()).unwrap();
        all.into_iter().find(|status| status.order.id() == order.id()).unwrap()
    }

    fn review(&self, order: &DisclosureOrder, outcome: ReviewOutcome) -> Result<Receipt> {
        let vault = &self.court.vault;
        vault.review_order(self.court.tenant(), order.id(), outcome, "why", None, "counsel").map(|(_, receipt)| receipt)
    }

    fn close(&self, order: &DisclosureOrder) -> Result<Receipt> {
        self.court.vault.close_order(self.court.tenant(), order.id(), "answered", "officer")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.court.dir.path().join(name)
    }

    /// What a process was started with, once more.
    fn open_again(&self) -> Result<Quorum> {
        let read = |name: &str| fs::read(self.file(name)).unwrap();
        let request = OrderRequest::from_bytes(&read("order.request")).unwrap();
        let approvals = ["1.approval", "2.approval"].map(|name| Approval::from_bytes(&read(name)).unwrap());
        self.court.vault.open_order(self.court.tenant(), &request, &approvals, "officer")
    }

    fn start(&self, test: &str, order: &DisclosureOrder, stop: Stop, pause: u64) -> Doomed {
        let _ = fs::remove_file(self.out());
        let request = self.court.request(order).unwrap();
        fs::write(self.file("order.request"), request.to_bytes()).unwrap();
        for (n, approval) in (1..).zip(self.court.approvals(&request, &[0, 2])) {
            fs::write(self.file(&format!("{n}.approval")), approval.to_bytes()).unwrap();
        }
        let stop = match stop {
            Stop::Opened => "opened".to_owned(),
            Stop::Hashing => "hashing".to_owned(),
            Stop::After(bytes) => bytes.to_string(),
            Stop::Whole => "whole".to_owned(),
            Stop::Never => "never".to_owned(),
        };
        let (folder, tenant) = (self.court.dir.path().to_str().unwrap(), self.court.tenant().to_string());
        Doomed::start(test, Job::ENV, &[folder, &tenant, &stop, &pause.to_string()])
    }

    /// Whether the authority gets all of a package.
    fn is_whole(&self, package: &[u8]) -> bool {
        let Ok(mut reader) = age::Reader::new(package, &self.court.authority) else { return false };
        io::copy(&mut reader, &mut io::sink()).is_ok()
    }

    /// What the tenant reads of its ledger, but for its own sessions.
    fn messages(&self) -> Vec<Message> {
        let session = self.court.session();
        let entries = session.log().unwrap().entries(0, 10_000).unwrap();
        let message = |entry: Entry| match entry.state {
            State::Open(_, message) => Some(*message),
            State::Withheld(_) => None,
            other => panic!("{other:?}"),
        };
        let own = |message: &Message| !matches!(message.kind, Kind::SessionOpened | Kind::SessionClosed);
        entries.into_iter().filter_map(message).filter(own).collect()
    }

    fn is_sound(&self) {
        doomed::is_sound(&self.court.vault);
        let report = self.court.audit();
        assert!(report.is_clean() && report.unconcluded.len() == 1, "{report}");
    }
}

/// What a process that is about to die was told to do.
struct Job {
    folder: PathBuf,
    tenant: TenantId,
    stop: String,
    pause: Duration,
}

impl Job {
    const ENV: &str = "STRONGROOM_TEST_DISCLOSE";

    fn given() -> Option<Self> {
        let job = std::env::var(Self::ENV).ok()?;
        let [folder, tenant, stop, pause] = job.split('\n').collect::<Vec<_>>()[..] else { panic!("a job") };
        let pause = Duration::from_millis(pause.parse().unwrap());
        Some(Self { folder: folder.into(), tenant: tenant.parse().unwrap(), stop: stop.to_owned(), pause })
    }

    fn disclose(self) {
        let Self { folder, tenant, stop, pause } = self;
        let vault = Vault::open(folder.join("my.vault"), common::operator()).unwrap();
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        let request = OrderRequest::from_bytes(&read("order.request")).unwrap();
        assert!(request.expires() < tomorrow());
        let approvals = ["1.approval", "2.approval"].map(|name| Approval::from_bytes(&read(name)).unwrap());
        let file = File::create_new(folder.join("package.age")).unwrap();
        say("begin");
        let quorum = vault.open_order(tenant, &request, &approvals, "officer").unwrap();
        if stop == "opened" {
            say_and_wait();
        }
        let hashing = stop == "hashing";
        let out = Slow::new(file, &stop, pause);
        let options = ProductionOptions::new(ProductionProfile::Portable);
        let disclosed = vault.disclose(quorum, options, "officer", out, |progress| {
            if hashing && progress.bytes > 300_000 {
                say_and_wait();
            }
            ControlFlow::Continue(())
        });
        disclosed.unwrap();
    }
}
