use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

/// The one error of this crate.
///
/// [`kind`](Error::kind) tells a program what it can do, `Display` says in one sentence what was being done, and
/// [`source`](std::error::Error::source) says why it failed. None of them holds a subject, a text or a key.
/// Unless the kind is [`OutcomeUnknown`](ErrorKind::OutcomeUnknown), or the act says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct Error {
    kind: ErrorKind,
    doing: Cow<'static, str>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, by what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It is there already: open it, or choose another name or folder.
    AlreadyExists,
    /// The caller stopped it. What was given out until then is in the ledger, and useless without the rest.
    Cancelled,
    /// The card or policy in the vault is not the pinned one: find out who changed it before ingesting anything.
    CardMismatch,
    /// A stored object, slot or row is missing or cut short: restore it from a backup; `check` lists all such places.
    Damaged,
    /// The bytes do not have the digest that their producer gave: fetch them again.
    DigestMismatch,
    /// The record was erased: its key no longer exists anywhere.
    Erased,
    /// Two histories of one ledger were signed or seen: keep both, and let nobody rely on either until it is known which is
    /// true.
    Forked,
    /// No space is left: nothing was stored; free some and try again.
    Full,
    /// The idempotency key was used before with other content: choose another key or amend the record.
    IdempotencyConflict,
    /// An argument is not acceptable: correct it.
    InvalidInput,
    /// The file system or database failed: nothing was stored; look at the source, then try again.
    Io,
    /// Another process holds the vault too long: try again later.
    Locked,
    /// No such thing, or none that the caller may know of.
    NotFound,
    /// A commit's outcome could not be learnt and this handle refuses further work: open the vault again and look.
    OutcomeUnknown,
    /// The folder or database cannot be written by this process: nothing was stored.
    ReadOnly,
    /// An agreement, a policy, a restriction, a rule or somebody who was asked does not allow it: the source says why. Nothing
    /// was released; if something was to be, the ledger says why not.
    Refused,
    /// A ledger is behind what it was known to have grown to: somebody put an old copy back. Nothing is signed or released.
    /// Put the newer copy back; if there is none, go on by [`Vault::open_to_restore`](crate::Vault::open_to_restore).
    RolledBack,
    /// What the caller supplied failed, a reader or a way to somebody else: nothing was stored; try again with a fresh one.
    Source,
    /// The bytes are not what was sealed, or not where they were sealed: trust nothing of them.
    Tampered,
    /// It exceeds a limit that the documentation names: make it smaller or split it.
    TooLarge,
    /// The format is of a newer version: use a newer program.
    Unsupported,
    /// Fewer witnesses have signed than are asked for: have them sign, or wait until they have.
    Unwitnessed,
    /// The key is not the one that this was sealed to: use the right one.
    WrongKey,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, doing: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, doing: doing.into(), source: None }
    }

    pub(crate) fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Wraps a failed file operation. An `io::Error` that carries one of our own gives it back unchanged.
    pub(crate) fn from_io(source: io::Error, doing: impl Into<Cow<'static, str>>) -> Self {
        match source.downcast::<Error>() {
            Ok(own) => own,
            Err(source) => Self::new(kind_of(&source), doing).because(source),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Tampered | ErrorKind::DigestMismatch => io::ErrorKind::InvalidData,
            ErrorKind::Damaged => io::ErrorKind::UnexpectedEof,
            ErrorKind::NotFound | ErrorKind::Erased => io::ErrorKind::NotFound,
            ErrorKind::Full => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

fn kind_of(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => ErrorKind::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => ErrorKind::ReadOnly,
        io::ErrorKind::UnexpectedEof => ErrorKind::Damaged,
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
        _ => ErrorKind::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_ours_survives_a_passage_through_io() {
        let io: io::Error = Error::new(ErrorKind::Tampered, "opening a chunk").into();
        assert_eq!(Error::from_io(io, "reading").kind(), ErrorKind::Tampered);
    }

    #[test]
    fn a_full_disk_has_its_own_kind() {
        let full = io::Error::from_raw_os_error(28);
        assert_eq!(Error::from_io(full, "writing").kind(), ErrorKind::Full);
    }
}
