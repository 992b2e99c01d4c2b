use serde_json::{Map, Value, json};

use super::report::{Counts, OrderOutcome, TransparencyReport};
use crate::order::LegalBasis;

impl TransparencyReport {
    /// As JSON, ended by a line feed. Counts are numbers, or in bands texts such as `0-99`. Members: `document`, `version`, `from`
    /// and `before` (RFC 3339), `band`; `orders`, `outcomes`, `records`, `gagged`, `told` of all; `by_basis`, an object of the same
    /// for each ground; and of exact counts `by_country`, `by_month` (orders by ground) and `median_days`.
    pub fn to_json(&self) -> String {
        let mut report = Map::new();
        report.insert("document".into(), "transparency-report".into());
        report.insert("version".into(), 1.into());
        report.insert("from".into(), self.period.start.to_string().into());
        report.insert("before".into(), self.period.end.to_string().into());
        report.insert("band".into(), self.band.into());
        report.extend(self.object(&self.all));
        let by_basis = self.by_basis.iter().map(|(basis, counts)| (basis.to_string(), self.object(counts).into()));
        report.insert("by_basis".into(), Value::Object(by_basis.collect()));
        if self.is_exact() {
            let by_country =
                self.by_country.iter().map(|(country, counts)| (country.to_string(), self.object(counts).into()));
            report.insert("by_country".into(), Value::Object(by_country.collect()));
            let by_month = self.by_month.iter().map(|(month, counts)| {
                let counts = counts.iter().map(|(basis, n)| (basis.to_string(), json!(n)));
                (month.slug(), Value::Object(counts.collect()))
            });
            report.insert("by_month".into(), Value::Object(by_month.collect()));
            report.insert("median_days".into(), self.median_days().into());
        }
        // Strings, numbers and objects of them always serialise.
        let text = serde_json::to_string_pretty(&report).unwrap_or_else(|_| unreachable!("strings and numbers"));
        text + "\n"
    }

    /// As CSV (RFC 4180) with a line for each ground and one for all: orders, those of each outcome, records, gagged and told.
    pub fn to_csv(&self) -> String {
        let mut text = "basis,orders".to_owned();
        OrderOutcome::ALL.iter().for_each(|outcome| text.extend([",", outcome.as_str()]));
        text.push_str(",records,gagged,told\r\n");
        let by_basis = LegalBasis::ALL.iter().filter_map(|basis| Some((basis.as_str(), self.by_basis.get(basis)?)));
        for (name, counts) in by_basis.chain([("all", &self.all)]) {
            let Counts { orders, outcomes, records, gagged, told } = counts;
            text.push_str(name);
            for n in [orders].into_iter().chain(outcomes).chain([records, gagged, told]) {
                text.push(',');
                text.push_str(&self.told(*n));
            }
            text.push_str("\r\n");
        }
        text
    }

    fn object(&self, counts: &Counts) -> Map<String, Value> {
        let Counts { orders, outcomes, records, gagged, told } = counts;
        let count = |n: u64| if self.is_exact() { json!(n) } else { json!(self.told(n)) };
        let outcomes = OrderOutcome::ALL.iter().zip(outcomes).map(|(outcome, n)| (outcome.as_str().into(), count(*n)));
        let outcomes = Value::Object(outcomes.collect());
        Map::from_iter([
            ("orders".to_owned(), count(*orders)),
            ("outcomes".to_owned(), outcomes),
            ("records".to_owned(), count(*records)),
            ("gagged".to_owned(), count(*gagged)),
            ("told".to_owned(), count(*told)),
        ])
    }
}
