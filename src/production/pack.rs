use std::sync::atomic::{AtomicU64, Ordering};

use super::certificate;
use super::describe::Describer;
use super::gather::Gathered;
use super::layout::Layout;
use super::manifest::Manifest;
use super::pages::{self, Listed};
use super::tables::Tables;
use super::wanted::Opened;
use crate::bagit::{self, Sums};
use crate::bundle::{self, BUNDLE, BUNDLE_TEXT, Watch};
use crate::error::{Error, ErrorKind, Result};

/// Bytes of all tables together at the most: they are held in memory. The index is about as long as they are.
const MAX_TABLES: u64 = 64 << 20;

/// Where the content of a file comes from: a record, by its position, and one of its documents by its.
pub(super) enum Source {
    Held(usize),
    Native(usize, usize),
    Text(usize, usize),
    Vcon(usize),
    Page(usize),
}

/// What becomes the archive.
pub(super) struct Packing {
    pub(super) archive: bagit::Plan,
    /// Where the content of every file comes from, in the order in which the archive was told of them.
    pub(super) sources: Vec<Source>,
    /// The contents of files that are held in memory.
    pub(super) texts: Vec<Vec<u8>>,
    /// Bytes of the documents that are written.
    pub(super) bytes: u64,
    tables: Tables,
    listed: Vec<Listed>,
}

/// What a record becomes.
#[derive(Default)]
struct Described {
    /// Length and digests of vCon and page, unless nothing is produced of it.
    files: Option<[(u64, Sums); 2]>,
    lines: Tables,
    listed: Listed,
}

impl Packing {
    /// With nothing in it yet.
    pub(super) fn begin(manifest: &Manifest) -> Result<Self> {
        let mut archive = bagit::Plan::new();
        archive.info("External-Description", "Records disclosed under an order")?;
        archive.info("External-Identifier", &format!("urn:uuid:{}", manifest.cover.order))?;
        let (sources, texts, listed) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { archive, sources, texts, bytes: 0, tables: Tables::begun(), listed })
    }

    /// Plans the files of all records.
    pub(super) fn records(
        &mut self,
        describer: &Describer<'_>,
        gathered: &[Gathered],
        source: &dyn Opened,
        watch: Watch<'_>,
    ) -> Result<()> {
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
            let described = describe(describer, *at, gathered, source)?;
            if all.fetch_add(described.lines.len(), Ordering::Relaxed) + described.lines.len() > MAX_TABLES {
                return Err(Error::new(ErrorKind::TooLarge, "producing records with more than 64 MiB in tables"));
            }
            Ok(described)
        })?;
        for ((at, gathered), Described { files, lines, listed }) in numbered.into_iter().zip(described) {
            self.tables.append(&lines);
            self.listed.push(listed);
            let Some([vcon, page]) = files else { continue };
            let layout = describer.layout;
            self.add(&layout.vcon(gathered.record, at), vcon, Source::Vcon(at))?;
            self.add(&layout.page(gathered.record, at), page, Source::Page(at))?;
            self.bytes += gathered.inline_bytes();
            for (number, document) in gathered.documents.iter().enumerate() {
                let name = layout.native(document);
                // The same content in two records is one file in the portable profile.
                if !document.inline && !self.archive.has(&name) {
                    self.add(&name, (document.len, document.sums), Source::Native(at, number))?;
                    self.bytes += document.len;
                }
                if let (Some(name), Some(text)) = (layout.text(document), document.text) {
                    self.add(&name, text, Source::Text(at, number))?;
                }
            }
        }
        Ok(())
    }

    /// Plans what is about all of them.
    pub(super) fn close(&mut self, manifest: &Manifest, layout: &Layout) -> Result<()> {
        let index = pages::index(manifest, std::mem::take(&mut self.listed))?;
        self.hold(&layout.index(), index)?;
        for (name, text) in std::mem::take(&mut self.tables).into_files(layout) {
            self.hold(&name, text)?;
        }
        match layout {
            Layout::Portable => self.hold(BUNDLE, BUNDLE_TEXT.to_vec()),
            Layout::Litigation(bates) => {
                let text = certificate::template(manifest, &bates.volume());
                self.hold(&layout.data("certification.txt"), text.into_bytes())
            }
        }
    }

    fn hold(&mut self, name: &str, text: Vec<u8>) -> Result<()> {
        let hashed = (text.len() as u64, Sums::of(&text));
        self.texts.push(text);
        self.add(name, hashed, Source::Held(self.texts.len() - 1))
    }

    fn add(&mut self, name: &str, (len, sums): (u64, Sums), source: Source) -> Result<()> {
        self.archive.add(name, len, sums)?;
        self.sources.push(source);
        Ok(())
    }
}

fn describe(describer: &Describer<'_>, at: usize, gathered: &Gathered, source: &dyn Opened) -> Result<Described> {
    let mut described = Described::default();
    // Of a record that was erased nothing is known but that.
    if gathered.withheld.iter().any(|withheld| withheld.part.is_none()) {
        for withheld in &gathered.withheld {
            describer.withheld(None, gathered, withheld, None, &mut described.lines);
        }
        described.listed = describer.lacking(gathered, at, None)?;
        return Ok(described);
    }
    if gathered.documents.is_empty() && gathered.withheld.is_empty() {
        return Ok(described);
    }
    let record = source.read(gathered.record)?;
    described.lines = describer.tables(&record, gathered, &describer.layout.vcon(gathered.record, at))?;
    described.listed = describer.listed(&record, gathered, at)?;
    if !gathered.documents.is_empty() {
        let vcon = describer.vcon(&record, gathered)?;
        let ((), len, sums) = bundle::hash(&|_| Ok(()), |out| describer.page(&record, gathered, at, out))?;
        described.files = Some([(vcon.len() as u64, Sums::of(&vcon)), (len, sums)]);
    }
    Ok(described)
}
