use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::document::{DisclosureOrder, canary};
use super::terms::OrderScope;
use super::words::LegalBasis;
use crate::encoding::{Fields, enc};
use crate::epoch::EpochHeader;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, hex};
use crate::key::{DisclosurePolicy, PolicyHash, PublicKey, Recipient, signed, split_signed};
use crate::record::{Identifier, RecordHeader};
use crate::time::Timestamp;

const LABEL: &str = "order-request";
/// Bytes of a request at the most.
const MAX: usize = 128 << 20;

/// What custodians are asked to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Their shares of the index keys of epochs, by which the records of the order's subjects are found.
    Find,
    /// Their shares of the keys of records.
    Open,
    /// Their shares of the key of a record that was made for a drill.
    Drill,
}

/// The file `order.request`: what goes out to the custodians of a tenant, so that each can approve an order offline. Signed by
/// the operator. Printed, it says in sentences what is approved. SPEC 14.2.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderRequest {
    order: DisclosureOrder,
    stage: Stage,
    /// The one-time key that shares are sealed to.
    to: Recipient,
    expires: Timestamp,
    /// Every policy that an epoch below is sealed under.
    pub(super) policies: BTreeMap<PolicyHash, DisclosurePolicy>,
    pub(super) epochs: BTreeMap<EpochId, EpochHeader>,
    pub(super) records: Vec<RecordHeader>,
    bytes: Vec<u8>,
}

/// What is asked for, and what belongs to it.
pub(crate) struct Asked {
    pub(crate) stage: Stage,
    /// Every policy that an epoch is sealed under.
    pub(crate) policies: Vec<DisclosurePolicy>,
    pub(crate) epochs: Vec<EpochHeader>,
    pub(crate) records: Vec<RecordHeader>,
}

impl OrderRequest {
    pub(crate) fn new(
        order: DisclosureOrder,
        asked: Asked,
        to: Recipient,
        expires: Timestamp,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self> {
        let Asked { stage, policies, epochs, mut records } = asked;
        let policies: BTreeMap<_, _> = policies.into_iter().map(|policy| (policy.hash(), policy)).collect();
        let epochs: BTreeMap<_, _> = epochs.into_iter().map(|epoch| (epoch.epoch(), epoch)).collect();
        // So that a custodian goes through each epoch's chain once.
        records.sort_unstable_by_key(|header| (header.epoch, header.seq));
        let code = [match stage {
            Stage::Find => 0,
            Stage::Open => 1,
            Stage::Drill => 2,
        }];
        let policy_list = list(policies.values().map(DisclosurePolicy::to_bytes));
        let epoch_list = list(epochs.values().map(|epoch| epoch.to_bytes().to_vec()));
        let record_list = list(records.iter().map(RecordHeader::to_bytes));
        let (note, key, time) = (order.to_string(), to.to_field(), expires.unix_ms().to_be_bytes());
        let body = enc(LABEL, &[note.as_bytes(), &code, &key, &time, &policy_list, &epoch_list, &record_list]);
        let bytes = signed(&body, &sign(&body));
        if bytes.len() > MAX {
            return Err(Error::new(ErrorKind::TooLarge, "writing a request to custodians"));
        }
        Self::from_bytes(&bytes)
    }

    /// Parses a request and verifies that the operator whom the order in it names signed both, and that the keys and records in
    /// it belong together and are what the order is about, as far as it shows from outside. That the operator is the right one
    /// is for the custodian to know: [`Custodian::approve`](super::Custodian::approve).
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if it is not so; [`TooLarge`](ErrorKind::TooLarge) above 128 MiB.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bad = || Error::new(ErrorKind::Tampered, "parsing a request to custodians");
        if bytes.len() > MAX {
            return Err(Error::new(ErrorKind::TooLarge, "parsing a request to custodians"));
        }
        let (body, signature) = split_signed(bytes)?;
        let mut f = Fields::of(LABEL, body)?;
        let order: DisclosureOrder = std::str::from_utf8(f.bytes()?).map_err(|_| bad())?.parse()?;
        order.verify(&order.operator())?;
        order.operator().verify(body, &signature, "verifying a request's signature")?;
        let stage = match f.array::<1>()? {
            [0] => Stage::Find,
            [1] => Stage::Open,
            [2] => Stage::Drill,
            _ => return Err(bad()),
        };
        let to = Recipient::from_field(f.bytes()?)?;
        let expires = Timestamp::from_unix_ms(i64::from_be_bytes(f.array()?));
        let policies = items(f.bytes()?, |bytes| DisclosurePolicy::parse(bytes).map(|p| (p.hash(), p)))?;
        let epochs = items(f.bytes()?, |bytes| EpochHeader::from_bytes(bytes).map(|e| (e.epoch(), e)))?;
        let records: Vec<RecordHeader> = items(f.bytes()?, RecordHeader::from_bytes)?;
        f.end()?;
        let this = Self { order, stage, to, expires, policies, epochs, records, bytes: bytes.to_vec() };
        if this.belongs_together() { Ok(this) } else { Err(bad()) }
    }

    fn belongs_together(&self) -> bool {
        let Self { order, stage, policies, epochs, records, .. } = self;
        let place = (order.vault(), order.tenant());
        let epochs_fit = epochs.values().all(|epoch| {
            let policy = policies.get(&epoch.policy());
            (epoch.vault(), epoch.tenant()) == place
                && policy.is_some_and(|p| p.custodians().len() == epoch.custodians())
        });
        let terms = order.terms();
        let records_fit = records.iter().all(|header| {
            let epoch = epochs.get(&header.epoch);
            let named = match &terms.scope {
                OrderScope::Records(records) => {
                    records.contains_key(&header.record) && terms.dates.contains(&header.time)
                }
                OrderScope::Subjects { period, .. } => period.contains(&header.time),
            };
            let shared = epoch.is_some_and(|epoch| epoch.custodians() == header.shares.len());
            (header.vault, header.tenant) == place && named && shared
        });
        let order_of_records = records.windows(2).all(|pair| {
            let [a, b] = pair else { return true };
            (a.epoch, a.seq) < (b.epoch, b.seq)
        });
        let asks = match stage {
            Stage::Find => {
                matches!(terms.scope, OrderScope::Subjects { .. }) && records.is_empty() && !epochs.is_empty()
            }
            Stage::Open => !records.is_empty(),
            // Its id is bound in its shares: a record that was ingested cannot be passed off as one.
            Stage::Drill => {
                let made = canary(order.id());
                records.iter().map(|header| header.record).eq([made]) && terms.scope == OrderScope::records([made])
            }
        };
        // Under such an order nothing is opened, whatever its operator says.
        let discloses = terms.basis != LegalBasis::Preservation;
        epochs_fit && records_fit && order_of_records && asks && discloses
    }

    /// The file's content.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the file: what approvals are of.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// The order.
    pub fn order(&self) -> &DisclosureOrder {
        &self.order
    }

    /// What is asked for.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Until when approvals count.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// The operator who asks.
    pub fn operator(&self) -> PublicKey {
        self.order.operator()
    }

    /// The records that would be opened.
    pub fn records(&self) -> impl Iterator<Item = RecordId> {
        self.records.iter().map(|header| header.record)
    }

    /// Whose index keys would be opened.
    pub fn epochs(&self) -> impl Iterator<Item = EpochId> {
        self.epochs.keys().copied()
    }

    pub(super) fn to(&self) -> &Recipient {
        &self.to
    }

    /// How many shares each custodian gives.
    pub(super) fn items(&self) -> usize {
        match self.stage {
            Stage::Find => self.epochs.len(),
            Stage::Open | Stage::Drill => self.records.len(),
        }
    }

    /// The epoch of each item, and the policy under which it was sealed.
    pub(super) fn sealed_under(&self) -> Result<Vec<(&EpochHeader, &DisclosurePolicy)>> {
        let bad = || Error::new(ErrorKind::Tampered, "looking up how what is asked for was sealed");
        let epochs: Vec<Option<&EpochHeader>> = match self.stage {
            Stage::Find => self.epochs.values().map(Some).collect(),
            Stage::Open | Stage::Drill => self.records.iter().map(|header| self.epochs.get(&header.epoch)).collect(),
        };
        let with_policy = |epoch: Option<_>| {
            let epoch: &EpochHeader = epoch.ok_or_else(bad)?;
            Ok((epoch, self.policies.get(&epoch.policy()).ok_or_else(bad)?))
        };
        epochs.into_iter().map(with_policy).collect()
    }
}

/// What a list has, item by item.
fn items<T, C: FromIterator<T>>(list: &[u8], parse: impl Fn(&[u8]) -> Result<T>) -> Result<C> {
    let mut fields = Fields::of("list", list)?;
    (0..fields.remaining()).map(|_| parse(fields.bytes()?)).collect()
}

fn list(items: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = items.collect();
    enc("list", &items.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

impl fmt::Display for OrderRequest {
    /// What a custodian is asked to approve, in sentences.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stage == Stage::Drill {
            writeln!(f, "This is a drill for custodians of tenant {}.", self.order.tenant())?;
            writeln!(
                f,
                "Your approval gives your share of a record that was made for it and holds nothing about anybody."
            )?;
            writeln!(f, "Approvals count until {}.", self.expires)?;
            writeln!(f, "Signed by the operator whose key is {}", self.operator())?;
            return write!(f, "This request has SHA-256 {}", hex(&self.hash()));
        }
        let terms = self.order.terms();
        let authority = &terms.authority;
        writeln!(f, "You are asked to help open records of tenant {}.", self.order.tenant())?;
        writeln!(f)?;
        writeln!(f, "Who asks:      {} ({}), {}", authority.name, authority.country, authority.contact)?;
        writeln!(f, "On what ground: {}, reference {}", terms.basis, terms.reference)?;
        writeln!(f, "What was served: a document with SHA-256 {}", hex(&terms.served))?;
        writeln!(f, "Served on {}, to be answered by {}.", terms.received, terms.due)?;
        writeln!(f, "It reaches interactions from {} and before {}.", terms.dates.start, terms.dates.end)?;
        let kinds: Vec<String> = terms.kinds.iter().map(ToString::to_string).collect();
        writeln!(f, "Of each record: {}.", kinds.join(", "))?;
        match terms.gag_until {
            Some(until) => writeln!(f, "The tenant must not be told before {until}.")?,
            None => writeln!(f, "The tenant is told at once.")?,
        }
        writeln!(f, "Everything goes, sealed, to {authority_key}", authority_key = authority.recipient)?;
        writeln!(f)?;
        if let OrderScope::Subjects { subjects, period } = &terms.scope {
            let who: Vec<String> = subjects.iter().map(Identifier::to_string).collect();
            writeln!(f, "It is about: {}", who.join(", "))?;
            writeln!(f, "in interactions from {} and before {}.", period.start, period.end)?;
        }
        match self.stage {
            Stage::Find => {
                let opened = || self.epochs.values().map(EpochHeader::opened);
                writeln!(
                    f,
                    "Your approval helps find which records name them, in {} epochs of writers,",
                    opened().count()
                )?;
                if let (Some(first), Some(last)) = (opened().min(), opened().max()) {
                    writeln!(f, "which began from {first} to {last}.")?;
                }
                writeln!(f, "It opens no record: that will be asked separately, with a list.")?;
            }
            Stage::Open | Stage::Drill => {
                writeln!(f, "Your approval gives your shares of {} records, and of no other:", self.records.len())?;
                for header in &self.records {
                    writeln!(f, "  {}  of {}", header.record, header.time)?;
                }
            }
        }
        writeln!(f)?;
        writeln!(f, "Approvals count until {}.", self.expires)?;
        writeln!(
            f,
            "Order {}, revision {}, SHA-256 {}",
            self.order.id(),
            self.order.revision(),
            hex(&self.order.hash())
        )?;
        writeln!(f, "Signed by the operator whose key is {}", self.operator())?;
        write!(f, "This request has SHA-256 {}", hex(&self.hash()))
    }
}

impl fmt::Debug for OrderRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderRequest({}, {:?}, {} items)", self.order.id(), self.stage, self.items())
    }
}
