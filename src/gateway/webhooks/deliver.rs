//! The one task that tells receivers: it takes what is due from the outbox, sends it, and writes down how that went. Every
//! gateway of a database runs it, and each try is one gateway's.
//!
//! At least once: what was sent by a gateway that died before it wrote so is sent again, under the same id.

use super::super::Shared;
use super::super::server::Stop;
use super::super::store::{Delivery, StoreError, Taking, Tried};
use super::message::Message;
use super::schedule;
use super::send::Answer;
use crate::domain::timestamp;
use axum::http::header;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::JoinSet;

/// Tries at the same time.
const AT_ONCE: usize = 64;
/// Of them to one host: one that does not answer holds up no other.
const TO_ONE_HOST: usize = 4;
/// When a try counts as lost: longer than one takes, and than writing down how it went.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// The longest sleep in one piece: another gateway may have died in the middle of something, and the clock may be set.
const NAP: Duration = Duration::from_secs(5);
/// After a database that failed, and where another gateway was quicker.
const AGAIN: Duration = Duration::from_secs(1);

/// How many tries are under way to each host. Clones count the same.
#[derive(Debug, Clone, Default)]
struct UnderWay(Arc<Mutex<HashMap<String, usize>>>);

/// One of them; dropped, it has ended.
struct One {
    under_way: UnderWay,
    host: String,
}

impl UnderWay {
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn one(&self, host: &str) -> One {
        *self.counts().entry(host.to_owned()).or_default() += 1;
        One { under_way: self.clone(), host: host.to_owned() }
    }

    /// Each host, and how many.
    fn hosts(&self) -> Vec<(String, usize)> {
        self.counts().iter().map(|(host, count)| (host.clone(), *count)).collect()
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let mut counts = self.under_way.counts();
        let left = counts.get(&self.host).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => drop(counts.remove(&self.host)),
            left => drop(counts.insert(self.host.clone(), left)),
        }
    }
}

/// Delivers until the gateway stops. What is under way then is cut off, and comes up again.
pub(crate) async fn run(shared: Arc<Shared>, stop: Stop) {
    let mut changes = shared.store.changes();
    let under_way = UnderWay::default();
    let mut sending = JoinSet::new();
    let mut failing = false;
    loop {
        let wait = match begin(&shared, &under_way, &mut sending).await {
            Ok(wait) => {
                failing = false;
                wait
            }
            Err(StoreError::Closed) => return,
            Err(error) => {
                if !failing {
                    tracing::error!(%error, "webhooks that are due cannot be read, and are tried again");
                }
                failing = true;
                AGAIN
            }
        };
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(wait) => {}
            Some(_) = sending.join_next() => {}
            change = changes.recv() => match change {
                // One look for all that has come together.
                Ok(_) | Err(RecvError::Lagged(_)) => while !matches!(changes.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {},
                Err(RecvError::Closed) => return,
            }
        }
        while sending.try_join_next().is_some() {}
    }
}

/// Begins what is due, where there is room; gives how long to sleep.
async fn begin(
    shared: &Arc<Shared>,
    under_way: &UnderWay,
    sending: &mut JoinSet<()>,
) -> Result<Duration, StoreError> {
    let (hosts, now) = (under_way.hosts(), (shared.clock)());
    let full =
        hosts.iter().filter(|(_, count)| *count >= TO_ONE_HOST).map(|(host, _)| host.clone()).collect();
    // A read, which holds nobody up: only where something can begin is there something to write.
    let Some(due) = shared.store.delivery_due(full, now).await? else { return Ok(NAP) };
    let left = timestamp::between(now, due);
    if !left.is_zero() {
        return Ok(left.min(NAP));
    }
    let most = AT_ONCE.saturating_sub(sending.len());
    if most == 0 {
        return Ok(NAP);
    }
    let taking = Taking { most, most_to_one: TO_ONE_HOST, under_way: hosts, lease: LEASE };
    let taken = shared.store.take_deliveries(taking).await?;
    // Where another gateway was quicker, there is nothing to hurry for.
    let wait = if taken.is_empty() { AGAIN } else { Duration::ZERO };
    for delivery in taken {
        let (shared, counted) = (Arc::clone(shared), under_way.one(&delivery.host));
        sending.spawn(async move {
            one(&shared, &delivery).await;
            drop(counted);
        });
    }
    Ok(wait)
}

/// One try, and what comes of it.
async fn one(shared: &Shared, delivery: &Delivery) {
    let began = (shared.clock)();
    let message = Message::resolved(delivery);
    let sent = match shared.webhooks.target(&delivery.url) {
        Ok(target) => {
            let sent = shared.webhooks.send(&target, &message, &delivery.signing_secret, began, 0).await;
            sent.map_err(|failure| failure.to_string())
        }
        // It could be called once; since then somebody has forbidden it.
        Err(why) => Err(format!("the URL {why}")),
    };
    let now = (shared.clock)();
    let (tried, why) = match &sent {
        Ok(answer) if (200..300).contains(&answer.status) => (Tried::Delivered, String::new()),
        Ok(answer) if answer.status == 410 => (Tried::Gone, "it answered 410".to_owned()),
        Ok(answer) => again(delivery, now, asked(answer), format!("it answered {}", answer.status)),
        Err(why) => again(delivery, now, None, why.clone()),
    };
    let settled = shared.store.settle_delivery(delivery.id.clone(), delivery.tries, tried.clone()).await;
    // Only then: what the metrics have counted is written down.
    told(shared, delivery, &tried, &why);
    if let Err(error) = settled {
        tracing::error!(%error, delivery = delivery.id, "how a webhook went could not be written down; it is sent again");
    }
}

fn again(delivery: &Delivery, now: Timestamp, asked: Option<SignedDuration>, why: String) -> (Tried, String) {
    let mut chance = [0; 2];
    // Without chance it comes when it comes.
    let _ = getrandom::fill(&mut chance);
    match schedule::next(delivery.tries, now, delivery.resolved_at, asked, u16::from_be_bytes(chance)) {
        Some(at) => (Tried::Again(at), why),
        None => (Tried::GivenUp(format!("not delivered within seven days; at the last, {why}")), why),
    }
}

/// What the receiver asks to be left alone for, where it is one that says so (429, 503).
fn asked(answer: &Answer) -> Option<SignedDuration> {
    if ![429, 503].contains(&answer.status) {
        return None;
    }
    let text = answer.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(SignedDuration::from_secs(text.parse().unwrap_or(i64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok()?;
    SignedDuration::try_from(until).ok()
}

/// In the log and the metrics: to which host and how it went; never the rest of the URL, nor what the receiver said.
fn told(shared: &Shared, delivery: &Delivery, tried: &Tried, why: &str) {
    let Delivery { id, tries, host, instance_id, .. } = delivery;
    let result = match tried {
        Tried::Delivered => "delivered",
        Tried::Again(_) => "failed",
        Tried::GivenUp(_) => "given_up",
        Tried::Gone => "gone",
    };
    shared.metrics.webhook(result);
    match tried {
        Tried::Delivered => {
            tracing::info!(delivery = id, tries, host, instance = instance_id, "webhook delivered");
        }
        Tried::Again(at) => {
            tracing::warn!(delivery = id, tries, host, instance = instance_id, why, again = %at, "webhook not delivered");
        }
        Tried::GivenUp(_) | Tried::Gone => {
            tracing::error!(delivery = id, tries, host, instance = instance_id, why, "webhook given up");
        }
    }
}
