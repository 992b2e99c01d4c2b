use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::auditor::{Auditor, BLOCK, on_all_cores};
use super::export::withheld_name;
use super::fold::{Cosigned, Fold, Said, Signed};
use super::report::{AuditFinding, AuditReport};
use crate::error::{Error, ErrorKind, Result};
use crate::id::hex;
use crate::key::VerifierKeys;
use crate::ledger::{MAX_MESSAGE, Message, Receipt, log_files};
use crate::order::Withheld;
use crate::tlog::{
    Hash, InclusionProof, Leaf, Policy, SignedCheckpoint, TILE, entries_path, from_openssh, openssh, tile_path,
};

/// Bytes of a proof or note, at the most.
const MAX_TEXT: u64 = 256 * 1024;
const DOING: &str = "reading an exported ledger";

impl Auditor {
    /// Audits a folder that [`TenantLog::export`](crate::TenantLog::export) wrote, without the vault: that it is complete,
    /// every message against its leaf, every leaf against its place and its signature, the tiles and the head against the
    /// leaves, the head against the pinned checkpoint, what others signed, and the receipts. Who may sign is taken from the
    /// messages. Believes nothing that the folder says of the log's key.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no file `checkpoint`; else as the file system. What is wrong with the
    /// ledger is in the report.
    pub fn audit_export(&self, folder: impl AsRef<Path>) -> Result<AuditReport> {
        let folder = Folder(folder.as_ref().to_owned());
        let pinned = self.pinned.as_ref().map(|pinned| pinned.checkpoint().size);
        let mut report = AuditReport { pinned, ..AuditReport::default() };
        let text = folder.read("checkpoint", MAX_TEXT)?;
        let text = text.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking for an exported ledger"))?;
        let Some(head) = String::from_utf8(text).ok().and_then(|text| text.parse::<SignedCheckpoint>().ok()) else {
            report.findings.push(AuditFinding::File("checkpoint".to_owned()));
            return Ok(report);
        };
        let note = head.log_signature(&self.log);
        if note.is_some() && head.verify(&self.log).is_err() {
            report.findings.push(AuditFinding::File("checkpoint".to_owned()));
        }
        self.check_log_files(&folder, &mut report)?;
        let actors = folder.actors(&mut report)?;
        let receipts = folder.receipts(&mut report)?;
        let cosigned = self.cosigned(&folder, &head, &receipts)?;
        let mut walk = Fold::new(self, self.log, head.checkpoint().size, actors.clone(), cosigned);
        folder.walk(&mut walk, head.checkpoint().size, &mut report)?;
        let (there, roots) = (walk.edge.size(), std::mem::take(&mut walk.roots));
        walk.roots = roots.clone();
        walk.finish(note, None, &mut report);
        for seq in receipts {
            let finding = self.check_receipt(&folder, seq, &actors, there, &roots)?;
            report.findings.extend(finding.filter(|finding| !report.findings.contains(finding)));
        }
        Ok(report)
    }

    /// What the folder says of the log must be what is known of it. Witnesses, and how many of them are asked for, are as
    /// the exporter chose.
    fn check_log_files(&self, folder: &Folder, report: &mut AuditReport) -> Result<()> {
        let policy = folder.text("policy.c2sp")?.and_then(|text| Policy::from_c2sp(&text).ok());
        let policy = policy.filter(|policy| policy.log() == self.log).map_or_else(|| Policy::new(&self.log, []), Ok)?;
        for (name, content) in log_files(&policy) {
            folder.compare(name, &content, report)?;
        }
        Ok(())
    }

    /// The heads in the folder that others signed, the largest first.
    fn cosigned(&self, folder: &Folder, head: &SignedCheckpoint, receipts: &[u64]) -> Result<Vec<Cosigned>> {
        let mut heads = BTreeMap::from([(head.checkpoint().size, head.clone())]);
        for seq in receipts {
            let proof = folder.text(&receipt_name(*seq, "tlog-proof"))?.unwrap_or_default();
            let head = proof.split_once("\n\n").and_then(|(_, head)| head.parse::<SignedCheckpoint>().ok());
            if let Some(head) = head.filter(|head| head.verify(&self.log).is_ok()) {
                heads.entry(head.checkpoint().size).or_insert(head);
            }
        }
        let cosigned = |(size, head): (u64, SignedCheckpoint)| {
            let lines = head.others().map(|(name, line)| (name.to_owned(), format!("{line}\n"))).collect();
            Cosigned { size, note: head.log_signature(&self.log).unwrap_or([0; 64]), lines }
        };
        Ok(heads.into_iter().rev().map(cosigned).collect())
    }

    /// What is wrong with a receipt, if anything is.
    fn check_receipt(
        &self,
        folder: &Folder,
        seq: u64,
        actors: &VerifierKeys,
        there: u64,
        roots: &BTreeMap<u64, Hash>,
    ) -> Result<Option<AuditFinding>> {
        let name = |ending| receipt_name(seq, ending);
        let proof = folder.text(&name("tlog-proof"))?;
        let head = proof.as_ref().and_then(|proof| proof.split_once("\n\n")?.1.parse::<SignedCheckpoint>().ok());
        // A head that was signed over more than there is tells more than that its files do not fit.
        let larger = head.filter(|head| head.checkpoint().size > there && head.verify(&self.log).is_ok());
        if let Some(head) = larger {
            return Ok(Some(AuditFinding::RolledBack(head.checkpoint().size)));
        }
        let finding = |ending| Ok(Some(AuditFinding::File(name(ending))));
        let Some(message) = folder.read(&name("json"), MAX_MESSAGE as u64)? else { return finding("json") };
        let Some(leaf) = folder.leaf(seq, there)?.filter(|leaf| leaf.is_of(&message)) else { return finding("json") };
        let parsed = proof.as_ref().and_then(|text| InclusionProof::from_tlog_proof(text, leaf).ok());
        let Some(proof) = parsed.filter(|parsed| Some(parsed.to_tlog_proof()) == proof && parsed.index == seq) else {
            return finding("tlog-proof");
        };
        let head = proof.checkpoint.checkpoint().clone();
        let sigsum = if head.size > 1 { Some(proof.to_sigsum_proof(&self.log).unwrap_or_default()) } else { None };
        if folder.text(&name("sigsum-proof"))? != sigsum {
            return finding("sigsum-proof");
        }
        // Nobody's signature: the entry has its finding already.
        let Some(actor) = actors.of(&proof.leaf.key_hash) else { return finding("json") };
        if Receipt::new(message, proof, actor, self.log).verify(&self.log).is_err() {
            return finding("tlog-proof");
        }
        let ours = roots.get(&head.size).is_some_and(|root| *root == head.root);
        Ok((!ours).then_some(AuditFinding::Forked(head.size)))
    }
}

fn receipt_name(seq: u64, ending: &str) -> String {
    format!("receipts/{seq:08}.{ending}")
}

/// The folder of an export.
struct Folder(PathBuf);

impl Folder {
    /// A file, if it is there and no longer than that. What is no file is not opened: it may never end.
    fn read(&self, name: &str, longest: u64) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(longest + 1).read_to_end(&mut bytes).map_err(|e| Error::from_io(e, DOING))?;
        Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= longest))
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        Ok(self.read(name, MAX_TEXT)?.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    fn open(&self, name: &str) -> Result<Option<File>> {
        let path = self.0.join(name);
        let opened = match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => File::open(path).map(Some),
            Ok(_) => Ok(None),
            Err(e) => Err(e),
        };
        match opened {
            Err(e) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&e.kind()) => Ok(None),
            opened => opened.map_err(|e| Error::from_io(e, DOING)),
        }
    }

    /// The names in a folder below, in their order; none if there is none.
    fn list(&self, below: &str) -> Result<Vec<String>> {
        let entries = match fs::read_dir(self.0.join(below)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|e| Error::from_io(e, DOING))?,
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<_>>>().map_err(|e| Error::from_io(e, DOING))?;
        names.sort();
        Ok(names)
    }

    /// The keys of those who may have signed, each in a file that is named by its hash.
    fn actors(&self, report: &mut AuditReport) -> Result<VerifierKeys> {
        let mut actors = VerifierKeys::default();
        for name in self.list("keys")? {
            let name = format!("keys/{name}");
            let line = self.text(&name)?.unwrap_or_default();
            let key = from_openssh(&line).ok().filter(|key| openssh(key) == line);
            let hash = key.map(|key| hex(&<sha2::Sha256 as sha2::Digest>::digest(key.as_bytes())));
            match key.filter(|_| hash.is_some_and(|hash| name == format!("keys/{hash}.pub"))) {
                Some(key) => actors.add(key),
                None => report.findings.push(AuditFinding::File(name)),
            }
        }
        Ok(actors)
    }

    /// The entries that there are receipts of.
    fn receipts(&self, report: &mut AuditReport) -> Result<Vec<u64>> {
        let mut seqs = Vec::new();
        for name in self.list("receipts")? {
            let (stem, _) = name.split_once('.').unwrap_or((&name, ""));
            match stem.parse::<u64>() {
                Ok(seq) if ["json", "tlog-proof", "sigsum-proof"].iter().any(|e| name == format!("{seq:08}.{e}")) => {
                    seqs.push(seq);
                }
                _ => report.findings.push(AuditFinding::File(format!("receipts/{name}"))),
            }
        }
        seqs.sort_unstable();
        seqs.dedup();
        Ok(seqs)
    }

    /// A bundle's leaves, if the file is what it must be.
    fn bundle(&self, index: u64, width: u64) -> Result<Option<Vec<Leaf>>> {
        let bytes = self.read(&entries_path(index, width), 130 * width)?.unwrap_or_default();
        let (entries, rest) = bytes.as_chunks::<130>();
        let leaf = |entry: &[u8; 130]| {
            let bytes = entry.strip_prefix(&[0, 128])?;
            Some(Leaf::from_bytes(bytes.try_into().ok()?))
        };
        let leaves: Option<Vec<Leaf>> = entries.iter().map(leaf).collect();
        Ok(leaves.filter(|leaves| rest.is_empty() && leaves.len() as u64 == width))
    }

    fn leaf(&self, seq: u64, size: u64) -> Result<Option<Leaf>> {
        let (index, at) = (seq / TILE, (seq % TILE) as usize);
        let width = TILE.min(size.saturating_sub(index * TILE));
        let leaves = if seq < size { self.bundle(index, width)? } else { None };
        Ok(leaves.and_then(|mut leaves| (at < leaves.len()).then(|| leaves.swap_remove(at))))
    }

    /// Goes through the entries, their messages and the tiles that they make.
    fn walk(&self, walk: &mut Fold<'_>, size: u64, report: &mut AuditReport) -> Result<()> {
        let mut messages = Lines::new(self.open("messages.jsonl")?);
        let (mut tiles, mut read) = (Tiles::default(), 0);
        let withheld: BTreeSet<String> = self.list("withheld")?.into_iter().collect();
        let mut used = 0;
        while read < size {
            let mut block = Vec::new();
            while block.len() < BLOCK && read < size {
                let width = TILE.min(size - read);
                // The rest is not there: how much is, the walk says.
                let Some(leaves) = self.bundle(read / TILE, width)? else { break };
                read += width;
                for leaf in leaves {
                    block.push((leaf, messages.next()?));
                }
            }
            if block.is_empty() {
                break;
            }
            let actors = &walk.actors;
            let judged = on_all_cores(block, |share| {
                let signed = Signed::of_all(share.iter().map(|(leaf, _)| leaf), actors);
                let one = |((leaf, line), signed): ((Leaf, Option<Vec<u8>>), Signed)| {
                    let said = said(line, &leaf);
                    Ok((leaf, said, signed))
                };
                share.into_iter().zip(signed).map(one).collect()
            })?;
            for (leaf, said, signed) in judged {
                let name = withheld_name(walk.edge.size());
                let said = match said {
                    Said::Missing if withheld.contains(&name["withheld/".len()..]) => {
                        used += 1;
                        self.withheld(name, walk, report)?
                    }
                    said => said,
                };
                walk.take(&leaf, said, signed, report);
                tiles.add(&walk.completed, |name, hashes| self.compare(name, hashes, report))?;
            }
        }
        tiles.finish(|name, hashes| self.compare(name, hashes, report))?;
        if used < withheld.len() {
            report.findings.push(AuditFinding::File("withheld".to_owned()));
        }
        if messages.short || read == size && messages.next()?.is_some() {
            report.findings.push(AuditFinding::File("messages.jsonl".to_owned()));
        }
        Ok(())
    }

    /// What an entry is that has no message, if the operator whom the entries before it name signed that it withholds it.
    fn withheld(&self, name: String, walk: &Fold<'_>, report: &mut AuditReport) -> Result<Said> {
        let (bytes, place) = (self.read(&name, MAX_TEXT)?.unwrap_or_default(), walk.place());
        let withheld = walk.operator.and_then(|operator| Withheld::from_bytes(&bytes, &operator).ok());
        Ok(match withheld.filter(|withheld| withheld.entry() == place) {
            Some(withheld) => Said::Withheld(withheld.until()),
            None => {
                report.findings.push(AuditFinding::File(name));
                Said::Missing
            }
        })
    }

    fn compare(&self, name: String, content: &[u8], report: &mut AuditReport) -> Result<()> {
        if self.read(&name, content.len() as u64)?.is_none_or(|there| there != content) {
            report.findings.push(AuditFinding::File(name));
        }
        Ok(())
    }
}

/// What a line of the messages is to its leaf.
fn said(line: Option<Vec<u8>>, leaf: &Leaf) -> Said {
    match line {
        None => Said::Missing,
        Some(line) if line == b"\n" => Said::Missing,
        Some(line) if !leaf.is_of(&line) => Said::Altered,
        Some(line) => Message::from_bytes(&line).map_or(Said::Unreadable, |message| Said::This(Box::new(message))),
    }
}

/// The messages, line by line.
struct Lines {
    file: Option<BufReader<File>>,
    /// Whether more lines were asked for than there are.
    short: bool,
}

impl Lines {
    fn new(file: Option<File>) -> Self {
        Self { file: file.map(BufReader::new), short: false }
    }

    /// The next line with its line feed; of one that is too long for a message, as much as shows that.
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        if let Some(file) = &mut self.file {
            let read = file.take(MAX_MESSAGE as u64 + 1).read_until(b'\n', &mut line);
            let skipped = match read {
                Ok(_) if line.len() > MAX_MESSAGE && !line.ends_with(b"\n") => skip_line(file),
                read => read.map(drop),
            };
            skipped.map_err(|e| Error::from_io(e, DOING))?;
        }
        self.short |= line.is_empty();
        Ok(Some(line).filter(|line| !line.is_empty()))
    }
}

fn skip_line(file: &mut impl BufRead) -> io::Result<()> {
    loop {
        let held = file.fill_buf()?;
        let (used, over) = match held.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (held.len(), held.is_empty()),
        };
        file.consume(used);
        if over {
            return Ok(());
        }
    }
}

/// The tiles that entries make, the last of each level.
#[derive(Default)]
struct Tiles(Vec<(u64, Vec<u8>)>);

impl Tiles {
    /// Adds the hashes that an entry completes, and gives out what becomes full.
    fn add(&mut self, completed: &[Hash], mut full: impl FnMut(String, &[u8]) -> Result<()>) -> Result<()> {
        for (level, hash) in completed.iter().step_by(8).enumerate() {
            if self.0.len() <= level {
                self.0.push((0, Vec::new()));
            }
            let (index, hashes) = &mut self.0[level];
            hashes.extend_from_slice(hash);
            if hashes.len() as u64 == TILE * 32 {
                full(tile_path(level as u8, *index, TILE), hashes)?;
                *index += 1;
                hashes.clear();
            }
        }
        Ok(())
    }

    /// Gives out what is not full.
    fn finish(self, mut partial: impl FnMut(String, &[u8]) -> Result<()>) -> Result<()> {
        for (level, (index, hashes)) in self.0.iter().enumerate().filter(|(_, (_, hashes))| !hashes.is_empty()) {
            partial(tile_path(level as u8, *index, hashes.len() as u64 / 32), hashes)?;
        }
        Ok(())
    }
}
