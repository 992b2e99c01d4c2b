use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::terms::{Authority, OrderScope, OrderTerms};
use super::words::LegalBasis;
use crate::agreement::Country;
use crate::document::{Document, Signed, VERSION, documents, wire};
use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{OrderId, RecordId, TenantId, VaultId};
use crate::key::{PublicKey, Recipient};
use crate::record::{Identifier, PartKind};
use crate::time::Timestamp;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    document: String,
    version: u32,
    #[serde(with = "wire::text")]
    id: OrderId,
    revision: u32,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::hex_if_any")]
    previous: Option<[u8; 32]>,
    #[serde(with = "wire::text")]
    vault: VaultId,
    #[serde(with = "wire::text")]
    tenant: TenantId,
    #[serde(with = "wire::key")]
    operator_key: PublicKey,
    authority: Authority,
    basis: LegalBasis,
    reference: String,
    #[serde(with = "wire::hex")]
    served: [u8; 32],
    #[serde(with = "wire::text")]
    received: Timestamp,
    #[serde(with = "wire::text")]
    due: Timestamp,
    dates: Period,
    scope: Scope,
    #[serde(with = "wire::kinds")]
    kinds: BTreeSet<PartKind>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time_if_any")]
    gag_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time_if_any")]
    challenge_by: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Period {
    #[serde(with = "wire::text")]
    from: Timestamp,
    #[serde(with = "wire::text")]
    before: Timestamp,
}

/// What the scope is about is told by which member it has.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum Scope {
    Records(Vec<Record>),
    Subjects(Subjects),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    #[serde(with = "wire::text")]
    record: RecordId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subjects {
    #[serde(with = "wire::identifiers")]
    identifiers: Vec<Identifier>,
    period: Period,
}

mod time_if_any {
    use serde::{Deserializer, Serializer};

    use crate::document::wire::text;
    use crate::time::Timestamp;

    pub(super) fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => text::serialize(time, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        text::deserialize(from).map(Some)
    }
}

/// An order to disclose records of one tenant, as the operator registered it: what was served, by whom, on what ground,
/// and exactly what it reaches. Signed by the operator. A signed note (SPEC 14.1).
///
/// A document that reaches records of several tenants is registered once for each: nothing of one tenant stands in what
/// another is told.
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosureOrder(Signed<Order>);

documents! { DisclosureOrder }

impl Document for Order {
    const NAME: &'static str = "disclosure-order";
    const WHAT: &'static str = "a disclosure order";

    fn fault(&self) -> Option<&'static str> {
        if self.revision == 0 || (self.revision == 1) != self.previous.is_none() {
            return Some("revision");
        }
        match self.terms() {
            Some(terms) => terms.fault(),
            None => Some("scope, which names a record twice or half a stretch"),
        }
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("operator", self.operator_key)]
    }
}

impl Order {
    fn terms(&self) -> Option<OrderTerms> {
        let period = |Period { from, before }: &Period| *from..*before;
        let scope = match &self.scope {
            Scope::Records(listed) => {
                let mut records = BTreeMap::new();
                for Record { record, from_ms, to_ms } in listed {
                    let stretch = match (from_ms, to_ms) {
                        (Some(from), Some(to)) => Some(*from..*to),
                        (None, None) => None,
                        _ => return None,
                    };
                    records.insert(*record, stretch);
                }
                if records.len() != listed.len() || !records.keys().eq(listed.iter().map(|listed| &listed.record)) {
                    return None;
                }
                OrderScope::Records(records)
            }
            Scope::Subjects(Subjects { identifiers, period: within }) => {
                OrderScope::Subjects { subjects: identifiers.clone(), period: period(within) }
            }
        };
        Some(OrderTerms {
            authority: self.authority.clone(),
            basis: self.basis,
            reference: self.reference.clone(),
            served: self.served,
            received: self.received,
            due: self.due,
            dates: period(&self.dates),
            scope,
            kinds: self.kinds.clone(),
            gag_until: self.gag_until,
            challenge_by: self.challenge_by,
        })
    }
}

fn scope(scope: &OrderScope) -> Scope {
    match scope {
        OrderScope::Records(records) => Scope::Records(
            records
                .iter()
                .map(|(record, stretch)| Record {
                    record: *record,
                    from_ms: stretch.as_ref().map(|stretch| stretch.start),
                    to_ms: stretch.as_ref().map(|stretch| stretch.end),
                })
                .collect(),
        ),
        OrderScope::Subjects { subjects, period } => {
            Scope::Subjects(Subjects { identifiers: subjects.clone(), period: of(period) })
        }
    }
}

fn of(period: &Range<Timestamp>) -> Period {
    Period { from: period.start, before: period.end }
}

/// The id of the record that is made for a drill: a UUID of version 8, which no record has that is ingested.
pub(crate) fn canary(order: OrderId) -> RecordId {
    let hash: [u8; 32] = Sha256::digest(enc("drill-record", &[order.as_bytes()])).into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id[6] = id[6] & 0x0F | 0x80;
    id[8] = id[8] & 0x3F | 0x80;
    RecordId::from_bytes(id)
}

impl DisclosureOrder {
    /// The order of these terms, not yet signed.
    pub(crate) fn new(vault: VaultId, tenant: TenantId, operator: PublicKey, terms: OrderTerms) -> Result<Self> {
        Self::build(OrderId::generate()?, None, vault, tenant, operator, terms)
    }

    /// What stands for an order in a drill, not yet signed: it is about the record that was made for it alone.
    pub(crate) fn drill(
        vault: VaultId,
        tenant: TenantId,
        operator: PublicKey,
        recipient: Recipient,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Self> {
        let id = OrderId::generate()?;
        let country = Country::new("ZZ")?;
        let authority = Authority { name: "Nobody".into(), country, contact: "This is a drill".into(), recipient };
        let scope = OrderScope::records([canary(id)]);
        let after = Timestamp::from_unix_ms(now.unix_ms() + 1);
        let terms = OrderTerms::new(authority, LegalBasis::LegalRights, "drill", [0; 32], now..after, expires, scope);
        Self::build(id, None, vault, tenant, operator, terms.received(now))
    }

    /// The next revision of the order, not yet signed: it asks for less.
    pub(crate) fn narrowed(&self, terms: OrderTerms) -> Result<Self> {
        if !terms.are_narrower_than(&self.terms()) {
            let doing = "narrowing an order to what it does not ask for, or to another order";
            return Err(Error::new(ErrorKind::InvalidInput, doing));
        }
        let order = &self.0.document;
        Self::build(order.id, Some(self), order.vault, order.tenant, order.operator_key, terms)
    }

    #[cfg(test)]
    pub(crate) fn with_id(
        id: OrderId,
        vault: VaultId,
        tenant: TenantId,
        operator: PublicKey,
        terms: OrderTerms,
    ) -> Result<Self> {
        Self::build(id, None, vault, tenant, operator, terms)
    }

    /// Whether this is the revision that comes after that one.
    pub(crate) fn follows(&self, before: &Self) -> bool {
        let order = &self.0.document;
        (order.id, order.revision) == (before.id(), before.revision() + 1)
            && order.previous == Some(before.hash())
            && self.terms().are_narrower_than(&before.terms())
    }

    fn build(
        id: OrderId,
        before: Option<&Self>,
        vault: VaultId,
        tenant: TenantId,
        operator_key: PublicKey,
        terms: OrderTerms,
    ) -> Result<Self> {
        let scope = scope(&terms.scope);
        let OrderTerms { authority, basis, reference, served, received, due, dates, kinds, .. } = terms;
        Signed::new(Order {
            document: Order::NAME.to_owned(),
            version: VERSION,
            id,
            revision: before.map_or(1, |before| before.revision() + 1),
            previous: before.map(Self::hash),
            vault,
            tenant,
            operator_key,
            authority,
            basis,
            reference,
            served,
            received,
            due,
            dates: of(&dates),
            scope,
            kinds,
            gag_until: terms.gag_until,
            challenge_by: terms.challenge_by,
        })
        .map(Self)
    }

    /// Checks that `operator` signed it.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify(&self, operator: &PublicKey) -> Result<()> {
        if self.0.document.operator_key != *operator {
            return Err(Error::new(ErrorKind::Tampered, "verifying that an operator signed an order"));
        }
        self.0.verify()
    }

    /// Its id, the same in all revisions.
    pub fn id(&self) -> OrderId {
        self.0.document.id
    }

    /// 1, and one more each time that it was narrowed.
    pub fn revision(&self) -> u32 {
        self.0.document.revision
    }

    /// The vault.
    pub fn vault(&self) -> VaultId {
        self.0.document.vault
    }

    /// Whose records it is about.
    pub fn tenant(&self) -> TenantId {
        self.0.document.tenant
    }

    /// The key that signed it.
    pub fn operator(&self) -> PublicKey {
        self.0.document.operator_key
    }

    /// What it asks for.
    pub fn terms(&self) -> OrderTerms {
        // A document without terms is a fault, and none with a fault is made or parsed.
        self.0.document.terms().unwrap_or_else(|| unreachable!("a document that was checked"))
    }
}
