//! Checkpoints, keys, policies and proofs, against signed_note, tlog_tiles and files that other verifiers accepted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::Digest;
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};

use super::super::*;
use super::{Log, SIZE, Sha256, entry, log, tiles};
use crate::error::ErrorKind;
use crate::id::{hex, unhex};
use crate::key::{PublicKey, Signing};
use crate::secret::Secret;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../tests/vectors/ledger/", $name))
    };
}

fn signer(byte: u8) -> Signing {
    Signing::from_seed(&Secret::from_fn(|seed| *seed = [byte; 32]))
}

fn witness(byte: u8) -> (VerifierKey, Signing) {
    let own = signer(byte);
    let name = format!("sigsum.org/v1/witness/{}", hex(&Sha256::digest(own.public_key().as_bytes())));
    (VerifierKey::new(name, KeyKind::Cosigner, own.public_key()).unwrap(), own)
}

fn signed(size: u64, root: Hash) -> SignedCheckpoint {
    let own = signer(1);
    let checkpoint = Checkpoint { origin: origin_of(&own.public_key()), size, root };
    SignedCheckpoint::sign(checkpoint, &own.public_key(), |bytes| own.sign(bytes))
}

fn cosigned() -> SignedCheckpoint {
    let mut signed = signed(7, [9; 32]);
    for byte in [2, 3] {
        let (key, own) = witness(byte);
        signed.cosign(&key, 1_700_000_000 + u64::from(byte), |bytes| own.sign(bytes)).unwrap();
    }
    signed
}

/// A log of leaves that `actor` signed, and the proof of one of them.
fn proof(index: u64, size: u64) -> (InclusionProof, Vec<u8>, Log) {
    let actor = signer(4);
    let leaf = |number| Leaf::sign(&entry(number), &actor.public_key(), |bytes| actor.sign(bytes));
    let mut edge = Edge::default();
    let stored = (0..size).map(|number| edge.push(leaf(number).hash())).collect();
    let log = Log { stored, roots: vec![edge.root()] };
    let path = inclusion(index, size, &log).unwrap();
    let mut checkpoint = signed(size, edge.root());
    let (key, own) = witness(2);
    checkpoint.cosign(&key, 1_700_000_000, |bytes| own.sign(bytes)).unwrap();
    (InclusionProof { leaf: leaf(index), index, path, checkpoint }, entry(index), log)
}

fn ssh(line: &str) -> PublicKey {
    let bytes = STANDARD.decode(line.split(' ').nth(1).unwrap().trim()).unwrap();
    PublicKey::from_bytes(bytes[19..].try_into().unwrap()).unwrap()
}

fn example_log() -> PublicKey {
    PublicKey::from_bytes(unhex(file!("log.pub").trim()).unwrap().try_into().unwrap()).unwrap()
}

/// What texts become by the usual faults of those who copy them.
fn spoiled(text: &str) -> Vec<String> {
    let mut spoiled = vec![
        String::new(),
        format!("{text}\n"),
        format!("\n{text}"),
        format!("{text}x"),
        format!("{text}x\n"),
        text.replace('\n', "\r\n"),
        text.replacen('\n', "\r\n", 1),
        text.replace("\n\n", "\n"),
        text.replace("\n\n", "\n\n\n"),
        text.trim_end().to_owned(),
        text.to_uppercase(),
        format!("{text}{}", "x".repeat(1 << 20)),
    ];
    // Every line lost, and every line with a space behind.
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for at in 0..lines.len() {
        let spaced = format!("{} \n", lines[at].trim_end());
        spoiled.push([&lines[..at], &[&spaced], &lines[at + 1..]].concat().concat());
    }
    spoiled
}

/// Every text that differs in one byte, or lacks it, or ends there.
fn mutated(text: &str) -> impl Iterator<Item = String> {
    let bytes = text.as_bytes();
    let changes = (0..bytes.len()).flat_map(move |at| {
        let mut all = vec![bytes[..at].to_vec(), [&bytes[..at], &bytes[at + 1..]].concat()];
        for new in [b'\n', b' ', b'0', b'+', b'=', 0, 0xE2, 0xFF, bytes[at] ^ 1, bytes[at] ^ 0x80] {
            let mut changed = bytes.to_vec();
            changed[at] = new;
            all.push(changed);
        }
        all
    });
    changes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A cosigner's key for signed_note, which has none of its own; by ring, from the text of C2SP.
struct Cosigner(VerifierKey);

impl Verifier for Cosigner {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn key_id(&self) -> u32 {
        u32::from_be_bytes(self.0.id())
    }

    fn verify(&self, text: &[u8], bytes: &[u8]) -> bool {
        let (time, signature) = bytes.split_at(8);
        let time = u64::from_be_bytes(time.try_into().unwrap());
        let message = [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat();
        UnparsedPublicKey::new(&ED25519, self.0.public_key().as_bytes()).verify(&message, signature).is_ok()
    }
}

#[test]
fn a_checkpoint_comes_back_and_others_read_and_verify_it() {
    let signed = cosigned();
    let text = signed.to_string();
    assert_eq!(text.parse::<SignedCheckpoint>().unwrap(), signed);
    assert_eq!(signed.verify(&signer(1).public_key()).unwrap(), signed.checkpoint());
    for byte in [2, 3] {
        assert_eq!(signed.cosigned_by(&witness(byte).0).unwrap(), Some(1_700_000_000 + u64::from(byte)));
    }
    assert_eq!(signed.cosigned_by(&witness(5).0).unwrap(), None);
    assert_eq!(signed.verify(&signer(2).public_key()).unwrap_err().kind(), ErrorKind::Tampered);

    let vkey = VerifierKey::new(origin_of(&signer(1).public_key()), KeyKind::Log, signer(1).public_key()).unwrap();
    let known: Vec<Box<dyn Verifier>> = vec![
        Box::new(StandardVerifier::new(&vkey.to_string()).unwrap()),
        Box::new(Cosigner(witness(2).0)),
        Box::new(Cosigner(witness(3).0)),
    ];
    let note = Note::from_bytes(text.as_bytes()).unwrap();
    let (verified, unknown) = note.verify(&VerifierList::new(known)).unwrap();
    assert_eq!((verified.len(), unknown.len()), (3, 0));
    assert_eq!((note.to_bytes(), note.text()), (text.clone().into_bytes(), signed.checkpoint().body().as_bytes()));
    let theirs = tiles::Checkpoint::from_bytes(text.split_inclusive("\n\n").next().unwrap().as_bytes());
    let theirs = theirs.or_else(|_| tiles::Checkpoint::from_bytes(note.text())).unwrap();
    assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (signed.checkpoint().origin.as_str(), 7, [9; 32]));
}

#[test]
fn a_signature_over_anything_else_does_not_verify() {
    let (log, (key, own)) = (signer(1).public_key(), witness(2));
    let good = cosigned();
    for changed in
        [Checkpoint { size: 8, ..good.checkpoint().clone() }, Checkpoint { root: [8; 32], ..good.checkpoint().clone() }]
    {
        let text = good.to_string().replace(&good.checkpoint().body(), &changed.body());
        let other: SignedCheckpoint = text.parse().unwrap();
        assert_eq!(other.checkpoint(), &changed);
        assert_eq!(other.verify(&log).unwrap_err().kind(), ErrorKind::Tampered);
        assert_eq!(other.cosigned_by(&key).unwrap_err().kind(), ErrorKind::Tampered);
    }
    // A log's key cosigns nothing, and a cosigner's line is no log's.
    let as_log = VerifierKey::new(key.name(), KeyKind::Log, key.public_key()).unwrap();
    let mut signed = good.clone();
    let refused = signed.cosign(&as_log, 1, |bytes| own.sign(bytes)).unwrap_err();
    assert_eq!((refused.kind(), &signed), (ErrorKind::InvalidInput, &good));
    assert_eq!(good.cosigned_by(&as_log).unwrap(), None);
    // Another time under the same signature.
    let line = good.others().next().unwrap().1;
    let mut bytes = STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap();
    bytes[11] ^= 1;
    let text = good.to_string().replace(line.rsplit(' ').next().unwrap(), &STANDARD.encode(bytes));
    let other: SignedCheckpoint = text.parse().unwrap();
    other.verify(&log).unwrap();
    assert_eq!(other.cosigned_by(&key).unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn a_checkpoint_with_another_line_or_spelling_is_refused() {
    let text = cosigned().to_string();
    let refused =
        |text: &str| assert_eq!(text.parse::<SignedCheckpoint>().unwrap_err().kind(), ErrorKind::InvalidInput);
    let (body, signatures) = text.split_once("\n\n").unwrap();
    for other in [
        format!("{body}\nextension\n\n{signatures}"),
        format!("{body}\n\n\n{signatures}"),
        format!("{body}\n\n"),
        format!("{body}\n"),
        text.replace("\n7\n", "\n07\n"),
        text.replace("\n7\n", "\n+7\n"),
        text.replace("\n7\n", "\n-7\n"),
        text.replace("\n7\n", "\n9223372036854775808\n"),
        text.replace("\n7\n", "\n18446744073709551616\n"),
        text.replace("\u{2014}", "-"),
        text.replace('=', ""),
        text.replace("sigsum.org", "sigsum org"),
        text.replace("sigsum.org", "sigsum+org"),
        // The last digit of 32 bytes in base64 has bits that must be zero.
        text.replace("CQk=\n", "CQl=\n"),
    ] {
        assert_ne!(other, text);
        refused(&other);
    }
    for other in spoiled(&text) {
        // A signature less is a checkpoint still.
        let fewer = other.starts_with(body) && other.len() < text.len() && other.ends_with('\n');
        if other != text && !(fewer && other.contains("\n\n")) {
            refused(&other);
        }
    }
    let with = |count| format!("{body}\n\n{}", signed_lines(count));
    assert!(with(100).parse::<SignedCheckpoint>().is_ok());
    refused(&with(101));
    // sigsum-verify refuses two cosignatures of one key, others go by the first.
    let line = cosigned().others().next().unwrap().1;
    refused(&format!("{text}{line}\n"));
    refused(&format!("{text}{}{}", signed_lines(1), signed_lines(1).replace("AAAAAAA=", "AAAAAAE=")));
}

#[test]
fn sixteen_of_the_longest_signatures_that_there_are_can_be_read_also_in_a_proof() {
    let long = STANDARD.encode([7; 4 + 8 + 4627]);
    let lines: String = (0..16).map(|n| format!("\u{2014} {n}{} {long}\n", "w".repeat(200))).collect();
    let (mut proof, ..) = proof(5, 11);
    proof.checkpoint.add_lines(&lines).unwrap();
    assert_eq!(proof.checkpoint.to_string().parse::<SignedCheckpoint>().unwrap(), proof.checkpoint);
    assert_eq!(InclusionProof::from_tlog_proof(&proof.to_tlog_proof(), proof.leaf.clone()).unwrap(), proof);
}

/// Lines of so many keys.
fn signed_lines(count: usize) -> String {
    (0..count).map(|n| format!("\u{2014} a{n} AAAAAAA=\n")).collect()
}

#[test]
fn a_later_cosignature_takes_the_place_of_the_earlier_and_none_goes_where_none_can_be_read() {
    let (key, own) = witness(2);
    let mut renewed = cosigned();
    renewed.cosign(&key, 1_700_086_402, |bytes| own.sign(bytes)).unwrap();
    assert_eq!(renewed.cosigned_by(&key).unwrap(), Some(1_700_086_402));
    assert_eq!(renewed.others().count(), 2);
    assert_eq!(renewed.to_string().parse::<SignedCheckpoint>().unwrap(), renewed);

    let mut full = signed(7, [9; 32]);
    full.add_lines(&signed_lines(99)).unwrap();
    for (checkpoint, time) in [(&mut full, 1), (&mut renewed, 1 << 63)] {
        let before = checkpoint.clone();
        let refused = checkpoint.cosign(&key, time, |bytes| own.sign(bytes)).unwrap_err();
        assert_eq!((refused.kind(), &*checkpoint), (ErrorKind::InvalidInput, &before));
    }
    let line = cosigned().others().next().unwrap().1 + "\n";
    assert_eq!(full.take_cosignature(&line, &key).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_cosigners_answer_is_taken_only_if_it_verifies() {
    let ((key, own), other) = (witness(2), witness(3).0);
    let line = cosigned().others().next().unwrap().1 + "\n";
    let mut taken = signed(7, [9; 32]);
    assert_eq!(taken.take_cosignature(&format!("{}{line}", signed_lines(2)), &key).unwrap(), 1_700_000_002);
    assert_eq!(taken.cosigned_by(&key).unwrap(), Some(1_700_000_002));
    assert_eq!(taken.others().count(), 1);
    let mut renewed = signed(7, [9; 32]);
    renewed.cosign(&key, 1_700_086_402, |bytes| own.sign(bytes)).unwrap();
    assert_eq!(taken.take_cosignature(&(renewed.others().next().unwrap().1 + "\n"), &key).unwrap(), 1_700_086_402);
    assert_eq!(taken, renewed);

    let mut later = signed(8, [9; 32]);
    let before = later.clone();
    assert_eq!(later.take_cosignature(&line, &key).unwrap_err().kind(), ErrorKind::Tampered);
    assert_eq!(taken.take_cosignature(&line, &other).unwrap_err().kind(), ErrorKind::Tampered);
    for bad in ["", "\n", "x\n", line.trim_end(), &format!("\n{line}"), &signed_lines(12_000)] {
        assert_eq!(later.take_cosignature(bad, &key).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!((later, taken), (before, renewed));
}

#[test]
fn lines_of_others_are_added_once_and_all_or_none() {
    let (mut signed, whole) = (signed(7, [9; 32]), cosigned());
    let lines: Vec<String> = whole.others().map(|(_, line)| format!("{line}\n")).collect();
    let alone = signed.clone();
    for bad in ["", "\n", "x\n", lines[0].trim_end(), &lines[0].replace('\n', "\r\n"), &format!("{}x\n", lines[0])] {
        assert_eq!(signed.add_lines(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad:?}");
        assert_eq!(signed, alone);
    }
    signed.add_lines(&lines[0]).unwrap();
    signed.add_lines(&lines.concat()).unwrap();
    assert_eq!(signed, whole);
    assert!(signed.add_lines(&signed_lines(98)).is_err());
    let (key, own) = witness(2);
    let mut renewed = alone.clone();
    renewed.cosign(&key, 1_700_086_402, |bytes| own.sign(bytes)).unwrap();
    assert!(signed.add_lines(&(renewed.others().next().unwrap().1 + "\n")).is_err());
    assert!(signed.add_lines(&format!("\u{2014} a {}\n", STANDARD.encode([0; 96 * 1024]))).is_err());
    assert_eq!(signed, whole);
}

#[test]
fn a_key_comes_back_and_no_other_spelling_of_it_does() {
    let (key, _) = witness(2);
    let text = key.to_string();
    assert_eq!(text.parse::<VerifierKey>().unwrap(), key);
    let id = u32::from_str_radix(&hex(&key.id()), 16).unwrap();
    assert_eq!(id, signed_note::key_id(key.name(), &[&[4], &key.public_key().as_bytes()[..]].concat()));
    for other in [
        format!("{text}\n"),
        format!(" {text}"),
        text.replace(&hex(&key.id()), &hex(&key.id()).to_uppercase()),
        text.replacen("sigsum", "sigsun", 1),
        text.trim_end_matches('=').replace("+B", "+A"),
        "a+b".into(),
        "++".into(),
        String::new(),
    ] {
        if other != text {
            assert_eq!(other.parse::<VerifierKey>().unwrap_err().kind(), ErrorKind::InvalidInput, "{other}");
        }
    }
    for name in ["", "a b", "a+b", "a\u{2003}b", "a\nb", "a\0b", &"a".repeat(256)] {
        assert!(VerifierKey::new(name, KeyKind::Log, key.public_key()).is_err(), "{name:?}");
    }
}

#[test]
fn the_files_of_an_example_are_the_ones_that_we_write() {
    let log = example_log();
    let vkey = VerifierKey::new(origin_of(&log), KeyKind::Log, log).unwrap();
    assert_eq!(file!("log.vkey"), format!("{vkey}\n"));
    assert_eq!(file!("log.pem"), pem(&log));
    assert_eq!(file!("entry-257.pub"), openssh(&ssh(file!("entry-257.pub"))));
    assert_eq!(file!("policy.c2sp"), Policy::new(&log, []).unwrap().to_c2sp());
    assert_eq!(file!("policy.sigsum"), Policy::new(&log, []).unwrap().to_sigsum());
    let checkpoint: SignedCheckpoint = file!("checkpoint").parse().unwrap();
    assert_eq!(checkpoint.to_string(), file!("checkpoint"));
    assert_eq!(checkpoint.verify(&log).unwrap().size, 300);
    let clock: VerifierKey = file!("clock.vkey").trim().parse().unwrap();
    assert_eq!(format!("{clock}\n"), file!("clock.vkey"));
    assert_eq!(checkpoint.cosigned_by(&clock).unwrap(), Some(1_700_000_000));
}

#[test]
fn the_proofs_of_an_example_are_the_ones_that_we_write() {
    let log = example_log();
    for (message, key, tlog, sigsum) in [
        (
            file!("entry-257.json"),
            file!("entry-257.pub"),
            file!("entry-257.tlog-proof"),
            file!("entry-257.sigsum-proof"),
        ),
        (file!("alone.json"), file!("alone.pub"), file!("alone.tlog-proof"), file!("alone.sigsum-proof")),
    ] {
        let (message, actor) = (message.as_bytes(), ssh(key));
        let proof = InclusionProof::from_sigsum_proof(sigsum, message, &log).unwrap();
        proof.verify(message, &actor, &log).unwrap();
        // The clock of the example is not named by the whole hash of its key: it has no line in our text.
        let uncosigned: String = sigsum.split_inclusive('\n').filter(|line| !line.starts_with("cosig")).collect();
        assert_eq!(proof.to_sigsum_proof(&log).unwrap(), uncosigned);
        let proof = InclusionProof::from_tlog_proof(tlog, proof.leaf).unwrap();
        proof.verify(message, &actor, &log).unwrap();
        assert_eq!(proof.to_tlog_proof(), tlog);
        assert_eq!(proof.to_sigsum_proof(&log).unwrap(), uncosigned);
    }
}

#[test]
fn a_proof_comes_back_from_both_texts() {
    let (log, actor) = (signer(1).public_key(), signer(4).public_key());
    for size in [1, 2, 3, 7, 64, SIZE] {
        for index in [0, size / 2, size - 1] {
            let (proof, message, _) = proof(index, size);
            proof.verify(&message, &actor, &log).unwrap();
            let tlog = proof.to_tlog_proof();
            assert_eq!(InclusionProof::from_tlog_proof(&tlog, proof.leaf.clone()).unwrap(), proof);
            let extra = tlog.replacen('\n', "\nextra AAAA\n", 1);
            assert_eq!(InclusionProof::from_tlog_proof(&extra, proof.leaf.clone()).unwrap(), proof);
            let sigsum = proof.to_sigsum_proof(&log).unwrap();
            assert_eq!(sigsum.matches("\ncosignature=").count(), 1);
            let again = InclusionProof::from_sigsum_proof(&sigsum, &message, &log).unwrap();
            again.verify(&message, &actor, &log).unwrap();
            assert_eq!((again.index, &again.path, &again.leaf), (index, &proof.path, &proof.leaf));
            assert_eq!(again.checkpoint.checkpoint(), proof.checkpoint.checkpoint());
        }
    }
}

#[test]
fn there_is_no_sigsum_proof_by_another_key_or_of_a_log_with_another_name() {
    let (own, (mut proof, message, _)) = (signer(1), proof(5, 11));
    assert_eq!(proof.to_sigsum_proof(&signer(2).public_key()).unwrap_err().kind(), ErrorKind::InvalidInput);
    let named = Checkpoint { origin: "example.com/log".into(), ..proof.checkpoint.checkpoint().clone() };
    proof.checkpoint = SignedCheckpoint::sign(named, &own.public_key(), |bytes| own.sign(bytes));
    proof.verify(&message, &signer(4).public_key(), &own.public_key()).unwrap();
    assert_eq!(proof.to_sigsum_proof(&own.public_key()).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_sigsum_proof_has_one_line_of_a_key_however_many_names_end_with_it() {
    let (log, (mut proof, message, _)) = (signer(1).public_key(), proof(5, 11));
    let alone = proof.to_sigsum_proof(&log).unwrap();
    let (key, own) = witness(2);
    let other = VerifierKey::new(format!("other/{}", key.name()), KeyKind::Cosigner, key.public_key()).unwrap();
    proof.checkpoint.cosign(&other, 1, |bytes| own.sign(bytes)).unwrap();
    let late = [&(1u64 << 63).to_be_bytes()[..], &[0; 64]].concat();
    let late = STANDARD.encode([&[0; 4], &late[..]].concat());
    proof.checkpoint.add_lines(&format!("\u{2014} x/{} {late}\n", hex(&[7; 32]))).unwrap();
    assert_eq!(proof.to_sigsum_proof(&log).unwrap(), alone);

    let line = alone.split_inclusive('\n').find(|line| line.starts_with("cosignature=")).unwrap();
    let twice = alone.replace(line, &line.repeat(2));
    assert!(InclusionProof::from_sigsum_proof(&twice, &message, &log).is_err());
}

#[test]
fn a_proof_of_something_else_does_not_verify() {
    let (log, actor) = (signer(1).public_key(), signer(4).public_key());
    let (good, message, _) = proof(5, 11);
    let refused = |proof: &InclusionProof, message: &[u8], actor, log| {
        assert_eq!(proof.verify(message, actor, log).unwrap_err().kind(), ErrorKind::Tampered);
    };
    refused(&good, b"another", &actor, &log);
    refused(&good, &message, &log, &log);
    refused(&good, &message, &actor, &actor);
    refused(&InclusionProof { index: 4, ..good.clone() }, &message, &actor, &log);
    refused(&InclusionProof { path: good.path[1..].to_vec(), ..good.clone() }, &message, &actor, &log);
    refused(&InclusionProof { checkpoint: signed(12, [1; 32]), ..good.clone() }, &message, &actor, &log);
    let mut leaf = good.leaf.clone();
    leaf.signature[3] ^= 1;
    refused(&InclusionProof { leaf, ..good.clone() }, &message, &actor, &log);
    assert_eq!(Leaf::from_bytes(&good.leaf.to_bytes()), good.leaf);
}

#[test]
fn a_proof_in_another_spelling_is_refused() {
    let log = signer(1).public_key();
    let (proof, message, _) = proof(5, 11);
    let tlog = proof.to_tlog_proof();
    let parse = |text: &str| InclusionProof::from_tlog_proof(text, proof.leaf.clone());
    let mut others = spoiled(&tlog);
    others.extend([
        tlog.replace("index 5", "index 05"),
        tlog.replace("index 5", "index +5"),
        tlog.replace("@v1", "@v2"),
        tlog.replace("index", "extra ?\nindex"),
        tlog.replace("index 5\n", &format!("index 5\n{}", format!("{}\n", STANDARD.encode([0; 32])).repeat(60))),
    ]);
    // A line less may be a proof still, but of nothing.
    for other in others {
        assert!(
            parse(&other).is_ok_and(|p| p.to_tlog_proof() == other && other.len() < tlog.len())
                || parse(&other).is_err()
        );
    }
    let sigsum = proof.to_sigsum_proof(&log).unwrap();
    let parse = |text: &str| InclusionProof::from_sigsum_proof(text, &message, &log);
    let mut others = spoiled(&sigsum);
    others.extend([
        sigsum.replace("version=2", "version=1"),
        sigsum.replace("size=", "tree_size="),
        sigsum.replace("size=11", "size=011"),
        sigsum.replace("size=11", "size=1"),
        sigsum.replace("leaf_index=5", "leaf_index=+5"),
        sigsum.replace("cosignature=", "cosignature= "),
        sigsum.replace("root_hash=", "root_hash=0"),
        sigsum.split_inclusive("\n\n").take(2).collect::<String>().trim_end().to_owned() + "\n",
        format!("{sigsum}\nnode_hash={}\n", hex(&[0; 32])),
        format!("{sigsum}{}", format!("node_hash={}\n", hex(&[0; 32])).repeat(60)),
    ]);
    for other in others {
        let fewer = other.len() < sigsum.len() && parse(&other).is_ok();
        assert!(fewer || parse(&other).is_err(), "{other}");
    }
    assert!(InclusionProof::from_sigsum_proof(&sigsum, &message, &signer(2).public_key()).is_err());
}

#[test]
fn no_parser_panics_and_what_it_takes_it_writes_again() {
    let log = signer(1).public_key();
    let (proof, message, _) = proof(2, 5);
    let (checkpoint, key) = (cosigned().to_string(), witness(2).0.to_string());
    let (tlog, sigsum) = (proof.to_tlog_proof(), proof.to_sigsum_proof(&log).unwrap());
    for text in [&checkpoint, &key, &tlog, &sigsum] {
        for other in mutated(text) {
            if let Ok(parsed) = other.parse::<SignedCheckpoint>() {
                assert_eq!(parsed.to_string(), other);
                let _ = (parsed.verify(&log), parsed.cosigned_by(&witness(2).0));
            }
            if let Ok(parsed) = other.parse::<VerifierKey>() {
                assert_eq!(parsed.to_string(), other);
            }
            if let Ok(parsed) = InclusionProof::from_tlog_proof(&other, proof.leaf.clone()) {
                assert_eq!(parsed.to_tlog_proof(), other);
            }
            if let Ok(parsed) = InclusionProof::from_sigsum_proof(&other, &message, &log) {
                let lines = |text: &str| text.lines().filter(|l| !l.starts_with("cosig")).count();
                assert_eq!(lines(&parsed.to_sigsum_proof(&log).unwrap()), lines(&other));
            }
        }
    }
}

#[test]
fn a_policy_names_its_witnesses_and_asks_for_as_many_as_it_is_told() {
    let (log, (key, _), (other, _)) = (signer(1).public_key(), witness(2), witness(3));
    let own = VerifierKey::new(origin_of(&log), KeyKind::Log, log).unwrap();
    let policy = Policy::new(&log, [key.clone()]).unwrap();
    assert_eq!(policy.to_c2sp(), format!("log {own}\nwitness w1 {key}\nquorum none\n"));
    assert_eq!(policy.to_sigsum(), format!("log {log}\nwitness w1 {}\nquorum none\n", key.public_key()));
    let policy = Policy::new(&log, [key.clone(), other.clone()]).unwrap().quorum(1).unwrap();
    let known = format!("log {own}\nwitness w1 {key}\nwitness w2 {other}\n");
    assert_eq!(policy.to_c2sp(), known + "group witnesses 1 w1 w2\nquorum witnesses\n");
    assert_eq!((policy.log(), policy.witnesses().len(), policy.threshold()), (log, 2, 1));
    let none = Policy::new(&log, []).unwrap();
    for policy in [policy.clone(), none, policy.clone().quorum(2).unwrap(), policy.clone().quorum(0).unwrap()] {
        let text = policy.to_c2sp();
        assert_eq!(Policy::from_c2sp(&text).unwrap(), policy);
        let others = [text.trim_end().to_owned(), format!("{text}\n"), format!("# {text}"), text.replace(' ', "  ")];
        let others = others
            .into_iter()
            .chain([text.replace("\nquorum ", "\ngroup witnesses 3 w1\nquorum "), policy.to_sigsum()]);
        for other in others.chain([text.replace("log ", "log x"), String::new()]) {
            assert_eq!(Policy::from_c2sp(&other).unwrap_err().kind(), ErrorKind::InvalidInput, "{other}");
        }
    }
}

#[test]
fn a_policy_counts_no_key_twice_and_none_that_does_not_cosign() {
    let (log, (key, _)) = (signer(1).public_key(), witness(2));
    let named = |name: &str, kind, key| VerifierKey::new(name, kind, key).unwrap();
    let kind = |witnesses: Vec<VerifierKey>| Policy::new(&log, witnesses).map(drop).map_err(|e| e.kind());
    let bad = Err(ErrorKind::InvalidInput);
    assert_eq!(kind(vec![named("w", KeyKind::Log, key.public_key())]), bad, "a log's key does not cosign");
    assert_eq!(kind(vec![key.clone(), key.clone()]), bad, "twice");
    assert_eq!(kind(vec![key.clone(), named("another", KeyKind::Cosigner, key.public_key())]), bad, "by another name");
    assert_eq!(kind(vec![named("w", KeyKind::Cosigner, log)]), bad, "the log itself");
    let many = |count: u8| (0..count).map(|n| witness(100 + n).0).collect::<Vec<_>>();
    assert_eq!((kind(many(32)), kind(many(33))), (Ok(()), bad));
    let policy = Policy::new(&log, [key]).unwrap();
    assert!(policy.clone().quorum(1).is_ok());
    assert_eq!(policy.quorum(2).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_quorum_is_of_those_who_cosigned_this_checkpoint() {
    let (log, witnesses) = (signer(1), [witness(2), witness(3), witness(4)]);
    let keys = || witnesses.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let policy = |quorum| Policy::new(&log.public_key(), keys()).unwrap().quorum(quorum).unwrap();
    let checkpoint = Checkpoint { origin: origin_of(&log.public_key()), size: 7, root: [9; 32] };
    let mut signed = SignedCheckpoint::sign(checkpoint.clone(), &log.public_key(), |b| log.sign(b));
    assert!(policy(0).verify(&signed).unwrap().is_empty());
    assert_eq!(policy(1).verify(&signed).unwrap_err().kind(), ErrorKind::Unwitnessed);
    for (time, (key, own)) in [(50, &witnesses[0]), (70, &witnesses[2])] {
        signed.cosign(key, time, |b| own.sign(b)).unwrap();
    }
    // One that the policy does not know does not count.
    let (stranger, own) = witness(5);
    signed.cosign(&stranger, 90, |b| own.sign(b)).unwrap();
    let two = policy(2);
    assert_eq!(two.verify(&signed).unwrap(), [(&witnesses[2].0, 70), (&witnesses[0].0, 50)]);
    assert_eq!(policy(3).verify(&signed).unwrap_err().kind(), ErrorKind::Unwitnessed);

    let mut other = SignedCheckpoint::sign(Checkpoint { size: 8, ..checkpoint }, &log.public_key(), |b| log.sign(b));
    signed.others().for_each(|(_, line)| other.add_lines(&format!("{line}\n")).unwrap());
    assert_eq!(two.verify(&other).unwrap_err().kind(), ErrorKind::Tampered, "they cosigned another");
    let stranger = Policy::new(&signer(6).public_key(), keys()).unwrap();
    assert_eq!(stranger.verify(&signed).unwrap_err().kind(), ErrorKind::Tampered, "of another log");
}

#[test]
fn a_key_is_read_from_openssh_and_from_digits_and_from_nothing_else() {
    let key = signer(1).public_key();
    let (line, digits) = (openssh(&key), key.to_string());
    assert_eq!((from_openssh(&line).unwrap(), digits.parse::<crate::PublicKey>().unwrap()), (key, key));
    assert_eq!(from_openssh(&line.replace('\n', " somebody@somewhere else")).unwrap(), key);
    let cut = STANDARD.encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20short");
    for other in [line.replace("ssh-ed25519 ", "ssh-rsa "), format!("{line}{line}"), digits.clone(), cut] {
        assert_eq!(from_openssh(&other).unwrap_err().kind(), ErrorKind::InvalidInput, "{other}");
    }
    for other in [digits.to_uppercase(), digits[2..].to_owned(), format!("{digits}\n"), "00".repeat(32)] {
        assert_eq!(other.parse::<crate::PublicKey>().unwrap_err().kind(), ErrorKind::InvalidInput, "{other}");
    }
}

#[test]
fn tiles_and_bundles_have_the_names_and_bytes_of_others() {
    for index in [0, 1, 67, 999, 1000, 1_234_067, 999_999, 123_456_789_012] {
        for width in [1, 255, 256] {
            let theirs = |data| tiles::Tile::new(8, if data { 0 } else { 2 }, index, width, data).path();
            assert_eq!(tile_path(2, index, width.into()), theirs(false).replacen("tile/8/", "tile/", 1));
            assert_eq!(entries_path(index, width.into()), theirs(true).replacen("tile/8/data/", "tile/entries/", 1));
        }
    }
    assert_eq!(entries_path(1_234_067, TILE), "tile/entries/x001/x234/067");
    let (proof, ..) = proof(0, 2);
    let bundle = bundle([&proof.leaf, &proof.leaf]);
    let one = [&[0, 128][..], &proof.leaf.to_bytes()].concat();
    assert_eq!(bundle, [&one[..], &one].concat());
    assert_eq!(log(1).leaf(0), tiles::record_hash(&entry(0)).0);
}
