use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::profile::{MAX_DAYS, ProtectionProfile};
use super::terms::is_writable;
use super::words::RecipientClass;
use crate::document::wire;
use crate::document::{Document, Signed, VERSION, documents};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId};
use crate::key::{PublicKey, TenantCard};
use crate::time::Timestamp;

/// What a tenant requires of every recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRules {
    /// The least protection: an agreement's profile must be at least this one.
    pub required: ProtectionProfile,
    /// Whom records may go to. Nobody, if it is empty. Never [`MarketingPartner`](RecipientClass::MarketingPartner).
    pub classes: BTreeSet<RecipientClass>,
    /// How long a recipient may keep what it receives, in days, 1 to 36,500.
    pub max_retention_days: u32,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    document: String,
    version: u32,
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
    required: ProtectionProfile,
    classes: BTreeSet<RecipientClass>,
    max_retention_days: u32,
    #[serde(with = "wire::text")]
    issued: Timestamp,
}

impl Document for Body {
    const NAME: &'static str = "transfer-policy";
    const WHAT: &'static str = "a transfer policy";

    fn fault(&self) -> Option<&'static str> {
        [
            ("revision", self.revision > 0 && (self.revision == 1) == self.previous.is_none()),
            ("required profile", self.required.is_sound()),
            ("classes", !self.classes.contains(&RecipientClass::MarketingPartner)),
            ("longest retention", (1..=MAX_DAYS).contains(&self.max_retention_days)),
            ("time of issue", is_writable(self.issued)),
        ]
        .into_iter()
        .find_map(|(member, sound)| (!sound).then_some(member))
    }

    fn signers(&self) -> Vec<(&'static str, PublicKey)> {
        vec![("tenant", self.tenant_key)]
    }
}

/// Under which conditions a tenant passes records on. Signed by the tenant; every later one names the one before it by
/// its hash. A signed note (SPEC 12.3).
#[derive(Clone, PartialEq, Eq)]
pub struct TransferPolicy(Signed<Body>);

documents! { TransferPolicy }

impl TransferPolicy {
    /// The tenant's first policy, not yet signed.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the rules allow marketing partners, or a number, text or time is out
    /// of its limits; [`TooLarge`](ErrorKind::TooLarge) above 256 KiB.
    pub fn new(card: &TenantCard, rules: TransferRules, issued: Timestamp) -> Result<Self> {
        Self::build(card, None, rules, issued)
    }

    /// The policy that follows this one, not yet signed. `card` is the tenant's present one.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`InvalidInput`](ErrorKind::InvalidInput) also if the card is of another tenant or vault.
    pub fn revise(&self, card: &TenantCard, rules: TransferRules, issued: Timestamp) -> Result<Self> {
        if (card.vault(), card.tenant()) != (self.vault(), self.tenant()) {
            return Err(Error::new(ErrorKind::InvalidInput, "revising the transfer policy of another tenant"));
        }
        Self::build(card, Some(self), rules, issued)
    }

    fn build(card: &TenantCard, before: Option<&Self>, rules: TransferRules, issued: Timestamp) -> Result<Self> {
        let TransferRules { required, classes, max_retention_days } = rules;
        Signed::new(Body {
            document: Body::NAME.to_owned(),
            version: VERSION,
            revision: before.map_or(0, Self::revision).saturating_add(1),
            previous: before.map(Self::hash),
            vault: card.vault(),
            tenant: card.tenant(),
            card: *card.hash().as_bytes(),
            tenant_key: card.public_key(),
            required,
            classes,
            max_retention_days,
            issued,
        })
        .map(Self)
    }

    /// Checks that the tenant of `card` signed it for the card's vault with the card's key.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn verify(&self, card: &TenantCard) -> Result<()> {
        let of = (self.vault(), self.tenant(), self.card(), self.tenant_key());
        if of != (card.vault(), card.tenant(), *card.hash().as_bytes(), card.public_key()) {
            return Err(Error::new(ErrorKind::Tampered, "verifying that a transfer policy is of a tenant's card"));
        }
        self.0.verify()
    }

    /// Whether the key that it names has signed it.
    pub fn is_signed(&self) -> bool {
        self.0.verify().is_ok()
    }

    /// Checks that this policy follows `before`.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it does not.
    pub fn verify_succession(&self, before: &Self) -> Result<()> {
        let own = (self.vault(), self.tenant(), self.revision(), self.previous());
        let next = before.revision().checked_add(1);
        if next.is_some_and(|next| own == (before.vault(), before.tenant(), next, Some(before.hash()))) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Tampered, "verifying that a transfer policy follows another"))
    }

    /// What it requires.
    pub fn rules(&self) -> TransferRules {
        let Body { required, classes, max_retention_days, .. } = &self.0.document;
        TransferRules { required: required.clone(), classes: classes.clone(), max_retention_days: *max_retention_days }
    }

    /// The least protection.
    pub fn required(&self) -> &ProtectionProfile {
        &self.0.document.required
    }

    /// Whom records may go to.
    pub fn classes(&self) -> &BTreeSet<RecipientClass> {
        &self.0.document.classes
    }

    /// How long a recipient may keep what it receives, in days.
    pub fn max_retention_days(&self) -> u32 {
        self.0.document.max_retention_days
    }

    /// 1, and one more for every successor.
    pub fn revision(&self) -> u32 {
        self.0.document.revision
    }

    /// The hash of the policy before it; the first has none.
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

    /// The key that signs it.
    pub fn tenant_key(&self) -> PublicKey {
        self.0.document.tenant_key
    }

    /// When it was issued.
    pub fn issued(&self) -> Timestamp {
        self.0.document.issued
    }
}
