//! Subjects who do not want their interactions to be handed on.

mod common;

use common::{World, rows};
use strongroom::{ErrorKind, Identifier};

#[test]
fn a_restriction_is_placed_once_and_lifted_once_and_outlives_its_session() {
    let world = World::new();
    let (who, other) = (Identifier::tel("+15722568385").unwrap(), Identifier::mailto("o@example.com").unwrap());
    let session = world.session(&world.acme);
    session.restrict(&who, None, "asked by letter").unwrap();
    session.restrict(&who, Some("training"), "asked by letter").unwrap();
    session.restrict(&other, Some("training"), "asked on the phone").unwrap();
    assert_eq!(session.restrict(&who, None, "again").unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(session.lift_restriction(&other, None, "x").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(session.restrict(&other, None, "").unwrap_err().kind(), ErrorKind::InvalidInput);
    session.lift_restriction(&who, Some("training"), "changed his mind").unwrap();
    session.close().unwrap();

    let all = world.session(&world.acme).restrictions().unwrap();
    let all: Vec<_> = all.iter().map(|r| (r.subject.clone(), r.purpose.as_deref())).collect();
    assert_eq!(all, [(who, None), (other, Some("training"))]);
    assert!(world.session(&world.bolt).restrictions().unwrap().is_empty());
    assert!(world.vault.check().unwrap().is_clean());
}

#[test]
fn a_restriction_that_was_changed_on_the_disk_is_found_and_not_passed_over() {
    let world = World::new();
    let session = world.session(&world.acme);
    session.restrict(&Identifier::tel("+15722568385").unwrap(), None, "asked").unwrap();
    let flip = "UPDATE papers SET body = CAST(substr(body, 1, 99) || x'00' || substr(body, 101) AS BLOB)";
    assert_eq!(rows(&world.path()).execute(flip, []).unwrap(), 1);
    assert_eq!(session.restrictions().unwrap_err().kind(), ErrorKind::Tampered);
    assert!(!world.vault.check().unwrap().is_sound());
}

#[test]
fn whom_a_restriction_is_about_stands_nowhere_in_clear() {
    let world = World::new();
    let who = Identifier::tel("+15722568385").unwrap();
    world.session(&world.acme).restrict(&who, None, "heard-on-the-phone").unwrap();
    for file in common::files(&world.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for marker in ["5722568385", "heard-on-the-phone"] {
            assert!(!bytes.windows(marker.len()).any(|w| w == marker.as_bytes()), "{}", file.display());
        }
    }
}
