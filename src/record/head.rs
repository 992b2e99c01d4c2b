use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::ProducerDigest;
use super::subject::{Identifier, Subject};
use crate::encoding::codec;
use crate::error::Result;
use crate::id::RecordId;
use crate::secret::Plain;
use crate::stream::frame;
use crate::time::Timestamp;

/// Bytes that a head may take: generous for metadata, small enough to hold thousands in memory.
pub const MAX_HEAD: u64 = 256 * 1024;

/// The version of the head's layout that this build writes. Every later build reads every earlier one.
const VERSION: u16 = 1;

/// Everything that a record says about itself, sealed as its part 0: only the tenant reads it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Head {
    /// When the record was ingested, by the writer's clock.
    pub ingested: Timestamp,
    /// When the interaction began, if that is known.
    pub start: Option<Timestamp>,
    /// How long it lasted, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Over what it took place.
    pub channel: Channel,
    /// Who turned to whom.
    pub direction: Option<Direction>,
    /// The agent as the tenant's systems call them.
    pub agent: Option<String>,
    /// The queue or skill that it came through.
    pub queue: Option<String>,
    /// Its language, a BCP 47 tag.
    pub language: Option<String>,
    /// The tenant's own labels.
    pub tags: Vec<String>,
    /// The version of the privacy policy under which it was collected.
    pub policy_version: Option<String>,
    /// Who took part.
    pub subjects: Vec<Subject>,
    /// The producer's own name for it, which makes a repeated ingest harmless.
    pub idempotency_key: Option<String>,
    /// The record of which this is a new version.
    pub amends: Option<RecordId>,
    /// The parts, numbered from 1 in this order.
    pub parts: Vec<PartInfo>,
}

/// What the head says of a part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartInfo {
    /// What it is to the interaction.
    pub kind: PartKind,
    /// Its media type as the producer gave it, known or not.
    pub media_type: String,
    /// A file name or title.
    pub name: Option<String>,
    /// Its length in bytes before padding.
    pub len: u64,
    /// What its producer said it hashes to; it did.
    pub digest: Option<ProducerDigest>,
    /// SHA-256 of the sealed part, which ties the public header to this head.
    pub sealed: [u8; 32],
}

/// What a part is to the interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PartKind {
    /// A recording.
    Audio,
    /// What was said, as text.
    Transcript,
    /// A chat or text-message log.
    Chat,
    /// An e-mail message (RFC 5322).
    Email,
    /// Anything that was handed over or belongs to it.
    Attachment,
    /// What somebody or something found out about it.
    Analysis,
    /// The document that it was imported from, byte for byte.
    Original,
}

impl PartKind {
    /// The kind's number in the part's context; 0 is the head.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Audio => 1,
            Self::Transcript => 2,
            Self::Chat => 3,
            Self::Email => 4,
            Self::Attachment => 5,
            Self::Analysis => 6,
            Self::Original => 7,
        }
    }
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Audio => "audio",
            Self::Transcript => "transcript",
            Self::Chat => "chat",
            Self::Email => "e-mail",
            Self::Attachment => "attachment",
            Self::Analysis => "analysis",
            Self::Original => "original",
        })
    }
}

/// Over what an interaction took place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Channel {
    /// Telephone or voice over IP.
    Voice,
    /// Video call.
    Video,
    /// Chat on a site or in an app.
    Chat,
    /// Text message.
    Sms,
    /// E-mail.
    Email,
    /// A social network.
    Social,
    /// Anything else, in the producer's words.
    Other(String),
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Voice => "voice",
            Self::Video => "video",
            Self::Chat => "chat",
            Self::Sms => "sms",
            Self::Email => "e-mail",
            Self::Social => "social",
            Self::Other(name) => name,
        })
    }
}

/// Who turned to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Direction {
    /// The customer turned to the tenant.
    Inbound,
    /// The tenant turned to the customer.
    Outbound,
    /// Within the tenant.
    Internal,
}

impl Head {
    /// The time under which the record is listed: its start, or its ingest where the start is unknown.
    pub fn time(&self) -> Timestamp {
        self.start.unwrap_or(self.ingested)
    }

    /// What the record is found by: every identifier in it, once.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = &Identifier> {
        let mut seen = HashSet::new();
        self.subjects.iter().flat_map(|subject| &subject.identifiers).filter(move |i| seen.insert(*i))
    }

    /// `u16(version) || codec(head)`.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        codec::encode_versioned(VERSION, self, MAX_HEAD, "a record's head")
    }

    /// `u32(length) || head || zeros`, as part 0 seals it: a head carries its own length, since nothing else does.
    pub(crate) fn encode_padded(&self) -> Result<Plain> {
        Ok(frame(&Plain::from(self.encode()?)))
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        codec::decode_versioned(VERSION, bytes, MAX_HEAD, "a record's head")
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ingested, parts, .. } = self;
        write!(f, "Head(ingested {ingested}, {} parts)", parts.len())
    }
}

impl fmt::Debug for PartInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, media_type: _, name: _, len, digest: _, sealed: _ } = self;
        write!(f, "PartInfo({kind}, {len} bytes)")
    }
}
