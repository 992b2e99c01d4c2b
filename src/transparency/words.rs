use crate::document::words;

words! {
    /// What came of an order.
    OrderOutcome {
        /// It was followed, as it was.
        Complied = "complied",
        /// It was followed in part.
        Narrowed = "narrowed",
        /// Records were kept from being erased, and nothing was asked for but that.
        Preserved = "preserved",
        /// It was not followed.
        Rejected = "rejected",
        /// It is contested before a court.
        Challenged = "challenged",
        /// It ended without anything being given out, and was not rejected.
        Withdrawn = "withdrawn",
        /// It is not decided, or not carried out yet.
        Pending = "pending",
    }
}
