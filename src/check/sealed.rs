use std::collections::HashMap;

use ring::digest::{Context, SHA256};

use super::leftovers::{self, is_erased};
use super::named::{SlotBook, each_record, enter_entries, heads};
use super::report::{CheckReport, FindingKind};
use crate::epoch::EpochHeader;
use crate::error::{ErrorKind, Result};
use crate::id::{EpochId, TenantId};
use crate::ledger::Marks;
use crate::record::RecordHeader;
use crate::room::{Room, Statements};
use crate::store::{LogRow, MAX_INLINE, ObjectName, RecordRow, Slot, Which};
use crate::stream::ReadAt;
use crate::tlog::{Checkpoint, Edge, Leaf, SignedCheckpoint, origin_of};
use crate::vault::Vault;

/// Entries of a ledger read at once.
const ENTRIES: usize = 256;
/// Papers that are looked at at once.
const PAPERS: usize = 64;

impl Vault {
    /// Looks through the whole vault without any key: the database's integrity, every card, policy, epoch and record
    /// header, every sealed part against its digest, every slot, and whatever is there that no record names. Reads
    /// every byte; memory stays bounded.
    ///
    /// # Errors
    /// As the file system, if it keeps the check from going on. What is wrong with the vault is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        let room = &*self.room;
        let mut report = CheckReport::default();
        let closed = leftovers::closed_epochs(room)?;
        // Others may be ingesting. Records up to this one are looked at: all that they name is listed after it.
        let last = room.store.last_record()?;
        // Marks before heads, which only grow.
        let (marks, heads) = (Marks::read(room)?, heads(room)?);
        let database = match room.store.integrity() {
            Err(e) if e.kind() == ErrorKind::Damaged => vec![e.to_string()],
            complaints => complaints?,
        };
        for complaint in database {
            report.find(FindingKind::Database, None, complaint);
        }
        let tenants = tenants(room, &mut report)?;
        let epochs = epochs(room, &tenants, &mut report)?;
        let mut named = records(room, &epochs, last, &mut report)?;
        ledgers(room, &marks, &heads, &mut named, &mut report)?;
        let orphans = room.store.orphan_parts()?;
        if orphans > 0 {
            report.find(FindingKind::Stray, None, format!("{orphans} sealed parts in the database have no record"));
        }
        match leftovers::find(room, &closed, &named) {
            // A header that does not parse is reported already; what it named cannot be told from leftovers.
            Err(e) if e.kind() == ErrorKind::Tampered => {}
            found => {
                let left = found?;
                for object in left.objects {
                    let place = format!("object {}/{}.{}", object.epoch.to_hex(), object.record.to_hex(), object.part);
                    report.find(FindingKind::Leftover, None, place);
                }
                for path in left.unfinished {
                    report.find(FindingKind::Leftover, None, format!("unfinished object {}", path.display()));
                }
                if !left.slots.is_empty() {
                    report.find(
                        FindingKind::Leftover,
                        None,
                        format!("{} slots that no record names", left.slots.len()),
                    );
                }
                for record in left.revived {
                    let place = "what it was sealed with is in the shred file again, although it was erased";
                    report.find(FindingKind::Leftover, Some(record), place);
                }
                for epoch in left.leases {
                    report.find(
                        FindingKind::Leftover,
                        None,
                        format!("the mark of epoch {epoch}, whose writer is gone"),
                    );
                }
                for path in left.strangers {
                    report.find(FindingKind::Stray, None, format!("file {}", path.display()));
                }
            }
        }
        Ok(report)
    }
}

type Policies = HashMap<TenantId, Statements>;

fn tenants(room: &Room, report: &mut CheckReport) -> Result<Policies> {
    let mut known = HashMap::new();
    for row in room.store.tenants(Which::All)? {
        report.tenants += 1;
        match room.statements(row.tenant) {
            Ok(statements) => drop(known.insert(row.tenant, statements)),
            Err(e) if e.kind() != ErrorKind::Tampered => return Err(e),
            _ => report.find(FindingKind::Statement, None, format!("card or policy of tenant {}", row.tenant)),
        }
    }
    Ok(known)
}

fn epochs(room: &Room, tenants: &Policies, report: &mut CheckReport) -> Result<HashMap<EpochId, EpochHeader>> {
    let mut known = HashMap::new();
    for row in room.store.epochs()? {
        report.epochs += 1;
        match EpochHeader::from_bytes(&row.header) {
            Ok(header)
                if (header.vault(), header.tenant(), header.epoch()) == (room.id, row.tenant, row.epoch)
                    && room.store.writer_is_enrolled(&header.writer())?
                    && tenants.get(&row.tenant).is_none_or(|known| {
                        let policy = known.policies.iter().find(|policy| policy.hash() == header.policy());
                        let custodians = policy.map(|policy| policy.custodians().len());
                        known.cards.iter().any(|card| card.hash() == header.card())
                            && custodians == Some(header.custodians())
                    }) =>
            {
                known.insert(row.epoch, header);
            }
            _ => report.find(FindingKind::Statement, None, format!("header of epoch {}", row.epoch)),
        }
    }
    Ok(known)
}

/// Looks at every ledger without a key: its tree from the leaves up, its head's signature, and the slots of its entries.
fn ledgers(
    room: &Room,
    marks: &Marks,
    heads: &[(TenantId, LogRow)],
    named: &mut SlotBook,
    report: &mut CheckReport,
) -> Result<()> {
    for (tenant, seq) in enter_entries(room, heads, named)? {
        report.find(FindingKind::Slot, None, format!("row or slot of entry {seq} in the ledger of tenant {tenant}"));
    }
    for (tenant, row) in heads {
        let mut edge = Edge::default();
        let place = format!("ledger {} of tenant {tenant}", row.generation);
        while edge.size() < row.size {
            let entries = room.store.entries(row.n, edge.size(), ENTRIES.min((row.size - edge.size()) as usize))?;
            if entries.first().is_none_or(|entry| entry.seq != edge.size()) {
                break;
            }
            for entry in entries {
                let hashes = edge.push(Leaf::from_bytes(&entry.leaf).hash());
                report.entries += 1;
                if hashes.as_flattened() != entry.hashes {
                    report.find(FindingKind::Ledger, None, format!("hashes of entry {} in {place}", entry.seq));
                }
            }
        }
        let head = Checkpoint { origin: origin_of(&row.key), size: row.size, root: edge.root() };
        let signed = SignedCheckpoint::from_signature(head, &row.key, row.note.unwrap_or([0; 64]));
        if edge.size() != row.size || signed.verify(&row.key).is_err() {
            report.find(FindingKind::Ledger, None, format!("head of {place}"));
        }
    }
    for lag in marks.lags(room)? {
        report.find(FindingKind::Ledger, None, lag.to_string());
    }
    let mut tenants: Vec<TenantId> = heads.iter().map(|(tenant, _)| *tenant).collect();
    tenants.dedup();
    for tenant in tenants {
        let mut n = 0;
        loop {
            let papers = room.store.papers(tenant, None, n, PAPERS)?;
            let Some(last) = papers.last() else { break };
            n = last.n;
            for paper in papers.iter().filter(|paper| !paper.is_whole()) {
                let place = format!("{} paper of entry {} of tenant {tenant}", paper.topic, paper.seq);
                report.find(FindingKind::Ledger, None, place);
            }
        }
    }
    for act in room.store.acts()? {
        if !room.leases.is_live(act.epoch)? {
            let place = format!("the {} that entry {} of tenant {} began", act.kind, act.seq, act.tenant);
            report.find(FindingKind::Leftover, None, format!("no outcome of {place}"));
        }
    }
    Ok(())
}

fn records(
    room: &Room,
    epochs: &HashMap<EpochId, EpochHeader>,
    last: i64,
    report: &mut CheckReport,
) -> Result<SlotBook> {
    let mut named = SlotBook::new(room)?;
    each_record(room, last, |row| {
        report.records += 1;
        let Some(header) = row.header(room.id).ok().filter(|h| belongs(h, epochs)) else {
            report.find(FindingKind::Header, Some(row.record), format!("header of record number {}", row.n));
            return Ok(());
        };
        for (number, part) in (0u32..).zip(&header.parts) {
            let place = || format!("slot {} of part {number}", part.slot);
            if !named.enter(header.epoch, part.slot) {
                report.find(FindingKind::Slot, Some(row.record), place());
            }
            match room.slots.read(part.slot) {
                Ok(Slot::Live(_)) => {
                    report.slots += 1;
                    body(room, &row, &header, number, report)?;
                }
                Ok(Slot::Erased) => report.erased += u64::from(number == 0),
                Err(_) => report.find(FindingKind::Missing, Some(row.record), place()),
            }
        }
        let inline = |number: u32| header.parts.get(number as usize).is_some_and(|p| number > 0 && p.len <= MAX_INLINE);
        for stray in room.store.parts_of(row.n)?.into_iter().filter(|number| !inline(*number)) {
            report.find(FindingKind::Stray, Some(row.record), format!("sealed part {stray} in the database"));
        }
        Ok(())
    })?;
    Ok(named)
}

/// Whether a header fits its epoch.
fn belongs(header: &RecordHeader, epochs: &HashMap<EpochId, EpochHeader>) -> bool {
    epochs.get(&header.epoch).is_some_and(|e| e.tenant() == header.tenant && e.custodians() == header.shares.len())
}

/// Compares the sealed bytes of a part with its header.
fn body(room: &Room, row: &RecordRow, header: &RecordHeader, number: u32, report: &mut CheckReport) -> Result<()> {
    let part = &header.parts[number as usize];
    let digest = if number == 0 {
        hash(&row.head, part.len)
    } else if part.len <= MAX_INLINE {
        room.store.body(row.n, number)?.and_then(|body| hash(&body, part.len))
    } else {
        let object = ObjectName { epoch: header.epoch, record: header.record, part: number };
        match room.objects.open(object) {
            Ok(object) => hash(&*object, part.len),
            Err(e) if e.kind() == ErrorKind::Damaged => None,
            Err(e) => return Err(e),
        }
    };
    let place = format!("sealed part {number}");
    // Removed since its slot was looked at, or long ago, and the slot came back: that is told elsewhere.
    if digest != Some(part.digest)
        && (matches!(room.slots.read(part.slot), Ok(Slot::Erased)) || is_erased(room, row.record)?)
    {
        return Ok(());
    }
    match digest {
        None => report.find(FindingKind::Missing, Some(row.record), place),
        Some(digest) if digest != part.digest => report.find(FindingKind::Digest, Some(row.record), place),
        Some(_) => {
            report.parts += 1;
            report.bytes += part.len;
        }
    }
    Ok(())
}

/// The digest of exactly `len` bytes; nothing if there are more or fewer, or they cannot be read.
fn hash<R: ReadAt + ?Sized>(bytes: &R, len: u64) -> Option<[u8; 32]> {
    if bytes.size().ok()? != len {
        return None;
    }
    let mut context = Context::new(&SHA256);
    let mut block = vec![0; len.min(256 * 1024) as usize];
    let mut at = 0;
    while at < len {
        let n = (len - at).min(block.len() as u64) as usize;
        bytes.read_exact_at(&mut block[..n], at).ok()?;
        context.update(&block[..n]);
        at += n as u64;
    }
    context.finish().as_ref().try_into().ok()
}
