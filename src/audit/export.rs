use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::log::{State, TenantLog};
use crate::error::{Error, Result};
use crate::ledger::log_files;
use crate::tlog::{Edge, Hash, Leaf, Nodes, Policy, TILE, bundle, entries_path, openssh, tile_path};

pub(super) fn withheld_name(seq: u64) -> String {
    format!("withheld/{seq:08}.withheld")
}

/// What an export of a ledger wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportedLog {
    /// Entries.
    pub entries: u64,
    /// Entries without a message, because it was shredded or does not open.
    pub missing: u64,
    /// Entries without a message, because it is withheld: what the operator signed about that is in `withheld/`.
    pub withheld: u64,
}

impl TenantLog<'_> {
    /// Writes the ledger into a folder that is not there yet or empty, as others read it: C2SP tiles (`tile/`), the
    /// checkpoint, the messages (`messages.jsonl`, one line for each entry and an empty one where it is missing), the keys
    /// of the actors (`keys/`, named by their SHA-256), the log's key and policies in the forms that programs want, and
    /// receipts for the entries that are asked for (`receipts/`), and what the operator signed about those that it withholds (`withheld/`). The messages are in clear. The policies are those
    /// of a log that is [`witnessed`](Self::witnessed), or else ask for nobody.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if the folder holds anything; as [`receipt`](Self::receipt) and
    /// [`checkpoint`](Self::checkpoint); else as the file system.
    pub fn export(&self, folder: impl AsRef<Path>, receipts: &[u64]) -> Result<ExportedLog> {
        let folder = folder.as_ref();
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::new(crate::error::ErrorKind::AlreadyExists, "exporting a ledger"));
        }
        let write = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, content));
            made.map_err(|e| Error::from_io(e, "exporting a ledger"))
        };
        write("checkpoint", self.checkpoint()?.to_string().as_bytes())?;
        let policy = match &self.policy {
            Some(policy) => policy.clone(),
            None => Policy::new(&self.key(), [])?,
        };
        for (name, content) in log_files(&policy) {
            write(&name, &content)?;
        }
        for (hash, key) in self.actors()?.iter() {
            write(&format!("keys/{}.pub", crate::id::hex(hash)), openssh(key).as_bytes())?;
        }
        for seq in receipts {
            for (name, content) in self.receipt(*seq)?.files()? {
                write(&format!("receipts/{name}"), &content)?;
            }
        }
        let messages = File::create_new(folder.join("messages.jsonl"));
        let mut messages = BufWriter::new(messages.map_err(|e| Error::from_io(e, "exporting a ledger"))?);
        let mut done = ExportedLog::default();
        let mut edge = Edge::default();
        while done.entries < self.size() {
            let width = TILE.min(self.size() - done.entries);
            let entries = self.entries(done.entries, width as usize)?;
            if entries.len() as u64 != width {
                return Err(Error::new(crate::error::ErrorKind::Damaged, "exporting a ledger that lacks an entry"));
            }
            let leaves: Vec<Leaf> = entries.iter().map(|entry| entry.leaf.clone()).collect();
            write(&entries_path(done.entries / TILE, width), &bundle(&leaves))?;
            for entry in entries {
                edge.push(entry.leaf.hash());
                let line: &[u8] = match &entry.state {
                    State::Open(line, _) => line,
                    State::Withheld(withheld) => {
                        done.withheld += 1;
                        write(&withheld_name(entry.seq), &withheld.to_bytes())?;
                        b"\n"
                    }
                    _ => {
                        done.missing += 1;
                        b"\n"
                    }
                };
                messages.write_all(line).map_err(|e| Error::from_io(e, "exporting a ledger"))?;
            }
            done.entries += width;
        }
        let written = messages.flush().and_then(|()| messages.get_ref().sync_all());
        written.map_err(|e| Error::from_io(e, "exporting a ledger"))?;
        self.write_tiles(&write)?;
        Ok(done)
    }

    fn write_tiles(&self, write: &dyn Fn(&str, &[u8]) -> Result<()>) -> Result<()> {
        // Level by level: a tile of level L has the nodes of level 8 L.
        for level in (0u8..7).take_while(|level| self.size() >> (8 * level) > 0) {
            let nodes = self.size() >> (8 * level);
            for first in (0..nodes).step_by(TILE as usize) {
                let width = TILE.min(nodes - first);
                let wanted: Vec<(u8, u64)> = (first..first + width).map(|index| (8 * level, index)).collect();
                let hashes: Vec<Hash> = self.stored.nodes(&wanted)?;
                write(&tile_path(level, first / TILE, width), hashes.as_flattened())?;
            }
        }
        Ok(())
    }
}
