//! One try: the leave to make it, what it costs where it is asked again, the bytes, and the record of what came back.

use super::answer::Answer;
use super::attempt::AttemptEvent;
use super::classify::classify;
use super::error::TransportError;
use super::origin::Pass;
use super::run::Run;
use crate::domain::{Standing, Try};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

impl Run {
    /// Leave to send: at once, or for a caller that does not come back by itself as soon as the server is asked again.
    pub(super) async fn admitted(&self, number: u32) -> Result<Pass, Duration> {
        loop {
            match self.client.inner.origin.admit() {
                Err(wait) if number > 1 && !self.call.manner.comes_back && wait < self.left() => {
                    tokio::time::sleep(wait).await;
                }
                admitted => return admitted,
            }
        }
    }

    /// Asks whoever carries the call out. How long a disk takes is not held against the server.
    pub(super) async fn may_send(&mut self, number: u32) -> bool {
        let asked = Instant::now();
        let may = match &self.observer {
            Some(observer) => observer.may_send(number).await,
            None => true,
        };
        self.started += asked.elapsed();
        may
    }

    /// Pays for what is asked again; where it cannot, the call is put off.
    pub(super) fn pay(&mut self, tokens: u32) -> bool {
        match self.client.inner.origin.pay(tokens) {
            Ok(()) => self.paid += tokens,
            Err(wait) => self.put_off = Some(wait),
        }
        self.put_off.is_none()
    }

    /// The server has answered properly: what was paid comes back.
    pub(super) fn succeeded(&mut self) {
        self.client.inner.origin.succeeded(std::mem::take(&mut self.paid));
    }

    /// Sends the bytes once and records the try. Also says whether its time ran out.
    pub(super) async fn attempt(
        &mut self,
        number: u32,
        waited: Duration,
    ) -> (Result<Answer, TransportError>, bool) {
        let (started, clock) = (crate::clock::now(), Instant::now());
        let (number, of) = (self.earlier + number, self.earlier + self.policy.of());
        self.tell(AttemptEvent::Started { number, of, at: started });
        let timeout = self.policy.timeout.min(self.left());
        let yielded = self.exchange(self.call.decision(), timeout).await;
        let took = clock.elapsed();
        let http_status = yielded.as_ref().ok().map(|answer| answer.status);
        // `Display` makes the words visible.
        let error = yielded.as_ref().err().map(ToString::to_string);
        let maybe = classify(yielded.as_ref(), &self.call.request_id).may_have_landed();
        let one = Try { number, http_status, error: error.clone(), started, took, waited };
        if let Some(observer) = &self.observer {
            observer.tried(&one, maybe);
        }
        self.tries.push(one);
        self.tell(AttemptEvent::Answered { number, http_status, error, took });
        (yielded, took >= timeout)
    }

    pub(super) async fn exchange(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<Answer, TransportError> {
        let transport = &*self.client.inner.transport;
        super::exchange(transport, request, timeout).await.map(|response| Answer::read(&response))
    }

    /// Keeps what a try said and returns the decision that it says stands.
    pub(super) fn note(&mut self, yielded: Result<Answer, TransportError>) -> Standing {
        let Ok(answer) = yielded else { return Standing::default() };
        self.http_status = Some(answer.status);
        self.detail = answer.facts.detail;
        self.remember(&answer.facts.standing);
        answer.facts.standing
    }
}
