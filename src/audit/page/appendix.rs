use std::io;

use super::heading::{Heading, moment};
use crate::html::Page;

impl Heading<'_> {
    /// Everything behind the last entry: how to check it, and the values for that.
    pub(super) fn below(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.close()?;
        self.checking(page)?;
        self.values(page)?;
        page.close()?;
        page.open("footer", &[])?;
        page.element("p", &[], format_args!("Written by strongroom on {}. All times are UTC.", moment(self.exported)))?;
        page.close()
    }

    fn checking(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"checking")])?;
        page.element("h2", &[("id", &"checking")], "How to check it without us")?;
        page.element(
            "p",
            &[],
            "This page is for reading; it proves nothing, for anyone could have typed it. The proof is in the receipts, \
             one for each entry. A receipt shows by hashes and signatures that its entry stands in the ledger whose \
             checkpoint is below. Receipts, checkpoints and keys are files of open formats (C2SP tlog-proof, Sigsum), \
             and programs that the makers of this vault did not write check them on any computer, without a network.",
        )?;
        for check in self.checks {
            page.element("p", &[("class", &"shows")], check.shows)?;
            page.open("pre", &[])?;
            page.open("code", &[])?;
            page.quoted(check.command)?;
            page.close()?;
            page.close()?;
        }
        if !self.limits.is_empty() {
            page.element("h3", &[], "What it cannot show")?;
            page.open("ul", &[("class", &"plain")])?;
            for limit in self.limits {
                page.element("li", &[], limit)?;
            }
            page.close()?;
        }
        page.close()
    }

    fn values(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (size, exported) = (self.size.to_string(), self.exported.to_string());
        let signed = self.signed.map_or("compared with none".to_owned(), |(time, size)| format!("{time}, size {size}"));
        page.open("section", &[("aria-labelledby", &"values")])?;
        page.element("h2", &[("id", &"values")], "Exact values")?;
        page.open("dl", &[("class", &"values")])?;
        for (name, value) in [
            ("Tenant", self.tenant_id),
            ("Log", self.origin),
            ("Log key", self.key),
            ("Size", &size),
            ("Root hash", self.root),
            ("Clock", &signed),
            ("Page written", &exported),
        ] {
            page.pair(name, value)?;
        }
        page.close()?;
        page.close()
    }
}
