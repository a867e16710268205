//! The journals' threads on the simulation's clock. What waits for a disk would see a paused clock jump to the next timer;
//! and whether the disk answers before or after something else happens would be chance. So each journal's thread stands at
//! a gate, which is open only while the runtime has nothing else to do, and time stands still until the disk has answered.
//! A gate that stays shut is a disk that stalls.

use aegis_console::journal::Journal;
use aegis_console::{clock, failpoint};
use jiff::Timestamp;
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

thread_local! {
    /// On a simulation's thread: its disks.
    static DISKS: RefCell<Vec<Disk>> = const { RefCell::new(Vec::new()) };
    /// Whether anything was asked of a disk since they last worked.
    static ASKED: Cell<bool> = const { Cell::new(false) };
    /// On a journal's thread: its gate, if it belongs to a simulation.
    static MINE: RefCell<Option<Option<Arc<Gate>>>> = const { RefCell::new(None) };
}

/// The gate of the journal that is being opened. One at a time, of all simulations.
static NEXT: Mutex<Option<Arc<Gate>>> = Mutex::new(None);
static OPENING: Mutex<()> = Mutex::new(());

#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    /// The time of day, in nanoseconds, for what is written.
    time: AtomicI64,
}

impl Gate {
    fn set(&self, open: bool) {
        *self.open.lock().unwrap() = open;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }
}

struct Disk {
    console: usize,
    gate: Arc<Gate>,
    journal: Journal,
    stalled: bool,
}

impl Disk {
    /// Does all that has been asked of it.
    fn work(&self) {
        let now = i64::try_from(aegis_now().as_nanosecond()).unwrap();
        self.gate.time.store(now, Ordering::SeqCst);
        self.gate.set(true);
        // It is done in the order of asking.
        wait(self.journal.record(Vec::new())).unwrap();
        self.gate.set(false);
    }
}

thread_local! {
    static NOW: RefCell<Option<Box<dyn Fn() -> Timestamp>>> = const { RefCell::new(None) };
}

fn aegis_now() -> Timestamp {
    NOW.with_borrow(|now| now.as_ref().map_or_else(Timestamp::now, |now| now()))
}

/// Prepares this thread for a simulation with that time of day.
pub(crate) fn prepare(now: impl Fn() -> Timestamp + Clone + 'static) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        assert!(failpoint::install(|_, what| match what {
            "asked" => ASKED.set(true),
            "batch" => at_the_gate(),
            _ => {}
        }));
    });
    DISKS.take();
    NOW.set(Some(Box::new(now.clone())));
    clock::set(now);
}

fn at_the_gate() {
    let gate = MINE.with_borrow_mut(|mine| {
        mine.get_or_insert_with(|| {
            let gate = NEXT.lock().unwrap().clone()?;
            let time = Arc::clone(&gate);
            clock::set(move || {
                Timestamp::from_nanosecond(i128::from(time.time.load(Ordering::SeqCst))).unwrap()
            });
            Some(gate)
        })
        .clone()
    });
    if let Some(gate) = gate {
        gate.pass();
    }
}

/// Opens a journal whose disk belongs to that console.
pub(crate) fn open(console: usize, path: &Path) -> Journal {
    let gate = Arc::new(Gate::default());
    let now = i64::try_from(aegis_now().as_nanosecond()).unwrap();
    gate.time.store(now, Ordering::SeqCst);
    gate.set(true);
    let one = OPENING.lock().unwrap();
    *NEXT.lock().unwrap() = Some(Arc::clone(&gate));
    let journal = Journal::open(path).unwrap();
    *NEXT.lock().unwrap() = None;
    drop(one);
    gate.set(false);
    let disk = Disk { console, gate, journal: journal.clone(), stalled: false };
    DISKS.with_borrow_mut(|disks| disks.push(disk));
    journal
}

/// Called when the runtime has nothing else to do: every disk that does not stall does its work.
pub(crate) fn work() {
    if !ASKED.replace(false) {
        return;
    }
    DISKS.with_borrow(|disks| disks.iter().filter(|disk| !disk.stalled).for_each(Disk::work));
    ASKED.set(false);
}

/// That console's disk does its work now.
pub(crate) fn flush(console: usize) {
    DISKS.with_borrow(|disks| {
        let mine = disks.iter().filter(|disk| disk.console == console && !disk.stalled);
        mine.for_each(Disk::work);
    });
}

/// That console's disk stalls, or works again.
pub(crate) fn stall(console: usize, stalled: bool) {
    DISKS.with_borrow_mut(|disks| {
        for disk in disks.iter_mut().filter(|disk| disk.console == console) {
            disk.stalled = stalled;
        }
    });
    ASKED.set(true);
}

/// That console's process has ended: nobody waits for its disk any more, and what is still written is never read.
pub(crate) fn leave(console: usize) {
    let gone: Vec<_> =
        DISKS.with_borrow_mut(|disks| disks.extract_if(.., |disk| disk.console == console).collect());
    gone.iter().for_each(|disk| disk.gate.set(true));
}

/// Waits on this very thread, whatever runs on it.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
