use zeroize::Zeroizing;

use super::keyfile::keyfile;
use super::signing::{PublicKey, Signing};
use crate::encoding::enc;
use crate::error::Result;
use crate::id::{TenantId, VaultId};
use crate::kdf::exp;
use crate::secret::Secret;

/// What the host that runs a vault holds: it signs the checkpoints of every tenant's ledger, and those entries for which
/// nobody else signs. It opens nothing. Keep it outside the vault's folder, and give it to every process that writes
/// there.
///
/// The log keys are `EXP(secret, ENC("log-key"; vault, tenant, u32(generation)))`.
pub struct OperatorKey {
    secret: Secret,
    signing: Signing,
}

impl OperatorKey {
    /// A new operator.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) if the system gives no randomness.
    pub fn generate() -> Result<Self> {
        Ok(Self::from_secret(Secret::generate()?))
    }

    pub(crate) fn from_secret(secret: Secret) -> Self {
        let signing = Signing::from_seed(&exp(&secret, &enc("operator-sign", &[])));
        Self { secret, signing }
    }

    /// The key that checks what the operator signs as itself.
    pub fn public_key(&self) -> PublicKey {
        self.signing.public_key()
    }

    /// Signs as the operator itself: orders, requests to custodians, notices.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message)
    }

    /// The seed of the key above, for the epochs that the operator opens.
    pub(crate) fn signing_seed(&self) -> Secret {
        exp(&self.secret, &enc("operator-sign", &[]))
    }

    /// The key of one of a tenant's logs.
    pub(crate) fn log_key(&self, vault: VaultId, tenant: TenantId, generation: u32) -> Signing {
        let fields: [&[u8]; 3] = [vault.as_bytes(), tenant.as_bytes(), &generation.to_be_bytes()];
        Signing::from_seed(&exp(&self.secret, &enc("log-key", &fields)))
    }

    /// What seals the operator's own papers beside a tenant's entries: `EXP(secret, ENC("operator-paper"; vault, tenant))`.
    pub(crate) fn paper_key(&self, vault: VaultId, tenant: TenantId) -> Secret {
        exp(&self.secret, &enc("operator-paper", &[vault.as_bytes(), tenant.as_bytes()]))
    }

    fn to_secrets(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.secret.expose_secret().to_vec())
    }

    fn parse_secrets(secrets: &[u8]) -> Option<Self> {
        Secret::from_slice(secrets).map(Self::from_secret)
    }
}

keyfile!(OperatorKey, "STRONGROOM-OPERATOR-KEY-", "an operator key");

/// Signs that it saw a checkpoint, and when: the clock beside the ledgers. Keep it from the processes that write, so that
/// none of them can say what time it was.
pub struct ClockKey {
    secret: Secret,
    signing: Signing,
}

impl ClockKey {
    /// A new clock.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) if the system gives no randomness.
    pub fn generate() -> Result<Self> {
        Ok(Self::from_secret(Secret::generate()?))
    }

    pub(crate) fn from_secret(secret: Secret) -> Self {
        let signing = Signing::from_seed(&exp(&secret, &enc("clock-sign", &[])));
        Self { secret, signing }
    }

    /// The key that checks its cosignatures: who audits must know it from elsewhere than the vault.
    pub fn public_key(&self) -> PublicKey {
        self.signing.public_key()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message)
    }

    fn to_secrets(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.secret.expose_secret().to_vec())
    }

    fn parse_secrets(secrets: &[u8]) -> Option<Self> {
        Secret::from_slice(secrets).map(Self::from_secret)
    }
}

keyfile!(ClockKey, "STRONGROOM-CLOCK-KEY-", "a clock key");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_survives_its_text_and_each_log_has_a_key_of_its_own() {
        let operator = OperatorKey::generate().unwrap();
        let back: OperatorKey = operator.expose_secret().parse().unwrap();
        assert_eq!(back.public_key(), operator.public_key());
        let (vault, tenant) = (VaultId::generate().unwrap(), TenantId::generate().unwrap());
        let key = |generation| operator.log_key(vault, tenant, generation).public_key();
        assert_eq!(back.log_key(vault, tenant, 1).public_key(), key(1));
        assert_ne!(key(1), key(2));
        assert_ne!(operator.log_key(vault, TenantId::generate().unwrap(), 1).public_key(), key(1));
        assert_ne!(key(1), operator.public_key());
        assert!(operator.expose_secret().parse::<ClockKey>().is_err());
        let clock = ClockKey::generate().unwrap();
        assert_eq!(clock.expose_secret().parse::<ClockKey>().unwrap().public_key(), clock.public_key());
    }
}
