//! Goes on with a vault of which an old copy was put back: `restore VAULT` says what is missing, `restore VAULT REASON` goes
//! on and tells the tenants why. The operator's key is looked for in VAULT.keys, as the other examples leave it.

mod told;

use std::path::Path;
use std::process::ExitCode;

use strongroom::{OperatorKey, Vault};
use told::{Done, end};

fn main() -> ExitCode {
    end(run())
}

fn run() -> Done<bool> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (vault, reason) = match &args[..] {
        [vault] => (vault, None),
        [vault, reason] => (vault, Some(reason)),
        _ => return Err("usage: restore VAULT [REASON]".into()),
    };
    let operator = OperatorKey::read_file(Path::new(vault).with_added_extension("keys").join("operator.key"))?;
    let restoration = Vault::open_to_restore(vault, operator)?;
    for loss in restoration.losses() {
        println!("{loss}");
    }
    let Some(reason) = reason else {
        println!(
            "Nothing was changed. With a reason, another ledger goes on for each of {}.",
            restoration.losses().len()
        );
        return Ok(restoration.losses().is_empty());
    };
    for restored in restoration.restore(reason)? {
        println!("The ledger of tenant {} goes on under the key {}.", restored.tenant, restored.key);
    }
    Ok(true)
}
