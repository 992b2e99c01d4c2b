//! Writes all records of a tenant as a bag of vCons: `export VAULT IDENTITY-FILE FOLDER`.

mod owner;
mod told;

use std::process::ExitCode;

use strongroom::{Access, Listing};
use told::{Done, end};

fn main() -> ExitCode {
    end(run())
}

fn run() -> Done<bool> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [vault, identity, folder] = &args[..] else { return Err("usage: export VAULT IDENTITY-FILE FOLDER".into()) };
    let (_, session) = owner::session(vault, identity, Access::new("export", "taking everything out"))?;
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
    Ok(true)
}
