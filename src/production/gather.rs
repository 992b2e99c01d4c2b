use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::options::ProductionProfile;
use super::plan::{Planned, Why, Withheld};
use super::wanted::Opened;
use crate::audio::Cut;
use crate::bagit::Sums;
use crate::bundle::{self, Budget};
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::{PartInfo, PartKind};
use crate::retrieve::Record;

/// Bytes of a part that a text is made of at the most: it is held in memory for that.
pub(super) const MAX_TEXT: u64 = 16 << 20;
/// Of longer ones, one is in memory at a time.
const SHORT: u64 = 1 << 20;

/// A part as it is produced.
pub(super) struct Document {
    pub(super) part: usize,
    pub(super) len: u64,
    pub(super) sums: Sums,
    pub(super) extension: &'static str,
    /// The stretch that it is of: as it was asked for in milliseconds, and what was cut.
    pub(super) cut: Option<(Range<u64>, Cut)>,
    /// SHA-256 of the part that it was made from.
    pub(super) original: Option<[u8; 32]>,
    /// It is within its record's vCon.
    pub(super) inline: bool,
    /// Length and digests of its text, which is a file of its own.
    pub(super) text: Option<(u64, Sums)>,
    /// Its Bates number.
    pub(super) number: u64,
    /// How many documents are before it.
    pub(super) at: usize,
}

/// What was found of a record.
pub(super) struct Gathered {
    pub(super) record: RecordId,
    pub(super) documents: Vec<Document>,
    pub(super) withheld: Vec<Withheld>,
}

/// How documents are read that have to be in memory.
pub(super) struct Gatherer<'s> {
    pub(super) source: &'s dyn Opened,
    pub(super) profile: ProductionProfile,
    /// Held by whoever has a long text in memory.
    pub(super) long: Mutex<()>,
}

impl Gatherer<'_> {
    /// Reads and hashes what is planned of a record, with `tell` being told of every piece.
    pub(super) fn gather(&self, planned: &Planned, tell: &dyn Fn(u64) -> Result<()>) -> Result<Gathered> {
        let withheld =
            planned.withheld.iter().map(|withheld| Withheld { part: withheld.part, why: withheld.why.clone() });
        let mut gathered = Gathered { record: planned.record, documents: Vec::new(), withheld: withheld.collect() };
        if planned.parts.is_empty() {
            return Ok(gathered);
        }
        let record = self.source.read(planned.record)?;
        let mut budget = Budget::default();
        for number in &planned.parts {
            let info = info(&record, *number)?;
            let made = match planned.stretch.clone().filter(|_| info.kind == PartKind::Audio) {
                Some(ms) => stretch(&record, *number, ms, tell),
                None => self.whole(&record, *number, info, &mut budget, tell),
            };
            match made {
                Ok(Ok(document)) => gathered.documents.push(document),
                Ok(Err(why)) => gathered.withheld.push(Withheld { part: Some(*number), why }),
                Err(e) if e.kind() == ErrorKind::Erased => {
                    gathered.withheld.push(Withheld { part: Some(*number), why: Why::Erased });
                }
                Err(e) => return Err(e),
            }
        }
        // Held for every record until the production ends.
        gathered.documents.shrink_to_fit();
        gathered.withheld.sort_by_key(|withheld| withheld.part);
        gathered.withheld.shrink_to_fit();
        Ok(gathered)
    }

    fn whole(
        &self,
        record: &Record,
        number: usize,
        info: &PartInfo,
        budget: &mut Budget,
        tell: &dyn Fn(u64) -> Result<()>,
    ) -> Result<Result<Document, Why>> {
        let inline = self.profile == ProductionProfile::Portable && budget.takes(info.kind, info.len);
        let ((), len, sums) = bundle::hash(tell, |out| bundle::copy(&mut record.part(number)?, out))?;
        let litigation = self.profile == ProductionProfile::Litigation;
        let text = if litigation {
            self.text(record, number)?.map(|text| (text.len() as u64, Sums::of(text.as_bytes())))
        } else {
            None
        };
        let (extension, original) = (bundle::extension(&info.media_type), Some(*sums.sha256()));
        Ok(Ok(Document { part: number, len, sums, extension, cut: None, original, inline, text, number: 0, at: 0 }))
    }

    /// What a person reads in a part; nothing if it is no text, or too long.
    pub(super) fn text(&self, record: &Record, number: usize) -> Result<Option<String>> {
        let info = info(record, number)?;
        if !is_text(info) || info.len > MAX_TEXT {
            return Ok(None);
        }
        let _long = (info.len > SHORT).then(|| self.long.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Some(record.text(number)?.body().to_owned()))
    }
}

/// Hashes the stretch of a recording, and the whole that it is from.
fn stretch(
    record: &Record,
    number: usize,
    ms: Range<u64>,
    tell: &dyn Fn(u64) -> Result<()>,
) -> Result<Result<Document, Why>> {
    let ((), _, whole) = bundle::hash(tell, |out| bundle::copy(&mut record.part(number)?, out))?;
    let (cut, len, sums) = match bundle::hash(&|_| tell(0), |out| record.cut_audio(number, ms.clone(), out)) {
        Ok(hashed) => hashed,
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) => {
            return Ok(Err(Why::CannotBeCut));
        }
        Err(e) => return Err(e),
    };
    let (extension, original) = (bundle::extension(cut.media_type), Some(*whole.sha256()));
    let cut = Some((ms, cut));
    Ok(Ok(Document { part: number, len, sums, extension, cut, original, inline: false, text: None, number: 0, at: 0 }))
}

/// What the head says of a part.
pub(super) fn info(record: &Record, number: usize) -> Result<&PartInfo> {
    let info = number.checked_sub(1).and_then(|at| record.head().parts.get(at));
    info.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a part up"))
}

/// Whether a person reads something in it.
fn is_text(info: &PartInfo) -> bool {
    let media_type = info.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = [
        "message/rfc822",
        "application/json",
        "application/jsonl",
        "application/x-ndjson",
        "application/jsonlines",
        "application/xhtml+xml",
        "application/x-subrip",
    ];
    let written = matches!(info.kind, PartKind::Transcript | PartKind::Chat | PartKind::Email);
    written || media_type.starts_with("text/") || media_type.ends_with("+json") || known.contains(&&*media_type)
}
