//! A protection profile in words, beside the one that is required.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;

use crate::agreement::{
    AccessControl, AtRest, InTransit, KeyCustody, Logging, ProtectionProfile, Shortfall, SubProcessors,
};
use crate::html::{Column, Page, Table, counted};

const COLUMNS: [Column<'static>; 3] = [Column::Text("What"), Column::Text("Required"), Column::Text("Promised")];

/// Writes what is promised beside what is required, respect by respect; what falls short is marked.
pub(super) fn compare(
    required: Option<&ProtectionProfile>,
    promised: &ProtectionProfile,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let short = required.map_or_else(Vec::new, |required| promised.shortfalls(required));
    let short: Vec<usize> = short.iter().map(respect).collect();
    Table { caption: "How it protects what it receives", columns: &COLUMNS }.open(page)?;
    page.open("tbody", &[])?;
    let (wanted, given) = (required.map(words), words(promised));
    for (at, (name, given)) in given.iter().enumerate() {
        page.open("tr", &[])?;
        page.element("th", &[("scope", &"row")], name)?;
        Table::cell(COLUMNS[1], page)?;
        match wanted.as_ref().and_then(|wanted| wanted.get(at)) {
            Some((_, wanted)) => page.quoted(wanted)?,
            None => page.text("–")?,
        }
        page.close()?;
        Table::cell(COLUMNS[2], page)?;
        page.quoted(given)?;
        if short.contains(&at) {
            page.text(" ")?;
            page.element("b", &[("class", &"late")], "falls short")?;
        }
        page.close()?;
        page.close()?;
    }
    page.close()?;
    Table::close(page)
}

/// The number of the respect among [`words`].
fn respect(short: &Shortfall) -> usize {
    match short {
        Shortfall::AtRest { .. } => 0,
        Shortfall::InTransit { .. } => 1,
        Shortfall::KeyCustody { .. } => 2,
        Shortfall::AccessControl { .. } => 3,
        Shortfall::Logging { .. } => 4,
        Shortfall::BreachNotice { .. } => 5,
        Shortfall::Residency { .. } => 6,
        Shortfall::Deletion { .. } => 7,
        Shortfall::SubProcessors { .. } => 8,
        Shortfall::Certifications { .. } => 9,
    }
}

/// Each respect and how it is met. Names of certifications are others' texts.
fn words(profile: &ProtectionProfile) -> [(&'static str, String); 10] {
    // Taken apart, so that a new member must be told.
    let ProtectionProfile {
        at_rest,
        in_transit,
        key_custody,
        access_control,
        logging,
        breach_notice_hours,
        residency,
        deletion_days,
        sub_processors,
        certifications,
    } = profile;
    let within = |n: &Option<u32>, one, many, never: &str| match n {
        Some(n) => format!("within {}", counted((*n).into(), one, many)),
        None => never.to_owned(),
    };
    let plain = str::to_owned;
    [
        (
            "Encryption of what is stored",
            plain(match at_rest {
                AtRest::None => "none",
                AtRest::Disk => "the disk as a whole",
                AtRest::Application => "by the application",
                AtRest::Record => "each record under a key of its own",
            }),
        ),
        (
            "Encryption of what is sent",
            plain(match in_transit {
                InTransit::None => "none",
                InTransit::Tls12 => "TLS 1.2 or later",
                InTransit::Tls13 => "TLS 1.3 or later",
                InTransit::EndToEnd => "end to end",
            }),
        ),
        (
            "Who holds the keys",
            plain(match key_custody {
                KeyCustody::Provider => "whoever stores the data",
                KeyCustody::CustomerManaged => "whoever stores the data, on the customer's command",
                KeyCustody::CustomerHeld => "the customer alone",
            }),
        ),
        (
            "What lets a person in",
            plain(match access_control {
                AccessControl::Password => "a password",
                AccessControl::MultiFactor => "a second factor",
                AccessControl::MultiFactorLeastPrivilege => "a second factor, and no more than the task needs",
            }),
        ),
        (
            "What is logged of access",
            plain(match logging {
                Logging::None => "nothing",
                Logging::Access => "who read what",
                Logging::TamperEvident => "who read what, so that a change of the log shows",
            }),
        ),
        ("Notice of a breach", within(breach_notice_hours, "hour", "hours", "none")),
        ("Where data are", residency.as_ref().map_or("anywhere".to_owned(), list)),
        ("Deletion on request", within(deletion_days, "day", "days", "none")),
        (
            "Whom else it may employ",
            plain(match sub_processors {
                SubProcessors::Any => "anybody",
                SubProcessors::Notified => "whoever the tenant was told of",
                SubProcessors::Approved => "whoever the tenant approved of",
                SubProcessors::None => "nobody",
            }),
        ),
        ("Certifications", if certifications.is_empty() { "none".to_owned() } else { list(certifications) }),
    ]
}

fn list<T: Display>(names: &BTreeSet<T>) -> String {
    names.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// What is required of everybody, in the same words.
pub(super) fn require(required: &ProtectionProfile, page: &mut Page<'_>) -> io::Result<()> {
    for (name, wanted) in words(required) {
        page.pair(name, &wanted)?;
    }
    Ok(())
}
