use std::io;

use super::kept::Attempts;
use crate::html::{Page, Tone, counted};
use crate::id::TransferId;
use crate::key::PublicKey;
use crate::time::Timestamp;
use crate::transfer::{SentTransfer, TransferOutcome};

/// A transfer as the page shows it.
pub(super) struct Item {
    pub(super) sent: SentTransfer,
    /// Its recipient among the parties. None if it was refused because there is no such agreement.
    pub(super) party: Option<usize>,
    /// Its agreement among the contracts.
    pub(super) contract: Option<usize>,
    pub(super) revision: Option<u32>,
    /// If it repeats another or is repeated.
    pub(super) attempts: Option<Attempts>,
    /// How many of its records the recipient says that it has deleted.
    pub(super) deleted: u64,
}

/// What a reader must know of a transfer first. The numbers are those of the paints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running = 0,
    /// It went; its delivery receipt is not due yet.
    Awaited = 1,
    Overdue = 2,
    Receipted = 3,
    Failed = 5,
    Refused = 6,
    Unknown = 7,
}

impl State {
    /// In the order in which a reader asks for them.
    pub(super) const NAMES: [(usize, &'static str); 7] = [
        (Self::Receipted as usize, "Receipt signed"),
        (Self::Awaited as usize, "Receipt open"),
        (Self::Overdue as usize, "Receipt overdue"),
        (Self::Running as usize, "Under way"),
        (Self::Failed as usize, "Failed"),
        (Self::Unknown as usize, "Outcome unknown"),
        (Self::Refused as usize, "Refused"),
    ];

    pub(super) fn tone(self) -> Tone {
        match self {
            Self::Failed | Self::Unknown => Tone::Alarm,
            Self::Overdue => Tone::Grave,
            Self::Running | Self::Awaited | Self::Receipted | Self::Refused => Tone::Plain,
        }
    }
}

impl Item {
    pub(super) fn state(&self, now: Timestamp) -> State {
        match self.sent.outcome {
            TransferOutcome::Refused(_) => State::Refused,
            _ if self.sent.receipted.is_some() => State::Receipted,
            TransferOutcome::Running => State::Running,
            TransferOutcome::Failed(_) => State::Failed,
            TransferOutcome::Unknown => State::Unknown,
            TransferOutcome::Completed if self.sent.receipt_is_overdue(now) => State::Overdue,
            TransferOutcome::Completed => State::Awaited,
        }
    }

    /// Whether all of it is with the recipient: it was given out, or the recipient signed that it has it.
    pub(super) fn arrived(&self) -> bool {
        self.sent.outcome == TransferOutcome::Completed || self.sent.receipted.is_some()
    }

    /// Whether a delivery receipt is due, now or later, that nobody has recorded.
    pub(super) fn awaits_receipt(&self) -> bool {
        let due = matches!(self.sent.outcome, TransferOutcome::Completed | TransferOutcome::Unknown);
        due && self.sent.receipted.is_none() && self.sent.receipt_by.is_some()
    }

    /// Whether nobody has seen to it that what it was to bring arrives.
    fn is_left_undone(&self) -> bool {
        self.attempts.is_none_or(|attempts| !attempts.arrived)
    }

    pub(super) fn needs_attention(&self, now: Timestamp) -> bool {
        match self.state(now) {
            State::Overdue => true,
            State::Failed | State::Unknown => self.is_left_undone() || self.sent.receipt_is_overdue(now),
            State::Running | State::Awaited | State::Receipted | State::Refused => false,
        }
    }

    /// How many of its records the recipient may keep no more, and has not said that it deleted.
    pub(super) fn outstays(&self, now: Timestamp) -> u64 {
        let passed = self.sent.may_have_arrived() && self.sent.keep_until.is_some_and(|until| until <= now);
        if passed { self.sent.records.saturating_sub(self.deleted) } else { 0 }
    }

    /// Its anchor on the page.
    pub(super) fn anchor(&self) -> String {
        anchor(self.sent.id)
    }

    /// What happened, as a sentence or two.
    pub(super) fn told(&self, recipient: Option<&str>, now: Timestamp, page: &mut Page<'_>) -> io::Result<()> {
        let records = records(self.sent.records);
        let one = self.sent.records == 1;
        let mut say = |before: &str, after: &str| {
            page.text(before)?;
            match recipient {
                Some(name) => page.quoted(name)?,
                None => page.text("a third party")?,
            }
            page.text(after)
        };
        match (self.state(now), &self.sent.outcome) {
            (State::Refused, _) => say("A transfer to ", " was refused. Nothing left the vault."),
            (State::Running, _) if one => say("1 record is on its way to ", "."),
            (State::Running, _) => say(&format!("{records} are on their way to "), "."),
            (State::Failed, _) => {
                say(&format!("Sending {records} to "), " failed. Part of it may have been given out.")
            }
            (State::Unknown, _) => {
                let after = " when the program stopped. Nobody knows how much was given out.";
                say(&format!("{records} {} being sent to ", if one { "was" } else { "were" }), after)
            }
            (State::Receipted, TransferOutcome::Completed) => {
                say(&format!("{records} went to "), ", which signed for it.")
            }
            (State::Receipted, _) => {
                let after = ", though the transfer was not completed: the recipient signed for it.";
                say(&format!("{records} went to "), after)
            }
            (State::Overdue, _) => say(&format!("{records} went to "), ". The delivery receipt is overdue."),
            (State::Awaited, _) => say(&format!("{records} went to "), "."),
        }
    }
}

pub(super) fn anchor(id: TransferId) -> String {
    format!("t{id}")
}

pub(super) fn records(n: u64) -> String {
    counted(n, "record", "records")
}

pub(super) fn transfers(n: u64) -> String {
    counted(n, "transfer", "transfers")
}

/// The name of the file that has what an entry says, as exports and receipts of a ledger name it.
pub(super) fn file(entry: (PublicKey, u64)) -> String {
    format!("{:08}.json", entry.1)
}
