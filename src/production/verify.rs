//! `VERIFY.txt`: how to check a package with the programs of others. Lines that begin with four spaces are commands, and the
//! only ones that do.

use super::manifest::Manifest;
use super::write::REPLY;
use crate::id::hex;

/// The text of it. `top` is the folder that the package unpacks to, `custody` what is below `custody/`.
pub(super) fn text(manifest: &Manifest, top: &str, custody: &[(String, Vec<u8>)]) -> String {
    let mut guide = Guide { text: BEGIN.to_owned(), steps: 0, custody };
    guide.step("Open the file with your key and unpack it.");
    guide.run("age -d -i identity.txt -o disclosure.tar disclosure.age");
    guide.run("tar -xf disclosure.tar");
    guide.run(&format!("cd {top}"));
    guide.step("Nothing is missing, added or changed.");
    for list in ["manifest", "tagmanifest"] {
        guide.run(&format!("sha256sum -c --quiet {list}-sha256.txt"));
        guide.run(&format!("sha512sum -c --quiet {list}-sha512.txt"));
    }
    guide.run("bagit.py --validate .");
    guide.step("disclosure.json is about these files: it has the digest of their list.");
    guide.run("grep \"$(sha256sum <manifest-sha256.txt | cut -c1-64)\" custody/disclosure.json");
    guide.ledger();
    guide.signatures(&hex(&manifest.cover.order_hash));
    guide.time();
    if let Some(range) = &manifest.bates {
        guide.step("The load file has a line for each document (PyPI: pandas).");
        let file = format!("data/{0}/DATA/{0}.dat", range.volume);
        let how =
            "sep='\\x14', quotechar='\\xfe', encoding='utf-8-sig', engine='python', dtype=str, keep_default_na=False";
        guide.run(&format!("python3 -c \"import pandas; print(pandas.read_csv('{file}', {how}))\""));
    }
    guide.text.push_str(END);
    guide.text
}

const BEGIN: &str = "HOW TO CHECK THIS PACKAGE WITH PROGRAMS THAT ARE NOT OURS

Needed are age, tar, sha256sum, sha512sum and OpenSSL 3; for more, bagit.py (PyPI: bagit)
and sigsum-verify (Debian: sigsum-go). Every command is to end without an error.
";

const END: &str = "
integrity.json has for each document the digest of the sealed original, which whoever keeps
the record can show, and of the header of its record, which the tenant's ledger counts. Of a
stretch it says which bytes of the original it is and in which chunks of the sealed original
these are: chunks open one by one, so that these bytes can be compared without the rest.
";

/// Takes the signature `$2` of a note apart, and has it verified by the key in `$3`.
const SIGNED: &str = "signed() { sed -n '/^$/q;p' \"$1\" >$work/text; grep \"^— $2 \" \"$1\" | cut -d' ' -f3 | base64 -d | tail -c 64 >$work/signature; openssl pkeyutl -verify -pubin -inkey \"$3\" -rawin -in $work/text -sigfile $work/signature; }";
/// The same of a signed statement (SPEC 4.4).
const APPROVED: &str = "approved() { tail -c +25 \"$1\" | head -c -68 >$work/text; tail -c 64 \"$1\" >$work/signature; openssl pkeyutl -verify -pubin -inkey \"$2\" -rawin -in $work/text -sigfile $work/signature; }";

struct Guide<'c> {
    text: String,
    steps: usize,
    custody: &'c [(String, Vec<u8>)],
}

impl Guide<'_> {
    fn step(&mut self, what: &str) {
        self.steps += 1;
        self.text.push_str(&format!("\n{}. {what}\n\n", self.steps));
    }

    fn run(&mut self, command: &str) {
        self.text.push_str(&format!("    {command}\n"));
    }

    fn has(&self, name: &str) -> bool {
        self.custody.iter().any(|(other, _)| other == name)
    }

    /// What stands before this ending in names of files.
    fn stems(&self, ending: &str) -> Vec<&str> {
        self.custody.iter().filter_map(|(name, _)| name.strip_suffix(ending)).filter(|name| is_plain(name)).collect()
    }

    fn ledger(&mut self) {
        let entries: Vec<String> = self.stems(".sigsum-proof").into_iter().map(str::to_owned).collect();
        if entries.is_empty() {
            return;
        }
        self.step(
            "The ledger says so: one of its entries has the digest of disclosure.json, and the log\n   \
             whose key is in log.pub includes each of them. Compare log.pub and the keys of those who\n   \
             wrote the entries with what you have from elsewhere: what a package says of its own keys\n   \
             proves nothing.",
        );
        self.run("grep -l \"$(sha256sum <custody/disclosure.json | cut -c1-64)\" custody/*.json");
        for entry in entries {
            let (folder, number) = entry.rsplit_once('/').map_or(("", &*entry), |(folder, number)| (folder, number));
            let folder = if folder.is_empty() { "custody".to_owned() } else { format!("custody/{folder}") };
            let keys = format!("-k {folder}/actor-{number}.pub -p custody/policy.sigsum");
            self.run(&format!("sigsum-verify {keys} {folder}/{number}.sigsum-proof <{folder}/{number}.json"));
        }
    }

    fn signatures(&mut self, order: &str) {
        let notes = self.custody.iter().filter_map(|(name, note)| Some((name.strip_suffix(".note")?, note)));
        let notes = notes.filter(|(stem, _)| is_plain(stem));
        let mut checks = Vec::new();
        for (stem, note) in notes {
            for signer in signers(note) {
                checks.push(format!("signed custody/{stem}.note {signer} {}", self.key(stem, Some(&signer))));
            }
        }
        let approvals: Vec<String> = self.stems(".approval").into_iter().map(str::to_owned).collect();
        for stem in &approvals {
            checks.push(format!("approved custody/{stem}.approval {}", self.key(stem, None)));
        }
        let requested = self.has("order.request");
        if requested {
            checks.push(format!("approved custody/order.request {}", self.key("operator", None)));
        }
        if checks.is_empty() {
            return;
        }
        self.step(
            "The order and what was said to it are signed. Compare the keys with those that you have\n   \
             from elsewhere.",
        );
        self.run("work=$(mktemp -d)");
        self.run(SIGNED);
        self.run(APPROVED);
        checks.iter().for_each(|check| self.run(check));
        if requested && !approvals.is_empty() {
            self.step("What the custodians approved is that request: each approval has its digest.");
            for stem in approvals {
                let digest = "$(sha256sum <custody/order.request | cut -c1-64)";
                self.run(&format!("od -An -v -tx1 custody/{stem}.approval | tr -d ' \\n' | grep -o \"{digest}\""));
            }
        }
        if self.has("order.note") {
            self.step("It is the order that disclosure.json names.");
            self.run(&format!("sed -n '/^$/q;p' custody/order.note | sha256sum | grep {order}"));
            self.run(&format!("grep {order} custody/disclosure.json"));
        }
    }

    /// The file with a signer's key.
    fn key(&self, stem: &str, signer: Option<&str>) -> String {
        let name = stem.rsplit('/').next().unwrap_or(stem);
        let all = [Some(name), signer].into_iter().flatten().map(|name| format!("keys/{name}.pem"));
        let found = all.clone().find(|name| self.has(name));
        let name = found.or_else(|| all.clone().next_back()).unwrap_or_default();
        if self.has(&name) { format!("custody/{name}") } else { name }
    }

    fn time(&mut self) {
        if !self.has(REPLY) {
            return;
        }
        self.step(
            "A time-stamp authority (RFC 3161) saw disclosure.json at the time that the last command\n   \
             prints. tsa.pem is that authority's root certificate.",
        );
        let answer = "-in custody/disclosure.tsr";
        self.run(&format!("openssl ts -verify -data custody/disclosure.json {answer} -CAfile ../tsa.pem"));
        self.run(&format!("openssl ts -verify -queryfile custody/disclosure.tsq {answer} -CAfile ../tsa.pem"));
        self.run(&format!("openssl ts -reply {answer} -text"));
    }
}

/// The names under which a note (C2SP signed-note) is signed.
fn signers(note: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(note);
    let signatures = text.split_once("\n\n").map(|(_, signatures)| signatures).unwrap_or_default();
    let names = signatures.lines().filter_map(|line| line.strip_prefix("— ")?.split(' ').next());
    names.filter(|name| is_plain(name)).map(str::to_owned).collect()
}

/// Whether it stands in a command for itself.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b))
        && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_whose_name_would_be_a_command_stands_in_none() {
        let note = "{}\n\n— operator AAAA\n— $(reboot) AAAA\n— a;b AAAA\n— -rf AAAA\nno signature\n";
        assert_eq!(signers(note.as_bytes()), ["operator"]);
        assert!(signers(b"{}\n").is_empty() && signers(b"\xFF\n\n\xE2\x80\x94").is_empty());
    }
}
