use std::io::Write;
use std::vec;

use super::{Act, Heading, Item, Said, Tally, write};
use crate::audit::{AuditReport, Entry, State, TenantLog};
use crate::error::{Error, ErrorKind, Result};
use crate::html::Check;
use crate::id::hex;
use crate::ledger::Message;
use crate::time::Timestamp;
use crate::tlog::{Checkpoint, Edge, KeyKind, VerifierKey, origin_of};

/// Entries read at once.
const BLOCK: usize = 1024;

/// What a reader can run in the folder of an exported ledger for one of its entries.
pub(crate) const ENTRY_CHECK: Check<'static> = Check {
    shows: "One entry: it stands in this ledger, and one of the keys in the folder signed it, if this ends without a \
            message. NUMBER is the entry's in eight digits, as its receipt has it (sigsum-verify, of Sigsum).",
    command: "cat keys/*.pub > actors && \
              sigsum-verify -k actors -p policy.sigsum receipts/NUMBER.sigsum-proof < receipts/NUMBER.json",
};

/// What a reader can run in the folder of an exported ledger.
const CHECKS: [Check<'static>; 4] = [
    ENTRY_CHECK,
    Check {
        shows: "The checkpoint: the ledger's key signed it if this says so (OpenSSL).",
        command: "sed '/^$/,$d' checkpoint > signed && \
                  sed -n '5{s/.* //;p}' checkpoint | base64 -d | tail -c 64 > signature && \
                  openssl pkeyutl -verify -rawin -pubin -inkey log.pem -sigfile signature -in signed",
    },
    Check {
        shows: "The keys of those who wrote: each file is named by the SHA-256 of its key, as the proofs name it.",
        command: "for key in keys/*.pub; do echo $key; cut -d' ' -f2 $key | base64 -d | tail -c 32 | sha256sum; done",
    },
    Check {
        shows: "The ledger's key: it must be the one that you know from elsewhere. Whoever can swap the key can swap the \
                ledger.",
        command: "cat log.pub",
    },
];

impl TenantLog<'_> {
    /// Writes the ledger as a page for a person who has never seen one: what the audit found, then each entry in a
    /// sentence, by whom, when, on which basis, and how to check it without this program. One HTML file without scripts
    /// that loads nothing. It has what the entries say, in the clear.
    ///
    /// `report` is what [`Auditor::audit`](crate::Auditor::audit) said of this ledger; the page has the entries up to its
    /// head.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if `report` is about another ledger; [`Tampered`](ErrorKind::Tampered) if
    /// the entries are no longer those that were audited: what is in `out` then is no page; else as the database and `out`.
    pub fn write_page(&self, report: &AuditReport, out: &mut dyn Write) -> Result<()> {
        let (key, origin) = (self.key(), origin_of(&self.key()));
        let head = report.checkpoint.as_ref();
        let is_ours = head.map_or(!report.is_clean(), |head| head.origin == origin);
        if !is_ours {
            return Err(Error::new(ErrorKind::InvalidInput, "comparing a ledger with the report of its audit"));
        }
        let tenant = self.session.room.tenant(self.session.tenant)?;
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        let size = head.map_or(self.size(), |head| head.size);
        let heading = Heading {
            tenant: &tenant.name,
            tenant_id: &tenant.id.to_string(),
            origin: &origin,
            key: &VerifierKey::new(origin.clone(), KeyKind::Log, key)?.to_string(),
            size,
            root: &head.map_or("not that of a head of this ledger".to_owned(), |head| hex(&head.root)),
            signed: report.clock,
            exported: Timestamp::now(),
            from: None,
            until: None,
            pinned: report.pinned,
            findings: &findings,
            limits: &report.cannot_know(),
            checks: &CHECKS,
        };
        let items = || Items { log: self, size, head, next: 0, block: Vec::new().into_iter(), edge: Edge::default() };
        let mut tally = Tally::default();
        items().try_for_each(|item| item.map(|item| tally.add(&item)))?;
        write(&heading, &tally, items(), out)
    }
}

/// The entries below `size`, a block at a time. Ends with an error unless they are those of the head.
struct Items<'a> {
    log: &'a TenantLog<'a>,
    size: u64,
    head: Option<&'a Checkpoint>,
    next: u64,
    block: vec::IntoIter<Entry>,
    edge: Edge,
}

impl Items<'_> {
    fn entry(&mut self) -> Result<Option<Entry>> {
        if self.block.as_slice().is_empty() && self.next < self.size {
            let left = usize::try_from(self.size - self.next).unwrap_or(BLOCK);
            self.block = self.log.entries(self.next, left.min(BLOCK))?.into_iter();
        }
        let entry = self.block.next().filter(|entry| entry.seq < self.size);
        if let Some(entry) = &entry {
            self.next = entry.seq.saturating_add(1);
            self.edge.push(entry.leaf.hash());
        } else if self.head.is_some_and(|head| (head.size, head.root) != (self.edge.size(), self.edge.root())) {
            return Err(Error::new(
                ErrorKind::Tampered,
                "comparing the entries of a page with those that were audited",
            ));
        }
        Ok(entry)
    }
}

impl Iterator for Items<'_> {
    type Item = Result<Item>;

    fn next(&mut self) -> Option<Result<Item>> {
        self.entry().map(|entry| entry.map(item)).transpose()
    }
}

fn item(entry: Entry) -> Item {
    let (time, said) = match entry.state {
        State::Open(bytes, message) if entry.leaf.is_of(&bytes) => (Some(message.time), Said::Act(act(*message))),
        State::Shredded => (None, Said::Shredded),
        State::Withheld(withheld) => (None, Said::Withheld(withheld.until())),
        // The report has the finding.
        State::Open(..) | State::Unreadable(_) => (None, Said::Unreadable),
    };
    Item { seq: entry.seq, time, receipt: format!("{:08}.tlog-proof", entry.seq), said }
}

fn act(message: Message) -> Act {
    Act {
        kind: message.kind.to_string(),
        actor: message.actor,
        basis: message.basis,
        purpose: message.purpose,
        records: message.records.map(|set| set.count),
        refers: message.refers,
        details: message.details.into_iter().collect(),
    }
}
