//! SQLCipher, which lives in a process of its own: see `sqlcipher/`.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::work::Work;

pub struct SqlCipher {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl SqlCipher {
    /// Starts it, if it was built beside this program.
    pub fn start(dir: &Path) -> Option<Self> {
        let program = std::env::current_exe().ok()?.with_file_name("strongroom-bench-sqlcipher");
        let mut command = Command::new(program);
        let mut child = command.arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take()?));
        Some(Self { child, to, from })
    }

    pub fn run(&mut self, work: Work) -> Result<f64, Box<dyn Error>> {
        let to = self.to.as_mut().ok_or("no way to SQLCipher's process")?;
        writeln!(to, "run {work}")?;
        let mut seconds = String::new();
        self.from.read_line(&mut seconds)?;
        Ok(seconds.trim().parse().map_err(|_| "SQLCipher's process failed")?)
    }
}

impl Drop for SqlCipher {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}
