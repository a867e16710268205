//! The signs that are drawn. None is of ambiguous width, and each has its ASCII.

use ratatui::symbols::border;

/// The signs that are drawn: box characters, or ASCII for terminals that have no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Frames of panes.
    pub border: border::Set<'static>,
    /// The mark of the row under the cursor.
    pub cursor: &'static str,
    /// The sign of a row that is marked.
    pub mark: &'static str,
    /// The mark at the left of foreign lines.
    pub gutter: &'static str,
    /// The link is up.
    pub up: &'static str,
    /// The link is down.
    pub down: &'static str,
    /// Between two things in one line.
    pub dot: &'static str,
    /// A horizontal line inside a pane.
    pub rule: &'static str,
    /// From one number to another.
    pub to: &'static str,
    /// Columns times rows.
    pub times: &'static str,
    /// A group whose actions are listed under its row.
    pub open: &'static str,
    /// A group whose actions are not.
    pub closed: &'static str,
    /// In front of an action under a group's row.
    pub under: &'static str,
}

pub(super) const LIGHT: Symbols = Symbols {
    border: border::PLAIN,
    cursor: "▌",
    mark: "*",
    gutter: "▏",
    up: "●",
    down: "○",
    dot: "·",
    rule: "─",
    to: "–",
    times: "×",
    open: "▾",
    closed: "▸",
    under: "│",
};

pub(super) const ASCII: Symbols = Symbols {
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    cursor: ">",
    mark: "*",
    gutter: "|",
    up: "*",
    down: "o",
    dot: "-",
    rule: "-",
    to: "-",
    times: "x",
    open: "-",
    closed: "+",
    under: "|",
};
