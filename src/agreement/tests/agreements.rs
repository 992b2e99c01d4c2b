//! Agreements, their revisions, and the papers of transfers.

use super::*;
use crate::document::hides;
use crate::error::ErrorKind;
use crate::record::{Channel, Draft, Role, Subject};

#[test]
fn an_agreement_is_whole_when_both_have_signed_in_whichever_order() {
    let mut agreement = draft(terms()).unwrap();
    let state = |agreement: &Agreement| {
        (agreement.is_signed_by_tenant(), agreement.is_signed_by_recipient(), agreement.verify().is_ok())
    };
    assert_eq!(state(&agreement), (false, false, false));
    assert!(agreement.to_string().parse::<Agreement>().is_err(), "what nobody signed does not parse");
    let hash = agreement.hash();

    // The one signs, sends it, and the other signs what arrived.
    agreement.sign(&recipient()).unwrap();
    assert_eq!(state(&agreement), (false, true, false));
    assert_eq!(agreement.verify().unwrap_err().kind(), ErrorKind::Tampered);
    let mut arrived: Agreement = agreement.to_string().parse().unwrap();
    assert_eq!(state(&arrived), (false, true, false));
    arrived.sign(&tenant()).unwrap();
    assert_eq!(state(&arrived), (true, true, true));
    arrived.verify().unwrap();
    let again = arrived.to_string();
    arrived.sign(&recipient()).unwrap();
    assert_eq!(arrived.to_string(), again, "signing again changes nothing");
    assert_eq!(again.parse::<Agreement>().unwrap(), arrived);
    assert_eq!((arrived.hash(), super::agreement().hash()), (hash, hash), "whoever signed");
    assert_ne!(again, super::agreement().to_string());
}

#[test]
fn an_agreement_is_verified_against_the_card_under_which_it_was_made() {
    let agreement = agreement();
    agreement.verify_under(&card()).unwrap();
    let elsewhere = TenantCard::new(VaultId::from_bytes([9; 16]), TenantId::from_bytes([2; 16]), &tenant());
    let other = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([3; 16]), &tenant());
    let impostor = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &identity(0x31));
    let later = card().successor(&tenant(), &tenant()).unwrap();
    for wrong in [elsewhere, other, impostor, later] {
        assert_eq!(agreement.verify_under(&wrong).unwrap_err().kind(), ErrorKind::Tampered, "{wrong:?}");
    }
    let mut by_one = draft(terms()).unwrap();
    by_one.sign(&recipient()).unwrap();
    assert_eq!(by_one.verify_under(&card()).unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn an_agreement_says_what_its_terms_say() {
    let agreement = agreement();
    let names = |card: &TenantCard| (card.vault(), card.tenant(), card.public_key(), *card.hash().as_bytes());
    let own = (agreement.vault(), agreement.tenant(), agreement.tenant_key(), agreement.card());
    assert_eq!(own, names(&card()));
    assert_eq!((agreement.operator(), agreement.log()), (key(0x13), key(0x14)));
    assert_eq!((agreement.id(), agreement.revision(), agreement.previous()), ([10; 16], 1, None));
    let read: Agreement = agreement.to_string().parse().unwrap();
    assert_eq!(read.terms(), agreement.terms());
    // People are in one order, whoever named them first.
    let mut turned = terms();
    turned.scope.subjects.reverse();
    turned.scope.subjects.push(Identifier::customer("C-1").unwrap());
    assert_eq!(signed_by_both(draft(turned).unwrap()), agreement);
    let created = time("2026-01-31T00:00:00Z");
    assert_eq!(agreement.keep_until(created), time("2026-03-02T00:00:00Z"));
    assert_eq!(agreement.receipt_by(created), time("2026-02-03T00:00:00Z"));
    let ids: std::collections::HashSet<[u8; 16]> =
        (0..10).map(|_| Agreement::new(&card(), key(0x13), key(0x14), terms()).unwrap().id()).collect();
    assert_eq!(ids.len(), 10);
}

#[test]
fn terms_that_are_missing_or_out_of_their_limits_are_refused_by_name() {
    let many = |n: usize| (0..n).map(|at| format!("{at:05}")).collect::<std::collections::BTreeSet<String>>();
    let people = |n: usize| (0..n).map(|at| Identifier::customer(&format!("{at:05}")).unwrap()).collect::<Vec<_>>();
    let (from, until) = (terms().valid_from, terms().valid_until);
    let empty = Terms::new(recipient_card(RecipientClass::Affiliate), profile(), from, until);
    let refused: [(Terms, &str); 16] = [
        (empty.clone(), "purposes"),
        (empty.clone().purpose("x"), "kinds of parts"),
        (empty.clone().purpose("x").kind(PartKind::Audio), "days of retention"),
        (empty.clone().purpose("x").kind(PartKind::Audio).retention_days(1), "hours until a receipt"),
        (Terms { purposes: many(33), ..terms() }, "purposes"),
        (terms().purpose("é".repeat(129)), "purposes"),
        (terms().purpose(""), "purposes"),
        (terms().queue("é".repeat(129)), "scope"),
        (Terms { scope: Scope { queues: many(1_001), ..Scope::default() }, ..terms() }, "scope"),
        (Terms { scope: Scope { subjects: people(1_001), ..Scope::default() }, ..terms() }, "scope"),
        (terms().retention_days(36_501), "days of retention"),
        (terms().receipt_hours(8_761), "hours until a receipt"),
        (Terms { valid_until: from, ..terms() }, "validity"),
        (Terms { valid_from: until, valid_until: from, ..terms() }, "validity"),
        (Terms { valid_until: Timestamp::from_unix_ms(i64::MAX), ..terms() }, "validity"),
        (Terms { valid_from: Timestamp::from_unix_ms(i64::MIN), ..terms() }, "validity"),
    ];
    for (terms, what) in refused {
        let refused = draft(terms).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert_eq!(refused.to_string(), format!("checking an agreement's {what}"));
    }
    let widest = Terms {
        purposes: many(32),
        scope: Scope { queues: many(1_000), subjects: people(1_000) },
        ..terms().retention_days(36_500).receipt_hours(8_760)
    };
    let widest = signed_by_both(draft(widest).unwrap());
    assert_eq!(widest.to_string().parse::<Agreement>().unwrap(), widest);
    let least = empty.purpose("é".repeat(128)).kind(PartKind::Original).retention_days(1).receipt_hours(1);
    let least = signed_by_both(draft(least).unwrap());
    assert_eq!(least.to_string().parse::<Agreement>().unwrap(), least);
}

#[test]
fn a_text_that_would_not_show_what_it_says_is_refused_everywhere() {
    let hidden: Vec<char> = ('\0'..='\u{FFFF}').chain('\u{E0000}'..='\u{E007F}').filter(|c| hides(*c)).collect();
    assert!(hidden.len() > 200, "{}", hidden.len());
    for c in ['\0', '\t', '\n', '\r', '\u{7F}', '\u{85}', '\u{2028}', '\u{202E}', '\u{2066}', '\u{FEFF}', '\u{E0041}'] {
        assert!(hidden.contains(&c), "{c:?}");
    }
    for c in [' ', 'é', '\u{200D}', '\u{1F600}', '\u{5D0}'] {
        assert!(!hides(c), "{c:?}");
    }
    let kind = |refused: Result<Agreement>| refused.unwrap_err().kind();
    for c in hidden {
        let text = format!("a{c}b");
        assert_eq!(kind(draft(terms().purpose(&text))), ErrorKind::InvalidInput, "{c:?}");
        assert_eq!(kind(draft(terms().queue(&text))), ErrorKind::InvalidInput, "{c:?}");
        // An identifier may hold one; an agreement that people read may not.
        if let Ok(number) = Identifier::customer(&text) {
            assert_eq!(kind(draft(terms().subject(number))), ErrorKind::InvalidInput, "{c:?}");
        }
    }
}

#[test]
fn the_characters_that_hide_something_are_those_of_the_specification() {
    let page = include_str!("../../../docs/SPEC.md");
    let listed = page.split_once("(Unicode category Cc) or ").unwrap().1.split_once(": they hide").unwrap().0;
    let code = |text: &str| u32::from_str_radix(text.trim().strip_prefix("U+").unwrap(), 16).unwrap();
    let mut hidden = std::collections::BTreeSet::new();
    for range in listed.split(',') {
        let (first, last) = range.split_once(" to").unwrap_or((range, range));
        hidden.extend(code(first)..=code(last));
    }
    let ours = ('\0'..=char::MAX).filter(|c| hides(*c) && !c.is_control()).map(u32::from);
    assert!(ours.eq(hidden));
}

#[test]
fn nobody_agrees_with_itself() {
    let country = Country::new("DE").unwrap();
    let own = RecipientCard::new("x", RecipientClass::Affiliate, &tenant(), "y", country).unwrap();
    let refused = draft(Terms { recipient: own, ..terms() }).unwrap_err();
    assert_eq!(refused.to_string(), "checking an agreement's recipient");
}

#[test]
fn revisions_make_a_chain_that_holds_in_its_order_only() {
    let first = agreement();
    let next = |before: &Agreement, days| signed_by_both(before.revise(terms().retention_days(days)).unwrap());
    let (second, other) = (next(&first, 10), next(&first, 20));
    let third = next(&second, 30);
    assert_eq!((second.revision(), third.revision()), (2, 3));
    assert_eq!(
        (second.id(), second.previous(), third.previous()),
        (first.id(), Some(first.hash()), Some(second.hash()))
    );
    second.verify_succession(&first).unwrap();
    third.verify_succession(&second).unwrap();
    assert_eq!(third.to_string().parse::<Agreement>().unwrap(), third);
    let stranger = Agreement::with_id([99; 16], &card(), key(0x13), key(0x14), terms()).unwrap();
    for (after, before) in [
        (&third, &first),
        (&third, &other),
        (&first, &second),
        (&first, &first),
        (&second, &stranger),
        (&second, &second),
    ] {
        assert_eq!(after.verify_succession(before).unwrap_err().kind(), ErrorKind::Tampered);
    }
    // A revision that nobody has signed is none yet, whoever signed the one before.
    let unsigned = first.revise(terms()).unwrap();
    assert!(!unsigned.is_signed_by_tenant() && !unsigned.is_signed_by_recipient() && unsigned.verify().is_err());
    // Nor does a signature go over to it.
    let lines = &first.to_string()[first.text().len()..];
    let moved = format!("{}{lines}", unsigned.text()).parse::<Agreement>();
    assert_eq!(moved.unwrap_err().kind(), ErrorKind::Tampered);
}

#[test]
fn a_revision_after_a_change_of_keys_is_signed_with_the_new_ones() {
    let (first, new) = (agreement(), identity(0x31));
    let later = card().successor(&tenant(), &new).unwrap();
    let mut second = first.revise_under(&later, key(0x32), key(0x33), terms()).unwrap();
    assert_eq!((second.card(), second.tenant_key()), (*later.hash().as_bytes(), new.public_key()));
    assert_eq!((second.operator(), second.log(), second.previous()), (key(0x32), key(0x33), Some(first.hash())));
    assert_eq!(second.sign(&tenant()).unwrap_err().kind(), ErrorKind::WrongKey);
    second.sign(&new).unwrap();
    second.sign(&recipient()).unwrap();
    second.verify().unwrap();
    second.verify_succession(&first).unwrap();
    let stranger = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([3; 16]), &new);
    let refused = first.revise_under(&stranger, key(0x32), key(0x33), terms()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_record_is_covered_if_it_is_in_every_list_that_is_not_empty() {
    let olivia = Identifier::tel("+15722568385").unwrap();
    let record = |queue: Option<&str>, who: Option<&Identifier>| {
        let draft = Draft::new(Channel::Voice);
        let draft = queue.into_iter().fold(draft, |draft, queue| draft.queue(queue));
        let person = |draft: Draft<'static>, who: &Identifier| draft.subject(Subject::new(Role::Customer, who.clone()));
        who.into_iter().fold(draft, person).head
    };
    let scope = |queues: &[&str], subjects: &[&Identifier]| Scope {
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        subjects: subjects.iter().map(|subject| (*subject).clone()).collect(),
    };
    let all = scope(&[], &[]);
    let billing = scope(&["billing", "sales"], &[]);
    let hers = scope(&[], &[&olivia]);
    let both = scope(&["billing"], &[&olivia]);
    let other = Identifier::tel("+15722568386").unwrap();
    for (head, expected) in [
        (record(None, None), [true, false, false, false]),
        (record(Some("billing"), None), [true, true, false, false]),
        (record(Some("Billing"), Some(&other)), [true, false, false, false]),
        (record(None, Some(&olivia)), [true, false, true, false]),
        (record(Some("billing"), Some(&olivia)), [true, true, true, true]),
        (record(Some("sales"), Some(&olivia)), [true, true, true, false]),
    ] {
        assert_eq!([&all, &billing, &hers, &both].map(|scope| scope.covers(&head)), expected);
    }
}

#[test]
fn a_receipt_is_for_one_transfer_under_one_agreement() {
    let (receipt, agreement) = (receipt(), agreement());
    receipt.verify(&agreement).unwrap();
    let read: DeliveryReceipt = receipt.to_string().parse().unwrap();
    assert_eq!((read.agreement(), read.log(), read.seq()), (agreement.hash(), "sigsum.org/v1/tree/00", 7));
    assert_eq!((read.payload(), read.received()), ([9; 32], time("2026-02-03T04:05:06.789Z")));
    let revised = signed_by_both(agreement.revise(terms()).unwrap());
    assert_eq!(receipt.verify(&revised).unwrap_err().kind(), ErrorKind::Tampered);
    let unsigned = DeliveryReceipt::new(&agreement, "a/b", 7, [9; 32], time("2026-02-03T04:05:06.789Z")).unwrap();
    assert_eq!(unsigned.verify(&agreement).unwrap_err().kind(), ErrorKind::Tampered);
    let mut wrong = unsigned;
    assert_eq!(wrong.sign(&tenant()).unwrap_err().kind(), ErrorKind::WrongKey);
    for bad in ["", "a b", "a+b", "a\u{202E}b", &"x".repeat(256)] {
        let refused = DeliveryReceipt::new(&agreement, bad, 7, [9; 32], time("2026-02-03T04:05:06Z")).unwrap_err();
        assert_eq!(refused.to_string(), "checking a delivery receipt's entry", "{bad}");
    }
    assert!(DeliveryReceipt::new(&agreement, "a", 1 << 63, [9; 32], time("2026-02-03T04:05:06Z")).is_err());
    assert!(DeliveryReceipt::new(&agreement, "a", 7, [9; 32], Timestamp::from_unix_ms(i64::MAX)).is_err());
}

#[test]
fn a_request_names_each_transfer_once_and_in_order_and_an_answer_names_its_request() {
    let (request, agreement) = (request(), agreement());
    request.verify(&agreement).unwrap();
    assert_eq!(request.transfers().iter().map(|of| of.seq).collect::<Vec<_>>(), [7, 9]);
    let read: DeletionRequest = request.to_string().parse().unwrap();
    assert_eq!((read.id(), read.agreement(), read.reason()), ([11; 16], agreement.hash(), "the customer asked for it"));
    assert_eq!((read.issued(), read.due()), (time("2026-03-01T00:00:00Z"), time("2026-03-15T00:00:00Z")));
    let revised = signed_by_both(agreement.revise(terms()).unwrap());
    assert_eq!(request.verify(&revised).unwrap_err().kind(), ErrorKind::Tampered);

    let answer = acknowledgement();
    answer.verify(&request).unwrap();
    let read: DeletionAcknowledgement = answer.to_string().parse().unwrap();
    assert_eq!((read.request(), read.request_hash()), (request.id(), request.hash()));
    assert_eq!((read.result(), read.note()), (DeletionResult::Partly, "one record is under a hold"));
    assert_eq!(read.done(), time("2026-03-02T00:00:00Z"));
    // The same id with another content is another request.
    let (issued, due) = (time("2026-03-01T00:00:00Z"), time("2026-03-16T00:00:00Z"));
    let other = DeletionRequest::with_id([11; 16], &agreement, vec![transferred(7, &[])], issued, due, "x").unwrap();
    assert_eq!(answer.verify(&other).unwrap_err().kind(), ErrorKind::Tampered);
    assert_eq!(other.verify(&agreement).unwrap_err().kind(), ErrorKind::Tampered, "nobody signed it");
}

#[test]
fn a_request_or_an_answer_out_of_its_limits_is_refused_by_name() {
    let (issued, due) = (time("2026-03-01T00:00:00Z"), time("2026-03-15T00:00:00Z"));
    let ask = |transfers: Vec<Transferred>, issued, due, reason: &str| {
        DeletionRequest::new(&agreement(), transfers, issued, due, reason)
    };
    let one = || vec![transferred(7, &[])];
    let many = |n: u64| (0..n).map(|seq| transferred(seq, &[])).collect::<Vec<_>>();
    let records = |n: u32| {
        let records = (0..n).map(|at| format!("01890a5d-ac96-774b-bcce-{at:012x}")).collect();
        vec![Transferred { records, ..transferred(7, &[]) }]
    };
    for (refused, what) in [
        (ask(vec![], issued, due, "x"), "transfers"),
        (ask(many(1_001), issued, due, "x"), "transfers"),
        (ask(vec![transferred(7, &[]), transferred(7, &[RECORDS[0]])], issued, due, "x"), "transfers"),
        (ask(vec![transferred(7, &["01890a5d-ac96-774b-bcce-b302099a80"])], issued, due, "x"), "transfers"),
        (ask(vec![Transferred { log: "a b".to_owned(), ..transferred(7, &[]) }], issued, due, "x"), "transfers"),
        (ask(records(5_001), issued, due, "x"), "records"),
        (ask(one(), due, issued, "x"), "times"),
        (ask(one(), issued, Timestamp::from_unix_ms(i64::MAX), "x"), "times"),
        (ask(one(), issued, due, ""), "reason"),
        (ask(one(), issued, due, "a\nb"), "reason"),
        (ask(one(), issued, due, &"x".repeat(1_025)), "reason"),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), format!("checking a deletion request's {what}"));
    }
    for mut fits in [ask(many(1_000), issued, issued, &"x".repeat(1_024)), ask(records(5_000), issued, due, "x")]
        .map(Result::unwrap)
    {
        fits.sign(&tenant()).unwrap();
        assert_eq!(fits.to_string().parse::<DeletionRequest>().unwrap(), fits);
    }
    let answer = |result, note: &str| DeletionAcknowledgement::new(&request(), due, result, note);
    answer(DeletionResult::Deleted, "").unwrap();
    answer(DeletionResult::Deleted, &"x".repeat(1_024)).unwrap();
    for refused in [
        answer(DeletionResult::Partly, ""),
        answer(DeletionResult::Refused, ""),
        answer(DeletionResult::Deleted, &"x".repeat(1_025)),
        answer(DeletionResult::Deleted, " "),
        answer(DeletionResult::Deleted, "a\u{0}b"),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), "checking a deletion acknowledgement's note");
    }
}
