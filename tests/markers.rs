//! Nothing of what was ingested stands in clear in any file of the vault, in an error or in a debug print.

mod common;

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Mutex;

use common::court::{self, Court};
use common::{World, files, noise};
use strongroom::*;

#[test]
fn a_marker_in_every_field_and_part_is_nowhere_on_the_disk_at_any_time() {
    let world = World::new();
    let markers = Markers::new();
    for owner in [&world.acme, &world.bolt] {
        let ingestor = world.ingestor(owner);
        let during = Mutex::new(Vec::new());
        let look = Look { vault: world.path(), markers: &markers, found: &during };
        let ingested = ingestor.ingest(markers.draft("1").part(PartKind::Audio, "audio/wav", look)).unwrap();
        assert_eq!(during.into_inner().unwrap(), ["looked"]);
        // Again, refused, amended, and in a batch with one that fails.
        ingestor.ingest(markers.draft("2")).unwrap();
        assert!(ingestor.ingest(markers.draft("2")).unwrap().duplicate);
        ingestor.ingest(markers.draft("2").tag("another")).unwrap_err();
        ingestor.ingest(markers.draft("3").amends(ingested.record)).unwrap();
        ingestor.ingest_batch(vec![markers.draft("4"), markers.draft("5"), Draft::new(Channel::Chat)]).unwrap_err();
        let failing = io::Cursor::new(markers.audio()).chain(Fails);
        let batch = vec![markers.draft("6"), markers.draft("7").part(PartKind::Audio, "audio/wav", failing)];
        ingestor.ingest_batch(batch).unwrap_err();
        assert_eq!(markers.in_files(&world.path()), Vec::<String>::new(), "while the ingestor is open");
        let record = world.session(owner).read(ingested.record).unwrap();
        assert_eq!(record.head().agent.as_deref(), Some(markers.text("agent").as_str()));
        assert_eq!(record.read_part(2).unwrap(), markers.audio());
    }
    assert!(files(&world.path()).iter().any(|f| f.ends_with("vault.db-wal")), "the log is searched too");
    assert!(world.vault.check().unwrap().is_clean());
    let path = world.path();
    let World { dir: _dir, vault, .. } = world;
    drop(vault);
    assert_eq!(markers.in_files(&path), Vec::<String>::new(), "after the vault is closed");
}

#[test]
fn what_is_printed_of_a_value_or_an_error_holds_no_marker() {
    let world = World::new();
    let markers = Markers::new();
    let ingestor = world.ingestor(&world.acme);
    let session = world.session(&world.acme);
    let mut printed = String::new();
    let mut debug = |value: &dyn Debug| write!(printed, "{value:?}\n{value:#?}\n").unwrap();

    let draft = markers.draft("1");
    debug(&draft);
    debug(&DraftPart::new(PartKind::Audio, markers.text("media"), io::empty()).name(markers.text("file")));
    for identifier in markers.identifiers() {
        debug(&identifier);
        debug(&Subject::new(Role::Other(markers.text("role")), identifier).with_name(markers.text("name")));
    }
    let ingested = ingestor.ingest(draft).unwrap();
    let record = session.read(ingested.record).unwrap();
    debug(&ingested);
    debug(&record);
    debug(&record.head());
    debug(&record.header());
    debug(&record.head().parts);
    debug(&record.head().subjects);
    debug(&record.part(1).unwrap());
    debug(&session.list(&Listing::by_commit()).unwrap());
    debug(&(&session, &ingestor, &world.vault));
    debug(&world.vault.check().unwrap());
    debug(&session.check().unwrap());
    writeln!(printed, "{}", session.check().unwrap()).unwrap();

    let bad = |end: &str| markers.text("bad") + end;
    let digest = ProducerDigest::Sha256(vec![7; 32]);
    let part = || DraftPart::new(PartKind::Chat, markers.text("media"), io::Cursor::new(markers.audio()));
    let path = Path::new("/nonexistent").join(markers.text("file"));
    let errors = vec![
        ingestor.ingest(markers.draft("1").tag("other")).unwrap_err(),
        ingestor.ingest(markers.draft("8").tag(markers.text("tag").repeat(20_000))).unwrap_err(),
        ingestor.ingest(markers.draft("8").with(part().digest(digest))).unwrap_err(),
        ingestor.ingest(markers.draft("8").with(DraftPart::new(PartKind::Chat, bad("\n"), io::empty()))).unwrap_err(),
        ingestor.ingest(markers.draft(&"8".repeat(1025))).unwrap_err(),
        ingestor.ingest(markers.draft("8").part(PartKind::Chat, "text/plain", Fails)).unwrap_err(),
        ingestor.ingest(markers.draft("8").amends(RecordId::generate().unwrap())).unwrap_err(),
        Identifier::tel(&bad("")).unwrap_err(),
        Identifier::mailto(&bad("")).unwrap_err(),
        Identifier::mailto(&bad("@x..y")).unwrap_err(),
        Identifier::customer(&bad("\0")).unwrap_err(),
        bad("").parse::<Cursor>().unwrap_err(),
        bad("").parse::<TenantPin>().unwrap_err(),
        bad("").parse::<RecordId>().unwrap_err(),
        bad("").parse::<Identity>().err().unwrap(),
        bad("").parse::<Recipient>().err().unwrap(),
        bad("").parse::<WriterKey>().err().unwrap(),
        DraftPart::from_file(PartKind::Audio, "audio/wav", &path).err().unwrap(),
        world.vault.tenant_named(&bad("")).unwrap_err(),
        world
            .vault
            .enrol(&bad("\n"), &world.vault.tenant(world.acme.pin.tenant).unwrap().card, &{
                world.vault.tenant(world.acme.pin.tenant).unwrap().policy
            })
            .unwrap_err(),
    ];
    for error in errors {
        write!(printed, "{error}\n{error:?}\n{error:#?}\n").unwrap();
        let mut source = error.source();
        while let Some(cause) = source {
            write!(printed, "{cause}\n{cause:?}\n").unwrap();
            source = cause.source();
        }
        writeln!(printed, "{:?}", io::Error::from(error)).unwrap();
    }
    assert!(printed.len() > 3000);
    assert_eq!(markers.in_bytes(printed.as_bytes()), Vec::<String>::new(), "{printed}");
}

#[test]
fn nothing_of_an_order_is_on_the_disk_at_any_time_or_printed() {
    let markers = Markers::new();
    let court = Court::new();
    let ingestor = court.vault.ingestor(&court.owner.pin, std::sync::Arc::clone(&court.writer)).unwrap();
    let record = ingestor.ingest(markers.draft("1").start(court::day(1))).unwrap().record;
    drop(ingestor);
    let path = court.dir.path().join("my.vault");
    let mut printed = String::new();
    let (by, reason) = (markers.text("officer"), markers.text("reason"));
    for gagged in [true, false] {
        let mut debug = |value: &dyn Debug| write!(printed, "{value:?}\n{value:#?}\n").unwrap();
        let authority = Authority {
            name: markers.text("authority"),
            contact: markers.text("contact"),
            country: Country::new("US").unwrap(),
            recipient: court.authority.recipient().clone(),
        };
        let scope = OrderScope::subjects(markers.identifiers(), court::day(0)..court::day(2));
        let mut terms = court.terms(scope);
        (terms.authority, terms.reference) = (authority, markers.text("reference"));
        if gagged {
            terms = terms.gag_until(court::tomorrow());
        }
        debug(&terms);
        debug(&terms.authority);
        debug(&terms.scope);
        let (vault, tenant) = (&court.vault, court.tenant());
        let (order, receipt) = vault.receive_order(tenant, terms, &by).unwrap();
        vault.review_order(tenant, order.id(), ReviewOutcome::Accepted, &reason, None, &by).unwrap();
        let request = court.request(&order).unwrap();
        let approvals = court.approvals(&request, &[0, 1]);
        debug(&(&order, &receipt, &request, &approvals));
        let errors = [
            vault.find_records(tenant, &request, &approvals[..1], &by).unwrap_err(),
            vault.open_order(tenant, &request, &approvals, &by).unwrap_err(),
            vault.review_order(tenant, order.id(), ReviewOutcome::Narrowed, &reason, None, &by).unwrap_err(),
            vault
                .review_order(tenant, order.id(), ReviewOutcome::Rejected, &(reason.clone() + "\n"), None, &by)
                .unwrap_err(),
            vault.end_drill(tenant, &request, &approvals, &by).unwrap_err(),
            order.to_string().replacen("subjects", "subject", 1).parse::<DisclosureOrder>().unwrap_err(),
            order.text().parse::<DisclosureConsent>().unwrap_err(),
        ];
        debug(&errors);
        assert_eq!(vault.find_records(tenant, &request, &approvals, &by).unwrap(), [record]);
        let request = court.request(&order).unwrap();
        let approvals = court.approvals(&request, &[0, 1]);
        let quorum = vault.open_order(tenant, &request, &approvals, &by).unwrap();
        debug(&(&quorum, &request));
        let redaction = |reason: &str| {
            let what = Redacted::Whole;
            Redactions::of(vec![Redaction { record, part: 1, what, reason: reason.into() }]).unwrap()
        };
        let options = ProductionOptions::new(ProductionProfile::Litigation).redactions(redaction(&reason));
        debug(&options);
        let during = Mutex::new(Vec::new());
        let disclosed = vault.disclose(quorum, options, &by, io::sink(), |_| {
            let mut during = during.lock().unwrap();
            if during.is_empty() {
                during.push("looked".to_owned());
                during.extend(markers.in_files(&path));
            }
            std::ops::ControlFlow::Continue(())
        });
        debug(&disclosed.unwrap());
        assert_eq!(during.into_inner().unwrap(), ["looked"]);
        let session = court.session();
        let orders = vault.orders(tenant).unwrap();
        debug(&(&orders, session.orders().unwrap(), session.withheld().unwrap()));
        debug(&orders.iter().map(|status| (&status.order, &status.review, &status.produced)).collect::<Vec<_>>());
        drop(session);
        if !gagged {
            let consent = court.session();
            let second = court.accepted(court.terms(court.listed(&[0])));
            debug(&consent.consent(second.id()).unwrap());
            vault.close_order(tenant, order.id(), &reason, &by).unwrap();
        }
        assert_eq!(markers.in_files(&path), Vec::<String>::new(), "gagged: {gagged}");
    }
    assert!(printed.len() > 3000);
    assert_eq!(markers.in_bytes(printed.as_bytes()), Vec::<String>::new());
    drop(court.vault);
    assert_eq!(markers.in_files(&path), Vec::<String>::new(), "after the vault is closed");
}

#[test]
fn no_secret_key_is_printed_or_stored() {
    let world = World::new();
    let ingestor = world.ingestor(&world.acme);
    ingestor.ingest(common::text("x")).unwrap();
    let secrets = [world.acme.identity.expose_secret(), world.writer.expose_secret()];
    let markers = Markers(secrets.iter().map(|s| s.to_string()).collect());
    let tenant = world.vault.tenants().unwrap();
    let pin = world.acme.pin;
    let printed = format!("{ingestor:?} {tenant:#?} {pin:?} {pin} {:?}", world.writer.public_key());
    assert_eq!(markers.in_bytes(printed.as_bytes()), Vec::<String>::new());
    assert_eq!(markers.in_files(&world.path()), Vec::<String>::new());
}

#[test]
fn the_search_finds_a_marker_in_every_form_that_it_looks_for() {
    let dir = tempfile::tempdir().unwrap();
    let markers = Markers::new();
    let below = dir.path().join("objects/epoch");
    std::fs::create_dir_all(&below).unwrap();
    for (n, marker) in markers.0.iter().enumerate() {
        for (form, bytes) in forms(marker) {
            let file = below.join("planted");
            std::fs::write(&file, [&noise(5000 + n)[..], &bytes, b"\0\x01"].concat()).unwrap();
            assert!(!markers.in_files(dir.path()).is_empty(), "{marker} as {form}");
        }
        for before in 0..3 {
            let text = base64(&[&b"ab"[..before], marker.as_bytes(), b"wxyz"].concat());
            assert!(!markers.in_bytes(text.as_bytes()).is_empty(), "{marker} in {text}");
        }
    }
    std::fs::write(below.join("planted"), noise(5000)).unwrap();
    assert_eq!(markers.in_files(dir.path()), Vec::<String>::new());
}

/// A word for every place that holds something confidential.
struct Markers(Vec<String>);

const PLACES: [&str; 21] = [
    "agent",
    "queue",
    "tag",
    "name",
    "media",
    "file",
    "key",
    "transcript",
    "audio",
    "channel",
    "role",
    "policy",
    "language",
    "bad",
    "mail",
    "customer",
    "authority",
    "contact",
    "reference",
    "reason",
    "officer",
];
const TEL: &str = "15558273645";

impl Markers {
    fn new() -> Self {
        let mut markers: Vec<String> = PLACES.iter().map(|place| Self(Vec::new()).text(place)).collect();
        markers.push(TEL.to_owned());
        Self(markers)
    }

    /// No word that occurs by chance, and none that holds another.
    fn text(&self, place: &str) -> String {
        format!("mrk-{place}-q7x9zv")
    }

    fn audio(&self) -> Vec<u8> {
        self.text("audio").repeat(20_000).into_bytes()
    }

    fn identifiers(&self) -> Vec<Identifier> {
        vec![
            Identifier::tel(&format!("+{TEL}")).unwrap(),
            Identifier::mailto(&format!("{}@example.com", self.text("mail"))).unwrap(),
            Identifier::customer(&self.text("customer")).unwrap(),
        ]
    }

    fn draft(&self, key: &str) -> Draft<'static> {
        let mut subject = Subject::named(Role::Other(self.text("role")), self.text("name"));
        for identifier in self.identifiers() {
            subject = subject.with_identifier(identifier);
        }
        let part = |kind, bytes: Vec<u8>| {
            DraftPart::new(kind, self.text("media"), io::Cursor::new(bytes)).name(self.text("file"))
        };
        Draft::new(Channel::Other(self.text("channel")))
            .agent(self.text("agent"))
            .queue(self.text("queue"))
            .tag(self.text("tag"))
            .language(self.text("language"))
            .policy_version(self.text("policy"))
            .idempotency_key(format!("{}{key}", self.text("key")))
            .subject(subject)
            .with(part(PartKind::Transcript, self.text("transcript").into_bytes()))
            .with(part(PartKind::Audio, self.audio()))
            .with(part(PartKind::Attachment, vec![]))
    }

    fn in_files(&self, root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for file in files(root) {
            let name = file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.extend(self.in_bytes(name.as_bytes()).into_iter().map(|m| format!("{m} in the name {name}")));
            let bytes = std::fs::read(&file).unwrap();
            found.extend(self.in_bytes(&bytes).into_iter().map(|m| format!("{m} in {name}")));
        }
        found
    }

    fn in_bytes(&self, bytes: &[u8]) -> Vec<String> {
        let mut all = Vec::new();
        for marker in &self.0 {
            all.extend(forms(marker).into_iter().map(|(form, bytes)| (format!("{marker} as {form}"), bytes)));
        }
        let mut by_start: Vec<Vec<usize>> = vec![Vec::new(); 65_536];
        for (n, (_, form)) in all.iter().enumerate() {
            by_start[usize::from(u16::from_be_bytes([form[0], form[1]]))].push(n);
        }
        let mut found = Vec::new();
        for at in 0..bytes.len().saturating_sub(1) {
            for n in &by_start[usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))] {
                if bytes[at..].starts_with(&all[*n].1) {
                    found.push(all[*n].0.clone());
                }
            }
        }
        found
    }
}

/// A marker as it might stand somewhere: plain, in wide characters, in hexadecimal, in base64 wherever it begins.
fn forms(marker: &str) -> Vec<(&'static str, Vec<u8>)> {
    let wide: Vec<u16> = marker.encode_utf16().collect();
    let hex: String = marker.bytes().map(|b| format!("{b:02x}")).collect();
    let middle = |before: usize| {
        let padded = [&b"\0\0"[..before], marker.as_bytes()].concat();
        let text = base64(&padded);
        // Without the characters that share bits with what stands before or behind.
        text.as_bytes()[(before * 8).div_ceil(6)..padded.len() * 8 / 6].to_vec()
    };
    vec![
        ("UTF-8", marker.as_bytes().to_vec()),
        ("capitals", marker.to_uppercase().into_bytes()),
        ("UTF-16LE", wide.iter().flat_map(|c| c.to_le_bytes()).collect()),
        ("UTF-16BE", wide.iter().flat_map(|c| c.to_be_bytes()).collect()),
        ("hexadecimal", hex.clone().into_bytes()),
        ("capital hexadecimal", hex.to_uppercase().into_bytes()),
        ("base64", middle(0)),
        ("base64 one byte on", middle(1)),
        ("base64 two bytes on", middle(2)),
        ("backwards", marker.bytes().rev().collect()),
    ]
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        (0..=three.len()).for_each(|n| text.push(char::from(DIGITS[(bits >> (18 - 6 * n) & 63) as usize])));
    }
    text
}

/// Looks through the vault's files when it is read, which is while its record is being sealed.
struct Look<'a> {
    vault: std::path::PathBuf,
    markers: &'a Markers,
    found: &'a Mutex<Vec<String>>,
}

impl Read for Look<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let mut found = self.found.lock().unwrap();
        if found.is_empty() {
            found.push("looked".to_owned());
            found.extend(self.markers.in_files(&self.vault));
        }
        Ok(0)
    }
}

struct Fails;

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}
