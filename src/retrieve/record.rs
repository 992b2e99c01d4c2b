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
use crate::room::Room;
use crate::seal::{Place, RecordKey};
use crate::secret::Secret;
use crate::store::{MAX_INLINE, ObjectName, RecordRow, SLOT, Slot};
use crate::stream::{RangeReader, ReadAt, sealed_len, unframe};

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
        slots: &mut SlotWindow,
    ) -> Result<Self> {
        let header = row.header(room.id)?;
        let (epoch, message_key) = chain(header.epoch, header.seq)?;
        if header.tenant != tenant || epoch.header.custodians() != header.shares.len() {
            return Err(Error::new(ErrorKind::Tampered, "placing a record"));
        }
        let key = RecordKey::open(Place::of(&header), &message_key, &header.wrap)?;
        Self::with_key(row.n, header, row.head, key, room, slots)
    }

    /// With the key that custodians' shares combined to.
    ///
    /// # Errors
    /// `Erased`, `Tampered` or `Damaged` if it does not open.
    pub(crate) fn open_with(row: RecordRow, room: &Arc<Room>, tenant: TenantId, key: RecordKey) -> Result<Self> {
        let header = row.header(room.id)?;
        if header.tenant != tenant || !key.is_of(Place::of(&header)) {
            return Err(Error::new(ErrorKind::Tampered, "placing a record"));
        }
        Self::with_key(row.n, header, row.head, key, room, &mut SlotWindow::one())
    }

    fn with_key(
        n: i64,
        header: RecordHeader,
        head: Vec<u8>,
        key: RecordKey,
        room: &Arc<Room>,
        slots: &mut SlotWindow,
    ) -> Result<Self> {
        let head_key = key.part_key(0, &slots.read(room, header.parts[0].slot)?);
        let head = open_head(head, &head_key, &key.head_context())?;
        let told = head.parts.iter().map(|p| (sealed_len(padded_len(p.len)), p.sealed));
        if head.time() != header.time || !told.eq(header.parts[1..].iter().map(|p| (p.len, p.digest))) {
            return Err(Error::new(ErrorKind::Tampered, "comparing a record's head with its header"));
        }
        Ok(Self { n, header, head, key, room: Arc::clone(room) })
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
        let body = match self.inline(number) {
            Some((n, part)) => self.room.store.body(n, part)?,
            None => None,
        };
        self.part_from(number, body, &mut SlotWindow::one())
    }

    /// Where a part is stored in the database, if it is.
    pub(crate) fn inline(&self, number: usize) -> Option<(i64, u32)> {
        let header = self.header.parts.get(number).filter(|_| number > 0)?;
        (header.len <= MAX_INLINE).then_some((self.n, number as u32))
    }

    /// Bytes of a sealed part.
    pub(crate) fn sealed_len(&self, number: usize) -> u64 {
        self.header.parts.get(number).map_or(0, |part| part.len)
    }

    /// As [`part`](Self::part), with the body of a part that is stored in the database.
    pub(crate) fn part_from(&self, number: usize, body: Option<Vec<u8>>, slots: &mut SlotWindow) -> Result<PartReader> {
        let parts = number.checked_sub(1).and_then(|at| self.head.parts.get(at)).zip(self.header.parts.get(number));
        let (info, header) = parts.ok_or_else(|| Error::new(ErrorKind::NotFound, "looking a part up"))?;
        let part = number as u32;
        let bytes: Result<Box<dyn ReadAt>> = if header.len <= MAX_INLINE {
            let missing = || Error::new(ErrorKind::Damaged, "looking a sealed part up");
            body.map(|body| Box::new(body) as Box<dyn ReadAt>).ok_or_else(missing)
        } else {
            self.room.objects.open(ObjectName { epoch: self.header.epoch, record: self.header.record, part })
        };
        // What was erased since the record was opened is not missing. Its slot may have been read before.
        let bytes = match bytes {
            Err(e) if e.kind() == ErrorKind::Damaged => SlotWindow::one().read(&self.room, header.slot).and(Err(e)),
            bytes => bytes,
        }?;
        let size = bytes.size().map_err(|e| Error::from_io(e, "sizing a sealed part"))?;
        if size != header.len {
            return Err(Error::new(ErrorKind::Damaged, "opening a sealed part that has another size"));
        }
        let key = self.key.part_key(part, &slots.read(&self.room, header.slot)?);
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

/// Slots that were read at once. Whoever reads many records in the order of their commits finds most of them in it.
pub(crate) struct SlotWindow {
    start: u64,
    count: u64,
    block: Zeroizing<Vec<u8>>,
}

impl SlotWindow {
    /// For a single slot.
    pub(crate) fn one() -> Self {
        Self { start: 0, count: 1, block: Zeroizing::default() }
    }

    /// For those of many records.
    pub(crate) fn many() -> Self {
        Self { count: 512, ..Self::one() }
    }

    pub(crate) fn read(&mut self, room: &Room, slot: u64) -> Result<Secret> {
        let secret = match self.held(slot) {
            Some(secret) => secret,
            None if self.count == 1 => match room.slots.read(slot)? {
                Slot::Live(secret) => secret,
                Slot::Erased => return Err(erased()),
            },
            None => {
                self.block = room.slots.read_block(slot, self.count)?;
                self.start = slot;
                self.held(slot).ok_or_else(|| Error::new(ErrorKind::Damaged, "reading a slot of the shred file"))?
            }
        };
        if secret.expose_secret() == &[0; 32] { Err(erased()) } else { Ok(secret) }
    }

    fn held(&self, slot: u64) -> Option<Secret> {
        let at = usize::try_from(slot.checked_sub(self.start)?).ok()?.checked_mul(SLOT as usize)?;
        Secret::from_slice(self.block.get(at..at.checked_add(SLOT as usize)?)?)
    }
}

fn erased() -> Error {
    Error::new(ErrorKind::Erased, "opening a part whose key was erased")
}

fn open_head(sealed: Vec<u8>, key: &Secret, context: &[u8]) -> Result<Head> {
    let bad = || Error::new(ErrorKind::Tampered, "opening a record's head");
    if sealed.len() as u64 > sealed_len(padded_len(4 + MAX_HEAD)) {
        return Err(bad());
    }
    let mut reader = RangeReader::with_secret(sealed, key, context)?;
    let mut plain = Zeroizing::new(vec![0; reader.authenticate_end()? as usize]);
    reader.read_range(0, &mut plain)?;
    Head::decode(unframe(&plain).ok_or_else(bad)?)
}
