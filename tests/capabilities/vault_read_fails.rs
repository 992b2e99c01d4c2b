use strongroom::{RecordId, Vault};

fn reads(vault: &Vault, record: RecordId) {
    let _ = vault.read(record);
}

fn main() {}
