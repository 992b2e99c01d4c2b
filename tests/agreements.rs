//! An agreement as its parties and strangers handle it: with what the crate exports, and with programs of others.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use signed_note::{Note, StandardSigner, StandardVerifier, Verifier, VerifierList};
use strongroom::tlog::{KeyKind, VerifierKey};
use strongroom::*;

fn terms(card: RecipientCard) -> Terms {
    let profile = ProtectionProfile { at_rest: AtRest::Record, ..ProtectionProfile::weakest() };
    let (from, until) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap());
    Terms::new(card, profile, from, until)
        .purpose("quality assurance")
        .kind(PartKind::Audio)
        .field(Field::Start)
        .retention_days(30)
        .receipt_hours(24)
}

fn keys() -> (Identity, TenantCard, PublicKey) {
    let (identity, operator) = (Identity::generate().unwrap(), OperatorKey::generate().unwrap());
    let card = TenantCard::new(VaultId::generate().unwrap(), TenantId::generate().unwrap(), &identity);
    (identity, card, operator.public_key())
}

fn verifier(name: &str, key: PublicKey) -> Box<dyn Verifier> {
    let key = VerifierKey::new(name, KeyKind::Log, key).unwrap();
    Box::new(StandardVerifier::new(&key.to_string()).unwrap())
}

#[test]
fn an_agreement_is_verified_by_a_program_that_knows_nothing_of_us() {
    let ((identity, card, operator), third) = (keys(), Identity::generate().unwrap());
    let (class, country) = (RecipientClass::ServiceProvider, Country::new("DE").unwrap());
    let recipient = RecipientCard::new("Quality GmbH", class, &third, "privacy@quality.example", country).unwrap();
    let mut agreement = Agreement::new(&card, operator, operator, terms(recipient)).unwrap();
    agreement.sign(&identity).unwrap();
    agreement.sign(&third).unwrap();
    let text = agreement.to_string();

    let note = Note::from_bytes(text.as_bytes()).unwrap();
    let both = || vec![verifier("tenant", identity.public_key()), verifier("recipient", third.public_key())];
    let (verified, unknown) = note.verify(&VerifierList::new(both())).unwrap();
    assert_eq!(verified.iter().map(|s| s.name()).collect::<Vec<_>>(), ["tenant", "recipient"]);
    assert!(unknown.is_empty());
    assert_eq!(agreement.hash()[..], Sha256::digest(note.text())[..]);
    // What was signed is JSON of which every reader makes the same.
    let json: serde_json::Value = serde_json::from_slice(note.text()).unwrap();
    assert_eq!(json["recipient"]["key"], third.public_key().to_string());
    assert_eq!(json["tenant_key"], card.public_key().to_string());
    assert_eq!(json["card"], card.hash().to_string());
    assert_eq!(json["kinds"], serde_json::json!(["audio"]));

    let forged = text.replacen("\"retention_days\": 30", "\"retention_days\": 90", 1);
    assert_ne!(forged, text);
    let forged_note = Note::from_bytes(forged.as_bytes()).unwrap();
    assert!(forged_note.verify(&VerifierList::new(both())).is_err());
    assert_eq!(forged.parse::<Agreement>().unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn a_recipient_signs_with_a_program_that_knows_nothing_of_us() {
    let (identity, card, operator) = keys();
    let seed = [0x42; 32];
    let own = SigningKey::from_bytes(&seed);
    let key = PublicKey::from_bytes(own.verifying_key().to_bytes()).unwrap();
    let (age, class) = (Identity::generate().unwrap(), RecipientClass::Affiliate);
    let country = Country::new("FR").unwrap();
    let recipient =
        RecipientCard::with_keys("Qualité SA", class, age.recipient().clone(), key, "dpo@qualite.example", country);
    let mut agreement = Agreement::new(&card, operator, operator, terms(recipient.unwrap())).unwrap();
    agreement.sign(&identity).unwrap();
    assert!(!agreement.is_signed_by_recipient());

    let vkey = VerifierKey::new("recipient", KeyKind::Log, key).unwrap().to_string();
    let id = vkey.split('+').nth(1).unwrap();
    let secret = format!("PRIVATE+KEY+recipient+{id}+{}", STANDARD.encode([&[1][..], &seed].concat()));
    let mut note = Note::from_bytes(agreement.to_string().as_bytes()).unwrap();
    note.add_sigs(&[&StandardSigner::new(&secret).unwrap()]).unwrap();
    let signed: Agreement = String::from_utf8(note.to_bytes()).unwrap().parse().unwrap();
    signed.verify().unwrap();
    assert_eq!(signed.hash(), agreement.hash());
}
