//! `README.txt`: what is in a package.

use super::manifest::Manifest;

/// A text without anything that would begin another line or order the others anew.
pub(super) fn one_line(text: &str) -> String {
    let hides = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hides(c) { ' ' } else { c }).collect()
}

/// The text of it.
pub(super) fn text(manifest: &Manifest) -> String {
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
        None => "data/index.html        to be read first, in a browser: all records, each with a page of its own
data/vcons/            a vCon (IETF) for each record, with its shorter parts inside
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

data/{volume}/index.html          to be read first, in a browser: all records, each with a page
                                  of its own in PAGES
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
