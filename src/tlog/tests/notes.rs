//! Signed notes of any text, against signed_note.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use signed_note::{Note as Theirs, StandardSigner, StandardVerifier, VerifierList};

use super::super::*;
use crate::error::ErrorKind;
use crate::id::hex;
use crate::key::Signing;
use crate::secret::Secret;

const TEXTS: [&str; 7] = [
    "one\n",
    "one\n\ntwo\n",
    "\n",
    "\n\n\n",
    "{\n  \"é\": 1\n}\n",
    "one\n\n\u{2014} two AAAAAAAA\n",
    "one\u{7F}\u{85}\n",
];

fn signer(byte: u8) -> Signing {
    Signing::from_seed(&Secret::from_fn(|seed| *seed = [byte; 32]))
}

fn signed(text: &str, signers: &[(&str, u8)]) -> Note {
    let mut note = Note::new(text).unwrap();
    for (name, byte) in signers {
        let own = signer(*byte);
        note.sign_as(name, &own.public_key(), |bytes| own.sign(bytes)).unwrap();
    }
    note
}

fn vkey(name: &str, byte: u8) -> VerifierKey {
    VerifierKey::new(name, KeyKind::Log, signer(byte).public_key()).unwrap()
}

/// How many signatures signed_note verifies with these keys, and how many it does not know.
fn verified_by_others(note: &str, keys: &[(&str, u8)]) -> Option<(usize, usize)> {
    let verifier = |(name, byte): &(&str, u8)| -> Box<dyn signed_note::Verifier> {
        Box::new(StandardVerifier::new(&vkey(name, *byte).to_string()).unwrap())
    };
    let known = VerifierList::new(keys.iter().map(verifier).collect());
    let (verified, unknown) = Theirs::from_bytes(note.as_bytes()).ok()?.verify(&known).ok()?;
    Some((verified.len(), unknown.len()))
}

#[test]
fn a_note_is_read_and_verified_by_us_and_by_others() {
    let both = [("tenant", 1), ("recipient", 2)];
    for text in TEXTS {
        let note = signed(text, &both);
        let read: Note = note.to_string().parse().unwrap();
        assert_eq!((&read, read.text()), (&note, text));
        assert_eq!(read.names().collect::<Vec<_>>(), ["tenant", "recipient"]);
        for (name, byte) in both {
            read.verify(name, &signer(byte).public_key()).unwrap();
        }
        assert_eq!(verified_by_others(&note.to_string(), &both), Some((2, 0)), "{text:?}");
        assert_eq!(verified_by_others(&note.to_string(), &both[1..]), Some((1, 1)), "{text:?}");
    }
}

#[test]
fn what_others_sign_is_read_and_is_what_we_would_have_signed() {
    for text in TEXTS {
        let own = signer(3);
        let (id, seed) = (hex(&vkey("a/b", 3).id()), STANDARD.encode([&[1][..], &[3; 32]].concat()));
        let theirs = StandardSigner::new(&format!("PRIVATE+KEY+a/b+{id}+{seed}")).unwrap();
        let mut note = Theirs::new(text.as_bytes(), &[]).unwrap();
        note.add_sigs(&[&theirs]).unwrap();
        let note = String::from_utf8(note.to_bytes()).unwrap();
        let read: Note = note.parse().unwrap();
        read.verify("a/b", &own.public_key()).unwrap();
        assert_eq!(read, signed(text, &[("a/b", 3)]));
    }
}

#[test]
fn a_signature_counts_under_its_own_name_key_and_text_only() {
    let note = signed("one\n", &[("tenant", 1)]);
    note.verify("tenant", &signer(1).public_key()).unwrap();
    for (name, byte) in [("tenant", 2), ("recipient", 1), ("Tenant", 1)] {
        let refused = note.verify(name, &signer(byte).public_key()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Tampered, "{name} {byte}");
    }
    let moved: Note = note.to_string().replacen("one", "two", 1).parse().unwrap();
    assert_eq!(moved.verify("tenant", &signer(1).public_key()).unwrap_err().kind(), ErrorKind::Tampered);
    let nobody = Note::new("one\n").unwrap();
    assert_eq!(nobody.verify("tenant", &signer(1).public_key()).unwrap_err().kind(), ErrorKind::Tampered);
    // A signature too short, under the right name and key id.
    let short = STANDARD.encode([&vkey("tenant", 1).id()[..], &[9; 63]].concat());
    let short: Note = format!("one\n\n\u{2014} tenant {short}\n").parse().unwrap();
    assert_eq!(short.verify("tenant", &signer(1).public_key()).unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn whoever_signs_again_replaces_the_own_line_and_nobody_elses() {
    let mut note = signed("one\n", &[("tenant", 1), ("recipient", 2)]);
    let before = note.clone();
    note.sign_as("tenant", &signer(1).public_key(), |bytes| signer(1).sign(bytes)).unwrap();
    assert_eq!(note, before);
    note.sign_as("tenant", &signer(1).public_key(), |_| [0; 64]).unwrap();
    assert!(note.verify("tenant", &signer(1).public_key()).is_err());
    note.verify("recipient", &signer(2).public_key()).unwrap();
    note.sign_as("tenant", &signer(3).public_key(), |bytes| signer(3).sign(bytes)).unwrap();
    assert_eq!(note.names().collect::<Vec<_>>(), ["tenant", "recipient", "tenant"]);
}

#[test]
fn what_is_no_note_is_refused_by_us_and_by_others() {
    let note = signed("one\n", &[("tenant", 1), ("recipient", 2)]).to_string();
    let line = note.lines().nth(2).unwrap().to_owned() + "\n";
    let refused = [
        String::new(),
        "one\n".to_owned(),
        "one\n\n".to_owned(),
        note.trim_end().to_owned(),
        format!("{note}\n"),
        format!("{note} "),
        note.replacen("\n\n", "\n", 1),
        note.replacen("\n\n", "\r\n\r\n", 1),
        note.replacen("one", "o\tne", 1),
        note.replacen("one", "o\0ne", 1),
        note.replacen('\u{2014}', "-", 1),
        note.replacen("\u{2014} ", "\u{2014}  ", 1),
        note.replacen("tenant", "ten+ant", 1),
        note.replacen("tenant", "ten\u{2003}ant", 1),
        note.replacen("tenant ", " ", 1),
        note.replacen("=\n", "\n", 1),
        format!("one\n\n{}", line.replacen("= \n", "=\n", 1).replacen("tenant ", "tenant =", 1)),
        "one\n\n\u{2014} tenant \n".to_owned(),
        "one\n\n\u{2014} tenant AAAA\n".to_owned(),
    ];
    for other in refused {
        assert_eq!(other.parse::<Note>().unwrap_err().kind(), ErrorKind::InvalidInput, "{other:?}");
        assert!(Theirs::from_bytes(other.as_bytes()).is_err(), "{other:?}");
    }
    // Two lines of one name and key, of which others go by the first.
    assert!(format!("{note}{line}").parse::<Note>().is_err());
    let text = |len: usize| "x".repeat(len - 1) + "\n";
    assert_eq!(format!("{}{note}", text(256 * 1024)).parse::<Note>().unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn what_no_note_can_say_is_neither_made_nor_signed() {
    for text in ["", "one", "one\r\n", "o\tne\n", "\0\n"] {
        assert_eq!(Note::new(text).unwrap_err().kind(), ErrorKind::InvalidInput, "{text:?}");
        assert!(!text.ends_with('\n') || Theirs::new(text.as_bytes(), &[]).is_err(), "{text:?}");
    }
    assert_eq!(Note::new("x".repeat(256 * 1024) + "\n").unwrap_err().kind(), ErrorKind::TooLarge);
    let mut full = Note::new("x".repeat(256 * 1024 - 1) + "\n").unwrap();
    let (key, before) = (signer(1).public_key(), full.clone());
    assert_eq!(full.sign_as("tenant", &key, |_| [0; 64]).unwrap_err().kind(), ErrorKind::TooLarge);
    for name in ["", "a b", "a+b", "a\nb", &"x".repeat(256)] {
        assert_eq!(full.sign_as(name, &key, |_| [0; 64]).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(full, before);
    let mut many = Note::new("one\n").unwrap();
    for number in 0..100 {
        many.sign_as(&format!("n{number}"), &key, |_| [0; 64]).unwrap();
    }
    assert_eq!(many.sign_as("one-too-many", &key, |_| [0; 64]).unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(many.to_string().parse::<Note>().unwrap(), many);
}
