use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::bates::{Bates, block};
use super::copy::Copier;
use super::describe::Describer;
use super::gather::{Gathered, Gatherer};
use super::layout::Layout;
use super::manifest::{Manifest, Range};
use super::options::{ProductionOptions, ProductionProfile};
use super::pack::{Packing, Source};
use super::plan::Planner;
use super::stamp::{self, Stamp};
use super::wanted::{Cover, Opened, Wanted};
use crate::bagit;
use crate::bundle::{self, MAX_PACKAGE_RECORDS, PackageProgress, PackageStage, Watch};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, random};
use crate::redact::Redactions;

/// A production of which everything is read and hashed. Nothing of it has been given out.
#[must_use = "nothing leaves until it is written"]
pub(crate) struct Prepared {
    pub(super) manifest: Manifest,
    /// `disclosure.json`.
    pub(super) text: Vec<u8>,
    pub(super) stamp: Option<Stamp>,
    pub(super) layout: Layout,
    pub(super) redactions: Redactions,
    pub(super) archive: bagit::Plan,
    /// Where the content of every file comes from, in the order in which the archive was told of them.
    pub(super) sources: Vec<Source>,
    /// The contents of files that are held in memory.
    pub(super) texts: Vec<Vec<u8>>,
    /// Records with something in the production.
    pub(super) records: Vec<Gathered>,
    /// Bytes of the documents that are written.
    pub(super) bytes: u64,
}

impl Prepared {
    /// `disclosure.json`: its digest stands in the ledger's entry before a byte leaves.
    pub(crate) fn manifest(&self) -> &[u8] {
        &self.text
    }

    /// How many numbers it took; none in the portable profile.
    pub(crate) fn bates_numbers(&self) -> u64 {
        if self.manifest.bates.is_some() { self.manifest.documents } else { 0 }
    }

    /// What is in it, counted.
    pub(crate) fn counts(&self) -> &Manifest {
        &self.manifest
    }
}

/// Reads and hashes everything that is wanted, on several cores. Documents are numbered from `first_bates` on where the
/// profile numbers them.
///
/// What cannot be produced (a recording of which a stretch is wanted and that cannot be cut, what was erased, what says more
/// than the stretch) is withheld and listed. Memory: a few MiB for each core, which are eight at the most, some 600 bytes for
/// each document, and the tables.
///
/// # Errors
/// `InvalidInput` for a record that is named twice, a prefix or a number that cannot be; `TooLarge` above 30,000 records or
/// documents, or 64 MiB of tables; `Source` if no time stamp can be had; `Cancelled` if `watch` ends it; as reading.
pub(crate) fn prepare(
    cover: Cover,
    wanted: &Wanted,
    options: ProductionOptions,
    first_bates: u64,
    source: &dyn Opened,
    watch: Watch<'_>,
) -> Result<Prepared> {
    let ProductionOptions { profile, prefix, volume, redactions, cleared, stamping } = options;
    let layout = match profile {
        ProductionProfile::Portable => Layout::Portable,
        ProductionProfile::Litigation => Layout::Litigation(Bates::new(&prefix, volume)?),
    };
    check(wanted, redactions.iter().map(|of| of.record).chain(cleared.iter().map(|(record, _)| *record)))?;
    let planner = Planner { source, redactions: &redactions, cleared: &cleared };
    let planned = bundle::each(&wanted.records, 0, &mut *watch, |wanted, _| planner.plan(wanted))?;
    let bytes = planned.iter().map(|planned| planned.bytes).sum();
    let copier = Copier::new(&redactions);
    let gatherer = Gatherer { source, profile, copier: &copier };
    let mut gathered = bundle::each(&planned, bytes, &mut *watch, |planned, tell| gatherer.gather(planned, tell))?;
    let documents = number(&mut gathered, &layout, first_bates)?;
    let withheld = gathered.iter().map(|gathered| gathered.withheld.len() as u64).sum();
    let hidden = gathered.iter().flat_map(|gathered| &gathered.documents).filter(|document| document.hidden.is_some());
    let redacted = hidden.count() as u64;
    let present: Vec<RecordId> =
        gathered.iter().filter(|gathered| !gathered.documents.is_empty()).map(|gathered| gathered.record).collect();
    let bates = match &layout {
        Layout::Litigation(bates) if documents > 0 => Some(Range {
            volume: bates.volume(),
            first: bates.name(first_bates),
            last: bates.name(first_bates + documents - 1),
        }),
        _ => None,
    };
    let (profile, records) = (profile.as_str(), present.len() as u64);
    let (files, octets, payload) = (0, 0, [0; 32]);
    let mut manifest =
        Manifest { cover, profile, bates, records, documents, redacted, withheld, files, bytes: octets, payload };

    // All bytes are read.
    let mut watch = |_| watch(PackageProgress { stage: PackageStage::Hashing, bytes, of: bytes });
    let mut packing = Packing::begin(&manifest)?;
    let describer = Describer { cover: &manifest.cover, layout: &layout, copier: &copier, present: &present };
    packing.records(&describer, &gathered, source, &mut watch)?;
    packing.close(&manifest, &layout)?;
    let Packing { archive, sources, texts, bytes, .. } = packing;
    gathered.retain(|gathered| !gathered.documents.is_empty());
    manifest.files = archive.files() as u64;
    manifest.bytes = archive.octets();
    manifest.payload = archive.manifest_sha256();
    let text = manifest.to_bytes();
    let stamp = match stamping {
        None => None,
        Some(ask) => {
            let mut nonce = [0; 8];
            random(&mut nonce)?;
            let query = stamp::query(&Sha256::digest(&text).into(), nonce);
            let reply = ask(&query).map_err(|e| Error::new(ErrorKind::Source, "asking for a time stamp").because(e))?;
            Some(stamp::accept(query, reply)?)
        }
    };
    Ok(Prepared { manifest, text, stamp, layout, redactions, archive, sources, texts, records: gathered, bytes })
}

/// Whether all that is named can be produced together.
fn check(wanted: &Wanted, mut reviewed: impl Iterator<Item = RecordId>) -> Result<()> {
    if wanted.records.len() > MAX_PACKAGE_RECORDS {
        return Err(Error::new(ErrorKind::TooLarge, "producing more than 30,000 records"));
    }
    let mut seen = HashSet::new();
    if !wanted.records.iter().all(|wanted| seen.insert(wanted.record)) {
        return Err(Error::new(ErrorKind::InvalidInput, "producing a record that is named twice"));
    }
    // A mistaken id would give out what was to be hidden.
    if !reviewed.all(|record| seen.contains(&record)) {
        return Err(Error::new(ErrorKind::InvalidInput, "redacting a record that is not to be produced"));
    }
    Ok(())
}

/// Numbers all documents, and says how many they are.
fn number(gathered: &mut [Gathered], layout: &Layout, first: u64) -> Result<u64> {
    let count = gathered.iter().map(|gathered| gathered.documents.len()).sum::<usize>();
    if count > MAX_PACKAGE_RECORDS {
        return Err(Error::new(ErrorKind::TooLarge, "producing more than 30,000 documents"));
    }
    if let Layout::Litigation(_) = layout {
        block(first, count as u64)?;
    }
    let documents = gathered.iter_mut().flat_map(|gathered| &mut gathered.documents);
    for (at, document) in documents.enumerate() {
        (document.at, document.number) = (at, first.saturating_add(at as u64));
    }
    Ok(count as u64)
}
