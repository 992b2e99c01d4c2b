//! What third parties must not learn from what they are sent, and what nobody may get by a detour.

mod common;

use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::third_party::{PURPOSE, ThirdParty, agree, draft, rules, state_policy};
use common::{Owner, World, noise, operator, rows};
use strongroom::*;
use zeroize::Zeroizing;

const GO_ON: fn(PackageProgress) -> ControlFlow<()> = |_| ControlFlow::Continue(());

struct Scene {
    world: World,
    party: ThirdParty,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        state_policy(&world, &world.acme, rules());
        Self { world, party: ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider) }
    }

    fn acme(&self) -> &Owner {
        &self.world.acme
    }

    fn agree(&self, terms: Terms) -> Agreement {
        agree(&self.world, self.acme(), &self.party, terms)
    }

    fn ingest(&self, draft: Draft<'static>) -> RecordId {
        self.world.ingestor(self.acme()).ingest(draft).unwrap().record
    }

    fn session(&self) -> TenantSession {
        self.world.session(self.acme())
    }

    fn open(&self, package: &[u8], party: &ThirdParty, name: &str) -> Result<Package> {
        Package::open(package, &party.identity, self.folder(name), &PackageOptions::new())
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.world.dir.path().join(name)
    }
}

fn call(customer: &str) -> Draft<'static> {
    let subject = Subject::new(Role::Customer, Identifier::tel(customer).unwrap());
    common::text(&format!("words of {customer}")).subject(subject)
}

fn part(bytes: impl Into<Vec<u8>>) -> Cursor<Vec<u8>> {
    Cursor::new(bytes.into())
}

fn why(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

fn text_of(package: &Package) -> String {
    package.vcons().unwrap().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// An identity at which somebody is, who does something when it opens an epoch for the `at`th time.
struct Watched {
    identity: Arc<Identity>,
    at: usize,
    opened: AtomicUsize,
    then: Box<dyn Fn() + Send + Sync>,
}

impl Opener for Watched {
    fn recipient(&self) -> &Recipient {
        self.identity.recipient()
    }
    fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let opened = self.identity.open(enc, info, ciphertext)?;
        if self.opened.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            (self.then)();
        }
        Ok(opened)
    }
    fn sign(&self, message: &[u8]) -> Option<(PublicKey, [u8; 64])> {
        self.identity.sign(message)
    }
    fn pseudonym_key(&self, info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        self.identity.pseudonym_key(info)
    }
}

#[test]
fn a_revocation_while_a_transfer_reads_what_it_is_allowed_is_not_missed() {
    let world = World::new();
    let party = ThirdParty::new("Quality GmbH", RecipientClass::ServiceProvider);
    state_policy(&world, &world.acme, rules());
    let id = world.ingestor(&world.acme).ingest(call("+15722568380")).unwrap().record;
    // Another process's entries are in another epoch: what it wrote is opened after the agreements are.
    let other = World { vault: Vault::open(world.path(), operator()).unwrap(), ..world };
    let agreement = agree(&other, &other.acme, &party, party.terms());
    let (vault, identity) = (Vault::open(other.path(), operator()).unwrap(), Arc::clone(&other.acme.identity));
    let (tenant, agreed) = (other.acme.pin.tenant, agreement.id());
    let revoked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&revoked);
    let then = Box::new(move || {
        let session = vault.session(tenant, Arc::clone(&identity), Access::new("officer", "revocation")).unwrap();
        session.revoke_agreement(agreed, "a breach").unwrap();
        told.store(true, Ordering::SeqCst);
    });
    let watched = Watched { identity: Arc::clone(&other.acme.identity), at: 2, opened: AtomicUsize::new(0), then };
    let session = other.vault.session(tenant, watched, Access::new("tester", "test")).unwrap();
    let mut out = Vec::new();
    let sent = session.transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON);
    assert!(revoked.load(Ordering::SeqCst));
    let error = sent.unwrap_err();
    assert_eq!((error.kind(), out.len()), (ErrorKind::Refused, 0), "{error}");
}

#[test]
fn papers_that_were_put_in_another_order_or_under_another_id_are_not_believed() {
    let scene = Scene::new();
    let first = scene.agree(scene.party.terms());
    let second = scene.agree(scene.party.terms());
    let id = scene.ingest(call("+15722568380"));
    let who = Identifier::tel("+15722568380").unwrap();
    let session = scene.session();
    session.restrict(&who, None, "asked").unwrap();
    session.lift_restriction(&who, None, "changed his mind").unwrap();
    session.restrict(&who, None, "asked again").unwrap();
    session.revoke_agreement(first.id(), "a breach").unwrap();
    state_policy(&scene.world, scene.acme(), TransferRules { classes: Default::default(), ..rules() });
    let db = rows(&scene.world.path());
    let send = |agreement: &Agreement| {
        let mut out = Vec::new();
        let error = session.transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON).unwrap_err();
        assert!(out.is_empty());
        error
    };
    assert_eq!(send(&second).kind(), ErrorKind::Refused);
    let swap = |topic: &str| {
        let last = format!("SELECT n FROM papers WHERE topic = '{topic}' ORDER BY n DESC LIMIT 2");
        let n: Vec<i64> = {
            let mut rows = db.prepare(&last).unwrap();
            rows.query_map([], |row| row.get(0)).unwrap().map(|n| n.unwrap()).collect()
        };
        for (from, to) in [(n[0], -1), (n[1], n[0]), (-1, n[1])] {
            db.execute("UPDATE papers SET n = ?2 WHERE n = ?1", [from, to]).unwrap();
        }
    };
    // The policy before it would be in force.
    swap("transfer-policy");
    assert_eq!(session.transfer_policy().unwrap_err().kind(), ErrorKind::Tampered);
    assert_eq!(send(&second).kind(), ErrorKind::Tampered);
    swap("transfer-policy");
    // The restriction would have been lifted last.
    swap("restriction");
    assert_eq!(session.restrictions().unwrap_err().kind(), ErrorKind::Tampered);
    swap("restriction");
    assert_eq!(session.restrictions().unwrap().len(), 1);
    // The other agreement would have been revoked.
    let rename =
        "UPDATE papers SET about = ?2 WHERE n = (SELECT max(n) FROM papers WHERE topic = 'agreement') AND about = ?1";
    assert_eq!(db.execute(rename, [&first.id()[..], &second.id()[..]]).unwrap(), 1);
    assert_eq!(session.agreements().unwrap_err().kind(), ErrorKind::Tampered);
    assert_eq!(send(&first).kind(), ErrorKind::Tampered);
}

#[test]
fn what_goes_with_two_packages_of_one_record_has_nothing_in_common() {
    let scene = Scene::new();
    let other = ThirdParty::new("Training AG", RecipientClass::Affiliate);
    let (first, second) = (scene.agree(scene.party.terms()), agree(&scene.world, scene.acme(), &other, other.terms()));
    let id = scene.ingest(call("+15722568380"));
    let session = scene.session();
    let mut sets = Vec::new();
    for (agreement, party, folder) in [(&first, &scene.party, "a"), (&second, &other, "b")] {
        let mut out = Vec::new();
        session.transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON).unwrap();
        let package = scene.open(&out, party, folder).unwrap();
        let set = package.message().records.unwrap();
        let names = package.vcons().unwrap().into_iter();
        let names = names.map(|path| path.file_stem().unwrap().to_str().unwrap().parse::<RecordId>().unwrap());
        assert_eq!(set, RecordSet::of_ids(names), "the entry is about what the recipient has");
        sets.push(set);
    }
    assert_ne!(sets[0].digest, sets[1].digest, "whoever compares them knows that it is the same record");
}

#[test]
fn two_recipients_cannot_agree_on_one_key_so_that_their_pseudonyms_are_the_same() {
    let scene = Scene::new();
    scene.agree(scene.party.terms());
    // Another company that has the first one's age key as well, and a key of its own to sign with.
    let own = Identity::generate().unwrap();
    let (name, class, country) = ("Twin Ltd", RecipientClass::Affiliate, Country::new("DE").unwrap());
    let age = scene.party.identity.recipient().clone();
    let mut twins = Vec::new();
    twins.push(RecipientCard::with_keys(name, class, age, own.public_key(), "x@example.com", country).unwrap());
    let party = &scene.party.identity;
    twins.push(RecipientCard::new(name, class, party, "x@example.com", country).unwrap());
    let recipient = own.recipient().clone();
    twins.push(RecipientCard::with_keys(name, class, recipient, party.public_key(), "x@example.com", country).unwrap());
    let session = scene.session();
    for (n, card) in twins.into_iter().enumerate() {
        let mut terms = scene.party.terms();
        terms.recipient = card;
        let mut agreement = draft(&scene.world, scene.acme(), terms);
        agreement.sign(&*scene.acme().identity).unwrap();
        if agreement.sign(&own).is_err() {
            agreement.sign(party).unwrap();
        }
        let error = session.agree(&agreement).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{n}: {error}");
        assert!(why(&error).contains("another name"), "{n}: {}", why(&error));
    }
    scene.agree(scene.party.terms());
}

#[test]
fn an_agreement_is_not_revised_into_one_with_somebody_else() {
    let scene = Scene::new();
    let agreement = scene.agree(scene.party.terms());
    let other = ThirdParty::new("Training AG", RecipientClass::Affiliate);
    let mut next = agreement.revise(other.terms()).unwrap();
    next.sign(&*scene.acme().identity).unwrap();
    next.sign(&other.identity).unwrap();
    let error = scene.session().agree(&next).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tampered, "{error}");
}

/// Puts the tenant's next card in force.
fn change_card(scene: &Scene) -> Arc<Identity> {
    let next = Arc::new(Identity::generate().unwrap());
    let (card, policy) = scene.world.vault.next_card(scene.acme().pin.tenant, &scene.acme().identity, &next).unwrap();
    scene.world.vault.change_card(&card, &policy).unwrap();
    next
}

#[test]
fn after_a_change_of_card_pseudonyms_are_reversed_and_nothing_goes_that_no_recipient_can_check() {
    let scene = Scene::new();
    let agreement = scene.agree(scene.party.terms());
    let id = scene.ingest(call("+15722568380"));
    let mut out = Vec::new();
    let sent = scene.session().transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON).unwrap();
    let text = text_of(&scene.open(&out, &scene.party, "in").unwrap());
    let at = text.find("customer:p-").unwrap() + "customer:".len();
    let pseudonym = &text[at..at + 34];

    let next = change_card(&scene);
    let tenant = scene.acme().pin.tenant;
    let session = scene.world.vault.session(tenant, Arc::clone(&next), Access::new("tester", "test")).unwrap();
    let session = session.with_former(Arc::clone(&scene.acme().identity));
    assert_eq!(session.subject_of(sent.id, pseudonym).unwrap(), Identifier::tel("+15722568380").unwrap());

    // The agreement names the former key, and entries are signed by the new one: no recipient would believe them.
    let transfer = Transfer::of(agreement.id(), PURPOSE, [id]);
    let mut out = Vec::new();
    let error = session.transfer(&transfer, &mut out, GO_ON).unwrap_err();
    assert_eq!((error.kind(), out.len()), (ErrorKind::Refused, 0), "{error}");
    assert!(why(&error).contains("former card"), "{}", why(&error));

    let card = scene.world.vault.tenant(tenant).unwrap().card;
    let log = scene.world.vault.log_key(tenant).unwrap();
    let mut revised = agreement.revise_under(&card, operator().public_key(), log, scene.party.terms()).unwrap();
    revised.sign(&*next).unwrap();
    revised.sign(&scene.party.identity).unwrap();
    session.agree(&revised).unwrap();
    session.transfer(&transfer, &mut out, GO_ON).unwrap();
    scene.open(&out, &scene.party, "in2").unwrap();
}

#[test]
fn what_is_sent_again_is_no_more_than_before_and_does_not_go_twice() {
    let scene = Scene::new();
    let mut terms = scene.party.terms();
    terms.kinds = [PartKind::Transcript].into();
    terms.fields = [Field::Queue].into();
    let agreement = scene.agree(terms);
    let draft = call("+15722568380").queue("billing").agent("agent-marker");
    let id = scene.ingest(draft.part(PartKind::Chat, "text/plain", part("chat-marker")));
    let session = scene.session();
    let end: fn(PackageProgress) -> ControlFlow<()> = |progress| match progress.stage {
        PackageStage::Sending => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let transfer = Transfer::of(agreement.id(), PURPOSE, [id]);
    assert_eq!(session.transfer(&transfer, Vec::new(), end).unwrap_err().kind(), ErrorKind::Cancelled);
    let failed = session.transfers(&TransferQuery::all()).unwrap()[0].id;
    // Meanwhile more was agreed.
    let mut revised = agreement.revise(scene.party.terms()).unwrap();
    revised.sign(&*scene.acme().identity).unwrap();
    revised.sign(&scene.party.identity).unwrap();
    session.agree(&revised).unwrap();
    // The one that repeats it fails as well, and is repeated.
    assert_eq!(session.transfer_again(failed, Vec::new(), end).unwrap_err().kind(), ErrorKind::Cancelled);
    let failed_again = session.transfers(&TransferQuery::all()).unwrap()[1].id;
    let mut out = Vec::new();
    session.transfer_again(failed_again, &mut out, GO_ON).unwrap();
    let text = text_of(&scene.open(&out, &scene.party, "in").unwrap());
    assert!(text.contains("words of") && text.contains("billing"));
    assert!(!text.contains("chat-marker") && !text.contains("agent-marker"), "{text}");
    for id in [failed, failed_again] {
        let mut out = Vec::new();
        let error = session.transfer_again(id, &mut out, GO_ON).unwrap_err();
        assert_eq!((error.kind(), out.len()), (ErrorKind::AlreadyExists, 0), "it has arrived: {error}");
    }
}

#[test]
fn an_original_document_stays_where_a_kind_of_part_stays() {
    let scene = Scene::new();
    let mut terms = scene.party.terms().kind(PartKind::Original);
    terms.kinds.remove(&PartKind::Attachment);
    let agreement = scene.agree(terms);
    let with = call("+15722568380").part(PartKind::Attachment, "text/plain", part("attachment-marker")).part(
        PartKind::Original,
        "message/rfc822",
        part("words and attachment-marker"),
    );
    let without = call("+15722568381").part(PartKind::Original, "message/rfc822", part("all-of-it"));
    let (with, without) = (scene.ingest(with), scene.ingest(without));
    let session = scene.session();
    let transfer = Transfer::of(agreement.id(), PURPOSE, [with, without]).subjects(Subjects::Named);
    let mut out = Vec::new();
    let sent = session.transfer(&transfer, &mut out, GO_ON).unwrap();
    let text = text_of(&scene.open(&out, &scene.party, "in").unwrap());
    assert!(text.contains("all-of-it") && !text.contains("attachment-marker"), "{text}");
    let excluded: Vec<_> = sent.plan.excluded.iter().map(|e| (e.record, e.part, e.why)).collect();
    assert!(excluded.contains(&(with, Some(3), WhyExcluded::OriginalSaysMore)), "{excluded:?}");
}

#[test]
fn a_media_type_does_not_tell_the_name_that_may_not_go() {
    let scene = Scene::new();
    let mut terms = scene.party.terms();
    let draft = || {
        let types = [
            "text/plain; charset=utf-8; name=\"Olivia Marker.txt\"",
            "Olivia Marker",
            "text/plain;charset=\"a;b Marker\"",
        ];
        let mut draft = call("+15722568380");
        for media_type in types {
            draft = draft.part(PartKind::Chat, media_type, part("hello"));
        }
        // Long enough for a file of its own.
        draft.part(PartKind::Audio, "audio/wav; name=Marker", part(noise(70_000)))
    };
    let id = scene.ingest(draft());
    terms.fields.remove(&Field::PartNames);
    let (with, session) = (scene.agree(scene.party.terms()), scene.session());
    let without = scene.agree(terms);
    let send = |agreement: &Agreement, folder: &str| {
        let mut out = Vec::new();
        session.transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON).unwrap();
        text_of(&scene.open(&out, &scene.party, folder).unwrap())
    };
    let text = send(&without, "without");
    assert!(!text.contains("Marker"), "{text}");
    assert!(text.contains("\"text/plain; charset=utf-8\"") && text.contains("\"audio/wav\""), "{text}");
    assert!(send(&with, "with").contains("Olivia Marker.txt"));
}

#[test]
fn many_small_parts_do_not_make_one_document_that_fills_the_memory() {
    let scene = Scene::new();
    let agreement = scene.agree(scene.party.terms().kind(PartKind::Attachment));
    let mut draft = call("+15722568380");
    for n in 0..40 {
        draft = draft.part(PartKind::Attachment, "application/pdf", part(noise(60_000 + n)));
    }
    let id = scene.ingest(draft);
    let mut out = Vec::new();
    scene.session().transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON).unwrap();
    let package = scene.open(&out, &scene.party, "in").unwrap();
    let document = std::fs::metadata(&package.vcons().unwrap()[0]).unwrap().len();
    assert!(document < 2 << 20, "{document} bytes, and it is held in memory");
    assert_eq!(std::fs::read_dir(package.folder().join("data/files")).unwrap().count(), 40 - 17);
}

#[test]
fn what_stands_beside_the_folder_of_a_package_is_left_alone() {
    let scene = Scene::new();
    let agreement = scene.agree(scene.party.terms());
    let id = scene.ingest(call("+15722568380"));
    let mut out = Vec::new();
    scene.session().transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON).unwrap();
    let mine = scene.folder("in.opening");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join("mine"), b"mine").unwrap();
    assert_eq!(scene.open(&out, &scene.party, "in").unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(mine.join("mine")).unwrap(), b"mine");
    std::fs::remove_dir_all(&mine).unwrap();
    scene.open(&out, &scene.party, "in").unwrap();
    assert!(!mine.exists());
}

#[test]
fn an_entry_that_does_not_verify_releases_nothing() {
    /// A key whose keeper says whose it is, and then signs something else.
    struct Faulty(Arc<Identity>);
    impl Opener for Faulty {
        fn recipient(&self) -> &Recipient {
            self.0.recipient()
        }
        fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
            self.0.open(enc, info, ciphertext)
        }
        fn sign(&self, message: &[u8]) -> Option<(PublicKey, [u8; 64])> {
            let (key, signature) = self.0.sign(message)?;
            Some((key, if message.is_empty() { signature } else { [7; 64] }))
        }
        fn pseudonym_key(&self, info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
            self.0.pseudonym_key(info)
        }
    }
    let scene = Scene::new();
    let agreement = scene.agree(scene.party.terms());
    let id = scene.ingest(call("+15722568380"));
    let faulty = Faulty(Arc::clone(&scene.acme().identity));
    let session = scene.world.vault.session(scene.acme().pin.tenant, faulty, Access::new("tester", "test")).unwrap();
    let mut out = Vec::new();
    let error = session.transfer(&Transfer::of(agreement.id(), PURPOSE, [id]), &mut out, GO_ON).unwrap_err();
    assert_eq!((error.kind(), out.len()), (ErrorKind::Tampered, 0), "{error}");
}

#[test]
fn after_an_old_copy_was_put_back_the_recipient_is_shown_that_the_ledger_goes_on() {
    let scene = Scene::new();
    let agreement = scene.agree(scene.party.terms());
    let id = scene.ingest(call("+15722568380"));
    let path = scene.world.path();
    let Scene { world: World { dir, vault, acme: Owner { identity, pin }, .. }, party } = scene;
    drop(vault);
    let database = path.join("vault.db");
    let old = std::fs::read(&database).unwrap();
    let access = || Access::new("tester", "test");
    let session = |vault: &Vault| vault.session(pin.tenant, Arc::clone(&identity), access()).unwrap();
    drop(session(&Vault::open(&path, operator()).unwrap()));
    std::fs::write(&database, old).unwrap();
    Vault::open_to_restore(&path, operator()).unwrap().restore("the disk broke").unwrap();
    let vault = Vault::open(&path, operator()).unwrap();
    let session = session(&vault);
    let transfer = Transfer::of(agreement.id(), PURPOSE, [id]);
    let mut out = Vec::new();
    session.transfer(&transfer, &mut out, GO_ON).unwrap();
    let folder = dir.path().join("in");
    Package::open(&out[..], &party.identity, folder, &PackageOptions::new()).unwrap();
}
