use std::ops::Range;

use super::copy::{Copier, Hidden};
use super::gather::{Document, Gathered, info};
use super::integrity::{self, Places};
use super::layout::Layout;
use super::plan::Withheld;
use super::sheet;
use super::tables::Tables;
use super::wanted::Cover;
use crate::audio::Filler;
use crate::bundle;
use crate::error::Result;
use crate::id::{RecordId, hex};
use crate::record::{Head, PartInfo, Subject};
use crate::redact::Redacted;
use crate::retrieve::Record;
use crate::vcon;

/// What says of each record what is produced of it.
pub(super) struct Describer<'a> {
    pub(super) cover: &'a Cover,
    pub(super) layout: &'a Layout,
    pub(super) copier: &'a Copier<'a>,
    /// The records of which something is produced, in order.
    pub(super) present: &'a [RecordId],
}

impl Describer<'_> {
    /// The record's vCon: the same whenever it is made.
    pub(super) fn vcon(&self, record: &Record, gathered: &Gathered) -> Result<Vec<u8>> {
        let (mut parts, mut stretches) = (Vec::new(), Vec::new());
        for document in &gathered.documents {
            let mut info = info(record, document.part)?.clone();
            if let Some(media_type) = document.media_type {
                info.media_type = media_type.to_owned();
            }
            if document.hidden.is_some() {
                // It may say what is not to be told.
                info.name = None;
            }
            let content = if document.inline {
                vcon::Content::Inline(self.copier.bytes(record, document)?)
            } else {
                let file = self.layout.native(document);
                if let Some((_, cut)) = &document.cut {
                    stretches.push((file_name(&file).to_owned(), cut.ms.clone()));
                }
                vcon::Content::External { url: format!("{}{file}", vcon::BAG_URL), sha512: *document.sums.sha512() }
            };
            parts.push((info, content));
        }
        bundle::document(record.id(), record.head().clone(), parts, &stretches)
    }

    /// Lines of all tables about what is produced of a record, and what is not. `vcon` is where its vCon is.
    pub(super) fn tables(&self, record: &Record, gathered: &Gathered, vcon: &str) -> Result<Tables> {
        let (mut tables, mut places) = (Tables::default(), Places::default());
        for document in &gathered.documents {
            let info = info(record, document.part)?;
            let (native, place) = (self.layout.native(document), places.next(info.kind));
            let (file, place) = if document.inline { (vcon, Some(place)) } else { (native.as_str(), None) };
            integrity::add(&mut tables.integrity, &integrity::line(record, document, self.layout, file, place)?);
            self.redactions(record, document, file, &mut tables)?;
            if let Layout::Litigation(bates) = self.layout {
                self.volume(bates, record, gathered, document, vcon, &mut tables)?;
            }
        }
        for withheld in &gathered.withheld {
            let info = withheld.part.map(|part| info(record, part)).transpose()?;
            self.withheld(Some(record.head()), gathered, withheld, info, &mut tables);
        }
        Ok(tables)
    }

    /// A line about what is not produced; of an erased record there is no head.
    pub(super) fn withheld(
        &self,
        head: Option<&Head>,
        gathered: &Gathered,
        withheld: &Withheld,
        info: Option<&PartInfo>,
        tables: &mut Tables,
    ) {
        let part = withheld.part.map(|part| part.to_string()).unwrap_or_default();
        let kind = info.map_or_else(|| "record".to_owned(), |info| info.kind.to_string());
        let time = head.map(begun).unwrap_or_default();
        let sealed = info.map(|info| hex(&info.sealed)).unwrap_or_default();
        let (record, why) = (gathered.record.to_string(), withheld.why.to_string());
        let line = &[&*record, &part, "", &kind, &time, &self.cover.tenant_name, &why, &sealed];
        sheet::row(&mut tables.withheld, line);
    }

    /// Lines about what is hidden in a document, and about the part that is withheld for it.
    fn redactions(&self, record: &Record, document: &Document, file: &str, tables: &mut Tables) -> Result<()> {
        let Some(hidden) = &document.hidden else { return Ok(()) };
        let info = info(record, document.part)?;
        let bates = self.layout.bates(document).unwrap_or_default();
        let (id, part, kind) = (record.id().to_string(), document.part.to_string(), info.kind.to_string());
        for (number, (place, reason)) in (1..).zip(self.hidden(record, document, hidden)) {
            let line = &[&*bates, &id, &part, &kind, file, &format!("{number}"), &place, &reason];
            sheet::row(&mut tables.redactions, line);
        }
        let (time, sealed) = (begun(record.head()), hex(&info.sealed));
        let why = "produced as a redacted copy, as redactions.csv says";
        let line = &[&*id, &part, &bates, &kind, &time, &self.cover.tenant_name, why, &sealed];
        sheet::row(&mut tables.withheld, line);
        Ok(())
    }

    /// Where something is hidden in a document, and why. Of texts only which of the places it is: where it was in the part
    /// would say how long it was.
    pub(super) fn hidden(&self, record: &Record, document: &Document, hidden: &Hidden) -> Vec<(String, String)> {
        match hidden {
            Hidden::Text(reasons) => {
                let place = |at: usize| format!("place {} of {} in the text", at + 1, reasons.len());
                reasons.iter().enumerate().map(|(at, reason)| (place(at), reason.clone())).collect()
            }
            Hidden::Sound(stretches) => {
                let redactions = self.copier.redactions.part(record.id(), document.part).iter();
                let told = redactions.filter_map(|redaction| match &redaction.what {
                    Redacted::Audio { ms, with } => Some((ms, with, &redaction.reason)),
                    _ => None,
                });
                let there =
                    told.filter(|(ms, ..)| stretches.iter().any(|(of, _)| ms.start < of.end && of.start < ms.end));
                let line = |(ms, with, reason): (&Range<u64>, &Filler, &String)| {
                    let heard = match with {
                        Filler::Silence => "silence",
                        Filler::Tone => "a tone",
                    };
                    (format!("{} to {} ms of the recording, {heard}", ms.start, ms.end), reason.clone())
                };
                there.map(line).collect()
            }
        }
    }
}

/// Who took part: `customer Olivia <tel:+15722568385>; agent …`.
pub(super) fn parties(head: &Head) -> String {
    let party = |subject: &Subject| {
        let role = subject.role.as_str();
        let name = subject.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let known: Vec<String> = subject.identifiers.iter().map(ToString::to_string).collect();
        let known = if known.is_empty() { String::new() } else { format!(" <{}>", known.join(", ")) };
        format!("{role}{name}{known}")
    };
    head.subjects.iter().map(party).collect::<Vec<_>>().join("; ")
}

/// When it began, if that is known.
fn begun(head: &Head) -> String {
    head.start.map(|start| start.to_string()).unwrap_or_default()
}

/// What stands behind the last slash.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
