use super::key::{KeyKind, VerifierKey};
use crate::error::Result;
use crate::id::hex;
use crate::key::PublicKey;
use crate::tlog::origin_of;

/// A C2SP tlog-policy that trusts one log. It names the witnesses, but asks for none of them.
///
/// # Errors
/// None that a log's own name could give.
pub fn c2sp_policy(log: &PublicKey, witnesses: &[VerifierKey]) -> Result<String> {
    let mut text = format!("log {}\n", VerifierKey::new(origin_of(log), KeyKind::Log, *log)?);
    for (number, witness) in (1..).zip(witnesses) {
        text.push_str(&format!("witness w{number} {witness}\n"));
    }
    text.push_str("quorum none\n");
    Ok(text)
}

/// A Sigsum policy that trusts one log. It names the witnesses, but asks for none of them.
pub fn sigsum_policy(log: &PublicKey, witnesses: &[VerifierKey]) -> String {
    let mut text = format!("log {}\n", hex(log.as_bytes()));
    for (number, witness) in (1..).zip(witnesses) {
        text.push_str(&format!("witness w{number} {}\n", hex(witness.public_key().as_bytes())));
    }
    text.push_str("quorum none\n");
    text
}
