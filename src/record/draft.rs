use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::digest::ProducerDigest;
use super::head::{Channel, Direction, Head, PartInfo, PartKind};
use super::subject::Subject;
use crate::encoding::codec;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::time::Timestamp;

/// Parts that a record may have besides its head.
const MAX_PARTS: usize = 1000;

/// A record that is about to be ingested: metadata, and a reader for each part. Nothing is read before it is.
///
/// ```
/// use strongroom::{Channel, Draft, Identifier, PartKind, Role, Subject};
/// let draft = Draft::new(Channel::Voice)
///     .subject(Subject::new(Role::Customer, Identifier::tel("+15722568385")?))
///     .queue("billing")
///     .part(PartKind::Audio, "audio/x-wav", &b"RIFF..."[..])
///     .part(PartKind::Transcript, "text/plain", &b"Hello, this is Louis."[..]);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[must_use = "a draft is stored only by ingesting it"]
pub struct Draft<'a> {
    pub(crate) head: Head,
    pub(crate) parts: Vec<DraftPart<'a>>,
}

/// A part that is about to be ingested.
pub struct DraftPart<'a> {
    kind: PartKind,
    media_type: String,
    name: Option<String>,
    digest: Option<ProducerDigest>,
    source: Box<dyn Read + Send + 'a>,
}

impl<'a> DraftPart<'a> {
    /// A part from any reader.
    pub fn new(kind: PartKind, media_type: impl Into<String>, source: impl Read + Send + 'a) -> Self {
        Self { kind, media_type: media_type.into(), name: None, digest: None, source: Box::new(source) }
    }

    /// A part from a file, under the file's name.
    ///
    /// # Errors
    /// As the file system.
    pub fn from_file(kind: PartKind, media_type: impl Into<String>, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| Error::from_io(e, "opening a part's file"))?;
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        Ok(Self { name, ..Self::new(kind, media_type, file) })
    }

    /// Names it.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// States its digest; ingest refuses the record if the bytes have another.
    #[must_use]
    pub fn digest(self, digest: ProducerDigest) -> Self {
        Self { digest: Some(digest), ..self }
    }
}

impl<'a> Draft<'a> {
    /// An interaction over `channel`, without parts.
    pub fn new(channel: Channel) -> Self {
        let head = Head {
            ingested: Timestamp::from_unix_ms(0),
            start: None,
            duration_ms: None,
            channel,
            direction: None,
            agent: None,
            queue: None,
            language: None,
            tags: Vec::new(),
            policy_version: None,
            subjects: Vec::new(),
            idempotency_key: None,
            amends: None,
            parts: Vec::new(),
        };
        Self { head, parts: Vec::new() }
    }

    /// Adds a part from any reader.
    pub fn part(self, kind: PartKind, media_type: impl Into<String>, source: impl Read + Send + 'a) -> Self {
        self.with(DraftPart::new(kind, media_type, source))
    }

    /// Adds a part.
    pub fn with(mut self, part: DraftPart<'a>) -> Self {
        self.parts.push(part);
        self
    }

    /// When it began.
    pub fn start(mut self, start: Timestamp) -> Self {
        self.head.start = Some(start);
        self
    }

    /// How long it lasted, in milliseconds.
    pub fn duration_ms(mut self, ms: u64) -> Self {
        self.head.duration_ms = Some(ms);
        self
    }

    /// Who turned to whom.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.head.direction = Some(direction);
        self
    }

    /// The agent as the tenant's systems call them.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.head.agent = Some(agent.into());
        self
    }

    /// The queue or skill that it came through.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.head.queue = Some(queue.into());
        self
    }

    /// Its language, a BCP 47 tag.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.head.language = Some(language.into());
        self
    }

    /// Adds one of the tenant's own labels.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.head.tags.push(tag.into());
        self
    }

    /// The version of the privacy policy under which it was collected.
    pub fn policy_version(mut self, version: impl Into<String>) -> Self {
        self.head.policy_version = Some(version.into());
        self
    }

    /// Adds somebody who took part.
    pub fn subject(mut self, subject: Subject) -> Self {
        self.head.subjects.push(subject);
        self
    }

    /// The producer's own unique name for this interaction, at most 1,024 bytes. Ingesting the same draft again under
    /// it gives the record that is there; another draft under it is an error.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.head.idempotency_key = Some(key.into());
        self
    }

    /// Makes it a new version of an existing record of the same tenant.
    pub fn amends(mut self, record: RecordId) -> Self {
        self.head.amends = Some(record);
        self
    }

    /// What can be found wrong before anything is read.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |doing: &'static str| Err(Error::new(ErrorKind::InvalidInput, doing));
        if self.parts.is_empty() {
            return invalid("checking a draft that has no part");
        }
        if self.parts.len() > MAX_PARTS {
            return Err(Error::new(ErrorKind::TooLarge, format!("counting the parts of a draft, at most {MAX_PARTS}")));
        }
        if self.head.idempotency_key.as_ref().is_some_and(|k| k.is_empty() || k.len() > 1024) {
            return invalid("checking a draft's idempotency key, 1 to 1,024 bytes");
        }
        if self.head.subjects.iter().any(|s| s.name.is_none() && s.identifiers.is_empty()) {
            return invalid("checking a draft's subject that has neither name nor identifier");
        }
        for part in &self.parts {
            let media_type = &part.media_type;
            if media_type.is_empty() || media_type.contains(char::is_control) {
                return invalid("checking the media type of a draft's part");
            }
            part.digest.as_ref().map_or(Ok(()), ProducerDigest::check_length)?;
        }
        // The head as it will be, but for lengths and digests that take the same space whatever they are.
        let mut head = self.head.clone();
        head.parts = self.parts.iter().map(|p| p.info(0, [0; 32])).collect();
        head.encode().map(|bytes| drop(Zeroizing::new(bytes)))
    }
}

impl<'a> DraftPart<'a> {
    pub(crate) fn kind(&self) -> PartKind {
        self.kind
    }

    pub(crate) fn producer_digest(&self) -> Option<&ProducerDigest> {
        self.digest.as_ref()
    }

    pub(crate) fn source(&mut self) -> &mut (dyn Read + Send + 'a) {
        &mut *self.source
    }

    /// What it would be as a part, all of it read.
    pub(crate) fn into_info(mut self) -> Result<PartInfo> {
        let len = std::io::copy(&mut self.source, &mut std::io::sink());
        Ok(self.info(len.map_err(|e| Error::from_io(e, "reading a part"))?, [0; 32]))
    }

    pub(crate) fn info(&self, len: u64, sealed: [u8; 32]) -> PartInfo {
        let (media_type, name, digest) = (self.media_type.clone(), self.name.clone(), self.digest.clone());
        PartInfo { kind: self.kind, media_type, name, len, digest, sealed }
    }
}

/// What two drafts under one idempotency key must share: SHA-256 of everything that the producer said, in order.
pub(crate) struct Content(Sha256);

impl Content {
    pub(crate) fn of(draft: &Draft<'_>) -> Result<Self> {
        let mut head = draft.head.clone();
        head.parts = draft.parts.iter().map(|p| p.info(0, [0; 32])).collect();
        // A repetition comes later; all else must be equal.
        head.ingested = Timestamp::from_unix_ms(0);
        let bytes = Zeroizing::new(codec::encode(&head, super::MAX_HEAD, "a record's head")?);
        let mut hash = Sha256::new();
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(&bytes);
        Ok(Self(hash))
    }

    pub(crate) fn part(&mut self, len: u64, digest: &[u8; 32]) {
        self.0.update(len.to_be_bytes());
        self.0.update(digest);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head: _, parts } = self;
        write!(f, "Draft({} parts)", parts.len())
    }
}

impl fmt::Debug for DraftPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, media_type: _, name: _, digest: _, source: _ } = self;
        write!(f, "DraftPart({kind})")
    }
}
