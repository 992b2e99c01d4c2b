use std::fmt;

use super::contract::Agreement;
use super::policy::TransferPolicy;
use super::profile::Shortfall;
use super::words::{Field, RecipientClass};
use crate::record::PartKind;
use crate::time::Timestamp;

/// Why nothing may go to a recipient. Prints as one sentence, without a subject, a text or a key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The tenant's policy does not allow recipients of this class.
    ClassNotAllowed(RecipientClass),
    /// The agreement's time is over.
    Expired(Timestamp),
    /// The agreement does not name this field.
    FieldNotAgreed(Field),
    /// The agreement does not name this kind of part.
    KindNotAgreed(PartKind),
    /// Records do not go to those who advertise, whatever was signed.
    Marketing,
    /// The recipient's signature is missing.
    NotSignedByRecipient,
    /// The tenant's signature is missing.
    NotSignedByTenant,
    /// The agreement's time has not come.
    NotYetValid(Timestamp),
    /// The transfer policy is of another tenant or vault than the agreement.
    PolicyOfAnother,
    /// The tenant has not signed its transfer policy.
    PolicyNotSigned,
    /// The agreement does not name this purpose.
    PurposeNotAgreed,
    /// The recipient may keep it for longer than the tenant's policy allows.
    RetentionTooLong {
        /// The agreement's days.
        agreed: u32,
        /// The policy's days.
        allowed: u32,
    },
    /// The recipient protects it less than the tenant's policy requires.
    Weaker(Vec<Shortfall>),
}

impl Refusal {
    /// A name for programs, the same in every version: `not-signed-by-tenant`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClassNotAllowed(_) => "class-not-allowed",
            Self::Expired(_) => "expired",
            Self::FieldNotAgreed(_) => "field-not-agreed",
            Self::KindNotAgreed(_) => "kind-not-agreed",
            Self::Marketing => "marketing",
            Self::NotSignedByRecipient => "not-signed-by-recipient",
            Self::NotSignedByTenant => "not-signed-by-tenant",
            Self::NotYetValid(_) => "not-yet-valid",
            Self::PolicyOfAnother => "policy-of-another",
            Self::PolicyNotSigned => "policy-not-signed",
            Self::PurposeNotAgreed => "purpose-not-agreed",
            Self::RetentionTooLong { .. } => "retention-too-long",
            Self::Weaker(_) => "weaker",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClassNotAllowed(class) => {
                write!(f, "the transfer policy does not allow a recipient of the class {class}")
            }
            Self::Expired(until) => write!(f, "the agreement expired at {until}"),
            Self::FieldNotAgreed(field) => write!(f, "the agreement does not name the field {field}"),
            Self::KindNotAgreed(kind) => write!(f, "the agreement does not name the kind of part {kind}"),
            Self::Marketing => f.write_str("the recipient is a marketing partner, and records never go to one"),
            Self::NotSignedByRecipient => f.write_str("the recipient has not signed the agreement"),
            Self::NotSignedByTenant => f.write_str("the tenant has not signed the agreement"),
            Self::NotYetValid(from) => write!(f, "the agreement is not valid before {from}"),
            Self::PolicyOfAnother => f.write_str("the transfer policy is of another tenant or vault"),
            Self::PolicyNotSigned => f.write_str("the tenant has not signed its transfer policy"),
            Self::PurposeNotAgreed => f.write_str("the agreement does not name the purpose"),
            Self::RetentionTooLong { agreed, allowed } => {
                write!(f, "the recipient may keep records for {agreed} days, and the transfer policy allows {allowed}")
            }
            Self::Weaker(shortfalls) => {
                f.write_str("the recipient protects records less than the transfer policy requires")?;
                shortfalls
                    .iter()
                    .enumerate()
                    .try_for_each(|(at, shortfall)| write!(f, "{} {shortfall}", if at == 0 { ":" } else { ";" }))
            }
        }
    }
}

impl Agreement {
    /// Every reason why, at `now`, parts of these kinds and these fields may not go to the recipient for this purpose.
    /// Empty if they may.
    ///
    /// Not asked here: whether a record is in the agreement's scope ([`covers`](Self::covers)), whether the keys that
    /// agreement and policy name are the tenant's, and whether both are its newest.
    pub fn refusals(
        &self,
        policy: &TransferPolicy,
        purpose: &str,
        kinds: &[PartKind],
        fields: &[Field],
        now: Timestamp,
    ) -> Vec<Refusal> {
        let (terms, class) = (self.terms(), self.recipient().class());
        let (agreed, allowed) = (terms.retention_days, policy.max_retention_days());
        let marketing = class == RecipientClass::MarketingPartner;
        let shortfalls = terms.profile.shortfalls(policy.required());
        let whole = [
            (!self.is_signed_by_tenant(), Refusal::NotSignedByTenant),
            (!self.is_signed_by_recipient(), Refusal::NotSignedByRecipient),
            (!policy.is_signed(), Refusal::PolicyNotSigned),
            ((policy.vault(), policy.tenant()) != (self.vault(), self.tenant()), Refusal::PolicyOfAnother),
            (now < terms.valid_from, Refusal::NotYetValid(terms.valid_from)),
            (now >= terms.valid_until, Refusal::Expired(terms.valid_until)),
            (marketing, Refusal::Marketing),
            (!marketing && !policy.classes().contains(&class), Refusal::ClassNotAllowed(class)),
            (!shortfalls.is_empty(), Refusal::Weaker(shortfalls)),
            (agreed > allowed, Refusal::RetentionTooLong { agreed, allowed }),
            (!terms.purposes.contains(purpose), Refusal::PurposeNotAgreed),
        ];
        let kinds = kinds.iter().map(|kind| (!terms.kinds.contains(kind), Refusal::KindNotAgreed(*kind)));
        let fields = fields.iter().map(|field| (!terms.fields.contains(field), Refusal::FieldNotAgreed(*field)));
        whole.into_iter().chain(kinds).chain(fields).filter_map(|(refused, why)| refused.then_some(why)).collect()
    }
}
