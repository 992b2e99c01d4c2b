use std::fmt::Display;
use std::io;

use super::account::Account;
use super::contract::{Contract, Stands, day};
use super::item::{file, records, transfers};
use super::party::class;
use super::profile;
use super::tally::Tally;
use crate::agreement::{Onward, Refusal, Scope, TransferPolicy};
use crate::html::{Attribute, Grouped, Page, counted};
use crate::id::hex;

/// So many agreements show at once what was promised.
const FEW: usize = 5;
/// Queues of a scope that are named, at the most.
const QUEUES: usize = 20;

impl Account {
    pub(super) fn agreements(&self, tally: &Tally, page: &mut Page<'_>) -> io::Result<()> {
        page.open("section", &[("aria-labelledby", &"agreements")])?;
        page.element("h2", &[("id", &"agreements")], "Agreements")?;
        let shown: Vec<&Contract> = self.contracts.iter().filter(|contract| contract.is_shown).collect();
        if shown.is_empty() {
            let text = match (self.is_whole(), &self.policy) {
                (true, Some(_)) => "There is no agreement with anybody, so nothing can be sent.",
                (true, None) => "There is no agreement with anybody.",
                (false, _) => "None of these transfers was under an agreement that is kept.",
            };
            page.element("p", &[("class", &"nothing")], text)?;
        }
        for contract in &shown {
            self.agreement(contract, tally, shown.len() <= FEW, page)?;
        }
        page.element("h3", &[("id", &"policy")], "What the tenant requires of everybody, at least")?;
        match &self.policy {
            Some(policy) => requirements(policy, page)?,
            None => page.element(
                "p",
                &[("class", &"nothing")],
                "The tenant has not said what it requires. Until it does, nothing can be sent to anybody.",
            )?,
        }
        page.close()
    }

    fn agreement(&self, contract: &Contract, tally: &Tally, is_open: bool, page: &mut Page<'_>) -> io::Result<()> {
        let (newest, terms) = (&contract.newest, contract.terms());
        page.open("section", &[("class", &"contract"), ("id", &contract.anchor())])?;
        page.open("h3", &[])?;
        page.quoted(terms.recipient.name())?;
        page.close()?;
        page.element("p", &[("class", &format_args!("state {}", contract.class()))], contract.told())?;
        self.reasons(contract, page)?;
        page.open("dl", &[("class", &"terms")])?;
        page.pair_of("For", |page| list(&mut terms.purposes.iter(), page))?;
        let kinds: Vec<String> = terms.kinds.iter().map(ToString::to_string).collect();
        page.pair_of("What may go", |page| {
            page.text(format_args!("{} of ", kinds.join(", ")))?;
            scope(&terms.scope, page)
        })?;
        page.pair_of("Conditions", |page| {
            let onward = match terms.onward {
                Onward::Forbidden => "passed on to nobody",
                Onward::WithConsent => "passed on with the tenant's consent in each case",
            };
            let (kept, signed) = (terms.retention_days.into(), terms.receipt_hours.into());
            let (kept, signed) = (counted(kept, "day", "days"), counted(signed, "hour", "hours"));
            page.text(format_args!("kept for {kept}, signed for within {signed}, {onward}"))
        })?;
        page.pair_of("Sent so far", |page| {
            let (n, sum) = tally.agreements.get(&newest.agreement.id()).copied().unwrap_or_default();
            page.text(format_args!("{} in {}", records(sum), transfers(n)))
        })?;
        page.close()?;
        let attributes: [Attribute<'_>; 1] = [("open", &"")];
        page.open("details", if is_open { &attributes } else { &[] })?;
        page.element("summary", &[], "Who it is, and how it protects what it receives")?;
        self.identified(contract, page)?;
        profile::compare(self.policy.as_ref().map(TransferPolicy::required), &terms.profile, page)?;
        page.close()?;
        page.close()
    }

    /// Who the recipient is, and where the agreement stands in the ledger.
    fn identified(&self, contract: &Contract, page: &mut Page<'_>) -> io::Result<()> {
        let (newest, terms) = (&contract.newest, contract.terms());
        page.open("dl", &[("class", &"terms")])?;
        page.pair_of("Recipient", |page| {
            page.text(format_args!("{}, {}, ", class(terms.recipient.class()), terms.recipient.country()))?;
            page.quoted(terms.recipient.contact())
        })?;
        page.pair_of("Recipient's key", |page| page.element("code", &[], terms.recipient.key()))?;
        let fields: Vec<String> = terms.fields.iter().map(|field| field.to_string().replace('-', " ")).collect();
        let fields = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
        page.pair_of("Told about each record", |page| page.text(fields))?;
        page.pair_of("In the ledger", |page| {
            let (revision, since) = (newest.agreement.revision(), day(newest.since));
            page.text(format_args!("revision {revision} since {since}, {} ", self.entry(newest.entry)))?;
            page.element("code", &[], file(newest.entry))?;
            let Some(entry) = newest.revoked_entry else { return Ok(()) };
            page.text(format_args!("; revoked, {} ", self.entry(entry)))?;
            page.element("code", &[], file(entry))
        })?;
        page.pair_of("Number", |page| page.element("code", &[], hex(&newest.agreement.id())))?;
        page.pair_of("SHA-256", |page| page.element("code", &[], hex(&newest.agreement.hash())))?;
        page.close()
    }

    /// Why nothing can be sent under it.
    fn reasons(&self, contract: &Contract, page: &mut Page<'_>) -> io::Result<()> {
        if let Some((_, reason)) = &contract.newest.revoked {
            page.open("p", &[])?;
            page.text("Reason: ")?;
            page.quoted(reason)?;
            return page.close();
        }
        if contract.stands == Stands::Expired || contract.refusals.is_empty() {
            return Ok(());
        }
        page.open("ul", &[("class", &"plain")])?;
        for refusal in &contract.refusals {
            let reasons: Vec<String> = match refusal {
                Refusal::Weaker(shortfalls) => shortfalls.iter().map(ToString::to_string).collect(),
                whole => vec![whole.to_string()],
            };
            for reason in reasons {
                page.open("li", &[])?;
                // Certifications in it are others' texts.
                page.quoted(&reason)?;
                page.close()?;
            }
        }
        page.close()
    }
}

fn requirements(policy: &TransferPolicy, page: &mut Page<'_>) -> io::Result<()> {
    page.open("dl", &[("class", &"terms")])?;
    let classes: Vec<&str> = policy.classes().iter().map(|of| class(*of)).collect();
    page.pair_of("Who may receive", |page| {
        page.text(if classes.is_empty() { "nobody".to_owned() } else { classes.join("; ") })
    })?;
    page.pair_of("May be kept", |page| {
        page.text(format_args!("for {} at the most", counted(policy.max_retention_days().into(), "day", "days")))
    })?;
    profile::require(policy.required(), page)?;
    page.pair_of("Stated", |page| {
        page.text(format_args!("on {}, revision {}", day(policy.issued()), policy.revision()))
    })?;
    page.pair_of("SHA-256", |page| page.element("code", &[], hex(&policy.hash())))?;
    page.close()
}

/// How many people a scope names, not whom.
fn scope(scope: &Scope, page: &mut Page<'_>) -> io::Result<()> {
    let Scope { queues, subjects } = scope;
    if queues.is_empty() && subjects.is_empty() {
        return page.text("all records");
    }
    if !queues.is_empty() {
        page.text("records of the queues ")?;
        list(&mut queues.iter().take(QUEUES), page)?;
        if queues.len() > QUEUES {
            page.text(format_args!(" and {} more", Grouped((queues.len() - QUEUES) as u128)))?;
        }
    }
    let records = if queues.is_empty() { "records" } else { "," };
    match subjects.len() as u64 {
        0 => Ok(()),
        1 => page.text(format_args!("{records} that name one certain person")),
        n => page.text(format_args!("{records} that name any of {} people", Grouped::from(n))),
    }
}

/// Others' texts, one after the other.
fn list<T: Display>(texts: &mut dyn Iterator<Item = T>, page: &mut Page<'_>) -> io::Result<()> {
    for (at, text) in texts.enumerate() {
        if at > 0 {
            page.text(", ")?;
        }
        page.quoted(&text.to_string())?;
    }
    Ok(())
}
