use std::collections::HashMap;

use super::record::SlotWindow;
use super::session::TenantSession;
use super::veil::Veil;
use crate::epoch::Walk;
use crate::error::{Error, ErrorKind, Result};
use crate::id::EpochId;
use crate::key::PublicKey;
use crate::ledger::EntryPlace;
use crate::secret::{Plain, Secret};
use crate::store::PaperRow;

/// Papers that are read at once.
const PAGE: usize = 256;

/// A document of the tenant's that an entry speaks of.
pub(crate) struct Paper {
    pub(crate) place: PaperPlace,
    pub(crate) log: PublicKey,
    /// The entry that speaks of it.
    pub(crate) seq: u64,
    pub(crate) about: Option<[u8; 16]>,
    pub(crate) bytes: Plain,
}

/// Where a paper stands among a tenant's. Before all of them by default.
#[derive(Clone, Copy, Default)]
pub(crate) struct PaperPlace {
    /// Its number in the vault: later ones have larger numbers.
    pub(crate) n: i64,
    /// That of its entry, as in the database.
    pub(crate) at: i64,
}

/// Where somebody is who opens many papers.
#[derive(Default)]
pub(super) struct PaperReader {
    walks: HashMap<EpochId, Option<Walk>>,
}

impl PaperReader {
    /// Opens a paper that is sealed as its tenant's entries are.
    pub(super) fn open(&mut self, session: &TenantSession, row: PaperRow) -> Result<Paper> {
        let walk = self.walks.entry(row.epoch).or_default();
        let key = session.epoch(row.epoch)?.next_message_key(row.chain, walk)?;
        session.open_paper(row, &key)
    }
}

impl TenantSession {
    /// The tenant's papers of a topic behind a place, oldest first.
    ///
    /// # Errors
    /// `Erased`, `Tampered` or `Damaged` if one does not open, `Tampered` also if they are not in the order of their
    /// entries: the last one is what counts; else as the database.
    pub(crate) fn papers(&self, topic: &str, behind: PaperPlace) -> Result<Vec<Paper>> {
        let mut papers = Vec::new();
        self.each_paper(topic, behind, |paper| {
            papers.push(paper);
            Ok(())
        })?;
        Ok(papers)
    }

    /// As [`papers`](Self::papers), one by one: none is held.
    ///
    /// # Errors
    /// As there, and as `visit`.
    pub(crate) fn each_paper(
        &self,
        topic: &str,
        mut behind: PaperPlace,
        mut visit: impl FnMut(Paper) -> Result<()>,
    ) -> Result<()> {
        let mut reader = PaperReader::default();
        loop {
            let rows = self.room.store.papers(self.tenant, Some(topic), behind.n, PAGE)?;
            if rows.is_empty() {
                return Ok(());
            }
            // Looked up behind the papers: what is withheld has its own beside it from the beginning.
            let veils = self.veils()?;
            for row in rows {
                if row.at <= behind.at {
                    return Err(Error::new(ErrorKind::Tampered, "reading papers in the order of a ledger's entries"));
                }
                behind = PaperPlace { n: row.n, at: row.at };
                match veils.of(&row.log, row.seq) {
                    Veil::None => visit(reader.open(self, row)?)?,
                    Veil::Lifted(key) => visit(self.open_paper(row, &key)?)?,
                    // What is sealed for the tenant is not withheld, whoever says so.
                    Veil::Withheld(_) => reader.open(self, row).ok().map_or(Ok(()), &mut visit)?,
                }
            }
        }
    }

    fn open_paper(&self, row: PaperRow, key: &Secret) -> Result<Paper> {
        if !row.is_whole() {
            return Err(Error::new(ErrorKind::Tampered, "reading a paper of a ledger's entry"));
        }
        let PaperRow { n, at, log, seq, epoch, chain, slot, topic, about, body, digest: _ } = row;
        let shred = SlotWindow::one().read(&self.room, slot)?;
        let place = EntryPlace { vault: self.room.id, tenant: self.tenant, epoch, chain, log, seq };
        let bytes = place.open_paper(&topic, about, key, &shred, body)?;
        Ok(Paper { place: PaperPlace { n, at }, log, seq, about, bytes })
    }
}
