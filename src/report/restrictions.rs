use std::io;

use super::account::Account;
use super::item::records;
use super::tally::Tally;
use crate::html::{Page, counted};

impl Account {
    pub(super) fn restricted(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"restrictions")])?;
        page.element("h2", &[("id", &"restrictions")], "Left out on request")?;
        page.element(
            "p",
            &[],
            "Whoever asks not to be handed on is left out of every transfer from then on, with all records that name \
             them. Who they are, and why, is not on this page.",
        )?;
        let text = match tally.sums.restricted {
            0 => "No record was left out of what was sent because somebody in it had asked.".to_owned(),
            1 => "1 record was left out of what was sent because somebody in it had asked.".to_owned(),
            n => format!("{} were left out of what was sent because somebody in them had asked.", records(n)),
        };
        page.element("p", &[], text)?;
        if self.restrictions.is_empty() {
            page.element("p", &[], "At present nobody's request is in force.")?;
            return page.close();
        }
        page.element("p", &[], "Requests in force:")?;
        page.open("ul", &[("class", &"plain")])?;
        for (purpose, n) in &self.restrictions {
            page.open("li", &[])?;
            page.text(counted(*n, "request", "requests"))?;
            match purpose {
                None => page.text(", for every purpose")?,
                Some(purpose) => {
                    page.text(", for ")?;
                    page.quoted(purpose)?;
                    page.text(" alone")?;
                }
            }
            page.close()?;
        }
        page.close()?;
        page.close()
    }
}
