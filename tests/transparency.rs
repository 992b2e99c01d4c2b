//! What an operator publishes about orders is what its ledgers tell of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::ops::ControlFlow;

use common::court::{Court, DAY, tomorrow};
use strongroom::*;

#[test]
fn each_order_of_a_vault_is_counted_with_what_came_of_it() {
    let court = Court::new();
    let tenant = court.tenant();
    let review = |order: &DisclosureOrder, outcome: ReviewOutcome, terms: Option<OrderTerms>| {
        court.vault.review_order(tenant, order.id(), outcome, "because", terms, "counsel").unwrap();
    };
    let receive = |terms: OrderTerms| court.vault.receive_order(tenant, terms, "officer").unwrap().0;
    let based = |basis: LegalBasis| {
        let mut terms = court.terms(court.listed(&[0, 1]));
        terms.basis = basis;
        terms
    };

    let complied = court.accepted(based(LegalBasis::Warrant));
    court.disclose(court.quorum(&complied));
    let narrowed = receive(based(LegalBasis::Subpoena));
    let mut less = narrowed.terms();
    less.scope = court.listed(&[0]);
    review(&narrowed, ReviewOutcome::Narrowed, Some(less));
    let rejected = receive(based(LegalBasis::RegulatoryDemand));
    review(&rejected, ReviewOutcome::Rejected, None);
    let challenged = receive(based(LegalBasis::CourtOrder));
    review(&challenged, ReviewOutcome::Challenged, None);
    let withdrawn = court.accepted(based(LegalBasis::Subpoena));
    court.vault.close_order(tenant, withdrawn.id(), "withdrawn", "officer").unwrap();
    let preserved = court.accepted(based(LegalBasis::Preservation));
    court.vault.preserve_order(tenant, preserved.id()).unwrap();
    let gagged = receive(based(LegalBasis::NationalSecurityDemand).gag_until(tomorrow()));

    let records = court.vault.order_records().unwrap();
    let of = |order: &DisclosureOrder| records.iter().find(|record| record.order == order.id()).unwrap();
    let outcomes =
        [&complied, &narrowed, &rejected, &challenged, &withdrawn, &preserved, &gagged].map(|o| of(o).outcome);
    use OrderOutcome::*;
    assert_eq!(outcomes, [Complied, Pending, Rejected, Challenged, Withdrawn, Preserved, Pending]);
    assert_eq!((of(&complied).records, of(&rejected).records), (2, 0));
    for order in [&complied, &rejected, &withdrawn] {
        assert!(of(order).answered.is_some_and(|at| at >= of(order).received));
    }
    assert!([&narrowed, &challenged, &preserved, &gagged].iter().all(|order| of(order).answered.is_none()));
    assert!(of(&gagged).gagged_until.is_some() && of(&gagged).noticed.is_none() && of(&complied).noticed.is_some());
    assert!(
        records.iter().all(|record| record.country == Some(Country::new("US").unwrap()) && record.tenant == tenant)
    );

    // It is followed in part.
    court.disclose(court.quorum(&narrowed));
    let records = court.vault.order_records().unwrap();
    let of = |order: &DisclosureOrder| records.iter().find(|record| record.order == order.id()).unwrap();
    assert_eq!((of(&narrowed).outcome, of(&narrowed).records), (Narrowed, 1));

    let now = Timestamp::now();
    let period = Timestamp::from_unix_ms(now.unix_ms() - DAY)..tomorrow();
    let report = TransparencyReport::of(&records, "Acme", period).unwrap();
    let csv = report.to_csv();
    for line in
        ["total,,,7,3", "total,,narrowed,1,1", "total,gagged,,1,", "total,untold,,1,", "basis,warrant,complied,1,2"]
    {
        assert!(csv.contains(&format!("{line}\r\n")), "{line}\n{csv}");
    }
    // Nothing of an order but its numbers.
    let mut page = Vec::new();
    report.write_page(&mut page).unwrap();
    let all = [report.to_json(), csv, String::from_utf8(page).unwrap()].concat();
    let calls = court.calls.iter().map(ToString::to_string);
    let ids = records.iter().flat_map(|record| [record.order.to_string(), record.tenant.to_string()]);
    let words = ["County Court", "23-CV-0042", "clerk@court.example", "counsel", "officer"].map(str::to_owned);
    for secret in calls.chain(ids).chain(words) {
        assert!(!all.contains(&secret), "{secret}");
    }
}

#[test]
fn a_disclosure_that_stopped_counts_for_all_that_may_have_gone() {
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0, 1, 2])));
    let options = ProductionOptions::new(ProductionProfile::Portable);
    let stop = |progress: PackageProgress| {
        if progress.stage == PackageStage::Sending { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = court.vault.disclose(court.quorum(&order), options, "officer", &mut Vec::new(), stop);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    let record = court.vault.order_records().unwrap().remove(0);
    assert_eq!((record.outcome, record.records, record.answered), (OrderOutcome::Pending, 3, None));
    court.vault.close_order(court.tenant(), order.id(), "the rest is not wanted", "officer").unwrap();
    let record = court.vault.order_records().unwrap().remove(0);
    assert_eq!((record.outcome, record.records), (OrderOutcome::Complied, 3));
    assert!(record.answered.is_some());
    // What was begun before anything could go does not count.
    let court = Court::new();
    let order = court.accepted(court.terms(court.listed(&[0])));
    drop(court.quorum(&order));
    assert_eq!(court.vault.order_records().unwrap()[0].records, 0);
}
