//! Transfer policies, and recipients' cards.

use super::*;
use crate::error::ErrorKind;

const ISSUED: &str = "2025-12-24T18:00:00Z";

#[test]
fn a_policy_never_allows_marketing_partners_whether_it_is_built_or_read() {
    let with = TransferRules { classes: RecipientClass::ALL.iter().copied().collect(), ..rules() };
    let refused = TransferPolicy::new(&card(), with, time(ISSUED)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert_eq!(refused.to_string(), "checking a transfer policy's classes");
    let revised = TransferRules { classes: [RecipientClass::MarketingPartner].into(), ..rules() };
    assert!(policy_of(rules()).revise(&card(), revised, time(ISSUED)).is_err());

    let text = policy_of(rules()).text().to_owned();
    let forged = text.replace("\"service-provider\"", "\"marketing-partner\"");
    assert_ne!(forged, text);
    let refused = note(&forged, &[("tenant", &tenant())]).parse::<TransferPolicy>().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Tampered);
    let others: Vec<_> =
        RecipientClass::ALL.iter().copied().filter(|class| *class != RecipientClass::MarketingPartner).collect();
    assert_eq!(others.len(), 4);
    policy_of(TransferRules { classes: others.into_iter().collect(), ..rules() });
}

#[test]
fn a_policy_is_verified_against_the_card_that_signed_it() {
    let policy = policy_of(rules());
    policy.verify(&card()).unwrap();
    assert_eq!(policy.rules(), rules());
    let elsewhere = TenantCard::new(VaultId::from_bytes([9; 16]), TenantId::from_bytes([2; 16]), &tenant());
    let other = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([3; 16]), &tenant());
    let later = card().successor(&tenant(), &identity(0x31)).unwrap();
    for wrong in [elsewhere, other, later.clone()] {
        assert_eq!(policy.verify(&wrong).unwrap_err().kind(), ErrorKind::Tampered);
    }
    let unsigned = TransferPolicy::new(&card(), rules(), time(ISSUED)).unwrap();
    assert_eq!(unsigned.verify(&card()).unwrap_err().kind(), ErrorKind::Tampered);
    assert!(!unsigned.is_signed() && policy.is_signed());

    // After the keys have changed, the next policy is of the next card.
    let mut next = policy.revise(&later, rules(), time("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(next.sign(&tenant()).unwrap_err().kind(), ErrorKind::WrongKey);
    next.sign(&identity(0x31)).unwrap();
    next.verify(&later).unwrap();
    next.verify_succession(&policy).unwrap();
}

#[test]
fn a_chain_of_policies_holds_in_its_order_only() {
    let first = policy_of(rules());
    let next = |before: &TransferPolicy, days| {
        let rules = TransferRules { max_retention_days: days, ..rules() };
        let mut next = before.revise(&card(), rules, time(ISSUED)).unwrap();
        next.sign(&tenant()).unwrap();
        next
    };
    let (second, other) = (next(&first, 10), next(&first, 20));
    let third = next(&second, 30);
    assert_eq!((first.revision(), second.revision(), third.revision()), (1, 2, 3));
    assert_eq!((first.previous(), third.previous()), (None, Some(second.hash())));
    second.verify_succession(&first).unwrap();
    third.verify_succession(&second).unwrap();
    for (after, before) in [(&third, &first), (&third, &other), (&first, &second), (&first, &first), (&second, &second)]
    {
        assert_eq!(after.verify_succession(before).unwrap_err().kind(), ErrorKind::Tampered);
    }
    let stranger = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([3; 16]), &tenant());
    assert_eq!(first.revise(&stranger, rules(), time(ISSUED)).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_policy_out_of_its_limits_is_refused() {
    for days in [0, 36_501] {
        let rules = TransferRules { max_retention_days: days, ..rules() };
        assert_eq!(TransferPolicy::new(&card(), rules, time(ISSUED)).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    for ms in [i64::MIN, -62_167_219_200_001, 253_402_300_800_000, i64::MAX] {
        let refused = TransferPolicy::new(&card(), rules(), Timestamp::from_unix_ms(ms)).unwrap_err();
        assert_eq!(refused.to_string(), "checking a transfer policy's time of issue", "{ms}");
    }
    for ms in [-62_167_219_200_000, 253_402_300_799_999] {
        TransferPolicy::new(&card(), rules(), Timestamp::from_unix_ms(ms)).unwrap();
    }
}

#[test]
fn a_card_parses_back_and_every_other_spelling_of_it_is_refused() {
    let card = recipient_card(RecipientClass::Affiliate);
    let text = card.to_string();
    assert_eq!(text.parse::<RecipientCard>().unwrap(), card);
    for other in [
        text.trim_end().to_owned(),
        format!("{text}\n"),
        text.replace("  \"", " \""),
        text.replace("affiliate", "Affiliate"),
        text.replace("\"DE\"", "\"DEU\""),
        text.replace("\"DE\"", "\"D1\""),
        text.replace("\"name\"", "\"more\": 1,\n  \"name\""),
        text.replace("  \"class\": \"affiliate\",\n", ""),
        text.replace("Qualität", "Quali\\u00e4t"),
        text.replace("Qualität GmbH", ""),
        text.replace("Qualität GmbH", &"x".repeat(257)),
        text.replace("privacy@", "privacy\u{7F}@"),
        text.replace("\"age1", "\"age1q"),
        format!("{}{text}", " ".repeat(20_000)),
    ] {
        assert_ne!(other, text);
        assert_eq!(other.parse::<RecipientCard>().unwrap_err().kind(), ErrorKind::InvalidInput, "{other}");
    }
}

#[test]
fn a_card_without_a_readable_name_or_contact_is_not_made() {
    let make = |name: &str, contact: &str| {
        RecipientCard::new(name, RecipientClass::Affiliate, &recipient(), contact, Country::new("DE").unwrap())
    };
    make(&"é".repeat(128), "x").unwrap();
    for bad in ["", " x", "x ", "a\nb", "a\u{202E}b", "a\u{200B}b", "a\u{E0041}b", "a\u{2028}b", &"é".repeat(129)] {
        assert_eq!(make(bad, "x").unwrap_err().kind(), ErrorKind::InvalidInput, "{bad:?}");
        assert_eq!(make("x", bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad:?}");
    }
    for bad in ["", "D", "de", "DEU", "Ä", "D "] {
        assert!(Country::new(bad).is_err(), "{bad}");
    }
}
