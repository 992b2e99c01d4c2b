//! Epochs: the keys of one writing process for at most 16,384 records and 24 hours. SPEC "Epoch".

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::encoding::{Fields, enc};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, TenantId, VaultId};
use crate::index::{IndexKey, IndexWriter};
use crate::kdf::{exp, exp_both};
use crate::key::{
    CardHash, DisclosurePolicy, Opener, PolicyHash, PublicKey, Suite, TenantCard, WriterKey, seal, signed, split_signed,
};
use crate::secret::Secret;
use crate::shares;
use crate::time::Timestamp;

const LABEL: &str = "epoch-header";
/// Records in an epoch at the most.
pub const EPOCH_RECORDS: u32 = 16_384;
/// How long an epoch takes records.
pub const EPOCH_TIME: Duration = Duration::from_secs(24 * 3600);

/// The public part of an epoch: its chain keys, sealed to the tenant and to each custodian, signed by the writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochHeader {
    vault: VaultId,
    tenant: TenantId,
    epoch: EpochId,
    writer: PublicKey,
    card: CardHash,
    policy: PolicyHash,
    opened: Timestamp,
    suite: Suite,
    for_tenant: Vec<u8>,
    for_custodians: Vec<CustodianSeal>,
    bytes: Vec<u8>,
}

/// `C_i || ik_share_i` sealed to custodian i, and the commitment to `ik_share_i`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CustodianSeal {
    pub(crate) suite: Suite,
    pub(crate) commitment: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

impl EpochHeader {
    /// The vault that it is in.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The tenant that its records belong to.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Its id.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// The writer that signed it.
    pub fn writer(&self) -> PublicKey {
        self.writer
    }

    /// The card that it was sealed to.
    pub fn card(&self) -> CardHash {
        self.card
    }

    /// The disclosure policy that it was sealed under.
    pub fn policy(&self) -> PolicyHash {
        self.policy
    }

    /// When it was opened, by the writer's clock.
    pub fn opened(&self) -> Timestamp {
        self.opened
    }

    /// How many custodians it is sealed to.
    pub fn custodians(&self) -> usize {
        self.for_custodians.len()
    }

    /// The header as it is stored.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Parses a header and verifies its writer's signature.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the bytes are no header or the signature does not verify.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (body, signature) = split_signed(bytes)?;
        let mut f = Fields::of(LABEL, body)?;
        let mut this = Self {
            vault: VaultId::from_bytes(f.array()?),
            tenant: TenantId::from_bytes(f.array()?),
            epoch: EpochId::from_bytes(f.array()?),
            writer: PublicKey::from_bytes(f.array()?)?,
            card: CardHash::from_bytes(f.array()?),
            policy: PolicyHash::from_bytes(f.array()?),
            opened: Timestamp::from_unix_ms(i64::from_be_bytes(f.array()?)),
            suite: Suite::from_code(u16::from_be_bytes(f.array()?))?,
            for_tenant: f.bytes()?.to_vec(),
            for_custodians: Vec::new(),
            bytes: bytes.to_vec(),
        };
        while f.remaining() > 0 {
            let rest = f.bytes()?;
            let (suite, rest) = rest.split_first_chunk::<2>().ok_or_else(|| f.bad())?;
            let (commitment, sealed) = rest.split_first_chunk::<32>().ok_or_else(|| f.bad())?;
            let suite = Suite::from_code(u16::from_be_bytes(*suite))?;
            this.for_custodians.push(CustodianSeal { suite, commitment: *commitment, sealed: sealed.to_vec() });
        }
        this.writer.verify(body, &signature, "verifying an epoch header's signature")?;
        Ok(this)
    }

    /// What custodian `number` opens: its chain and its share of the index key.
    ///
    /// # Errors
    /// `WrongKey` or `Tampered` if it was not sealed to that custodian.
    pub(crate) fn open_as_custodian(&self, number: u8, custodian: &dyn Opener) -> Result<(Chain, Secret)> {
        let bad = || Error::new(ErrorKind::Tampered, "opening an epoch as a custodian");
        let seal = usize::from(number).checked_sub(1).and_then(|at| self.for_custodians.get(at)).ok_or_else(bad)?;
        if custodian.recipient().suite() != seal.suite {
            return Err(Error::new(ErrorKind::WrongKey, "opening an epoch as a custodian"));
        }
        let info = self.context().custodian_info(seal.suite, number, custodian.recipient().as_bytes());
        let (enc, sealed) = seal.sealed.split_at_checked(seal.suite.enc_len()).ok_or_else(bad)?;
        let secrets = custodian.open(enc, &info, sealed)?;
        let both = secrets.split_at_checked(32).and_then(|(c, i)| Secret::from_slice(c).zip(Secret::from_slice(i)));
        let (chain, share) = both.ok_or_else(bad)?;
        if self.is_index_share(number, &share) { Ok((Chain(chain), share)) } else { Err(bad()) }
    }

    /// Whether this is the share of the index key that was sealed to custodian `number`.
    pub(crate) fn is_index_share(&self, number: u8, share: &Secret) -> bool {
        let seal = usize::from(number).checked_sub(1).and_then(|at| self.for_custodians.get(at));
        seal.is_some_and(|seal| seal.commitment == self.context().share_commitment(number, share))
    }

    #[cfg(test)]
    pub(crate) fn infos(&self, custodian: &crate::key::Recipient) -> [Vec<u8>; 2] {
        let context = self.context();
        [context.tenant_info(self.suite), context.custodian_info(custodian.suite(), 1, custodian.as_bytes())]
    }

    fn context(&self) -> EpochContext<'_> {
        EpochContext {
            vault: self.vault,
            tenant: self.tenant,
            epoch: self.epoch,
            writer: &self.writer,
            card: &self.card,
            policy: &self.policy,
        }
    }
}

/// What every `info` of an epoch binds.
struct EpochContext<'a> {
    vault: VaultId,
    tenant: TenantId,
    epoch: EpochId,
    writer: &'a PublicKey,
    card: &'a CardHash,
    policy: &'a PolicyHash,
}

impl EpochContext<'_> {
    fn tenant_info(&self, suite: Suite) -> Vec<u8> {
        self.info("epoch-tenant", suite, &[])
    }

    fn custodian_info(&self, suite: Suite, number: u8, key: &[u8]) -> Vec<u8> {
        self.info("epoch-custodian", suite, &[&[number], &Sha256::digest(key)])
    }

    fn info(&self, label: &str, suite: Suite, more: &[&[u8]]) -> Vec<u8> {
        let suite = suite.code().to_be_bytes();
        let mut fields: Vec<&[u8]> = vec![
            self.vault.as_bytes(),
            self.tenant.as_bytes(),
            self.epoch.as_bytes(),
            self.writer.as_bytes(),
            &suite,
            self.card.as_bytes(),
            self.policy.as_bytes(),
        ];
        fields.extend(more);
        enc(label, &fields)
    }

    fn share_commitment(&self, number: u8, share: &Secret) -> [u8; 32] {
        let fields: [&[u8]; 5] =
            [self.vault.as_bytes(), self.tenant.as_bytes(), self.epoch.as_bytes(), &[number], share.expose_secret()];
        Sha256::digest(Zeroizing::new(enc("index-share", &fields))).into()
    }
}

/// A hash ratchet: the key of message n cannot be computed once the chain has moved past it.
pub(crate) struct Chain(Secret);

impl Chain {
    pub(crate) fn message_key(&self) -> Secret {
        exp(&self.0, &enc("chain-msg", &[]))
    }

    pub(crate) fn advance(&mut self) {
        self.0 = exp(&self.0, &enc("chain-next", &[]));
    }

    /// [`message_key`](Self::message_key), then [`advance`](Self::advance), for less than both cost.
    fn step(&mut self) -> Secret {
        let [message_key, next] = exp_both(&self.0, [&enc("chain-msg", &[]), &enc("chain-next", &[])]);
        self.0 = next;
        message_key
    }

    fn copy(&self) -> Self {
        Self(Secret::from_fn(|c| c.copy_from_slice(self.0.expose_secret())))
    }
}

/// What an epoch is made of: the chains' first keys and the key of its index.
pub(crate) struct EpochSecrets {
    pub(crate) tenant: Secret,
    pub(crate) index_key: Secret,
    pub(crate) custodians: Vec<Secret>,
}

/// The writing side of an epoch. Holds the chain keys for the records to come and none for those before.
pub(crate) struct EpochWriter {
    pub(crate) header: EpochHeader,
    pub(crate) index: Arc<IndexWriter>,
    tenant: Chain,
    custodians: Vec<Chain>,
    seq: u32,
    born: Instant,
}

/// The message keys of one record.
pub(crate) struct MessageKeys {
    pub(crate) seq: u32,
    pub(crate) tenant: Secret,
    pub(crate) custodians: Vec<Secret>,
}

impl EpochWriter {
    /// Draws the epoch's secrets and seals them to the tenant and the custodians.
    pub(crate) fn open(card: &TenantCard, policy: &DisclosurePolicy, writer: &WriterKey) -> Result<Self> {
        let custodians = policy.custodians().iter().map(|_| Secret::generate()).collect::<Result<_>>()?;
        let secrets = EpochSecrets { tenant: Secret::generate()?, index_key: Secret::generate()?, custodians };
        Self::with(EpochId::generate()?, Timestamp::now(), secrets, card, policy, writer)
    }

    pub(crate) fn with(
        epoch: EpochId,
        opened: Timestamp,
        secrets: EpochSecrets,
        card: &TenantCard,
        policy: &DisclosurePolicy,
        writer: &WriterKey,
    ) -> Result<Self> {
        let (public, card_hash, policy_hash) = (writer.public_key(), card.hash(), policy.hash());
        let context = EpochContext {
            vault: card.vault(),
            tenant: card.tenant(),
            epoch,
            writer: &public,
            card: &card_hash,
            policy: &policy_hash,
        };
        let EpochSecrets { tenant, index_key, custodians: chains } = secrets;
        let suite = card.recipient().suite();
        let for_tenant = seal(card.recipient(), &context.tenant_info(suite), &both(&tenant, &index_key)[..])?;

        let (mut custodians, mut for_custodians) = (Vec::new(), Vec::new());
        if !policy.custodians().is_empty() {
            let index_shares = shares::split(&index_key, policy.threshold(), policy.custodians().len() as u8)?;
            for (((number, custodian), share), chain) in (1..).zip(policy.custodians()).zip(&index_shares).zip(chains) {
                let custodian = custodian.recipient();
                let suite = custodian.suite();
                let info = context.custodian_info(suite, number, custodian.as_bytes());
                let sealed = seal(custodian, &info, &both(&chain, share)[..])?;
                let commitment = context.share_commitment(number, share);
                for_custodians.push(CustodianSeal { suite, commitment, sealed });
                custodians.push(Chain(chain));
            }
        }

        let fields: [&[u8]; 9] = [
            context.vault.as_bytes(),
            context.tenant.as_bytes(),
            context.epoch.as_bytes(),
            public.as_bytes(),
            card_hash.as_bytes(),
            policy_hash.as_bytes(),
            &opened.unix_ms().to_be_bytes(),
            &suite.code().to_be_bytes(),
            &for_tenant,
        ];
        let seals: Vec<Vec<u8>> = for_custodians
            .iter()
            .map(|c| [&c.suite.code().to_be_bytes()[..], &c.commitment, &c.sealed].concat())
            .collect();
        let fields: Vec<&[u8]> = fields.into_iter().chain(seals.iter().map(Vec::as_slice)).collect();
        let body = enc(LABEL, &fields);
        let bytes = signed(&body, &writer.sign(&body));
        let (vault, owner, epoch) = (context.vault, context.tenant, context.epoch);
        let header = EpochHeader {
            vault,
            tenant: owner,
            epoch,
            writer: public,
            card: card_hash,
            policy: policy_hash,
            opened,
            suite,
            for_tenant,
            for_custodians,
            bytes,
        };
        let index = Arc::new(IndexWriter::new(IndexKey::new(index_key)));
        Ok(Self { header, index, tenant: Chain(tenant), custodians, seq: 0, born: Instant::now() })
    }

    /// Whether the epoch may take `records` more.
    pub(crate) fn has_room(&self, records: u32) -> bool {
        EPOCH_RECORDS - self.seq >= records && self.born.elapsed() < EPOCH_TIME
    }

    /// Gives the next record's keys and wipes what could compute them again.
    pub(crate) fn draw(&mut self) -> MessageKeys {
        let keys = MessageKeys {
            seq: self.seq,
            tenant: self.tenant.step(),
            custodians: self.custodians.iter_mut().map(Chain::step).collect(),
        };
        self.seq += 1;
        keys
    }
}

/// The reading side of an epoch: what its tenant keeps of it in memory.
pub(crate) struct EpochReader {
    pub(crate) header: EpochHeader,
    pub(crate) index_key: IndexKey,
    /// The chain at every `STRIDE`th record, as far as it was needed.
    chain: Mutex<Vec<Chain>>,
}

/// Steps from a kept chain key to a record's: few enough that a random read costs under 50 µs, and a full epoch
/// 16 KiB.
const STRIDE: u32 = 32;

impl EpochReader {
    /// Opens the tenant's seal.
    ///
    /// # Errors
    /// [`WrongKey`](ErrorKind::WrongKey) if it was sealed to another key.
    pub(crate) fn open(header: EpochHeader, opener: &dyn Opener) -> Result<Self> {
        let suite = header.suite;
        if opener.recipient().suite() != suite {
            return Err(Error::new(ErrorKind::WrongKey, "opening an epoch"));
        }
        let (enc, sealed) = header
            .for_tenant
            .split_at_checked(suite.enc_len())
            .ok_or_else(|| Error::new(ErrorKind::Tampered, "parsing an epoch's seal"))?;
        let secrets = opener.open(enc, &header.context().tenant_info(suite), sealed)?;
        let both = secrets.split_at_checked(32).and_then(|(c, i)| Secret::from_slice(c).zip(Secret::from_slice(i)));
        let (chain, index) = both.ok_or_else(|| Error::new(ErrorKind::Tampered, "parsing an epoch's seal"))?;
        Ok(Self { header, index_key: IndexKey::new(index), chain: Mutex::new(vec![Chain(chain)]) })
    }

    /// The tenant's message key of record `seq`.
    pub(crate) fn message_key(&self, seq: u32) -> Result<Secret> {
        Ok(self.chain_at(seq)?.message_key())
    }

    /// The tenant's message key of record `seq`, for one who goes through an epoch in the order of its records: `walk`
    /// is where he was.
    pub(crate) fn next_message_key(&self, seq: u32, walk: &mut Option<Walk>) -> Result<Secret> {
        let near =
            |w: &Walk| w.epoch == self.header.epoch && seq.checked_sub(w.seq).is_some_and(|ahead| ahead < STRIDE);
        let mut here = match walk.take().filter(near) {
            Some(here) => here,
            None => Walk { epoch: self.header.epoch, seq, chain: self.chain_at(seq)? },
        };
        (here.seq..seq).for_each(|_| here.chain.advance());
        here.seq = seq + 1;
        Ok(walk.insert(here).chain.step())
    }

    fn chain_at(&self, seq: u32) -> Result<Chain> {
        if seq >= EPOCH_RECORDS {
            return Err(Error::new(ErrorKind::Tampered, "placing a record in its epoch"));
        }
        let mut kept = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.len() <= (seq / STRIDE) as usize {
            // The first is put there by `open`, and none is ever taken out.
            let Some(last) = kept.last() else { unreachable!("the chain's first key") };
            let mut next = last.copy();
            (0..STRIDE).for_each(|_| next.advance());
            kept.push(next);
        }
        let mut chain = kept[(seq / STRIDE) as usize].copy();
        drop(kept);
        (0..seq % STRIDE).for_each(|_| chain.advance());
        Ok(chain)
    }
}

/// A place in an epoch's chain: behind the last message key that was asked for.
pub(crate) struct Walk {
    epoch: EpochId,
    seq: u32,
    chain: Chain,
}

fn both(a: &Secret, b: &Secret) -> Zeroizing<[u8; 64]> {
    let mut both = Zeroizing::new([0; 64]);
    both[..32].copy_from_slice(a.expose_secret());
    both[32..].copy_from_slice(b.expose_secret());
    both
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::key::Identity;

    impl Chain {
        pub(crate) fn at(mut self, seq: u32) -> Secret {
            (0..seq).for_each(|_| self.advance());
            self.message_key()
        }
    }

    #[test]
    fn the_tenant_and_every_custodian_follow_the_writer_and_a_stranger_opens_nothing() {
        let tenant = Identity::generate().unwrap();
        let card = TenantCard::new(VaultId::generate().unwrap(), TenantId::generate().unwrap(), &tenant);
        let custodians: Vec<Identity> = (0..3).map(|_| Identity::generate().unwrap()).collect();
        let who = custodians.iter().map(Into::into).collect();
        let policy = DisclosurePolicy::quorum(&card, 2, who, &tenant).unwrap();
        let mut writer = EpochWriter::open(&card, &policy, &WriterKey::generate().unwrap()).unwrap();
        let header = EpochHeader::from_bytes(writer.header.to_bytes()).unwrap();
        assert_eq!(header, writer.header);

        let reader = EpochReader::open(header.clone(), &tenant).unwrap();
        let drawn: Vec<_> = (0..70).map(|_| writer.draw()).collect();
        for n in [69, 0, 31, 32, 33, 64] {
            assert_eq!(reader.message_key(n).unwrap().expose_secret(), drawn[n as usize].tenant.expose_secret(), "{n}");
        }
        let mut walk = None;
        for n in [3, 3, 4, 7, 38, 39, 5, 69, 0] {
            let key = reader.next_message_key(n, &mut walk).unwrap();
            assert_eq!(key.expose_secret(), drawn[n as usize].tenant.expose_secret(), "{n}");
        }
        let token = reader.index_key.token("tel", "+4930123456", 7);
        let mut shares = Vec::new();
        for (number, custodian) in (1..).zip(&custodians) {
            let (chain, share) = header.open_as_custodian(number, custodian).unwrap();
            assert_eq!(chain.at(5).expose_secret(), drawn[5].custodians[usize::from(number) - 1].expose_secret());
            shares.push(share);
        }
        let index_key = shares::combine(&[(1, &shares[0]), (3, &shares[2])]).unwrap();
        let other = shares::combine(&[(2, &shares[1]), (3, &shares[2])]).unwrap();
        assert_eq!(index_key.expose_secret(), other.expose_secret());
        assert_eq!(IndexKey::new(index_key).token("tel", "+4930123456", 7), token);

        let stranger = EpochReader::open(header.clone(), &custodians[0]).err().unwrap();
        assert_eq!(stranger.kind(), ErrorKind::WrongKey);
        assert!(header.open_as_custodian(1, &custodians[1]).is_err());
    }

    #[test]
    fn a_header_with_any_bit_flipped_is_refused() {
        let tenant = Identity::generate_for(Suite::X25519).unwrap();
        let card = TenantCard::new(VaultId::generate().unwrap(), TenantId::generate().unwrap(), &tenant);
        let policy = DisclosurePolicy::none(&card, &tenant).unwrap();
        let writer = EpochWriter::open(&card, &policy, &WriterKey::generate().unwrap()).unwrap();
        for i in 0..writer.header.bytes.len() {
            let mut bytes = writer.header.bytes.clone();
            bytes[i] ^= 0x10;
            assert!(EpochHeader::from_bytes(&bytes).is_err(), "byte {i}");
        }
    }

    #[test]
    fn an_epoch_ends_after_its_last_record() {
        let tenant = Identity::generate_for(Suite::X25519).unwrap();
        let card = TenantCard::new(VaultId::generate().unwrap(), TenantId::generate().unwrap(), &tenant);
        let policy = DisclosurePolicy::none(&card, &tenant).unwrap();
        let mut writer = EpochWriter::open(&card, &policy, &WriterKey::generate().unwrap()).unwrap();
        writer.seq = EPOCH_RECORDS - 1;
        assert!(writer.has_room(1) && !writer.has_room(2));
        assert_eq!(writer.draw().seq, EPOCH_RECORDS - 1);
        assert!(!writer.has_room(1));
    }
}
