use std::io;

use super::number::Grouped;
use super::page::{Attribute, Page};

/// A table of counts and texts. What is too wide scrolls inside it.
pub(crate) struct Table<'a> {
    pub(crate) caption: &'a str,
    /// What each column has, and whether someone else may have named it.
    pub(crate) columns: &'a [Column<'a>],
}

#[derive(Clone, Copy)]
pub(crate) enum Column<'a> {
    Count(&'a str),
    Text(&'a str),
    /// A text for which a phone has no room.
    Wide(&'a str),
}

impl Column<'_> {
    fn attributes(&self) -> &'static [Attribute<'static>] {
        match self {
            Self::Count(_) => &[],
            Self::Text(_) => &[("class", &"text")],
            Self::Wide(_) => &[("class", &"text wide")],
        }
    }
}

impl Table<'_> {
    /// Opens the table and writes the names of its columns. What follows is its bodies.
    pub(crate) fn open(&self, page: &mut Page<'_>) -> io::Result<()> {
        // The keyboard reaches what scrolls, too.
        page.open("div", &[("class", &"scroll"), ("tabindex", &0), ("role", &"group"), ("aria-label", &self.caption)])?;
        page.open("table", &[])?;
        page.element("caption", &[], self.caption)?;
        page.open("thead", &[])?;
        page.open("tr", &[])?;
        for column in self.columns {
            let (Column::Count(name) | Column::Text(name) | Column::Wide(name)) = column;
            let own = column.attributes();
            let attributes: Vec<Attribute<'_>> =
                [("scope", &"col" as _)].into_iter().chain(own.iter().copied()).collect();
            page.open("th", &attributes)?;
            page.open("span", &[])?;
            page.quoted(name)?;
            page.close()?;
            page.close()?;
        }
        page.close()?;
        page.close()
    }

    /// Says, behind a table, that it has no more than `most` of all there are: the rest, in these words.
    pub(crate) fn rest(all: usize, most: usize, words: &str, page: &mut Page<'_>) -> io::Result<()> {
        let Some(rest) = all.checked_sub(most).filter(|rest| *rest > 0) else { return Ok(()) };
        page.element("p", &[("class", &"quiet")], format_args!("{} {words}", Grouped(rest as u128)))
    }

    pub(crate) fn close(page: &mut Page<'_>) -> io::Result<()> {
        page.close()?;
        page.close()
    }

    /// A cell of a column of counts.
    pub(crate) fn count(n: u128, page: &mut Page<'_>) -> io::Result<()> {
        let attributes: &[Attribute<'_>] = if n == 0 { &[("class", &"zero")] } else { &[] };
        page.element("td", attributes, Grouped(n))
    }

    /// Opens a cell of such a column.
    pub(crate) fn cell(column: Column<'_>, page: &mut Page<'_>) -> io::Result<()> {
        page.open("td", column.attributes())
    }
}
