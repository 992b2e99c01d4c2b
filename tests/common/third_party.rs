//! A recipient, and what it and a tenant agree.

use std::collections::BTreeSet;

use strongroom::*;

use super::{Owner, World};

pub const PURPOSE: &str = "quality assurance";
pub const DAY: i64 = 86_400_000;

pub struct ThirdParty {
    pub identity: Identity,
    pub card: RecipientCard,
}

impl ThirdParty {
    pub fn new(name: &str, class: RecipientClass) -> Self {
        let identity = Identity::generate_for(Suite::X25519).unwrap();
        let country = Country::new("DE").unwrap();
        let card = RecipientCard::new(name, class, &identity, "privacy@example.com", country).unwrap();
        Self { identity, card }
    }

    pub fn terms(&self) -> Terms {
        let now = Timestamp::now().unix_ms();
        let (from, until) = (Timestamp::from_unix_ms(now - DAY), Timestamp::from_unix_ms(now + 30 * DAY));
        let mut terms = Terms::new(self.card.clone(), profile(), from, until).purpose(PURPOSE).purpose("training");
        for kind in [PartKind::Audio, PartKind::Transcript, PartKind::Chat, PartKind::Email] {
            terms = terms.kind(kind);
        }
        for field in Field::ALL {
            terms = terms.field(*field);
        }
        terms.retention_days(10).receipt_hours(48)
    }
}

pub fn profile() -> ProtectionProfile {
    ProtectionProfile {
        at_rest: AtRest::Application,
        in_transit: InTransit::Tls13,
        breach_notice_hours: Some(24),
        ..ProtectionProfile::weakest()
    }
}

pub fn rules() -> TransferRules {
    let classes = BTreeSet::from([RecipientClass::ServiceProvider, RecipientClass::Affiliate]);
    TransferRules { required: profile(), classes, max_retention_days: 30 }
}

/// States the tenant's transfer policy.
pub fn state_policy(world: &World, owner: &Owner, rules: TransferRules) {
    let card = world.vault.tenant(owner.pin.tenant).unwrap().card;
    let session = owner.session(&world.vault);
    let mut policy = match session.transfer_policy().unwrap() {
        Some(before) => before.revise(&card, rules, Timestamp::now()).unwrap(),
        None => TransferPolicy::new(&card, rules, Timestamp::now()).unwrap(),
    };
    policy.sign(&*owner.identity).unwrap();
    session.set_transfer_policy(&policy).unwrap();
}

/// An agreement of these terms that nobody has signed.
pub fn draft(world: &World, owner: &Owner, terms: Terms) -> Agreement {
    let card = world.vault.tenant(owner.pin.tenant).unwrap().card;
    let log = world.vault.log_key(owner.pin.tenant).unwrap();
    Agreement::new(&card, super::operator().public_key(), log, terms).unwrap()
}

/// Signs an agreement by both and puts it in force.
pub fn agree(world: &World, owner: &Owner, party: &ThirdParty, terms: Terms) -> Agreement {
    let mut agreement = draft(world, owner, terms);
    agreement.sign(&*owner.identity).unwrap();
    agreement.sign(&party.identity).unwrap();
    owner.session(&world.vault).agree(&agreement).unwrap();
    agreement
}
