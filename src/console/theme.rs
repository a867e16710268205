//! From what a thing is to how it looks: the one file that names a colour.
//!
//! Only the terminal's own sixteen colours and `Reset` are used, no filled backgrounds, and no colour is ever the only
//! sign of anything: every state has its word or symbol too (terminal.md, rule 3).

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

/// What a piece of the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// The console's own words.
    Text,
    /// The console's own words that matter less.
    Quiet,
    /// The program's name.
    Brand,
    /// Frames of panes.
    Border,
    /// The frame of the pane that keys go to.
    BorderFocused,
    /// Words in a frame.
    Title,
    /// The row under the cursor.
    Cursor,
    /// Text of an agent or a server.
    Foreign,
    /// A sign that stands for a character that cannot be drawn.
    Marked,
    /// The mark at the left of foreign lines, which they cannot draw.
    Gutter,
    /// A key of a JSON object.
    JsonKey,
    /// A number, `true`, `false` or `null`.
    JsonValue,
    /// Brackets, colons and commas of JSON.
    JsonMark,
    /// Low risk.
    Low,
    /// Medium risk.
    Medium,
    /// High risk.
    High,
    /// Critical risk.
    Critical,
    /// Known to be done as decided.
    Good,
    /// Under way, or not known.
    Doubt,
    /// Had no effect, failed, refused.
    Bad,
    /// The name of a key in a hint.
    KeyName,
    /// What that key does.
    KeyHint,
    /// A passing message.
    Notice,
}

impl Role {
    /// Every role, in the order of their numbers.
    pub const ALL: [Self; 23] = [
        Self::Text,
        Self::Quiet,
        Self::Brand,
        Self::Border,
        Self::BorderFocused,
        Self::Title,
        Self::Cursor,
        Self::Foreign,
        Self::Marked,
        Self::Gutter,
        Self::JsonKey,
        Self::JsonValue,
        Self::JsonMark,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
        Self::Good,
        Self::Doubt,
        Self::Bad,
        Self::KeyName,
        Self::KeyHint,
        Self::Notice,
    ];
}

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
}

const LIGHT: Symbols = Symbols {
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
};

const ASCII: Symbols = Symbols {
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
};

/// How everything looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    styles: [Style; Role::ALL.len()],
    /// The signs that are drawn.
    pub symbols: Symbols,
}

impl Theme {
    /// The theme for a terminal: with colour or without, with box drawing or in ASCII.
    pub fn new(colour: bool, ascii: bool) -> Self {
        let style = if colour { coloured } else { plain };
        Self { styles: Role::ALL.map(style), symbols: if ascii { ASCII } else { LIGHT } }
    }

    /// A theme for snapshots: each role has a style of its own, so that [`Theme::role`] can name it.
    pub fn named() -> Self {
        let style = |role| Style::new().fg(Color::Indexed(role as u8));
        Self { styles: Role::ALL.map(style), symbols: LIGHT }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The role that has this foreground, in the theme for snapshots.
    pub fn role(foreground: Color) -> Option<Role> {
        match foreground {
            Color::Indexed(index) => Role::ALL.get(usize::from(index)).copied(),
            _ => None,
        }
    }
}

fn coloured(role: Role) -> Style {
    let fg = |colour| Style::new().fg(colour);
    match role {
        Role::Text | Role::Foreign | Role::Title | Role::JsonMark => Style::new(),
        Role::Quiet | Role::Border | Role::KeyHint => Style::new().add_modifier(Modifier::DIM),
        Role::Brand | Role::KeyName | Role::Cursor => Style::new().add_modifier(Modifier::BOLD),
        Role::BorderFocused => fg(Color::Cyan),
        Role::Marked => fg(Color::Magenta).add_modifier(Modifier::BOLD),
        Role::Gutter => fg(Color::Blue),
        Role::JsonKey => fg(Color::Cyan),
        Role::JsonValue => fg(Color::Yellow),
        Role::Low => fg(Color::Green),
        Role::Medium => fg(Color::Yellow),
        Role::High => fg(Color::Red),
        Role::Critical => fg(Color::Red).add_modifier(Modifier::BOLD.union(Modifier::REVERSED)),
        Role::Good => fg(Color::Green),
        Role::Doubt => fg(Color::Yellow),
        Role::Bad => fg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Notice => fg(Color::Yellow).add_modifier(Modifier::BOLD),
    }
}

fn plain(role: Role) -> Style {
    match role {
        Role::Critical | Role::Marked => Style::new().add_modifier(Modifier::REVERSED),
        Role::Brand
        | Role::KeyName
        | Role::Cursor
        | Role::High
        | Role::Bad
        | Role::Notice
        | Role::BorderFocused => Style::new().add_modifier(Modifier::BOLD),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_in_the_order_of_their_numbers() {
        for (number, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, number);
            assert_eq!(Theme::named().style(role).fg.and_then(Theme::role), Some(role));
        }
    }

    #[test]
    fn without_colour_there_is_none() {
        for role in Role::ALL {
            let style = Theme::new(false, false).style(role);
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
