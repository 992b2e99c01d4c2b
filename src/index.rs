//! Tokens by which a tenant finds the records of one identifier, and nobody else does. SPEC "Tokens".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::encoding::enc;
use crate::secret::Secret;

/// What the database sees of an identifier in a record: 16 bytes that look random and occur once.
pub(crate) type Token = [u8; 16];

/// An epoch's index key `IK`.
pub(crate) struct IndexKey(Secret);

impl IndexKey {
    pub(crate) fn new(key: Secret) -> Self {
        Self(key)
    }

    /// The token of the `counter`th record of the epoch in which `field` has that value, counted from 0.
    pub(crate) fn token(&self, field: &str, value: &str, counter: u32) -> Token {
        let message = Zeroizing::new(enc("token", &[field.as_bytes(), value.as_bytes(), &counter.to_be_bytes()]));
        // HMAC takes keys of any length.
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.expose_secret());
        let mut mac = mac.unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(&message);
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        let mut token = [0; 16];
        token.copy_from_slice(&whole[..16]);
        token
    }
}

/// The writing side of an epoch's index: how often each value came so far, known by its first token.
pub(crate) struct IndexWriter {
    key: IndexKey,
    counts: Mutex<HashMap<Token, u32>>,
}

impl IndexWriter {
    pub(crate) fn new(key: IndexKey) -> Self {
        Self { key, counts: Mutex::default() }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Token, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record's fields and values, whose tokens are drawn while it is committed and not before.
///
/// Readers look a value up by counting until a token is missing, so the counters of committed records must be dense,
/// whatever became of the records between them: those of a record that is not committed are drawn again.
pub(crate) struct Fields {
    pub(crate) index: Arc<IndexWriter>,
    pub(crate) values: Vec<(&'static str, Zeroizing<String>)>,
}

/// Tokens that count unless this is dropped without [`keep`](Self::keep).
pub(crate) struct Drawn {
    index: Arc<IndexWriter>,
    /// First token of each value.
    values: Vec<Token>,
}

impl Fields {
    /// Draws a token for every value. Draw, commit, and keep or drop in one order: that of the store's one writer.
    pub(crate) fn draw(&self) -> (Vec<Token>, Drawn) {
        let mut counts = self.index.counts();
        let mut drawn = Drawn { index: Arc::clone(&self.index), values: Vec::with_capacity(self.values.len()) };
        let mut tokens = Vec::with_capacity(self.values.len());
        for (field, value) in &self.values {
            let first = self.index.key.token(field, value, 0);
            let count = counts.entry(first).or_default();
            tokens.push(if *count == 0 { first } else { self.index.key.token(field, value, *count) });
            *count += 1;
            drawn.values.push(first);
        }
        (tokens, drawn)
    }
}

impl Drawn {
    pub(crate) fn keep(mut self) {
        self.values.clear();
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        let mut counts = self.index.counts();
        for value in &self.values {
            if let Some(count) = counts.get_mut(value) {
                *count -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stay_dense_when_a_record_is_not_committed() {
        let key = || IndexKey::new(Secret::from_fn(|k| *k = [7; 32]));
        let index = Arc::new(IndexWriter::new(key()));
        let fields = |values: &[&str]| Fields {
            index: Arc::clone(&index),
            values: values.iter().map(|v| ("tel", Zeroizing::new((*v).to_owned()))).collect(),
        };
        let (first, kept) = fields(&["+1", "+2"]).draw();
        kept.keep();
        let (lost, dropped) = fields(&["+2"]).draw();
        drop(dropped);
        let (again, kept) = fields(&["+2", "+1"]).draw();
        kept.keep();
        assert_eq!(first, [key().token("tel", "+1", 0), key().token("tel", "+2", 0)]);
        assert_eq!(again, [key().token("tel", "+2", 1), key().token("tel", "+1", 1)]);
        assert_eq!(lost[0], again[0]);
        assert_ne!(key().token("mailto", "+1", 0), first[0]);
    }
}
