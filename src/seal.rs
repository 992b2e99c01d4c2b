//! The keys of one record, from its place to its parts. SPEC "Record".

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::encoding::enc;
use crate::epoch::MessageKeys;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId, VaultId};
use crate::kdf::exp_ext;
use crate::key::PolicyHash;
use crate::record::{PartKind, RecordHeader};
use crate::secret::Secret;
use crate::shares;
use crate::stream::{unwrap, wrap};

/// Where a record belongs: part of every context, so that nothing opens anywhere else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) vault: VaultId,
    pub(crate) tenant: TenantId,
    pub(crate) epoch: EpochId,
    pub(crate) record: RecordId,
    pub(crate) seq: u32,
}

/// How a tenant shares records' keys with its custodians.
#[derive(Clone, Copy)]
pub(crate) struct Sharing {
    pub(crate) policy: PolicyHash,
    pub(crate) threshold: u8,
}

/// Part 0's kind, which is none of a producer's.
pub(crate) const HEAD_KIND: u8 = 0;

impl Place {
    pub(crate) fn of(header: &RecordHeader) -> Self {
        let RecordHeader { vault, tenant, epoch, record, seq, .. } = *header;
        Self { vault, tenant, epoch, record, seq }
    }

    fn enc(&self, label: &str, more: &[&[u8]]) -> Vec<u8> {
        let mut fields: Vec<&[u8]> =
            vec![self.vault.as_bytes(), self.tenant.as_bytes(), self.epoch.as_bytes(), self.record.as_bytes()];
        fields.extend(more);
        enc(label, &fields)
    }

    pub(crate) fn dek_context(&self) -> Vec<u8> {
        self.enc("dek-tenant", &[&self.seq.to_be_bytes()])
    }

    pub(crate) fn share_context(&self, sharing: Sharing, number: u8, count: u8) -> Vec<u8> {
        let policy = sharing.policy;
        self.enc("dek-share", &[&self.seq.to_be_bytes(), policy.as_bytes(), &[number], &[sharing.threshold], &[count]])
    }

    pub(crate) fn share_commitment(&self, number: u8, share: &Secret) -> [u8; 32] {
        Sha256::digest(Zeroizing::new(self.enc("dek-share-commitment", &[&[number], share.expose_secret()]))).into()
    }

    /// The context of part `part`'s body.
    pub(crate) fn part_context(&self, part: u32, kind: u8) -> Vec<u8> {
        self.enc("part", &[&part.to_be_bytes(), &[kind]])
    }
}

/// The key of one record. Born at ingest, opened by its tenant.
pub(crate) struct RecordKey {
    place: Place,
    dek: Secret,
}

/// The commitment and the sealed share of each custodian.
pub(crate) type SealedShares = Vec<([u8; 32], Vec<u8>)>;

impl RecordKey {
    /// Of the key that shares combined to.
    pub(crate) fn from_dek(place: Place, dek: Secret) -> Self {
        Self { place, dek }
    }

    pub(crate) fn generate(place: Place) -> Result<Self> {
        Ok(Self { place, dek: Secret::generate()? })
    }

    /// By which one who kept it knows the key again: `H(ENC("record-key"; vault, tenant, epoch, record, key))`.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(Zeroizing::new(self.place.enc("record-key", &[self.dek.expose_secret()]))).into()
    }

    /// Whether it is the key of the record in that place.
    pub(crate) fn is_of(&self, place: Place) -> bool {
        self.place == place
    }

    /// The same key, for one more record that is opened with it.
    pub(crate) fn copy(&self) -> Self {
        Self { place: self.place, dek: Secret::from_fn(|dek| dek.copy_from_slice(self.dek.expose_secret())) }
    }

    /// The key sealed to the tenant.
    pub(crate) fn wrap(&self, keys: &MessageKeys) -> Result<Vec<u8>> {
        wrap(&keys.tenant, &self.place.dek_context(), self.dek.expose_secret())
    }

    /// The key in shares, sealed to the custodians; nothing where there are none.
    pub(crate) fn share(&self, keys: &MessageKeys, sharing: Sharing) -> Result<SealedShares> {
        let count = keys.custodians.len() as u8;
        if count == 0 {
            return Ok(Vec::new());
        }
        let shares = shares::split(&self.dek, sharing.threshold, count)?;
        let numbered = (1..).zip(&keys.custodians).zip(&shares);
        numbered
            .map(|((number, key), share)| {
                let sealed = wrap(key, &self.place.share_context(sharing, number, count), share.expose_secret())?;
                Ok((self.place.share_commitment(number, share), sealed))
            })
            .collect()
    }

    /// Opens what [`wrap`](Self::wrap) sealed.
    pub(crate) fn open(place: Place, message_key: &Secret, wrapped: &[u8]) -> Result<Self> {
        let dek = unwrap(message_key, &place.dek_context(), wrapped)?;
        let dek = Secret::from_slice(&dek).ok_or_else(|| Error::new(ErrorKind::Tampered, "opening a record's key"))?;
        Ok(Self { place, dek })
    }

    /// The key of part `part`, whose shred secret the slot holds.
    pub(crate) fn part_key(&self, part: u32, shred_secret: &Secret) -> Secret {
        exp_ext(shred_secret, &self.dek, &self.place.enc("part-key", &[&part.to_be_bytes()]))
    }

    pub(crate) fn part_context(&self, part: u32, kind: PartKind) -> Vec<u8> {
        self.place.part_context(part, kind.code())
    }

    pub(crate) fn head_context(&self) -> Vec<u8> {
        self.place.part_context(0, HEAD_KIND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::EpochWriter;
    use crate::key::{DisclosurePolicy, Identity, TenantCard, WriterKey};

    #[test]
    fn a_quorum_of_custodians_combines_to_the_record_key_and_its_shares_open_nowhere_else() {
        let tenant = Identity::generate().unwrap();
        let card = TenantCard::new(VaultId::generate().unwrap(), TenantId::generate().unwrap(), &tenant);
        let custodians: Vec<Identity> = (0..3).map(|_| Identity::generate().unwrap()).collect();
        let who = custodians.iter().map(Into::into).collect();
        let policy = DisclosurePolicy::quorum(&card, 2, who, &tenant).unwrap();
        let mut epoch = EpochWriter::open(&card, &policy, &WriterKey::generate().unwrap()).unwrap();
        let keys = (0..4).map(|_| epoch.draw()).last().unwrap();
        let header = epoch.header.clone();
        let record = RecordId::generate().unwrap();
        let place = Place { vault: card.vault(), tenant: card.tenant(), epoch: header.epoch(), record, seq: keys.seq };
        let sharing = Sharing { policy: policy.hash(), threshold: 2 };
        let key = RecordKey::generate(place).unwrap();
        let sealed = key.share(&keys, sharing).unwrap();

        let mut opened = Vec::new();
        for (number, custodian) in (1u8..).zip(&custodians) {
            let mk = header.open_as_custodian(number, custodian).unwrap().0.at(place.seq);
            let (commitment, share) = &sealed[usize::from(number) - 1];
            let y = Secret::from_slice(&unwrap(&mk, &place.share_context(sharing, number, 3), share).unwrap()).unwrap();
            assert_eq!(&place.share_commitment(number, &y), commitment);
            let elsewhere = Place { record: RecordId::generate().unwrap(), ..place };
            assert!(unwrap(&mk, &elsewhere.share_context(sharing, number, 3), share).is_err());
            let looser = Sharing { threshold: 1, ..sharing };
            assert!(unwrap(&mk, &place.share_context(looser, number, 3), share).is_err());
            opened.push((number, y));
        }
        for pair in [[0, 1], [1, 2], [2, 0]] {
            let shares = pair.map(|i| (opened[i].0, &opened[i].1));
            assert_eq!(shares::combine(&shares).unwrap().expose_secret(), key.dek.expose_secret());
        }
    }
}
