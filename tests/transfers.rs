//! Records go to third parties: only under a live agreement, sealed to them, and written first.

mod common;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use common::third_party::{DAY, PURPOSE, ThirdParty, agree, draft, profile, rules, state_policy};
use common::{World, noise};
use strongroom::*;

const GO_ON: fn(PackageProgress) -> ControlFlow<()> = |_| ControlFlow::Continue(());

/// A call with a recording, a transcript and an original document, of a customer with this number.
fn call(customer: &str, queue: &str, words: &str, audio: usize) -> Draft<'static> {
    let subject = Subject::new(Role::Customer, Identifier::tel(customer).unwrap()).with_name("Olivia Marker");
    let part = |bytes: Vec<u8>| Cursor::new(bytes);
    Draft::new(Channel::Voice)
        .subject(subject)
        .queue(queue)
        .agent("agent-marker")
        .part(PartKind::Audio, "audio/x-unknown", part(noise(audio)))
        .part(PartKind::Transcript, "text/plain", part(words.as_bytes().to_vec()))
        .part(PartKind::Original, "application/json", part(b"{\"original\":\"marker\"}".to_vec()))
}

struct Sent {
    world: World,
    party: ThirdParty,
    agreement: Agreement,
    ids: Vec<RecordId>,
}

impl Sent {
    fn new() -> Self {
        let world = World::new();
        let party = ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider);
        state_policy(&world, &world.acme, rules());
        let agreement = agree(&world, &world.acme, &party, party.terms());
        let ingestor = world.ingestor(&world.acme);
        let mut ids = Vec::new();
        for (n, queue) in ["billing", "billing", "sales"].into_iter().enumerate() {
            let draft = call(&format!("+1572256838{n}"), queue, &format!("words of call {n}"), 100_000 + n);
            ids.push(ingestor.ingest(draft).unwrap().record);
        }
        Self { world, party, agreement, ids }
    }

    fn session(&self) -> TenantSession {
        self.world.session(&self.world.acme)
    }

    fn transfer(&self) -> Transfer {
        Transfer::of(self.agreement.id(), PURPOSE, self.ids.clone())
    }

    fn open(&self, package: &[u8], name: &str) -> Result<Package> {
        self.open_with(package, name, &PackageOptions::new())
    }

    fn open_with(&self, package: &[u8], name: &str, options: &PackageOptions) -> Result<Package> {
        Package::open(package, &self.party.identity, self.world.dir.path().join(name), options)
    }

    fn kinds(&self) -> BTreeMap<String, u64> {
        let session = self.session();
        let log = session.log().unwrap();
        Auditor::new(log.key()).audit(&log).unwrap().kinds
    }

    fn is_sound(&self) {
        let report = self.world.vault.check().unwrap();
        assert!(report.is_clean(), "{report}");
        let session = self.session();
        let log = session.log().unwrap();
        let report = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(report.findings.is_empty(), "{report}");
    }
}

fn vcons(package: &Package) -> Vec<serde_json::Value> {
    let read = |path: &std::path::PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    package.vcons().unwrap().iter().map(read).collect()
}

#[test]
fn both_sides_end_to_end() {
    let sent = Sent::new();
    let session = sent.session();
    let (mut out, mut seen) = (Vec::new(), Vec::new());
    let done = session
        .transfer(&sent.transfer(), &mut out, |progress| {
            seen.push(progress);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((done.plan.records.len(), done.plan.left_out()), (3, 0));
    let last = |stage| seen.iter().rfind(|p| p.stage == stage).map(|p| (p.bytes, p.of)).unwrap();
    for stage in [PackageStage::Hashing, PackageStage::Sending] {
        assert_eq!(last(stage), (done.plan.bytes, done.plan.bytes), "{stage:?}");
    }

    let package = sent.open_with(&out, "in", &PackageOptions::new().agreement(&sent.agreement)).unwrap();
    assert_eq!((package.records(), package.purpose(), package.transfer()), (3, PURPOSE, done.id));
    assert_eq!(package.message().kind, Kind::TransferAuthorised);
    let documents = vcons(&package);
    assert_eq!(documents.len(), 3);
    let whole = serde_json::to_string(&documents).unwrap();
    for record in &sent.ids {
        assert!(!whole.contains(&record.to_string()), "our own name for a record goes to nobody");
    }
    assert!(whole.contains("words of call 2") && !whole.contains("1572256838") && !whole.contains("Olivia Marker"));

    let receipt = package.receipt(&sent.party.identity).unwrap();
    let recorded = session.record_receipt(&receipt.to_string().parse().unwrap()).unwrap();
    assert_eq!(session.record_receipt(&receipt).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let all = session.transfers(&TransferQuery::all()).unwrap();
    assert_eq!((all.len(), &all[0].outcome, all[0].receipted.is_some()), (1, &TransferOutcome::Completed, true));
    let place = |receipt: &Receipt| (receipt.log(), receipt.seq());
    assert_eq!(all[0].entry, place(&done.authorised));
    assert_eq!(all[0].outcome_entry, Some(place(&done.completed)));
    assert_eq!(all[0].receipt_entry, Some(place(&recorded)));
    let kinds = sent.kinds();
    for kind in [
        "transfer.policy.changed",
        "agreement.signed",
        "transfer.authorised",
        "transfer.completed",
        "transfer.receipted",
    ] {
        assert_eq!(kinds.get(kind), Some(&1), "{kind}");
    }
    session.close().unwrap();
    sent.is_sound();
}

#[test]
fn nothing_goes_without_an_agreement_that_stands_and_every_refusal_is_written() {
    let sent = Sent::new();
    let (world, party, acme) = (&sent.world, &sent.party, &sent.world.acme);
    let session = sent.session();
    let mut refused = 0;
    let mut refuse = |transfer: &Transfer, why: &str| {
        let mut out = Vec::new();
        let error = session.transfer(transfer, &mut out, GO_ON).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{why}: {error}");
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains(why), "{reason:?} does not say {why:?}");
        assert!(out.is_empty());
        assert_eq!(session.plan_transfer(transfer).unwrap_err().kind(), ErrorKind::Refused);
        refused += 1;
    };
    let of = |id| Transfer::of(id, PURPOSE, sent.ids.clone());
    refuse(&of([7; 16]), "no such agreement");
    refuse(&Transfer::of(sent.agreement.id(), "advertising", sent.ids.clone()), "purpose");
    refuse(&sent.transfer().kinds([PartKind::Original]), "kind of part original");

    let now = Timestamp::now().unix_ms();
    let mut terms = party.terms();
    terms.valid_from = Timestamp::from_unix_ms(now + DAY);
    refuse(&of(agree(world, acme, party, terms).id()), "not valid before");
    let mut terms = party.terms();
    terms.valid_until = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 2_000);
    let expired = agree(world, acme, party, terms);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    refuse(&of(expired.id()), "expired");
    let mut terms = party.terms();
    terms.fields.remove(&Field::Agent);
    refuse(&of(agree(world, acme, party, terms).id()).fields([Field::Agent]), "the field agent");

    // What neither signed, one did not sign, is weaker or of a class that is not allowed does not come into force.
    let unsigned = |sign: &[&dyn Opener], terms: Terms| {
        let mut agreement = draft(world, acme, terms);
        sign.iter().for_each(|opener| agreement.sign(*opener).unwrap());
        assert_eq!(session.agree(&agreement).unwrap_err().kind(), ErrorKind::Refused);
        agreement.id()
    };
    refuse(&of(unsigned(&[], party.terms())), "no such agreement");
    refuse(&of(unsigned(&[&*acme.identity], party.terms())), "no such agreement");
    refuse(&of(unsigned(&[&party.identity], party.terms())), "no such agreement");
    let mut weaker = party.terms();
    weaker.profile.at_rest = AtRest::Disk;
    refuse(&of(unsigned(&[&*acme.identity, &party.identity], weaker)), "no such agreement");
    for class in [RecipientClass::Reseller, RecipientClass::MarketingPartner] {
        let other = ThirdParty::new("Other", class);
        refuse(&of(unsigned(&[&*acme.identity, &other.identity], other.terms())), "no such agreement");
    }

    // A policy that asks for more, later, ends what was agreed before.
    let stricter = ProtectionProfile { breach_notice_hours: Some(1), ..profile() };
    state_policy(world, acme, TransferRules { required: stricter, ..rules() });
    refuse(&sent.transfer(), "breach");
    state_policy(world, acme, rules());
    let revoked = session.revoke_agreement(sent.agreement.id(), "they had a breach").unwrap();
    let standing = session.agreements().unwrap().into_iter().find(|of| of.agreement.id() == sent.agreement.id());
    let standing = standing.unwrap();
    assert_eq!(standing.revoked_entry, Some((revoked.log(), revoked.seq())));
    assert!(standing.entry.0 == revoked.log() && standing.entry.1 < revoked.seq());
    refuse(&sent.transfer(), "revoked");
    assert_eq!(session.agree(&sent.agreement).unwrap_err().kind(), ErrorKind::InvalidInput);

    let listed = session.transfers(&TransferQuery::all()).unwrap();
    assert_eq!(listed.len(), refused);
    assert!(listed.iter().all(|sent| matches!(sent.outcome, TransferOutcome::Refused(_))));
    assert!(listed.iter().all(|sent| sent.outcome_entry == Some(sent.entry)));
    assert_eq!(sent.kinds().get("transfer.refused"), Some(&(refused as u64)));
    drop(session);
    sent.is_sound();
}

#[test]
fn without_a_transfer_policy_nothing_is_agreed_and_nothing_goes() {
    let world = World::new();
    let party = ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider);
    let mut agreement = draft(&world, &world.acme, party.terms());
    agreement.sign(&*world.acme.identity).unwrap();
    agreement.sign(&party.identity).unwrap();
    let session = world.session(&world.acme);
    assert_eq!(session.agree(&agreement).unwrap_err().kind(), ErrorKind::Refused);
    let transfer = Transfer::of(agreement.id(), PURPOSE, []);
    assert_eq!(session.transfer(&transfer, Vec::new(), GO_ON).unwrap_err().kind(), ErrorKind::Refused);
    // Nor is it taken from another tenant.
    assert_eq!(world.session(&world.bolt).agree(&agreement).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn revocation_expiry_and_a_stricter_policy_stop_a_running_transfer_at_the_next_record() {
    type End = (&'static str, fn(&Sent));
    let ends: [End; 3] = [
        ("revoked", |sent| {
            sent.session().revoke_agreement(sent.agreement.id(), "now").unwrap();
        }),
        ("breach", |sent| {
            let stricter = ProtectionProfile { breach_notice_hours: Some(1), ..profile() };
            state_policy(&sent.world, &sent.world.acme, TransferRules { required: stricter, ..rules() });
        }),
        ("asked not to be handed on", |sent| {
            let who = Identifier::tel("+15722568381").unwrap();
            sent.session().restrict(&who, Some(PURPOSE), "asked").unwrap();
        }),
    ];
    for (why, end) in ends {
        let sent = Sent::new();
        let session = sent.session();
        let (mut out, mut ended) = (Vec::new(), false);
        let error = session
            .transfer(&sent.transfer(), &mut out, |progress| {
                if progress.stage == PackageStage::Sending && !ended {
                    ended = true;
                    end(&sent);
                }
                ControlFlow::Continue(())
            })
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{why}: {error}");
        let all = session.transfers(&TransferQuery::all()).unwrap();
        assert!(matches!(&all[0].outcome, TransferOutcome::Failed(reason) if reason.contains(why)), "{:?}", all[0]);
        assert_eq!(sent.open(&out, "in").unwrap_err().kind(), ErrorKind::Tampered, "{why}");
        assert!(!sent.world.dir.path().join("in").exists());
        drop(session);
        sent.is_sound();
    }
}

#[test]
fn who_asked_to_be_left_out_is_left_out_and_counted() {
    let sent = Sent::new();
    let session = sent.session();
    session.restrict(&Identifier::tel("+15722568380").unwrap(), None, "asked").unwrap();
    session.restrict(&Identifier::tel("+15722568381").unwrap(), Some("training"), "asked").unwrap();
    let plan = session.plan_transfer(&sent.transfer()).unwrap();
    assert_eq!((plan.records.len(), plan.restricted()), (2, 1));
    assert!(plan.excluded.iter().any(|e| (e.record, e.why) == (sent.ids[0], WhyExcluded::Restricted)));
    let mut out = Vec::new();
    session.transfer(&sent.transfer(), &mut out, GO_ON).unwrap();
    assert_eq!(vcons(&sent.open(&out, "in").unwrap()).len(), 2);
    let all = session.transfers(&TransferQuery::all()).unwrap();
    assert_eq!((all[0].records, all[0].left_out), (2, (1, 1)));

    let mut out = Vec::new();
    let training = Transfer::of(sent.agreement.id(), "training", sent.ids.clone());
    session.transfer(&training, &mut out, GO_ON).unwrap();
    assert_eq!(vcons(&sent.open(&out, "in2").unwrap()).len(), 1);
    session.lift_restriction(&Identifier::tel("+15722568380").unwrap(), None, "withdrawn").unwrap();
    assert_eq!(session.plan_transfer(&sent.transfer()).unwrap().records.len(), 3);
}

#[test]
fn only_the_parts_fields_queues_and_subjects_of_the_agreement_go() {
    let sent = Sent::new();
    let (world, acme) = (&sent.world, &sent.world.acme);
    let mut terms = sent.party.terms().queue("billing");
    terms.kinds = [PartKind::Transcript].into();
    terms.fields = [Field::Queue].into();
    let agreement = agree(world, acme, &sent.party, terms);
    let session = sent.session();
    let transfer = Transfer::of(agreement.id(), PURPOSE, sent.ids.clone()).subjects(Subjects::Named);
    let plan = session.plan_transfer(&transfer).unwrap();
    assert!(plan.excluded.iter().any(|e| (e.record, e.part, e.why) == (sent.ids[2], None, WhyExcluded::OutOfScope)));
    assert!(plan.excluded.iter().any(|e| (e.part, e.why) == (Some(1), WhyExcluded::Kind(PartKind::Audio))));
    assert!(plan.to_string().contains("the agreement is about other queues"));
    let mut out = Vec::new();
    session.transfer(&transfer, &mut out, GO_ON).unwrap();
    let package = sent.open(&out, "in").unwrap();
    let text = serde_json::to_string(&vcons(&package)).unwrap();
    assert!(text.contains("billing") && text.contains("words of call 1"));
    for kept in ["agent-marker", "Olivia", "572256838", "customer", "original", "voice", "words of call 2"] {
        assert!(!text.contains(kept), "{kept} is in {text}");
    }
    assert!(!package.folder().join("data/files").exists());
}

#[test]
fn two_recipients_and_two_purposes_have_nothing_in_common_but_the_tenant_knows_who_it_is() {
    let sent = Sent::new();
    let other = ThirdParty::new("Training AG", RecipientClass::Affiliate);
    let second = agree(&sent.world, &sent.world.acme, &other, other.terms());
    let session = sent.session();
    let mut names = Vec::new();
    let mut one = |agreement: &Agreement, purpose: &str, who: &Identity, folder: &str| {
        let mut out = Vec::new();
        let transfer = Transfer::of(agreement.id(), purpose, [sent.ids[0]]).kinds([PartKind::Transcript]);
        let done = session.transfer(&transfer, &mut out, GO_ON).unwrap();
        let folder = sent.world.dir.path().join(folder);
        let package = Package::open(&out[..], who, &folder, &PackageOptions::new()).unwrap();
        let document = vcons(&package).remove(0);
        let subject = document["parties"][0]["strongroom_identifiers"][0].as_str().unwrap().to_owned();
        let subject = subject.strip_prefix("customer:").unwrap().to_owned();
        assert_eq!(session.subject_of(done.id, &subject).unwrap(), Identifier::tel("+15722568380").unwrap());
        assert_eq!(session.subject_of(done.id, "p-00").unwrap_err().kind(), ErrorKind::NotFound);
        let record = document["uuid"].as_str().unwrap().to_owned();
        assert_eq!(session.sent_records(done.id).unwrap()[0].name.to_string(), record);
        names.push((subject, record));
    };
    one(&sent.agreement, PURPOSE, &sent.party.identity, "a");
    one(&second, PURPOSE, &other.identity, "b");
    one(&sent.agreement, "training", &sent.party.identity, "c");
    one(&sent.agreement, PURPOSE, &sent.party.identity, "d");
    let (subjects, records): (Vec<_>, Vec<_>) = names.into_iter().unzip();
    for list in [subjects, records] {
        assert_eq!(list[0], list[3], "the same recipient and purpose can follow somebody");
        assert!(list[0] != list[1] && list[0] != list[2] && list[1] != list[2]);
    }
}

#[test]
fn a_transfer_that_is_cancelled_or_cannot_be_written_has_failed_and_can_be_made_again() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let sent = Sent::new();
    let session = sent.session();
    let early = session.transfer(&sent.transfer(), Vec::new(), |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Cancelled);
    assert!(session.transfers(&TransferQuery::all()).unwrap().is_empty(), "nothing had been said");
    let mut out = Vec::new();
    let late = session.transfer(&sent.transfer(), &mut out, |progress| match progress.stage {
        PackageStage::Sending if progress.bytes > 150_000 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(!out.is_empty());
    assert_eq!(sent.open(&out, "in").unwrap_err().kind(), ErrorKind::Tampered);
    let full = session.transfer(&sent.transfer(), Full(200_000), GO_ON).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::Full);
    let all = session.transfers(&TransferQuery::all()).unwrap();
    assert_eq!(all.iter().filter(|sent| matches!(sent.outcome, TransferOutcome::Failed(_))).count(), 2);

    let mut out = Vec::new();
    let again = session.transfer_again(all[0].id, &mut out, GO_ON).unwrap();
    assert_eq!(sent.open(&out, "in").unwrap().records(), 3);
    let all = session.transfers(&TransferQuery::all()).unwrap();
    assert_eq!((all[2].again, all[2].id), (Some(all[0].id), again.id));
    let twice = session.transfer_again(again.id, Vec::new(), GO_ON).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists, "a second copy must be asked for as such");
    drop(session);
    sent.is_sound();
}

#[test]
fn a_package_that_was_changed_cut_mixed_or_expired_is_not_opened() {
    let sent = Sent::new();
    let session = sent.session();
    let mut out = Vec::new();
    let done = session.transfer(&sent.transfer(), &mut out, GO_ON).unwrap();
    let package = sent.open(&out, "good").unwrap();
    for at in (0..out.len()).step_by(out.len() / 25) {
        let mut bad = out.clone();
        bad[at] ^= 1;
        let error = sent.open(&bad, "bad").unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Tampered | ErrorKind::WrongKey | ErrorKind::InvalidInput | ErrorKind::Unsupported
            ),
            "{at}: {error}"
        );
        let error = sent.open(&out[..at], "bad").unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Tampered | ErrorKind::InvalidInput | ErrorKind::WrongKey),
            "{at}: {error}"
        );
    }
    let longer = [&out[..], b"x"].concat();
    assert!(sent.open(&longer, "bad").is_err());
    let stranger = Identity::generate_for(Suite::X25519).unwrap();
    let folder = sent.world.dir.path().join("bad");
    let error = Package::open(&out[..], &stranger, &folder, &PackageOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    let late = PackageOptions::new().at(Timestamp::from_unix_ms(package.keep_until().unix_ms() + 1));
    assert_eq!(sent.open_with(&out, "bad", &late).unwrap_err().kind(), ErrorKind::Refused);
    let other = draft(&sent.world, &sent.world.acme, sent.party.terms());
    let other = PackageOptions::new().agreement(&other);
    assert_eq!(sent.open_with(&out, "bad", &other).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(
        sent.open_with(&out, "bad", &PackageOptions::new().limit(1000)).unwrap_err().kind(),
        ErrorKind::TooLarge
    );
    assert_eq!(sent.open(&out, "good").unwrap_err().kind(), ErrorKind::AlreadyExists);

    // Whoever unpacked it himself: every file counts.
    let unpacked = package.folder().to_owned();
    let verify = || Package::verify(&unpacked, &sent.party.identity, &PackageOptions::new());
    verify().unwrap();
    for file in common::files(&unpacked) {
        let good = std::fs::read(&file).unwrap();
        if file.ends_with("custody/policy.c2sp") || good.is_empty() {
            continue;
        }
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        std::fs::write(&file, &bad).unwrap();
        assert!(verify().is_err(), "{}", file.display());
        std::fs::remove_file(&file).unwrap();
        // A bag may go without one of them, not without both.
        let may_miss = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tagmanifest"));
        assert!(may_miss || verify().is_err(), "{} is gone", file.display());
        std::fs::write(&file, &good).unwrap();
    }
    verify().unwrap();

    // The proof of another transfer, put into this bag, whose manifests are made anew.
    let mut second = Vec::new();
    let other = session.transfer(&sent.transfer().kinds([PartKind::Transcript]), &mut second, GO_ON).unwrap();
    let second = sent.open(&second, "second").unwrap();
    let seq = |receipt: &Receipt| format!("{:08}", receipt.seq());
    for ending in ["json", "tlog-proof", "sigsum-proof"] {
        let from = second.folder().join(format!("custody/{}.{ending}", seq(&other.authorised)));
        let to = unpacked.join(format!("custody/{}.{ending}", seq(&done.authorised)));
        std::fs::copy(from, to).unwrap();
    }
    retag(&unpacked);
    assert_eq!(verify().unwrap_err().kind(), ErrorKind::Tampered);
    // A receipt for one package is none for another.
    let receipt = package.receipt(&sent.party.identity).unwrap();
    let forged = DeliveryReceipt::new(
        &sent.agreement,
        receipt.log(),
        other.authorised.seq(),
        receipt.payload(),
        Timestamp::now(),
    );
    let mut forged = forged.unwrap();
    forged.sign(&sent.party.identity).unwrap();
    assert_eq!(session.record_receipt(&forged).unwrap_err().kind(), ErrorKind::Tampered);
    assert_eq!(forged.sign(&stranger).unwrap_err().kind(), ErrorKind::WrongKey);
}

/// Writes the digests of a bag's tag files anew, as somebody would who changed one.
fn retag(bag: &Path) {
    use std::fmt::Write;
    let tags = common::files(bag).into_iter().filter_map(|file| {
        let name = file.strip_prefix(bag).unwrap().to_str().unwrap().to_owned();
        (!name.starts_with("data/") && !name.starts_with("tagmanifest")).then_some((name, file))
    });
    let (mut sha256, mut sha512) = (String::new(), String::new());
    for (name, file) in tags {
        let sums = bagit::Sums::of(&std::fs::read(file).unwrap());
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        writeln!(sha256, "{}  {name}", hex(sums.sha256())).unwrap();
        writeln!(sha512, "{}  {name}", hex(sums.sha512())).unwrap();
    }
    std::fs::write(bag.join("tagmanifest-sha256.txt"), sha256).unwrap();
    std::fs::write(bag.join("tagmanifest-sha512.txt"), sha512).unwrap();
}

#[test]
fn what_was_sent_is_found_by_record_subject_recipient_and_period() {
    let sent = Sent::new();
    let other = ThirdParty::new("Training AG", RecipientClass::Affiliate);
    let second = agree(&sent.world, &sent.world.acme, &other, other.terms());
    let session = sent.session();
    let before = Timestamp::now();
    session.transfer(&Transfer::of(sent.agreement.id(), PURPOSE, [sent.ids[0]]), Vec::new(), GO_ON).unwrap();
    session.transfer(&Transfer::of(second.id(), PURPOSE, [sent.ids[0], sent.ids[1]]), Vec::new(), GO_ON).unwrap();
    let after = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 1);
    let count = |query: TransferQuery| session.transfers(&query).unwrap().len();
    assert_eq!(count(TransferQuery::all()), 2);
    assert_eq!(count(TransferQuery::all().record(sent.ids[0])), 2);
    assert_eq!(count(TransferQuery::all().record(sent.ids[1])), 1);
    assert_eq!(count(TransferQuery::all().record(sent.ids[2])), 0);
    assert_eq!(count(TransferQuery::all().subject(Identifier::tel("+15722568381").unwrap())), 1);
    assert_eq!(count(TransferQuery::all().subject(Identifier::tel("+15722568389").unwrap())), 0);
    assert_eq!(count(TransferQuery::all().recipient("Training AG")), 1);
    assert_eq!(count(TransferQuery::all().recipient(sent.party.identity.recipient().to_string())), 1);
    assert_eq!(count(TransferQuery::all().period(before..after)), 2);
    assert_eq!(count(TransferQuery::all().period(after..after)), 0);
    let late = Timestamp::from_unix_ms(after.unix_ms() + 3 * DAY);
    let overdue = session.transfers(&TransferQuery::all()).unwrap();
    assert!(overdue.iter().all(|sent| !sent.receipt_is_overdue(after) && sent.receipt_is_overdue(late)));
    // Of another tenant nothing is seen.
    assert!(sent.world.session(&sent.world.bolt).transfers(&TransferQuery::all()).unwrap().is_empty());
}

#[test]
fn a_stretch_of_a_recording_goes_without_what_tells_the_rest() {
    let world = World::new();
    let party = ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider);
    state_policy(&world, &world.acme, rules());
    let agreement = agree(&world, &world.acme, &party, party.terms());
    // A second of 8 kHz mono PCM: the samples count up.
    let samples: Vec<u8> = (0..16_000u16).flat_map(u16::to_le_bytes).collect();
    let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(&samples);
    let draft = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/wav", Cursor::new(wav)).part(
        PartKind::Transcript,
        "text/plain",
        Cursor::new(b"everything".to_vec()),
    );
    let id = world.ingestor(&world.acme).ingest(draft).unwrap().record;
    let other = world.ingestor(&world.acme).ingest(call("+15722568380", "q", "w", 100)).unwrap().record;
    let session = world.session(&world.acme);
    let transfer = Transfer::of(agreement.id(), PURPOSE, [id, other]).stretch(500..750);
    let mut out = Vec::new();
    let done = session.transfer(&transfer, &mut out, GO_ON).unwrap();
    let why = |record, part| done.plan.excluded.iter().find(|e| (e.record, e.part) == (record, part)).map(|e| e.why);
    assert_eq!(why(id, Some(2)), Some(WhyExcluded::SaysMoreThanTheStretch(PartKind::Transcript)));
    assert_eq!(why(other, Some(1)), Some(WhyExcluded::CannotBeCut));
    assert_eq!(why(other, None), Some(WhyExcluded::NothingLeft));
    let folder = world.dir.path().join("in");
    let package = Package::open(&out[..], &party.identity, &folder, &PackageOptions::new()).unwrap();
    assert_eq!(vcons(&package)[0]["strongroom"]["stretches"][0]["from_ms"], 500);
    let files = common::files(&package.folder().join("data/files"));
    let sound = std::fs::read(&files[0]).unwrap();
    assert_eq!((files.len(), &sound[44..]), (1, &samples[8_000..12_000]));
}

#[test]
fn a_package_is_believed_after_its_log_was_rotated_and_not_without_the_proof_of_that() {
    let sent = Sent::new();
    for _ in 0..2 {
        sent.world.vault.rotate_log(sent.world.acme.pin.tenant).unwrap();
    }
    let session = sent.session();
    let mut out = Vec::new();
    session.transfer(&sent.transfer(), &mut out, GO_ON).unwrap();
    let package = sent.open(&out, "in").unwrap();
    assert_ne!(package.proof().log(), sent.agreement.log());
    session.record_receipt(&package.receipt(&sent.party.identity).unwrap()).unwrap();
    for name in ["custody/rotation-0001.json", "custody/rotation-0002.tlog-proof", "custody/rotation-0002.sigsum-proof"]
    {
        let file = package.folder().join(name);
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        retag(package.folder());
        assert!(Package::verify(package.folder(), &sent.party.identity, &PackageOptions::new()).is_err(), "{name}");
        std::fs::write(&file, bytes).unwrap();
    }
    retag(package.folder());
    Package::verify(package.folder(), &sent.party.identity, &PackageOptions::new()).unwrap();
}

#[test]
fn what_was_sent_after_a_revocation_was_removed_from_the_database_is_found_by_the_audit() {
    let sent = Sent::new();
    let session = sent.session();
    session.revoke_agreement(sent.agreement.id(), "they had a breach").unwrap();
    assert_eq!(session.transfer(&sent.transfer(), Vec::new(), GO_ON).unwrap_err().kind(), ErrorKind::Refused);
    let rows = common::rows(&sent.world.path());
    let gone = "DELETE FROM papers WHERE n = (SELECT max(n) FROM papers WHERE topic = 'agreement')";
    assert_eq!(rows.execute(gone, []).unwrap(), 1);
    let done = session.transfer(&sent.transfer(), Vec::new(), GO_ON).unwrap();
    session.close().unwrap();
    let session = sent.session();
    let log = session.log().unwrap();
    let report = Auditor::new(log.key()).audit(&log).unwrap();
    let (transfer, revocation) = (done.authorised.seq(), done.authorised.seq() - 2);
    let expected = [AuditFinding::SentWithoutAgreement(transfer), AuditFinding::PaperMissing(revocation)];
    assert_eq!(report.findings, expected, "{report}");
}

#[test]
fn a_package_is_believed_after_an_old_copy_of_the_vault_was_put_back_and_not_without_the_proof_of_that() {
    let sent = Sent::new();
    let (from, to) = (sent.world.path(), sent.world.dir.path().join("put back"));
    std::fs::create_dir_all(to.join("live")).unwrap();
    let copy = to.join("vault.db");
    common::rows(&from).execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    sent.world.ingestor(&sent.world.acme).ingest(call("+15722568389", "billing", "lost", 1000)).unwrap();
    for file in common::files(&from) {
        let name = file.strip_prefix(&from).unwrap();
        if name.starts_with("objects") || ["anchor", "shred"].iter().any(|kept| name == Path::new(kept)) {
            std::fs::create_dir_all(to.join(name).parent().unwrap()).unwrap();
            std::fs::copy(&file, to.join(name)).unwrap();
        }
    }
    Vault::open_to_restore(&to, common::operator()).unwrap().restore("a test").unwrap();
    let vault = Vault::open(&to, common::operator()).unwrap();
    // Restored and then rotated.
    vault.rotate_log(sent.world.acme.pin.tenant).unwrap();
    let session = sent.world.acme.session(&vault);
    let mut out = Vec::new();
    session.transfer(&sent.transfer(), &mut out, GO_ON).unwrap();
    let package = sent.open(&out, "in").unwrap();
    assert_eq!(package.proof().log(), vault.log_key(sent.world.acme.pin.tenant).unwrap());
    session.record_receipt(&package.receipt(&sent.party.identity).unwrap()).unwrap();

    // Neither without the entry that says so, nor with one that the log of the agreement did not sign.
    let file = package.folder().join("custody/rotation-0001.json");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    retag(package.folder());
    assert!(Package::verify(package.folder(), &sent.party.identity, &PackageOptions::new()).is_err());
    let custody = |n: u32, ending: &str| package.folder().join(format!("custody/rotation-{n:04}.{ending}"));
    std::fs::write(&file, &bytes).unwrap();
    let first = ["json", "tlog-proof", "sigsum-proof"].map(|ending| std::fs::read(custody(1, ending)).unwrap());
    for (bytes, ending) in first.iter().zip(["json", "tlog-proof", "sigsum-proof"]) {
        // The same entry again where the one that closed the log stood.
        std::fs::write(custody(2, ending), bytes).unwrap();
    }
    retag(package.folder());
    assert!(Package::verify(package.folder(), &sent.party.identity, &PackageOptions::new()).is_err());
}

#[test]
fn a_long_recording_arrives_to_the_byte_and_one_that_no_longer_opens_ends_the_transfer() {
    let sent = Sent::new();
    let ingestor = sent.world.ingestor(&sent.world.acme);
    let lengths = [524_288, 524_289, 3_000_001];
    let ids = lengths.map(|len| ingestor.ingest(call("+15722568380", "billing", "words", len)).unwrap().record);
    drop(ingestor);
    let session = sent.session();
    let transfer = Transfer::of(sent.agreement.id(), PURPOSE, ids);
    let mut out = Vec::new();
    session.transfer(&transfer, &mut out, GO_ON).unwrap();
    let package = sent.open(&out, "in").unwrap();
    let mut files = common::files(&package.folder().join("data/files"));
    files.sort_by_key(|file| file.metadata().unwrap().len());
    assert_eq!(files.len(), 3);
    for (file, len) in files.iter().zip(lengths) {
        assert!(std::fs::read(file).unwrap() == noise(len), "{len} bytes came back changed");
    }

    // What was hashed is another when it is sent.
    let largest =
        common::files(&sent.world.path().join("objects")).into_iter().max_by_key(|file| file.metadata().unwrap().len());
    let (object, mut damaged) = (largest.unwrap(), false);
    let (mut out, mut bytes) = (Vec::new(), 0);
    let error = session.transfer(&transfer, &mut out, |progress| {
        if progress.stage == PackageStage::Sending && !std::mem::replace(&mut damaged, true) {
            let mut sealed = std::fs::read(&object).unwrap();
            bytes = sealed.len();
            sealed[2_500_000] ^= 1;
            std::fs::write(&object, sealed).unwrap();
        }
        ControlFlow::Continue(())
    });
    assert!(bytes > 3_000_000);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Tampered);
    let last = session.transfers(&TransferQuery::all()).unwrap().pop().unwrap();
    assert!(matches!(last.outcome, TransferOutcome::Failed(_)), "{last:?}");
    assert_eq!(sent.open(&out, "in2").unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn an_email_goes_only_where_everybody_may_be_named() {
    let world = World::new();
    let party = ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider);
    state_policy(&world, &world.acme, rules());
    let agreement = agree(&world, &world.acme, &party, party.terms());
    let message = b"From: olivia@example.com\r\nTo: a@example.com\r\n\r\nhello\r\n".to_vec();
    let draft = Draft::new(Channel::Email).part(PartKind::Email, "message/rfc822", Cursor::new(message));
    let id = world.ingestor(&world.acme).ingest(draft).unwrap().record;
    let session = world.session(&world.acme);
    let of = |subjects| Transfer::of(agreement.id(), PURPOSE, [id]).subjects(subjects);
    let why = |plan: TransferPlan| plan.excluded.first().map(|e| e.why);
    for subjects in [Subjects::Pseudonyms, Subjects::LeftOut] {
        assert_eq!(why(session.plan_transfer(&of(subjects)).unwrap()), Some(WhyExcluded::MessageNamesPeople));
    }
    let without = of(Subjects::Named).fields([Field::SubjectNames]);
    assert_eq!(why(session.plan_transfer(&without).unwrap()), Some(WhyExcluded::MessageNamesPeople));
    assert_eq!(session.plan_transfer(&of(Subjects::Named)).unwrap().records.len(), 1);
}
