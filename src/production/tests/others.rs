//! Packages for the programs of others, and how much memory they take. Both are asked for by hand.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

use super::world::*;
use crate::key::{Identity, Suite};
use crate::ledger::{Kind, log_files};
use crate::production::*;
use crate::tlog::{Note, Policy, openssh, pem};

/// Leaves in the folder that `PRODUCTIONS` names what `tests/interop/disclosure.sh` checks, one folder for each profile. A
/// time-stamp authority that `openssl ts -reply -config tsa.cnf` is, is there already.
#[test]
#[ignore = "writes files for tests/interop/disclosure.sh"]
fn packages_for_the_programs_of_others() {
    let folder = PathBuf::from(std::env::var_os("PRODUCTIONS").unwrap());
    let world = World::new();
    let ids = [
        world.ingest(call("+15722568385", 20)),
        world.ingest(call("+4930123456", 3)),
        world.ingest(letter("þ Meine Karte® =1+1")),
    ];
    let mut wanted = wanted(&ids);
    wanted.records[1].stretch = Some(1_000..2_000);
    for (name, options) in [("portable", portable()), ("litigation", litigation())] {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let tsa = folder.parent().unwrap().to_owned();
        let stamped = options.time_stamp(move |question| {
            fs::write(tsa.join("question.tsq"), question)?;
            let reply = ["ts", "-reply", "-config", "tsa.cnf", "-queryfile", "question.tsq", "-out", "answer.tsr"];
            let status = Command::new("openssl").args(reply).current_dir(&tsa).status()?;
            if status.success() { Ok(fs::read(tsa.join("answer.tsr"))?) } else { Err("no answer".into()) }
        });
        let prepared = world.prepare(&wanted, stamped, 1).unwrap();
        let mut tell = world.session.tell(Kind::Read);
        tell.payload = Some(Sha256::digest(prepared.manifest()).into());
        let receipt = world.session.say(tell).unwrap();
        let mut custody = receipt.files().unwrap();
        custody.extend(log_files(&Policy::new(&receipt.log(), []).unwrap()));
        custody.push((format!("actor-{:08}.pub", receipt.seq()), openssh(&receipt.actor()).into_bytes()));
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
