//! Every fault of every store, once as "it failed", once as "it happened, but we were not told", and once as a death.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use stores::{Fault, Fuse};

mod disclose;
mod erase;
mod ingest;
mod restore;
mod stores;
mod transfer;

/// Lets each call of an act fail in its turn: `act` is done on a fresh copy, and says whether it came to its end. Gives how
/// many calls could fail.
fn each_call(
    fault: Fault,
    copy: impl Fn() -> tempfile::TempDir,
    mut act: impl FnMut(&Path, &Arc<Fuse>, i64) -> bool,
) -> usize {
    let mut failures = 0;
    for calls in 0.. {
        let copy = copy();
        if act(copy.path(), &Fuse::new(calls, fault), calls) {
            break;
        }
        failures += 1;
    }
    failures
}

/// What a process does that dies at a call: the folder of a vault, a fuse, and what else it needs to know.
fn job(env: &str) -> Option<(String, Arc<Fuse>, String)> {
    let job = std::env::var(env).ok()?;
    let [path, calls, fault, more] = job.splitn(4, '\n').collect::<Vec<_>>()[..] else { panic!("a job") };
    let fault = if fault == "before" { Fault::KilledBefore } else { Fault::KilledBehind };
    Some((path.to_owned(), Fuse::new(calls.parse().unwrap(), fault), more.to_owned()))
}

/// Lets a process die before and behind each call that it makes, on a fresh copy each time: the test `name` of this program,
/// which finds its [`job`]. `left` looks at what it has left, and whether it came to its end. Gives the fewest deaths of both.
fn each_death(
    (name, env): (&str, &str),
    copy: impl Fn() -> tempfile::TempDir,
    more: &str,
    mut left: impl FnMut(&Path, bool, &str),
) -> usize {
    let deaths = ["before", "behind"].map(|fault| {
        let mut kills = 0;
        for calls in 0.. {
            let copy = copy();
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", name, "--test-threads=1"]);
            child.env(env, format!("{}\n{calls}\n{fault}\n{more}", copy.path().display()));
            let output = child.output().unwrap();
            left(copy.path(), output.status.success(), &format!("killed {fault} {calls}"));
            if output.status.success() {
                assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
                break;
            }
            kills += 1;
        }
        kills
    });
    deaths[0].min(deaths[1])
}
