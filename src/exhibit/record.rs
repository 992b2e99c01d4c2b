use std::io::{self, Write};

use super::STYLE;
use super::file::{Absence, File, absences};
use super::occasion::{Occasion, what};
use super::sound::Sound;
use super::span::length;
use super::turns::Turns;
use super::writing::Writing;
use crate::error::{Error, Result};
use crate::html::{Beside, Day, Page, footer, moment};
use crate::id::{RecordId, hex};
use crate::record::{Direction, Head, Role};

/// Buckets of the picture of a recording: enough for a wide screen, and a few kilobytes a channel.
pub(crate) const BUCKETS: usize = 480;

/// The page of one record.
pub(crate) struct RecordPage<'a> {
    pub(crate) occasion: Occasion<'a>,
    /// From the page to the index.
    pub(crate) index: &'a str,
    /// From the page to those of the records before and after it.
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    /// Its number among all records, from 1, and how many there are.
    pub(crate) place: (u64, u64),
    pub(crate) record: RecordId,
    /// SHA-256 of the record's header, of which the ledger tells.
    pub(crate) header: [u8; 32],
    pub(crate) head: &'a Head,
    /// The first and the last number of its documents.
    pub(crate) bates: Option<(&'a str, &'a str)>,
    pub(crate) files: &'a [File<'a>],
    pub(crate) sounds: &'a [Sound<'a>],
    /// In the order of the parts.
    pub(crate) writings: &'a [Writing<'a>],
    pub(crate) absences: &'a [Absence<'a>],
}

impl RecordPage<'_> {
    /// Writes the page as it goes. The same input gives the same bytes.
    ///
    /// # Errors
    /// As `out`.
    pub(crate) fn write(&self, out: &mut dyn Write) -> Result<()> {
        self.pages(out).map_err(|e| Error::from_io(e, "writing the page of a record"))
    }

    fn pages(&self, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("{}, {}", what(&self.head.channel), Day::of(self.head.time()).date());
        let mut page = Page::begin_beside_files(title, STYLE, out)?;
        self.heading(&mut page)?;
        page.open("main", &[])?;
        self.facts(&mut page)?;
        self.said(&mut page)?;
        self.others(&mut page)?;
        self.withheld(&mut page)?;
        self.integrity(&mut page)?;
        page.close()?;
        footer(self.occasion.created, &mut page)?;
        page.finish()
    }

    fn heading(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (number, all) = self.place;
        page.open("header", &[("class", &"exhibit")])?;
        page.open("nav", &[("class", &"pages"), ("aria-label", &"Pages")])?;
        page.open_file_link(Beside(self.index))?;
        page.text("All records")?;
        page.close()?;
        for (path, name) in [(self.before, "Previous"), (self.after, "Next")] {
            if let Some(path) = path {
                page.open_file_link(Beside(path))?;
                page.text(name)?;
                page.close()?;
            }
        }
        page.close()?;
        page.open("p", &[("class", &"kind")])?;
        page.text(format_args!("Record {number} of {all}, disclosed under an order: "))?;
        page.quoted(self.occasion.reference)?;
        page.close()?;
        page.open("h1", &[])?;
        page.quoted(&what(&self.head.channel))?;
        page.close()?;
        let when = match self.head.start {
            Some(start) => moment(start),
            None => format!("Ingested {}; when it began is not known", moment(self.head.ingested)),
        };
        page.element("p", &[("class", &"period")], when)?;
        page.close()
    }

    fn facts(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"facts")])?;
        page.element("h2", &[("id", &"facts")], "Who and when")?;
        page.open("div", &[("class", &"sides")])?;
        page.open("dl", &[("class", &"parties")])?;
        for subject in &self.head.subjects {
            page.pair_of(role(&subject.role), |page| {
                if let Some(name) = &subject.name {
                    page.open("b", &[])?;
                    page.quoted(name)?;
                    page.close()?;
                }
                for identifier in &subject.identifiers {
                    page.open("span", &[("class", &"identifier")])?;
                    page.quoted(identifier.value())?;
                    page.close()?;
                }
                if subject.name.is_none() && subject.identifiers.is_empty() {
                    page.text("not known")?;
                }
                Ok(())
            })?;
        }
        if self.head.subjects.is_empty() {
            page.pair_of("Who took part", |page| page.text("not known"))?;
        }
        page.close()?;
        page.open("dl", &[("class", &"parties")])?;
        self.circumstances(page)?;
        page.close()?;
        page.close()?;
        page.close()
    }

    fn circumstances(&self, page: &mut Page<'_>) -> io::Result<()> {
        let head = self.head;
        if let Some(start) = head.start {
            page.pair_of("Began", |page| page.text(moment(start)))?;
        }
        // That of the whole would say how much is missing.
        if let Some(ms) = head.duration_ms.filter(|_| !self.sounds.iter().any(Sound::is_stretch)) {
            page.pair_of("Lasted", |page| page.text(length(ms)))?;
        }
        if let Some(direction) = head.direction {
            let told = match direction {
                Direction::Inbound => "The customer turned to the company",
                Direction::Outbound => "The company turned to the customer",
                Direction::Internal => "Within the company",
            };
            page.pair_of("Direction", |page| page.text(told))?;
        }
        for (name, value) in [("Agent", &head.agent), ("Queue", &head.queue), ("Language", &head.language)] {
            if let Some(value) = value {
                page.pair(name, value)?;
            }
        }
        if !head.tags.is_empty() {
            page.pair("Tags", &head.tags.join(", "))?;
        }
        match self.bates {
            Some((first, last)) if first == last => page.pair("Bates number", first),
            Some((first, last)) => page.pair_of("Bates numbers", |page| {
                page.quoted(first)?;
                page.text(" to ")?;
                page.quoted(last)
            }),
            None => Ok(()),
        }
    }

    /// Recordings, and beside them what was said.
    fn said(&self, page: &mut Page<'_>) -> io::Result<()> {
        let spoken: Vec<(&Writing<'_>, Turns<'_>)> = self
            .writings
            .iter()
            .enumerate()
            .filter(|(_, writing)| writing.is_spoken(self.files))
            .map(|(number, writing)| (writing, writing.turns(number)))
            .collect();
        let sounds: Vec<(&Sound<'_>, &File<'_>)> =
            self.sounds.iter().filter_map(|sound| Some((sound, self.files.get(sound.file)?))).collect();
        let name = match (sounds.is_empty(), spoken.is_empty()) {
            (true, true) => return Ok(()),
            (false, true) => "Recording",
            (true, false) => "What was said",
            (false, false) => "Recording and transcript",
        };
        page.open("section", &[("aria-labelledby", &"said")])?;
        page.element("h2", &[("id", &"said")], name)?;
        let beside = !sounds.is_empty() && !spoken.is_empty();
        page.open("div", &[("class", &if beside { "beside" } else { "alone" })])?;
        // The first transcript that has times goes with the first recording, and so on.
        let mut timed = spoken.iter().filter(|(_, turns)| turns.is_timed());
        if !sounds.is_empty() {
            page.open("div", &[("class", &"sounds")])?;
            for (number, (sound, file)) in sounds.iter().enumerate() {
                sound.write(number, file, timed.next().map(|(_, turns)| turns), page)?;
            }
            page.close()?;
        }
        if !spoken.is_empty() {
            page.open("div", &[("class", &"writings")])?;
            let mut of_sounds = sounds.iter().copied();
            for (writing, turns) in &spoken {
                let Some(file) = self.files.get(writing.file) else { continue };
                let sound = if turns.is_timed() { of_sounds.next() } else { None };
                writing.write(file, turns, sound, page)?;
            }
            page.close()?;
        }
        page.close()?;
        page.close()
    }

    /// Chats, letters and whatever else is a text.
    fn others(&self, page: &mut Page<'_>) -> io::Result<()> {
        for (number, writing) in self.writings.iter().enumerate() {
            let Some(file) = self.files.get(writing.file).filter(|file| file.is_read()) else { continue };
            let id = format!("text{number}");
            page.open("section", &[("aria-labelledby", &id)])?;
            page.element("h2", &[("id", &id)], super::file::capital(file.kind))?;
            writing.write(file, &writing.turns(number), None, page)?;
            page.close()?;
        }
        Ok(())
    }

    fn withheld(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.absences.is_empty() {
            return Ok(());
        }
        page.open("section", &[("aria-labelledby", &"withheld")])?;
        page.element("h2", &[("id", &"withheld")], "Withheld")?;
        absences(self.absences, page)?;
        page.close()
    }

    fn integrity(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("class", &"files"), ("aria-labelledby", &"files")])?;
        page.element("h2", &[("id", &"files")], "Files and their integrity")?;
        page.element(
            "p",
            &[],
            "A digest is a value that only this content has. The sealed original is what the vault keeps, encrypted; the \
             header of the record has its digest, and the ledger counts on that header. VERIFY.txt says how to compare \
             them.",
        )?;
        for file in self.files {
            file.write(page)?;
        }
        page.open("section", &[("class", &"file")])?;
        page.element("h3", &[], "The record")?;
        page.open("dl", &[("class", &"values")])?;
        page.pair("Record", &self.record.to_string())?;
        page.pair("Header, SHA-256", &hex(&self.header))?;
        page.pair("Order", &self.occasion.order.to_string())?;
        page.pair_of("Ingested", |page| page.text(self.head.ingested))?;
        if let Some(amended) = self.head.amends {
            page.pair("Amends record", &amended.to_string())?;
        }
        if let Some(version) = &self.head.policy_version {
            page.pair("Privacy policy", version)?;
        }
        page.close()?;
        page.close()?;
        page.close()
    }
}

fn role(role: &Role) -> String {
    super::occasion::in_words(role.as_str())
}
