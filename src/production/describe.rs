use std::fmt::Write;
use std::ops::Range;

use super::copy::{Copier, Hidden};
use super::gather::{Document, Gathered, info};
use super::integrity::{self, Places};
use super::layout::Layout;
use super::mail::Letter;
use super::plan::Withheld;
use super::tables::{LOAD_FILE, Tables};
use super::wanted::Cover;
use super::{dat, sheet};
use crate::audio::Filler;
use crate::bundle;
use crate::error::Result;
use crate::html::counted;
use crate::id::hex;
use crate::record::{Direction, Head, PartInfo, PartKind, Role, Subject};
use crate::redact::Redacted;
use crate::retrieve::Record;
use crate::time::Timestamp;
use crate::vcon;

/// What says of each record what is produced of it.
pub(super) struct Describer<'a> {
    pub(super) cover: &'a Cover,
    pub(super) layout: &'a Layout,
    pub(super) copier: &'a Copier<'a>,
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
            if let Layout::Litigation(_) = self.layout {
                self.litigation(record, gathered, document, vcon, &mut tables)?;
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
        let time = head.map(|head| head.time().to_string()).unwrap_or_default();
        let sealed = info.map(|info| hex(&info.sealed)).unwrap_or_default();
        let (record, why) = (gathered.record.to_string(), withheld.why.to_string());
        let line = [&*record, &part, "", &kind, &time, &self.cover.tenant_name, &why, &sealed];
        sheet::row(&mut tables.withheld, line);
    }

    /// Lines about what is hidden in a document, and about the part that is withheld for it.
    fn redactions(&self, record: &Record, document: &Document, file: &str, tables: &mut Tables) -> Result<()> {
        let Some(hidden) = &document.hidden else { return Ok(()) };
        let info = info(record, document.part)?;
        let bates = self.layout.bates(document).unwrap_or_default();
        let (id, part, kind) = (record.id().to_string(), document.part.to_string(), info.kind.to_string());
        for (number, (place, reason)) in (1..).zip(self.hidden(record, document, hidden)) {
            let line = [&*bates, &id, &part, &kind, file, &format!("{number}"), &place, &reason];
            sheet::row(&mut tables.redactions, line);
        }
        let (time, sealed) = (record.head().time().to_string(), hex(&info.sealed));
        let why = "produced as a redacted copy, as redactions.csv says";
        let line = [&*id, &part, &bates, &kind, &time, &self.cover.tenant_name, why, &sealed];
        sheet::row(&mut tables.withheld, line);
        Ok(())
    }

    /// Where something is hidden in a document, and why. Of texts only which of the places it is: where it was in the part
    /// would say how long it was.
    fn hidden(&self, record: &Record, document: &Document, hidden: &Hidden) -> Vec<(String, String)> {
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

    fn litigation(
        &self,
        record: &Record,
        gathered: &Gathered,
        document: &Document,
        vcon: &str,
        tables: &mut Tables,
    ) -> Result<()> {
        let Layout::Litigation(bates) = self.layout else { return Ok(()) };
        let (head, info) = (record.head(), info(record, document.part)?);
        let number = bates.name(document.number);
        let family = gathered.documents.first().zip(gathered.documents.last());
        let (first, last) = family.map_or((document.number, document.number), |(a, b)| (a.number, b.number));
        let (first, last) = (bates.name(first), bates.name(last));
        let attached = (gathered.documents.len() - 1).to_string();
        let native = self.layout.native(document);
        let text = self.layout.text(document).unwrap_or_default();
        let stretch =
            document.cut.as_ref().map(|(_, cut)| format!("{}-{}", cut.ms.start, cut.ms.end)).unwrap_or_default();
        let media_type = document.media_type.unwrap_or(&info.media_type);
        // What is hidden in a message may be in its header.
        let letter = match (&document.hidden, info.kind) {
            (None, PartKind::Email) => self.copier.letter(record, document.part)?.unwrap_or_default(),
            _ => Letter::default(),
        };
        let name = info.name.as_deref().filter(|_| document.hidden.is_none()).unwrap_or_default();
        let mut why: Vec<String> = Vec::new();
        for (_, reason) in document.hidden.iter().flat_map(|hidden| self.hidden(record, document, hidden)) {
            if !why.contains(&reason) {
                why.push(reason);
            }
        }
        let (redacted, why) = (if document.hidden.is_some() { "Y" } else { "N" }, why.join("; "));
        // That of the whole would not be that of the stretch.
        let duration = match &document.cut {
            Some((_, cut)) => (cut.ms.end - cut.ms.start).to_string(),
            None => head.duration_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        };
        let (sent_date, sent_time) = letter.sent.map(date_and_time).unwrap_or_default();
        let (date, time) = head.start.map(date_and_time).unwrap_or_default();
        let zone = if head.start.is_some() || letter.sent.is_some() { "UTC" } else { "" };
        let (id, part, kind) = (record.id().to_string(), document.part.to_string(), info.kind.to_string());
        let (bytes, sha256) = (document.len.to_string(), hex(document.sums.sha256()));
        let volume = bates.volume();
        let direction = head.direction.map(|direction| format!("{direction:?}").to_lowercase()).unwrap_or_default();
        let (parties, tags) = (parties(head), head.tags.join("; "));
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let line: [&str; LOAD_FILE.len()] = [
            &number,
            &number,
            &first,
            &last,
            &attached,
            &volume,
            &id,
            &part,
            &kind,
            &self.cover.tenant_name,
            &head.channel.to_string(),
            &direction,
            &date,
            &time,
            zone,
            &duration,
            &optional(&head.agent),
            &optional(&head.queue),
            &optional(&head.language),
            &parties,
            &tags,
            &letter.from,
            &letter.to,
            &letter.cc,
            &letter.subject,
            &sent_date,
            &sent_time,
            &letter.id,
            name,
            document.extension,
            media_type,
            &bytes,
            &sha256,
            &stretch,
            redacted,
            &why,
            // What reads load files expects its own system's paths.
            &native.replace('/', "\\"),
            &text.replace('/', "\\"),
            &vcon.replace('/', "\\"),
        ];
        dat::row(&mut tables.load_file, line);
        let moment = head.time().to_string();
        let custodian = self.cover.tenant_name.as_str();
        sheet::row(
            &mut tables.production,
            [
                &*volume, &number, &number, &id, &part, &kind, &moment, custodian, &native, &bytes, &sha256, "N",
                &stretch,
            ],
        );
        if info.kind == PartKind::Audio {
            let (caller, called) = ends(head);
            let time = if time.is_empty() { time } else { format!("{time} UTC") };
            let names = [caller, called].map(|who| who.map(called_by).unwrap_or_default());
            let numbers = [caller, called].map(|who| who.map(telephone).unwrap_or_default());
            sheet::row(
                &mut tables.audio,
                [&*names[0], &*numbers[0], &*names[1], &*numbers[1], &date, &time, file_name(&native)],
            );
        }
        self.custody(record, document, &number, tables)
    }

    fn custody(&self, record: &Record, document: &Document, number: &str, tables: &mut Tables) -> Result<()> {
        let (cover, head, info) = (self.cover, record.head(), info(record, document.part)?);
        let place = format!("vault {}", cover.vault);
        let writer = format!("ingest of {}, epoch {}", cover.tenant_name, record.header().epoch);
        let sealed = format!("nothing: sealed as it came, SHA-256 of the sealed copy {}", hex(&info.sealed));
        let kept = format!("kept for {}", cover.tenant_name);
        sheet::row(&mut tables.custody, [number, &writer, &head.ingested.to_string(), &place, &kept, &sealed]);
        let opener = concat!("strongroom ", env!("CARGO_PKG_VERSION"));
        let opener = format!("{opener}, authorised by order {}", cover.order);
        let why = format!("{}, {}, {}", cover.basis, cover.authority, cover.reference);
        let digest = hex(document.sums.sha256());
        let mut changed = match &document.cut {
            None if document.hidden.is_some() => "copied".to_owned(),
            None => "nothing: copied to the byte".to_owned(),
            Some((_, cut)) => {
                format!("copied from {} to {} ms of the recording; the original is whole", cut.ms.start, cut.ms.end)
            }
        };
        if let Some(hidden) = &document.hidden {
            let places = counted(self.hidden(record, document, hidden).len() as u64, "place", "places");
            changed.push_str(&format!("; {places} of the copy redacted; the original is as it was"));
        }
        // Writing to a string does not fail.
        let _ = write!(changed, "; SHA-256 of the copy {digest}");
        sheet::row(&mut tables.custody, [number, &opener, &cover.created.to_string(), &place, &why, &changed]);
        Ok(())
    }
}

/// Who called whom, where the record says so.
fn ends(head: &Head) -> (Option<&Subject>, Option<&Subject>) {
    let with = |customer: bool| head.subjects.iter().find(|subject| (subject.role == Role::Customer) == customer);
    match head.direction {
        Some(Direction::Inbound) => (with(true), with(false)),
        Some(Direction::Outbound) => (with(false), with(true)),
        _ => (None, None),
    }
}

/// A name, or what stands for one.
fn called_by(subject: &Subject) -> String {
    let other = || subject.identifiers.iter().find(|who| who.scheme() != "tel").map(|who| who.value().to_owned());
    subject.name.clone().or_else(other).unwrap_or_default()
}

fn telephone(subject: &Subject) -> String {
    let number = subject.identifiers.iter().find(|who| who.scheme() == "tel");
    number.map(|who| who.value().to_owned()).unwrap_or_default()
}

/// Who took part: `customer Olivia <tel:+15722568385>; agent …`.
fn parties(head: &Head) -> String {
    let party = |subject: &Subject| {
        let role = subject.role.as_str();
        let name = subject.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let known: Vec<String> = subject.identifiers.iter().map(ToString::to_string).collect();
        let known = if known.is_empty() { String::new() } else { format!(" <{}>", known.join(", ")) };
        format!("{role}{name}{known}")
    };
    head.subjects.iter().map(party).collect::<Vec<_>>().join("; ")
}

/// `03/16/2024` and `16:09:20`, in UTC.
fn date_and_time(time: Timestamp) -> (String, String) {
    let ((year, month, day), text) = (time.date(), time.to_string());
    let clock = text.split_once('T').and_then(|(_, clock)| clock.get(..8)).unwrap_or_default();
    (format!("{month:02}/{day:02}/{year:04}"), clock.to_owned())
}

/// What stands behind the last slash.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
