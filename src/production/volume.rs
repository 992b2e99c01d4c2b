//! What a volume for a court says of its documents.

use std::borrow::Cow;

use super::bates::Bates;
use super::describe::{Describer, file_name, parties};
use super::gather::{Document, Gathered, info};
use super::layout::Layout;
use super::mail::Letter;
use super::tables::Tables;
use super::wanted::Cover;
use super::{dat, sheet};
use crate::error::Result;
use crate::html::counted;
use crate::id::hex;
use crate::record::{Direction, Head, PartInfo, PartKind, Role, Subject};
use crate::retrieve::Record;
use crate::time::Timestamp;

/// A document of a volume, and all that its lines say.
struct Line<'a> {
    cover: &'a Cover,
    layout: &'a Layout,
    bates: &'a Bates,
    record: &'a Record,
    head: &'a Head,
    info: &'a PartInfo,
    document: &'a Document,
    /// All documents of its record.
    family: &'a [Document],
    letter: Letter,
    /// Why something is hidden in it: each reason once.
    reasons: Vec<String>,
    /// Where its record's vCon is.
    vcon: &'a str,
}

type Column = (&'static str, fn(&Line<'_>) -> Cow<'static, str>);

/// The columns of the load file.
const LOAD_FILE: [Column; 39] = [
    ("BEGBATES", |l| l.number().into()),
    ("ENDBATES", |l| l.number().into()),
    ("BEGATTACH", |l| l.bates.name(l.family.first().map_or(0, |first| first.number)).into()),
    ("ENDATTACH", |l| l.bates.name(l.family.last().map_or(0, |last| last.number)).into()),
    ("ATTACHCOUNT", |l| (l.family.len() - 1).to_string().into()),
    ("VOLUME", |l| l.bates.volume().into()),
    ("RECORDID", |l| l.record.id().to_string().into()),
    ("PART", |l| l.document.part.to_string().into()),
    ("DOCTYPE", |l| l.info.kind.to_string().into()),
    ("CUSTODIAN", |l| l.cover.tenant_name.clone().into()),
    ("CHANNEL", |l| l.head.channel.to_string().into()),
    ("DIRECTION", |l| {
        l.head.direction.map(|direction| format!("{direction:?}").to_lowercase()).unwrap_or_default().into()
    }),
    ("DATE", |l| l.head.start.map(date).unwrap_or_default().into()),
    ("TIME", |l| l.head.start.map(clock).unwrap_or_default().into()),
    ("TIMEZONE", |l| if l.head.start.is_some() || l.letter.sent.is_some() { "UTC".into() } else { "".into() }),
    ("DURATIONMS", |l| l.duration().into()),
    ("AGENT", |l| l.head.agent.clone().unwrap_or_default().into()),
    ("QUEUE", |l| l.head.queue.clone().unwrap_or_default().into()),
    ("LANGUAGE", |l| l.head.language.clone().unwrap_or_default().into()),
    ("PARTIES", |l| parties(l.head).into()),
    ("TAGS", |l| l.head.tags.join("; ").into()),
    ("FROM", |l| l.letter.from.clone().into()),
    ("TO", |l| l.letter.to.clone().into()),
    ("CC", |l| l.letter.cc.clone().into()),
    ("SUBJECT", |l| l.letter.subject.clone().into()),
    ("DATESENT", |l| l.letter.sent.map(date).unwrap_or_default().into()),
    ("TIMESENT", |l| l.letter.sent.map(clock).unwrap_or_default().into()),
    ("MESSAGEID", |l| l.letter.id.clone().into()),
    // What is hidden may be in its name.
    ("FILENAME", |l| l.info.name.clone().filter(|_| l.document.hidden.is_none()).unwrap_or_default().into()),
    ("FILEEXT", |l| l.document.extension.into()),
    ("MEDIATYPE", |l| l.document.media_type.map_or_else(|| l.info.media_type.clone().into(), Cow::Borrowed)),
    ("FILESIZE", |l| l.document.len.to_string().into()),
    ("SHA256", |l| hex(l.document.sums.sha256()).into()),
    ("STRETCHMS", |l| l.stretch().into()),
    ("REDACTED", |l| l.redacted().into()),
    ("REDACTIONREASON", |l| l.reasons.join("; ").into()),
    // What reads load files expects its own system's paths.
    ("NATIVELINK", |l| l.layout.native(l.document).replace('/', "\\").into()),
    ("TEXTLINK", |l| l.layout.text(l.document).unwrap_or_default().replace('/', "\\").into()),
    ("VCONLINK", |l| l.vcon.replace('/', "\\").into()),
];

/// Recordings, as the data delivery standards of the U.S. Securities and Exchange Commission list them.
const AUDIO: [Column; 7] = [
    ("Caller Name", |l| l.ends().0.map(name_of).unwrap_or_default().into()),
    ("Originating Number", |l| l.ends().0.map(telephone).unwrap_or_default().into()),
    ("Called Party Name", |l| l.ends().1.map(name_of).unwrap_or_default().into()),
    ("Terminating Number", |l| l.ends().1.map(telephone).unwrap_or_default().into()),
    ("Date", |l| l.head.start.map(date).unwrap_or_default().into()),
    ("Time", |l| l.head.start.map(|start| clock(start) + " UTC").unwrap_or_default().into()),
    ("Filename", |l| file_name(&l.layout.native(l.document)).to_owned().into()),
];

const PRODUCTION: [Column; 13] = [
    ("Volume", |l| l.bates.volume().into()),
    ("Begin Bates", |l| l.number().into()),
    ("End Bates", |l| l.number().into()),
    ("Record", |l| l.record.id().to_string().into()),
    ("Part", |l| l.document.part.to_string().into()),
    ("Document Type", |l| l.info.kind.to_string().into()),
    ("Date (UTC)", |l| l.head.start.map(|start| start.to_string()).unwrap_or_default().into()),
    ("Custodian", |l| l.cover.tenant_name.clone().into()),
    ("File", |l| l.layout.native(l.document).into()),
    ("Bytes", |l| l.document.len.to_string().into()),
    ("SHA-256", |l| hex(l.document.sums.sha256()).into()),
    ("Redacted", |l| l.redacted().into()),
    ("Stretch (ms)", |l| l.stretch().into()),
];

/// What ISO/IEC 27037:2012 wants to be recorded of digital evidence (section 6.1).
const CUSTODY: [&str; 6] = ["Evidence ID", "Who", "When (UTC)", "Where", "Why", "What changed"];

/// The first lines of all tables of a volume.
pub(super) fn begun() -> Tables {
    Tables {
        load_file: dat::header(&LOAD_FILE.map(|(name, _)| name)),
        audio: sheet::header(&AUDIO.map(|(name, _)| name)),
        production: sheet::header(&PRODUCTION.map(|(name, _)| name)),
        custody: sheet::header(&CUSTODY),
        ..Tables::default()
    }
}

impl Describer<'_> {
    /// Lines about a document of a volume.
    pub(super) fn volume(
        &self,
        bates: &Bates,
        record: &Record,
        gathered: &Gathered,
        document: &Document,
        vcon: &str,
        tables: &mut Tables,
    ) -> Result<()> {
        let info = info(record, document.part)?;
        // What is hidden in a message may be in its header.
        let letter = match (&document.hidden, info.kind) {
            (None, PartKind::Email) => self.copier.letter(record, document.part)?.unwrap_or_default(),
            _ => Letter::default(),
        };
        let hidden = document.hidden.as_ref().map(|hidden| self.hidden(record, document, hidden));
        let mut reasons: Vec<String> = Vec::new();
        for (_, reason) in hidden.iter().flatten() {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
        let (cover, layout, head, family) = (self.cover, self.layout, record.head(), gathered.documents.as_slice());
        let line = Line { cover, layout, bates, record, head, info, document, family, letter, reasons, vcon };
        dat::row(&mut tables.load_file, &LOAD_FILE.map(|(_, value)| value(&line)));
        sheet::row(&mut tables.production, &PRODUCTION.map(|(_, value)| value(&line)));
        if info.kind == PartKind::Audio {
            sheet::row(&mut tables.audio, &AUDIO.map(|(_, value)| value(&line)));
        }
        line.custody(hidden.map(|places| places.len() as u64), tables);
        Ok(())
    }
}

impl Line<'_> {
    fn number(&self) -> String {
        self.bates.name(self.document.number)
    }

    fn stretch(&self) -> String {
        self.document.cut.as_ref().map(|(_, cut)| format!("{}-{}", cut.ms.start, cut.ms.end)).unwrap_or_default()
    }

    /// That of the whole would not be that of the stretch.
    fn duration(&self) -> String {
        let cut = self.document.cut.as_ref().map(|(_, cut)| cut.ms.end - cut.ms.start);
        cut.or(self.head.duration_ms).map(|ms| ms.to_string()).unwrap_or_default()
    }

    fn redacted(&self) -> &'static str {
        if self.document.hidden.is_some() { "Y" } else { "N" }
    }

    /// Who called whom, where the record says so.
    fn ends(&self) -> (Option<&Subject>, Option<&Subject>) {
        let with =
            |customer: bool| self.head.subjects.iter().find(|subject| (subject.role == Role::Customer) == customer);
        match self.head.direction {
            Some(Direction::Inbound) => (with(true), with(false)),
            Some(Direction::Outbound) => (with(false), with(true)),
            _ => (None, None),
        }
    }

    /// When it was sealed, and when it was copied.
    fn custody(&self, redacted: Option<u64>, tables: &mut Tables) {
        let Self { cover, record, .. } = self;
        let (number, place) = (self.number(), format!("vault {}", cover.vault));
        let writer = format!("ingest of {}, epoch {}", cover.tenant_name, record.header().epoch);
        let sealed = format!("nothing: sealed as it came, SHA-256 of the sealed copy {}", hex(&self.info.sealed));
        let kept = format!("kept for {}", cover.tenant_name);
        sheet::row(&mut tables.custody, &[&*number, &writer, &self.head.ingested.to_string(), &place, &kept, &sealed]);
        let with = concat!("strongroom ", env!("CARGO_PKG_VERSION"));
        let opener = format!("{}, with {with}, as order {} says", cover.by, cover.order);
        let why = format!("{}, {}, {}", cover.basis, cover.authority, cover.reference);
        let mut changed = match (&self.document.cut, redacted) {
            (None, None) => "nothing: copied to the byte".to_owned(),
            (None, Some(_)) => "copied".to_owned(),
            (Some((_, cut)), _) => {
                format!("copied from {} to {} ms of the recording; the original is whole", cut.ms.start, cut.ms.end)
            }
        };
        if let Some(places) = redacted {
            let places = counted(places, "place", "places");
            changed.push_str(&format!("; {places} of the copy redacted; the original is as it was"));
        }
        changed.push_str(&format!("; SHA-256 of the copy {}", hex(self.document.sums.sha256())));
        sheet::row(&mut tables.custody, &[&*number, &opener, &cover.created.to_string(), &place, &why, &changed]);
    }
}

/// The columns of the load file, by name.
#[cfg(test)]
pub(crate) fn load_file() -> Vec<&'static str> {
    LOAD_FILE.iter().map(|(name, _)| *name).collect()
}

/// A name, or what stands for one.
fn name_of(subject: &Subject) -> String {
    let other = || subject.identifiers.iter().find(|who| who.scheme() != "tel").map(|who| who.value().to_owned());
    subject.name.clone().or_else(other).unwrap_or_default()
}

fn telephone(subject: &Subject) -> String {
    let number = subject.identifiers.iter().find(|who| who.scheme() == "tel");
    number.map(|who| who.value().to_owned()).unwrap_or_default()
}

/// `03/16/2024`, in UTC.
fn date(time: Timestamp) -> String {
    let (year, month, day) = time.date();
    format!("{month:02}/{day:02}/{year:04}")
}

/// `16:09:20`, in UTC.
fn clock(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('T').and_then(|(_, clock)| clock.get(..8)).unwrap_or_default().to_owned()
}
