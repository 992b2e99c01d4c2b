use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt;

use super::bates::Bates;
use crate::error::Result;
use crate::id::RecordId;
use crate::redact::Redactions;

/// Has a time-stamp authority answer a question.
pub(super) type Stamping =
    Box<dyn FnOnce(&[u8]) -> std::result::Result<Vec<u8>, Box<dyn StdError + Send + Sync>> + Send>;

/// What the package of a disclosure looks like.
pub struct ProductionOptions {
    pub(super) profile: ProductionProfile,
    pub(super) prefix: String,
    pub(super) volume: u16,
    pub(super) redactions: Redactions,
    pub(super) cleared: BTreeSet<(RecordId, usize)>,
    pub(super) stamping: Option<Stamping>,
}

/// For whom a package is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProductionProfile {
    /// For programs: a bag (RFC 8493) with a bundle of vCons.
    #[default]
    Portable,
    /// For a court and its document review: a numbered volume with natives, texts, a Concordance load file and logs.
    Litigation,
}

impl ProductionProfile {
    /// The word that stands for it in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Litigation => "litigation",
        }
    }
}

impl ProductionOptions {
    /// A package of this profile, with nothing redacted and no time stamp.
    pub fn new(profile: ProductionProfile) -> Self {
        Self {
            profile,
            prefix: "PROD".to_owned(),
            volume: 1,
            redactions: Redactions::none(),
            cleared: BTreeSet::new(),
            stamping: None,
        }
    }

    /// What stands before the Bates numbers of a litigation volume: a capital letter and up to eleven more, digits, `-` and
    /// `_`, with no digit last. `PROD` if none is given.
    #[must_use]
    pub fn bates_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// What stands before the numbers of documents, if they get any.
    ///
    /// # Errors
    /// `InvalidInput` if nothing can be numbered so.
    pub(crate) fn numbered(&self) -> Result<Option<&str>> {
        match self.profile {
            ProductionProfile::Portable => Ok(None),
            ProductionProfile::Litigation => Bates::new(&self.prefix, self.volume).map(|_| Some(&*self.prefix)),
        }
    }

    pub(crate) fn profile(&self) -> ProductionProfile {
        self.profile
    }

    /// The number of a litigation volume, 1 to 999: 1 if none is given.
    #[must_use]
    pub fn volume(mut self, number: u16) -> Self {
        self.volume = number;
        self
    }

    /// What is not to be told. Of a part of which something is redacted a copy is produced that lacks it, and the part itself
    /// is withheld; the log of the redactions has the reasons.
    ///
    /// What says the same is withheld too, unless something of it is redacted or it is [named](Self::produce_whole): where
    /// something of a conversation is redacted or withheld (recording, transcript, chat, e-mail), every other part of these
    /// kinds, and analyses; and the document that a record was imported from wherever anything of the record is. What a
    /// record says of itself, names and numbers of those who took part, is not redacted.
    #[must_use]
    pub fn redactions(mut self, redactions: Redactions) -> Self {
        self.redactions = redactions;
        self
    }

    /// A part, counted from 1, that says nothing of what is redacted in other parts of its record, as whoever reviewed it
    /// found: it is produced as it is.
    #[must_use]
    pub fn produce_whole(mut self, record: RecordId, part: usize) -> Self {
        self.cleared.insert((record, part));
        self
    }

    /// Has a time-stamp authority (RFC 3161) vouch for the time of the package's manifest. The closure gets the question, a
    /// `TimeStampReq` in DER, to send it as `application/timestamp-query`, and gives back the answer as it came, a
    /// `TimeStampResp`. It is called once, when everything is hashed and before the ledger is told; what it fails with ends
    /// the disclosure.
    #[must_use]
    pub fn time_stamp(
        mut self,
        ask: impl FnOnce(&[u8]) -> std::result::Result<Vec<u8>, Box<dyn StdError + Send + Sync>> + Send + 'static,
    ) -> Self {
        self.stamping = Some(Box::new(ask));
        self
    }
}

impl fmt::Debug for ProductionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, prefix, volume, redactions, cleared: _, stamping } = self;
        let (redactions, stamped) = (redactions.len(), stamping.is_some());
        write!(
            f,
            "ProductionOptions({profile:?}, {prefix}, volume {volume}, {redactions} redactions, stamped: {stamped})"
        )
    }
}
