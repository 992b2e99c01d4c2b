//! Export: the owner takes records out, as a bag of vCons with their media that other programs read.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::Path;

use ring::digest::{Context, SHA512};
use serde_json::Value;

use crate::bagit::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::record::{COERCIONS, DraftPart, Head, PartInfo, PartKind};
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
    /// The record as a strict vCon 0.4.0 with everything in it: for one that is small enough to be held in memory. What
    /// the document that it was imported from gives by URL stays given by URL.
    ///
    /// # Errors
    /// As [`part`](Record::part); [`TooLarge`](ErrorKind::TooLarge) if its parts have more than 64 MiB.
    pub fn to_vcon(&self) -> Result<Value> {
        let inline =
            |(number, info)| Ok(vcon::ExportPart { info, content: vcon::Content::Inline(self.read_part(number)?) });
        let fits = |parts: &[(usize, &PartInfo)]| {
            if parts.iter().map(|(_, info)| info.len).sum::<u64>() > vcon::MAX_DOCUMENT {
                return Err(Error::new(ErrorKind::TooLarge, "making a vCon of more than 64 MiB"));
            }
            Ok(())
        };
        if let Some(Original { mut document, others, adds, .. }) = self.original()? {
            fits(&others)?;
            let others = others.into_iter().map(inline).collect::<Result<Vec<_>>>()?;
            vcon::append(&mut document, self.id(), self.head(), others, adds);
            return Ok(document);
        }
        let parts: Vec<_> = self.parts().collect();
        fits(&parts)?;
        Ok(vcon::build(self.id(), self.head(), parts.into_iter().map(inline).collect::<Result<_>>()?))
    }

    /// The document that the record was imported from, normalised, if it was a vCon and one that is read.
    fn original(&self) -> Result<Option<Original<'_>>> {
        let media = |info: &PartInfo| info.media_type.starts_with(vcon::MEDIA_TYPE);
        let original = self.parts().find(|(_, info)| info.kind == PartKind::Original && media(info));
        let Some((number, info)) = original else { return Ok(None) };
        if info.len > vcon::MAX_DOCUMENT {
            return Ok(None);
        }
        // What is called a vCon and is none, or an encrypted one, is a part like others.
        let Ok(read) = vcon::Import::new().read(&self.read_part(number)?) else { return Ok(None) };
        let vcon::Read { imported, told, strict: document } = read;
        let draft = imported.draft;
        let adds = !same(&draft.head, self.head());
        let mut inside = draft.parts.into_iter().map(DraftPart::into_info).collect::<Result<Vec<_>>>()?;
        let (mut referred, mut others, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
        for (number, info) in self.parts() {
            let alike = |known: &PartInfo| {
                (known.kind, known.len, &known.media_type, &known.name)
                    == (info.kind, info.len, &info.media_type, &info.name)
            };
            if let Some(at) = inside.iter().position(alike) {
                inside.swap_remove(at);
            } else if let Some(place) = vcon::referring(&document, &told, info, |place| !taken.contains(place)) {
                taken.insert(place.clone());
                referred.push((number, place));
            } else if !(info.kind == PartKind::Analysis && info.name.as_deref() == Some(COERCIONS)) {
                others.push((number, info));
            }
        }
        Ok(Some(Original { document, referred, others, adds }))
    }

    fn write_into(&self, bag: &mut Writer, done: &mut Exported) -> Result<()> {
        let document = match self.original() {
            Ok(Some(Original { mut document, referred, others, adds })) => {
                for (number, place) in referred {
                    let name = vcon::file_name(&document, &place).map_or("media".to_owned(), |name| clean(&name));
                    // Its own name is the document's.
                    let name = if name == "vcon.json" { format!("media-{name}") } else { name };
                    if let Some((name, sha512)) = self.write_file(number, &name, bag, done)? {
                        vcon::refer(&mut document, &place, &name, &self.url(&name), &sha512);
                    }
                }
                let others = self.contents(others, bag, done)?;
                vcon::append(&mut document, self.id(), self.head(), others, adds);
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

    fn url(&self, name: &str) -> String {
        format!("{}{}/{name}", vcon::BAG_URL, self.id())
    }

    fn build_into(&self, bag: &mut Writer, done: &mut Exported) -> Result<Value> {
        let parts = self.contents(self.parts().collect(), bag, done)?;
        Ok(vcon::build(self.id(), self.head(), parts))
    }

    /// Parts as they go into a vCon: short ones in it, long ones in files beside it. Those that were erased are left out.
    fn contents<'a>(
        &'a self,
        parts: Vec<(usize, &'a PartInfo)>,
        bag: &mut Writer,
        done: &mut Exported,
    ) -> Result<Vec<vcon::ExportPart<'a>>> {
        let mut contents = Vec::new();
        for (number, info) in parts {
            let text =
                matches!(info.kind, PartKind::Transcript | PartKind::Chat | PartKind::Email | PartKind::Analysis);
            let content = if info.len <= if text { MAX_INLINE_TEXT } else { MAX_INLINE } {
                self.read_part(number).map(|bytes| Some(vcon::Content::Inline(bytes)))
            } else {
                let name = format!("{number}-{}", clean(info.name.as_deref().unwrap_or("part")));
                let written = self.write_file(number, &name, bag, done);
                let external = |(name, sha512): (String, _)| vcon::Content::External { url: self.url(&name), sha512 };
                written.map(|written| written.map(external))
            };
            match content {
                Ok(Some(content)) => contents.push(vcon::ExportPart { info, content }),
                Ok(None) => {}
                Err(e) if e.kind() == ErrorKind::Erased => done.erased.push((self.id(), Some(number))),
                Err(e) => return Err(e),
            }
        }
        Ok(contents)
    }

    /// Streams a part into a file of the bag and gives the file's name and SHA-512; nothing if it was erased.
    fn write_file(
        &self,
        number: usize,
        name: &str,
        bag: &mut Writer,
        done: &mut Exported,
    ) -> Result<Option<(String, [u8; 64])>> {
        let mut reader = match self.part(number) {
            Ok(reader) => reader,
            Err(e) if e.kind() == ErrorKind::Erased => {
                done.erased.push((self.id(), Some(number)));
                return Ok(None);
            }
            Err(e) => return Err(e),
        };
        // A name that some system cannot store, or that another part has already, gets a number.
        let takes = bag.takes(&format!("{}/{name}", self.id()));
        let name = if takes { name.to_owned() } else { format!("media-{number}") };
        let mut file = bag.file(&format!("{}/{name}", self.id()))?;
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
        Ok(Some((name, sha512)))
    }
}

/// A document that a record was imported from, and how the record's parts stand to it.
struct Original<'a> {
    document: Value,
    /// Parts that it refers to, and the places where.
    referred: Vec<(usize, String)>,
    /// Parts that it says nothing of: its host added them.
    others: Vec<(usize, &'a PartInfo)>,
    /// Whether the record's head says what the document does not.
    adds: bool,
}

/// Whether heads say the same of an interaction.
fn same(a: &Head, b: &Head) -> bool {
    fn said(head: &Head) -> impl PartialEq {
        let Head {
            start, duration_ms, channel, direction, agent, queue, language, tags, policy_version, subjects, ..
        } = head.clone();
        (start, duration_ms, channel, direction, (agent, queue, language), tags, policy_version, subjects)
    }
    said(a) == said(b) && b.amends.is_none()
}

/// A name of letters, digits, dots, hyphens and underscores.
fn clean(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).take(100).collect();
    let plain = plain.trim_matches('.');
    if plain.is_empty() { "part".to_owned() } else { plain.to_owned() }
}
