use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::each_call;
use super::restore::copy_folder;
use super::stores::{Fault, Synced, faulty, operator};
use crate::agreement::{
    Agreement, AtRest, Country, InTransit, ProtectionProfile, RecipientCard, RecipientClass, Terms, TransferPolicy,
    TransferRules,
};
use crate::audit::Auditor;
use crate::error::{ErrorKind, Result};
use crate::id::{RecordId, TenantId};
use crate::key::{DisclosurePolicy, Identity, Suite, TenantCard, WriterKey};
use crate::record::{Channel, Draft, PartKind};
use crate::retrieve::{Access, TenantSession};
use crate::time::Timestamp;
use crate::transfer::{SentTransfer, Transfer, TransferOutcome, TransferQuery};
use crate::vault::Vault;

const PURPOSE: &str = "quality";

#[test]
fn whatever_call_of_a_transfer_fails_the_ledger_says_no_less_than_was_given_out() {
    let world = World::new();
    for (fault, again) in [(Fault::Told, false), (Fault::Untold, false), (Fault::Told, true)] {
        let failures = each_call(
            fault,
            || world.copy(),
            |path, fuse, calls| {
                let (out, what) = (path.join("out"), format!("{fault:?} {calls}, again: {again}"));
                let vault = Vault::of(faulty(path, fuse), operator(), Vec::new()).unwrap();
                let done = world.session(&vault).and_then(|session| {
                    let done = world.send(&session, &out);
                    let sent = world.told_enough(&session, &out, &what);
                    if again && let (Err(_), Some(sent)) = (&done, sent) {
                        // The same process goes on.
                        world.send_again(&session, &sent, &path.join("again"), &what);
                    }
                    done
                });
                if let Err(error) = &done {
                    assert!([ErrorKind::Io, ErrorKind::OutcomeUnknown].contains(&error.kind()), "{what}: {error:?}");
                }
                drop(vault);
                world.recovers(path, &out, &what);
                done.is_ok()
            },
        );
        // The session's entry, slots, and the entries that tell of what is given out, and of its end.
        assert!(failures >= 4, "only {failures} calls could fail");
    }
}

/// A vault with a record, and an agreement under which it may be sent.
struct World {
    dir: tempfile::TempDir,
    identity: Arc<Identity>,
    tenant: TenantId,
    party: Identity,
    agreement: Agreement,
    record: RecordId,
}

impl World {
    fn new() -> Self {
        let small = || Identity::generate_for(Suite::X25519).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("v"), operator()).unwrap();
        let (identity, party) = (Arc::new(small()), small());
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let pin = vault.enrol("t", &card, &DisclosurePolicy::none(&card, &identity).unwrap()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let ingestor = vault.ingestor(&pin, writer).unwrap();
        let audio = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x", &[7; 100_000][..]);
        let record = ingestor.ingest(audio).unwrap().record;
        drop(ingestor);

        let session = vault.session(pin.tenant, Arc::clone(&identity), Access::new("t", "t")).unwrap();
        let required = ProtectionProfile {
            at_rest: AtRest::Application,
            in_transit: InTransit::Tls13,
            ..ProtectionProfile::weakest()
        };
        let (now, class) = (Timestamp::now(), RecipientClass::ServiceProvider);
        let rules = TransferRules { required: required.clone(), classes: [class].into(), max_retention_days: 30 };
        let mut policy = TransferPolicy::new(&card, rules, now).unwrap();
        policy.sign(&*identity).unwrap();
        session.set_transfer_policy(&policy).unwrap();
        let country = Country::new("DE").unwrap();
        let to = RecipientCard::new("Helper", class, &party, "privacy@example.com", country).unwrap();
        let day = |n: i64| Timestamp::from_unix_ms(now.unix_ms() + n * 86_400_000);
        let terms = Terms::new(to, required, day(-1), day(30)).purpose(PURPOSE).kind(PartKind::Audio);
        let log = vault.log_key(pin.tenant).unwrap();
        let terms = terms.retention_days(10).receipt_hours(48);
        let mut agreement = Agreement::new(&card, operator().public_key(), log, terms).unwrap();
        agreement.sign(&*identity).unwrap();
        agreement.sign(&party).unwrap();
        session.agree(&agreement).unwrap();
        drop(session);
        Self { dir, identity, tenant: pin.tenant, party, agreement, record }
    }

    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.dir.path().join("v"), copy.path());
        copy
    }

    fn session(&self, vault: &Vault) -> Result<TenantSession> {
        vault.session(self.tenant, Arc::clone(&self.identity), Access::new("t", "t"))
    }

    fn send(&self, session: &TenantSession, out: &Path) -> Result<()> {
        let transfer = Transfer::of(self.agreement.id(), PURPOSE, [self.record]);
        let out = Synced(std::fs::File::create(out).unwrap());
        session.transfer(&transfer, out, |_| ControlFlow::Continue(())).map(drop)
    }

    fn send_again(&self, session: &TenantSession, sent: &SentTransfer, out: &Path, what: &str) {
        let out = Synced(std::fs::File::create(out).unwrap());
        session.transfer_again(sent.id, out, |_| ControlFlow::Continue(())).unwrap();
        let mut sent = session.transfers(&TransferQuery::default()).unwrap();
        assert_eq!(sent.pop().unwrap().outcome, TransferOutcome::Completed, "{what}");
        let ended = [TransferOutcome::Completed, TransferOutcome::Running];
        assert!(sent.iter().all(|sent| !ended.contains(&sent.outcome)), "{what}: {sent:?}");
    }

    /// The ledger says no less than was given out.
    fn told_enough(&self, session: &TenantSession, out: &Path, what: &str) -> Option<SentTransfer> {
        let left = std::fs::read(out).unwrap_or_default();
        let whole = crate::age::Reader::new(&left[..], &self.party)
            .is_ok_and(|mut reader| io::copy(&mut reader, &mut io::sink()).is_ok());
        let sent = session.transfers(&TransferQuery::default()).unwrap().into_iter().next();
        let outcome = sent.as_ref().map(|sent| &sent.outcome);
        assert!(left.is_empty() || outcome.is_some(), "{what}: {} bytes left before anybody said so", left.len());
        if whole {
            let failed = matches!(outcome, Some(TransferOutcome::Failed(_)));
            assert!(!failed, "{what}: all of it left, and the ledger says that it failed");
        }
        sent
    }

    /// After an end anywhere: the ledger says no less than left, and waits for no end.
    fn recovers(&self, path: &Path, out: &Path, what: &str) {
        let vault = Vault::open(path, operator()).unwrap();
        let session = self.session(&vault).unwrap();
        let sent = self.told_enough(&session, out, what);
        assert!(sent.is_none_or(|sent| sent.outcome != TransferOutcome::Running), "{what}");
        let log = session.log().unwrap();
        let report = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(report.is_clean() && report.unconcluded.len() == 1, "{what}: {report}");
    }
}
