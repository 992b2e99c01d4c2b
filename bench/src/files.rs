//! The peer that is a folder of plain files, each durable when its write returns.

use std::fs::{self, File};
use std::io::{Result, Write};
use std::path::Path;
use std::time::Instant;

use crate::work::{Work, audio};

/// Does the work in `dir` and gives its seconds; `None` if it is none for files.
pub fn run(work: Work, dir: &Path) -> Result<Option<f64>> {
    let Work::Audio { len, count } = work else { return Ok(None) };
    let _ = fs::remove_dir_all(dir);
    fs::create_dir_all(dir)?;
    let body = audio(len);
    add(dir, "first", &body)?;
    let start = Instant::now();
    for n in 0..count {
        add(dir, &n.to_string(), &body)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    fs::remove_dir_all(dir)?;
    Ok(Some(seconds))
}

/// Write, sync, rename, sync the folder.
pub fn add(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let draft = dir.join(format!("{name}.tmp"));
    let mut file = File::create_new(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, dir.join(name))?;
    File::open(dir)?.sync_all()
}
