//! Why nothing may go to a recipient.

use std::collections::BTreeSet;

use super::*;

const NOW: &str = "2026-06-01T12:00:00Z";

fn ask(agreement: &Agreement, policy: &TransferPolicy, now: &str) -> Vec<Refusal> {
    let (kinds, fields) = ([PartKind::Transcript, PartKind::Email], [Field::Start, Field::Queue]);
    agreement.refusals(policy, "quality assurance", &kinds, &fields, time(now))
}

fn with(terms: Terms) -> Agreement {
    signed_by_both(draft(terms).unwrap())
}

#[test]
fn what_both_signed_and_the_policy_allows_is_not_refused() {
    let (agreement, policy) = (agreement(), policy_of(rules()));
    assert_eq!(ask(&agreement, &policy, NOW), []);
    assert_eq!(agreement.refusals(&policy, "training of agents", &[], &[], time(NOW)), []);
    // At the limits.
    assert_eq!(ask(&with(terms().retention_days(90)), &policy, NOW), []);
    assert_eq!(ask(&agreement, &policy_of(TransferRules { required: profile(), ..rules() }), NOW), []);
}

#[test]
fn every_reason_is_given_alone_where_it_is_the_only_one() {
    let (signed, policy) = (agreement(), policy_of(rules()));
    let mut by_tenant = draft(terms()).unwrap();
    let mut by_recipient = by_tenant.clone();
    by_tenant.sign(&tenant()).unwrap();
    by_recipient.sign(&recipient()).unwrap();
    assert_eq!(ask(&by_tenant, &policy, NOW), [Refusal::NotSignedByRecipient]);
    assert_eq!(ask(&by_recipient, &policy, NOW), [Refusal::NotSignedByTenant]);
    let nobody = [Refusal::NotSignedByTenant, Refusal::NotSignedByRecipient];
    assert_eq!(ask(&draft(terms()).unwrap(), &policy, NOW), nobody);

    let unsigned = TransferPolicy::new(&card(), rules(), time("2025-12-24T18:00:00Z")).unwrap();
    assert_eq!(ask(&signed, &unsigned, NOW), [Refusal::PolicyNotSigned]);
    for (vault, tenant_id) in [(9, 2), (1, 3)] {
        let other = TenantCard::new(VaultId::from_bytes([vault; 16]), TenantId::from_bytes([tenant_id; 16]), &tenant());
        let mut foreign = TransferPolicy::new(&other, rules(), time("2025-12-24T18:00:00Z")).unwrap();
        foreign.sign(&tenant()).unwrap();
        assert_eq!(ask(&signed, &foreign, NOW), [Refusal::PolicyOfAnother]);
    }

    let (from, until) = (signed.terms().valid_from, signed.terms().valid_until);
    assert_eq!(ask(&signed, &policy, "2025-12-31T23:59:59.999Z"), [Refusal::NotYetValid(from)]);
    assert_eq!(ask(&signed, &policy, "2026-01-01T00:00:00.000Z"), []);
    assert_eq!(ask(&signed, &policy, "2026-12-31T23:59:59.999Z"), []);
    assert_eq!(ask(&signed, &policy, "2027-01-01T00:00:00.000Z"), [Refusal::Expired(until)]);

    for class in [RecipientClass::Reseller, RecipientClass::Successor] {
        let agreement = with(Terms { recipient: recipient_card(class), ..terms() });
        assert_eq!(ask(&agreement, &policy, NOW), [Refusal::ClassNotAllowed(class)]);
    }
    let marketing = with(Terms { recipient: recipient_card(RecipientClass::MarketingPartner), ..terms() });
    assert_eq!(ask(&marketing, &policy, NOW), [Refusal::Marketing]);
    let nobody = policy_of(TransferRules { classes: BTreeSet::new(), ..rules() });
    assert_eq!(ask(&signed, &nobody, NOW), [Refusal::ClassNotAllowed(RecipientClass::ServiceProvider)]);

    let weak = ProtectionProfile { at_rest: AtRest::None, deletion_days: Some(31), ..profile() };
    let shortfalls = weak.shortfalls(policy.required());
    assert_eq!(shortfalls.len(), 2);
    assert_eq!(ask(&with(Terms { profile: weak, ..terms() }), &policy, NOW), [Refusal::Weaker(shortfalls)]);

    let long = with(terms().retention_days(91));
    assert_eq!(ask(&long, &policy, NOW), [Refusal::RetentionTooLong { agreed: 91, allowed: 90 }]);

    for purpose in ["", "Quality assurance", "quality", "marketing"] {
        assert_eq!(signed.refusals(&policy, purpose, &[], &[], time(NOW)), [Refusal::PurposeNotAgreed], "{purpose}");
    }
    let (kinds, fields) = ([PartKind::Audio, PartKind::Email], [Field::Start, Field::SubjectNames]);
    let expected = [Refusal::KindNotAgreed(PartKind::Audio), Refusal::FieldNotAgreed(Field::SubjectNames)];
    assert_eq!(signed.refusals(&policy, "quality assurance", &kinds, &fields, time(NOW)), expected);
}

#[test]
fn all_reasons_are_given_at_once_and_each_is_one_sentence_with_a_name_of_its_own() {
    let weak = ProtectionProfile { at_rest: AtRest::None, deletion_days: None, ..profile() };
    let terms =
        Terms { profile: weak, recipient: recipient_card(RecipientClass::Reseller), ..terms().retention_days(91) };
    let unsigned = draft(terms).unwrap();
    let policy = TransferPolicy::new(&card(), rules(), time("2025-12-24T18:00:00Z")).unwrap();
    let ask = |now| unsigned.refusals(&policy, "sale", &[PartKind::Audio], &[Field::Tags], time(now));
    let mut all = ask("2025-01-01T00:00:00Z");
    all.extend(ask("2028-01-01T00:00:00Z"));
    all.extend([Refusal::Marketing, Refusal::PolicyOfAnother]);
    let said: BTreeSet<(&str, String)> = all.iter().map(|refusal| (refusal.code(), refusal.to_string())).collect();
    let expected = [
        ("class-not-allowed", "the transfer policy does not allow a recipient of the class reseller"),
        ("expired", "the agreement expired at 2027-01-01T00:00:00.000Z"),
        ("field-not-agreed", "the agreement does not name the field tags"),
        ("kind-not-agreed", "the agreement does not name the kind of part audio"),
        ("marketing", "the recipient is a marketing partner, and records never go to one"),
        ("not-signed-by-recipient", "the recipient has not signed the agreement"),
        ("not-signed-by-tenant", "the tenant has not signed the agreement"),
        ("not-yet-valid", "the agreement is not valid before 2026-01-01T00:00:00.000Z"),
        ("policy-not-signed", "the tenant has not signed its transfer policy"),
        ("policy-of-another", "the transfer policy is of another tenant or vault"),
        ("purpose-not-agreed", "the agreement does not name the purpose"),
        ("retention-too-long", "the recipient may keep records for 91 days, and the transfer policy allows 90"),
        (
            "weaker",
            "the recipient protects records less than the transfer policy requires: encryption at rest: at least disk is \
             required, none is offered; deletion on request: within 30 days is required, never is offered",
        ),
    ];
    let expected: BTreeSet<(&str, String)> = expected.map(|(code, said)| (code, said.to_owned())).into();
    assert_eq!(said, expected);
}
