use crate::html::{Grouped, Series, Tone};

/// What an act is about, in the order of the chart's series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Stored,
    Read,
    HandedOver,
    Governed,
    Erased,
    Trouble,
    /// An entry whose text cannot be read.
    Unreadable,
}

impl Group {
    pub(crate) const SERIES: [Series<'static>; 7] = [
        Self::Stored.series("Stored", "Interactions came into the vault."),
        Self::Read.series("Read", "The tenant opened interactions, with its own secret key."),
        Self::HandedOver.series("Handed over", "Interactions were sent to a third party or disclosed to an authority."),
        Self::Governed.series(
            "Governed",
            "Rules and keys: policies, agreements, orders, legal holds, restrictions, notices, inquiries.",
        ),
        Self::Erased.series("Erased", "Interactions were destroyed by destroying their keys."),
        Self::Trouble.series("Trouble", "Something failed, was restored, or has an outcome that nobody knows."),
        Self::Unreadable.series("Unreadable", "The text of the entry is erased, withheld by order, or does not open."),
    ];

    const fn series(self, name: &'static str, meaning: &'static str) -> Series<'static> {
        Series { paint: self as usize, name, meaning }
    }

    /// Whether its acts are such as a reader must not miss.
    pub(crate) fn tone(self) -> Tone {
        match self {
            Self::HandedOver | Self::Erased => Tone::Grave,
            Self::Trouble => Tone::Alarm,
            Self::Unreadable => Tone::Faint,
            Self::Stored | Self::Read | Self::Governed => Tone::Plain,
        }
    }

    /// Whose acts most entries are.
    pub(crate) fn is_routine(self) -> bool {
        matches!(self, Self::Stored | Self::Read)
    }
}

/// An act's group, and what it says to somebody who has never seen a ledger. None for a kind that is not known here.
pub(crate) fn sentence(kind: &str, records: Option<u64>) -> Option<(Group, String)> {
    use Group::*;
    let of = counted(records);
    let did = |verb: &str| format!("{} {verb}", capital(&was(records)));
    let plain = str::to_owned;
    Some(match kind {
        "ingested" => (Stored, format!("A writer process stored {of}.")),

        "session.opened" => (Read, plain("A reading session began: someone used the tenant's secret key.")),
        "session.closed" => (Read, format!("A reading session ended; {} read in it.", was(records))),
        "read" => (Read, did("read, one by one.")),
        "exported" => (Read, format!("The tenant took a copy of {of} out of the vault.")),

        "transfer.authorised" => (HandedOver, format!("Handing {of} to a third party was authorised.")),
        "transfer.completed" => (HandedOver, did("handed to a third party.")),
        "transfer.receipted" => (HandedOver, format!("The third party signed that it received {of}.")),
        "order.producing" => (HandedOver, format!("Giving {of} to an authority begins, as an order required.")),
        "order.disclosed" => (HandedOver, did("disclosed to an authority, as an order required.")),

        "transfer.refused" => (Governed, plain("A transfer to a third party was refused; nothing left the vault.")),
        "agreement.signed" => (Governed, plain("An agreement with a third party came into force.")),
        "transfer.policy.changed" => {
            (Governed, plain("The tenant said anew what a third party must promise before anything is sent to it."))
        }
        "deletion.answered" => (Governed, plain("A third party answered a request to delete what it had been sent.")),
        "agreement.revoked" => (Governed, plain("An agreement with a third party was revoked.")),
        "writer.enrolled" => (Governed, plain("A writer process was allowed to store interactions.")),
        "writer.retired" => (Governed, plain("A writer process may no longer store anything.")),
        "policy.changed" => (Governed, plain("The tenant's policy was changed.")),
        "card.changed" => (Governed, plain("The tenant's keys were renewed.")),
        "key.rotated" => (Governed, plain("A key was replaced by a new one.")),
        "log.opened" => (Governed, plain("This ledger was opened.")),
        "log.closed" => (Governed, plain("This ledger was closed; nothing can be added to it.")),
        "order.received" => (Governed, plain("An authority's order to disclose was received.")),
        "order.reviewed" => (Governed, plain("An authority's order to disclose was reviewed.")),
        "order.approved" => (Governed, plain("An authority's order to disclose was approved.")),
        "order.consented" => (Governed, plain("The tenant agreed to an authority's order to disclose.")),
        "order.found" => (Governed, format!("Custodians helped find {of} that an order is about.")),
        "order.closed" => (Governed, plain("An authority's order to disclose was closed.")),
        "custodians.drilled" => (
            Governed,
            plain("The custodians showed, on a record made for it, that they can still open what an order asks for."),
        ),
        "notice.given" => (Governed, plain("The tenant was told of a disclosure.")),
        "hold.placed" => (Governed, format!("A legal hold was placed on {of}: no erasure until it ends.")),
        "hold.release.proposed" => {
            (Governed, plain("The end of a legal hold was proposed: somebody else has to confirm it."))
        }
        "hold.released" => (Governed, plain("A legal hold was released.")),
        "deletion.deferred" => {
            (Governed, format!("{} to be erased, and a legal hold keeps them until it ends.", capital(&was(records))))
        }
        "restricted" => {
            (Governed, plain("A person asked not to be handed on: their interactions are left out of transfers."))
        }
        "restriction.lifted" => (Governed, plain("A person's interactions may be handed on again.")),
        "recipients.told" => (Governed, plain("Those who had received copies were told to erase them.")),
        _ if kind.starts_with("inquiry.") => (Governed, plain("A person's inquiry about their data went a step on.")),

        "erasure.authorised" => (Erased, format!("Erasing {of} was authorised.")),
        "erased" => (Erased, did("erased: the keys to open them no longer exist.")),

        "order.failed" => (Trouble, plain("A disclosure to an authority was stopped before its end.")),
        "transfer.failed" => (Trouble, plain("A transfer to a third party failed.")),
        "transfer.outcome_unknown" | "outcome.unknown" => {
            (Trouble, plain("It is not known whether an act was carried out: the program stopped before it could say."))
        }
        "degraded" => (Trouble, plain("The disk was full: what could not be stored was refused.")),
        "recovered" => (Trouble, plain("There is space on the disk again: the vault stores as before.")),
        "restored" => {
            (Trouble, plain("An old copy of the vault was put back: of the ledger before, later entries may be lost."))
        }
        _ => return None,
    })
}

fn counted(records: Option<u64>) -> String {
    match records {
        None => "interactions".to_owned(),
        Some(0) => "no interaction".to_owned(),
        Some(1) => "1 interaction".to_owned(),
        Some(n) => format!("{} interactions", Grouped::from(n)),
    }
}

fn was(records: Option<u64>) -> String {
    let verb = if matches!(records, Some(0 | 1)) { "was" } else { "were" };
    format!("{} {verb}", counted(records))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_told_with_its_number() {
        for (kind, records, text) in [
            ("ingested", Some(3), "A writer process stored 3 interactions."),
            ("ingested", Some(1), "A writer process stored 1 interaction."),
            ("order.disclosed", Some(1), "1 interaction was disclosed to an authority, as an order required."),
            ("session.closed", Some(0), "A reading session ended; no interaction was read in it."),
            ("transfer.completed", Some(12_000), "12,000 interactions were handed to a third party."),
            ("transfer.completed", None, "Interactions were handed to a third party."),
            ("transfer.completed", Some(0), "No interaction was handed to a third party."),
        ] {
            assert_eq!(sentence(kind, records).unwrap().1, text);
        }
    }

    #[test]
    fn every_kind_that_a_ledger_can_have_is_told_in_a_sentence() {
        for (_, kind) in crate::ledger::KINDS {
            let (_, text) = sentence(kind, Some(1)).unwrap_or_else(|| panic!("{kind}"));
            assert!(
                text.ends_with('.') && (!text.contains(kind) || ["erased", "read"].contains(&kind)),
                "{kind}: {text}"
            );
        }
    }

    #[test]
    fn a_kind_of_tomorrow_has_no_sentence() {
        assert!(sentence("teleported", Some(1)).is_none());
        assert!(sentence("", None).is_none());
    }

    #[test]
    fn every_group_has_its_name() {
        assert_eq!(Group::SERIES[Group::Unreadable as usize].name, "Unreadable");
        assert_eq!(Group::SERIES[Group::HandedOver as usize].name, "Handed over");
    }
}
