use std::io;
use std::ops::Range;

use super::span::between;
use crate::html::{Beside, Column, Grouped, Page, Table};
use crate::id::hex;
use crate::record::PartKind;

/// A part as it was produced.
#[derive(Clone, Copy)]
pub(crate) struct File<'a> {
    pub(crate) kind: PartKind,
    /// The part's number in its record.
    pub(crate) part: usize,
    /// From the page that it is on, to the file; that of the record's vCon where the part is inside it.
    pub(crate) path: &'a str,
    /// Where in the file it is, a JSON pointer, unless it is all of it.
    pub(crate) inside: Option<&'a str>,
    /// Its name at its producer's.
    pub(crate) name: Option<&'a str>,
    /// Of what was produced.
    pub(crate) media_type: &'a str,
    pub(crate) bates: Option<&'a str>,
    pub(crate) made: Made<'a>,
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) sha512: [u8; 64],
    /// SHA-256 of the part before it was sealed, if it was computed.
    pub(crate) original: Option<[u8; 32]>,
    /// SHA-256 of the part as it is sealed, of which the ledger tells.
    pub(crate) sealed: [u8; 32],
}

/// How what was produced comes from what is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made<'a> {
    /// To the byte.
    Copied,
    /// These milliseconds of it.
    Cut(&'a Range<u64>),
    /// With something replaced, in so many places, of the whole or of these milliseconds of it.
    Redacted(usize, Option<&'a Range<u64>>),
}

/// A part that was not produced.
#[derive(Clone, Copy)]
pub(crate) struct Absence<'a> {
    pub(crate) part: usize,
    pub(crate) kind: PartKind,
    pub(crate) reason: &'a str,
    /// SHA-256 of the part as it is sealed.
    pub(crate) sealed: [u8; 32],
}

impl File<'_> {
    /// The last name of its path.
    fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is a text for people that is not of a recording: not what programs exchange.
    pub(super) fn is_read(&self) -> bool {
        match self.kind {
            PartKind::Chat | PartKind::Email | PartKind::Analysis => true,
            PartKind::Attachment => self.media_type.starts_with("text/") || self.media_type.starts_with("message/"),
            PartKind::Audio | PartKind::Transcript | PartKind::Original => false,
        }
    }

    fn made(&self) -> String {
        match self.made {
            Made::Copied => "Copied to the byte".to_owned(),
            Made::Cut(ms) => format!("Cut: {} of the recording", between(ms)),
            Made::Redacted(places, None) => format!("Redacted in {}", counted(places)),
            Made::Redacted(places, Some(ms)) => format!("Cut: {}, redacted in {}", between(ms), counted(places)),
        }
    }

    /// What it is and where, and its digests.
    pub(super) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("class", &"file")])?;
        page.open("h3", &[])?;
        page.text(format_args!("{}: ", capital(self.kind)))?;
        page.open_file_link(Beside(self.path))?;
        page.quoted(self.file_name())?;
        page.close()?;
        page.close()?;
        page.open("dl", &[("class", &"values")])?;
        if let Some(bates) = self.bates {
            page.pair("Bates number", bates)?;
        }
        page.pair_of("What it is", |page| {
            page.text(self.made())?;
            page.text(format_args!(", {} bytes, ", Grouped::from(self.bytes)))?;
            page.quoted(self.media_type)
        })?;
        page.pair_of("Part", |page| page.text(format_args!("{} of the record", self.part)))?;
        if let Some(name) = self.name {
            page.pair("Came as", name)?;
        }
        if let Some(place) = self.inside {
            page.pair_of("In the file", |page| {
                page.text("at ")?;
                page.quoted(place)
            })?;
        }
        page.pair("SHA-256", &hex(&self.sha256))?;
        page.pair("SHA-512", &hex(&self.sha512))?;
        if self.made != Made::Copied
            && let Some(original) = &self.original
        {
            page.pair("Original", &hex(original))?;
        }
        page.pair("Sealed original", &hex(&self.sealed))?;
        page.close()?;
        page.close()
    }
}

/// A table of what was not produced of a record.
pub(super) fn absences(absences: &[Absence<'_>], page: &mut Page<'_>) -> io::Result<()> {
    let columns = [Column::Text("Part"), Column::Text("Why it is not here"), Column::Wide("Sealed original, SHA-256")];
    Table { caption: "Withheld parts of this record", columns: &columns }.open(page)?;
    page.open("tbody", &[])?;
    for absence in absences {
        page.open("tr", &[])?;
        page.element("th", &[("scope", &"row")], format_args!("{}, part {}", capital(absence.kind), absence.part))?;
        Table::cell(columns[1], page)?;
        page.quoted(absence.reason)?;
        page.close()?;
        Table::cell(columns[2], page)?;
        page.element("code", &[], hex(&absence.sealed))?;
        page.close()?;
        page.close()?;
    }
    page.close()?;
    Table::close(page)
}

fn counted(places: usize) -> String {
    crate::html::counted(places as u64, "place", "places")
}

/// What a part is, where a sentence begins.
pub(super) fn capital(kind: PartKind) -> String {
    let name = match kind {
        PartKind::Audio => "recording",
        PartKind::Original => "imported document",
        _ => return in_capital(&kind.to_string()),
    };
    in_capital(name)
}

fn in_capital(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}
