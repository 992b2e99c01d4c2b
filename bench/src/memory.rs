//! Peak memory, in a process that does nothing else.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use crate::room::Room;
use crate::work::Numbers;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Starts a process that ingests one part of `len` bytes and reads it back; gives the most memory that it held.
pub fn peak_of(len: u64, dir: &Path) -> Result<u64> {
    let child = Command::new(std::env::current_exe()?).arg("--memory").arg(len.to_string()).arg(dir).output()?;
    if !child.status.success() {
        return Err(String::from_utf8_lossy(&child.stderr).into());
    }
    Ok(String::from_utf8(child.stdout)?.trim().parse()?)
}

/// What that process does.
pub fn ingest_and_read(len: u64, dir: &Path) -> Result<()> {
    let room = Room::new(dir, 5)?;
    let id = room.add_audio(Generated::new(len))?;
    let (mut stored, mut expected) = (room.record(id)?.part(1)?, Generated::new(len));
    let (mut a, mut b) = ([0; 8192], [0; 8192]);
    let mut read = 0;
    loop {
        let n = stored.read(&mut a)?;
        expected.read_exact(&mut b[..n])?;
        if a[..n] != b[..n] {
            return Err("what was read is not what was ingested".into());
        }
        if n == 0 {
            break;
        }
        read += n as u64;
    }
    if read != len {
        return Err("a part came back with another length".into());
    }
    drop((stored, room));
    fs::remove_dir_all(dir)?;
    println!("{}", peak()?);
    Ok(())
}

/// `VmHWM` of this process, in bytes.
pub fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

/// A recording that exists only as it is read.
struct Generated {
    numbers: Numbers,
    left: u64,
    word: [u8; 8],
    used: usize,
}

impl Generated {
    fn new(len: u64) -> Self {
        Self { numbers: Numbers::new(4), left: len, word: [0; 8], used: 8 }
    }
}

impl Read for Generated {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        for byte in &mut buf[..n] {
            if self.used == 8 {
                (self.word, self.used) = (self.numbers.next().to_le_bytes(), 0);
            }
            *byte = self.word[self.used];
            self.used += 1;
        }
        self.left -= n as u64;
        Ok(n)
    }
}
