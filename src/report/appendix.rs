use std::io;

use super::account::Account;
use super::comparison::KINDS;
use crate::audit::ENTRY_CHECK;
use crate::error::Result;
use crate::html::{Check, Grouped, Page, limits, values};
use crate::tlog::{KeyKind, VerifierKey, origin_of};

/// What a reader can run in the folder of an exported ledger, beside the check of one entry.
pub(super) const CHECKS: [Check<'static>; 3] = [
    Check {
        shows: "What an entry says: whose act it was, for what purpose, to whom, how many records, and the SHA-256 of the \
                list of all that went (payload).",
        command: "cat receipts/NUMBER.json",
    },
    Check {
        shows: "That no transfer is missing here: the numbers of entries of each kind are those under Exact values.",
        command: "grep -oE '\"kind\":\"(agreement|transfer|recipients|deletion)[.][a-z]+\"' messages.jsonl | sort | uniq -c",
    },
    Check {
        shows: "An agreement, a delivery receipt or an answer that you hold as a file: this is the SHA-256 that the \
                ledger's entry about it has as payload, and that stands beside the agreement above.",
        command: "sed -n '/^$/q;p' FILE | sha256sum",
    },
];

impl Account {
    pub(super) fn checking(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"checking")])?;
        page.element("h2", &[("id", &"checking")], "How to check it without us")?;
        page.element(
            "p",
            &[],
            "This page is for reading; it proves nothing, for anyone could have typed it. The proof is in the tenant's \
             ledger, of which the tenant can export everything: an entry for each agreement, transfer, delivery receipt \
             and answer, with a file that shows by hashes and signatures that it stands there. Agreements, delivery \
             receipts and answers are signed notes (C2SP signed-note), each with the signatures of the keys that it \
             names. Programs that the makers of this vault did not write check all of this on any computer, without a \
             network.",
        )?;
        ENTRY_CHECK.write(page)?;
        CHECKS.iter().try_for_each(|check| check.write(page))?;
        limits(&self.limits(), page)?;
        page.close()
    }

    fn limits(&self) -> Vec<String> {
        let mut limits = vec![
            "Whether a recipient does what it promised, and whether it deleted what it says: it signed that it does.",
            "What a recipient did with a package before it signed for it, or if it never signed.",
            "What left the vault past this program.",
        ];
        if self.comparison.audited < self.comparison.logs {
            limits.push("Whether something was taken away from what is kept: not every ledger's audit was compared.");
        }
        limits.into_iter().map(str::to_owned).collect()
    }

    /// # Errors
    /// As the page; `InvalidInput` never, for these keys are of logs.
    pub(super) fn values(&self, page: &mut Page<'_>) -> Result<io::Result<()>> {
        let mut pairs = vec![("Tenant".to_owned(), self.tenant_id.clone())];
        for (generation, key) in &self.logs {
            let name = if self.logs.len() > 1 { format!("Ledger {generation}") } else { "Ledger".to_owned() };
            let origin = origin_of(key);
            let vkey = VerifierKey::new(origin.clone(), KeyKind::Log, *key)?.to_string();
            pairs.extend([(name.clone(), origin), (format!("{name}'s key"), vkey)]);
        }
        if self.is_whole() {
            let counts = KINDS.iter().zip(self.entries).filter(|(_, n)| *n > 0);
            pairs.extend(counts.map(|((kind, _), n)| (kind.to_string(), Grouped::from(n).to_string())));
        }
        pairs.push(("Page written".to_owned(), self.now.to_string()));
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Ok(values(&pairs, page))
    }
}
