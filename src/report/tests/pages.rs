use std::io;

use super::*;
use crate::error::ErrorKind;

/// The number above a name at the head of a page.
fn fact(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("<dt>{name}</dt><dd>")).unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

fn facts(page: &str) -> [String; 4] {
    ["Records sent", "Recipients", "Receipts open", "Left out on request"].map(|name| fact(page, name))
}

fn has(page: &str, expected: &[&str]) {
    for expected in expected {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn a_page_of_nothing_says_so_in_every_section() {
    let page = Books::new("2026-11-24T12:00:00Z").page();
    has(
        &page,
        &[
            ">Nothing needs attention<",
            "Nothing went to anybody.",
            "There are no transferred records.",
            "Nothing was sent, so nobody has to sign for anything.",
            "No transfer was refused, failed or was lost sight of.",
            "There is no agreement with anybody.",
            "Until it does, nothing can be sent to anybody.",
            "No recipient has anything whose time has passed.",
            "No recipient was asked to delete anything.",
            "At present nobody&#39;s request is in force.",
            "Nothing was sent, and nothing was refused.",
            "All transfers. Written on 24 November 2026 at 12:00:00 UTC.",
        ],
    );
    assert_eq!(facts(&page), ["0", "0", "0", "0"]);
    assert!(!page.contains("<table") && !page.contains("<svg"));
}

/// One transfer in each state: received, awaited, overdue, under way, failed, lost sight of, lost but received, refused.
fn one_of_each() -> Books {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
    let at = time("2026-11-01T08:00:00Z");
    books.send(&quality, at, 1_200).left_out = (7, 2);
    books.receipt();
    books.send(&quality, time("2026-11-23T08:00:00Z"), 1);
    books.send(&quality, after(at, DAY), 20).left_out = (3, 0);
    books.send(&quality, after(at, 2 * DAY), 300).outcome = TransferOutcome::Running;
    books.send(&quality, after(at, 3 * DAY), 4_000);
    books.fail("writing a package");
    books.send(&quality, after(at, 4 * DAY), 50_000);
    books.lose();
    books.send(&quality, after(at, 5 * DAY), 6);
    books.lose();
    books.receipt();
    books.refuse(quality.id(), after(at, 6 * DAY), "the agreement does not name the purpose");
    books.refuse([0xee; 16], after(at, 7 * DAY), "there is no such agreement");
    books
}

#[test]
fn each_transfer_is_told_by_what_became_of_it() {
    let page = one_of_each().page();
    let quality = "<bdi>Quality GmbH</bdi>";
    for (class, told) in [
        ("s3", format!("1,200 records went to {quality}, which signed for it.")),
        ("s1", format!("1 record went to {quality}.")),
        ("s2 grave rare", format!("20 records went to {quality}. The delivery receipt is overdue.")),
        ("s0", format!("300 records are on their way to {quality}.")),
        (
            "s5 grave alarm rare",
            format!("Sending 4,000 records to {quality} failed. Part of it may have been given out."),
        ),
        (
            "s7 grave alarm rare",
            format!(
                "50,000 records were being sent to {quality} when the program stopped. Nobody knows how much was \
                 given out."
            ),
        ),
        (
            "s3",
            format!("6 records went to {quality}, though the transfer was not completed: the recipient signed for it."),
        ),
        ("s6", format!("A transfer to {quality} was refused. Nothing left the vault.")),
        ("s6", "A transfer to a third party was refused. Nothing left the vault.".to_owned()),
    ] {
        let entry = page.split("<li class=\"entry ").find(|entry| entry.contains(&told));
        assert!(entry.unwrap_or_else(|| panic!("{told}")).starts_with(&format!("{class}\"")), "{told}");
    }
    has(
        &page,
        &[
            "<dt>Purpose</dt><dd><bdi>quality assurance</bdi></dd>",
            "<dt>Reason</dt><dd><bdi>the agreement does not name the purpose</bdi></dd>",
            "<dt>Completed</dt><dd>entry 6</dd>",
            "<dt>Delivery receipt</dt><dd>1 November 2026, entry 7</dd>",
            "<dt>Delivery receipt</dt><dd>due by 25 November 2026</dd>",
            "<dt>Delivery receipt</dt><dd>was due on 4 November 2026</dd>",
            "<dt>Left out</dt><dd>7 records, 2 on request</dd>",
            "<dt>Left out</dt><dd>3 records</dd>",
            "<dt>May be kept until</dt><dd>1 December 2026</dd>",
            ">Entry 5</a><code><bdi>00000005.json</bdi></code>",
            "the agreement, revision 1</a>",
        ],
    );
}

#[test]
fn only_what_arrived_is_counted_as_sent() {
    let page = one_of_each().page();
    // The overdue ones are that, the one that was lost sight of, and no more: of one that failed none is due.
    assert_eq!(facts(&page), ["1,227", "1", "3", "2"]);
    has(
        &page,
        &[
            ">3 things need attention<",
            "1 transfer has an outcome that nobody knows. ",
            "1 transfer failed and was not made again. ",
            "2 delivery receipts are overdue, the oldest since 4 November 2026. ",
            "<td>4</td><td>1,227</td><td>2</td><td class=\"late\">3, 2 overdue</td>",
            "3 transfers have not been signed for: 2 are overdue. 50,021 records in all went out without a signature.",
            "<title>November 2026: Quality GmbH 1,227</title>",
            "<title>November 2026: Not completed 54,300</title>",
            "<bdi>the agreement does not name the purpose</bdi></td><td>1</td>",
            "<bdi>there is no such agreement</bdi></td><td>1</td>",
            "the program stopped before it could say</td><td>1</td>",
            "<bdi>writing a package</bdi></td><td>1</td>",
        ],
    );
}

#[test]
fn a_receipt_is_open_until_it_is_due_and_overdue_from_then_on() {
    let at = time("2026-11-01T08:00:00Z");
    for (now, word) in [(48 * HOUR - 1, "due by"), (48 * HOUR, "was due on")] {
        let mut books = Books::with_policy(&after(at, now).to_string());
        let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
        books.send(&quality, at, 3);
        let page = books.page();
        has(&page, &[&format!("<dt>Delivery receipt</dt><dd>{word} 3 November 2026</dd>")]);
        assert_eq!(page.contains(">1 thing needs attention<"), now == 48 * HOUR);
        assert_eq!(page.contains("1 overdue</td>"), now == 48 * HOUR);
    }
}

#[test]
fn what_was_sent_again_and_arrived_needs_no_attention() {
    for last in [true, false] {
        let mut books = Books::with_policy("2026-11-02T12:00:00Z");
        let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
        let at = time("2026-11-01T08:00:00Z");
        books.send(&quality, at, 3);
        let first = books.fail("writing a package");
        books.send(&quality, after(at, HOUR), 3).again = Some(first);
        let second = books.fail("writing a package");
        books.send(&quality, after(at, 2 * HOUR), 3).again = Some(second);
        if !last {
            books.fail("writing a package");
        }
        let page = books.page();
        has(
            &page,
            &[
                &format!("<dt>Sent again</dt><dd><a href=\"#t{second}\">this transfer</a></dd>"),
                &format!("<dt>Repeats</dt><dd><a href=\"#t{first}\">this transfer</a></dd>"),
            ],
        );
        assert_eq!(page.contains(">Nothing needs attention<"), last);
        assert_eq!(page.contains("3 transfers failed and were not made again"), !last);
        assert_eq!(fact(&page, "Records sent"), if last { "3" } else { "0" });
    }
}

#[test]
fn of_several_attempts_at_the_same_one_that_arrives_makes_all_good() {
    let mut books = Books::with_policy("2026-11-02T12:00:00Z");
    let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
    let at = time("2026-11-01T08:00:00Z");
    books.send(&quality, at, 3);
    let first = books.fail("writing a package");
    books.send(&quality, after(at, HOUR), 3).again = Some(first);
    books.lose();
    books.send(&quality, after(at, 2 * HOUR), 3).again = Some(first);
    let page = books.page();
    assert!(page.contains(">Nothing needs attention<"));
    // Nobody took up the second.
    assert_eq!((page.matches("<dt>Repeats</dt>").count(), page.matches("<dt>Sent again</dt>").count()), (2, 1));
}

#[test]
fn each_recipient_has_its_sums_by_purpose_and_the_largest_stands_first() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let small = books.party("Small Ltd", "2026-06-01T00:00:00Z");
    let large = books.party("Large AG", "2026-06-01T00:00:00Z");
    let at = time("2026-11-23T08:00:00Z");
    for (agreement, records, purpose) in [(&small, 5, QUALITY), (&large, 700, QUALITY), (&large, 90, "training")] {
        books.send(agreement, at, records).purpose = purpose.to_owned();
        books.receipt();
    }
    let page = books.page();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    let (large, small) = (
        place("<bdi>Large AG</bdi> <small>Service provider, DE</small></th><td>2</td><td>790</td>"),
        place(
            "<bdi>Small Ltd</bdi> <small>Service provider, DE</small><small> for <bdi>quality assurance</bdi></small>",
        ),
    );
    assert!(large < small);
    has(
        &page,
        &[
            "class=\"sub\"><bdi>quality assurance</bdi></th><td>1</td><td>700</td>",
            "class=\"sub\"><bdi>training</bdi></th><td>1</td><td>90</td>",
            "For everything that was sent the recipient has signed.",
            "<th scope=\"row\">All</th><td>3</td><td>795</td>",
        ],
    );
}

#[test]
fn two_recipients_of_one_name_are_told_apart_by_their_keys() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let twins = [1, 2].map(|_| books.party("Quality GmbH", "2026-06-01T00:00:00Z"));
    for twin in &twins {
        books.send(twin, time("2026-11-23T08:00:00Z"), 5);
    }
    let page = books.page();
    for twin in &twins {
        let key = format!("key {}…", &twin.recipient().key().to_string()[..16]);
        // With the sums, in the chart's legend, and with the receipt that is open.
        assert_eq!(page.matches(&key).count(), 3, "{key}");
    }
    assert_eq!(fact(&page, "Recipients"), "2");
}

#[test]
fn what_is_kept_without_its_agreement_is_told_by_the_recipients_name() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
    books.send(&quality, time("2026-11-23T08:00:00Z"), 5);
    books.kept.agreed.clear();
    let page = books.page();
    has(&page, &["<bdi>Quality GmbH</bdi> <small>Its agreement is not kept</small>", "5 records went to"]);
    assert!(!page.contains("<dt>Under</dt>"));
}

#[test]
fn a_chart_of_many_recipients_has_eight_series_and_every_record() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    for n in 1..=12 {
        let party = books.party(&format!("Recipient {n}"), "2026-06-01T00:00:00Z");
        books.send(&party, time("2026-11-20T08:00:00Z"), n);
        books.send(&party, time("2026-10-20T08:00:00Z"), 100 * n);
        if n == 1 {
            books.fail("writing a package");
        }
    }
    let page = books.page();
    assert_eq!(page.matches("<svg class=\"swatch\"").count(), 8);
    let recipients: u64 = (1..=12).map(|n| 101 * n).sum::<u64>() - 100;
    has(
        &page,
        &[
            "<bdi>6 other recipients</bdi> 2,021</b>",
            "<bdi>Not completed</bdi> 100</b>",
            "<bdi>Recipient 12</bdi> 1,212</b>",
            &format!("<td>{}</td></tr>", crate::html::Grouped::from(recipients + 100)),
        ],
    );
    assert_eq!(fact(&page, "Records sent"), crate::html::Grouped::from(recipients).to_string());
}

#[test]
fn long_lists_say_how_much_is_elsewhere() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
    for n in 0..70 {
        books.send(&quality, after(time("2026-10-01T08:00:00Z"), n * HOUR), 5);
        books.refuse(quality.id(), after(time("2026-10-01T08:30:00Z"), n * HOUR), &format!("reason {n:02}"));
    }
    let page = books.page();
    has(&page, &["20 more are marked in the list of every transfer", "20 rarer reasons are in the list"]);
    assert_eq!(page.matches("<th scope=\"row\">Refused</th>").count(), 50);
    assert_eq!(page.matches("class=\"date\"").count(), 50);
    assert_eq!(page.matches("<li class=\"entry ").count(), 140);
}

#[test]
fn a_page_of_some_transfers_has_their_agreements_and_does_not_repeat_what_was_asked_for() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let (quality, other) =
        (books.party("Quality GmbH", "2026-06-01T00:00:00Z"), books.party("Other AG", "2026-06-01T00:00:00Z"));
    books.send(&quality, time("2026-11-23T08:00:00Z"), 5);
    let who = crate::record::Identifier::tel("+15722568385").unwrap();
    let period = time("2026-07-01T00:00:00Z")..time("2026-12-01T00:00:00Z");
    let query = TransferQuery::all().subject(who).recipient(quality.recipient().recipient().to_string()).period(period);
    let page = write(&books.account(&query, &[]));
    has(
        &page,
        &["Transfers to one recipient that held records of one person, 1 July 2026 to 30 November 2026. Written"],
    );
    assert!(!page.contains("572256838") && !page.contains(&quality.recipient().recipient().to_string()));
    assert!(page.contains(&format!("id=\"a{}\"", crate::id::hex(&quality.id()))));
    assert!(!page.contains(&crate::id::hex(&other.id())) && !page.contains("transfer.authorised"));
}

#[test]
fn with_several_ledgers_an_entry_says_whose_it_is() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let quality = books.party("Quality GmbH", "2026-06-01T00:00:00Z");
    books.send(&quality, time("2026-11-23T08:00:00Z"), 5);
    let second = identity(0x15).public_key();
    books.kept.logs.push((2, second));
    books.log = second;
    books.next = 4;
    books.send(&quality, time("2026-11-23T09:00:00Z"), 6);
    let page = books.page();
    has(
        &page,
        &[
            ">Entry 5 of ledger 1</a>",
            ">Entry 5 of ledger 2</a>",
            "<dt>Completed</dt><dd>entry 6 of ledger 2</dd>",
            "<dt>Ledger 2&#39;s key</dt>",
            &format!("<dt>Ledger 2</dt><dd><bdi>{}</bdi></dd>", origin_of(&second)),
        ],
    );
}

/// Is full at some point.
struct Full(usize);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_it_with_its_error() {
    let mut books = one_of_each();
    let quality = books.kept.agreed[0][0].agreement.clone();
    for n in 0..1_000 {
        books.send(&quality, after(time("2026-07-01T08:00:00Z"), n * HOUR), 5);
    }
    let account = books.account(&TransferQuery::all(), &[]);
    let whole = write(&account).len();
    for most in [0, 50_000, 200_000, whole - 1] {
        assert_eq!(account.write(&mut Full(most)).unwrap_err().kind(), ErrorKind::Full, "{most}");
    }
    account.write(&mut Full(whole)).unwrap();
}
