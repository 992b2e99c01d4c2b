use super::content::{self, Sorted};
use super::plan::{Choice, Exclusion, TransferPlan, WhyExcluded};
use super::progress::{TransferStage, Watch, proceed};
use crate::bagit;
use crate::error::Result;
use crate::retrieve::TenantSession;

/// Names in the bag, below `data/`.
const BUNDLE: &str = "manifest.json";
pub(super) const BUNDLE_TEXT: &[u8] = b"{\"format\":\"vcon-bundle\",\"version\":\"1.0\"}\n";

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
    let (mut sources, mut sorted, mut done) = (Vec::new(), Vec::new(), 0);
    let (of, mut kept) = (plan.bytes, Vec::new());
    for mut planned in std::mem::take(&mut plan.records) {
        let (at, record) = (kept.len(), session.read(planned.record)?);
        let tell = |bytes| {
            done += bytes;
            proceed(&mut *watch, TransferStage::Hashing, done, of)
        };
        let mut parts = content::sort(&record, &planned, choice.wish, tell, |medium, sums| {
            let name = format!("files/{}", medium.name());
            // The same content in two records is one file.
            if !archive.has(&name) {
                archive.add(&name, medium.len, sums)?;
                sources.push(Source::Part(at, medium.part));
            }
            Ok(())
        })?;
        for part in std::mem::take(&mut parts.uncut) {
            planned.parts.retain(|number| *number != part);
            plan.excluded.push(Exclusion { record: planned.record, part: Some(part), why: WhyExcluded::CannotBeCut });
        }
        if planned.parts.is_empty() {
            plan.excluded.push(Exclusion { record: planned.record, part: None, why: WhyExcluded::NothingLeft });
            continue;
        }
        let document = content::document(&record, &planned, &parts, &choice.minimiser)?;
        archive.add(&format!("vcons/{}.json", planned.name), document.len() as u64, bagit::Sums::of(&document))?;
        sources.push(Source::Vcon(at));
        done += parts.inline_bytes(&record);
        proceed(&mut *watch, TransferStage::Hashing, done, of)?;
        sorted.push(parts);
        kept.push(planned);
    }
    archive.add(BUNDLE, BUNDLE_TEXT.len() as u64, bagit::Sums::of(BUNDLE_TEXT))?;
    sources.push(Source::Bundle);
    plan.records = kept;
    Ok(Packed { plan, archive, sources, sorted, choice })
}
