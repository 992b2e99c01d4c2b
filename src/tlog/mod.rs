//! The formats of transparency logs: trees of RFC 6962, checkpoints and proofs as C2SP and Sigsum write them. Pure:
//! nothing here reads or writes a file, knows a secret, or panics on any input.

mod checkpoint;
mod key;
mod leaf;
mod merkle;
mod note;
mod policy;
mod proof;
mod tiles;
mod verify;
#[cfg(any(test, feature = "witness"))]
mod witness;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, SignedCheckpoint, origin_of};
pub use key::{KeyKind, VerifierKey, from_openssh, openssh, pem};
pub use leaf::Leaf;
pub use merkle::{Edge, Hash, Nodes, consistency, empty_root, inclusion, leaf_hash, node_hash, place, root};
pub use note::Note;
pub use policy::Policy;
pub use proof::InclusionProof;
pub use tiles::{TILE, bundle, entries_path, tile_path};
pub(crate) use verify::inclusion_root;
pub use verify::{verify_consistency, verify_inclusion, verify_subtree};
#[cfg(any(test, feature = "witness"))]
pub use witness::{ADD_CHECKPOINT, add_checkpoint, conflict_size};

pub(crate) use note::MAX_NOTE;
