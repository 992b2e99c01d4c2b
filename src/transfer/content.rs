use std::io::{self, Write};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::minimise::Minimiser;
use super::plan::PlannedRecord;
use super::wish::Wish;
use crate::agreement::Field;
use crate::bagit::{Digests, Sums};
use crate::error::{Error, ErrorKind, Result};
use crate::record::{PartInfo, PartKind};
use crate::retrieve::Record;
use crate::secret::Plain;
use crate::vcon;

/// A medium of at most so many bytes goes into its vCon, a longer one into a file beside it.
const MAX_INLINE: u64 = 64 * 1024;
/// Texts go into a vCon of whatever length, until it has so many bytes of them; and as many of the others: a document is held
/// in memory.
const MAX_INLINE_ALL: u64 = 1 << 20;

/// Bytes that are read at once.
const BLOCK: usize = 256 * 1024;

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
    /// As the vCon Zip Bundle names files (draft-miller-vcon-zip-bundle-00).
    pub(super) fn name(&self) -> String {
        format!("sha512-{}.{}", URL_SAFE_NO_PAD.encode(self.sums.sha512()), self.extension)
    }

    /// Hands the file's content to `take`, again as it was hashed.
    pub(super) fn read(&self, record: &Record, take: impl FnOnce(&mut dyn io::Read) -> Result<()>) -> Result<()> {
        let Some((_, _, ms)) = &self.cut else { return take(&mut record.part(self.part)?) };
        // What cuts writes, and what takes reads.
        let (mut reader, mut writer) = io::pipe().map_err(|e| Error::from_io(e, "cutting a recording"))?;
        std::thread::scope(|scope| {
            let cutting = scope.spawn(move || record.cut_audio(self.part, ms.clone(), &mut writer).map(drop));
            let taken = take(&mut reader);
            // A taker that gave up must not leave the other waiting for it.
            drop(reader);
            let cut = cutting.join().unwrap_or_else(|_| Err(Error::new(ErrorKind::Io, "cutting a recording")));
            taken.and(cut)
        })
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
    tell: impl Fn(u64) -> Result<()>,
) -> Result<Sorted> {
    let mut sorted = Sorted { inline: Vec::new(), media: Vec::new(), uncut: Vec::new() };
    let (mut texts, mut others) = (0, 0);
    for number in &planned.parts {
        let info = info(record, *number)?;
        let stretch = wish.stretch(record.id()).filter(|_| info.kind == PartKind::Audio);
        let text = matches!(info.kind, PartKind::Transcript | PartKind::Chat | PartKind::Email | PartKind::Analysis);
        let all = if text { &mut texts } else { &mut others };
        let fits = (text || info.len <= MAX_INLINE) && *all + info.len <= MAX_INLINE_ALL;
        if stretch.is_none() && fits {
            *all += info.len;
            sorted.inline.push(*number);
            continue;
        }
        let mut sink = Hashing { digests: Digests::new(), tell: &tell };
        let cut = match stretch {
            None => {
                let mut reader = record.part(*number)?;
                let mut block = Plain::from(vec![0; BLOCK]);
                loop {
                    let got =
                        io::Read::read(&mut reader, &mut block).map_err(|e| Error::from_io(e, "reading a part"))?;
                    if got == 0 {
                        break;
                    }
                    sink.write_all(&block[..got]).map_err(|e| Error::from_io(e, "hashing a part"))?;
                }
                None
            }
            Some(ms) => match record.cut_audio(*number, ms.clone(), &mut sink) {
                Ok(cut) => Some((cut.ms, cut.media_type, ms)),
                Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput) => {
                    sorted.uncut.push(*number);
                    continue;
                }
                Err(e) => return Err(e),
            },
        };
        let (len, sums) = (sink.digests.len(), sink.digests.finish());
        let media_type = cut.as_ref().map_or(info.media_type.as_str(), |(_, media_type, _)| media_type);
        sorted.media.push(Medium { part: *number, len, sums, extension: extension(media_type), cut });
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
    let mut head = minimiser.head(record.head());
    if sorted.media.iter().any(|medium| medium.cut.is_some()) {
        // That of the whole would say how much is missing.
        head.duration_ms = None;
    }
    let mut infos = Vec::new();
    for number in &planned.parts {
        let mut info = info(record, *number)?.clone();
        info.digest = None;
        if !minimiser.may(Field::PartNames) {
            info.name = None;
            info.media_type = plain_type(&info.media_type);
        }
        if sorted.inline.contains(number) {
            infos.push((info, vcon::Content::Inline(record.read_part(*number)?)));
        } else if let Some(medium) = sorted.media.iter().find(|medium| medium.part == *number) {
            if let Some((_, media_type, _)) = &medium.cut {
                info.media_type = (*media_type).to_owned();
            }
            let url = format!("{}files/{}", vcon::BAG_URL, medium.name());
            infos.push((info, vcon::Content::External { url, sha512: *medium.sums.sha512() }));
        }
    }
    let parts = infos.into_iter();
    let (infos, contents): (Vec<PartInfo>, Vec<vcon::Content>) = parts.unzip();
    let parts = infos.iter().zip(contents).map(|(info, content)| vcon::ExportPart { info, content }).collect();
    let mut document = vcon::build(planned.name, &head, parts);
    tell_stretches(&mut document, sorted);
    serde_json::to_vec_pretty(&document).map_err(|e| Error::new(ErrorKind::Io, "writing a vCon").because(e))
}

/// Says of each recording that is not whole which stretch it is.
fn tell_stretches(document: &mut Value, sorted: &Sorted) {
    let cut = sorted.media.iter().filter_map(|medium| Some((medium.name(), medium.cut.as_ref()?)));
    let stretches: Vec<Value> = cut
        .map(|(name, (ms, _, _))| json!({ "file": name, "from_ms": ms.start, "to_ms": ms.end, "of": "a longer recording" }))
        .collect();
    if !stretches.is_empty() {
        document["strongroom"]["stretches"] = Value::Array(stretches);
    }
}

fn info(record: &Record, number: usize) -> Result<&PartInfo> {
    let info = number.checked_sub(1).and_then(|at| record.head().parts.get(at));
    info.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a part up"))
}

/// Hashes what is written to it.
struct Hashing<'t, T> {
    digests: Digests,
    tell: &'t T,
}

impl<T: Fn(u64) -> Result<()>> Write for Hashing<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digests.update(bytes);
        (self.tell)(bytes.len() as u64)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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

/// What programs expect a file of that type to be called.
fn extension(media_type: &str) -> &'static str {
    match media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/ogg" | "audio/opus" => "ogg",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/mp4" | "audio/x-m4a" => "m4a",
        "video/mp4" => "mp4",
        "application/json" | "application/vcon+json" => "json",
        "application/pdf" => "pdf",
        "message/rfc822" => "eml",
        "text/html" => "html",
        "text/plain" => "txt",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        _ => "bin",
    }
}
