//! What is signed about an order besides itself.

use serde::{Deserialize, Serialize};

use super::document::DisclosureOrder;
use crate::document::{Document, Signed, VERSION, documents, is_readable, wire};
use crate::error::{Error, ErrorKind, Result};
use crate::id::OrderId;
use crate::key::PublicKey;
use crate::time::Timestamp;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    document: String,
    version: u32,
    #[serde(with = "wire::text")]
    order: OrderId,
    #[serde(with = "wire::hex")]
    order_hash: [u8; 32],
    #[serde(with = "wire::key")]
    tenant_key: PublicKey,
    #[serde(with = "wire::text")]
    given: Timestamp,
}

impl Document for Consent {
    const NAME: &'static str = "disclosure-consent";
    const WHAT: &'static str = "a consent to a disclosure";

    fn fault(&self) -> Option<&'static str> {
        None
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("tenant", self.tenant_key)]
    }
}

/// That a tenant agrees to one revision of one order. Signed by the tenant. A signed note (SPEC 14.4).
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosureConsent(Signed<Consent>);

impl DisclosureConsent {
    /// The consent of the tenant who signs with `tenant`, given now, not yet signed.
    ///
    /// # Errors
    /// As writing a document.
    pub fn new(order: &DisclosureOrder, tenant: PublicKey) -> Result<Self> {
        Self::given_at(order, tenant, Timestamp::now())
    }

    pub(crate) fn given_at(order: &DisclosureOrder, tenant: PublicKey, given: Timestamp) -> Result<Self> {
        Signed::new(Consent {
            document: Consent::NAME.to_owned(),
            version: VERSION,
            order: order.id(),
            order_hash: order.hash(),
            tenant_key: tenant,
            given,
        })
        .map(Self)
    }

    /// Checks that `tenant` signed it for this revision of the order.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify(&self, order: &DisclosureOrder, tenant: &PublicKey) -> Result<()> {
        let consent = &self.0.document;
        if (consent.order, consent.order_hash, consent.tenant_key) != (order.id(), order.hash(), *tenant) {
            return Err(Error::new(ErrorKind::Tampered, "verifying a consent to an order"));
        }
        self.0.verify()
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    document: String,
    version: u32,
    #[serde(with = "wire::text")]
    order: OrderId,
    #[serde(with = "wire::hex")]
    order_hash: [u8; 32],
    #[serde(with = "wire::key")]
    operator_key: PublicKey,
    authority: String,
    reference: String,
    outcome: String,
    records: u64,
    #[serde(with = "wire::text")]
    given: Timestamp,
}

impl Document for Notice {
    const NAME: &'static str = "disclosure-notice";
    const WHAT: &'static str = "a notice of an order";

    fn fault(&self) -> Option<&'static str> {
        let texts = [&self.authority, &self.reference, &self.outcome];
        (!texts.iter().all(|text| is_readable(text, 256))).then_some("texts")
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("operator", self.operator_key)]
    }
}

/// What a tenant is told of an order about its records. Signed by the operator. A signed note (SPEC 14.4).
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosureNotice(Signed<Notice>);

documents! { DisclosureConsent DisclosureNotice }

impl DisclosureNotice {
    /// The notice of an order that so many records were disclosed under until now, not yet signed.
    pub(crate) fn new(order: &DisclosureOrder, outcome: &str, records: u64) -> Result<Self> {
        Self::given_at(order, outcome, records, Timestamp::now())
    }

    pub(crate) fn given_at(order: &DisclosureOrder, outcome: &str, records: u64, given: Timestamp) -> Result<Self> {
        let terms = order.terms();
        Signed::new(Notice {
            document: Notice::NAME.to_owned(),
            version: VERSION,
            order: order.id(),
            order_hash: order.hash(),
            operator_key: order.operator(),
            authority: terms.authority.name,
            reference: terms.reference,
            outcome: outcome.to_owned(),
            records,
            given,
        })
        .map(Self)
    }

    /// Checks that the order's operator signed it for this revision of the order.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify(&self, order: &DisclosureOrder) -> Result<()> {
        let notice = &self.0.document;
        if (notice.order, notice.order_hash, notice.operator_key) != (order.id(), order.hash(), order.operator()) {
            return Err(Error::new(ErrorKind::Tampered, "verifying a notice of an order"));
        }
        self.0.verify()
    }

    /// How many records had been disclosed.
    pub fn records(&self) -> u64 {
        self.0.document.records
    }

    /// What had come of the order.
    pub fn outcome(&self) -> &str {
        &self.0.document.outcome
    }
}
