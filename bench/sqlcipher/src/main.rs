//! Does the workloads that it is told to on SQLCipher: `run <workload>` on a line in, seconds on a line out.

use std::io::{BufRead, Write};
use std::path::Path;

#[path = "../../src/sqlite.rs"]
mod sqlite;
#[allow(dead_code)]
#[path = "../../src/work.rs"]
mod work;

/// A raw key, as SQLCipher's own documentation advises where keys are random: no passphrase is stretched.
const KEY: &str = "x'2DD29CA851E7B56E4697B0E1F08507293D761A05CE4D1B628663F411A8086D99'";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("give the folder to work in")?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let work = line.strip_prefix("run ").ok_or("say: run <workload>")?.parse()?;
        let options = sqlite::Options { page_size: None, key: Some(KEY) };
        let seconds = sqlite::run(work, options, Path::new(&dir))?;
        println!("{seconds}");
        std::io::stdout().flush()?;
    }
    Ok(())
}
