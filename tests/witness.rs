//! Witnesses who sign that a ledger continues what they saw of it, and everything that they may say instead.
#![cfg(feature = "witness")]

mod common;

use std::collections::HashMap;
use std::error::Error as _;
use std::fs;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{World, operator, rows, text};
use ed25519_dalek::{Signer, SigningKey};
use strongroom::tlog::{
    Checkpoint, Hash, KeyKind, Policy, SignedCheckpoint, VerifierKey, conflict_size, origin_of, verify_consistency,
};
use strongroom::*;

const LONG: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

type Reply = (u16, Vec<u8>);
type Replied = std::result::Result<Reply, SinkError>;

/// A witness as C2SP tlog-witness has it, and what he was asked.
#[derive(Clone)]
struct House {
    signing: SigningKey,
    key: VerifierKey,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    logs: HashMap<String, PublicKey>,
    seen: HashMap<String, Checkpoint>,
    /// `old` of every request, and what he answered.
    asked: Vec<(u64, u16)>,
    time: u64,
}

impl House {
    fn new(seed: u8) -> Self {
        let signing = SigningKey::from_bytes(&[seed; 32]);
        let key = PublicKey::from_bytes(signing.verifying_key().to_bytes()).unwrap();
        let key = VerifierKey::new(format!("witness.example/w{seed}"), KeyKind::Cosigner, key).unwrap();
        let time = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        Self { signing, key, state: Arc::new(Mutex::new(State { time, ..State::default() })) }
    }

    fn knows(self, log: PublicKey) -> Self {
        self.state.lock().unwrap().logs.insert(origin_of(&log), log);
        self
    }

    fn asked(&self) -> Vec<(u64, u16)> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    fn witness(&self) -> Witness {
        let house = self.clone();
        Witness::new(self.key.clone(), move |path: &str, body: &str| {
            assert_eq!(path, "/add-checkpoint");
            Ok(house.answer(body))
        })
        .unwrap()
    }

    fn answer(&self, body: &str) -> Reply {
        let mut state = self.state.lock().unwrap();
        let (old, reply) = self.judge(body, &mut state).unwrap_or((u64::MAX, (400, b"what?\n".to_vec())));
        state.asked.push((old, reply.0));
        reply
    }

    fn judge(&self, body: &str, state: &mut State) -> Option<(u64, Reply)> {
        let (head, checkpoint) = body.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old = conflict_size(&format!("{}\n", lines.next()?.strip_prefix("old ")?))?;
        let hash = |line: &str| -> Option<Hash> {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.decode(line).ok()?.try_into().ok()
        };
        let proof: Vec<Hash> = lines.map(hash).collect::<Option<_>>()?;
        let mut signed: SignedCheckpoint = checkpoint.parse().ok()?;
        let says = |status: u16| Some((old, (status, format!("{status}\n").into_bytes())));
        let new = signed.checkpoint().clone();
        let Some(log) = state.logs.get(&new.origin) else { return says(404) };
        if signed.verify(log).is_err() {
            return says(403);
        }
        if old > new.size || old == 0 && !proof.is_empty() || proof.len() > 63 {
            return says(400);
        }
        let seen = state.seen.get(&new.origin);
        let size = seen.map_or(0, |seen| seen.size);
        if old != size {
            return Some((old, (409, format!("{size}\n").into_bytes())));
        }
        let root = seen.map_or_else(|| <sha2::Sha256 as sha2::Digest>::digest([]).into(), |seen| seen.root);
        if old == new.size && root != new.root {
            return Some((old, (409, format!("{size}\n").into_bytes())));
        }
        if verify_consistency(old, &root, new.size, &new.root, &proof).is_err() {
            return says(422);
        }
        state.seen.insert(new.origin.clone(), new);
        signed.cosign(&self.key, state.time, |bytes| self.signing.sign(bytes).to_bytes()).unwrap();
        let lines: String = signed.others().map(|(_, line)| format!("{line}\n")).collect();
        Some((old, (200, lines.into_bytes())))
    }
}

/// A world, and its first tenant's log and witness.
fn house() -> (World, PublicKey, House) {
    let world = World::new();
    let log = world.vault.log_key(world.acme.pin.tenant).unwrap();
    (world, log, House::new(1).knows(log))
}

fn ingest(world: &World, vault: &Vault, count: usize) {
    let ingestor = vault.ingestor(&world.acme.pin, Arc::clone(&world.writer)).unwrap();
    (0..count).for_each(|n| drop(ingestor.ingest(text(&n.to_string())).unwrap()));
}

fn size(world: &World) -> u64 {
    world.vault.checkpoint(world.acme.pin.tenant).unwrap().checkpoint().size
}

#[test]
fn a_witness_signs_every_head_that_continues_what_he_saw_and_a_policy_can_demand_it() {
    let (world, log, house) = house();
    let (vault, tenant, mut witness) = (&world.vault, world.acme.pin.tenant, house.witness());
    let signed = vault.witness(tenant, &mut witness).unwrap();
    assert_eq!(signed.cosigned_by(&house.key).unwrap(), Some(house.state.lock().unwrap().time));
    assert_eq!(vault.checkpoint(tenant).unwrap(), signed, "it is kept");
    for count in [1, 5, 70, 3] {
        ingest(&world, vault, count);
        vault.witness(tenant, &mut witness).unwrap();
    }
    // The second time it is the first entry of a writer, too.
    assert_eq!(house.asked(), [(0, 200), (1, 200), (3, 200), (8, 200), (78, 200)]);
    // An idle log is signed again, with a new time.
    house.state.lock().unwrap().time += 100;
    let again = vault.witness(tenant, &mut witness).unwrap();
    assert_eq!(house.asked(), [(81, 200)]);
    let policy = Policy::new(&log, [house.key.clone()]).unwrap().quorum(1).unwrap();
    assert_eq!(policy.verify(&again).unwrap(), [(&house.key, house.state.lock().unwrap().time)]);

    let session = world.session(&world.acme);
    let witnessed = session.log().unwrap().witnessed(policy.clone()).unwrap();
    let auditor = Auditor::new(log).witnesses(policy, DAY).unwrap();
    auditor.receipt(&witnessed.receipt(40).unwrap()).unwrap();
    let report = auditor.audit(&session.log().unwrap()).unwrap();
    assert!(report.is_clean() && report.witnessed.is_some_and(|(_, of)| of == 81), "{report}");
}

#[test]
fn a_witness_who_is_asked_from_another_size_than_he_signed_is_asked_again_from_his() {
    let (world, _, house) = house();
    let (vault, tenant, mut witness) = (&world.vault, world.acme.pin.tenant, house.witness());
    ingest(&world, vault, 3);
    vault.witness(tenant, &mut witness).unwrap();
    ingest(&world, vault, 2);
    // What he signed is not known here any more.
    rows(&world.path()).execute("DELETE FROM cosignatures", []).unwrap();
    vault.witness(tenant, &mut witness).unwrap();
    assert_eq!(house.asked(), [(0, 200), (0, 409), (5, 200)]);
}

#[test]
fn a_ledger_that_was_put_back_or_told_otherwise_is_signed_by_no_witness() {
    let (world, _, house) = house();
    let (path, tenant) = (world.path(), world.acme.pin.tenant);
    ingest(&world, &world.vault, 1);
    let World { dir: _dir, vault, acme, writer, .. } = world;
    drop(vault);
    let old: Vec<_> = common::files(&path).into_iter().map(|file| (fs::read(&file).unwrap(), file)).collect();
    let put_back = || {
        ["vault.db-wal", "vault.db-shm"].into_iter().for_each(|name| drop(fs::remove_file(path.join(name))));
        old.iter().for_each(|(bytes, file)| fs::write(file, bytes).unwrap());
        Vault::open(&path, operator()).unwrap()
    };
    let grow = |vault: &Vault, count: usize| {
        let ingestor = vault.ingestor(&acme.pin, Arc::clone(&writer)).unwrap();
        (0..count).for_each(|n| drop(ingestor.ingest(text(&n.to_string())).unwrap()));
    };
    let vault = put_back();
    grow(&vault, 4);
    vault.witness(tenant, &mut house.witness()).unwrap();
    drop(vault);
    house.asked();

    // The whole folder is put back, with its anchor. He says that he saw more.
    let vault = put_back();
    let refused = |vault: &Vault| vault.witness(tenant, &mut house.witness()).unwrap_err().kind();
    assert_eq!(refused(&vault), ErrorKind::RolledBack);
    assert_eq!(house.asked(), [(0, 409)]);
    // It grows again, otherwise: to the same size, then beyond it.
    grow(&vault, 4);
    assert_eq!(refused(&vault), ErrorKind::Forked);
    assert_eq!(house.asked(), [(0, 409), (7, 409)]);
    grow(&vault, 3);
    assert_eq!(refused(&vault), ErrorKind::Forked);
    assert_eq!(house.asked(), [(0, 409), (7, 422)]);
    assert!(vault.checkpoint(tenant).unwrap().others().next().is_none(), "nothing of it is kept");
}

/// What a witness that answers so makes of a request, and how often he is asked.
fn answered(mut answer: impl FnMut(usize, &str) -> Replied + Send + 'static) -> (Result<SignedCheckpoint>, usize) {
    let (world, _, house) = house();
    ingest(&world, &world.vault, 4);
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    let mut witness = Witness::new(house.key.clone(), move |_: &str, body: &str| {
        let mut count = counted.lock().unwrap();
        *count += 1;
        answer(*count, body)
    })
    .unwrap();
    let signed = world.vault.witness(world.acme.pin.tenant, &mut witness);
    let stored = world.vault.checkpoint(world.acme.pin.tenant).unwrap().others().count();
    assert_eq!(stored, usize::from(signed.is_ok()), "what does not verify is not kept");
    (signed, *count.lock().unwrap())
}

#[test]
fn every_refusal_has_its_own_name_and_no_witness_is_asked_for_ever() {
    use WitnessRefusal::*;
    let cases: [(Reply, WitnessRefusal); 9] = [
        ((400, b"what?\n".to_vec()), BadRequest),
        ((403, Vec::new()), BadSignature),
        ((404, b"404 page not found\n".to_vec()), UnknownLog),
        ((429, Vec::new()), Status(429)),
        ((503, b"later".to_vec()), Status(503)),
        ((301, Vec::new()), Status(301)),
        ((200, vec![0xFF; 9]), Unreadable(200)),
        ((200, b"well done\n".to_vec()), Unreadable(200)),
        ((409, b"conflict\n".to_vec()), Unreadable(409)),
    ];
    for (reply, expected) in cases {
        let (signed, count) = answered(move |_, _| Ok(reply.clone()));
        let error = signed.unwrap_err();
        let source = error.source().and_then(|source| source.downcast_ref::<WitnessRefusal>());
        assert_eq!((error.kind(), source, count), (ErrorKind::Refused, Some(&expected), 1), "{error}");
        assert!(!expected.to_string().is_empty());
    }
    let (signed, count) = answered(|count, _| Ok((409, format!("{}\n", 1 + count % 2).into_bytes())));
    let error = signed.unwrap_err();
    assert_eq!(error.source().unwrap().downcast_ref::<WitnessRefusal>(), Some(&Restless));
    assert_eq!(count, 3);

    let kind = |reply: Reply| answered(move |_, _| Ok(reply.clone())).0.unwrap_err().kind();
    assert_eq!(kind((422, Vec::new())), ErrorKind::Forked);
    assert_eq!(kind((409, b"0\n".to_vec())), ErrorKind::Forked, "he was asked from there");
    assert_eq!(kind((409, b"7\n".to_vec())), ErrorKind::RolledBack);
    assert_eq!(kind((409, format!("{}\n", u64::MAX).into_bytes())), ErrorKind::Refused, "no size");
    assert_eq!(kind((409, b"05\n".to_vec())), ErrorKind::Refused, "no size");
    assert_eq!(kind((200, vec![b'a'; Witness::MAX_ANSWER + 1])), ErrorKind::TooLarge);
    assert_eq!(kind((500, vec![b'a'; Witness::MAX_ANSWER + 1])), ErrorKind::TooLarge);
    let (signed, count) = answered(|_, _| Err("no way there".into()));
    let error = signed.unwrap_err();
    assert_eq!((error.kind(), count), (ErrorKind::Source, 1));
    assert_eq!(error.source().unwrap().to_string(), "no way there");
}

#[test]
fn a_line_that_does_not_verify_or_is_anothers_is_not_taken() {
    let (own, other) = (House::new(1), House::new(2));
    let sign = |house: &House, change: fn(&mut Checkpoint)| {
        let house = house.clone();
        move |_: usize, body: &str| {
            let (_, checkpoint) = body.split_once("\n\n").unwrap();
            let mut seen = checkpoint.parse::<SignedCheckpoint>().unwrap().checkpoint().clone();
            change(&mut seen);
            let log = House::new(9);
            let key = log.key.public_key();
            let mut signed = SignedCheckpoint::sign(seen, &key, |bytes| log.signing.sign(bytes).to_bytes());
            signed.cosign(&house.key, 1_700_000_000, |bytes| house.signing.sign(bytes).to_bytes()).unwrap();
            Ok((200, signed.others().map(|(_, line)| format!("{line}\n")).collect::<String>().into_bytes()))
        }
    };
    let kind = |answer| answered(answer).0.map_err(|e| e.kind());
    assert!(answered(sign(&own, |_| {})).0.is_ok());
    assert_eq!(kind(sign(&own, |seen| seen.size += 1)).unwrap_err(), ErrorKind::Tampered);
    assert_eq!(kind(sign(&own, |seen| seen.root[0] ^= 1)).unwrap_err(), ErrorKind::Tampered);
    assert_eq!(answered(sign(&other, |_| {})).0.unwrap_err().kind(), ErrorKind::Tampered);
    // Lines of others are passed over.
    let (one, two) = (sign(&own, |_| {}), sign(&other, |_| {}));
    let both = move |count: usize, body: &str| {
        let [first, second] = [two(count, body)?, one(count, body)?];
        Ok((200, [first.1, second.1].concat()))
    };
    assert_eq!(answered(both).0.unwrap().others().count(), 1);
    let log = VerifierKey::new("a", KeyKind::Log, own.key.public_key()).unwrap();
    let refused = Witness::new(log, |_: &str, _: &str| Ok((200, Vec::new())));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// The same world, opened again with witnesses and sinks.
fn reopened(world: World, options: impl FnOnce(VaultOptions) -> VaultOptions) -> World {
    let World { dir, vault, writer, acme, bolt } = world;
    drop(vault);
    let vault = Vault::open(dir.path().join("my.vault"), options(VaultOptions::new(operator()))).unwrap();
    World { dir, vault, writer, acme, bolt }
}

#[test]
fn witnesses_who_are_asked_beside_all_work_come_to_sign_the_same_heads() {
    let (world, log, first) = house();
    let tenant = world.acme.pin.tenant;
    let second = House::new(2).knows(log);
    let heads = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&heads);
    let own = |name: &str, pace| SinkOptions::new(name).only(tenant).every(Duration::from_millis(pace));
    let world = reopened(world, |options| {
        let options = options.witness(own("first", 20), first.witness()).witness(own("second", 70), second.witness());
        options.sink(own("sink", 0), move |head: &LedgerHead| {
            into.lock().unwrap().push(head.checkpoint.clone());
            Ok(())
        })
    });
    let policy = Policy::new(&log, [first.key.clone(), second.key.clone()]).unwrap().quorum(2).unwrap();
    let session = world.session(&world.acme);
    let witnessed = || session.log().unwrap().witnessed(policy.clone()).map_or(0, |log| log.size());
    let start = Instant::now();
    // While commits go on, a quorum comes to be under ever newer heads.
    let (mut sizes, mut reached) = (0, 0);
    while sizes < 3 {
        ingest(&world, &world.vault, 1);
        let now = witnessed();
        if now > reached {
            (sizes, reached) = (sizes + 1, now);
        }
        assert!(start.elapsed() < LONG, "{sizes} quorums in {LONG:?}: {:?}", world.vault.sinks());
    }
    let report = Auditor::new(log).witnesses(policy.clone(), DAY).unwrap().audit(&session.log().unwrap()).unwrap();
    assert!(report.is_clean(), "{report}");
    // Whoever waits for them waits until all have signed the last head, and the sinks have it with all lines.
    let newest = size(&world);
    let status = world.vault.publish(LONG).unwrap();
    assert!(status.iter().all(SinkStatus::is_current), "{status:?}");
    assert_eq!(witnessed(), newest);
    let head = heads.lock().unwrap().last().cloned().unwrap();
    assert_eq!((head.checkpoint().size, policy.verify(&head).unwrap().len()), (newest, 2));
    assert!([&first, &second].into_iter().flat_map(House::asked).all(|(_, status)| status == 200));

    // Opened again, they are asked for nothing that they have signed, and from where they are.
    drop(session);
    let world = reopened(world, |options| options.witness(own("first", 0), first.witness()));
    assert!(world.vault.publish(LONG).unwrap()[0].is_current());
    ingest(&world, &world.vault, 1);
    assert!(world.vault.publish(LONG).unwrap()[0].is_current());
    assert!(first.asked().iter().all(|(old, status)| *old >= newest && *status == 200));
    // But an old line is renewed.
    rows(&world.path()).execute("UPDATE cosignatures SET time = time - 43300", []).unwrap();
    assert!(world.vault.publish(LONG).unwrap()[0].is_current());
    assert_eq!(first.asked(), [(size(&world), 200)]);
}

#[test]
fn a_log_that_has_a_successor_is_signed_to_its_end_by_who_knows_it() {
    let (world, log, house) = house();
    let tenant = world.acme.pin.tenant;
    let only = SinkOptions::new("witness").only(tenant).every(Duration::ZERO);
    let world = reopened(world, |options| options.witness(only, house.witness()));
    ingest(&world, &world.vault, 1);
    assert!(world.vault.publish(LONG).unwrap()[0].is_current());
    world.vault.rotate_log(tenant).unwrap();
    let behind = world.vault.publish(Duration::from_millis(300)).unwrap().remove(0).behind.remove(0);
    let Obstacle::Refused(error) = &behind.why else { panic!("{behind:?}") };
    let refusal = error.source().and_then(|source| source.downcast_ref::<WitnessRefusal>());
    assert_eq!((behind.tenant, refusal), (tenant, Some(&WitnessRefusal::UnknownLog)), "he must be told of the new log");
    let policy = |log: &PublicKey| Policy::new(log, [house.key.clone()]).unwrap().quorum(1).unwrap();
    let session = world.session(&world.acme);
    let closed = session.logs().unwrap().remove(0);
    let size = closed.size();
    assert_eq!(closed.witnessed(policy(&log)).unwrap().size(), size, "the old one he has signed to its end");
    let next = world.vault.log_key(tenant).unwrap();
    let _ = house.clone().knows(next);
    assert!(world.vault.publish(LONG).unwrap()[0].is_current());
    assert!(session.log().unwrap().witnessed(policy(&next)).is_ok());
}

#[test]
fn a_witness_who_does_not_answer_holds_up_nothing() {
    let (world, _, house) = house();
    let (asked, when_asked) = channel();
    let (go_on, told): (Sender<()>, _) = channel();
    let witness = Witness::new(house.key.clone(), move |_: &str, _: &str| {
        let _ = asked.send(());
        let _ = told.recv();
        Err("gave up".into())
    });
    let world = reopened(world, |options| options.witness("hangs", witness.unwrap()));
    when_asked.recv_timeout(LONG).unwrap();
    ingest(&world, &world.vault, 5);
    let status = world.vault.publish(Duration::from_millis(200)).unwrap().remove(0);
    assert!(status.behind.iter().any(|behind| matches!(behind.why, Obstacle::Busy(_))), "{status}");
    assert!(status.to_string().contains("has not answered"), "{status}");
    let World { dir: _dir, vault, .. } = world;
    let start = Instant::now();
    drop(vault);
    assert!(start.elapsed() < LONG);
    drop(go_on);
}

#[test]
fn a_vault_without_its_operators_key_asks_nobody() {
    let (world, _, house) = house();
    let keyless = Vault::open_to_check(world.path()).unwrap();
    let refused = keyless.witness(world.acme.pin.tenant, &mut house.witness());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::WrongKey);
    let nobody = world.vault.witness(TenantId::generate().unwrap(), &mut house.witness());
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(house.asked().is_empty());
}
