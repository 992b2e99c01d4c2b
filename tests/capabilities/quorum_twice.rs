use std::ops::ControlFlow;
use strongroom::{ProductionOptions, ProductionProfile, Quorum, Vault};

fn discloses_once(vault: &Vault, quorum: Quorum) {
    let options = || ProductionOptions::new(ProductionProfile::Portable);
    let _ = vault.disclose(quorum, options(), "officer", Vec::new(), |_| ControlFlow::Continue(()));
}

fn main() {}
