//! The logs that a transaction appends to.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::{Refusal, at};
use crate::error::{Error, ErrorKind};
use crate::id::TenantId;
use crate::key::{PublicKey, Signing};
use crate::store::{Act, Anchor, Append, Appended, Follows, Mark, NewEntry, Position, entry_digest, paper_digest};
use crate::time::Timestamp;
use crate::tlog::{
    Checkpoint, Edge, Hash, InclusionProof, Leaf, Nodes, SignedCheckpoint, inclusion, leaf_hash, origin_of,
};

/// Heads that this process signed or verified: what it need not verify again.
pub(super) type Heads = HashMap<i64, Head>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    key: PublicKey,
    size: u64,
    root: Hash,
    /// The anchor's mark that it was compared with.
    mark: Option<(u64, Hash)>,
}

/// The logs of one transaction, as they will be when it commits.
pub(super) struct Trees<'a> {
    anchor: &'a Anchor,
    heads: &'a Heads,
    open: Vec<Tree>,
}

struct Tree {
    tenant: TenantId,
    log: i64,
    generation: u32,
    key: PublicKey,
    origin: String,
    edge: Edge,
    /// Where the log before it ended, of one that begins in this transaction.
    predecessor: Option<Checkpoint>,
    /// Nodes that were there before, which proofs of new entries may need.
    known: HashMap<(u8, u64), Hash>,
    rows: Vec<Row>,
}

struct Row {
    entry: NewEntry,
    hashes: Vec<Hash>,
    keys: Arc<Signing>,
}

/// What to go back to when a change is refused.
pub(super) struct Before(Vec<(Edge, usize)>);

/// What logs have become, by their numbers.
type Grown = (Vec<(i64, Mark)>, Vec<(i64, Head)>);

/// An entry of this transaction, by tree and row.
#[derive(Clone, Copy)]
pub(super) struct Placed(usize, usize);

impl<'a> Trees<'a> {
    pub(super) fn new(anchor: &'a Anchor, heads: &'a Heads) -> Self {
        Self { anchor, heads, open: Vec::new() }
    }

    pub(super) fn before(&self) -> Before {
        Before(self.open.iter().map(|tree| (tree.edge.clone(), tree.rows.len())).collect())
    }

    pub(super) fn back_to(&mut self, before: Before) {
        self.open.truncate(before.0.len());
        for (tree, (edge, rows)) in self.open.iter_mut().zip(before.0) {
            tree.edge = edge;
            tree.rows.truncate(rows);
        }
    }

    /// Where the next entry of a tenant will stand.
    pub(super) fn next(&mut self, tx: &Connection, tenant: TenantId) -> Result<i64, Refusal> {
        let tree = self.tree(tx, tenant)?;
        let tree = &self.open[tree];
        Ok(at(tree.log, tree.edge.size()))
    }

    /// Whether an entry of this transaction brings a paper of a topic with it.
    pub(super) fn has_paper(&self, tenant: TenantId, topic: &str) -> bool {
        let own = self.open.iter().filter(|tree| tree.tenant == tenant);
        own.flat_map(|tree| &tree.rows).flat_map(|row| &row.entry.papers).any(|paper| paper.topic == topic)
    }

    /// Begins a tenant's next log in this transaction.
    pub(super) fn begin(
        &mut self,
        tx: &Connection,
        tenant: TenantId,
        generation: u32,
        key: PublicKey,
        follows: Follows,
    ) -> Result<(), Refusal> {
        let doing = "opening a tenant's ledger";
        let before = match follows {
            Follows::Nothing | Follows::Forgotten => None,
            Follows::Open(_) => Some(self.tree(tx, tenant)?),
            // Not compared with its mark: it is signed no more.
            Follows::Ended(..) => Some(self.read(tx, tenant)?.0),
        };
        let tree = before.map(|tree| &self.open[tree]);
        let expected = match follows {
            Follows::Nothing | Follows::Forgotten => true,
            Follows::Open(open) => tree.is_some_and(|tree| tree.generation == open),
            Follows::Ended(open, size) => tree.is_some_and(|t| (t.generation, t.edge.size()) == (open, size)),
        };
        if !expected {
            return Err(Refusal::Change(Error::new(ErrorKind::AlreadyExists, doing)));
        }
        let predecessor = tree.map(Tree::checkpoint);
        let number = self.number(tx)?;
        let sql = "INSERT INTO logs (n, tenant, generation, key, restored)
            VALUES (?1, (SELECT n FROM tenants WHERE id = ?2), ?3, ?4, ?5)";
        let restored = matches!(follows, Follows::Forgotten | Follows::Ended(..));
        tx.execute(sql, params![number, tenant.as_bytes(), generation, key.as_bytes(), restored])?;
        if let Some(before) = before {
            let sql = "INSERT INTO admitted (log, writer) SELECT ?1, writer FROM admitted WHERE log = ?2";
            tx.execute(sql, [number, self.open[before].log])?;
        }
        self.open.push(Tree {
            tenant,
            log: number,
            generation,
            key,
            origin: origin_of(&key),
            edge: Edge::default(),
            predecessor,
            known: HashMap::new(),
            rows: Vec::new(),
        });
        Ok(())
    }

    /// The number of a log that begins. The next, unless it was that of a log which the database knows nothing of any
    /// more: then one that no log ever had, if that is told of already, and none if it is not.
    fn number(&self, tx: &Connection) -> Result<i64, Refusal> {
        let next = tx.query_row("SELECT coalesce(max(n), 0) + 1 FROM logs", [], |row| row.get(0))?;
        match self.anchor.mark(next).map_err(Refusal::Change)? {
            None => Ok(next),
            Some(_) => {
                let lost = self.anchor.marks().map_err(Refusal::Change)?;
                let mut lost = lost.into_iter().filter(|(log, _)| *log >= next);
                if lost.clone().any(|(_, mark)| mark.end.is_none()) {
                    let doing = "opening a ledger in the place of one that the database lost";
                    return Err(refuse(ErrorKind::RolledBack, doing));
                }
                Ok(lost.next_back().map_or(next, |(last, _)| last + 1))
            }
        }
    }

    /// Makes an entry and puts it at the end of its log.
    pub(super) fn append(
        &mut self,
        tx: &Connection,
        append: Append,
        added: &[[u8; 32]],
    ) -> Result<Option<Placed>, Refusal> {
        let number = self.tree(tx, append.tenant)?;
        let tree = &mut self.open[number];
        let doing = "appending to a ledger";
        if let Some(writer) = &append.writer {
            let sql = "SELECT 1 FROM admitted a JOIN writers w ON w.key = a.writer
                WHERE a.log = ?1 AND a.writer = ?2 AND w.retired IS NULL";
            if !tx.prepare_cached(sql)?.exists(params![tree.log, writer.as_bytes()])? {
                return Err(Refusal::Change(Error::new(
                    ErrorKind::NotFound,
                    "looking up a writer that is enrolled and not retired",
                )));
            }
        }
        let keys = append.keys.log_key(append.tenant, tree.generation);
        if keys.public_key() != tree.key {
            return Err(Refusal::Change(Error::new(ErrorKind::WrongKey, "signing for a ledger")));
        }
        let seq = tree.edge.size();
        let position = Position {
            log: tree.key,
            origin: &tree.origin,
            seq,
            time: Timestamp::now(),
            added,
            predecessor: tree.predecessor.as_ref(),
        };
        let Some(entry) = (append.make)(&position).map_err(Refusal::Change)? else { return Ok(None) };
        let place = at(tree.log, seq);
        match append.act {
            Act::None => {}
            Act::Begin(kind) => {
                let sql = "INSERT INTO acts (at, epoch, kind) VALUES (?1, (SELECT n FROM epochs WHERE id = ?2), ?3)";
                tx.prepare_cached(sql)?.execute(params![place, entry.epoch.as_bytes(), kind])?;
            }
            Act::End(log, seq) => {
                if tx.prepare_cached("DELETE FROM acts WHERE at = ?1")?.execute([at(log, seq)])? == 0 {
                    return Err(Refusal::Change(
                        Error::new(ErrorKind::NotFound, doing).because("it is concluded already"),
                    ));
                }
            }
        }
        let hashes = tree.edge.push(leaf_hash(&entry.leaf));
        tree.rows.push(Row { entry, hashes, keys });
        Ok(Some(Placed(number, tree.rows.len() - 1)))
    }

    /// Signs what every log has become and stores its new entries. Nothing may be appended any more.
    pub(super) fn seal(&self, tx: &Connection) -> rusqlite::Result<Vec<Option<[u8; 64]>>> {
        let mut insert = tx.prepare_cached(
            "INSERT INTO entries (at, leaf, hashes, note, epoch, chain, slot, message, digest)
             VALUES (?1, ?2, ?3, ?4, (SELECT n FROM epochs WHERE id = ?5), ?6, ?7, ?8, ?9)",
        )?;
        let mut notes = Vec::with_capacity(self.open.len());
        for tree in &self.open {
            let Some(last) = tree.rows.last() else {
                notes.push(None);
                continue;
            };
            let note = last.keys.sign(tree.checkpoint().body().as_bytes());
            let first = tree.edge.size() - tree.rows.len() as u64;
            for (seq, row) in (first..).zip(&tree.rows) {
                let note = (seq + 1 == tree.edge.size()).then_some(note);
                let NewEntry { leaf, epoch, chain, slot, message, papers } = &row.entry;
                let place = at(tree.log, seq);
                insert.execute(params![
                    place,
                    leaf,
                    row.hashes.as_flattened(),
                    note,
                    epoch.as_bytes(),
                    chain,
                    *slot as i64,
                    message,
                    entry_digest(leaf, *chain, *slot, message)
                ])?;
                for paper in papers {
                    let sql = "INSERT INTO papers (at, tenant, topic, about, body, digest)
                        VALUES (?1, (SELECT n FROM tenants WHERE id = ?2), ?3, ?4, ?5, ?6)";
                    let digest = paper_digest(paper.topic, paper.about, &paper.body);
                    let row = params![place, tree.tenant.as_bytes(), paper.topic, paper.about, paper.body, digest];
                    tx.prepare_cached(sql)?.execute(row)?;
                }
            }
            notes.push(Some(note));
        }
        Ok(notes)
    }

    /// The marks of what was committed, and the heads to remember.
    pub(super) fn marks(&self) -> Grown {
        let grown = self.open.iter().filter(|tree| !tree.rows.is_empty());
        let both = grown.map(|tree| {
            let (size, root) = (tree.edge.size(), tree.edge.root());
            let mark = Mark { size, root, tenant: tree.tenant, generation: tree.generation, end: None };
            ((tree.log, mark), (tree.log, Head { key: tree.key, size, root, mark: Some((size, root)) }))
        });
        both.unzip()
    }

    /// The receipt of an entry that was committed.
    pub(super) fn receipt(&self, placed: Placed, notes: &[Option<[u8; 64]>]) -> crate::error::Result<Appended> {
        let Placed(number, row) = placed;
        let tree = &self.open[number];
        let size = tree.edge.size();
        let seq = size - (tree.rows.len() - row) as u64;
        let path = inclusion(seq, size, tree)?;
        // Every log that was appended to was signed.
        let signature = notes[number].unwrap_or([0; 64]);
        let checkpoint = SignedCheckpoint::from_signature(tree.checkpoint(), &tree.key, signature);
        let leaf = Leaf::from_bytes(&tree.rows[row].entry.leaf);
        let proof = InclusionProof { leaf, index: seq, path, checkpoint };
        Ok(Appended { log: tree.log, key: tree.key, proof })
    }

    /// A tenant's open log, compared with what was signed and anchored.
    fn tree(&mut self, tx: &Connection, tenant: TenantId) -> Result<usize, Refusal> {
        if let Some(number) = self.open.iter().rposition(|tree| tree.tenant == tenant) {
            return Ok(number);
        }
        let (number, seen) = self.read(tx, tenant)?;
        let compared = self.compare(tx, number, seen);
        if compared.is_err() {
            self.open.truncate(number);
        }
        compared.map(|()| number)
    }

    /// Refuses a log that is behind its mark, or has ended.
    fn compare(&self, tx: &Connection, number: usize, seen: Option<(u64, Hash)>) -> Result<(), Refusal> {
        let Tree { tenant, log, generation, ref edge, .. } = self.open[number];
        let (size, root) = (edge.size(), edge.root());
        match self.anchor.mark(log).map_err(Refusal::Change)? {
            Some(mark) => {
                let behind = mark.tenant != tenant || mark.size > size || mark.end.is_some();
                let seen = seen == Some((mark.size, mark.root));
                let then = |size| crate::tlog::root(size, &Stored { tx, log }).map_err(Refusal::Change);
                if behind || !seen && then(mark.size)? != mark.root {
                    return Err(refuse(ErrorKind::RolledBack, "comparing a ledger with its high-water mark"));
                }
                Ok(())
            }
            None if size == 0 => Ok(()),
            // A crash came between its first commit and its mark. Nothing may be appended to a log without a mark.
            None if super::is_first_commit(tx, log)? => {
                let mark = Mark { size, root, tenant, generation, end: None };
                self.anchor.raise(&[(log, mark)]).map_err(Refusal::Change)
            }
            None => Err(refuse(ErrorKind::Damaged, "looking for a ledger's high-water mark, which is not there")),
        }
    }

    /// Reads a tenant's open log and verifies its head. Gives the mark that it was compared with before, if that was
    /// in this process and nothing has changed since.
    fn read(&mut self, tx: &Connection, tenant: TenantId) -> Result<(usize, Option<(u64, Hash)>), Refusal> {
        let sql = "SELECT n, generation, key FROM logs WHERE tenant = (SELECT n FROM tenants WHERE id = ?1)
            ORDER BY generation DESC LIMIT 1";
        let row = tx.prepare_cached(sql)?.query_row([tenant.as_bytes()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, [u8; 32]>(2)?))
        });
        let Some((log, generation, key)) = row.optional()? else {
            return Err(refuse(ErrorKind::NotFound, "looking a tenant's ledger up"));
        };
        let head = self.heads.get(&log).filter(|head| *head.key.as_bytes() == key);
        let key = head.map_or_else(|| PublicKey::from_bytes(key), |head| Ok(head.key));
        let key = key.map_err(|_| refuse(ErrorKind::Tampered, "reading a ledger's key"))?;
        let sql = "SELECT at, note FROM entries WHERE at >= ?1 AND at < ?2 ORDER BY at DESC LIMIT 1";
        let last = tx.prepare_cached(sql)?.query_row([at(log, 0), at(log + 1, 0)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<[u8; 64]>>(1)?))
        });
        let last = last.optional()?;
        let size = last.map_or(0, |(place, _)| (place - at(log, 0)) as u64 + 1);

        // The root comes from the stored right edge, not from memory: nothing is signed that is not on the disk.
        let wanted = Edge::wanted(size);
        let hashes = Stored { tx, log }.nodes(&wanted).map_err(Refusal::Change)?;
        let known = wanted.into_iter().zip(hashes.iter().copied()).collect();
        let edge = Edge::from_hashes(size, hashes).map_err(Refusal::Change)?;
        let root = edge.root();
        let origin = origin_of(&key);
        let seen = head.filter(|head| (head.size, head.root) == (size, root));
        if let (None, Some((_, note))) = (seen, last) {
            let checkpoint = Checkpoint { origin: origin.clone(), size, root };
            let body = checkpoint.body();
            let doing = "verifying a ledger's head before appending to it";
            let note = note.ok_or_else(|| refuse(ErrorKind::Tampered, doing))?;
            key.verify(body.as_bytes(), &note, doing).map_err(Refusal::Change)?;
        }
        let mark = seen.and_then(|head| head.mark);
        let (predecessor, rows) = (None, Vec::new());
        self.open.push(Tree { tenant, log, generation, key, origin, edge, predecessor, known, rows });
        Ok((self.open.len() - 1, mark))
    }
}

fn refuse(kind: ErrorKind, doing: &'static str) -> Refusal {
    Refusal::Change(Error::new(kind, doing))
}

impl Tree {
    fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: self.origin.clone(), size: self.edge.size(), root: self.edge.root() }
    }
}

/// Nodes of a log while it grows: a new entry's proof needs none but the old right edge and what came since.
impl Nodes for Tree {
    fn nodes(&self, wanted: &[(u8, u64)]) -> crate::error::Result<Vec<Hash>> {
        let first = self.edge.size() - self.rows.len() as u64;
        let missing = || Error::new(ErrorKind::Damaged, "looking up a node of a ledger's tree");
        let node = |(level, index): &(u8, u64)| {
            if let Some(hash) = self.known.get(&(*level, *index)) {
                return Ok(*hash);
            }
            let (entry, at) = crate::tlog::place(*level, *index);
            let row = entry.checked_sub(first).and_then(|row| self.rows.get(usize::try_from(row).ok()?));
            row.and_then(|row| row.hashes.get(at)).copied().ok_or_else(missing)
        };
        wanted.iter().map(node).collect()
    }
}

/// Nodes of a log as the transaction's connection reads them.
struct Stored<'a> {
    tx: &'a Connection,
    log: i64,
}

impl Nodes for Stored<'_> {
    fn nodes(&self, wanted: &[(u8, u64)]) -> crate::error::Result<Vec<Hash>> {
        let doing = "reading a ledger's tree";
        let read = |error| super::failed(error, doing);
        let mut select = self.tx.prepare_cached("SELECT hashes FROM entries WHERE at = ?1").map_err(read)?;
        let mut node = |(level, index): &(u8, u64)| {
            let (entry, position) = crate::tlog::place(*level, *index);
            let hashes: Option<Vec<u8>> =
                select.query_row([at(self.log, entry)], |row| row.get(0)).optional().map_err(read)?;
            let hash = hashes.as_ref().and_then(|hashes| hashes.as_chunks::<32>().0.get(position));
            hash.copied().ok_or_else(|| Error::new(ErrorKind::Damaged, doing))
        };
        wanted.iter().map(&mut node).collect()
    }
}
