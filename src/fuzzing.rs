//! What `fuzz/` runs, one function for each of its targets: parse, write, compare. Each panics on a fault and tells
//! whether the bytes were whole. Nothing is verified less than elsewhere; to get past a signature or commitment, a
//! target makes a right one around the bytes.
#![allow(clippy::unwrap_used, reason = "a panic is how a fuzz target reports")]

use std::io::{Read, Write};
use std::str::FromStr;

use crate::agreement::{
    Agreement, DeletionAcknowledgement, DeletionRequest, DeliveryReceipt, ProtectionProfile, RecipientCard,
    TransferPolicy,
};
use crate::encoding::{enc, parse};
use crate::epoch::EpochHeader;
use crate::key::{DisclosurePolicy, Identity, Suite, TenantCard, signed};
use crate::order::{Approval, Custodian, DisclosureConsent, DisclosureNotice, DisclosureOrder, OrderRequest, Withheld};
use crate::record::{Head, RecordHeader};
use crate::secret::Secret;
use crate::stream::{HEADER, OpenReader, RangeReader, SealWriter, Sealer, opened_len, sealed_len, unwrap};
use crate::text::Text;
use crate::time::Timestamp;
use crate::tlog::{InclusionProof, Leaf, Note, Policy, SignedCheckpoint, VerifierKey, from_openssh, openssh};
use crate::{Error, ErrorKind, Message, age, audio, bagit, chat, mail, vcon};

const KEY: [u8; 32] = [7; 32];
const CONTEXT: &[u8] = b"fuzz";

/// Sealed streams: as they are, behind a right header, and as what a stream is made of.
pub fn stream_open(data: &[u8]) -> bool {
    let mut writer = SealWriter::new(Vec::new(), &KEY, CONTEXT).unwrap();
    writer.write_all(data).unwrap();
    let sealed = writer.finish().unwrap();
    assert_eq!(sealed.len() as u64, sealed_len(data.len() as u64));
    assert_eq!(open_everyhow(&sealed).as_deref(), Some(data));

    let headed = open_everyhow(&[&stream_header()[..], data].concat());
    open_everyhow(data).or(headed).is_some()
}

/// The one header of a fixed salt.
fn stream_header() -> [u8; HEADER] {
    let mut header = Vec::new();
    let _: Sealer = Sealer::start_with_salt(&Secret::from_fn(|k| *k = KEY), CONTEXT, &[9; 24], &mut header);
    header.try_into().unwrap()
}

/// The plaintext, on which all ways to open a stream must agree.
fn open_everyhow(sealed: &[u8]) -> Option<Vec<u8>> {
    let (mut streamed, mut ranged) = (Vec::new(), Vec::new());
    let front = OpenReader::new(sealed, &KEY, CONTEXT).map(|mut r| r.read_to_end(&mut streamed));
    let range = RangeReader::new(sealed.to_vec(), &KEY, CONTEXT);
    let range = range.map(|mut r| (r.claimed_len(), r.read_to_end(&mut ranged)));
    let whole = unwrap(&Secret::from_fn(|k| *k = KEY), CONTEXT, sealed);
    let opened = matches!(front, Ok(Ok(_)));
    assert_eq!(opened, matches!(range, Ok((_, Ok(_)))));
    assert_eq!(opened, whole.is_ok());
    // A window is released whole, so ranges stop no later than the stream does.
    assert!(streamed.starts_with(&ranged));
    if !opened {
        return None;
    }
    assert_eq!(streamed, ranged);
    assert_eq!(streamed[..], whole.unwrap()[..]);
    assert_eq!(opened_len(sealed.len() as u64), Some(streamed.len() as u64));
    Some(streamed)
}

/// Encodings under whatever label they have, and the bytes as a list of fields.
pub fn enc_parse(data: &[u8]) -> bool {
    let fields: Vec<&[u8]> = data.split(|b| *b == 0xFF).collect();
    let bytes = enc("fuzz", &fields);
    assert_eq!(parse("fuzz", &bytes).unwrap(), fields);
    assert!(parse("fuz", &bytes).is_err());

    let label = data.strip_prefix(b"strongroom/1/").and_then(|rest| rest.split(|b| *b == 0).next());
    let Some(label) = label.and_then(|label| std::str::from_utf8(label).ok()) else { return false };
    let Ok(fields) = parse(label, data) else { return false };
    assert_eq!(enc(label, &fields), data);
    true
}

/// Heads of records.
pub fn codec_head(data: &[u8]) -> bool {
    let Ok(head) = Head::decode(data) else { return false };
    assert_eq!(head.encode().unwrap(), data);
    let _ = format!("{head:?} {:?} {:?} {}", head.parts, head.subjects, head.time());
    true
}

/// Headers of records.
pub fn record_header(data: &[u8]) -> bool {
    let Ok(header) = RecordHeader::from_bytes(data) else { return false };
    assert_eq!(header.to_bytes(), data);
    true
}

/// Headers of epochs, signed or to be signed.
pub fn epoch_header(data: &[u8]) -> bool {
    as_is_or_signed(data, |bytes| Some(EpochHeader::from_bytes(bytes).ok()?.to_bytes().to_vec()))
}

/// Tenant cards, signed or to be signed.
pub fn card(data: &[u8]) -> bool {
    as_is_or_signed(data, |bytes| Some(TenantCard::from_bytes(bytes).ok()?.to_bytes()))
}

/// Disclosure policies. Their signature is checked against a card, which is not what this is about.
pub fn policy(data: &[u8]) -> bool {
    as_is_or_signed(data, |bytes| Some(DisclosurePolicy::parse(bytes).ok()?.to_bytes()))
}

/// Parses and writes `data`, and `data` as a body under a right signature; tells whether either was whole.
fn as_is_or_signed(data: &[u8], parse_and_write: impl Fn(&[u8]) -> Option<Vec<u8>>) -> bool {
    let signed = signed(data, &signer().sign(data));
    let whole = [data, &signed].map(|bytes| {
        let written = parse_and_write(bytes);
        assert!(written.as_deref().is_none_or(|written| written == bytes));
        written.is_some()
    });
    whole[0] || whole[1]
}

/// The identity of the community's test kit.
const KIT: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

/// age files, armored or not, and headers and payloads of which one is right.
pub fn age_open(data: &[u8]) -> bool {
    let identity: Identity = KIT.parse().unwrap();
    let mut sealed = age::Writer::new(Vec::new(), &[identity.recipient().clone()]).unwrap();
    sealed.write_all(data).unwrap();
    let sealed = sealed.finish().unwrap();
    let (opened, _) = read_age(&sealed, &identity);
    assert_eq!(opened.as_deref(), Some(data));
    // The payload of another file behind a right header.
    if let Some(at) = sealed.windows(5).position(|w| w == b"\n--- ") {
        let end = sealed[at + 1..].iter().position(|b| *b == b'\n').unwrap() + at + 2;
        read_age(&[&sealed[..end], data].concat(), &identity);
    }
    let passphrase = age::Passphrase::new("password").at_most(4);
    let _ = age::Reader::new(data, &passphrase).map(|mut r| r.read_to_end(&mut Vec::new()));
    read_age(data, &identity).0.is_some()
}

/// What both readers make of a file; they must agree where both read it.
fn read_age(file: &[u8], identity: &Identity) -> (Option<Vec<u8>>, bool) {
    let mut streamed = Vec::new();
    let front = age::Reader::new(file, identity).map(|mut r| r.read_to_end(&mut streamed));
    let opened = matches!(front, Ok(Ok(_)));
    let mut ranged = Vec::new();
    let range = age::RangeReader::new(file.to_vec(), identity).map(|mut r| r.read_to_end(&mut ranged));
    let ranged_whole = matches!(range, Ok(Ok(_)));
    // Only the stream reads armor.
    assert!(!ranged_whole || (opened && streamed == ranged));
    (opened.then_some(streamed), ranged_whole)
}

/// Tag files of bags: a declaration, what a bag says of itself, a manifest, a list of what to fetch.
pub fn bagit(data: &[u8]) -> bool {
    use bagit::{Algorithm, Declaration, Version};
    let _ = format!("{:?}", Declaration::parse(data));
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let lines = bagit::manifest(data, algorithm, Version::V1_0);
        assert!(lines.count() <= data.len() + 1);
    }
    assert!(bagit::fetch(data, Version::V1_0).count() <= data.len() + 1);
    let Ok(tags) = bagit::info(data) else { return false };
    let whole = !tags.is_empty() && tags.iter().all(|(label, value)| bagit::is_writable(label, value));
    if whole {
        assert_eq!(bagit::info(bagit::info_text(&tags).as_bytes()).unwrap(), tags);
    }
    whole
}

/// Archives of bags: as they are, and one around the bytes.
pub fn archive(data: &[u8]) -> bool {
    use bagit::{Plan, Sums, Verify, header};
    let mut plan = Plan::new();
    plan.add("x", data.len() as u64, Sums::of(data)).unwrap();
    let mut archive = plan.write("top", Timestamp::from_unix_ms(0), Vec::new()).unwrap();
    archive.put(&mut &*data, Verify::Sha256).unwrap();
    let (top, files) = read_archive(&archive.finish().unwrap()).unwrap();
    assert!(top == "top" && files.len() == 7 && files[2] == ("data/x".to_owned(), data.to_vec()));

    let Some((top, files)) = read_archive(data) else { return false };
    let mut again = Vec::new();
    for (path, bytes) in &files {
        again.extend(header(&format!("{top}/{path}"), bytes.len() as u64, 0).unwrap());
        again.extend(bytes);
        again.resize(again.len().next_multiple_of(512), 0);
    }
    again.resize(again.len() + 1024, 0);
    let whole = !files.is_empty();
    assert_eq!(read_archive(&again), Some((top, files)));
    whole
}

type Files = Vec<(String, Vec<u8>)>;

fn read_archive(mut bytes: &[u8]) -> Option<(String, Files)> {
    let (limits, mut files) = (bagit::Limits::default(), Vec::new());
    let mut archive = bagit::Archive::new(&mut bytes, limits);
    while let Some(path) = archive.next_file().ok()? {
        let mut contents = Vec::new();
        while let Some(bytes) = archive.contents().ok()? {
            contents.extend(bytes);
        }
        files.push((path, contents));
    }
    Some((archive.found().top, files))
}

/// Signed checkpoints, lines that others sign under one, and the keys of those who do.
pub fn checkpoint(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(policy) = Policy::from_c2sp(text) {
        assert_eq!(policy.to_c2sp(), text);
    }
    if let Ok(key) = from_openssh(text) {
        assert!(text.starts_with(openssh(&key).trim_end()));
    }
    let Ok(signed) = text.parse::<SignedCheckpoint>() else { return false };
    assert_eq!(signed.to_string(), text);
    let _ = signed.verify(&signer().public_key());
    // The text of one, and every end of it as what is added.
    for (at, _) in text.match_indices('\n').take(8) {
        let mut more = signed.clone();
        if more.add_lines(&text[at + 1..]).is_ok() {
            assert_eq!(more.to_string().parse::<SignedCheckpoint>().unwrap(), more);
        } else {
            assert_eq!(more, signed);
        }
    }
    true
}

/// Proofs of inclusion in both texts.
pub fn proof(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let log = signer().public_key();
    let tlog = InclusionProof::from_tlog_proof(text, Leaf::from_bytes(&[7; 128]));
    let sigsum = InclusionProof::from_sigsum_proof(text, CONTEXT, &log);
    if let Ok(proof) = &tlog {
        // What is extra is passed over.
        let (written, extra) = (proof.to_tlog_proof(), text.contains("\nextra "));
        assert!(extra || written == text);
        assert_eq!(InclusionProof::from_tlog_proof(&written, proof.leaf.clone()).unwrap(), *proof);
    }
    if let Ok(proof) = &sigsum {
        let written = proof.to_sigsum_proof(&log).unwrap();
        assert!(text.contains("\ncosignature=") || written == text);
        assert_eq!(InclusionProof::from_sigsum_proof(&written, CONTEXT, &log).unwrap(), *proof);
    }
    for proof in [&tlog, &sigsum].into_iter().flatten() {
        let _ = proof.verify(CONTEXT, &log, &log);
    }
    tlog.is_ok() || sigsum.is_ok()
}

/// Messages of the ledger.
pub fn message(data: &[u8]) -> bool {
    let Ok(message) = Message::from_bytes(data) else { return false };
    assert_eq!(message.to_bytes(), data);
    true
}

/// What a tenant and a recipient sign: notes as they are, and texts under right signatures; and recipients' cards.
pub fn agreement(data: &[u8]) -> bool {
    fn whole<T: FromStr<Err = Error> + ToString>(note: &str) -> bool {
        note.parse::<T>().is_ok_and(|document| document.to_string() == note || panic!("another spelling"))
    }
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let (_, card) = (whole::<Note>(text), whole::<RecipientCard>(text));
    let mut notes = vec![text.to_owned()];
    if let Ok(note) = Note::new(text) {
        let signers = [("tenant", signer()), ("recipient", recipient())];
        for signers in [&signers[..1], &signers[1..], &signers[..]] {
            let mut signed = note.clone();
            for (name, signer) in signers {
                // A text that leaves no room for it stays as it is.
                let _ = signed.sign_as(name, &signer.public_key(), |bytes| signer.sign(bytes));
            }
            notes.push(signed.to_string());
        }
    }
    let known = notes.iter().filter(|note| {
        if let Ok(agreement) = note.parse::<Agreement>() {
            let (terms, weakest) = (agreement.terms(), ProtectionProfile::weakest());
            assert!(terms.profile.shortfalls(&terms.profile).is_empty() && terms.profile >= weakest);
            // What was agreed once can be agreed again.
            let revised = agreement.revise(terms.clone()).map_err(|e| e.kind());
            let kind = revised.as_ref().err().copied();
            assert!(kind == Some(ErrorKind::TooLarge) || revised.is_ok_and(|next| next.terms() == terms), "{kind:?}");
        }
        whole::<Agreement>(note)
            || whole::<TransferPolicy>(note)
            || whole::<DeliveryReceipt>(note)
            || whole::<DeletionRequest>(note)
            || whole::<DeletionAcknowledgement>(note)
    });
    known.count() > 0 || card
}

/// Orders, consents and notices: notes as they are, and texts under right signatures.
pub fn order(data: &[u8]) -> bool {
    fn whole<T: FromStr<Err = Error> + ToString>(note: &str) -> bool {
        note.parse::<T>().is_ok_and(|document| document.to_string() == note || panic!("another spelling"))
    }
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut notes = vec![text.to_owned()];
    for name in ["operator", "tenant"] {
        if let Ok(mut note) = Note::new(text) {
            // A text that leaves no room for it stays as it is.
            let _ = note.sign_as(name, &signer().public_key(), |bytes| signer().sign(bytes));
            notes.push(note.to_string());
        }
    }
    let known = notes.iter().filter(|note| {
        if let Ok(order) = note.parse::<DisclosureOrder>() {
            let _ = (format!("{order:?} {:?}", order.terms()), order.verify(&signer().public_key()));
            // What asks for as much is no wider.
            let next = order.narrowed(order.terms()).map_err(|e| e.kind());
            let kind = next.as_ref().err().copied();
            let last = order.revision() == u32::MAX;
            assert!(last || kind == Some(ErrorKind::TooLarge) || next.is_ok_and(|n| n.follows(&order)), "{kind:?}");
        }
        whole::<DisclosureOrder>(note) || whole::<DisclosureConsent>(note) || whole::<DisclosureNotice>(note)
    });
    known.count() > 0
}

/// What goes to custodians, what they answer, and what is withheld for them to lift: as it is, or to be signed.
pub fn approval(data: &[u8]) -> bool {
    let operator = signer().public_key();
    let request = as_is_or_signed(data, |bytes| {
        let request = OrderRequest::from_bytes(bytes).ok()?;
        let _ = (format!("{request} {request:?}"), request.records().count(), request.epochs().count());
        // Whatever it asks for, nobody gives more, and nothing opens without approvals.
        let approval = Custodian::new(recipient(), operator).approve(&request);
        let now = Timestamp::from_unix_ms(0);
        assert!(!matches!(request.combine(&[], &signer(), now), Ok(Ok(_))));
        if let Ok(approval) = approval {
            assert_eq!(approval.request(), request.hash());
            assert!(!matches!(request.combine(&[approval.clone(), approval], &recipient(), now), Ok(Ok(_))));
        }
        Some(request.to_bytes().to_vec())
    });
    let approval = as_is_or_signed(data, |bytes| {
        let approval = Approval::from_bytes(bytes).ok()?;
        let _ = format!("{approval:?} {}", approval.given());
        Some(approval.to_bytes())
    });
    let withheld = as_is_or_signed(data, |bytes| {
        let withheld = Withheld::from_bytes(bytes, &operator).ok()?;
        let _ = (format!("{withheld:?} {}", withheld.until()), Custodian::new(recipient(), operator).lift(&withheld));
        Some(withheld.to_bytes())
    });
    request || approval || withheld
}

/// Chat logs of every format.
pub fn chat(data: &[u8]) -> bool {
    let formats = [chat::Format::Json, chat::Format::JsonLines, chat::Format::Csv];
    let read = formats.map(|format| chat::import(data, format, &chat::Mapping::default()));
    let _ = chat::Mapping::from_json(data);
    for imported in read.iter().flatten().flatten() {
        imported.draft.check().unwrap();
    }
    read[0].is_ok() || read[2].is_ok()
}

/// Messages, and mbox files of them.
pub fn mail(data: &[u8]) -> bool {
    let total: usize = mail::Mbox::new(data).flatten().map(|message| message.bytes.len()).sum();
    assert!(total <= data.len());
    let imported = mail::Import::new().own_domain("example.com").import(data);
    if let Ok(imported) = &imported {
        imported.draft.check().unwrap();
    }
    imported.is_ok()
}

/// Texts of every media type.
pub fn text(data: &[u8]) -> bool {
    let mut known = false;
    for media_type in [
        "text/plain",
        "text/html",
        "text/vtt",
        "application/json",
        "application/jsonl",
        "message/rfc822",
        "text/plain;charset=utf-16le",
    ] {
        let text = Text::of(media_type, data);
        let turns = text.turns();
        assert!(turns.is_sorted_by_key(|turn| turn.start));
        for turn in &turns {
            assert!(text.body().is_char_boundary(turn.start));
        }
        for place in [0, text.body().len() / 2, text.body().len()] {
            let _ = text.turn_at(place);
        }
        known |= turns.iter().any(|turn| turn.speaker.is_some());
    }
    known
}

/// vCons in every form.
pub fn vcon_import(data: &[u8]) -> bool {
    let _ = vcon::is_vcon(data);
    let Ok(document) = vcon::parse(data) else { return false };
    let (strict, _) = vcon::normalise(&document);
    let again = vcon::normalise(&strict);
    assert_eq!(again, (strict, Vec::new()));
    // A signature may be malformed where the payload is not.
    vcon::Import::new().import(data).is_ok_and(|imported| imported.draft.check().is_ok())
}

/// Recordings: what they are, and a stretch of them.
pub fn wav(data: &[u8]) -> bool {
    let mut source = std::io::Cursor::new(data);
    let known = audio::probe(&mut source);
    let mut out = Vec::new();
    if let Ok(cut) = audio::cut(&mut source, 1..50, &mut out) {
        assert!(cut.source.end <= data.len() as u64 && cut.source.start < cut.source.end);
        let again = audio::probe(&mut std::io::Cursor::new(&out)).map(|info| info.codec);
        assert!(cut.media_type == "audio/mpeg" || again == known.as_ref().map(|info| info.codec.clone()));
    }
    known.is_some()
}

fn signer() -> Identity {
    Identity::from_secret(Suite::X25519, Secret::from_fn(|s| *s = KEY))
}

/// Whom our signer agrees with.
fn recipient() -> Identity {
    Identity::from_secret(Suite::X25519, Secret::from_fn(|s| *s = [8; 32]))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::encoding::Fields;
    use crate::epoch::EpochWriter;
    use crate::id::{EpochId, RecordId, TenantId, VaultId};
    use crate::key::{CustodianKey, WriterKey};
    use crate::record::{
        Channel, Direction, Draft, DraftPart, Identifier, PartHeader, PartKind, ProducerDigest, Role, Subject,
    };
    use crate::stream::{CHUNK, TAG};

    type Target = fn(&[u8]) -> bool;
    const TARGETS: [(&str, Target); 21] = [
        ("age_open", age_open),
        ("agreement", agreement),
        ("approval", approval),
        ("archive", archive),
        ("bagit", bagit),
        ("card", card),
        ("chat", chat),
        ("checkpoint", checkpoint),
        ("codec_head", codec_head),
        ("enc_parse", enc_parse),
        ("epoch_header", epoch_header),
        ("mail", mail),
        ("message", message),
        ("order", order),
        ("policy", policy),
        ("proof", proof),
        ("record_header", record_header),
        ("stream_open", stream_open),
        ("text", text),
        ("vcon_import", vcon_import),
        ("wav", wav),
    ];

    fn folder(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
    }

    fn names(folder: PathBuf) -> Vec<String> {
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn every_target_has_a_function_and_a_corpus() {
        let targets = TARGETS.map(|(name, _)| name.to_owned());
        assert_eq!(names(folder("corpus")), targets);
        assert_eq!(names(folder("fuzz_targets")), targets.map(|name| name + ".rs"));
    }

    #[test]
    fn every_file_of_the_corpora_is_taken_as_its_name_says() {
        for (target, run) in TARGETS {
            let folder = folder("corpus").join(target);
            let files = names(folder.clone());
            for start in ["valid-", "bad-"] {
                assert!(files.iter().any(|f| f.starts_with(start)), "{target} has no {start} file");
            }
            assert!(files.len() >= 3, "{target} has {} files", files.len());
            for file in files {
                let whole = run(&fs::read(folder.join(&file)).unwrap());
                // What a fuzzer found has a name of its own and only has to pass.
                assert!(whole || !file.starts_with("valid-"), "{target}/{file} is refused");
                assert!(!whole || !file.starts_with("bad-"), "{target}/{file} is accepted");
            }
        }
    }

    #[test]
    #[ignore = "writes into the source tree, with new keys"]
    fn write_the_corpora_anew() {
        let (vault, tenant) = (VaultId::generate().unwrap(), TenantId::generate().unwrap());
        let card = TenantCard::new(vault, tenant, &signer());
        let people: Vec<CustodianKey> =
            (0..3).map(|_| (&Identity::generate_for(Suite::X25519).unwrap()).into()).collect();
        let none = DisclosurePolicy::none(&card, &signer()).unwrap();
        let quorum = DisclosurePolicy::quorum(&card, 2, people, &signer()).unwrap();
        let epoch = |policy| {
            let writer = WriterKey::generate().unwrap();
            EpochWriter::open(&card, policy, &writer).unwrap().header.to_bytes().to_vec()
        };
        let (alone, shared) = (epoch(&none), epoch(&quorum));

        let (whole, inner) = (card.to_bytes(), body(&card.to_bytes()));
        write("card", &[("valid-signed", &whole), ("valid-to-be-signed", &inner)], &whole);
        let version = inner.len() - (4 + 32) - (4 + 32) - (4 + 2 + 32) - 1;
        write("card", &[("bad-later-version", &changed(&inner, version, 2))], &[]);

        let (whole, inner) = (quorum.to_bytes(), body(&quorum.to_bytes()));
        let files: [(&str, &[u8]); 3] =
            [("valid-quorum", &whole), ("valid-to-be-signed", &inner), ("valid-none", &none.to_bytes())];
        write("policy", &files, &whole);
        write("policy", &[("bad-custodian-twice", &custodian_twice(&inner))], &[]);

        // The writer's key in the body is not the one that would sign it.
        let unsigned = body(&shared);
        let files: [(&str, &[u8]); 4] = [
            ("valid-without-custodians", &alone),
            ("valid-with-custodians", &shared),
            ("valid-to-be-signed", &by_signer(&unsigned)),
            ("bad-writer-did-not-sign", &unsigned),
        ];
        write("epoch_header", &files, &shared);

        let (small, large) = (header(0, 2), header(5, 4));
        write(
            "record_header",
            &[("valid-alone", &small), ("valid-shared", &large), ("bad-no-part", &header(0, 1))],
            &large,
        );

        let (small, large) = (head(false), head(true));
        write("codec_head", &[("valid-empty", &small), ("valid-full", &large)], &large);
        write("codec_head", &[("bad-later-version", &changed(&small, 0, 2))], &[]);

        let encoded = enc("label", &[b"one", b"", &[0xFF; 300]]);
        write("enc_parse", &[("valid-fields", &encoded), ("valid-no-field", &enc("", &[]))], &encoded);

        let sealed = |len: usize| {
            let mut out = Vec::new();
            let mut sealer: Sealer =
                Sealer::start_with_salt(&Secret::from_fn(|k| *k = KEY), CONTEXT, &[9; 24], &mut out);
            sealer.update(&vec![0x5A; len], &mut out).unwrap();
            sealer.finish(&mut out).unwrap();
            out
        };
        let short = sealed(100);
        let files: [(&str, &[u8]); 3] =
            [("valid-empty", &sealed(0)), ("valid-short", &short), ("valid-headless", &short[HEADER..])];
        write("stream_open", &files, &short);
        write("stream_open", &[("bad-no-tag", &sealed(CHUNK)[..HEADER + TAG - 1])], &[]);
        ledger();
        agreements();
        orders();
        archives();
    }

    /// The corpora of orders, and of what goes to custodians, of whom our signer's recipient is one, and comes back.
    fn orders() {
        use crate::agreement::Country;
        use crate::order::*;
        use crate::seal::{Place, RecordKey, Sharing};
        let small = || Identity::generate_for(Suite::X25519).unwrap();
        let time = |day: i64| Timestamp::from_unix_ms(1_710_000_000_000 + day * 86_400_000);
        let card = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &signer());
        let (vault, tenant, operator) = (card.vault(), card.tenant(), signer().public_key());
        let who = vec![(&recipient()).into(), (&small()).into(), (&small()).into()];
        let policy = DisclosurePolicy::quorum(&card, 2, who, &signer()).unwrap();
        let mut epoch = EpochWriter::open(&card, &policy, &WriterKey::generate().unwrap()).unwrap();
        let sharing = Sharing { policy: policy.hash(), threshold: 2 };
        let mut sealed = |record| {
            let keys = epoch.draw();
            let place = Place { vault, tenant, epoch: epoch.header.epoch(), record, seq: keys.seq };
            let key = RecordKey::generate(place).unwrap();
            let part = PartHeader { slot: 1, len: 1096, digest: [7; 32] };
            let (wrap, shares) = (key.wrap(&keys).unwrap(), key.share(&keys, sharing).unwrap());
            let Place { vault, tenant, epoch, record, seq } = place;
            RecordHeader { vault, tenant, epoch, record, seq, time: time(1), wrap, shares, parts: vec![part, part] }
        };
        let authority = Authority {
            name: "County Court \"É\"".into(),
            country: Country::new("US").unwrap(),
            contact: "clerk@court.example".into(),
            recipient: recipient().recipient().clone(),
        };
        let signed_order = |mut order: DisclosureOrder| {
            order.add_signature(&operator, signer().sign(order.text().as_bytes())).unwrap();
            order
        };
        let made = |scope| {
            let dates = time(0)..time(10);
            let terms = OrderTerms::new(authority.clone(), LegalBasis::Subpoena, "1", [7; 32], dates, time(30), scope);
            signed_order(DisclosureOrder::new(vault, tenant, operator, terms.received(time(20))).unwrap())
        };
        let records = [RecordId::generate().unwrap(), RecordId::generate().unwrap()];
        let headers = records.map(&mut sealed);
        let people = [Identifier::tel("+15722568385").unwrap(), Identifier::customer("c 7").unwrap()];
        let listed = made(OrderScope::Records([(records[0], None), (records[1], Some(250..1000))].into()));
        let narrow = listed.terms().gag_until(time(40)).challenge_by(time(25));
        let about = made(OrderScope::subjects(people, time(2)..time(3)));
        let narrowed = signed_order(listed.narrowed(listed.terms()).unwrap());
        let gagged = signed_order(DisclosureOrder::new(vault, tenant, operator, narrow).unwrap());
        let mut consent = DisclosureConsent::new(&listed, operator).unwrap();
        consent.sign(&signer()).unwrap();
        let mut notice = DisclosureNotice::new(&gagged, "disclosed", 2).unwrap();
        notice.add_signature(&operator, signer().sign(notice.text().as_bytes())).unwrap();
        let (whole, text) = (listed.to_string(), listed.text());
        let (before, kinds) = text.split_once("\"kinds\": [").unwrap();
        let no_kind = format!("{before}\"kinds\": []{}", kinds.split_once(']').unwrap().1);
        let files = [
            ("valid-records", whole.clone()),
            ("valid-subjects", about.to_string()),
            ("valid-narrowed", narrowed.to_string()),
            ("valid-gagged", gagged.to_string()),
            ("valid-to-be-signed", text.to_owned()),
            ("valid-subjects-to-be-signed", about.text().to_owned()),
            ("valid-consent-to-be-signed", consent.text().to_owned()),
            ("valid-notice-to-be-signed", notice.text().to_owned()),
            ("bad-half-a-stretch", text.replacen("        \"to_ms\": 1000\n", "", 1).replacen("250,", "250", 1)),
            ("bad-no-kind", no_kind),
            ("bad-record-twice", text.replacen(&records[1].to_string(), &records[0].to_string(), 1)),
            ("bad-revision", text.replacen("\"revision\": 1", "\"revision\": 2", 1)),
            ("bad-unknown-basis", text.replacen("\"subpoena\"", "\"favour\"", 1)),
            ("bad-later-version", text.replacen("\"version\": 1", "\"version\": 2", 1)),
            ("bad-signed-by-a-tenant", whole.replacen("\u{2014} operator", "\u{2014} tenant", 1)),
        ];
        files.iter().for_each(|(name, text)| write("order", &[(name, text.as_bytes())], whole.as_bytes()));

        let (one_time, expires) = (small(), time(100_000));
        let ask = |order: &DisclosureOrder, stage, records: &[RecordHeader]| {
            let (policies, epochs) = (vec![policy.clone()], vec![epoch.header.clone()]);
            let asked = Asked { stage, policies, epochs, records: records.to_vec() };
            let to = one_time.recipient().clone();
            OrderRequest::new(order.clone(), asked, to, expires, |body| signer().sign(body)).unwrap()
        };
        let open = ask(&listed, Stage::Open, &headers);
        let find = ask(&about, Stage::Find, &[]);
        let approval = Custodian::new(recipient(), operator).approve(&open).unwrap();
        let gag = Gag::new(GagKey::generate().unwrap(), vault, tenant, time(40), policy.custodians()).unwrap();
        let withheld = Withheld::new((vault, tenant), (operator, 7), &gag, |body| signer().sign(body));
        let inner = body(open.to_bytes());
        let with = |at: usize, field: &[u8]| {
            let mut fields = parse("order-request", &inner).unwrap();
            fields[at] = field;
            enc("order-request", &fields)
        };
        let files: [(&str, &[u8]); 11] = [
            ("valid-request", open.to_bytes()),
            ("valid-request-to-be-signed", &inner),
            ("valid-request-to-find", find.to_bytes()),
            ("valid-approval", &approval.to_bytes()),
            ("valid-withheld", &withheld.to_bytes()),
            ("valid-withheld-to-be-signed", &body(&withheld.to_bytes())),
            ("bad-no-epoch", &with(5, &enc("list", &[]))),
            ("bad-no-policy", &with(4, &enc("list", &[]))),
            ("bad-no-record", &with(6, &enc("list", &[]))),
            ("bad-other-order", &with(0, about.to_string().as_bytes())),
            ("bad-stage", &with(1, &[3])),
        ];
        write("approval", &files, open.to_bytes());
    }

    /// The corpus of what our signer and its recipient sign.
    fn agreements() {
        use crate::agreement::*;
        let card = TenantCard::new(VaultId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]), &signer());
        let time = Timestamp::from_unix_ms;
        let country = Country::new("DE").unwrap();
        let third = RecipientCard::new("Ä \"B\"", RecipientClass::Reseller, &recipient(), "a@b", country).unwrap();
        let profile = ProtectionProfile {
            at_rest: AtRest::Record,
            breach_notice_hours: Some(24),
            residency: Some([country].into()),
            certifications: ["a".to_owned(), "b".to_owned()].into(),
            ..ProtectionProfile::weakest()
        };
        let small = Terms::new(third.clone(), ProtectionProfile::weakest(), time(0), time(1))
            .purpose("x")
            .kind(PartKind::Audio)
            .retention_days(1)
            .receipt_hours(1);
        let large = Field::ALL.iter().fold(small.clone(), |terms, field| terms.field(*field));
        let large = Terms { profile, ..large }
            .purpose("quality")
            .kind(PartKind::Original)
            .queue("billing")
            .queue("sales")
            .subject(Identifier::tel("+15722568385").unwrap())
            .subject(Identifier::mailto("o@example.com").unwrap())
            .onward(Onward::WithConsent);
        let agree = |terms| {
            let log = signer().public_key();
            let mut made = Agreement::with_id([3; 16], &card, log, log, terms).unwrap();
            made.sign(&signer()).unwrap();
            made
        };
        let (by_one, mut by_both) = (agree(small), agree(large));
        by_both.sign(&recipient()).unwrap();
        let mut next = by_both.revise(by_one.terms().clone()).unwrap();
        next.sign(&recipient()).unwrap();

        let classes = [RecipientClass::Reseller, RecipientClass::Successor].into();
        let rules = TransferRules { required: ProtectionProfile::weakest(), classes, max_retention_days: 30 };
        let mut policy = TransferPolicy::new(&card, rules, time(2)).unwrap();
        policy.sign(&signer()).unwrap();
        let mut receipt = DeliveryReceipt::new(&by_both, "a.example/log", 7, [9; 32], time(3)).unwrap();
        receipt.sign(&recipient()).unwrap();
        let transfer = |seq, records: &[&str]| {
            let records = records.iter().map(|record| (*record).to_owned()).collect();
            Transferred { log: "a.example/log".into(), seq, records }
        };
        let transfers = vec![transfer(7, &[]), transfer(8, &["01890a5d-ac96-774b-bcce-b302099a8057"])];
        let mut request = DeletionRequest::with_id([4; 16], &by_both, transfers, time(4), time(5), "x").unwrap();
        request.sign(&signer()).unwrap();
        let mut answer = DeletionAcknowledgement::new(&request, time(6), DeletionResult::Refused, "a hold").unwrap();
        answer.sign(&recipient()).unwrap();

        let (whole, text) = (by_both.to_string(), by_both.text());
        let compact = serde_json::from_str::<serde_json::Value>(text).unwrap().to_string() + "\n";
        let files = [
            ("valid-by-one", by_one.to_string()),
            ("valid-by-both", whole.clone()),
            ("valid-next-revision", next.to_string()),
            ("valid-to-be-signed", text.to_owned()),
            ("valid-policy", policy.to_string()),
            ("valid-policy-to-be-signed", policy.text().to_owned()),
            ("valid-receipt-to-be-signed", receipt.text().to_owned()),
            ("valid-request-to-be-signed", request.text().to_owned()),
            ("valid-answer-to-be-signed", answer.text().to_owned()),
            ("valid-card", third.to_string()),
            ("bad-compact", compact),
            ("bad-marketing", policy.text().replace("\"successor\"", "\"marketing-partner\"")),
            ("bad-unknown-member", text.replacen("  \"id\"", "  \"more\": 1,\n  \"id\"", 1)),
            ("bad-unknown-word", text.replacen("\"with-consent\"", "\"allowed\"", 1)),
            ("bad-later-version", text.replacen("\"version\": 1", "\"version\": 2", 1)),
            ("bad-signed-by-a-stranger", whole.replacen("\u{2014} tenant", "\u{2014} witness", 1)),
        ];
        files.iter().for_each(|(name, text)| write("agreement", &[(name, text.as_bytes())], whole.as_bytes()));
    }

    fn archives() {
        use bagit::header;
        let end = [0; 1024];
        let file = |path: &str| header(path, 0, 1_710_605_360).unwrap();
        let long = format!("top/data/files/sha512-{}.flac", "x".repeat(86));
        let contents = [&header("top/data/b", 4, 0).unwrap()[..], b"text", &[0; 508]].concat();
        let whole = [&file("top/bagit.txt")[..], &file(&long), &contents, &end].concat();
        write("archive", &[("valid-three-files", &whole), ("valid-alone", &[&contents[..], &end].concat())], &whole);
        write("archive", &[("bad-trailing-byte", &[&whole[..], b"x"].concat())], &[]);
        // With a checksum that is right for it.
        let with = |at: usize, bytes: &[u8]| {
            let mut header = file("top/a");
            header[at..at + bytes.len()].copy_from_slice(bytes);
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            [&header[..], &end].concat()
        };
        let two = |a: &str, b: &str| [&file(a)[..], &file(b), &end].concat();
        let files: [(&str, Vec<u8>); 11] = [
            ("bad-absolute", two("top/a", "/top/b")),
            ("bad-case", two("top/a", "top/A")),
            ("bad-device", with(156, b"3")),
            ("bad-folder", with(156, b"5")),
            ("bad-gnu-magic", with(257, b"ustar  \0")),
            ("bad-link", with(156, b"2/etc/passwd")),
            ("bad-long-name", with(156, b"L")),
            ("bad-parent", two("top/a", "top/../b")),
            ("bad-pax", with(156, b"x")),
            ("bad-top", two("top/a", "other/b")),
            ("huge-length", with(124, b"77777777777\0")),
        ];
        files.iter().for_each(|(name, bytes)| write("archive", &[(name, bytes)], &[]));
    }

    /// The corpora of what a ledger consists of: in a log of three entries.
    fn ledger() {
        use crate::tlog::{Checkpoint, Edge, KeyKind, inclusion, origin_of};
        use crate::{Kind, RecordSet};
        let own = signer();
        let log = own.public_key();
        let leaf = Leaf::sign(CONTEXT, &log, |bytes| own.sign(bytes));
        let checkpoint = |edge: &Edge| {
            let head = Checkpoint { origin: origin_of(&log), size: edge.size(), root: edge.root() };
            let mut signed = SignedCheckpoint::sign(head, &log, |bytes| own.sign(bytes));
            let name = format!("example.org/{}", crate::id::hex(&[8; 32]));
            let clock = VerifierKey::new(name, KeyKind::Cosigner, log).unwrap();
            signed.cosign(&clock, 1_710_605_360, |bytes| own.sign(bytes)).unwrap();
            (signed, clock)
        };
        let mut edge = Edge::default();
        edge.push(leaf.hash());
        let alone = InclusionProof { leaf, index: 0, path: Vec::new(), checkpoint: checkpoint(&edge).0 };
        edge.push([1; 32]);
        edge.push([2; 32]);
        let (signed, clock) = checkpoint(&edge);
        struct Same;
        impl crate::tlog::Nodes for Same {
            fn nodes(&self, wanted: &[(u8, u64)]) -> crate::Result<Vec<[u8; 32]>> {
                Ok(wanted.iter().map(|(level, index)| [level + *index as u8; 32]).collect())
            }
        }
        let path = inclusion(0, 3, &Same).unwrap();
        let three = InclusionProof { path, checkpoint: signed.clone(), ..alone.clone() };

        let other = crate::OperatorKey::from_secret(Secret::from_fn(|k| *k = KEY)).public_key();
        let policy = Policy::new(&other, [clock.clone()]).unwrap().quorum(1).unwrap();
        let text = signed.to_string();
        let files = [
            ("valid-signed", text.clone()),
            ("valid-alone", alone.checkpoint.to_string()),
            ("key", clock.to_string()),
            ("policy", policy.to_c2sp()),
            ("openssh", openssh(&log)),
            ("bad-cut", text.trim_end().to_owned()),
            ("bad-trailing-byte", format!("{text}\0")),
            ("bad-extension-line", text.replace("\n\n", "\nmore\n\n")),
            ("bad-leading-zero", text.replace("\n3\n", "\n03\n")),
            ("bad-carriage-returns", text.replace('\n', "\r\n")),
        ];
        files.iter().for_each(|(name, text)| write("checkpoint", &[(name, text.as_bytes())], &[]));

        let (tlog, sigsum) = (three.to_tlog_proof(), three.to_sigsum_proof(&log).unwrap());
        let extra = tlog.replacen('\n', "\nextra AAAA\n", 1);
        let files: [(&str, &str); 8] = [
            ("valid-tlog", &tlog),
            ("valid-tlog-extra", &extra),
            ("valid-tlog-alone", &alone.to_tlog_proof()),
            ("valid-sigsum", &sigsum),
            ("valid-sigsum-alone", &alone.to_sigsum_proof(&log).unwrap()),
            ("bad-sigsum-cut", sigsum.trim_end()),
            ("bad-sigsum-version", &sigsum.replace("version=2", "version=1")),
            ("bad-sigsum-index", &sigsum.replace("leaf_index=0", "leaf_index=3")),
        ];
        files.iter().for_each(|(name, text)| write("proof", &[(name, text.as_bytes())], tlog.as_bytes()));

        let mut message = Message {
            log: origin_of(&log),
            seq: 7,
            time: Timestamp::from_unix_ms(1_710_605_360_701),
            kind: Kind::Ingested,
            actor: "writer".into(),
            basis: None,
            purpose: None,
            records: None,
            payload: None,
            refers: None,
            details: Default::default(),
            nonce: [5; 32],
        };
        let small = message.to_bytes();
        message.kind = Kind::Other("later".into());
        message.actor = "a \"clerk\" é\u{1}".into();
        (message.basis, message.purpose) = (Some("order".into()), Some("audit".into()));
        message.records = Some(RecordSet::of_headers([[1; 32]]));
        (message.payload, message.refers) = (Some([6; 32]), Some(3));
        message.details = [("a".into(), "1".into()), ("b".into(), "2".into())].into();
        let large = message.to_bytes();
        let version = large.iter().position(|b| *b == b'1').unwrap();
        let later = changed(&large, version, b'2');
        let files: [(&str, &[u8]); 3] =
            [("valid-small", &small), ("valid-large", &large), ("bad-later-version", &later)];
        write("message", &files, &large);
    }

    /// Writes the files and, of `whole` if there is any, what became of it by the usual faults.
    fn write(target: &str, files: &[(&str, &[u8])], whole: &[u8]) {
        let folder = folder("corpus").join(target);
        fs::create_dir_all(&folder).unwrap();
        let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        files.iter().for_each(|(name, bytes)| put(name, bytes));
        if !whole.is_empty() {
            put("bad-cut", &whole[..whole.len() - 1]);
            put("bad-trailing-byte", &[whole, &[0]].concat());
            put("bad-flipped-first-byte", &changed(whole, 0, whole[0] ^ 1));
        }
    }

    fn changed(bytes: &[u8], at: usize, to: u8) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes[at] = to;
        bytes
    }

    fn body(signed: &[u8]) -> Vec<u8> {
        Fields::of("signed", signed).unwrap().bytes().unwrap().to_vec()
    }

    /// An epoch header's body with our signer as its writer.
    fn by_signer(body: &[u8]) -> Vec<u8> {
        let key = signer().public_key();
        let mut fields = parse("epoch-header", body).unwrap();
        fields[3] = key.as_bytes();
        enc("epoch-header", &fields)
    }

    fn custodian_twice(policy: &[u8]) -> Vec<u8> {
        let mut fields = parse("disclosure-policy", policy).unwrap();
        let last = fields.len() - 1;
        fields[last] = fields[last - 1];
        enc("disclosure-policy", &fields)
    }

    fn header(shares: usize, parts: usize) -> Vec<u8> {
        let wrap = vec![0x5A; sealed_len(32) as usize];
        RecordHeader {
            vault: VaultId::from_bytes([1; 16]),
            tenant: TenantId::from_bytes([2; 16]),
            epoch: EpochId::from_bytes([3; 16]),
            record: RecordId::from_bytes([4; 16]),
            seq: 5,
            time: Timestamp::from_unix_ms(1_710_605_360_701),
            wrap: wrap.clone(),
            shares: vec![([6; 32], wrap); shares],
            parts: (0..parts as u64).map(|n| PartHeader { slot: n, len: 1096, digest: [7; 32] }).collect(),
        }
        .to_bytes()
    }

    fn head(full: bool) -> Vec<u8> {
        let draft = Draft::new(Channel::Voice);
        if !full {
            return draft.head.encode().unwrap();
        }
        let part = DraftPart::new(PartKind::Transcript, "text/plain", &b""[..])
            .name("call.txt")
            .digest(ProducerDigest::Sha256(vec![8; 32]));
        let mut draft = Draft { head: Head { channel: Channel::Other("fax".into()), ..draft.head }, ..draft }
            .start(Timestamp::from_unix_ms(1_710_605_360_701))
            .duration_ms(57_168)
            .direction(Direction::Inbound)
            .agent("louis")
            .queue("billing")
            .language("en-GB")
            .tag("complaint")
            .policy_version("2014-06")
            .idempotency_key("call-1")
            .amends(RecordId::from_bytes([4; 16]))
            .subject(Subject::new(Role::Customer, Identifier::tel("+15722568385").unwrap()).with_name("Olivia"))
            .subject(Subject::new(Role::Other("friend".into()), Identifier::mailto("o@example.com").unwrap()))
            .subject(Subject::new(Role::Agent, Identifier::customer("C-1").unwrap()));
        draft.head.parts.push(part.info(9, [9; 32]));
        draft.head.encode().unwrap()
    }
}
