use std::fmt;

/// Why a witness did not sign, as it said itself: the source of an error of kind [`Refused`](crate::ErrorKind::Refused).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessRefusal {
    /// It could not read the request (400).
    BadRequest,
    /// It does not know the key that signed the checkpoint for this log (403).
    BadSignature,
    /// It named another size each time that it was asked.
    Restless,
    /// An answer that the protocol does not have: another status, such as 429 or 503.
    Status(u16),
    /// It does not know the log (404): its operator must be given the log's key.
    UnknownLog,
    /// A status that the protocol has, with a body that it does not.
    Unreadable(u16),
}

impl WitnessRefusal {
    pub(super) fn of(status: u16) -> Self {
        match status {
            400 => Self::BadRequest,
            403 => Self::BadSignature,
            404 => Self::UnknownLog,
            _ => Self::Status(status),
        }
    }
}

impl fmt::Display for WitnessRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest => f.write_str("the witness cannot read the request"),
            Self::BadSignature => f.write_str("the witness does not know the key that signed the checkpoint"),
            Self::Restless => f.write_str("the witness named another size each time"),
            Self::Status(status) => write!(f, "the witness answered with status {status}"),
            Self::UnknownLog => f.write_str("the witness does not know the log"),
            Self::Unreadable(status) => write!(f, "the witness answered {status} with what is no answer"),
        }
    }
}

impl std::error::Error for WitnessRefusal {}
