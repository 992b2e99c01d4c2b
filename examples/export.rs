//! Writes all records of a tenant as a bag of vCons: `export VAULT IDENTITY-FILE FOLDER`.

use std::error::Error;
use std::io::{self, BufRead};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use strongroom::{Access, ErrorKind, Identity, Listing, OperatorKey, Vault, age};

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Done<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [vault, identity, folder] = &args[..] else { return Err("usage: export VAULT IDENTITY-FILE FOLDER".into()) };
    let (vault, identity) = (open_vault(vault)?, Arc::new(open_identity(identity)?));
    let tenant = vault.tenants()?.into_iter().find(|tenant| tenant.card.recipient() == identity.recipient());
    let tenant = tenant.ok_or("no tenant of this vault has that key")?;
    let session = vault.session(tenant.id, identity, Access::new("export", "taking everything out"))?;
    let (mut ids, mut listing) = (Vec::new(), Listing::by_commit());
    loop {
        let page = session.list(&listing)?;
        ids.extend(page.items.iter().map(|listed| listed.id));
        match page.next {
            Some(next) => listing = listing.after(next),
            None => break,
        }
    }
    let exported = session.export(ids, folder, |_| {})?;
    println!(
        "{} records, {} media files, {} bytes, {} erased",
        exported.records,
        exported.files,
        exported.bytes,
        exported.erased.len()
    );
    Ok(())
}

/// An error and its reasons in one line; the last of ours without one says of which kind it is.
fn chain(error: &(dyn Error + 'static)) -> String {
    match (error.source(), error.downcast_ref::<strongroom::Error>()) {
        (Some(reason), _) => format!("{error}: {}", chain(reason)),
        (None, Some(ours)) => format!("{error}: {:?}", ours.kind()),
        (None, None) => error.to_string(),
    }
}

/// The example `ingest` leaves the operator's key beside the vault.
fn open_vault(path: &str) -> Done<Vault> {
    Ok(Vault::open(path, OperatorKey::read_file(Path::new(path).with_added_extension("keys").join("operator.key"))?)?)
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
