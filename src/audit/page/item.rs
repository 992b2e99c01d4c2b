use super::sentence::{Group, sentence};
use crate::time::Timestamp;

/// An entry as a page shows it.
pub(crate) struct Item {
    pub(crate) seq: u64,
    /// None if only the entry's text had it, and that cannot be read.
    pub(crate) time: Option<Timestamp>,
    /// The file name of its receipt.
    pub(crate) receipt: String,
    pub(crate) said: Said,
}

/// What is known of an entry's text.
pub(crate) enum Said {
    Act(Act),
    /// Its key was erased.
    Shredded,
    /// The operator withholds it until then.
    Withheld(Timestamp),
    /// It does not open, or is not the text that was written.
    Unreadable,
}

/// What was done, as the entry says. Every text is its writer's.
pub(crate) struct Act {
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) basis: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) records: Option<u64>,
    /// The entry that this one concludes.
    pub(crate) refers: Option<u64>,
    pub(crate) details: Vec<(String, String)>,
}

impl Item {
    pub(super) fn group(&self) -> Group {
        match &self.said {
            // A newer program's kinds are mostly rules of a newer kind.
            Said::Act(act) => sentence(&act.kind, act.records).map_or(Group::Governed, |(group, _)| group),
            Said::Shredded | Said::Withheld(_) | Said::Unreadable => Group::Unreadable,
        }
    }
}
