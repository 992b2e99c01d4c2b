use super::content::{self, Sorted};
use super::plan::{Choice, Exclusion, PlannedRecord, TransferPlan, WhyExcluded};
use crate::bagit::{self, Sums};
use crate::bundle::{self, BUNDLE, BUNDLE_TEXT, MAX_PACKAGE_RECORDS, Watch};
use crate::error::{Error, ErrorKind, Result};
use crate::retrieve::TenantSession;

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
    let hashed = bundle::each(&records, plan.bytes, watch, |planned, tell| hash(session, planned, &choice, tell))?;
    for Hashed { planned, parts, document } in hashed {
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
                if archive.files() > MAX_PACKAGE_RECORDS {
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

fn hash(
    session: &TenantSession,
    planned: &PlannedRecord,
    choice: &Choice<'_>,
    tell: &dyn Fn(u64) -> Result<()>,
) -> Result<Hashed> {
    let (mut planned, record) = (planned.clone(), session.read(planned.record)?);
    let parts = content::sort(&record, &planned, choice.wish, tell)?;
    planned.parts.retain(|number| !parts.uncut.contains(number));
    if planned.parts.is_empty() {
        return Ok(Hashed { planned, parts, document: None });
    }
    let document = content::document(&record, &planned, &parts, &choice.minimiser)?;
    tell(parts.inline_bytes(&record))?;
    let document = Some((document.len() as u64, Sums::of(&document)));
    Ok(Hashed { planned, parts, document })
}
