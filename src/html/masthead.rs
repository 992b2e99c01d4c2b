use std::fmt::Display;
use std::io;

use super::page::Page;

/// The top of a page: what it is and whose, of which time, where its sections are, and its chief numbers.
pub(crate) struct Masthead<'a> {
    pub(crate) kind: &'a str,
    /// What someone else wrote.
    pub(crate) title: &'a str,
    pub(crate) period: &'a str,
    /// Anchors of the sections, and what they are called.
    pub(crate) sections: &'a [(&'a str, &'a str)],
    pub(crate) facts: &'a [(&'a str, &'a dyn Display)],
}

impl Masthead<'_> {
    pub(crate) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("header", &[])?;
        page.element("p", &[("class", &"kind")], self.kind)?;
        page.open("h1", &[])?;
        page.quoted(self.title)?;
        page.close()?;
        page.element("p", &[("class", &"period")], self.period)?;
        page.open("nav", &[("aria-label", &"Sections")])?;
        page.open("ul", &[])?;
        for (anchor, name) in self.sections {
            page.open("li", &[])?;
            page.link(anchor, name)?;
            page.close()?;
        }
        page.close()?;
        page.close()?;
        page.open("dl", &[("class", &"facts")])?;
        for (name, n) in self.facts {
            page.open("div", &[])?;
            page.element("dt", &[], name)?;
            page.element("dd", &[], n)?;
            page.close()?;
        }
        page.close()?;
        page.close()
    }
}
