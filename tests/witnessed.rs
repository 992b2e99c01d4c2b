//! What others sign under the heads of a ledger: kept, joined to them, asked for by a policy. Clocks stand for witnesses: both
//! sign the same statement.

mod common;

use std::fs;
use std::time::Duration;

use common::{World, rows, text};
use strongroom::tlog::{InclusionProof, Policy, SignedCheckpoint};
use strongroom::*;

const DAY: Duration = Duration::from_secs(86_400);

struct Signed {
    world: World,
    clocks: [ClockKey; 2],
    log: PublicKey,
}

impl Signed {
    fn new() -> Self {
        let (world, clocks) = (World::new(), [0, 1].map(|_| ClockKey::generate().unwrap()));
        let log = world.vault.log_key(world.acme.pin.tenant).unwrap();
        Self { world, clocks, log }
    }

    fn ingest(&self) {
        self.world.ingestor(&self.world.acme).ingest(text("x")).unwrap();
    }

    fn cosign(&self, clock: usize) {
        self.world.vault.cosign(&self.clocks[clock]).unwrap();
    }

    fn policy(&self, quorum: usize) -> Policy {
        let witnesses: Vec<_> = self.clocks.iter().map(|clock| clock.verifier().unwrap()).collect();
        Policy::new(&self.log, witnesses).unwrap().quorum(quorum).unwrap()
    }

    fn head(&self) -> SignedCheckpoint {
        self.world.vault.checkpoint(self.world.acme.pin.tenant).unwrap()
    }

    fn session(&self) -> TenantSession {
        self.world.session(&self.world.acme)
    }
}

#[test]
fn receipts_and_exports_under_a_policy_bear_the_lines_of_its_witnesses() {
    let signed = Signed::new();
    let session = signed.session();
    let witnessed = |quorum| session.log().unwrap().witnessed(signed.policy(quorum));
    assert_eq!(witnessed(1).unwrap_err().kind(), ErrorKind::Unwitnessed);
    assert_eq!(witnessed(0).unwrap().size(), session.log().unwrap().size());
    signed.cosign(0);
    let size = signed.head().checkpoint().size;
    assert_eq!((witnessed(1).unwrap().size(), signed.head().others().count()), (size, 1));
    // Two who signed different heads do not make a quorum.
    signed.ingest();
    signed.cosign(1);
    assert_eq!(witnessed(2).unwrap_err().kind(), ErrorKind::Unwitnessed);
    signed.cosign(0);
    let head = signed.head();
    assert_eq!(signed.policy(2).verify(&head).unwrap().len(), 2);
    signed.ingest();

    let log = witnessed(2).unwrap();
    assert_eq!((log.size(), log.checkpoint().unwrap()), (head.checkpoint().size, head.clone()));
    assert_eq!(log.entries(0, 1000).unwrap().len() as u64, log.size());
    assert_eq!(log.receipt(log.size()).unwrap_err().kind(), ErrorKind::NotFound, "it came since");
    let auditor = Auditor::new(signed.log).witnesses(signed.policy(2), DAY).unwrap();
    auditor.receipt(&log.receipt(1).unwrap()).unwrap();
    let newest = session.log().unwrap().receipt(1).unwrap();
    assert_eq!(auditor.receipt(&newest).unwrap_err().kind(), ErrorKind::Unwitnessed);
    newest.verify(&signed.log).unwrap();

    let out = signed.world.dir.path().join("export");
    let last = log.size() - 1;
    assert_eq!(log.export(&out, &[0, last]).unwrap().entries, log.size());
    let file = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(file("checkpoint"), head.to_string());
    assert_eq!(file("policy.c2sp"), signed.policy(2).to_c2sp());
    assert_eq!(file("policy.sigsum"), signed.policy(2).to_sigsum());
    let leaf = log.receipt(last).unwrap().proof().leaf.clone();
    let proof = InclusionProof::from_tlog_proof(&file(&format!("receipts/{last:08}.tlog-proof")), leaf).unwrap();
    assert_eq!(proof.checkpoint, head);
    let sigsum = file(&format!("receipts/{last:08}.sigsum-proof"));
    assert_eq!(sigsum.lines().filter(|line| line.starts_with("cosignature=")).count(), 2);

    let other = signed.world.vault.log_key(signed.world.bolt.pin.tenant).unwrap();
    let other = Policy::new(&other, []).unwrap();
    assert_eq!(session.log().unwrap().witnessed(other.clone()).unwrap_err().kind(), ErrorKind::WrongKey);
    assert_eq!(Auditor::new(signed.log).witnesses(other, DAY).unwrap_err().kind(), ErrorKind::WrongKey);
}

#[test]
fn an_audit_asks_for_a_quorum_and_for_how_long_ago_it_was_there() {
    let signed = Signed::new();
    signed.ingest();
    let session = signed.session();
    let audit = |quorum, age| {
        let log = session.log().unwrap();
        Auditor::new(signed.log).witnesses(signed.policy(quorum), age).unwrap().audit(&log).unwrap()
    };
    assert_eq!(audit(1, DAY).findings, [AuditFinding::Unwitnessed]);
    assert!(audit(0, DAY).is_clean(), "nobody is asked for");
    [0, 1].into_iter().for_each(|clock| signed.cosign(clock));
    let size = signed.head().checkpoint().size;
    signed.ingest();
    let report = audit(2, DAY);
    assert!(report.is_clean() && report.witnessed.is_some_and(|(_, of)| of == size), "{report}");
    assert!(!report.cannot_know().iter().any(|limit| limit.contains("another history")), "{report}");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(audit(2, Duration::from_millis(1)).findings, [AuditFinding::Unwitnessed]);
    // The clock is found although a witness has signed a later head.
    signed.cosign(1);
    let clock = Auditor::new(signed.log).clock(signed.clocks[0].verifier().unwrap(), DAY);
    let report = clock.audit(&session.log().unwrap()).unwrap();
    assert!(report.is_clean() && report.clock.is_some_and(|(_, of)| of == size), "{report}");
    // One entry of the past changed, and no head that was signed fits.
    let db = rows(&signed.world.path());
    run(&db, "UPDATE entries SET leaf = zeroblob(128) WHERE at = (1 << 40) + 1");
    assert!(audit(1, DAY).findings.contains(&AuditFinding::Unwitnessed));
}

#[test]
fn lines_that_do_not_verify_count_for_nothing_and_harm_nothing() {
    let signed = Signed::new();
    [0, 1].into_iter().for_each(|clock| signed.cosign(clock));
    let head = signed.head();
    signed.ingest();
    [0, 1].into_iter().for_each(|clock| signed.cosign(clock));
    let session = signed.session();
    let witnessed = || session.log().unwrap().witnessed(signed.policy(2)).map(|log| log.size());
    assert_eq!(witnessed().unwrap(), head.checkpoint().size + 2);
    let db = rows(&signed.world.path());
    for line in ["no line", "— a b\n", "— strongroom.clock/0 AAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"] {
        db.execute("UPDATE cosignatures SET line = ?1 WHERE log = 1 AND size = (SELECT max(size) FROM cosignatures WHERE log = 1)", [line])
            .unwrap();
        assert_eq!(witnessed().unwrap_err().kind(), ErrorKind::Unwitnessed);
        assert!(signed.head().verify(&signed.log).is_ok());
    }
    // Lines under a head that is not there any more say that it was.
    run(&db, "UPDATE cosignatures SET size = 1000 WHERE log = 1");
    let log = session.log().unwrap();
    let report = Auditor::new(signed.log).witnesses(signed.policy(1), DAY).unwrap().audit(&log).unwrap();
    assert_eq!(report.findings, [AuditFinding::RolledBack(1000), AuditFinding::Unwitnessed]);
}

#[test]
fn of_each_day_the_last_heads_that_were_signed_are_kept() {
    let signed = Signed::new();
    let db = rows(&signed.world.path());
    let sizes = || {
        let mut select = db.prepare("SELECT size FROM cosignatures WHERE log = 1 ORDER BY size, name").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<Vec<i64>>>().unwrap()
    };
    [0, 1].into_iter().for_each(|clock| signed.cosign(clock));
    assert_eq!(sizes(), [1, 1]);
    for _ in 0..3 {
        signed.ingest();
        signed.cosign(0);
    }
    assert_eq!(sizes(), [1, 1, 5], "the quorum stays, what one signed in between goes");
    signed.cosign(1);
    assert_eq!(sizes(), [5, 5]);
    run(&db, "UPDATE cosignatures SET time = time - 86400 WHERE log = 1");
    signed.ingest();
    [0, 1].into_iter().for_each(|clock| signed.cosign(clock));
    assert_eq!(sizes(), [5, 5, 6, 6], "yesterday's stay");
}

fn run(db: &rusqlite::Connection, sql: &str) {
    assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
}
