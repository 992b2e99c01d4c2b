use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::RecipientClass;
use crate::document::is_readable;
use crate::document::wire;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Identity, PublicKey, Recipient};

/// Bytes of a name or contact at the most.
const MAX_TEXT: usize = 256;
/// Bytes of a card's JSON at the most.
const MAX_CARD: usize = 16 * 1024;

/// A country: two capital letters, as ISO 3166-1 alpha-2 has them. Whether they are assigned to one is not checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of that code.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is not two capital letters.
    pub fn new(code: &str) -> Result<Self> {
        match code.as_bytes() {
            &[a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([a, b])),
            _ => Err(Error::new(ErrorKind::InvalidInput, "parsing a country's code")),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}

impl FromStr for Country {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self> {
        Self::new(code)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        wire::text::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        wire::text::deserialize(from)
    }
}

/// Who a third party is, and its keys: the one that transfers are sealed to, and the one that it signs with. As text it
/// is JSON. Whoever signs an agreement says with it that the card is right; before, it is as good as the way it came.
///
/// ```
/// use strongroom::{Country, Identity, RecipientCard, RecipientClass};
/// let identity = Identity::generate()?;
/// let (class, country) = (RecipientClass::ServiceProvider, Country::new("DE")?);
/// let card = RecipientCard::new("Quality GmbH", class, &identity, "privacy@quality.example", country)?;
/// assert_eq!(card.to_string().parse::<RecipientCard>()?, card);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipientCard {
    name: String,
    class: RecipientClass,
    #[serde(with = "wire::text")]
    recipient: Recipient,
    #[serde(with = "wire::key")]
    key: PublicKey,
    contact: String,
    country: Country,
}

impl RecipientCard {
    /// The card of whoever holds `identity`. Name and contact are of 1 to 256 bytes.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if name or contact is empty or longer, or holds control characters.
    pub fn new(
        name: impl Into<String>,
        class: RecipientClass,
        identity: &Identity,
        contact: impl Into<String>,
        country: Country,
    ) -> Result<Self> {
        Self::with_keys(name, class, identity.recipient().clone(), identity.public_key(), contact, country)
    }

    /// As [`new`](Self::new), for keys held elsewhere.
    ///
    /// # Errors
    /// As there.
    pub fn with_keys(
        name: impl Into<String>,
        class: RecipientClass,
        recipient: Recipient,
        key: PublicKey,
        contact: impl Into<String>,
        country: Country,
    ) -> Result<Self> {
        let card = Self { name: name.into(), class, recipient, key, contact: contact.into(), country };
        if card.is_sound() { Ok(card) } else { Err(Error::new(ErrorKind::InvalidInput, "making a recipient's card")) }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is to the tenant.
    pub fn class(&self) -> RecipientClass {
        self.class
    }

    /// The key that transfers are sealed to.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The key that checks what it signs.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// How its people are reached.
    pub fn contact(&self) -> &str {
        &self.contact
    }

    /// Where it has its seat.
    pub fn country(&self) -> Country {
        self.country
    }

    /// Whether every member can be so.
    pub(super) fn is_sound(&self) -> bool {
        [&self.name, &self.contact].iter().all(|text| is_readable(text, MAX_TEXT))
    }
}

impl fmt::Display for RecipientCard {
    /// As JSON, ended by a line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{json}")
    }
}

impl FromStr for RecipientCard {
    type Err = Error;

    /// Parses what `Display` prints, to the byte.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for everything else.
    fn from_str(text: &str) -> Result<Self> {
        let parsed = Some(text).filter(|text| text.len() <= MAX_CARD).and_then(|text| serde_json::from_str(text).ok());
        let sound = parsed.filter(|card: &Self| card.is_sound() && card.to_string() == text);
        sound.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "parsing a recipient's card"))
    }
}

impl fmt::Debug for RecipientCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name: _, class, recipient: _, key, contact: _, country } = self;
        write!(f, "RecipientCard({class}, {country}, {key})")
    }
}
