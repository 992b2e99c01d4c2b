//! A tenant sends records to a third party, both sides: what must be promised, an agreement, somebody who asks not to be
//! handed on, a dry run, the package, the receipt for it, and a refusal.
//!
//! `cargo run --release --example transfer` does it on the sample data, in a vault that is gone afterwards.
//! `… --example transfer -- --keep FOLDER [--x25519]` leaves in a new FOLDER what other programs can check: the package, the
//! third party's identity, the signed documents and the public keys; and `transfers.html`, which tells a person of it. `--x25519` makes its key one that every `age` knows.

#[path = "ingest/files.rs"]
#[allow(dead_code)]
mod files;
#[path = "ingest/screen.rs"]
#[allow(dead_code)]
mod screen;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use files::Failure;
use indicatif::ProgressBar;
use screen::{Progress, chain, heading, plain, say, size};
use serde_json::Value;
use strongroom::*;

type Done<T> = std::result::Result<T, Failure>;

const PURPOSE: &str = "quality assurance";
const DAY: i64 = 86_400_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(None, Suite::XWing),
        ["--keep", folder] => run(Some(Path::new(folder)), Suite::XWing),
        ["--keep", folder, "--x25519"] => run(Some(Path::new(folder)), Suite::X25519),
        _ => Err("usage: transfer [--keep FOLDER [--x25519]]".into()),
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
    let tenant = Tenant::with_the_sample_data(&gone.path().join("my.vault"))?;
    let party = ThirdParty { identity: Identity::generate_for(suite)? };
    let package = folder.join("package.age");

    heading("1. The tenant says what third parties must promise");
    tenant.state_policy()?;
    heading("2. The two agree");
    let signed = party.sign_agreement(&tenant)?;
    let agreement = tenant.agree(&signed)?;
    heading("3. Somebody does not want to be handed on");
    tenant.restrict("+1 112 472 4907")?;
    heading("4. What would go");
    let transfer = Transfer::listed(agreement.id(), PURPOSE, Listing::by_commit());
    tenant.dry_run(&transfer)?;
    heading("5. The tenant sends it");
    let sent = tenant.send(&transfer, &package)?;
    heading("6. The third party opens it");
    let receipt = party.open(&package, &gone.path().join("opened"), &agreement)?;
    heading("7. The tenant has its receipt");
    tenant.record(&receipt, &sent)?;
    heading("8. The agreement is revoked");
    tenant.revoke(&agreement, &transfer)?;
    heading("9. All that was sent");
    tenant.tell_all()?;

    if keep.is_some() {
        party.identity.write_file(folder.join("recipient.identity"))?;
        fs::write(folder.join("agreement.note"), agreement.to_string())?;
        fs::write(folder.join("receipt.note"), receipt)?;
        tenant
            .session
            .write_transfers_page(&TransfersPage::new(), &mut File::create(folder.join("transfers.html"))?)?;
        let (log, own) = (tenant.vault.log_key(tenant.pin.tenant)?, tenant.identity.public_key());
        for (name, key) in [("log", log), ("tenant", own), ("recipient", party.identity.public_key())] {
            fs::write(folder.join(format!("{name}.pub")), format!("{key}\n"))?;
        }
        say!("\nThe package, the signed documents and the keys are in {}.", folder.display());
    }
    Ok(())
}

struct Tenant {
    vault: Vault,
    operator: PublicKey,
    identity: Arc<Identity>,
    pin: TenantPin,
    session: TenantSession,
}

impl Tenant {
    fn with_the_sample_data(folder: &Path) -> Done<Self> {
        let operator = OperatorKey::generate()?;
        let (public, vault) = (operator.public_key(), Vault::create(folder, operator)?);
        let (writer, identity) = (WriterKey::generate()?, Arc::new(Identity::generate()?));
        vault.enrol_writer(writer.public_key())?;
        let card = TenantCard::new(vault.id(), TenantId::generate()?, &identity);
        let pin = vault.enrol("harbor-energy", &card, &DisclosurePolicy::none(&card, &identity)?)?;
        let ingestor = vault.ingestor(&pin, writer)?;
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/harbor-energy");
        let (found, failures) = files::find(&[data]);
        if let Some((path, error)) = failures.into_iter().next() {
            return Err(format!("{}: {error}", path.display()).into());
        }
        for interaction in &found {
            ingestor.ingest(interaction.draft(&ProgressBar::hidden())?)?;
        }
        say!("harbor-energy has {} calls and chats in its vault.", found.len());
        let access = Access::new("carla", "serving a third party");
        let session = vault.session(pin.tenant, Arc::clone(&identity), access)?;
        Ok(Self { vault, operator: public, identity, pin, session })
    }

    fn state_policy(&self) -> Done<()> {
        let required = protection(AtRest::Application, InTransit::Tls13, 24);
        let classes = BTreeSet::from([RecipientClass::ServiceProvider]);
        let rules = TransferRules { required, classes, max_retention_days: 30 };
        let card = self.vault.tenant(self.pin.tenant)?.card;
        let mut policy = TransferPolicy::new(&card, rules, Timestamp::now())?;
        policy.sign(&*self.identity)?;
        self.session.set_transfer_policy(&policy)?;
        say!("Only to service providers, to be kept for 30 days at most.");
        say!("They encrypt what they store and send, and tell of a breach within 24 hours.");
        Ok(())
    }

    fn agree(&self, signed: &str) -> Done<Agreement> {
        let mut agreement: Agreement = signed.parse()?;
        agreement.sign(&*self.identity)?;
        let receipt = self.session.agree(&agreement)?;
        say!("The tenant signs as well: entry {} of its ledger says so.", receipt.seq());
        Ok(agreement)
    }

    fn restrict(&self, number: &str) -> Done<()> {
        let who = Identifier::tel(number)?;
        self.session.restrict(&who, None, "asked on the telephone")?;
        say!("{who} asked for it. The ledger says that somebody did, and whom only to the tenant.");
        Ok(())
    }

    fn dry_run(&self, transfer: &Transfer) -> Done<()> {
        let plan = self.session.plan_transfer(transfer)?;
        say!("{} records would go, {} in all.", plan.records.len(), size(plan.bytes));
        let mut reasons = BTreeMap::<String, usize>::new();
        for excluded in &plan.excluded {
            let what = if excluded.part.is_some() { "part" } else { "record" };
            *reasons.entry(format!("{what} would not: {}.", excluded.why)).or_default() += 1;
        }
        reasons.iter().for_each(|(reason, count)| say!("{count} {reason}"));
        Ok(())
    }

    fn send(&self, transfer: &Transfer, to: &Path) -> Done<SentPackage> {
        let (file, mut bar) = (File::create_new(to)?, None::<(PackageStage, Progress)>);
        let sent = self.session.transfer(transfer, &file, |now| {
            if let Some((_, done)) = bar.take_if(|(stage, _)| *stage != now.stage) {
                done.done();
            }
            let what = if now.stage == PackageStage::Hashing { "read and hashed" } else { "sealed and sent" };
            let (_, bar) = bar.get_or_insert_with(|| (now.stage, Progress::new(what, now.of)));
            bar.bar().set_position(now.bytes);
            ControlFlow::Continue(())
        })?;
        file.sync_all()?;
        bar.into_iter().for_each(|(_, bar)| bar.done());
        say!("Entry {} said that it would leave, before the first byte did.", sent.authorised.seq());
        say!("{} records are in a package of {}.", sent.plan.records.len(), size(file.metadata()?.len()));
        Ok(sent)
    }

    fn record(&self, receipt: &str, sent: &SentPackage) -> Done<()> {
        let recorded = self.session.record_receipt(&receipt.parse()?)?;
        say!("It is for transfer {} and is signed by the third party: entry {}.", sent.id, recorded.seq());
        Ok(())
    }

    fn revoke(&self, agreement: &Agreement, transfer: &Transfer) -> Done<()> {
        self.session.revoke_agreement(agreement.id(), "the third party had a breach")?;
        let mut out = Vec::new();
        match self.session.transfer(transfer, &mut out, |_| ControlFlow::Continue(())) {
            Ok(_) => return Err("a transfer under a revoked agreement was not refused".into()),
            Err(error) => say!("A second one is refused, with {} bytes written: {}.", out.len(), chain(&error)),
        }
        Ok(())
    }

    fn tell_all(&self) -> Done<()> {
        for sent in self.session.transfers(&TransferQuery::all())? {
            let (at, to) = (day(sent.at), plain(sent.recipient.as_deref().unwrap_or("nobody")));
            let what = format!("{at}: {} records to {to} for {}", sent.records, sent.purpose);
            match (sent.outcome, sent.receipted) {
                (TransferOutcome::Completed, Some(_)) => say!("{what}, and it says that it has them."),
                (TransferOutcome::Completed, None) => say!("{what}, without a receipt."),
                (TransferOutcome::Refused(why), _) => say!("{at}: refused, {}.", plain(&why)),
                (other, _) => say!("{what}: {other:?}."),
            }
        }
        Ok(())
    }
}

struct ThirdParty {
    identity: Identity,
}

impl ThirdParty {
    fn card(&self) -> Done<RecipientCard> {
        let (class, country) = (RecipientClass::ServiceProvider, Country::new("DE")?);
        Ok(RecipientCard::new("Quality GmbH", class, &self.identity, "privacy@quality.example", country)?)
    }

    /// Of the tenant it knows the card and the two public keys that its ledger is signed with.
    fn sign_agreement(&self, tenant: &Tenant) -> Done<String> {
        let (card, log) = (tenant.vault.tenant(tenant.pin.tenant)?.card, tenant.vault.log_key(tenant.pin.tenant)?);
        let promised = protection(AtRest::Record, InTransit::EndToEnd, 12);
        let now = Timestamp::now().unix_ms();
        let (from, until) = (Timestamp::from_unix_ms(now - 1000), Timestamp::from_unix_ms(now + 365 * DAY));
        let mut terms = Terms::new(self.card()?, promised, from, until).purpose(PURPOSE);
        terms.kinds.extend([PartKind::Audio, PartKind::Transcript, PartKind::Chat]);
        terms.fields.extend([Field::Start, Field::Duration, Field::Channel, Field::Direction, Field::SubjectRoles]);
        let terms = terms.retention_days(10).receipt_hours(48);
        let mut agreement = Agreement::new(&card, tenant.operator, log, terms)?;
        agreement.sign(&self.identity)?;
        say!("{} signs: calls and chats for {PURPOSE}, kept for 10 days, nobody named.", self.card()?.name());
        Ok(agreement.to_string())
    }

    fn open(&self, package: &Path, folder: &Path, agreement: &Agreement) -> Done<String> {
        let known = PackageOptions::new().agreement(agreement);
        let package = Package::open(File::open(package)?, &self.identity, folder, &known)?;
        say!("It is whole, and the tenant's ledger has authorised it as entry {}.", package.message().seq);
        let (purpose, until) = (plain(package.purpose()), day(package.keep_until()));
        say!("{} records for {purpose}, to be kept until {until}:", package.records());
        for file in package.vcons()? {
            let vcon: Value = serde_json::from_slice(&fs::read(file)?)?;
            let text = |of: &Value| plain(of.as_str().unwrap_or("-"));
            let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
            let contents = list(&vcon["dialog"]).into_iter().chain(list(&vcon["analysis"]));
            let types: Vec<String> = contents.map(|part| text(&part["mediatype"])).collect();
            say!("  {}  {}, between {} people", text(&vcon["uuid"]), types.join(" and "), list(&vcon["parties"]).len());
        }
        let receipt = package.receipt(&self.identity)?;
        say!("It signs that it has received them.");
        Ok(receipt.to_string())
    }
}

fn protection(at_rest: AtRest, in_transit: InTransit, hours: u32) -> ProtectionProfile {
    ProtectionProfile { at_rest, in_transit, breach_notice_hours: Some(hours), ..ProtectionProfile::weakest() }
}

fn day(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}
