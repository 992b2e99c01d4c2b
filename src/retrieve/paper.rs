use std::collections::HashMap;

use super::record::SlotWindow;
use super::session::TenantSession;
use crate::epoch::Walk;
use crate::error::{Error, ErrorKind, Result};
use crate::id::EpochId;
use crate::key::PublicKey;
use crate::ledger::EntryPlace;
use crate::secret::Plain;
use crate::store::PaperRow;

/// Papers that are read at once.
const PAGE: usize = 256;

/// A document of the tenant's that an entry speaks of.
pub(crate) struct Paper {
    /// Its number in the vault: later ones have larger numbers.
    pub(crate) n: i64,
    pub(crate) log: PublicKey,
    /// The entry that speaks of it.
    pub(crate) seq: u64,
    pub(crate) about: Option<[u8; 16]>,
    pub(crate) bytes: Plain,
}

impl TenantSession {
    /// The tenant's papers of a topic behind paper `n`, oldest first.
    ///
    /// # Errors
    /// `Erased`, `Tampered` or `Damaged` if one does not open; else as the database.
    pub(crate) fn papers(&self, topic: &str, n: i64) -> Result<Vec<Paper>> {
        let mut papers = Vec::new();
        self.each_paper(topic, n, |paper| {
            papers.push(paper);
            Ok(())
        })?;
        Ok(papers)
    }

    /// As [`papers`](Self::papers), one by one: none is held.
    ///
    /// # Errors
    /// As there, and as `visit`.
    pub(crate) fn each_paper(&self, topic: &str, mut n: i64, mut visit: impl FnMut(Paper) -> Result<()>) -> Result<()> {
        let mut walks: HashMap<EpochId, Option<Walk>> = HashMap::new();
        loop {
            let rows = self.room.store.papers(self.tenant, Some(topic), n, PAGE)?;
            let Some(last) = rows.last() else { return Ok(()) };
            n = last.n;
            for row in rows {
                let walk = walks.entry(row.epoch).or_default();
                visit(self.open_paper(row, walk)?)?;
            }
        }
    }

    fn open_paper(&self, row: PaperRow, walk: &mut Option<Walk>) -> Result<Paper> {
        if !row.is_whole() {
            return Err(Error::new(ErrorKind::Tampered, "reading a paper of a ledger's entry"));
        }
        let PaperRow { n, log, seq, epoch, chain, slot, topic, about, body, digest: _ } = row;
        let shred = SlotWindow::one().read(&self.room, slot)?;
        let key = self.epoch(epoch)?.next_message_key(chain, walk)?;
        let place = EntryPlace { vault: self.room.id, tenant: self.tenant, epoch, chain, log, seq };
        Ok(Paper { n, log, seq, about, bytes: place.open_paper(&topic, &key, &shred, body)? })
    }
}
