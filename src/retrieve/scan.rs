use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::list::{Listed, Listing};
use super::session::{Places, TenantSession};
use crate::error::{Error, Result};
use crate::store::{PageRange, Spot};

/// Records that a core takes at once: the first few, so that a short page costs little, and more from then on.
const FIRST_BATCH: usize = 16;
const BATCH: usize = 128;

/// What a scan gave: what was kept, in the listing's order, up to a place.
pub(crate) struct Scanned<T> {
    pub(crate) kept: Vec<(Spot, T)>,
    /// Where to go on; nothing if everything was looked at.
    pub(crate) next: Option<Spot>,
}

/// Where the records of a scan are taken from.
enum Source {
    Range(PageRange),
    Spots(VecDeque<Spot>),
}

/// What the threads of a scan share.
struct Shared<'w, T> {
    source: Source,
    /// Batches that were given out so far, and how many records they had.
    batches: usize,
    finished: BTreeMap<usize, Batch<T>>,
    /// The first batches, without a gap.
    ready: usize,
    scanned: u64,
    kept: usize,
    /// No more batches are given out: all were, enough was kept, somebody lost patience, or the database failed.
    stop: bool,
    ended: bool,
    failed: Option<Error>,
    watch: &'w mut (dyn FnMut(u64, usize) -> ControlFlow<()> + Send),
}

struct Batch<T> {
    last: Option<Spot>,
    records: u64,
    kept: Vec<(Spot, T)>,
}

impl TenantSession {
    /// Opens the records of a listing on all cores and gives what `visit` keeps of each, in order and at most `limit`.
    /// It is given a few dozen at a time.
    /// `watch` is told after each batch how many were looked at and kept, and may end it.
    pub(crate) fn scan<T: Send>(
        &self,
        listing: &Listing,
        limit: usize,
        visit: impl Fn(Vec<Listed>) -> Vec<Option<T>> + Sync,
        mut watch: impl FnMut(u64, usize) -> ControlFlow<()> + Send,
    ) -> Result<Scanned<T>> {
        let range = listing.range()?;
        let source = match &listing.filter.subject {
            Some(subject) => Source::Spots(self.spots_of(subject, &range)?.into()),
            None => Source::Range(range),
        };
        let shared = Mutex::new(Shared {
            source,
            batches: 0,
            finished: BTreeMap::new(),
            ready: 0,
            scanned: 0,
            kept: 0,
            stop: false,
            ended: false,
            failed: None,
            watch: &mut watch,
        });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let run = || {
            while let Some((number, spots)) = self.take(&shared) {
                match self.open_batch(&spots, &visit) {
                    Ok(batch) => lock(&shared).finish(number, batch, limit),
                    Err(error) => lock(&shared).fail(error),
                }
            }
        };
        std::thread::scope(|scope| {
            (1..cores).for_each(|_| drop(scope.spawn(run)));
            run();
        });

        let mut shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = shared.failed.take() {
            return Err(error);
        }
        let (mut kept, mut last) = (Vec::new(), None);
        let all = shared.ended && shared.ready == shared.batches;
        for (_, batch) in shared.finished.into_iter().take_while(|(number, _)| *number < shared.ready) {
            kept.extend(batch.kept);
            last = batch.last.or(last);
        }
        if kept.len() > limit {
            kept.truncate(limit);
            let next = kept.last().map(|(spot, _)| *spot);
            return Ok(Scanned { kept, next });
        }
        // Stopped before the first batch was through: from where this one began.
        let begun = range.after.map(|(time, n)| Spot { time, n });
        Ok(Scanned { kept, next: if all { None } else { last.or(begun) } })
    }

    /// The next batch, or nothing if the scan is over.
    fn take<T>(&self, shared: &Mutex<Shared<'_, T>>) -> Option<(usize, Vec<Spot>)> {
        let mut shared = lock(shared);
        if shared.stop {
            return None;
        }
        let size = if shared.batches < 4 { FIRST_BATCH } else { BATCH };
        let taken = match &mut shared.source {
            Source::Spots(spots) => Ok(spots.drain(..size.min(spots.len())).collect()),
            Source::Range(range) => self.room.store.spots(self.tenant, range, size).inspect(|spots: &Vec<Spot>| {
                range.after = spots.last().map(|spot| (spot.time, spot.n)).or(range.after);
            }),
        };
        match taken {
            Ok(spots) if spots.is_empty() => {
                shared.stop = true;
                shared.ended = true;
                None
            }
            Ok(spots) => {
                shared.batches += 1;
                Some((shared.batches - 1, spots))
            }
            Err(error) => {
                shared.fail(error);
                None
            }
        }
    }

    fn open_batch<T>(&self, spots: &[Spot], visit: impl Fn(Vec<Listed>) -> Vec<Option<T>>) -> Result<Batch<T>> {
        // In the order of commits, which is nearly that of the epochs' chains.
        let mut numbers: Vec<i64> = spots.iter().map(|spot| spot.n).collect();
        numbers.sort_unstable();
        let (mut places, mut opened) = (Places::new(), Vec::with_capacity(spots.len()));
        // A row that is gone meanwhile was erased: there is nothing left to tell of it.
        for row in self.room.store.records(self.tenant, &numbers)?.into_iter().flatten() {
            let (n, id, time) = (row.n, row.record, row.time);
            opened.push((n, Listed { id, time, record: self.open_next(row, &mut places) }));
        }
        let (numbers, listed): (Vec<i64>, Vec<Listed>) = opened.into_iter().unzip();
        let visited = numbers.into_iter().zip(visit(listed));
        let mut kept: HashMap<i64, T> = visited.filter_map(|(n, visited)| Some((n, visited?))).collect();
        let kept = spots.iter().filter_map(|spot| Some((*spot, kept.remove(&spot.n)?))).collect();
        Ok(Batch { last: spots.last().copied(), records: spots.len() as u64, kept })
    }
}

impl<T> Shared<'_, T> {
    fn finish(&mut self, number: usize, batch: Batch<T>, limit: usize) {
        self.finished.insert(number, batch);
        while let Some(batch) = self.finished.get(&self.ready) {
            self.ready += 1;
            self.scanned += batch.records;
            self.kept += batch.kept.len();
            // One more than asked for tells that there is more.
            self.stop |= self.kept > limit || (self.watch)(self.scanned, self.kept).is_break();
        }
    }

    fn fail(&mut self, error: Error) {
        self.stop = true;
        self.failed.get_or_insert(error);
    }
}

fn lock<'a, T>(shared: &'a Mutex<T>) -> MutexGuard<'a, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
