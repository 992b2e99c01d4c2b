//! A drill: custodians show that they can still open what an order asks for, on a record that was made for it.

use super::desk::{Case, sign_order};
use super::kept::OneTime;
use crate::epoch::EpochWriter;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;
use crate::key::{Identity, PublicKey};
use crate::ledger::{Kind, Receipt, Tell, check_text};
use crate::order::{Approval, Asked, Combined, DisclosureOrder, OrderRequest, Stage, canary};
use crate::record::{PartHeader, RecordHeader};
use crate::seal::{Place, RecordKey, Sharing};
use crate::store::{Act, Op};
use crate::time::Timestamp;
use crate::vault::Vault;

/// What a drill showed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Drilled {
    /// The keys of the custodians who took part: together they can open what an order asks for.
    pub custodians: Vec<PublicKey>,
    /// The entry that tells of it.
    pub receipt: Receipt,
}

impl Vault {
    /// Writes the file that goes out to a tenant's custodians for a drill: they open their shares of a record that was made for
    /// it and is stored nowhere. Its id is one that no record has that was ever ingested, which each custodian checks: a request
    /// for a drill opens nothing else.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such tenant; [`Refused`](ErrorKind::Refused) if it has no custodians;
    /// [`InvalidInput`](ErrorKind::InvalidInput) if `expires` is past; else as the disk.
    pub fn begin_drill(&self, tenant: TenantId, expires: Timestamp) -> Result<OrderRequest> {
        let doing = "asking custodians for a drill";
        let (ledger, owner) = (self.ledger()?, self.tenant(tenant)?);
        let (card, policy) = (owner.card, owner.policy);
        if policy.custodians().is_empty() {
            return Err(Error::new(ErrorKind::Refused, doing).because("the tenant has named no custodians"));
        }
        let (now, one_time) = (Timestamp::now(), Identity::generate()?);
        let operator = ledger.operator.public_key();
        let to = one_time.recipient().clone();
        let mut order = DisclosureOrder::drill(self.id(), tenant, operator, to.clone(), now, expires)?;
        sign_order(ledger, &mut order)?;

        // Sealed as any record is, by an epoch of its own that nobody keeps.
        let mut epoch = EpochWriter::open(&card, &policy, ledger.writer())?;
        let (keys, header) = (epoch.draw(), epoch.header.clone());
        let record = canary(order.id());
        let place = Place { vault: self.id(), tenant, epoch: header.epoch(), record, seq: keys.seq };
        let key = RecordKey::generate(place)?;
        let part = PartHeader { slot: 0, len: 0, digest: [0; 32] };
        let record = RecordHeader {
            vault: place.vault,
            tenant,
            epoch: place.epoch,
            record,
            seq: place.seq,
            time: now,
            wrap: key.wrap(&keys)?,
            shares: key.share(&keys, Sharing { policy: policy.hash(), threshold: policy.threshold() })?,
            parts: vec![part, part],
        };
        let case = Case { ledger, tenant, id: order.id(), gag: None, seen: 0 };
        let sign = |body: &[u8]| ledger.operator.sign(body);
        let (policies, epochs, records) = (vec![policy], vec![header], vec![record]);
        let asked = Asked { stage: Stage::Drill, policies, epochs, records };
        let request = OrderRequest::new(order, asked, to, expires, sign)?;
        let identity = one_time.expose_secret().to_string();
        case.permit(request.hash(), &OneTime { identity, check: Some(key.fingerprint()) }, Vec::new())?;
        Ok(request)
    }

    /// Takes the custodians' answers to a drill. That they combine to the key of the record that was made for it goes into the
    /// tenant's ledger.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if an answer does not count, with the [fault](crate::ApprovalFault), or they combine to
    /// something else; [`NotFound`](ErrorKind::NotFound) if there is no such drill or it is over;
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the request is of no drill; else as the disk.
    pub fn end_drill(
        &self,
        tenant: TenantId,
        request: &OrderRequest,
        approvals: &[Approval],
        by: &str,
    ) -> Result<Drilled> {
        let doing = "ending a drill";
        check_text(by, "ending a drill without somebody whom a ledger can name")?;
        if request.stage() != Stage::Drill {
            return Err(Error::new(ErrorKind::InvalidInput, doing).because("the request is of an order"));
        }
        let case = Case { ledger: self.ledger()?, tenant, id: request.order().id(), gag: None, seen: 0 };
        let kept = case.one_time(request.hash())?.ok_or_else(|| Error::new(ErrorKind::NotFound, doing))?;
        let combined = request.combine(approvals, &kept.identity.parse()?, Timestamp::now())?;
        let combined = combined.map_err(|fault| Error::new(ErrorKind::Refused, doing).because(fault))?;
        let right = match combined {
            Combined::Records(keys) => keys.iter().all(|(_, key)| Some(key.fingerprint()) == kept.check),
            Combined::Index(_) => false,
        };
        if !right {
            return Err(Error::new(ErrorKind::Refused, doing).because("the shares do not combine to the key"));
        }
        let custodians: Vec<PublicKey> = approvals.iter().map(Approval::custodian).collect();
        let names: Vec<String> = custodians.iter().map(ToString::to_string).collect();
        let tell = Tell::new(Kind::CustodiansDrilled, by).detail("custodians", names.join(" "));
        let used = Op::UsePermission { about: *case.id.as_bytes(), purpose: request.hash() };
        let recorded = case.append(tell, Act::None, vec![used])?;
        Ok(Drilled { custodians, receipt: Receipt::clone(&recorded.receipt) })
    }
}
