//! Who sits at a connection, and who gives way when all are taken.
//!
//! Whoever connects has not said yet who they are, so a crowd of silent connections could keep everybody out. When no
//! seat is free, the oldest connection on which nothing goes on is asked to leave; one through which a reviewer has
//! spoken is not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Notify;

/// Every connection that is open, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    seats: BTreeMap<u64, Arc<Seat>>,
}

/// One connection's.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// Calls whose head has come and whose answer has not begun.
    at_work: AtomicUsize,
    reviewer: AtomicBool,
    peer: OnceLock<IpAddr>,
    asked: AtomicBool,
    leave: Notify,
}

/// A seat that is taken; dropped, it is free.
pub(crate) struct Sitting {
    seats: Arc<Seats>,
    number: u64,
    pub(crate) seat: Arc<Seat>,
}

/// A call on a connection; dropped, its answer has begun or its caller has gone.
pub(crate) struct Work(Arc<Seat>);

impl Seats {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat.
    pub(crate) fn sit(self: &Arc<Self>) -> Sitting {
        let mut taken = self.taken();
        let number = taken.next;
        taken.next += 1;
        let seat = Arc::<Seat>::default();
        taken.seats.insert(number, Arc::clone(&seat));
        Sitting { seats: Arc::clone(self), number, seat }
    }

    /// Asks the oldest connection that may be asked to leave; `false` where there is none.
    pub(crate) fn make_room(&self) -> bool {
        let taken = self.taken();
        let idle = taken.seats.values().find(|seat| seat.is_idle() && !seat.asked.load(Ordering::SeqCst));
        if let Some(seat) = idle {
            seat.asked.store(true, Ordering::SeqCst);
            seat.leave.notify_one();
        }
        idle.is_some()
    }
}

impl Seat {
    fn is_idle(&self) -> bool {
        self.at_work.load(Ordering::SeqCst) == 0 && !self.reviewer.load(Ordering::SeqCst)
    }

    /// A reviewer has spoken: this connection stays.
    pub(crate) fn is_reviewers(&self) {
        self.reviewer.store(true, Ordering::SeqCst);
    }

    /// Notes where it comes from: its other end, which may be a proxy.
    pub(crate) fn is_of(&self, peer: IpAddr) {
        self.peer.get_or_init(|| peer);
    }

    /// Where it comes from.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.peer.get().copied()
    }

    /// A call begins.
    pub(crate) fn work(self: &Arc<Self>) -> Work {
        self.at_work.fetch_add(1, Ordering::SeqCst);
        Work(Arc::clone(self))
    }

    /// Ends when this connection must go. Where a call has begun since it was asked to, it stays.
    pub(crate) async fn must_leave(&self) {
        loop {
            self.leave.notified().await;
            if self.is_idle() {
                return;
            }
            self.asked.store(false, Ordering::SeqCst);
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Sitting {
    fn drop(&mut self) {
        self.seats.taken().seats.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn the_oldest_idle_one_goes_first_and_reviewers_stay() {
        let seats = Arc::new(Seats::default());
        let sitting: Vec<_> = (0..4).map(|_| seats.sit()).collect();
        let goes = |number: usize| sitting[number].seat.must_leave().now_or_never().is_some();
        sitting[0].seat.is_reviewers();
        let call = sitting[1].seat.work();
        assert!(seats.make_room() && goes(2) && !goes(3));
        assert!(seats.make_room() && goes(3), "one that was asked is not asked again");
        assert!(!seats.make_room(), "a reviewer and a call under way");
        drop(call);
        assert!(seats.make_room());
        let begun = sitting[1].seat.work();
        assert!(!goes(1), "a call that begins in the same moment is answered");
        drop(begun);
        assert!(seats.make_room() && goes(1), "and can be asked later");
        drop(sitting);
        assert!(seats.taken().seats.is_empty());
    }
}
