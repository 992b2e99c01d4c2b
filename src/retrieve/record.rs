use std::fmt;
use std::io::Read;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::part::PartReader;
use crate::encoding::padded_len;
use crate::epoch::EpochReader;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{EpochId, RecordId, TenantId};
use crate::record::{Head, MAX_HEAD, PartInfo, RecordHeader};
use crate::seal::{Place, RecordKey};
use crate::secret::Secret;
use crate::store::{MAX_INLINE, ObjectName, RecordRow, Slot};
use crate::stream::{RangeReader, ReadAt, sealed_len};
use crate::vault::Room;

/// A record of the tenant's own, its head opened and checked against its place.
pub struct Record {
    pub(crate) n: i64,
    header: RecordHeader,
    head: Head,
    key: RecordKey,
    room: Arc<Room>,
}

impl Record {
    pub(super) fn open(
        row: RecordRow,
        room: &Arc<Room>,
        tenant: TenantId,
        chain: impl FnOnce(EpochId, u32) -> Result<(Arc<EpochReader>, Secret)>,
    ) -> Result<Self> {
        let header = row.header(room.id)?;
        let (epoch, message_key) = chain(header.epoch, header.seq)?;
        if header.tenant != tenant || epoch.header.custodians() != header.shares.len() {
            return Err(Error::new(ErrorKind::Tampered, "placing a record"));
        }
        let key = RecordKey::open(Place::of(&header), &message_key, &header.wrap)?;
        let head_key = key.part_key(0, &shred_secret(room, header.parts[0].slot)?);
        let head = open_head(row.head, &head_key, &key.head_context())?;
        let told = head.parts.iter().map(|p| (sealed_len(padded_len(p.len)), p.sealed));
        if head.time() != header.time || !told.eq(header.parts[1..].iter().map(|p| (p.len, p.digest))) {
            return Err(Error::new(ErrorKind::Tampered, "comparing a record's head with its header"));
        }
        Ok(Self { n: row.n, header, head, key, room: Arc::clone(room) })
    }

    /// Its id.
    pub fn id(&self) -> RecordId {
        self.header.record
    }

    /// Everything that it says about itself.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Its public side, as the vault holds it.
    pub fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// Its parts with their numbers, which begin at 1.
    pub fn parts(&self) -> impl Iterator<Item = (usize, &PartInfo)> {
        (1..).zip(&self.head.parts)
    }

    /// Opens a part for reading from any place.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no part of that number; [`Erased`](ErrorKind::Erased) if its key
    /// no longer exists; [`Tampered`](ErrorKind::Tampered) if it does not begin as it was sealed;
    /// [`Damaged`](ErrorKind::Damaged) if it is missing or cut.
    pub fn part(&self, number: usize) -> Result<PartReader> {
        let parts = number.checked_sub(1).and_then(|at| self.head.parts.get(at)).zip(self.header.parts.get(number));
        let (info, header) = parts.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a part up"))?;
        let part = number as u32;
        let bytes: Box<dyn ReadAt> = if header.len <= MAX_INLINE {
            let body = self.room.store.body(self.n, part)?;
            Box::new(body.ok_or_else(|| Error::new(ErrorKind::Damaged, "looking a sealed part up"))?)
        } else {
            self.room.objects.open(ObjectName { epoch: self.header.epoch, record: self.header.record, part })?
        };
        let size = bytes.size().map_err(|e| Error::from_io(e, "sizing a sealed part"))?;
        if size != header.len {
            return Err(Error::new(ErrorKind::Damaged, "opening a sealed part that has another size"));
        }
        let key = self.key.part_key(part, &shred_secret(&self.room, header.slot)?);
        let reader = RangeReader::with_secret(bytes, &key, &self.key.part_context(part, info.kind))?;
        Ok(PartReader::new(reader, info.len))
    }

    /// Reads a whole part into memory.
    ///
    /// # Errors
    /// As [`part`](Self::part); [`Tampered`](ErrorKind::Tampered) if any byte of it is not what was sealed.
    pub fn read_part(&self, number: usize) -> Result<Vec<u8>> {
        let mut reader = self.part(number)?;
        let mut plain = Vec::with_capacity(usize::try_from(reader.len()).unwrap_or(0).min(64 << 20));
        reader.read_to_end(&mut plain).map_err(|e| Error::from_io(e, "reading a part"))?;
        Ok(plain)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n: _, header, head, key: _, room: _ } = self;
        write!(f, "Record({}, {} parts)", header.record, head.parts.len())
    }
}

fn shred_secret(room: &Room, slot: u64) -> Result<Secret> {
    match room.slots.read(slot)? {
        Slot::Live(secret) => Ok(secret),
        Slot::Erased => Err(Error::new(ErrorKind::Erased, "opening a part whose key was erased")),
    }
}

fn open_head(sealed: Vec<u8>, key: &Secret, context: &[u8]) -> Result<Head> {
    let bad = || Error::new(ErrorKind::Tampered, "opening a record's head");
    if sealed.len() as u64 > sealed_len(padded_len(4 + MAX_HEAD)) {
        return Err(bad());
    }
    let mut reader = RangeReader::with_secret(sealed, key, context)?;
    let mut plain = Zeroizing::new(vec![0; reader.authenticate_end()? as usize]);
    reader.read_range(0, &mut plain)?;
    let (len, rest) = plain.split_first_chunk::<4>().ok_or_else(bad)?;
    let (head, padding) = rest.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or_else(bad)?;
    if padding.iter().any(|b| *b != 0) || plain.len() as u64 != padded_len(4 + head.len() as u64) {
        return Err(bad());
    }
    Head::decode(head)
}
