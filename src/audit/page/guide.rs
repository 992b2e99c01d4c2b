use std::io;

use super::sentence::Group;
use crate::html::{Filter, Groups, Page};

pub(super) const SECTIONS: [(&str, &str); 5] = [
    ("about", "What this is"),
    ("chart-name", "Month by month"),
    ("entries", "Entries"),
    ("checking", "How to check it"),
    ("values", "Exact values"),
];

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

pub(super) fn filter(shown: Groups, page: &mut Page<'_>) -> io::Result<()> {
    let names = Group::SERIES.map(|series| (series.paint, series.name));
    Filter { items: "entries", rare: "All but stored and read", names: &names }.write(shown, page)
}
