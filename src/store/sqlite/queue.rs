//! Who commits for whom.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Change, Outcome};

type Told = Result<Vec<Outcome>>;

/// Changes that wait for a commit. One thread leads: it commits whatever waits. Then it hands the lead to one that came
/// meanwhile, and only after that tells those whom it committed for, so that they go on while the disk is at work again.
#[derive(Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    changes: Vec<Change>,
    seats: Vec<Arc<Seat>>,
    /// Whether somebody leads. If nobody does, nobody waits.
    led: bool,
}

/// Where a thread waits for its result, or for the lead.
#[derive(Default)]
struct Seat {
    turn: Mutex<Option<Turn>>,
    came: Condvar,
}

enum Turn {
    Leads,
    Told(Told),
}

impl Queue {
    /// Gives what became of a change, which this thread commits by `commit`, with all that waited by then, or another
    /// thread did. `commit` gives the results in the order of its changes.
    pub(super) fn commit(&self, change: Change, commit: impl FnOnce(Vec<Change>) -> Vec<Told>) -> Told {
        let seat = Arc::<Seat>::default();
        let others_lead = {
            let mut waiting = lock(&self.0);
            waiting.changes.push(change);
            waiting.seats.push(Arc::clone(&seat));
            std::mem::replace(&mut waiting.led, true)
        };
        if others_lead && let Turn::Told(told) = seat.wait() {
            return told;
        }
        let (changes, seats) = {
            let mut waiting = lock(&self.0);
            (std::mem::take(&mut waiting.changes), std::mem::take(&mut waiting.seats))
        };
        // Whoever leads is the first of those that wait.
        let mut lead = Lead { queue: self, followers: seats.into_iter().skip(1).collect(), told: Vec::new() };
        let mut told = commit(changes).into_iter();
        let own = told.next().unwrap_or_else(unknown);
        lead.told = told.collect();
        own
    }
}

/// Dropped, it hands the lead over and tells the others, also if its thread panics: then nobody knows.
struct Lead<'a> {
    queue: &'a Queue,
    followers: Vec<Arc<Seat>>,
    told: Vec<Told>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.queue.0);
        match waiting.seats.first() {
            Some(next) => next.give(Turn::Leads),
            None => waiting.led = false,
        }
        drop(waiting);
        let told = self.told.drain(..).chain(std::iter::repeat_with(unknown));
        self.followers.iter().zip(told).for_each(|(seat, told)| seat.give(Turn::Told(told)));
    }
}

fn unknown() -> Told {
    Err(Error::new(ErrorKind::OutcomeUnknown, "committing beside a thread that died"))
}

impl Seat {
    fn give(&self, turn: Turn) {
        *lock(&self.turn) = Some(turn);
        self.came.notify_one();
    }

    fn wait(&self) -> Turn {
        let mut turn = lock(&self.turn);
        loop {
            match turn.take() {
                Some(turn) => return turn,
                None => turn = self.came.wait(turn).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Lets one thread commit until `count` others wait, each of which would commit by `commit`. Gives what they were told.
    fn wait_together(
        queue: &Queue,
        count: usize,
        commit: impl Fn(Vec<Change>) -> Vec<Told> + Sync,
    ) -> Vec<Option<Told>> {
        let ((begun, begins), (go, gone)) = (channel(), channel());
        std::thread::scope(|scope| {
            let first = scope.spawn(move || {
                queue.commit(Change::default(), |_| {
                    begun.send(()).unwrap();
                    gone.recv().unwrap();
                    vec![Ok(vec![])]
                })
            });
            begins.recv().unwrap();
            let others: Vec<_> = (0..count).map(|_| scope.spawn(|| queue.commit(Change::default(), &commit))).collect();
            while lock(&queue.0).seats.len() < count {
                std::thread::yield_now();
            }
            go.send(()).unwrap();
            first.join().unwrap().unwrap();
            others.into_iter().map(|other| other.join().ok()).collect()
        })
    }

    #[test]
    fn those_who_come_during_a_commit_are_committed_together_by_one_of_them() {
        let (queue, sizes) = (Queue::default(), Mutex::new(Vec::new()));
        let told = wait_together(&queue, 8, |changes| {
            lock(&sizes).push(changes.len());
            changes.iter().map(|_| Ok(vec![Outcome::Done])).collect()
        });
        assert!(told.into_iter().all(|told| told.unwrap().unwrap().len() == 1));
        assert_eq!(*lock(&sizes), [8]);
        assert!(!lock(&queue.0).led);
    }

    #[test]
    fn who_waits_for_a_thread_that_dies_is_told_that_nobody_knows_and_the_queue_goes_on() {
        let queue = Queue::default();
        let told = wait_together(&queue, 3, |_| panic!("as the test wants"));
        let (died, told): (Vec<_>, Vec<_>) = told.into_iter().partition(Option::is_none);
        assert_eq!(died.len(), 1);
        assert!(told.into_iter().all(|told| told.unwrap().unwrap_err().kind() == ErrorKind::OutcomeUnknown));
        assert!(queue.commit(Change::default(), |_| vec![Ok(vec![])]).is_ok());
    }
}
