//! A process that dies at any moment loses nothing that it acknowledged, and leaves nothing that a sweep cannot take.

mod common;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, LazyLock};
use std::thread;
use std::time::Duration;

use common::doomed::random;
use common::{Owner, World, myself, noise, text};
use strongroom::*;

#[test]
fn whatever_was_acknowledged_before_a_kill_is_there_and_a_sweep_leaves_the_vault_clean() {
    const NAME: &str = "whatever_was_acknowledged_before_a_kill_is_there_and_a_sweep_leaves_the_vault_clean";
    if let Some(job) = Job::given() {
        return job.ingest_for_ever();
    }
    let world = World::new();
    let mut kept = Vec::new();
    let mut left = 0;
    for round in 0..15 {
        let owner = if round % 2 == 0 { &world.acme } else { &world.bolt };
        let mut child = Job::start(NAME, &world, owner, &world.writer, round);
        let acknowledged = listen(&mut child);
        let delay = 20 + random() % 380;
        thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let new = acknowledged.join().unwrap();
        let session = world.session(owner);
        new.iter().for_each(|ack| ack.read_back(&session));
        kept.push(new);

        let report = world.vault.check().unwrap();
        assert!(report.is_sound(), "round {round}, {delay} ms: {report}");
        let swept = world.vault.sweep().unwrap();
        let clean = world.vault.check().unwrap();
        assert!(clean.is_clean(), "round {round}, {delay} ms: {clean}");
        let acknowledged: usize = kept.iter().map(Vec::len).sum();
        assert!(clean.records >= acknowledged as u64);
        left += swept.objects + swept.slots;
        println!("round {round}: killed after {delay} ms, {acknowledged} of {} acknowledged, {swept:?}", clean.records);
    }
    for (round, acknowledged) in kept.iter().enumerate() {
        let session = world.session(if round % 2 == 0 { &world.acme } else { &world.bolt });
        acknowledged.iter().for_each(|ack| ack.read_back(&session));
    }
    for owner in [&world.acme, &world.bolt] {
        let report = world.session(owner).check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
    assert!(kept.iter().map(Vec::len).sum::<usize>() > 100 && left > 0, "the kills came too early to show anything");
}

#[test]
fn four_processes_ingest_at_once_while_the_vault_is_swept_and_checked() {
    const NAME: &str = "four_processes_ingest_at_once_while_the_vault_is_swept_and_checked";
    if let Some(job) = Job::given() {
        return job.ingest_some(50);
    }
    let world = World::new();
    let sibling = world.writer.sibling().unwrap();
    world.vault.enrol_writer(sibling.public_key()).unwrap();
    let mut children: Vec<Child> = (0..4)
        .map(|n| {
            let (owner, writer) = (if n % 2 == 0 { &world.acme } else { &world.bolt }, &world.writer);
            Job::start(NAME, &world, owner, if n < 2 { writer } else { &sibling }, n)
        })
        .collect();
    let listening: Vec<_> = children.iter_mut().map(listen).collect();
    while listening.iter().any(|l| !l.is_finished()) {
        let report = world.vault.check().unwrap();
        assert!(report.is_clean(), "{report}");
        assert_eq!(world.vault.sweep().unwrap(), Swept::default());
    }
    for (n, (mut child, acknowledged)) in children.into_iter().zip(listening).enumerate() {
        let acknowledged = acknowledged.join().unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(acknowledged.len(), 50);
        let session = world.session(if n % 2 == 0 { &world.acme } else { &world.bolt });
        acknowledged.iter().for_each(|ack| ack.read_back(&session));
    }
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.records, 200);
}

#[test]
fn a_sweep_takes_nothing_of_ingestors_that_come_and_go() {
    let world = World::new();
    let vault = Vault::open(world.path(), common::operator()).unwrap();
    let (over, sweeps) = (AtomicBool::new(false), AtomicU64::new(0));
    let acknowledged = thread::scope(|scope| {
        let sweeping = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let report = vault.check().unwrap();
                assert!(report.is_clean(), "{report}");
                assert_eq!(vault.sweep().unwrap(), Swept::default());
                sweeps.fetch_add(1, Ordering::Relaxed);
            }
        });
        let ingesting: Vec<_> = (0..2u64)
            .map(|thread| {
                let world = &world;
                scope.spawn(move || {
                    let ingest = |n| {
                        let ack = Ack { seed: 1000 * thread + n, len: if n % 2 == 0 { 500 } else { 70_000 }, id: None };
                        // A new epoch each time.
                        let ingested = world.ingestor(&world.acme).ingest(ack.draft()).unwrap();
                        Ack { id: Some(ingested.record), ..ack }
                    };
                    (0..150u64).map(ingest).collect::<Vec<_>>()
                })
            })
            .collect();
        let acknowledged: Vec<Ack> = ingesting.into_iter().flat_map(|i| i.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        sweeping.join().unwrap();
        acknowledged
    });
    let session = world.session(&world.acme);
    acknowledged.iter().for_each(|ack| ack.read_back(&session));
    println!("{} sweeps", sweeps.into_inner());
}

#[test]
fn a_sweep_takes_nothing_of_a_part_that_is_still_coming() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let (half, go_on) = (Barrier::new(2), Barrier::new(2));
    let bytes = noise(3_000_000);
    thread::scope(|scope| {
        let ingesting = scope.spawn(|| {
            let pause = Pause { half: &half, go_on: &go_on, done: false };
            let source = (&bytes[..1_500_000]).chain(pause).chain(&bytes[1_500_000..]);
            let draft = text("small").part(PartKind::Audio, "audio/wav", io::Cursor::new(noise(200_000)));
            ingestor.ingest(draft.part(PartKind::Audio, "audio/wav", source)).unwrap().record
        });
        half.wait();
        let other = Vault::open(world.path(), common::operator()).unwrap();
        assert_eq!(other.sweep().unwrap(), Swept::default());
        assert!(other.check().unwrap().is_clean());
        go_on.wait();
        let record = world.session(&world.acme).read(ingesting.join().unwrap()).unwrap();
        assert_eq!(record.read_part(2).unwrap(), noise(200_000));
        assert_eq!(record.read_part(3).unwrap(), bytes);
    });
    drop(ingestor);
    assert!(world.vault.check().unwrap().is_clean());
}

struct Pause<'a> {
    half: &'a Barrier,
    go_on: &'a Barrier,
    done: bool,
}

impl Read for Pause<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.done, true) {
            self.half.wait();
            self.go_on.wait();
        }
        Ok(0)
    }
}

/// What a process that is about to die was told to do.
struct Job {
    ingestor: Ingestor,
    seeds: AtomicU64,
}

impl Job {
    const ENV: &str = "STRONGROOM_TEST_JOB";

    fn start(test: &str, world: &World, owner: &Owner, writer: &WriterKey, number: u64) -> Child {
        let (pin, key) = (owner.pin.to_string(), writer.expose_secret().to_string());
        let job = [&number.to_string(), &pin, &key, world.path().to_str().unwrap()].join("\n");
        myself(test).env(Self::ENV, job).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn given() -> Option<Self> {
        let job = std::env::var(Self::ENV).ok()?;
        let [number, pin, writer, path] = job.split('\n').collect::<Vec<_>>()[..] else { panic!("a job") };
        let writer = Arc::new(writer.parse::<WriterKey>().unwrap());
        let ingestor = Vault::open(path, common::operator()).unwrap().ingestor(&pin.parse().unwrap(), writer).unwrap();
        Some(Self { ingestor, seeds: AtomicU64::new(number.parse::<u64>().unwrap() * 1_000_000) })
    }

    fn ack(&self, len: usize) -> Ack {
        Ack { seed: self.seeds.fetch_add(1, Ordering::Relaxed), len, id: None }
    }

    fn ingest(&self, batch: Vec<Ack>) {
        let ingested = self.ingestor.ingest_batch(batch.iter().map(Ack::draft).collect()).unwrap();
        let mut out = String::new();
        for (ack, Ingested { record, .. }) in batch.iter().zip(ingested) {
            out += &format!("\nack {record} {} {} end\n", ack.seed, ack.len);
        }
        io::stdout().lock().write_all(out.as_bytes()).unwrap();
        io::stdout().flush().unwrap();
    }

    fn ingest_for_ever(&self) {
        thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    self.ingest(vec![self.ack(4096)]);
                    self.ingest(vec![self.ack(1_500_000)]);
                    (0..4).for_each(|_| self.ingest(vec![self.ack(4096)]));
                }
            });
            loop {
                self.ingest((0..20).map(|n| self.ack(1000 + n)).collect());
                (0..10).for_each(|_| self.ingest(vec![self.ack(4096)]));
            }
        });
    }

    fn ingest_some(&self, count: usize) {
        (0..count).for_each(|n| self.ingest(vec![self.ack(if n % 10 == 0 { 80_000 } else { 2000 })]));
    }
}

/// What every record holds again and again, but for its first bytes.
static BLOCK: LazyLock<Vec<u8>> = LazyLock::new(|| noise(4096));

/// A record that was acknowledged, and what it holds.
struct Ack {
    id: Option<RecordId>,
    seed: u64,
    len: usize,
}

impl Ack {
    fn bytes(&self) -> Vec<u8> {
        let mut block = BLOCK.clone();
        block[..8].copy_from_slice(&self.seed.to_be_bytes());
        let mut bytes = block.repeat(self.len.div_ceil(4096));
        bytes.truncate(self.len);
        bytes
    }

    fn draft(&self) -> Draft<'static> {
        let part = io::Cursor::new(self.bytes());
        Draft::new(Channel::Voice).part(PartKind::Audio, "audio/wav", part).tag(self.seed.to_string())
    }

    fn read_back(&self, session: &TenantSession) {
        let record = session.read(self.id.unwrap()).unwrap();
        assert_eq!(record.head().tags, [self.seed.to_string()]);
        assert!(record.read_part(1).unwrap() == self.bytes(), "record {} of {} bytes", record.id(), self.len);
    }
}

/// Collects what a process acknowledges until it is gone.
fn listen(child: &mut Child) -> thread::JoinHandle<Vec<Ack>> {
    let out = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        let parse = |line: String| match line.split(' ').collect::<Vec<_>>()[..] {
            // A line that the kill cut short was not heard.
            ["ack", id, seed, len, "end"] => {
                Some(Ack { id: id.parse().ok(), seed: seed.parse().ok()?, len: len.parse().ok()? })
            }
            _ => None,
        };
        out.lines().map_while(io::Result::ok).filter_map(parse).collect()
    })
}
