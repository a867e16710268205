//! One direction of the way between a program and the person's terminal: direct, or a link of 64 kbit/s on which
//! everything takes 100 ms.
//!
//! A slow link takes what it is given, as sshd and the sockets do, up to a bound; what it has taken cannot be called
//! back.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes a second: 64 kbit/s.
const RATE: f64 = 8_000.0;
/// From one end to the other.
const DELAY: Duration = Duration::from_millis(100);
/// Bytes that arrive together, 10 ms of the line.
const PIECE: usize = 80;
/// What the buffers of sshd and the sockets hold before a program's write has to wait; socket buffers grow to that.
const BUFFER: f64 = 1024.0 * 1024.0;

type Deliver = Box<dyn FnMut(&[u8]) + Send>;

/// See above. Clones are the same wire.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Mutex<End>>);

enum End {
    Direct(Deliver),
    Slow { pieces: Sender<(Instant, Vec<u8>)>, free: Instant },
}

impl Wire {
    /// Delivers at once.
    pub(crate) fn direct(deliver: impl FnMut(&[u8]) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(End::Direct(Box::new(deliver)))))
    }

    /// Delivers as a slow link does.
    pub(crate) fn slow(mut deliver: impl FnMut(&[u8]) + Send + 'static) -> Self {
        let (pieces, arriving) = channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            for (at, piece) in arriving {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                deliver(&piece);
            }
        });
        Self(Arc::new(Mutex::new(End::Slow { pieces, free: Instant::now() })))
    }

    /// Takes the bytes; waits only where a slow link's buffers are full.
    pub(crate) fn send(&self, bytes: &[u8]) {
        match &mut *self.0.lock().unwrap() {
            End::Direct(deliver) => deliver(bytes),
            End::Slow { pieces, free } => {
                for piece in bytes.chunks(PIECE) {
                    let now = Instant::now();
                    let held = free.saturating_duration_since(now);
                    thread::sleep(held.saturating_sub(Duration::from_secs_f64(BUFFER / RATE)));
                    *free = now.max(*free) + Duration::from_secs_f64(piece.len() as f64 / RATE);
                    // Nobody receives any more once the terminal has gone.
                    let _ = pieces.send((*free + DELAY, piece.to_vec()));
                }
            }
        }
    }
}
