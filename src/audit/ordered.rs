//! What a ledger's entries say of opening and giving out what orders ask for, held against what they say of the orders.

use std::collections::{BTreeMap, BTreeSet};

use super::report::AuditFinding;
use crate::id::hex;
use crate::key::{DisclosurePolicy, PublicKey};
use crate::ledger::{Kind, Message, RecordSet};

/// The orders, as far as the entries so far tell of them.
#[derive(Default)]
pub(super) struct Ordered {
    /// By their ids.
    orders: BTreeMap<String, Order>,
    /// The tenant's own keys.
    tenant: BTreeSet<String>,
    /// How many custodians each policy asks for, and their keys; nothing if no policy is at hand.
    policies: Option<Vec<(usize, BTreeSet<String>)>>,
    /// Whether there was a log before, or something is withheld, which may tell of orders that this one does not.
    more: bool,
}

/// What became of an order, as entries tell it.
#[derive(Default)]
struct Order {
    /// Of the revision in force.
    hash: Option<[u8; 32]>,
    /// Whether its last review lets it be followed.
    accepted: bool,
    closed: bool,
    /// Consents of the tenant that were not used, by their hashes.
    consents: BTreeSet<String>,
    /// The entry that let something be opened of which no end was told, and the records, unless it was to find them.
    approved: Option<(u64, Option<RecordSet>)>,
}

impl Ordered {
    /// With what the tenant signed about its custodians.
    pub(super) fn among(policies: &[DisclosurePolicy]) -> Self {
        let keys = |policy: &DisclosurePolicy| {
            policy.custodians().iter().map(|custodian| custodian.public_key().to_string()).collect()
        };
        let policies = policies.iter().map(|policy| (usize::from(policy.threshold()), keys(policy)));
        Self { policies: Some(policies.collect()), ..Self::default() }
    }

    /// Something is withheld.
    pub(super) fn miss(&mut self) {
        self.more = true;
    }

    /// Takes what the next entry says, whom its signature is of, and whether all entries before could be read.
    pub(super) fn learn(
        &mut self,
        (seq, message): (u64, &Message),
        by: Option<PublicKey>,
        complete: bool,
        findings: &mut Vec<AuditFinding>,
    ) {
        let told = |name: &str| message.details.get(name).cloned().unwrap_or_default();
        match message.kind {
            Kind::LogOpened | Kind::Restored => {
                self.more |= message.kind == Kind::Restored || message.details.contains_key("predecessor");
                self.tenant.insert(told("tenant-key"));
            }
            Kind::CardChanged => drop(self.tenant.insert(told("tenant-key"))),
            Kind::OutcomeUnknown => self.conclude(message.refers),
            _ => {}
        }
        let id = told("order");
        if message.kind == Kind::OrderReceived {
            self.orders.insert(id, Order { hash: message.payload, ..Order::default() });
            return;
        }
        let finding = match message.kind {
            Kind::OrderApproved => AuditFinding::OpenedWithoutApproval(seq),
            Kind::OrderProducing => AuditFinding::DisclosedWithoutApproval(seq),
            Kind::OrderReviewed
            | Kind::OrderConsented
            | Kind::OrderFound
            | Kind::OrderFailed
            | Kind::OrderDisclosed
            | Kind::OrderClosed => {
                self.follow(message, by);
                return;
            }
            _ => return,
        };
        let allowed = match self.orders.get_mut(&id) {
            Some(order) if message.kind == Kind::OrderApproved => {
                let allowed = order.may_be_opened(message, self.policies.as_deref());
                order.approved = Some((seq, message.records.filter(|_| told("opens") == "records")));
                allowed
            }
            Some(order) => {
                let approved = order.approved.and_then(|(_, records)| records);
                approved.is_some_and(|records| message.records == Some(records))
                    && order.hash.is_some_and(|hash| hex(&hash) == told("order-sha256"))
            }
            None => self.more,
        };
        if !allowed && complete {
            findings.push(finding);
        }
    }

    /// Takes what became of an order otherwise.
    fn follow(&mut self, message: &Message, by: Option<PublicKey>) {
        let told = |name: &str| message.details.get(name).map_or("", String::as_str);
        let tenants = by.is_some_and(|key| self.tenant.contains(&key.to_string()));
        if matches!(message.kind, Kind::OrderFound | Kind::OrderFailed | Kind::OrderDisclosed) {
            self.conclude(message.refers);
        }
        let Some(order) = self.orders.get_mut(told("order")) else { return };
        match message.kind {
            Kind::OrderReviewed => {
                order.accepted = ["accepted", "narrowed"].contains(&told("outcome"));
                order.hash = message.payload;
            }
            // A consent that somebody else signed is none.
            Kind::OrderConsented if tenants => order.consents.extend(message.payload.map(|hash| hex(&hash))),
            Kind::OrderClosed => order.closed = true,
            _ => {}
        }
    }

    fn conclude(&mut self, began: Option<u64>) {
        for order in self.orders.values_mut() {
            order.approved.take_if(|(seq, _)| Some(*seq) == began);
        }
    }
}

impl Order {
    /// Whether those who may let it be opened did, as an entry says: nobody else is about it, it is to be followed, and enough
    /// custodians of one policy approved, and nobody else, or the tenant had consented.
    fn may_be_opened(&mut self, message: &Message, policies: Option<&[(usize, BTreeSet<String>)]>) -> bool {
        let told = |name: &str| message.details.get(name).map_or("", String::as_str);
        let named: Vec<&str> = told("custodians").split_whitespace().collect();
        let who: BTreeSet<&str> = named.iter().copied().collect();
        let agreed = if message.details.contains_key("consent") {
            who.is_empty() && self.consents.remove(told("consent"))
        } else {
            let enough = |(threshold, keys): &(usize, BTreeSet<String>)| {
                *threshold > 0 && who.iter().filter(|key| keys.contains(**key)).count() >= *threshold
            };
            let known = |key: &&str| policies.is_none_or(|all| all.iter().any(|(_, keys)| keys.contains(*key)));
            !who.is_empty() && who.iter().all(known) && policies.is_none_or(|all| all.iter().any(enough))
        };
        agreed && self.accepted && !self.closed && self.approved.is_none() && self.hash == message.payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{RecordId, TenantId, VaultId};
    use crate::key::{CustodianKey, Identity, Suite, TenantCard};
    use crate::time::Timestamp;

    const ORDER: &str = "an order";
    const HASH: [u8; 32] = [7; 32];

    struct Scene {
        ordered: Ordered,
        tenant: PublicKey,
        custodians: Vec<String>,
        records: RecordSet,
        seq: u64,
    }

    impl Scene {
        /// Of a tenant of whose three custodians two must agree, with an order that was accepted.
        fn new() -> Self {
            let people: Vec<Identity> = (0..4).map(|_| Identity::generate_for(Suite::X25519).unwrap()).collect();
            let (vault, tenant) = (VaultId::generate().unwrap(), TenantId::generate().unwrap());
            let card = TenantCard::new(vault, tenant, &people[3]);
            let who = people[..3].iter().map(CustodianKey::from).collect();
            let policy = DisclosurePolicy::quorum(&card, 2, who, &people[3]).unwrap();
            let mut scene = Self {
                ordered: Ordered::among(&[policy]),
                tenant: people[3].public_key(),
                custodians: people.iter().map(|one| one.public_key().to_string()).collect(),
                records: RecordSet::of_ids([RecordId::generate().unwrap()]),
                seq: 0,
            };
            let tenant = scene.tenant.to_string();
            assert!(scene.says(Kind::LogOpened, &[("tenant-key", &tenant)], None).is_empty());
            assert!(scene.says(Kind::OrderReceived, &[], Some(HASH)).is_empty());
            scene.reviewed("accepted");
            scene
        }

        /// What is found in the next entry, which the tenant signs.
        fn says(&mut self, kind: Kind, details: &[(&str, &str)], payload: Option<[u8; 32]>) -> Vec<AuditFinding> {
            self.says_of(kind, details, payload, None)
        }

        fn says_of(
            &mut self,
            kind: Kind,
            details: &[(&str, &str)],
            payload: Option<[u8; 32]>,
            refers: Option<u64>,
        ) -> Vec<AuditFinding> {
            let details = details.iter().chain(&[("order", ORDER)]).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            let message = Message {
                log: String::new(),
                seq: self.seq,
                time: Timestamp::now(),
                kind,
                actor: "officer".into(),
                basis: None,
                purpose: None,
                records: Some(self.records),
                payload,
                refers,
                details: details.collect(),
                nonce: [0; 32],
            };
            let mut findings = Vec::new();
            self.ordered.learn((self.seq, &message), Some(self.tenant), true, &mut findings);
            self.seq += 1;
            findings
        }

        fn reviewed(&mut self, outcome: &str) {
            assert!(self.says(Kind::OrderReviewed, &[("outcome", outcome)], Some(HASH)).is_empty());
        }

        /// Whether an approval of these custodians is as it should be.
        fn approved(&mut self, who: &[usize]) -> bool {
            let names: Vec<&str> = who.iter().map(|n| self.custodians[*n].as_str()).collect();
            let names = names.join(" ");
            self.opened(&[("custodians", &names), ("opens", "records")])
        }

        fn opened(&mut self, details: &[(&str, &str)]) -> bool {
            let at = self.seq;
            let found = self.says(Kind::OrderApproved, details, Some(HASH));
            assert!(found.is_empty() || found == [AuditFinding::OpenedWithoutApproval(at)]);
            found.is_empty()
        }

        /// Whether it is as it should be that the records are given out.
        fn produces(&mut self) -> bool {
            let (at, hash) = (self.seq, hex(&HASH));
            let found = self.says(Kind::OrderProducing, &[("order-sha256", &hash)], Some([1; 32]));
            assert!(found.is_empty() || found == [AuditFinding::DisclosedWithoutApproval(at)]);
            found.is_empty()
        }

        /// Ends what the last entry but so many began.
        fn ends(&mut self, kind: Kind, before: u64) {
            assert!(self.says_of(kind, &[], None, Some(self.seq - before)).is_empty());
        }
    }

    #[test]
    fn what_custodians_or_the_tenant_let_be_opened_is_given_out_once() {
        let mut scene = Scene::new();
        assert!(!scene.produces(), "nobody had approved");
        assert!(scene.approved(&[0, 2]) && scene.produces());
        scene.ends(Kind::OrderFailed, 2);
        assert!(!scene.produces(), "that has ended");
        assert!(scene.approved(&[0, 1, 2]));
        scene.ends(Kind::OutcomeUnknown, 1);
        // The tenant.
        assert!(!scene.opened(&[("consent", &hex(&[9; 32])), ("opens", "records")]), "it did not");
        scene.ends(Kind::OrderFailed, 1);
        assert!(scene.says(Kind::OrderConsented, &[], Some([9; 32])).is_empty());
        assert!(scene.opened(&[("consent", &hex(&[9; 32])), ("opens", "records")]) && scene.produces());
        scene.ends(Kind::OrderDisclosed, 2);
        assert!(!scene.opened(&[("consent", &hex(&[9; 32])), ("opens", "records")]), "once");
    }

    #[test]
    fn too_few_custodians_others_and_more_than_one_at_a_time_are_found() {
        for who in [&[][..], &[0], &[0, 0], &[3], &[0, 3], &[0, 1, 3]] {
            assert!(!Scene::new().approved(who), "{who:?}");
        }
        let mut scene = Scene::new();
        assert!(scene.approved(&[0, 1]) && !scene.approved(&[1, 2]), "the first goes on");
        let mut scene = Scene::new();
        scene.ordered.policies = None;
        assert!(scene.approved(&[0, 3]), "nobody can tell who is a custodian");
        assert!(!Scene::new().approved(&[]));
        // A consent that another key signed.
        let mut scene = Scene::new();
        let own = scene.tenant;
        scene.tenant = Identity::generate_for(Suite::X25519).unwrap().public_key();
        scene.says(Kind::OrderConsented, &[], Some([9; 32]));
        scene.tenant = own;
        assert!(!scene.opened(&[("consent", &hex(&[9; 32])), ("opens", "records")]));
    }

    #[test]
    fn an_order_that_is_not_to_be_followed_opens_nothing_and_other_records_are_not_given_out() {
        for outcome in ["challenged", "rejected"] {
            let mut scene = Scene::new();
            scene.reviewed(outcome);
            assert!(!scene.approved(&[0, 1]), "{outcome}");
        }
        let mut scene = Scene::new();
        scene.says(Kind::OrderClosed, &[], Some(HASH));
        assert!(!scene.approved(&[0, 1]));
        let mut scene = Scene::new();
        scene.says(Kind::OrderReviewed, &[("outcome", "narrowed")], Some([8; 32]));
        assert!(!scene.approved(&[0, 1]), "it is of the revision before");
        let mut scene = Scene::new();
        assert!(scene.approved(&[0, 1]));
        scene.records = RecordSet::of_ids([RecordId::generate().unwrap()]);
        assert!(!scene.produces());
        let mut scene = Scene::new();
        let names = scene.custodians[..2].join(" ");
        assert!(scene.opened(&[("custodians", &names), ("opens", "index")]) && !scene.produces(), "to find them");
        // An order of which nobody has heard, unless a ledger before may have told of it.
        let mut scene = Scene::new();
        scene.ordered.orders.clear();
        assert!(!scene.approved(&[0, 1]) && !scene.produces());
        scene.ordered.miss();
        assert!(scene.approved(&[0, 1]) && scene.produces());
    }
}
