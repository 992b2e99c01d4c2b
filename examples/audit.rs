//! Verifies a ledger, in sentences.
//!
//! A receipt, with nothing but files: `audit receipt FOLDER NUMBER`, where FOLDER holds what a receipt or an exported
//! ledger is (`log.pub`, `NUMBER.json`, `NUMBER.tlog-proof`, …). An exported ledger, likewise: `audit export FOLDER
//! LOG-KEY-FILE PIN [WITNESS-VKEY...]`, where LOG-KEY-FILE is a copy of `log.pub` that was kept apart. A tenant's whole ledger: `audit VAULT IDENTITY-FILE PIN
//! [EXPORT-FOLDER [WITNESS-VKEY...]]`, where PIN is a file that keeps the checkpoint from one audit to the next. If
//! witnesses are named, all must have signed the ledger within a day, and what is exported is what they signed.

mod owner;
mod told;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use strongroom::tlog::{InclusionProof, Policy, SignedCheckpoint, VerifierKey, from_openssh};
use strongroom::*;
use told::{Done, end};

const USAGE: &str = "usage: audit receipt FOLDER NUMBER
       audit export FOLDER LOG-KEY-FILE PIN [WITNESS-VKEY...]
       audit VAULT IDENTITY-FILE PIN [EXPORT-FOLDER [WITNESS-VKEY...]]";
const DAY: Duration = Duration::from_secs(86_400);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let audited = match args[..] {
        ["receipt", folder, number] => receipt(Path::new(folder), number),
        ["export", folder, key, pin, ref witnesses @ ..] => exported(Path::new(folder), key, Path::new(pin), witnesses),
        [vault, identity, pin] => ledger(vault, identity, Path::new(pin), None, &[]),
        [vault, identity, pin, export, ref witnesses @ ..] => {
            ledger(vault, identity, Path::new(pin), Some(Path::new(export)), witnesses)
        }
        _ => Err(USAGE.into()),
    };
    end(audited)
}

/// Verifies one receipt offline.
fn receipt(folder: &Path, number: &str) -> Done<bool> {
    let number = format!("{:08}", number.parse::<u64>()?);
    let inside = folder.join("receipts");
    let receipts = if inside.is_dir() { inside } else { folder.to_owned() };
    let read = |path: PathBuf| fs::read(&path).map_err(|e| format!("{}: {e}", path.display()));
    let log: PublicKey = String::from_utf8(read(folder.join("log.pub"))?)?.trim().parse()?;
    let message = read(receipts.join(format!("{number}.json")))?;
    let sigsum = String::from_utf8(read(receipts.join(format!("{number}.sigsum-proof")))?)?;
    let leaf = InclusionProof::from_sigsum_proof(&sigsum, &message, &log)?.leaf;
    let proof = String::from_utf8(read(receipts.join(format!("{number}.tlog-proof")))?)?;
    let proof = InclusionProof::from_tlog_proof(&proof, leaf)?;
    let actor = actor(folder, &number, &proof)?;
    let receipt = Receipt::new(message, proof, actor, log);
    let size = receipt.proof().checkpoint.checkpoint().size;
    match Auditor::new(log).receipt(&receipt) {
        Ok(message) => {
            println!("The receipt holds.");
            println!("Entry {} of the ledger {}", message.seq, message.log);
            println!("says that on {} {} did: {}.", message.time, plain(&message.actor), message.kind);
            if let Some(purpose) = &message.purpose {
                println!("The purpose was: {}.", plain(purpose));
            }
            if let Some(basis) = &message.basis {
                println!("The grounds were: {}.", plain(basis));
            }
            if let Some(records) = message.records {
                println!("It concerns {} records.", records.count);
            }
            println!(
                "The actor's key {actor} signed it, and the log {log} signed a head of {size} entries that include it."
            );
            println!("What this cannot know: whether the entry tells the truth, and what came after that head.");
            Ok(true)
        }
        Err(error) => {
            println!("THE RECEIPT DOES NOT HOLD: {error}.");
            Ok(false)
        }
    }
}

/// The key whose hash the leaf names, among those in the folder.
fn actor(folder: &Path, number: &str, proof: &InclusionProof) -> Done<PublicKey> {
    let hash: String = proof.leaf.key_hash.iter().map(|b| format!("{b:02x}")).collect();
    let own = folder.join(format!("actor-{number}.pub"));
    let path = if own.exists() { own } else { folder.join("keys").join(format!("{hash}.pub")) };
    let line = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(from_openssh(&line)?)
}

/// Audits an exported ledger with nothing but files, and keeps its checkpoint.
fn exported(folder: &Path, key: &str, pin: &Path, witnesses: &[&str]) -> Done<bool> {
    let log: PublicKey = fs::read_to_string(key).map_err(|e| format!("{key}: {e}"))?.trim().parse()?;
    let report = auditor(log, pin, &policy(&log, witnesses)?)?.audit_export(folder)?;
    print!("{report}");
    if report.is_clean() {
        keep(pin, &fs::read_to_string(folder.join("checkpoint"))?)?;
    }
    Ok(report.is_clean())
}

/// All the witnesses that are named.
fn policy(log: &PublicKey, witnesses: &[&str]) -> Done<Policy> {
    let keys = witnesses.iter().map(|key| key.parse()).collect::<Result<Vec<VerifierKey>>>()?;
    Ok(Policy::new(log, keys)?.quorum(witnesses.len())?)
}

/// With the checkpoint that was kept, if this is not the first time.
fn auditor(log: PublicKey, pin: &Path, policy: &Policy) -> Done<Auditor> {
    let auditor = Auditor::new(log).witnesses(policy.clone(), DAY)?;
    match fs::read_to_string(pin) {
        Ok(kept) => Ok(auditor.pinned(kept.parse::<SignedCheckpoint>()?)?),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            println!("Nothing was pinned before: this is the first audit.");
            Ok(auditor)
        }
        Err(e) => Err(e.into()),
    }
}

fn keep(pin: &Path, checkpoint: &str) -> Done<()> {
    // Beside its place and renamed: a crash leaves the old pin or the new.
    let draft = pin.with_added_extension("new");
    fs::write(&draft, checkpoint)?;
    Ok(fs::rename(&draft, pin)?)
}

/// Audits a tenant's ledger against the checkpoint that was kept, and keeps the new one.
fn ledger(vault: &str, identity: &str, pin: &Path, export: Option<&Path>, witnesses: &[&str]) -> Done<bool> {
    let (_, session) = owner::session(vault, identity, Access::new("auditor", "auditing the ledger"))?;
    let log = session.log()?;
    let policy = policy(&log.key(), witnesses)?;
    let before = before(&session, &log, pin)?;
    let auditor = match before {
        None => auditor(log.key(), pin, &policy)?,
        Some(_) => Auditor::new(log.key()).witnesses(policy.clone(), DAY)?,
    };
    let report = auditor.audit(&log)?;
    print!("{report}");
    if let Some(folder) = export {
        let witnessed = session.log()?.witnessed(policy)?;
        let last = witnessed.size() - 1;
        let mut receipts = vec![0, last / 2, last];
        receipts.dedup();
        let done = witnessed.export(folder, &receipts)?;
        println!("{} entries exported to {}, {} without a message.", done.entries, folder.display(), done.missing);
        let page = folder.join("ledger.html");
        log.write_page(&report, &mut std::io::BufWriter::new(fs::File::create_new(&page)?))?;
        println!("The ledger as a page for a browser: {}", page.display());
        let page = folder.join("transfers.html");
        let mut file = std::io::BufWriter::new(fs::File::create_new(&page)?);
        session.write_transfers_page(&TransfersPage::new().audited(&report), &mut file)?;
        println!("What was handed to third parties, as another: {}", page.display());
    }
    let is_clean = report.is_clean() && before.unwrap_or(true);
    if is_clean {
        keep(pin, &log.checkpoint()?.to_string())?;
        println!("The checkpoint of {} entries is pinned in {}.", log.size(), pin.display());
    } else {
        println!("{} stays as it is. Remove it when the findings are explained.", pin.display());
    }
    Ok(is_clean)
}

/// If the checkpoint was kept of an earlier log, which this one follows, audits that one, and says whether it is clean.
fn before(session: &TenantSession, log: &TenantLog<'_>, pin: &Path) -> Done<Option<bool>> {
    if !pin.exists() {
        return Ok(None);
    }
    let kept: SignedCheckpoint = fs::read_to_string(pin)?.parse()?;
    if kept.verify(&log.key()).is_ok() {
        return Ok(None);
    }
    let logs = session.logs()?;
    let before = logs.iter().find(|log| kept.verify(&log.key()).is_ok());
    let before = before.ok_or("no log of this ledger has signed the pinned checkpoint")?;
    let report = Auditor::new(before.key()).pinned(kept)?.audit(before)?;
    println!("The checkpoint was pinned in ledger {}, which ledger {} follows.", before.generation(), log.generation());
    println!("{report}");
    Ok(Some(report.is_clean()))
}

/// Without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
