//! Who places a hold, and says that a matter is over.

use super::matter::{Holds, Matter, MatterKey};
use super::paper::{Hold, Said, TOPIC, check_name, encode};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, TenantId, hex};
use crate::ledger::{Kind, Receipt, RecordSet, Tell, Told, check_text};
use crate::retrieve::{Places, TenantSession};
use crate::room::Room;
use crate::secret::Plain;
use crate::store::{Act, Op};
use crate::time::Timestamp;
use crate::vault::Vault;

/// How often a decision is made again because somebody said something of holds while it was made.
pub(crate) const ATTEMPTS: usize = 64;

impl TenantSession {
    /// Keeps records from being erased, whoever wants them erased and whatever for, until the matter is over: see
    /// [`propose_release`](Self::propose_release). There may be any number of matters, of holds for each, and of holds on one
    /// record: it is kept as long as one stands. The ledger names the matter and keeps, for the tenant alone, whom it is about.
    ///
    /// What the ledger had said is to be erased before is erased.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is about nothing, its period is empty, or matter or reason cannot be
    /// told by a ledger; [`NotFound`](ErrorKind::NotFound) if it names a record that the tenant has not, and
    /// [`Erased`](ErrorKind::Erased) if it names one that was erased: then nothing is held; else as the disk.
    pub fn place_hold(&self, hold: &Hold) -> Result<Receipt> {
        check(&self.room, self.tenant, hold)?;
        let (at, by) = (Timestamp::now(), self.access().actor().to_owned());
        let said = Said::Placed { at, by, order: None, hold: hold.clone() };
        self.say(placed(self.tell(Kind::HoldPlaced), hold).paper(TOPIC, None, encode(&said)?))
    }

    /// The matters that stand, in the order of their names: the tenant's own, and those that the operator holds records for.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if what was said of one does not open; else as the database.
    pub fn holds(&self) -> Result<Vec<Matter>> {
        let mut holds = Holds::default();
        holds.learn(self)?;
        Ok(holds.standing(Timestamp::now()))
    }

    /// The names of the matters that keep a record from being erased: none if nothing does.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the tenant has no such record; as [`read`](Self::read), if nobody can tell whom
    /// the record names and a hold is on somebody; [`Tampered`](ErrorKind::Tampered) if what was said of a hold does not
    /// open.
    pub fn held_by(&self, record: RecordId) -> Result<Vec<String>> {
        let row = self.room.store.record(self.tenant, record)?;
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a record up"))?;
        let mut holds = Holds::default();
        holds.learn(self)?;
        Ok(holds.clear(self, row, &mut Places::new(), &Default::default())?.err().unwrap_or_default())
    }

    /// Says that a matter of the tenant's is over. Nothing ends until somebody else confirms it:
    /// [`confirm_release`](Self::confirm_release). Said again, the last one counts; what is held for the matter meanwhile
    /// undoes it, and so does [`RELEASE_TIME`](crate::RELEASE_TIME).
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if no such matter stands; [`Refused`](ErrorKind::Refused) if it is the operator's to
    /// say, because it holds records for an order; [`InvalidInput`](ErrorKind::InvalidInput) for a reason that a ledger
    /// cannot tell; else as the disk.
    pub fn propose_release(&self, matter: &str, reason: &str) -> Result<Receipt> {
        let doing = "proposing the release of a matter";
        check_text(reason, "proposing the release of a matter for a reason that a ledger cannot tell")?;
        let mut holds = Holds::default();
        for _ in 0..ATTEMPTS {
            holds.learn(self)?;
            let (at, by) = (Timestamp::now(), self.access().actor().to_owned());
            let keys: Vec<MatterKey> = holds.named(matter, at).map(|(key, _)| key).collect();
            match keys.first() {
                Some(key) if key.1.is_none() => {}
                Some(_) => {
                    let why = "the operator holds it for an order, and must say that this is over";
                    return Err(Error::new(ErrorKind::Refused, doing).because(why));
                }
                None => return Err(Error::new(ErrorKind::NotFound, doing)),
            }
            let (matter, reason) = (matter.to_owned(), reason.to_owned());
            let tell = proposed(self.tell(Kind::HoldReleaseProposed), &matter, &reason);
            let said = Said::Proposed { at, by, order: None, matter, reason };
            let tell = tell.paper(TOPIC, None, encode(&said)?);
            match self.say_with(vec![holds.seen(self.tenant)], tell) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                said => return said,
            }
        }
        Err(contended(doing))
    }
}

impl Vault {
    /// Keeps a tenant's records from being erased because an order asks for it, in the tenant's ledger. Needs no key of the
    /// tenant's, and reads nothing back. It ends when the operator says that it is over, and the tenant confirms it. `own` is kept
    /// with the entry, for the operator; `ops` are committed with it.
    ///
    /// # Errors
    /// As [`TenantSession::place_hold`].
    pub(crate) fn preserve(
        &self,
        tenant: TenantId,
        hold: &Hold,
        order: [u8; 16],
        own: (&'static str, Plain),
        ops: Vec<Op>,
    ) -> Result<Receipt> {
        check(&self.room, tenant, hold)?;
        let said =
            Said::Placed { at: Timestamp::now(), by: OPERATOR.to_owned(), order: Some(order), hold: hold.clone() };
        let tell = placed(Tell::new(Kind::HoldPlaced, OPERATOR), hold).detail("order", hex(&order));
        let tell = tell.paper(TOPIC, None, encode(&said)?).own_paper(own.0, Some(order), own.1);
        let ledger = self.ledger()?;
        let recorded = ledger.append(tenant, tell, ledger.own_signer(), Act::None, ops)?;
        Ok(Receipt::clone(&recorded.receipt))
    }
}

/// What the entry says by which the operator says that the order is over which it held a tenant's records for under that name.
/// [`TenantSession::confirm_release`] ends it.
///
/// # Errors
/// `InvalidInput` for a reason that a ledger cannot tell.
pub(crate) fn preserved_release(matter: &str, order: [u8; 16], reason: &str) -> Result<Tell> {
    check_name(matter)?;
    check_text(reason, "proposing the release of a matter for a reason that a ledger cannot tell")?;
    let tell = proposed(Tell::new(Kind::HoldReleaseProposed, OPERATOR), matter, reason).detail("order", hex(&order));
    let (at, by, order) = (Timestamp::now(), OPERATOR.to_owned(), Some(order));
    let said = Said::Proposed { at, by, order, matter: matter.to_owned(), reason: reason.to_owned() };
    Ok(tell.paper(TOPIC, None, encode(&said)?))
}

const OPERATOR: &str = "operator";

/// Refuses a hold on nothing, and one on what is not there.
fn check(room: &Room, tenant: TenantId, hold: &Hold) -> Result<()> {
    hold.check()?;
    let doing = "placing a hold on a record";
    for record in hold.held_records() {
        if room.store.record(tenant, *record)?.is_none() {
            return Err(Error::new(ErrorKind::NotFound, doing));
        }
        if room.store.erasure_of(*record)?.is_some() {
            return Err(Error::new(ErrorKind::Erased, doing));
        }
    }
    Ok(())
}

fn placed(tell: Tell, hold: &Hold) -> Tell {
    let mut tell = tell.detail("matter", hold.matter()).detail("reason", hold.reason());
    let names = hold.names();
    if names == ["records"] {
        tell.records = Told::Set(RecordSet::of_ids(hold.held_records().iter().copied()));
    }
    tell.detail("on", names.join(" "))
}

fn proposed(tell: Tell, matter: &str, reason: &str) -> Tell {
    tell.detail("matter", matter).detail("reason", reason)
}

/// Others kept saying something.
pub(crate) fn contended(doing: &'static str) -> Error {
    Error::new(ErrorKind::Locked, doing).because("others keep placing and releasing holds")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audit::Auditor;
    use crate::key::{DisclosurePolicy, Identity, OperatorKey, Suite, TenantCard, WriterKey};
    use crate::record::{Channel, Draft, PartKind};
    use crate::retrieve::Access;

    #[test]
    fn what_the_operator_holds_for_an_order_ends_by_its_word_and_the_tenants_confirmation_and_not_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::create(dir.path().join("v"), OperatorKey::generate().unwrap()).unwrap();
        let identity = Arc::new(Identity::generate_for(Suite::X25519).unwrap());
        let card = TenantCard::new(vault.id(), TenantId::generate().unwrap(), &identity);
        let pin = vault.enrol("t", &card, &DisclosurePolicy::none(&card, &identity).unwrap()).unwrap();
        let writer = Arc::new(WriterKey::generate().unwrap());
        vault.enrol_writer(writer.public_key()).unwrap();
        let draft = Draft::new(Channel::Voice).part(PartKind::Audio, "audio/x", &b"x"[..]);
        let record = vault.ingestor(&pin, writer).unwrap().ingest(draft).unwrap().record;
        let as_actor =
            |actor: &str| vault.session(pin.tenant, Arc::clone(&identity), Access::new(actor, "test")).unwrap();
        let (ann, bob) = (as_actor("operator"), as_actor("bob"));
        let (order, hold) = ([7; 16], Hold::new("24-cv-1071", "preservation letter").records([record]));
        let own = || ("own", Plain::from(b"for the operator".to_vec()));
        let strange = Hold::new("m", "r").records([RecordId::generate().unwrap()]);
        let preserve = |hold: &Hold| vault.preserve(pin.tenant, hold, order, own(), Vec::new());
        let propose = |matter: &str, order, reason: &str| {
            let (ledger, tell) = (vault.ledger().unwrap(), preserved_release(matter, order, reason).unwrap());
            let _ = ledger.append(pin.tenant, tell, ledger.own_signer(), Act::None, Vec::new()).unwrap();
        };
        assert_eq!(preserve(&strange).unwrap_err().kind(), ErrorKind::NotFound);
        let receipt = preserve(&hold).unwrap();
        let message = receipt.verify(&vault.log_key(pin.tenant).unwrap()).unwrap();
        assert_eq!((message.actor.as_str(), message.details["order"].as_str()), ("operator", &*hex(&order)));

        let matter = ann.holds().unwrap().remove(0);
        assert_eq!((matter.name.as_str(), matter.order), ("24-cv-1071", Some(order)));
        assert_eq!(ann.erase([record], "x").unwrap().deferred[0].matters, ["24-cv-1071"]);
        let refused = |result: Result<()>| assert_eq!(result.unwrap_err().kind(), ErrorKind::Refused);
        refused(ann.propose_release("24-cv-1071", "over").map(drop));
        refused(ann.confirm_release("24-cv-1071", "over").map(drop));
        // The operator's word about another order, or another matter, is about those.
        propose("24-cv-1071", [8; 16], "lifted");
        propose("24-cv-1072", order, "lifted");
        refused(bob.confirm_release("24-cv-1071", "over").map(drop));
        // A matter of the tenant's that has the same name is its own, and not held by the operator's word.
        ann.place_hold(&hold).unwrap();
        propose("24-cv-1071", order, "the court lifted it");
        assert_eq!(ann.holds().unwrap().len(), 2);
        // Whatever the tenant's actors are called, they are not the operator.
        let released = ann.confirm_release("24-cv-1071", "seen").unwrap();
        assert_eq!((released.erased.len(), released.waiting), (0, 1));
        assert_eq!(ann.holds().unwrap().remove(0).order, None);
        ann.propose_release("24-cv-1071", "over").unwrap();
        assert_eq!(bob.confirm_release("24-cv-1071", "seen").unwrap().erased, [record]);
        let log = bob.log().unwrap();
        let audit = Auditor::new(log.key()).audit(&log).unwrap();
        assert!(audit.is_clean(), "{audit}");
    }
}
