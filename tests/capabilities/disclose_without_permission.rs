use std::ops::ControlFlow;
use strongroom::{Permission, ProductionOptions, ProductionProfile, Vault};

fn discloses(vault: &Vault, permission: Permission<'_>) {
    let options = ProductionOptions::new(ProductionProfile::Portable);
    let _ = vault.disclose(permission, options, "officer", Vec::new(), |_| ControlFlow::Continue(()));
}

fn main() {}
