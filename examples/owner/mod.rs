//! How an owner's example begins: with a vault, an identity and a session.

use std::io::{self, BufRead};
use std::path::Path;
use std::sync::Arc;

use strongroom::{Access, ErrorKind, Identity, OperatorKey, Tenant, TenantSession, Vault, age};

use crate::told::Done;

/// Opens the records of the tenant whose identity it is. The example `ingest` leaves the operator's key in `VAULT.keys`.
pub fn session(vault: &str, identity: &str, access: Access) -> Done<(Tenant, TenantSession)> {
    let operator = OperatorKey::read_file(Path::new(vault).with_added_extension("keys").join("operator.key"))?;
    let (vault, identity) = (Vault::open(vault, operator)?, Arc::new(open_identity(identity)?));
    let tenant = vault.tenants()?.into_iter().find(|tenant| tenant.card.recipient() == identity.recipient());
    let tenant = tenant.ok_or("no tenant of this vault has that key")?;
    let session = vault.session(tenant.id, identity, access)?;
    Ok((tenant, session))
}

fn open_identity(path: &str) -> Done<Identity> {
    match Identity::read_file(path) {
        // Not a plain one: perhaps under a passphrase.
        Err(e) if e.kind() == ErrorKind::InvalidInput => {
            eprint!("passphrase (shown as you type): ");
            let mut passphrase = String::new();
            io::stdin().lock().read_line(&mut passphrase)?;
            Ok(Identity::read_encrypted_file(path, &age::Passphrase::new(passphrase.trim_end_matches(['\r', '\n'])))?)
        }
        read => Ok(read?),
    }
}
