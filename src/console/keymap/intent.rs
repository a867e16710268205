//! What a key can mean, and the scopes in which it can.

use std::fmt;

/// What a key means. What it does is decided in `app/update.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Intent {
    /// Open the bar that approves.
    Approve,
    /// Open the bar that rejects.
    Reject,
    /// In a bar: decide.
    Confirm,
    /// Leave a bar or the help without doing anything.
    Leave,
    /// Send a decision that was given up on once more.
    TryAgain,
    /// Take back a decision that is held.
    Undo,
    /// Leaving: send what is held.
    SendHeld,
    /// Leaving: drop what is held.
    DropHeld,
    /// Leaving: not yet.
    Stay,
    /// Take note of a conflict.
    Acknowledge,
    /// Mark what the cursor is on, or take its mark away.
    Mark,
    /// Mark all that the list shows, or take every mark away.
    MarkAll,
    /// Take every mark away.
    Unmark,
    /// Begin a range of marks that grows with the cursor, or end it.
    MarkRange,
    /// Reject all that waits of the thread of what the cursor is on.
    RejectThread,
    /// Reject all that waits of its agent.
    RejectAgent,
    /// Put the list in the next order.
    Sort,
    /// Put the next thing together in the list.
    Group,
    /// Close the group that the cursor is on or in, or open it.
    Fold,
    /// In a bar: to the next text field.
    NextField,
    /// Pause the agent of what the cursor is on, or let it go on.
    Pause,
    /// Open what is folded, or close it again.
    Folds,
    /// On to what has not been on the screen yet, then to the end.
    ReadOn,
    /// Open the detail.
    Open,
    /// Back to the list.
    Back,
    /// Move down a line.
    Down,
    /// Move up a line.
    Up,
    /// Half a page down.
    HalfPageDown,
    /// Half a page up.
    HalfPageUp,
    /// A page down.
    PageDown,
    /// A page up.
    PageUp,
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// To the next pane.
    NextPane,
    /// Give the pane that keys go to the space of the others, or give it back.
    Zoom,
    /// Move the split between list and detail to the left.
    SplitLeft,
    /// Move it to the right.
    SplitRight,
    /// Filter the rows, as one types.
    Filter,
    /// Done with typing: the filter stays.
    KeepFilter,
    /// Show every row again.
    ClearFilter,
    /// Let the mouse select and scroll, or leave it to the terminal.
    ToggleMouse,
    /// Stop the program, until the shell continues it.
    Suspend,
    /// Draw the whole screen again.
    Repaint,
    /// Open the menu of what can be copied.
    Copy,
    /// Copy the payload as it is shown.
    CopyPayload,
    /// Copy the id.
    CopyId,
    /// Copy the digest.
    CopyDigest,
    /// Copy the idempotency key.
    CopyKey,
    /// Copy the thread.
    CopyThread,
    /// Open the command line.
    Command,
    /// In the command line: run what it says.
    Run,
    /// In the command line: put the next completion into it.
    Complete,
    /// In the command line: put the completion before into it.
    CompleteBack,
    /// In the help: search.
    Search,
    /// Show every key of this pane and what the words mean.
    Help,
    /// Leave the program.
    Quit,
}

impl Intent {
    /// Every intent, in the order in which help shows them.
    pub const ALL: [Self; 56] = [
        Self::Approve,
        Self::Reject,
        Self::Confirm,
        Self::Leave,
        Self::Undo,
        Self::TryAgain,
        Self::SendHeld,
        Self::DropHeld,
        Self::Stay,
        Self::Acknowledge,
        Self::Mark,
        Self::MarkAll,
        Self::Unmark,
        Self::MarkRange,
        Self::RejectThread,
        Self::RejectAgent,
        Self::Sort,
        Self::Group,
        Self::Fold,
        Self::Pause,
        Self::NextField,
        Self::Open,
        Self::Folds,
        Self::ReadOn,
        Self::Back,
        Self::Down,
        Self::Up,
        Self::HalfPageDown,
        Self::HalfPageUp,
        Self::PageDown,
        Self::PageUp,
        Self::Top,
        Self::Bottom,
        Self::NextPane,
        Self::Filter,
        Self::KeepFilter,
        Self::ClearFilter,
        Self::Zoom,
        Self::SplitLeft,
        Self::SplitRight,
        Self::ToggleMouse,
        Self::Suspend,
        Self::Repaint,
        Self::Copy,
        Self::CopyPayload,
        Self::CopyId,
        Self::CopyDigest,
        Self::CopyKey,
        Self::CopyThread,
        Self::Command,
        Self::Run,
        Self::Complete,
        Self::CompleteBack,
        Self::Search,
        Self::Help,
        Self::Quit,
    ];

    /// The name in a keymap.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Confirm => "confirm",
            Self::Leave => "leave",
            Self::TryAgain => "try-again",
            Self::Undo => "undo",
            Self::SendHeld => "send-held",
            Self::DropHeld => "drop-held",
            Self::Stay => "stay",
            Self::Acknowledge => "acknowledge",
            Self::Mark => "mark",
            Self::MarkAll => "mark-all",
            Self::Unmark => "unmark",
            Self::MarkRange => "mark-range",
            Self::RejectThread => "reject-thread",
            Self::RejectAgent => "reject-agent",
            Self::Sort => "sort",
            Self::Group => "group",
            Self::Fold => "fold",
            Self::NextField => "next-field",
            Self::Pause => "pause",
            Self::Folds => "folds",
            Self::ReadOn => "read-on",
            Self::Open => "open",
            Self::Back => "back",
            Self::Down => "down",
            Self::Up => "up",
            Self::HalfPageDown => "half-page-down",
            Self::HalfPageUp => "half-page-up",
            Self::PageDown => "page-down",
            Self::PageUp => "page-up",
            Self::Top => "top",
            Self::Bottom => "bottom",
            Self::NextPane => "next-pane",
            Self::Filter => "filter",
            Self::KeepFilter => "keep-filter",
            Self::ClearFilter => "clear-filter",
            Self::Zoom => "zoom",
            Self::SplitLeft => "split-left",
            Self::SplitRight => "split-right",
            Self::ToggleMouse => "toggle-mouse",
            Self::Suspend => "suspend",
            Self::Repaint => "repaint",
            Self::Copy => "copy",
            Self::CopyPayload => "copy-payload",
            Self::CopyId => "copy-id",
            Self::CopyDigest => "copy-digest",
            Self::CopyKey => "copy-key",
            Self::CopyThread => "copy-thread",
            Self::Command => "command",
            Self::Run => "run",
            Self::Complete => "complete",
            Self::CompleteBack => "complete-back",
            Self::Search => "search",
            Self::Help => "help",
            Self::Quit => "quit",
        }
    }

    /// What it does, for the help.
    pub fn help(self) -> &'static str {
        match self {
            Self::Approve => "approve what the cursor is on: opens a bar, Enter there decides",
            Self::Reject => "reject it: asks for a reason, Enter there decides",
            Self::Confirm => "decide what the bar names",
            Self::Leave => "leave without deciding anything",
            Self::TryAgain => "send a decision that was given up on once more, under the same key",
            Self::Undo => {
                "take back the decision that is still held (the one under the cursor, else the newest)"
            }
            Self::SendHeld => "send what is held, then leave",
            Self::DropHeld => "drop what is held, then leave",
            Self::Stay => "do not leave yet",
            Self::Acknowledge => "take note of a conflict, so that it is no longer counted",
            Self::Mark => "mark it, or take its mark away; approve and reject then act on what is marked",
            Self::MarkAll => "mark all that the list shows; again: none",
            Self::Unmark => "take every mark away (of a range, only its own); without marks, the filter",
            Self::MarkRange => "begin a range: what the cursor goes over is marked (again: end it)",
            Self::RejectThread => {
                "reject all of its thread that the filter keeps, with one reason: opens the table"
            }
            Self::RejectAgent => {
                "reject all of its agent that the filter keeps, with one reason: opens the table"
            }
            Self::Sort => "next order: deadline, risk, age, agent",
            Self::Group => "put together what belongs to one thread, to one agent, or is alike; then nothing",
            Self::Fold => "close the group that the cursor is in, or open it again",
            Self::NextField => "to the other text field",
            Self::Pause => "pause its agent: it asks and runs nothing until it is let go on (again: let it)",
            Self::Folds => "open what is folded (blanks, long texts, deep values), or close it again",
            Self::ReadOn => "on to what has not been on the screen yet, then to the end",
            Self::Open => "open it: the detail, or everything about an outcome",
            Self::Back => "back: out of what is open, out of a filter, to the list",
            Self::Down => "down a line",
            Self::Up => "up a line",
            Self::HalfPageDown => "half a page down",
            Self::HalfPageUp => "half a page up",
            Self::PageDown => "a page down",
            Self::PageUp => "a page up",
            Self::Top => "to the first line",
            Self::Bottom => "to the last line",
            Self::NextPane => "next pane: list, detail, outcomes",
            Self::Filter => {
                "filter as you type: words, !word; in the list risk:high agent:x thread:y age>5m expires<5m @name too"
            }
            Self::KeepFilter => "keep the filter and go on with the rows",
            Self::ClearFilter => "show every row again",
            Self::Zoom => "give this pane the whole screen, or give the others their places back",
            Self::SplitLeft => "move the split between list and detail to the left",
            Self::SplitRight => "move the split between list and detail to the right",
            Self::ToggleMouse => {
                "let the mouse select and scroll (it never decides), or leave it to the terminal"
            }
            Self::Suspend => "stop, until the shell continues it (fg)",
            Self::Repaint => "draw the whole screen again",
            Self::Copy => "copy: payload, id, digest, key or thread, as they are shown",
            Self::CopyPayload => "copy the payload as it is shown",
            Self::CopyId => "copy the id",
            Self::CopyDigest => "copy the digest",
            Self::CopyKey => "copy the key that decisions are sent under",
            Self::CopyThread => "copy the thread",
            Self::Command => "command line: all of this by name",
            Self::Run => "run what the line says",
            Self::Complete => "put the next completion into the line",
            Self::CompleteBack => "put the completion before into the line",
            Self::Search => "search this help",
            Self::Help => "this help",
            Self::Quit => "quit; says so first where decisions are held or still being sent",
        }
    }

    /// The word in the key bar.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Confirm => "decide",
            Self::TryAgain => "try again",
            Self::SendHeld => "send them",
            Self::DropHeld => "drop them",
            Self::Acknowledge => "noted",
            Self::KeepFilter => "keep",
            Self::ClearFilter => "all",
            Self::MarkAll => "mark all",
            Self::MarkRange => "end range",
            Self::Unmark => "clear",
            Self::NextField => "next field",
            Self::NextPane => "pane",
            Self::Down => "down",
            Self::PageDown => "page",
            other => other.name(),
        }
    }

    /// Whether the intent decides, sends, or opens the way to it.
    pub fn decides(self) -> bool {
        matches!(
            self,
            Self::Approve
                | Self::Reject
                | Self::RejectThread
                | Self::RejectAgent
                | Self::Confirm
                | Self::TryAgain
                | Self::SendHeld
        )
    }

    /// Whether the intent does something about decisions that were taken already.
    pub fn touches_decisions(self) -> bool {
        matches!(self, Self::Undo | Self::TryAgain | Self::SendHeld | Self::DropHeld | Self::Acknowledge)
    }

    /// The intent that has this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|intent| intent.name() == name)
    }

    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

/// Where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// The list of what waits.
    List,
    /// The action in full.
    Detail,
    /// What became of decisions.
    Outcomes,
    /// An outcome that is open.
    Outcome,
    /// A filter into which words are typed.
    Filter,
    /// The bar that approves.
    Bar,
    /// A bar into which text is typed: the letters, a reason.
    Field,
    /// The help.
    Help,
    /// The menu of what can be copied.
    Copy,
    /// The command line.
    Command,
    /// What is searched for in the help.
    Search,
    /// The question what becomes of held decisions when the program is left.
    Leaving,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 13] = [
        Self::Global,
        Self::List,
        Self::Detail,
        Self::Outcomes,
        Self::Outcome,
        Self::Filter,
        Self::Bar,
        Self::Field,
        Self::Help,
        Self::Copy,
        Self::Command,
        Self::Search,
        Self::Leaving,
    ];

    /// Whether keys are text here: no letter gets through to the scopes around it.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Field | Self::Filter | Self::Command | Self::Search)
    }

    /// The name of the table in a keymap.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::List => "list",
            Self::Detail => "detail",
            Self::Outcomes => "outcomes",
            Self::Outcome => "outcome",
            Self::Filter => "filter",
            Self::Bar => "bar",
            Self::Field => "field",
            Self::Help => "help",
            Self::Copy => "copy",
            Self::Command => "command",
            Self::Search => "search",
            Self::Leaving => "leaving",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
