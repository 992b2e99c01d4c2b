//! The matters that stand, and what they hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::paper::{self, Hold, Said, TOPIC};
use crate::error::{ErrorKind, Result};
use crate::id::{RecordId, TenantId};
use crate::key::PublicKey;
use crate::record::Identifier;
use crate::retrieve::{PaperPlace, Places, TenantSession};
use crate::store::{Op, RecordRow};
use crate::time::Timestamp;

/// How long a proposal to release a matter waits for somebody to confirm it. What the operator says of an order does not lapse:
/// the order is over.
pub const RELEASE_TIME: Duration = Duration::from_secs(14 * 24 * 3600);

/// A matter that stands, with everything that it holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Matter {
    /// Its name.
    pub name: String,
    /// The id of the order that the operator placed it for; nothing for the tenant's own.
    pub order: Option<[u8; 16]>,
    /// What was held for it, in the order in which that was said.
    pub holds: Vec<PlacedHold>,
    /// That it is over, as somebody says whom nobody has confirmed yet.
    pub proposal: Option<ReleaseProposal>,
}

/// A hold that stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlacedHold {
    /// What it holds, and why.
    pub hold: Hold,
    /// Who placed it.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// The ledger that tells of it, and the number of its entry.
    pub entry: (PublicKey, u64),
}

/// That a matter is over, as somebody says. Somebody else must confirm it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReleaseProposal {
    /// Who says so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was said.
    pub at: Timestamp,
    /// The ledger that tells of it, and the number of its entry.
    pub entry: (PublicKey, u64),
}

impl ReleaseProposal {
    /// From when on it counts no more, unless the operator says it of an order.
    pub fn lapses(&self) -> Timestamp {
        let time = i64::try_from(RELEASE_TIME.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_ms(self.at.unix_ms().saturating_add(time))
    }
}

/// What a matter is known by: its name, and the order that the operator placed it for, so that neither the operator nor the
/// tenant ends the other's.
pub(crate) type MatterKey = Arc<(String, Option<[u8; 16]>)>;

/// From and before.
type Period = (Timestamp, Timestamp);

/// The matters that stand, as far as somebody has read of them.
#[derive(Default)]
pub(crate) struct Holds {
    matters: BTreeMap<MatterKey, Matter>,
    records: HashMap<RecordId, BTreeSet<MatterKey>>,
    subjects: HashMap<Identifier, BTreeSet<(MatterKey, Option<Period>)>>,
    periods: BTreeSet<(MatterKey, Period)>,
    everything: BTreeSet<MatterKey>,
    last: PaperPlace,
}

/// That no hold stands against erasing a record, as far as its maker had read. Only [`Holds::clear`] makes one, and nothing is
/// erased without: see [`Clearance::spend`].
pub(crate) struct Clearance {
    pub(crate) record: RecordId,
    n: i64,
    seen: i64,
}

impl Clearance {
    /// What lets records be erased, in the change that says so: refused with `AlreadyExists` if anything was said of holds
    /// since they were cleared, or one of them is to be erased already. `deferred` is the place of the entry that had put
    /// it off.
    pub(crate) fn spend(tenant: TenantId, cleared: Vec<Self>, deferred: Option<i64>) -> [Op; 2] {
        let last = cleared.iter().map(|cleared| cleared.seen).min().unwrap_or(0);
        let records = cleared.into_iter().map(|cleared| cleared.n).collect();
        [Op::Seen { tenant, topic: TOPIC, last }, Op::Erase { tenant, records, deferred }]
    }
}

impl Holds {
    /// Reads what was said since.
    ///
    /// # Errors
    /// `Erased`, `Tampered` or `Damaged` if something that was said does not open: then nobody knows what is held.
    pub(crate) fn learn(&mut self, session: &TenantSession) -> Result<()> {
        if session.room.store.last_paper(session.tenant, TOPIC)? == self.last.n {
            return Ok(());
        }
        session.each_paper(TOPIC, self.last, |paper| {
            let said = paper::decode(&paper.bytes)?;
            self.last = paper.place;
            self.take(said, (paper.log, paper.seq));
            Ok(())
        })
    }

    fn take(&mut self, said: Said, entry: (PublicKey, u64)) {
        match said {
            Said::Placed { at, by, order, hold } => {
                let key = MatterKey::new((hold.matter().to_owned(), order));
                self.enter(&key, &hold);
                let new = || Matter { name: key.0.clone(), order, holds: Vec::new(), proposal: None };
                let matter = self.matters.entry(Arc::clone(&key)).or_insert_with(new);
                // Whoever proposed its end knew nothing of this.
                matter.proposal = None;
                matter.holds.push(PlacedHold { hold, by, since: at, entry });
            }
            Said::Proposed { at, by, order, matter, reason } => {
                if let Some(matter) = self.matters.get_mut(&(matter, order)) {
                    matter.proposal = Some(ReleaseProposal { by, reason, at, entry });
                }
            }
            Said::Released { at, by, order, matter, .. } => {
                let key = MatterKey::new((matter, order));
                // One that nobody had proposed, or he who says so himself, ends nothing.
                if self.proposal(&key, at).is_some_and(|proposal| may_confirm(&key, proposal, &by)) {
                    self.release(&key);
                }
            }
        }
    }

    fn enter(&mut self, key: &MatterKey, hold: &Hold) {
        let period = hold.held_period().map(|period| (period.start, period.end));
        for record in hold.held_records() {
            self.records.entry(*record).or_default().insert(Arc::clone(key));
        }
        for subject in hold.held_subjects() {
            self.subjects.entry(subject.clone()).or_default().insert((Arc::clone(key), period));
        }
        if hold.held_subjects().is_empty() {
            self.periods.extend(period.map(|period| (Arc::clone(key), period)));
        }
        if hold.holds_everything() {
            self.everything.insert(Arc::clone(key));
        }
    }

    fn release(&mut self, key: &MatterKey) {
        let Some(matter) = self.matters.remove(key) else { return };
        for hold in matter.holds.iter().map(|placed| &placed.hold) {
            for record in hold.held_records() {
                take_from(&mut self.records, record, key);
            }
            let period = hold.held_period().map(|period| (period.start, period.end));
            for subject in hold.held_subjects() {
                take_from(&mut self.subjects, subject, &(Arc::clone(key), period));
            }
            if let Some(period) = period {
                self.periods.remove(&(Arc::clone(key), period));
            }
        }
        self.everything.remove(key);
    }

    /// That a matter is over, as somebody said, unless that has lapsed by `now`.
    fn proposal(&self, key: &MatterKey, now: Timestamp) -> Option<&ReleaseProposal> {
        let proposal = self.matters.get(key)?.proposal.as_ref();
        // It is said once, in the commit that closes the order.
        proposal.filter(|proposal| key.1.is_some() || now < proposal.lapses())
    }

    /// The matters that stand, without proposals that lapsed by `now`.
    pub(super) fn standing(&self, now: Timestamp) -> Vec<Matter> {
        let all = self.matters.iter();
        all.map(|(key, matter)| Matter { proposal: self.proposal(key, now).cloned(), ..matter.clone() }).collect()
    }

    /// The matters of a name, the tenant's own first, each with its proposal if that has not lapsed by `now`.
    pub(crate) fn named(
        &self,
        name: &str,
        now: Timestamp,
    ) -> impl Iterator<Item = (MatterKey, Option<&ReleaseProposal>)> {
        let all = self.matters.range((name.to_owned(), None)..).take_while(move |(key, _)| key.0 == name);
        all.map(move |(key, _)| (Arc::clone(key), self.proposal(key, now)))
    }

    /// What refuses a change if anything was said of holds that is not known here.
    pub(crate) fn seen(&self, tenant: TenantId) -> Op {
        Op::Seen { tenant, topic: TOPIC, last: self.last.n }
    }

    /// Lets a record be erased, or names the matters that hold it; `without` are such as end.
    ///
    /// # Errors
    /// Of the record, if its head is asked for by a hold on subjects and does not open, and nothing else holds it.
    pub(crate) fn clear(
        &self,
        session: &TenantSession,
        row: RecordRow,
        places: &mut Places,
        without: &BTreeSet<MatterKey>,
    ) -> Result<Result<Clearance, Vec<String>>> {
        let (n, record) = (row.n, row.record);
        // Whose slots are not known cannot be erased either.
        let time = row.header(session.room.id)?.time;
        let stands = |key: &MatterKey| !without.contains(key);
        let mut by: BTreeSet<&MatterKey> = self.everything.iter().collect();
        by.extend(self.records.get(&record).into_iter().flatten());
        by.extend(self.periods.iter().filter(|(_, period)| contains(*period, time)).map(|(key, _)| key));
        by.retain(|key| stands(key));
        if self.subjects.values().flatten().any(|(key, _)| stands(key)) {
            match session.open_next(row, places) {
                Ok(record) => {
                    let named = record.head().identifiers().filter_map(|who| self.subjects.get(who)).flatten();
                    let named = named.filter(|(_, period)| period.is_none_or(|period| contains(period, time)));
                    by.extend(named.map(|(key, _)| key).filter(|key| stands(key)));
                }
                // There is nobody left in it.
                Err(e) if e.kind() == ErrorKind::Erased => {}
                Err(e) if by.is_empty() => return Err(e),
                Err(_) => {}
            }
        }
        if by.is_empty() {
            return Ok(Ok(Clearance { record, n, seen: self.last.n }));
        }
        let names: BTreeSet<&String> = by.into_iter().map(|key| &key.0).collect();
        Ok(Err(names.into_iter().cloned().collect()))
    }
}

/// Whether `actor` is somebody else than who proposed the end of a matter. Of one that the operator holds for an order, the
/// operator has: whatever the tenant's actors are called.
pub(crate) fn may_confirm(key: &MatterKey, proposal: &ReleaseProposal, actor: &str) -> bool {
    let name = |actor: &str| actor.trim().to_lowercase();
    key.1.is_some() || name(&proposal.by) != name(actor)
}

fn contains((from, before): Period, time: Timestamp) -> bool {
    (from..before).contains(&time)
}

/// Takes a value out of the set of a key, and the key out if nothing is left.
fn take_from<K: Hash + Eq, T: Ord>(map: &mut HashMap<K, BTreeSet<T>>, key: &K, value: &T) {
    if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}

impl fmt::Debug for Clearance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clearance({})", self.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::OperatorKey;

    #[test]
    fn a_proposal_lapses_by_time_and_whenever_more_is_held_for_the_matter() {
        let log = OperatorKey::generate().unwrap().public_key();
        let day = |day: i64| Timestamp::from_unix_ms(day * 86_400_000);
        let placed = |at| Said::Placed { at, by: "ann".into(), order: None, hold: Hold::new("m", "r").everything() };
        let (matter, reason) = ("m".to_owned(), "over".to_owned());
        let proposed =
            |at| Said::Proposed { at, by: "ann".into(), order: None, matter: "m".into(), reason: "o".into() };
        let stands = |holds: &Holds, now| {
            let told = holds.standing(now).remove(0).proposal.is_some();
            let named: Vec<bool> = holds.named("m", now).map(|(_, proposal)| proposal.is_some()).collect();
            assert_eq!(named, [told]);
            told
        };
        let mut holds = Holds::default();
        holds.take(placed(day(0)), (log, 0));
        assert!(!stands(&holds, day(0)));
        holds.take(proposed(day(1)), (log, 1));
        let last = Timestamp::from_unix_ms(day(15).unix_ms() - 1);
        assert!(stands(&holds, day(1)) && stands(&holds, last) && !stands(&holds, day(15)));
        holds.take(placed(day(2)), (log, 2));
        assert!(!stands(&holds, day(2)));
        holds.take(proposed(day(14)), (log, 3));
        assert!(stands(&holds, day(15)));
        let released = |at, by: &str| {
            let (by, matter, reason) = (by.to_owned(), matter.clone(), reason.clone());
            Said::Released { at, by, order: None, matter, reason }
        };
        for (at, by) in [(day(15), "Ann "), (day(28), "bob")] {
            holds.take(released(at, by), (log, 4));
            assert_eq!(holds.standing(day(28)).len(), 1, "{by} has not ended it");
        }
        holds.take(released(day(15), "bob"), (log, 5));
        assert!(holds.standing(day(15)).is_empty() && holds.everything.is_empty());
    }

    #[test]
    fn that_an_order_is_over_does_not_lapse() {
        let log = OperatorKey::generate().unwrap().public_key();
        let (at, order) = (Timestamp::from_unix_ms(0), Some([7; 16]));
        let much_later = Timestamp::from_unix_ms(4 * 365 * 86_400_000);
        let mut holds = Holds::default();
        let hold = Hold::new("m", "r").everything();
        holds.take(Said::Placed { at, by: "operator".into(), order, hold }, (log, 0));
        let (matter, reason) = ("m".to_owned(), "over".to_owned());
        holds.take(Said::Proposed { at, by: "operator".into(), order, matter, reason }, (log, 1));
        assert!(holds.standing(much_later)[0].proposal.is_some());
        let (matter, reason) = ("m".to_owned(), "seen".to_owned());
        holds.take(Said::Released { at: much_later, by: "bob".into(), order, matter, reason }, (log, 2));
        assert!(holds.standing(much_later).is_empty());
    }

    #[test]
    fn of_a_matter_that_ended_nothing_is_left() {
        let log = OperatorKey::generate().unwrap().public_key();
        let record = RecordId::generate().unwrap();
        let (who, now) = (Identifier::tel("+15722568385").unwrap(), Timestamp::from_unix_ms(5));
        let period = Timestamp::from_unix_ms(0)..Timestamp::from_unix_ms(9);
        let hold = |matter| {
            let hold = Hold::new(matter, "r").records([record]).everything();
            [hold.clone().period(period.clone()), hold.subject(who.clone()).period(period.clone())]
        };
        let mut holds = Holds::default();
        for (matter, order) in [("a", None), ("b", None), ("b", Some([1; 16]))] {
            for hold in hold(matter) {
                holds.take(Said::Placed { at: now, by: "ann".into(), order, hold }, (log, 0));
            }
        }
        let mut release = |matter: &str, order| {
            let (own, reason) = (matter.to_owned(), "over".to_owned());
            holds.take(Said::Proposed { at: now, by: "ann".into(), order, matter: own, reason }, (log, 1));
            holds.take(
                Said::Released { at: now, by: "b".into(), order, matter: matter.into(), reason: "".into() },
                (log, 1),
            );
            (
                holds.matters.len(),
                holds.periods.len(),
                holds.everything.len(),
                holds.records.len(),
                holds.subjects.len(),
            )
        };
        assert_eq!(release("b", Some([2; 16])), (3, 3, 3, 1, 1));
        assert_eq!(release("b", None), (2, 2, 2, 1, 1));
        assert_eq!(release("b", Some([1; 16])), (1, 1, 1, 1, 1));
        assert_eq!(release("a", None), (0, 0, 0, 0, 0));
    }
}
