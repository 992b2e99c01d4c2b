use std::io;

use super::sentence::Group;
use super::tally::Tally;
use crate::html::{Attribute, Grouped, Month, Page};

pub(super) fn sections(page: &mut Page<'_>) -> io::Result<()> {
    page.open("nav", &[("aria-label", &"Sections")])?;
    page.open("ul", &[])?;
    for (anchor, name) in [
        ("about", "What this is"),
        ("chart-name", "Month by month"),
        ("entries", "Entries"),
        ("checking", "How to check it"),
        ("values", "Exact values"),
    ] {
        page.open("li", &[])?;
        page.link(anchor, name)?;
        page.close()?;
    }
    page.close()?;
    page.close()
}

/// What somebody must know who has never seen a ledger.
pub(super) fn explanation(page: &mut Page<'_>) -> io::Result<()> {
    page.open("section", &[("aria-labelledby", &"about")])?;
    page.element("h2", &[("id", &"about")], "What this is")?;
    page.element(
        "p",
        &[],
        "A vault keeps recorded conversations (calls, chats, e-mails; here: interactions) locked for one tenant, the \
         company they belong to. Whatever is done with them is written in the tenant's ledger first: who did it, when, \
         on which basis and for what purpose. Entries can be added but not changed, moved or taken out without this \
         being noticed. Where an act has a beginning and an end, each has its own entry. Beside each entry is \
         the name of a file, its receipt, by which it can be checked.",
    )?;
    page.close()
}

/// A year in a line, a link for each month that has entries.
pub(super) fn months(tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
    page.open("nav", &[("id", &"months"), ("aria-label", &"Months")])?;
    let mut year = None;
    for (month, counts) in &tally.months {
        if year != Some(month.year()) {
            if year.replace(month.year()).is_some() {
                page.close()?;
                page.close()?;
            }
            page.open("section", &[])?;
            page.element("h3", &[], month.year())?;
            page.open("ol", &[])?;
        }
        month_link(*month, counts.iter().sum(), page)?;
    }
    if year.is_some() {
        page.close()?;
        page.close()?;
    }
    page.close()
}

fn month_link(month: Month, entries: u64, page: &mut Page<'_>) -> io::Result<()> {
    page.open("li", &[("class", &format_args!("m{}", month.number()))])?;
    page.open_link(format_args!("m{}", month.slug()))?;
    page.text(month.short_name())?;
    page.text(" ")?;
    page.element("small", &[], Grouped::from(entries))?;
    page.close()?;
    page.close()
}

/// Chooses by style alone what a screen shows; paper always has everything.
pub(super) fn filter(tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
    let choice = |page: &mut Page<'_>, id: &str, class: &str, name: &str| {
        page.open("label", &[("class", &class)])?;
        let attributes: [Attribute<'_>; 4] = [("type", &"radio"), ("name", &"show"), ("id", &id), ("checked", &"")];
        page.void("input", &attributes[..if id == "show-all" { 4 } else { 3 }])?;
        page.element("span", &[], name)?;
        page.close()
    };
    page.open("fieldset", &[("class", &"filter")])?;
    page.element("legend", &[], "Show")?;
    choice(page, "show-all", "", "Everything")?;
    choice(page, "show-rare", "", "All but stored and read")?;
    for (at, series) in Group::SERIES.iter().enumerate().filter(|(at, _)| tally.groups.contains(*at)) {
        choice(page, &format!("show-{at}"), &format!("s{at}"), series.name)?;
    }
    page.close()?;
    page.element(
        "p",
        &[("class", &"filtered")],
        "Some entries are not shown. Choose Everything to see all; paper has all.",
    )
}
