use std::ops::Range;

use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::{Head, PartInfo, PartKind};
use crate::vcon;

/// The file that makes a folder of vCons a bundle: its name, and its text.
pub(crate) const BUNDLE: &str = "manifest.json";
pub(crate) const BUNDLE_TEXT: &[u8] = b"{\"format\":\"vcon-bundle\",\"version\":\"1.0\"}\n";

/// A medium of at most so many bytes goes into its vCon, a longer one into a file beside it.
const MAX_INLINE: u64 = 64 * 1024;
/// Texts go into a vCon of whatever length, until it has so many bytes of them; and as many of the others: a document is held
/// in memory.
const MAX_INLINE_ALL: u64 = 1 << 20;

/// What a vCon has room for yet.
#[derive(Default)]
pub(crate) struct Budget {
    texts: u64,
    others: u64,
}

impl Budget {
    /// Whether a part of this kind and length goes into the vCon, which then has less room.
    pub(crate) fn takes(&mut self, kind: PartKind, len: u64) -> bool {
        let text = matches!(kind, PartKind::Transcript | PartKind::Chat | PartKind::Email | PartKind::Analysis);
        let all = if text { &mut self.texts } else { &mut self.others };
        let fits = (text || len <= MAX_INLINE) && *all + len <= MAX_INLINE_ALL;
        if fits {
            *all += len;
        }
        fits
    }
}

/// A strict vCon of a record under this name, as text. `stretches` are the files that hold a stretch of a recording, and
/// which one in milliseconds.
pub(crate) fn document(
    name: RecordId,
    mut head: Head,
    parts: Vec<(PartInfo, vcon::Content)>,
    stretches: &[(String, Range<u64>)],
) -> Result<Vec<u8>> {
    if !stretches.is_empty() {
        // That of the whole would say how much is missing.
        head.duration_ms = None;
    }
    let (infos, contents): (Vec<PartInfo>, Vec<vcon::Content>) = parts.into_iter().unzip();
    let parts = infos.iter().zip(contents).map(|(info, content)| vcon::ExportPart { info, content }).collect();
    let mut document = vcon::build(name, &head, parts);
    let stretch = |(file, ms): &(String, Range<u64>)| json!({ "file": file, "from_ms": ms.start, "to_ms": ms.end, "of": "a longer recording" });
    if !stretches.is_empty() {
        document["strongroom"]["stretches"] = Value::Array(stretches.iter().map(stretch).collect());
    }
    serde_json::to_vec_pretty(&document).map_err(|e| Error::new(ErrorKind::Io, "writing a vCon").because(e))
}
