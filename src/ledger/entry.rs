//! A message as it is stored: sealed as a record's head is, under the next message key of an epoch and a slot of its own.

use sha2::{Digest, Sha256};

use super::message::MAX_MESSAGE;
use crate::encoding::{enc, padded_len};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, TenantId, VaultId};
use crate::kdf::exp_ext;
use crate::key::PublicKey;
use crate::secret::{Plain, Secret};
use crate::stream::{RangeReader, Sealer, frame, sealed_len, unframe};

/// Bytes of a paper at the most.
pub(crate) const MAX_PAPER: usize = 16 << 20;

/// Where a message belongs: part of its key and context.
#[derive(Clone, Copy)]
pub(crate) struct EntryPlace {
    pub(crate) vault: VaultId,
    pub(crate) tenant: TenantId,
    pub(crate) epoch: EpochId,
    /// The number of the message key in its epoch.
    pub(crate) chain: u32,
    pub(crate) log: PublicKey,
    pub(crate) seq: u64,
}

impl EntryPlace {
    /// `EXP(EXT(ss, mk_T), ENC("entry-key"; vault, tenant, epoch, u32(chain)))`.
    pub(crate) fn key(&self, message_key: &Secret, shred: &Secret) -> Secret {
        let chain = self.chain.to_be_bytes();
        let fields: [&[u8]; 4] = [self.vault.as_bytes(), self.tenant.as_bytes(), self.epoch.as_bytes(), &chain];
        exp_ext(shred, message_key, &enc("entry-key", &fields))
    }

    /// `ENC("entry"; vault, tenant, epoch, u32(chain), H(log key), u64(seq))`.
    pub(crate) fn context(&self) -> Vec<u8> {
        let (chain, log, seq) = (self.chain.to_be_bytes(), Sha256::digest(self.log.as_bytes()), self.seq.to_be_bytes());
        let place: [&[u8]; 3] = [self.vault.as_bytes(), self.tenant.as_bytes(), self.epoch.as_bytes()];
        enc("entry", &[place[0], place[1], place[2], &chain, &log, &seq])
    }

    /// The key of a paper: as of the message, under `"paper-key"`, the paper's topic and what it is about.
    fn paper_key(&self, topic: &str, about: Option<[u8; 16]>, message_key: &Secret, shred: &Secret) -> Secret {
        let (chain, about) = (self.chain.to_be_bytes(), about.as_ref().map_or(&[][..], |about| about));
        let place: [&[u8]; 3] = [self.vault.as_bytes(), self.tenant.as_bytes(), self.epoch.as_bytes()];
        let fields = [place[0], place[1], place[2], &chain, topic.as_bytes(), about];
        exp_ext(shred, message_key, &enc("paper-key", &fields))
    }

    /// Seals a document that the entry speaks of: it opens as long as the entry's message does, and in its place only.
    pub(crate) fn seal_paper(
        &self,
        topic: &str,
        about: Option<[u8; 16]>,
        message_key: &Secret,
        shred: &Secret,
        paper: &[u8],
    ) -> Result<Vec<u8>> {
        if paper.len() > MAX_PAPER {
            return Err(Error::new(ErrorKind::TooLarge, "sealing a paper of a ledger's entry"));
        }
        seal(&self.paper_key(topic, about, message_key, shred), &self.context(), paper)
    }

    pub(crate) fn open_paper(
        &self,
        topic: &str,
        about: Option<[u8; 16]>,
        message_key: &Secret,
        shred: &Secret,
        sealed: Vec<u8>,
    ) -> Result<Plain> {
        open(&self.paper_key(topic, about, message_key, shred), &self.context(), sealed, MAX_PAPER)
    }

    pub(crate) fn seal(&self, message_key: &Secret, shred: &Secret, message: &[u8]) -> Result<Vec<u8>> {
        seal(&self.key(message_key, shred), &self.context(), message)
    }

    pub(crate) fn open(&self, message_key: &Secret, shred: &Secret, sealed: Vec<u8>) -> Result<Vec<u8>> {
        Ok(open(&self.key(message_key, shred), &self.context(), sealed, MAX_MESSAGE)?.to_vec())
    }
}

fn seal(key: &Secret, context: &[u8], bytes: &[u8]) -> Result<Vec<u8>> {
    let plain = frame(bytes);
    let mut sealed = Vec::with_capacity(sealed_len(plain.len() as u64) as usize);
    let sealer: Sealer = Sealer::start(key, context, &mut sealed)?;
    sealer.whole(&plain, &mut sealed)?;
    Ok(sealed)
}

fn open(key: &Secret, context: &[u8], sealed: Vec<u8>, limit: usize) -> Result<Plain> {
    let bad = || Error::new(ErrorKind::Tampered, "opening a ledger's message or paper");
    if sealed.len() as u64 > sealed_len(padded_len(4 + limit as u64)) {
        return Err(bad());
    }
    let mut reader = RangeReader::with_secret(sealed, key, context)?;
    let mut plain = Plain::from(vec![0; reader.authenticate_end()? as usize]);
    reader.read_range(0, &mut plain)?;
    Ok(Plain::from(unframe(&plain).ok_or_else(bad)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::OperatorKey;

    #[test]
    fn a_message_opens_in_its_place_and_nowhere_else() {
        let place = EntryPlace {
            vault: VaultId::from_bytes([1; 16]),
            tenant: TenantId::from_bytes([2; 16]),
            epoch: EpochId::from_bytes([3; 16]),
            chain: 4,
            log: OperatorKey::generate().unwrap().public_key(),
            seq: 5,
        };
        let (key, shred) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        for len in [0, 1020, 1021, 20_000, MAX_MESSAGE] {
            let message = vec![7; len];
            let sealed = place.seal(&key, &shred, &message).unwrap();
            assert_eq!(place.open(&key, &shred, sealed.clone()).unwrap(), message);
            for elsewhere in [
                EntryPlace { seq: 6, ..place },
                EntryPlace { chain: 5, ..place },
                EntryPlace { tenant: TenantId::from_bytes([9; 16]), ..place },
                EntryPlace { log: OperatorKey::generate().unwrap().public_key(), ..place },
            ] {
                assert!(elsewhere.open(&key, &shred, sealed.clone()).is_err());
            }
            assert!(place.open(&shred, &key, sealed).is_err());
        }
    }
}
