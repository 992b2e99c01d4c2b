use serde::Serialize;

use super::count::Count;
use super::report::TransparencyReport;
use super::tally::Sums;
use super::words::OrderOutcome;
use crate::agreement::Country;
use crate::html::Month;
use crate::order::LegalBasis;

/// The version of the document that this build writes.
const VERSION: u32 = 1;

/// docs/transparency.schema.json.
#[derive(Serialize)]
struct Wire<'a> {
    version: u32,
    publisher: &'a str,
    period: Period,
    as_of: String,
    /// How many numbers a band has, if numbers are bands.
    bands: Option<u64>,
    totals: Totals,
    earlier: Of<'static>,
    by_basis: Vec<Of<'static>>,
    by_outcome: Vec<Of<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_country: Option<Vec<OfCountry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_month: Option<Vec<OfMonth>>,
    by_half_year: Vec<OfHalf>,
}

#[derive(Serialize)]
struct Period {
    from: String,
    /// Not in it any more.
    until: String,
}

#[derive(Serialize)]
struct Totals {
    orders: Count,
    records: Count,
    tenants: Count,
    gagged: Count,
    untold: Count,
    late: Count,
    answered: Count,
    median_days: Option<f64>,
}

#[derive(Serialize)]
struct Of<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    orders: Count,
    records: Count,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcomes: Option<Vec<Of<'a>>>,
}

#[derive(Serialize)]
struct OfCountry {
    country: Option<String>,
    orders: Count,
    records: Count,
    outcomes: Vec<Of<'static>>,
}

#[derive(Serialize)]
struct OfMonth {
    month: String,
    orders: Count,
    records: Count,
}

#[derive(Serialize)]
struct OfHalf {
    half_year: String,
    orders: Count,
    records: Count,
}

impl TransparencyReport {
    /// The report for programs, as docs/transparency.schema.json describes it: a JSON document of version 1 with every
    /// basis and outcome, all months of the period, and a line end. A number is an integer, or `{"from": 0, "to": 99}` in
    /// bands.
    pub fn to_json(&self) -> String {
        let Self { publisher, period, now, bands, tally, .. } = self;
        let none = Sums::default();
        let basis = |basis: &LegalBasis| {
            let sums = tally.bases.get(basis).unwrap_or(&none);
            Of { basis: Some(basis.as_str()), ..self.of_sums(sums, true) }
        };
        let wire = Wire {
            version: VERSION,
            publisher,
            period: Period { from: period.start.to_string(), until: period.end.to_string() },
            as_of: now.to_string(),
            bands: bands.map(|width| width.get()),
            totals: Totals {
                orders: self.count(tally.all.orders),
                records: self.count(tally.all.records),
                tenants: self.count(tally.tenants),
                gagged: self.count(tally.gagged),
                untold: self.count(tally.untold),
                late: self.count(tally.late),
                answered: self.count(tally.answered),
                median_days: self.median_tenths().map(|tenths| tenths as f64 / 10.0),
            },
            earlier: self.of_sums(&tally.earlier, false),
            by_basis: LegalBasis::ALL.iter().map(basis).collect(),
            by_outcome: self.of_outcomes(&tally.all),
            by_country: bands.is_none().then(|| self.of_countries()),
            by_month: bands.is_none().then(|| self.of_months()),
            by_half_year: self
                .halves()
                .into_iter()
                .map(|(half_year, orders, records)| OfHalf {
                    half_year,
                    orders: self.count(orders),
                    records: self.count(records),
                })
                .collect(),
        };
        // Strings and numbers always serialise.
        let mut text = serde_json::to_string_pretty(&wire).unwrap_or_else(|_| unreachable!("strings and numbers"));
        text.push('\n');
        text
    }

    fn of_countries(&self) -> Vec<OfCountry> {
        let of = |(country, sums): (&Option<Country>, &Sums)| OfCountry {
            country: country.map(|country| country.to_string()),
            orders: self.count(sums.orders),
            records: self.count(sums.records),
            outcomes: self.of_outcomes(sums),
        };
        self.tally.countries.iter().map(of).collect()
    }

    fn of_months(&self) -> Vec<OfMonth> {
        let of = |(month, sums): (Month, Sums)| OfMonth {
            month: month.slug(),
            orders: self.count(sums.orders),
            records: self.count(sums.records),
        };
        self.months().map(of).collect()
    }

    fn of_sums(&self, sums: &Sums, outcomes: bool) -> Of<'static> {
        Of {
            basis: None,
            outcome: None,
            orders: self.count(sums.orders),
            records: self.count(sums.records),
            outcomes: outcomes.then(|| self.of_outcomes(sums)),
        }
    }

    fn of_outcomes(&self, sums: &Sums) -> Vec<Of<'static>> {
        let of = |outcome: &OrderOutcome| {
            let own = sums.of_outcome(*outcome);
            Of {
                basis: None,
                outcome: Some(outcome.as_str()),
                orders: self.count(own.orders),
                records: self.count(own.records),
                outcomes: None,
            }
        };
        OrderOutcome::ALL.iter().map(of).collect()
    }
}
