#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use super::approval::Combined;
use super::*;
use crate::agreement::Country;
use crate::epoch::EpochWriter;
use crate::error::ErrorKind;
use crate::id::{RecordId, TenantId, VaultId};
use crate::key::{
    CustodianKey, DisclosurePolicy, Identity, Opener, OperatorKey, PublicKey, Recipient, Suite, TenantCard, WriterKey,
};
use crate::record::{Identifier, PartHeader, PartKind, RecordHeader};
use crate::seal::{Place, RecordKey, Sharing};
use crate::time::Timestamp;

/// A tenant with three custodians of whom two are enough, an epoch, and records of it.
struct Scene {
    operator: OperatorKey,
    card: TenantCard,
    custodians: Vec<Identity>,
    policy: DisclosurePolicy,
    epoch: EpochWriter,
    records: Vec<(RecordHeader, RecordKey)>,
    one_time: Identity,
}

fn time(day: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000 + day * 86_400_000)
}

fn small() -> Identity {
    Identity::generate_for(Suite::X25519).unwrap()
}

fn authority() -> Authority {
    Authority {
        name: "County Court".into(),
        country: Country::new("US").unwrap(),
        contact: "clerk@court.example".into(),
        recipient: small().recipient().clone(),
    }
}

fn terms(scope: OrderScope) -> OrderTerms {
    OrderTerms::new(authority(), LegalBasis::CourtOrder, "23-CV-0042", [7; 32], time(0)..time(10), time(30), scope)
        .received(time(20))
}

fn someone() -> Identifier {
    Identifier::tel("+12025550143").unwrap()
}

impl Scene {
    fn new() -> Self {
        let tenant = small();
        let card = TenantCard::new(VaultId::generate().unwrap(), TenantId::generate().unwrap(), &tenant);
        let custodians: Vec<Identity> = vec![small(), Identity::generate().unwrap(), small()];
        let policy = DisclosurePolicy::quorum(&card, 2, custodians.iter().map(Into::into).collect(), &tenant).unwrap();
        let mut epoch = EpochWriter::open(&card, &policy, &WriterKey::generate().unwrap()).unwrap();
        let sharing = Sharing { policy: policy.hash(), threshold: 2 };
        let records = (0..5)
            .map(|day| {
                let keys = epoch.draw();
                let header = &epoch.header;
                let place = Place {
                    vault: header.vault(),
                    tenant: header.tenant(),
                    epoch: header.epoch(),
                    record: RecordId::generate().unwrap(),
                    seq: keys.seq,
                };
                let key = RecordKey::generate(place).unwrap();
                let part = PartHeader { slot: 0, len: 0, digest: [0; 32] };
                let header = RecordHeader {
                    vault: place.vault,
                    tenant: place.tenant,
                    epoch: place.epoch,
                    record: place.record,
                    seq: place.seq,
                    time: time(day),
                    wrap: key.wrap(&keys).unwrap(),
                    shares: key.share(&keys, sharing).unwrap(),
                    parts: vec![part, part],
                };
                (header, key)
            })
            .collect();
        let operator = OperatorKey::generate().unwrap();
        Self { operator, card, custodians, policy, epoch, records, one_time: Identity::generate().unwrap() }
    }

    fn operator(&self) -> PublicKey {
        self.operator.public_key()
    }

    fn order(&self, scope: OrderScope) -> DisclosureOrder {
        let mut order =
            DisclosureOrder::new(self.card.vault(), self.card.tenant(), self.operator(), terms(scope)).unwrap();
        let signature = self.operator.sign(order.text().as_bytes());
        order.add_signature(&self.operator(), signature).unwrap();
        order
    }

    fn request(&self, order: DisclosureOrder, stage: Stage, records: &[usize]) -> crate::Result<OrderRequest> {
        let headers = records.iter().map(|at| self.records[*at].0.clone()).collect();
        let (policies, epochs) = (vec![self.policy.clone()], vec![self.epoch.header.clone()]);
        let (to, expires) = (self.one_time.recipient().clone(), time(100_000));
        OrderRequest::new(order, Asked { stage, policies, epochs, records: headers }, to, expires, |body| {
            self.operator.sign(body)
        })
    }

    /// A request for the second and fourth record.
    fn ordinary(&self) -> OrderRequest {
        let scope = OrderScope::records([1, 3].map(|at: usize| self.records[at].0.record));
        self.request(self.order(scope), Stage::Open, &[3, 1]).unwrap()
    }

    fn approve(&self, custodian: usize, request: &OrderRequest) -> Approval {
        let secret = self.custodians[custodian].expose_secret();
        let custodian = Custodian::new(secret.parse::<Identity>().unwrap(), self.operator());
        let approval = custodian.approve(request).unwrap();
        assert_eq!(Approval::from_bytes(&approval.to_bytes()).unwrap(), approval);
        approval
    }

    fn fault(&self, request: &OrderRequest, approvals: &[Approval]) -> ApprovalFault {
        match request.combine(approvals, &self.one_time, time(99_999)).unwrap() {
            Err(fault) => fault,
            Ok(_) => panic!("it opened"),
        }
    }
}

#[test]
fn any_two_of_three_open_the_records_of_the_request_and_no_other() {
    let scene = Scene::new();
    let request = scene.ordinary();
    assert_eq!(OrderRequest::from_bytes(request.to_bytes()).unwrap(), request);
    let approvals: Vec<Approval> = (0..3).map(|n| scene.approve(n, &request)).collect();
    for chosen in [vec![0, 1], vec![2, 0], vec![1, 2], vec![0, 1, 2]] {
        let chosen: Vec<Approval> = chosen.into_iter().map(|n: usize| approvals[n].clone()).collect();
        let Ok(Combined::Records(opened)) = request.combine(&chosen, &scene.one_time, time(99_999)).unwrap() else {
            panic!("it did not open");
        };
        assert_eq!(opened.len(), 2);
        for (header, key) in opened {
            let (_, own) = scene.records.iter().find(|(known, _)| *known == header).unwrap();
            let secret = crate::secret::Secret::from_slice(&[1; 32]).unwrap();
            assert_eq!(
                key.part_key(1, &secret).expose_secret(),
                own.part_key(1, &secret).expose_secret(),
                "the key of the record itself"
            );
        }
    }
    // Each approval has as many shares as the request has records: what lies beside them is in none.
    let other =
        scene.request(scene.order(OrderScope::records([scene.records[2].0.record])), Stage::Open, &[2]).unwrap();
    assert!(matches!(scene.fault(&other, &approvals), ApprovalFault::OtherRequest(_)));
}

#[test]
fn too_few_repeated_foreign_forged_late_and_wrong_approvals_are_refused_and_the_guilty_is_named() {
    let scene = Scene::new();
    let request = scene.ordinary();
    let approval = |n| scene.approve(n, &request);
    let key = |n: usize| scene.custodians[n].public_key();
    assert!(matches!(scene.fault(&request, &[]), ApprovalFault::TooFew(_, 0, 2)));
    assert!(matches!(scene.fault(&request, &[approval(1)]), ApprovalFault::TooFew(_, 1, 2)));
    assert_eq!(scene.fault(&request, &[approval(1), approval(1)]), ApprovalFault::Repeated(key(1)));

    // Somebody who is no custodian makes one as if he were.
    let stranger = small();
    let zeros = vec![0; 2 * 33];
    let foreign = Approval::new(&request, &stranger, &zeros, Timestamp::now()).unwrap();
    assert_eq!(scene.fault(&request, &[approval(0), foreign]), ApprovalFault::Stranger(stranger.public_key()));
    let outside = Custodian::new(small(), scene.operator());
    assert_eq!(outside.approve(&request).unwrap_err().kind(), ErrorKind::WrongKey);

    // A custodian gives something else than its share.
    let wrong = Approval::new(&request, &scene.custodians[2], &[1; 2 * 33], Timestamp::now()).unwrap();
    match scene.fault(&request, &[approval(0), wrong]) {
        ApprovalFault::WrongShare(who, what) => {
            assert_eq!(who, key(2));
            assert!(what.contains(&scene.records[1].0.record.to_string()), "{what}");
        }
        other => panic!("{other}"),
    }
    let none = Approval::new(&request, &scene.custodians[2], &zeros, Timestamp::now()).unwrap();
    assert!(matches!(scene.fault(&request, &[approval(0), none]), ApprovalFault::WrongShare(who, _) if who == key(2)));

    // One whose bytes were changed on the way, at every byte.
    let (good, sent) = (approval(0), approval(1).to_bytes());
    for at in 0..sent.len() {
        let mut changed = sent.clone();
        changed[at] ^= 4;
        let Ok(changed) = Approval::from_bytes(&changed) else { continue };
        scene.fault(&request, &[good.clone(), changed]);
    }
    // Named for somebody else.
    let mut renamed = approval(1).to_bytes();
    let at = renamed.windows(32).position(|bytes| bytes == key(1).as_bytes()).unwrap();
    renamed[at..at + 32].copy_from_slice(key(2).as_bytes());
    let renamed = Approval::from_bytes(&renamed).unwrap();
    assert!(matches!(scene.fault(&request, &[good.clone(), renamed]), ApprovalFault::Stranger(_)));

    let late = request.combine(&[good.clone(), approval(1)], &scene.one_time, time(100_000)).unwrap();
    assert!(matches!(late, Err(ApprovalFault::Expired(_))));
    let custodian = Custodian::new(small(), scene.operator());
    assert_eq!(custodian.approve_at(&request, time(100_000)).unwrap_err().kind(), ErrorKind::Refused);
    // Another process, with another one-time key, cannot use them.
    let elsewhere = request.combine(&[good, approval(1)], &Identity::generate().unwrap(), time(0)).unwrap();
    assert!(matches!(elsewhere, Err(ApprovalFault::WrongShare(..))));
}

/// A custodian with a signing key of its own.
struct Rekeyed {
    identity: Identity,
    signing: Identity,
}

impl Rekeyed {
    fn key(&self) -> CustodianKey {
        CustodianKey::new(self.identity.recipient().clone(), self.signing.public_key())
    }
}

impl Opener for Rekeyed {
    fn recipient(&self) -> &Recipient {
        self.identity.recipient()
    }

    fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> crate::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.identity.open(enc, info, ciphertext)
    }

    fn sign(&self, message: &[u8]) -> Option<(PublicKey, [u8; 64])> {
        Some((self.signing.public_key(), self.signing.sign(message)))
    }
}

#[test]
fn records_sealed_under_several_policies_open_when_each_policys_threshold_is_met() {
    let mut scene = Scene::new();
    let again = |identity: &Identity| identity.expose_secret().parse::<Identity>().unwrap();
    let (stays, leaves) = (again(&scene.custodians[0]), again(&scene.custodians[1]));
    // Since then all three of others must agree. The first of before is the last now, and signs with a new key.
    let (rekeyed, come) = (Rekeyed { identity: again(&stays), signing: small() }, [small(), small()]);
    let tenant = small();
    let card = TenantCard::new(scene.card.vault(), scene.card.tenant(), &tenant);
    let who = vec![(&come[0]).into(), (&come[1]).into(), rekeyed.key()];
    let policy = DisclosurePolicy::quorum(&card, 3, who, &tenant).unwrap();
    let mut epoch = EpochWriter::open(&card, &policy, &WriterKey::generate().unwrap()).unwrap();
    let keys = epoch.draw();
    let (vault, tenant, record) = (card.vault(), card.tenant(), RecordId::generate().unwrap());
    let place = Place { vault, tenant, epoch: epoch.header.epoch(), record, seq: keys.seq };
    let key = RecordKey::generate(place).unwrap();
    let part = PartHeader { slot: 0, len: 0, digest: [0; 32] };
    let header = RecordHeader {
        vault,
        tenant,
        epoch: place.epoch,
        record,
        seq: place.seq,
        time: time(4),
        wrap: key.wrap(&keys).unwrap(),
        shares: key.share(&keys, Sharing { policy: policy.hash(), threshold: 3 }).unwrap(),
        parts: vec![part, part],
    };
    let secret = key.fingerprint();
    scene.records.push((header.clone(), key));
    let order = scene.order(OrderScope::records([scene.records[1].0.record, record]));
    let asked = Asked {
        stage: Stage::Open,
        policies: vec![scene.policy.clone(), policy],
        epochs: vec![scene.epoch.header.clone(), epoch.header.clone()],
        records: vec![scene.records[1].0.clone(), header],
    };
    let (to, expires) = (scene.one_time.recipient().clone(), time(100_000));
    let request = OrderRequest::new(order, asked, to, expires, |body| scene.operator.sign(body)).unwrap();

    let approve = |who: std::sync::Arc<dyn Opener>| Custodian::new(who, scene.operator()).approve(&request).unwrap();
    let before = [approve(std::sync::Arc::new(stays)), approve(std::sync::Arc::new(leaves))];
    let [one, other] = come.map(|who| approve(std::sync::Arc::new(who)));
    let now = approve(std::sync::Arc::new(rekeyed));
    let [stays, leaves] = before;
    // Whoever has one of its keys anew answers with both.
    let all = [stays.clone(), leaves.clone(), one.clone(), other.clone(), now.clone()];
    let Ok(Combined::Records(opened)) = request.combine(&all, &scene.one_time, time(99_999)).unwrap() else {
        panic!("it did not open");
    };
    let opened = opened.iter().find(|(header, _)| header.record == record).unwrap();
    assert_eq!(opened.1.fingerprint(), secret);
    // Who is a custodian under one policy does not count for another, and nobody counts twice.
    for (given, need) in [
        (vec![&stays, &leaves, &one, &other], 3),
        (vec![&stays, &one, &other, &now], 2),
        (vec![&one, &other, &now], 2),
        (vec![&stays, &leaves], 3),
    ] {
        let given: Vec<Approval> = given.into_iter().cloned().collect();
        assert!(matches!(scene.fault(&request, &given), ApprovalFault::TooFew(_, have, n) if n == need && have < need));
    }
    let twice = [stays.clone(), leaves, one, other, now, stays.clone()];
    assert_eq!(scene.fault(&request, &twice), ApprovalFault::Repeated(stays.custodian()));
}

#[test]
fn a_custodian_approves_nothing_under_a_request_to_preserve() {
    let scene = Scene::new();
    let make = |basis| {
        let terms = OrderTerms { basis, ..terms(OrderScope::records([scene.records[1].0.record])) };
        let (vault, tenant) = (scene.card.vault(), scene.card.tenant());
        let mut order = DisclosureOrder::new(vault, tenant, scene.operator(), terms).unwrap();
        let signature = scene.operator.sign(order.text().as_bytes());
        order.add_signature(&scene.operator(), signature).unwrap();
        scene.request(order, Stage::Open, &[1])
    };
    assert!(make(LegalBasis::Emergency).is_ok());
    assert_eq!(make(LegalBasis::Preservation).unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn a_custodian_answers_its_own_operator_alone_and_reads_what_it_approves() {
    let scene = Scene::new();
    let request = scene.ordinary();
    let other = OperatorKey::generate().unwrap().public_key();
    let custodian = Custodian::new(small(), other);
    assert_eq!(custodian.approve(&request).unwrap_err().kind(), ErrorKind::Refused);
    let page = request.to_string();
    for said in ["County Court", "court-order", "23-CV-0042", "2 records, and of no other"] {
        assert!(page.contains(said), "{said} is not in\n{page}");
    }
    assert!(page.contains(&scene.records[1].0.record.to_string()));
    assert!(!page.contains(&scene.records[2].0.record.to_string()));
}

#[test]
fn a_request_for_what_the_order_does_not_name_is_no_request() {
    let scene = Scene::new();
    let listed = || scene.order(OrderScope::records([scene.records[1].0.record]));
    assert!(scene.request(listed(), Stage::Open, &[1]).is_ok());
    for records in [&[1, 2][..], &[2], &[1, 1], &[]] {
        let refused = scene.request(listed(), Stage::Open, records).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Tampered, "{records:?}");
    }
    let people = || scene.order(OrderScope::subjects([someone()], time(1)..time(3)));
    assert!(scene.request(people(), Stage::Find, &[]).is_ok());
    assert!(scene.request(people(), Stage::Open, &[1, 2]).is_ok());
    // The fourth began after the period.
    assert!(scene.request(people(), Stage::Open, &[1, 3]).is_err());
    assert!(scene.request(people(), Stage::Find, &[1]).is_err());
    assert!(scene.request(listed(), Stage::Find, &[]).is_err());
    // Any byte changed.
    let request = scene.request(listed(), Stage::Open, &[1]).unwrap();
    for at in (0..request.to_bytes().len()).step_by(7) {
        let mut bytes = request.to_bytes().to_vec();
        bytes[at] ^= 1;
        assert!(OrderRequest::from_bytes(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn the_shares_of_the_index_key_find_what_the_tenant_finds() {
    let scene = Scene::new();
    let order = scene.order(OrderScope::subjects([someone()], time(1)..time(3)));
    let request = scene.request(order, Stage::Find, &[]).unwrap();
    let approvals = [scene.approve(0, &request), scene.approve(2, &request)];
    let Ok(Combined::Index(keys)) = request.combine(&approvals, &scene.one_time, time(0)).unwrap() else {
        panic!("it did not open");
    };
    let (epoch, key) = &keys[0];
    assert_eq!(*epoch, scene.epoch.header.epoch());
    let drawn = crate::index::Fields {
        index: std::sync::Arc::clone(&scene.epoch.index),
        values: vec![("tel", zeroize::Zeroizing::new("+12025550143".to_owned()))],
    };
    assert_eq!(drawn.draw().0, [key.token("tel", "+12025550143", 0)]);
}

#[test]
fn scopes_that_are_empty_unbounded_or_reach_past_the_dates_of_the_order_are_refused() {
    let scene = Scene::new();
    let one = scene.records[0].0.record;
    let make = |terms| DisclosureOrder::new(scene.card.vault(), scene.card.tenant(), scene.operator(), terms);
    assert!(make(terms(OrderScope::records([one]))).is_ok());
    let stretch = |ms| OrderScope::Records([(one, Some(ms))].into());
    for (what, bad) in [
        ("no record", terms(OrderScope::records([]))),
        ("no subject", terms(OrderScope::subjects([], time(1)..time(2)))),
        ("a subject twice", terms(OrderScope::subjects([someone(), someone()], time(1)..time(2)))),
        ("an empty period", terms(OrderScope::subjects([someone()], time(2)..time(2)))),
        ("before the dates", terms(OrderScope::subjects([someone()], time(-1)..time(2)))),
        ("behind the dates", terms(OrderScope::subjects([someone()], time(1)..time(11)))),
        ("no end", terms(OrderScope::subjects([someone()], time(1)..Timestamp::from_unix_ms(i64::MAX)))),
        ("an empty stretch", terms(stretch(5..5))),
        ("no kind", terms(OrderScope::records([one])).kinds([])),
        ("too many", terms(OrderScope::records((0..=MAX_ORDER_RECORDS).map(|_| RecordId::generate().unwrap())))),
        ("dates in the future", OrderTerms { dates: time(0)..time(31), ..terms(OrderScope::records([one])) }),
        ("no dates", OrderTerms { dates: time(3)..time(3), ..terms(OrderScope::records([one])) }),
        ("due before it came", OrderTerms { due: time(19), ..terms(OrderScope::records([one])) }),
        ("a gag that is over", terms(OrderScope::records([one])).gag_until(time(20))),
        ("no reference", OrderTerms { reference: String::new(), ..terms(OrderScope::records([one])) }),
    ] {
        assert_eq!(make(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{what}");
    }
    assert!(make(terms(stretch(5..6)).gag_until(time(40)).challenge_by(time(25))).is_ok());
}

#[test]
fn an_order_has_room_for_as_many_records_as_it_may_name_however_long_everything_is() {
    let scene = Scene::new();
    let long = |word: &str| word.repeat(256 / word.len());
    let stretch = || Some(i64::MAX as u64 - 1..i64::MAX as u64);
    let records = (0..MAX_ORDER_RECORDS).map(|_| (RecordId::generate().unwrap(), stretch()));
    let mut terms = terms(OrderScope::Records(records.collect())).gag_until(time(40)).challenge_by(time(25));
    terms.authority = Authority {
        name: long("\""),
        contact: long("\\"),
        recipient: Identity::generate().unwrap().recipient().clone(),
        ..authority()
    };
    terms.reference = long("\"");
    let (vault, tenant) = (scene.card.vault(), scene.card.tenant());
    let mut order = DisclosureOrder::new(vault, tenant, scene.operator(), terms).unwrap();
    let signature = scene.operator.sign(order.text().as_bytes());
    order.add_signature(&scene.operator(), signature).unwrap();
    let back: DisclosureOrder = order.to_string().parse().unwrap();
    assert_eq!(back, order);
}

#[test]
fn an_order_can_be_narrowed_and_never_widened() {
    let scene = Scene::new();
    let ids: Vec<RecordId> = scene.records.iter().map(|(header, _)| header.record).collect();
    let order = scene.order(OrderScope::records([ids[0], ids[1]]));
    let before = order.terms();
    let with = |scope| OrderTerms { scope, ..before.clone() };
    let audio = OrderTerms { kinds: [PartKind::Audio].into(), ..before.clone() };
    let cut = OrderScope::Records([(ids[0], Some(0..1000))].into());
    for narrower in [with(OrderScope::records([ids[0]])), audio.clone(), with(cut.clone())] {
        let next = order.narrowed(narrower.clone()).unwrap();
        assert_eq!((next.id(), next.revision(), next.terms()), (order.id(), 2, narrower));
        assert_ne!(next.hash(), order.hash());
    }
    let narrow = order.narrowed(with(cut)).unwrap();
    let wider = OrderTerms { scope: OrderScope::Records([(ids[0], Some(0..1001))].into()), ..narrow.terms() };
    assert!(narrow.narrowed(wider).is_err());
    assert!(order.narrowed(audio).unwrap().narrowed(before.clone()).is_err());
    for wider in [
        with(OrderScope::records([ids[0], ids[2]])),
        with(OrderScope::subjects([someone()], time(1)..time(2))),
        OrderTerms { dates: time(0)..time(11), ..before.clone() },
        OrderTerms { reference: "another".into(), ..before.clone() },
        OrderTerms { authority: authority(), ..before.clone() },
        OrderTerms { gag_until: Some(time(50)), ..before.clone() },
    ] {
        assert_eq!(order.narrowed(wider).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn an_order_reads_back_from_its_note_and_only_as_its_operator_signed_it() {
    let scene = Scene::new();
    let stretch = OrderScope::Records([(scene.records[0].0.record, Some(250..1000))].into());
    for scope in [stretch, OrderScope::subjects([someone()], time(1)..time(2))] {
        let order = scene.order(scope);
        let back: DisclosureOrder = order.to_string().parse().unwrap();
        assert_eq!(back, order);
        assert_eq!(back.terms(), order.terms());
        back.verify(&scene.operator()).unwrap();
        assert!(back.verify(&OperatorKey::generate().unwrap().public_key()).is_err());
        let forged = order.to_string().replace("23-CV-0042", "23-CV-0043");
        assert!(forged.parse::<DisclosureOrder>().is_err());
    }
    let unsigned = DisclosureOrder::new(
        scene.card.vault(),
        scene.card.tenant(),
        scene.operator(),
        terms(OrderScope::records([scene.records[0].0.record])),
    )
    .unwrap();
    assert!(unsigned.verify(&scene.operator()).is_err());
}

#[test]
fn a_tenants_consent_is_to_one_revision_of_one_order() {
    let scene = Scene::new();
    let tenant = small();
    let ids: Vec<RecordId> = scene.records.iter().map(|(header, _)| header.record).collect();
    let order = scene.order(OrderScope::records([ids[0], ids[1]]));
    let mut consent = DisclosureConsent::new(&order, tenant.public_key()).unwrap();
    assert!(consent.verify(&order, &tenant.public_key()).is_err(), "nobody signed it");
    consent.sign(&tenant).unwrap();
    let consent: DisclosureConsent = consent.to_string().parse().unwrap();
    consent.verify(&order, &tenant.public_key()).unwrap();
    let narrower = OrderTerms { scope: OrderScope::records([ids[0]]), ..order.terms() };
    assert!(consent.verify(&order.narrowed(narrower).unwrap(), &tenant.public_key()).is_err());
    assert!(consent.verify(&scene.order(OrderScope::records([ids[0], ids[1]])), &tenant.public_key()).is_err());
    assert!(consent.verify(&order, &small().public_key()).is_err());
}

#[test]
fn a_custodian_lifts_a_gag_on_its_day_and_not_before() {
    let scene = Scene::new();
    let (key, until) = (GagKey::generate().unwrap(), time(50));
    let (vault, tenant) = (scene.card.vault(), scene.card.tenant());
    let gag = Gag::new(key.copy(), vault, tenant, until, scene.policy.custodians()).unwrap();
    let log = small().public_key();
    let withheld = Withheld::new((vault, tenant), (log, 7), &gag, |body| scene.operator.sign(body));
    let back = Withheld::from_bytes(&withheld.to_bytes(), &scene.operator()).unwrap();
    assert_eq!((&back, back.entry(), back.until()), (&withheld, (log, 7), until));
    assert!(Withheld::from_bytes(&withheld.to_bytes(), &small().public_key()).is_err());
    for custodian in &scene.custodians {
        assert_eq!(withheld.open(custodian, time(49)).unwrap_err().kind(), ErrorKind::Refused);
        let lifted = withheld.open(custodian, time(50)).unwrap();
        assert_eq!(lifted.as_bytes(), key.as_bytes());
        assert_eq!(lifted.expose_secret().parse::<GagKey>().unwrap().id(), key.id());
    }
    assert_eq!(withheld.open(&small(), time(50)).unwrap_err().kind(), ErrorKind::WrongKey);
    let (here, there) = (key.message_key(&log, 7), key.message_key(&log, 8));
    assert_ne!(here.expose_secret(), there.expose_secret());
}
