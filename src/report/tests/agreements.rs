use super::*;
use crate::agreement::{AccessControl, KeyCustody, Logging, SubProcessors};

const NOW: &str = "2026-11-24T12:00:00Z";

/// A page with one agreement from `from` until `until`, both counted in milliseconds from now.
fn standing(from: i64, until: i64, change: impl FnOnce(&mut Books, &Agreement)) -> String {
    let mut books = Books::with_policy(NOW);
    let (key, mut terms) = books.terms("Quality GmbH", after(time(NOW), from));
    terms.valid_until = after(time(NOW), until);
    let agreement = books.agree(&key, terms);
    change(&mut books, &agreement);
    books.page()
}

#[test]
fn an_agreement_is_told_by_how_it_stands() {
    let year = 365 * DAY;
    let untouched = |_: &mut Books, _: &Agreement| {};
    for (from, until, class, told, attention) in [
        (-DAY, year, "good", "In force until 24 November 2027", false),
        (-DAY, 30 * DAY + 1, "good", "In force until 24 December 2026", false),
        (-DAY, 30 * DAY, "odd", "In force, ends on 24 December 2026, in 30 days", true),
        (-DAY, 29 * DAY + 1, "odd", "In force, ends on 23 December 2026, in 30 days", true),
        (-DAY, 1, "odd", "In force, ends on 24 November 2026, within a day", true),
        (-DAY, 0, "past", "Ended on 24 November 2026", false),
        (0, year, "good", "In force until 24 November 2027", false),
        (1, year, "past", "Not in force before 24 November 2026", false),
    ] {
        let page = standing(from, until, untouched);
        assert!(page.contains(&format!("<p class=\"state {class}\">{told}</p>")), "{told}");
        assert_eq!(page.contains("1 agreement ends within 30 days: <bdi>Quality GmbH</bdi>. "), attention, "{told}");
    }
    let revoked = standing(-DAY, 10 * DAY, |books, agreement| {
        books.revoke(agreement, "2026-11-20T00:00:00Z", "they had a breach");
    });
    for expected in [
        "<p class=\"state past\">Revoked by the tenant on 20 November 2026</p>",
        "Reason: <bdi>they had a breach</bdi>",
        "; revoked, entry 5 <code>00000005.json</code>",
        ">Nothing needs attention<",
    ] {
        assert!(revoked.contains(expected), "{expected}");
    }
}

#[test]
fn an_agreement_that_the_tenant_would_not_sign_today_is_pointed_out_with_every_reason() {
    let page = standing(-DAY, 100 * DAY, |books, _| {
        books.require(ProtectionProfile { at_rest: AtRest::Record, breach_notice_hours: Some(1), ..profile() });
    });
    for expected in [
        "Under 1 agreement nothing can be sent: the tenant requires more: <bdi>Quality GmbH</bdi>. ",
        "<p class=\"state bad\">Nothing can be sent under it: the tenant requires more</p>",
        "<li><bdi>encryption at rest: at least record is required, application is offered</bdi></li>",
        "<li><bdi>notice of a breach: within 1 hour is required, within 24 hours is offered</bdi></li>",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let page = standing(-DAY, 100 * DAY, |books, _| books.kept.policy = None);
    assert!(page.contains("<p class=\"state bad\">") && page.contains("The tenant has not said what it requires."));
}

#[test]
fn the_most_pressing_agreement_stands_first() {
    let mut books = Books::with_policy(NOW);
    for (name, from, until) in
        [("Past", -100, -1), ("Later", 1, 100), ("Long", -1, 200), ("Short", -1, 100), ("Soon", -1, 3)]
    {
        let (key, mut terms) = books.terms(name, after(time(NOW), from * DAY));
        terms.valid_until = after(time(NOW), until * DAY);
        books.agree(&key, terms);
    }
    let page = books.page();
    let places = ["Soon", "Short", "Long", "Later", "Past"].map(|name| page.find(&format!("<h3><bdi>{name}")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_transfer_names_the_revision_that_it_was_under_and_the_page_tells_of_the_newest() {
    let mut books = Books::with_policy(NOW);
    let (key, terms) = books.terms("Quality GmbH", time("2026-06-01T00:00:00Z"));
    let first = books.agree(&key, terms.clone());
    books.send(&first, time("2026-11-23T08:00:00Z"), 5);
    let mut longer = terms.retention_days(60);
    longer.valid_from = time("2026-11-23T09:00:00Z");
    let second = books.sign(first.revise(longer).unwrap(), &key);
    books.send(&second, time("2026-11-23T10:00:00Z"), 6);
    let page = books.page();
    for expected in [
        "the agreement, revision 1</a>",
        "the agreement, revision 2</a>",
        "kept for 60 days, signed for within 48 hours, passed on to nobody",
        "revision 2 since 23 November 2026, entry 7 <code>00000007.json</code>",
        "<dt>Sent so far</dt><dd>11 records in 2 transfers</dd>",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert_eq!(page.matches("<section class=\"contract\"").count(), 1);
}

#[test]
fn what_falls_short_is_marked_in_its_row_and_nothing_else_is() {
    let weakest = ProtectionProfile::weakest;
    let country = || Some([Country::new("DE").unwrap()].into());
    for (required, row) in [
        (ProtectionProfile { at_rest: AtRest::Disk, ..weakest() }, "Encryption of what is stored"),
        (ProtectionProfile { in_transit: InTransit::Tls12, ..weakest() }, "Encryption of what is sent"),
        (ProtectionProfile { key_custody: KeyCustody::CustomerHeld, ..weakest() }, "Who holds the keys"),
        (ProtectionProfile { access_control: AccessControl::MultiFactor, ..weakest() }, "What lets a person in"),
        (ProtectionProfile { logging: Logging::TamperEvident, ..weakest() }, "What is logged of access"),
        (ProtectionProfile { breach_notice_hours: Some(24), ..weakest() }, "Notice of a breach"),
        (ProtectionProfile { residency: country(), ..weakest() }, "Where data are"),
        (ProtectionProfile { deletion_days: Some(3), ..weakest() }, "Deletion on request"),
        (ProtectionProfile { sub_processors: SubProcessors::None, ..weakest() }, "Whom else it may employ"),
        (ProtectionProfile { certifications: ["ISO".to_owned()].into(), ..weakest() }, "Certifications"),
    ] {
        let mut books = Books::new(NOW);
        books.require(required);
        let (key, mut terms) = books.terms("Quality GmbH", time("2026-06-01T00:00:00Z"));
        terms.profile = weakest();
        books.agree(&key, terms);
        let page = books.page();
        assert_eq!(page.matches(">falls short</b>").count(), 1, "{row}");
        let (before, _) = page.split_once(">falls short</b>").unwrap();
        let (_, name) = before.rsplit_once("<th scope=\"row\">").unwrap();
        assert!(name.starts_with(&format!("{row}</th>")), "{row}: {name}");
    }
}

#[test]
fn what_may_be_kept_no_more_is_told_until_the_recipient_says_that_it_is_gone() {
    let at = time("2026-10-01T08:00:00Z");
    let books = |now: i64| {
        let mut books = Books::with_policy(&after(at, now).to_string());
        let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
        books.send(&quality, at, 5);
        books.receipt();
        (books, quality)
    };
    let before = books(30 * DAY - 1).0.page();
    assert!(before.contains("<dt>May be kept until</dt><dd>31 October 2026</dd>"));
    assert!(before.contains("No recipient has anything whose time has passed. The next passes on 31 October 2026."));

    let past = books(30 * DAY).0.page();
    for expected in [
        "<dt>Had to be deleted by</dt><dd>31 October 2026</dd>",
        "The time to keep what 1 transfer brought has passed, and no deletion is on record. ",
        "<bdi>Quality GmbH</bdi></th><td>1</td><td>5</td><td class=\"text\">31 Oct 2026</td>",
        // Nothing that anybody has to do.
        ">Nothing needs attention<",
    ] {
        assert!(past.contains(expected), "{expected}");
    }

    let (due, year) = (after(at, 50 * DAY), after(at, 365 * DAY));
    let answered = |result: Option<DeletionResult>, due: Timestamp| {
        let (mut books, quality) = books(60 * DAY);
        let request = books.ask(&quality, after(at, 40 * DAY), due);
        if let Some(result) = result {
            books.answer(0x21, &request, after(at, 45 * DAY), result);
        }
        books.page()
    };
    let gone = answered(Some(DeletionResult::Deleted), due);
    for expected in
        ["<dt>Deleted</dt><dd>as the recipient signed</dd>", "all deleted, 15 Nov 2026", ">Nothing needs attention<"]
    {
        assert!(gone.contains(expected), "{expected}");
    }
    assert!(!gone.contains("no deletion is on record"));
    for (result, due, said, attention) in [
        (
            Some(DeletionResult::Partly),
            due,
            ">partly</b> deleted, 15 Nov 2026",
            "1 request to delete was answered that",
        ),
        (
            Some(DeletionResult::Refused),
            due,
            ">refused</b>, 15 Nov 2026",
            "1 request to delete was answered that not all",
        ),
        (
            None,
            due,
            "<b class=\"late\">overdue</b></td>",
            "1 request to delete is unanswered and overdue: <bdi>Quality",
        ),
        (None, year, "<td class=\"text\">open</td>", ">Nothing needs attention<"),
    ] {
        let page = answered(result, due);
        assert!(page.contains(said) && page.contains(attention), "{result:?}: {said}");
        assert!(page.contains("<dt>Had to be deleted by</dt>") && page.contains("no deletion is on record"));
        assert!(page.contains("<bdi>Quality GmbH</bdi></td><td>5</td>"), "five records were asked for");
    }
}

#[test]
fn what_was_refused_and_deleted_later_needs_no_attention() {
    let at = time("2026-10-01T08:00:00Z");
    let page = |second: Option<DeletionResult>| {
        let mut books = Books::with_policy(&after(at, 60 * DAY).to_string());
        let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
        books.send(&quality, at, 5);
        books.receipt();
        let refused = books.ask(&quality, after(at, DAY), after(at, 10 * DAY));
        books.answer(0x21, &refused, after(at, 2 * DAY), DeletionResult::Refused);
        books.ask(&quality, after(at, 3 * DAY), after(at, 11 * DAY));
        if let Some(result) = second {
            let request = books.ask(&quality, after(at, 4 * DAY), after(at, 12 * DAY));
            books.answer(0x21, &request, after(at, 5 * DAY), result);
        }
        books.page()
    };
    let gone = page(Some(DeletionResult::Deleted));
    assert!(gone.contains(">Nothing needs attention<") && gone.contains("; all deleted, as another answer says"));
    assert!(gone.contains("<td class=\"text\">deleted, as another answer says</td>"));
    for open in [None, Some(DeletionResult::Partly)] {
        let open = page(open);
        assert!(open.contains(">2 things need attention<") && !open.contains("as another answer says"));
    }
}
