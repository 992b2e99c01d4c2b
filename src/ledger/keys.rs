use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::id::{TenantId, VaultId};
use crate::key::{OperatorKey, Signing};
use crate::store::LogKeys;

/// The keys of the logs, made as they are needed.
pub(super) struct KeyRing {
    pub(super) vault: VaultId,
    pub(super) operator: Arc<OperatorKey>,
    pub(super) known: RwLock<HashMap<(TenantId, u32), Arc<Signing>>>,
}

impl LogKeys for KeyRing {
    fn log_key(&self, tenant: TenantId, generation: u32) -> Arc<Signing> {
        let place = (tenant, generation);
        if let Some(key) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return Arc::clone(key);
        }
        let key = Arc::new(self.operator.log_key(self.vault, tenant, generation));
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(place, Arc::clone(&key));
        key
    }
}
