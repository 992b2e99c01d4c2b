//! Every fault of every store, once as "it failed", once as "it happened, but we were not told", and once as a death.

mod disclose;
mod erase;
mod ingest;
mod restore;
mod stores;
mod transfer;
