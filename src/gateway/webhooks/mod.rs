//! Telling an instance's receiver, by a signed HTTP call, that one of its requests has ended (AAP's asynchronous mode).
//!
//! | file | what it owns |
//! |---|---|
//! | `address` | where a webhook may go: the URL, and every address that its name stands for |
//! | `message` | what is said |
//! | `sign` | the signature (Standard Webhooks) |
//! | `send` | one call and its answer, to the very address that was looked at |
//! | `schedule` | when the next try is |
//! | `deliver` | the one task that takes what is due from the outbox and sends it |
//!
//! The URL comes from a program and its answer from anybody: nothing of either is believed, logged or followed. A webhook
//! decides nothing and carries nothing; whoever gets it asks the gateway with a credential.

mod address;
mod deliver;
mod message;
mod schedule;
mod send;
mod sign;

pub(crate) use address::{Policy, Target};
pub(crate) use deliver::run;
use message::Message;
use secrecy::SecretString;
use send::{Answer, Failure, Sender};
pub(crate) use sign::is_secret;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many receivers are verified at the same time.
const VERIFYING: usize = 16;
/// The longest answer to a challenge that is read.
const CHALLENGE_BYTES: usize = 4 * 1024;

/// The way to receivers.
pub(crate) struct Webhooks {
    sender: Sender,
    verifying: Semaphore,
}

/// A receiver that is asked whether it is one.
pub(crate) struct Challenge<'c> {
    pub(crate) target: &'c Target,
    pub(crate) instance_id: &'c str,
    pub(crate) registration_id: &'c str,
    pub(crate) signing_secret: &'c SecretString,
}

/// Why a receiver was not verified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unverified {
    /// Too many are being asked.
    #[error("this gateway is asking as many receivers as it may; try again")]
    Busy,
    /// It could not be reached.
    #[error("the receiver could not be asked: {0}")]
    Failed(Failure),
    /// It said something else.
    #[error("the receiver did not answer 200 with the challenge alone")]
    Refused,
}

impl Webhooks {
    /// By that policy.
    pub(crate) fn new(policy: Policy) -> Self {
        Self { sender: Sender::new(Arc::new(policy)), verifying: Semaphore::new(VERIFYING) }
    }

    /// Where a URL goes to, where a webhook may go there at all.
    pub(crate) fn target(&self, url: &str) -> Result<Target, &'static str> {
        self.sender.policy().target(url)
    }

    /// Asks a receiver, once, whether it expects this registration.
    pub(crate) async fn verify(
        &self,
        challenge: &Challenge<'_>,
        now: jiff::Timestamp,
    ) -> Result<(), Unverified> {
        let _one = self.verifying.try_acquire().map_err(|_| Unverified::Busy)?;
        let (message, expected) = Message::challenge(challenge, now);
        let answer =
            self.send(challenge.target, &message, challenge.signing_secret, now, CHALLENGE_BYTES).await;
        let answer = answer.map_err(Unverified::Failed)?;
        let echoed = answer.status == 200 && message::is_echo(&answer.body, &expected);
        if echoed { Ok(()) } else { Err(Unverified::Refused) }
    }

    /// Sends a message, signed for this try.
    async fn send(
        &self,
        target: &Target,
        message: &Message,
        secret: &SecretString,
        now: jiff::Timestamp,
        want: usize,
    ) -> Result<Answer, Failure> {
        let at = now.as_second();
        let signature = sign::signature(secret, &message.id, at, &message.body).ok_or(Failure::Unsigned)?;
        let headers = [
            ("webhook-id", message.id.clone()),
            ("webhook-timestamp", at.to_string()),
            ("webhook-signature", signature),
        ];
        self.sender.post(target, &headers, message.body.clone(), want).await
    }
}
