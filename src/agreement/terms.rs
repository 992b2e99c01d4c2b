use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::card::RecipientCard;
use super::profile::{MAX_DAYS, MAX_HOURS, ProtectionProfile};
use super::words::{Field, Onward};
use crate::document::is_readable;
use crate::document::wire;
use crate::record::{Head, Identifier, PartKind};
use crate::time::Timestamp;

const MAX_PURPOSES: usize = 32;
/// Queues, and subjects, at the most.
const MAX_SCOPE: usize = 1_000;
/// Bytes of a purpose or queue at the most.
const MAX_TEXT: usize = 256;

/// Which records an agreement is about. A record must fit each list that is not empty: be of one of the queues, and name
/// one of the subjects. With both empty it is about every record.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Queues, 1,000 at the most.
    pub queues: BTreeSet<String>,
    /// People, 1,000 at the most, ascending by their text.
    #[serde(with = "wire::identifiers")]
    pub subjects: Vec<Identifier>,
}

impl Scope {
    /// Whether the record of that head is one of them.
    pub fn covers(&self, head: &Head) -> bool {
        let of_queue = self.queues.is_empty() || head.queue.as_ref().is_some_and(|queue| self.queues.contains(queue));
        of_queue && (self.subjects.is_empty() || head.identifiers().any(|of| self.subjects.contains(of)))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queues, subjects } = self;
        write!(f, "Scope({} queues, {} subjects)", queues.len(), subjects.len())
    }
}

/// What tenant and recipient agree upon. Everything that is not named is excluded: kinds of parts, fields and purposes
/// must be added, and the numbers of days and hours have no default.
///
/// ```
/// use strongroom::{
///     AtRest, Country, Field, Identity, PartKind, ProtectionProfile, RecipientCard, RecipientClass, Terms, Timestamp,
/// };
/// let identity = Identity::generate()?;
/// let (class, country) = (RecipientClass::ServiceProvider, Country::new("DE")?);
/// let card = RecipientCard::new("Quality GmbH", class, &identity, "privacy@quality.example", country)?;
/// let profile = ProtectionProfile { at_rest: AtRest::Application, ..ProtectionProfile::weakest() };
/// let (from, until): (Timestamp, Timestamp) = ("2026-01-01T00:00:00Z".parse()?, "2027-01-01T00:00:00Z".parse()?);
/// let terms = Terms::new(card, profile, from, until)
///     .purpose("quality assurance")
///     .kind(PartKind::Transcript)
///     .field(Field::Start)
///     .queue("billing")
///     .retention_days(30)
///     .receipt_hours(72);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// The third party.
    pub recipient: RecipientCard,
    /// What for, 1 to 32 texts of 1 to 256 bytes.
    pub purposes: BTreeSet<String>,
    /// Which parts of a record may go; at least one kind.
    pub kinds: BTreeSet<PartKind>,
    /// What of a record's head may go.
    pub fields: BTreeSet<Field>,
    /// Which records.
    pub scope: Scope,
    /// The first moment at which a transfer is allowed.
    pub valid_from: Timestamp,
    /// The first moment at which none is any more.
    pub valid_until: Timestamp,
    /// Whether the recipient may pass them on.
    pub onward: Onward,
    /// How long the recipient may keep what it receives, in days, 1 to 36,500.
    pub retention_days: u32,
    /// Within how many hours it acknowledges, 1 to 8,760.
    pub receipt_hours: u32,
    /// How it protects what it receives.
    pub profile: ProtectionProfile,
}

impl Terms {
    /// Terms with this recipient, who protects data like this, from `valid_from` until before `valid_until`. Nothing may be
    /// passed on by the recipient.
    pub fn new(
        recipient: RecipientCard,
        profile: ProtectionProfile,
        valid_from: Timestamp,
        valid_until: Timestamp,
    ) -> Self {
        Self {
            recipient,
            purposes: BTreeSet::new(),
            kinds: BTreeSet::new(),
            fields: BTreeSet::new(),
            scope: Scope::default(),
            valid_from,
            valid_until,
            onward: Onward::Forbidden,
            retention_days: 0,
            receipt_hours: 0,
            profile,
        }
    }

    /// Adds a purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: impl Into<String>) -> Self {
        self.purposes.insert(purpose.into());
        self
    }

    /// Adds a kind of parts.
    #[must_use]
    pub fn kind(mut self, kind: PartKind) -> Self {
        self.kinds.insert(kind);
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.insert(field);
        self
    }

    /// Narrows it to the records of this queue, or adds a queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.scope.queues.insert(queue.into());
        self
    }

    /// Narrows it to the records of this person, or adds a person.
    #[must_use]
    pub fn subject(mut self, subject: Identifier) -> Self {
        self.scope.subjects.push(subject);
        self
    }

    /// Says whether the recipient may pass records on.
    #[must_use]
    pub fn onward(self, onward: Onward) -> Self {
        Self { onward, ..self }
    }

    /// Sets how long the recipient may keep what it receives.
    #[must_use]
    pub fn retention_days(self, retention_days: u32) -> Self {
        Self { retention_days, ..self }
    }

    /// Sets within how many hours the recipient acknowledges.
    #[must_use]
    pub fn receipt_hours(self, receipt_hours: u32) -> Self {
        Self { receipt_hours, ..self }
    }

    /// The same in the one order.
    pub(super) fn ordered(mut self) -> Self {
        self.scope.subjects.sort_by_cached_key(Identifier::to_string);
        self.scope.subjects.dedup();
        self
    }

    /// Which member cannot be so, if any.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let Self {
            recipient,
            purposes,
            kinds,
            fields: _,
            scope,
            valid_from,
            valid_until,
            onward: _,
            retention_days,
            receipt_hours,
            profile,
        } = self;
        let texts =
            |texts: &BTreeSet<String>, max| texts.len() <= max && texts.iter().all(|t| is_readable(t, MAX_TEXT));
        let scoped = texts(&scope.queues, MAX_SCOPE) && scope.subjects.len() <= MAX_SCOPE;
        [
            ("recipient", recipient.is_sound()),
            ("purposes", !purposes.is_empty() && texts(purposes, MAX_PURPOSES)),
            ("kinds of parts", !kinds.is_empty()),
            ("scope", scoped),
            ("validity", valid_from < valid_until && is_writable(*valid_from) && is_writable(*valid_until)),
            ("days of retention", (1..=MAX_DAYS).contains(retention_days)),
            ("hours until a receipt", (1..=MAX_HOURS).contains(receipt_hours)),
            ("profile", profile.is_sound()),
        ]
        .into_iter()
        .find_map(|(member, sound)| (!sound).then_some(member))
    }
}

/// Whether RFC 3339 can write it: years 0 to 9999.
pub(super) fn is_writable(time: Timestamp) -> bool {
    time.to_string().parse::<Timestamp>().is_ok_and(|parsed| parsed == time)
}
