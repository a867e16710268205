//! The demo's second reviewer: she has her own credential and her own client, lists the queue over HTTP like any
//! console, now and then decides something by herself, and on cue races the person at the screen.
//!
//! This file must not touch the gateway but over HTTP.

use crate::client::{self, AegisClient};
use crate::dispatch::Order;
use crate::domain::json::{self, Limits};
use crate::domain::{Action, ActionState, Outcome, Queued, Resolution, Verdict, timestamp};
use anyhow::{Context as _, bail};
use fastrand::Rng;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Her name on record.
pub(super) const NAME: &str = "alice";

/// What waits less than this she leaves alone: the person at the screen has not seen it yet.
const FRESH: Duration = Duration::from_secs(8);
const PAUSE_SECONDS: Range<u64> = 20..45;
const APPROVALS: &[&str] = &["checked with the team", "looks right to me", "as agreed this morning"];
const REJECTIONS: &[&str] =
    &["not on a Monday morning, please", "the amount is wrong", "ask the owner first"];

/// The second reviewer.
#[derive(Debug, Clone)]
pub(super) struct Alice {
    client: AegisClient,
    http: reqwest::Client,
    authorization: HeaderValue,
    actions: String,
}

impl Alice {
    /// Signs her in at the gateway at `url`.
    pub(super) fn new(url: &str, credential: &SecretString) -> anyhow::Result<Self> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", credential.expose_secret()))?;
        authorization.set_sensitive(true);
        Ok(Self {
            client: AegisClient::builder().base_url(url).api_key(credential.clone()).build()?,
            http: client::http::build(&url.parse()?)?,
            authorization,
            actions: format!("{url}/api/v1/hitl/actions"),
        })
    }

    /// Decides something by herself every now and then, for as long as it is polled.
    pub(super) async fn work(self, mut rng: Rng) {
        loop {
            tokio::time::sleep(Duration::from_secs(rng.u64(PAUSE_SECONDS))).await;
            let verdict = if rng.u8(..3) == 0 { Verdict::Reject } else { Verdict::Approve };
            let pick = rng.f64();
            if let Err(error) = self.decide_one(verdict, pick).await {
                tracing::warn!(error = format!("{error:#}"), "alice could not decide");
            }
        }
    }

    /// Decides this very action now, if it still waits: what the fault layer asks of her.
    pub(super) async fn decide(&self, id: &str, verdict: Verdict) -> anyhow::Result<Resolution> {
        let bytes = self.get(&format!("{}/{id}", self.actions)).await?;
        let entry = Queued::read(&json::parse_unique(&bytes, Limits::PAGE)?)?;
        if entry.state != ActionState::Pending {
            bail!("it is decided already");
        }
        self.send(&entry.action, verdict, verdict_words(verdict)[0]).await
    }

    async fn decide_one(&self, verdict: Verdict, pick: f64) -> anyhow::Result<()> {
        let page = Queued::read_page(&self.get(&format!("{}?state=pending&limit=50", self.actions)).await?)?;
        let now = Timestamp::now();
        let known: Vec<_> = page
            .actions
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| timestamp::between(entry.action.created_at, now) >= FRESH)
            .collect();
        let words = verdict_words(verdict);
        let Some(entry) = known.get(share(pick, known.len())) else { return Ok(()) };
        let resolution = self.send(&entry.action, verdict, words[share(pick, words.len())]).await?;
        tracing::debug!(outcome = resolution.outcome.word(), "alice decided");
        Ok(())
    }

    async fn send(&self, action: &Arc<Action>, verdict: Verdict, reason: &str) -> anyhow::Result<Resolution> {
        let order = Order {
            id: Uuid::new_v4(),
            request_id: Uuid::new_v4(),
            action: Arc::clone(action),
            verdict,
            reason: Some(reason.to_owned()),
            reviewer: Some(NAME.to_owned()),
            decided_at: Timestamp::now(),
        };
        let resolution = order.call(&self.client).send().await?;
        match resolution.outcome {
            Outcome::Accepted | Outcome::Committed => Ok(resolution),
            ref other => bail!("the answer was: {}", other.word()),
        }
    }

    async fn get(&self, url: &str) -> anyhow::Result<Vec<u8>> {
        let call = self.http.get(url).header(AUTHORIZATION, self.authorization.clone());
        let answer = call.timeout(Duration::from_secs(5)).send().await?;
        if !answer.status().is_success() {
            bail!("the gateway answered HTTP {}", answer.status().as_u16());
        }
        Ok(answer.bytes().await.context("the answer was cut")?.to_vec())
    }
}

fn verdict_words(verdict: Verdict) -> &'static [&'static str] {
    match verdict {
        Verdict::Approve => APPROVALS,
        Verdict::Reject => REJECTIONS,
    }
}

/// The index that `pick`, from 0 to 1, falls on among `len`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn share(pick: f64, len: usize) -> usize {
    (pick * len as f64) as usize
}
