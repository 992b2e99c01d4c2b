//! What somebody tries who wants more out of an order than it gives: from the operator's side, a custodian's, the tenant's, or
//! with the database in his hands.

mod common;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

use common::court::{Court, GO_ON, OLIVIA, day};
use common::{operator, rows};
use strongroom::*;

/// The path of a court's vault.
fn path(court: &Court) -> PathBuf {
    court.dir.path().join("my.vault")
}

/// A copy of the database, as a backup makes it.
fn back_up(court: &Court) -> PathBuf {
    let copy = court.dir.path().join("copy.db");
    rows(&path(court)).execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    copy
}

/// Puts a copy back, and goes on with it.
fn restore(court: &mut Court, copy: &Path) {
    let elsewhere = Vault::create(court.dir.path().join("elsewhere"), operator()).unwrap();
    drop(std::mem::replace(&mut court.vault, elsewhere));
    let path = path(court);
    assert!(!path.join("vault.db-wal").exists(), "somebody has the vault open");
    std::fs::copy(copy, path.join("vault.db")).unwrap();
    Vault::open_to_restore(&path, operator()).unwrap().restore("a test").unwrap();
    court.vault = Vault::open(&path, operator()).unwrap();
}

fn litigation(prefix: &str) -> ProductionOptions {
    ProductionOptions::new(ProductionProfile::Litigation).bates_prefix(prefix)
}

/// Discloses the records of an order in a numbered volume, and gives its numbers.
fn numbers(court: &Court, order: &DisclosureOrder, prefix: &str) -> std::ops::Range<u64> {
    let quorum = court.quorum(order);
    let disclosed = court.vault.disclose(quorum, litigation(prefix), "officer", Vec::new(), GO_ON).unwrap();
    let bates = disclosed.bates.unwrap();
    bates.first..bates.first + bates.count
}

fn reason(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn nothing_is_disclosed_under_a_request_to_preserve() {
    let court = Court::new();
    let mut terms = court.terms(court.listed(&[0]));
    terms.basis = LegalBasis::Preservation;
    let order = court.accepted(terms);
    let refused = court.request(&order).unwrap_err();
    assert_eq!(
        (refused.kind(), reason(&refused).as_str()),
        (ErrorKind::Refused, "it asks to preserve, not to disclose")
    );
    assert_eq!(court.session().consent(order.id()).unwrap_err().kind(), ErrorKind::Refused);
}

#[test]
fn approvals_that_were_used_do_not_count_again_when_an_old_copy_of_the_vault_is_put_back() {
    let mut court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let request = court.request(&order).unwrap();
    let approvals = court.approvals(&request, &[0, 1]);
    let copy = back_up(&court);
    drop(court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap());
    restore(&mut court, &copy);
    let refused = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    court.disclose(court.quorum(&order));
}

#[test]
fn no_number_is_given_twice_though_an_old_copy_of_the_vault_is_put_back() {
    let mut court = Court::new();
    let orders = [0, 1, 2, 3].map(|call| court.accepted(court.terms(court.listed(&[call]))));
    let mut given = vec![numbers(&court, &orders[0], "OLD")];
    let copy = back_up(&court);
    given.push(numbers(&court, &orders[1], "OLD"));
    given.push(numbers(&court, &orders[2], "NEW"));
    restore(&mut court, &copy);
    given.push(numbers(&court, &orders[1], "OLD"));
    given.push(numbers(&court, &orders[2], "NEW"));
    given.push(numbers(&court, &orders[3], "NEW"));
    assert_eq!(given[..2], [1..3, 3..5]);
    assert_eq!(given[2], 1..3);
    assert!(given[3].start >= 5 && given[4].start >= 3 && given[5].start == given[4].end, "{given:?}");
}

#[test]
fn approvals_that_were_used_do_not_count_again_when_somebody_puts_the_permission_back() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let request = court.request(&order).unwrap();
    let approvals = court.approvals(&request, &[0, 1]);
    let db = rows(&path(&court));
    db.execute_batch("CREATE TABLE kept AS SELECT * FROM permissions").unwrap();
    drop(court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap());
    assert_eq!(db.execute("INSERT INTO permissions SELECT * FROM kept", []).unwrap(), 1);
    let refused = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap_err();
    assert_eq!((refused.kind(), reason(&refused).as_str()), (ErrorKind::NotFound, "the request or consent was used"));
    // Nor that of one order for another, or under another name.
    let other = court.accepted(court.terms(court.listed(&[1])));
    let next = court.request(&other).unwrap();
    let of = |order: &DisclosureOrder| *order.id().as_bytes();
    db.execute("UPDATE OR REPLACE permissions SET about = ?1 WHERE about = ?2", [of(&other), of(&order)]).unwrap();
    for request in [&request, &next] {
        let approvals = court.approvals(request, &[0, 1]);
        assert!(court.vault.open_order(court.tenant(), request, &approvals, "officer").is_err());
    }
    db.execute("UPDATE permissions SET purpose = ?1", [next.hash()]).unwrap();
    let approvals = court.approvals(&next, &[0, 1]);
    let refused = court.vault.open_order(court.tenant(), &next, &approvals, "officer").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Tampered);
    assert_eq!(court.kinds().iter().filter(|kind| *kind == "order.approved").count(), 1);
}

#[test]
fn a_consent_leaves_what_custodians_were_asked_as_it_is_and_the_other_way_round() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let request = court.request(&order).unwrap();
    let session = court.session();
    let consent = session.consent(order.id()).unwrap();
    // The tenant's consent does not undo the custodians' answers,
    let approvals = court.approvals(&request, &[0, 1]);
    let quorum = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap();
    // and while these open the records, nothing else does.
    let again = session.consent(order.id()).unwrap();
    for consent in [consent, again] {
        let (options, out) = (ProductionOptions::new(ProductionProfile::Portable), Vec::new());
        let refused = court.vault.disclose(consent, options, "officer", out, GO_ON).unwrap_err();
        assert_eq!(reason(&refused), "its records are being found or given out");
    }
    let second = court.request(&order).unwrap();
    let approvals = court.approvals(&second, &[1, 2]);
    let refused = court.vault.open_order(court.tenant(), &second, &approvals, "officer").unwrap_err();
    assert_eq!(reason(&refused), "its records are being found or given out");
    drop(quorum);
    // A request does not undo a consent.
    let consent = session.consent(order.id()).unwrap();
    court.request(&order).unwrap();
    court.disclose(consent);
}

#[test]
fn nobody_reviews_or_closes_an_order_while_its_records_are_open() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let quorum = court.quorum(&order);
    let review = |outcome| court.vault.review_order(court.tenant(), order.id(), outcome, "why", None, "counsel");
    let refused = review(ReviewOutcome::Challenged).unwrap_err();
    assert_eq!(
        (refused.kind(), reason(&refused).as_str()),
        (ErrorKind::Refused, "its records are being found or given out")
    );
    let refused = court.vault.close_order(court.tenant(), order.id(), "over", "officer").unwrap_err();
    assert_eq!(
        (refused.kind(), reason(&refused).as_str()),
        (ErrorKind::Refused, "its records are being found or given out")
    );
    drop(quorum);
    review(ReviewOutcome::Challenged).unwrap();
    assert_eq!(court.vault.orders(court.tenant()).unwrap()[0].state(), OrderState::Challenged);
    court.vault.close_order(court.tenant(), order.id(), "over", "officer").unwrap();
}

#[test]
fn an_order_that_is_contested_closed_or_narrowed_while_it_is_opened_is_one_or_the_other() {
    let court = Court::new();
    let (mut opened, mut stopped) = (0, 0);
    for round in 0..24 {
        let order = court.accepted(court.terms(court.listed(&[0, 1])));
        let request = court.request(&order).unwrap();
        let approvals = court.approvals(&request, &[0, 1]);
        let mut less = order.terms();
        less.scope = court.listed(&[0]);
        let barrier = Barrier::new(2);
        let (quorum, said) = std::thread::scope(|scope| {
            let open = scope.spawn(|| {
                barrier.wait();
                court.vault.open_order(court.tenant(), &request, &approvals, "officer")
            });
            // By a process of its own, as good as.
            let other = Vault::open(path(&court), operator()).unwrap();
            barrier.wait();
            let review =
                |outcome, terms| other.review_order(court.tenant(), order.id(), outcome, "why", terms, "counsel");
            let said = match round % 3 {
                0 => review(ReviewOutcome::Challenged, None).map(drop),
                1 => review(ReviewOutcome::Narrowed, Some(less)).map(drop),
                _ => other.close_order(court.tenant(), order.id(), "over", "officer").map(drop),
            };
            (open.join().unwrap(), said)
        });
        match (&quorum, &said) {
            (Ok(_), Err(error)) | (Err(error), Ok(())) => {
                assert!([ErrorKind::Refused, ErrorKind::NotFound].contains(&error.kind()), "{error:?}");
            }
            other => panic!("round {round}: {other:?}"),
        }
        (opened, stopped) = (opened + usize::from(quorum.is_ok()), stopped + usize::from(said.is_ok()));
    }
    println!("{opened} were opened, {stopped} stopped before");
    assert!(court.audit().is_clean());
}

#[test]
fn a_tenant_consents_with_the_card_in_force_alone() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let session = court.session();
    let before = session.consent(order.id()).unwrap();
    let Tenant { card, policy, .. } = court.vault.tenant(court.tenant()).unwrap();
    let new = Identity::generate().unwrap();
    let next = card.successor(&court.owner.identity, &new).unwrap();
    let policy = policy.successor(&next, 2, policy.custodians().to_vec(), &new).unwrap();
    court.vault.change_card(&next, &policy).unwrap();
    // Whoever has a session from before, and the former key.
    assert_eq!(session.consent(order.id()).unwrap_err().kind(), ErrorKind::WrongKey);
    let (options, mut out) = (ProductionOptions::new(ProductionProfile::Portable), Vec::new());
    let refused = court.vault.disclose(before, options, "officer", &mut out, GO_ON).unwrap_err();
    assert_eq!((refused.kind(), out.len()), (ErrorKind::WrongKey, 0));
    drop(session);
    let session = court.vault.session(court.tenant(), new, Access::new("tester", "test")).unwrap();
    let session = session.with_former(Arc::clone(&court.owner.identity));
    court.disclose(session.consent(order.id()).unwrap());
}

#[test]
fn a_record_whose_time_was_made_another_until_the_custodians_had_answered_stays_closed() {
    let court = Court::new();
    let mut terms = court.terms(court.listed(&[3]));
    terms.dates = day(-1)..day(2);
    let order = court.accepted(terms);
    assert_eq!(court.request(&order).unwrap_err().kind(), ErrorKind::Refused);
    let (db, id) = (rows(&path(&court)), *court.calls[3].as_bytes());
    let before: Vec<u8> = db.query_row("SELECT header FROM records WHERE id = ?1", [id], |row| row.get(0)).unwrap();
    let put = |header: &[u8], time: i64| {
        let digest = ring::digest::digest(&ring::digest::SHA256, header);
        let sql = "UPDATE records SET header = ?1, digest = ?2, time = ?3 WHERE id = ?4";
        assert_eq!(db.execute(sql, rusqlite::params![header, digest.as_ref(), time, id]).unwrap(), 1);
    };
    let mut header = RecordHeader::from_bytes(&before).unwrap();
    let own = header.time.unix_ms();
    header.time = day(1);
    put(&header.to_bytes(), day(1).unix_ms());
    let request = court.request(&order).unwrap();
    let approvals = court.approvals(&request, &[0, 1]);
    put(&before, own);
    let quorum = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap();
    let (options, mut out) = (ProductionOptions::new(ProductionProfile::Portable), Vec::new());
    let refused = court.vault.disclose(quorum, options, "officer", &mut out, GO_ON).unwrap_err();
    assert_eq!((refused.kind(), out.len()), (ErrorKind::Refused, 0));
}

#[test]
fn records_that_a_writer_sealed_who_was_never_enrolled_are_not_asked_for() {
    let court = Court::new();
    let subjects = OrderScope::subjects([Identifier::tel(OLIVIA).unwrap()], day(0)..day(4));
    let found = court.accepted(court.terms(subjects));
    let listed = court.accepted(court.terms(court.listed(&[0])));
    let db = rows(&path(&court));
    db.pragma_update(None, "foreign_keys", false).unwrap();
    // The operator's own key stays.
    let forge = "UPDATE writers SET key = randomblob(32) WHERE key = ?1";
    assert_eq!(db.execute(forge, [court.writer.public_key().as_bytes()]).unwrap(), 1);
    for order in [&listed, &found] {
        let refused = court.request(order).unwrap_err();
        let said = refused.to_string();
        assert_eq!(refused.kind(), ErrorKind::Tampered, "{said}");
        assert!(said.contains("enrolled"), "{said}");
    }
}

#[test]
fn a_notice_that_was_changed_keeps_nobody_from_reading_and_auditing_the_rest() {
    let court = Court::new();
    court.accepted(court.terms(court.listed(&[0])));
    assert!(court.audit().is_clean());
    let db = rows(&path(&court));
    db.execute("UPDATE papers SET body = zeroblob(length(body)) WHERE topic = 'notice'", []).unwrap();
    let report = court.audit();
    let notice = court.session().log().unwrap().size() - 3;
    assert!(matches!(report.findings[..], [AuditFinding::PaperMissing(seq)] if seq < notice), "{report}");
    court.session().agreements().unwrap();
}

#[test]
fn a_tenant_reads_of_an_order_whose_end_nobody_knows_though_one_came_in_that_it_must_not_know_of() {
    let mut court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let quorum = court.quorum(&order);
    let copy = back_up(&court);
    drop(quorum);
    restore(&mut court, &copy);
    court.accepted(court.terms(court.listed(&[1])).gag_until(common::court::tomorrow()));
    let session = court.session();
    let orders = session.orders().unwrap();
    assert_eq!(orders.len(), 1);
    assert!(orders[0].unknown.is_some());
}

#[test]
fn a_tenant_whose_former_key_is_gone_reads_what_came_since() {
    let court = Court::new();
    court.accepted(court.terms(court.listed(&[0])));
    let Tenant { card, policy, .. } = court.vault.tenant(court.tenant()).unwrap();
    let new = Identity::generate().unwrap();
    let next = card.successor(&court.owner.identity, &new).unwrap();
    let policy = policy.successor(&next, 2, policy.custodians().to_vec(), &new).unwrap();
    court.vault.change_card(&next, &policy).unwrap();
    let session = court.vault.session(court.tenant(), new, Access::new("tester", "test")).unwrap();
    let last = session.log().unwrap().entries(session.log().unwrap().size() - 1, 1).unwrap().pop().unwrap();
    assert!(matches!(last.state, State::Open(..)));
}

#[test]
fn a_tenant_reads_its_orders_while_others_come_in_that_it_must_not_know_of() {
    let court = Court::new();
    court.accepted(court.terms(court.listed(&[0])));
    let session = court.session();
    std::thread::scope(|scope| {
        let come = scope.spawn(|| {
            for _ in 0..12 {
                court.accepted(court.terms(court.listed(&[1])).gag_until(common::court::tomorrow()));
            }
        });
        while !come.is_finished() {
            assert_eq!(session.orders().unwrap().len(), 1);
        }
    });
    assert_eq!(session.withheld().unwrap().len(), 24);
}

#[test]
fn an_order_that_somebody_made_the_operator_forget_to_be_contested_is_opened_and_an_audit_finds_that() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    court.vault.review_order(court.tenant(), order.id(), ReviewOutcome::Challenged, "stay", None, "counsel").unwrap();
    assert_eq!(court.request(&order).unwrap_err().kind(), ErrorKind::Refused);
    let sql = "DELETE FROM papers WHERE n = (SELECT max(n) FROM papers WHERE topic = 'order-desk')";
    assert_eq!(rows(&path(&court)).execute(sql, []).unwrap(), 1);
    let (disclosed, _) = court.disclose(court.quorum(&order));
    let contested = disclosed.producing.seq() - 2;
    let report = court.audit();
    let expected = [AuditFinding::OpenedWithoutApproval(contested + 1), AuditFinding::PaperMissing(contested)];
    assert_eq!(report.findings, expected, "{report}");
}

#[test]
fn an_order_that_is_dated_ahead_is_not_taken_in() {
    let court = Court::new();
    let terms = court.terms(court.listed(&[0]));
    let mut ahead = terms.clone().received(common::court::tomorrow());
    ahead.due = Timestamp::from_unix_ms(ahead.received.unix_ms() + 1);
    let refused = court.vault.receive_order(court.tenant(), ahead, "officer").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    court.vault.receive_order(court.tenant(), terms.received(day(1)), "officer").unwrap();
}

#[test]
fn what_is_kept_for_an_order_that_is_closed_meanwhile_can_be_let_go() {
    let court = Court::new();
    let session = court.session();
    let other = court.vault.session(court.tenant(), Arc::clone(&court.owner.identity), Access::new("counsel", "holds"));
    let other = other.unwrap();
    for round in 0..12 {
        let order = court.accepted(court.terms(court.listed(&[0])));
        let barrier = Barrier::new(2);
        let (kept, closed) = std::thread::scope(|scope| {
            let keep = scope.spawn(|| {
                barrier.wait();
                court.vault.preserve_order(court.tenant(), order.id())
            });
            let vault = Vault::open(path(&court), operator()).unwrap();
            barrier.wait();
            let closed = vault.close_order(court.tenant(), order.id(), "over", "officer");
            (keep.join().unwrap(), closed)
        });
        closed.unwrap();
        match kept {
            Err(error) => assert_eq!((error.kind(), reason(&error).as_str()), (ErrorKind::Refused, "it is closed")),
            Ok(_) => drop(other.confirm_release(&format!("order {}", order.id()), "over").unwrap()),
        }
        assert!(session.holds().unwrap().is_empty(), "round {round}");
    }
}

#[test]
fn whoever_watches_and_panics_leaves_an_order_that_goes_on() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let quorum = court.quorum(&order);
    let options = ProductionOptions::new(ProductionProfile::Portable);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        court.vault.disclose(quorum, options, "officer", Vec::new(), |_| panic!("a test"))
    }));
    assert!(panicked.is_err());
    assert_eq!(court.disclose(court.quorum(&order)).0.records, 1);
    assert!(court.kinds().contains(&"outcome.unknown".to_owned()));
    let report = court.audit();
    assert!(report.is_clean() && report.unconcluded.len() == 1, "{report}");
}

#[test]
fn two_who_number_documents_at_once_both_come_to_their_end_and_share_no_number() {
    let court = Court::new();
    let orders = [&[0, 1][..], &[2], &[3]].map(|calls| court.accepted(court.terms(court.listed(calls))));
    let quorum = court.quorum(&orders[0]);
    let mut within = None;
    let disclosed = court.vault.disclose(quorum, litigation("ACME"), "officer", Vec::new(), |_| {
        // Another one begins and ends while this one hashes.
        within.get_or_insert_with(|| numbers(&court, &orders[1], "ACME"));
        std::ops::ControlFlow::Continue(())
    });
    let first = disclosed.unwrap().bates.unwrap();
    assert_eq!((first.first, first.count, within), (1, 4, Some(5..7)));
    // One that ends before anything bears its numbers takes none, and neither does one with fewer documents than parts.
    let quorum = court.quorum(&orders[2]);
    let cancel = |_| std::ops::ControlFlow::Break(());
    court.vault.disclose(quorum, litigation("ACME"), "officer", Vec::new(), cancel).unwrap_err();
    let refused = court.vault.disclose(court.quorum(&orders[2]), litigation("acme 1"), "officer", Vec::new(), GO_ON);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    let kept: Vec<String> = {
        let db = rows(&path(&court));
        let mut select = db.prepare("SELECT prefix FROM bates").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(kept, ["ACME"]);
    let order = court.accepted(court.terms(court.listed(&[2])).kinds([PartKind::Transcript]));
    assert_eq!(numbers(&court, &order, "ACME"), 7..8);
    assert_eq!(numbers(&court, &orders[2], "ACME"), 8..10);
}

/// Everything that a tenant can look at, as it is printed or written.
fn everything_a_tenant_sees(court: &Court) -> String {
    let session = court.session();
    let check = session.check().unwrap();
    assert!(check.is_clean(), "{check}");
    let log = session.log().unwrap();
    let report = Auditor::new(log.key()).audit(&log).unwrap();
    assert!(report.is_clean(), "{report}");
    let (mut page, mut transfers) = (Vec::new(), Vec::new());
    log.write_page(&report, &mut page).unwrap();
    session.write_transfers_page(&TransfersPage::new(), &mut transfers).unwrap();
    let folder = tempfile::tempdir().unwrap();
    log.export(folder.path().join("ledger"), &[]).unwrap();
    let exported = Auditor::new(log.key()).audit_export(folder.path().join("ledger")).unwrap();
    assert!(exported.is_clean(), "{exported}");
    let mut seen = format!("{check}\n{report}\n{exported}\n");
    for text in [page, transfers] {
        seen += &String::from_utf8(text).unwrap();
    }
    for file in common::files(folder.path()) {
        seen += &format!("{}\n{}\n", file.display(), String::from_utf8_lossy(&std::fs::read(&file).unwrap()));
    }
    let lists = (
        session.orders().unwrap(),
        session.holds().unwrap(),
        session.agreements().unwrap(),
        session.transfers(&TransferQuery::all()).unwrap(),
        session.list(&Listing::by_commit()).unwrap(),
    );
    seen += &format!("{lists:?}\n");
    for entry in log.entries(0, 1000).unwrap() {
        seen += &format!("{:?}\n", entry.state);
    }
    seen
}

#[test]
fn under_a_gag_nothing_that_a_tenant_looks_at_tells_what_is_withheld() {
    let court = Court::new();
    let before = everything_a_tenant_sees(&court);
    let people = OrderScope::subjects([Identifier::tel(common::court::OLIVIA).unwrap()], day(0)..day(5));
    let order = court.accepted(court.terms(people).gag_until(common::court::tomorrow()));
    let find = court.request(&order).unwrap();
    let approvals = court.approvals(&find, &[0, 1]);
    court.vault.find_records(court.tenant(), &find, &approvals, "officer").unwrap();
    drop(court.quorum(&order));
    numbers(&court, &order, "ACME");
    let seen = everything_a_tenant_sees(&court);
    // By words, as signatures may hold any few letters.
    let words = ["order", "court", "custodian", "disclos", "gagged", "officer", "counsel", "outcome"];
    for word in words {
        let count = |text: &str| text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.starts_with(word)).count();
        // Pages explain what a ledger can hold, whatever it holds.
        assert_eq!(count(&seen), count(&before), "{word}");
    }
    assert!(!seen.contains(&order.id().to_string()) && !seen.contains("outcome.unknown"));
    assert!(seen.contains("withheld"));
}

#[test]
fn a_page_of_an_audit_can_be_written_though_a_notice_came_behind_it() {
    let court = Court::new();
    let soon = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 500);
    let order = court.accepted(court.terms(court.listed(&[0])).gag_until(soon));
    let session = court.session();
    let log = session.log().unwrap();
    let report = Auditor::new(log.key()).audit(&log).unwrap();
    assert_eq!(report.withheld, 2);
    while Timestamp::now() < soon {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    court.vault.give_notice(court.tenant(), order.id(), "officer").unwrap();
    log.write_page(&report, &mut Vec::new()).unwrap();
}

#[test]
fn of_an_order_that_is_closed_no_key_is_kept_that_could_open_anything() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    let other = court.accepted(court.terms(court.listed(&[1])));
    for order in [&order, &other] {
        court.request(order).unwrap();
    }
    court.session().consent(order.id()).unwrap();
    let db = rows(&path(&court));
    let kept = || db.query_row("SELECT count(*) FROM permissions", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(kept(), 3);
    court.vault.close_order(court.tenant(), order.id(), "withdrawn", "officer").unwrap();
    assert_eq!(kept(), 1);
    court.disclose(court.quorum(&other));
    assert_eq!(kept(), 0);
}

#[test]
fn an_order_over_records_of_several_policies_needs_each_policys_custodians() {
    let mut court = Court::new();
    // All of three from now on, the first of whom was the last before.
    let Tenant { card, policy, .. } = court.vault.tenant(court.tenant()).unwrap();
    let come: Vec<Identity> = (0..2).map(|_| Identity::generate().unwrap()).collect();
    let mut keys = vec![court.keys[2].clone()];
    keys.extend(come.iter().map(CustodianKey::from));
    let policy = policy.successor(&card, 3, keys, &court.owner.identity).unwrap();
    court.vault.change_policy(&policy).unwrap();
    court.owner.pin = TenantPin { policy: policy.hash(), ..court.owner.pin };
    let ingestor = court.vault.ingestor(&court.owner.pin, Arc::clone(&court.writer)).unwrap();
    court.calls.push(ingestor.ingest(common::court::call(common::court::OLIVIA, 4)).unwrap().record);
    // And nobody but the tenant after that.
    let Tenant { card, policy, .. } = court.vault.tenant(court.tenant()).unwrap();
    let none = policy.successor(&card, 0, Vec::new(), &court.owner.identity).unwrap();
    court.vault.change_policy(&none).unwrap();
    court.owner.pin = TenantPin { policy: none.hash(), ..court.owner.pin };
    drop(ingestor);
    let ingestor = court.vault.ingestor(&court.owner.pin, Arc::clone(&court.writer)).unwrap();
    court.calls.push(ingestor.ingest(common::court::call(common::court::OLIVIA, 5)).unwrap().record);
    let operator = operator().public_key();
    court.custodians.extend(come.into_iter().map(|who| Custodian::new(who, operator)));

    let alone = court.accepted(court.terms(court.listed(&[4, 5])));
    let refused = court.request(&alone).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(reason(&refused).contains("no custodians"), "{}", reason(&refused));

    // Two of 0, 1, 2 for what came first, and 2, 3, 4 for the fifth.
    let enough = [&[0, 2, 3, 4][..], &[1, 2, 3, 4], &[0, 1, 2, 3, 4]];
    let short = [&[0, 1][..], &[2, 3, 4], &[0, 1, 3, 4], &[0, 2, 3], &[0, 1, 2]];
    let order = court.accepted(court.terms(court.listed(&[0, 4])));
    let request = court.request(&order).unwrap();
    for who in short {
        let approvals = court.approvals(&request, who);
        let refused = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap_err();
        assert!(reason(&refused).contains("who must approve"), "{who:?}: {}", reason(&refused));
    }
    for who in enough {
        let request = court.request(&order).unwrap();
        let approvals = court.approvals(&request, who);
        let quorum = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap();
        assert_eq!(quorum.records().len(), 2);
    }
    let request = court.request(&order).unwrap();
    let approvals = court.approvals(&request, enough[0]);
    court.disclose(court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap());

    // The same for whom an order names; what only the tenant can find is not found.
    let people = OrderScope::subjects([Identifier::tel(common::court::OLIVIA).unwrap()], day(0)..day(9));
    let order = court.accepted(court.terms(people));
    let find = court.request(&order).unwrap();
    assert_eq!(find.epochs().count(), 2);
    let approvals = court.approvals(&find, &[0, 1]);
    assert!(court.vault.find_records(court.tenant(), &find, &approvals, "officer").is_err());
    let approvals = court.approvals(&find, enough[1]);
    let found = court.vault.find_records(court.tenant(), &find, &approvals, "officer").unwrap();
    assert_eq!(found, {
        let mut all = [0, 2, 4].map(|n| court.calls[n]);
        all.sort();
        all
    });
    let status = court.vault.orders(court.tenant()).unwrap().pop().unwrap();
    assert_eq!((status.order.id(), status.unsearched), (order.id(), 1));
    assert_eq!(court.session().consent(order.id()).unwrap().records().len(), 4);
    let report = court.audit();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn an_order_goes_on_when_the_ledger_is_rotated_under_it() {
    let court = Court::new();
    for gagged in [false, true] {
        let mut terms = court.terms(court.listed(&[0]));
        let soon = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 1_500);
        if gagged {
            terms = terms.gag_until(soon);
        }
        let order = court.accepted(terms);
        let request = court.request(&order).unwrap();
        court.vault.rotate_log(court.tenant()).unwrap();
        let approvals = court.approvals(&request, &[0, 1]);
        let quorum = court.vault.open_order(court.tenant(), &request, &approvals, "officer").unwrap();
        court.vault.rotate_log(court.tenant()).unwrap();
        court.disclose(quorum);
        let status = court.vault.orders(court.tenant()).unwrap().pop().unwrap();
        assert_eq!((status.state(), status.unknown), (OrderState::Disclosed, None));
        if gagged {
            while Timestamp::now() < soon {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            court.vault.rotate_log(court.tenant()).unwrap();
            court.vault.give_notice(court.tenant(), order.id(), "officer").unwrap();
        }
        court.vault.close_order(court.tenant(), order.id(), "answered", "officer").unwrap();
        let session = court.session();
        let known = session.orders().unwrap().pop().unwrap();
        assert_eq!((known.order.id(), known.state()), (order.id(), OrderState::Closed));
        for log in session.logs().unwrap() {
            let report = Auditor::new(log.key()).audit(&log).unwrap();
            assert!(report.is_clean() && report.withheld == 0, "{report}");
        }
    }
}

#[test]
fn papers_of_orders_that_were_moved_swapped_or_changed_are_not_believed() {
    let court = Court::new();
    let one = court.accepted(court.terms(court.listed(&[0])));
    let other = court.accepted(court.terms(court.listed(&[1])).gag_until(common::court::tomorrow()));
    court.vault.review_order(court.tenant(), one.id(), ReviewOutcome::Rejected, "why", None, "counsel").unwrap();
    let db = rows(&path(&court));
    let of =
        |order: &DisclosureOrder| order.id().as_bytes().iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let (one_hex, other_hex) = (of(&one), of(&other));
    let last = "(SELECT max(n) FROM papers WHERE topic = 'order-desk')";
    let digest = |sql: &str| db.execute_batch(sql).unwrap();
    let check = |what: &str, sql: String, refused: bool| {
        digest(&format!("BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM papers; COMMIT; {sql}"));
        let orders = court.vault.orders(court.tenant());
        let request = court.request(&one);
        assert_eq!(orders.is_err(), refused, "{what}");
        if refused {
            assert_eq!(orders.unwrap_err().kind(), ErrorKind::Tampered, "{what}");
        }
        assert!(request.is_err(), "{what}: it is opened though it was rejected");
        digest("BEGIN; DELETE FROM papers; INSERT INTO papers SELECT * FROM kept; DROP TABLE kept; COMMIT");
        assert_eq!(court.vault.orders(court.tenant()).unwrap().len(), 2, "{what}");
    };
    check(
        "the rejection is said of the other order",
        format!("UPDATE papers SET about = x'{other_hex}' WHERE n = {last}"),
        true,
    );
    check(
        "the rejection comes first",
        format!("UPDATE papers SET n = n + 1000 WHERE topic = 'order-desk' AND n < {last}"),
        true,
    );
    check(
        "the receipt is gone",
        "DELETE FROM papers WHERE topic = 'order-desk' AND n = (SELECT min(n) FROM papers WHERE topic = 'order-desk')"
            .into(),
        true,
    );
    check(
        "the rejection has the acceptance's text",
        format!(
            "UPDATE papers SET body = (SELECT body FROM papers WHERE topic = 'order-desk' AND about = x'{one_hex}' AND n < {last} ORDER BY n DESC LIMIT 1) WHERE n = {last}"
        ),
        true,
    );
    check(
        "the rejection is the tenant's paper",
        format!(
            "UPDATE papers SET body = (SELECT p.body FROM papers p WHERE p.at = papers.at AND p.topic = 'order') WHERE n = {last}"
        ),
        true,
    );
    // What keeps the other from its tenant is gone: nothing is said of it in clear.
    digest(
        "CREATE TEMP TABLE kept AS SELECT * FROM papers WHERE topic = 'order-gag'; DELETE FROM papers WHERE topic = 'order-gag'",
    );
    let refused = court
        .vault
        .review_order(court.tenant(), other.id(), ReviewOutcome::Rejected, "why", None, "counsel")
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged);
    assert_eq!(court.request(&other).unwrap_err().kind(), ErrorKind::Damaged);
    digest("INSERT INTO papers SELECT * FROM kept");
    court.disclose(court.quorum(&other));
    assert!(court.audit().is_clean());
}
