//! Ingest: seals drafts with nothing but public keys and commits them.
//!
//! The order of durability: slots durable → seal → objects durable → one transaction. A crash before the transaction
//! leaves slots, objects and a lease that no row names, which the sweep removes; after it, the record is there.

mod body;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use zeroize::Zeroizing;

use crate::encoding::enc;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{RecordId, TenantId};
use crate::index::Fields;
use crate::key::{TenantPin, WriterKey};
use crate::ledger::{Kind, Ledger, Receipt, Signer, Tell, Told, Waiting};
use crate::period::{Drawn, OpenEpoch, Period};
use crate::record::{Content, Digests, Draft, Head, PartHeader, RecordHeader};
use crate::room::Room;
use crate::seal::{Place, RecordKey};
use crate::secret::Secret;
use crate::store::{Act, Change, IdempotencyMark, NewRecord, ObjectName, Op, Outcome};
use crate::stream::{Sealer, sealed_len};
use crate::time::Timestamp;
use crate::vault::Vault;

impl Vault {
    /// Opens the writing side of a tenant. Needs no secret of the tenant's.
    ///
    /// A card or policy that follows the pinned one, each link signed by the tenant, is as good: the keys rotate while
    /// this runs.
    ///
    /// # Errors
    /// [`CardMismatch`](ErrorKind::CardMismatch) if the card or policy in the vault does not follow from the pinned one;
    /// [`NotFound`](ErrorKind::NotFound) if the tenant or the writer is not enrolled; else as the database.
    pub fn ingestor(&self, pin: &TenantPin, writer: impl Into<Arc<WriterKey>>) -> Result<Ingestor> {
        let writer = writer.into();
        let tenant = self.room.follow(pin.tenant, pin.card, pin.policy)?;
        if !self.room.store.writer_is_enrolled(&writer.public_key())? {
            return Err(Error::new(ErrorKind::NotFound, "looking an enrolled writer up"));
        }
        self.admit(tenant.id, writer.public_key())?;
        Ok(Ingestor {
            room: Arc::clone(&self.room),
            ledger: Arc::clone(self.ledger()?),
            tenant: tenant.id,
            writer: Arc::clone(&writer),
            period: Mutex::new(Period::new(tenant, writer)),
        })
    }
}

/// The writing side of one tenant: seals to its card and cannot read, list or erase.
///
/// Share it among threads by reference: they seal at the same time, and what waits for the disk is committed together.
pub struct Ingestor {
    room: Arc<Room>,
    ledger: Arc<Ledger>,
    tenant: TenantId,
    writer: Arc<WriterKey>,
    period: Mutex<Period>,
}

/// What became of a draft. The record is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ingested {
    /// The record's id.
    pub record: RecordId,
    /// Whether it was there already, under the same idempotency key and with the same content. One that was erased since
    /// does not come back, whatever comes under its key.
    pub duplicate: bool,
    /// The ledger's entry about the commit that it came in with; nothing if it was there already.
    pub receipt: Option<Arc<Receipt>>,
}

impl Ingestor {
    /// Seals a draft and commits it. Its parts are streamed: memory does not grow with their size.
    ///
    /// # Errors
    /// With any kind but [`OutcomeUnknown`](ErrorKind::OutcomeUnknown) the vault is as it was.
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a draft without parts or with a bad field;
    /// [`TooLarge`](ErrorKind::TooLarge) for a head above 256 KiB; [`Source`](ErrorKind::Source) if a part's reader
    /// fails; [`DigestMismatch`](ErrorKind::DigestMismatch) against the producer's digest;
    /// [`IdempotencyConflict`](ErrorKind::IdempotencyConflict); [`NotFound`](ErrorKind::NotFound) if it amends no
    /// record of this tenant; [`Full`](ErrorKind::Full), [`ReadOnly`](ErrorKind::ReadOnly), [`Io`](ErrorKind::Io),
    /// [`Locked`](ErrorKind::Locked) from the disk.
    pub fn ingest(&self, draft: Draft<'_>) -> Result<Ingested> {
        let ingested = self.ingest_batch(vec![draft])?.pop();
        ingested.ok_or_else(|| Error::new(ErrorKind::Io, "ingesting one draft"))
    }

    /// Seals drafts on all cores and commits them together: all or none.
    ///
    /// Parts of at most 64 KiB are held in memory until the commit; a thousand short ones are a good batch.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest), for the first draft that fails.
    pub fn ingest_batch(&self, drafts: Vec<Draft<'_>>) -> Result<Vec<Ingested>> {
        drafts.iter().try_for_each(|draft| self.check(draft))?;
        let mut results: Vec<Option<Ingested>> = vec![None; drafts.len()];
        let mut waiting = Vec::with_capacity(drafts.len());
        for (place, draft) in drafts.into_iter().enumerate() {
            let token = draft.head.idempotency_key.as_deref().map(|key| self.token(key));
            match token {
                Some(token) if self.room.store.idempotent(self.tenant, &token)?.is_some() => {
                    // Known: it only has to be compared, and is not sealed.
                    let mark = self.mark(token, &body::content_of(draft)?);
                    results[place] = Some(self.known(&mark)?);
                }
                token => waiting.push((place, draft, token)),
            }
        }
        // One slot more, for the entry that tells of them.
        let count = waiting.len();
        let slots = waiting.iter().map(|(_, draft, _)| draft.parts.len() + 1).chain([1]);
        let mut drawn = if count == 0 { Vec::new() } else { self.draw(slots)? };
        let entry = drawn.pop();
        let (places, jobs): (Vec<usize>, Vec<_>) =
            waiting.into_iter().zip(drawn).map(|((place, draft, token), drawn)| (place, (draft, token, drawn))).unzip();
        let mut sealed = Vec::with_capacity(jobs.len());
        for result in on_all_cores(jobs, |(draft, token, drawn)| self.seal(draft, token, drawn)) {
            sealed.push(result?);
        }
        for (place, ingested) in places.into_iter().zip(self.commit(sealed, entry)?) {
            results[place] = Some(ingested);
        }
        // Every place was either known or waiting.
        Ok(results.into_iter().flatten().collect())
    }

    fn check(&self, draft: &Draft<'_>) -> Result<()> {
        draft.check()?;
        if let Some(old) = draft.head.amends
            && self.room.store.record(self.tenant, old)?.is_none()
        {
            return Err(Error::new(ErrorKind::NotFound, "looking up the record that a draft amends"));
        }
        Ok(())
    }

    fn draw(&self, parts: impl Iterator<Item = usize>) -> Result<Vec<Drawn>> {
        self.ledger.spend(self.tenant, || {
            let mut period = self.period.lock().unwrap_or_else(PoisonError::into_inner);
            period.draw(&self.room, parts)
        })
    }

    /// Seals one draft. If it fails, what it made is removed.
    fn seal(&self, mut draft: Draft<'_>, token: Option<[u8; 16]>, drawn: Drawn) -> Result<Sealed> {
        let record = RecordId::generate()?;
        let epoch = drawn.epoch.header.epoch();
        let (vault, tenant, seq) = (self.room.id, self.tenant, drawn.keys.seq);
        let place = Place { vault, tenant, epoch, record, seq };
        let key = RecordKey::generate(place)?;
        let wrap = key.wrap(&drawn.keys)?;
        let shares = key.share(&drawn.keys, drawn.epoch.sharing)?;

        let mut content = token.map(|_| Content::of(&draft)).transpose()?;
        let mut inflight = InFlight { room: &self.room, objects: Vec::new() };
        let (mut parts, mut inline) = (Vec::with_capacity(drawn.slots.len()), Vec::new());
        for ((number, part), (slot, shred)) in (1u32..).zip(&mut draft.parts).zip(&drawn.slots[1..]) {
            let (part_key, context) = (key.part_key(number, shred), key.part_context(number, part.kind()));
            let digests = Digests::new(part.producer_digest(), content.is_some());
            let name = ObjectName { epoch, record, part: number };
            inflight.objects.push(name);
            let body = body::seal(part.source(), &part_key, &context, digests, self.room.objects.as_ref(), name)?;
            if let (Some(content), Some(digest)) = (&mut content, &body.content) {
                content.part(body.len, digest);
            }
            draft.head.parts.push(part.info(body.len, body.digest));
            parts.push(PartHeader { slot: *slot, len: body.sealed_len, digest: body.digest });
            if let Some(bytes) = body.inline {
                inflight.objects.pop();
                inline.push((number, bytes));
            }
        }

        draft.head.ingested = Timestamp::now();
        let head_key = key.part_key(0, &drawn.slots[0].1);
        let head = seal_head(&draft.head, &head_key, &key.head_context())?;
        parts.insert(0, PartHeader { slot: drawn.slots[0].0, len: head.len() as u64, digest: body::digest(&head) });
        let time = draft.head.time();
        let header = RecordHeader { vault, tenant, epoch, record, seq, time, wrap, shares, parts }.to_bytes();
        let idempotency = token.zip(content).map(|(token, content)| self.mark(token, &content.finish()));
        let (epoch_held, objects) = (Arc::clone(&drawn.epoch), std::mem::take(&mut inflight.objects));
        let values = draft.head.identifiers().map(|i| (i.scheme(), Zeroizing::new(i.value().to_owned()))).collect();
        let fields = Fields { index: Arc::clone(&drawn.epoch.index), values };
        let row = NewRecord { record, tenant, epoch, time, header, head, inline, idempotency, fields };
        Ok(Sealed { row: Some(row), room: Arc::clone(&self.room), slots: drawn.release(), objects, _epoch: epoch_held })
    }

    /// Makes objects durable and commits the rows; then forgets or removes what each draft made.
    fn commit(&self, mut sealed: Vec<Sealed>, entry: Option<Drawn>) -> Result<Vec<Ingested>> {
        let Some(entry) = entry.filter(|_| !sealed.is_empty()) else { return Ok(Vec::new()) };
        let mut epochs: Vec<_> = sealed.iter().flat_map(|s| s.objects.iter().map(|o| o.epoch)).collect();
        epochs.dedup();
        epochs.into_iter().try_for_each(|epoch| self.room.objects.sync(epoch))?;
        let rows: Vec<NewRecord> = sealed.iter_mut().filter_map(|s| s.row.take()).collect();
        let records: Vec<RecordId> = rows.iter().map(|r| r.record).collect();
        let mut tell = Tell::new(Kind::Ingested, format!("writer {}", self.writer.public_key()));
        tell.records = Told::Added;
        let (signer, writer) = (Signer::writer(Arc::clone(&self.writer)), Some(self.writer.public_key()));
        let (append, wait) = self.ledger.entry(self.tenant, tell, signer, Act::None, entry, writer)?;
        let change = Change(rows.into_iter().map(Op::AddRecord).chain([append]).collect());
        // After a crash before this commit, the slots and objects are left and no row names them.
        let outcomes = match self.ledger.commit(self.tenant, change) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                if error.kind() == ErrorKind::OutcomeUnknown {
                    // The rows may be there and name them.
                    sealed.iter_mut().for_each(Sealed::keep);
                }
                wait.failed(&error);
                return Err(error);
            }
        };
        Ok(finish(records, outcomes, sealed, wait))
    }

    fn token(&self, key: &str) -> [u8; 16] {
        half(self.writer.token(&enc("idempotency", &[self.room.id.as_bytes(), self.tenant.as_bytes(), key.as_bytes()])))
    }

    fn mark(&self, token: [u8; 16], content: &[u8; 32]) -> IdempotencyMark {
        let fields: [&[u8]; 4] = [self.room.id.as_bytes(), self.tenant.as_bytes(), &token, content];
        IdempotencyMark { token, content: half(self.writer.token(&enc("idempotency-content", &fields))) }
    }

    fn known(&self, mark: &IdempotencyMark) -> Result<Ingested> {
        match self.room.store.idempotent(self.tenant, &mark.token)? {
            Some(kept) if mark.is_of(&kept) => Ok(Ingested { record: kept.record, duplicate: true, receipt: None }),
            _ => Err(Error::new(
                ErrorKind::IdempotencyConflict,
                "ingesting under an idempotency key that names another record",
            )),
        }
    }
}

impl fmt::Debug for Ingestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { room, ledger: _, tenant, writer, period: _ } = self;
        write!(f, "Ingestor({} of {}, writer {})", tenant, room.id, writer.public_key())
    }
}

/// What became of each draft, now that the commit is durable.
fn finish(records: Vec<RecordId>, outcomes: Vec<Outcome>, mut sealed: Vec<Sealed>, entry: Waiting) -> Vec<Ingested> {
    let mut outcomes = outcomes.into_iter();
    let added: Vec<Outcome> = outcomes.by_ref().take(records.len()).collect();
    let appended = outcomes.next().and_then(|outcome| match outcome {
        Outcome::Appended(appended) => appended,
        _ => None,
    });
    let receipt = entry.done(appended).map(|recorded| recorded.receipt);
    let results = records.into_iter().zip(added).zip(&mut sealed);
    results
        .map(|((record, outcome), sealed)| match outcome {
            Outcome::Duplicate(record) => Ingested { record, duplicate: true, receipt: None },
            _ => {
                sealed.keep();
                Ingested { record, duplicate: false, receipt: receipt.clone() }
            }
        })
        .collect()
}

/// A sealed draft that waits for its commit. Dropped without [`keep`](Self::keep), it removes what it made.
struct Sealed {
    row: Option<NewRecord>,
    room: Arc<Room>,
    slots: Vec<u64>,
    objects: Vec<ObjectName>,
    /// Keeps the epoch's lease until the commit.
    _epoch: Arc<OpenEpoch>,
}

impl Sealed {
    fn keep(&mut self) {
        self.slots.clear();
        self.objects.clear();
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        remove(&self.room, &self.slots, &self.objects);
    }
}

/// The objects that a draft has made so far while it is being sealed.
struct InFlight<'a> {
    room: &'a Room,
    objects: Vec<ObjectName>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        remove(self.room, &[], &self.objects);
    }
}

/// Removes what nothing names. What cannot be removed now, the sweep removes when the epoch is over.
fn remove(room: &Room, slots: &[u64], objects: &[ObjectName]) {
    if !slots.is_empty() {
        let _ = room.slots.shred(slots);
    }
    for object in objects {
        let _ = room.objects.delete(*object);
    }
}

fn seal_head(head: &Head, key: &Secret, context: &[u8]) -> Result<Vec<u8>> {
    let plain = head.encode_padded()?;
    let mut sealed = Vec::with_capacity(sealed_len(plain.len() as u64) as usize);
    let sealer: Sealer = Sealer::start(key, context, &mut sealed)?;
    sealer.whole(&plain, &mut sealed)?;
    Ok(sealed)
}

fn half(whole: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

/// Runs `work` on every job, on as many threads as there are cores, and gives the results in the jobs' order.
fn on_all_cores<J: Send, T: Send>(jobs: Vec<J>, work: impl Fn(J) -> T + Sync) -> Vec<T> {
    // Asking costs as much as sealing a short record: the system reads several files for the answer.
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    let threads = cores.min(jobs.len());
    if threads <= 1 {
        return jobs.into_iter().map(work).collect();
    }
    let (count, next) = (jobs.len(), AtomicUsize::new(0));
    let jobs: Vec<Mutex<Option<J>>> = jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let run = || {
        let mut done = Vec::with_capacity(count / threads + 1);
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match jobs.get(at).and_then(|job| job.lock().unwrap_or_else(PoisonError::into_inner).take()) {
                Some(job) => done.push((at, work(job))),
                None => return done,
            }
        }
    };
    let mut results = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut results = run();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
