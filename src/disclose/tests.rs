//! Orders that others test with.

use super::status::{OrderReview, OrderStatus, Produced};
use crate::agreement::Country;
use crate::id::{OrderId, RecordId, TenantId, VaultId};
use crate::key::{Identity, OperatorKey, Suite};
use crate::order::{Authority, DisclosureOrder, LegalBasis, OrderScope, OrderTerms, ReviewOutcome};
use crate::record::PartKind;
use crate::time::Timestamp;

/// What came of an order.
pub(crate) enum Past {
    Disclosed {
        days: i64,
        records: usize,
    },
    DisclosedInPart {
        days: i64,
        records: usize,
    },
    Rejected,
    /// It came in, and the tenant must not be told.
    Gagged,
}

pub(crate) fn status(basis: LegalBasis, country: &str, received: Timestamp, past: Past) -> OrderStatus {
    let operator = OperatorKey::generate().unwrap();
    let authority = Authority {
        name: "AUTHORITY".into(),
        country: Country::new(country).unwrap(),
        contact: "x@example.com".into(),
        recipient: Identity::generate_for(Suite::X25519).unwrap().recipient().clone(),
    };
    let after = |days: i64| Timestamp::from_unix_ms(received.unix_ms() + days * 86_400_000);
    let scope = OrderScope::records([RecordId::generate().unwrap()]);
    let terms = OrderTerms::new(authority, basis, "REFERENCE", [1; 32], after(-9)..received, after(30), scope);
    let terms = terms.received(received);
    let terms = if matches!(past, Past::Gagged) { terms.gag_until(after(90)) } else { terms };
    let (vault, tenant) = (VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
    let (id, key) = (OrderId::generate().unwrap(), operator.public_key());
    let mut order = DisclosureOrder::with_id(id, vault, tenant, key, terms.clone()).unwrap();
    if matches!(past, Past::DisclosedInPart { .. }) {
        order = order.narrowed(terms.kinds([PartKind::Audio])).unwrap();
    }
    let (outcome, disclosed) = match past {
        Past::Disclosed { days, records } => (Some(ReviewOutcome::Accepted), Some((days, records))),
        Past::DisclosedInPart { days, records } => (Some(ReviewOutcome::Narrowed), Some((days, records))),
        Past::Rejected => (Some(ReviewOutcome::Rejected), None),
        Past::Gagged => (None, None),
    };
    let produced = |(days, records)| Produced {
        at: after(days),
        profile: "portable".into(),
        records: (0..records).map(|_| RecordId::generate().unwrap()).collect(),
        files: 1,
        withheld: 0,
        redacted: 0,
        manifest: [2; 32],
        bates: None,
    };
    OrderStatus {
        order,
        entry: (key, 0),
        received_by: "officer".into(),
        review: outcome.map(|outcome| OrderReview {
            outcome,
            reason: "because".into(),
            by: "counsel".into(),
            at: received,
        }),
        preserved: None,
        found: None,
        unsearched: 0,
        approved_by: Vec::new(),
        consented: None,
        produced: disclosed.map(produced),
        disclosed: disclosed.map(|(days, _)| after(days)),
        failures: Vec::new(),
        noticed: None,
        unknown: None,
        closed: None,
        begun: None,
        used: Vec::new(),
    }
}
