//! What somebody tries who wants more out of an order than it gives: from the operator's side, a custodian's, the tenant's, or
//! with the database in his hands.

mod common;

use std::path::{Path, PathBuf};

use common::court::{Court, GO_ON};
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
