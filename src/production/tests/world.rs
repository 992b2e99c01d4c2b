//! A vault with a few records, what is produced of them, and what somebody finds in it.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bagit::{Bag, Limits, unpack};
use crate::error::Result;
use crate::id::{OrderId, RecordId, TenantId};
use crate::ingest::Ingestor;
use crate::key::{DisclosurePolicy, Identity, OperatorKey, Suite, TenantCard, WriterKey};
use crate::production::*;
use crate::record::{Channel, Direction, Draft, DraftPart, Identifier, PartKind, Role, Subject};
use crate::retrieve::{Access, TenantSession};
use crate::time::Timestamp;
use crate::vault::Vault;

pub(super) struct World {
    pub(super) dir: tempfile::TempDir,
    pub(super) vault: Vault,
    pub(super) session: TenantSession,
    pub(super) tenant_name: String,
    ingestor: Ingestor,
}

impl World {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("v"), OperatorKey::generate().unwrap()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let identity = Identity::generate_for(Suite::X25519).unwrap();
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let pin = vault.enrol("acme", &card, &DisclosurePolicy::none(&card, &identity).unwrap()).unwrap();
        let ingestor = vault.ingestor(&pin, writer).unwrap();
        let session = vault.session(pin.tenant, identity, Access::new("tester", "test")).unwrap();
        Self { dir, vault, session, tenant_name: "Acme, Inc.".into(), ingestor }
    }

    pub(super) fn ingest(&self, draft: Draft<'_>) -> RecordId {
        self.ingestor.ingest(draft).unwrap().record
    }

    pub(super) fn cover(&self) -> Cover {
        Cover {
            order: OrderId::from_bytes([7; 16]),
            order_hash: [8; 32],
            vault: self.vault.id(),
            tenant: self.session.tenant(),
            tenant_name: self.tenant_name.clone(),
            authority: "District Court".into(),
            reference: "24-CV-1".into(),
            basis: "court-order".into(),
            created: Timestamp::from_unix_ms(1_710_605_360_701),
            by: "counsel".into(),
        }
    }

    pub(super) fn prepare(&self, wanted: &Wanted, options: ProductionOptions, first: u64) -> Result<Prepared> {
        prepare(self.cover(), wanted, options, first, &self.session, &mut |_| ControlFlow::Continue(()))
    }

    /// The archive of a production that is numbered from 1 on.
    pub(super) fn archive(&self, wanted: &Wanted, options: ProductionOptions) -> Vec<u8> {
        let prepared = self.prepare(wanted, options, 1).unwrap();
        let go_on = &mut |_| ControlFlow::Continue(());
        prepared.write_archive(&self.session, custody(), Vec::new(), go_on).unwrap().1
    }

    /// The same, unpacked and found to be whole.
    pub(super) fn produce(&self, wanted: &Wanted, options: ProductionOptions) -> Produced {
        let (archive, folder) = (self.archive(wanted, options), tempfile::tempdir_in(self.dir.path()).unwrap());
        let root = folder.path().join("bag");
        unpack(&mut archive.as_slice(), &root, Limits::default()).unwrap();
        let report = Bag::open(&root).unwrap().verify().unwrap();
        assert!(report.findings.is_empty(), "{report:?}");
        Produced { _folder: folder, root }
    }
}

pub(super) fn custody() -> Vec<(String, Vec<u8>)> {
    vec![("order.note".to_owned(), b"{}\n\n\xE2\x80\x94 operator AAAA\n".to_vec())]
}

pub(super) fn wanted(records: &[RecordId]) -> Wanted {
    let all = |record: &RecordId| WantedRecord { record: *record, kinds: None, stretch: None };
    Wanted { records: records.iter().map(all).collect() }
}

pub(super) struct Produced {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Produced {
    pub(super) fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(super) fn text(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path)).unwrap()
    }

    pub(super) fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_slice(&self.bytes(path)).unwrap()
    }

    /// The lines of a table by the names of its columns.
    pub(super) fn sheet(&self, path: &str) -> Vec<std::collections::BTreeMap<String, String>> {
        let text = self.text(path);
        let mut reader = csv::Reader::from_reader(text.strip_prefix(BOM).unwrap().as_bytes());
        reader.deserialize().map(|line| line.unwrap()).collect()
    }

    /// All files, by their paths from the bag's folder.
    pub(super) fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.root, &self.root, &mut found);
        found.sort();
        found
    }

    /// The lines of the load file, read as its own description says.
    pub(super) fn load_file(&self) -> Vec<std::collections::BTreeMap<String, String>> {
        let text = self.text("data/ABC_VOL001/DATA/ABC_VOL001.dat");
        let mut lines = text.strip_prefix(BOM).unwrap().split_terminator("\r\n").map(|line| {
            let line = line.strip_prefix('þ').unwrap().strip_suffix('þ').unwrap();
            line.split("þ\u{14}þ").map(|field| field.replace("þþ", "þ")).collect::<Vec<_>>()
        });
        let names = lines.next().unwrap();
        lines.map(|line| names.iter().cloned().zip(line).collect()).collect()
    }
}

/// A µ-law recording of so many seconds, whose bytes do not repeat.
pub(super) fn wav(seconds: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..8000 * seconds).map(|n| (n * 31 + n / 256 + n / 65_537) as u8).collect();
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0\x07\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0\0\0data".to_vec();
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

pub(super) const TRANSCRIPT: &str = r#"[{"speaker":"Olivia","start":0.5,"text":"My card is 4111111111111111."},{"speaker":"Ben","start":3,"text":"Thank you."}]"#;

/// An inbound call with a recording and a transcript.
pub(super) fn call(customer: &str, seconds: usize) -> Draft<'static> {
    let customer = Subject::new(Role::Customer, Identifier::tel(customer).unwrap()).with_name("Olivia Þórsdóttir");
    let agent = Subject::new(Role::Agent, Identifier::tel("+18005550100").unwrap()).with_name("Ben");
    Draft::new(Channel::Voice)
        .direction(Direction::Inbound)
        .start(Timestamp::from_unix_ms(1_700_000_000_000))
        .agent("ben")
        .subject(customer)
        .subject(agent)
        .part(PartKind::Audio, "audio/wav", Cursor::new(wav(seconds)))
        .part(PartKind::Transcript, "application/json", Cursor::new(TRANSCRIPT.as_bytes().to_vec()))
}

pub(super) fn letter(subject: &str) -> Draft<'static> {
    let message = format!(
        "From: Olivia <olivia@example.com>\r\nTo: Help <help@acme.example>, sales@acme.example\r\nCc: boss@acme.example\r\n\
         Subject: {subject}\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nIt is lost.\r\n"
    );
    let attachment = DraftPart::new(PartKind::Attachment, "application/pdf", Cursor::new(b"%PDF-1.7".to_vec()));
    Draft::new(Channel::Email)
        .part(PartKind::Email, "message/rfc822", Cursor::new(message.into_bytes()))
        .with(attachment.name("card.pdf"))
}

pub(super) fn portable() -> ProductionOptions {
    ProductionOptions::new(ProductionProfile::Portable)
}

pub(super) fn litigation() -> ProductionOptions {
    ProductionOptions::new(ProductionProfile::Litigation).bates_prefix("ABC")
}
