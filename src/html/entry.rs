use std::fmt::Display;
use std::io;

use super::date::Clock;
use super::page::{Attribute, Page};
use crate::time::Timestamp;

/// An item of a list of what happened when, and how it looks there.
pub(crate) struct Entry<'a> {
    /// Its anchor. None if an item before it has it.
    pub(crate) id: Option<&'a str>,
    pub(crate) paint: usize,
    pub(crate) time: Option<Timestamp>,
    /// What a reader came for.
    pub(crate) is_rare: bool,
    pub(crate) tone: Tone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// It must not be missed.
    Grave,
    /// Something is wrong.
    Alarm,
    /// There is nothing to be read.
    Faint,
}

impl Entry<'_> {
    /// Opens what the item says.
    pub(crate) fn open(&self, page: &mut Page<'_>) -> io::Result<()> {
        let tone = match self.tone {
            Tone::Plain => "",
            Tone::Grave => " grave",
            Tone::Alarm => " grave alarm",
            Tone::Faint => " faint",
        };
        let class = format!("entry s{}{tone}{}", self.paint, if self.is_rare { " rare" } else { "" });
        let attributes: [Attribute<'_>; 2] = [("class", &class), ("id", &self.id.unwrap_or_default())];
        page.open("li", &attributes[..if self.id.is_some() { 2 } else { 1 }])?;
        page.open("div", &[("class", &"when")])?;
        match self.time {
            Some(time) => page.element("time", &[("datetime", &time)], Clock(time))?,
            None => page.text("No time")?,
        }
        page.close()?;
        page.open("div", &[("class", &"what")])
    }

    /// Closes it with its name, which is a link to `anchor`, and the name of the file that proves it.
    pub(crate) fn close(anchor: &str, name: impl Display, file: &str, page: &mut Page<'_>) -> io::Result<()> {
        page.close()?;
        page.open("div", &[("class", &"ref")])?;
        page.link(anchor, name)?;
        page.open("code", &[])?;
        page.quoted(file)?;
        page.close()?;
        page.close()?;
        page.close()
    }
}
