//! A log as the database has it, for whoever proves something of it.

use crate::error::{Error, ErrorKind, Result};
use crate::store::{Change, CosignatureRow, LogRow, Op, Store};
use crate::tlog::{
    Checkpoint, Hash, InclusionProof, Leaf, Nodes, Policy, SignedCheckpoint, VerifierKey, inclusion, inclusion_root,
    origin_of, place, root,
};

pub(crate) struct StoredLog<'a> {
    pub(crate) store: &'a dyn Store,
    /// How far it is looked at: to its head, or to an older one.
    pub(crate) row: LogRow,
}

impl<'a> StoredLog<'a> {
    /// The head: the root over the stored tree, under the signature that the last commit stored, and the lines that others
    /// signed under it. Nothing is verified.
    pub(crate) fn checkpoint(&self) -> Result<SignedCheckpoint> {
        self.signed(root(self.row.size, self)?, &self.store.cosignatures(self.row.n, Some(self.row.size))?)
    }

    fn signed(&self, root: Hash, lines: &[CosignatureRow]) -> Result<SignedCheckpoint> {
        let (size, key) = (self.row.size, &self.row.key);
        let checkpoint = Checkpoint { origin: origin_of(key), size, root };
        let note = self.row.note.ok_or_else(|| Error::new(ErrorKind::Tampered, "reading a ledger's head"))?;
        let mut signed = SignedCheckpoint::from_signature(checkpoint, key, note);
        for row in lines {
            // What is no line says nothing, and takes nothing from what the log itself signed.
            let _ = signed.add_lines(&row.line);
        }
        Ok(signed)
    }

    /// The proof of an entry, whose leaf is at hand, against the head. The head's root is that which the proof leads to: if a
    /// stored hash is not what was signed, its signature shows it.
    pub(crate) fn proof(&self, seq: u64, leaf: Leaf) -> Result<InclusionProof> {
        let size = self.row.size;
        let path = inclusion(seq, size, self)?;
        let root = inclusion_root(&leaf.hash(), seq, size, &path);
        let root = root.ok_or_else(|| Error::new(ErrorKind::Damaged, "proving that a ledger includes an entry"))?;
        let checkpoint = self.signed(root, &self.store.cosignatures(self.row.n, Some(size))?)?;
        Ok(InclusionProof { leaf, index: seq, path, checkpoint })
    }

    /// The log as it was when it had that size, if a commit ended there.
    pub(crate) fn at(&self, size: u64) -> Result<Option<Self>> {
        let LogRow { n, generation, restored, key, .. } = self.row;
        let note = if size <= self.row.size { self.store.note(n, size)? } else { None };
        Ok(note.map(|note| Self {
            store: self.store,
            row: LogRow { n, generation, restored, key, size, note: Some(note) },
        }))
    }

    /// The log up to the largest head that satisfies a policy, if there is one.
    pub(crate) fn witnessed(&self, policy: &Policy) -> Result<Option<Self>> {
        if policy.log() != self.row.key {
            return Err(Error::new(ErrorKind::WrongKey, "asking for a ledger under another's policy"));
        }
        if policy.threshold() == 0 {
            return self.at(self.row.size);
        }
        let lines = self.store.cosignatures(self.row.n, None)?;
        for lines in lines.chunk_by(|a, b| a.size == b.size) {
            let known = |row: &&CosignatureRow| policy.witnesses().iter().any(|witness| witness.name() == row.name);
            if lines.iter().filter(known).count() < policy.threshold() {
                continue;
            }
            // One that does not verify is as good as none: an older one may.
            if let Some(log) = self.at(lines[0].size)?
                && policy.verify(&log.signed(root(log.row.size, &log)?, lines)?).is_ok()
            {
                return Ok(Some(log));
            }
        }
        Ok(None)
    }

    /// Keeps the line that a cosigner has under a head of this log.
    pub(crate) fn keep(&self, signed: &SignedCheckpoint, cosigner: &VerifierKey) -> Result<()> {
        let line = signed.line_of(cosigner);
        let (time, line) = line.ok_or_else(|| Error::new(ErrorKind::Tampered, "keeping a cosignature"))?;
        let row = CosignatureRow { size: signed.checkpoint().size, name: cosigner.name().to_owned(), time, line };
        self.store.commit(Change(vec![Op::Cosign { log: self.row.n, row }])).map(drop)
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
