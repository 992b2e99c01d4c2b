//! Words of orders.

use crate::document::words;

words! {
    /// On what ground records are to be disclosed.
    LegalBasis {
        /// A subpoena.
        Subpoena = "subpoena",
        /// An order of a court.
        CourtOrder = "court-order",
        /// A warrant.
        Warrant = "warrant",
        /// A demand of a regulator.
        RegulatoryDemand = "regulatory-demand",
        /// A demand for the sake of national security.
        NationalSecurityDemand = "national-security-demand",
        /// To protect legal rights.
        LegalRights = "legal-rights",
        /// A request to preserve: nothing is disclosed under it, and nothing erased.
        Preservation = "preservation",
        /// An emergency that threatens life or limb.
        Emergency = "emergency",
    }

    /// What came of the review of an order.
    ReviewOutcome {
        /// It is to be followed as it is.
        Accepted = "accepted",
        /// It is to be followed in part: its newest revision says in which.
        Narrowed = "narrowed",
        /// It is contested before a court; nothing is disclosed until a later review.
        Challenged = "challenged",
        /// It is not followed.
        Rejected = "rejected",
    }
}
