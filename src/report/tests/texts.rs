use super::*;
use crate::record::Identifier;

/// What no document keeps out: markup, letters that are read from the right, joiners, and no space at all.
const NAME: &str = "</bdi><script src=\"//x\">'&חברה\u{200d}\u{200f}<style>*{}</style>";

#[test]
fn nothing_that_others_wrote_becomes_markup_or_moves_its_neighbours() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    books.kept.tenant = format!("{NAME}\u{202e}\0");
    let (key, mut terms) = books.terms(NAME, time("2026-06-01T00:00:00Z"));
    let country = Country::new("DE").unwrap();
    terms.recipient = RecipientCard::new(NAME, RecipientClass::ServiceProvider, &key, NAME, country).unwrap();
    terms.profile.certifications = [NAME.to_owned()].into();
    let hostile = books.agree(&key, terms.purpose(NAME).queue(NAME));
    let at = time("2026-10-01T08:00:00Z");
    // Of purposes and reasons a ledger keeps out controls alone.
    books.send(&hostile, at, 5).purpose = format!("{NAME}\u{202e}\u{2066}");
    books.send(&hostile, after(at, HOUR), 5);
    books.fail(&format!("{NAME}\u{202e}"));
    books.refuse(hostile.id(), after(at, 2 * HOUR), &format!("{NAME}\u{2028}"));
    books.revoke(&hostile, "2026-11-01T00:00:00Z", &format!("{NAME}\u{202e}"));
    books.kept.restrictions = vec![Some(NAME.to_owned())];
    let mut required = profile();
    required.certifications = ["ISO <27001>".to_owned()].into();
    books.require(required);
    let page = books.page();
    assert!(!page.contains("<script") && page.matches("<style>").count() == 1);
    assert!(!page.contains(['\u{202e}', '\u{2066}', '\u{2028}', '\u{200f}', '\0']));
    assert!(page.matches("&lt;script src=&quot;//x&quot;&gt;").count() >= 15);
    assert!(page.matches("U+202E").count() >= 5);
    assert!(page.contains("ISO &lt;27001&gt;"));
}

#[test]
fn a_name_without_an_end_is_whole_once_and_short_where_there_is_no_room() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let name = "ü".repeat(128);
    let long = books.party(&name, "2026-06-01T00:00:00Z");
    books.send(&long, time("2026-10-01T08:00:00Z"), 5);
    let page = books.page();
    // With the sums, with its agreement, and in the list.
    assert_eq!(page.matches(&name).count(), 3);
    // In the legend, in the chart's table, in the picture, with the receipt that is open, with what is past its time.
    assert_eq!(page.matches(&format!("{}…", "ü".repeat(39))).count(), 5);
}

#[test]
fn people_are_counted_and_never_named() {
    let mut books = Books::with_policy("2026-11-24T12:00:00Z");
    let (key, terms) = books.terms("Quality GmbH", time("2026-06-01T00:00:00Z"));
    let people = ["+15722568385", "+15722568386"].map(|number| Identifier::tel(number).unwrap());
    let one = books.agree(&key, terms.clone().subject(people[0].clone()));
    let two = people.iter().fold(terms.queue("billing"), |terms, who| terms.subject(who.clone()));
    books.agree(&key, two);
    books.kept.restrictions = vec![None, Some(QUALITY.to_owned()), None, None];
    let at = time("2026-11-01T08:00:00Z");
    books.send(&one, at, 5).left_out = (2, 1);
    // The request's reason and the answer's note name somebody.
    let request = books.ask(&one, after(at, DAY), after(at, 5 * DAY));
    books.answer(0x21, &request, after(at, 2 * DAY), DeletionResult::Refused);
    let page = books.page();
    for expected in [
        "audio, transcript of records that name one certain person<",
        "records of the queues <bdi>billing</bdi>, that name any of 2 people<",
        "3 requests, for every purpose",
        "1 request, for <bdi>quality assurance</bdi> alone",
        "1 record was left out of what was sent because somebody in it had asked.",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    for named in ["572256838", "0404-0404", "has a hold"] {
        assert!(!page.contains(named), "{named}");
    }
}
