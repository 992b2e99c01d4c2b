use std::io;

use super::heading::Heading;
use crate::html::{Page, footer, limits, values};

impl Heading<'_> {
    /// Everything behind the last entry: how to check it, and the values for that.
    pub(super) fn below(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.close()?;
        self.checking(page)?;
        self.values(page)?;
        page.close()?;
        footer(self.exported, page)
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
        self.checks.iter().try_for_each(|check| check.write(page))?;
        limits(self.limits, page)?;
        page.close()
    }

    fn values(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (size, exported) = (self.size.to_string(), self.exported.to_string());
        let signed = self.signed.map_or("compared with none".to_owned(), |(time, size)| format!("{time}, size {size}"));
        let pairs = [
            ("Tenant", self.tenant_id),
            ("Log", self.origin),
            ("Log key", self.key),
            ("Size", &size),
            ("Root hash", self.root),
            ("Clock", &signed),
            ("Page written", &exported),
        ];
        values(&pairs, page)
    }
}
