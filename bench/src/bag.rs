//! Bags as archives: both passes against reading and hashing the same files, and what a plan holds in memory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use ring::digest::{Context, SHA256, SHA512};
use strongroom::Timestamp;
use strongroom::bagit::{Limits, Plan, Sums, Verify, unpack};

use crate::Result;
use crate::memory::peak;
use crate::table::Table;
use crate::work::{Numbers, audio, median};

/// Seconds of a round.
struct Times {
    plain: f64,
    first: f64,
    verified: f64,
    second: f64,
    unpacked: f64,
}

pub fn bags(rounds: usize, smaller: usize, dir: &Path, table: &mut Table) -> Result<()> {
    for (name, len, count) in [("files of 30 MB", 30_000_000, 8), ("files of 5 kB", 5_000, 10_000)] {
        let count = (count / smaller).max(1);
        fs::create_dir_all(dir)?;
        let mut bytes = audio(len);
        let files = (0..count).map(|n| -> io::Result<PathBuf> {
            Numbers::new(n as u64).fill(&mut bytes[..8]);
            let path = dir.join(n.to_string());
            fs::write(&path, &bytes)?;
            Ok(path)
        });
        let files = files.collect::<io::Result<Vec<_>>>()?;
        let times = (0..rounds).map(|round| run(&files, dir, round)).collect::<Result<Vec<_>>>()?;
        fs::remove_dir_all(dir)?;
        let of = |of: &dyn Fn(&Times) -> f64| median(&times.iter().map(of).collect::<Vec<_>>());
        let rate = |seconds: f64| format!("{:.0} MB/s", (len * count) as f64 / 1e6 / seconds);
        let mut row = |what: &str, time: &dyn Fn(&Times) -> f64| {
            let beside =
                format!("read, SHA-256, SHA-512 {}, ratio {:.2}", rate(of(&|t| t.plain)), of(&|t| t.plain / time(t)));
            table.beside(&format!("bag archive, {name}, {what}"), rate(of(time)), beside);
        };
        row("first pass", &|t| t.first);
        row("second pass, SHA-256 compared", &|t| t.verified);
        row("second pass, lengths compared", &|t| t.second);
        row("both passes, SHA-256 compared", &|t| t.first + t.verified);
        table.note(&format!("bag archive, {name}, unpacked and synced"), rate(of(&|t| t.unpacked)));
    }
    let count = 200_000 / smaller;
    let child = Command::new(std::env::current_exe()?).arg("--plan").arg(count.to_string()).output()?;
    let grown: f64 = String::from_utf8(child.stdout)?.trim().parse()?;
    let each = grown / count as f64;
    table.single(
        &format!("peak memory of {count} files, planned and written, each"),
        format!("{each:.0} bytes"),
        None,
        "<= 250",
        each <= 250.0,
    );
    Ok(())
}

fn run(files: &[PathBuf], dir: &Path, round: usize) -> Result<Times> {
    // Every other round begins with us.
    let before = if round % 2 == 0 { plain(files)? } else { 0.0 };
    let start = Instant::now();
    let mut plan = Plan::new();
    for path in files {
        let (len, sums) = Sums::read(&mut File::open(path)?)?;
        plan.add(&format!("files/{}", path.file_name().unwrap_or_default().display()), len, sums)?;
    }
    let first = start.elapsed().as_secs_f64();
    let write = |verify, out: &mut dyn io::Write| -> Result<f64> {
        let start = Instant::now();
        let mut archive = plan.write("bag", Timestamp::from_unix_ms(0), out)?;
        while let Some(file) = archive.next_file() {
            archive.put(&mut File::open(&files[file.added])?, verify)?;
        }
        archive.finish()?;
        Ok(start.elapsed().as_secs_f64())
    };
    let (verified, second) = (write(Verify::Sha256, &mut io::sink())?, write(Verify::Length, &mut io::sink())?);
    let (archive, folder) = (dir.join("archive"), dir.join("bag"));
    write(Verify::Length, &mut File::create(&archive)?)?;
    let start = Instant::now();
    unpack(&mut File::open(&archive)?, &folder, Limits::default())?;
    let unpacked = start.elapsed().as_secs_f64();
    fs::remove_file(archive)?;
    fs::remove_dir_all(folder)?;
    let plain = if before > 0.0 { before } else { plain(files)? };
    Ok(Times { plain, first, verified, second, unpacked })
}

fn plain(files: &[PathBuf]) -> Result<f64> {
    let start = Instant::now();
    let mut buffer = vec![0; 256 * 1024];
    for path in files {
        let (mut file, mut short, mut long) = (File::open(path)?, Context::new(&SHA256), Context::new(&SHA512));
        loop {
            let got = file.read(&mut buffer)?;
            if got == 0 {
                break;
            }
            short.update(&buffer[..got]);
            long.update(&buffer[..got]);
        }
        std::hint::black_box((short.finish(), long.finish()));
    }
    Ok(start.elapsed().as_secs_f64())
}

/// What a process of its own does: plans and writes `count` files, half of them with the names of vCons, half of
/// media, and prints by how many bytes its peak grew.
pub fn plan_and_write(count: usize) -> Result<()> {
    let before = {
        // What every archive takes, however small.
        let plan = Plan::new();
        plan.write("bag", Timestamp::from_unix_ms(0), io::sink())?.finish()?;
        peak()?
    };
    let mut plan = Plan::new();
    for n in 0..count {
        let name = match n % 2 {
            0 => format!("vcons/018f0001-7e8a-8000-8000-{n:012x}.json"),
            _ => format!("files/sha512-{n:086}.wav"),
        };
        plan.add(&name, 3, Sums::of(b"abc"))?;
    }
    plan.manifest_sha256();
    let mut archive = plan.write("transfer-01234567-00000001", Timestamp::from_unix_ms(0), io::sink())?;
    while archive.next_file().is_some() {
        archive.put(&mut &b"abc"[..], Verify::Sha256)?;
    }
    archive.finish()?;
    println!("{}", peak()? - before);
    Ok(())
}
