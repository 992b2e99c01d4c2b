//! Restrict: subjects whose interactions are not to be handed on, because they said so.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::encoding::codec;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Kind, Receipt, check_text};
use crate::record::{Head, Identifier};
use crate::retrieve::{PaperPlace, TenantSession};
use crate::time::Timestamp;

/// The topic of the papers that restrictions are kept in.
const TOPIC: &str = "restriction";
const VERSION: u16 = 1;
const MAX: u64 = 16 * 1024;

/// That a subject's interactions are not to be handed on.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restriction {
    /// Who.
    pub subject: Identifier,
    /// For which purpose alone; for every one if nothing is said.
    pub purpose: Option<String>,
    /// Why, in the tenant's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Said {
    lifted: bool,
    subject: Identifier,
    purpose: Option<String>,
    reason: String,
    at: Timestamp,
}

impl TenantSession {
    /// Has every record that names this subject left out of transfers from now on, of running ones from their next record
    /// on: for one purpose, or for all. The ledger says that somebody was restricted and keeps, for the tenant alone, whom.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if it is so already; [`InvalidInput`](ErrorKind::InvalidInput) for a
    /// purpose or reason that a ledger cannot tell; else as the disk.
    pub fn restrict(&self, subject: &Identifier, purpose: Option<&str>, reason: &str) -> Result<Receipt> {
        if self.is_restricted(subject, purpose)? {
            return Err(Error::new(ErrorKind::AlreadyExists, "restricting a subject that is restricted"));
        }
        self.say_restricted(false, subject, purpose, reason)
    }

    /// Lifts a restriction: the subject's records may be handed on again, those from before as well.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is none of that subject and purpose; else as
    /// [`restrict`](Self::restrict).
    pub fn lift_restriction(&self, subject: &Identifier, purpose: Option<&str>, reason: &str) -> Result<Receipt> {
        if !self.is_restricted(subject, purpose)? {
            return Err(Error::new(ErrorKind::NotFound, "lifting a restriction that is not there"));
        }
        self.say_restricted(true, subject, purpose, reason)
    }

    /// The restrictions in force, in the order in which they were placed.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if one does not open; else as the database.
    pub fn restrictions(&self) -> Result<Vec<Restriction>> {
        let mut known = Restrictions::default();
        known.learn(self)?;
        let mut all: Vec<Restriction> = known.of.into_values().flatten().collect();
        all.sort_by_key(|restriction| restriction.since);
        Ok(all)
    }

    /// Whether there is a restriction of just that subject and purpose.
    fn is_restricted(&self, subject: &Identifier, purpose: Option<&str>) -> Result<bool> {
        let mut known = Restrictions::default();
        known.learn(self)?;
        Ok(known.of.get(subject).is_some_and(|his| his.iter().any(|r| r.purpose.as_deref() == purpose)))
    }

    fn say_restricted(
        &self,
        lifted: bool,
        subject: &Identifier,
        purpose: Option<&str>,
        reason: &str,
    ) -> Result<Receipt> {
        let doing = "restricting a subject with words that a ledger cannot tell";
        check_text(reason, doing)?;
        purpose.map_or(Ok(()), |purpose| check_text(purpose, doing))?;
        let (at, purpose) = (Timestamp::now(), purpose.map(str::to_owned));
        let said = Said { lifted, subject: subject.clone(), purpose, reason: reason.to_owned(), at };
        let bytes = codec::encode_versioned(VERSION, &said, MAX, "a restriction")?;
        let kind = if lifted { Kind::RestrictionLifted } else { Kind::Restricted };
        self.say(self.tell(kind).paper(TOPIC, None, bytes))
    }
}

/// The restrictions in force, as far as somebody has read them.
#[derive(Default)]
pub(crate) struct Restrictions {
    of: HashMap<Identifier, Vec<Restriction>>,
    /// The last paper that was read.
    last: PaperPlace,
}

impl Restrictions {
    /// Reads what was said since.
    pub(crate) fn learn(&mut self, session: &TenantSession) -> Result<()> {
        if session.room.store.last_paper(session.tenant, TOPIC)? == self.last.n {
            return Ok(());
        }
        for paper in session.papers(TOPIC, self.last)? {
            let said: Said = codec::decode_versioned(VERSION, &paper.bytes, MAX, "a restriction")?;
            self.last = paper.place;
            let Said { lifted, subject, purpose, reason, at } = said;
            let his = self.of.entry(subject.clone()).or_default();
            his.retain(|r| r.purpose != purpose);
            if !lifted {
                his.push(Restriction { subject, purpose, reason, since: at });
            }
        }
        Ok(())
    }

    /// Whether a record that says this of itself must not be handed on for a purpose.
    pub(crate) fn forbid(&self, head: &Head, purpose: &str) -> bool {
        let stands = |r: &Restriction| r.purpose.as_deref().is_none_or(|only| only == purpose);
        head.identifiers().filter_map(|who| self.of.get(who)).flatten().any(stands)
    }
}

impl std::fmt::Debug for Restriction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { subject: _, purpose: _, reason: _, since } = self;
        write!(f, "Restriction(since {since})")
    }
}
