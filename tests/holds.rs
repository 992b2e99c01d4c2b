//! What a matter holds is not erased, by whatever is asked for it, until two people say that it is over.

mod common;

use std::sync::Barrier;
use std::time::Duration;

use common::{Owner, World, files, rows, text};
use strongroom::*;

const DAY: i64 = 86_400_000;
const START: i64 = 1_710_000_000_000;

#[test]
fn a_record_is_held_by_whatever_names_it_and_free_only_when_nothing_does() {
    let world = World::new();
    let (olivia, other) = (tel("+15722568385"), tel("+4930123456"));
    let [plain, hers, early, late] = [(None, 5), (Some(&olivia), 5), (Some(&olivia), 1), (Some(&other), 9)]
        .map(|(who, day)| ingest(&world, who, day));
    let session = world.session(&world.acme);
    let day = |day: i64| Timestamp::from_unix_ms(START + day * DAY);
    session.place_hold(&Hold::new("one by one", "r").records([plain])).unwrap();
    session.place_hold(&Hold::new("a person", "r").subject(olivia.clone()).period(day(4)..day(6))).unwrap();
    session.place_hold(&Hold::new("a week", "r").period(day(1)..day(9))).unwrap();
    let by = |record| session.held_by(record).unwrap();
    assert_eq!(by(plain), ["a week", "one by one"]);
    assert_eq!(by(hers), ["a person", "a week"]);
    assert_eq!(by(early), ["a week"], "the period begins with it, that of her ends before");
    assert!(by(late).is_empty(), "the period ends before it");
    session.place_hold(&Hold::new("all", "r").everything()).unwrap();
    assert_eq!(by(late), ["all"]);

    let all = [plain, hers, early, late];
    let done = session.erase(all, "retention").unwrap();
    assert!(done.erased.is_empty() && done.undecided.is_empty());
    let held: Vec<_> = done.deferred.iter().map(|held| (held.record, held.matters.len())).collect();
    assert_eq!(held, [(plain, 3), (hers, 3), (early, 2), (late, 1)]);
    assert!(all.iter().all(|id| session.read(*id).unwrap().read_part(1).unwrap() == b"words"));
    // What came in under a hold is held as well.
    let new = ingest(&world, Some(&olivia), 5);
    assert_eq!(by(new), ["a person", "a week", "all"]);

    let names = |session: &TenantSession| session.holds().unwrap().into_iter().map(|m| m.name).collect::<Vec<_>>();
    assert_eq!(names(&session), ["a person", "a week", "all", "one by one"]);
    assert!(names(&world.session(&world.bolt)).is_empty(), "of another tenant nothing is held");
    for (matter, free) in
        [("all", &[late][..]), ("a week", &[early][..]), ("one by one", &[plain]), ("a person", &[hers])]
    {
        let released = release(&world, matter);
        assert_eq!(released.erased, free, "{matter}");
    }
    assert!(names(&session).is_empty());
    assert!(all.iter().all(|id| session.read(*id).is_err_and(|e| e.kind() == ErrorKind::Erased)));
    assert_eq!(session.read(new).unwrap().read_part(1).unwrap(), b"words", "nobody wanted it erased");
    assert_eq!(session.erase([new], "now").unwrap().erased, [new]);
    is_sound(&world, &world.acme);
}

#[test]
fn a_deletion_that_a_hold_put_off_runs_when_the_last_one_ends_and_the_ledger_shows_both() {
    let world = World::new();
    let [a, b, free] = [1, 2, 3].map(|day| ingest(&world, None, day));
    let session = world.session(&world.acme);
    session.place_hold(&Hold::new("first", "suit").records([a, b])).unwrap();
    session.place_hold(&Hold::new("second", "audit").records([b])).unwrap();

    let done = session.erase([a, b, free], "asked by letter").unwrap();
    assert_eq!((&done.erased[..], done.deferred.len(), done.receipts.len()), (&[free][..], 2, 3));
    let deferred = message(&session, &done.receipts[0]);
    assert_eq!((&deferred.kind, deferred.records), (&Kind::DeletionDeferred, Some(RecordSet::of_ids([a, b]))));
    let waiting = session.deferred_deletions().unwrap();
    let told: Vec<_> = waiting.iter().map(|d| (d.record, d.reason.as_str(), d.entry.1)).collect();
    assert_eq!(told, [(a, "asked by letter", deferred.seq), (b, "asked by letter", deferred.seq)]);
    // Wanted again, it waits once.
    let again = session.erase([a, b], "asked again").unwrap();
    assert_eq!((again.deferred.len(), again.receipts.len()), (2, 0));

    let released = release(&world, "first");
    assert_eq!((&released.erased[..], released.waiting), (&[a][..], 1));
    let kinds: Vec<Kind> = released.receipts.iter().map(|receipt| message(&session, receipt).kind).collect();
    assert_eq!(kinds, [Kind::HoldReleased, Kind::ErasureAuthorised, Kind::Erased]);
    let [authorised, erased] = [1, 2].map(|n| message(&session, &released.receipts[n]));
    assert_eq!(erased.refers, Some(authorised.seq));
    for message in [&authorised, &erased] {
        assert_eq!(message.records, Some(RecordSet::of_ids([a])));
        assert_eq!(message.details["deferred"], deferred.seq.to_string());
        assert_eq!(message.details["deferred-log"], deferred.log);
    }
    assert_eq!(authorised.details["reason"], "asked by letter");
    assert_eq!(authorised.actor, "confirming");
    assert_eq!(session.read(a).unwrap_err().kind(), ErrorKind::Erased);
    assert_eq!(session.read(b).unwrap().read_part(1).unwrap(), b"words");

    // In another ledger of the tenant's, it is still clear which entry had put it off.
    world.vault.rotate_log(world.acme.pin.tenant).unwrap();
    let released = release(&world, "second");
    assert_eq!((&released.erased[..], released.waiting), (&[b][..], 0));
    let erased = message(&session, &released.receipts[2]);
    assert_eq!(
        (erased.details["deferred"].clone(), erased.details["deferred-log"].clone()),
        (deferred.seq.to_string(), deferred.log)
    );
    assert!(session.deferred_deletions().unwrap().is_empty());
    assert_eq!(session.read(b).unwrap_err().kind(), ErrorKind::Erased);
    is_sound(&world, &world.acme);
}

#[test]
fn nobody_ends_a_matter_alone() {
    let world = World::new();
    let record = ingest(&world, None, 1);
    let [ann, ann_again, bob] = ["ann", " ANN ", "bob"].map(|actor| actor_of(&world, actor));
    let kind = |result: Result<Released>| result.unwrap_err().kind();
    assert_eq!(kind(bob.confirm_release("m", "over")), ErrorKind::NotFound);
    assert_eq!(bob.propose_release("m", "over").unwrap_err().kind(), ErrorKind::NotFound);
    ann.place_hold(&Hold::new("m", "suit").records([record])).unwrap();
    assert_eq!(kind(bob.confirm_release("m", "over")), ErrorKind::Refused);
    ann.propose_release("m", "settled").unwrap();
    let proposal = bob.holds().unwrap().remove(0).proposal.unwrap();
    assert_eq!((proposal.by.as_str(), proposal.reason.as_str()), ("ann", "settled"));
    assert_eq!(proposal.lapses().unix_ms() - proposal.at.unix_ms(), 14 * DAY);
    for same in [&ann, &ann_again] {
        assert_eq!(kind(same.confirm_release("m", "over")), ErrorKind::Refused);
    }
    for reason in ["", "two\nlines"] {
        assert_eq!(kind(bob.confirm_release("m", reason)), ErrorKind::InvalidInput);
        assert_eq!(bob.propose_release("m", reason).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(kind(bob.confirm_release("M", "over")), ErrorKind::NotFound, "a matter has one name");
    // Who proposes last is the one whom somebody else must confirm.
    bob.propose_release("m", "settled").unwrap();
    assert_eq!(kind(bob.confirm_release("m", "over")), ErrorKind::Refused);
    // Whatever is held meanwhile was not known to him.
    let other = ingest(&world, None, 2);
    ann.place_hold(&Hold::new("m", "more").records([other])).unwrap();
    assert_eq!(kind(ann.confirm_release("m", "over")), ErrorKind::Refused);
    assert!(ann.holds().unwrap()[0].proposal.is_none());
    bob.propose_release("m", "settled, that as well").unwrap();
    let released = ann.confirm_release("m", "seen the judgment").unwrap();
    let told = message(&ann, &released.receipts[0]);
    assert_eq!((&told.kind, told.actor.as_str()), (&Kind::HoldReleased, "ann"));
    assert_eq!((told.details["proposed-by"].as_str(), told.details["matter"].as_str()), ("bob", "m"));
    assert!(ann.holds().unwrap().is_empty() && ann.held_by(other).unwrap().is_empty());
    assert_eq!(kind(ann.confirm_release("m", "again")), ErrorKind::NotFound);
    is_sound(&world, &world.acme);
}

#[test]
fn a_hold_on_nothing_or_on_what_is_not_there_is_refused() {
    let world = World::new();
    let (own, gone) = (ingest(&world, None, 1), ingest(&world, None, 2));
    let foreign = world.ingestor(&world.bolt).ingest(text("words")).unwrap().record;
    let session = world.session(&world.acme);
    session.erase([gone], "x").unwrap();
    let at = |ms| Timestamp::from_unix_ms(ms);
    let on = |matter: &str, reason: &str| Hold::new(matter, reason).records([own]);
    for (hold, kind) in [
        (Hold::new("m", "r"), ErrorKind::InvalidInput),
        (Hold::new("m", "r").period(at(2)..at(2)), ErrorKind::InvalidInput),
        (on("", "r"), ErrorKind::InvalidInput),
        (on(" m", "r"), ErrorKind::InvalidInput),
        (on("m", ""), ErrorKind::InvalidInput),
        (on("m\u{1}", "r"), ErrorKind::InvalidInput),
        (Hold::new("m", "r").records([own, foreign]), ErrorKind::NotFound),
        (Hold::new("m", "r").records([own, RecordId::generate().unwrap()]), ErrorKind::NotFound),
        (Hold::new("m", "r").records([own, gone]), ErrorKind::Erased),
    ] {
        assert_eq!(session.place_hold(&hold).unwrap_err().kind(), kind, "{hold:?}");
    }
    assert!(session.holds().unwrap().is_empty());
}

#[test]
fn whom_a_hold_is_about_stands_nowhere_in_clear() {
    let world = World::new();
    let hold = Hold::new("Miller-v-Acme", "notice-of-suit").subject(tel("+15722568385"));
    let session = world.session(&world.acme);
    let receipt = session.place_hold(&hold).unwrap();
    session.propose_release("Miller-v-Acme", "settled-out-of-court").unwrap();
    assert!(!String::from_utf8_lossy(receipt.message()).contains("5722568385"), "not even to who is shown the entry");
    for file in files(&world.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for marker in ["5722568385", "Miller-v-Acme", "notice-of-suit", "settled-out-of-court"] {
            assert!(!bytes.windows(marker.len()).any(|w| w == marker.as_bytes()), "{}", file.display());
        }
    }
}

#[test]
fn nothing_is_erased_while_nobody_can_tell_what_is_held() {
    let world = World::new();
    let [held, other] = [1, 2].map(|day| ingest(&world, None, day));
    let session = world.session(&world.acme);
    session.place_hold(&Hold::new("m", "r").records([held])).unwrap();
    let flip = "UPDATE papers SET body = CAST(substr(body, 1, 99) || x'00' || substr(body, 101) AS BLOB)";
    assert_eq!(rows(&world.path()).execute(flip, []).unwrap(), 1);
    for record in [held, other] {
        assert_eq!(session.erase([record], "x").unwrap_err().kind(), ErrorKind::Tampered);
        assert_eq!(session.held_by(record).unwrap_err().kind(), ErrorKind::Tampered);
    }
    assert!(!world.vault.check().unwrap().is_sound());
    assert!([held, other].iter().all(|id| session.read(*id).is_ok()));
}

#[test]
fn a_record_that_nobody_can_tell_whom_it_names_is_erased_only_if_nobody_is_held() {
    let world = World::new();
    let [damaged, listed, whole] = [1, 2, 3].map(|day| ingest(&world, Some(&tel("+4930123456")), day));
    let session = world.session(&world.acme);
    session.place_hold(&Hold::new("a person", "r").subject(tel("+15722568385"))).unwrap();
    session.place_hold(&Hold::new("a record", "r").records([listed])).unwrap();
    let flip = "UPDATE records SET head = CAST(substr(head, 1, 99) || x'00' || substr(head, 101) AS BLOB) WHERE n < 3";
    assert_eq!(rows(&world.path()).execute(flip, []).unwrap(), 2);
    let done = session.erase([damaged, listed, whole], "x").unwrap();
    assert_eq!(done.erased, [whole]);
    assert_eq!(done.deferred.iter().map(|held| held.record).collect::<Vec<_>>(), [listed]);
    let undecided: Vec<_> = done.undecided.iter().map(|(id, e)| (*id, e.kind())).collect();
    assert_eq!(undecided, [(damaged, ErrorKind::Tampered)]);
    release(&world, "a person");
    assert_eq!(session.erase([damaged], "x").unwrap().erased, [damaged]);
    assert_eq!(release(&world, "a record").erased, [listed]);
    assert_eq!(session.read(damaged).unwrap_err().kind(), ErrorKind::Erased);
}

#[test]
fn a_hold_and_an_erasure_at_the_same_time_come_one_after_the_other() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    let all = ingestor.ingest_batch((0..60).map(|_| text("words")).collect()).unwrap();
    let all: Vec<RecordId> = all.into_iter().map(|ingested| ingested.record).collect();
    let (holding, erasing) = (world.session(&world.acme), world.session(&world.acme));
    let together = Barrier::new(2);
    let (held, erased) = std::thread::scope(|scope| {
        let erasing = scope.spawn(|| {
            let erase = |id: &RecordId| {
                together.wait();
                let done = erasing.erase([*id], "x").unwrap();
                (*id, done.receipts[0].seq(), !done.erased.is_empty())
            };
            all.iter().map(erase).collect::<Vec<_>>()
        });
        let mut held = Vec::new();
        for (n, id) in all.iter().enumerate() {
            let hold = Hold::new("m", "r").records([*id]);
            together.wait();
            // An erasure looks first, and commits after a while.
            std::thread::sleep(Duration::from_micros(50 * n as u64));
            match holding.place_hold(&hold) {
                Ok(receipt) => held.push((*id, receipt.seq())),
                Err(e) => assert_eq!(e.kind(), ErrorKind::Erased),
            }
        }
        (held, erasing.join().unwrap())
    });
    println!("{} were held, {} of 60 were erased", held.len(), erased.iter().filter(|(.., gone)| *gone).count());
    for (id, entry, gone) in &erased {
        let before = held.iter().any(|(held, at)| held == id && at < entry);
        assert_eq!(*gone, !before, "a hold came {} the erasure", if before { "before" } else { "behind" });
        assert_eq!(erasing.read(*id).is_ok(), before);
    }
    is_sound(&world, &world.acme);
}

#[test]
fn there_is_no_limit_to_the_number_of_holds() {
    let world = World::new();
    let who = tel("+15722568385");
    let record = ingest(&world, Some(&who), 1);
    let session = world.session(&world.acme);
    for n in 0..1100 {
        let hold = Hold::new(format!("matter {n}"), "r");
        let period = Timestamp::from_unix_ms(START)..Timestamp::from_unix_ms(START + (2 + n) * DAY);
        let hold = match n % 4 {
            0 => hold.records([record]),
            1 => hold.subject(who.clone()),
            2 => hold.period(period),
            _ => hold.everything(),
        };
        session.place_hold(&hold).unwrap();
    }
    assert_eq!(session.held_by(record).unwrap().len(), 1100);
    let done = session.erase([record], "x").unwrap();
    assert_eq!(done.deferred[0].matters.len(), 1100);
}

fn tel(number: &str) -> Identifier {
    Identifier::tel(number).unwrap()
}

/// A record of somebody that began on a day.
fn ingest(world: &World, who: Option<&Identifier>, day: i64) -> RecordId {
    let draft = text("words").start(Timestamp::from_unix_ms(START + day * DAY));
    let draft = match who {
        Some(who) => draft.subject(Subject::new(Role::Customer, who.clone())),
        None => draft,
    };
    world.ingestor(&world.acme).ingest(draft).unwrap().record
}

fn actor_of(world: &World, actor: &str) -> TenantSession {
    let Owner { identity, pin } = &world.acme;
    world.vault.session(pin.tenant, std::sync::Arc::clone(identity), Access::new(actor, "test")).unwrap()
}

fn release(world: &World, matter: &str) -> Released {
    actor_of(world, "proposing").propose_release(matter, "settled").unwrap();
    actor_of(world, "confirming").confirm_release(matter, "seen the judgment").unwrap()
}

fn message(session: &TenantSession, receipt: &Receipt) -> Message {
    let log = session.logs().unwrap().into_iter().find(|log| log.key() == receipt.log()).unwrap();
    receipt.verify(&log.key()).unwrap()
}

fn is_sound(world: &World, owner: &Owner) {
    let report = world.vault.check().unwrap();
    assert!(report.is_sound(), "{report}");
    let session = owner.session(&world.vault);
    assert!(session.check().unwrap().is_clean());
    for log in session.logs().unwrap() {
        let audit = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(audit.is_clean(), "{audit}");
    }
}
