use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::process::Command;

use serde_json::{Value, json};

use super::*;
use crate::agreement::Country;
use crate::disclose::tests::{Past, status};
use crate::error::ErrorKind;
use crate::html::checker;
use crate::id::{OrderId, TenantId};
use crate::order::{LegalBasis, ReviewOutcome};
use crate::time::Timestamp;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const SCHEMA: &str = include_str!("../../docs/transparency.schema.json");

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn after(time: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(time.unix_ms() + ms)
}

/// An order of that number and tenant, served then, due ten days later.
fn order(n: u8, tenant: u8, basis: LegalBasis, received: &str) -> OrderRecord {
    let (order, tenant) = (OrderId::from_bytes([n; 16]), TenantId::from_bytes([tenant; 16]));
    OrderRecord::new(order, tenant, basis, time(received), after(time(received), 10 * DAY))
}

fn answered(mut order: OrderRecord, days: f64, outcome: OrderOutcome, records: u64) -> OrderRecord {
    order.answered = Some(after(order.received, (days * DAY as f64) as i64));
    (order.outcome, order.records) = (outcome, records);
    order
}

fn from(mut order: OrderRecord, country: &str) -> OrderRecord {
    order.country = Some(Country::new(country).unwrap());
    order
}

/// A year in which everything happens, and an order from before it.
fn year() -> Vec<OrderRecord> {
    let mut gagged = from(order(6, 2, LegalBasis::NationalSecurityDemand, "2026-05-01T00:00:00Z"), "US");
    gagged.gagged_until = Some(time("2027-06-01T00:00:00Z"));
    let mut told = order(7, 3, LegalBasis::Emergency, "2026-05-02T00:00:00Z");
    (told.gagged_until, told.noticed) = (Some(time("2026-06-01T00:00:00Z")), Some(time("2026-06-01T00:00:01Z")));
    vec![
        answered(
            from(order(1, 1, LegalBasis::Subpoena, "2026-01-03T00:00:00Z"), "US"),
            2.0,
            OrderOutcome::Complied,
            12,
        ),
        answered(
            from(order(2, 1, LegalBasis::Subpoena, "2026-03-03T00:00:00Z"), "DE"),
            12.0,
            OrderOutcome::Narrowed,
            3,
        ),
        answered(
            from(order(3, 2, LegalBasis::CourtOrder, "2026-03-31T23:59:59.999Z"), "DE"),
            5.0,
            OrderOutcome::Rejected,
            0,
        ),
        from(order(4, 2, LegalBasis::Warrant, "2026-07-01T00:00:00Z"), "DE"),
        answered(order(5, 4, LegalBasis::Preservation, "2026-12-31T23:59:59Z"), 0.5, OrderOutcome::Preserved, 0),
        gagged,
        answered(told, 1.0, OrderOutcome::Complied, 1),
        answered(order(8, 5, LegalBasis::Subpoena, "2025-12-31T23:59:59Z"), 3.0, OrderOutcome::Complied, 70),
        answered(order(9, 5, LegalBasis::Subpoena, "2025-06-01T00:00:00Z"), 3.0, OrderOutcome::Complied, 700),
        order(10, 5, LegalBasis::Subpoena, "2027-01-01T00:00:00Z"),
    ]
}

fn report() -> TransparencyReport {
    let period = time("2026-01-01T00:00:00Z")..time("2027-01-01T00:00:00Z");
    TransparencyReport::of(&year(), "Acme <Calls> & Co", period).unwrap().at(time("2027-01-15T00:00:00Z"))
}

fn page(report: &TransparencyReport) -> String {
    let mut out = Vec::new();
    report.write_page(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    checker::check(&text);
    text
}

fn json(report: &TransparencyReport) -> Value {
    serde_json::from_str(&report.to_json()).unwrap()
}

/// The orders and records of the item that has this value under that name.
fn of(list: &Value, name: &str, value: &str) -> (u64, u64) {
    let found = list.as_array().unwrap().iter().find(|item| item[name] == value);
    let item = found.unwrap_or_else(|| panic!("no {name} {value} in {list}"));
    (item["orders"].as_u64().unwrap(), item["records"].as_u64().unwrap())
}

#[test]
fn an_order_counts_where_it_was_received_and_as_it_stands() {
    let told = json(&report());
    // Seven of the year; answers took half a day, and 1, 2, 5 and 12 days.
    let totals = json!({
        "orders": 7, "records": 16, "tenants": 4, "gagged": 2, "untold": 1, "late": 3, "answered": 5, "median_days": 2.0,
    });
    assert_eq!(told["totals"], totals);
    assert_eq!(told["earlier"], json!({ "orders": 1, "records": 70 }));
    assert_eq!(told["period"], json!({ "from": "2026-01-01T00:00:00.000Z", "until": "2027-01-01T00:00:00.000Z" }));
    assert_eq!(told["by_basis"].as_array().unwrap().len(), LegalBasis::ALL.len());
    for (basis, expected) in
        [("subpoena", (2, 15)), ("warrant", (1, 0)), ("legal-rights", (0, 0)), ("emergency", (1, 1))]
    {
        assert_eq!(of(&told["by_basis"], "basis", basis), expected, "{basis}");
    }
    let subpoenas = &told["by_basis"][0]["outcomes"];
    assert_eq!([of(subpoenas, "outcome", "complied"), of(subpoenas, "outcome", "narrowed")], [(1, 12), (1, 3)]);
    for (outcome, expected) in
        [("complied", (2, 13)), ("pending", (2, 0)), ("preserved", (1, 0)), ("challenged", (0, 0))]
    {
        assert_eq!(of(&told["by_outcome"], "outcome", outcome), expected, "{outcome}");
    }
    assert_eq!([of(&told["by_country"], "country", "DE"), of(&told["by_country"], "country", "US")], [(3, 3), (2, 12)]);
    assert_eq!(told["by_country"][0]["country"], Value::Null);
    assert_eq!(told["by_month"].as_array().unwrap().len(), 12);
    for (month, expected) in [("2026-01", (1, 12)), ("2026-02", (0, 0)), ("2026-03", (2, 3)), ("2026-12", (1, 0))] {
        assert_eq!(of(&told["by_month"], "month", month), expected, "{month}");
    }
    let halves = json!([
        { "half_year": "2026-H1", "orders": 5, "records": 16 },
        { "half_year": "2026-H2", "orders": 2, "records": 0 },
    ]);
    assert_eq!(told["by_half_year"], halves);
}

#[test]
fn every_sum_is_that_of_its_parts() {
    let told = json(&report());
    let sum =
        |list: &Value, what: &str| list.as_array().unwrap().iter().map(|of| of[what].as_u64().unwrap()).sum::<u64>();
    for what in ["orders", "records"] {
        let all = told["totals"][what].as_u64().unwrap();
        for list in ["by_basis", "by_outcome", "by_country", "by_month", "by_half_year"] {
            assert_eq!(sum(&told[list], what), all, "{list} {what}");
        }
        for list in ["by_basis", "by_country"] {
            for of in told[list].as_array().unwrap() {
                assert_eq!(sum(&of["outcomes"], what), of[what].as_u64().unwrap(), "{of}");
            }
        }
    }
}

#[test]
fn an_order_that_is_there_twice_counts_once() {
    let mut twice = year();
    twice.extend(year());
    let period = time("2026-01-01T00:00:00Z")..time("2027-01-01T00:00:00Z");
    let of = |orders: &[OrderRecord]| {
        TransparencyReport::of(orders, "Acme", period.clone()).unwrap().at(time("2027-01-15T00:00:00Z")).to_json()
    };
    assert_eq!(of(&twice), of(&year()));
}

#[test]
fn what_is_overdue_and_what_may_not_be_known_depend_on_the_day() {
    let at = |day: &str| json(&report().at(time(day)))["totals"].clone();
    // The warrant is due on the eleventh; the demand's gag is over in June.
    for (day, late, untold) in [
        ("2026-07-10T23:59:59Z", 2, 1),
        ("2026-07-11T00:00:00.001Z", 3, 1),
        ("2027-05-31T23:59:59Z", 3, 1),
        ("2027-06-01T00:00:00Z", 3, 0),
    ] {
        let totals = at(day);
        assert_eq!((&totals["late"], &totals["untold"]), (&json!(late), &json!(untold)), "{day}");
    }
}

#[test]
fn the_median_is_the_middle_or_halfway_between_two() {
    let of = |days: &[f64]| {
        let orders: Vec<OrderRecord> = (0_u8..)
            .zip(days)
            .map(|(n, days)| {
                answered(order(n, 1, LegalBasis::Warrant, "2026-05-01T00:00:00Z"), *days, OrderOutcome::Complied, 1)
            })
            .collect();
        let period = time("2026-05-01T00:00:00Z")..time("2026-06-01T00:00:00Z");
        json(&TransparencyReport::of(&orders, "Acme", period).unwrap())["totals"]["median_days"].clone()
    };
    assert_eq!(of(&[]), Value::Null);
    assert_eq!(of(&[3.0]), 3.0);
    assert_eq!(of(&[9.0, 1.0, 4.0]), 4.0);
    assert_eq!(of(&[1.0, 9.0, 4.0, 5.0]), 4.5);
    assert_eq!(of(&[1.0, 1.16]), 1.1);
    // Written down before it came.
    assert_eq!(of(&[-2.0]), 0.0);
}

#[test]
fn in_bands_no_number_can_be_told_from_another_in_its_band() {
    let hundred = NonZeroU64::new(100).unwrap();
    let period = || time("2026-01-01T00:00:00Z")..time("2027-01-01T00:00:00Z");
    let of = |orders: &[OrderRecord]| {
        TransparencyReport::of(orders, "Acme", period()).unwrap().in_bands(hundred).at(time("2027-01-15T00:00:00Z"))
    };
    // Seven orders under five titles from two countries, and none at all.
    let (some, none) = (of(&year()), of(&[]));
    assert_eq!(some.to_json(), none.to_json());
    assert_eq!(some.to_csv(), none.to_csv());
    assert_eq!(page(&some), page(&none));
    let told = json(&some);
    assert_eq!(told["totals"]["orders"], json!({ "from": 0, "to": 99 }));
    assert_eq!(
        (&told["totals"]["median_days"], told.get("by_month"), told.get("by_country")),
        (&Value::Null, None, None)
    );
    assert!(!page(&some).contains("<svg") && page(&some).contains("<td class=\"band\">0–99</td>"));
    // A hundred are enough for a median.
    let mut many = Vec::new();
    for n in 0..100 {
        let new = order(n, n, LegalBasis::Warrant, "2026-05-01T00:00:00Z");
        many.push(answered(new, 3.0, OrderOutcome::Complied, 2));
    }
    let told = json(&of(&many));
    assert_eq!(told["totals"]["records"], json!({ "from": 200, "to": 299 }));
    assert_eq!(told["totals"]["median_days"], 3.0);
    many.pop();
    assert_eq!(json(&of(&many))["totals"]["median_days"], Value::Null);
}

#[test]
fn the_table_for_spreadsheets_has_the_same_numbers() {
    let text = report().to_csv();
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.unwrap()).collect();
    let find = |dimension: &str, key: &str, outcome: &str| {
        let mut found =
            rows.iter().filter(|row| row["dimension"] == dimension && row["key"] == key && row["outcome"] == outcome);
        let row = found.next().unwrap_or_else(|| panic!("{dimension} {key} {outcome}"));
        assert!(found.next().is_none());
        (row["orders"].clone(), row["records"].clone())
    };
    let numbers = |orders: &str, records: &str| (orders.to_owned(), records.to_owned());
    assert_eq!(find("total", "", ""), numbers("7", "16"));
    assert_eq!(find("total", "", "complied"), numbers("2", "13"));
    assert_eq!(find("total", "gagged", ""), numbers("2", ""));
    assert_eq!(find("earlier", "", ""), numbers("1", "70"));
    assert_eq!(find("basis", "subpoena", "narrowed"), numbers("1", "3"));
    assert_eq!(find("country", "DE", ""), numbers("3", "3"));
    assert_eq!(find("country", "unknown", ""), numbers("2", "1"));
    assert_eq!(find("month", "2026-03", ""), numbers("2", "3"));
    assert_eq!(find("half-year", "2026-H2", ""), numbers("2", "0"));
    assert!(text.lines().all(|line| line.matches(',').count() == 4) && text.ends_with("\r\n"));
}

#[test]
fn the_page_has_charts_tables_and_what_the_numbers_mean() {
    let page = page(&report());
    for expected in [
        "<bdi>Acme &lt;Calls&gt; &amp; Co</bdi>",
        "1 January 2026 to 31 December 2026",
        "<dt>Orders received</dt><dd>7</dd>",
        "<dt>Records given out</dt><dd>16</dd>",
        "<title>March 2026: Subpoena 1</title>",
        "<title>March 2026: Court order 1</title>",
        "<title>January 2026: Followed 1</title>",
        "<title>January 2026: Records 12</title>",
        "<dt>Median until answered</dt><dd>2.0 days</dd>",
        "<dt>Late or overdue</dt><dd>3</dd>",
        "<dt>With a gag</dt><dd>2, of which the tenant may not know yet: 1</dd>",
        "Orders answered in this period: 1; records given out: 70",
        "<th scope=\"row\">2026, January to June</th><td>5</td><td>16</td>",
        "<th scope=\"row\">DE</th><td>3</td><td>3</td>",
        "<th scope=\"row\">Not known</th>",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    // What there is none of has no column, no row and no colour.
    assert!(!page.contains("Contested") && !page.contains("Legal rights"));
    assert_eq!(page.matches("<svg role=\"img\"").count(), 3);
}

#[test]
fn a_period_without_orders_is_a_report_too() {
    let period = time("2026-02-01T00:00:00Z")..time("2026-03-01T00:00:00Z");
    let report = TransparencyReport::of(&year(), "Acme", period).unwrap();
    assert_eq!(json(&report)["by_month"], json!([{ "month": "2026-02", "orders": 0, "records": 0 }]));
    let page = page(&report);
    assert!(page.contains("There are no orders.") && page.contains("There are no orders in this period."));
}

#[test]
fn a_period_or_a_name_that_cannot_be_is_refused() {
    let moment = time("2026-02-01T00:00:00Z");
    let refused = |name: &str, from: Timestamp, until: Timestamp| {
        TransparencyReport::of(&[], name, from..until).map(drop).map_err(|e| e.kind())
    };
    let (first, last) = (Timestamp::from_unix_ms(i64::MIN), Timestamp::from_unix_ms(i64::MAX));
    for (name, from, until) in [
        ("Acme", moment, moment),
        ("Acme", after(moment, 1), moment),
        ("Acme", first, last),
        ("Acme", moment, after(moment, 101 * 366 * DAY)),
        ("", moment, after(moment, 1)),
        ("Ac\nme", moment, after(moment, 1)),
    ] {
        assert_eq!(refused(name, from, until), Err(ErrorKind::InvalidInput));
    }
    assert_eq!(refused("Acme", moment, after(moment, 1)), Ok(()));
}

#[test]
fn nothing_of_an_order_but_its_numbers_is_in_a_report() {
    let report = report();
    for text in [report.to_json(), report.to_csv(), page(&report), format!("{:?}", report.tally)] {
        for order in year() {
            for id in [order.order.to_string(), order.tenant.to_string(), order.order.to_hex(), order.tenant.to_hex()] {
                assert!(!text.contains(&id));
            }
        }
    }
}

#[test]
fn an_order_of_a_vault_becomes_numbers() {
    let received = time("2026-03-01T00:00:00Z");
    for (past, outcome, records, answered) in [
        (Past::Disclosed { days: 4, records: 2 }, OrderOutcome::Complied, 2, Some(4)),
        (Past::DisclosedInPart { days: 9, records: 3 }, OrderOutcome::Narrowed, 3, Some(9)),
        (Past::Rejected, OrderOutcome::Rejected, 0, Some(0)),
        (Past::Gagged, OrderOutcome::Pending, 0, None),
    ] {
        let is_gagged = matches!(past, Past::Gagged);
        let mut status = status(LegalBasis::CourtOrder, "DE", received, past);
        let record = OrderRecord::from(&status);
        assert_eq!((record.outcome, record.records), (outcome, records));
        assert_eq!(record.answered, answered.map(|days| after(received, days * DAY)));
        assert_eq!((record.order, record.tenant), (status.order.id(), status.order.tenant()));
        assert_eq!((record.basis, record.country), (LegalBasis::CourtOrder, Country::new("DE").ok()));
        assert_eq!((record.received, record.due), (received, after(received, 30 * DAY)));
        assert_eq!(record.gagged_until, is_gagged.then(|| after(received, 90 * DAY)));
        // What an order was narrowed to is part of it, however often that was looked at again.
        if let Some(review) = &mut status.review
            && outcome == OrderOutcome::Narrowed
        {
            review.outcome = ReviewOutcome::Accepted;
            assert_eq!(OrderRecord::from(&status).outcome, outcome);
        }
    }
}

/// What a validator that nobody here wrote says of a document, or nothing where there is none.
fn by_jsonschema(document: &Value) -> Option<bool> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let program = "import json, sys\ntry:\n    from jsonschema import Draft202012Validator as V\nexcept ImportError:\n    sys.exit(9)\n\
                   schema, document = (json.load(open(path)) for path in sys.argv[1:])\nV.check_schema(schema)\n\
                   sys.exit(0 if V(schema).is_valid(document) else 1)";
    let (schema, document) = (path("schema.json", SCHEMA), path("document.json", &document.to_string()));
    let done = Command::new("python3").args(["-c", program]).args([schema, document]).output().ok()?;
    match done.status.code() {
        Some(9) => None,
        Some(0) => Some(true),
        Some(1) => Some(false).filter(|_| done.stderr.is_empty()).or_else(|| panic!("{done:?}")),
        _ => panic!("{done:?}"),
    }
}

#[test]
fn reports_are_what_their_schema_says_and_others_are_not() {
    let good = json(&report());
    let Some(valid) = by_jsonschema(&good) else {
        return println!("skipped: this system has no python3 with jsonschema");
    };
    assert!(valid, "{good:#}");
    let bands = json(&report().in_bands(NonZeroU64::new(250).unwrap()));
    assert_eq!(by_jsonschema(&bands), Some(true), "{bands:#}");
    type Change = fn(&mut Value);
    let changes: [Change; 7] = [
        |document| document["version"] = json!(2),
        |document| document["totals"]["orders"] = json!(-1),
        |document| document["reference"] = json!("4:26-cv-00817"),
        |document| document["by_basis"][0]["basis"] = json!("whim"),
        |document| document["by_country"] = Value::Null,
        |document| document["period"]["until"] = json!("tomorrow"),
        |document| document["bands"] = json!(100),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut other = good.clone();
        change(&mut other);
        assert_eq!(by_jsonschema(&other), Some(false), "change {at}");
    }
}

#[test]
fn the_schema_knows_every_word() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let words = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let bases = &schema["properties"]["by_basis"]["items"]["properties"]["basis"]["enum"];
    let outcomes = &schema["$defs"]["outcomes"]["items"]["properties"]["outcome"]["enum"];
    assert_eq!(words(bases), LegalBasis::ALL.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(words(outcomes), OrderOutcome::ALL.iter().map(ToString::to_string).collect::<Vec<_>>());
}
