//! A log as the database has it, for whoever proves something of it.

use crate::error::{Error, ErrorKind, Result};
use crate::store::{LogRow, Store};
use crate::tlog::{Checkpoint, Hash, InclusionProof, Leaf, Nodes, SignedCheckpoint, inclusion, origin_of, place, root};

pub(crate) struct StoredLog<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) row: LogRow,
}

impl StoredLog<'_> {
    /// The head: the root over the stored tree, under the signature that the last commit stored.
    pub(crate) fn checkpoint(&self) -> Result<SignedCheckpoint> {
        let (size, key) = (self.row.size, &self.row.key);
        let checkpoint = Checkpoint { origin: origin_of(key), size, root: root(size, self)? };
        let note = self.row.note.ok_or_else(|| Error::new(ErrorKind::Tampered, "reading a ledger's head"))?;
        Ok(SignedCheckpoint::from_signature(checkpoint, key, note))
    }

    /// The proof of an entry against the head.
    pub(crate) fn proof(&self, seq: u64) -> Result<InclusionProof> {
        let missing = || Error::new(ErrorKind::NotFound, "looking a ledger's entry up");
        let entry = self.store.entries(self.row.n, seq, 1)?.pop().filter(|entry| entry.seq == seq);
        let leaf = Leaf::from_bytes(&entry.ok_or_else(missing)?.leaf);
        let path = inclusion(seq, self.row.size, self)?;
        Ok(InclusionProof { leaf, index: seq, path, checkpoint: self.checkpoint()? })
    }
}

impl Nodes for StoredLog<'_> {
    fn nodes(&self, wanted: &[(u8, u64)]) -> Result<Vec<Hash>> {
        let places: Vec<(u64, usize)> = wanted.iter().map(|(level, index)| place(*level, *index)).collect();
        let entries: Vec<u64> = places.iter().map(|(entry, _)| *entry).collect();
        let hashes = self.store.hashes(self.row.n, &entries)?;
        let node = |(hashes, (_, position)): (Option<Vec<u8>>, (u64, usize))| {
            let hash = hashes.as_ref().and_then(|hashes| hashes.as_chunks::<32>().0.get(position));
            hash.copied().ok_or_else(|| Error::new(ErrorKind::Damaged, "reading a ledger's tree"))
        };
        hashes.into_iter().zip(places).map(node).collect()
    }
}
