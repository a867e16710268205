//! `permission_prompt`: the contract of Claude Code's `--permission-prompt-tool`.
//!
//! In go `tool_name`, `input` and `tool_use_id`; out comes one text, which is JSON: `{"behavior":"allow","updatedInput":…}`
//! with the input byte for byte as it was asked for, or `{"behavior":"deny","message":…}`. Claude Code takes anything else
//! as a failure, so there is nothing else, whatever happens.

use super::Options;
use super::arguments::Arguments;
use crate::agent::hook::summary;
use crate::agent::{Answer, Context, Covers, Silence, Source, Submission};
use crate::domain::json::quote;
use crate::domain::timestamp::span_words;
use uuid::Uuid;

/// What Claude Code wants to know.
#[derive(Debug)]
pub(super) struct Prompt {
    /// What is asked.
    pub(super) submission: Submission,
    /// The key of the call within this session: made again, it is the same.
    pub(super) key: String,
    input: String,
}

impl Prompt {
    /// Reads a call. What else is in it says nothing about what will run, and is left out.
    ///
    /// # Errors
    /// In words for the model.
    pub(super) fn read(
        arguments: &Arguments,
        agent: Option<String>,
        options: &Options,
        session: Uuid,
    ) -> Result<Self, String> {
        let tool = arguments.needed("tool_name")?;
        let input = arguments.object("input")?;
        // Where the client names no call, every one is another.
        let call = arguments.text("tool_use_id")?.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let directory = options.directory.clone().map(|directory| ("cwd".to_owned(), directory));
        let context = Context {
            thread_id: Some(options.thread.clone()),
            agent,
            // The model's own line on what a command does comes after the command: it may say anything.
            summary: arguments.member("input").and_then(summary),
            labels: directory.into_iter().collect(),
            source: Some(Source {
                name: "mcp",
                reason: true,
                covers: Covers::OneCall,
                silence: Silence::NotRun,
            }),
            ..Context::default()
        };
        let submission = Submission::new(tool, input).and_then(|wish| wish.context(context.to_json()));
        let submission = submission.map_err(|error| error.to_string())?;
        let submission = submission.timeout(span_words(options.timeout));
        Ok(Self { submission, key: format!("mcp:{session}:{call}"), input: input.to_owned() })
    }

    /// What Claude Code is told.
    pub(super) fn reply(&self, answer: &Answer) -> String {
        match answer {
            Answer::Allowed(_) => format!("{{\"behavior\":\"allow\",\"updatedInput\":{}}}", self.input),
            no => deny(&no.words()),
        }
    }
}

/// The other answer.
pub(super) fn deny(words: &str) -> String {
    format!("{{\"behavior\":\"deny\",\"message\":{}}}", quote(words))
}
