//! The order of protection profiles.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::*;

/// Profiles drawn from a few values of each member, so that many of them can be compared.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    fn profile(&mut self) -> ProtectionProfile {
        let residency =
            [None, Some(vec!["DE"]), Some(vec!["DE", "FR"]), Some(vec!["FR"]), Some(vec!["CH", "DE", "FR"])];
        let residency = residency[self.below(5)].as_ref().map(|codes| countries(codes));
        let certifications = ["a", "b"].into_iter().filter(|_| self.below(2) == 0).map(str::to_owned).collect();
        ProtectionProfile {
            at_rest: self.of(AtRest::ALL),
            in_transit: self.of(InTransit::ALL),
            key_custody: self.of(KeyCustody::ALL),
            access_control: self.of(AccessControl::ALL),
            logging: self.of(Logging::ALL),
            breach_notice_hours: self.of(&[None, Some(72), Some(24)]),
            residency,
            deletion_days: self.of(&[None, Some(30), Some(1)]),
            sub_processors: self.of(SubProcessors::ALL),
            certifications,
        }
    }

    /// The profile with up to two members of another one: near enough to be above or below it.
    fn neighbour(&mut self, of: &ProtectionProfile) -> ProtectionProfile {
        let (mut near, other) = (of.clone(), self.profile());
        for _ in 0..2 {
            match self.below(11) {
                0 => near.at_rest = other.at_rest,
                1 => near.in_transit = other.in_transit,
                2 => near.key_custody = other.key_custody,
                3 => near.access_control = other.access_control,
                4 => near.logging = other.logging,
                5 => near.breach_notice_hours = other.breach_notice_hours,
                6 => near.residency = other.residency.clone(),
                7 => near.deletion_days = other.deletion_days,
                8 => near.sub_processors = other.sub_processors,
                9 => near.certifications = other.certifications.clone(),
                _ => {}
            }
        }
        near
    }
}

/// Told apart another way: as numbers and as sets of what is forbidden or had, more being stronger.
fn meets(offered: &ProtectionProfile, required: &ProtectionProfile) -> bool {
    let numbers = |p: &ProtectionProfile| {
        let place = |word: &str, of: &[&str]| of.iter().position(|w| *w == word).unwrap() as i64;
        let sooner = |n: Option<u32>| n.map_or(i64::MIN, |n| -i64::from(n));
        [
            place(p.at_rest.as_str(), &["none", "disk", "application", "record"]),
            place(p.in_transit.as_str(), &["none", "tls-1.2", "tls-1.3", "end-to-end"]),
            place(p.key_custody.as_str(), &["provider", "customer-managed", "customer-held"]),
            place(p.access_control.as_str(), &["password", "multi-factor", "multi-factor-least-privilege"]),
            place(p.logging.as_str(), &["none", "access", "tamper-evident"]),
            place(p.sub_processors.as_str(), &["any", "notified", "approved", "none"]),
            sooner(p.breach_notice_hours),
            sooner(p.deletion_days),
        ]
    };
    let forbidden = |p: &ProtectionProfile| -> BTreeSet<String> {
        let all = ["CH", "DE", "FR", "elsewhere"].into_iter().map(str::to_owned);
        let allowed = |code: &String| p.residency.as_ref().is_none_or(|r| r.iter().any(|own| own.to_string() == *code));
        all.filter(|code| !allowed(code)).collect()
    };
    numbers(offered).iter().zip(numbers(required)).all(|(offered, required)| *offered >= required)
        && forbidden(offered).is_superset(&forbidden(required))
        && offered.certifications.is_superset(&required.certifications)
}

#[test]
fn profiles_are_partly_ordered_by_their_shortfalls() {
    let mut draw = Draw(1);
    let mut profiles: Vec<ProtectionProfile> = vec![ProtectionProfile::weakest()];
    for _ in 0..40 {
        profiles.push(draw.profile());
    }
    for at in 0..260 {
        let near = draw.neighbour(&profiles[at % profiles.len()]);
        profiles.push(near);
    }
    let n = profiles.len();
    let at_least: Vec<Vec<bool>> =
        profiles.iter().map(|a| profiles.iter().map(|b| a.shortfalls(b).is_empty()).collect()).collect();
    let (mut above, mut apart, mut chains) = (0, 0, 0);
    for a in 0..n {
        assert!(at_least[a][a], "reflexive");
        assert!(at_least[a][0] && profiles[a] >= ProtectionProfile::weakest(), "nothing is below the weakest");
        for b in 0..n {
            assert_eq!(at_least[a][b], meets(&profiles[a], &profiles[b]), "{:?} {:?}", profiles[a], profiles[b]);
            assert_eq!(at_least[a][b] && at_least[b][a], profiles[a] == profiles[b], "antisymmetric");
            let order = profiles[a].partial_cmp(&profiles[b]);
            assert_eq!(order, profiles[b].partial_cmp(&profiles[a]).map(Ordering::reverse));
            assert_eq!(order.is_some_and(Ordering::is_ge), at_least[a][b]);
            assert_eq!(order == Some(Ordering::Equal), profiles[a] == profiles[b]);
            above += usize::from(order == Some(Ordering::Greater));
            apart += usize::from(order.is_none());
            if at_least[a][b] && a != b {
                for c in (0..n).filter(|c| *c != b && at_least[b][*c]) {
                    assert!(at_least[a][c], "transitive");
                    chains += 1;
                }
            }
        }
    }
    // Enough of each that the laws say something.
    assert!(above > 500 && apart > 500 && chains > 500, "{above} {apart} {chains}");
}

#[test]
fn a_profile_weaker_in_one_respect_falls_short_in_that_one_and_says_so_in_a_sentence() {
    let required = profile();
    let p = || profile();
    let weaker = [
        (
            ProtectionProfile { at_rest: AtRest::Disk, ..p() },
            "encryption at rest: at least application is required, disk is offered",
        ),
        (
            ProtectionProfile { in_transit: InTransit::Tls12, ..p() },
            "encryption in transit: at least tls-1.3 is required, tls-1.2 is offered",
        ),
        (
            ProtectionProfile { key_custody: KeyCustody::Provider, ..p() },
            "key custody: at least customer-managed is required, provider is offered",
        ),
        (
            ProtectionProfile { access_control: AccessControl::Password, ..p() },
            "access control: at least multi-factor is required, password is offered",
        ),
        (
            ProtectionProfile { logging: Logging::None, ..p() },
            "logging of access: at least access is required, none is offered",
        ),
        (
            ProtectionProfile { breach_notice_hours: Some(25), ..p() },
            "notice of a breach: within 24 hours is required, within 25 hours is offered",
        ),
        (
            ProtectionProfile { residency: Some(countries(&["CH", "DE", "FR"])), ..p() },
            "residency: only DE, FR is required, CH, DE, FR is offered",
        ),
        (ProtectionProfile { residency: None, ..p() }, "residency: only DE, FR is required, anywhere is offered"),
        (
            ProtectionProfile { deletion_days: None, ..p() },
            "deletion on request: within 14 days is required, never is offered",
        ),
        (
            ProtectionProfile { sub_processors: SubProcessors::Notified, ..p() },
            "sub-processors: at most approved is required, notified is offered",
        ),
        (
            ProtectionProfile { certifications: ["SOC 2 Type II".to_owned()].into(), ..p() },
            "certifications: ISO/IEC 27001:2022 is required and missing",
        ),
    ];
    for (offered, sentence) in weaker {
        let shortfalls: Vec<String> = offered.shortfalls(&required).iter().map(Shortfall::to_string).collect();
        assert_eq!(shortfalls, [sentence]);
        assert!(required.shortfalls(&offered).is_empty(), "{sentence}");
    }
    let all = ProtectionProfile::weakest().shortfalls(&required);
    assert_eq!(all.len(), 10, "{all:?}");
}

#[test]
fn a_profile_that_cannot_be_kept_is_refused() {
    let p = || profile();
    for (bad, what) in [
        (ProtectionProfile { breach_notice_hours: Some(0), ..p() }, "a notice at once"),
        (ProtectionProfile { breach_notice_hours: Some(8_761), ..p() }, "a notice after more than a year"),
        (ProtectionProfile { deletion_days: Some(0), ..p() }, "a deletion at once"),
        (ProtectionProfile { deletion_days: Some(36_501), ..p() }, "a deletion after more than a century"),
        (ProtectionProfile { residency: Some(BTreeSet::new()), ..p() }, "data nowhere"),
        (ProtectionProfile { certifications: ["".to_owned()].into(), ..p() }, "a certification without a name"),
        (ProtectionProfile { certifications: ["x".repeat(129)].into(), ..p() }, "a name too long"),
        (ProtectionProfile { certifications: ["a\tb".to_owned()].into(), ..p() }, "a control character"),
        (ProtectionProfile { certifications: (0..257).map(|n| n.to_string()).collect(), ..p() }, "257 certifications"),
    ] {
        assert!(!bad.is_sound(), "{what}");
        let refused = draft(Terms { profile: bad.clone(), ..terms() }).unwrap_err();
        assert_eq!(refused.to_string(), "checking an agreement's profile", "{what}");
        let rules = TransferRules { required: bad, ..rules() };
        let refused = TransferPolicy::new(&card(), rules, time("2025-12-24T18:00:00Z")).unwrap_err();
        assert_eq!(refused.to_string(), "checking a transfer policy's required profile", "{what}");
    }
    assert!(ProtectionProfile { breach_notice_hours: Some(8_760), deletion_days: Some(36_500), ..p() }.is_sound());
    assert!(ProtectionProfile::weakest().is_sound());
}

#[test]
fn a_profile_is_read_from_json_only_if_it_says_everything() {
    let json = serde_json::to_string(&profile()).unwrap();
    assert_eq!(serde_json::from_str::<ProtectionProfile>(&json).unwrap(), profile());
    let json = serde_json::to_value(profile()).unwrap();
    for name in json.as_object().unwrap().keys() {
        let mut without = json.clone();
        without.as_object_mut().unwrap().remove(name);
        assert!(serde_json::from_value::<ProtectionProfile>(without).is_err(), "{name}");
        let mut unknown = json.clone();
        unknown[name] = serde_json::json!("best");
        assert!(serde_json::from_value::<ProtectionProfile>(unknown).is_err(), "{name}");
    }
    let mut more = json.clone();
    more["quantum"] = serde_json::json!(true);
    assert!(serde_json::from_value::<ProtectionProfile>(more).is_err());
}
