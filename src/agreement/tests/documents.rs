//! What holds for a document of any kind.

use zeroize::Zeroizing;

use super::*;
use crate::error::ErrorKind;
use crate::key::{Opener, Recipient};

/// A kind of document: its name, one that all its signers signed, their names, and what parsing and printing makes of a
/// text.
struct Sample {
    name: &'static str,
    note: String,
    signers: Vec<(&'static str, Identity)>,
    read: fn(&str) -> Result<String>,
    unsigned: String,
}

fn samples() -> [Sample; 5] {
    fn read<T: std::str::FromStr<Err = crate::Error> + ToString>(text: &str) -> Result<String> {
        text.parse::<T>().map(|document| document.to_string())
    }
    let (by_tenant, by_recipient) = (|| ("tenant", tenant()), || ("recipient", recipient()));
    macro_rules! sample {
        ($name:literal, $of:ty, $document:expr, [$($signer:expr),*]) => {{
            let document = $document;
            let unsigned = format!("{}\n", document.text());
            let (note, signers) = (document.to_string(), vec![$($signer),*]);
            Sample { name: $name, note, signers, read: read::<$of>, unsigned }
        }};
    }
    [
        sample!("agreement", Agreement, agreement(), [by_tenant(), by_recipient()]),
        sample!("transfer-policy", TransferPolicy, policy_of(rules()), [by_tenant()]),
        sample!("delivery-receipt", DeliveryReceipt, receipt(), [by_recipient()]),
        sample!("deletion-request", DeletionRequest, request(), [by_tenant()]),
        sample!("deletion-acknowledgement", DeletionAcknowledgement, acknowledgement(), [by_recipient()]),
    ]
}

impl Sample {
    fn text(&self) -> &str {
        self.unsigned.strip_suffix('\n').unwrap()
    }

    fn resigned(&self, text: &str) -> String {
        let signers: Vec<(&str, &Identity)> = self.signers.iter().map(|(name, who)| (*name, who)).collect();
        note(text, &signers)
    }

    fn refuses(&self, note: &str) {
        let refused = (self.read)(note).expect_err(note);
        assert_eq!(refused.kind(), ErrorKind::Tampered, "{note}");
    }
}

#[test]
fn a_document_parses_back_to_the_byte_and_only_as_what_it_is() {
    for sample in samples() {
        assert_eq!((sample.read)(&sample.note).unwrap(), sample.note);
        assert_eq!(sample.resigned(sample.text()), sample.note, "signatures are those of any signed note");
        assert!(sample.text().starts_with(&format!("{{\n  \"document\": \"{}\",\n  \"version\": 1,\n", sample.name)));
        for other in samples().iter().filter(|other| other.name != sample.name) {
            other.refuses(&sample.note);
        }
    }
}

#[test]
fn a_document_with_any_bit_flipped_is_refused() {
    for sample in samples() {
        for at in 0..sample.note.len() {
            for bit in 0..8 {
                let mut bytes = sample.note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                // What is no UTF-8 is no document.
                if let Ok(note) = std::str::from_utf8(&bytes) {
                    assert!((sample.read)(note).is_err(), "{}: bit {bit} of byte {at}", sample.name);
                }
            }
        }
    }
}

#[test]
fn a_document_cut_anywhere_or_with_anything_behind_it_is_refused() {
    for sample in samples() {
        for (at, _) in sample.note.char_indices() {
            // The agreement that only one has signed is whole.
            let one_signed = sample.note[at..].starts_with("\u{2014} recipient") && sample.signers.len() == 2;
            assert_eq!((sample.read)(&sample.note[..at]).is_ok(), one_signed, "{}: cut at {at}", sample.name);
        }
        for more in ["\n", " ", "\0", "\u{2014} ", "x", &sample.note] {
            sample.refuses(&format!("{}{more}", sample.note));
            sample.refuses(&format!("{more}{}", sample.note));
        }
    }
}

#[test]
fn another_spelling_of_a_document_is_refused_however_well_it_is_signed() {
    let mut tried = 0;
    for sample in samples() {
        let text = sample.text();
        let others = [
            (text.replace("\n  ", "\n "), "indented by one"),
            (text.replace(": ", ":"), "no spaces"),
            (text.replacen("{\n", "{\n\n", 1), "an empty line"),
            (text.replacen("\"version\": 1,", "\"version\": 1, ", 1), "a space before a line's end"),
            (text.replacen("\"version\": 1,", "\"version\": 1.0,", 1), "a number with a point"),
            (text.replacen("\"version\": 1,", "\"version\": 1e0,", 1), "a number with an exponent"),
            (text.replacen("\"version\": 1,", "\"version\": \"1\",", 1), "a number as text"),
            (text.replacen("\"version\": 1,", "\"version\": 1,\n  \"version\": 1,", 1), "a member twice"),
            (text.replacen("\"version\": 1,", "\"version\": 1,\n  \"more\": 1,", 1), "an unknown member"),
            (text.replacen("\"version\": 1,", "\"version\": 0,", 1), "an older version than the first"),
            (text.replacen("  \"version\": 1,\n", "", 1), "no version"),
            (text.replacen("\"version\": 1,", "\"version\": 1,\n  \"previous\": null,", 1), "a null"),
            (text.replacen("\"document\"", "\"d\\u006fcument\"", 1), "an escaped letter"),
            (text.replacen("\"document\": \"", "\"document\": \"x", 1), "another document"),
            (text.replacen(".000Z", "Z", 1), "a time without milliseconds"),
            (text.replacen(".000Z", ".000+00:00", 1), "a time with an offset"),
            (text.replacen("0a0a", "0A0a", 1), "capital digits"),
            (text.replacen("01010101-0101-", "010101010101-", 1), "an id with a hyphen less"),
            (text.replacen("  \"tenant_key\": \"", "  \"tenant_key\": \"00", 1), "a key of 33 bytes"),
            (text.replacen("\"age1", "\"AGE1", 1), "a recipient's capital letter"),
            (text.replacen("\"e-mail\"", "\"email\"", 1), "an unknown kind of part"),
            (text.replacen("\"e-mail\"", "\"transcript\"", 1), "a kind twice"),
            (text.replacen("\"queue\"", "\"queues\"", 1), "an unknown field"),
            (text.replacen("\"start\",\n    \"queue\"", "\"queue\",\n    \"start\"", 1), "fields in another order"),
            (text.replacen("\"billing\"", "\"tales\"", 1), "queues in another order"),
            (text.replacen("\"billing\"", "\"sales\"", 1), "a queue twice"),
            (text.replacen("tel:+15722568385", "tel:+1-572-256-8385", 1), "an identifier with separators"),
            (text.replacen("tel:+15722568385", "a:b", 1), "an unknown identifier"),
            (text.replacen("customer:C-1", "customer:C\u{202E}-1", 1), "an identifier turned round"),
            (text.replacen("\"queues\": [", "\"more\": [],\n    \"queues\": [", 1), "an unknown member of the scope"),
            (text.replacen("\"name\": ", "\"more\": 1,\n    \"name\": ", 1), "an unknown member of the card"),
            (text.replacen("\"at_rest\": ", "\"more\": 1,\n    \"at_rest\": ", 1), "an unknown member of the profile"),
            (text.replacen("    \"deletion_days\": 14,\n", "", 1), "a profile without a member"),
            (text.replacen("    \"residency\": null,\n", "", 1), "a profile that says nothing of residency"),
            (text.replacen("\"application\"", "\"applications\"", 1), "an unknown way of encryption"),
            (text.replacen("\"DE\"", "\"de\"", 1), "a country in small letters"),
            (text.replacen("\"forbidden\"", "\"allowed\"", 1), "an unknown rule of passing on"),
            (text.replacen("\"retention_days\": 30", "\"retention_days\": 0", 1), "no retention"),
            (text.replacen("\"retention_days\": 30", "\"retention_days\": -30", 1), "less than no retention"),
            (
                text.replacen("\"retention_days\": 30", "\"retention_days\": 36501", 1),
                "a retention of more than a century",
            ),
            (
                text.replacen("\"receipt_hours\": 72", "\"receipt_hours\": 4294967368", 1),
                "more hours than a number has",
            ),
            (text.replacen("\"breach_notice_hours\": 24", "\"breach_notice_hours\": 0", 1), "a notice at once"),
            (text.replacen("\"revision\": 1,", "\"revision\": 2,", 1), "a second revision of nothing"),
            (text.replacen("\"revision\": 1,", "\"revision\": 0,", 1), "a revision before the first"),
            (text.replacen("\"2027-", "\"2026-", 1), "an end at the beginning"),
            (text.replacen("quality assurance", "quality\\u0007assurance", 1), "an escaped control character"),
            (text.replacen("quality assurance", "quality\u{202E}assurance", 1), "a text turned round"),
            (text.replacen("quality assurance", "quality assurance ", 1), "a space at a text's end"),
            (text.replacen("quality assurance", "", 1), "an empty text"),
            (text.replacen("sigsum.org/v1", "sigsum.org v1", 1), "a log with a space"),
            (text.replacen("\"seq\": 7", "\"seq\": 9223372036854775808", 1), "a number past the last entry"),
            (text.replacen("\"seq\": 7", "\"seq\": 9", 1), "a transfer twice, or transfers in another order"),
            (text.replacen(RECORDS[0], "01890A5D-ac96-774b-bcce-b302099a8057", 1), "a record in capital digits"),
            (text.replacen(RECORDS[0], "01890a5dac96774bbcceb302099a8057", 1), "a record without hyphens"),
            (text.replacen(RECORDS[0], RECORDS[1], 1), "a record twice"),
            (text.replacen("\"2026-03-15", "\"2026-02-15", 1), "due before it is issued"),
            (text.replacen("\"partly\"", "\"mostly\"", 1), "an unknown result"),
            (text.replacen("one record is under a hold", "", 1), "a part left, and no word why"),
        ];
        for (other, what) in others.iter().filter(|(other, _)| other != text) {
            // One seq alone is a number like another.
            if *what == "a transfer twice, or transfers in another order" && sample.name != "deletion-request" {
                continue;
            }
            assert_eq!(
                (sample.read)(&sample.resigned(other)).err().map(|e| e.kind()),
                Some(ErrorKind::Tampered),
                "{}: {what}",
                sample.name
            );
            tried += 1;
        }
        let later = text.replacen("\"version\": 1,", "\"version\": 2,\n  \"more\": 1,", 1);
        assert_eq!((sample.read)(&sample.resigned(&later)).unwrap_err().kind(), ErrorKind::Unsupported);
    }
    assert!(tried > 120, "{tried}");
}

#[test]
fn every_other_spelling_that_the_test_above_tries_is_one_of_some_document() {
    // A pattern that no document holds any more would test nothing.
    let all: String = samples().iter().map(|sample| sample.text().to_owned()).collect();
    for pattern in [
        "0a0a",
        "01010101-0101-",
        ".000Z",
        "\"age1",
        "\"e-mail\"",
        "\"start\",\n    \"queue\"",
        "\"billing\"",
        "tel:+15722568385",
        "customer:C-1",
        "\"queues\": [",
        "\"name\": ",
        "\"at_rest\": ",
        "    \"deletion_days\": 14,\n",
        "    \"residency\": null,\n",
        "\"application\"",
        "\"DE\"",
        "\"forbidden\"",
        "\"retention_days\": 30",
        "\"receipt_hours\": 72",
        "\"breach_notice_hours\": 24",
        "\"revision\": 1,",
        "\"2027-",
        "quality assurance",
        "sigsum.org/v1",
        "\"seq\": 7",
        RECORDS[0],
        "\"2026-03-15",
        "\"partly\"",
        "one record is under a hold",
    ] {
        assert!(all.contains(pattern), "{pattern}");
    }
}

#[test]
fn a_document_with_a_missing_foreign_forged_or_repeated_signature_is_refused() {
    let stranger = identity(0x77);
    for sample in samples() {
        let (text, lines) = (sample.text(), sample.note[sample.unsigned.len()..].to_owned());
        sample.refuses(&sample.unsigned);
        sample.refuses(text);
        sample.refuses(&format!("{}{lines}{lines}", sample.unsigned));
        sample.refuses(&format!("{}{}", sample.note, lines.lines().next().unwrap()));
        let others = ["tenant", "recipient", "operator", "Tenant"];
        for name in others {
            // In the place of a signature, and beside them all.
            sample.refuses(&note(text, &[(name, &stranger)]));
            let mut all: Vec<(&str, &Identity)> = sample.signers.iter().map(|(name, who)| (*name, who)).collect();
            all.push((name, &stranger));
            sample.refuses(&note(text, &all));
            all.rotate_right(1);
            sample.refuses(&note(text, &all));
            for (own, signer) in sample.signers.iter().filter(|(own, _)| *own != name) {
                sample.refuses(&note(text, &[(name, signer)]));
                sample.refuses(&note(text, &[(own, signer), (name, signer)]));
            }
        }
        // Of another document, made whole with its lines.
        for other in samples().iter().filter(|other| other.name != sample.name) {
            sample.refuses(&format!("{}{}", sample.unsigned, &other.note[other.unsigned.len()..]));
        }
    }
}

#[test]
fn whoever_is_no_party_cannot_sign_and_a_signature_that_does_not_verify_is_not_added() {
    /// Keeps its key where it cannot sign.
    struct Remote(Identity);
    impl Opener for Remote {
        fn recipient(&self) -> &Recipient {
            self.0.recipient()
        }

        fn open(&self, enc: &[u8], info: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
            self.0.open(enc, info, ciphertext)
        }
    }
    let mut unsigned = draft(terms()).unwrap();
    let before = unsigned.to_string();
    assert_eq!(unsigned.sign(&identity(0x77)).unwrap_err().kind(), ErrorKind::WrongKey);
    assert_eq!(unsigned.sign(&Remote(tenant())).unwrap_err().kind(), ErrorKind::WrongKey);
    let forged = tenant().sign(b"something else");
    assert_eq!(unsigned.add_signature(&key(0x11), forged).unwrap_err().kind(), ErrorKind::Tampered);
    let right = identity(0x77).sign(unsigned.text().as_bytes());
    assert_eq!(unsigned.add_signature(&key(0x77), right).unwrap_err().kind(), ErrorKind::WrongKey);
    assert_eq!(unsigned.to_string(), before);
    // Signed elsewhere, over the text.
    let mut signed = unsigned;
    signed.add_signature(&key(0x11), tenant().sign(signed.text().as_bytes())).unwrap();
    signed.add_signature(&key(0x12), recipient().sign(signed.text().as_bytes())).unwrap();
    assert_eq!(signed, agreement());
}

#[test]
fn a_document_longer_than_a_note_may_be_is_refused_whether_it_is_written_or_read() {
    let long = |seed: usize| format!("{seed:04}{}", "é".repeat(126));
    let wide = (0..1000).fold(terms(), |terms, n| terms.queue(long(n)));
    assert_eq!(draft(wide.clone()).unwrap_err().kind(), ErrorKind::InvalidInput, "1,002 queues");
    let queues: std::collections::BTreeSet<String> = (0..1000).map(long).collect();
    let mut wide = Terms { scope: Scope { queues, ..Scope::default() }, ..wide };
    assert_eq!(draft(wide.clone()).unwrap_err().kind(), ErrorKind::TooLarge);
    // One that just fits is signed by both and read again.
    while draft(wide.clone()).is_err_and(|e| e.kind() == ErrorKind::TooLarge) {
        wide.scope.queues.pop_last();
    }
    let fits = signed_by_both(draft(wide).unwrap());
    assert!(fits.to_string().len() > 250 * 1024, "{}", fits.to_string().len());
    assert_eq!(fits.to_string().parse::<Agreement>().unwrap(), fits);
    let padded = format!("{}{}", " ".repeat(256 * 1024), agreement());
    assert_eq!(padded.parse::<Agreement>().unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn errors_and_debugging_tell_nothing_of_what_a_document_says() {
    let (agreement, request) = (agreement(), request());
    let mut printed = format!("{agreement:?} {request:?} {:?} {:?}", agreement.recipient(), agreement.terms().scope);
    for sample in samples() {
        printed += &(sample.read)(&sample.note.replace("quality assurance", "other"))
            .map_or_else(|e| format!("{e} {e:?}"), |_| String::new());
    }
    for hidden in ["2568385", "Qualität", "quality.example", "billing", "customer asked", "under a hold"] {
        assert!(!printed.contains(hidden), "{hidden}: {printed}");
    }
    assert!(printed.contains("DeletionRequest("));
}
