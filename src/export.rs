//! Export: the owner takes records out, as a bag of vCons with their media that other programs read.

use std::io::{Read, Write};
use std::path::Path;

use ring::digest::{Context, SHA512};
use serde_json::Value;

use crate::bagit::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::{PartInfo, PartKind, ProducerDigest};
use crate::retrieve::{Record, TenantSession};
use crate::vcon;

/// A part of at most so many bytes goes into its vCon, a longer one into a file beside it.
const MAX_INLINE: u64 = 64 * 1024;
/// Texts go in up to here, so that a vCon says what was said.
const MAX_INLINE_TEXT: u64 = 4 << 20;

/// What an export took out.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Exported {
    /// Records in the bag.
    pub records: u64,
    /// Media files in the bag beside the vCons.
    pub files: u64,
    /// Bytes of the vCons and media.
    pub bytes: u64,
    /// Records, or parts of those in the bag, that are not in it because they were erased. Also in the bag, as
    /// `erased.txt`.
    pub erased: Vec<(RecordId, Option<usize>)>,
}

impl TenantSession {
    /// Writes records as a BagIt 1.0 bag (RFC 8493) to a folder that is not there yet or empty: for each a folder
    /// `data/<record id>` with a strict vCon 0.4.0, `vcon.json`, and the media that are too large to be in it.
    ///
    /// The vCon of a record that was imported from one is that one, normalised; of any other it is built from its head
    /// and parts. A medium in a file is given by a URL that ends in the file's name, and its SHA-512: importing with
    /// [`folder`](vcon::Import::folder) takes it from there. `watch` is told the number of records done.
    ///
    /// Memory: one vCon document at a time (at most 64 MiB); media are streamed.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if the folder holds anything; as [`read`](Self::read), and then
    /// there is no bag; [`Full`](ErrorKind::Full) and others of the file system. What was erased is no error.
    pub fn export(
        &self,
        records: impl IntoIterator<Item = RecordId>,
        folder: impl AsRef<Path>,
        mut watch: impl FnMut(u64),
    ) -> Result<Exported> {
        let mut bag = Writer::create(folder)?;
        bag.info("External-Description", "Records of a strongroom vault, each as a vCon 0.4.0 with its media")?;
        bag.info("External-Identifier", &format!("urn:uuid:{}", self.tenant()))?;
        let mut done = Exported::default();
        for id in records {
            match self.read(id) {
                Ok(record) => {
                    record.write_into(&mut bag, &mut done)?;
                    done.records += 1;
                }
                Err(e) if e.kind() == ErrorKind::Erased => done.erased.push((id, None)),
                Err(e) => return Err(e),
            }
            watch(done.records);
        }
        if !done.erased.is_empty() {
            let line = |(id, part): &(RecordId, Option<usize>)| match part {
                Some(part) => format!("{id} part {part}\n"),
                None => format!("{id}\n"),
            };
            let lines: String = done.erased.iter().map(line).collect();
            bag.tag_file("erased.txt", lines.as_bytes())?;
        }
        bag.finish()?;
        Ok(done)
    }
}

impl Record {
    /// The record as a strict vCon 0.4.0 with everything in it: for one that is small enough to be held in memory.
    ///
    /// # Errors
    /// As [`part`](Record::part); [`TooLarge`](ErrorKind::TooLarge) if its parts have more than 64 MiB.
    pub fn to_vcon(&self) -> Result<Value> {
        if let Some(document) = self.original()? {
            return Ok(document);
        }
        if self.parts().map(|(_, info)| info.len).sum::<u64>() > vcon::MAX_DOCUMENT {
            return Err(Error::new(ErrorKind::TooLarge, "making a vCon of more than 64 MiB"));
        }
        let parts = self.parts().map(|(number, info)| {
            Ok(vcon::ExportPart { info, content: vcon::Content::Inline(self.read_part(number)?) })
        });
        Ok(vcon::build(self.id(), self.head(), parts.collect::<Result<_>>()?))
    }

    /// The document that the record was imported from, normalised, if it was a vCon.
    fn original(&self) -> Result<Option<Value>> {
        let media = |info: &PartInfo| info.media_type.starts_with(vcon::MEDIA_TYPE);
        let original = self.parts().find(|(_, info)| info.kind == PartKind::Original && media(info));
        let Some((number, info)) = original else { return Ok(None) };
        if info.len > vcon::MAX_DOCUMENT {
            return Err(Error::new(ErrorKind::TooLarge, "reading a vCon of more than 64 MiB"));
        }
        let document = vcon::parse(&self.read_part(number)?)?;
        Ok(Some(vcon::normalise(&document).0))
    }

    fn write_into(&self, bag: &mut Writer, done: &mut Exported) -> Result<()> {
        let document = match self.original() {
            Ok(Some(document)) => {
                for (number, info) in self.parts() {
                    if let Some(name) = referred(&document, info) {
                        self.write_file(number, &name, bag, done)?;
                    }
                }
                document
            }
            Ok(None) => self.build_into(bag, done)?,
            // The original is gone; what was taken out of it is not.
            Err(e) if e.kind() == ErrorKind::Erased => self.build_into(bag, done)?,
            Err(e) => return Err(e),
        };
        let json =
            serde_json::to_vec_pretty(&document).map_err(|e| Error::new(ErrorKind::Io, "writing a vCon").because(e))?;
        done.bytes += bag.add(&format!("{}/vcon.json", self.id()), &mut &json[..])?;
        Ok(())
    }

    fn build_into(&self, bag: &mut Writer, done: &mut Exported) -> Result<Value> {
        let mut parts = Vec::new();
        for (number, info) in self.parts() {
            let text =
                matches!(info.kind, PartKind::Transcript | PartKind::Chat | PartKind::Email | PartKind::Analysis);
            let content = if info.len <= if text { MAX_INLINE_TEXT } else { MAX_INLINE } {
                self.read_part(number).map(|bytes| Some(vcon::Content::Inline(bytes)))
            } else {
                let name = format!("{number}-{}", clean(info.name.as_deref().unwrap_or("part")));
                let url = format!("https://bag.invalid/{}/{name}", self.id());
                self.write_file(number, &name, bag, done)
                    .map(|sha512| Some(vcon::Content::External { url, sha512: sha512? }))
            };
            match content {
                Ok(Some(content)) => parts.push(vcon::ExportPart { info, content }),
                Ok(None) => {}
                Err(e) if e.kind() == ErrorKind::Erased => done.erased.push((self.id(), Some(number))),
                Err(e) => return Err(e),
            }
        }
        Ok(vcon::build(self.id(), self.head(), parts))
    }

    /// Streams a part into a file of the bag and gives its SHA-512; nothing if it was erased.
    fn write_file(&self, number: usize, name: &str, bag: &mut Writer, done: &mut Exported) -> Result<Option<[u8; 64]>> {
        let mut reader = match self.part(number) {
            Ok(reader) => reader,
            Err(e) if e.kind() == ErrorKind::Erased => {
                done.erased.push((self.id(), Some(number)));
                return Ok(None);
            }
            Err(e) => return Err(e),
        };
        let name = format!("{}/{name}", self.id());
        // A name that some system cannot store, or that another part has already, gets a number.
        let name = if bag.takes(&name) { name } else { format!("{}/media-{number}", self.id()) };
        let mut file = bag.file(&name)?;
        let (mut hash, mut block) = (Context::new(&SHA512), zeroize::Zeroizing::new(vec![0; 256 * 1024]));
        loop {
            let got = reader.read(&mut block).map_err(|e| Error::from_io(e, "reading a part"))?;
            if got == 0 {
                break;
            }
            hash.update(&block[..got]);
            file.write_all(&block[..got]).map_err(|e| Error::from_io(e, "writing a bag's file"))?;
        }
        done.bytes += file.finish()?;
        done.files += 1;
        let mut sha512 = [0; 64];
        sha512.copy_from_slice(hash.finish().as_ref());
        Ok(Some(sha512))
    }
}

/// The name under which a document refers to a part that is not in it.
fn referred(document: &Value, info: &PartInfo) -> Option<String> {
    if !matches!(info.kind, PartKind::Audio | PartKind::Attachment) {
        return None;
    }
    let lists = ["dialog", "analysis", "attachments"].into_iter();
    let mut entries = lists.filter_map(|list| document.get(list)?.as_array()).flatten();
    let entry = entries.find(|entry| {
        entry.get("body").is_none()
            && (entry.get("url").is_some() || info.digest.is_none())
            && match (vcon::content_hash(entry), &info.digest) {
                (Some(ProducerDigest::Sha512(a)), Some(ProducerDigest::Sha512(b))) => &a == b,
                (Some(ProducerDigest::Sha256(a)), Some(ProducerDigest::Sha256(b))) => &a == b,
                (None, None) => entry.get("filename").and_then(Value::as_str) == info.name.as_deref(),
                _ => false,
            }
    })?;
    let last = entry.get("url").and_then(Value::as_str).and_then(|url| url.rsplit('/').next());
    let name = entry.get("filename").and_then(Value::as_str).or(last)?;
    let name = clean(name);
    // Its own name is the document's.
    Some(if name == "vcon.json" { format!("media-{name}") } else { name })
}

/// A name of letters, digits, dots, hyphens and underscores.
fn clean(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).take(100).collect();
    let plain = plain.trim_matches('.');
    if plain.is_empty() { "part".to_owned() } else { plain.to_owned() }
}
