use std::io::Read;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::gather::{Document, info};
use super::mail::Letter;
use crate::audio::Filler;
use crate::bagit::Verify;
use crate::bundle;
use crate::error::Result;
use crate::record::{PartInfo, PartKind};
use crate::redact::{RedactedText, Redactions, redact_audio, redact_text};
use crate::retrieve::Record;
use crate::secret::Plain;
use crate::text::Text;

/// Bytes of a part that a text is made of at the most: it is held in memory for that.
const MAX_TEXT: u64 = 16 << 20;
/// Of longer ones, one is in memory at a time.
const SHORT: u64 = 1 << 20;

/// Makes the copies that are produced: the same whenever they are made.
pub(super) struct Copier<'s> {
    pub(super) redactions: &'s Redactions,
    /// Held by whoever has a long text in memory.
    long: Mutex<()>,
}

/// What was redacted of a copy.
pub(super) enum Hidden {
    /// The reason of each place where something stands in the text instead.
    Text(Vec<String>),
    /// Stretches in milliseconds of the source, and what is heard instead.
    Sound(Vec<(Range<u64>, Filler)>),
}

impl<'s> Copier<'s> {
    pub(super) fn new(redactions: &'s Redactions) -> Self {
        Self { redactions, long: Mutex::new(()) }
    }

    /// What a person reads in a part, as plain text; nothing if it is no text, or too long.
    pub(super) fn text(&self, record: &Record, number: usize) -> Result<Option<String>> {
        let len = info(record, number)?.len;
        self.alone(len, || Ok(self.read_text(record, number)?.map(|text| text.to_plain().into_owned())))
    }

    /// The same as turns.
    pub(super) fn read_text(&self, record: &Record, number: usize) -> Result<Option<Text<'static>>> {
        let info = info(record, number)?;
        if !is_text(info) || info.len > MAX_TEXT {
            return Ok(None);
        }
        record.text(number).map(Some)
    }

    /// The same without what is redacted; nothing if it is too long.
    pub(super) fn redacted(&self, record: &Record, number: usize) -> Result<Option<RedactedText>> {
        let info = info(record, number)?;
        if info.len > MAX_TEXT {
            return Ok(None);
        }
        self.alone(info.len, || {
            let bytes = Plain::from(record.read_part(number)?);
            redact_text(&info.media_type, &bytes, self.redactions.part(record.id(), number)).map(Some)
        })
    }

    /// What a message says of itself; nothing if it is too long.
    pub(super) fn letter(&self, record: &Record, number: usize) -> Result<Option<Letter>> {
        let len = info(record, number)?.len;
        if len > MAX_TEXT {
            return Ok(None);
        }
        self.alone(len, || Ok(Some(Letter::of(&Plain::from(record.read_part(number)?)))))
    }

    fn alone<T>(&self, len: u64, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let _long = (len > SHORT).then(|| self.long.lock().unwrap_or_else(PoisonError::into_inner));
        make()
    }

    /// Hands what is produced as a document to `take`, again as it was hashed, and whether it is to be compared.
    pub(super) fn read(
        &self,
        record: &Record,
        document: &Document,
        take: impl FnOnce(&mut dyn Read, Verify) -> Result<()>,
    ) -> Result<()> {
        let (number, stretch) = (document.part, document.cut.as_ref().map(|(asked, _)| asked.clone()));
        match (&document.hidden, stretch) {
            (Some(Hidden::Text(_)), _) => {
                let made = self.redacted(record, number)?.map(|made| made.to_plain()).unwrap_or_default();
                take(&mut made.as_bytes(), Verify::Sha256)
            }
            (Some(Hidden::Sound(_)), stretch) => {
                let redactions = self.redactions.part(record.id(), number);
                bundle::piped(
                    |out| redact_audio(&mut record.part(number)?, stretch, redactions, out).map(drop),
                    |content| take(content, Verify::Sha256),
                )
            }
            // What a vault opens is what was sealed: its length is all that can differ.
            (None, None) => take(&mut record.part(number)?, Verify::Length),
            (None, Some(ms)) => bundle::piped(
                |out| record.cut_audio(number, ms, out).map(drop),
                |content| take(content, Verify::Length),
            ),
        }
    }

    /// The whole of it in memory, for one that is short.
    pub(super) fn bytes(&self, record: &Record, document: &Document) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read(record, document, |content, _| {
            let read = content.read_to_end(&mut bytes);
            read.map(drop).map_err(|e| crate::error::Error::from_io(e, "reading a document"))
        })?;
        Ok(bytes)
    }
}

/// Whether a person reads something in it.
pub(super) fn is_text(info: &PartInfo) -> bool {
    const KNOWN: [&str; 7] = [
        "message/rfc822",
        "application/json",
        "application/jsonl",
        "application/x-ndjson",
        "application/jsonlines",
        "application/xhtml+xml",
        "application/x-subrip",
    ];
    let media_type = info.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let written = matches!(info.kind, PartKind::Transcript | PartKind::Chat | PartKind::Email);
    written || media_type.starts_with("text/") || media_type.ends_with("+json") || KNOWN.contains(&&*media_type)
}
