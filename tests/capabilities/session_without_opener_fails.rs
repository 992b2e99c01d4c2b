use strongroom::{Access, TenantCard, TenantSession, Vault};

fn opens(vault: &Vault, card: &TenantCard, access: Access) {
    let _ = TenantSession::new(vault, card.tenant(), access);
}

fn main() {}
