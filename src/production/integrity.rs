//! `integrity.json`: what every document is made from. SPEC "Disclosure package".

use serde::Serialize;

use super::gather::{Document, info};
use super::layout::Layout;
use crate::error::Result;
use crate::id::hex;
use crate::record::PartKind;
use crate::retrieve::Record;
use crate::store::header_digest;
use crate::stream::{CHUNK, HEADER, SEALED_CHUNK};

pub(super) const BEGIN: &str = "{\n\"version\": 1,\n\"documents\": [\n";
pub(super) const END: &str = "\n]\n}\n";

/// Adds lines to others.
pub(super) fn add(lines: &mut String, more: &str) {
    if !more.is_empty() && !lines.is_empty() && lines != BEGIN {
        lines.push_str(",\n");
    }
    lines.push_str(more);
}

#[derive(Serialize)]
struct Line<'a> {
    record: String,
    part: usize,
    kind: String,
    bates: Option<String>,
    /// Below `data/`.
    file: &'a str,
    /// Where in the file, a JSON pointer (RFC 6901), unless it is the whole file.
    place: Option<String>,
    bytes: u64,
    sha256: String,
    sha512: String,
    redacted: bool,
    original: Option<Original<'a>>,
    sealed: Sealed,
    stretch: Option<Stretch>,
}

/// The part as it was before it was sealed.
#[derive(Serialize)]
struct Original<'a> {
    media_type: &'a str,
    bytes: u64,
    sha256: String,
}

/// The part as the vault keeps it, to the byte.
#[derive(Serialize)]
struct Sealed {
    bytes: u64,
    sha256: String,
    /// SHA-256 of the record's header, which has this digest in it and which the ledger counts.
    record_header_sha256: String,
}

/// Which part of the original it is. Ranges are from the first to behind the last.
#[derive(Serialize)]
struct Stretch {
    asked_ms: [u64; 2],
    ms: [u64; 2],
    bytes: [u64; 2],
    /// Of the sealed original, each of 16,384 bytes before it was sealed.
    chunks: [u64; 2],
    /// Where they are in the sealed original.
    sealed_bytes: [u64; 2],
}

/// A line about a document that is in `file`, in this place of it.
pub(super) fn line(
    record: &Record,
    document: &Document,
    layout: &Layout,
    file: &str,
    place: Option<String>,
) -> Result<String> {
    let info = info(record, document.part)?;
    let sealed = record.header().parts.get(document.part);
    let original = |sha256: [u8; 32]| Original { media_type: &info.media_type, bytes: info.len, sha256: hex(&sha256) };
    let line = Line {
        record: record.id().to_string(),
        part: document.part,
        kind: info.kind.to_string(),
        bates: layout.bates(document),
        file,
        place,
        bytes: document.len,
        sha256: hex(document.sums.sha256()),
        sha512: hex(document.sums.sha512()),
        redacted: document.hidden.is_some(),
        original: document.original.map(original),
        sealed: Sealed {
            bytes: sealed.map_or(0, |part| part.len),
            sha256: hex(&info.sealed),
            record_header_sha256: hex(&header_digest(&record.header().to_bytes())),
        },
        stretch: document.cut.as_ref().map(|(asked, cut)| {
            let (first, last) = (cut.source.start / CHUNK as u64, cut.source.end.div_ceil(CHUNK as u64));
            let at = |chunk: u64| HEADER as u64 + chunk * SEALED_CHUNK as u64;
            let end = sealed.map_or(0, |part| part.len);
            Stretch {
                asked_ms: [asked.start, asked.end],
                ms: [cut.ms.start, cut.ms.end],
                bytes: [cut.source.start, cut.source.end],
                chunks: [first, last],
                sealed_bytes: [at(first), at(last).min(end)],
            }
        }),
    };
    // Strings and numbers always serialise.
    Ok(serde_json::to_string(&line).unwrap_or_else(|_| unreachable!("strings and numbers")))
}

/// Places of parts in a vCon, in the order in which they are put there.
#[derive(Default)]
pub(super) struct Places {
    dialogs: usize,
    analyses: usize,
    attachments: usize,
}

impl Places {
    /// The place of the next part, of this kind.
    pub(super) fn next(&mut self, kind: PartKind) -> String {
        let (list, at) = match kind {
            PartKind::Audio | PartKind::Chat | PartKind::Email => ("dialog", &mut self.dialogs),
            PartKind::Transcript | PartKind::Analysis => ("analysis", &mut self.analyses),
            PartKind::Attachment | PartKind::Original => ("attachments", &mut self.attachments),
        };
        *at += 1;
        format!("/{list}/{}", *at - 1)
    }
}
