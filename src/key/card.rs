use std::fmt;
use std::str::FromStr;

use super::hpke::Recipient;
use super::identity::Identity;
use super::policy::{DisclosurePolicy, PolicyHash};
use super::signing::{PublicKey, signed, split_signed};
use crate::encoding::{Fields, enc};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId, unhex};

const LABEL: &str = "tenant-card";
const SUCCESSOR: &str = "tenant-card-successor";

macro_rules! hashes {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            pub(crate) fn of(body: &[u8]) -> Self {
                Self(<::sha2::Sha256 as ::sha2::Digest>::digest(body).into())
            }

            /// The hash that has these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Its 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            /// 64 lower-case hexadecimal digits.
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&$crate::id::hex(&self.0))
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    )*};
}
pub(super) use hashes;

hashes! {
    /// SHA-256 of a card's body: what ingest pins.
    CardHash,
}

/// What a tenant publishes so that others can seal to it: its HPKE key and its Ed25519 key, for one vault, signed by
/// itself. Public. SPEC "Tenant card".
#[derive(Clone, PartialEq, Eq)]
pub struct TenantCard {
    vault: VaultId,
    tenant: TenantId,
    version: u32,
    recipient: Recipient,
    public_key: PublicKey,
    previous: [u8; 32],
    body: Vec<u8>,
    signature: [u8; 64],
    /// By the key of the card before, which a successor has and a first card has not.
    endorsement: Option<[u8; 64]>,
}

impl TenantCard {
    /// The card of `identity` as `tenant` of `vault`.
    pub fn new(vault: VaultId, tenant: TenantId, identity: &Identity) -> Self {
        Self::build(vault, tenant, 1, [0; 32], identity)
    }

    fn build(vault: VaultId, tenant: TenantId, version: u32, previous: [u8; 32], identity: &Identity) -> Self {
        let (recipient, public_key) = (identity.recipient().clone(), identity.public_key());
        let body = body(vault, tenant, version, &recipient, &public_key, &previous);
        let signature = identity.sign(&body);
        Self { vault, tenant, version, recipient, public_key, previous, body, signature, endorsement: None }
    }

    /// The card that follows this one: the same tenant under a new identity, endorsed by the old one. Whoever trusts
    /// this card can follow to it.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if `old` is not this card's.
    pub fn successor(&self, old: &Identity, new: &Identity) -> Result<Self> {
        if old.public_key() != self.public_key {
            return Err(Error::new(ErrorKind::WrongKey, "endorsing a tenant's next card"));
        }
        let hash = *self.hash().as_bytes();
        let mut card = Self::build(self.vault, self.tenant, self.version + 1, hash, new);
        card.endorsement = Some(old.sign(&enc(SUCCESSOR, &[&card.body])));
        Ok(card)
    }

    /// Checks that this card follows `before` and that the key of that one says so.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it does not.
    pub fn verify_succession(&self, before: &Self) -> Result<()> {
        let doing = "verifying that a tenant's card follows another";
        let follows = (self.vault, self.tenant, self.version) == (before.vault, before.tenant, before.version + 1)
            && &self.previous == before.hash().as_bytes();
        match self.endorsement.filter(|_| follows) {
            Some(endorsement) => before.public_key.verify(&enc(SUCCESSOR, &[&self.body]), &endorsement, doing),
            None => Err(Error::new(ErrorKind::Tampered, doing)),
        }
    }

    /// A card for keys held elsewhere: `sign` gives the Ed25519 signature of the bytes it is shown by `public_key`.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the signature does not verify; those of `sign`.
    pub fn sign_with(
        vault: VaultId,
        tenant: TenantId,
        recipient: Recipient,
        public_key: PublicKey,
        sign: impl FnOnce(&[u8]) -> Result<[u8; 64]>,
    ) -> Result<Self> {
        let (version, previous) = (1, [0; 32]);
        let body = body(vault, tenant, version, &recipient, &public_key, &previous);
        let signature = sign(&body)?;
        public_key.verify(&body, &signature, "verifying a tenant card's signature")?;
        Ok(Self { vault, tenant, version, recipient, public_key, previous, body, signature, endorsement: None })
    }

    /// The vault that it is for.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The tenant that it is of.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// 1, and one more for every successor.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The key that epochs are sealed to.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The key that signed this card and signs the tenant's policies.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// What ingest pins.
    pub fn hash(&self) -> CardHash {
        CardHash::of(&self.body)
    }

    /// The card as bytes, for a file or a wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let signed = signed(&self.body, &self.signature);
        match &self.endorsement {
            Some(endorsement) => enc(SUCCESSOR, &[&signed, endorsement]),
            None => signed,
        }
    }

    /// Parses and verifies a card.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the bytes are no card or its signature does not verify. A successor's
    /// endorsement is verified against the card before it, by [`verify_succession`](Self::verify_succession).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (bytes, endorsement) = match Fields::of(SUCCESSOR, bytes) {
            Ok(mut successor) => {
                let (bytes, endorsement) = (successor.bytes()?, successor.array()?);
                successor.end()?;
                (bytes, Some(endorsement))
            }
            Err(_) => (bytes, None),
        };
        let (body, signature) = split_signed(bytes)?;
        let mut f = Fields::of(LABEL, body)?;
        let (vault, tenant) = (VaultId::from_bytes(f.array()?), TenantId::from_bytes(f.array()?));
        let version = u32::from_be_bytes(f.array()?);
        let recipient = Recipient::from_field(f.bytes()?)?;
        let public_key = PublicKey::from_bytes(f.array()?)?;
        let previous: [u8; 32] = f.array()?;
        f.end()?;
        let first = version == 1 && previous == [0; 32];
        if endorsement.is_some() == first || version == 0 || (version == 1) != first {
            return Err(Error::new(ErrorKind::Tampered, "reading a tenant's card"));
        }
        public_key.verify(body, &signature, "verifying a tenant card's signature")?;
        let body = body.to_vec();
        Ok(Self { vault, tenant, version, recipient, public_key, previous, body, signature, endorsement })
    }
}

fn body(
    vault: VaultId,
    tenant: TenantId,
    version: u32,
    recipient: &Recipient,
    public_key: &PublicKey,
    previous: &[u8; 32],
) -> Vec<u8> {
    let version = version.to_be_bytes();
    enc(LABEL, &[vault.as_bytes(), tenant.as_bytes(), &version, &recipient.to_field(), public_key.as_bytes(), previous])
}

impl fmt::Debug for TenantCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            vault,
            tenant,
            version,
            recipient: _,
            public_key,
            previous: _,
            body: _,
            signature: _,
            endorsement: _,
        } = self;
        write!(f, "TenantCard({vault}, {tenant}, version {version}, {public_key}, {})", self.hash())
    }
}

/// What an ingest process knows of a tenant from its own configuration, so that nobody who writes to the database can
/// make it seal to other keys: the tenant's card and disclosure policy, by hash.
///
/// As text: `tenant/card/policy`, a UUID and two SHA-256 in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantPin {
    /// The tenant.
    pub tenant: TenantId,
    /// The hash of its card.
    pub card: CardHash,
    /// The hash of its disclosure policy.
    pub policy: PolicyHash,
}

impl TenantPin {
    /// The pin of a card and policy that you hold and trust.
    pub fn of(card: &TenantCard, policy: &DisclosurePolicy) -> Self {
        Self { tenant: card.tenant(), card: card.hash(), policy: policy.hash() }
    }
}

impl fmt::Display for TenantPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.card, self.policy)
    }
}

impl FromStr for TenantPin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::new(ErrorKind::InvalidInput, "parsing a tenant pin");
        let hash = |text: &str| unhex(text).and_then(|b| <[u8; 32]>::try_from(b).ok());
        let mut parts = text.trim().split('/');
        let (Some(tenant), Some(card), Some(policy), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        Ok(Self {
            tenant: tenant.parse()?,
            card: CardHash::from_bytes(hash(card).ok_or_else(bad)?),
            policy: PolicyHash::from_bytes(hash(policy).ok_or_else(bad)?),
        })
    }
}
