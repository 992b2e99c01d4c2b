use std::io::{self, Write};

use super::STYLE;
use super::file::capital;
use super::occasion::{Occasion, what};
use super::span::length;
use crate::error::{Error, Result};
use crate::html::{Beside, Check, Clock, Column, Day, Grouped, Masthead, Page, Table, footer, values};
use crate::id::RecordId;
use crate::record::{Channel, PartKind};
use crate::time::Timestamp;

/// The page on which all records of a production are listed.
pub(crate) struct IndexPage<'a> {
    pub(crate) occasion: Occasion<'a>,
    /// What the package is made like, in words.
    pub(crate) profile: &'a str,
    pub(crate) records: u64,
    pub(crate) documents: u64,
    /// Places that were redacted.
    pub(crate) redacted: u64,
    pub(crate) withheld: u64,
    /// The first and the last number of all documents.
    pub(crate) bates: Option<(&'a str, &'a str)>,
    /// Commands by which a reader convinces himself.
    pub(crate) checks: &'a [Check<'a>],
    /// What programs compare.
    pub(crate) values: &'a [(&'a str, &'a str)],
}

/// A record in the index.
pub(crate) struct IndexRow {
    pub(crate) record: RecordId,
    /// From the index to its page.
    pub(crate) page: String,
    pub(crate) start: Option<Timestamp>,
    pub(crate) duration_ms: Option<u64>,
    pub(crate) channel: Channel,
    /// Who took part, a line each: [`party`](super::party).
    pub(crate) parties: Vec<String>,
    /// The kinds of its documents, each as often as there is one.
    pub(crate) parts: Vec<PartKind>,
    pub(crate) bates: Option<(String, String)>,
    pub(crate) redacted: u64,
    pub(crate) withheld: u64,
}

/// Something that a production lacks: a part or what was in it.
pub(crate) struct Left {
    pub(crate) record: RecordId,
    /// From the index to the record's page, if it has one.
    pub(crate) page: Option<String>,
    /// The part's number and kind; none where it is the whole record.
    pub(crate) part: Option<(usize, PartKind)>,
    /// Where in the part, in words: empty where it is all of it.
    pub(crate) place: String,
    pub(crate) reason: String,
}

impl IndexPage<'_> {
    /// Writes the page as it goes: records, what was redacted, and what was withheld, each in the order of the records.
    ///
    /// # Errors
    /// As `out`.
    pub(crate) fn write(
        &self,
        records: &mut dyn Iterator<Item = IndexRow>,
        redacted: &mut dyn Iterator<Item = Left>,
        withheld: &mut dyn Iterator<Item = Left>,
        out: &mut dyn Write,
    ) -> Result<()> {
        self.pages(records, redacted, withheld, out).map_err(|e| Error::from_io(e, "writing the index of a production"))
    }

    fn pages(
        &self,
        records: &mut dyn Iterator<Item = IndexRow>,
        redacted: &mut dyn Iterator<Item = Left>,
        withheld: &mut dyn Iterator<Item = Left>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut page = Page::begin_beside_files(format_args!("Disclosure {}", self.occasion.reference), STYLE, out)?;
        self.masthead(&mut page)?;
        page.open("main", &[])?;
        self.about(&mut page)?;
        self.records(records, &mut page)?;
        let what = "What was replaced in the copies, and why. The originals are kept as they were.";
        left(("redacted", "Redacted"), self.redacted, (what, "Nothing was redacted."), redacted, &mut page)?;
        let what = "What the order reaches and is not here, and why.";
        left(("withheld", "Withheld"), self.withheld, (what, "Nothing was withheld."), withheld, &mut page)?;
        self.checking(&mut page)?;
        values(self.values, &mut page)?;
        page.close()?;
        footer(self.occasion.created, &mut page)?;
        page.finish()
    }

    fn masthead(&self, page: &mut Page<'_>) -> io::Result<()> {
        let facts = [
            ("Records", self.records),
            ("Documents", self.documents),
            ("Places redacted", self.redacted),
            ("Withheld", self.withheld),
        ]
        .map(|(name, n)| (name, Grouped::from(n)));
        Masthead {
            kind: "Records disclosed under an order",
            title: self.occasion.reference,
            period: &format!("Made on {}", Day::of(self.occasion.created).date()),
            sections: &[
                ("about", "What this is"),
                ("records", "Records"),
                ("redacted", "Redacted"),
                ("withheld", "Withheld"),
                ("checking", "How to check it"),
                ("values", "Exact values"),
            ],
            facts: &facts.each_ref().map(|(name, n)| (*name, n as _)),
        }
        .write(page)
    }

    fn about(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"about")])?;
        page.element("h2", &[("id", &"about")], "What this is")?;
        page.element(
            "p",
            &[],
            "These are the records that an order names: calls, chats and e-mails, each with its parts as they were \
             recorded. They were opened for this order alone, and that was written in a ledger before they were handed \
             over. Each record has a page here; its files lie beside it, unchanged unless the page says so.",
        )?;
        page.open("dl", &[("class", &"terms")])?;
        self.occasion.pairs(page)?;
        page.pair_of("Profile", |page| page.text(super::occasion::in_words(self.profile)))?;
        if let Some((first, last)) = self.bates {
            page.pair_of("Bates numbers", |page| {
                page.quoted(first)?;
                page.text(" to ")?;
                page.quoted(last)
            })?;
        }
        page.close()?;
        page.close()
    }

    fn records(&self, rows: &mut dyn Iterator<Item = IndexRow>, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("class", &"records"), ("aria-labelledby", &"records")])?;
        page.element("h2", &[("id", &"records")], "Records")?;
        let mut columns = vec![
            Column::Text("Began (UTC)"),
            Column::Text("What it is"),
            Column::Text("Who took part"),
            Column::Wide("Files"),
        ];
        if self.bates.is_some() {
            columns.push(Column::Wide("Bates numbers"));
        }
        Table { caption: "All records of this production", columns: &columns }.open(page)?;
        page.open("tbody", &[])?;
        for row in rows {
            row.write(&columns, page)?;
        }
        page.close()?;
        Table::close(page)?;
        page.close()
    }

    fn checking(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"checking")])?;
        page.element("h2", &[("id", &"checking")], "How to check it")?;
        page.element("p", &[], "In a terminal, in the folder that this package was unpacked to. VERIFY.txt has more.")?;
        for check in self.checks {
            check.write(page)?;
        }
        page.close()
    }
}

impl IndexRow {
    fn write(&self, columns: &[Column<'_>], page: &mut Page<'_>) -> io::Result<()> {
        page.open("tr", &[])?;
        page.open("th", &[("scope", &"row")])?;
        page.open_file_link(Beside(&self.page))?;
        match self.start {
            Some(start) => page.text(format_args!("{}, {}", Day::of(start).brief(), Clock(start)))?,
            None => page.text("Not known")?,
        }
        page.close()?;
        page.element("small", &[("class", &"id")], self.record)?;
        page.close()?;
        Table::cell(columns[1], page)?;
        page.quoted(&what(&self.channel))?;
        if let Some(ms) = self.duration_ms {
            page.text(format_args!(", {}", length(ms)))?;
        }
        self.lacks(page)?;
        page.close()?;
        Table::cell(columns[2], page)?;
        if self.parties.is_empty() {
            page.element("span", &[("class", &"quiet")], "not known")?;
        }
        for party in &self.parties {
            page.open("span", &[("class", &"party")])?;
            page.quoted(party)?;
            page.close()?;
        }
        page.close()?;
        Table::cell(columns[3], page)?;
        page.text(kinds(&self.parts))?;
        page.close()?;
        if let Some(column) = columns.get(4) {
            Table::cell(*column, page)?;
            match &self.bates {
                Some((first, last)) if first == last => page.quoted(first)?,
                Some((first, last)) => {
                    page.quoted(first)?;
                    page.text(" to ")?;
                    page.quoted(last)?;
                }
                None => {}
            }
            page.close()?;
        }
        page.close()
    }

    fn lacks(&self, page: &mut Page<'_>) -> io::Result<()> {
        let lacks = match (self.redacted, self.withheld) {
            (0, 0) => return Ok(()),
            (_, 0) => "redacted",
            (0, _) => "parts withheld",
            _ => "redacted, parts withheld",
        };
        page.element("small", &[("class", &"lacks")], lacks)
    }
}

/// `recording, 2 e-mails`.
fn kinds(parts: &[PartKind]) -> String {
    let mut kinds = parts.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    let told = kinds.into_iter().map(|kind| {
        let name = match kind {
            PartKind::Audio => "recording".to_owned(),
            PartKind::Analysis => "analysis".to_owned(),
            other => other.to_string(),
        };
        match parts.iter().filter(|part| **part == kind).count() {
            1 => name,
            n if kind == PartKind::Analysis => format!("{n} analyses"),
            n => format!("{n} {name}s"),
        }
    });
    told.collect::<Vec<_>>().join(", ")
}

/// A section with a table of what a production lacks.
fn left(
    (id, name): (&'static str, &'static str),
    count: u64,
    (what, nothing): (&str, &str),
    rows: &mut dyn Iterator<Item = Left>,
    page: &mut Page<'_>,
) -> io::Result<()> {
    page.open("section", &[("aria-labelledby", &id)])?;
    page.element("h2", &[("id", &id)], name)?;
    if count == 0 {
        page.element("p", &[("class", &"nothing")], nothing)?;
        return page.close();
    }
    page.element("p", &[], what)?;
    let columns = [Column::Text("Record"), Column::Text("What"), Column::Text("Why")];
    Table { caption: name, columns: &columns }.open(page)?;
    page.open("tbody", &[])?;
    for row in rows {
        page.open("tr", &[])?;
        page.open("th", &[("scope", &"row")])?;
        match &row.page {
            Some(path) => {
                page.open_file_link(Beside(path))?;
                page.element("small", &[("class", &"id")], row.record)?;
                page.close()?;
            }
            None => page.element("small", &[("class", &"id")], row.record)?,
        }
        page.close()?;
        Table::cell(columns[1], page)?;
        match row.part {
            Some((number, kind)) => page.text(format_args!("{}, part {number}", capital(kind)))?,
            None => page.text("The whole record")?,
        }
        if !row.place.is_empty() {
            page.text(format_args!(": {}", row.place))?;
        }
        page.close()?;
        Table::cell(columns[2], page)?;
        page.quoted(&row.reason)?;
        page.close()?;
        page.close()?;
    }
    page.close()?;
    Table::close(page)?;
    page.close()
}
