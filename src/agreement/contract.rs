use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::card::RecipientCard;
use super::profile::ProtectionProfile;
use super::terms::{Scope, Terms};
use super::words::{Field, Onward};
use crate::document::wire;
use crate::document::{Document, Signed, VERSION, documents};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId, random};
use crate::key::{PublicKey, TenantCard};
use crate::record::{Head, PartKind};
use crate::time::Timestamp;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub(super) struct Body {
    id: [u8; 16],
    revision: u32,
    previous: Option<[u8; 32]>,
    vault: VaultId,
    tenant: TenantId,
    card: [u8; 32],
    tenant_key: PublicKey,
    operator: PublicKey,
    log: PublicKey,
    terms: Terms,
}

/// A body as its members stand in JSON.
// Not flattened by serde, which cannot when somebody's build of serde_json keeps numbers as text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    document: String,
    version: u32,
    #[serde(with = "wire::hex")]
    id: [u8; 16],
    revision: u32,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::hex_if_any")]
    previous: Option<[u8; 32]>,
    #[serde(with = "wire::text")]
    vault: VaultId,
    #[serde(with = "wire::text")]
    tenant: TenantId,
    #[serde(with = "wire::hex")]
    card: [u8; 32],
    #[serde(with = "wire::key")]
    tenant_key: PublicKey,
    #[serde(with = "wire::key")]
    operator: PublicKey,
    #[serde(with = "wire::key")]
    log: PublicKey,
    recipient: RecipientCard,
    purposes: BTreeSet<String>,
    #[serde(with = "wire::kinds")]
    kinds: BTreeSet<PartKind>,
    fields: BTreeSet<Field>,
    scope: Scope,
    #[serde(with = "wire::text")]
    valid_from: Timestamp,
    #[serde(with = "wire::text")]
    valid_until: Timestamp,
    onward: Onward,
    retention_days: u32,
    receipt_hours: u32,
    profile: ProtectionProfile,
}

impl From<Body> for Wire {
    fn from(body: Body) -> Self {
        let Body { id, revision, previous, vault, tenant, card, tenant_key, operator, log, terms } = body;
        Self {
            document: Body::NAME.to_owned(),
            version: VERSION,
            id,
            revision,
            previous,
            vault,
            tenant,
            card,
            tenant_key,
            operator,
            log,
            recipient: terms.recipient,
            purposes: terms.purposes,
            kinds: terms.kinds,
            fields: terms.fields,
            scope: terms.scope,
            valid_from: terms.valid_from,
            valid_until: terms.valid_until,
            onward: terms.onward,
            retention_days: terms.retention_days,
            receipt_hours: terms.receipt_hours,
            profile: terms.profile,
        }
    }
}

impl From<Wire> for Body {
    fn from(wire: Wire) -> Self {
        let terms = Terms {
            recipient: wire.recipient,
            purposes: wire.purposes,
            kinds: wire.kinds,
            fields: wire.fields,
            scope: wire.scope,
            valid_from: wire.valid_from,
            valid_until: wire.valid_until,
            onward: wire.onward,
            retention_days: wire.retention_days,
            receipt_hours: wire.receipt_hours,
            profile: wire.profile,
        };
        Self {
            id: wire.id,
            revision: wire.revision,
            previous: wire.previous,
            vault: wire.vault,
            tenant: wire.tenant,
            card: wire.card,
            tenant_key: wire.tenant_key,
            operator: wire.operator,
            log: wire.log,
            terms: terms.ordered(),
        }
    }
}

impl Document for Body {
    const NAME: &'static str = "agreement";
    const WHAT: &'static str = "an agreement";

    fn fault(&self) -> Option<&'static str> {
        if self.revision == 0 || (self.revision == 1) != self.previous.is_none() {
            return Some("revision");
        }
        if self.terms.recipient.key() == self.tenant_key {
            return Some("recipient");
        }
        self.terms.fault()
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("tenant", self.tenant_key), ("recipient", self.terms.recipient.key())]
    }
}

/// What a tenant and a third party agreed, signed by both: which records of the tenant may go to whom, what for, until
/// when, and how they are protected there. A signed note (SPEC 12.4) that `note` of Go's `x/mod/sumdb` verifies too.
///
/// Parties change it by [`revise`](Self::revise): the next revision names this one by its hash, and both sign again.
#[derive(Clone, PartialEq, Eq)]
pub struct Agreement(Signed<Body>);

documents! { Agreement }

impl Agreement {
    /// A new agreement of the tenant of `card` under a random id, which nobody has signed yet. `operator` is who runs the
    /// vault, `log` the key of the tenant's open log.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if a term is missing or out of its limits, or the recipient's key is the
    /// tenant's; [`TooLarge`](ErrorKind::TooLarge) above 256 KiB; [`Io`](ErrorKind::Io) if the system gives no randomness.
    pub fn new(card: &TenantCard, operator: PublicKey, log: PublicKey, terms: Terms) -> Result<Self> {
        let mut id = [0; 16];
        random(&mut id)?;
        Self::with_id(id, card, operator, log, terms)
    }

    pub(crate) fn with_id(
        id: [u8; 16],
        card: &TenantCard,
        operator: PublicKey,
        log: PublicKey,
        terms: Terms,
    ) -> Result<Self> {
        let (revision, previous, card_hash) = (1, None, *card.hash().as_bytes());
        let (vault, tenant, tenant_key, terms) = (card.vault(), card.tenant(), card.public_key(), terms.ordered());
        let body = Body { id, revision, previous, vault, tenant, card: card_hash, tenant_key, operator, log, terms };
        Signed::new(body).map(Self)
    }

    /// The next revision between the same parties and keys, which nobody has signed yet.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn revise(&self, terms: Terms) -> Result<Self> {
        let before = &self.0.document;
        let revision = before.revision.saturating_add(1);
        let body = Body { revision, previous: Some(self.hash()), terms: terms.ordered(), ..before.clone() };
        Signed::new(body).map(Self)
    }

    /// As [`revise`](Self::revise), after the tenant's card, the operator or the log has changed.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`InvalidInput`](ErrorKind::InvalidInput) also if the card is of another tenant or vault.
    pub fn revise_under(&self, card: &TenantCard, operator: PublicKey, log: PublicKey, terms: Terms) -> Result<Self> {
        if (card.vault(), card.tenant()) != (self.vault(), self.tenant()) {
            return Err(Error::new(ErrorKind::InvalidInput, "revising the agreement of another tenant"));
        }
        let Self(Signed { document, .. }) = self.revise(terms)?;
        let (card, tenant_key) = (*card.hash().as_bytes(), card.public_key());
        Signed::new(Body { card, tenant_key, operator, log, ..document }).map(Self)
    }

    /// Checks that this agreement is the revision after `before`, with the same recipient: with somebody who signs with
    /// another key a new agreement must be made. The tenant's key is not compared: it may have changed.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not.
    pub fn verify_succession(&self, before: &Self) -> Result<()> {
        let own = (self.id(), self.vault(), self.tenant(), self.revision(), self.previous());
        let next = before.revision().checked_add(1);
        let follows = |next| own == (before.id(), before.vault(), before.tenant(), next, Some(before.hash()));
        if next.is_some_and(follows) && self.recipient().key() == before.recipient().key() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Tampered, "verifying that an agreement follows another"))
    }

    /// Checks that both parties have signed it, each with the key that it names.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if one has not.
    pub fn verify(&self) -> Result<()> {
        self.0.verify()
    }

    /// As [`verify`](Self::verify), and checks that it is of the tenant of `card` in the card's vault, with that card's key.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify_under(&self, card: &TenantCard) -> Result<()> {
        let of = (self.vault(), self.tenant(), self.card(), self.tenant_key());
        if of != (card.vault(), card.tenant(), *card.hash().as_bytes(), card.public_key()) {
            return Err(Error::new(ErrorKind::Tampered, "verifying that an agreement is of a tenant's card"));
        }
        self.verify()
    }

    /// Whether the tenant has signed it.
    pub fn is_signed_by_tenant(&self) -> bool {
        self.0.is_signed_by("tenant")
    }

    /// Whether the recipient has signed it.
    pub fn is_signed_by_recipient(&self) -> bool {
        self.0.is_signed_by("recipient")
    }

    /// What was agreed.
    pub fn terms(&self) -> &Terms {
        &self.0.document.terms
    }

    /// The third party.
    pub fn recipient(&self) -> &RecipientCard {
        &self.terms().recipient
    }

    /// Random, and the same in all revisions.
    pub fn id(&self) -> [u8; 16] {
        self.0.document.id
    }

    /// 1, and one more for every successor.
    pub fn revision(&self) -> u32 {
        self.0.document.revision
    }

    /// The hash of the revision before it; the first has none.
    pub fn previous(&self) -> Option<[u8; 32]> {
        self.0.document.previous
    }

    /// The vault.
    pub fn vault(&self) -> VaultId {
        self.0.document.vault
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.0.document.tenant
    }

    /// The hash of the tenant's card.
    pub fn card(&self) -> [u8; 32] {
        self.0.document.card
    }

    /// The tenant's signing key.
    pub fn tenant_key(&self) -> PublicKey {
        self.0.document.tenant_key
    }

    /// Who runs the vault.
    pub fn operator(&self) -> PublicKey {
        self.0.document.operator
    }

    /// The key of the tenant's log.
    pub fn log(&self) -> PublicKey {
        self.0.document.log
    }

    /// Whether the agreement is about the record of that head.
    pub fn covers(&self, head: &Head) -> bool {
        self.terms().scope.covers(head)
    }

    /// Until when the recipient may keep what goes to it at `created`.
    pub fn keep_until(&self, created: Timestamp) -> Timestamp {
        later(created, i64::from(self.terms().retention_days) * 24)
    }

    /// Until when the recipient acknowledges what goes to it at `created`.
    pub fn receipt_by(&self, created: Timestamp) -> Timestamp {
        later(created, i64::from(self.terms().receipt_hours))
    }
}

fn later(time: Timestamp, hours: i64) -> Timestamp {
    Timestamp::from_unix_ms(time.unix_ms().saturating_add(hours * 3_600_000))
}
