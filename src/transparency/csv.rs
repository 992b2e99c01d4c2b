use super::count::Count;
use super::report::TransparencyReport;
use super::tally::Sums;
use super::words::OrderOutcome;
use crate::order::LegalBasis;

impl TransparencyReport {
    /// The report for spreadsheets: RFC 4180 with a line of names, one number of orders and of records a line, by
    /// `dimension` (`total`, `earlier`, `basis`, `country`, `month`, `half-year`), the `key` in it, and the `outcome`, which is
    /// empty where all are counted. A band is `0-99`. All fields are words, dates, codes of countries and numbers.
    pub fn to_csv(&self) -> String {
        let mut lines = Lines { report: self, text: "dimension,key,outcome,orders,records\r\n".to_owned() };
        let tally = &self.tally;
        lines.sums("total", "", &tally.all);
        for (key, n) in [
            ("tenants", tally.tenants),
            ("gagged", tally.gagged),
            ("untold", tally.untold),
            ("late", tally.late),
            ("answered", tally.answered),
        ] {
            lines.line("total", key, "", n, None);
        }
        lines.line("earlier", "", "", tally.earlier.orders, Some(tally.earlier.records));
        let none = Sums::default();
        for basis in LegalBasis::ALL {
            lines.sums("basis", basis.as_str(), tally.bases.get(basis).unwrap_or(&none));
        }
        // Which countries and months there are at all would be a number.
        if self.bands.is_none() {
            for (country, sums) in &tally.countries {
                let code = country.map_or_else(|| "unknown".to_owned(), |country| country.to_string());
                lines.sums("country", &code, sums);
            }
            for (month, sums) in self.months() {
                lines.line("month", &month.slug(), "", sums.orders, Some(sums.records));
            }
        }
        for (half, orders, records) in self.halves() {
            lines.line("half-year", &half, "", orders, Some(records));
        }
        lines.text
    }
}

struct Lines<'r> {
    report: &'r TransparencyReport,
    text: String,
}

impl Lines<'_> {
    fn sums(&mut self, dimension: &str, key: &str, sums: &Sums) {
        self.line(dimension, key, "", sums.orders, Some(sums.records));
        for outcome in OrderOutcome::ALL {
            let own = sums.of_outcome(*outcome);
            self.line(dimension, key, outcome.as_str(), own.orders, Some(own.records));
        }
    }

    fn line(&mut self, dimension: &str, key: &str, outcome: &str, orders: u64, records: Option<u64>) {
        let plain = |n| match self.report.count(n) {
            Count::Exact(n) => n.to_string(),
            Count::Band { from, to } => format!("{from}-{to}"),
        };
        let (orders, records) = (plain(orders), records.map(plain).unwrap_or_default());
        self.text.push_str(&format!("{dimension},{key},{outcome},{orders},{records}\r\n"));
    }
}
