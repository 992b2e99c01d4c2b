//! Processes that tests start and kill, and what they do until then.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::Duration;

use strongroom::Vault;

/// A process that runs one test of this program.
pub struct Doomed {
    pub child: Child,
    pub lines: BufReader<ChildStdout>,
}

impl Doomed {
    /// Starts it with its job in an environment variable.
    pub fn start(test: &str, env: &str, job: &[&str]) -> Self {
        let mut command = super::myself(test);
        command.env(env, job.join("\n")).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Waits until it says that it is there.
    pub fn reaches(&mut self, place: &str) {
        let mut line = String::new();
        while line.trim() != place {
            line.clear();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended before it came to {place}");
        }
    }

    /// With SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A way out that is slow, and ends somewhere.
pub struct Slow {
    file: File,
    written: u64,
    /// It ends when so many bytes have left.
    at: Option<u64>,
    /// It ends when all have.
    whole: bool,
    pause: Duration,
}

impl Slow {
    /// `stop` is a number of bytes, or `whole`; with anything else it ends nowhere.
    pub fn new(file: File, stop: &str, pause: Duration) -> Self {
        Self { file, written: 0, at: stop.parse().ok(), whole: stop == "whole", pause }
    }
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.at.is_some_and(|at| self.written >= at) {
            say_and_wait();
        }
        thread::sleep(self.pause);
        let written = self.file.write(bytes)?;
        self.file.sync_data()?;
        if self.written == 0 {
            say("byte");
        }
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.whole {
            say_and_wait();
        }
        Ok(())
    }
}

pub fn say(place: &str) {
    // On a line of its own, whatever the test runner has printed before it.
    io::stdout().lock().write_all(format!("\n{place}\n").as_bytes()).unwrap();
    io::stdout().flush().unwrap();
}

pub fn say_and_wait() {
    say("stop");
    thread::sleep(Duration::from_secs(60));
    panic!("it was not killed");
}

pub fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes)
}

/// Whatever was left, the vault is sound, and clean after a sweep.
pub fn is_sound(vault: &Vault) {
    let report = vault.check().unwrap();
    assert!(report.is_sound(), "{report}");
    vault.sweep().unwrap();
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
}
