use std::io::{Read, Write};

use super::copy::Copier;
use super::describe::Describer;
use super::gather::Gathered;
use super::pack::Source;
use super::prepare::Prepared;
use super::wanted::Opened;
use super::{readme, verify};
use crate::age;
use crate::bagit::Verify;
use crate::bundle::{self, Counted, PackageStage, Watch, proceed};
use crate::error::{Error, ErrorKind, Result};
use crate::id::RecordId;
use crate::key::Recipient;
use crate::retrieve::Record;

/// Names of files below `custody/`.
pub(super) const MANIFEST: &str = "disclosure.json";
pub(super) const QUERY: &str = "disclosure.tsq";
pub(super) const REPLY: &str = "disclosure.tsr";

impl Prepared {
    /// Gives the package out: reads everything again, and seals it to `recipient`. `custody` are files that only exist once
    /// the ledger has spoken, under their names below `custody/`. Says how many bytes the archive has that is in the age file.
    ///
    /// `VERIFY.txt` has commands for what it knows by name: `N.sigsum-proof` beside `N.json`, `actor-N.pub` and
    /// `policy.sigsum`; `NAME.note`, whose signers' keys are in `keys/NAME.pem` or `keys/SIGNER.pem`, and `NAME.approval`, whose
    /// signer's key is in `keys/NAME.pem`.
    ///
    /// # Errors
    /// `InvalidInput` for a name that a bag cannot have, or twice; `DigestMismatch` if what is read now is another than before;
    /// `Cancelled` if `watch` ends it; as reading, and as `out`. What was written until then is no package.
    pub(crate) fn write(
        self,
        source: &dyn Opened,
        custody: Vec<(String, Vec<u8>)>,
        recipient: &Recipient,
        out: impl Write,
        watch: Watch<'_>,
    ) -> Result<u64> {
        let sealed = age::Writer::new(out, std::slice::from_ref(recipient))?;
        let (bytes, sealed) = self.write_archive(source, custody, sealed, watch)?;
        sealed.finish()?;
        Ok(bytes)
    }

    /// Writes the archive, and gives back its length and what was written to.
    pub(super) fn write_archive<W: Write>(
        mut self,
        source: &dyn Opened,
        custody: Vec<(String, Vec<u8>)>,
        out: W,
        watch: Watch<'_>,
    ) -> Result<(u64, W)> {
        let top = format!("disclosure-{}", self.manifest.cover.order);
        let mut custody = custody;
        custody.push((MANIFEST.to_owned(), std::mem::take(&mut self.text)));
        if let Some(stamp) = self.stamp.take() {
            custody.push((QUERY.to_owned(), stamp.query));
            custody.push((REPLY.to_owned(), stamp.reply));
        }
        self.archive.tag_file("README.txt", readme::text(&self.manifest))?;
        self.archive.tag_file("VERIFY.txt", verify::text(&self.manifest, &top, &custody))?;
        for (name, bytes) in custody {
            self.archive.tag_file(&format!("custody/{name}"), bytes)?;
        }
        let copier = Copier::new(&self.redactions);
        let present: Vec<RecordId> = self.records.iter().map(|gathered| gathered.record).collect();
        let mut reading = Reading { prepared: &self, source, copier: &copier, present: &present, last: None };
        let mut writer = self.archive.write(&top, self.manifest.cover.created, out)?;
        let mut done = 0;
        while let Some(file) = writer.next_file() {
            let from = self.sources.get(file.added).ok_or_else(missing)?;
            reading.file(from, |content, verify| {
                let counts = matches!(from, Source::Native(..));
                let tell = |bytes| {
                    done += if counts { bytes } else { 0 };
                    proceed(&mut *watch, PackageStage::Sending, done, self.bytes)
                };
                writer.put(&mut Counted { content, tell }, verify)
            })?;
            if let Source::Vcon(at) = from {
                done += self.records.get(*at).map_or(0, Gathered::inline_bytes);
                proceed(&mut *watch, PackageStage::Sending, done, self.bytes)?;
            }
        }
        let bytes = writer.archive_len();
        Ok((bytes, writer.finish()?))
    }
}

fn missing() -> Error {
    Error::new(ErrorKind::Io, "looking up where a package's file comes from")
}

/// Reads everything again.
struct Reading<'p> {
    prepared: &'p Prepared,
    source: &'p dyn Opened,
    copier: &'p Copier<'p>,
    present: &'p [RecordId],
    /// Files of one record follow each other.
    last: Option<(RecordId, Record)>,
}

impl Reading<'_> {
    fn describer(&self) -> Describer<'_> {
        let Prepared { manifest, layout, .. } = self.prepared;
        Describer { cover: &manifest.cover, layout, copier: self.copier, present: self.present }
    }

    fn file(&mut self, from: &Source, take: impl FnOnce(&mut dyn Read, Verify) -> Result<()>) -> Result<()> {
        let Prepared { texts, records, .. } = self.prepared;
        let at = match from {
            Source::Held(at) => return take(&mut texts.get(*at).ok_or_else(missing)?.as_slice(), Verify::Length),
            Source::Native(at, _) | Source::Text(at, _) | Source::Vcon(at) | Source::Page(at) => *at,
        };
        let gathered = records.get(at).ok_or_else(missing)?;
        let record = match self.last.take() {
            Some((id, record)) if id == gathered.record => record,
            _ => self.source.read(gathered.record)?,
        };
        match from {
            Source::Native(_, number) => {
                self.copier.read(&record, gathered.documents.get(*number).ok_or_else(missing)?, take)?;
            }
            Source::Text(_, number) => {
                let document = gathered.documents.get(*number).ok_or_else(missing)?;
                let text = match document.hidden {
                    None => self.copier.text(&record, document.part)?.ok_or_else(missing)?.into_bytes(),
                    Some(_) => self.copier.bytes(&record, document)?,
                };
                take(&mut text.as_slice(), Verify::Sha256)?;
            }
            Source::Page(_) => bundle::piped(
                |out| self.describer().page(&record, gathered, at, out),
                |content| take(content, Verify::Sha256),
            )?,
            _ => {
                let document = self.describer().vcon(&record, gathered)?;
                // Made again: it must be what the ledger has the digest of.
                take(&mut document.as_slice(), Verify::Sha256)?;
            }
        }
        self.last = Some((gathered.record, record));
        Ok(())
    }
}
