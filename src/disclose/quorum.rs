//! A quorum of custodians: asked with a file, answering with files, and good for one thing once.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::desk::Case;
use super::kept::{OneTime, Step, decode, encode};
use super::status::{OrderState, OrderStatus};
use crate::encoding::enc;
use crate::epoch::EpochHeader;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, OrderId, RecordId, TenantId};
use crate::key::{Identity, PolicyHash};
use crate::ledger::{Begun, Kind, Ledger, RecordSet, Told, check_text};
use crate::order::{Approval, Asked, Combined, Gag, LegalBasis, OrderRequest, OrderScope, OrderTerms, Stage};
use crate::production::Opened;
use crate::record::RecordHeader;
use crate::retrieve::{Record, spots_of};
use crate::room::Room;
use crate::seal::RecordKey;
use crate::secret::Secret;
use crate::store::{Change, Op, PermissionRow};
use crate::stream::{unwrap, wrap};
use crate::time::Timestamp;
use crate::vault::Vault;

impl Vault {
    /// Writes the file that goes out to the custodians of an order that was accepted: to find the records of its subjects, or,
    /// once they are found or where it lists them, to open these. Approvals count until `expires`. A request takes the place of
    /// the one before: approvals of that do not count any more.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such order, or a record that it lists; [`Refused`](ErrorKind::Refused) if
    /// the order was not accepted, is answered or closed, a record lies outside its dates, or was sealed when the tenant had
    /// named no custodians; [`InvalidInput`](ErrorKind::InvalidInput) if `expires` is past; else as the disk.
    pub fn request_approvals(&self, tenant: TenantId, order: OrderId, expires: Timestamp) -> Result<OrderRequest> {
        let doing = "asking custodians to approve an order";
        if expires <= Timestamp::now() {
            return Err(Error::new(ErrorKind::InvalidInput, doing).because("no approval would come in time"));
        }
        self.deciding(tenant, order, doing, |case, status| self.request(&case, status, expires, doing))
    }

    fn request(
        &self,
        case: &Case<'_>,
        status: OrderStatus,
        expires: Timestamp,
        doing: &'static str,
    ) -> Result<OrderRequest> {
        let tenant = case.tenant;
        accepted(&status, doing)?;
        let terms = status.order.terms();
        let (stage, records) = match (&terms.scope, &status.found) {
            (OrderScope::Subjects { .. }, None) => (Stage::Find, Vec::new()),
            (OrderScope::Subjects { .. }, Some(found)) => (Stage::Open, self.headers(tenant, found)?),
            (OrderScope::Records(records), _) => {
                let headers = self.headers(tenant, &records.keys().copied().collect::<Vec<_>>())?;
                if let Some(outside) = headers.iter().find(|header| !terms.dates.contains(&header.time)) {
                    let why = format!("record {} lies outside the dates of the order", outside.record);
                    return Err(Error::new(ErrorKind::Refused, doing).because(why));
                }
                (Stage::Open, headers)
            }
        };
        let epochs: BTreeSet<EpochId> = match &terms.scope {
            OrderScope::Subjects { period, .. } if stage == Stage::Find => {
                let times = (period.start.unix_ms(), period.end.unix_ms());
                self.room.store.epochs_between(tenant, times)?.into_iter().collect()
            }
            _ => records.iter().map(|header| header.epoch).collect(),
        };
        if epochs.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, doing).because("there are no records of that time"));
        }
        let epochs = epochs.into_iter().map(|epoch| self.room.epoch(tenant, epoch)).collect::<Result<Vec<_>>>()?;
        let (epochs, alone): (Vec<_>, Vec<_>) = epochs.into_iter().partition(|epoch| epoch.custodians() > 0);
        // Of these only the tenant can say anything.
        if !alone.is_empty() && (stage == Stage::Open || epochs.is_empty()) {
            let why = "it reaches records that were sealed when the tenant had named no custodians";
            return Err(Error::new(ErrorKind::Refused, doing).because(why));
        }
        let wanted: BTreeSet<PolicyHash> = epochs.iter().map(EpochHeader::policy).collect();
        let policies = self.room.statements(tenant)?.policies.into_iter();
        let policies = policies.filter(|policy| wanted.contains(&policy.hash())).collect();
        let one_time = Identity::generate()?;
        let to = one_time.recipient().clone();
        let sign = |body: &[u8]| case.ledger.operator.sign(body);
        let request = OrderRequest::new(status.order, Asked { stage, policies, epochs, records }, to, expires, sign)?;
        let one_time = OneTime { identity: one_time.expose_secret().to_string(), check: None };
        case.permit(request.hash(), &one_time, vec![case.unless_more_was_said()])?;
        Ok(request)
    }

    /// Finds the records of an order's subjects with the index keys that its custodians' shares combine to, in the epochs and
    /// within the period of the request, and nothing else. The ledger says that they approved before, and what was found after.
    /// What was sealed when the tenant had named no custodians is not found: [`OrderStatus::unsearched`] says whether there is any.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if an approval does not count, with the [fault](crate::ApprovalFault) that names whose it
    /// is; [`NotFound`](ErrorKind::NotFound) if the request was used, or another took its place; else as the disk.
    pub fn find_records(
        &self,
        tenant: TenantId,
        request: &OrderRequest,
        approvals: &[Approval],
        by: &str,
    ) -> Result<Vec<RecordId>> {
        let doing = "finding the records of an order";
        check_text(by, "opening an order without somebody whom a ledger can name")?;
        let (case, status, keys, mut begun) = self.deciding(tenant, request.order().id(), doing, |case, status| {
            let Combined::Index(keys) = case.combine(&status, request, approvals, doing)? else {
                return Err(Error::new(ErrorKind::InvalidInput, doing).because("the request asks to open records"));
            };
            let begun = case.approve(&status, request, approvals, by)?;
            Ok((case, status, keys, begun))
        })?;
        let found = (|| {
            let OrderScope::Subjects { subjects, period } = status.order.terms().scope else {
                return Err(Error::new(ErrorKind::Tampered, doing));
            };
            let times = (period.start.unix_ms(), period.end.unix_ms());
            let searched: BTreeSet<EpochId> = keys.iter().map(|(epoch, _)| *epoch).collect();
            let mut unsearched = 0;
            for epoch in self.room.store.epochs_between(tenant, times)? {
                // One that came since is not meant.
                let alone = !searched.contains(&epoch) && self.room.epoch(tenant, epoch)?.custodians() == 0;
                unsearched += u64::from(alone);
            }
            let mut found = BTreeSet::new();
            for who in &subjects {
                let keys = keys.iter().map(|(epoch, key)| (*epoch, key)).collect();
                let spots = spots_of(&*self.room.store, who, keys)?;
                let within = spots.iter().filter(|spot| (times.0..times.1).contains(&spot.time));
                found.extend(within.map(|spot| spot.n));
            }
            let rows = self.room.store.records(tenant, &found.into_iter().collect::<Vec<_>>())?;
            let found: Vec<RecordId> = rows.into_iter().flatten().map(|row| row.record).collect();
            Ok::<_, Error>((found, unsearched))
        })();
        let (mut records, unsearched) = match found {
            Ok(found) => found,
            Err(error) => {
                case.fail(&status, &mut begun, &error.to_string(), by);
                return Err(error);
            }
        };
        records.sort_unstable();
        let step = Step::Found { at: Timestamp::now(), records: records.clone(), unsearched };
        let mut tell = case.tell(Kind::OrderFound, by, &status.order, &step)?.detail("unsearched", unsearched);
        tell.records = Told::Set(RecordSet::of_ids(records.iter().copied()));
        case.end(&mut begun, tell)?;
        Ok(records)
    }

    /// Takes the custodians' answers and opens the keys of exactly the records that the request lists. The request is used up by
    /// that, whatever comes of it: the ledger says so, and who approved, before any key is used.
    ///
    /// # Errors
    /// As [`find_records`](Self::find_records).
    pub fn open_order(
        &self,
        tenant: TenantId,
        request: &OrderRequest,
        approvals: &[Approval],
        by: &str,
    ) -> Result<Quorum> {
        let doing = "opening the records of an order";
        check_text(by, "opening an order without somebody whom a ledger can name")?;
        let (case, status, keys, begun) = self.deciding(tenant, request.order().id(), doing, |case, status| {
            let Combined::Records(keys) = case.combine(&status, request, approvals, doing)? else {
                return Err(Error::new(ErrorKind::InvalidInput, doing).because("the request asks to find records"));
            };
            let begun = case.approve(&status, request, approvals, by)?;
            Ok((case, status, keys, begun))
        })?;
        let keys = keys.into_iter().map(|(header, key)| (header.record, key)).collect();
        Ok(Quorum {
            room: Arc::clone(&self.room),
            ledger: Arc::clone(case.ledger),
            tenant,
            keys,
            gag: case.gag,
            terms: status.order.terms(),
            status,
            by: by.to_owned(),
            request: request.to_bytes().to_vec(),
            approvals: approvals.to_vec(),
            begun: Some(begun),
        })
    }

    fn headers(&self, tenant: TenantId, records: &[RecordId]) -> Result<Vec<RecordHeader>> {
        let header = |record: &RecordId| {
            let row = self.room.store.record(tenant, *record)?;
            let why = format!("there is no record {record}");
            let row =
                row.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking up an order's records").because(why))?;
            row.header(self.room.id)
        };
        records.iter().map(header).collect()
    }
}

/// Refuses to go on with an order that nobody said is to be followed.
pub(super) fn accepted(status: &OrderStatus, doing: &'static str) -> Result<()> {
    let why = match status.state() {
        _ if status.order.terms().basis == LegalBasis::Preservation => "it asks to preserve, not to disclose",
        OrderState::Accepted => return Ok(()),
        OrderState::Received => "it was not reviewed",
        OrderState::Challenged => "it is challenged",
        OrderState::Rejected => "it was rejected",
        // Which may fail: what comes then can be prepared.
        OrderState::Approved => return Ok(()),
        OrderState::Disclosed => "it was answered",
        OrderState::Closed => "it is closed",
    };
    Err(Error::new(ErrorKind::Refused, doing).because(why))
}

/// As [`accepted`], for what opens something, once: not while somebody else is about the order.
pub(super) fn openable(status: &OrderStatus, permission: &[u8; 32], doing: &'static str) -> Result<()> {
    accepted(status, doing)?;
    let refused = |kind, why| Err(Error::new(kind, doing).because(why));
    // Whatever the database says: somebody may have put back what it had.
    if status.used.contains(permission) {
        return refused(ErrorKind::NotFound, "the request or consent was used");
    }
    if status.begun.is_some() {
        return refused(ErrorKind::Refused, "its records are being found or given out");
    }
    Ok(())
}

impl Case<'_> {
    /// Verifies approvals of the request that is open for the order, and combines their shares. Uses up nothing.
    fn combine(
        &self,
        status: &OrderStatus,
        request: &OrderRequest,
        approvals: &[Approval],
        doing: &'static str,
    ) -> Result<Combined> {
        openable(status, &request.hash(), doing)?;
        if status.order != *request.order() {
            return Err(Error::new(ErrorKind::Refused, doing).because("the request is of another revision"));
        }
        let used = || Error::new(ErrorKind::NotFound, doing).because("the request was used, or another took its place");
        let one_time = self.one_time(request.hash())?.ok_or_else(used)?;
        let one_time: Identity = one_time.identity.parse()?;
        let combined = request.combine(approvals, &one_time, Timestamp::now())?;
        combined.map_err(|fault| Error::new(ErrorKind::Refused, doing).because(fault))
    }

    fn about(&self) -> [u8; 16] {
        *self.id.as_bytes()
    }

    /// Keeps what may open something once, sealed for the operator, in the place of what was kept before. `ops` come before it.
    pub(super) fn permit(&self, purpose: [u8; 32], one_time: &OneTime, mut ops: Vec<Op>) -> Result<()> {
        let body = wrap(&self.key(), &self.context(&purpose), &encode(one_time)?)?;
        ops.push(Op::Permit { about: self.about(), permission: PermissionRow { purpose, body } });
        self.ledger.commit(self.tenant, Change(ops)).map(drop)
    }

    /// What may open something once, if it is for that purpose and was not used.
    pub(super) fn one_time(&self, purpose: [u8; 32]) -> Result<Option<OneTime>> {
        let Some(row) = self.ledger.permission(&self.about())? else { return Ok(None) };
        if row.purpose != purpose {
            return Ok(None);
        }
        decode(&unwrap(&self.key(), &self.context(&purpose), &row.body)?).map(Some)
    }

    fn key(&self) -> Secret {
        self.ledger.operator.paper_key(self.ledger.vault(), self.tenant)
    }

    fn context(&self, purpose: &[u8; 32]) -> Vec<u8> {
        enc("permission", &[self.id.as_bytes(), purpose])
    }

    /// Says who approved what, and uses the request up.
    fn approve(&self, status: &OrderStatus, request: &OrderRequest, approvals: &[Approval], by: &str) -> Result<Begun> {
        let (at, opens) = (Timestamp::now(), request.stage() == Stage::Open);
        let custodians: Vec<[u8; 32]> = approvals.iter().map(|approval| *approval.custodian().as_bytes()).collect();
        let names: Vec<String> = approvals.iter().map(|approval| approval.custodian().to_string()).collect();
        let step = Step::Approved { at, opens, request: request.hash(), custodians };
        let mut tell = self.tell(Kind::OrderApproved, by, &status.order, &step)?;
        tell = tell.detail("request", crate::id::hex(&request.hash())).detail("custodians", names.join(" "));
        tell = tell.detail("opens", if opens { "records" } else { "index" });
        if opens {
            tell.records = Told::Set(RecordSet::of_ids(request.records()));
        }
        let used = Op::UsePermission { about: self.about(), purpose: request.hash() };
        // A crash from here on leaves an act without an outcome, which the next process concludes.
        self.decide(tell, self.act(), vec![used]).map(|recorded| self.begun(recorded))
    }
}

/// The keys of exactly the records of one order, which a quorum of custodians opened. Given to
/// [`Vault::disclose`](Vault::disclose), or dropped: then the ledger says that it was given up. Wiped when dropped.
pub struct Quorum {
    room: Arc<Room>,
    pub(super) ledger: Arc<Ledger>,
    tenant: TenantId,
    keys: HashMap<RecordId, RecordKey>,
    gag: Option<Gag>,
    terms: OrderTerms,
    pub(super) status: OrderStatus,
    pub(super) by: String,
    /// The file that was asked with, and the answers.
    pub(super) request: Vec<u8>,
    pub(super) approvals: Vec<Approval>,
    /// What the entry began that says who approved, until it is given out.
    begun: Option<Begun>,
}

impl Quorum {
    /// The records that it opens.
    pub fn records(&self) -> Vec<RecordId> {
        let mut records: Vec<RecordId> = self.keys.keys().copied().collect();
        records.sort_unstable();
        records
    }

    /// What the entry began that says who approved, as long as nothing else has ended it.
    pub(super) fn take(&mut self, status: &OrderStatus) -> Result<Begun> {
        let goes_on = status.begun.map(|(entry, _)| entry);
        let over = || Error::new(ErrorKind::NotFound, "using a quorum that is over");
        self.begun.take_if(|begun| begun.entry() == goes_on).ok_or_else(over)
    }

    pub(super) fn case(&self) -> Case<'_> {
        let gag = self.gag.as_ref().map(Gag::copy);
        Case { ledger: &self.ledger, tenant: self.tenant, id: self.status.order.id(), gag, seen: 0 }
    }
}

impl Opened for Quorum {
    fn read(&self, record: RecordId) -> Result<Record> {
        let doing = "opening a record with the keys of a quorum";
        let key = self.keys.get(&record).ok_or_else(|| Error::new(ErrorKind::NotFound, doing))?;
        let row = self.room.store.record(self.tenant, record)?;
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, doing))?;
        let record = Record::open_with(row, &self.room, self.tenant, key.copy())?;
        // What was asked for was taken from its row, which somebody may have changed until the custodians had answered.
        if !self.terms.cover(record.id(), record.head()) {
            return Err(Error::new(ErrorKind::Refused, doing).because("the order is not about it"));
        }
        Ok(record)
    }
}

impl Drop for Quorum {
    fn drop(&mut self) {
        if let Some(mut begun) = self.begun.take() {
            self.case().fail(&self.status, &mut begun, "it was given up", &self.by);
        }
    }
}

impl fmt::Debug for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quorum({} records of order {})", self.keys.len(), self.status.order.id())
    }
}
