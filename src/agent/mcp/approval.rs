//! `request_approval`, for every client, and `report_outcome` after it: what a call of theirs means, and what the model
//! is told.
//!
//! Nothing ties what the model then does to what was approved: it acts by itself, with tools that are not seen from
//! here. So the reviewer is told that one yes covers whatever the agent does under it.

use super::Options;
use super::arguments::Arguments;
use crate::agent::{Answer, Context, Covers, Silence, Source, Status, Submission};
use crate::domain::Risk;
use crate::domain::timestamp::{span, span_words};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// The arguments that `request_approval` takes.
const KNOWN: &[&str] =
    &["action", "payload", "summary", "reason", "risk", "labels", "timeout", "thread", "key"];

/// What a model asks leave for.
#[derive(Debug)]
pub(super) struct Wish {
    /// What is asked.
    pub(super) submission: Submission,
    /// The model's name for this wish, or a fresh one.
    pub(super) key: String,
    /// How long the reviewers have.
    pub(super) timeout: Duration,
}

impl Wish {
    /// Reads a call.
    ///
    /// # Errors
    /// In words for the model.
    pub(super) fn read(
        arguments: &Arguments,
        agent: Option<String>,
        options: &Options,
    ) -> Result<Self, String> {
        arguments.only(KNOWN)?;
        let risk = arguments.text("risk")?;
        if risk.is_some_and(|risk| risk.parse::<Risk>().is_err()) {
            return Err("\"risk\" must be low, medium, high or critical".into());
        }
        let timeout = match arguments.text("timeout")?.map(span) {
            None => options.timeout,
            Some(Some(time)) if !time.is_zero() => time.min(options.timeout),
            Some(_) => return Err("\"timeout\" must be like 30s, 10m or 2h".into()),
        };
        let context = Context {
            thread_id: Some(arguments.thread("thread")?.unwrap_or(&options.thread).to_owned()),
            agent,
            summary: arguments.text("summary")?.map(str::to_owned),
            risk: risk.map(str::to_owned),
            labels: arguments.texts("labels")?.into_iter().collect(),
            source: Some(Source {
                name: "mcp",
                reason: true,
                covers: Covers::ManyCalls,
                silence: Silence::NotRun,
            }),
        };
        let submission = Submission::new(arguments.needed("action")?, arguments.object("payload")?);
        let submission = submission.and_then(|wish| wish.context(context.to_json()));
        let submission = submission
            .map_err(|error| error.to_string())?
            .timeout(span_words(timeout))
            .reasoning(arguments.text("reason")?.unwrap_or_default());
        let key = arguments.text("key")?.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        Ok(Self { submission, key: format!("mcp-approval:{key}"), timeout })
    }
}

/// What the model is told of an answer.
pub(super) fn reply(answer: &Answer) -> CallToolResult {
    let (status, reason, request_id) = match answer {
        Answer::Allowed(approval) => ("approved", approval.note.as_ref(), Some(approval.request_id)),
        Answer::Denied { request_id, reason } => ("denied", reason.as_ref(), Some(*request_id)),
        Answer::Expired { request_id } => ("expired", None, Some(*request_id)),
        Answer::Cancelled { request_id } => ("cancelled", None, Some(*request_id)),
        Answer::AlreadyConsumed { request_id } => ("error", None, Some(*request_id)),
        Answer::Error { request_id, .. } => ("error", None, *request_id),
    };
    let reason = reason.map(|reason| reason.visible().plain());
    let words = match (answer, &reason) {
        (Answer::Allowed(approval), reason) => {
            let said =
                reason.as_ref().map(|words| format!(" The reviewer says: {words}")).unwrap_or_default();
            format!(
                "APPROVED. Do exactly this action with exactly this payload, once, and then call report_outcome with the \
                 request_id {}.{said}",
                approval.request_id
            )
        }
        (no, _) => no_words(status, &no.words()),
    };
    told(status, words, reason, request_id)
}

/// What the model is told where there is no answer, in that sentence.
pub(super) fn refuse(words: &str) -> CallToolResult {
    told("error", no_words("error", words), None, None)
}

fn no_words(status: &str, words: &str) -> String {
    format!("NOT APPROVED ({status}). Do not do it, and do not try another way to the same end. {words}")
}

fn told(status: &str, words: String, reason: Option<String>, request_id: Option<Uuid>) -> CallToolResult {
    let mut structured = json!({ "status": status, "message": words });
    for (name, text) in [("reason", reason), ("request_id", request_id.map(|id| id.to_string()))] {
        if let Some(text) = text {
            structured[name] = text.into();
        }
    }
    let content = vec![ContentBlock::text(words)];
    let mut result =
        if status == "error" { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = Some(structured);
    result
}

/// How something went that was approved.
#[derive(Debug)]
pub(super) struct Report {
    /// The request.
    pub(super) request_id: Uuid,
    /// How it went.
    pub(super) status: Status,
    /// In a line.
    pub(super) note: Option<String>,
}

impl Report {
    /// Reads a call.
    ///
    /// # Errors
    /// In words for the model.
    pub(super) fn read(arguments: &Arguments) -> Result<Self, String> {
        arguments.only(&["request_id", "status", "note"])?;
        let request_id = Uuid::try_parse(arguments.needed("request_id")?)
            .map_err(|_| "\"request_id\" must be the one that request_approval gave".to_owned())?;
        let status = match arguments.needed("status")? {
            "succeeded" => Status::Succeeded,
            "failed" => Status::Failed,
            _ => return Err("\"status\" must be succeeded or failed".into()),
        };
        Ok(Self { request_id, status, note: arguments.text("note")?.map(str::to_owned) })
    }
}
