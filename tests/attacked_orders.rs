//! What somebody tries who wants more out of an order than it gives: from the operator's side, a custodian's, the tenant's, or
//! with the database in his hands.

mod common;

use common::court::Court;
use strongroom::*;

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
