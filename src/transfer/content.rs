use std::io::Read;
use std::ops::Range;

use super::minimise::Minimiser;
use super::plan::PlannedRecord;
use super::wish::Wish;
use crate::agreement::Field;
use crate::bagit::Sums;
use crate::bundle::{self, Budget};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{PartInfo, PartKind};
use crate::retrieve::Record;
use crate::vcon;

/// A file of a package that holds a part.
#[derive(Clone)]
pub(super) struct Medium {
    pub(super) part: usize,
    pub(super) len: u64,
    pub(super) sums: Sums,
    extension: &'static str,
    /// The stretch that it is of, to whole frames, its media type, and the stretch that was asked for.
    cut: Option<(Range<u64>, &'static str, Range<u64>)>,
}

impl Medium {
    pub(super) fn name(&self) -> String {
        bundle::media_name(&self.sums, self.extension)
    }

    /// Hands the file's content to `take`, again as it was hashed.
    pub(super) fn read(&self, record: &Record, take: impl FnOnce(&mut dyn Read) -> Result<()>) -> Result<()> {
        let Some((_, _, ms)) = &self.cut else { return take(&mut record.part(self.part)?) };
        bundle::piped(|out| record.cut_audio(self.part, ms.clone(), out).map(drop), take)
    }
}

/// What becomes of the parts of a record.
pub(super) struct Sorted {
    /// Numbers of the parts that go into the vCon.
    inline: Vec<usize>,
    /// Those that go into files.
    pub(super) media: Vec<Medium>,
    /// Those that a stretch was asked of and that cannot be cut.
    pub(super) uncut: Vec<usize>,
}

impl Sorted {
    /// Bytes of the parts that go into the vCon.
    pub(super) fn inline_bytes(&self, record: &Record) -> u64 {
        self.inline.iter().filter_map(|number| Some(info(record, *number).ok()?.len)).sum()
    }
}

/// Reads the parts that go into files, hashes them with `tell` being told of every piece, and sorts all.
pub(super) fn sort(
    record: &Record,
    planned: &PlannedRecord,
    wish: &Wish,
    tell: &dyn Fn(u64) -> Result<()>,
) -> Result<Sorted> {
    let mut sorted = Sorted { inline: Vec::new(), media: Vec::new(), uncut: Vec::new() };
    let mut budget = Budget::default();
    for number in &planned.parts {
        let info = info(record, *number)?;
        let stretch = wish.stretch(record.id()).filter(|_| info.kind == PartKind::Audio);
        if stretch.is_none() && budget.takes(info.kind, info.len) {
            sorted.inline.push(*number);
            continue;
        }
        let hashed = bundle::hash(tell, |out| match &stretch {
            None => bundle::copy(&mut record.part(*number)?, out).map(|()| None),
            Some(ms) => record.cut_audio(*number, ms.clone(), out).map(Some),
        });
        let (cut, len, sums) = match hashed {
            Ok(hashed) => hashed,
            Err(e) if stretch.is_some() && matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) => {
                sorted.uncut.push(*number);
                continue;
            }
            Err(e) => return Err(e),
        };
        let cut = cut.zip(stretch).map(|(cut, asked)| (cut.ms, cut.media_type, asked));
        let media_type = cut.as_ref().map_or(info.media_type.as_str(), |(_, media_type, _)| media_type);
        let extension = bundle::extension(media_type);
        sorted.media.push(Medium { part: *number, len, sums, extension, cut });
    }
    // Held for every record until the transfer ends.
    sorted.media.shrink_to_fit();
    sorted.inline.shrink_to_fit();
    Ok(sorted)
}

/// The record as the recipient sees it: a strict vCon of what may go, under the name that it has there. The same whenever
/// it is made.
pub(super) fn document(
    record: &Record,
    planned: &PlannedRecord,
    sorted: &Sorted,
    minimiser: &Minimiser,
) -> Result<Vec<u8>> {
    let mut parts = Vec::new();
    for number in &planned.parts {
        let mut info = info(record, *number)?.clone();
        info.digest = None;
        if !minimiser.may(Field::PartNames) {
            info.name = None;
            info.media_type = plain_type(&info.media_type);
        }
        if sorted.inline.contains(number) {
            parts.push((info, vcon::Content::Inline(record.read_part(*number)?)));
        } else if let Some(medium) = sorted.media.iter().find(|medium| medium.part == *number) {
            if let Some((_, media_type, _)) = &medium.cut {
                info.media_type = (*media_type).to_owned();
            }
            let url = format!("{}files/{}", vcon::BAG_URL, medium.name());
            parts.push((info, vcon::Content::External { url, sha512: *medium.sums.sha512() }));
        }
    }
    let stretch = |medium: &Medium| Some((medium.name(), medium.cut.as_ref()?.0.clone()));
    let stretches: Vec<_> = sorted.media.iter().filter_map(stretch).collect();
    bundle::document(planned.name, minimiser.head(record.head()), parts, &stretches)
}

fn info(record: &Record, number: usize) -> Result<&PartInfo> {
    let info = number.checked_sub(1).and_then(|at| record.head().parts.get(at));
    info.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a part up"))
}

/// A media type without parameters that could hold a file's name, and `application/octet-stream` for what is none
/// (RFC 6838 section 4.2).
fn plain_type(media_type: &str) -> String {
    let is_name = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        !text.is_empty() && text.len() <= 127 && text.chars().all(allowed)
    };
    let mut members = media_type.split(';').map(str::trim);
    let whole = members.next().unwrap_or_default();
    if !whole.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype)) {
        return "application/octet-stream".to_owned();
    }
    let kept = members.find(|member| {
        let pair = member.split_once('=');
        pair.is_some_and(|(name, value)| name.eq_ignore_ascii_case("charset") && is_name(value.trim_matches('"')))
    });
    kept.map_or_else(|| whole.to_owned(), |charset| format!("{whole}; {charset}"))
}
