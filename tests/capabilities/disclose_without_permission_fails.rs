use std::ops::ControlFlow;
use strongroom::{DisclosureOrder, ProductionOptions, ProductionProfile, Vault};

fn discloses(vault: &Vault, order: DisclosureOrder) {
    let options = ProductionOptions::new(ProductionProfile::Portable);
    let _ = vault.disclose(order, options, "officer", Vec::new(), |_| ControlFlow::Continue(()));
}

fn main() {}
