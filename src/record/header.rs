use crate::encoding::{Fields, enc};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId, VaultId};
use crate::stream::sealed_len;
use crate::time::Timestamp;

const LABEL: &str = "record-header";
/// Bytes of a sealed 32-byte key or share.
pub(crate) const WRAP: usize = sealed_len(32) as usize;
/// Bytes that a header gives to each part.
const PART: usize = 8 + 8 + 32;

/// The public side of a record: where it belongs, its wrapped key, its custodians' shares, and the slot, size and
/// digest of every sealed part. SPEC "Record header".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// The vault that it is in.
    pub vault: VaultId,
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// The epoch whose keys it was sealed under.
    pub epoch: EpochId,
    /// Its id.
    pub record: RecordId,
    /// Its number in the epoch.
    pub seq: u32,
    /// The time that it is listed under.
    pub time: Timestamp,
    /// The record's key, sealed to the tenant's message key.
    pub wrap: Vec<u8>,
    /// The record's key in shares, each sealed to a custodian's message key, with its commitment.
    pub shares: Vec<([u8; 32], Vec<u8>)>,
    /// The sealed parts, the head first.
    pub parts: Vec<PartHeader>,
}

/// The public side of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartHeader {
    /// The number of the slot that holds its shred secret.
    pub slot: u64,
    /// Bytes of the sealed part.
    pub len: u64,
    /// SHA-256 of the sealed part.
    pub digest: [u8; 32],
}

impl RecordHeader {
    /// The header as it is stored, and as the ledger hashes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let shares: Vec<u8> = self.shares.iter().flat_map(|(_, share)| share.iter().copied()).collect();
        let commitments: Vec<u8> = self.shares.iter().flat_map(|(commitment, _)| *commitment).collect();
        let mut parts = Vec::with_capacity(PART * self.parts.len());
        for part in &self.parts {
            parts.extend(part.slot.to_be_bytes());
            parts.extend(part.len.to_be_bytes());
            parts.extend(part.digest);
        }
        let (seq, time) = (self.seq.to_be_bytes(), self.time.unix_ms().to_be_bytes());
        let ids: [&[u8]; 4] =
            [self.vault.as_bytes(), self.tenant.as_bytes(), self.epoch.as_bytes(), self.record.as_bytes()];
        enc(LABEL, &[ids[0], ids[1], ids[2], ids[3], &seq, &time, &self.wrap, &shares, &commitments, &parts])
    }

    /// Parses a header. It carries no signature: what it says holds if the record opens, or if the ledger has its hash.
    ///
    /// # Errors
    /// [`Tampered`](ErrorKind::Tampered) if the bytes are no header.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut f = Fields::of(LABEL, bytes)?;
        let (vault, tenant) = (VaultId::from_bytes(f.array()?), TenantId::from_bytes(f.array()?));
        let (epoch, record) = (EpochId::from_bytes(f.array()?), RecordId::from_bytes(f.array()?));
        let seq = u32::from_be_bytes(f.array()?);
        let time = Timestamp::from_unix_ms(i64::from_be_bytes(f.array()?));
        let wrap: [u8; WRAP] = f.array()?;
        let (shares, rest) = f.bytes()?.as_chunks::<WRAP>();
        let (commitments, rest2) = f.bytes()?.as_chunks::<32>();
        let (parts, rest3) = f.bytes()?.as_chunks::<PART>();
        f.end()?;
        let whole = rest.is_empty() && rest2.is_empty() && rest3.is_empty();
        if !whole || shares.len() != commitments.len() || parts.len() < 2 {
            return Err(Error::new(ErrorKind::Tampered, "parsing a record header"));
        }
        let shares = commitments.iter().copied().zip(shares.iter().map(|s| s.to_vec())).collect();
        let parts = parts.iter().map(PartHeader::parse).collect();
        Ok(Self { vault, tenant, epoch, record, seq, time, wrap: wrap.to_vec(), shares, parts })
    }
}

impl PartHeader {
    fn parse(bytes: &[u8; PART]) -> Self {
        let number = |at: usize| bytes[at..].first_chunk::<8>().map_or(0, |n| u64::from_be_bytes(*n));
        let mut digest = [0; 32];
        digest.copy_from_slice(&bytes[16..]);
        Self { slot: number(0), len: number(8), digest }
    }
}
