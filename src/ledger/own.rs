//! Papers that the operator keeps with a tenant's entries, for itself.

use super::desk::Ledger;
use super::entry::EntryPlace;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TenantId, VaultId};
use crate::key::{PublicKey, WriterKey};
use crate::order::{GAG, Gag, WITHHELD, Withheld};
use crate::secret::Plain;
use crate::store::{PaperRow, PermissionRow, Slot};

/// Papers that are read at once.
const PAGE: usize = 256;

/// A document that the operator keeps with an entry.
pub(crate) struct OwnPaper {
    /// Its number in the vault: later ones have larger numbers.
    pub(crate) n: i64,
    pub(crate) log: PublicKey,
    pub(crate) seq: u64,
    pub(crate) about: Option<[u8; 16]>,
    pub(crate) bytes: Plain,
}

impl Ledger {
    /// Syncs the marks of what was said: nothing is given out while one could still be lost.
    pub(crate) fn sync(&self) -> Result<()> {
        self.room.anchor.sync()
    }

    /// The operator as the writer of its own epochs.
    pub(crate) fn writer(&self) -> &WriterKey {
        &self.writer
    }

    pub(crate) fn vault(&self) -> VaultId {
        self.room.id
    }

    /// The permission to open something once, if it was not used.
    pub(crate) fn permission(&self, about: &[u8; 16]) -> Result<Option<PermissionRow>> {
        self.room.store.permission(about)
    }

    /// What keeps an entry from its tenant.
    pub(super) fn gag_of(&self, tenant: TenantId, entry: Option<(PublicKey, u64)>) -> Result<Option<Gag>> {
        let (mut n, operator) = (0, self.operator.public_key());
        loop {
            let rows = self.room.store.papers(tenant, Some(WITHHELD), n, PAGE)?;
            let Some(last) = rows.last() else { return Ok(None) };
            n = last.n;
            let Some(row) = rows.into_iter().find(|row| Some((row.log, row.seq)) == entry) else { continue };
            let Ok(withheld) = Withheld::from_bytes(&row.body, &operator) else { return Ok(None) };
            let gags = self.own_papers(tenant, GAG)?.into_iter().map(|paper| Gag::decode(&paper.bytes));
            let gags = gags.collect::<Result<Vec<_>>>()?;
            return Ok(gags.into_iter().find(|gag| gag.key().id() == withheld.gag()));
        }
    }

    /// The operator's own papers of a topic that are kept with a tenant's ledger, the oldest first, each with the log and
    /// number of its entry.
    ///
    /// # Errors
    /// `Erased`, `Tampered` or `Damaged` if one does not open, `Tampered` also if they are not in the order of their entries;
    /// else as the database.
    pub(crate) fn own_papers(&self, tenant: TenantId, topic: &str) -> Result<Vec<OwnPaper>> {
        let (room, key) = (&self.room, self.operator.paper_key(self.room.id, tenant));
        let (mut papers, mut last) = (Vec::new(), (0, 0));
        loop {
            let rows = room.store.papers(tenant, Some(topic), last.0, PAGE)?;
            if rows.is_empty() {
                return Ok(papers);
            }
            for row in rows {
                let tampered = || Error::new(ErrorKind::Tampered, "reading the operator's papers of a ledger");
                if row.at <= last.1 || !row.is_whole() {
                    return Err(tampered());
                }
                last = (row.n, row.at);
                let shred = match room.slots.read(row.slot)? {
                    Slot::Live(shred) => shred,
                    Slot::Erased => {
                        return Err(Error::new(ErrorKind::Erased, "reading the operator's papers"));
                    }
                };
                let PaperRow { n, log, seq, epoch, chain, about, body, .. } = row;
                let place = EntryPlace { vault: room.id, tenant, epoch, chain, log, seq };
                let bytes = place.open_paper(topic, about, &key, &shred, body)?;
                papers.push(OwnPaper { n, log, seq, about, bytes });
            }
        }
    }
}
