//! The clock: somebody apart says that he saw the ledgers, and when.

use crate::error::Result;
use crate::key::ClockKey;
use crate::ledger::{Marks, refuse_lags};
use crate::time::Timestamp;
use crate::tlog::{KeyKind, SignedCheckpoint, VerifierKey};
use crate::vault::Vault;

impl ClockKey {
    /// The clock as an auditor must know it: its name is `strongroom.clock/` and the hash of its key.
    ///
    /// # Errors
    /// None that its name could give.
    pub fn verifier(&self) -> Result<VerifierKey> {
        let key = self.public_key();
        let hash = <sha2::Sha256 as sha2::Digest>::digest(key.as_bytes());
        VerifierKey::new(format!("strongroom.clock/{}", crate::id::hex(&hash)), KeyKind::Cosigner, key)
    }
}

impl Vault {
    /// Has the clock sign the head of every tenant's open ledger, also of those in which nothing happened. Do so at least
    /// daily, in a process that does not write. Gives what was signed, for the tenants to keep.
    ///
    /// # Errors
    /// [`Tampered`](crate::ErrorKind::Tampered) if a head is not what its log signed,
    /// [`RolledBack`](crate::ErrorKind::RolledBack) if a ledger is behind its mark: then nothing is signed for it or those
    /// behind it; else as the database.
    pub fn cosign(&self, clock: &ClockKey) -> Result<Vec<SignedCheckpoint>> {
        let verifier = clock.verifier()?;
        let (marks, mut signed) = (Marks::read(&self.room)?, Vec::new());
        for tenant in self.room.store.tenants(crate::store::Which::All)? {
            refuse_lags(&marks.lags_of(&self.room, tenant.tenant)?, "signing that a clock saw a ledger")?;
            let log = self.open_log(tenant.tenant)?;
            let mut checkpoint = log.checkpoint()?;
            checkpoint.verify(&log.row.key)?;
            let seconds = Timestamp::now().unix_ms().max(0) as u64 / 1000;
            checkpoint.cosign(&verifier, seconds, |bytes| clock.sign(bytes))?;
            log.keep(&checkpoint, &verifier)?;
            // The sinks are given the line as well.
            let _ = self.ledger().map(|ledger| ledger.publish(tenant.tenant));
            signed.push(checkpoint);
        }
        Ok(signed)
    }
}
