use std::error::Error as StdError;
use std::fmt;

/// Has a time-stamp authority answer a question.
pub(super) type Stamping = Box<dyn FnOnce(&[u8]) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> + Send>;

/// What the package of a disclosure looks like.
pub struct ProductionOptions {
    pub(super) profile: ProductionProfile,
    pub(super) prefix: String,
    pub(super) volume: u16,
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
        Self { profile, prefix: "PROD".to_owned(), volume: 1, stamping: None }
    }

    /// What stands before the Bates numbers of a litigation volume: a capital letter and up to eleven more, digits, `-` and
    /// `_`, with no digit last. `PROD` if none is given.
    #[must_use]
    pub fn bates_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
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

    /// Has a time-stamp authority (RFC 3161) vouch for the time of the package's manifest. The closure gets the question, a
    /// `TimeStampReq` in DER, to send it as `application/timestamp-query`, and gives back the answer as it came, a
    /// `TimeStampResp`. It is called once, when everything is hashed and before the ledger is told; what it fails with ends
    /// the disclosure.
    #[must_use]
    pub fn time_stamp(
        mut self,
        ask: impl FnOnce(&[u8]) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> + Send + 'static,
    ) -> Self {
        self.stamping = Some(Box::new(ask));
        self
    }
}

impl fmt::Debug for ProductionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, prefix, volume, stamping } = self;
        write!(f, "ProductionOptions({profile:?}, {prefix}, volume {volume}, stamped: {})", stamping.is_some())
    }
}
