//! Who brings heads out of the vault, beside the commits and never in their way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::queue::{Obstacle, Queue, SinkStatus, Waiting};
use super::sink::{Outlet, Published, SinkOptions, Source};
use crate::error::{Error, Result};
use crate::id::TenantId;

/// The pause after the first failure of a head, and the longest: each is twice the one before.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a vault that is dropped lets its sinks take what none of them has refused yet.
const GRACE: Duration = Duration::from_secs(1);

/// The threads that publish heads, one for each sink. Dropped, it lets them end, and does not wait for one that hangs.
pub(crate) struct Publisher {
    shared: Arc<Shared>,
    /// Held for the threads, which know it weakly.
    source: Arc<Source>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// For the threads: there is something to do.
    work: Condvar,
    /// For those who wait for the threads: something is done.
    progress: Condvar,
}

struct State {
    queues: Vec<Queue>,
    /// What was waiting by then is wanted at once.
    hurry: Option<Instant>,
    /// The vault is being dropped, and what can be brought out until then is.
    stop: Option<Instant>,
}

impl Publisher {
    /// Starts a thread for each outlet.
    ///
    /// # Errors
    /// `Io` if the system gives none.
    pub(crate) fn start(source: Source, outlets: Vec<(SinkOptions, Box<dyn Outlet>)>) -> Result<Self> {
        let queues = outlets.iter().map(|(options, _)| Queue::new(options.clone())).collect();
        let state = Mutex::new(State { queues, hurry: None, stop: None });
        let shared = Arc::new(Shared { state, work: Condvar::new(), progress: Condvar::new() });
        let mut publisher = Self { shared, source: Arc::new(source), threads: Vec::new() };
        for (at, (_, outlet)) in outlets.into_iter().enumerate() {
            let (shared, source) = (Arc::clone(&publisher.shared), Arc::downgrade(&publisher.source));
            let thread = thread::Builder::new().name(format!("strongroom-sink-{at}"));
            let thread = thread.spawn(move || run(at, outlet, &source, &shared));
            // Those that run already end as this is dropped.
            publisher.threads.push(thread.map_err(|e| Error::from_io(e, "starting a thread that publishes heads"))?);
        }
        Ok(publisher)
    }

    #[cfg(feature = "witness")]
    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Whether there is anybody to publish to.
    pub(crate) fn is_idle(&self) -> bool {
        self.threads.is_empty()
    }

    /// Has the newest heads of tenants brought out. Waits for nobody.
    pub(crate) fn tell(&self, tenants: impl IntoIterator<Item = TenantId>) {
        if self.is_idle() {
            return;
        }
        let (now, mut state) = (Instant::now(), self.shared.lock());
        for tenant in tenants {
            state.queues.iter_mut().for_each(|queue| queue.tell(tenant, now, None));
        }
        drop(state);
        self.shared.work.notify_all();
    }

    /// Waits until every sink has what was told until now, or until the time is over. Gives how far each is then.
    pub(crate) fn flush(&self, timeout: Duration) -> Vec<SinkStatus> {
        let start = Instant::now();
        let mut state = self.shared.lock();
        state.hurry = Some(start);
        state.queues.iter_mut().for_each(|queue| queue.hurry(start));
        self.shared.work.notify_all();
        while !state.queues.iter().all(|queue| queue.has_all_of(start)) {
            let Some(left) = timeout.checked_sub(start.elapsed()) else { break };
            let waited = self.shared.progress.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.status()
    }

    pub(crate) fn status(&self) -> Vec<SinkStatus> {
        self.shared.lock().status()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let me = thread::current().id();
        let deadline = Instant::now() + GRACE;
        let mut state = self.shared.lock();
        state.stop = Some(deadline);
        self.shared.work.notify_all();
        // A sink that held the last handle of the vault drops it in its own thread, and must not wait for itself.
        let own = self.threads.iter().any(|thread| thread.thread().id() == me);
        while !own && !self.threads.is_empty() && !state.queues.iter().all(|queue| queue.ended) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            state = self.shared.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let ended: Vec<bool> = state.queues.iter().map(|queue| queue.ended).collect();
        drop(state);
        for (thread, _) in self.threads.drain(..).zip(ended).filter(|(_, ended)| *ended) {
            // It has said its last word; whatever it panics with has nobody to go to.
            let _ = thread.join();
        }
    }
}

fn run(at: usize, mut outlet: Box<dyn Outlet>, source: &Weak<Source>, shared: &Shared) {
    while let Some(tenant) = shared.next(at) {
        let published = catch_unwind(AssertUnwindSafe(|| outlet.publish(tenant, source)));
        shared.done(at, tenant, published.unwrap_or_else(|_| Published::default().kept(Obstacle::Panicked)));
    }
    let _ = catch_unwind(AssertUnwindSafe(|| drop(outlet)));
    shared.lock().queues[at].ended = true;
    shared.progress.notify_all();
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next tenant whose head is due; nothing when the vault is being dropped and no more is to be done.
    fn next(&self, at: usize) -> Option<TenantId> {
        let mut state = self.lock();
        loop {
            let (now, stop) = (Instant::now(), state.stop);
            let queue = &mut state.queues[at];
            let first = match stop {
                Some(deadline) if now >= deadline => return None,
                // What failed is left for the next who opens the vault.
                Some(_) => Some(queue.order.iter().copied().find(|(_, tenant)| queue.waiting[tenant].tries == 0)?),
                None => queue.order.first().copied(),
            };
            let wait = match first {
                Some((due, tenant)) if stop.is_some() || due <= now => {
                    queue.order.remove(&(due, tenant));
                    let waiting = queue.waiting.remove(&tenant)?;
                    queue.busy = Some((tenant, waiting, now));
                    return Some(tenant);
                }
                Some((due, _)) => due - now,
                None => LONGEST_PAUSE,
            };
            state = self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn done(&self, at: usize, tenant: TenantId, published: Published) {
        let (now, mut state) = (Instant::now(), self.lock());
        let hurry = state.hurry;
        let queue = &mut state.queues[at];
        let tried = queue.busy.take().map(|(_, tried, _)| tried);
        let Published { count, signed, more, obstacle } = published;
        // What follows from a head is waited for as the head is.
        let since = tried.as_ref().map_or(now, |tried| tried.since);
        queue.taken += count;
        match obstacle {
            None => {
                queue.took(tenant, now, hurry);
                if more {
                    queue.tell(tenant, since, hurry);
                }
            }
            Some(why) => {
                queue.take(tenant);
                let tries = tried.map_or(0, |tried| tried.tries).saturating_add(1);
                let pause = PAUSE.saturating_mul(1 << (tries - 1).min(16)).min(LONGEST_PAUSE);
                queue.put(tenant, Waiting { due: now + pause, since, tries, why });
            }
        }
        if signed {
            let others = state.queues.iter_mut().enumerate().filter(|(other, _)| *other != at);
            others.for_each(|(_, queue)| queue.tell(tenant, since, hurry));
        }
        self.work.notify_all();
        drop(state);
        self.progress.notify_all();
    }
}

impl State {
    fn status(&self) -> Vec<SinkStatus> {
        let now = Instant::now();
        self.queues.iter().map(|queue| queue.status(now)).collect()
    }
}
