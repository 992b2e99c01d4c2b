use std::cell::Cell;
use std::io;

use super::*;
use crate::error::{Error, Result};
use crate::html::{Check, checker};
use crate::time::Timestamp;

const HOSTILE: &str = "\u{202e}</bdi></dd><script src=\"//x\">'&\0\u{2066}<style>*{}</style>";
const DAY: i64 = 86_400_000;

fn heading<'a>() -> Heading<'a> {
    Heading {
        tenant: "A tenant",
        tenant_id: "018d6f3a-0c4e-7d11-8f3a-2b9c4d5e6f70",
        origin: "sigsum.org/v1/tree/00",
        key: "sigsum.org/v1/tree/00+01+02",
        size: 3,
        root: "00ff",
        signed: None,
        exported: Timestamp::from_unix_ms(1_710_605_360_701),
        from: None,
        until: None,
        pinned: None,
        findings: &[],
        limits: &[],
        checks: &[],
    }
}

fn act(kind: &str) -> Act {
    Act {
        kind: kind.to_owned(),
        actor: "an actor".to_owned(),
        basis: None,
        purpose: None,
        records: Some(3),
        refers: None,
        details: Vec::new(),
    }
}

fn item(seq: u64, ms: i64, said: Said) -> Item {
    Item { seq, time: Some(Timestamp::from_unix_ms(ms)), receipt: format!("{seq:08}.tlog-proof"), said }
}

fn page(heading: &Heading<'_>, items: Vec<Item>) -> String {
    let mut tally = Tally::default();
    items.iter().for_each(|item| tally.add(item));
    let mut out = Vec::new();
    write(heading, &tally, items.into_iter().map(Ok), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    checker::check(&text);
    text
}

#[test]
fn an_entry_says_what_by_whom_when_and_which_file_proves_it() {
    let mut read = act("session.closed");
    (read.basis, read.purpose, read.refers) = (Some("a contract".into()), Some("a review".into()), Some(7));
    let text = page(&heading(), vec![item(7, 0, Said::Act(act("session.opened"))), item(8, 1000, Said::Act(read))]);
    for expected in [
        "<h3 id=\"m1970-01\">January 1970</h3>",
        "<h4>Thursday, 1 January 1970</h4>",
        "<time datetime=\"1970-01-01T00:00:01.000Z\">00:00:01</time>",
        "A reading session ended; 3 interactions were read in it.",
        "<dt>By</dt><dd><bdi>an actor</bdi></dd>",
        "<dt>Basis</dt><dd><bdi>a contract</bdi></dd>",
        "<dt>Purpose</dt><dd><bdi>a review</bdi></dd>",
        "<a href=\"#e7\">entry 7</a>",
        "<code><bdi>00000008.tlog-proof</bdi></code>",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
}

#[test]
fn nothing_that_others_wrote_becomes_markup_or_moves_its_neighbours() {
    let texts = [HOSTILE.to_owned()];
    let hostile = Heading {
        tenant: HOSTILE,
        tenant_id: HOSTILE,
        origin: HOSTILE,
        key: HOSTILE,
        root: HOSTILE,
        findings: &texts,
        limits: &texts,
        checks: &[Check { shows: HOSTILE, command: HOSTILE }],
        ..heading()
    };
    let mut entry = act(HOSTILE);
    entry.actor = HOSTILE.into();
    (entry.basis, entry.purpose) = (Some(HOSTILE.into()), Some(HOSTILE.into()));
    entry.details = vec![(HOSTILE.into(), HOSTILE.into())];
    let text = page(&hostile, vec![Item { receipt: HOSTILE.into(), ..item(0, 0, Said::Act(entry)) }]);
    assert!(!text.contains("<script") && text.matches("<style>").count() == 1);
    assert!(!text.contains(['\u{202e}', '\u{2066}', '\0']));
    assert!(text.matches("U+202E").count() >= 14);
}

#[test]
fn a_word_without_end_and_no_word_are_both_shown() {
    let mut entry = act("ingested");
    (entry.actor, entry.purpose) = (String::new(), Some("x".repeat(100_000)));
    let text = page(&heading(), vec![item(0, 0, Said::Act(entry))]);
    assert!(text.contains("<dt>By</dt><dd><span class=\"code\">empty</span></dd>"));
    assert!(text.contains(&"x".repeat(100_000)));
}

#[test]
fn entries_that_cannot_be_read_say_so_and_are_counted() {
    let timeless = |seq, said| Item { time: None, ..item(seq, 0, said) };
    let text = page(
        &heading(),
        vec![timeless(0, Said::Shredded), item(1, DAY, Said::Act(act("erased"))), timeless(2, Said::Unreadable)],
    );
    assert!(text.contains("<h3>Time not known</h3>") && text.contains("it does not open, or is not what was written"));
    assert!(text.contains("The text of 2 entries cannot be read"));
    assert!(text.contains("Not in the chart: 2 entries whose time cannot be read."));
}

#[test]
fn a_gap_a_repetition_and_a_clock_that_went_back_are_pointed_out() {
    let at = |seq, ms| item(seq, ms, Said::Act(act("ingested")));
    let text =
        page(&heading(), vec![at(0, 40 * DAY), at(2, 40 * DAY), at(9, 0), at(9, 41 * DAY), at(10, 41 * DAY - 1)]);
    for expected in [
        "Entry 1 is not on this page.",
        "Entries 3 to 8 are not on this page.",
        "The next entry is out of order.",
        "<h3>February 1970, again</h3>",
    ] {
        assert_eq!(text.matches(expected).count(), 1, "{expected}");
    }
    assert_eq!(text.matches("its clock says earlier").count(), 1);
}

#[test]
fn a_kind_of_tomorrow_is_shown_by_its_name() {
    let text = page(&heading(), vec![item(0, 0, Said::Act(act("teleported")))]);
    assert!(text.contains("a kind that this program does not know: <bdi>teleported</bdi>"));
}

#[test]
fn an_audit_with_findings_is_never_called_verified() {
    let findings = ["Entry 31 was rewritten.".to_owned(), "Entry 40 is missing.".to_owned()];
    for findings in [&findings[..1], &findings] {
        let text = page(&Heading { findings, pinned: Some(40), ..heading() }, Vec::new());
        assert!(text.contains("Not verified") && findings.iter().all(|finding| text.contains(finding)));
        assert!(
            !text.contains(">Verified<") && !text.contains("proved.") && !text.contains("continues the checkpoint")
        );
    }
    let text = page(&heading(), Vec::new());
    assert!(text.contains(">Verified<") && text.contains("compared with no earlier checkpoint"));
}

#[test]
fn an_empty_ledger_and_an_empty_period_have_pages() {
    let text = page(&Heading { size: 0, ..heading() }, Vec::new());
    assert!(text.contains("The ledger is empty") && text.contains("There are no entries in this period."));
    let from = Some(Timestamp::from_unix_ms(0));
    assert!(page(&Heading { from, ..heading() }, Vec::new()).contains("Entries since 1 January 1970."));
}

/// Counts what it is given, keeps none of it, and is full at some point.
struct Counter<'a> {
    bytes: &'a Cell<u64>,
    most: u64,
}

impl io::Write for Counter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.get() >= self.most {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.set(self.bytes.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn entries_are_written_as_they_come() {
    let bytes = Cell::new(0);
    let items = (0..10_000).map(|seq| {
        // A receipt's name alone has 19 bytes.
        assert!(bytes.get() + 128 * 1024 > seq * 19, "entry {seq} came while those before it were held back");
        Ok(item(seq, 0, Said::Act(act("ingested"))))
    });
    write(&heading(), &Tally::default(), items, &mut Counter { bytes: &bytes, most: u64::MAX }).unwrap();
}

#[test]
fn a_failing_item_and_a_full_disk_end_it_with_their_errors() {
    let unreadable = || Error::from_io(io::ErrorKind::NotFound.into(), "reading an entry");
    let items: [Result<Item>; 1] = [Err(unreadable())];
    let failed = write(&heading(), &Tally::default(), items, &mut Vec::new()).unwrap_err();
    assert_eq!(format!("{failed:?}"), format!("{:?}", unreadable()));
    for most in [0, 70_000] {
        let items = (0..1_000).map(|seq| Ok(item(seq, 0, Said::Act(act("ingested")))));
        assert!(write(&heading(), &Tally::default(), items, &mut Counter { bytes: &Cell::new(0), most }).is_err());
    }
}
