//! A tenant sees its own records and learns nothing of anybody else's.

mod common;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Owner, World, noise, text};
use strongroom::*;
use zeroize::Zeroizing;

#[test]
fn a_foreign_record_cannot_be_told_from_one_that_never_was_and_an_erased_one_only_by_its_owner() {
    let world = World::new();
    let [kept, erased] = ["kept", "erased"].map(|t| world.ingestor(&world.acme).ingest(text(t)).unwrap().record);
    erase(&world, &world.acme, erased);
    let stranger = world.session(&world.bolt);
    let missing = stranger.read(RecordId::generate().unwrap()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    for foreign in [kept, erased] {
        let error = stranger.read(foreign).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (missing.kind(), missing.to_string()));
        assert_eq!(format!("{error:?}"), format!("{missing:?}"));
    }
    let owner = world.session(&world.acme);
    assert_eq!(owner.read(RecordId::generate().unwrap()).unwrap_err().to_string(), missing.to_string());
    assert_eq!(owner.read(erased).unwrap_err().kind(), ErrorKind::Erased);
    assert_eq!(owner.read(kept).unwrap().read_part(1).unwrap(), b"kept");
}

#[test]
fn a_listing_holds_the_tenants_own_records_and_its_erased_ones_as_such() {
    let world = World::new();
    let [a, b] = [&world.acme, &world.bolt].map(|owner| {
        let ingestor = world.ingestor(owner);
        (0..5).map(|n| ingestor.ingest(text(&format!("number {n}"))).unwrap().record).collect::<Vec<_>>()
    });
    erase(&world, &world.acme, a[2]);
    for (owner, own) in [(&world.acme, &a), (&world.bolt, &b)] {
        let session = world.session(owner);
        let always = Timestamp::from_unix_ms(i64::MIN)..Timestamp::from_unix_ms(i64::MAX);
        for listing in [Listing::by_commit(), Listing::by_time(always.clone())] {
            let items = session.list(&listing).unwrap().items;
            assert_eq!(&items.iter().map(|i| i.id).collect::<Vec<_>>(), own);
            for item in items {
                match item.record {
                    Ok(record) => assert_eq!(record.id(), item.id),
                    Err(e) => assert_eq!((e.kind(), item.id), (ErrorKind::Erased, a[2])),
                }
            }
        }
    }
    let report = world.session(&world.acme).check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.records, report.erased), (5, 1));
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.records, report.erased), (10, 1));
}

#[test]
fn one_erased_part_is_gone_and_the_others_stay() {
    let world = World::new();
    let draft = text("said").part(PartKind::Audio, "audio/wav", std::io::Cursor::new(noise(100_000)));
    let id = world.ingestor(&world.bolt).ingest(draft).unwrap().record;
    let record = world.session(&world.bolt).read(id).unwrap();
    zero(&world, &[record.header().parts[2].slot]);
    assert_eq!(record.read_part(2).unwrap_err().kind(), ErrorKind::Erased);
    assert_eq!(record.part(2).unwrap_err().kind(), ErrorKind::Erased);
    assert_eq!(world.session(&world.bolt).read(id).unwrap().read_part(1).unwrap(), b"said");
    let report = world.vault.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn only_the_identity_of_the_card_opens_a_session() {
    let world = World::new();
    let access = || Access::new("tester", "test");
    let open = |tenant, identity: &Arc<Identity>| world.vault.session(tenant, Arc::clone(identity), access());
    for wrong in [&world.bolt.identity, &Arc::new(Identity::generate().unwrap())] {
        assert_eq!(open(world.acme.pin.tenant, wrong).unwrap_err().kind(), ErrorKind::WrongKey);
    }
    let nobody = TenantId::generate().unwrap();
    assert_eq!(open(nobody, &world.acme.identity).unwrap_err().kind(), ErrorKind::NotFound);
    for (actor, purpose) in [("", "x"), ("x", ""), (" ", "x"), ("x", "\n")] {
        let opened =
            world.vault.session(world.acme.pin.tenant, Arc::clone(&world.acme.identity), Access::new(actor, purpose));
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_key_that_only_claims_to_be_the_cards_opens_no_record() {
    let world = World::new();
    let id = world.ingestor(&world.acme).ingest(text("acme's")).unwrap().record;
    let impostor = Module::new(&world.acme.identity, Arc::clone(&world.bolt.identity));
    let session = world.vault.session(world.acme.pin.tenant, impostor, Access::new("x", "y")).unwrap();
    assert_eq!(session.read(id).unwrap_err().kind(), ErrorKind::WrongKey);
    let listed = session.list(&Listing::by_commit()).unwrap().items.remove(0);
    assert_eq!(listed.record.unwrap_err().kind(), ErrorKind::WrongKey);
}

#[test]
fn a_security_module_opens_each_epoch_once_and_may_fail_and_recover() {
    let world = World::new();
    let ids: Vec<_> = (0..3)
        .flat_map(|epoch| {
            let ingestor = world.ingestor(&world.acme);
            (0..40).map(|n| ingestor.ingest(text(&format!("{epoch} {n}"))).unwrap().record).collect::<Vec<_>>()
        })
        .collect();
    let module = Arc::new(Module::new(&world.acme.identity, Arc::clone(&world.acme.identity)));
    let session = world.vault.session(world.acme.pin.tenant, Arc::clone(&module), Access::new("x", "y")).unwrap();
    assert_eq!(module.calls.load(Ordering::SeqCst), 0);
    module.down.store(1, Ordering::SeqCst);
    let error = session.read(ids[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKey, "what the module said, unchanged");
    module.calls.store(0, Ordering::SeqCst);
    for _ in 0..2 {
        for (n, id) in ids.iter().enumerate().rev() {
            let said = session.read(*id).unwrap().read_part(1).unwrap();
            assert_eq!(said, format!("{} {}", n / 40, n % 40).as_bytes());
        }
    }
    assert!(session.check().unwrap().is_clean());
    assert_eq!(module.calls.load(Ordering::SeqCst), 3);
}

#[test]
fn a_tenant_with_an_x25519_key_is_served_like_any_other() {
    let world = World::new();
    let identity = Arc::new(Identity::generate_for(Suite::X25519).unwrap());
    let card = TenantCard::new(world.vault.id(), TenantId::generate().unwrap(), &identity);
    let suites = [Suite::X25519, Suite::XWing, Suite::X25519];
    let custodians = suites.map(|s| (&Identity::generate_for(s).unwrap()).into()).to_vec();
    let policy = DisclosurePolicy::quorum(&card, 2, custodians, &identity).unwrap();
    let pin = world.vault.enrol("small keys", &card, &policy).unwrap();
    let owner = Owner { identity, pin };
    let draft = text("said").part(PartKind::Audio, "audio/wav", std::io::Cursor::new(noise(300_000)));
    let id = world.ingestor(&owner).ingest(draft).unwrap().record;
    let record = world.session(&owner).read(id).unwrap();
    assert_eq!((record.read_part(1).unwrap(), record.read_part(2).unwrap()), (b"said".to_vec(), noise(300_000)));
    assert_eq!(record.header().shares.len(), 3);
    assert!(world.session(&owner).check().unwrap().is_clean() && world.vault.check().unwrap().is_clean());
    assert_eq!(world.session(&world.acme).read(id).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Zeroes every slot of a record, as an erasure does.
fn erase(world: &World, owner: &Owner, id: RecordId) {
    let slots: Vec<u64> = world.session(owner).read(id).unwrap().header().parts.iter().map(|p| p.slot).collect();
    zero(world, &slots);
}

fn zero(world: &World, slots: &[u64]) {
    let path = world.path().join("shred");
    let mut shred = fs::read(&path).unwrap();
    for slot in slots {
        shred[*slot as usize * 32..][..32].fill(0);
    }
    fs::write(path, shred).unwrap();
}

/// A security module: shows one public key, holds a secret one, and counts what it is asked.
struct Module {
    shows: Recipient,
    holds: Arc<Identity>,
    calls: AtomicUsize,
    /// Calls that it refuses first.
    down: AtomicUsize,
}

impl Module {
    fn new(shows: &Identity, holds: Arc<Identity>) -> Self {
        Self { shows: shows.recipient().clone(), holds, calls: AtomicUsize::new(0), down: AtomicUsize::new(0) }
    }
}

impl Opener for Module {
    fn recipient(&self) -> &Recipient {
        &self.shows
    }

    fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.down.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return self.holds.open(enc, b"another info", ciphertext);
        }
        self.holds.open(enc, info, ciphertext)
    }
}
