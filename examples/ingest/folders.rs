//! Real use: `--vault DIR --tenant NAME PATH...`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use strongroom::{
    DisclosurePolicy, ErrorKind, Identity, OperatorKey, TenantCard, TenantId, TenantPin, Vault, WriterKey,
};

use crate::files::{self, Failure};
use crate::screen::{Progress, chain, plain, say, size};

/// Ingests everything below the paths. `false` if anything failed.
pub fn run(vault: &str, tenant: &str, paths: &[String]) -> Result<bool, Failure> {
    let folder = PathBuf::from(vault);
    let keys = Keys::beside(&folder)?;
    let vault = match Vault::open(&folder, keys.operator()?) {
        Err(e) if e.kind() == ErrorKind::NotFound => Vault::create(&folder, keys.operator()?)?,
        opened => opened?,
    };
    let writer = keys.writer(&vault)?;
    let pin = keys.pin(&vault, tenant)?;
    let ingestor = vault.ingestor(&pin, writer)?;

    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let (found, failures) = files::find(&paths);
    let started = Instant::now();
    let progress = Progress::new("ingesting", found.iter().map(|i| i.bytes).sum());
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(interaction) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
            let drafts = interaction.drafts(progress.bar());
            let drafts = drafts.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))));
            for imported in drafts {
                let coercions = imported.as_ref().map_or(Vec::new(), |imported| imported.coercions.clone());
                let result = imported.and_then(|imported| Ok(ingestor.ingest(imported.into_draft())?));
                let line = match &result {
                    Ok(done) if done.duplicate => format!("there    {}  {}", done.record, interaction.name),
                    Ok(done) => format!("stored   {}  {} ({})", done.record, interaction.name, size(interaction.bytes)),
                    Err(error) => format!("FAILED   {}: {}", interaction.name, chain(&**error)),
                };
                progress.bar().suspend(|| {
                    say!("{}", plain(&line));
                    if result.as_ref().is_ok_and(|done| !done.duplicate) {
                        coercions.iter().for_each(|coercion| say!("         {}", plain(&coercion.to_string())));
                    }
                });
                if let Ok(mut results) = results.lock() {
                    results.push(result);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    progress.done();

    let results = results.into_inner().map_err(|_| "a thread that ingested died")?;
    let count =
        |wanted: fn(&Result<strongroom::Ingested, Failure>) -> bool| results.iter().filter(|r| wanted(r)).count();
    let (stored, there) =
        (count(|r| r.as_ref().is_ok_and(|i| !i.duplicate)), count(|r| r.as_ref().is_ok_and(|i| i.duplicate)));
    for (path, error) in &failures {
        say!("FAILED   {}: {}", plain(&path.display().to_string()), chain(&**error));
    }
    let failed = failures.len() + count(Result::is_err);
    let seconds = started.elapsed().as_secs_f64();
    say!("{stored} stored, {there} already there, {failed} failed in {seconds:.1} s");
    say!("the tenant's secret key: {}", keys.identity(tenant).display());
    Ok(failed == 0)
}

/// A folder beside the vault's: what must never be inside it.
struct Keys(PathBuf);

impl Keys {
    fn beside(vault: &Path) -> Result<Self, Failure> {
        let folder = vault.with_added_extension("keys");
        fs::create_dir_all(&folder)?;
        #[cfg(unix)]
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        Ok(Self(folder))
    }

    fn identity(&self, tenant: &str) -> PathBuf {
        self.0.join(format!("{}.identity", safe(tenant)))
    }

    fn operator(&self) -> Result<OperatorKey, Failure> {
        let path = self.0.join("operator.key");
        match OperatorKey::read_file(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let key = OperatorKey::generate()?;
                key.write_file(&path)?;
                Ok(key)
            }
            read => Ok(read?),
        }
    }

    fn writer(&self, vault: &Vault) -> Result<WriterKey, Failure> {
        let path = self.0.join("writer.key");
        if !path.try_exists()? {
            WriterKey::generate()?.write_file(&path)?;
        }
        let writer = WriterKey::read_file(&path)?;
        vault.enrol_writer(writer.public_key())?;
        Ok(writer)
    }

    /// The pin from our own configuration; a new tenant is enrolled first.
    fn pin(&self, vault: &Vault, tenant: &str) -> Result<TenantPin, Failure> {
        let path = self.0.join(format!("{}.pin", safe(tenant)));
        if path.try_exists()? {
            return Ok(fs::read_to_string(path)?.parse()?);
        }
        // A crash between enrolment and pin leaves a tenant whose identity is here: nothing is ingested to it before
        // somebody has looked.
        let identity = match Identity::read_file(self.identity(tenant)) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let identity = Identity::generate()?;
                identity.write_file(self.identity(tenant))?;
                identity
            }
            read => read?,
        };
        let card = TenantCard::new(vault.id(), TenantId::generate()?, &identity);
        let pin = vault.enrol(tenant, &card, &DisclosurePolicy::none(&card, &identity)?)?;
        fs::write(path, format!("{pin}\n"))?;
        Ok(pin)
    }
}

/// A tenant's name as a file's.
fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect()
}
