//! Words of agreements.

use crate::document::words;

words! {
    /// What a recipient is to the tenant: the clauses of a privacy policy under which records are passed on.
    RecipientClass {
        /// A company of the tenant's group.
        Affiliate = "affiliate",
        /// Sells the tenant's services.
        Reseller = "reseller",
        /// Works for the tenant, on its instructions.
        ServiceProvider = "service-provider",
        /// Wants to advertise. No transfer policy can allow it.
        MarketingPartner = "marketing-partner",
        /// Takes over the tenant's business.
        Successor = "successor",
    }

    /// Whether the recipient may pass on what it received.
    Onward {
        /// To nobody.
        Forbidden = "forbidden",
        /// With the tenant's consent in each case.
        WithConsent = "with-consent",
    }

    /// What of a record's [`Head`](crate::record::Head) may go to a recipient.
    Field {
        /// When the interaction began.
        Start = "start",
        /// How long it lasted.
        Duration = "duration",
        /// Over what it took place.
        Channel = "channel",
        /// Who turned to whom.
        Direction = "direction",
        /// The agent.
        Agent = "agent",
        /// The queue or skill.
        Queue = "queue",
        /// Its language.
        Language = "language",
        /// The tenant's labels.
        Tags = "tags",
        /// The version of the privacy policy under which it was collected.
        PolicyVersion = "policy-version",
        /// What each subject did in it.
        SubjectRoles = "subject-roles",
        /// The subjects' names.
        SubjectNames = "subject-names",
        /// The subjects' telephone numbers, addresses and customer numbers.
        SubjectIdentifiers = "subject-identifiers",
        /// The names of its parts.
        PartNames = "part-names",
    }
}
