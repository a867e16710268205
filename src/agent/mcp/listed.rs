//! The tools as a client lists them: what each is for, in words for a model, and which arguments it takes.
//!
//! What a call then does is in `permission` and `approval`; the names and limits here must be theirs.

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use std::sync::Arc;

/// For every client.
pub(super) const REQUEST_APPROVAL: &str = "request_approval";
/// After it.
pub(super) const REPORT_OUTCOME: &str = "report_outcome";
/// For Claude Code itself.
pub(super) const PERMISSION_PROMPT: &str = "permission_prompt";

/// What a model is told about the server as a whole.
pub(super) const INSTRUCTIONS: &str = "Before you do anything that cannot be undone, that others will notice, or that \
    costs money, call request_approval and wait: a person decides. Only the status \"approved\" is a yes. Everything else, \
    and every error, means: do not do it.";

/// All of them.
pub(super) fn tools() -> Vec<Tool> {
    vec![request_approval(), report_outcome(), permission_prompt()]
}

fn request_approval() -> Tool {
    let text = |words: &str| json!({ "type": "string", "description": words });
    let input = json!({
        "type": "object",
        "properties": {
            "action": text("What you want to do, as one name: deploy, send_email, drop_table"),
            "payload": {
                "type": "object",
                "description": "Everything that the action will be done with, complete and exact: the reviewer judges by this, \
                    and a yes is for this and nothing else"
            },
            "summary": text("One line on what it is about"),
            "reason": text("Why you want it"),
            "risk": {
                "type": "string",
                "enum": ["low", "medium", "high", "critical"],
                "description": "How much harm it can do, as you see it"
            },
            "labels": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "Words to filter by, such as env: prod"
            },
            "timeout": text("How long the reviewer may take: 30s, 10m, 2h. The server's own limit stays in force"),
            "thread": text("The conversation or run that this belongs to, where that is not the whole session"),
            "key": text("A name for this wish: called again with the same name and the same arguments, the same request is \
                waited for and nobody is asked twice")
        },
        "required": ["action", "payload"],
        "additionalProperties": false
    });
    let output = json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["approved", "denied", "expired", "cancelled", "error"] },
            "message": text("What it means, in words"),
            "reason": text("The reviewer's words"),
            "request_id": text("The request, for report_outcome")
        },
        "required": ["status", "message"]
    });
    let words = "Asks a person for leave to do one action, and waits for the decision, which can take many minutes. Only the \
        status \"approved\" is a yes, for exactly this payload, once. On anything else do not do it.";
    Tool::new(REQUEST_APPROVAL, words, object(input))
        .with_title("Ask a person for approval")
        .with_raw_output_schema(object(output))
        .with_annotations(ToolAnnotations::new().destructive(false).open_world(true))
}

fn report_outcome() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {
            "request_id": { "type": "string", "description": "The request_id of the approval" },
            "status": { "type": "string", "enum": ["succeeded", "failed"] },
            "note": { "type": "string", "description": "What came of it, in a line" }
        },
        "required": ["request_id", "status"],
        "additionalProperties": false
    });
    let words = "Tells the reviewer how an approved action went. Call it once, after the action.";
    Tool::new(REPORT_OUTCOME, words, object(input))
        .with_title("Say how an approved action went")
        .with_annotations(ToolAnnotations::new().destructive(false).idempotent(true).open_world(true))
}

fn permission_prompt() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {
            "tool_name": { "type": "string", "description": "The tool that asks for permission" },
            "input": { "type": "object", "description": "What it would be called with" },
            "tool_use_id": { "type": "string", "description": "The call" }
        },
        "required": ["tool_name", "input"]
    });
    let words = "For Claude Code's --permission-prompt-tool; not for models to call. Asks a person whether a tool may run, and \
        answers in the form that Claude Code reads.";
    Tool::new(PERMISSION_PROMPT, words, object(input))
        .with_title("Claude Code asks a person")
        .with_annotations(ToolAnnotations::new().destructive(false).open_world(true))
}

fn object(schema: Value) -> Arc<JsonObject> {
    match schema {
        Value::Object(members) => Arc::new(members),
        // Each of them is written as an object, a few lines up.
        _ => Arc::default(),
    }
}
