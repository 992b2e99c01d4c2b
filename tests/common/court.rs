//! A tenant with three custodians of whom two are a quorum, an authority, and calls.

use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use strongroom::*;

use super::{Owner, operator};

pub const GO_ON: fn(PackageProgress) -> ControlFlow<()> = |_| ControlFlow::Continue(());
pub const DAY: i64 = 86_400_000;
pub const OLIVIA: &str = "+12025550143";
pub const PETER: &str = "+12025550199";

pub struct Court {
    pub dir: tempfile::TempDir,
    pub vault: Vault,
    pub writer: Arc<WriterKey>,
    pub owner: Owner,
    pub custodians: Vec<Custodian>,
    pub keys: Vec<CustodianKey>,
    pub authority: Identity,
    /// Four calls, a day apart: the first and third of Olivia, the others of Peter.
    pub calls: Vec<RecordId>,
}

/// The time of the first call.
pub fn first() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

pub fn day(n: i64) -> Timestamp {
    Timestamp::from_unix_ms(first().unix_ms() + n * DAY)
}

pub fn tomorrow() -> Timestamp {
    Timestamp::from_unix_ms(Timestamp::now().unix_ms() + DAY)
}

pub fn wav(seconds: u32, seed: u8) -> Vec<u8> {
    let samples: Vec<u8> = (0..seconds * 8000).map(|n| seed.wrapping_add((n * n / 7) as u8)).collect();
    let mut wav = Vec::new();
    wav.write_all(b"RIFF").unwrap();
    wav.write_all(&(36 + samples.len() as u32).to_le_bytes()).unwrap();
    wav.write_all(b"WAVEfmt ").unwrap();
    for (value, width) in [(16u32, 4), (7, 2), (1, 2), (8000, 4), (8000, 4), (1, 2), (8, 2)] {
        wav.write_all(&value.to_le_bytes()[..width]).unwrap();
    }
    wav.write_all(b"data").unwrap();
    wav.write_all(&(samples.len() as u32).to_le_bytes()).unwrap();
    wav.write_all(&samples).unwrap();
    wav
}

pub fn call(who: &str, n: i64) -> Draft<'static> {
    let customer = Subject::new(Role::Customer, Identifier::tel(who).unwrap());
    let words = format!("words of call {n}");
    Draft::new(Channel::Voice)
        .start(day(n))
        .subject(customer)
        .part(PartKind::Audio, "audio/wav", Cursor::new(wav(4, n as u8)))
        .part(PartKind::Transcript, "text/plain", Cursor::new(words.into_bytes()))
}

impl Court {
    pub fn new() -> Self {
        Self::with(3)
    }

    pub fn with(custodians: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("my.vault"), operator()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let identity = Arc::new(Identity::generate().unwrap());
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let people: Vec<Identity> = (0..custodians).map(|_| Identity::generate().unwrap()).collect();
        let keys: Vec<CustodianKey> = people.iter().map(CustodianKey::from).collect();
        let policy = if custodians == 0 {
            DisclosurePolicy::none(&card, &identity).unwrap()
        } else {
            DisclosurePolicy::quorum(&card, 2, keys.clone(), &identity).unwrap()
        };
        let pin = vault.enrol("acme", &card, &policy).unwrap();
        let owner = Owner { identity, pin };
        let custodians = people.into_iter().map(|who| Custodian::new(who, operator().public_key())).collect();
        let ingestor = vault.ingestor(&owner.pin, Arc::clone(&writer)).unwrap();
        let calls = (0..4).map(|n| {
            let who = if n % 2 == 0 { OLIVIA } else { PETER };
            ingestor.ingest(call(who, n)).unwrap().record
        });
        let calls = calls.collect();
        drop(ingestor);
        Self { dir, vault, writer, owner, custodians, keys, authority: Identity::generate().unwrap(), calls }
    }

    pub fn tenant(&self) -> TenantId {
        self.owner.pin.tenant
    }

    pub fn session(&self) -> TenantSession {
        self.owner.session(&self.vault)
    }

    pub fn terms(&self, scope: OrderScope) -> OrderTerms {
        let authority = Authority {
            name: "County Court".into(),
            country: Country::new("US").unwrap(),
            contact: "clerk@court.example".into(),
            recipient: self.authority.recipient().clone(),
        };
        let (dates, due) = (day(-1)..day(10), tomorrow());
        OrderTerms::new(authority, LegalBasis::CourtOrder, "23-CV-0042", [7; 32], dates, due, scope)
    }

    pub fn listed(&self, calls: &[usize]) -> OrderScope {
        OrderScope::records(calls.iter().map(|n| self.calls[*n]))
    }

    /// Takes in an order and has it accepted.
    pub fn accepted(&self, terms: OrderTerms) -> DisclosureOrder {
        let (order, _) = self.vault.receive_order(self.tenant(), terms, "officer").unwrap();
        self.accept(&order);
        order
    }

    pub fn accept(&self, order: &DisclosureOrder) {
        let outcome = ReviewOutcome::Accepted;
        self.vault.review_order(self.tenant(), order.id(), outcome, "it is in order", None, "counsel").unwrap();
    }

    pub fn request(&self, order: &DisclosureOrder) -> Result<OrderRequest> {
        self.vault.request_approvals(self.tenant(), order.id(), tomorrow())
    }

    pub fn approvals(&self, request: &OrderRequest, who: &[usize]) -> Vec<Approval> {
        // Over files, as they would go.
        let request = OrderRequest::from_bytes(request.to_bytes()).unwrap();
        let approve = |n: &usize| {
            let approval = self.custodians[*n].approve(&request).unwrap();
            Approval::from_bytes(&approval.to_bytes()).unwrap()
        };
        who.iter().map(approve).collect()
    }

    pub fn quorum(&self, order: &DisclosureOrder) -> Quorum {
        let request = self.request(order).unwrap();
        let approvals = self.approvals(&request, &[0, 2]);
        self.vault.open_order(self.tenant(), &request, &approvals, "officer").unwrap()
    }

    pub fn disclose<'s>(&self, permission: impl Into<Permission<'s>>) -> (Disclosed, Vec<u8>) {
        let (mut package, options) = (Vec::new(), ProductionOptions::new(ProductionProfile::Portable));
        let disclosed = self.vault.disclose(permission, options, "officer", &mut package, GO_ON).unwrap();
        (disclosed, package)
    }

    /// Decrypts and unpacks a package as the authority does, with `tar`.
    pub fn unpack(&self, package: &[u8], name: &str) -> std::path::PathBuf {
        let to = self.dir.path().join(name);
        std::fs::create_dir(&to).unwrap();
        let mut archive = Vec::new();
        std::io::copy(&mut age::Reader::new(package, &self.authority).unwrap(), &mut archive).unwrap();
        std::fs::write(to.join("package.tar"), archive).unwrap();
        let status = Command::new("tar").args(["-xf", "package.tar"]).current_dir(&to).status().unwrap();
        assert!(status.success());
        let inside = std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path());
        inside.into_iter().find(|path: &std::path::PathBuf| path.is_dir()).unwrap()
    }

    /// Audits the ledger, in a session that is open meanwhile.
    pub fn audit(&self) -> AuditReport {
        let session = self.session();
        let log = session.log().unwrap();
        Auditor::new(log.key()).audit(&log).unwrap()
    }

    /// The kinds of all entries that the tenant reads.
    pub fn kinds(&self) -> Vec<String> {
        let session = self.session();
        let log = session.log().unwrap();
        let entries = log.entries(0, 1000).unwrap();
        let kind = |entry: Entry| match entry.state {
            State::Open(_, message) => message.kind.to_string(),
            State::Withheld(_) => "withheld".into(),
            other => panic!("{other:?}"),
        };
        entries.into_iter().map(kind).filter(|kind| !kind.starts_with("session")).collect()
    }
}

/// Whether a file or the text of any file below a folder has these bytes.
pub fn holds(folder: &Path, bytes: &[u8]) -> bool {
    super::files(folder).iter().any(|file| {
        let content = std::fs::read(file).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}
