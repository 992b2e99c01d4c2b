//! Documents of a tenant with the secret `11…` and a recipient with `12…`, in vault `01…`.

mod agreements;
mod documents;
mod policies;
mod profiles;
mod refusals;

use super::*;
use crate::error::Result;
use crate::id::{TenantId, VaultId};
use crate::key::{Identity, PublicKey, Suite, TenantCard};
use crate::record::{Identifier, PartKind};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::tlog::Note;

fn identity(byte: u8) -> Identity {
    Identity::from_secret(Suite::X25519, Secret::from_slice(&[byte; 32]).unwrap())
}

fn tenant() -> Identity {
    identity(0x11)
}

fn recipient() -> Identity {
    identity(0x12)
}

fn key(byte: u8) -> PublicKey {
    identity(byte).public_key()
}

fn card() -> TenantCard {
    TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &tenant())
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn countries(codes: &[&str]) -> std::collections::BTreeSet<Country> {
    codes.iter().map(|code| Country::new(code).unwrap()).collect()
}

fn recipient_card(class: RecipientClass) -> RecipientCard {
    let country = Country::new("DE").unwrap();
    RecipientCard::new("Qualität GmbH", class, &recipient(), "privacy@quality.example", country).unwrap()
}

fn profile() -> ProtectionProfile {
    ProtectionProfile {
        at_rest: AtRest::Application,
        in_transit: InTransit::Tls13,
        key_custody: KeyCustody::CustomerManaged,
        access_control: AccessControl::MultiFactor,
        logging: Logging::Access,
        breach_notice_hours: Some(24),
        residency: Some(countries(&["DE", "FR"])),
        deletion_days: Some(14),
        sub_processors: SubProcessors::Approved,
        certifications: ["ISO/IEC 27001:2022".to_owned(), "SOC 2 Type II".to_owned()].into(),
    }
}

fn terms() -> Terms {
    let card = recipient_card(RecipientClass::ServiceProvider);
    Terms::new(card, profile(), time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"))
        .purpose("training of agents")
        .purpose("quality assurance")
        .kind(PartKind::Transcript)
        .kind(PartKind::Email)
        .field(Field::Queue)
        .field(Field::Start)
        .queue("billing")
        .queue("sales")
        .subject(Identifier::tel("+15722568385").unwrap())
        .subject(Identifier::customer("C-1").unwrap())
        .retention_days(30)
        .receipt_hours(72)
}

fn draft(terms: Terms) -> Result<Agreement> {
    Agreement::with_id([10; 16], &card(), key(0x13), key(0x14), terms)
}

fn agreement() -> Agreement {
    signed_by_both(draft(terms()).unwrap())
}

fn signed_by_both(mut agreement: Agreement) -> Agreement {
    agreement.sign(&tenant()).unwrap();
    agreement.sign(&recipient()).unwrap();
    agreement
}

fn rules() -> TransferRules {
    TransferRules {
        required: ProtectionProfile { at_rest: AtRest::Disk, deletion_days: Some(30), ..ProtectionProfile::weakest() },
        classes: [RecipientClass::ServiceProvider, RecipientClass::Affiliate].into(),
        max_retention_days: 90,
    }
}

fn policy_of(rules: TransferRules) -> TransferPolicy {
    let mut policy = TransferPolicy::new(&card(), rules, time("2025-12-24T18:00:00Z")).unwrap();
    policy.sign(&tenant()).unwrap();
    policy
}

fn receipt() -> DeliveryReceipt {
    let received = time("2026-02-03T04:05:06.789Z");
    let mut receipt = DeliveryReceipt::new(&agreement(), "sigsum.org/v1/tree/00", 7, [9; 32], received).unwrap();
    receipt.sign(&recipient()).unwrap();
    receipt
}

fn transferred(seq: u64, records: &[&str]) -> Transferred {
    let records = records.iter().map(|record| (*record).to_owned()).collect();
    Transferred { log: "sigsum.org/v1/tree/00".to_owned(), seq, records }
}

const RECORDS: [&str; 2] = ["01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058"];

fn request() -> DeletionRequest {
    let transfers = vec![transferred(9, &RECORDS), transferred(7, &[])];
    let (issued, due) = (time("2026-03-01T00:00:00Z"), time("2026-03-15T00:00:00Z"));
    let mut request =
        DeletionRequest::with_id([11; 16], &agreement(), transfers, issued, due, "the customer asked for it").unwrap();
    request.sign(&tenant()).unwrap();
    request
}

fn acknowledgement() -> DeletionAcknowledgement {
    let done = time("2026-03-02T00:00:00Z");
    let note = "one record is under a hold";
    let mut answer = DeletionAcknowledgement::new(&request(), done, DeletionResult::Partly, note).unwrap();
    answer.sign(&recipient()).unwrap();
    answer
}

/// A note of any text, with right signatures under it: what is wrong with it is in the text.
fn note(text: &str, signers: &[(&str, &Identity)]) -> String {
    let mut note = Note::new(text).unwrap();
    for (name, signer) in signers {
        note.sign_as(name, &signer.public_key(), |bytes| signer.sign(bytes)).unwrap();
    }
    note.to_string()
}
