//! The examples of docs/SPEC.md, made again from their inputs. A block of the page is ```` ```hex name ````.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::agreement::*;
use crate::encoding::{codec, enc, padded_len};
use crate::epoch::{EpochHeader, EpochReader, EpochSecrets, EpochWriter};
use crate::id::{EpochId, OrderId, RecordId, TenantId, TransferId, VaultId, hex, unhex};
use crate::index::IndexKey;
use crate::kdf::exp;
use crate::key::{ClockKey, DisclosurePolicy, Identity, OperatorKey, Signing, Suite, TenantCard, TenantPin, WriterKey};
use crate::ledger::{EntryPlace, Kind, Message, RecordSet, Succession};
use crate::order::*;
use crate::package::Manifest;
use crate::production::{self, ProductionProfile};
use crate::record::{Channel, Draft, Identifier, PartHeader, PartKind, ProducerDigest, RecordHeader, Role, Subject};
use crate::seal::{Place, RecordKey, Sharing};
use crate::secret::Secret;
use crate::store::{Mark, entry_digest, header_digest};
use crate::stream::{frame, wrap_with_salt};
use crate::time::Timestamp;
use crate::tlog::{
    Checkpoint, Edge, Hash, InclusionProof, KeyKind, Leaf, Nodes, Policy, SignedCheckpoint, VerifierKey,
    add_checkpoint, consistency, inclusion, openssh, origin_of, pem, place,
};
use crate::transfer::{Pseudonyms, Subjects};

const SPEC: &str = include_str!("../docs/SPEC.md");

#[test]
fn every_example_of_the_specification_is_what_this_build_makes() {
    let (page, mut made) = (blocks(), examples());
    // What HPKE seals is random: the page's header must be one that these keys made, and everything else follows.
    made.remove("epoch-header");
    check_epoch_header(&page["epoch-header"]);
    for (name, bytes) in &made {
        let written = page.get(*name).unwrap_or_else(|| panic!("the page lacks the example {name}"));
        assert_eq!(hex(written), hex(bytes), "{name}");
    }
    assert_eq!(page.len(), made.len() + 1, "the page has an example that nothing makes");
    for len in [0, 1024, 1025, 5000, 65_537, 30_000_001] {
        let row = format!("| {len} | {} |", padded_len(len));
        assert!(SPEC.contains(&row), "{row}");
    }
    for text in texts().into_iter().chain(transfer_texts()).chain(disclosure_texts()).chain(package_texts()) {
        assert!(SPEC.contains(&text), "{text}");
    }
}

/// Prints what a maintainer pastes into the page after a change of format.
#[test]
#[ignore = "prints; run it with --nocapture after a format has changed"]
fn print_every_example() {
    for (name, bytes) in examples() {
        println!("{name} {}", hex(&bytes));
    }
    texts()
        .iter()
        .chain(&transfer_texts())
        .chain(&disclosure_texts())
        .chain(&package_texts())
        .for_each(|text| println!("text {text}"));
}

fn secret(byte: u8) -> Secret {
    Secret::from_slice(&[byte; 32]).unwrap()
}

fn tenant() -> Identity {
    Identity::from_secret(Suite::X25519, secret(0x11))
}

fn custodian(byte: u8) -> Identity {
    Identity::from_secret(Suite::X25519, secret(byte))
}

fn writer() -> WriterKey {
    WriterKey::from_secrets(secret(0x31), secret(0x32))
}

fn statements() -> (TenantCard, DisclosurePolicy) {
    let card = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &tenant());
    let who = [0x21, 0x22, 0x23].map(|b| (&custodian(b)).into()).to_vec();
    let policy = DisclosurePolicy::quorum(&card, 2, who, &tenant()).unwrap();
    (card, policy)
}

fn epoch() -> EpochWriter {
    let (card, policy) = statements();
    let custodians = [0x51, 0x52, 0x53].map(secret).into();
    let secrets = EpochSecrets { tenant: secret(0x41), index_key: secret(0x42), custodians };
    let opened = Timestamp::from_unix_ms(1_710_605_360_701);
    EpochWriter::with(EpochId::from_bytes([3; 16]), opened, secrets, &card, &policy, &writer()).unwrap()
}

fn texts() -> Vec<String> {
    let (card, policy) = statements();
    [
        tenant().recipient().to_string(),
        tenant().expose_secret().to_string(),
        writer().expose_secret().to_string(),
        TenantPin::of(&card, &policy).to_string(),
        hex(&Sha256::digest(Identity::from_secret(Suite::XWing, secret(0x11)).recipient().to_string())),
    ]
    .into_iter()
    .chain(ledger_texts())
    .chain(chapter_11_texts())
    .chain(agreement_texts())
    .collect()
}

/// A log of three entries, and the hashes that each stored.
struct Log(Vec<Leaf>, Vec<Vec<Hash>>, Edge);

impl Nodes for Log {
    fn nodes(&self, wanted: &[(u8, u64)]) -> crate::Result<Vec<Hash>> {
        let places = wanted.iter().map(|(level, index)| place(*level, *index));
        Ok(places.map(|(entry, at)| self.1[entry as usize][at]).collect())
    }
}

fn log() -> Log {
    let (actor, mut log) = (writer(), Log(Vec::new(), Vec::new(), Edge::default()));
    for message in ["zero\n", "one\n", "two\n"] {
        let leaf = Leaf::sign(message.as_bytes(), &actor.public_key(), |bytes| actor.sign(bytes));
        log.1.push(log.2.push(leaf.hash()));
        log.0.push(leaf);
    }
    log
}

fn ledger_texts() -> Vec<String> {
    let (own, witness, log) = (Signing::from_seed(&secret(0x61)), Signing::from_seed(&secret(0x62)), log());
    let key = own.public_key();
    let checkpoint = Checkpoint { origin: origin_of(&key), size: log.2.size(), root: log.2.root() };
    let mut signed = SignedCheckpoint::sign(checkpoint, &key, |bytes| own.sign(bytes));
    let name = format!("sigsum.org/v1/witness/{}", hex(&Sha256::digest(witness.public_key().as_bytes())));
    let cosigner = VerifierKey::new(name, KeyKind::Cosigner, witness.public_key()).unwrap();
    signed.cosign(&cosigner, 1_710_605_400, |bytes| witness.sign(bytes)).unwrap();
    let bare = SignedCheckpoint::sign(signed.checkpoint().clone(), &key, |bytes| own.sign(bytes));
    let asked = add_checkpoint(1, &consistency(1, 3, &log).unwrap(), &bare);
    let path = inclusion(1, 3, &log).unwrap();
    let proof = InclusionProof { leaf: log.0[1].clone(), index: 1, path, checkpoint: signed.clone() };
    proof.verify(b"one\n", &writer().public_key(), &key).unwrap();
    let policy = Policy::new(&key, [cosigner]).unwrap();
    assert_eq!(policy.verify(&signed).unwrap().len(), 1);
    let kept = signed.checkpoint();
    let loss = Succession::sign(&own, kept, Some((5, [5; 32])), &origin_of(&witness.public_key())).to_detail(1).1;
    vec![
        format!("```text\n{loss}\n```"),
        format!("```text\n{signed}```"),
        format!("```text\n{}```", proof.to_tlog_proof().replace(&format!("\n{signed}"), "")),
        format!("```text\n{}```", proof.to_sigsum_proof(&key).unwrap()),
        format!("```text\n{}```", policy.to_c2sp()),
        format!("```text\n{}```", policy.quorum(1).unwrap().to_sigsum()),
        format!("```text\n{}```", openssh(&writer().public_key())),
        format!("```text\n{}```", pem(&key)),
        format!("```text\n{asked}```"),
    ]
}

/// What a recipient with the secret `66…` and our tenant sign.
fn transfer_texts() -> Vec<String> {
    let recipient = custodian(0x66).recipient().clone();
    let pseudonyms = Pseudonyms::of(&tenant(), &recipient, "quality assurance").unwrap();
    let subject = pseudonyms.subject(&Identifier::tel("+15722568385").unwrap());
    let record = pseudonyms.record(RecordId::from_bytes([4; 16]));
    let day = |text: &str| text.parse::<Timestamp>().unwrap();
    let manifest = Manifest {
        transfer: TransferId::from_bytes([7; 16]),
        vault: VaultId::from_bytes([1; 16]),
        tenant: TenantId::from_bytes([2; 16]),
        agreement: [0x67; 32],
        purpose: "quality assurance".to_owned(),
        recipient: recipient.to_string(),
        created: day("2024-03-16T16:09:20.701Z"),
        expires: day("2024-04-15T16:09:20.701Z"),
        keep_until: day("2024-04-15T16:09:20.701Z"),
        receipt_by: day("2024-03-19T16:09:20.701Z"),
        kinds: vec!["audio".to_owned(), "transcript".to_owned()],
        fields: vec!["start".to_owned()],
        subjects: Subjects::Pseudonyms.as_str().to_owned(),
        records: 1,
        files: 3,
        bytes: 480_123,
        payload: [0x68; 32],
    };
    let manifest = String::from_utf8(manifest.to_bytes()).unwrap();
    vec![format!("```text\n{subject}\n{record}\n```"), format!("```json\n{manifest}```")]
}

fn package_texts() -> Vec<String> {
    let bates = |number: u64| format!("ABC{number:07}");
    let manifest = production::Manifest {
        cover: production::Cover {
            order: OrderId::from_bytes([8; 16]),
            order_hash: [0x69; 32],
            vault: VaultId::from_bytes([1; 16]),
            tenant: TenantId::from_bytes([2; 16]),
            tenant_name: "Acme, Inc.".to_owned(),
            authority: "District Court".to_owned(),
            reference: "24-CV-1".to_owned(),
            basis: "court-order".to_owned(),
            created: "2024-03-16T16:09:20.701Z".parse().unwrap(),
            by: "counsel".to_owned(),
        },
        profile: ProductionProfile::Litigation.as_str(),
        bates: Some(production::Range { volume: "ABC_VOL001".to_owned(), first: bates(1), last: bates(3) }),
        records: 2,
        documents: 3,
        redacted: 1,
        withheld: 1,
        files: 14,
        bytes: 480_123,
        payload: [0x68; 32],
    };
    let manifest = String::from_utf8(manifest.to_bytes()).unwrap();
    let mut columns = vec![String::new()];
    for column in production::load_file() {
        match columns.last_mut() {
            Some(line) if line.len() + column.len() < 115 => *line = format!("{line} {column}").trim_start().to_owned(),
            _ => columns.push(column.to_owned()),
        }
    }
    vec![format!("```json\n{manifest}```"), format!("```text\n{}\n```", columns.join("\n"))]
}

fn agreement_texts() -> Vec<String> {
    let (card, recipient) = (statements().0, Identity::from_secret(Suite::X25519, secret(0x66)));
    let (operator, log) = (OperatorKey::from_secret(secret(0x64)), Signing::from_seed(&secret(0x61)));
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let germany = Country::new("DE").unwrap();
    let profile = ProtectionProfile {
        at_rest: AtRest::Application,
        in_transit: InTransit::Tls13,
        key_custody: KeyCustody::CustomerManaged,
        access_control: AccessControl::MultiFactor,
        logging: Logging::Access,
        breach_notice_hours: Some(24),
        residency: Some([Country::new("FR").unwrap(), germany].into()),
        deletion_days: Some(14),
        sub_processors: SubProcessors::None,
        certifications: ["ISO/IEC 27001:2022".to_owned()].into(),
    };
    let third = RecipientCard::new(
        "Qualität GmbH",
        RecipientClass::ServiceProvider,
        &recipient,
        "privacy@quality.example",
        germany,
    );
    let terms = Terms::new(third.unwrap(), profile, time("2024-03-16T00:00:00Z"), time("2025-03-16T00:00:00Z"))
        .purpose("training of agents")
        .purpose("quality assurance")
        .kind(PartKind::Audio)
        .kind(PartKind::Transcript)
        .field(Field::Start)
        .field(Field::Queue)
        .queue("billing")
        .subject(Identifier::tel("+15722568385").unwrap())
        .retention_days(30)
        .receipt_hours(72);
    let mut agreement = Agreement::with_id([0x67; 16], &card, operator.public_key(), log.public_key(), terms).unwrap();
    agreement.sign(&tenant()).unwrap();
    agreement.sign(&recipient).unwrap();

    let rules = TransferRules {
        required: ProtectionProfile { at_rest: AtRest::Disk, deletion_days: Some(30), ..ProtectionProfile::weakest() },
        classes: [RecipientClass::Affiliate, RecipientClass::ServiceProvider].into(),
        max_retention_days: 90,
    };
    let mut policy = TransferPolicy::new(&card, rules, time("2024-03-15T12:00:00Z")).unwrap();
    policy.sign(&tenant()).unwrap();

    let origin = origin_of(&log.public_key());
    let received = time("2024-03-16T16:09:20.701Z");
    let mut receipt = DeliveryReceipt::new(&agreement, origin.as_str(), 1, [0x68; 32], received).unwrap();
    receipt.sign(&recipient).unwrap();
    let record = "04040404-0404-0404-0404-040404040404".to_owned();
    let transfers = vec![Transferred { log: origin, seq: 1, records: [record].into() }];
    let (issued, due) = (time("2024-04-01T00:00:00Z"), time("2024-04-15T00:00:00Z"));
    let reason = "the customer asked for it";
    let mut request = DeletionRequest::with_id([0x69; 16], &agreement, transfers, issued, due, reason).unwrap();
    request.sign(&tenant()).unwrap();
    let done = time("2024-04-02T00:00:00Z");
    let mut answer = DeletionAcknowledgement::new(&request, done, DeletionResult::Deleted, "").unwrap();
    answer.sign(&recipient).unwrap();
    [policy.to_string(), agreement.to_string(), receipt.to_string(), request.to_string(), answer.to_string()]
        .iter()
        .map(|note| format!("```text\n{note}```"))
        .chain([hex(&agreement.hash())])
        .chain(words())
        .collect()
}

/// Every word that stands in an agreement, as the page lists them.
fn words() -> Vec<String> {
    fn list<T: ToString>(all: &[T]) -> String {
        all.iter().map(|word| format!("`{}`", word.to_string())).collect::<Vec<_>>().join(", ")
    }
    let kinds = [
        PartKind::Audio,
        PartKind::Transcript,
        PartKind::Chat,
        PartKind::Email,
        PartKind::Attachment,
        PartKind::Analysis,
        PartKind::Original,
    ];
    vec![
        format!("| `at_rest` | {} |", list(AtRest::ALL)),
        format!("| `in_transit` | {} |", list(InTransit::ALL)),
        format!("| `key_custody` | {} |", list(KeyCustody::ALL)),
        format!("| `access_control` | {} |", list(AccessControl::ALL)),
        format!("| `logging` | {} |", list(Logging::ALL)),
        format!("| `sub_processors` | {} |", list(SubProcessors::ALL)),
        format!("| `class` | {} |", list(RecipientClass::ALL)),
        format!("| `kinds` | a set, not empty, of {} |", list(&kinds)),
        format!("| `fields` | a set of {}: what of the head", list(Field::ALL)),
        format!("| `onward` | {}: whether", list(Onward::ALL)),
        format!("| `result` | {} |", list(DeletionResult::ALL)),
    ]
}

fn examples() -> BTreeMap<&'static str, Vec<u8>> {
    let mut made = BTreeMap::new();
    made.insert("enc", enc("demo", &[b"a", b"", b"bc"]));
    let value = (7u16, Some(-2i64), vec!["ab".to_string()], None::<u8>, Role::Bot);
    made.insert("codec", codec::encode(&value, 100, "x").unwrap());
    made.insert("stream", wrap_with_salt(&secret(0x61), b"here", &[0x80; 24], b"plain").unwrap());
    let path = format!("transfer-1/data/files/sha512-{}.flac", "Z".repeat(86));
    made.insert("archive-header", crate::bagit::header(&path, 1_000_000, 1_710_605_360).unwrap().to_vec());
    made.insert("exp", exp(&secret(0x41), &enc("chain-msg", &[])).expose_secret().to_vec());

    let (card, policy) = statements();
    made.insert("tenant-public-key", card.public_key().as_bytes().to_vec());
    made.insert("tenant-card", card.to_bytes());
    made.insert("card-hash", card.hash().as_bytes().to_vec());
    made.insert("disclosure-policy", policy.to_bytes());
    made.insert("policy-hash", policy.hash().as_bytes().to_vec());

    let mut epoch = epoch();
    made.insert("epoch-header", epoch.header.to_bytes().to_vec());
    made.insert("token", IndexKey::new(secret(0x42)).token("tel", "+15722568385", 1).to_vec());
    let [tenant_info, custodian_info] = epoch.header.infos(custodian(0x21).recipient());
    made.insert("epoch-tenant-info", tenant_info);
    made.insert("epoch-custodian-info", custodian_info);
    epoch.draw();
    let keys = epoch.draw();
    let entry_keys = epoch.draw();
    made.insert("message-key", keys.tenant.expose_secret().to_vec());

    let (vault, tenant, record) = (card.vault(), card.tenant(), RecordId::from_bytes([4; 16]));
    let place = Place { vault, tenant, epoch: epoch.header.epoch(), record, seq: 1 };
    let key = RecordKey::from_dek(place, secret(0x62));
    let wrap = wrap_with_salt(&keys.tenant, &place.dek_context(), &[0x81; 24], &[0x62; 32]).unwrap();
    made.insert("dek-context", place.dek_context());
    made.insert("wrap", wrap.clone());
    let sharing = Sharing { policy: policy.hash(), threshold: 2 };
    made.insert("share-context", place.share_context(sharing, 1, 3));
    let shares = (1u8..=3)
        .map(|number| {
            // Shares of a real splitting are random; here each is its number, repeated.
            let (share, salt) = (secret(0x90 + number), [0xA0 + number; 24]);
            let context = place.share_context(sharing, number, 3);
            let mk = &keys.custodians[usize::from(number) - 1];
            let sealed = wrap_with_salt(mk, &context, &salt, share.expose_secret()).unwrap();
            (place.share_commitment(number, &share), sealed)
        })
        .collect::<Vec<_>>();
    made.insert("share", shares[0].1.clone());
    made.insert("share-commitment", shares[0].0.to_vec());

    let part_key = key.part_key(1, &secret(0x72));
    made.insert("part-key", part_key.expose_secret().to_vec());
    let context = key.part_context(1, PartKind::Transcript);
    made.insert("part-context", context.clone());
    let mut padded = b"Hello.".to_vec();
    padded.resize(padded_len(6) as usize, 0);
    let part = wrap_with_salt(&part_key, &context, &[0x82; 24], &padded).unwrap();
    made.insert("part-digest", Sha256::digest(&part).to_vec());

    let draft = Draft::new(Channel::Voice)
        .start(Timestamp::from_unix_ms(1_710_605_360_701))
        .duration_ms(57_168)
        .tag("vip")
        .subject(Subject::new(Role::Customer, Identifier::tel("+15722568385").unwrap()).with_name("Olivia"))
        .part(PartKind::Transcript, "text/plain", &b""[..]);
    let mut head = draft.head;
    head.ingested = Timestamp::from_unix_ms(1_710_605_400_000);
    let digest: [u8; 32] = Sha256::digest(&part).into();
    let mut info = draft.parts[0].info(6, digest);
    info.digest = Some(ProducerDigest::Sha256(Sha256::digest(b"Hello.").to_vec()));
    head.parts.push(info);
    made.insert("head", head.encode().unwrap());
    let head_key = key.part_key(0, &secret(0x71));
    let sealed_head =
        wrap_with_salt(&head_key, &key.head_context(), &[0x83; 24], &head.encode_padded().unwrap()).unwrap();
    made.insert("head-digest", Sha256::digest(&sealed_head).to_vec());

    let parts = [(9, &sealed_head), (10, &part)].map(|(slot, bytes)| PartHeader {
        slot,
        len: bytes.len() as u64,
        digest: Sha256::digest(bytes).into(),
    });
    let (epoch, time) = (place.epoch, head.time());
    let header = RecordHeader { vault, tenant, epoch, record, seq: 1, time, wrap, shares, parts: parts.to_vec() };
    let bytes = header.to_bytes();
    assert_eq!(RecordHeader::from_bytes(&bytes).unwrap(), header);
    let message = ledger_message(header_digest(&bytes));
    made.insert("record-header", bytes);

    let token = writer().token(&enc("idempotency", &[vault.as_bytes(), tenant.as_bytes(), b"pbx-7/000123"]));
    made.insert("idempotency-token", token[..16].to_vec());

    let log = log();
    made.insert("ledger-leaf", log.0[1].to_bytes().to_vec());
    made.insert("ledger-stored", log.1[1].concat());
    let root = log.2.root();
    made.insert("ledger-root", root.to_vec());

    let log = operator().log_key(vault, tenant, 1).public_key();
    made.insert("log-key", log.as_bytes().to_vec());
    let line = message.to_bytes();
    made.insert("record-set", message.records.unwrap().digest.to_vec());
    made.insert("id-set", RecordSet::of_ids([record]).digest.to_vec());
    let actor = writer();
    let leaf = Leaf::sign(&line, &actor.public_key(), |bytes| actor.sign(bytes));
    made.insert("message-leaf", leaf.to_bytes().to_vec());
    let entry = EntryPlace { vault, tenant, epoch: place.epoch, chain: entry_keys.seq, log, seq: message.seq };
    let key = entry.key(&entry_keys.tenant, &secret(0x73));
    made.insert("entry-key", key.expose_secret().to_vec());
    made.insert("entry-context", entry.context());
    let sealed = wrap_with_salt(&key, &entry.context(), &[0x84; 24], &frame(&line)).unwrap();
    assert_eq!(entry.open(&entry_keys.tenant, &secret(0x73), sealed.clone()).unwrap(), line);
    made.insert("entry-sealed-digest", Sha256::digest(&sealed).to_vec());
    made.insert("entry-digest", entry_digest(&leaf.to_bytes(), entry_keys.seq, 11, &sealed).to_vec());
    made.insert("drill-record", canary(disclosure_order().id()).as_bytes().to_vec());
    made.insert("order-approval-info", approval_info(&[0x68; 32], custodian(0x21).recipient()));
    let gag = GagKey::from_slice(&[0x69; 32]).unwrap();
    made.insert("gag-id", gag.id().to_vec());
    made.insert("gag-message-key", gag.message_key(&log, message.seq).expose_secret().to_vec());
    let gag = Gag::new(gag, vault, tenant, "2024-06-01T00:00:00Z".parse().unwrap(), &[]).unwrap();
    let withheld = Withheld::new((vault, tenant), (log, message.seq), &gag, |body| operator().sign(body));
    made.insert("withheld", withheld.to_bytes());
    let mark = Mark { size: 3, root, tenant, generation: 1, end: None };
    made.insert("anchor-copy", mark.to_bytes().to_vec());
    made
}

/// An order of an authority with the secret `67…`, signed by the operator.
fn disclosure_order() -> DisclosureOrder {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let authority = Authority {
        name: "County Court".into(),
        country: Country::new("US").unwrap(),
        contact: "clerk@court.example".into(),
        recipient: custodian(0x67).recipient().clone(),
    };
    let period = time("2024-03-01T00:00:00Z")..time("2024-04-01T00:00:00Z");
    let scope = OrderScope::subjects([Identifier::tel("+15722568385").unwrap()], period);
    let dates = time("2024-01-01T00:00:00Z")..time("2024-05-01T00:00:00Z");
    let (basis, due) = (LegalBasis::CourtOrder, time("2024-05-15T00:00:00Z"));
    let terms = OrderTerms::new(authority, basis, "24-CV-0042", [0x6A; 32], dates, due, scope);
    let terms = terms.received(time("2024-05-01T09:00:00Z")).kinds([PartKind::Audio, PartKind::Transcript]);
    let terms = terms.gag_until(time("2024-06-01T00:00:00Z"));
    let (vault, tenant) = (VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
    let id = OrderId::from_bytes([0x0D; 16]);
    let mut order = DisclosureOrder::with_id(id, vault, tenant, operator().public_key(), terms).unwrap();
    order.add_signature(&operator().public_key(), operator().sign(order.text().as_bytes())).unwrap();
    order
}

fn disclosure_texts() -> Vec<String> {
    let (order, given) = (disclosure_order(), "2024-05-02T10:00:00Z".parse().unwrap());
    let mut consent = DisclosureConsent::given_at(&order, tenant().public_key(), given).unwrap();
    consent.sign(&tenant()).unwrap();
    let mut notice = DisclosureNotice::given_at(&order, "disclosed", 2, given).unwrap();
    notice.add_signature(&operator().public_key(), operator().sign(notice.text().as_bytes())).unwrap();
    [order.to_string(), consent.to_string(), notice.to_string()].map(|note| format!("```text\n{note}```")).into()
}

fn operator() -> OperatorKey {
    OperatorKey::from_secret(secret(0x63))
}

/// The message of an entry that tells of one record, by the digest of its header.
fn ledger_message(header: [u8; 32]) -> Message {
    let (vault, tenant) = (VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
    Message {
        log: origin_of(&operator().log_key(vault, tenant, 1).public_key()),
        seq: 7,
        time: Timestamp::from_unix_ms(1_710_605_400_123),
        kind: Kind::Ingested,
        actor: format!("writer {}", writer().public_key()),
        basis: None,
        purpose: None,
        records: Some(RecordSet::of_headers([header])),
        payload: None,
        refers: None,
        details: BTreeMap::new(),
        nonce: [0x55; 32],
    }
}

fn chapter_11_texts() -> Vec<String> {
    let clock = ClockKey::from_secret(secret(0x64));
    let message = ledger_message(header_digest(&examples()["record-header"]));
    let line = String::from_utf8(message.to_bytes()).unwrap();
    vec![
        operator().expose_secret().to_string(),
        operator().public_key().to_string(),
        clock.expose_secret().to_string(),
        clock.verifier().unwrap().name().to_owned(),
        format!("```text\n{line}```"),
    ]
}

/// The page's header opens to the page's secrets with the page's keys, and says what an epoch made anew says.
fn check_epoch_header(bytes: &[u8]) {
    let header = EpochHeader::from_bytes(bytes).unwrap();
    let mut made = epoch();
    assert_eq!(header.infos(custodian(0x21).recipient()), made.header.infos(custodian(0x21).recipient()));
    assert_eq!((header.opened(), header.custodians()), (made.header.opened(), 3));
    let reader = EpochReader::open(header.clone(), &tenant()).unwrap();
    let keys = made.draw();
    assert_eq!(reader.message_key(0).unwrap().expose_secret(), keys.tenant.expose_secret());
    let shares: Vec<(u8, Secret)> = (1u8..=3)
        .map(|number| {
            let (chain, share) = header.open_as_custodian(number, &custodian(0x20 + number)).unwrap();
            assert_eq!(chain.message_key().expose_secret(), keys.custodians[usize::from(number) - 1].expose_secret());
            (number, share)
        })
        .collect();
    let index_key = crate::shares::combine(&[(1, &shares[0].1), (3, &shares[2].1)]).unwrap();
    assert_eq!(index_key.expose_secret(), &[0x42; 32]);
}

fn blocks() -> BTreeMap<String, Vec<u8>> {
    let mut blocks = BTreeMap::new();
    let mut lines = SPEC.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("```hex ") {
            let digits: String =
                lines.by_ref().take_while(|l| *l != "```").flat_map(|l| l.split_whitespace()).collect();
            assert!(blocks.insert(name.to_owned(), unhex(&digits).unwrap()).is_none(), "{name} stands twice");
        }
    }
    blocks
}
