//! `README.txt` and `VERIFY.txt`: what is in a package, and how to check it with the programs of others. Lines of `VERIFY.txt`
//! that begin with four spaces are commands, and the only ones that do.

use std::fmt::Write;

use super::manifest::Manifest;
use crate::id::hex;

/// A text without anything that would begin another line or order the others anew.
pub(super) fn one_line(text: &str) -> String {
    let hides = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hides(c) { ' ' } else { c }).collect()
}

pub(super) fn readme(manifest: &Manifest) -> String {
    let Manifest { cover, profile, bates, records, documents, redacted, withheld, .. } = manifest;
    let mut text = format!(
        "DISCLOSURE {order}

Authority:   {authority}
Reference:   {reference}
Legal basis: {basis}
Records of:  {tenant}
Made:        {created}
Profile:     {profile}
Contents:    {documents} documents of {records} records, {redacted} of them redacted; {withheld} withheld

This folder is a bag (BagIt 1.0, RFC 8493): everything below data/ is what was ordered,
everything else says where it comes from. VERIFY.txt has the commands to check it.

",
        order = cover.order,
        authority = one_line(&cover.authority),
        reference = one_line(&cover.reference),
        basis = one_line(&cover.basis),
        tenant = one_line(&cover.tenant_name),
        created = cover.created,
    );
    text.push_str(&match bates {
        None => "data/vcons/            a vCon (IETF) for each record, with its shorter parts inside
data/files/            longer parts, under names that have their SHA-512; vCons refer to
                       them as https://bag.invalid/files/NAME
data/integrity.json    of every document: its digests, those of the original and of the
                       sealed original, and which stretch of it this is
data/redactions.csv    what was redacted, and why
data/withheld.csv      what was ordered and is not here, and why
"
        .to_owned(),
        Some(range) => format!(
            "Documents are numbered {first} to {last}.

data/{volume}/NATIVES/            the documents
data/{volume}/TEXT/               what a person reads in them, UTF-8
data/{volume}/VCON/               a vCon (IETF) for each record; it refers to documents as
                                  https://bag.invalid/PATH BELOW data/
data/{volume}/DATA/{volume}.dat   load file (Concordance): UTF-8 with byte order mark, fields
                                  between U+00FE with U+0014 between them, U+00AE for a line
                                  end in a field. A U+00FE in a value is doubled, a U+00AE
                                  is written (R). Dates are MM/DD/YYYY, times UTC
data/{volume}/DATA/audio.csv      recordings. Caller and called party are blank where the
                                  record does not say who called
data/{volume}/DATA/production.csv what was produced
data/{volume}/DATA/redactions.csv what was redacted, and why
data/{volume}/DATA/withheld.csv   what was ordered and is not here, and why
data/{volume}/DATA/custody.csv    who had each document when (ISO/IEC 27037)
data/{volume}/DATA/integrity.json of every document: its digests, those of the original and of
                                  the sealed original, and which stretch of it this is
data/{volume}/DATA/certification.txt  a template under Fed. R. Evid. 902(13) and (14), not signed
",
            volume = range.volume,
            first = range.first,
            last = range.last,
        ),
    });
    text.push_str(
        "custody/               the order, who approved it, the ledger's entry with its proof, keys;
                       disclosure.json says what this package is

CSV files are UTF-8 with a byte order mark, with commas, every field in quotes. A field
that a spreadsheet would compute has an apostrophe before it that is not part of the value:
where a field begins with an apostrophe, leave that one out. Telephone numbers of + and
digits stay as they are. The load file and the vCons have all values without apostrophes.
",
    );
    text
}

/// The commands. `custody` are the files below `custody/`.
pub(super) fn verify(manifest: &Manifest, top: &str, custody: &[(String, Vec<u8>)]) -> String {
    let mut text = format!(
        "HOW TO CHECK THIS PACKAGE WITH PROGRAMS THAT ARE NOT OURS

Needed are age, tar, sha256sum, sha512sum, xxd, openssl 3; for more, bagit.py (PyPI: bagit)
and sigsum-verify (Debian: sigsum-go). Every command is to end without an error.

1. Open the file with your key and unpack it.

    age -d -i identity.txt -o disclosure.tar disclosure.age
    tar -xf disclosure.tar
    cd {top}

2. Nothing is missing, added or changed.

    sha256sum -c --quiet manifest-sha256.txt
    sha512sum -c --quiet manifest-sha512.txt
    sha256sum -c --quiet tagmanifest-sha256.txt
    sha512sum -c --quiet tagmanifest-sha512.txt
    bagit.py --validate .

3. disclosure.json is about these files: it has the digest of their list.

    grep \"$(sha256sum <manifest-sha256.txt | cut -c1-64)\" custody/disclosure.json

"
    );
    let named = |ending: &str| {
        let names = custody.iter().map(|(name, _)| name.as_str());
        names.filter(|name| name.ends_with(ending)).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut step = 4;
    let mut next = |text: &mut String, what: &str| {
        let _ = write!(text, "{step}. {what}\n\n");
        step += 1;
    };
    let proofs = named(".sigsum-proof");
    if !proofs.is_empty() {
        next(
            &mut text,
            "The ledger says so. One of its entries has the digest of disclosure.json, and the\n   log that is signed by log.pub includes each of them. Compare log.pub with the key that\n   you have from elsewhere: what a package says of its own keys proves nothing.",
        );
        text.push_str("    grep -l \"$(sha256sum <custody/disclosure.json | cut -c1-64)\" custody/*.json\n");
        for proof in &proofs {
            let name = proof.trim_end_matches(".sigsum-proof");
            let number = name.rsplit('/').next().unwrap_or_default();
            let folder = name.strip_suffix(number).unwrap_or_default();
            let _ = writeln!(
                text,
                "    sigsum-verify -k custody/{folder}actor-{number}.pub -p custody/policy.sigsum custody/{proof} <custody/{name}.json"
            );
        }
        text.push('\n');
    }
    let stem = |name: &str, ending: &str| {
        name.strip_suffix(ending).map(|stem| stem.rsplit('/').next().unwrap_or(stem).to_owned())
    };
    let key_of = |candidates: &[String]| {
        let there = candidates.iter().find(|key| custody.iter().any(|(name, _)| name == *key));
        there.map_or_else(
            || candidates.last().map(|key| key.trim_start_matches("keys/").to_owned()).unwrap_or_default(),
            |key| format!("custody/{key}"),
        )
    };
    let notes = custody.iter().filter(|(name, _)| name.ends_with(".note"));
    let signed: Vec<_> = notes.flat_map(|(name, note)| signers(note).into_iter().map(move |who| (name, who))).collect();
    let approvals = named(".approval");
    if !signed.is_empty() || !approvals.is_empty() {
        next(
            &mut text,
            "The order and the approvals are signed by whom they name. A key is 64 hexadecimal\n   digits in a file: take it from where you know it from, not from here.",
        );
        text.push_str(
            "    work=$(mktemp -d)
    signed() { sed -n '/^$/q;p' \"$1\" >$work/text; grep \"^— $2 \" \"$1\" | cut -d' ' -f3 | base64 -d | tail -c 64 >$work/signature; { printf 302a300506032b6570032100; cat \"$3\"; } | xxd -r -p | openssl pkey -pubin -inform DER -out $work/key.pem; openssl pkeyutl -verify -pubin -inkey $work/key.pem -rawin -in $work/text -sigfile $work/signature; }
    approved() { tail -c +25 \"$1\" | head -c -68 >$work/text; tail -c 64 \"$1\" >$work/signature; { printf 302a300506032b6570032100; cat \"$2\"; } | xxd -r -p | openssl pkey -pubin -inform DER -out $work/key.pem; openssl pkeyutl -verify -pubin -inkey $work/key.pem -rawin -in $work/text -sigfile $work/signature; }
",
        );
        for (note, who) in &signed {
            let own = stem(note, ".note").unwrap_or_default();
            let key = key_of(&[format!("keys/{own}.pub"), format!("keys/{who}.pub")]);
            let _ = writeln!(text, "    signed custody/{note} {who} {key}");
        }
        for approval in &approvals {
            let key = key_of(&[format!("keys/{}.pub", stem(approval, ".approval").unwrap_or_default())]);
            let _ = writeln!(text, "    approved custody/{approval} {key}");
        }
        let _ = write!(text, "\n   The text of the order has the SHA-256\n   {}.\n\n", hex(&manifest.cover.order_hash));
        if custody.iter().any(|(name, _)| name == "order.note") {
            let _ = write!(
                text,
                "    sed -n '/^$/q;p' custody/order.note | sha256sum | grep {}\n\n",
                hex(&manifest.cover.order_hash)
            );
        }
    }
    if custody.iter().any(|(name, _)| name == super::write::REPLY) {
        next(
            &mut text,
            "A time-stamp authority saw disclosure.json at a certain time (RFC 3161). tsa.pem is its\n   root certificate.",
        );
        text.push_str(
            "    openssl ts -verify -data custody/disclosure.json -in custody/disclosure.tsr -CAfile tsa.pem
    openssl ts -verify -queryfile custody/disclosure.tsq -in custody/disclosure.tsr -CAfile tsa.pem
    openssl ts -reply -in custody/disclosure.tsr -text

",
        );
    }
    if let Some(range) = &manifest.bates {
        next(&mut text, "The load file has a line for each document (PyPI: pandas).");
        let volume = &range.volume;
        let _ = write!(
            text,
            "    python3 -c \"import pandas; print(pandas.read_csv('data/{volume}/DATA/{volume}.dat', sep='\\x14', quotechar='\\xfe', encoding='utf-8-sig', engine='python', dtype=str, keep_default_na=False))\"\n\n"
        );
    }
    text.push_str(
        "Of a stretch, integrity.json says which bytes of the original it is, which chunks of the
sealed original these are in, and the digests of both. Whoever keeps the record can show
that the sealed original has this digest, open these chunks alone and compare the bytes.
",
    );
    text
}

/// The names under which a note (C2SP signed-note) is signed.
fn signers(note: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(note);
    let lines = text.split_once("\n\n").map(|(_, signatures)| signatures.to_owned()).unwrap_or_default();
    let names = lines.lines().filter_map(|line| line.strip_prefix("— ")?.split(' ').next());
    // A name stands in a command.
    let plain =
        |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/+".contains(&b));
    names.filter(plain).map(str::to_owned).collect()
}
