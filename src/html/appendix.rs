use std::io;

use super::date::moment;
use super::page::Page;
use crate::time::Timestamp;

/// A command by which a reader convinces himself.
pub(crate) struct Check<'a> {
    /// What it shows, as a sentence.
    pub(crate) shows: &'a str,
    pub(crate) command: &'a str,
}

impl Check<'_> {
    pub(crate) fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.element("p", &[("class", &"shows")], self.shows)?;
        page.open("pre", &[])?;
        page.open("code", &[])?;
        page.quoted(self.command)?;
        page.close()?;
        page.close()
    }
}

/// What a page cannot show, if there is anything.
pub(crate) fn limits(limits: &[String], page: &mut Page<'_>) -> io::Result<()> {
    if limits.is_empty() {
        return Ok(());
    }
    page.element("h3", &[], "What it cannot show")?;
    page.open("ul", &[("class", &"plain")])?;
    for limit in limits {
        page.element("li", &[], limit)?;
    }
    page.close()
}

/// The section of the values that programs compare.
pub(crate) fn values(pairs: &[(&str, &str)], page: &mut Page<'_>) -> io::Result<()> {
    page.open("section", &[("aria-labelledby", &"values")])?;
    page.element("h2", &[("id", &"values")], "Exact values")?;
    page.open("dl", &[("class", &"values")])?;
    pairs.iter().try_for_each(|(name, value)| page.pair(name, value))?;
    page.close()?;
    page.close()
}

pub(crate) fn footer(written: Timestamp, page: &mut Page<'_>) -> io::Result<()> {
    page.open("footer", &[])?;
    page.element("p", &[], format_args!("Written by strongroom on {}. All times are UTC.", moment(written)))?;
    page.close()
}
