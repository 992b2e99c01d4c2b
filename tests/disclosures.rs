//! Records are disclosed as the law requires: exactly those of the order, by a quorum or with the tenant's consent, written
//! first.

mod common;

use std::ops::ControlFlow;

use common::court::{Court, DAY, GO_ON, OLIVIA, PETER, call, day, holds, tomorrow};
use strongroom::*;

fn portable() -> ProductionOptions {
    ProductionOptions::new(ProductionProfile::Portable)
}

fn olivia() -> Identifier {
    Identifier::tel(OLIVIA).unwrap()
}

fn reason(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn a_quorum_discloses_exactly_the_listed_records_and_the_tenant_sees_every_step() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[1, 2])));
    let (disclosed, package) = court.disclose(court.quorum(&order));
    assert_eq!((disclosed.records, disclosed.documents, disclosed.withheld), (2, 4, 0));

    let bag = court.unpack(&package, "package");
    assert!(bagit::Bag::open(&bag).unwrap().verify().unwrap().is_valid());
    for (n, there) in [(0, false), (1, true), (2, true), (3, false)] {
        assert_eq!(holds(&bag, format!("words of call {n}").as_bytes()), there, "call {n}");
        assert_eq!(holds(&bag, court.calls[n].to_string().as_bytes()), there, "the id of call {n}");
    }
    for name in ["order.note", "order.request", "custodian-1.approval", "custodian-2.approval", "disclosure.json"] {
        assert!(bag.join("custody").join(name).is_file(), "{name}");
    }
    // The entry in the package is in the tenant's ledger and has the digest of the package's manifest.
    let manifest = std::fs::read(bag.join("custody/disclosure.json")).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &manifest);
    let message = disclosed.producing.verify(&court.vault.log_key(court.tenant()).unwrap()).unwrap();
    assert_eq!((message.kind, message.payload.unwrap().as_slice()), (Kind::OrderProducing, digest.as_ref()));
    assert_eq!(message.records, Some(RecordSet::of_ids([court.calls[1], court.calls[2]])));

    let steps =
        ["order.received", "notice.given", "order.reviewed", "order.approved", "order.producing", "order.disclosed"];
    let kinds = court.kinds();
    assert!(kinds.ends_with(&steps.map(str::to_owned)), "{kinds:?}");
    let report = court.audit();
    assert!(report.is_clean() && report.withheld == 0 && report.unconcluded.len() == 1, "{report}");
    let session = court.session();
    let known = session.orders().unwrap();
    assert_eq!(known[0].state(), OrderState::Disclosed);
    assert_eq!(known[0].produced.as_ref().unwrap().records, {
        let mut ids = vec![court.calls[1], court.calls[2]];
        ids.sort();
        ids
    });
    assert_eq!(known[0].approved_by, [court.keys[0].public_key(), court.keys[2].public_key()]);
    court.vault.close_order(court.tenant(), order.id(), "answered", "officer").unwrap();
    assert_eq!(court.vault.orders(court.tenant()).unwrap()[0].state(), OrderState::Closed);
}

#[test]
fn a_record_beside_an_ordered_one_stays_sealed_even_to_the_process_that_has_the_quorum() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[1])));
    let quorum = court.quorum(&order);
    assert_eq!(quorum.records(), [court.calls[1]]);
    // A request that lists another record is none: what a custodian approves is signed and bound to the order.
    let request = court.request(&order).unwrap();
    let mut widened = request.to_bytes().to_vec();
    let own = court.calls[1].as_bytes();
    let at: Vec<usize> = widened.windows(16).enumerate().filter(|(_, w)| w == own).map(|(at, _)| at).collect();
    for at in at {
        widened[at..at + 16].copy_from_slice(court.calls[2].as_bytes());
    }
    assert!(OrderRequest::from_bytes(&widened).is_err());
    drop(quorum);
}

#[test]
fn fewer_than_the_quorum_or_a_quorum_for_another_order_opens_nothing() {
    let court = Court::new();
    let (one, other) =
        (court.accepted(court.terms(court.listed(&[1]))), court.accepted(court.terms(court.listed(&[2]))));
    let (request, foreign) = (court.request(&one).unwrap(), court.request(&other).unwrap());
    let open = |approvals: &[Approval]| court.vault.open_order(court.tenant(), &request, approvals, "officer");
    let refused = |approvals: &[Approval], why: &str| {
        let error = open(approvals).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(reason(&error).contains(why), "{}", reason(&error));
    };
    refused(&[], "only 0 of the 2");
    refused(&court.approvals(&request, &[1]), "only 1 of the 2");
    refused(&court.approvals(&foreign, &[0, 1]), "of another request");
    let [a, b] = &court.approvals(&request, &[1, 1])[..] else { panic!() };
    refused(&[a.clone(), b.clone()], "approved twice");
    let mut mixed = court.approvals(&request, &[0]);
    mixed.extend(court.approvals(&foreign, &[1]));
    refused(&mixed, &court.keys[1].public_key().to_string());
    // Nothing was used up by what was refused, and nothing was said to have been opened.
    assert!(!court.kinds().contains(&"order.approved".to_owned()));
    let good = court.approvals(&request, &[0, 1]);
    let quorum = open(&good).unwrap();
    // Once.
    assert_eq!(open(&good).unwrap_err().kind(), ErrorKind::NotFound);
    drop(quorum);
    assert_eq!(open(&good).unwrap_err().kind(), ErrorKind::NotFound);
    // A new request takes the place of the one before.
    let first = court.request(&one).unwrap();
    let second = court.request(&one).unwrap();
    let late = court.approvals(&first, &[0, 1]);
    let error = court.vault.open_order(court.tenant(), &first, &late, "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    court.vault.open_order(court.tenant(), &second, &court.approvals(&second, &[1, 2]), "officer").unwrap();
}

#[test]
fn an_order_that_was_not_accepted_or_is_contested_rejected_narrowed_answered_or_closed_opens_nothing() {
    let court = Court::new();
    let (order, _) = court.vault.receive_order(court.tenant(), court.terms(court.listed(&[0, 1])), "officer").unwrap();
    let refused = |why: &str| {
        let error = court.request(&order).unwrap_err();
        assert_eq!((error.kind(), reason(&error)), (ErrorKind::Refused, why.to_owned()));
    };
    let review = |outcome, narrowed| {
        court.vault.review_order(court.tenant(), order.id(), outcome, "because", narrowed, "counsel")
    };
    refused("it was not reviewed");
    review(ReviewOutcome::Challenged, None).unwrap();
    refused("it is challenged");
    review(ReviewOutcome::Rejected, None).unwrap();
    refused("it was rejected");
    review(ReviewOutcome::Accepted, None).unwrap();
    let whole = court.request(&order).unwrap();
    let quorum = court.vault.open_order(court.tenant(), &whole, &court.approvals(&whole, &[0, 1]), "officer").unwrap();
    drop(quorum);

    // Narrowed to one of them: what was asked for before does not count any more, and nothing wider can come.
    let with = |scope| {
        let mut terms = order.terms();
        terms.scope = scope;
        terms
    };
    let terms = with(court.listed(&[0]));
    let whole = court.request(&order).unwrap();
    let approvals = court.approvals(&whole, &[0, 1]);
    let (narrowed, _) = review(ReviewOutcome::Narrowed, Some(terms)).unwrap();
    assert_eq!(narrowed.revision(), 2);
    let error = court.vault.open_order(court.tenant(), &whole, &approvals, "officer").unwrap_err();
    assert_eq!((error.kind(), reason(&error)), (ErrorKind::Refused, "the request is of another revision".into()));
    let wider = with(court.listed(&[0, 1, 2]));
    assert_eq!(review(ReviewOutcome::Narrowed, Some(wider)).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(review(ReviewOutcome::Narrowed, None).unwrap_err().kind(), ErrorKind::InvalidInput);
    let request = court.request(&narrowed).unwrap();
    assert_eq!(request.records().collect::<Vec<_>>(), [court.calls[0]]);
    // Contested after the quorum came together: it is not given out.
    let quorum =
        court.vault.open_order(court.tenant(), &request, &court.approvals(&request, &[0, 1]), "officer").unwrap();
    drop(quorum);
    let (disclosed, _) = court.disclose(court.quorum(&narrowed));
    assert_eq!(disclosed.records, 1);
    refused("it was answered");
    court.vault.close_order(court.tenant(), order.id(), "answered", "officer").unwrap();
    refused("it is closed");
    let error = court.vault.close_order(court.tenant(), order.id(), "again", "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(court.audit().is_clean());
}

#[test]
fn the_quorums_index_keys_find_the_records_of_a_person_in_the_period_and_nothing_else() {
    let court = Court::new();
    // The third call of Olivia lies behind the period.
    let ingestor = court.vault.ingestor(&court.owner.pin, std::sync::Arc::clone(&court.writer)).unwrap();
    let later = ingestor.ingest(call(OLIVIA, 6)).unwrap().record;
    let scope = OrderScope::subjects([olivia()], day(0)..day(5));
    let order = court.accepted(court.terms(scope));
    let find = court.request(&order).unwrap();
    assert_eq!((find.stage(), find.records().count()), (Stage::Find, 0));
    let approvals = court.approvals(&find, &[1, 2]);
    let error = court.vault.open_order(court.tenant(), &find, &approvals, "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "it asks to find");
    let error = court.vault.find_records(court.tenant(), &find, &approvals[..1], "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let found = court.vault.find_records(court.tenant(), &find, &approvals, "officer").unwrap();
    let mut expected = vec![court.calls[0], court.calls[2]];
    expected.sort();
    assert_eq!(found, expected);
    assert!(!found.contains(&later));

    let open = court.request(&order).unwrap();
    assert_eq!((open.stage(), open.records().count()), (Stage::Open, 2));
    // Approvals of the first round open nothing in the second.
    let error = court.vault.open_order(court.tenant(), &open, &approvals, "officer").unwrap_err();
    assert!(reason(&error).contains("another request"), "{}", reason(&error));
    let approvals = court.approvals(&open, &[0, 1]);
    let quorum = court.vault.open_order(court.tenant(), &open, &approvals, "officer").unwrap();
    let (disclosed, package) = court.disclose(quorum);
    assert_eq!(disclosed.records, 2);
    let bag = court.unpack(&package, "package");
    for (words, there) in [("call 0", true), ("call 1", false), ("call 2", true), ("call 6", false)] {
        assert_eq!(holds(&bag, format!("words of {words}").as_bytes()), there, "{words}");
    }
    assert!(!holds(&bag, PETER.as_bytes()));
    assert!(court.audit().is_clean());
    let kinds = court.kinds();
    let steps = ["order.approved", "order.found", "order.approved", "order.producing", "order.disclosed"];
    assert!(kinds.ends_with(&steps.map(str::to_owned)), "{kinds:?}");
}

#[test]
fn a_tenants_consent_stands_where_a_quorum_would_and_needs_no_custodians() {
    let court = Court::with(0);
    let order = court.accepted(court.terms(court.listed(&[0, 3])));
    let error = court.request(&order).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let session = court.session();
    let consent = session.consent(order.id()).unwrap();
    let again = session.consent(order.id()).unwrap();
    assert_eq!(consent.records().len(), 2);
    let (disclosed, package) = court.disclose(again);
    assert_eq!(disclosed.records, 2);
    let bag = court.unpack(&package, "package");
    assert!(bag.join("custody/consent.note").is_file() && bag.join("custody/keys/tenant.pem").is_file());
    assert!(holds(&bag, b"words of call 3") && !holds(&bag, b"words of call 1"));
    // Used: neither this one nor another opens it again.
    let error = court.vault.disclose(consent, portable(), "officer", Vec::new(), GO_ON).unwrap_err();
    assert_eq!((error.kind(), reason(&error).as_str()), (ErrorKind::Refused, "it was answered"));
    assert_eq!(session.consent(order.id()).unwrap_err().kind(), ErrorKind::Refused);
    drop(session);
    let report = court.audit();
    assert!(report.is_clean() && report.unconcluded.len() == 1, "{report}");

    // To people, found in the session.
    let order = court.accepted(court.terms(OrderScope::subjects([olivia()], day(0)..day(1))));
    let session = court.session();
    let (disclosed, _) = court.disclose(session.consent(order.id()).unwrap());
    assert_eq!(disclosed.records, 1);
}

#[test]
fn under_a_gag_the_tenant_sees_that_entries_are_withheld_and_reads_the_same_leaves_on_the_day() {
    let court = Court::new();
    let until = tomorrow();
    let order = court.accepted(court.terms(court.listed(&[1])).gag_until(until));
    let (_, package) = court.disclose(court.quorum(&order));
    assert!(!package.is_empty());
    let session = court.session();
    assert!(session.orders().unwrap().is_empty());
    assert_eq!(session.consent(order.id()).unwrap_err().kind(), ErrorKind::NotFound);
    let withheld = session.withheld().unwrap();
    // Received, reviewed, approved, producing, disclosed.
    assert_eq!(withheld.len(), 5);
    assert!(withheld.iter().all(|entry| entry.until() == until));
    drop(session);
    let report = court.audit();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.withheld, report.withheld_until), (5, Some(until)));
    assert!(report.to_string().contains("5 entries withheld"), "{report}");
    let before = court.audit().checkpoint.unwrap();

    // Nor does an export tell more, and who audits it without the vault counts the same.
    let folder = court.dir.path().join("export");
    let session = court.session();
    let log = session.log().unwrap();
    let exported = log.export(&folder, &[]).unwrap();
    assert_eq!((exported.missing, exported.withheld), (0, 5));
    let auditor = Auditor::new(log.key());
    let offline = auditor.audit_export(&folder).unwrap();
    assert!(offline.is_clean() && (offline.withheld, offline.missing) == (5, 0), "{offline}");
    // What the operator did not sign for that entry withholds nothing.
    let names: Vec<_> = common::files(&folder.join("withheld"));
    std::fs::copy(&names[0], &names[1]).unwrap();
    let offline = auditor.audit_export(&folder).unwrap();
    assert!(!offline.is_clean() && (offline.withheld, offline.missing) == (4, 1), "{offline}");
    drop(session);

    // The day has not come: neither the operator nor a custodian says anything.
    let error = court.vault.give_notice(court.tenant(), order.id(), "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(court.custodians[0].lift(&withheld[0]).unwrap_err().kind(), ErrorKind::Refused);
    assert!(court.vault.overdue_notices().unwrap().is_empty());
    let error = court.vault.close_order(court.tenant(), order.id(), "answered", "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    // What the database has of it names neither order nor subject nor court.
    for marker in [&b"County Court"[..], b"23-CV-0042"] {
        assert!(!holds(&court.dir.path().join("my.vault"), marker));
    }
    assert!(before.size > 5);
}

#[test]
fn a_gag_that_is_lifted_before_its_day_opens_what_was_withheld_and_says_why() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[1])).gag_until(tomorrow()));
    let open = court.accepted(court.terms(court.listed(&[2])));
    let (disclosed, _) = court.disclose(court.quorum(&order));
    let lift = |order: &DisclosureOrder, why| court.vault.lift_gag(court.tenant(), order.id(), why, "officer");
    assert_eq!(lift(&order, " ").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(lift(&open, "unsealed").unwrap_err().kind(), ErrorKind::AlreadyExists);
    let (notice, receipt) = lift(&order, "unsealed by the court").unwrap();
    assert_eq!(lift(&order, "again").unwrap_err().kind(), ErrorKind::AlreadyExists);
    let message = receipt.verify(&court.session().log().unwrap().key()).unwrap();
    assert_eq!((message.kind, message.details["lifted"].as_str()), (Kind::NoticeGiven, "unsealed by the court"));
    let session = court.session();
    assert!(session.withheld().unwrap().is_empty());
    let told = session.orders().unwrap().into_iter().find(|status| status.order.id() == order.id()).unwrap();
    assert!(told.disclosed.is_some() && disclosed.records == 1 && notice.text().contains("disclosed"));
    drop(session);
    let report = court.audit();
    assert!(report.is_clean() && report.withheld == 0, "{report}");
    court.vault.close_order(court.tenant(), order.id(), "answered", "officer").unwrap();
}

#[test]
fn a_notice_opens_what_was_withheld_and_one_that_does_not_come_is_found() {
    let court = Court::new();
    let soon = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 2_500);
    let order = court.accepted(court.terms(court.listed(&[1])).gag_until(soon));
    let (disclosed, _) = court.disclose(court.quorum(&order));
    assert_eq!(court.audit().withheld, 5);
    let leaf = disclosed.producing.seq();
    while Timestamp::now() < soon {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // The day has come and the operator is silent: an audit finds it, and any custodian can open it for the tenant.
    let report = court.audit();
    assert!(report.findings.contains(&AuditFinding::NoticeOverdue(leaf)), "{report}");
    assert_eq!(court.vault.overdue_notices().unwrap().len(), 1);
    let session = court.session();
    let withheld = session.withheld().unwrap();
    let bytes = withheld[0].to_bytes();
    let handed = Withheld::from_bytes(&bytes, &common::operator().public_key()).unwrap();
    let key = court.custodians[1].lift(&handed).unwrap();
    let session = session.with_gag_key(key.expose_secret().parse().unwrap());
    assert_eq!(session.orders().unwrap()[0].order, order);
    drop(session);
    assert_eq!(court.audit().withheld, 5, "for others it is as before");

    let (notice, _) = court.vault.give_notice(court.tenant(), order.id(), "officer").unwrap();
    notice.verify(&order).unwrap();
    assert_eq!((notice.records(), notice.outcome()), (1, "disclosed"));
    let report = court.audit();
    assert!(report.is_clean() && report.withheld == 0, "{report}");
    let session = court.session();
    let log = session.log().unwrap();
    let receipt = log.receipt(leaf).unwrap();
    let message = receipt.verify(&log.key()).unwrap();
    assert_eq!((message.kind, message.seq), (Kind::OrderProducing, leaf));
    assert_eq!(session.orders().unwrap()[0].state(), OrderState::Disclosed);
    assert!(session.withheld().unwrap().is_empty());
    let error = court.vault.give_notice(court.tenant(), order.id(), "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    court.vault.close_order(court.tenant(), order.id(), "answered", "officer").unwrap();
}

#[test]
fn whatever_ends_a_disclosure_the_ledger_says_so_and_the_permission_is_used() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0, 1])));
    // Ended by whoever watches, while hashing and while sending.
    for stage in [PackageStage::Hashing, PackageStage::Sending] {
        let mut out = Vec::new();
        let watch = |progress: PackageProgress| {
            if progress.stage == stage { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let error = court.vault.disclose(court.quorum(&order), portable(), "officer", &mut out, watch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        if stage == PackageStage::Hashing {
            assert!(out.is_empty(), "nothing leaves before the entry");
        }
    }
    // By what it is written to.
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    court.vault.disclose(court.quorum(&order), portable(), "officer", Full, GO_ON).unwrap_err();
    // By being given up.
    drop(court.quorum(&order));
    let kinds = court.kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == "order.failed").count(), 4, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "order.disclosed").count(), 0);
    let status = &court.vault.orders(court.tenant()).unwrap()[0];
    assert_eq!((status.failures.len(), status.state()), (4, OrderState::Accepted));
    // It can be done after all, with a new quorum.
    assert_eq!(court.disclose(court.quorum(&order)).0.records, 2);
    let report = court.audit();
    assert!(report.is_clean() && report.unconcluded.len() == 1, "{report}");
}

#[test]
fn records_outside_the_dates_or_that_are_not_there_are_refused() {
    let court = Court::new();
    let mut terms = court.terms(court.listed(&[0, 3]));
    terms.dates = day(0)..day(2);
    let order = court.accepted(terms);
    let error = court.request(&order).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(reason(&error).contains(&court.calls[3].to_string()));
    let order = court.accepted(court.terms(OrderScope::records([RecordId::generate().unwrap()])));
    assert_eq!(court.request(&order).unwrap_err().kind(), ErrorKind::NotFound);
    let foreign = Court::new();
    let order = court.accepted(court.terms(foreign.listed(&[0])));
    assert_eq!(court.request(&order).unwrap_err().kind(), ErrorKind::NotFound);
    let nobody = OrderScope::subjects([Identifier::mailto("nobody@example.com").unwrap()], day(0)..day(5));
    let order = court.accepted(court.terms(nobody));
    let request = court.request(&order).unwrap();
    let approvals = court.approvals(&request, &[0, 1]);
    assert!(court.vault.find_records(court.tenant(), &request, &approvals, "officer").unwrap().is_empty());
}

#[test]
fn a_stretch_of_a_recording_goes_alone_and_says_of_what_it_is() {
    let court = Court::new();
    let scope = OrderScope::Records([(court.calls[1], Some(1000..2000))].into());
    let order = court.accepted(court.terms(scope).kinds([PartKind::Audio]));
    let (disclosed, package) = court.disclose(court.quorum(&order));
    assert_eq!(disclosed.documents, 1);
    let bag = court.unpack(&package, "package");
    let audio = common::files(&bag).into_iter().find(|file| file.extension().is_some_and(|e| e == "wav")).unwrap();
    let cut = std::fs::read(audio).unwrap();
    let whole = common::court::wav(4, 1);
    assert!(cut.len() < 8_200 && cut.ends_with(&whole[44 + 8000..44 + 16000]));
    assert!(!holds(&bag, b"words of call 1"));
}

#[test]
fn a_drill_shows_that_custodians_can_open_without_touching_a_record() {
    let court = Court::new();
    let request = court.vault.begin_drill(court.tenant(), tomorrow()).unwrap();
    assert!(request.to_string().starts_with("This is a drill"));
    assert!(request.records().all(|record| !court.calls.contains(&record)));
    let approvals = court.approvals(&request, &[1, 2]);
    let error = court.vault.end_drill(court.tenant(), &request, &approvals[..1], "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let drilled = court.vault.end_drill(court.tenant(), &request, &approvals, "officer").unwrap();
    assert_eq!(drilled.custodians, [court.keys[1].public_key(), court.keys[2].public_key()]);
    let error = court.vault.end_drill(court.tenant(), &request, &approvals, "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // It opens nothing as an order.
    let error = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(court.kinds().ends_with(&["custodians.drilled".to_owned()]));
    assert!(court.audit().is_clean());
    let alone = Court::with(0);
    assert_eq!(alone.vault.begin_drill(alone.tenant(), tomorrow()).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn litigation_volumes_never_share_a_number() {
    let court = Court::new();
    let mut taken = Vec::new();
    for calls in [&[0, 1][..], &[1, 2], &[3]] {
        let order = court.accepted(court.terms(court.listed(calls)));
        let options = ProductionOptions::new(ProductionProfile::Litigation).bates_prefix("ACME");
        let disclosed = court.vault.disclose(court.quorum(&order), options, "officer", Vec::new(), GO_ON).unwrap();
        let bates = disclosed.bates.unwrap();
        assert_eq!((bates.prefix.as_str(), bates.count), ("ACME", 2 * calls.len() as u64));
        taken.extend(bates.first..bates.first + bates.count);
    }
    assert_eq!(taken, (1..=10).collect::<Vec<u64>>());
}

#[test]
fn an_order_of_which_nothing_was_said_in_time_is_overdue() {
    let court = Court::new();
    let mut terms = court.terms(court.listed(&[0]));
    terms.due = Timestamp::from_unix_ms(terms.received.unix_ms() + 1);
    court.vault.receive_order(court.tenant(), terms, "officer").unwrap();
    let status = &court.vault.orders(court.tenant()).unwrap()[0];
    assert!(status.is_overdue(Timestamp::from_unix_ms(Timestamp::now().unix_ms() + DAY)));
    assert!(!status.notice_is_overdue(Timestamp::now()), "the tenant was told at once");
}

#[test]
fn the_records_of_an_order_can_be_kept_from_erasure_until_it_is_over_and_a_preservation_discloses_nothing() {
    let court = Court::new();
    let mut terms = court.terms(court.listed(&[0]));
    terms.basis = LegalBasis::Preservation;
    let order = court.accepted(terms);
    assert!(reason(&court.request(&order).unwrap_err()).contains("not to disclose"));
    let session = court.session();
    assert!(reason(&session.consent(order.id()).unwrap_err()).contains("not to disclose"));

    court.vault.preserve_order(court.tenant(), order.id()).unwrap();
    let again = court.vault.preserve_order(court.tenant(), order.id()).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    let matters = session.held_by(court.calls[0]).unwrap();
    assert_eq!(matters, [format!("order {}", order.id())]);
    let erased = session.erase([court.calls[0], court.calls[1]], "the customer asked for it").unwrap();
    assert_eq!(erased.erased, [court.calls[1]]);
    assert_eq!(session.read(court.calls[1]).unwrap_err().kind(), ErrorKind::Erased);
    session.read(court.calls[0]).unwrap();
    // The tenant alone does not end it; when the order is over, it does, and what waited is carried out.
    assert_eq!(session.propose_release(&matters[0], "enough").unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(session.confirm_release(&matters[0], "enough").unwrap_err().kind(), ErrorKind::Refused);
    court.vault.close_order(court.tenant(), order.id(), "withdrawn by the court", "officer").unwrap();
    let released = session.confirm_release(&matters[0], "it is over").unwrap();
    assert_eq!(released.erased, [court.calls[0]]);
    assert_eq!(session.read(court.calls[0]).unwrap_err().kind(), ErrorKind::Erased);
    drop(session);
    assert!(court.audit().is_clean());

    // People's records, in their period; and nothing of it under a gag, which a hold would give away.
    let order = court.accepted(court.terms(OrderScope::subjects([olivia()], day(0)..day(5))));
    court.vault.preserve_order(court.tenant(), order.id()).unwrap();
    let session = court.session();
    assert_eq!(session.held_by(court.calls[2]).unwrap().len(), 1);
    assert!(session.held_by(court.calls[3]).unwrap().is_empty());
    let gagged = court.accepted(court.terms(court.listed(&[3])).gag_until(tomorrow()));
    assert_eq!(court.vault.preserve_order(court.tenant(), gagged.id()).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn what_was_erased_is_not_disclosed_and_the_package_says_so() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0, 1])));
    let session = court.session();
    session.erase([court.calls[1]], "the customer asked for it").unwrap();
    drop(session);
    let (disclosed, package) = court.disclose(court.quorum(&order));
    assert_eq!((disclosed.records, disclosed.documents), (1, 2));
    let bag = court.unpack(&package, "package");
    assert!(!holds(&bag, b"words of call 1"));
    assert!(holds(&bag, court.calls[1].to_string().as_bytes()), "it is listed as withheld");
}
