use std::io::{self, Write};

use super::report::{Counts, OrderOutcome, TransparencyReport};
use crate::error::{Error, Result};
use crate::html::{Bars, Column, Day, Masthead, Page, Series, Table, counted, footer, limits};
use crate::order::LegalBasis;

const SECTIONS: [(&str, &str); 4] = [
    ("about", "What this is"),
    ("grounds", "On what grounds, and what came of it"),
    ("countries", "From where"),
    ("months-name", "Month by month"),
];

impl TransparencyReport {
    /// Writes the report as a page for people: one file, without scripts, for a screen, a phone and paper. `title` is whose
    /// report it is.
    ///
    /// # Errors
    /// As `out`.
    pub fn write_page(&self, title: &str, out: &mut dyn Write) -> Result<()> {
        let failed = |e| Error::from_io(e, "writing a transparency report");
        let mut page = Page::begin(format_args!("Transparency report of {title}"), out).map_err(failed)?;
        self.masthead(title, &mut page).map_err(failed)?;
        page.open("main", &[]).map_err(failed)?;
        self.about(&mut page).map_err(failed)?;
        self.grounds(&mut page).map_err(failed)?;
        if self.is_exact() {
            self.countries(&mut page).map_err(failed)?;
            self.months(&mut page).map_err(failed)?;
        }
        page.close().map_err(failed)?;
        footer(self.written, &mut page).map_err(failed)?;
        page.finish().map_err(failed)
    }

    fn period(&self) -> String {
        let last = crate::time::Timestamp::from_unix_ms(self.period.end.unix_ms() - 1);
        format!("Orders received from {} to {}", Day::of(self.period.start).date(), Day::of(last).date())
    }

    fn masthead(&self, title: &str, page: &mut Page<'_>) -> io::Result<()> {
        let Counts { orders, records, gagged, .. } = self.all;
        let facts = [("Orders", orders), ("Records disclosed", records), ("Under a gag", gagged)];
        let facts = facts.map(|(name, n)| (name, u128::from(n)));
        let sections = if self.is_exact() { &SECTIONS[..] } else { &SECTIONS[..2] };
        Masthead {
            kind: "Transparency report",
            title,
            period: &self.period(),
            sections,
            facts: if self.is_exact() { &facts } else { &[] },
        }
        .write(page)
    }

    fn about(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"about")])?;
        page.element("h2", &[("id", &"about")], "What this is")?;
        page.element(
            "p",
            &[],
            "Authorities order that records of calls, chats and e-mails be disclosed. The operator cannot read these records: \
             custodians whom each customer named open exactly those that an order names, or the customer agrees. Each order is \
             counted here by when it was received, with what came of it until this report was written.",
        )?;
        if let Some(days) = self.median_days() {
            let days = counted(days.unsigned_abs(), "day", "days");
            page.element(
                "p",
                &[],
                format_args!("Half of those that were answered by a disclosure were so within {days}."),
            )?;
        }
        let band = (!self.is_exact())
            .then(|| format!("Exact numbers: they are given in bands of {}, and not by month or country.", self.band));
        let mut cannot = vec!["Whether an order was lawful: that is for courts.".to_owned()];
        cannot.extend(band);
        limits(&cannot, page)?;
        page.close()
    }

    fn grounds(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"grounds")])?;
        page.element("h2", &[("id", &"grounds")], "On what grounds, and what came of it")?;
        if self.all.orders == 0 {
            page.element("p", &[("class", &"nothing")], "No order came in.")?;
            return page.close();
        }
        let shown: Vec<usize> = (0..OrderOutcome::ALL.len()).filter(|at| self.all.outcomes[*at] > 0).collect();
        let outcomes = shown.iter().map(|at| Column::Count(outcome(OrderOutcome::ALL[*at])));
        let columns: Vec<Column<'_>> = [Column::Text("Ground"), Column::Count("Orders")]
            .into_iter()
            .chain(outcomes)
            .chain([Column::Count("Records disclosed"), Column::Count("Under a gag"), Column::Count("Told since")])
            .collect();
        Table { caption: "Orders by ground", columns: &columns }.open(page)?;
        page.open("tbody", &[])?;
        for (of, counts) in &self.by_basis {
            self.row(basis(*of), counts, &shown, page)?;
        }
        page.close()?;
        page.open("tfoot", &[])?;
        self.row("All", &self.all, &shown, page)?;
        page.close()?;
        Table::close(page)?;
        page.close()
    }

    fn row(&self, name: &str, counts: &Counts, shown: &[usize], page: &mut Page<'_>) -> io::Result<()> {
        let Counts { orders, outcomes, records, gagged, told } = counts;
        let outcomes = shown.iter().map(|at| outcomes[*at]);
        page.open("tr", &[])?;
        page.element("th", &[("scope", &"row")], name)?;
        [*orders].into_iter().chain(outcomes).chain([*records, *gagged, *told]).try_for_each(|n| self.cell(n, page))?;
        page.close()
    }

    fn cell(&self, n: u64, page: &mut Page<'_>) -> io::Result<()> {
        if self.is_exact() {
            return Table::count(n.into(), page);
        }
        page.element("td", &[], self.told(n).replace('-', "–"))
    }

    fn countries(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"countries")])?;
        page.element("h2", &[("id", &"countries")], "From where")?;
        if self.by_country.is_empty() {
            page.element("p", &[("class", &"nothing")], "No order came in.")?;
            return page.close();
        }
        let columns =
            [Column::Text("Country of the authority"), Column::Count("Orders"), Column::Count("Records disclosed")];
        Table { caption: "Orders by country", columns: &columns }.open(page)?;
        page.open("tbody", &[])?;
        for (country, Counts { orders, records, .. }) in &self.by_country {
            page.open("tr", &[])?;
            page.element("th", &[("scope", &"row")], country)?;
            Table::count((*orders).into(), page)?;
            Table::count((*records).into(), page)?;
            page.close()?;
        }
        page.close()?;
        Table::close(page)?;
        page.close()
    }

    fn months(&self, page: &mut Page<'_>) -> io::Result<()> {
        let series: Vec<Series<'_>> = LegalBasis::ALL
            .iter()
            .enumerate()
            .filter(|(_, of)| self.by_basis.contains_key(*of))
            .map(|(paint, of)| Series { paint, name: basis(*of), meaning: "" })
            .collect();
        let of: Vec<LegalBasis> = self.by_basis.keys().copied().collect();
        let counts: Vec<_> = self
            .by_month
            .iter()
            .map(|(month, counts)| {
                (*month, of.iter().map(|basis| counts.get(basis).copied().unwrap_or_default()).collect())
            })
            .collect();
        page.open("section", &[("aria-labelledby", &"months-name")])?;
        page.element("h2", &[("id", &"months-name")], "Month by month")?;
        Bars { id: "months", title: "Orders", unit: "orders", series: &series, counts: &counts }.write(page)?;
        page.close()
    }
}

fn outcome(outcome: OrderOutcome) -> &'static str {
    match outcome {
        OrderOutcome::Pending => "Pending",
        OrderOutcome::Challenged => "Challenged",
        OrderOutcome::Rejected => "Rejected",
        OrderOutcome::Withdrawn => "Withdrawn",
        OrderOutcome::Preserved => "Preserved",
        OrderOutcome::DisclosedInPart => "Disclosed in part",
        OrderOutcome::Disclosed => "Disclosed",
    }
}

fn basis(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::Subpoena => "Subpoena",
        LegalBasis::CourtOrder => "Court order",
        LegalBasis::Warrant => "Warrant",
        LegalBasis::RegulatoryDemand => "Regulatory demand",
        LegalBasis::NationalSecurityDemand => "National-security demand",
        LegalBasis::LegalRights => "To protect legal rights",
        LegalBasis::Preservation => "Preservation request",
        LegalBasis::Emergency => "Emergency",
    }
}
