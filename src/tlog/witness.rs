//! C2SP tlog-witness v1.0.0: what a witness is asked, and the sizes that it answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::SignedCheckpoint;
use super::merkle::Hash;

/// Where a checkpoint is posted, behind a witness's submission prefix.
pub const ADD_CHECKPOINT: &str = "/add-checkpoint";

/// The body of a request: the size that the witness signed last, or 0, the proof that the checkpoint continues it (RFC 6962
/// section 2.1.2, empty if there is nothing to prove), and the checkpoint.
pub fn add_checkpoint(old: u64, proof: &[Hash], checkpoint: &SignedCheckpoint) -> String {
    let proof: String = proof.iter().map(|hash| format!("{}\n", STANDARD.encode(hash))).collect();
    format!("old {old}\n{proof}\n{checkpoint}")
}

/// The size in the body of an answer with status 409, `text/x.tlog.size`: what the witness signed last.
pub fn conflict_size(body: &str) -> Option<u64> {
    let digits = body.strip_suffix('\n')?;
    digits.parse::<u64>().ok().filter(|size| size.to_string() == digits && *size <= i64::MAX as u64)
}
