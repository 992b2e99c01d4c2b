//! The end of a matter, and of what waited for it.

use std::collections::BTreeSet;

use super::queue::{Deferral, Queue};
use super::record::is_its_own;
use crate::error::{Error, ErrorKind, Result};
use crate::hold::{
    ATTEMPTS, Clearance, Holds, MatterKey, ReleaseProposal, Said, TOPIC, contended, encode, may_confirm,
};
use crate::id::{RecordId, hex};
use crate::ledger::{ERASURE, Kind, Receipt, Tell, check_text};
use crate::retrieve::{Places, TenantSession};
use crate::store::Act;
use crate::time::Timestamp;

/// A matter that ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Released {
    /// Records that were to be erased, waited for this, and are erased now.
    pub erased: Vec<RecordId>,
    /// How many others wait, for matters that still stand, or because nobody can tell whether one holds them.
    pub waiting: u64,
    /// The ledger's entries about it: that the matter was released, what was authorised, and then what was erased.
    pub receipts: Vec<Receipt>,
}

/// A matter that ends, and who said so first.
struct Ending {
    key: MatterKey,
    proposal: ReleaseProposal,
}

/// What waits for nothing any more, by the entries that had put it off, and how much is left.
#[derive(Default)]
struct Due {
    deletions: Vec<(Deferral, Vec<Clearance>)>,
    waiting: u64,
}

impl TenantSession {
    /// Ends a matter that somebody else says is over, with all that is held for it. What was to be erased meanwhile and is
    /// kept by no other hold is erased before this returns: the ledger says so in the same commit. In the session of one who
    /// is not the actor who [proposed](Self::propose_release) it: upper and lower case make no other.
    ///
    /// A matter that the operator holds records for ends by this once the operator has said that its order is over.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if no such matter stands; [`Refused`](ErrorKind::Refused) if nobody has proposed its
    /// release, or too long ago, or before more was held for it, or this actor has;
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a reason that a ledger cannot tell;
    /// [`Tampered`](ErrorKind::Tampered) if what was said of holds does not open;
    /// [`Locked`](ErrorKind::Locked) if others keep placing them; else as the disk. What fails after the ledger has said so
    /// is finished as [`erase`](Self::erase) says.
    pub fn confirm_release(&self, matter: &str, reason: &str) -> Result<Released> {
        check_text(reason, "releasing a matter for a reason that a ledger cannot tell")?;
        let (mut holds, mut queue) = (Holds::default(), Queue::default());
        for _ in 0..ATTEMPTS {
            holds.learn(self)?;
            queue.learn(self)?;
            let ending = self.ending(matter, &holds)?;
            let Due { deletions, waiting } = self.due(&holds, &queue, &ending)?;
            let mut entries = Vec::with_capacity(ending.len() + deletions.len());
            for ending in ending {
                entries.push((Vec::new(), self.releasing(ending, reason)?, Act::None));
            }
            if let Some((ops, ..)) = entries.first_mut() {
                *ops = vec![holds.seen(self.tenant), queue.seen(self.tenant)];
            }
            let (released, mut erased) = (entries.len(), Vec::new());
            for (Deferral { at, entry: (log, seq), reason, .. }, cleared) in deletions {
                let ids: Vec<RecordId> = cleared.iter().map(|cleared| cleared.record).collect();
                let tell = self.authorising(&ids, &reason).deferred(&log, seq);
                let [_, erase] = Clearance::spend(self.tenant, cleared, Some(at));
                entries.push((vec![erase], tell, Act::Begin(ERASURE)));
                erased.extend(ids);
            }
            let recorded = match self.record_all(entries) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
                recorded => recorded?,
            };
            let mut receipts: Vec<Receipt> = recorded.iter().map(|r| Receipt::clone(&r.receipt)).collect();
            // After a crash here the ledger has said so, and the next process erases what waited.
            for begun in recorded.into_iter().skip(released) {
                receipts.extend(self.carry_out((begun.log, begun.receipt.seq()))?);
            }
            return Ok(Released { erased, waiting, receipts });
        }
        Err(contended("releasing a matter"))
    }

    /// The matters of a name that this session can end.
    fn ending(&self, matter: &str, holds: &Holds) -> Result<Vec<Ending>> {
        let doing = "releasing a matter";
        let (mut ending, mut why) = (Vec::new(), None);
        for (key, proposal) in holds.named(matter, Timestamp::now()) {
            match proposal {
                Some(proposal) if may_confirm(&key, proposal, self.access().actor()) => {
                    ending.push(Ending { key, proposal: proposal.clone() });
                }
                Some(_) => why = Some("somebody else must confirm it than proposed it"),
                None => why = why.or(Some("nobody has proposed it lately, since anything was held for it last")),
            }
        }
        match why {
            _ if !ending.is_empty() => Ok(ending),
            Some(why) => Err(Error::new(ErrorKind::Refused, doing).because(why)),
            None => Err(Error::new(ErrorKind::NotFound, doing)),
        }
    }

    /// What waits for these matters alone.
    fn due(&self, holds: &Holds, queue: &Queue, ending: &[Ending]) -> Result<Due> {
        let without: BTreeSet<MatterKey> = ending.iter().map(|ending| MatterKey::clone(&ending.key)).collect();
        let (mut due, mut places) = (Due::default(), Places::new());
        for deferral in queue.waiting(self)? {
            let mut cleared = Vec::new();
            for record in &deferral.records {
                let Some(row) = self.room.store.record(self.tenant, *record)? else { continue };
                match holds.clear(self, row, &mut places, &without) {
                    Ok(Ok(clearance)) => cleared.push(clearance),
                    Ok(Err(_)) => due.waiting += 1,
                    Err(e) if is_its_own(&e) => due.waiting += 1,
                    Err(e) => return Err(e),
                }
            }
            if !cleared.is_empty() {
                due.deletions.push((deferral, cleared));
            }
        }
        Ok(due)
    }

    fn releasing(&self, ending: Ending, reason: &str) -> Result<Tell> {
        let Ending { key, proposal } = ending;
        let (matter, order) = &*key;
        let mut tell = self.tell(Kind::HoldReleased).detail("matter", matter).detail("reason", reason);
        tell = tell.detail("proposed-by", &proposal.by).detail("proposed", proposal.entry.1);
        if let Some(order) = order {
            tell = tell.detail("order", hex(order));
        }
        let (at, by) = (Timestamp::now(), self.access().actor().to_owned());
        let (matter, reason) = (matter.clone(), reason.to_owned());
        let said = Said::Released { at, by, order: *order, matter, reason };
        Ok(tell.paper(TOPIC, None, encode(&said)?))
    }
}
