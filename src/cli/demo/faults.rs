//! The fault layer between the demo's console and its gateway: a [`Transport`] around the real one that makes things
//! go wrong on a schedule drawn from the seed.
//!
//! The gateway knows nothing of it, and nor does the client: what a reviewer then sees is what the program really makes
//! of such answers. This file must not fake an outcome, only what happens on the way.

use super::alice::Alice;
use crate::client::{Transport, TransportError};
use crate::domain::Verdict;
use crate::domain::json::{self, Limits, Value};
use bytes::Bytes;
use fastrand::Rng;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, StatusCode, header};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Answer = Result<Response<Bytes>, TransportError>;

/// What may happen to one decision of the person at the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// 503 twice, then the gateway answers.
    Unavailable,
    /// The gateway commits, and its answer is lost.
    AnswerLost,
    /// Alice decides the same, a moment earlier.
    Same,
    /// Alice decides the opposite, a moment earlier.
    Opposite,
}

impl Fault {
    const REAL: [Self; 4] = [Self::Unavailable, Self::AnswerLost, Self::Same, Self::Opposite];
}

/// Which fault comes when.
#[derive(Debug)]
pub(super) struct Schedule {
    rng: Rng,
    coming: VecDeque<Fault>,
    /// The fault of each decision and how many tries of it were seen, by `X-Request-Id`.
    seen: HashMap<String, (Fault, u32)>,
}

impl Schedule {
    /// Each fault once among the first eight decisions, the first of which goes well.
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut coming = Fault::REAL.to_vec();
        coming.extend([Fault::None; 3]);
        rng.shuffle(&mut coming);
        let coming = std::iter::once(Fault::None).chain(coming).collect();
        Self { rng, coming, seen: HashMap::new() }
    }

    /// What happens to this try, and which try of its decision it is, from 1.
    fn next(&mut self, request_id: &str) -> (Fault, u32) {
        if !self.seen.contains_key(request_id) {
            let fault = self.draw();
            self.seen.insert(request_id.to_owned(), (fault, 0));
        }
        self.seen.get_mut(request_id).map_or((Fault::None, 1), |(fault, tries)| {
            *tries += 1;
            (*fault, *tries)
        })
    }

    /// After the first eight: mostly nothing.
    fn draw(&mut self) -> Fault {
        self.coming.pop_front().unwrap_or_else(|| match self.rng.usize(..12) {
            fault @ 0..4 => Fault::REAL[fault],
            _ => Fault::None,
        })
    }
}

/// The transport with faults.
pub(super) struct FaultyTransport {
    inner: Arc<dyn Transport>,
    alice: Alice,
    schedule: Mutex<Schedule>,
}

impl FaultyTransport {
    pub(super) fn new(inner: Arc<dyn Transport>, alice: Alice, schedule: Schedule) -> Self {
        Self { inner, alice, schedule: Mutex::new(schedule) }
    }

    async fn pass(&self, request: Request<Bytes>, timeout: Duration) -> Answer {
        let Some((verdict, request_id)) = decision(&request) else {
            return self.inner.send(request, timeout).await;
        };
        let fault = self.schedule.lock().unwrap_or_else(PoisonError::into_inner).next(&request_id);
        match fault {
            (Fault::Unavailable, 1 | 2) => Ok(unavailable()),
            (Fault::AnswerLost, 1) => {
                self.inner.send(request, timeout).await?;
                Err(TransportError::lost("the connection was reset before the answer came"))
            }
            (fault @ (Fault::Same | Fault::Opposite), 1) => {
                let hers = if fault == Fault::Same { verdict } else { opposite(verdict) };
                match action_id(request.body()) {
                    // Where she is too late herself, nothing is wrong.
                    Some(id) => {
                        let raced = self.alice.decide(&id, hers).await;
                        tracing::debug!(won = raced.is_ok(), "alice raced");
                    }
                    None => tracing::debug!("a decision without an action: alice cannot race it"),
                }
                self.inner.send(request, timeout).await
            }
            _ => self.inner.send(request, timeout).await,
        }
    }
}

impl Transport for FaultyTransport {
    fn send(&self, request: Request<Bytes>, timeout: Duration) -> BoxFuture<'_, Answer> {
        Box::pin(self.pass(request, timeout))
    }
}

/// The verdict and the `X-Request-Id`, where this is a decision call.
fn decision(request: &Request<Bytes>) -> Option<(Verdict, String)> {
    let verdict = match request.uri().path().rsplit_once("/hitl/")?.1 {
        "approve" => Verdict::Approve,
        "reject" => Verdict::Reject,
        _ => return None,
    };
    let id = request.headers().get("x-request-id")?.to_str().ok()?;
    (request.method() == Method::POST).then(|| (verdict, id.to_owned()))
}

fn opposite(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Approve => Verdict::Reject,
        Verdict::Reject => Verdict::Approve,
    }
}

/// `review.action_id` of a decision's body.
fn action_id(body: &[u8]) -> Option<String> {
    let body = json::parse_unique(body, Limits::DECISION).ok()?;
    body.get("review")?.get("action_id").and_then(Value::as_str).map(str::to_owned)
}

/// What a gateway behind a proxy answers while it is restarted.
fn unavailable() -> Response<Bytes> {
    let body = r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"upstream is restarting"}"#;
    let mut answer = Response::new(Bytes::from_static(body.as_bytes()));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let json = header::HeaderValue::from_static("application/problem+json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_comes_among_the_first_eight_decisions_and_the_first_goes_well() {
        for seed in 0..100 {
            let mut schedule = Schedule::new(seed);
            let first: Vec<_> = (0..8).map(|number| schedule.next(&number.to_string()).0).collect();
            assert_eq!(first[0], Fault::None);
            for fault in Fault::REAL {
                assert_eq!(
                    first.iter().filter(|drawn| **drawn == fault).count(),
                    1,
                    "seed {seed}: {fault:?}"
                );
            }
            let later =
                (8..1_000).filter(|number| schedule.next(&number.to_string()).0 == Fault::None).count();
            assert!((550..780).contains(&later), "seed {seed}: {later} of 992 plain");
        }
    }

    #[test]
    fn a_decision_keeps_its_fault_over_its_tries() {
        let mut schedule = Schedule::new(1);
        let first = schedule.next("a");
        let other = schedule.next("b");
        assert_eq!((first.1, other.1), (1, 1));
        assert_eq!(schedule.next("a"), (first.0, 2));
        assert_eq!(schedule.next("b"), (other.0, 2));
    }
}
