use std::collections::BTreeMap;
use std::io::Write;

use super::archive::ArchiveWriter;
use super::hash::{Algorithm, Digests, Sums};
use super::inventory::{Inventory, Text};
use super::name::portable_segment;
use super::ustar::{BLOCK, MAX_FILE, RECORD, split};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

/// A bag that is to become one file, an archive: what it will hold is told first, so that its manifests, its digests
/// and its length are known before any of it is written; then [`write`](Self::write) takes the contents.
///
/// The archive is a ustar (POSIX.1-1988) of files only, all of mode 0600, owner and group 0, and the same time, in the
/// byte order of their paths: byte for byte what GNU tar makes of the unpacked bag. The same plan, name and time give
/// the same bytes. Names are as for [`Writer`](super::Writer), and have to fit into the format: at most 100 bytes
/// behind the last slash within the first 156, the name of the archive's folder included.
///
/// Memory: for each file its path and some 150 bytes, and the bytes of files about the payload.
///
/// ```
/// use strongroom::Timestamp;
/// use strongroom::bagit::{Plan, Sums, Verify};
///
/// let (one, two) = (b"the first", b"the second");
/// let mut plan = Plan::new();
/// plan.add("two.txt", two.len() as u64, Sums::of(two))?;
/// plan.add("one.txt", one.len() as u64, Sums::of(one))?;
/// let digest = plan.manifest_sha256();
/// plan.tag_file("custody/note.txt", format!("who had {digest:02x?}").into_bytes())?;
///
/// let mut archive = plan.write("my-bag", Timestamp::from_unix_ms(1_710_605_360_701), Vec::new())?;
/// while let Some(file) = archive.next_file() {
///     let mut source: &[u8] = if file.added == 0 { two } else { one };
///     archive.put(&mut source, Verify::Sha256)?;
/// }
/// let bytes = archive.finish()?;
/// assert_eq!(bytes.len() as u64, plan.archive_len("my-bag")?);
/// # Ok::<(), strongroom::Error>(())
/// ```
#[derive(Default)]
pub struct Plan {
    pub(super) inventory: Inventory,
    pub(super) tags: BTreeMap<String, Vec<u8>>,
    tag_bytes: usize,
}

impl Plan {
    /// Files that a plan takes: payload and about it together.
    pub const MAX_FILES: usize = 200_000;
    /// Bytes of a file, by the format: 8 GiB less one.
    pub const MAX_FILE: u64 = MAX_FILE;
    /// Bytes of all files about the payload together, which are held in memory.
    pub const MAX_TAG_BYTES: usize = 64 << 20;

    /// Of an empty bag.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists the payload file `data/<path>` of `len` bytes with these digests.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable or taken,
    /// [`TooLarge`](ErrorKind::TooLarge) beyond [`MAX_FILES`](Self::MAX_FILES) or [`MAX_FILE`](Self::MAX_FILE).
    pub fn add(&mut self, path: &str, len: u64, sums: Sums) -> Result<()> {
        self.one_more()?;
        if len > MAX_FILE {
            return Err(Error::new(ErrorKind::TooLarge, "planning a bag's file of 8 GiB or more"));
        }
        self.inventory.add(path, len, sums)
    }

    /// Whether the payload file `data/<path>` is listed.
    pub fn has(&self, path: &str) -> bool {
        self.inventory.has(path)
    }

    /// Adds a file about the payload, anywhere but under `data/`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the name is not acceptable, taken, or one that BagIt uses itself,
    /// [`TooLarge`](ErrorKind::TooLarge) beyond [`MAX_FILES`](Self::MAX_FILES) or [`MAX_TAG_BYTES`](Self::MAX_TAG_BYTES).
    pub fn tag_file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
        self.one_more()?;
        let bytes = bytes.into();
        let all = self.tag_bytes.saturating_add(bytes.len());
        if all > Self::MAX_TAG_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "planning a bag with more than 64 MiB about its payload"));
        }
        self.inventory.add_tag(path, Sums::of(&bytes))?;
        self.tags.insert(path.to_owned(), bytes);
        self.tag_bytes = all;
        Ok(())
    }

    fn one_more(&self) -> Result<()> {
        if self.inventory.files() + self.tags.len() >= Self::MAX_FILES {
            return Err(Error::new(ErrorKind::TooLarge, "planning a bag of more than 200,000 files"));
        }
        Ok(())
    }

    /// Says something about the bag, as [`Writer::info`](super::Writer::info) does; `Bagging-Date` is the date, in
    /// UTC, of the time that [`write`](Self::write) is given.
    ///
    /// # Errors
    /// As there.
    pub fn info(&mut self, label: &str, value: &str) -> Result<()> {
        self.inventory.info(label, value)
    }

    /// Payload files so far.
    pub fn files(&self) -> usize {
        self.inventory.files()
    }

    /// Their bytes.
    pub fn octets(&self) -> u64 {
        self.inventory.octets()
    }

    /// SHA-256 of `manifest-sha256.txt`: of all payload files so far, their paths and contents.
    pub fn manifest_sha256(&self) -> [u8; 32] {
        let mut digests = Digests::new();
        // They take everything.
        let _ = self.inventory.manifest(&self.inventory.order(), Algorithm::Sha256, &mut digests);
        *digests.finish().sha256()
    }

    /// Bytes of the archive whose one folder has this name.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if that is no name for a folder, or does not leave enough room for
    /// another name.
    pub fn archive_len(&self, top: &str) -> Result<u64> {
        self.layout(top, Timestamp::from_unix_ms(0)).map(|layout| layout.len)
    }

    /// Starts the archive, whose one folder is called `top`, with `made` as the time of all files, in whole seconds.
    /// `out` gets everything in pieces of 256 KiB, and a last shorter one.
    ///
    /// # Errors
    /// As [`archive_len`](Self::archive_len); also for a time before 1970 or after 2242; those of `out`.
    pub fn write<W: Write>(&self, top: &str, made: Timestamp, out: W) -> Result<ArchiveWriter<'_, W>> {
        ArchiveWriter::start(self, self.layout(top, made)?, top, made.unix_ms().div_euclid(1000), out)
    }

    fn layout(&self, top: &str, made: Timestamp) -> Result<Layout> {
        if !portable_segment(top) {
            return Err(Error::new(ErrorKind::InvalidInput, "naming the folder of an archive"));
        }
        let order = self.inventory.order();
        let own = self.inventory.own(&order, made);
        let mut blocks = 2;
        let mut count = |path: &str, len: u64| {
            split(&format!("{top}/{path}"))?;
            blocks += 1 + len.div_ceil(BLOCK as u64);
            Ok::<_, Error>(())
        };
        self.tags.iter().try_for_each(|(path, bytes)| count(path, bytes.len() as u64))?;
        own.iter().try_for_each(|(path, text)| count(path, self.text_len(text)))?;
        let mut listed = order.iter().filter_map(|number| self.inventory.listed(*number));
        listed.try_for_each(|(path, listed)| count(path, listed.len))?;
        Ok(Layout { own, order, len: (blocks * BLOCK as u64).next_multiple_of(RECORD) })
    }

    pub(super) fn text_len(&self, text: &Text) -> u64 {
        match text {
            Text::Bytes(bytes) => bytes.len() as u64,
            Text::Manifest(algorithm) => self.inventory.manifest_len(*algorithm),
        }
    }
}

/// What the archive of a plan consists of.
pub(super) struct Layout {
    /// The files of the bag itself.
    pub(super) own: Vec<(String, Text)>,
    /// The payload's numbers, as they follow each other.
    pub(super) order: Vec<u32>,
    /// Bytes of the whole archive.
    pub(super) len: u64,
}
