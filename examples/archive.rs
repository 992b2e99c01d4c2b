//! Makes a bag of a folder's files, as an archive, and a bag's folder of such an archive.
//!
//! `archive pack FOLDER ARCHIVE | archive unpack ARCHIVE FOLDER`. Packing reads every file twice: first for the
//! manifests, then into the archive; one that changes in between is found out. The archive's time is the present, or that
//! of `SOURCE_DATE_EPOCH` in seconds.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use strongroom::Timestamp;
use strongroom::bagit::{Bag, Limits, Plan, Sums, Verify, unpack};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match &args[..] {
        [act, folder, archive] if act == "pack" => pack(Path::new(folder), Path::new(archive)),
        [act, archive, folder] if act == "unpack" => take_out(Path::new(archive), Path::new(folder)),
        _ => Err("archive pack FOLDER ARCHIVE | archive unpack ARCHIVE FOLDER".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprint!(": {cause}");
                source = cause.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn pack(folder: &Path, archive: &Path) -> Result<(), Box<dyn Error>> {
    let made = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => Timestamp::from_unix_ms(seconds.parse::<i64>()?.checked_mul(1000).ok_or("no such time")?),
        Err(_) => Timestamp::now(),
    };
    let (mut plan, mut sources) = (Plan::new(), Vec::new());
    add(folder, "", &mut plan, &mut sources)?;

    let name = archive.file_stem().and_then(OsStr::to_str).ok_or("the archive needs a name")?;
    let mut writer = plan.write(name, made, File::create_new(archive)?)?;
    while let Some(file) = writer.next_file() {
        writer.put(&mut File::open(&sources[file.added])?, Verify::Sha256)?;
    }
    let (len, mut out) = (writer.archive_len(), writer.finish()?);
    out.flush()?;
    out.sync_all()?;
    println!("{} files with {} bytes are in an archive of {len}", plan.files(), plan.octets());
    Ok(())
}

/// Plans all files below a folder.
fn add(folder: &Path, prefix: &str, plan: &mut Plan, sources: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a name is not UTF-8")?;
        let (path, name) = (entry.path(), format!("{prefix}{name}"));
        if entry.file_type()?.is_dir() {
            add(&path, &format!("{name}/"), plan, sources)?;
        } else {
            let (len, sums) = Sums::read(&mut File::open(&path)?)?;
            plan.add(&name, len, sums)?;
            sources.push(path);
        }
    }
    Ok(())
}

fn take_out(archive: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let unpacked = unpack(&mut File::open(archive)?, folder, Limits::default())?;
    let report = Bag::open(folder)?.verify()?;
    report.findings.iter().for_each(|finding| eprintln!("{finding}"));
    if !report.is_valid() {
        return Err("the bag is not valid".into());
    }
    println!("{}: {} files with {} bytes, a valid bag", unpacked.top, unpacked.files, unpacked.bytes);
    Ok(())
}
