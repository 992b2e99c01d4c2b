use std::collections::HashSet;
use std::io::Cursor;

use mail_parser::{Address, HeaderValue, Message, MimeHeaders};
use sha2::{Digest, Sha256};

use super::MAX_MESSAGE;
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::record::{Channel, Coercion, Direction, Draft, DraftPart, Identifier, Imported, PartKind, Role, Subject};
use crate::text::parse_message;
use crate::time::Timestamp;

/// Attachments that are taken out as parts; more stay in the message alone.
const MAX_ATTACHMENTS: usize = 500;

/// How messages are imported.
///
/// ```
/// use strongroom::{Direction, mail};
/// let message = b"From: Olivia <olivia@example.com>\r\nTo: help@bank.example\r\nSubject: My card\r\n\r\nIt is lost.\r\n";
/// let imported = mail::Import::new().own_domain("bank.example").import(message)?;
/// # let _ = (imported, Direction::Inbound);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Import {
    own: HashSet<String>,
}

impl Import {
    /// Without domains of the tenant's own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Addresses of this domain, and of those below it, are the tenant's: who has one is an agent, all others are
    /// customers, and the direction is told by who wrote. Without any, nobody's role is guessed.
    #[must_use]
    pub fn own_domain(mut self, domain: &str) -> Self {
        self.own.insert(domain.trim_start_matches('@').to_lowercase());
        self
    }

    /// Makes a draft of a message.
    ///
    /// Its parts are the message itself and its attachments, decoded. Its start is the `Date`, if that has a zone; its
    /// idempotency key is `mail:`, the `Message-ID` and the beginning of its SHA-256; the first message of its thread is in a tag,
    /// `thread:<message id>`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is no message: neither sender nor recipient, date nor subject;
    /// [`TooLarge`](ErrorKind::TooLarge) above 64 MiB.
    pub fn import(&self, message: &[u8]) -> Result<Imported> {
        let bad = || Error::new(ErrorKind::InvalidInput, "reading an e-mail message");
        if message.len() as u64 > MAX_MESSAGE {
            return Err(Error::new(ErrorKind::TooLarge, "reading an e-mail message of more than 64 MiB"));
        }
        let parsed = parse_message(message).ok_or_else(bad)?;
        if parsed.from().is_none() && parsed.to().is_none() && parsed.date().is_none() && parsed.subject().is_none() {
            return Err(bad());
        }
        let mut coercions = Vec::new();
        let mut draft = Draft::new(Channel::Email);
        match parsed.header_raw("Date") {
            None => coercions.push(Coercion::new("Date", "missing: listed under the time of its ingest")),
            Some(_) => match sent(&parsed) {
                Some(time) => draft = draft.start(time),
                None => coercions
                    .push(Coercion::new("Date", "without a zone or no date: listed under the time of its ingest")),
            },
        }
        draft = self.people(draft, &parsed, &mut coercions);
        let id = cut(parsed.message_id().unwrap_or_default(), 200);
        draft = draft.idempotency_key(format!("mail:{id}:{}", hex(&Sha256::digest(message)[..16])));
        if let Some(root) = thread(&parsed) {
            draft = draft.tag(format!("thread:{}", cut(&root, 900)));
        }
        draft = draft.part(PartKind::Email, "message/rfc822", Cursor::new(message.to_vec()));
        for (at, part) in parsed.attachments().enumerate() {
            if at == MAX_ATTACHMENTS {
                coercions.push(Coercion::new("attachments", "more than 500: the others are in the message alone"));
                break;
            }
            let media_type = match part.content_type() {
                Some(kind) => format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("octet-stream")),
                None if part.is_message() => "message/rfc822".to_owned(),
                None => "application/octet-stream".to_owned(),
            };
            let media_type: String = media_type.chars().filter(|c| !c.is_control()).take(200).collect();
            let name = part.attachment_name().map(|name| cut(name, 500).to_owned());
            let bytes = match part.message() {
                Some(inner) => inner.raw_message().to_vec(),
                None => part.contents().to_vec(),
            };
            let attachment = DraftPart::new(PartKind::Attachment, media_type, Cursor::new(bytes));
            draft = draft.with(attachment.name(name.unwrap_or_else(|| format!("attachment-{}", at + 1))));
        }
        Ok(Imported::new(draft, coercions))
    }

    fn is_own(&self, address: &str) -> bool {
        let domain = address.rsplit('@').next().unwrap_or_default().to_lowercase();
        self.own.iter().any(|own| domain == *own || domain.strip_suffix(own.as_str()).is_some_and(|d| d.ends_with('.')))
    }

    fn people(&self, mut draft: Draft<'static>, parsed: &Message<'_>, coercions: &mut Vec<Coercion>) -> Draft<'static> {
        let (mut seen, mut from_own, mut to_own) = (HashSet::new(), None, false);
        for (header, list) in [("From", parsed.from()), ("To", parsed.to()), ("Cc", parsed.cc())] {
            for one in list.into_iter().flat_map(Address::iter).take(1000) {
                let address = one.address().unwrap_or_default();
                let own = self.is_own(address);
                if header == "From" {
                    from_own = from_own.or(Some(own));
                } else {
                    to_own |= own;
                }
                let role = match (self.own.is_empty(), own) {
                    (true, _) => Role::Other(header.to_lowercase()),
                    (false, true) => Role::Agent,
                    (false, false) => Role::Customer,
                };
                let name = one.name().filter(|name| !name.trim().is_empty());
                let mut subject =
                    Subject { role, name: name.map(|name| cut(name, 500).to_owned()), identifiers: Vec::new() };
                match Identifier::mailto(address) {
                    Ok(identifier) if seen.insert(identifier.clone()) => subject.identifiers.push(identifier),
                    Ok(_) => continue,
                    Err(_) => coercions.push(Coercion::new(header, "not found by it: it is no e-mail address")),
                }
                if own && header == "From" {
                    draft.head.agent = Some(cut(address, 250).to_owned());
                }
                if subject.name.is_some() || !subject.identifiers.is_empty() {
                    draft = draft.subject(subject);
                }
            }
        }
        match from_own {
            _ if self.own.is_empty() => draft,
            Some(true) if to_own && !draft.head.subjects.iter().any(|s| s.role == Role::Customer) => {
                draft.direction(Direction::Internal)
            }
            Some(true) => draft.direction(Direction::Outbound),
            Some(false) => draft.direction(Direction::Inbound),
            None => draft,
        }
    }
}

/// The date, if its header has a zone.
pub(crate) fn sent(parsed: &Message<'_>) -> Option<Timestamp> {
    let raw = parsed.header_raw("Date")?.trim();
    let date = parsed.date().filter(|date| date.is_valid())?;
    // Comments behind it aside, a zone is the last word: +0100, GMT, or a letter.
    let raw = raw.split('(').next().unwrap_or_default().trim_end();
    let zone = raw.rsplit(char::is_whitespace).next()?;
    let numeric = zone.strip_prefix(['+', '-']).is_some_and(|z| z.len() == 4 && z.bytes().all(|b| b.is_ascii_digit()));
    let named = ["UT", "UTC", "GMT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"].contains(&zone);
    if !numeric && !named {
        return None;
    }
    date.to_rfc3339().parse().ok()
}

/// The id of the message that its thread began with; its own if it began one.
fn thread(parsed: &Message<'_>) -> Option<String> {
    fn first(value: &HeaderValue<'_>) -> Option<String> {
        match value {
            HeaderValue::Text(id) => Some(id.to_string()),
            HeaderValue::TextList(ids) => ids.first().map(ToString::to_string),
            _ => None,
        }
    }
    first(parsed.references())
        .or_else(|| first(parsed.in_reply_to()))
        .or_else(|| parsed.message_id().map(str::to_owned))
}

fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
