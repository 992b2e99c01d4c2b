//! What was opened is given to the authority.

use std::io::Write;
use std::ops::ControlFlow;

use sha2::{Digest, Sha256};

use super::consent::{TenantConsent, in_force, permits};
use super::desk::Case;
use super::kept::{Producing, Step};
use super::quorum::{Quorum, accepted, openable};
use super::status::{Numbered, OrderStatus};
use crate::bundle::PackageProgress;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, hex};
use crate::key::PublicKey;
use crate::ledger::{Begun, Kind, Receipt, RecordSet, Recorded, Told};
use crate::order::{DisclosureOrder, OrderScope};
use crate::production::{Cover, Opened, Prepared, ProductionOptions, Wanted, WantedRecord, prepare};
use crate::store::{Act, Op};
use crate::time::Timestamp;
use crate::tlog::pem;
use crate::vault::Vault;

/// What lets the records of an order be opened, once.
#[derive(Debug)]
pub enum Permission<'s> {
    /// A quorum of custodians.
    Quorum(Box<Quorum>),
    /// The tenant itself.
    Consent(Box<TenantConsent<'s>>),
}

impl From<Quorum> for Permission<'_> {
    fn from(quorum: Quorum) -> Self {
        Self::Quorum(Box::new(quorum))
    }
}

impl<'s> From<TenantConsent<'s>> for Permission<'s> {
    fn from(consent: TenantConsent<'s>) -> Self {
        Self::Consent(Box::new(consent))
    }
}

impl Permission<'_> {
    fn opened(&self) -> &dyn Opened {
        match self {
            Self::Quorum(quorum) => &**quorum,
            Self::Consent(consent) => &**consent,
        }
    }

    fn records(&self) -> Vec<RecordId> {
        match self {
            Self::Quorum(quorum) => quorum.records(),
            Self::Consent(consent) => consent.records.clone(),
        }
    }
}

/// What was given to an authority.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Disclosed {
    /// The order.
    pub order: DisclosureOrder,
    /// The entry that says what is given out, written before any of it was.
    pub producing: Receipt,
    /// The entry that says that all of it was.
    pub disclosed: Receipt,
    /// Records with something in the package.
    pub records: u64,
    /// Documents: parts of records.
    pub documents: u64,
    /// Parts that were withheld, and documents in which something is redacted.
    pub withheld: u64,
    /// See [`withheld`](Self::withheld).
    pub redacted: u64,
    /// The numbers of the documents, if the profile numbers them.
    pub bates: Option<Numbered>,
    /// SHA-256 of `custody/disclosure.json`.
    pub manifest: [u8; 32],
    /// Bytes of the package before it was sealed.
    pub bytes: u64,
}

impl Vault {
    /// Gives the records of an order to its authority, as an age file that only it opens: a deterministic archive of a bag with
    /// the records, and in `custody/` the order, who let them be opened, the ledger's entry and its proof, and the keys that check
    /// all that.
    ///
    /// All that goes is read and hashed first. Then the ledger says, durably, what is given out, with the digest of all of it;
    /// then the package is written to `out`. Whatever ends it, the ledger says how; if this process dies, that nobody knows. The
    /// permission is used up by it. `by` is who does it, as the ledger names it; `watch` is told of every piece and may end it.
    ///
    /// `out` is flushed, not synced. Memory: a few MiB for each core, which are eight at the most, and some 600 bytes for each
    /// document.
    ///
    /// # Errors
    /// [`Refused`](ErrorKind::Refused) if the order is not to be followed (any more) or was answered;
    /// [`NotFound`](ErrorKind::NotFound) if a consent was used, or another took its place; [`WrongKey`](ErrorKind::WrongKey) if
    /// the card is not in force any more under which it was given; [`Tampered`](ErrorKind::Tampered) or
    /// [`Damaged`](ErrorKind::Damaged) if a record is not what was sealed; [`Cancelled`](ErrorKind::Cancelled) if `watch` ended
    /// it; as `out`; else as the disk. What was written to `out` until then is no package.
    pub fn disclose<'s>(
        &self,
        permission: impl Into<Permission<'s>>,
        options: ProductionOptions,
        by: &str,
        out: impl Write,
        mut watch: impl FnMut(PackageProgress) -> ControlFlow<()>,
    ) -> Result<Disclosed> {
        let doing = "giving records to an authority";
        crate::ledger::check_text(by, "giving records to an authority without somebody whom a ledger can name")?;
        let mut permission = permission.into();
        let (tenant, order) = match &permission {
            Permission::Quorum(quorum) => (quorum.status.order.tenant(), quorum.status.order.clone()),
            Permission::Consent(consent) => (consent.session.tenant(), consent.status.order.clone()),
        };
        if order.vault() != self.id() {
            return Err(Error::new(ErrorKind::InvalidInput, doing).because("the order is of another vault"));
        }
        // As it stands now: what was opened may have been contested or answered since.
        let (case, status, mut begun) = self.deciding(tenant, order.id(), doing, |case, status| {
            accepted(&status, doing)?;
            if status.order != order {
                return Err(Error::new(ErrorKind::Refused, doing).because("the order was narrowed since"));
            }
            let begun = match &mut permission {
                Permission::Quorum(quorum) => quorum.take(&status)?,
                Permission::Consent(consent) => {
                    in_force(&self.room, tenant, &consent.session.signs_as())?;
                    case.begin(&status, consent, by)?
                }
            };
            Ok((case, status, begun))
        })?;
        let given = self.give(&case, &status, &permission, &mut begun, options, by, out, &mut watch);
        given.inspect_err(|error| {
            // What was given out has not failed, though nobody could say that it was.
            if !begun.given_out {
                // Its source may quote a record; the kind of error does not.
                case.fail(&status, &mut begun, &error.to_string(), by);
            }
        })
    }

    #[allow(clippy::too_many_arguments, reason = "one caller, and each is another thing")]
    fn give(
        &self,
        case: &Case<'_>,
        status: &OrderStatus,
        permission: &Permission<'_>,
        begun: &mut Begun,
        options: ProductionOptions,
        by: &str,
        out: impl Write,
        watch: &mut dyn FnMut(PackageProgress) -> ControlFlow<()>,
    ) -> Result<Disclosed> {
        let (order, terms, records) = (&status.order, status.order.terms(), permission.records());
        let wanted = Wanted {
            records: records
                .iter()
                .map(|record| WantedRecord {
                    record: *record,
                    kinds: Some(terms.kinds.iter().copied().collect()),
                    stretch: match &terms.scope {
                        OrderScope::Records(listed) => listed.get(record).cloned().flatten(),
                        OrderScope::Subjects { .. } => None,
                    },
                })
                .collect(),
        };
        let created = Timestamp::now();
        let cover = Cover {
            order: order.id(),
            order_hash: order.hash(),
            vault: self.id(),
            tenant: case.tenant,
            tenant_name: self.tenant(case.tenant)?.name,
            authority: terms.authority.name.clone(),
            reference: terms.reference.clone(),
            basis: terms.basis.to_string(),
            created,
            by: by.to_owned(),
        };
        let profile = options.profile().as_str().to_owned();
        let mut numbers = self.number(case.tenant, options.numbered()?, &records)?;
        let prepared = prepare(cover, &wanted, options, numbers.first, permission.opened(), watch)?;
        let (manifest, counts) = (Sha256::digest(prepared.manifest()).into(), prepared.counts().clone());
        let bates = numbers.take(prepared.bates_numbers())?;
        let step = Step::Producing(Box::new(Producing {
            at: created,
            profile,
            records: records.clone(),
            files: counts.files,
            withheld: counts.withheld,
            redacted: counts.redacted,
            manifest,
            bates: bates.as_ref().map(|bates| (bates.prefix.clone(), bates.first, bates.count)),
        }));
        let mut tell = case.tell(Kind::OrderProducing, by, order, &step)?;
        tell = tell.detail("order-sha256", hex(&order.hash())).detail("files", counts.files);
        tell = tell.detail("withheld", counts.withheld).detail("redacted", counts.redacted);
        tell = tell.detail("recipient", &terms.authority.recipient);
        if let Some(Numbered { prefix, first, count }) = &bates {
            tell = tell.detail("numbers", format!("{prefix} {first} {count}"));
        }
        tell.payload = Some(manifest);
        tell.records = Told::Set(RecordSet::of_ids(records.iter().copied()));
        let producing = case.append(tell, Act::None, Vec::new())?;
        drop(numbers);
        let receipt = Receipt::clone(&producing.receipt);
        receipt.verify(&receipt.log())?;
        let bytes = self.release(prepared, permission, &producing, order, out, watch)?;
        begun.given_out = true;

        let step = Step::Disclosed { at: Timestamp::now(), bytes };
        let mut tell = case.tell(Kind::OrderDisclosed, by, order, &step)?.detail("bytes", bytes);
        tell.records = Told::Set(RecordSet::of_ids(records));
        let disclosed = case.end(begun, tell)?;
        Ok(Disclosed {
            order: order.clone(),
            producing: receipt,
            disclosed,
            records: counts.records,
            documents: counts.documents,
            withheld: counts.withheld,
            redacted: counts.redacted,
            bates,
            manifest,
            bytes,
        })
    }

    /// Gives out what the ledger said would go. The proof of that is taken, and goes with it.
    fn release(
        &self,
        prepared: Prepared,
        permission: &Permission<'_>,
        producing: &Recorded,
        order: &DisclosureOrder,
        out: impl Write,
        watch: &mut dyn FnMut(PackageProgress) -> ControlFlow<()>,
    ) -> Result<u64> {
        let receipt = &producing.receipt;
        let key = |key: &PublicKey| pem(key).into_bytes();
        let mut custody = vec![
            ("order.note".to_owned(), order.to_string().into_bytes()),
            ("keys/operator.pem".to_owned(), key(&order.operator())),
        ];
        custody.extend(receipt.evidence()?);
        match permission {
            Permission::Quorum(quorum) => {
                custody.push(("order.request".to_owned(), quorum.request.clone()));
                for (number, approval) in (1..).zip(&quorum.approvals) {
                    custody.push((format!("custodian-{number}.approval"), approval.to_bytes()));
                    custody.push((format!("keys/custodian-{number}.pem"), key(&approval.custodian())));
                }
            }
            Permission::Consent(consent) => {
                custody.push(("consent.note".to_owned(), consent.consent.to_string().into_bytes()));
                custody.push(("keys/tenant.pem".to_owned(), key(&consent.session.signs_as())));
            }
        }
        let recipient = order.terms().authority.recipient;
        prepared.write(permission.opened(), custody, &recipient, out, watch)
    }
}

impl Case<'_> {
    /// Says that the tenant's consent is used, and uses it up.
    fn begin(&self, status: &OrderStatus, consent: &TenantConsent<'_>, by: &str) -> Result<Begun> {
        if self.gag.is_some() {
            let why = "the tenant must not know of the order yet";
            return Err(Error::new(ErrorKind::Refused, "using a tenant's consent").because(why));
        }
        let (at, hash) = (Timestamp::now(), consent.consent.hash());
        openable(status, &hash, "using a tenant's consent")?;
        consent.consent.verify(&status.order, &consent.session.signs_as())?;
        let step = Step::Approved { at, opens: true, request: hash, custodians: Vec::new() };
        let mut tell = self.tell(Kind::OrderApproved, by, &status.order, &step)?;
        tell = tell.detail("consent", hex(&hash)).detail("opens", "records");
        tell.records = Told::Set(RecordSet::of_ids(consent.records.iter().copied()));
        let used = Op::UsePermission { about: permits(self.id), purpose: hash };
        // A crash from here on leaves an act without an outcome, which the next process concludes.
        self.decide(tell, self.act(), vec![used]).map(|recorded| self.begun(recorded))
    }
}
