use std::sync::Arc;

use super::session::TenantSession;
use crate::epoch::EpochReader;
use crate::error::Result;
use crate::id::EpochId;
use crate::index::{IndexKey, Token};
use crate::record::Identifier;
use crate::store::{Order, PageRange, Spot, Store};

/// Tokens of an epoch that are looked up at once at the most.
const MOST: u32 = 256;

/// Where the records of some epochs stand in which somebody has this identifier, in no order.
///
/// Each epoch is asked for its tokens of the identifier, counted from 0, until one is missing: first for one, then
/// for twice as many each time.
pub(crate) fn spots_of(
    store: &dyn Store,
    who: &Identifier,
    mut epochs: Vec<(EpochId, &IndexKey)>,
) -> Result<Vec<Spot>> {
    let (mut spots, mut from, mut count) = (Vec::new(), 0u32, 1u32);
    while !epochs.is_empty() {
        let counters = from..from.saturating_add(count);
        let mut tokens: Vec<(EpochId, Token)> = Vec::with_capacity(epochs.len() * count as usize);
        for (epoch, key) in &epochs {
            let token = |counter| key.token(who.scheme(), who.value(), counter);
            tokens.extend(counters.clone().map(|counter| (*epoch, token(counter))));
        }
        let found = store.find(&tokens)?;
        let mut answers = found.chunks(count as usize);
        epochs.retain(|_| {
            let answer = answers.next().unwrap_or_default();
            spots.extend(answer.iter().map_while(|spot| *spot));
            answer.iter().all(Option::is_some)
        });
        from = counters.end;
        count = (count * 2).min(MOST);
    }
    Ok(spots)
}

impl TenantSession {
    /// Where the records stand in which somebody has this identifier, in the order of `range` and within it.
    pub(super) fn spots_of(&self, who: &Identifier, range: &PageRange) -> Result<Vec<Spot>> {
        let epochs = self.all_epochs()?;
        let keys = epochs.iter().map(|epoch| (epoch.header.epoch(), &epoch.index_key)).collect();
        let mut spots = spots_of(&*self.room.store, who, keys)?;
        let key = |spot: &Spot| if range.by == Order::Time { (spot.time, spot.n) } else { (0, spot.n) };
        let after = range.after.map(|(time, n)| key(&Spot { time, n }));
        spots.retain(|spot| {
            let behind = |after| if range.newest_first { key(spot) < after } else { key(spot) > after };
            after.is_none_or(behind) && range.times.is_none_or(|(start, end)| (start..end).contains(&spot.time))
        });
        spots.sort_unstable_by_key(key);
        if range.newest_first {
            spots.reverse();
        }
        Ok(spots)
    }

    /// All of the tenant's epochs, opened on all cores where they are not yet.
    fn all_epochs(&self) -> Result<Vec<Arc<EpochReader>>> {
        let ids = self.room.store.epochs_of(self.tenant)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let unopened: Vec<EpochId> = ids.iter().copied().filter(|id| !self.knows(*id)).collect();
        if !unopened.is_empty() {
            std::thread::scope(|scope| {
                for share in unopened.chunks(unopened.len().div_ceil(cores)) {
                    // What does not open is asked again below, and its error told.
                    scope.spawn(|| share.iter().for_each(|id| drop(self.epoch(*id))));
                }
            });
        }
        ids.into_iter().map(|id| self.epoch(id)).collect()
    }
}
