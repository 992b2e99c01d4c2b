use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::card::Country;
use crate::document::{is_readable, words};

/// Certifications and countries that a profile names, at the most.
const MAX_NAMES: usize = 256;
const MAX_CERTIFICATION: usize = 128;
/// A year.
pub(super) const MAX_HOURS: u32 = 8_760;
/// A hundred years.
pub(super) const MAX_DAYS: u32 = 36_500;

words! {
    /// How what is stored is encrypted, the weakest first.
    AtRest {
        /// Not at all.
        None = "none",
        /// The disk or file system as a whole.
        Disk = "disk",
        /// By the application, so that the administrator of the disk sees nothing.
        Application = "application",
        /// Each record under a key of its own.
        Record = "record",
    }

    /// How what is sent is encrypted, the weakest first.
    InTransit {
        /// Not at all.
        None = "none",
        /// TLS 1.2 or later.
        Tls12 = "tls-1.2",
        /// TLS 1.3 or later.
        Tls13 = "tls-1.3",
        /// From who seals to who opens, whatever is between them.
        EndToEnd = "end-to-end",
    }

    /// Who holds the keys, the weakest first.
    KeyCustody {
        /// Whoever stores the data.
        Provider = "provider",
        /// Whoever stores the data, on the customer's command.
        CustomerManaged = "customer-managed",
        /// The customer alone.
        CustomerHeld = "customer-held",
    }

    /// What lets a person in, the weakest first.
    AccessControl {
        /// A password.
        Password = "password",
        /// A second factor.
        MultiFactor = "multi-factor",
        /// A second factor, and no more than the task needs.
        MultiFactorLeastPrivilege = "multi-factor-least-privilege",
    }

    /// What is written down about access, the weakest first.
    Logging {
        /// Nothing.
        None = "none",
        /// Who read what.
        Access = "access",
        /// The same, so that a change of the log shows.
        TamperEvident = "tamper-evident",
    }

    /// Whom else the recipient may employ, the weakest first.
    SubProcessors {
        /// Anybody.
        Any = "any",
        /// Whoever the tenant was told of.
        Notified = "notified",
        /// Whoever the tenant approved of.
        Approved = "approved",
        /// Nobody.
        None = "none",
    }
}

/// How well data are protected: what a recipient promises, or what a tenant requires. In JSON every member must be there.
///
/// Profiles are partly ordered: one is at least another if it is so in every respect. Of two profiles each may be
/// stronger somewhere; then neither meets the other.
///
/// ```
/// use strongroom::{AtRest, ProtectionProfile};
/// let required = ProtectionProfile { at_rest: AtRest::Application, ..ProtectionProfile::weakest() };
/// let offered = ProtectionProfile { at_rest: AtRest::Disk, ..ProtectionProfile::weakest() };
/// let short: Vec<String> = offered.shortfalls(&required).iter().map(|s| s.to_string()).collect();
/// assert_eq!(short, ["encryption at rest: at least application is required, disk is offered"]);
/// assert!(offered < required);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtectionProfile {
    /// How what is stored is encrypted.
    pub at_rest: AtRest,
    /// How what is sent is encrypted.
    pub in_transit: InTransit,
    /// Who holds the keys.
    pub key_custody: KeyCustody,
    /// What lets a person in.
    pub access_control: AccessControl,
    /// What is written down about access.
    pub logging: Logging,
    /// Hours within which the tenant is told of a breach, 1 to 8,760; none if it is not told. Fewer are stronger.
    #[serde(deserialize_with = "Option::deserialize")]
    pub breach_notice_hours: Option<u32>,
    /// The countries where data are stored and seen; none if anywhere. A part of them is stronger.
    #[serde(deserialize_with = "Option::deserialize")]
    pub residency: Option<BTreeSet<Country>>,
    /// Days within which data are deleted on request, 1 to 36,500; none if they are not. Fewer are stronger.
    #[serde(deserialize_with = "Option::deserialize")]
    pub deletion_days: Option<u32>,
    /// Whom else the recipient may employ.
    pub sub_processors: SubProcessors,
    /// Certifications, each in one spelling: `ISO/IEC 27001:2022`. More are stronger.
    pub certifications: BTreeSet<String>,
}

impl ProtectionProfile {
    /// Promises nothing, and requires nothing: every profile is at least this one.
    pub fn weakest() -> Self {
        Self {
            at_rest: AtRest::None,
            in_transit: InTransit::None,
            key_custody: KeyCustody::Provider,
            access_control: AccessControl::Password,
            logging: Logging::None,
            breach_notice_hours: None,
            residency: None,
            deletion_days: None,
            sub_processors: SubProcessors::Any,
            certifications: BTreeSet::new(),
        }
    }

    /// Where this profile is weaker than `required`, in the order of its members. Empty if it meets it.
    pub fn shortfalls(&self, required: &Self) -> Vec<Shortfall> {
        // Taken apart, so that a new member must be compared.
        let Self {
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
        } = self;
        fn level<T: PartialOrd + Copy>(offered: T, required: T, short: fn(T, T) -> Shortfall) -> Option<Shortfall> {
            (offered < required).then(|| short(required, offered))
        }
        let longer = |offered: Option<u32>, required: u32| offered.is_none_or(|offered| offered > required);
        [
            level(*at_rest, required.at_rest, |required, offered| Shortfall::AtRest { required, offered }),
            level(*in_transit, required.in_transit, |required, offered| Shortfall::InTransit { required, offered }),
            level(*key_custody, required.key_custody, |required, offered| Shortfall::KeyCustody { required, offered }),
            level(*access_control, required.access_control, |required, offered| Shortfall::AccessControl {
                required,
                offered,
            }),
            level(*logging, required.logging, |required, offered| Shortfall::Logging { required, offered }),
            required
                .breach_notice_hours
                .filter(|required| longer(*breach_notice_hours, *required))
                .map(|required| Shortfall::BreachNotice { required, offered: *breach_notice_hours }),
            required
                .residency
                .as_ref()
                .filter(|required| residency.as_ref().is_none_or(|offered| !offered.is_subset(required)))
                .map(|required| Shortfall::Residency { required: required.clone(), offered: residency.clone() }),
            required
                .deletion_days
                .filter(|required| longer(*deletion_days, *required))
                .map(|required| Shortfall::Deletion { required, offered: *deletion_days }),
            level(*sub_processors, required.sub_processors, |required, offered| Shortfall::SubProcessors {
                required,
                offered,
            }),
            Some(required.certifications.difference(certifications).cloned().collect::<BTreeSet<_>>())
                .filter(|missing| !missing.is_empty())
                .map(|missing| Shortfall::Certifications { missing }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether every member can be so.
    pub(super) fn is_sound(&self) -> bool {
        let within = |number: Option<u32>, max| number.is_none_or(|n| (1..=max).contains(&n));
        within(self.breach_notice_hours, MAX_HOURS)
            && within(self.deletion_days, MAX_DAYS)
            && self.residency.as_ref().is_none_or(|r| !r.is_empty() && r.len() <= MAX_NAMES)
            && self.certifications.len() <= MAX_NAMES
            && self.certifications.iter().all(|name| is_readable(name, MAX_CERTIFICATION))
    }
}

impl PartialOrd for ProtectionProfile {
    /// Greater is stronger. None where each is stronger in something.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.shortfalls(other).is_empty(), other.shortfalls(self).is_empty()) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

/// One respect in which a profile is weaker than the required one. Prints as one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each has what is required and what is offered")]
pub enum Shortfall {
    /// Access control.
    AccessControl { required: AccessControl, offered: AccessControl },
    /// Encryption at rest.
    AtRest { required: AtRest, offered: AtRest },
    /// Hours until the tenant is told of a breach.
    BreachNotice { required: u32, offered: Option<u32> },
    /// Certifications that are missing.
    Certifications { missing: BTreeSet<String> },
    /// Days until data are deleted on request.
    Deletion { required: u32, offered: Option<u32> },
    /// Encryption in transit.
    InTransit { required: InTransit, offered: InTransit },
    /// Custody of the keys.
    KeyCustody { required: KeyCustody, offered: KeyCustody },
    /// What is written down about access.
    Logging { required: Logging, offered: Logging },
    /// The countries where data are.
    Residency { required: BTreeSet<Country>, offered: Option<BTreeSet<Country>> },
    /// Whom else the recipient may employ.
    SubProcessors { required: SubProcessors, offered: SubProcessors },
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut level = |what: &str, required: &dyn fmt::Display, offered: &dyn fmt::Display| {
            write!(f, "{what}: at least {required} is required, {offered} is offered")
        };
        let within = |number: Option<u32>, unit: &str| match number {
            Some(1) => format!("within 1 {unit}"),
            Some(n) => format!("within {n} {unit}s"),
            None => "never".to_owned(),
        };
        match self {
            Self::AtRest { required, offered } => level("encryption at rest", required, offered),
            Self::InTransit { required, offered } => level("encryption in transit", required, offered),
            Self::KeyCustody { required, offered } => level("key custody", required, offered),
            Self::AccessControl { required, offered } => level("access control", required, offered),
            Self::Logging { required, offered } => level("logging of access", required, offered),
            Self::SubProcessors { required, offered } => {
                write!(f, "sub-processors: at most {required} is required, {offered} is offered")
            }
            Self::BreachNotice { required, offered } => {
                let (required, offered) = (within(Some(*required), "hour"), within(*offered, "hour"));
                write!(f, "notice of a breach: {required} is required, {offered} is offered")
            }
            Self::Deletion { required, offered } => {
                let (required, offered) = (within(Some(*required), "day"), within(*offered, "day"));
                write!(f, "deletion on request: {required} is required, {offered} is offered")
            }
            Self::Residency { required, offered } => {
                let offered = offered.as_ref().map_or("anywhere".to_owned(), list);
                write!(f, "residency: only {} is required, {offered} is offered", list(required))
            }
            Self::Certifications { missing } => write!(f, "certifications: {} is required and missing", list(missing)),
        }
    }
}

fn list<T: fmt::Display>(names: &BTreeSet<T>) -> String {
    names.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
