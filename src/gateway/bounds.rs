//! How much one agent may take of the gateway, so that none of them can lock the reviewers out or fill the disk: calls at
//! the same time, actions that wait, bytes in a day. What is over a bound is answered with 429 and `Retry-After`.
//!
//! People's calls have no bound: what they do is never held up by what agents do. Only the streams that one of them listens
//! to have, because a person's connection is never cleared away for somebody else.

use super::answer::Refusal;
use super::auth::Caller;
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much may be taken. The defaults are far above what people can review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at the same time. Half of them at most are agents' calls; when all are taken, the oldest on which
    /// nothing goes on gives way to whoever comes next.
    pub connections: usize,
    /// Calls of one agent's credential at the same time, those that wait for a decision included.
    pub calls_per_agent: usize,
    /// Actions of one agent's credential that wait for a decision.
    pub pending_per_agent: usize,
    /// Streams of events that one person may listen to at the same time.
    pub streams_per_person: usize,
    /// Bytes that one agent's credential may have stored at once, submission and sealed text together; they come back at
    /// [`BYTES_PER_SECOND`].
    pub bytes_per_agent: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 2_048,
            calls_per_agent: 512,
            pending_per_agent: 10_000,
            streams_per_person: 32,
            bytes_per_agent: 256 * 1024 * 1024,
        }
    }
}

/// How fast an agent's bytes come back: 5.4 GB in a day is the most that one credential can have stored for good.
pub const BYTES_PER_SECOND: u64 = 64 * 1024;

/// What each agent takes at this moment.
pub(crate) struct Usage {
    bounds: Bounds,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// Calls of all agents.
    calls: usize,
    agents: HashMap<Key, Agent>,
    /// Streams of each person who listens to any.
    streams: HashMap<Key, usize>,
}

/// Tenant and name.
type Key = (Arc<str>, Arc<str>);

#[derive(Default)]
struct Agent {
    calls: usize,
    /// Bytes that have not come back yet, as of then.
    bytes: u64,
    then: Option<Instant>,
}

/// One call under way; dropped, it has ended.
pub(crate) struct Call {
    usage: Arc<Usage>,
    key: Key,
}

/// One stream that a person listens to; dropped, it has ended.
pub(crate) struct Stream {
    usage: Arc<Usage>,
    key: Key,
}

impl Usage {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, taken: Mutex::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An agent's call begins.
    pub(crate) fn begin(self: &Arc<Self>, caller: &Caller) -> Result<Call, Refusal> {
        let key = (Arc::clone(&caller.tenant), Arc::clone(&caller.name));
        let mut taken = self.taken();
        if taken.calls >= (self.bounds.connections / 2).max(1) {
            let detail = "the agents of this gateway have as many calls under way as they may; try again";
            return Err(busy("too_many_calls", detail.into(), 1));
        }
        let agent = taken.agents.entry(key.clone()).or_default();
        if agent.calls >= self.bounds.calls_per_agent {
            let most = self.bounds.calls_per_agent;
            let detail = format!("this agent has {most} calls under way, and no more are taken; try again");
            return Err(busy("too_many_calls", detail, 1));
        }
        agent.calls += 1;
        taken.calls += 1;
        Ok(Call { usage: Arc::clone(self), key })
    }

    /// A person begins to listen.
    pub(crate) fn listen(self: &Arc<Self>, caller: &Caller) -> Result<Stream, Refusal> {
        let key = (Arc::clone(&caller.tenant), Arc::clone(&caller.name));
        let mut taken = self.taken();
        let streams = taken.streams.entry(key.clone()).or_default();
        if *streams >= self.bounds.streams_per_person {
            let detail =
                format!("{streams} streams of events are open under this name, and no more are opened");
            return Err(busy("too_many_streams", detail, 10));
        }
        *streams += 1;
        Ok(Stream { usage: Arc::clone(self), key })
    }

    /// An agent wants to have so many bytes stored.
    pub(crate) fn store(&self, caller: &Caller, bytes: usize, now: Instant) -> Result<(), Refusal> {
        let key = (Arc::clone(&caller.tenant), Arc::clone(&caller.name));
        let mut taken = self.taken();
        let agent = taken.agents.entry(key).or_default();
        let since = agent.then.map_or(Duration::ZERO, |then| now.saturating_duration_since(then));
        let back = since.as_millis().saturating_mul(u128::from(BYTES_PER_SECOND)) / 1_000;
        agent.bytes = agent.bytes.saturating_sub(u64::try_from(back).unwrap_or(u64::MAX));
        agent.then = Some(now);
        let wanted = agent.bytes.saturating_add(bytes as u64);
        let over = wanted.saturating_sub(self.bounds.bytes_per_agent);
        if over > 0 {
            let detail = "this agent has asked for more than is stored in so short a time; ask again later";
            return Err(busy("too_many_bytes", detail.into(), over.div_ceil(BYTES_PER_SECOND)));
        }
        agent.bytes = wanted;
        Ok(())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut taken = self.usage.taken();
        taken.calls = taken.calls.saturating_sub(1);
        if let Some(agent) = taken.agents.get_mut(&self.key) {
            agent.calls = agent.calls.saturating_sub(1);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut taken = self.usage.taken();
        if let Some(streams) = taken.streams.get_mut(&self.key) {
            *streams = streams.saturating_sub(1);
            if *streams == 0 {
                taken.streams.remove(&self.key);
            }
        }
    }
}

/// What an agent is told that has as much waiting as it may.
pub(crate) fn too_many_pending(most: usize) -> Refusal {
    let detail = format!("this agent has {most} requests that wait for a decision, and no more are taken");
    busy("too_many_pending", detail, 10)
}

fn busy(code: &'static str, detail: String, retry_after: u64) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, code, detail).retry_after(retry_after)
}

#[cfg(test)]
mod tests {
    use super::super::auth::Role;
    use super::*;

    fn caller(name: &str) -> Caller {
        Caller { name: name.into(), tenant: "t".into(), role: Role::Agent, held: None }
    }

    #[test]
    fn calls_are_counted_for_each_agent_and_for_all_of_them() {
        let bounds = Bounds { connections: 6, calls_per_agent: 2, ..Bounds::default() };
        let usage = Arc::new(Usage::new(bounds));
        let (a, b) = (caller("a"), caller("b"));
        let first = [usage.begin(&a).unwrap(), usage.begin(&a).unwrap()];
        assert_eq!(usage.begin(&a).err().map(|no| no.status.as_u16()), Some(429));
        let other = usage.begin(&b).unwrap();
        assert!(usage.begin(&b).is_err(), "half of the connections are taken");
        drop(first);
        let again = [usage.begin(&b).unwrap(), usage.begin(&a).unwrap()];
        assert!(usage.begin(&a).is_err());
        drop((other, again));
        assert_eq!(usage.taken().calls, 0);
    }

    #[test]
    fn bytes_come_back_with_time() {
        let usage = Usage::new(Bounds { bytes_per_agent: 3 * BYTES_PER_SECOND, ..Bounds::default() });
        let (a, start) = (caller("a"), Instant::now());
        let second = usize::try_from(BYTES_PER_SECOND).unwrap();
        let at = |millis| start + Duration::from_millis(millis);
        assert!(usage.store(&a, 3 * second, start).is_ok());
        assert!(usage.store(&a, 1, at(0)).is_err());
        assert!(usage.store(&a, second, at(999)).is_err());
        assert!(usage.store(&a, second, at(1_001)).is_ok(), "what was refused has cost nothing");
        assert!(usage.store(&a, second, at(1_500)).is_err());
        assert!(usage.store(&caller("b"), 3 * second, start).is_ok(), "each agent has its own");
        assert!(usage.store(&a, 3 * second, at(1_000_000)).is_ok(), "no more comes back than was taken");
        assert!(usage.store(&a, 1, at(1_000_000)).is_err());
    }
}
