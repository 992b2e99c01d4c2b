use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// A person or service in an interaction.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What they did in it.
    pub role: Role,
    /// Their name as it was given.
    pub name: Option<String>,
    /// How they can be recognised.
    pub identifiers: Vec<Identifier>,
}

impl Role {
    /// The word for it, which is the producer's for any other.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Bot => "bot",
            Self::Other(other) => other,
        }
    }
}

impl Subject {
    /// Somebody who is known by one identifier.
    pub fn new(role: Role, identifier: Identifier) -> Self {
        Self { role, name: None, identifiers: vec![identifier] }
    }

    /// Somebody of whom only the name is known.
    pub fn named(role: Role, name: impl Into<String>) -> Self {
        Self { role, name: Some(name.into()), identifiers: Vec::new() }
    }

    /// Adds a name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Adds an identifier.
    #[must_use]
    pub fn with_identifier(mut self, identifier: Identifier) -> Self {
        self.identifiers.push(identifier);
        self
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role: _, name: _, identifiers } = self;
        write!(f, "Subject(with {} identifiers)", identifiers.len())
    }
}

/// What a subject did in the interaction.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// The tenant's customer.
    Customer,
    /// Who spoke for the tenant.
    Agent,
    /// Who listened in or took over.
    Supervisor,
    /// A program that spoke for the tenant.
    Bot,
    /// Anybody else, in the producer's words.
    Other(String),
}

/// How a subject is recognised: one unique identifier, checked and in one spelling.
///
/// ```
/// use strongroom::{DialPlan, Identifier};
/// assert_eq!(Identifier::tel("+1 (572) 256-8385")?, Identifier::tel("tel:+1-572-256-8385")?);
/// assert_eq!(Identifier::tel_in("030 1234567", DialPlan::new("49", "0", "00"))?, Identifier::tel("+49301234567")?);
/// assert_eq!(Identifier::mailto("Olivia@Example.COM")?.value(), "olivia@example.com");
/// assert!(Identifier::tel("anonymous").is_err());
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier(Typed);

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Typed {
    Tel(String),
    Mailto(String),
    Customer(String),
}

/// How a country's national numbers become international ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialPlan<'a> {
    country: &'a str,
    trunk: &'a str,
    international: &'a str,
}

impl<'a> DialPlan<'a> {
    /// A plan with its country code, trunk prefix (may be empty) and international prefix: `("49", "0", "00")` for
    /// Germany, `("1", "1", "011")` for North America.
    pub const fn new(country: &'a str, trunk: &'a str, international: &'a str) -> Self {
        Self { country, trunk, international }
    }
}

impl Identifier {
    /// A telephone number, as dialled or as a `tel:` URI (RFC 3966): visual separators are dropped. With a `+` it must
    /// be an E.164 number; without one it cannot be normalised and is kept as its digits.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no telephone number.
    pub fn tel(text: &str) -> Result<Self> {
        let (number, extension) = split_tel(text)?;
        Self::from_digits(&number, &extension)
    }

    /// As [`tel`](Self::tel), with a national number completed by the country's plan.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no telephone number.
    pub fn tel_in(text: &str, plan: DialPlan<'_>) -> Result<Self> {
        let (number, extension) = split_tel(text)?;
        // The trunk prefix may be written where it is never dialled, as in +49 (0)30: not guessed at.
        let full = if number.starts_with('+') {
            number
        } else if let Some(rest) = number.strip_prefix(plan.international) {
            format!("+{rest}")
        } else {
            format!("+{}{}", plan.country, number.strip_prefix(plan.trunk).unwrap_or(&number))
        };
        Self::from_digits(&full, &extension)
    }

    fn from_digits(number: &str, extension: &str) -> Result<Self> {
        let digits = number.strip_prefix('+').unwrap_or(number);
        let international = number.starts_with('+');
        // E.164: at most 15 digits, no country code begins with 0. The shortest numbers in use have 7 with the code.
        let fits = if international {
            (7..=15).contains(&digits.len()) && !digits.starts_with('0')
        } else {
            (2..=32).contains(&digits.len())
        };
        if !fits {
            return Err(invalid("a telephone number"));
        }
        let extension = if extension.is_empty() { String::new() } else { format!(";ext={extension}") };
        Ok(Self(Typed::Tel(format!("{number}{extension}"))))
    }

    /// An e-mail address, bare or as a `mailto:` URI, lower-cased: addresses that differ only in case reach the same
    /// person.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no address.
    pub fn mailto(text: &str) -> Result<Self> {
        let address = strip_scheme(text.trim(), "mailto:").to_lowercase();
        let (local, domain) = address.rsplit_once('@').ok_or_else(|| invalid("an e-mail address"))?;
        let strange = |c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c);
        let domain_fits = !domain.is_empty()
            && domain.split('.').all(|l| !l.is_empty() && l.len() <= 63)
            && !domain.contains(strange);
        let local_fits = !local.is_empty() && local.len() <= 64 && !local.contains(strange) && !local.contains('@');
        if !domain_fits || !local_fits || address.len() > 254 {
            return Err(invalid("an e-mail address"));
        }
        Ok(Self(Typed::Mailto(address)))
    }

    /// The tenant's own number or name for a customer: 1 to 256 bytes, kept as it is but for outer white space.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is empty, longer, or holds control characters.
    pub fn customer(text: &str) -> Result<Self> {
        let number = text.trim();
        if number.is_empty() || number.len() > 256 || number.contains(char::is_control) {
            return Err(invalid("a customer number"));
        }
        Ok(Self(Typed::Customer(number.to_owned())))
    }

    /// Its kind: `tel`, `mailto` or `customer`.
    pub fn scheme(&self) -> &'static str {
        match self.0 {
            Typed::Tel(_) => "tel",
            Typed::Mailto(_) => "mailto",
            Typed::Customer(_) => "customer",
        }
    }

    /// Its value in the one spelling.
    pub fn value(&self) -> &str {
        match &self.0 {
            Typed::Tel(v) | Typed::Mailto(v) | Typed::Customer(v) => v,
        }
    }
}

impl fmt::Display for Identifier {
    /// As a URI: `tel:+15722568385`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme(), self.value())
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({})", self.scheme())
    }
}

/// Digits with a leading `+` if there is one, and the extension's digits.
fn split_tel(text: &str) -> Result<(String, String)> {
    let text = strip_scheme(text.trim(), "tel:");
    let (number, parameters) = text.split_once(';').unwrap_or((text, ""));
    let mut extension = String::new();
    for parameter in parameters.split(';').filter(|p| !p.is_empty()) {
        // Others (phone-context, isub) do not say which subscriber it is, or not to us.
        if let Some(digits) = parameter.to_ascii_lowercase().strip_prefix("ext=") {
            extension = only_digits(digits).ok_or_else(|| invalid("a telephone extension"))?;
        }
    }
    let (plus, rest) = number.trim().strip_prefix('+').map_or(("", number.trim()), |rest| ("+", rest));
    let digits = only_digits(rest).ok_or_else(|| invalid("a telephone number"))?;
    Ok((format!("{plus}{digits}"), extension))
}

/// The digits of a text that holds nothing but digits and RFC 3966's visual separators, white space and slashes.
fn only_digits(text: &str) -> Option<String> {
    let mut digits = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '-' | '.' | '(' | ')' | '/' => {}
            c if c.is_whitespace() => {}
            _ => return None,
        }
    }
    Some(digits)
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> &'a str {
    match text.get(..scheme.len()) {
        Some(start) if start.eq_ignore_ascii_case(scheme) => &text[scheme.len()..],
        _ => text,
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("parsing {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_in_many_spellings_is_one_identifier() {
        let number = Identifier::tel("+4930123456").unwrap();
        for spelling in ["+49 30 123456", "tel:+49-30-123456", " +49(30)12.34.56 ", "TEL:+4930123456;phone-context=x"] {
            assert_eq!(Identifier::tel(spelling).unwrap(), number, "{spelling}");
        }
        let german = DialPlan::new("49", "0", "00");
        for spelling in ["030/123456", "0049 30 123456", "+49 30 123456"] {
            assert_eq!(Identifier::tel_in(spelling, german).unwrap(), number, "{spelling}");
        }
        let american = DialPlan::new("1", "1", "011");
        for spelling in ["(572) 256-8385", "1-572-256-8385", "011 1 572 256 8385"] {
            assert_eq!(Identifier::tel_in(spelling, american).unwrap().value(), "+15722568385", "{spelling}");
        }
        assert_eq!(Identifier::tel("+4930123456;ext=12").unwrap().to_string(), "tel:+4930123456;ext=12");
        assert_ne!(Identifier::tel("+4930123456;ext=12").unwrap(), number);
        assert_eq!(Identifier::tel("030 123456").unwrap().value(), "030123456");
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        for bad in ["", "anonymous", "+0301234567", "+1234567890123456", "+12", "7", "sip:a@b", "+49 30 ABC", "٠١٢٣"]
        {
            assert_eq!(Identifier::tel(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
        for bad in [
            "",
            "olivia",
            "@example.com",
            "olivia@",
            "a b@example.com",
            "Olivia <o@example.com>",
            "o@example..com",
            "a@b@c",
        ] {
            assert_eq!(Identifier::mailto(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
        for bad in ["", "  ", "a\0b", &"x".repeat(257)] {
            assert_eq!(Identifier::customer(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn debugging_a_subject_tells_nobody_who_it_is() {
        let subject = Subject::new(Role::Customer, Identifier::tel("+15722568385").unwrap()).with_name("Olivia");
        let printed = format!("{subject:?} {:?}", subject.identifiers);
        assert!(!printed.contains("572") && !printed.contains("Olivia"), "{printed}");
    }
}
