use std::io;

use crate::html::{Page, moment};
use crate::id::OrderId;
use crate::record::{Channel, Subject};
use crate::time::Timestamp;

/// Why and for whom a production was made: every page of it says so.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) order: OrderId,
    pub(crate) authority: &'a str,
    /// The authority's own name for the matter.
    pub(crate) reference: &'a str,
    /// The legal basis, in a word of documents or in words.
    pub(crate) basis: &'a str,
    /// Whose records they are.
    pub(crate) tenant: &'a str,
    pub(crate) created: Timestamp,
}

impl Occasion<'_> {
    /// The order's data, as pairs of a list.
    pub(super) fn pairs(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.pair("Authority", self.authority)?;
        page.pair("Reference", self.reference)?;
        page.pair("Legal basis", &in_words(self.basis))?;
        page.pair("Records of", self.tenant)?;
        page.pair_of("Made", |page| page.text(moment(self.created)))?;
        page.pair_of("Order", |page| page.element("code", &[], self.order))
    }
}

/// A word of documents as a person would write it: `court-order` is `Court order`.
pub(super) fn in_words(word: &str) -> String {
    let plain = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let mut words = if plain { word.replace('-', " ") } else { word.to_owned() };
    if plain && let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// What a record is, in a word.
pub(super) fn what(channel: &Channel) -> String {
    match channel {
        Channel::Voice => "Call".to_owned(),
        Channel::Video => "Video call".to_owned(),
        Channel::Chat => "Chat".to_owned(),
        Channel::Sms => "Text messages".to_owned(),
        Channel::Email => "E-mail".to_owned(),
        Channel::Social => "Messages on a social network".to_owned(),
        Channel::Other(name) => name.clone(),
    }
}

/// Who took part, in a line: `Olivia Flores, customer, +15722568385`.
pub(crate) fn party(subject: &Subject) -> String {
    let known = subject.identifiers.iter().map(|identifier| identifier.value());
    subject.name.as_deref().into_iter().chain([subject.role.as_str()]).chain(known).collect::<Vec<_>>().join(", ")
}
