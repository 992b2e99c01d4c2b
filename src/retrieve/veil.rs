//! Entries that a tenant must not read yet, and those that it may by now.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::paper::PaperPlace;
use super::session::TenantSession;
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;
use crate::order::{GagKey, NOTICE, Notified, WITHHELD, Withheld};
use crate::secret::Secret;

/// Papers that are read at once.
const PAGE: usize = 256;

/// What is withheld from a tenant, as far as a session has read it, and the keys that it has been told.
#[derive(Default)]
pub(crate) struct Veils {
    withheld: HashMap<(PublicKey, u64), Withheld>,
    keys: HashMap<[u8; 16], GagKey>,
    /// The last papers that were read of either.
    last: (i64, i64),
}

/// What stands between a tenant and an entry.
pub(crate) enum Veil<'v> {
    /// Nothing.
    None,
    /// It is sealed under this instead of the tenant's message key.
    Lifted(Secret),
    /// It cannot be read yet.
    Withheld(&'v Withheld),
}

/// The veils of a session, read anew when there are more.
#[derive(Default)]
pub(super) struct Known {
    veils: RwLock<Arc<Veils>>,
    /// Keys that a custodian lifted.
    given: HashMap<[u8; 16], GagKey>,
}

impl Known {
    pub(super) fn give(&mut self, key: GagKey) {
        self.given.insert(key.id(), key);
        // What was read without it is read again.
        self.veils = RwLock::default();
    }
}

impl Veils {
    pub(crate) fn of(&self, log: &PublicKey, seq: u64) -> Veil<'_> {
        match self.withheld.get(&(*log, seq)) {
            None => Veil::None,
            Some(withheld) => match self.keys.get(&withheld.gag()) {
                Some(key) => Veil::Lifted(key.message_key(log, seq)),
                None => Veil::Withheld(withheld),
            },
        }
    }
}

impl TenantSession {
    /// Reads entries that are withheld with the key that a custodian lifted: see
    /// [`Custodian::lift`](crate::Custodian::lift).
    #[must_use]
    pub fn with_gag_key(mut self, key: GagKey) -> Self {
        self.veils.give(key);
        self
    }

    /// Entries of this tenant's ledgers that it cannot read yet, as the operator signed that it withholds them.
    ///
    /// # Errors
    /// As the database.
    pub fn withheld(&self) -> Result<Vec<Withheld>> {
        let veils = self.veils()?;
        let covered = |(log, seq): &(PublicKey, u64)| matches!(veils.of(log, *seq), Veil::Withheld(_));
        let mut all: Vec<Withheld> =
            veils.withheld.iter().filter(|(place, _)| covered(place)).map(|(_, withheld)| withheld.clone()).collect();
        all.sort_by_key(|withheld| withheld.entry().1);
        Ok(all)
    }

    /// What is withheld from this tenant now.
    pub(crate) fn veils(&self) -> Result<Arc<Veils>> {
        let store = &self.room.store;
        let last = (store.last_paper(self.tenant, WITHHELD)?, store.last_paper(self.tenant, NOTICE)?);
        let known = Arc::clone(&self.veils.veils.read().unwrap_or_else(PoisonError::into_inner));
        if known.last == last {
            return Ok(known);
        }
        let mut veils = Veils { last, ..Veils::default() };
        self.learn_withheld(&mut veils)?;
        veils.keys.extend(self.veils.given.iter().map(|(id, key)| (*id, key.copy())));
        self.each_paper_unveiled(NOTICE, PaperPlace::default(), &Veils::default(), |paper| {
            let key = Notified::decode(&paper.bytes)?.key();
            veils.keys.extend(key.map(|key| (key.id(), key)));
            Ok(())
        })?;
        let veils = Arc::new(veils);
        *self.veils.veils.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&veils);
        Ok(veils)
    }

    fn learn_withheld(&self, veils: &mut Veils) -> Result<()> {
        let (store, operator) = (&self.room.store, self.room.store.operator()?);
        let mut n = 0;
        loop {
            let rows = store.papers(self.tenant, Some(WITHHELD), n, PAGE)?;
            let Some(last) = rows.last() else { return Ok(()) };
            n = last.n;
            for row in rows {
                let place = (self.room.id, self.tenant, row.log, row.seq);
                // One that the operator did not sign for this entry keeps nothing from anybody.
                let withheld = Withheld::from_bytes(&row.body, &operator).ok().filter(|w| w.place() == place);
                veils.withheld.extend(withheld.map(|withheld| (withheld.entry(), withheld)));
            }
        }
    }
}

pub(crate) fn withheld(withheld: &Withheld) -> Error {
    Error::new(ErrorKind::Refused, "reading an entry that is withheld")
        .because(format!("the operator withholds it until {}", withheld.until()))
}
