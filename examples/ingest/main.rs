//! The main job: ingest interactions with public keys only, and give them back to their owner alone.
//!
//! `cargo run --release --example ingest` makes a vault under `target/` and shows everything on the sample data.
//! `… --example ingest -- --vault DIR --tenant NAME PATH...` ingests folders of audio and text files for real use;
//! run it again to go on where it stopped.

mod demo;
mod files;
mod folders;
mod screen;

use std::process::ExitCode;

const USAGE: &str = "usage: ingest                                    show everything on the sample data
       ingest --vault DIR --tenant NAME PATH...  ingest files and folders; run again to resume

DIR is made if it is not there. The tenant's identity and the writer's key are kept in DIR.keys: whoever has the
identity reads the tenant's records, and nobody reads them without it. Move it to where the tenant keeps secrets.";

fn main() -> ExitCode {
    let done = match Arguments::parse(std::env::args().skip(1)) {
        Ok(None) => demo::run(),
        Ok(Some(arguments)) => folders::run(&arguments.vault, &arguments.tenant, &arguments.paths),
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", screen::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    vault: String,
    tenant: String,
    paths: Vec<String>,
}

impl Arguments {
    /// Nothing if there are none.
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let (mut vault, mut tenant, mut paths) = (None, None, Vec::new());
        let mut arguments = arguments.peekable();
        if arguments.peek().is_none() {
            return Ok(None);
        }
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--vault" => vault = Some(arguments.next().ok_or("--vault needs a folder")?),
                "--tenant" => tenant = Some(arguments.next().ok_or("--tenant needs a name")?),
                option if option.starts_with('-') => return Err(format!("unknown option {option}")),
                _ => paths.push(argument),
            }
        }
        match (vault, tenant) {
            (Some(vault), Some(tenant)) if !paths.is_empty() => Ok(Some(Self { vault, tenant, paths })),
            _ => Err("--vault, --tenant and at least one path are needed".into()),
        }
    }
}
