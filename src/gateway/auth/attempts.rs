//! Who keeps calling with credentials that nobody knows: counted for each peer, and slowed down. Known credentials never
//! come this way, so nobody locks out anybody else.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many unknown credentials a peer may bring at once, and how many more each second.
const FAILURES: Rate = Rate { most: 60.0, per_second: 1.0 };
/// How many peers are remembered at the same time.
const PEERS: usize = 4096;

/// How much there is at most, and how fast it comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) most: f64,
    pub(crate) per_second: f64,
}

/// What is left of a rate.
#[derive(Debug)]
pub(crate) struct Bucket {
    left: f64,
    then: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Self { left: rate.most, then: now }
    }

    /// Whether all of it is back.
    pub(crate) fn is_full(&mut self, rate: Rate, now: Instant) -> bool {
        self.refill(rate, now);
        self.left >= rate.most
    }

    fn refill(&mut self, rate: Rate, now: Instant) {
        let back = now.saturating_duration_since(self.then).as_secs_f64() * rate.per_second;
        self.left = (self.left + back).min(rate.most);
        self.then = now;
    }

    /// Takes one out; `false` where none is left.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.refill(rate, now);
        let taken = self.left >= 1.0;
        if taken {
            self.left -= 1.0;
        }
        taken
    }
}

/// Each peer's failures.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    peers: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Attempts {
    /// Notes a failure; `false` where the peer has had too many.
    pub(super) fn failed(&self, peer: IpAddr, now: Instant) -> bool {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = network(peer);
        if peers.len() >= PEERS && !peers.contains_key(&peer) {
            peers.retain(|_, bucket| !bucket.is_full(FAILURES, now));
            if peers.len() >= PEERS {
                // More peers fail than can be told apart: they all begin again.
                peers.clear();
            }
        }
        peers.entry(peer).or_insert_with(|| Bucket::full(FAILURES, now)).take(FAILURES, now)
    }
}

/// Whoever has one IPv6 address has all 2^64 of its network.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_peer_that_fails_too_often_waits_and_the_others_do_not() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let (a, b) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        assert!((0..60).all(|_| attempts.failed(a, start)));
        assert!(!attempts.failed(a, start));
        assert!(
            !attempts.failed("::ffff:10.0.0.1".parse().unwrap(), start),
            "the same address, written anew"
        );
        assert!(attempts.failed(b, start));
        assert!(attempts.failed(a, start + Duration::from_secs(1)));
        assert!(!attempts.failed(a, start + Duration::from_secs(1)));
    }

    #[test]
    fn a_network_is_one_peer_and_the_memory_is_bounded() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let host = |n: u16| Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, n).into();
        assert!((0..60).all(|n| attempts.failed(host(n), start)));
        assert!(!attempts.failed(host(61), start));
        for n in 0..20_000_u32 {
            attempts.failed(IpAddr::V4(n.into()), start);
        }
        assert!(attempts.peers.lock().unwrap().len() <= PEERS);
    }
}
