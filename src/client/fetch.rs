//! Reading from the queue beside the decision API: a `GET` that may be repeated freely, by the same policy.

use super::answer::Answer;
use super::classify::classify;
use super::error::ClientError;
use super::retry::{self, Next};
use super::run::random;
use super::{AegisClient, Bytes, Transport};
use tokio::time::Instant;

impl AegisClient {
    /// Gets a path under the prefix with this client's credentials, sent through `through` (a queue's entries are larger
    /// than the answers to a decision: [`HttpTransport::body_limit`](super::http::HttpTransport::body_limit)). What no
    /// whole answer came to, and 5xx, are tried again as often, and within the same deadline, as a decision. The last
    /// answer is returned whatever its status.
    ///
    /// # Errors
    /// [`ClientError::BadPath`], or [`ClientError::Transport`] where the last try got no whole answer.
    pub async fn fetch(
        &self,
        through: &dyn Transport,
        path: &str,
    ) -> Result<::http::Response<Bytes>, ClientError> {
        let (policy, started) = (self.inner.policy, Instant::now());
        let mut number = 1;
        loop {
            let left = policy.deadline.saturating_sub(started.elapsed());
            let response = super::exchange(through, self.get(path)?, policy.timeout.min(left)).await;
            let answer = response.as_ref().map(Answer::read);
            let class = match &answer {
                // Here a 200 is what was asked for.
                Ok(answer) if answer.status < 300 => return Ok(response?),
                Ok(answer) => classify(Ok(answer), ""),
                Err(error) => classify(Err(error), ""),
            };
            let hint = answer.ok().and_then(|answer| answer.retry_after);
            let left = policy.deadline.saturating_sub(started.elapsed());
            match retry::next(class, number, hint, &policy, random(), left) {
                Next::Stop => return Ok(response?),
                Next::Wait(wait) => tokio::time::sleep(wait).await,
            }
            number += 1;
        }
    }
}
