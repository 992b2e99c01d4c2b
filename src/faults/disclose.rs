use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::restore::copy_folder;
use super::stores::{Fault, Synced, faulty, operator};
use super::{each_call, each_death, job};
use crate::agreement::Country;
use crate::audit::{Auditor, State};
use crate::disclose::{OrderState, OrderStatus};
use crate::error::{ErrorKind, Result};
use crate::id::{OrderId, TenantId};
use crate::key::{DisclosurePolicy, Identity, Suite, TenantCard, WriterKey};
use crate::order::{Approval, Authority, Custodian, LegalBasis, OrderRequest, OrderScope, OrderTerms, ReviewOutcome};
use crate::production::{ProductionOptions, ProductionProfile};
use crate::record::{Channel, Draft, PartKind};
use crate::retrieve::Access;
use crate::time::Timestamp;
use crate::vault::Vault;

#[test]
fn whatever_call_of_a_disclosure_fails_the_ledger_says_no_less_than_was_given_out() {
    for gagged in [false, true] {
        let world = World::new(gagged);
        for (fault, again) in [(Fault::Told, false), (Fault::Untold, false), (Fault::Told, true)] {
            let failures = each_call(
                fault,
                || world.copy(),
                |path, fuse, calls| {
                    let (out, what) =
                        (path.join("out"), format!("{fault:?} {calls}, gagged: {gagged}, again: {again}"));
                    let vault = Vault::of(faulty(path, fuse), operator(), Vec::new()).unwrap();
                    let done = world.act(&vault, &out);
                    if let Err(error) = &done {
                        assert!(
                            [ErrorKind::Io, ErrorKind::OutcomeUnknown].contains(&error.kind()),
                            "{what}: {error:?}"
                        );
                    }
                    world.told_enough(&vault, &out, &what);
                    if again && world.status(&vault).state() != OrderState::Disclosed {
                        // The same process goes on. After an unknown outcome it would have to be another.
                        world.give_anew(&vault, &path.join("anew"));
                        assert_eq!(world.status(&vault).state(), OrderState::Disclosed, "{what}");
                    }
                    drop(vault);
                    world.recovers(path, &out, &what);
                    done.is_ok()
                },
            );
            // Slots, and the entries that tell of the approval, of what is given out, and of its end; a number.
            assert!(failures >= 5, "only {failures} calls could fail");
        }
    }
}

#[test]
fn wherever_a_disclosure_is_killed_between_its_calls_the_ledger_says_no_less_than_was_given_out() {
    const NAME: &str = "faults::disclose::wherever_a_disclosure_is_killed_between_its_calls_the_ledger_says_no_less_than_was_given_out";
    const JOB: &str = "STRONGROOM_TEST_DISCLOSE_CALLS";
    if let Some((path, fuse, folder)) = job(JOB) {
        let vault = Vault::of(faulty(Path::new(&path), &fuse), operator(), Vec::new()).unwrap();
        let (request, approvals) = read(Path::new(&folder));
        give(&vault, &request, &approvals, &Path::new(&path).join("out")).unwrap();
        return;
    }
    let world = World::new(false);
    let folder = world.dir.path().to_str().unwrap();
    let left = |path: &Path, _, what: &str| world.recovers(path, &path.join("out"), what);
    let kills = each_death((NAME, JOB), || world.copy(), folder, left);
    assert!(kills >= 5, "only {kills} kills");
}

/// Opens the order and gives its records out, as a numbered volume.
fn give(vault: &Vault, request: &OrderRequest, approvals: &[Approval], out: &Path) -> Result<()> {
    let quorum = vault.open_order(request.order().tenant(), request, approvals, "officer")?;
    let options = ProductionOptions::new(ProductionProfile::Litigation);
    let out = Synced(std::fs::File::create(out).unwrap());
    vault.disclose(quorum, options, "officer", out, |_| ControlFlow::Continue(())).map(drop)
}

fn read(folder: &Path) -> (OrderRequest, Vec<Approval>) {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let approvals = ["0.approval", "1.approval"].map(|name| Approval::from_bytes(&read(name)).unwrap());
    (OrderRequest::from_bytes(&read("order.request")).unwrap(), approvals.into())
}

/// A vault with a record, an order of it that was accepted, and what custodians answered.
struct World {
    dir: tempfile::TempDir,
    identity: Arc<Identity>,
    tenant: TenantId,
    order: OrderId,
    custodians: [Custodian; 2],
    authority: Identity,
    gagged: bool,
}

impl World {
    fn new(gagged: bool) -> Self {
        let small = || Identity::generate_for(Suite::X25519).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("v"), operator()).unwrap();
        let (identity, authority, people) = (Arc::new(small()), small(), [small(), small()]);
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let who = people.iter().map(Into::into).collect();
        let pin = vault.enrol("t", &card, &DisclosurePolicy::quorum(&card, 2, who, &identity).unwrap()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let ingestor = vault.ingestor(&pin, writer).unwrap();
        let audio = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x", &[7; 100_000][..]);
        let record = ingestor.ingest(audio).unwrap().record;
        drop(ingestor);
        let hour = |n: i64| Timestamp::from_unix_ms(Timestamp::now().unix_ms() + n * 3_600_000);
        let recipient = authority.recipient().clone();
        let (name, contact) = ("Court".to_owned(), "clerk".to_owned());
        let authority_terms = Authority { name, country: Country::new("US").unwrap(), contact, recipient };
        let (dates, scope) = (hour(-1)..hour(1), OrderScope::records([record]));
        let mut terms = OrderTerms::new(authority_terms, LegalBasis::Warrant, "1", [7; 32], dates, hour(2), scope);
        terms.gag_until = gagged.then(|| hour(2));
        let (order, _) = vault.receive_order(pin.tenant, terms, "officer").unwrap();
        vault.review_order(pin.tenant, order.id(), ReviewOutcome::Accepted, "fine", None, "counsel").unwrap();
        let custodians = people.map(|who| Custodian::new(who, operator().public_key()));
        let order = order.id();
        let this = Self { dir, identity, tenant: pin.tenant, order, custodians, authority, gagged };
        this.ask(&vault);
        this
    }

    /// Has custodians asked, and keeps their answers.
    fn ask(&self, vault: &Vault) {
        let tomorrow = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 86_400_000);
        let request = vault.request_approvals(self.tenant, self.order, tomorrow).unwrap();
        std::fs::write(self.dir.path().join("order.request"), request.to_bytes()).unwrap();
        for (n, custodian) in self.custodians.iter().enumerate() {
            let approval = custodian.approve(&request).unwrap();
            std::fs::write(self.dir.path().join(format!("{n}.approval")), approval.to_bytes()).unwrap();
        }
    }

    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.dir.path().join("v"), copy.path());
        copy
    }

    fn act(&self, vault: &Vault, out: &Path) -> Result<()> {
        let (request, approvals) = read(self.dir.path());
        give(vault, &request, &approvals, out)
    }

    fn status(&self, vault: &Vault) -> OrderStatus {
        vault.orders(self.tenant).unwrap().remove(0)
    }

    /// The ledger says no less than was given out.
    fn told_enough(&self, vault: &Vault, out: &Path, what: &str) -> OrderStatus {
        let left = std::fs::read(out).unwrap_or_default();
        let whole = crate::age::Reader::new(&left[..], &self.authority)
            .is_ok_and(|mut reader| io::copy(&mut reader, &mut io::sink()).is_ok());
        let status = self.status(vault);
        assert!(
            left.is_empty() || status.produced.is_some(),
            "{what}: {} bytes left before anybody said so",
            left.len()
        );
        if whole {
            assert!(status.failures.is_empty(), "{what}: all of it left, and the ledger says that it failed");
            assert!(
                status.disclosed.is_some() || status.unknown.is_some() || status.state() == OrderState::Approved,
                "{what}"
            );
        }
        status
    }

    fn give_anew(&self, vault: &Vault, out: &Path) {
        let tomorrow = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 86_400_000);
        let request = vault.request_approvals(self.tenant, self.order, tomorrow).unwrap();
        let approvals: Vec<Approval> = self.custodians.iter().map(|c| c.approve(&request).unwrap()).collect();
        give(vault, &request, &approvals, out).unwrap();
    }

    /// After an end anywhere: the ledger says no less than left, it can be done again unless it was done, and nobody does it with
    /// what was used.
    fn recovers(&self, path: &Path, out: &Path, what: &str) {
        let vault = Vault::open(path, operator()).unwrap();
        let status = self.told_enough(&vault, out, what);
        let used = !status.approved_by.is_empty();
        let again = self.act(&vault, &path.join("again"));
        match (&again, used) {
            (Ok(()), false) => {}
            (Err(error), true) => {
                assert!([ErrorKind::NotFound, ErrorKind::Refused].contains(&error.kind()), "{what}: {error:?}");
            }
            other => panic!("{what}: {other:?}"),
        }
        if self.status(&vault).state() != OrderState::Disclosed {
            self.give_anew(&vault, &path.join("again"));
        }
        vault.sweep().unwrap();
        let report = vault.check().unwrap();
        assert!(report.is_sound(), "{what}: {report}");
        let session = vault.session(self.tenant, Arc::clone(&self.identity), Access::new("t", "t")).unwrap();
        let log = session.log().unwrap();
        let report = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(report.is_clean() && report.unconcluded.len() == 1, "{what}: {report}");
        if self.gagged {
            let told = log.entries(0, 1000).unwrap().into_iter().filter_map(|entry| match entry.state {
                State::Open(_, message) => Some(message.kind.to_string()),
                _ => None,
            });
            assert!(!told.into_iter().any(|kind| kind.starts_with("order.") || kind == "outcome.unknown"), "{what}");
        }
    }
}
