use super::*;
use crate::disclose::tests::{Past, status};
use crate::html::checker;
use crate::order::LegalBasis;
use crate::time::Timestamp;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn year() -> std::ops::Range<Timestamp> {
    time("2026-01-01T00:00:00Z")..time("2027-01-01T00:00:00Z")
}

fn orders() -> Vec<crate::disclose::OrderStatus> {
    let (court, subpoena, nsd) = (LegalBasis::CourtOrder, LegalBasis::Subpoena, LegalBasis::NationalSecurityDemand);
    vec![
        status(court, "US", time("2026-01-10T00:00:00Z"), Past::Disclosed { days: 4, records: 2 }),
        status(court, "US", time("2026-03-10T00:00:00Z"), Past::DisclosedInPart { days: 10, records: 3 }),
        status(subpoena, "DE", time("2026-03-11T00:00:00Z"), Past::Rejected),
        status(nsd, "US", time("2026-04-01T00:00:00Z"), Past::Gagged),
        status(subpoena, "US", time("2025-12-31T23:59:59Z"), Past::Rejected),
    ]
}

#[test]
fn a_report_counts_what_came_in_within_its_period_by_ground_outcome_country_and_month() {
    let report = TransparencyReport::of(year(), &orders()).unwrap();
    assert_eq!((report.orders(), report.records(), report.median_days()), (4, 5, Some(4)));
    let csv = report.to_csv();
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "basis,orders,pending,challenged,rejected,withdrawn,preserved,disclosed-in-part,disclosed,records,gagged,told",
            "subpoena,1,0,0,1,0,0,0,0,0,0,0",
            "court-order,2,0,0,0,0,0,1,1,5,0,0",
            "national-security-demand,1,1,0,0,0,0,0,0,0,1,0",
            "all,4,1,0,1,0,0,1,1,5,1,0",
            "",
        ]
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["by_country"]["US"]["records"], 5);
    assert_eq!(json["by_month"]["2026-03"]["subpoena"], 1);
    assert_eq!(json["outcomes"]["disclosed-in-part"], 1);
    assert_eq!(json["median_days"], 4);
    assert!(TransparencyReport::of(year().end..year().start, &orders()).is_err());
}

#[test]
fn in_bands_no_count_is_told_and_nothing_that_would_tell_one() {
    let report = TransparencyReport::of(year(), &orders()).unwrap().in_bands(100).unwrap();
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((&json["orders"], &json["band"]), (&"0-99".into(), &100.into()));
    assert!(json.get("by_country").is_none() && json.get("by_month").is_none() && json.get("median_days").is_none());
    assert!(report.to_csv().ends_with("all,0-99,0-99,0-99,0-99,0-99,0-99,0-99,0-99,0-99,0-99,0-99\r\n"));
    let mut page = Vec::new();
    report.write_page("Acme", &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    checker::check(&page);
    assert!(page.contains("0–99") && !page.contains("class=\"chart\""));
    assert!(TransparencyReport::of(year(), &orders()).unwrap().in_bands(0).is_err());
}

#[test]
fn the_page_of_a_report_stands_on_its_own_and_names_no_order() {
    for orders in [orders(), Vec::new()] {
        let report = TransparencyReport::of(year(), &orders).unwrap();
        let mut page = Vec::new();
        report.write_page("Acme <Analytics>\u{202e}", &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        checker::check(&page);
        assert!(page.contains("1 January 2026 to 31 December 2026"), "{page}");
        for secret in ["REFERENCE", "AUTHORITY", "+12025550143"] {
            assert!(!page.contains(secret) && !report.to_json().contains(secret) && !report.to_csv().contains(secret));
        }
    }
}
