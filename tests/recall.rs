//! Third parties are asked to delete what they were sent, and answer.

mod common;

use std::io::Cursor;
use std::ops::ControlFlow;

use common::World;
use common::third_party::{DAY, PURPOSE, ThirdParty, agree, rules, state_policy};
use strongroom::*;

#[test]
fn every_recipient_of_a_record_is_asked_by_its_own_names_and_its_answer_is_kept() {
    let world = World::new();
    let acme = &world.acme;
    state_policy(&world, acme, rules());
    let parties =
        ["Quality GmbH", "Training AG", "Idle Ltd"].map(|name| ThirdParty::new(name, RecipientClass::ServiceProvider));
    let agreements = parties.each_ref().map(|party| agree(&world, acme, party, party.terms()));
    let part = |n: u8| Cursor::new(vec![n; 50]);
    let draft = |n| Draft::new(Channel::Voice).part(PartKind::Transcript, "text/plain", part(n));
    let ids: Vec<RecordId> = (0..3).map(|n| world.ingestor(acme).ingest(draft(n)).unwrap().record).collect();
    let session = world.session(acme);
    let send = |agreement: &Agreement, ids: &[RecordId]| {
        let transfer = Transfer::of(agreement.id(), PURPOSE, ids.to_vec());
        session.transfer(&transfer, Vec::new(), |_| ControlFlow::Continue(())).unwrap().id
    };
    let first = send(&agreements[0], &ids);
    let second = send(&agreements[0], &ids[..1]);
    send(&agreements[1], &ids[1..]);

    let now = Timestamp::now();
    let due = Timestamp::from_unix_ms(now.unix_ms() + 10 * DAY);
    let past = session.request_deletion([ids[0]], Timestamp::from_unix_ms(0), "asked");
    assert_eq!(past.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(session.deletions().unwrap().is_empty());

    let asked = session.request_deletion([ids[0]], due, "the customer asked").unwrap();
    assert_eq!(asked.len(), 1);
    asked[0].verify(&agreements[0]).unwrap();
    let names: Vec<&String> = asked[0].transfers().iter().flat_map(|of| &of.records).collect();
    let known = |id| session.sent_records(id).unwrap().into_iter().find(|held| held.record == ids[0]).unwrap().name;
    assert_eq!(names, [&known(first).to_string(), &known(second).to_string()]);
    assert_eq!(session.request_deletion([ids[1]], due, "again").unwrap().len(), 2);
    let stranger = RecordId::generate().unwrap();
    assert!(session.request_deletion([stranger], due, "nobody has it").unwrap().is_empty());

    // What the recipient gets is a file of text; what it answers, too.
    let request: DeletionRequest = asked[0].to_string().parse().unwrap();
    let answer = |party: &ThirdParty, result, note: &str| {
        let mut answer = DeletionAcknowledgement::new(&request, now, result, note).unwrap();
        answer.sign(&party.identity).map(|()| answer)
    };
    assert_eq!(answer(&parties[1], DeletionResult::Deleted, "").unwrap_err().kind(), ErrorKind::WrongKey);
    let unsigned = DeletionAcknowledgement::new(&request, now, DeletionResult::Deleted, "").unwrap();
    assert_eq!(session.record_deletion(&unsigned).unwrap_err().kind(), ErrorKind::Tampered);
    let partly = answer(&parties[0], DeletionResult::Partly, "a backup goes in 30 days").unwrap();
    let recorded = session.record_deletion(&partly.to_string().parse().unwrap()).unwrap();
    assert_eq!(session.record_deletion(&partly).unwrap_err().kind(), ErrorKind::AlreadyExists);

    let deleted = answer(&parties[0], DeletionResult::Deleted, "").unwrap();
    let last = session.record_deletion(&deleted).unwrap();
    assert_eq!(session.record_deletion(&partly).unwrap_err().kind(), ErrorKind::AlreadyExists);

    let all = world.session(acme).deletions().unwrap();
    let late = Timestamp::from_unix_ms(due.unix_ms() + 1);
    assert_eq!(all.iter().map(|d| d.is_overdue(late)).collect::<Vec<_>>(), [false, true, true]);
    assert!(all.iter().all(|d| !d.is_overdue(now)));
    assert_eq!(all[0].answer.as_ref().map(DeletionAcknowledgement::result), Some(DeletionResult::Deleted));
    assert_eq!(all[0].recipient, "Quality GmbH");
    assert_eq!(all[0].answer_entries, [&recorded, &last].map(|receipt| (receipt.log(), receipt.seq())));
    assert!(all[0].entry.1 < all[1].entry.1 && all[2].entry.1 < recorded.seq());
    session.close().unwrap();

    let session = world.session(acme);
    let log = session.log().unwrap();
    let report = Auditor::new(log.key()).audit(&log).unwrap();
    assert_eq!((report.kinds["recipients.told"], report.kinds["deletion.answered"]), (3, 2));
    assert!(report.findings.is_empty(), "{report}");
}

#[test]
fn a_request_of_more_records_than_one_holds_is_several() {
    let world = World::new();
    state_policy(&world, &world.acme, rules());
    let party = ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider);
    let agreement = agree(&world, &world.acme, &party, party.terms());
    let draft = |n: u32| common::text(&format!("words {n}"));
    let ingested = world.ingestor(&world.acme).ingest_batch((0..4_100).map(draft).collect()).unwrap();
    let ids: Vec<RecordId> = ingested.iter().map(|ingested| ingested.record).collect();
    let session = world.session(&world.acme);
    let transfer = Transfer::of(agreement.id(), PURPOSE, ids.clone());
    session.transfer(&transfer, std::io::sink(), |_| ControlFlow::Continue(())).unwrap();
    let due = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + DAY);
    let asked = session.request_deletion(ids, due, "all").unwrap();
    let counts: Vec<usize> = asked.iter().map(|r| r.transfers().iter().map(|of| of.records.len()).sum()).collect();
    assert_eq!(counts, [4_000, 100]);
}
