use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use super::progress::{PackageStage, Watch, proceed};
use crate::error::{Error, ErrorKind, Result};

/// Threads that work at the most: each holds a few MiB.
const MAX_THREADS: usize = 8;

/// Works on `items` on several cores and gives what came of them, in their order. `work` tells how many bytes it is done
/// with, and has to end when telling fails. This thread tells `watch`, of so many bytes in all.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    of: u64,
    watch: Watch<'_>,
    work: impl Fn(&T, &dyn Fn(u64) -> Result<()>) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    enum News<R> {
        Bytes(u64),
        Done(usize, Box<Result<R>>),
    }
    let (next, (tell, heard)) = (AtomicUsize::new(0), sync_channel(64));
    let run = |tell: SyncSender<News<R>>| {
        // When nobody listens any more, it is over.
        let over = |_| Error::new(ErrorKind::Cancelled, "hashing what is to be sent");
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            let made = work(item, &|bytes| tell.send(News::Bytes(bytes)).map_err(over));
            if tell.send(News::Done(at, Box::new(made))).is_err() {
                return;
            }
        }
    };
    let mut made: Vec<Option<R>> = Vec::new();
    made.resize_with(items.len(), || None);
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for tell in vec![tell; cores.min(MAX_THREADS).min(items.len())] {
            scope.spawn(|| run(tell));
        }
        let mut done = 0;
        for news in heard {
            match news {
                News::Bytes(bytes) => {
                    done += bytes;
                    proceed(&mut *watch, PackageStage::Hashing, done, of)?;
                }
                News::Done(at, result) => made[at] = Some((*result)?),
            }
        }
        Ok::<(), Error>(())
    })?;
    Ok(made.into_iter().flatten().collect())
}
