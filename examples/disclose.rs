//! An authority's order, from its receipt to its end: the operator takes it in, counsel narrows it, custodians approve offline,
//! the records are found and opened by a quorum, the package goes out, the authority opens it, and the tenant, who was not to be
//! told, is told and checks that nothing more was opened.
//!
//! `cargo run --release --example disclose` does it on the sample data, in a vault that is gone afterwards.
//! `… --example disclose -- --keep FOLDER [--x25519]` leaves in a new FOLDER what other programs can check: a portable package and
//! a litigation volume, each beside the key that opens it, and the operator's report on orders. `--x25519` makes that key one that
//! every `age` knows.

#[path = "ingest/files.rs"]
#[allow(dead_code)]
mod files;
#[path = "ingest/screen.rs"]
#[allow(dead_code)]
mod screen;

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use files::Failure;
use indicatif::ProgressBar;
use screen::{chain, heading, plain, say, size};
use strongroom::audio::Filler;
use strongroom::*;

type Done<T> = std::result::Result<T, Failure>;

const DAY: i64 = 86_400_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(None, Suite::XWing),
        ["--keep", folder] => run(Some(Path::new(folder)), Suite::XWing),
        ["--keep", folder, "--x25519"] => run(Some(Path::new(folder)), Suite::X25519),
        _ => Err("usage: disclose [--keep FOLDER [--x25519]]".into()),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("error: {}", chain(&*error));
    ExitCode::FAILURE
}

fn run(keep: Option<&Path>, suite: Suite) -> Done<()> {
    let gone = tempfile::tempdir()?;
    let folder = keep.unwrap_or(gone.path());
    if keep.is_some() {
        fs::create_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let scene = Scene::with_the_sample_data(&gone.path().join("my.vault"), suite)?;
    let (portable, litigation) = (folder.join("portable"), folder.join("litigation"));

    heading("1. An order comes in");
    let gag = in_ms(3_000);
    let order = scene.receive(gag)?;
    heading("2. Counsel narrows it");
    let order = scene.narrow(&order)?;
    heading("3. Custodians help find the records");
    scene.find(&order)?;
    heading("4. Custodians approve that these are opened");
    let quorum = scene.open(&order)?;
    heading("5. The package goes out");
    let disclosed = scene.disclose(quorum, ProductionOptions::new(ProductionProfile::Portable), &portable)?;
    heading("6. The authority opens it");
    scene.authority_opens(&portable, &gone.path().join("opened"))?;
    heading("7. The tenant is not to be told yet");
    scene.audit("An audit")?;
    heading("8. The tenant is told");
    while Timestamp::now() < gag {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    scene.tell(&order, &disclosed)?;
    heading("9. A subpoena that the tenant agrees to, as a volume for a court");
    scene.consent(&litigation)?;
    heading("10. A drill");
    scene.drill()?;
    heading("11. What the operator publishes");
    scene.publish(folder)?;

    if keep.is_some() {
        for package in [&portable, &litigation] {
            scene.authority.write_file(package.join("identity.txt"))?;
        }
        say!("\nThe packages, the key that opens them and the report are in {}.", folder.display());
    }
    Ok(())
}

struct Scene {
    vault: Vault,
    identity: Arc<Identity>,
    pin: TenantPin,
    custodians: Vec<Custodian>,
    authority: Identity,
}

impl Scene {
    fn with_the_sample_data(folder: &Path, suite: Suite) -> Done<Self> {
        let operator = OperatorKey::generate()?;
        let (public, vault) = (operator.public_key(), Vault::create(folder, operator)?);
        let (writer, identity) = (WriterKey::generate()?, Arc::new(Identity::generate()?));
        vault.enrol_writer(writer.public_key())?;
        let card = TenantCard::new(vault.id(), TenantId::generate()?, &identity);
        let people = [(); 3].map(|()| Identity::generate());
        let people = people.into_iter().collect::<Result<Vec<_>>>()?;
        let keys = people.iter().map(CustodianKey::from).collect();
        let policy = DisclosurePolicy::quorum(&card, 2, keys, &identity)?;
        let pin = vault.enrol("harbor-energy", &card, &policy)?;
        let ingestor = vault.ingestor(&pin, writer)?;
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/harbor-energy");
        let (found, failures) = files::find(&[data]);
        if let Some((path, error)) = failures.into_iter().next() {
            return Err(format!("{}: {error}", path.display()).into());
        }
        for interaction in &found {
            ingestor.ingest(interaction.draft(&ProgressBar::hidden())?)?;
        }
        say!("harbor-energy has {} calls and chats in its vault, and three custodians, any two of whom", found.len());
        say!("together can open a record when the law requires it.");
        let custodians = people.into_iter().map(|identity| Custodian::new(identity, public)).collect();
        Ok(Self { vault, identity, pin, custodians, authority: Identity::generate_for(suite)? })
    }

    fn authority(&self) -> Done<Authority> {
        Ok(Authority {
            name: "County Court of Harbor".into(),
            country: Country::new("US")?,
            contact: "clerk@court.example".into(),
            recipient: self.authority.recipient().clone(),
        })
    }

    fn receive(&self, gag: Timestamp) -> Done<DisclosureOrder> {
        let customer = self.somebody()?.ok_or("the sample data names nobody")?;
        let (from, before) = ("2000-01-01T00:00:00Z".parse()?, Timestamp::now());
        let scope = OrderScope::subjects([customer.clone()], from..before);
        let served = [0x5A; 32];
        let terms = OrderTerms::new(
            self.authority()?,
            LegalBasis::CourtOrder,
            "23-CV-0042",
            served,
            from..before,
            in_ms(30 * DAY),
            scope,
        );
        let (order, receipt) = self.vault.receive_order(self.pin.tenant, terms.gag_until(gag), "compliance desk")?;
        say!("A court orders all records of {customer}. The tenant must not be told until {gag}.");
        say!("Entry {} of the tenant's ledger says so, and is withheld from it until then.", receipt.seq());
        Ok(order)
    }

    /// Whoever is in most records of the sample data.
    fn somebody(&self) -> Done<Option<Identifier>> {
        let session = self.session("choosing a customer for this example")?;
        let mut counts = std::collections::BTreeMap::<String, (usize, Identifier)>::new();
        for listed in session.list(&Listing::by_commit().limit(500))?.items {
            for who in listed.record?.head().subjects.iter().flat_map(|subject| subject.identifiers.clone()) {
                counts.entry(who.to_string()).or_insert((0, who)).0 += 1;
            }
        }
        Ok(counts.into_values().max_by_key(|(count, _)| *count).map(|(_, who)| who))
    }

    fn narrow(&self, order: &DisclosureOrder) -> Done<DisclosureOrder> {
        let terms = order.terms().kinds([PartKind::Audio, PartKind::Transcript, PartKind::Chat]);
        let reason = "analyses are the operator's own work and were not asked for";
        let (order, _) = self.vault.review_order(
            self.pin.tenant,
            order.id(),
            ReviewOutcome::Narrowed,
            reason,
            Some(terms),
            "counsel",
        )?;
        say!("It is followed for recordings, transcripts and chats: revision {} of the order.", order.revision());
        Ok(order)
    }

    fn ask(&self, order: &DisclosureOrder, who: [usize; 2]) -> Done<(OrderRequest, Vec<Approval>)> {
        let request = self.vault.request_approvals(self.pin.tenant, order.id(), in_ms(DAY))?;
        say!("The file order.request goes out, {}. It says:", size(request.to_bytes().len() as u64));
        for line in request.to_string().lines().filter(|line| line.starts_with("Your") || line.starts_with("  ")) {
            say!("    {}", plain(line));
        }
        let approvals = who.map(|n| self.custodians[n].approve(&request));
        let approvals: Vec<Approval> = approvals.into_iter().collect::<Result<_>>()?;
        for (n, approval) in who.iter().zip(&approvals) {
            say!("Custodian {} approves, offline: a file of {}.", n + 1, size(approval.to_bytes().len() as u64));
        }
        Ok((request, approvals))
    }

    fn find(&self, order: &DisclosureOrder) -> Done<()> {
        let (request, approvals) = self.ask(order, [0, 1])?;
        let found = self.vault.find_records(self.pin.tenant, &request, &approvals, "compliance desk")?;
        say!("Together they find {}. None was opened.", counted(found.len(), "record"));
        Ok(())
    }

    fn open(&self, order: &DisclosureOrder) -> Done<Quorum> {
        let (request, approvals) = self.ask(order, [1, 2])?;
        let alone = self.vault.open_order(self.pin.tenant, &request, &approvals[..1], "compliance desk");
        if let Err(error) = alone {
            say!("One of them alone opens nothing: {}.", chain(&error));
        }
        let quorum = self.vault.open_order(self.pin.tenant, &request, &approvals, "compliance desk")?;
        say!("Together they open {}, and no other.", counted(quorum.records().len(), "record"));
        Ok(quorum)
    }

    fn disclose<'s>(
        &self,
        permission: impl Into<Permission<'s>>,
        options: ProductionOptions,
        folder: &Path,
    ) -> Done<Disclosed> {
        fs::create_dir(folder)?;
        let out = File::create_new(folder.join("disclosure.age"))?;
        let go_on = |_| ControlFlow::Continue(());
        let disclosed = self.vault.disclose(permission, options, "compliance desk", &out, go_on)?;
        out.sync_all()?;
        say!("Entry {} says what goes, before a byte does.", disclosed.producing.seq());
        say!(
            "{} of {}, {}, sealed to the court.",
            counted(disclosed.documents as usize, "document"),
            counted(disclosed.records as usize, "record"),
            size(disclosed.bytes)
        );
        if let Some(Numbered { prefix, first, count, .. }) = &disclosed.bates {
            say!("Its documents are numbered {prefix} {first} to {}.", first + count - 1);
        }
        Ok(disclosed)
    }

    fn authority_opens(&self, package: &Path, to: &Path) -> Done<()> {
        let mut file = age::Reader::new(File::open(package.join("disclosure.age"))?, &self.authority)?;
        bagit::unpack(&mut file, to, bagit::Limits::default())?;
        let report = bagit::Bag::open(to)?.verify()?;
        say!("It decrypts and unpacks it; its manifests {}.", if report.is_valid() { "hold" } else { "do not hold" });
        say!("VERIFY.txt in it has the commands that check order, approvals and entry with openssl and sigsum-verify.");
        Ok(())
    }

    fn session(&self, purpose: &str) -> Done<TenantSession> {
        Ok(self.vault.session(self.pin.tenant, Arc::clone(&self.identity), Access::new("carla", purpose))?)
    }

    fn audit(&self, what: &str) -> Done<AuditReport> {
        let session = self.session("auditing the ledger")?;
        let log = session.log()?;
        let report = Auditor::new(log.key()).audit(&log)?;
        say!(
            "{what} by the tenant: {} entries opened, {} withheld. {}",
            report.opened,
            report.withheld,
            match report.is_clean() {
                true => "Nothing is wrong.".to_owned(),
                false => report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            }
        );
        Ok(report)
    }

    fn tell(&self, order: &DisclosureOrder, disclosed: &Disclosed) -> Done<()> {
        let (notice, _) = self.vault.give_notice(self.pin.tenant, order.id(), "compliance desk")?;
        say!("The operator gives notice: {}, {}.", counted(notice.records() as usize, "record"), notice.outcome());
        self.audit("Another audit")?;
        let session = self.session("seeing what was disclosed")?;
        let log = session.log()?;
        let receipt = log.receipt(disclosed.producing.seq())?;
        let message = receipt.verify(&log.key())?;
        say!(
            "The same leaf opens now: entry {}, {}, {} records.",
            message.seq,
            message.kind,
            message.records.map_or(0, |set| set.count)
        );
        for status in session.orders()? {
            let produced = status.produced.as_ref();
            say!(
                "What the tenant knows of the order: {:?}, {} records.",
                status.state(),
                produced.map_or(0, |p| p.records.len())
            );
        }
        self.vault.close_order(self.pin.tenant, order.id(), "answered", "compliance desk")?;
        Ok(())
    }

    fn consent(&self, folder: &Path) -> Done<()> {
        let session = self.session("answering a subpoena")?;
        let listed = session.list(&Listing::by_commit().limit(500))?.items;
        // The first few, and whatever was recorded so that a page can show a picture of it.
        let mut chosen = Vec::new();
        for (n, listed) in listed.into_iter().enumerate() {
            if n < 4 || wav(&listed.record?).is_some() {
                chosen.push(listed.id);
            }
        }
        let scope = OrderScope::records(chosen);
        let dates = "2000-01-01T00:00:00Z".parse()?..Timestamp::now();
        let terms = OrderTerms::new(
            self.authority()?,
            LegalBasis::Subpoena,
            "23-SUB-0107",
            [0x5B; 32],
            dates,
            in_ms(14 * DAY),
            scope,
        );
        let (order, _) = self.vault.receive_order(self.pin.tenant, terms, "compliance desk")?;
        let accepted = ReviewOutcome::Accepted;
        self.vault.review_order(self.pin.tenant, order.id(), accepted, "the tenant was served", None, "counsel")?;
        say!("No gag: the tenant reads of it at once, and agrees.");
        let consent = session.consent(order.id())?;
        let redactions = self.redactions(&session, consent.records())?;
        say!(
            "Counsel redacts {}: the copies that are produced have nothing of them.",
            counted(redactions.len(), "passage")
        );
        let options = ProductionOptions::new(ProductionProfile::Litigation).bates_prefix("HARBOR");
        self.disclose(consent, options.redactions(redactions), folder)?;
        Ok(())
    }

    /// The first digits that are said in each transcript; where there is a recording that can be redacted, a name that
    /// somebody heard in it, in both.
    fn redactions(&self, session: &TenantSession, records: &[RecordId]) -> Done<Redactions> {
        const NAME: &str = "Example Bank";
        let mut found = Vec::new();
        for id in records {
            let record = session.read(*id)?;
            for (number, part) in record.parts().filter(|(_, part)| part.kind == PartKind::Transcript) {
                let bytes = record.read_part(number)?;
                let text = Text::of(&part.media_type, &bytes);
                let body = text.body();
                if let (Some(recording), Some(at)) = (wav(&record), body.find(NAME)) {
                    let (why, with) = ("name of another company", Filler::Tone);
                    found.push(Redaction::new(*id, number, Redacted::Text(at..at + NAME.len()), why));
                    let heard = Redacted::Audio { ms: 1_150..2_300, with };
                    found.push(Redaction::new(*id, recording, heard, why));
                    continue;
                }
                let Some(start) = body.find(|c: char| c.is_ascii_digit()) else { continue };
                let rest = &body[start..];
                let end = start + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                found.push(Redaction::new(*id, number, Redacted::Text(start..end), "number of another customer"));
            }
        }
        Ok(Redactions::of(found)?)
    }

    fn drill(&self) -> Done<()> {
        let request = self.vault.begin_drill(self.pin.tenant, in_ms(DAY))?;
        let approvals: Vec<Approval> =
            [0, 2].map(|n| self.custodians[n].approve(&request)).into_iter().collect::<Result<_>>()?;
        let drilled = self.vault.end_drill(self.pin.tenant, &request, &approvals, "compliance desk")?;
        say!(
            "{} custodians opened a record that was made for it. No record of the tenant was touched.",
            drilled.custodians.len()
        );
        self.audit("A last audit")?;
        Ok(())
    }
}

/// The number of the part that is a WAV file, if there is one.
fn wav(record: &Record) -> Option<usize> {
    let mut parts = record.parts();
    parts.find(|(_, part)| part.kind == PartKind::Audio && part.media_type.contains("wav")).map(|(number, _)| number)
}

impl Scene {
    /// The report on orders, for programs, spreadsheets and people.
    fn publish(&self, folder: &Path) -> Done<()> {
        let orders = self.vault.order_records()?;
        let report = TransparencyReport::of(&orders, "Harbor Hosting", in_ms(-182 * DAY)..in_ms(1))?;
        fs::write(folder.join("transparency.json"), report.to_json())?;
        fs::write(folder.join("transparency.csv"), report.to_csv())?;
        report.write_page(&mut File::create(folder.join("transparency.html"))?)?;
        for order in &orders {
            say!("Counted: {}, {}, {}.", order.basis, order.outcome, counted(order.records as usize, "record"));
        }
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn in_ms(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(Timestamp::now().unix_ms() + ms)
}
