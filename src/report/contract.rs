use crate::agree::Standing;
use crate::agreement::{Refusal, Terms, TransferPolicy};
use crate::html::Day;
use crate::id::hex;
use crate::time::Timestamp;

const DAY: i64 = 86_400_000;
/// An agreement that ends within so many days is pointed out.
pub(super) const SOON: i64 = 30;

/// An agreement in its newest revision, and how it stands.
pub(super) struct Contract {
    pub(super) newest: Standing,
    pub(super) party: usize,
    pub(super) stands: Stands,
    /// What the tenant's policy has against it, but for its time.
    pub(super) refusals: Vec<Refusal>,
    /// Whether a page of a part of the transfers is about it.
    pub(super) is_shown: bool,
}

/// How an agreement stands, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stands {
    /// Its time is now, but the tenant requires more, or has no policy.
    Below,
    /// In so many days, counted up.
    Ends(i64),
    InForce,
    NotYet,
    Expired,
    Revoked,
}

impl Contract {
    /// `revisions`: the newest last.
    pub(super) fn new(
        mut revisions: Vec<Standing>,
        party: usize,
        policy: Option<&TransferPolicy>,
        now: Timestamp,
    ) -> Option<Self> {
        let newest = revisions.pop()?;
        let (agreement, terms) = (&newest.agreement, newest.agreement.terms());
        let first = terms.purposes.first().map_or("", String::as_str);
        let mut refusals = policy.map_or_else(Vec::new, |policy| agreement.refusals(policy, first, &[], &[], now));
        refusals.retain(|refusal| !matches!(refusal, Refusal::Expired(_) | Refusal::NotYetValid(_)));
        let left = terms.valid_until.unix_ms().saturating_sub(now.unix_ms());
        let stands = if newest.revoked.is_some() {
            Stands::Revoked
        } else if now >= terms.valid_until {
            Stands::Expired
        } else if now < terms.valid_from {
            Stands::NotYet
        } else if policy.is_none() || !refusals.is_empty() {
            Stands::Below
        } else if left <= SOON * DAY {
            Stands::Ends(left.saturating_add(DAY - 1) / DAY)
        } else {
            Stands::InForce
        };
        Some(Self { newest, party, stands, refusals, is_shown: true })
    }

    pub(super) fn terms(&self) -> &Terms {
        self.newest.agreement.terms()
    }

    /// Its anchor on the page.
    pub(super) fn anchor(&self) -> String {
        format!("a{}", hex(&self.newest.agreement.id()))
    }

    /// How it stands, as a sentence without its end.
    pub(super) fn told(&self) -> String {
        let (from, until) = (day(self.terms().valid_from), day(self.terms().valid_until));
        match self.stands {
            Stands::Below => "Nothing can be sent under it: the tenant requires more".to_owned(),
            Stands::Ends(1) => format!("In force, ends on {until}, within a day"),
            Stands::Ends(days) => format!("In force, ends on {until}, in {days} days"),
            Stands::InForce => format!("In force until {until}"),
            Stands::NotYet => format!("Not in force before {from}"),
            Stands::Expired => format!("Ended on {until}"),
            Stands::Revoked => {
                let on = self.newest.revoked.as_ref().map_or(String::new(), |(at, _)| format!(" on {}", day(*at)));
                format!("Revoked by the tenant{on}")
            }
        }
    }

    /// The class that colours it.
    pub(super) fn class(&self) -> &'static str {
        match self.stands {
            Stands::Below => "bad",
            Stands::Ends(_) => "odd",
            Stands::InForce => "good",
            Stands::NotYet | Stands::Expired | Stands::Revoked => "past",
        }
    }
}

pub(super) fn day(time: Timestamp) -> String {
    Day::of(time).date()
}

/// For tables.
pub(super) fn brief_day(time: Timestamp) -> String {
    Day::of(time).brief()
}
