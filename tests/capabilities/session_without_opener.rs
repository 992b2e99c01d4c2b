use strongroom::{Access, Identity, TenantCard, Vault};

fn opens(vault: &Vault, card: &TenantCard, identity: Identity, access: Access) {
    let _ = vault.session(card.tenant(), identity, access);
}

fn main() {}
