//! The pages of a production: an index, and one for each record.

use std::io::Write;
use std::ops::Range;

use super::copy::Hidden;
use super::describe::Describer;
use super::gather::{Document, Gathered, info};
use super::integrity::Places;
use super::layout::relative;
use super::manifest::Manifest;
use super::wanted::Cover;
use crate::error::Result;
use crate::exhibit::{
    Absence, File, Gap, IndexPage, IndexRow, Left, Made, Occasion, RecordPage, Sound, Writing, party,
};
use crate::html::Check;
use crate::id::hex;
use crate::record::PartKind;
use crate::redact::Redacted;
use crate::retrieve::Record;
use crate::store::header_digest;
use crate::text::Text;

/// Bytes of the texts of a record that its page shows: files have all of them.
const MAX_SHOWN: u64 = 2 << 20;

/// What the index says of a record.
#[derive(Default)]
pub(super) struct Listed {
    row: Option<IndexRow>,
    redacted: Vec<Left>,
    withheld: Vec<Left>,
}

/// The index: of what a manifest says of the production that is not about its files.
pub(super) fn index(manifest: &Manifest, listed: Vec<Listed>) -> Result<Vec<u8>> {
    let cover = &manifest.cover;
    let (mut rows, mut redacted, mut withheld) = (Vec::new(), Vec::new(), Vec::new());
    for of_record in listed {
        rows.extend(of_record.row);
        redacted.extend(of_record.redacted);
        withheld.extend(of_record.withheld);
    }
    let (order, vault, tenant) = (hex(&cover.order_hash), cover.vault.to_string(), cover.tenant.to_string());
    let page = IndexPage {
        occasion: occasion(cover),
        profile: manifest.profile,
        records: manifest.records,
        documents: manifest.documents,
        redacted: redacted.len() as u64,
        withheld: withheld.len() as u64,
        bates: manifest.bates.as_ref().map(|range| (range.first.as_str(), range.last.as_str())),
        checks: &[
            Check { shows: "No file is missing, added or changed.", command: "bagit.py --validate ." },
            Check { shows: "The same by another program.", command: "sha256sum -c --quiet manifest-sha256.txt" },
        ],
        values: &[("Order, SHA-256 of its text", &order), ("Vault", &vault), ("Tenant", &tenant)],
    };
    let mut text = Vec::new();
    page.write(&mut rows.into_iter(), &mut redacted.into_iter(), &mut withheld.into_iter(), &mut text)?;
    Ok(text)
}

fn occasion(cover: &Cover) -> Occasion<'_> {
    Occasion {
        order: cover.order,
        authority: &cover.authority,
        reference: &cover.reference,
        basis: &cover.basis,
        tenant: &cover.tenant_name,
        created: cover.created,
    }
}

/// A document, with what its page has to hold for it.
struct Shown<'a> {
    document: &'a Document,
    path: String,
    inside: Option<String>,
    bates: Option<String>,
    /// Where something is hidden, and why.
    hidden: Vec<(String, String)>,
    text: Option<(Text<'static>, Vec<Range<usize>>)>,
    gaps: Vec<Gap<'a>>,
}

impl Describer<'_> {
    /// Writes the page of the `at`th record: the same whenever it is made.
    pub(super) fn page(&self, record: &Record, gathered: &Gathered, at: usize, out: &mut dyn Write) -> Result<()> {
        let shown = self.shown(record, gathered, at)?;
        let own = self.layout.page(record.id(), at);
        let beside = |at: Option<usize>| Some(relative(&own, &self.layout.page(*self.present.get(at?)?, at?)));
        let (before, after) = (beside(at.checked_sub(1)), beside(at.checked_add(1)));
        let (mut files, mut sounds, mut writings) = (Vec::new(), Vec::new(), Vec::new());
        for (number, shown) in shown.iter().enumerate() {
            let document = shown.document;
            files.push(shown.file(record)?);
            if let Some((text, blocks)) = &shown.text {
                writings.push(Writing { file: number, text, blocks });
            }
            if let Some(heard) = &document.heard {
                let whole = heard.info.as_ref().and_then(|info| info.duration_ms).or(record.head().duration_ms);
                let ms = document.cut.as_ref().map_or(0..whole.unwrap_or_default(), |(_, cut)| cut.ms.clone());
                let goes_on = document.cut.is_some() && whole.is_none_or(|whole| ms.end < whole);
                let (info, peaks) = (heard.info.as_ref(), heard.peaks.as_ref());
                sounds.push(Sound { file: number, ms, goes_on, info, peaks, gaps: &shown.gaps });
            }
        }
        let why: Vec<String> = gathered.withheld.iter().map(|withheld| withheld.why.to_string()).collect();
        let mut absences = Vec::new();
        for (withheld, reason) in gathered.withheld.iter().zip(&why) {
            if let Some(part) = withheld.part {
                let info = info(record, part)?;
                absences.push(Absence { part, kind: info.kind, reason, sealed: info.sealed });
            }
        }
        let ends = shown.first().zip(shown.last());
        let bates = ends.and_then(|(first, last)| first.bates.as_deref().zip(last.bates.as_deref()));
        let page = RecordPage {
            occasion: occasion(self.cover),
            index: &relative(&own, &self.layout.index()),
            before: before.as_deref(),
            after: after.as_deref(),
            place: (at as u64 + 1, self.present.len() as u64),
            record: record.id(),
            header: header_digest(&record.header().to_bytes()),
            head: record.head(),
            bates,
            files: &files,
            sounds: &sounds,
            writings: &writings,
            absences: &absences,
        };
        page.write(out)
    }

    /// What the index says of the record, which is the `at`th if anything is produced of it.
    pub(super) fn listed(&self, record: &Record, gathered: &Gathered, at: usize) -> Result<Listed> {
        let mut listed = self.lacking(gathered, at, Some(record))?;
        if gathered.documents.is_empty() {
            return Ok(listed);
        }
        let (head, page) = (record.head(), self.page_from_index(record, at));
        let mut parts = Vec::new();
        for document in &gathered.documents {
            let kind = info(record, document.part)?.kind;
            parts.push(kind);
            for (place, reason) in document.hidden.iter().flat_map(|hidden| self.hidden(record, document, hidden)) {
                let (part, page) = (Some((document.part, kind)), Some(page.clone()));
                listed.redacted.push(Left { record: record.id(), page, part, place, reason });
            }
        }
        let ends = gathered.documents.first().zip(gathered.documents.last());
        listed.row = Some(IndexRow {
            record: record.id(),
            page,
            start: head.start,
            // That of the whole would say how much is missing of a stretch.
            duration_ms: head.duration_ms.filter(|_| gathered.documents.iter().all(|document| document.cut.is_none())),
            channel: head.channel.clone(),
            parties: head.subjects.iter().map(party).collect(),
            parts,
            bates: ends.and_then(|(first, last)| self.layout.bates(first).zip(self.layout.bates(last))),
            redacted: listed.redacted.len() as u64,
            withheld: listed.withheld.len() as u64,
        });
        Ok(listed)
    }

    /// What the index says of a record of which something is withheld; of an erased one nothing is known.
    pub(super) fn lacking(&self, gathered: &Gathered, at: usize, record: Option<&Record>) -> Result<Listed> {
        let mut listed = Listed::default();
        let page = record.filter(|_| !gathered.documents.is_empty()).map(|record| self.page_from_index(record, at));
        for withheld in &gathered.withheld {
            let kind = |part| record.map(|record| info(record, part).map(|info| info.kind)).transpose();
            let part = withheld.part.map(|part| kind(part).map(|kind| Some((part, kind?)))).transpose()?.flatten();
            let (record, reason) = (gathered.record, withheld.why.to_string());
            listed.withheld.push(Left { record, page: page.clone(), part, place: String::new(), reason });
        }
        Ok(listed)
    }

    fn page_from_index(&self, record: &Record, at: usize) -> String {
        relative(&self.layout.index(), &self.layout.page(record.id(), at))
    }

    fn shown<'s>(&'s self, record: &Record, gathered: &'s Gathered, at: usize) -> Result<Vec<Shown<'s>>> {
        let own = self.layout.page(record.id(), at);
        let vcon = relative(&own, &self.layout.vcon(record.id(), at));
        let (mut all, mut places, mut left) = (Vec::new(), Places::default(), MAX_SHOWN);
        for document in &gathered.documents {
            let info = info(record, document.part)?;
            let place = places.next(info.kind);
            let native = relative(&own, &self.layout.native(document));
            let (path, inside) = if document.inline { (vcon.clone(), Some(place)) } else { (native, None) };
            let text = if info.len <= left { self.text(record, document)? } else { None };
            if text.is_some() {
                left -= info.len;
            }
            let hidden = document.hidden.as_ref().map(|hidden| self.hidden(record, document, hidden));
            let (bates, gaps) = (self.layout.bates(document), self.gaps(record, document));
            all.push(Shown { document, path, inside, bates, hidden: hidden.unwrap_or_default(), text, gaps });
        }
        Ok(all)
    }

    /// What a page shows of a text, and where something is hidden in it.
    fn text(&self, record: &Record, document: &Document) -> Result<Option<(Text<'static>, Vec<Range<usize>>)>> {
        match (&document.hidden, info(record, document.part)?.kind) {
            (_, PartKind::Audio) => Ok(None),
            (Some(_), _) => Ok(self.copier.redacted(record, document.part)?.map(|made| (made.text, made.blocks))),
            (None, _) => Ok(self.copier.read_text(record, document.part)?.map(|text| (text, Vec::new()))),
        }
    }

    /// What is hidden in a recording.
    fn gaps(&self, record: &Record, document: &Document) -> Vec<Gap<'_>> {
        let Some(Hidden::Sound(stretches)) = &document.hidden else { return Vec::new() };
        let redactions = self.copier.redactions.part(record.id(), document.part);
        let gap = |(ms, with): &(Range<u64>, _)| {
            // That which asked for it: of several the first.
            let reason = redactions.iter().find_map(|redaction| match &redaction.what {
                Redacted::Audio { ms: asked, .. } if asked.start < ms.end && ms.start < asked.end => {
                    Some(&*redaction.reason)
                }
                _ => None,
            });
            Gap { ms: ms.clone(), with: *with, reason: reason.unwrap_or_default() }
        };
        stretches.iter().map(gap).collect()
    }
}

impl Shown<'_> {
    fn file<'s>(&'s self, record: &'s Record) -> Result<File<'s>> {
        let document = self.document;
        let info = info(record, document.part)?;
        let cut = document.cut.as_ref().map(|(_, cut)| &cut.ms);
        Ok(File {
            kind: info.kind,
            part: document.part,
            path: &self.path,
            inside: self.inside.as_deref(),
            // What is hidden may be in its name.
            name: info.name.as_deref().filter(|_| document.hidden.is_none()),
            media_type: document.media_type.unwrap_or(&info.media_type),
            bates: self.bates.as_deref(),
            made: match (&document.hidden, cut) {
                (Some(_), cut) => Made::Redacted(self.hidden.len(), cut),
                (None, Some(ms)) => Made::Cut(ms),
                (None, None) => Made::Copied,
            },
            bytes: document.len,
            sha256: *document.sums.sha256(),
            sha512: *document.sums.sha512(),
            original: document.original,
            sealed: info.sealed,
        })
    }
}
