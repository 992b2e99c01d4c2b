//! Entries that a tenant must not read yet, and those that it may by now.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::paper::PaperReader;
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
        self.learn_notices(&mut veils)?;
        let veils = Arc::new(veils);
        *self.veils.veils.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&veils);
        Ok(veils)
    }

    fn learn_withheld(&self, veils: &mut Veils) -> Result<()> {
        // Not the key that the database names, which whoever changes its rows may have changed.
        let (store, operator) = (&self.room.store, self.operator());
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

    fn learn_notices(&self, veils: &mut Veils) -> Result<()> {
        let (mut n, mut reader) = (0, PaperReader::default());
        loop {
            let rows = self.room.store.papers(self.tenant, Some(NOTICE), n, PAGE)?;
            let Some(last) = rows.last() else { return Ok(()) };
            n = last.n;
            for row in rows {
                let key = reader.open(self, row).and_then(|paper| Ok(Notified::decode(&paper.bytes)?.key()));
                match key {
                    Ok(key) => veils.keys.extend(key.map(|key| (key.id(), key))),
                    // One that does not open lifts nothing, and nothing else must suffer from it.
                    Err(e) if is_its_own(&e) => {}
                    Err(e) => return Err(e),
                }
            }
        }
    }
}

/// Whether a paper is at fault, or the session has no key for it.
fn is_its_own(error: &Error) -> bool {
    use ErrorKind::{Damaged, Erased, Tampered, Unsupported, WrongKey};
    matches!(error.kind(), Damaged | Erased | Tampered | Unsupported | WrongKey)
}

pub(crate) fn withheld(withheld: &Withheld) -> Error {
    Error::new(ErrorKind::Refused, "reading an entry that is withheld")
        .because(format!("the operator withholds it until {}", withheld.until()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditFinding, Auditor, State};
    use crate::id::TenantId;
    use crate::key::{DisclosurePolicy, Identity, OperatorKey, Suite, TenantCard};
    use crate::order::Gag;
    use crate::retrieve::Access;
    use crate::store::paper_digest;
    use crate::time::Timestamp;
    use crate::vault::Vault;

    /// A session, and the rows of its vault as whoever holds the disk can change them.
    struct Scene {
        _dir: tempfile::TempDir,
        operator: Arc<OperatorKey>,
        session: TenantSession,
        db: rusqlite::Connection,
    }

    impl Scene {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let operator = Arc::new(OperatorKey::generate().unwrap());
            let vault = Vault::create(dir.path().join("v"), Arc::clone(&operator)).unwrap();
            let identity = Identity::generate_for(Suite::X25519).unwrap();
            let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
            vault.enrol("t", &card, &DisclosurePolicy::none(&card, &identity).unwrap()).unwrap();
            let session = vault.session(card.tenant(), identity, Access::new("t", "t")).unwrap();
            let db = rusqlite::Connection::open(dir.path().join("v/vault.db")).unwrap();
            Self { _dir: dir, operator, session, db }
        }

        /// Puts beside an entry that it is withheld, as `operator` signs.
        fn withhold(&self, seq: u64, operator: &OperatorKey) {
            let place = (self.session.room.id, self.session.tenant);
            let until = Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 1_000_000);
            let gag = Gag::new(GagKey::generate().unwrap(), place.0, place.1, until, &[]).unwrap();
            let log = self.session.log().unwrap().key();
            let body = Withheld::new(place, (log, seq), &gag, |body| operator.sign(body)).to_bytes();
            let sql = "INSERT INTO papers (at, tenant, topic, body, digest) VALUES ((1 << 40) + ?1, 1, ?2, ?3, ?4)";
            let digest = paper_digest(WITHHELD, None, &body);
            self.db.execute(sql, rusqlite::params![seq as i64, WITHHELD, body, digest]).unwrap();
        }

        fn state(&self, seq: u64) -> State {
            self.session.log().unwrap().entries(seq, 1).unwrap().pop().unwrap().state
        }
    }

    #[test]
    fn what_the_tenant_was_told_is_not_withheld_afterwards_even_if_the_operator_says_so() {
        let scene = Scene::new();
        assert!(matches!(scene.state(1), State::Open(..)));
        scene.withhold(1, &scene.operator);
        assert_eq!(scene.session.withheld().unwrap().len(), 1);
        assert!(matches!(scene.state(1), State::Open(..)));
        let log = scene.session.log().unwrap();
        let report = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(report.is_clean() && report.withheld == 0, "{report}");
    }

    #[test]
    fn an_entry_that_was_changed_is_found_though_somebody_else_says_that_it_is_withheld() {
        let scene = Scene::new();
        let stranger = OperatorKey::generate().unwrap();
        let operator = stranger.public_key();
        scene.db.execute("UPDATE vault SET operator = ?1", [operator.as_bytes()]).unwrap();
        scene
            .db
            .execute("UPDATE entries SET message = zeroblob(length(message)) WHERE at = (1 << 40) + 1", [])
            .unwrap();
        scene.withhold(1, &stranger);
        assert!(scene.session.withheld().unwrap().is_empty());
        assert!(matches!(scene.state(1), State::Unreadable(_)));
        let log = scene.session.log().unwrap();
        let report = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(report.findings.contains(&AuditFinding::Unreadable(1)), "{report}");
    }
}
