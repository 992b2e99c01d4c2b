use std::ops::Range;

use super::copy::{Copier, Hidden, is_text};
use super::options::ProductionProfile;
use super::plan::{Planned, Why, Withheld};
use super::wanted::Opened;
use crate::audio::{AudioInfo, Cut, Peaks, probe};
use crate::bagit::Sums;
use crate::bundle::{self, Budget};
use crate::error::{Error, ErrorKind, Result};
use crate::exhibit::BUCKETS;
use crate::id::RecordId;
use crate::record::{PartInfo, PartKind};
use crate::redact::redact_audio;
use crate::retrieve::Record;

/// What a redacted recording is.
const WAV: &str = "audio/wav";
/// What a redacted text is.
const PLAIN: &str = "text/plain; charset=utf-8";

/// A part as it is produced.
pub(super) struct Document {
    pub(super) part: usize,
    pub(super) len: u64,
    pub(super) sums: Sums,
    pub(super) extension: &'static str,
    /// Its type, where that is not the part's.
    pub(super) media_type: Option<&'static str>,
    /// The stretch that it is of: as it was asked for in milliseconds, and what was cut.
    pub(super) cut: Option<(Range<u64>, Cut)>,
    pub(super) hidden: Option<Hidden>,
    /// What a page shows of a recording.
    pub(super) heard: Option<Box<Heard>>,
    /// SHA-256 of the part that it was made from. Not of one that is redacted: whoever knows all but a few digits of it could
    /// try them.
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

/// A recording as somebody sees it.
pub(super) struct Heard {
    pub(super) info: Option<AudioInfo>,
    /// Of what is produced alone.
    pub(super) peaks: Option<Peaks>,
}

/// What was found of a record.
pub(super) struct Gathered {
    pub(super) record: RecordId,
    pub(super) documents: Vec<Document>,
    pub(super) withheld: Vec<Withheld>,
}

impl Gathered {
    /// Bytes of the documents that are within the vCon.
    pub(super) fn inline_bytes(&self) -> u64 {
        self.documents.iter().filter(|document| document.inline).map(|document| document.len).sum()
    }
}

/// What reads and hashes records.
pub(super) struct Gatherer<'s> {
    pub(super) source: &'s dyn Opened,
    pub(super) profile: ProductionProfile,
    pub(super) copier: &'s Copier<'s>,
}

/// A document, or why there is none.
type Made = Result<Document, Why>;
type Tell<'t> = &'t dyn Fn(u64) -> Result<()>;

impl Gatherer<'_> {
    /// Reads and hashes what is planned of a record, with `tell` being told of every piece.
    pub(super) fn gather(&self, planned: &Planned, tell: Tell<'_>) -> Result<Gathered> {
        let withheld = planned.withheld.clone();
        let mut gathered = Gathered { record: planned.record, documents: Vec::new(), withheld };
        if planned.parts.is_empty() {
            return Ok(gathered);
        }
        let record = match self.source.read(planned.record) {
            Err(e) if e.kind() == ErrorKind::Erased => {
                gathered.withheld = vec![Withheld { part: None, why: Why::Erased }];
                return Ok(gathered);
            }
            read => read?,
        };
        let mut budget = Budget::default();
        for number in &planned.parts {
            let info = info(&record, *number)?;
            let stretch = planned.stretch.clone().filter(|_| info.kind == PartKind::Audio);
            match self.make(&record, *number, stretch, &mut budget, tell) {
                Ok(Ok(mut document)) => {
                    if info.kind == PartKind::Audio {
                        document.heard = Some(Box::new(heard(&record, &document)?));
                    }
                    gathered.documents.push(document);
                }
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

    fn make(
        &self,
        record: &Record,
        number: usize,
        stretch: Option<Range<u64>>,
        budget: &mut Budget,
        tell: Tell<'_>,
    ) -> Result<Made> {
        let redacted = !self.copier.redactions.part(record.id(), number).is_empty();
        match (redacted, info(record, number)?.kind, stretch) {
            (true, PartKind::Audio, stretch) => self.sound(record, number, stretch, tell),
            (true, _, _) => self.text(record, number, budget, tell),
            (false, _, Some(ms)) => cut(record, number, ms, tell),
            (false, _, None) => self.whole(record, number, budget, tell),
        }
    }

    fn whole(&self, record: &Record, number: usize, budget: &mut Budget, tell: Tell<'_>) -> Result<Made> {
        let info = info(record, number)?;
        let inline = self.profile == ProductionProfile::Portable && budget.takes(info.kind, info.len);
        let ((), len, sums) = bundle::hash(tell, |out| bundle::copy(&mut record.part(number)?, out))?;
        let text = match self.profile {
            ProductionProfile::Portable => None,
            ProductionProfile::Litigation => self.copier.text(record, number)?,
        };
        let text = text.map(|text| (text.len() as u64, Sums::of(text.as_bytes())));
        let (extension, original) = (bundle::extension(&info.media_type), Some(*sums.sha256()));
        Ok(Ok(Document { original, inline, text, ..Document::new(number, len, sums, extension) }))
    }

    /// A text without what is redacted.
    fn text(&self, record: &Record, number: usize, budget: &mut Budget, tell: Tell<'_>) -> Result<Made> {
        let info = info(record, number)?;
        if !is_text(info) {
            return Ok(Err(Why::CannotBeRedacted));
        }
        let Some(made) = self.copier.redacted(record, number)? else { return Ok(Err(Why::TooLong)) };
        tell(info.len)?;
        let body = made.text.body();
        let reason = |block: &Range<usize>| body.get(block.clone()).map(reason_of).unwrap_or_default().to_owned();
        let hidden = Hidden::Text(made.blocks.iter().map(reason).collect());
        let plain = made.to_plain();
        let (len, sums) = (plain.len() as u64, Sums::of(plain.as_bytes()));
        let portable = self.profile == ProductionProfile::Portable;
        Ok(Ok(Document {
            media_type: Some(PLAIN),
            hidden: Some(hidden),
            inline: portable && budget.takes(info.kind, len),
            text: (!portable).then_some((len, sums)),
            ..Document::new(number, len, sums, "txt")
        }))
    }

    /// A recording, or a stretch of it, without what is redacted.
    fn sound(&self, record: &Record, number: usize, stretch: Option<Range<u64>>, tell: Tell<'_>) -> Result<Made> {
        let redactions = self.copier.redactions.part(record.id(), number);
        let mut part = record.part(number)?;
        let hashed = bundle::hash(tell, |out| redact_audio(&mut part, stretch.clone(), redactions, out));
        let (replaced, len, sums) = match hashed {
            Ok(hashed) => hashed,
            Err(e) if e.kind() == ErrorKind::Unsupported => return Ok(Err(Why::CannotBeRedacted)),
            Err(e) if e.kind() == ErrorKind::InvalidInput && is_behind(record, number, stretch.as_ref())? => {
                return Ok(Err(Why::CannotBeCut));
            }
            Err(e) => return Err(e),
        };
        if let (Some(ms), true) = (&stretch, replaced.stretches.is_empty()) {
            return cut(record, number, ms.clone(), &|_| tell(0));
        }
        let cut = stretch.map(|asked| (asked, Cut { ms: replaced.ms, source: replaced.source, media_type: WAV }));
        let hidden = Some(Hidden::Sound(replaced.stretches));
        let media_type = Some(WAV);
        Ok(Ok(Document { media_type, cut, hidden, ..Document::new(number, len, sums, "wav") }))
    }
}

/// Looks at what is produced of a recording.
fn heard(record: &Record, document: &Document) -> Result<Heard> {
    let mut part = record.part(document.part)?;
    let stretch = document.cut.as_ref().map(|(_, cut)| cut.ms.clone());
    let hidden: Vec<Range<u64>> = match &document.hidden {
        Some(Hidden::Sound(stretches)) => stretches.iter().map(|(ms, _)| ms.clone()).collect(),
        _ => Vec::new(),
    };
    let peaks = Peaks::of(&mut part, stretch, &hidden, BUCKETS)?;
    Ok(Heard { info: probe(&mut part), peaks })
}

/// Whether a stretch is behind the end of a recording.
fn is_behind(record: &Record, number: usize, stretch: Option<&Range<u64>>) -> Result<bool> {
    let duration = record.audio(number)?.and_then(|info| info.duration_ms);
    Ok(stretch.zip(duration).is_some_and(|(ms, duration)| ms.start >= duration))
}

/// Hashes the stretch of a recording, and the whole that it is from.
fn cut(record: &Record, number: usize, ms: Range<u64>, tell: Tell<'_>) -> Result<Made> {
    let ((), _, whole) = bundle::hash(tell, |out| bundle::copy(&mut record.part(number)?, out))?;
    let (cut, len, sums) = match bundle::hash(&|_| tell(0), |out| record.cut_audio(number, ms.clone(), out)) {
        Ok(hashed) => hashed,
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) => {
            return Ok(Err(Why::CannotBeCut));
        }
        Err(e) => return Err(e),
    };
    let (extension, original) = (bundle::extension(cut.media_type), Some(*whole.sha256()));
    let media_type = Some(cut.media_type);
    let cut = Some((ms, cut));
    Ok(Ok(Document { media_type, cut, original, ..Document::new(number, len, sums, extension) }))
}

impl Document {
    fn new(part: usize, len: u64, sums: Sums, extension: &'static str) -> Self {
        Self {
            part,
            len,
            sums,
            extension,
            media_type: None,
            cut: None,
            hidden: None,
            heard: None,
            original: None,
            inline: false,
            text: None,
            number: 0,
            at: 0,
        }
    }
}

/// The reason in `[REDACTED: reason]`.
fn reason_of(block: &str) -> &str {
    block.trim_start_matches("[REDACTED: ").trim_end_matches(']')
}

/// What the head says of a part.
pub(super) fn info(record: &Record, number: usize) -> Result<&PartInfo> {
    let info = number.checked_sub(1).and_then(|at| record.head().parts.get(at));
    info.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a part up"))
}
