use crate::mail;
use crate::text::{correspondents, parse_message};
use crate::time::Timestamp;

/// What an e-mail message says of itself, as review platforms list it.
#[derive(Default)]
pub(super) struct Letter {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) cc: String,
    pub(super) subject: String,
    pub(super) id: String,
    /// When it was sent, if its date has a zone.
    pub(super) sent: Option<Timestamp>,
}

impl Letter {
    /// Of a message (RFC 5322). What cannot be read says nothing.
    pub(super) fn of(message: &[u8]) -> Self {
        let Some(parsed) = parse_message(message) else { return Self::default() };
        let all = |list| correspondents(list).join("; ");
        Self {
            from: all(parsed.from()),
            to: all(parsed.to()),
            cc: all(parsed.cc()),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            id: parsed.message_id().unwrap_or_default().to_owned(),
            sent: mail::sent(&parsed),
        }
    }
}
