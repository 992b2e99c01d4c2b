use std::io;

use super::account::{Account, Asked};
use super::contract::{SOON, Stands, day};
use super::item::transfers;
use super::tally::Tally;
use crate::html::{Page, counted};

/// Names in one sentence, at the most.
const NAMES: usize = 3;

const RETENTION: (&str, &str) = ("retention", "Retention and deletion");

/// Something that somebody should see to.
pub(super) struct Point {
    /// A sentence without its end.
    said: String,
    /// Whom it is about.
    names: Vec<String>,
    /// Where the page tells more.
    anchor: &'static str,
    more: &'static str,
}

impl Point {
    /// All of them, the most pressing first.
    pub(super) fn all(account: &Account, tally: &Tally) -> Vec<Self> {
        let points = Self::setbacks(tally).into_iter().chain(Self::receipts(tally));
        points.chain(Self::agreements(account)).chain(Self::deletions(account)).flatten().collect()
    }

    fn setbacks(tally: &Tally) -> [Option<Self>; 2] {
        let place = ("setbacks", "What did not go through");
        let (unknown, failed) = (tally.unknown, tally.failed);
        [
            Self::of(unknown, place, || {
                format!(
                    "{} {} an outcome that nobody knows",
                    transfers(unknown),
                    if unknown == 1 { "has" } else { "have" }
                )
            }),
            Self::of(failed, place, || format!("{} failed and {} not made again", transfers(failed), were(failed))),
        ]
    }

    fn receipts(tally: &Tally) -> Option<Option<Self>> {
        let (overdue, (by, _)) = (tally.sums.overdue, tally.awaited.first()?);
        let since = if overdue == 1 { "since" } else { "the oldest since" };
        Some(Self::of(overdue, ("receipts", "Delivery receipts"), || {
            let receipts = counted(overdue, "delivery receipt is", "delivery receipts are");
            format!("{receipts} overdue, {since} {}", day(*by))
        }))
    }

    fn agreements(account: &Account) -> [Option<Self>; 2] {
        let place = ("agreements", "Agreements");
        let names = |so: fn(Stands) -> bool| -> Vec<String> {
            let shown = account.contracts.iter().filter(|contract| contract.is_shown && so(contract.stands));
            shown.map(|contract| contract.terms().recipient.name().to_owned()).collect()
        };
        let (below, ending) =
            (names(|stands| stands == Stands::Below), names(|stands| matches!(stands, Stands::Ends(_))));
        [
            Self::about(below, place, |n| {
                format!("Under {} nothing can be sent: the tenant requires more", counted(n, "agreement", "agreements"))
            }),
            Self::about(ending, place, |n| {
                format!("{} within {SOON} days", counted(n, "agreement ends", "agreements end"))
            }),
        ]
    }

    fn deletions(account: &Account) -> [Option<Self>; 2] {
        let names = |so: &dyn Fn(&Asked) -> bool| -> Vec<String> {
            let open = account.deletions.iter().filter(|asked| !asked.is_made_good && so(asked));
            open.map(|asked| asked.deletion.recipient.clone()).collect()
        };
        let late = names(&|asked| asked.deletion.is_overdue(account.now));
        let short = names(&|asked| asked.deletion.answer.is_some());
        let requests = |n| counted(n, "request to delete", "requests to delete");
        [
            Self::about(late, RETENTION, |n| {
                format!("{} {} unanswered and overdue", requests(n), if n == 1 { "is" } else { "are" })
            }),
            Self::about(short, RETENTION, |n| format!("{} {} answered that not all was deleted", requests(n), were(n))),
        ]
    }

    /// What is past its time. Nobody need see to it: an agreement asks for deletion, and for no word about it.
    pub(super) fn outstaying(tally: &Tally) -> Option<Self> {
        let n: u64 = tally.parties.values().map(|of| of.outstay.transfers).sum();
        Self::of(n, RETENTION, || {
            format!("The time to keep what {} brought has passed, and no deletion is on record", transfers(n))
        })
    }

    /// Nothing if there are none.
    fn of(n: u64, (anchor, more): (&'static str, &'static str), said: impl FnOnce() -> String) -> Option<Self> {
        (n > 0).then(|| Self { said: said(), names: Vec::new(), anchor, more })
    }

    /// Each of the things is about one of the names.
    fn about(
        names: Vec<String>,
        place: (&'static str, &'static str),
        said: impl FnOnce(u64) -> String,
    ) -> Option<Self> {
        let n = names.len() as u64;
        Self::of(n, place, || said(n)).map(|point| Self { names, ..point })
    }

    pub(super) fn write(&self, tag: &'static str, page: &mut Page<'_>) -> io::Result<()> {
        page.open(tag, &[])?;
        page.text(&self.said)?;
        let mut names: Vec<&String> = self.names.iter().collect();
        names.sort();
        names.dedup();
        for (at, name) in names.iter().take(NAMES).enumerate() {
            page.text(if at == 0 { ": " } else { ", " })?;
            page.quoted(name)?;
        }
        if names.len() > NAMES {
            page.text(format_args!(" and {} more", names.len() - NAMES))?;
        }
        page.text(". ")?;
        page.link(self.anchor, self.more)?;
        page.close()
    }
}

fn were(n: u64) -> &'static str {
    if n == 1 { "was" } else { "were" }
}
