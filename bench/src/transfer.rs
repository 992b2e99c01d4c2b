//! What a transfer to a third party takes, beside what reading and hashing the same bytes takes. In a process of its own, so
//! that its memory is known.

use std::fs;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use ring::digest::{Context, SHA256};
use strongroom::bagit::Digests;
use strongroom::{
    Access, Agreement, AtRest, Country, Identity, Listing, PartKind, ProtectionProfile, RecipientCard, RecipientClass,
    Suite, TenantSession, Terms, Timestamp, Transfer, TransferPolicy, TransferRules, Vault,
};

use crate::Result;
use crate::memory::peak;
use crate::room::{Room, operator};
use crate::table::Table;
use crate::work::{Numbers, median};

const RECORDING: usize = 5_000_000;
const PURPOSE: &str = "measuring";

/// Seconds of one round: reading and SHA-256, reading and SHA-256 and SHA-512, and the transfer.
type Round = [f64; 3];

pub fn transfer(rounds: usize, gigabytes: f64, dir: &Path, table: &mut Table) -> Result<()> {
    let room = Room::new(&dir.join("vault"), 0)?;
    let count = (gigabytes * 1e9) as u64 / RECORDING as u64;
    let (mut recording, mut numbers) = (vec![0; RECORDING], Numbers::new(6));
    for _ in 0..count {
        numbers.fill(&mut recording);
        room.add_audio(&recording[..])?;
    }
    let (identity, tenant) = (dir.join("identity"), room.session.tenant().to_string());
    room.identity.write_file(&identity)?;
    drop(room);
    let mut child = Command::new(std::env::current_exe()?);
    let said = child.arg("--transfer").args([&rounds.to_string(), &tenant]).arg(dir).output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into());
    }
    let said = String::from_utf8(said.stdout)?;
    let numbers: Vec<f64> = said.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let (peak, times) = numbers.split_last().ok_or("the process that sends said nothing")?;
    let times: Vec<Round> = times.chunks_exact(3).map(|round| [round[0], round[1], round[2]]).collect();
    fs::remove_dir_all(dir)?;

    let amount = (count * RECORDING as u64) as f64;
    let rate = |of: usize| amount / 1e6 / median(&times.iter().map(|round| round[of]).collect::<Vec<_>>());
    let ratio = |of: usize| median(&times.iter().map(|round| round[of] / round[2]).collect::<Vec<_>>());
    let name = format!("a transfer of {:.1} GB, {count} recordings of 5 MB", amount / 1e9);
    let us = || format!("{:.0} MB/s", rate(2));
    for (of, what) in [(0, "read and SHA-256"), (1, "read, SHA-256 and SHA-512")] {
        let beside = format!("{what} {:.0} MB/s, ratio {:.2}", rate(of), ratio(of));
        table.single(&name, us(), Some(beside), ">= 0.5", ratio(of) >= 0.5);
    }
    table.single("its peak memory", format!("{:.1} MB", peak / 1e6), None, "< 64 MB", *peak < 64e6);
    Ok(())
}

/// What that process does.
pub fn send(rounds: usize, tenant: &str, dir: &Path) -> Result<()> {
    let vault = Vault::open(dir.join("vault"), operator())?;
    let identity = Arc::new(Identity::read_file(dir.join("identity"))?);
    let access = Access::new("bench", PURPOSE);
    let session = vault.session(tenant.parse()?, Arc::clone(&identity), access)?;
    let agreement = agree(&vault, &session, &identity)?;
    let mut said = String::new();
    for round in 0..rounds {
        let mut seconds = Round::default();
        // Every round begins with another.
        for turn in 0..3 {
            let what = (turn + round) % 3;
            let start = Instant::now();
            match what {
                0 => {
                    let mut digest = Context::new(&SHA256);
                    read(&session, |bytes| digest.update(bytes))?;
                    std::hint::black_box(digest.finish());
                }
                1 => {
                    let mut digests = Digests::new();
                    read(&session, |bytes| digests.update(bytes))?;
                    std::hint::black_box(digests.finish());
                }
                _ => {
                    let transfer = Transfer::listed(agreement.id(), PURPOSE, Listing::by_commit());
                    let mut out = Counter(0);
                    let sent = session.transfer(&transfer, &mut out, |_| ControlFlow::Continue(()))?;
                    assert!(out.0 > sent.plan.bytes && sent.plan.excluded.is_empty());
                }
            }
            seconds[what] = start.elapsed().as_secs_f64();
        }
        seconds.iter().for_each(|seconds| said += &format!("{seconds} "));
    }
    println!("{said}{}", peak()?);
    Ok(())
}

/// Reads every part as the transfer does.
fn read(session: &TenantSession, mut take: impl FnMut(&[u8])) -> Result<()> {
    let (mut listing, mut block) = (Listing::by_commit().limit(256), vec![0; 256 * 1024]);
    loop {
        let page = session.list(&listing)?;
        for listed in page.items {
            let mut part = listed.record?.part(1)?;
            loop {
                let got = part.read(&mut block)?;
                if got == 0 {
                    break;
                }
                take(&block[..got]);
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        listing = listing.after(next);
    }
}

fn agree(vault: &Vault, session: &TenantSession, identity: &Identity) -> Result<Agreement> {
    let recipient = Identity::generate_for(Suite::X25519)?;
    let (class, now) = (RecipientClass::ServiceProvider, Timestamp::now());
    let profile = ProtectionProfile { at_rest: AtRest::Application, ..ProtectionProfile::weakest() };
    let rules = TransferRules { required: profile.clone(), classes: [class].into(), max_retention_days: 30 };
    let card = vault.tenant(session.tenant())?.card;
    let mut policy = TransferPolicy::new(&card, rules, now)?;
    policy.sign(identity)?;
    session.set_transfer_policy(&policy)?;
    let party = RecipientCard::new("Sink", class, &recipient, "nobody", Country::new("DE")?)?;
    let until = Timestamp::from_unix_ms(now.unix_ms() + 86_400_000);
    let terms = Terms::new(party, profile, now, until).purpose(PURPOSE).kind(PartKind::Audio);
    let (log, operator) = (vault.log_key(session.tenant())?, operator().public_key());
    let mut agreement = Agreement::new(&card, operator, log, terms.retention_days(1).receipt_hours(1))?;
    agreement.sign(identity)?;
    agreement.sign(&recipient)?;
    session.agree(&agreement)?;
    Ok(agreement)
}

/// Counts what is written to it.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
