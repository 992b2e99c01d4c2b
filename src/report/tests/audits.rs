use super::*;
use crate::audit::AuditFinding;
use crate::error::ErrorKind;
use crate::tlog::Checkpoint;

/// What an audit finds of a ledger with these entries.
fn audit(log: &PublicKey, size: u64, kinds: &[(&str, u64)]) -> AuditReport {
    let head = Checkpoint { origin: origin_of(log), size, root: [0; 32] };
    let mut report = AuditReport { checkpoint: Some(head), ..AuditReport::default() };
    report.kinds = kinds.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
    report
}

/// An agreement (entry 4), a transfer (5, 6), its receipt (7), one that failed (8, 9), one that was refused (10), a
/// request to delete (11) and its answer (12).
fn books() -> Books {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
    let at = time("2026-11-23T08:00:00Z");
    books.send(&quality, at, 5);
    books.receipt();
    books.send(&quality, after(at, HOUR), 5);
    books.fail("writing a package");
    let request = {
        books.refuse(quality.id(), after(at, 2 * HOUR), "no");
        let refused = books.sent.pop().unwrap();
        let request = books.ask(&quality, after(at, 3 * HOUR), after(at, 9 * DAY));
        books.sent.push(refused);
        request
    };
    books.answer(0x21, &request, after(at, 4 * HOUR), DeletionResult::Deleted);
    books
}

const ALL: [(&str, u64); 9] = [
    ("agreement.signed", 1),
    ("transfer.authorised", 2),
    ("transfer.completed", 1),
    ("transfer.receipted", 1),
    ("transfer.failed", 1),
    ("transfer.refused", 1),
    ("recipients.told", 1),
    ("deletion.answered", 1),
    ("ingested", 4),
];

fn log() -> PublicKey {
    Books::new("2026-11-24T12:00:00Z").log
}

fn page(audits: &[AuditReport]) -> String {
    write(&books().account(&TransferQuery::all(), audits))
}

#[test]
fn a_page_that_agrees_with_the_audit_says_so_and_has_its_numbers() {
    let page = page(&[audit(&log(), 13, &ALL)]);
    assert!(page.contains("it tells of the same agreements, transfers and answers, each of which is kept here."));
    assert!(!page.contains("Not verified") && !page.contains("not every ledger"));
    for (kind, n) in &ALL[..8] {
        assert!(page.contains(&format!("<dt>{kind}</dt><dd><bdi>{n}</bdi></dd>")), "{kind}");
    }
    assert!(!page.contains("<dt>agreement.revoked</dt>"), "there is none");
}

#[test]
fn without_an_audit_the_page_says_that_it_was_compared_with_none() {
    let page = page(&[]);
    assert!(page.contains("This was not compared with an audit of the ledger."));
    assert!(page.contains("Whether something was taken away from what is kept"));
}

#[test]
fn every_kind_that_the_ledger_tells_of_more_often_than_the_vault_keeps_is_a_fault() {
    for at in 0..8 {
        let mut kinds = ALL;
        kinds[at].1 += 1;
        let page = page(&[audit(&log(), 13, &kinds)]);
        assert!(page.contains(">Not verified: 1 fault<"), "{}", kinds[at].0);
        let (told, kept) = (kinds[at].1, kinds[at].1 - 1);
        assert!(page.contains(&format!(": the ledger tells of {told}, this vault keeps {kept}.")), "{}", kinds[at].0);
        assert!(!page.contains("An audit of the ledger found nothing wrong"));
    }
    let page = page(&[audit(&log(), 13, &[])]);
    assert!(page.contains(">Not verified: 8 faults<"));
}

#[test]
fn what_was_written_behind_the_audited_head_is_not_compared() {
    let kinds = [("agreement.signed", 1), ("transfer.authorised", 1)];
    assert!(!page(&[audit(&log(), 6, &kinds)]).contains("Not verified"));
    assert!(page(&[audit(&log(), 5, &kinds)]).contains("Not verified"));
}

#[test]
fn what_an_audit_found_is_told_and_nothing_is_called_verified() {
    let mut report = audit(&log(), 13, &ALL);
    report.findings = vec![AuditFinding::SentWithoutAgreement(5), AuditFinding::PaperMissing(7)];
    let page = page(&[report]);
    assert!(page.contains(">Not verified: 2 faults<") && page.contains("rely on nothing here"));
    assert!(page.contains("The audit says: what entry 5 let go to a third party was under no agreement"));
    assert!(!page.contains("An audit of the ledger found nothing wrong"));

    let headless = AuditReport { findings: vec![AuditFinding::Resigned], ..AuditReport::default() };
    assert!(write(&books().account(&TransferQuery::all(), &[headless])).contains(">Not verified: 1 fault<"));
}

#[test]
fn the_audit_of_another_ledger_is_refused() {
    for report in [audit(&identity(0x77).public_key(), 13, &ALL), AuditReport::default()] {
        let Books { mut kept, sent, .. } = books();
        kept.acts = Acts::of(&sent, &kept.agreed, &kept.deletions);
        let refused = Account::of(kept, &TransferQuery::all(), &[report]).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn of_two_ledgers_both_must_be_audited() {
    let other = identity(0x15).public_key();
    let two = || {
        let mut books = books();
        books.kept.logs.push((2, other));
        books
    };
    let first = audit(&log(), 13, &ALL);
    let page = write(&two().account(&TransferQuery::all(), std::slice::from_ref(&first)));
    assert!(page.contains("This was compared with an audit of 1 of 2 ledgers, which found nothing wrong."));
    let page = write(&two().account(&TransferQuery::all(), &[first.clone(), audit(&other, 3, &[])]));
    assert!(page.contains("each of which is kept here."));
    // What the second tells of is not in the first.
    let page = write(&two().account(&TransferQuery::all(), &[first, audit(&other, 3, &[("transfer.refused", 1)])]));
    assert!(page.contains("Transfers that were refused: the ledger tells of 1, this vault keeps 0."));
}

#[test]
fn each_of_several_answers_to_a_request_has_its_entry() {
    let mut books = books();
    let request = books.kept.deletions[0].request.clone();
    books.kept.deletions[0].answer_entries.clear();
    let done = books.now;
    for result in [DeletionResult::Partly, DeletionResult::Deleted] {
        books.answer(0x21, &request, done, result);
    }
    let mut kinds = ALL;
    kinds[7].1 = 2;
    let page = write(&books.account(&TransferQuery::all(), &[audit(&log(), 20, &kinds)]));
    assert!(page.contains("each of which is kept here.") && page.contains("all deleted, 24 Nov 2026"));
    for entry in ["answered in entry 13 <code>00000013.json</code>", "answered in entry 14 <code>00000014.json</code>"]
    {
        assert!(page.contains(entry), "{entry}");
    }
}
