use std::fmt;

use super::card::{TenantCard, hashes};
use super::hpke::Recipient;
use super::identity::Identity;
use super::signing::{PublicKey, signed, split_signed};
use crate::encoding::{Fields, enc};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId};

const LABEL: &str = "disclosure-policy";
/// Custodians at the most.
const MAX_CUSTODIANS: usize = 16;

hashes! {
    /// SHA-256 of a disclosure policy's body: part of every `info` and context, and of what ingest pins.
    PolicyHash,
}

/// The public side of a custodian: the key that shares are sealed to, and the key that checks what the custodian approves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodianKey {
    recipient: Recipient,
    key: PublicKey,
}

impl CustodianKey {
    /// Of a custodian who keeps the two secret keys apart, in an HSM for example. See `From<&Identity>` for one identity
    /// that is both.
    pub fn new(recipient: Recipient, key: PublicKey) -> Self {
        Self { recipient, key }
    }

    /// What shares are sealed to.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// What checks the custodian's signature.
    pub fn public_key(&self) -> PublicKey {
        self.key
    }

    fn to_field(&self) -> Vec<u8> {
        [&self.recipient.to_field()[..], self.key.as_bytes()].concat()
    }

    fn from_field(field: &[u8]) -> Result<Self> {
        let parts = field.split_last_chunk::<32>();
        let (recipient, key) = parts.ok_or_else(|| Error::new(ErrorKind::Tampered, "parsing a custodian's keys"))?;
        Ok(Self { recipient: Recipient::from_field(recipient)?, key: PublicKey::from_bytes(*key)? })
    }
}

impl From<&Identity> for CustodianKey {
    fn from(identity: &Identity) -> Self {
        Self::new(identity.recipient().clone(), identity.public_key())
    }
}

/// Who can open a tenant's records when the law requires it: nobody, or any M of N custodians together. Signed by the
/// tenant. Public. SPEC "Disclosure policy".
#[derive(Clone, PartialEq, Eq)]
pub struct DisclosurePolicy {
    vault: VaultId,
    tenant: TenantId,
    version: u32,
    previous: [u8; 32],
    threshold: u8,
    custodians: Vec<CustodianKey>,
    body: Vec<u8>,
    signature: [u8; 64],
}

impl DisclosurePolicy {
    /// Nobody but the tenant.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if `identity` is not the card's.
    pub fn none(card: &TenantCard, identity: &Identity) -> Result<Self> {
        Self::build(card, None, 0, Vec::new(), identity)
    }

    /// Any `threshold` of the custodians, who must be 2 to 16 and all different; `threshold` is at least 2.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the numbers do not fit or a custodian is named twice or is the
    /// tenant; [`WrongKey`](ErrorKind::WrongKey) if `identity` is not the card's.
    pub fn quorum(
        card: &TenantCard,
        threshold: u8,
        custodians: Vec<CustodianKey>,
        identity: &Identity,
    ) -> Result<Self> {
        check(threshold, &custodians, ErrorKind::InvalidInput)?;
        if threshold == 0 || has_tenant(&custodians, card) {
            return Err(invalid(ErrorKind::InvalidInput));
        }
        Self::build(card, None, threshold, custodians, identity)
    }

    /// The policy that follows this one, signed by the card that is in force then. With threshold 0 and no custodians,
    /// nobody but the tenant.
    ///
    /// # Errors
    /// As [`quorum`](Self::quorum).
    pub fn successor(
        &self,
        card: &TenantCard,
        threshold: u8,
        custodians: Vec<CustodianKey>,
        identity: &Identity,
    ) -> Result<Self> {
        if has_tenant(&custodians, card) {
            return Err(invalid(ErrorKind::InvalidInput));
        }
        Self::build(card, Some(self), threshold, custodians, identity)
    }

    /// Whether this card's key signed it.
    pub(crate) fn is_signed_by(&self, card: &TenantCard) -> bool {
        card.public_key().verify(&self.body, &self.signature, "verifying a disclosure policy's signature").is_ok()
    }

    /// Checks that this policy follows `before`.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it does not.
    pub fn verify_succession(&self, before: &Self) -> Result<()> {
        let follows = (self.vault, self.tenant, self.version) == (before.vault, before.tenant, before.version + 1);
        if follows && &self.previous == before.hash().as_bytes() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Tampered, "verifying that a disclosure policy follows another"))
    }

    fn build(
        card: &TenantCard,
        before: Option<&Self>,
        threshold: u8,
        custodians: Vec<CustodianKey>,
        identity: &Identity,
    ) -> Result<Self> {
        if identity.public_key() != card.public_key() {
            return Err(Error::new(ErrorKind::WrongKey, "signing a disclosure policy"));
        }
        Self::sign(card, before, threshold, custodians, |body| Ok(identity.sign(body)))
    }

    /// As [`quorum`](Self::quorum), or [`none`](Self::none) with zero custodians, for a signing key held elsewhere.
    ///
    /// # Errors
    /// As there; [`Tampered`](ErrorKind::Tampered) if the signature does not verify; those of `sign`.
    pub fn sign_with(
        card: &TenantCard,
        threshold: u8,
        custodians: Vec<CustodianKey>,
        sign: impl FnOnce(&[u8]) -> Result<[u8; 64]>,
    ) -> Result<Self> {
        Self::sign(card, None, threshold, custodians, sign)
    }

    fn sign(
        card: &TenantCard,
        before: Option<&Self>,
        threshold: u8,
        custodians: Vec<CustodianKey>,
        sign: impl FnOnce(&[u8]) -> Result<[u8; 64]>,
    ) -> Result<Self> {
        check(threshold, &custodians, ErrorKind::InvalidInput)?;
        let (vault, tenant) = (card.vault(), card.tenant());
        let version = before.map_or(1, |before| before.version + 1);
        let previous = before.map_or([0; 32], |before| *before.hash().as_bytes());
        let (counts, number) = ([[threshold], [custodians.len() as u8]], version.to_be_bytes());
        let keys: Vec<Vec<u8>> = custodians.iter().map(CustodianKey::to_field).collect();
        let mut fields: Vec<&[u8]> =
            vec![vault.as_bytes(), tenant.as_bytes(), &number, &previous, &counts[0], &counts[1]];
        fields.extend(keys.iter().map(Vec::as_slice));
        let body = enc(LABEL, &fields);
        let signature = sign(&body)?;
        card.public_key().verify(&body, &signature, "verifying a disclosure policy's signature")?;
        Ok(Self { vault, tenant, version, previous, threshold, custodians, body, signature })
    }

    /// The tenant that it is of.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// 1, and one more for every successor.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How many custodians must agree; 0 where there are none.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The custodians' keys, numbered from 1 in this order.
    pub fn custodians(&self) -> &[CustodianKey] {
        &self.custodians
    }

    /// The number of the custodian who has both of these keys.
    pub(crate) fn number_of(&self, recipient: &Recipient, key: &PublicKey) -> Option<u8> {
        let own = |custodian: &CustodianKey| custodian.recipient == *recipient && custodian.key == *key;
        self.custodians.iter().position(own).and_then(|at| u8::try_from(at + 1).ok())
    }

    /// What ingest pins.
    pub fn hash(&self) -> PolicyHash {
        PolicyHash::of(&self.body)
    }

    /// The policy as bytes, for a file or a wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        signed(&self.body, &self.signature)
    }

    /// Parses a policy and verifies that `card`'s tenant signed it for `card`'s vault.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn from_bytes(bytes: &[u8], card: &TenantCard) -> Result<Self> {
        let policy = Self::parse(bytes)?;
        if (policy.vault, policy.tenant) != (card.vault(), card.tenant()) {
            return Err(invalid(ErrorKind::Tampered));
        }
        card.public_key().verify(&policy.body, &policy.signature, "verifying a disclosure policy's signature")?;
        Ok(policy)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let (body, signature) = split_signed(bytes)?;
        let mut f = Fields::of(LABEL, body)?;
        let (vault, tenant) = (VaultId::from_bytes(f.array()?), TenantId::from_bytes(f.array()?));
        let version = u32::from_be_bytes(f.array()?);
        let previous: [u8; 32] = f.array()?;
        let ([threshold], [count]) = (f.array()?, f.array()?);
        if f.remaining() != usize::from(count) || f.remaining() > MAX_CUSTODIANS {
            return Err(f.bad());
        }
        let custodians = (0..count).map(|_| CustodianKey::from_field(f.bytes()?)).collect::<Result<Vec<_>>>()?;
        f.end()?;
        if version == 0 || (version == 1) != (previous == [0; 32]) {
            return Err(f.bad());
        }
        check(threshold, &custodians, ErrorKind::Tampered)?;
        Ok(Self { vault, tenant, version, previous, threshold, custodians, body: body.to_vec(), signature })
    }
}

fn check(threshold: u8, custodians: &[CustodianKey], kind: ErrorKind) -> Result<()> {
    let none = threshold == 0 && custodians.is_empty();
    let quorum = threshold >= 2 && usize::from(threshold) <= custodians.len() && custodians.len() <= MAX_CUSTODIANS;
    let same = |a: &CustodianKey, b: &CustodianKey| a.recipient == b.recipient || a.key == b.key;
    let distinct = custodians.iter().enumerate().all(|(i, c)| !custodians[..i].iter().any(|before| same(before, c)));
    if (none || quorum) && distinct { Ok(()) } else { Err(invalid(kind)) }
}

/// Whether the tenant, who opens everything anyway, is one of them.
fn has_tenant(custodians: &[CustodianKey], card: &TenantCard) -> bool {
    custodians.iter().any(|c| c.recipient == *card.recipient() || c.key == card.public_key())
}

fn invalid(kind: ErrorKind) -> Error {
    Error::new(kind, "checking a disclosure policy")
}

impl fmt::Debug for DisclosurePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vault: _, tenant, version: _, previous: _, threshold, custodians, body: _, signature: _ } = self;
        write!(f, "DisclosurePolicy({tenant}, {threshold} of {}, {})", custodians.len(), self.hash())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Suite;

    fn card() -> (Identity, TenantCard) {
        let identity = Identity::generate_for(Suite::X25519).unwrap();
        let card = TenantCard::new(VaultId::generate().unwrap(), TenantId::generate().unwrap(), &identity);
        (identity, card)
    }

    fn people(n: usize) -> Vec<CustodianKey> {
        (0..n).map(|_| CustodianKey::from(&Identity::generate_for(Suite::X25519).unwrap())).collect()
    }

    #[test]
    fn cards_and_policies_parse_back_and_a_flipped_bit_is_refused() {
        let (identity, card) = card();
        let policy = DisclosurePolicy::quorum(&card, 2, people(3), &identity).unwrap();
        assert_eq!(TenantCard::from_bytes(&card.to_bytes()).unwrap(), card);
        assert_eq!(DisclosurePolicy::from_bytes(&policy.to_bytes(), &card).unwrap(), policy);
        for i in 0..card.to_bytes().len() {
            let mut bytes = card.to_bytes();
            bytes[i] ^= 1;
            assert!(TenantCard::from_bytes(&bytes).is_err(), "byte {i}");
        }
        for i in 0..policy.to_bytes().len() {
            let mut bytes = policy.to_bytes();
            bytes[i] ^= 1;
            assert!(DisclosurePolicy::from_bytes(&bytes, &card).is_err(), "byte {i}");
        }
    }

    #[test]
    fn quorums_that_are_too_small_too_large_or_repeat_a_custodian_are_refused() {
        let (identity, card) = card();
        let same = people(1)[0].clone();
        let one = people(1)[0].clone();
        for (m, who) in [
            (1, people(3)),
            (4, people(3)),
            (0, people(2)),
            (2, people(17)),
            (2, vec![same.clone(), same]),
            (0, vec![]),
            // One who signs for two, and the tenant itself.
            (2, vec![one.clone(), CustodianKey::new(people(1)[0].recipient().clone(), one.public_key())]),
            (2, vec![one.clone(), CustodianKey::from(&identity)]),
        ] {
            let refused = DisclosurePolicy::quorum(&card, m, who, &identity).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{m}");
        }
        let other = Identity::generate().unwrap();
        assert_eq!(DisclosurePolicy::none(&card, &other).unwrap_err().kind(), ErrorKind::WrongKey);
    }
}
