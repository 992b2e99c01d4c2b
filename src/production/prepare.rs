use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::bates::{Bates, block};
use super::certificate;
use super::copy::Copier;
use super::describe::Describer;
use super::gather::{Gathered, Gatherer};
use super::layout::Layout;
use super::manifest::{Manifest, Range};
use super::options::{ProductionOptions, ProductionProfile};
use super::plan::Planner;
use super::stamp::{self, Stamp};
use super::tables::Tables;
use super::wanted::{Cover, Opened, Wanted};
use crate::bagit::{self, Sums};
use crate::bundle::{self, BUNDLE, BUNDLE_TEXT, MAX_PACKAGE_RECORDS, PackageProgress, PackageStage, Watch};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, random};
use crate::redact::Redactions;

/// Bytes of all tables together at the most: they are held in memory.
const MAX_TABLES: u64 = 64 << 20;

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

/// Where the content of a file comes from: a record, by its position, and one of its documents by its.
pub(super) enum Source {
    Held(usize),
    Native(usize, usize),
    Text(usize, usize),
    Vcon(usize),
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

    let mut packing = Packing { archive: bagit::Plan::new(), sources: Vec::new(), texts: Vec::new(), bytes: 0 };
    packing.archive.info("External-Description", "Records disclosed under an order")?;
    packing.archive.info("External-Identifier", &format!("urn:uuid:{}", cover.order))?;
    // All bytes are read.
    let mut watch = |_| watch(PackageProgress { stage: PackageStage::Hashing, bytes, of: bytes });
    let tables = packing.records(
        &Describer { cover: &cover, layout: &layout, copier: &copier },
        &gathered,
        source,
        &mut watch,
    )?;
    for (name, text) in tables.into_files(&layout) {
        packing.hold(&name, text)?;
    }
    match &layout {
        Layout::Portable => packing.hold(BUNDLE, BUNDLE_TEXT.to_vec())?,
        Layout::Litigation(bates) => {
            let numbers = documents.checked_sub(1).map(|more| (first_bates, first_bates + more));
            let text = certificate::template(&cover, bates, numbers, redacted);
            packing.hold(&layout.data("certification.txt"), text.into_bytes())?;
        }
    }
    let Packing { archive, sources, texts, bytes } = packing;
    gathered.retain(|gathered| !gathered.documents.is_empty());
    let range = |bates: &Bates| Range {
        volume: bates.volume(),
        first: bates.name(first_bates),
        last: bates.name(first_bates + documents - 1),
    };
    let bates = match &layout {
        Layout::Litigation(bates) if documents > 0 => Some(range(bates)),
        _ => None,
    };
    let manifest = Manifest {
        cover,
        profile: profile.as_str(),
        bates,
        records: gathered.len() as u64,
        documents,
        redacted,
        withheld,
        files: archive.files() as u64,
        bytes: archive.octets(),
        payload: archive.manifest_sha256(),
    };
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

/// What becomes the archive.
struct Packing {
    archive: bagit::Plan,
    sources: Vec<Source>,
    texts: Vec<Vec<u8>>,
    bytes: u64,
}

impl Packing {
    /// Plans the files of all records, and gives the tables about them.
    fn records(
        &mut self,
        describer: &Describer<'_>,
        gathered: &[Gathered],
        source: &dyn Opened,
        watch: Watch<'_>,
    ) -> Result<Tables> {
        let layout = describer.layout;
        let mut tables = Tables::begun();
        // Their position is that among those which have something in the production.
        let mut numbered = Vec::with_capacity(gathered.len());
        let mut at = 0;
        for gathered in gathered {
            numbered.push((at, gathered));
            at += usize::from(!gathered.documents.is_empty());
        }
        let all = AtomicU64::new(0);
        let described = bundle::each(&numbered, 0, watch, |(at, gathered), tell| {
            tell(0)?;
            let (vcon, lines) = describe(describer, *at, gathered, source)?;
            if all.fetch_add(lines.len(), Ordering::Relaxed) + lines.len() > MAX_TABLES {
                return Err(Error::new(ErrorKind::TooLarge, "producing records with more than 64 MiB in tables"));
            }
            Ok((vcon, lines))
        })?;
        for ((at, gathered), (vcon, lines)) in numbered.into_iter().zip(described) {
            tables.append(&lines);
            let Some((len, sums)) = vcon else { continue };
            self.add(&layout.vcon(gathered.record, at), len, sums, Source::Vcon(at))?;
            self.bytes += gathered.inline_bytes();
            for (number, document) in gathered.documents.iter().enumerate() {
                let name = layout.native(document);
                // The same content in two records is one file in the portable profile.
                if !document.inline && !self.archive.has(&name) {
                    self.add(&name, document.len, document.sums, Source::Native(at, number))?;
                    self.bytes += document.len;
                }
                if let (Some(name), Some((len, sums))) = (layout.text(document), document.text) {
                    self.add(&name, len, sums, Source::Text(at, number))?;
                }
            }
        }
        Ok(tables)
    }

    fn hold(&mut self, name: &str, text: Vec<u8>) -> Result<()> {
        let (len, sums) = (text.len() as u64, Sums::of(&text));
        self.texts.push(text);
        self.add(name, len, sums, Source::Held(self.texts.len() - 1))
    }

    fn add(&mut self, name: &str, len: u64, sums: Sums, source: Source) -> Result<()> {
        self.archive.add(name, len, sums)?;
        self.sources.push(source);
        Ok(())
    }
}

/// The length and digests of a record's vCon, unless nothing is produced of it, and the lines about it.
fn describe(
    describer: &Describer<'_>,
    at: usize,
    gathered: &Gathered,
    source: &dyn Opened,
) -> Result<(Option<(u64, Sums)>, Tables)> {
    let mut tables = Tables::default();
    let (whole, parts): (Vec<_>, Vec<_>) = gathered.withheld.iter().partition(|withheld| withheld.part.is_none());
    for withheld in whole {
        describer.withheld(None, gathered, withheld, None, &mut tables);
    }
    if gathered.documents.is_empty() && parts.is_empty() {
        return Ok((None, tables));
    }
    let record = source.read(gathered.record)?;
    tables.append(&describer.tables(&record, gathered, &describer.layout.vcon(gathered.record, at))?);
    if gathered.documents.is_empty() {
        return Ok((None, tables));
    }
    let vcon = describer.vcon(&record, gathered)?;
    Ok((Some((vcon.len() as u64, Sums::of(&vcon))), tables))
}
