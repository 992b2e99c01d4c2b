//! Erase: the owner destroys the keys of what is his, unless a hold keeps it; then it waits until none does.

mod queue;
mod record;
mod release;

pub use queue::DeferredDeletion;
pub use record::{Erased, HeldRecord};
pub use release::Released;
