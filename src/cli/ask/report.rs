//! What came of asking: one line on standard error, the object of `--json`, the exit code. `--help` lists them.

use super::{Asked, is_watched, name};
use crate::agent::command::Ended;
use crate::agent::{Answer, Approval};
use crate::cli::output;
use crate::domain::{Untrusted, Visible};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;
use uuid::Uuid;

/// Columns that a reviewer's words get.
const WIDTH: usize = 1_000;
const DENIED: u8 = 3;
const EXPIRED: u8 = 4;
const CANCELLED: u8 = 5;
const FAILED: u8 = 6;

/// What came of it.
pub(super) struct Report {
    status: &'static str,
    request_id: Option<Uuid>,
    reason: Option<Untrusted>,
    error: Option<String>,
    ran: bool,
    command: Option<Ended>,
    code: u8,
}

impl Report {
    fn new(status: &'static str, request_id: Option<Uuid>, code: u8) -> Self {
        Self { status, request_id, reason: None, error: None, ran: false, command: None, code }
    }

    /// It never came to asking.
    pub(super) fn not_asked(error: &anyhow::Error) -> Self {
        Self { error: Some(format!("{error:#}")), ..Self::new("error", None, FAILED) }
    }

    /// Every answer but one. An approval that comes here is not used, and so means no.
    pub(super) fn no(answer: &Answer) -> Self {
        match answer {
            Answer::Denied { request_id, reason } => {
                Self { reason: reason.clone(), ..Self::new("denied", Some(*request_id), DENIED) }
            }
            Answer::Expired { request_id } => Self::new("expired", Some(*request_id), EXPIRED),
            Answer::Cancelled { request_id } => Self::new("cancelled", Some(*request_id), CANCELLED),
            Answer::AlreadyConsumed { request_id } => {
                let error = "this was approved and taken before under the same key, so it is not run again; if it is \
                             to be, ask with another --key";
                Self { error: Some(error.to_owned()), ..Self::new("error", Some(*request_id), FAILED) }
            }
            Answer::Error { request_id, error } => {
                Self { error: Some(error.to_string()), ..Self::new("error", *request_id, FAILED) }
            }
            Answer::Allowed(approval) => {
                let error = Some("the approval was not used".to_owned());
                Self { error, ..Self::new("error", Some(approval.request_id), FAILED) }
            }
        }
    }

    /// A signal came; with no id the gateway had not answered yet.
    pub(super) fn stopped(request_id: Option<Uuid>) -> Self {
        Self::new("cancelled", request_id, CANCELLED)
    }

    /// A yes, for whoever asked to act on.
    pub(super) fn approved(approval: &Approval) -> Self {
        Self { reason: approval.note.clone(), ..Self::new("approved", Some(approval.request_id), 0) }
    }

    /// A yes, and nothing was run.
    pub(super) fn not_run(approval: &Approval, words: &str) -> Self {
        Self { error: Some(words.to_owned()), code: FAILED, ..Self::approved(approval) }
    }

    /// A yes, and the command was begun; what came of it is not known.
    pub(super) fn lost(approval: &Approval, words: &str) -> Self {
        Self { ran: true, ..Self::not_run(approval, words) }
    }

    /// A yes, and the command has run.
    pub(super) fn ran(approval: &Approval, ended: Ended) -> Self {
        Self { ran: true, command: Some(ended), code: ended.exit_code(), ..Self::approved(approval) }
    }

    /// That there is a yes, with the reviewer's words; without any it goes without saying where nobody watches.
    pub(super) fn tell_yes(asked: &Asked, approval: &Approval) {
        if approval.note.is_some() || is_watched() {
            say(asked, "approved", approval.note.as_ref());
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    /// One line on standard error. A yes has been told before.
    pub(super) fn tell(&self, asked: &Asked) {
        match (&self.error, self.status) {
            (Some(error), _) => say(asked, &Visible::of(error).cut(WIDTH).plain(), None),
            (None, "denied") => say(asked, "denied", self.reason.as_ref()),
            (None, "expired") => say(asked, "expired: nobody decided in time", None),
            (None, "cancelled") if self.request_id.is_none() => {
                say(
                    asked,
                    "stopped before the gateway answered; what it may have taken expires by itself",
                    None,
                );
            }
            // Whether the withdrawal has arrived is not known where the gateway is away: nobody is left to take a yes.
            (None, "cancelled") => say(asked, "cancelled", None),
            (None, _) => {}
        }
    }

    /// The object of `--json`.
    pub(super) fn print(&self, asked: &Asked) {
        output::line(&output::json(&self.json(asked)));
    }

    fn json(&self, asked: &Asked) -> Value {
        json!({
            "status": self.status,
            "request_id": self.request_id,
            "reason": self.reason.as_ref().map(Untrusted::raw),
            "error": self.error,
            "action": asked.action,
            "thread": asked.thread,
            "run": asked.run.name(),
            "key": asked.key,
            "ran": self.ran,
            "command": self.command.map(|ended| match ended {
                Ended::Exited(code) => json!({"exit_code": code, "signal": null}),
                Ended::Killed(signal) => json!({"exit_code": null, "signal": signal}),
            }),
            "exit_code": self.code,
        })
    }
}

fn say(asked: &Asked, what: &str, words: Option<&Untrusted>) {
    let words = words.map(|words| format!(": {}", words.visible().cut(WIDTH).plain())).unwrap_or_default();
    // Standard error may be closed; the exit code still tells.
    let _ = writeln!(std::io::stderr(), "aegis-console: {}: {what}{words}", name(asked));
}
