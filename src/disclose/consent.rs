use std::fmt;

use sha2::{Digest, Sha256};

use super::kept::{DESK, ORDER, Step, encode};
use super::status::OrderStatus;
use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{OrderId, RecordId, TenantId};
use crate::key::PublicKey;
use crate::ledger::{Kind, Receipt};
use crate::order::{DisclosureConsent, OrderScope, OrderTerms};
use crate::production::Opened;
use crate::record::Identifier;
use crate::retrieve::{Listing, Record, TenantSession};
use crate::room::Room;
use crate::store::{Act, Change, Op, PermissionRow};
use crate::time::Timestamp;

/// That a tenant agrees to one order, in its newest revision: stands where a quorum of custodians would, once. Given to
/// [`Vault::disclose`](crate::Vault::disclose).
pub struct TenantConsent<'s> {
    pub(super) session: &'s TenantSession,
    pub(super) status: OrderStatus,
    pub(super) consent: DisclosureConsent,
    pub(super) records: Vec<RecordId>,
    terms: OrderTerms,
    receipt: Receipt,
}

/// What the permission is about that a consent to an order gives: another thing than what a request to custodians does, and
/// neither takes the other's place.
pub(super) fn permits(order: OrderId) -> [u8; 16] {
    let hash = Sha256::digest(enc("consent-permission", &[order.as_bytes()]));
    let mut about = [0; 16];
    about.copy_from_slice(&hash[..16]);
    about
}

/// Checks that the card in force names a key: a former one may be in somebody else's hands.
pub(super) fn in_force(room: &Room, tenant: TenantId, key: &PublicKey) -> Result<()> {
    let wrong =
        || Error::new(ErrorKind::WrongKey, "agreeing to an order with another key than that of the card in force");
    if room.tenant(tenant)?.card.public_key() == *key { Ok(()) } else { Err(wrong()) }
}

impl TenantSession {
    /// Agrees to an order that the tenant knows of: it was served itself, or is content with it. The ledger says so before this
    /// returns. The order must have been accepted by the operator's review.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such order that the tenant may know of, or none of its records;
    /// [`Refused`](ErrorKind::Refused) if it is not to be followed, or was answered; [`WrongKey`](ErrorKind::WrongKey) if the
    /// session's key does not sign, or is not that of the card in force; else as the disk.
    pub fn consent(&self, order: OrderId) -> Result<TenantConsent<'_>> {
        let doing = "agreeing to an order";
        let status = self.orders()?.into_iter().find(|status| status.order.id() == order);
        let status = status.ok_or_else(|| Error::new(ErrorKind::NotFound, doing))?;
        super::quorum::accepted(&status, doing)?;
        let terms = status.order.terms();
        let records = match &terms.scope {
            OrderScope::Records(records) => records.keys().copied().collect(),
            OrderScope::Subjects { subjects, period } => self.records_of_any(subjects, period.start, period.end)?,
        };
        if records.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, doing).because("there are no records that it is about"));
        }
        let key = self.signs_as();
        in_force(&self.room, self.tenant(), &key)?;
        let opener = self.opener_signing_as(&key);
        let opener = opener
            .ok_or_else(|| Error::new(ErrorKind::WrongKey, "agreeing to an order with a key that does not sign"))?;
        let mut consent = DisclosureConsent::new(&status.order, key)?;
        consent.sign(opener)?;
        let step = Step::Consented { at: Timestamp::now(), note: consent.to_string() };
        let about = Some(*order.as_bytes());
        let mut tell =
            self.tell(Kind::OrderConsented).detail("order", order).detail("revision", status.order.revision());
        tell.payload = Some(consent.hash());
        tell.basis = Some(terms.basis.to_string());
        let tell = tell.paper(ORDER, about, encode(&step)?).own_paper(DESK, about, encode(&step)?);
        let recorded = self.record(tell, Act::None)?;
        // Used by the commit that begins the disclosure. A crash before this leaves a consent that opens nothing.
        let permission = PermissionRow { purpose: consent.hash(), body: Vec::new() };
        let permit = Op::Permit { about: permits(order), permission };
        self.room.store.commit(Change(vec![permit]))?;
        let receipt = Receipt::clone(&recorded.receipt);
        Ok(TenantConsent { session: self, status, consent, records, terms, receipt })
    }

    fn records_of_any(&self, subjects: &[Identifier], from: Timestamp, before: Timestamp) -> Result<Vec<RecordId>> {
        let mut found = std::collections::BTreeSet::new();
        for who in subjects {
            self.each_listed(Listing::by_commit().subject(who.clone()).limit(256), |listed| {
                if (from..before).contains(&listed.time) {
                    found.insert(listed.id);
                }
                Ok(())
            })?;
        }
        Ok(found.into_iter().collect())
    }
}

impl TenantConsent<'_> {
    /// The signed consent.
    pub fn document(&self) -> &DisclosureConsent {
        &self.consent
    }

    /// The records that it opens.
    pub fn records(&self) -> &[RecordId] {
        &self.records
    }

    /// The entry that tells of it.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

impl Opened for TenantConsent<'_> {
    fn read(&self, record: RecordId) -> Result<Record> {
        let doing = "opening a record with a tenant's consent";
        // They are sorted.
        if self.records.binary_search(&record).is_err() {
            return Err(Error::new(ErrorKind::NotFound, doing));
        }
        let record = self.session.read(record)?;
        if !self.terms.cover(record.id(), record.head()) {
            return Err(Error::new(ErrorKind::Refused, doing).because("the order is not about it"));
        }
        Ok(record)
    }
}

impl fmt::Debug for TenantConsent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantConsent(to order {})", self.status.order.id())
    }
}
