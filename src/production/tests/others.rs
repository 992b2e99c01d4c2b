//! Packages for the programs of others, and how much memory they take. Both are asked for by hand.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

use super::world::*;
use crate::audio::Filler;
use crate::key::{Identity, Suite};
use crate::ledger::Kind;
use crate::record::PartKind;
use crate::redact::{Redacted, Redaction, Redactions};
use crate::tlog::{Note, pem};

/// Leaves in the folder that `PRODUCTIONS` names what `tests/interop/disclosure.sh` checks, one folder for each profile: stamped,
/// with stretches, redactions and hostile values. `tests/interop/disclosure/tsa.sh` made the folder.
#[test]
#[ignore = "writes files for tests/interop/disclosure.sh"]
fn packages_for_the_programs_of_others() {
    let folder = PathBuf::from(std::env::var_os("PRODUCTIONS").unwrap());
    let world = World::new();
    let ids = [
        world.ingest(call("+15722568385", 20)),
        world.ingest(call("+4930123456", 3)),
        world.ingest(letter("þ Meine Karte® =1+1")),
        world.ingest(call("+15722568386", 10)),
    ];
    let ms = 2_000..4_000;
    let redactions = || {
        let call = |what| Redaction::new(ids[3], 1, what, "cardholder data");
        let sound = |with| call(Redacted::Audio { ms: ms.clone(), with });
        let text = Redaction::new(ids[3], 2, Redacted::Text(11..27), "cardholder data");
        Redactions::of(vec![sound(Filler::Tone), text]).unwrap()
    };
    let mut wanted = wanted(&ids);
    wanted.records[1].stretch = Some(1_000..2_000);
    for (name, options) in [("portable", portable()), ("litigation", litigation())] {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let tsa = folder.parent().unwrap().to_owned();
        let stamped = options.redactions(redactions()).time_stamp(move |question| {
            fs::write(tsa.join("question.tsq"), question)?;
            let reply = ["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "question.tsq", "-out", "answer.tsr"];
            let status = Command::new("openssl").args(reply).current_dir(&tsa).status()?;
            if status.success() { Ok(fs::read(tsa.join("answer.tsr"))?) } else { Err("no answer".into()) }
        });
        let prepared = world.prepare(&wanted, stamped, 1).unwrap();
        let mut tell = world.session.tell(Kind::Read);
        tell.payload = Some(Sha256::digest(prepared.manifest()).into());
        let receipt = world.session.say(tell).unwrap();
        let mut custody = receipt.evidence().unwrap();
        let signer = Identity::generate_for(Suite::X25519).unwrap();
        let key = signer.public_key();
        let mut note = Note::new("{\"document\": \"order\"}\n").unwrap();
        note.sign_as("operator", &key, |text| signer.sign(text)).unwrap();
        custody.push(("consent.note".to_owned(), note.to_string().into_bytes()));
        custody.push(("keys/operator.pem".to_owned(), pem(&key).into_bytes()));
        let approval = crate::key::signed(b"approved", &signer.sign(b"approved"));
        custody.push(("1.approval".to_owned(), approval));
        custody.push(("keys/1.pem".to_owned(), pem(&key).into_bytes()));
        let authority = Identity::generate_for(Suite::X25519).unwrap();
        authority.write_file(folder.join("identity.txt")).unwrap();
        let out = fs::File::create(folder.join("disclosure.age")).unwrap();
        let go_on = &mut |_| ControlFlow::Continue(());
        let _ = prepared.write(&world.session, custody, authority.recipient(), out, go_on).unwrap();
    }
}

/// 5 GB of recordings are `CALLS=1000`.
#[test]
fn many_long_recordings_are_produced_in_little_memory() {
    const NAME: &str = "production::tests::others::many_long_recordings_are_produced_in_little_memory";
    if let Ok(calls) = std::env::var("PRODUCED_CALLS") {
        return produce_many(calls.parse().unwrap());
    }
    let calls = std::env::var("CALLS").unwrap_or_else(|_| "16".to_owned());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", NAME, "--nocapture", "--test-threads=1"]).env("PRODUCED_CALLS", &calls);
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for profile in ["portable", "litigation"] {
        let line = said.lines().find_map(|line| line.strip_prefix(profile)).unwrap();
        println!("{calls} calls, {profile}:{line}");
        let peak: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        assert!(peak < 96, "{said}");
    }
}

/// Prints for each profile how many MiB the process took at the most, and how long it took.
fn produce_many(calls: usize) {
    let world = World::new();
    let mut audio = wav(650);
    let ids: Vec<_> = (0..calls)
        .map(|n| {
            audio[100..108].copy_from_slice(&n.to_be_bytes());
            let whole = call(&format!("+1572{n:07}"), 1);
            world.ingest(whole.part(PartKind::Audio, "audio/wav", std::io::Cursor::new(audio.clone())))
        })
        .collect();
    for (name, options) in [("portable", portable()), ("litigation", litigation())] {
        let begun = std::time::Instant::now();
        // The high-water mark begins anew (proc(5)).
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let prepared = world.prepare(&wanted(&ids), options, 1).unwrap();
        let hashed = begun.elapsed();
        let authority = Identity::generate_for(Suite::X25519).unwrap();
        let go_on = &mut |_| ControlFlow::Continue(());
        let bytes = prepared.write(&world.session, custody(), authority.recipient(), std::io::sink(), go_on).unwrap();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
        let of = bytes / 1_000_000;
        println!(
            "\n{name} {} MiB at the most; {of} MB, hashed in {hashed:?}, done in {:?}",
            peak / 1024,
            begun.elapsed()
        );
    }
}
