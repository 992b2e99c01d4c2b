use std::io::{self, Write};

use super::count::Count;
use super::report::TransparencyReport;
use super::tally::Sums;
use super::words::OrderOutcome;
use crate::error::{Error, Result};
use crate::html::{Bars, Column, Day, Grouped, Masthead, Month, Page, Series, Table, footer, values};
use crate::order::LegalBasis;
use crate::time::Timestamp;

const SECTIONS: [(&str, &str); 6] = [
    ("about", "What this is"),
    ("bases", "What orders were based on"),
    ("outcomes", "What came of them"),
    ("given", "Records given out"),
    ("countries", "Where they came from"),
    ("method", "How it is counted"),
];

impl TransparencyReport {
    /// Writes the report as a page for people: one HTML file without scripts that loads nothing, light and dark, for a
    /// screen, a phone and paper. It has what [`to_json`](Self::to_json) has, and charts unless numbers are bands.
    ///
    /// # Errors
    /// As `out`. What is in it then is no page.
    pub fn write_page(&self, out: &mut dyn Write) -> Result<()> {
        self.page(out).map_err(|e| Error::from_io(e, "writing a transparency report"))
    }

    fn page(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page::begin(format_args!("Transparency report of {}", self.publisher), out)?;
        self.masthead(&mut page)?;
        page.open("main", &[])?;
        self.about(&mut page)?;
        self.bases(&mut page)?;
        self.outcomes(&mut page)?;
        self.given(&mut page)?;
        self.countries(&mut page)?;
        self.method(&mut page)?;
        let (from, until) = (self.period.start.to_string(), self.period.end.to_string());
        let as_of = self.now.to_string();
        values(&[("From", &from), ("Until", &until), ("As of", &as_of)], &mut page)?;
        page.close()?;
        footer(self.now, &mut page)?;
        page.finish()
    }

    fn masthead(&self, page: &mut Page<'_>) -> io::Result<()> {
        let tally = &self.tally;
        let mut sections = SECTIONS.to_vec();
        sections.retain(|(anchor, _)| self.bands.is_none() || *anchor != "countries");
        let facts = [
            ("Orders received", self.count(tally.all.orders)),
            ("Records given out", self.count(tally.all.records)),
            ("Tenants concerned", self.count(tally.tenants)),
            ("With a gag", self.count(tally.gagged)),
        ];
        Masthead {
            kind: "Transparency report",
            title: &self.publisher,
            period: &self.dates(),
            sections: &sections,
            facts: &facts.each_ref().map(|(name, n)| (*name, n as _)),
        }
        .write(page)
    }

    /// The period by its first and last day.
    fn dates(&self) -> String {
        let last = Timestamp::from_unix_ms(self.period.end.unix_ms().saturating_sub(1));
        format!("{} to {}", Day::of(self.period.start).date(), Day::of(last).date())
    }

    fn about(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"about")])?;
        page.element("h2", &[("id", &"about")], "What this is")?;
        page.element(
            "p",
            &[],
            "The publisher of this report keeps recorded conversations (calls, chats and e-mails; here: records) for \
             companies, its tenants, and cannot open them itself. Courts and authorities can order that records be \
             disclosed. Then several custodians must agree before exactly the ordered records \
             open, or the tenant itself agrees. Each step is written in the tenant's ledger, which the tenant can check.",
        )?;
        page.element(
            "p",
            &[],
            "Here is how many such orders came and what became of them. Nobody who took part in a conversation is named, \
             nor a tenant, nor who asked.",
        )?;
        if let Some(width) = self.bands {
            page.element(
                "p",
                &[],
                format_args!(
                    "Numbers are given in bands of {}: 0–{} means any number from 0 to {}. Bands of parts do not add up \
                     to that of the whole.",
                    Grouped::from(width.get()),
                    Grouped::from(width.get() - 1),
                    Grouped::from(width.get() - 1)
                ),
            )?;
        }
        page.close()
    }

    fn bases(&self, page: &mut Page<'_>) -> io::Result<()> {
        let tally = &self.tally;
        page.open("section", &[("aria-labelledby", &"bases")])?;
        page.element("h2", &[("id", &"bases")], "What orders were based on")?;
        let bases: Vec<LegalBasis> = match self.bands {
            None => tally.bases.keys().copied().collect(),
            // Which there are at all would be a number.
            Some(_) => LegalBasis::ALL.to_vec(),
        };
        if self.bands.is_none() {
            let series: Vec<Series<'_>> = bases
                .iter()
                .map(|basis| Series { paint: paint(*basis), name: basis_name(*basis), meaning: basis_meaning(*basis) })
                .collect();
            let counts: Vec<(Month, Vec<u64>)> = self
                .months()
                .map(|(month, sums)| {
                    (month, bases.iter().map(|basis| sums.bases.get(basis).copied().unwrap_or(0)).collect())
                })
                .collect();
            Bars { id: "by-basis", title: "Orders by legal basis", unit: "orders", series: &series, counts: &counts }
                .write(page)?;
        }
        let none = Sums::default();
        let rows: Vec<(&str, &Sums)> =
            bases.iter().map(|basis| (basis_name(*basis), tally.bases.get(basis).unwrap_or(&none))).collect();
        self.table("Orders by legal basis and outcome", "Legal basis", &rows, page)?;
        page.close()
    }

    /// A row for each of some sums, and one for all.
    fn table(&self, caption: &str, first: &str, rows: &[(&str, &Sums)], page: &mut Page<'_>) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let all = &self.tally.all;
        let occur = |outcome: &&OrderOutcome| self.bands.is_some() || all.outcomes.contains_key(outcome);
        let outcomes: Vec<OrderOutcome> = OrderOutcome::ALL.iter().filter(occur).copied().collect();
        let names = ["Orders", "Records given out"].into_iter().chain(outcomes.iter().map(|of| outcome_name(*of)));
        let columns: Vec<Column<'_>> = [Column::Text(first)].into_iter().chain(names.map(Column::Count)).collect();
        Table { caption, columns: &columns }.open(page)?;
        let row = |name: &str, sums: &Sums, page: &mut Page<'_>| {
            page.open("tr", &[])?;
            page.element("th", &[("scope", &"row")], name)?;
            let own = outcomes.iter().map(|outcome| sums.of_outcome(*outcome).orders);
            for n in [sums.orders, sums.records].into_iter().chain(own) {
                cell(self.count(n), page)?;
            }
            page.close()
        };
        page.open("tbody", &[])?;
        for (name, sums) in rows {
            row(name, sums, page)?;
        }
        page.close()?;
        page.open("tfoot", &[])?;
        row("All", all, page)?;
        page.close()?;
        Table::close(page)
    }

    fn outcomes(&self, page: &mut Page<'_>) -> io::Result<()> {
        let tally = &self.tally;
        page.open("section", &[("aria-labelledby", &"outcomes")])?;
        page.element("h2", &[("id", &"outcomes")], "What came of them")?;
        if self.bands.is_none() {
            let outcomes: Vec<OrderOutcome> = tally.all.outcomes.keys().copied().collect();
            let series: Vec<Series<'_>> = outcomes
                .iter()
                .map(|of| Series { paint: *of as usize, name: outcome_name(*of), meaning: outcome_meaning(*of) })
                .collect();
            let counts: Vec<(Month, Vec<u64>)> = self
                .months()
                .map(|(month, sums)| (month, outcomes.iter().map(|of| sums.of_outcome(*of).orders).collect()))
                .collect();
            Bars { id: "by-outcome", title: "Orders by outcome", unit: "orders", series: &series, counts: &counts }
                .write(page)?;
        }
        page.open("dl", &[("class", &"terms")])?;
        page.pair_of("Answered", |page| page.text(self.count(tally.answered)))?;
        if let Some(tenths) = self.median_tenths() {
            page.pair_of("Median until answered", |page| {
                page.text(format_args!("{}.{} days", Grouped::from(tenths.unsigned_abs() / 10), tenths % 10))
            })?;
        }
        page.pair_of("Late or overdue", |page| page.text(self.count(tally.late)))?;
        page.pair_of("With a gag", |page| {
            page.text(format_args!(
                "{}, of which the tenant may not know yet: {}",
                self.count(tally.gagged),
                self.count(tally.untold)
            ))
        })?;
        page.pair_of("From before", |page| {
            page.text(format_args!(
                "Orders answered in this period: {}; records given out: {}",
                self.count(tally.earlier.orders),
                self.count(tally.earlier.records)
            ))
        })?;
        page.close()?;
        page.close()
    }

    fn given(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"given")])?;
        page.element("h2", &[("id", &"given")], "Records given out")?;
        if self.bands.is_none() {
            let series = [Series { paint: 0, name: "Records", meaning: "By the month in which the order came." }];
            let counts: Vec<(Month, Vec<u64>)> =
                self.months().map(|(month, sums)| (month, vec![sums.records])).collect();
            Bars { id: "records", title: "Records given out", unit: "records", series: &series, counts: &counts }
                .write(page)?;
        }
        let columns = [Column::Text("Half-year"), Column::Count("Orders"), Column::Count("Records given out")];
        Table { caption: "Orders and records by half-year", columns: &columns }.open(page)?;
        page.open("tbody", &[])?;
        for (half, orders, records) in self.halves() {
            page.open("tr", &[])?;
            page.element(
                "th",
                &[("scope", &"row")],
                half.replace("-H1", ", January to June").replace("-H2", ", July to December"),
            )?;
            for n in [orders, records] {
                cell(self.count(n), page)?;
            }
            page.close()?;
        }
        page.close()?;
        Table::close(page)?;
        page.close()
    }

    fn countries(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.bands.is_some() {
            return Ok(());
        }
        page.open("section", &[("aria-labelledby", &"countries")])?;
        page.element("h2", &[("id", &"countries")], "Where they came from")?;
        let mut rows: Vec<(String, &Sums)> = (self.tally.countries.iter())
            .map(|(country, sums)| (country.map_or_else(|| "Not known".to_owned(), |c| c.to_string()), sums))
            .collect();
        rows.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.orders));
        if rows.is_empty() {
            page.element("p", &[("class", &"nothing")], "There are no orders in this period.")?;
        }
        let rows: Vec<(&str, &Sums)> = rows.iter().map(|(name, sums)| (name.as_str(), *sums)).collect();
        self.table("Orders by country of the authority", "Country (ISO 3166)", &rows, page)?;
        page.close()
    }

    fn method(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"method")])?;
        page.element("h2", &[("id", &"method")], "How it is counted")?;
        page.open("ul", &[("class", &"plain")])?;
        for sentence in [
            "An order counts in the month in which it was served, once for each tenant whose records it is about, with \
             what had come of it when this report was made.",
            "A record counts once for each order under which it was given out. What a disclosure that stopped may have \
             given out counts too.",
            "An order is answered when everything was given out, when it was rejected, or when it ended. The median is of \
             the time from its receipt until then: half of the answers took less.",
            "An order with a gag is one of which the tenant must not be told for a time. It counts as any other.",
            "Orders from before the period that were answered in it are not among the others.",
        ] {
            page.element("li", &[], sentence)?;
        }
        page.close()?;
        page.close()
    }
}

fn cell(count: Count, page: &mut Page<'_>) -> io::Result<()> {
    let class = match count {
        Count::Exact(0) => "zero",
        Count::Exact(_) => return page.element("td", &[], count),
        Count::Band { .. } => "band",
    };
    page.element("td", &[("class", &class)], count)
}

/// Neighbours in a chart differ to every eye.
fn paint(basis: LegalBasis) -> usize {
    match basis {
        LegalBasis::Subpoena => 0,
        LegalBasis::CourtOrder => 1,
        LegalBasis::Warrant => 2,
        LegalBasis::RegulatoryDemand => 3,
        LegalBasis::NationalSecurityDemand => 4,
        LegalBasis::LegalRights => 6,
        LegalBasis::Preservation => 7,
        LegalBasis::Emergency => 5,
    }
}

fn basis_name(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::Subpoena => "Subpoena",
        LegalBasis::CourtOrder => "Court order",
        LegalBasis::Warrant => "Warrant",
        LegalBasis::RegulatoryDemand => "Demand of a regulator",
        LegalBasis::NationalSecurityDemand => "National security",
        LegalBasis::LegalRights => "Legal rights",
        LegalBasis::Preservation => "Preservation",
        LegalBasis::Emergency => "Emergency",
    }
}

fn basis_meaning(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::LegalRights => "To protect the rights of a party.",
        LegalBasis::Preservation => "Nothing is given out, and nothing erased.",
        LegalBasis::Emergency => "Life or limb is in danger.",
        _ => "",
    }
}

fn outcome_name(outcome: OrderOutcome) -> &'static str {
    match outcome {
        OrderOutcome::Complied => "Followed",
        OrderOutcome::Narrowed => "Followed in part",
        OrderOutcome::Preserved => "Preserved",
        OrderOutcome::Rejected => "Rejected",
        OrderOutcome::Challenged => "Contested",
        OrderOutcome::Withdrawn => "Ended",
        OrderOutcome::Pending => "Open",
    }
}

fn outcome_meaning(outcome: OrderOutcome) -> &'static str {
    match outcome {
        OrderOutcome::Complied => "What was ordered was given out.",
        OrderOutcome::Narrowed => "Less was given out than was ordered at first.",
        OrderOutcome::Preserved => "Records were kept from being erased.",
        OrderOutcome::Rejected => "Nothing was given out.",
        OrderOutcome::Challenged => "Before a court; nothing was given out so far.",
        OrderOutcome::Withdrawn => "It was withdrawn or lapsed; nothing was given out.",
        OrderOutcome::Pending => "Not decided, or not carried out yet.",
    }
}
