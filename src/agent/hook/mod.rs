//! The hooks of coding agents: what such an agent says when a tool is about to run becomes a submission, and the
//! gateway's answer becomes the one text that the agent understands.
//!
//! Both agents here let the tool run where a hook fails: on a timeout, a crash, an exit code that they do not know, or
//! words that they cannot read. So everything here ends in a text that says yes or no, or in words for an exit with 2;
//! there is no third way, and only an [`Allowed`](super::Answer::Allowed) becomes a yes.
//!
//! [`Call`] reads the event, [`Reply`] writes the answer, [`by`] holds to a time, [`settings`] puts the hook into the
//! agent's settings. Nothing here may read a secret or write to standard output.

mod call;
mod deadline;
mod payload;
mod reply;
pub mod settings;

pub use call::{Call, INPUT_LIMIT, Named, Unread};
pub use deadline::{Pace, Trouble, by};
#[cfg(feature = "mcp")]
pub(super) use payload::summary;
pub use reply::Reply;

/// An agent whose hooks are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// Claude Code: code.claude.com/docs/en/hooks.
    ClaudeCode,
    /// Codex CLI: learn.chatgpt.com/docs/hooks, and `codex-rs/hooks` in github.com/openai/codex.
    Codex,
}

impl Agent {
    /// Its name: that of the command, of the source, and of the server of its own tools.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
        }
    }

    /// Its name as people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex",
        }
    }
}

/// An event at which a tool can be stopped. Both agents have both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Before any tool runs.
    PreToolUse,
    /// Where the agent would ask its user.
    PermissionRequest,
}

impl Event {
    /// Both, the one that sees every tool first.
    pub const ALL: [Self; 2] = [Self::PreToolUse, Self::PermissionRequest];

    /// Its name on the wire and in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreToolUse => "PreToolUse",
            Self::PermissionRequest => "PermissionRequest",
        }
    }

    /// The event of that name, where it is one of the two.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}
