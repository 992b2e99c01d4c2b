//! Everything on the sample data.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use strongroom::*;

use crate::files::{self, Failure, Interaction};
use crate::screen::{Progress, heading, say, size};

type Done<T> = std::result::Result<T, Failure>;

struct Owner {
    name: &'static str,
    identity: Arc<Identity>,
    pin: TenantPin,
}

pub fn run() -> Done<bool> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("target").join("ingest-example").join(VaultId::generate()?.to_string()).join("my.vault");

    heading("1. A vault and two tenants");
    let vault = Vault::create(&folder, OperatorKey::generate()?)?;
    say!("vault    {} in {}", vault.id(), folder.strip_prefix(here).unwrap_or(&folder).display());
    let writer = Arc::new(WriterKey::generate()?);
    vault.enrol_writer(writer.public_key())?;
    say!("writer   {} signs; it holds no key that opens anything", short(writer.public_key()));
    let harbor = enrol(&vault, "harbor-energy", 0)?;
    let meridian = enrol(&vault, "meridian-bank", 3)?;

    heading("2. Ingest: public keys only");
    let mut stored = Vec::new();
    let (started, mut plain) = (Instant::now(), 0);
    for owner in [&harbor, &meridian] {
        let (found, failures) = files::find(&[here.join("examples/data").join(owner.name)]);
        if let Some((path, error)) = failures.into_iter().next() {
            return Err(format!("{}: {error}", path.display()).into());
        }
        let ingestor = vault.ingestor(&owner.pin, Arc::clone(&writer))?;
        let progress = Progress::new(owner.name, found.iter().map(|i| i.bytes).sum());
        plain += found.iter().map(|i| i.bytes).sum::<u64>();
        // The calls one by one, as they end; all the rest as one batch.
        let (calls, rest): (Vec<_>, Vec<_>) = found.into_iter().partition(|i| i.name.contains("/calls/"));
        for call in &calls {
            stored.push((owner, ingestor.ingest(call.draft(progress.bar())?)?.record));
        }
        let drafts =
            rest.iter().map(|i: &Interaction| i.draft(progress.bar())).collect::<std::result::Result<Vec<_>, _>>();
        stored.extend(ingestor.ingest_batch(drafts?)?.into_iter().map(|done| (owner, done.record)));
        progress.done();
        let again = ingestor.ingest(calls[0].draft(&indicatif::ProgressBar::hidden())?)?;
        say!(
            "{:24} the first call again: {}",
            "",
            if again.duplicate { "the same record, nothing stored" } else { "stored twice" }
        );
    }
    let ingesting = started.elapsed();

    heading("3. Their owners read them back");
    let mut compared = 0;
    say!("{:14} {:36} {:24} {:10} {:>8}  parts", "tenant", "record", "began", "channel", "length");
    for owner in [&harbor, &meridian] {
        let session =
            vault.session(owner.pin.tenant, Arc::clone(&owner.identity), Access::new("ingest example", "showing"))?;
        let mut listing = Listing::by_time(Timestamp::from_unix_ms(0)..Timestamp::now()).limit(10);
        loop {
            let page = session.list(&listing)?;
            for listed in page.items {
                let record = listed.record?;
                compared += compare(&record, owner)?;
                row(owner, &record);
            }
            let Some(next) = page.next else { break };
            listing = listing.after(next);
        }
    }
    say!("{compared} files compared with what was read: all the same, bit for bit");
    let call = stored[0].1;
    let session =
        vault.session(harbor.pin.tenant, Arc::clone(&harbor.identity), Access::new("ingest example", "showing"))?;
    let part = session.read(call)?.part(1)?;
    let mut middle = [0; 4096];
    part.read_range(part.len() / 2, &mut middle)?;
    say!("4 KiB from the middle of a call of {} were read without opening the rest", size(part.len()));

    heading("4. Find and play");
    let phrase = "policy number";
    let found = session.search(&Listing::newest(), &Pattern::phrase(phrase)?, |_| ControlFlow::Continue(()))?;
    say!("\"{phrase}\" is in {} of harbor-energy's interactions:", found.records.len());
    for hit in &found.records {
        let place = &hit.places[0];
        let who = place.speaker.as_deref().unwrap_or("-");
        say!("  {} {:6} {who:>16}: …{}…", hit.record.id(), hit.record.head().channel, place.snippet.trim());
    }
    let who = Identifier::tel("+1 202 555 0143")?;
    let his = session.list(&Listing::newest().subject(who))?;
    let told = his.items.into_iter().next().ok_or("the caller was not found by number")?.record?;
    let (number, _) = told.parts().find(|(_, p)| p.kind == PartKind::Audio).ok_or("a call without a recording")?;
    let info = told.audio(number)?.ok_or("the recording was not recognised")?;
    say!(
        "a caller, found by telephone number: {} Hz, {} channels, {}, {:.1} s",
        info.rate_hz.unwrap_or_default(),
        info.channels.unwrap_or_default(),
        info.codec,
        info.duration_ms.unwrap_or_default() as f64 / 1e3
    );
    let stretch = folder.with_file_name("stretch.wav");
    let cut = told.cut_audio(number, 2_000..5_000, &mut File::create(&stretch)?)?;
    say!(
        "seconds 2 to 5 of it, {} of sound: {}",
        size(cut.source.end - cut.source.start),
        stretch.strip_prefix(here).unwrap_or(&stretch).display()
    );

    heading("5. Nobody else does");
    let other =
        vault.session(meridian.pin.tenant, Arc::clone(&meridian.identity), Access::new("ingest example", "trying"))?;
    say!("meridian-bank asks for harbor-energy's call:   {}", refused(other.read(call))?);
    let stranger = vault.session(harbor.pin.tenant, Identity::generate()?, Access::new("stranger", "trying"));
    say!("a stranger opens harbor-energy's session:      {}", refused(stranger)?);
    say!("the operator:                                  `Vault` and `Ingestor` have no method that reads, and no key");
    let words = ["Louis Anderson", "olivia.flores", "policy number", "5722568385"];
    let hits: usize = words.iter().map(|word| count(&folder, word.as_bytes())).sum::<Done<usize>>()?;
    say!("{:?} on the vault's disk: {hits} times", words);

    heading("6. Check");
    let report = vault.check()?;
    say!("without any key:      {report}");
    for owner in [&harbor, &meridian] {
        let session =
            vault.session(owner.pin.tenant, Arc::clone(&owner.identity), Access::new("ingest example", "checking"))?;
        let opened = session.check()?;
        say!(
            "as {:18} {} records, {} parts opened: {}",
            format!("{}:", owner.name),
            opened.records,
            opened.parts,
            if opened.is_clean() { "all good" } else { "DAMAGED" }
        );
        if !opened.is_clean() {
            return Ok(false);
        }
    }

    heading("7. Figures");
    say!(
        "{} records, {} of plaintext, ingested and durable in {:.2} s",
        stored.len(),
        size(plain),
        ingesting.as_secs_f64()
    );
    say!(
        "{} sealed and padded; {} on the disk with indexes and spare space",
        size(report.bytes),
        size(on_disk(&folder)?)
    );
    Ok(report.is_clean() && hits == 0)
}

fn enrol(vault: &Vault, name: &'static str, custodians: usize) -> Done<Owner> {
    let identity = Arc::new(Identity::generate()?);
    let card = TenantCard::new(vault.id(), TenantId::generate()?, &identity);
    let policy = if custodians == 0 {
        DisclosurePolicy::none(&card, &identity)?
    } else {
        let keys = (0..custodians).map(|_| Ok(CustodianKey::from(&Identity::generate()?))).collect::<Result<_>>()?;
        DisclosurePolicy::quorum(&card, 2, keys, &identity)?
    };
    let pin = vault.enrol(name, &card, &policy)?;
    let who = match policy.threshold() {
        0 => "nobody but the tenant opens its records".to_owned(),
        m => format!("besides the tenant, any {m} of {custodians} custodians together"),
    };
    say!("tenant   {name}: {who}; ingest pins card {}", &pin.card.to_string()[..16]);
    Ok(Owner { name, identity, pin })
}

fn row(owner: &Owner, record: &Record) {
    let head = record.head();
    let parts = record.parts().map(|(_, p)| format!("{} {}", p.kind, size(p.len))).collect::<Vec<_>>().join(", ");
    let length = head.duration_ms.map_or("".into(), |ms| format!("{:.1} s", ms as f64 / 1e3));
    say!(
        "{:14} {} {:24} {:10} {length:>8}  {parts}",
        owner.name,
        record.id(),
        record.head().time().to_string(),
        head.channel
    );
}

/// Compares the parts that are files with the files, and counts them. An importer takes more out of some: attachments,
/// messages, recordings beside a document.
fn compare(record: &Record, owner: &Owner) -> Done<usize> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(owner.name);
    let files = files_below(&data)?;
    let mut same = 0;
    for (number, info) in record.parts() {
        let (bytes, name) = (record.read_part(number)?, info.name.as_deref().unwrap_or_default());
        let named = files.iter().find(|file| file.file_name().is_some_and(|n| n == name));
        match named {
            Some(file) if fs::read(file)? != bytes => return Err(format!("{name} came back changed").into()),
            Some(_) => same += 1,
            None if files.iter().any(|file| fs::read(file).is_ok_and(|other| other == bytes)) => same += 1,
            None => {}
        }
    }
    if same == 0 {
        return Err(format!("no file came back with {}", record.id()).into());
    }
    Ok(same)
}

fn refused<T>(result: Result<T>) -> Done<String> {
    match result {
        Ok(_) => Err("it was not refused".into()),
        Err(error) => Ok(format!("refused, {:?} ({error})", error.kind())),
    }
}

fn files_below(folder: &Path) -> Done<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

fn count(folder: &Path, word: &[u8]) -> Done<usize> {
    let mut hits = 0;
    for file in files_below(folder)? {
        hits += fs::read(file)?.windows(word.len()).filter(|w| w == &word).count();
    }
    Ok(hits)
}

fn on_disk(folder: &Path) -> Done<u64> {
    files_below(folder)?.iter().map(|f| Ok(f.metadata()?.len())).sum()
}

fn short(key: PublicKey) -> String {
    key.to_string()[..16].to_owned()
}
