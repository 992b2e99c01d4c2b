//! Entries of a ledger that a tenant must not read yet. SPEC 14.6.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::encoding::{Fields, enc};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId, hex, unhex};
use crate::kdf::exp;
use crate::key::{CustodianKey, Opener, PublicKey, seal, signed, split_signed};
use crate::secret::Secret;
use crate::time::Timestamp;

const LABEL: &str = "withheld";
/// The topic under which it is stored, in clear, beside its entry.
pub(crate) const WITHHELD: &str = "withheld";

/// The key of everything that is withheld from a tenant because of one order. Wiped when dropped.
pub struct GagKey(Secret);

impl GagKey {
    pub(crate) fn generate() -> Result<Self> {
        Secret::generate().map(Self)
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Secret::from_slice(bytes).map(Self)
    }

    pub(crate) fn copy(&self) -> Self {
        Self(Secret::from_fn(|k| k.copy_from_slice(self.0.expose_secret())))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// By which a withheld message says that it is of this gag.
    pub(crate) fn id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&exp(&self.0, &enc("gag-id", &[])).expose_secret()[..16]);
        id
    }

    /// What stands for the tenant's message key in the sealing of an entry.
    pub(crate) fn message_key(&self, log: &PublicKey, seq: u64) -> Secret {
        exp(&self.0, &enc("gag-message", &[log.as_bytes(), &seq.to_be_bytes()]))
    }

    /// The key as text: 64 hexadecimal digits.
    pub fn expose_secret(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.as_bytes()))
    }
}

impl FromStr for GagKey {
    type Err = Error;

    /// Parses what [`expose_secret`](Self::expose_secret) gives.
    fn from_str(text: &str) -> Result<Self> {
        let bytes = unhex(text).map(Zeroizing::new);
        let key = bytes.and_then(|bytes| Self::from_slice(&bytes));
        key.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing the key of a gag"))
    }
}

impl fmt::Debug for GagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GagKey(..)")
    }
}

/// What stands beside an entry that a tenant cannot read yet: until when, and the key for it, sealed to each custodian. Signed by
/// the operator, so that nobody else can make an entry look withheld.
#[derive(Clone, PartialEq, Eq)]
pub struct Withheld {
    vault: VaultId,
    tenant: TenantId,
    log: PublicKey,
    seq: u64,
    gag: [u8; 16],
    until: Timestamp,
    seals: GagSeals,
    body: Vec<u8>,
    signature: [u8; 64],
}

/// SHA-256 of a custodian's key field, and what is sealed to it.
pub(super) type GagSeals = Vec<([u8; 32], Vec<u8>)>;

/// A gag: its key, its day, and the key sealed to the custodians, the same beside every entry of it.
pub(crate) struct Gag {
    key: GagKey,
    until: Timestamp,
    seals: GagSeals,
}

impl Gag {
    pub(crate) fn new(
        key: GagKey,
        vault: VaultId,
        tenant: TenantId,
        until: Timestamp,
        custodians: &[CustodianKey],
    ) -> Result<Self> {
        let info = info(vault, tenant, &key.id(), until);
        let seal = |custodian: &CustodianKey| {
            let recipient = custodian.recipient();
            Ok((Sha256::digest(recipient.to_field()).into(), seal(recipient, &info, key.as_bytes())?))
        };
        let seals = custodians.iter().map(seal).collect::<Result<_>>()?;
        Ok(Self { key, until, seals })
    }

    pub(crate) fn key(&self) -> &GagKey {
        &self.key
    }

    pub(crate) fn copy(&self) -> Self {
        Self { key: self.key.copy(), until: self.until, seals: self.seals.clone() }
    }

    /// Key, day and seals, as the operator keeps them.
    pub(super) fn to_parts(&self) -> ([u8; 32], Timestamp, GagSeals) {
        (*self.key.as_bytes(), self.until, self.seals.clone())
    }

    pub(super) fn from_parts(key: &[u8; 32], until: Timestamp, seals: GagSeals) -> Self {
        Self { key: GagKey(Secret::from_fn(|k| k.copy_from_slice(key))), until, seals }
    }
}

fn info(vault: VaultId, tenant: TenantId, gag: &[u8; 16], until: Timestamp) -> Vec<u8> {
    enc("gag", &[vault.as_bytes(), tenant.as_bytes(), gag, &until.unix_ms().to_be_bytes()])
}

impl Withheld {
    pub(crate) fn new(
        (vault, tenant): (VaultId, TenantId),
        (log, seq): (PublicKey, u64),
        gag: &Gag,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Self {
        let (until, seals, gag) = (gag.until, gag.seals.clone(), gag.key.id());
        let rows: Vec<Vec<u8>> = seals.iter().map(|(whom, sealed)| [&whom[..], sealed].concat()).collect();
        let (number, time) = (seq.to_be_bytes(), until.unix_ms().to_be_bytes());
        let mut fields: Vec<&[u8]> = vec![vault.as_bytes(), tenant.as_bytes(), log.as_bytes(), &number, &gag, &time];
        fields.extend(rows.iter().map(Vec::as_slice));
        let body = enc(LABEL, &fields);
        let signature = sign(&body);
        Self { vault, tenant, log, seq, gag, until, seals, body, signature }
    }

    /// Parses what [`to_bytes`](Self::to_bytes) gives, and verifies that `operator` signed it.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so.
    pub fn from_bytes(bytes: &[u8], operator: &PublicKey) -> Result<Self> {
        let (body, signature) = split_signed(bytes)?;
        let mut f = Fields::of(LABEL, body)?;
        let mut this = Self {
            vault: VaultId::from_bytes(f.array()?),
            tenant: TenantId::from_bytes(f.array()?),
            log: PublicKey::from_bytes(f.array()?)?,
            seq: u64::from_be_bytes(f.array()?),
            gag: f.array()?,
            until: Timestamp::from_unix_ms(i64::from_be_bytes(f.array()?)),
            seals: Vec::new(),
            body: body.to_vec(),
            signature,
        };
        while f.remaining() > 0 {
            let (whom, sealed) = f.bytes()?.split_first_chunk::<32>().ok_or_else(|| f.bad())?;
            this.seals.push((*whom, sealed.to_vec()));
        }
        operator.verify(body, &signature, "verifying that an operator withholds an entry")?;
        Ok(this)
    }

    /// The bytes, for a file that goes to a custodian.
    pub fn to_bytes(&self) -> Vec<u8> {
        signed(&self.body, &self.signature)
    }

    /// The log and number of the entry.
    pub fn entry(&self) -> (PublicKey, u64) {
        (self.log, self.seq)
    }

    /// Until when the tenant must not read it.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn gag(&self) -> [u8; 16] {
        self.gag
    }

    pub(crate) fn place(&self) -> (VaultId, TenantId, PublicKey, u64) {
        (self.vault, self.tenant, self.log, self.seq)
    }

    pub(super) fn open(&self, custodian: &dyn Opener, now: Timestamp) -> Result<GagKey> {
        let doing = "lifting a gag";
        if now < self.until {
            return Err(Error::new(ErrorKind::Refused, doing).because("its day has not come"));
        }
        let own: [u8; 32] = Sha256::digest(custodian.recipient().to_field()).into();
        let wrong = || Error::new(ErrorKind::WrongKey, doing);
        let (_, sealed) = self.seals.iter().find(|(whom, _)| *whom == own).ok_or_else(wrong)?;
        let (enc, sealed) = sealed.split_at_checked(custodian.recipient().suite().enc_len()).ok_or_else(wrong)?;
        let key = custodian.open(enc, &info(self.vault, self.tenant, &self.gag, self.until), sealed)?;
        let key = GagKey::from_slice(&key).filter(|key| key.id() == self.gag);
        key.ok_or_else(|| Error::new(ErrorKind::Tampered, doing))
    }
}

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Withheld(entry {}, until {})", self.seq, self.until)
    }
}
