//! Writes all records of a tenant as a bag of vCons: `export VAULT IDENTITY-FILE FOLDER`.

use std::error::Error;
use std::sync::Arc;

use strongroom::{Access, Identity, Listing, Vault};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [vault, identity, folder] = &args[..] else { return Err("usage: export VAULT IDENTITY-FILE FOLDER".into()) };
    let (vault, identity) = (Vault::open(vault)?, Arc::new(Identity::read_file(identity)?));
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
