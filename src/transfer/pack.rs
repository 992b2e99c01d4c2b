use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use super::content::{self, Sorted};
use super::plan::{Choice, Exclusion, MAX_RECORDS, PlannedRecord, TransferPlan, WhyExcluded};
use super::progress::{TransferStage, Watch, proceed};
use crate::bagit::{self, Sums};
use crate::error::{Error, ErrorKind, Result};
use crate::retrieve::TenantSession;

/// Names in the bag, below `data/`.
const BUNDLE: &str = "manifest.json";
pub(super) const BUNDLE_TEXT: &[u8] = b"{\"format\":\"vcon-bundle\",\"version\":\"1.0\"}\n";

/// Threads that hash at the most: each holds a few MiB.
const MAX_THREADS: usize = 8;

/// Everything that goes, hashed.
pub(super) struct Packed<'s> {
    pub(super) plan: TransferPlan,
    pub(super) archive: bagit::Plan,
    /// Where the content of every file comes from, in the order in which the archive was told of them.
    pub(super) sources: Vec<Source>,
    pub(super) sorted: Vec<Sorted>,
    pub(super) choice: Choice<'s>,
}

/// Where the content of a file comes from: a record of the plan, by its position, and one of its parts or its vCon.
pub(super) enum Source {
    Bundle,
    Part(usize, usize),
    Vcon(usize),
}

/// Reads and hashes everything that goes.
pub(super) fn pack<'c>(
    session: &TenantSession,
    mut plan: TransferPlan,
    choice: Choice<'c>,
    watch: Watch<'_>,
) -> Result<Packed<'c>> {
    let mut archive = bagit::Plan::new();
    archive.info("External-Description", "Records that a tenant sent to a third party, as a vCon bundle")?;
    let (mut sources, mut sorted) = (Vec::new(), Vec::new());
    let records = std::mem::take(&mut plan.records);
    for Hashed { planned, parts, document } in hash_all(session, &records, &choice, plan.bytes, watch)? {
        let (at, record) = (sorted.len(), planned.record);
        let why = WhyExcluded::CannotBeCut;
        plan.excluded.extend(parts.uncut.iter().map(|part| Exclusion { record, part: Some(*part), why }));
        let Some((len, sums)) = document else {
            plan.excluded.push(Exclusion { record, part: None, why: WhyExcluded::NothingLeft });
            continue;
        };
        for medium in &parts.media {
            let name = format!("files/{}", medium.name());
            // The same content in two records is one file.
            if !archive.has(&name) {
                archive.add(&name, medium.len, medium.sums)?;
                if archive.files() > MAX_RECORDS {
                    return Err(Error::new(ErrorKind::TooLarge, "packing a transfer of more than 30,000 files"));
                }
                sources.push(Source::Part(at, medium.part));
            }
        }
        archive.add(&format!("vcons/{}.json", planned.name), len, sums)?;
        sources.push(Source::Vcon(at));
        sorted.push(parts);
        plan.records.push(planned);
    }
    archive.add(BUNDLE, BUNDLE_TEXT.len() as u64, Sums::of(BUNDLE_TEXT))?;
    sources.push(Source::Bundle);
    Ok(Packed { plan, archive, sources, sorted, choice })
}

/// What a record was found to hold.
struct Hashed {
    /// Without the parts that cannot be cut.
    planned: PlannedRecord,
    parts: Sorted,
    /// The length and digests of its vCon, unless nothing is left of it.
    document: Option<(u64, Sums)>,
}

/// Reads and hashes records on several cores. This thread tells `watch`.
fn hash_all(
    session: &TenantSession,
    records: &[PlannedRecord],
    choice: &Choice<'_>,
    of: u64,
    watch: Watch<'_>,
) -> Result<Vec<Hashed>> {
    enum News {
        Bytes(u64),
        Record(usize, Box<Result<Hashed>>),
    }
    let (next, (tell, heard)) = (AtomicUsize::new(0), sync_channel(64));
    let run = |tell: SyncSender<News>| {
        // When nobody listens any more, it is over.
        let over = |_| Error::new(ErrorKind::Cancelled, "hashing what is to be sent");
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(planned) = records.get(at) else { return };
            let hashed = hash(session, planned, choice, |bytes| tell.send(News::Bytes(bytes)).map_err(over));
            if tell.send(News::Record(at, Box::new(hashed))).is_err() {
                return;
            }
        }
    };
    let mut hashed: Vec<Option<Hashed>> = Vec::new();
    hashed.resize_with(records.len(), || None);
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for tell in vec![tell; cores.min(MAX_THREADS).min(records.len())] {
            scope.spawn(move || run(tell));
        }
        let mut done = 0;
        for news in heard {
            match news {
                News::Bytes(bytes) => {
                    done += bytes;
                    proceed(&mut *watch, TransferStage::Hashing, done, of)?;
                }
                News::Record(at, record) => hashed[at] = Some((*record)?),
            }
        }
        Ok::<(), Error>(())
    })?;
    Ok(hashed.into_iter().flatten().collect())
}

fn hash(
    session: &TenantSession,
    planned: &PlannedRecord,
    choice: &Choice<'_>,
    tell: impl Fn(u64) -> Result<()>,
) -> Result<Hashed> {
    let (mut planned, record) = (planned.clone(), session.read(planned.record)?);
    let parts = content::sort(&record, &planned, choice.wish, &tell)?;
    planned.parts.retain(|number| !parts.uncut.contains(number));
    if planned.parts.is_empty() {
        return Ok(Hashed { planned, parts, document: None });
    }
    let document = content::document(&record, &planned, &parts, &choice.minimiser)?;
    tell(parts.inline_bytes(&record))?;
    let document = Some((document.len() as u64, Sums::of(&document)));
    Ok(Hashed { planned, parts, document })
}
