use std::io;

use super::guide;
use super::sentence::Group;
use super::tally::Tally;
use crate::html::{Bars, Check, Day, Grouped, Masthead, Page, counted, moment};
use crate::time::Timestamp;

/// What a page says of the ledger as a whole.
pub(crate) struct Heading<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) tenant_id: &'a str,
    pub(crate) origin: &'a str,
    /// The log's public key, as its checkpoints' verifiers want it.
    pub(crate) key: &'a str,
    pub(crate) size: u64,
    pub(crate) root: &'a str,
    /// When the clock signed last, and a ledger of which size.
    pub(crate) signed: Option<(Timestamp, u64)>,
    pub(crate) exported: Timestamp,
    /// The period that was asked for; its ends are shown as days.
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// The size at which the tenant had kept a checkpoint before.
    pub(crate) pinned: Option<u64>,
    /// What the audit found wrong.
    pub(crate) findings: &'a [String],
    /// What the audit cannot know.
    pub(crate) limits: &'a [String],
    pub(crate) checks: &'a [Check<'a>],
}

impl Heading<'_> {
    /// Everything before the first entry.
    pub(super) fn above(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        self.title(tally, page)?;
        page.open("main", &[])?;
        self.verdict(tally, page)?;
        guide::explanation(page)?;
        let counts: Vec<_> = tally.months.iter().map(|(month, counts)| (*month, counts.to_vec())).collect();
        page.open("section", &[("aria-labelledby", &"chart-name")])?;
        page.element("h2", &[("id", &"chart-name")], "Month by month")?;
        Bars { id: "acts", title: "Entries", unit: "entries", series: &Group::SERIES, counts: &counts }.write(page)?;
        if tally.timeless > 0 {
            let text = format!("Not in the chart: {} whose time cannot be read.", entries(tally.timeless));
            page.element("p", &[("class", &"quiet")], text)?;
        }
        page.close()?;
        let outline = &tally.outline;
        page.open("section", &[("class", &outline.class()), ("aria-labelledby", &"entries")])?;
        page.element("h2", &[("id", &"entries")], "Entries")?;
        if outline.is_empty() {
            return page.element("p", &[("class", &"nothing")], "There are no entries in this period.");
        }
        outline.months(page)?;
        guide::filter(outline.groups(), page)
    }

    fn title(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        let facts = [
            ("Entries in the ledger", self.size),
            ("On this page", tally.entries),
            ("Text erased", tally.shredded),
            ("Text unreadable", tally.unreadable),
        ]
        .map(|(name, n)| (name, Grouped::from(n)));
        Masthead {
            kind: "Ledger",
            title: self.tenant,
            period: &self.period(tally),
            sections: &guide::SECTIONS,
            facts: &facts.each_ref().map(|(name, n)| (*name, n as _)),
        }
        .write(page)
    }

    fn period(&self, tally: &Tally) -> String {
        let date = |time| Day::of(time).date();
        let asked = match (self.from, self.until) {
            (None, None) => None,
            (from, until) => Some((from.map(date), until.map(date))),
        };
        let shown = match (asked, tally.period) {
            (Some((Some(from), Some(until))), _) => format!("Entries from {from} to {until}"),
            (Some((Some(from), None)), _) => format!("Entries since {from}"),
            (Some((None, Some(until))), _) => format!("Entries until {until}"),
            (_, Some((first, last))) => format!("The whole ledger, {} to {}", date(first), date(last)),
            (_, None) => "The whole ledger".to_owned(),
        };
        format!("{shown}. Written on {}.", moment(self.exported))
    }

    fn verdict(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        let class = if self.findings.is_empty() { "verdict good" } else { "verdict bad" };
        page.open("section", &[("class", &class), ("aria-labelledby", &"verdict")])?;
        match self.findings {
            [] => {
                page.element("h2", &[("id", &"verdict")], "Verified")?;
                page.element("p", &[], self.verified(tally))?;
            }
            findings => {
                let count = if let [_] = findings { "one fault".into() } else { format!("{} faults", findings.len()) };
                page.element("h2", &[("id", &"verdict")], format_args!("Not verified: the audit found {count}"))?;
                page.open("ul", &[])?;
                for finding in findings {
                    page.open("li", &[])?;
                    page.quoted(finding)?;
                    page.close()?;
                }
                page.close()?;
                page.element("p", &[], "Until they are explained, rely on nothing here that is not proved elsewhere.")?;
            }
        }
        page.close()
    }

    fn verified(&self, tally: &Tally) -> String {
        let placed = match self.size {
            0 => "The ledger is empty, as its checkpoint says".to_owned(),
            1 => "The ledger's one entry is where its checkpoint says it is".to_owned(),
            n => format!("All {} entries are where the ledger's checkpoint says they are", Grouped::from(n)),
        };
        let signed = match self.signed {
            Some((time, size)) if size == self.size => format!("confirmed by a clock on {}", moment(time)),
            Some((time, size)) => {
                format!("and a clock confirmed the first {} on {}", Grouped::from(size), moment(time))
            }
            None => "whose time was compared with no clock".to_owned(),
        };
        let since = match self.pinned {
            Some(size) => format!(
                "It continues the checkpoint that the tenant had kept at {}: what was written up to then has not been \
                 changed, moved or removed.",
                entries(size)
            ),
            None => "It was compared with no earlier checkpoint.".to_owned(),
        };
        let unread = match tally.shredded + tally.unreadable {
            0 => String::new(),
            n => format!(" The text of {} cannot be read; that it was written, and where, is proved.", entries(n)),
        };
        format!("{placed}, {signed}. {since}{unread}")
    }
}

fn entries(n: u64) -> String {
    counted(n, "entry", "entries")
}
