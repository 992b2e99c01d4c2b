use std::io;
use std::ops::BitOrAssign;

use super::page::{Attribute, Page};

/// Some of the groups that the items of a list are in: at most eight, by the number of their paint.
#[derive(Clone, Copy, Default)]
pub(crate) struct Groups {
    groups: u8,
    /// Whether one of them is what a reader came for.
    is_rare: bool,
}

impl Groups {
    pub(crate) fn of(group: usize, is_rare: bool) -> Self {
        Self { groups: 1 << (group & 7), is_rare }
    }

    pub(crate) fn contains(self, group: usize) -> bool {
        self.groups & 1 << (group & 7) != 0
    }

    /// By these a style finds the headings that have something below them. Looking below them instead (`:has`) would
    /// take a browser minutes on a long page.
    pub(super) fn classes(self) -> String {
        let mut classes: String = (0..8).filter(|at| self.contains(*at)).map(|at| format!(" g{at}")).collect();
        if self.is_rare {
            classes.push_str(" rare");
        }
        classes
    }
}

impl BitOrAssign for Groups {
    fn bitor_assign(&mut self, other: Self) {
        self.groups |= other.groups;
        self.is_rare |= other.is_rare;
    }
}

/// Chooses by style alone what a screen shows; paper always has everything.
pub(crate) struct Filter<'a> {
    /// What the items are called.
    pub(crate) items: &'a str,
    /// What the items that are rare are called.
    pub(crate) rare: &'a str,
    /// The groups by their paints.
    pub(crate) names: &'a [(usize, &'a str)],
}

impl Filter<'_> {
    /// `shown`: what the list has.
    pub(crate) fn write(&self, shown: Groups, page: &mut Page<'_>) -> io::Result<()> {
        let choice = |page: &mut Page<'_>, id: &str, class: &str, name: &str| {
            page.open("label", &[("class", &class)])?;
            let attributes: [Attribute<'_>; 4] = [("type", &"radio"), ("name", &"show"), ("id", &id), ("checked", &"")];
            page.void("input", &attributes[..if id == "show-all" { 4 } else { 3 }])?;
            page.element("span", &[], name)?;
            page.close()
        };
        page.open("fieldset", &[("class", &"filter")])?;
        page.element("legend", &[], "Show")?;
        choice(page, "show-all", "", "Everything")?;
        choice(page, "show-rare", "", self.rare)?;
        for (paint, name) in self.names.iter().filter(|(paint, _)| shown.contains(*paint)) {
            choice(page, &format!("show-{paint}"), &format!("s{paint}"), name)?;
        }
        page.close()?;
        let text = format!("Some {} are not shown. Choose Everything to see all; paper has all.", self.items);
        page.element("p", &[("class", &"filtered")], text)
    }
}
