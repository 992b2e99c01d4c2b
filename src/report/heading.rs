use std::io;

use super::account::Account;
use super::attention::Point;
use super::tally::Tally;
use crate::html::{Grouped, Masthead, Page, counted};

const SECTIONS: [(&str, &str); 11] = [
    ("about", "What this is"),
    ("recipients", "Who received what"),
    ("chart-name", "Month by month"),
    ("receipts", "Delivery receipts"),
    ("setbacks", "What did not go through"),
    ("agreements", "Agreements"),
    ("retention", "Retention and deletion"),
    ("restrictions", "Left out on request"),
    ("transfers", "Every transfer"),
    ("checking", "How to check it"),
    ("values", "Exact values"),
];

impl Account {
    pub(super) fn masthead(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        let recipients = tally.parties.values().filter(|of| of.sums.transfers > 0).count() as u64;
        let facts = [
            ("Records sent", tally.sums.records),
            ("Recipients", recipients),
            ("Receipts open", tally.sums.open),
            ("Left out on request", tally.sums.restricted),
        ]
        .map(|(name, n)| (name, Grouped::from(n)));
        Masthead {
            kind: "Transfers to third parties",
            title: &self.tenant,
            period: &self.period(),
            sections: &SECTIONS,
            facts: &facts.each_ref().map(|(name, n)| (*name, n as _)),
        }
        .write(page)
    }

    /// What somebody should see to, before everything else.
    pub(super) fn verdict(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        if !self.comparison.faults.is_empty() {
            self.not_verified(page)?;
        }
        let points = Point::all(self, tally);
        let class = if points.is_empty() { "verdict good" } else { "verdict odd" };
        page.open("section", &[("class", &class), ("aria-labelledby", &"verdict")])?;
        if points.is_empty() {
            page.element("h2", &[("id", &"verdict")], "Nothing needs attention")?;
            page.element(
                "p",
                &[],
                "No delivery receipt and no answer is overdue, no outcome is unknown, no failed transfer was left \
                 undone, and no agreement ends soon or is below what the tenant requires.",
            )?;
        } else {
            let count = counted(points.len() as u64, "thing needs", "things need");
            page.element("h2", &[("id", &"verdict")], format_args!("{count} attention"))?;
            page.open("ul", &[])?;
            points.iter().try_for_each(|point| point.write("li", page))?;
            page.close()?;
        }
        if let Some(outstaying) = Point::outstaying(tally) {
            outstaying.write("p", page)?;
        }
        if self.comparison.faults.is_empty() {
            page.element("p", &[], self.compared())?;
        }
        page.close()
    }

    fn not_verified(&self, page: &mut Page<'_>) -> io::Result<()> {
        let faults = &self.comparison.faults;
        page.open("section", &[("class", &"verdict bad"), ("aria-labelledby", &"faults")])?;
        let count = counted(faults.len() as u64, "fault", "faults");
        page.element("h2", &[("id", &"faults")], format_args!("Not verified: {count}"))?;
        page.open("ul", &[])?;
        for fault in faults {
            page.open("li", &[])?;
            page.quoted(fault)?;
            page.close()?;
        }
        page.close()?;
        page.element("p", &[], "Until they are explained, rely on nothing here that is not proved elsewhere.")?;
        page.close()
    }

    fn compared(&self) -> String {
        let (audited, logs) = (self.comparison.audited, self.comparison.logs);
        match audited {
            0 => "This was not compared with an audit of the ledger.".to_owned(),
            _ if audited == logs => "An audit of the ledger found nothing wrong, and it tells of the same agreements, \
                                     transfers and answers, each of which is kept here."
                .to_owned(),
            _ => format!("This was compared with an audit of {audited} of {logs} ledgers, which found nothing wrong."),
        }
    }
}

/// What somebody must know who has never seen a vault.
pub(super) fn explanation(page: &mut Page<'_>) -> io::Result<()> {
    page.open("section", &[("aria-labelledby", &"about")])?;
    page.element("h2", &[("id", &"about")], "What this is")?;
    page.element(
        "p",
        &[],
        "A vault keeps recorded conversations (calls, chats, e-mails; here: records) locked for one tenant, the company \
         they belong to. They can be handed to a third party, the recipient, only under an agreement that both have \
         signed, for a purpose that it names, and only if the recipient promises to protect them as well as the \
         tenant requires. A transfer is written in the tenant's ledger before anything leaves the vault, and so is one \
         that is refused. It is sealed to its recipient, who signs a delivery receipt for it.",
    )?;
    page.element(
        "p",
        &[],
        "A record counts once for each transfer that brought it. Nobody who took part in a conversation is named here, \
         and nothing of what was said. Beside each transfer is the number of its entry in the ledger, which says also \
         who did it, and the name of the file by which that can be checked.",
    )?;
    page.close()
}
