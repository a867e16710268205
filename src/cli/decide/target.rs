//! What is decided on: an action of the queue, got and checked first, or a bare key. Then the decision is sent.

use super::Args;
use super::report::Report;
use crate::cli::carry::{Carrier, Ended, Job};
use crate::cli::recorded::{self, Planned};
use crate::client::http::HttpTransport;
use crate::client::{AegisClient, BodyCut, Bytes, ClientError, http};
use crate::dispatch::Order;
use crate::domain::action::Covers;
use crate::domain::json::{self, Limits};
use crate::domain::{Action, Outcome, Queued, Resolution, Untrusted, Verdict};
use crate::journal::{Entry, Intent};
use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

/// One entry of the queue: a sealed text at its limit, escaped, with what stands beside it.
const ENTRY_LIMIT: usize = 4 * 1024 * 1024;
/// What a server of this API takes at most (reliability.md, section 8).
const PAYLOAD_LIMIT: u64 = 1024 * 1024;

pub(super) async fn decide(args: &Args) -> anyhow::Result<Report> {
    match (&args.id, &args.key) {
        (Some(id), _) => queued(args, id).await,
        (None, Some(key)) => bare(args, key).await,
        (None, None) => bail!("name an action by its ID, or give --key"),
    }
}

/// A key of a server without a queue.
async fn bare(args: &Args, key: &str) -> anyhow::Result<Report> {
    let client = args.builder()?.build()?;
    let request_id = args.request_id.unwrap_or_else(Uuid::new_v4);
    let mut call = client.decide(args.verdict()?, key).request_id(request_id);
    if let Some(thread) = &args.thread {
        call = call.thread_id(thread);
    }
    if let Some(tenant) = &args.tenant {
        call = call.tenant_id(tenant);
    }
    if let Some(payload) = &args.payload {
        call = call.payload(read_payload(payload)?);
    }
    let resolution = match &args.journal {
        None => call.sent_before(args.request_id.is_some()).send().await?,
        Some(journal) => {
            let intent = Intent {
                id: Uuid::now_v7(),
                request_id,
                verdict: args.verdict()?,
                tenant_id: args.tenant.clone(),
                thread_id: args.thread.clone().unwrap_or_default(),
                key: key.to_owned(),
                base_url: recorded::base_url(&client),
                body: call.exact_body()?,
                sealed: None,
                digest: None,
                reason: None,
                reviewer: None,
                decided_at: Timestamp::now(),
                hold_until: None,
            };
            by_journal(args, client, journal, intent).await?
        }
    };
    Ok(Report { verdict: args.verdict()?, target: key.into(), resolution, aside: None })
}

/// Recorded, then sent; or taken up where an earlier run left it. What that run ended with is told again, unless the
/// server is to be asked again.
async fn by_journal(
    args: &Args,
    client: AegisClient,
    path: &Path,
    intent: Intent,
) -> anyhow::Result<Resolution> {
    let journal = recorded::open(path, &client)?;
    let asked = args.request_id.map(|id| journal.by_request_id(&id.to_string())).transpose()?.flatten();
    let planned = match asked {
        Some(entry) if recorded::is_same(&entry.intent, &intent) => Ok(Planned::Known(entry.into())),
        Some(entry) => Err(Box::new(entry)),
        None => Planned::of(&journal, intent)?,
    };
    let other = |entry: &Entry| anyhow!("{}: nothing was sent", recorded::instead(entry));
    let carrier = Carrier { client, journal, deadline: args.tries.deadline };
    let job = match planned.map_err(|entry| other(&entry))? {
        Planned::New(intent) => {
            carrier.journal.record(vec![Intent::clone(&intent)]).await?;
            Job::new(*intent).sent_before(args.request_id.is_some())
        }
        Planned::Known(entry) if args.request_id.is_some_and(|id| id != entry.intent.request_id) => {
            return Err(other(&entry));
        }
        Planned::Known(entry) => match Job::of(&carrier.journal, *entry)? {
            Ok(job) => job.insisted(args.request_id.is_some()),
            Err(entry) if args.request_id.is_some() => return carrier.ask_again(*entry).await,
            Err(entry) => return entry.resolution.context("the journal does not say how it ended"),
        },
    };
    match carrier.one(job).await.context("nothing became of it")? {
        Ended::Resolved(_, resolution) => Ok(*resolution),
        Ended::Returned(intent, why) => Ok(Resolution {
            outcome: Outcome::NotSent,
            http_status: None,
            standing: None,
            detail: Some(why.into()),
            tries: Vec::new(),
            request_id: intent.request_id.to_string(),
            idempotency_key: intent.key,
        }),
        Ended::Unsendable(_, error) => Err(error.into()),
        Ended::NotRecorded(error) => Err(error.into()),
    }
}

/// An action of the queue: what is decided is what was seen, so its sealed bytes must have the digest given.
async fn queued(args: &Args, id: &str) -> anyhow::Result<Report> {
    let started = Instant::now();
    let builder = args.builder()?;
    let client = builder.clone().build()?;
    let request_id = args.request_id.unwrap_or_else(Uuid::new_v4);
    let verdict = args.verdict()?;
    let stopped = |outcome, http_status, detail: String| Report {
        verdict,
        target: id.into(),
        resolution: Resolution {
            outcome,
            http_status,
            standing: None,
            detail: Some(detail.into()),
            tries: Vec::new(),
            request_id: request_id.to_string(),
            idempotency_key: String::new(),
        },
        aside: None,
    };
    let through = HttpTransport::trusting(client.base_url(), client.authorities(), args.tries.timeout)?;
    let through = through.body_limit(ENTRY_LIMIT);
    let response = match client.fetch(&through, &format!("/hitl/actions/{id}")).await {
        Ok(response) => response,
        Err(ClientError::Transport(error)) => {
            let detail = format!("the action cannot be got from {}: {error}", client.base_url());
            return Ok(stopped(Outcome::NotSent, None, detail));
        }
        Err(error) => return Err(error.into()),
    };
    let status = response.status().as_u16();
    let outcome = match status {
        200 => None,
        500.. => Some(Outcome::NotSent),
        _ => Some(Outcome::Refused),
    };
    if let Some(outcome) = outcome {
        return Ok(stopped(outcome, Some(status), why_not(&client, id, &response)));
    }
    let entry = read_entry(&response)
        .with_context(|| format!("{} did not answer with an action; is it a gateway?", client.base_url()))?;
    if entry.action.id != id {
        bail!("{} answered with another action than {id}: nothing was sent", client.base_url());
    }
    if Some(entry.action.digest) != args.digest {
        let detail = format!(
            "the action's digest is {}, not the one that was given: read it again; nothing was sent",
            entry.action.digest
        );
        return Ok(stopped(Outcome::Refused, None, detail));
    }

    let left = args.tries.deadline.saturating_sub(started.elapsed());
    if left.is_zero() {
        return Ok(stopped(Outcome::NotSent, None, "the deadline passed before it could be sent".into()));
    }
    let client = builder.transport(Arc::clone(client.transport())).deadline(left).build()?;
    let aside = aside(&entry.action, verdict, args.reason.is_some());
    let order = Order {
        id: Uuid::now_v7(),
        request_id,
        action: entry.action,
        verdict,
        reason: args.reason.clone(),
        reviewer: None,
        decided_at: Timestamp::now(),
    };
    let resolution = match &args.journal {
        None => order.call(&client).sent_before(args.request_id.is_some()).send().await?,
        Some(journal) => {
            let intent = order.intent(&recorded::base_url(&client), None);
            by_journal(args, client, journal, intent).await?
        }
    };
    Ok(Report { verdict, target: order.action.name.clone(), resolution, aside })
}

/// What the reviewer ought to know of the action's source.
fn aside(action: &Action, verdict: Verdict, reason: bool) -> Option<String> {
    let many = verdict == Verdict::Approve && action.covers_many_calls();
    let mute = action.mute().filter(|_| reason);
    let many = many.then(|| format!("its source says: {}", Covers::ManyCalls.words()));
    let mute = mute
        .map(|name| format!("the reason is kept for the record; {} cannot pass it on", name.name().plain()));
    let words: Vec<_> = many.into_iter().chain(mute).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

fn read_entry(response: &http::Response<Bytes>) -> anyhow::Result<Queued> {
    if response.extensions().get::<BodyCut>().is_some() {
        bail!("the answer is larger than {ENTRY_LIMIT} bytes");
    }
    let value = json::parse_unique(response.body(), Limits::PAGE)?;
    Ok(Queued::read(&value)?)
}

/// Why the action cannot be had, with what to do where that is known.
fn why_not(client: &AegisClient, id: &str, response: &http::Response<Bytes>) -> String {
    let (status, url) = (response.status().as_u16(), client.base_url());
    match status {
        401 | 403 if !client.has_api_key() => {
            format!("{url} wants a reviewer's credential: give --token-file; nothing was sent")
        }
        401 | 403 => format!("{url} does not let this credential read actions ({status}); nothing was sent"),
        404 => format!("{url} has no action {id}; nothing was sent"),
        300..=399 => format!("{url} redirects ({status}), which is never followed: give the address itself"),
        _ => format!("{url} answered {status} when asked for the action; nothing was sent"),
    }
}

/// The payload's text: as given, from `@FILE`, or from standard input for `-`.
pub(in crate::cli) fn read_payload(given: &str) -> anyhow::Result<String> {
    let read = |source: &mut dyn Read| {
        let mut text = String::new();
        source.take(PAYLOAD_LIMIT + 1).read_to_string(&mut text).map(|_| text)
    };
    let text = match (given, given.strip_prefix('@')) {
        ("-", _) => read(&mut std::io::stdin()).context("cannot read the payload from standard input")?,
        (_, Some(path)) => {
            std::fs::File::open(path).and_then(|mut file| read(&mut file)).with_context(|| {
                format!("cannot read the payload from {}", Untrusted::from(path).visible().plain())
            })?
        }
        _ => given.to_owned(),
    };
    if u64::try_from(text.len()).is_ok_and(|length| length > PAYLOAD_LIMIT) {
        bail!("the payload is larger than {PAYLOAD_LIMIT} bytes");
    }
    Ok(text)
}
