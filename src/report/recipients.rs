use std::io;

use super::account::Account;
use super::contract::brief_day;
use super::tally::{OfParty, Sums, Tally};
use crate::html::{Attribute, Bars, Column, Month, Page, Series, Table};

/// Paints of the recipients' series. The one that says trouble is not among them.
const PAINTS: [usize; 7] = [0, 1, 2, 3, 4, 6, 7];
const TROUBLE: usize = 5;
const COLUMNS: [Column<'static>; 6] = [
    Column::Text("Recipient and purpose"),
    Column::Count("Transfers"),
    Column::Count("Records"),
    Column::Count("Left out on request"),
    Column::Count("Receipts open"),
    Column::Wide("Last"),
];

impl Account {
    pub(super) fn recipients(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"recipients")])?;
        page.element("h2", &[("id", &"recipients")], "Who received what")?;
        let parties = largest(tally);
        if parties.is_empty() {
            page.element("p", &[("class", &"nothing")], "Nothing went to anybody.")?;
            return page.close();
        }
        Table { caption: "Who received what", columns: &COLUMNS }.open(page)?;
        for (at, of) in parties {
            let Some(party) = self.parties.get(at) else { continue };
            page.open("tbody", &[])?;
            page.open("tr", &[("class", &"sum")])?;
            page.open("th", &[("scope", &"rowgroup")])?;
            page.quoted(&party.name)?;
            page.text(" ")?;
            page.element("small", &[], party.described())?;
            let only = of.purposes.keys().next().filter(|_| of.purposes.len() == 1);
            if let Some(purpose) = only {
                page.open("small", &[])?;
                page.text(" for ")?;
                page.quoted(purpose)?;
                page.close()?;
            }
            page.close()?;
            cells(&of.sums, page)?;
            for (purpose, sums) in of.purposes.iter().filter(|_| only.is_none()) {
                page.open("tr", &[])?;
                page.open("th", &[("scope", &"row"), ("class", &"sub")])?;
                page.quoted(purpose)?;
                page.close()?;
                cells(sums, page)?;
            }
            page.close()?;
        }
        page.open("tfoot", &[])?;
        page.open("tr", &[])?;
        page.element("th", &[("scope", &"row")], "All")?;
        cells(&tally.sums, page)?;
        page.close()?;
        Table::close(page)?;
        page.close()
    }

    pub(super) fn chart(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        let mut own: Vec<usize> = largest(tally).into_iter().map(|(at, _)| at).collect();
        own.retain(|at| tally.parties.get(at).is_some_and(|of| of.sums.records > 0));
        let others =
            own.split_off(own.len().min(if own.len() > PAINTS.len() { PAINTS.len() - 1 } else { PAINTS.len() }));
        let names: Vec<String> = own.iter().filter_map(|at| Some(self.parties.get(*at)?.brief())).collect();
        let described: Vec<String> = own.iter().filter_map(|at| Some(self.parties.get(*at)?.described())).collect();
        let others_name = format!("{} other recipients", others.len());
        let mut series: Vec<Series<'_>> = (PAINTS.iter().zip(&names).zip(&described))
            .map(|((paint, name), meaning)| Series { paint: *paint, name, meaning })
            .collect();
        if !others.is_empty() {
            let paint = PAINTS[PAINTS.len() - 1];
            series.push(Series { paint, name: &others_name, meaning: "All but the largest." });
        }
        let counts: Vec<(Month, Vec<u64>)> = tally
            .months
            .iter()
            .map(|(month, of)| {
                let records = |party: Option<usize>| of.get(&party).copied().unwrap_or(0);
                let mut counts: Vec<u64> = own.iter().map(|at| records(Some(*at))).collect();
                if !others.is_empty() {
                    counts.push(others.iter().map(|at| records(Some(*at))).sum());
                }
                counts.push(records(None));
                (*month, counts)
            })
            .collect();
        if counts.iter().any(|(_, of)| of.last().is_some_and(|n| *n > 0)) {
            let meaning = "Under way, failed, or of unknown outcome: some of these may have arrived.";
            series.push(Series { paint: TROUBLE, name: "Not completed", meaning });
        }
        page.open("section", &[("aria-labelledby", &"chart-name")])?;
        page.element("h2", &[("id", &"chart-name")], "Month by month")?;
        Bars { id: "sent", title: "Records", unit: "transferred records", series: &series, counts: &counts }
            .write(page)?;
        page.close()
    }
}

/// The parties that may have received something, most records first.
fn largest(tally: &Tally) -> Vec<(usize, &OfParty)> {
    let mut parties: Vec<(usize, &OfParty)> =
        tally.parties.iter().map(|(at, of)| (*at, of)).filter(|(_, of)| !of.purposes.is_empty()).collect();
    parties.sort_by_key(|(at, of)| (std::cmp::Reverse((of.sums.records, of.sums.transfers)), *at));
    parties
}

/// The cells of a row behind its name, and the row's end.
fn cells(sums: &Sums, page: &mut Page<'_>) -> io::Result<()> {
    let Sums { transfers, records, restricted, open, overdue, last } = sums;
    for n in [transfers, records, restricted] {
        Table::count((*n).into(), page)?;
    }
    let late: [Attribute<'_>; 1] = [("class", &"late")];
    match *overdue {
        0 => Table::count((*open).into(), page)?,
        all if all == *open => page.element("td", &late, format_args!("{open} overdue"))?,
        some => page.element("td", &late, format_args!("{open}, {some} overdue"))?,
    }
    Table::cell(COLUMNS[5], page)?;
    page.text(last.map_or("–".to_owned(), brief_day))?;
    page.close()?;
    page.close()
}
