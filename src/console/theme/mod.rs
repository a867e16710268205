//! From what a thing is to how it looks: the one folder that names a colour.
//!
//! The shipped themes use only the terminal's own sixteen colours and `Reset`, no filled backgrounds, and no colour is
//! ever the only sign of anything: every state has its word or symbol too (terminal.md, rule 3). In every theme, also in
//! a user's, words of an agent look unlike the console's own.
//!
//! | file | what it owns |
//! |---|---|
//! | `role` | what a piece of the screen is, and whose words it holds |
//! | `style` | styles as words: `bold red` |
//! | `colour` | colours by name or as `#rrggbb`, and what becomes of them on a terminal that has fewer |
//! | `file` | theme files, the shipped ones and the user's |
//! | `symbols` | box characters, or ASCII |

mod colour;
mod file;
mod role;
mod style;
mod symbols;

pub use colour::Depth;
pub use file::{Read, Shipped};
pub use role::{Role, Voice};
pub use symbols::Symbols;

use ratatui::style::{Color, Style};

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
        let shipped = if colour { Shipped::Dark } else { Shipped::None };
        Self::shipped(shipped, Depth::Sixteen).in_ascii(ascii)
    }

    /// One of the themes that the program ships, on a terminal with so many colours.
    pub fn shipped(which: Shipped, depth: Depth) -> Self {
        // The tests read each of them; a program that shipped a wrong one would be drawn without any style.
        let plain = |_| Self { styles: Role::ALL.map(|_| Style::new()), symbols: symbols::LIGHT };
        file::shipped(which, depth)
            .map(|styles| Self { styles, symbols: symbols::LIGHT })
            .unwrap_or_else(plain)
    }

    /// The same theme with box drawing or in ASCII.
    #[must_use]
    pub fn in_ascii(mut self, ascii: bool) -> Self {
        self.symbols = if ascii { symbols::ASCII } else { symbols::LIGHT };
        self
    }

    /// A theme for snapshots: each role has a style of its own, so that [`Theme::role`] can name it.
    pub fn named() -> Self {
        let style = |role| Style::new().fg(Color::Indexed(role as u8));
        Self { styles: Role::ALL.map(style), symbols: symbols::LIGHT }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The style of a role in words, as a theme file has them.
    pub fn words(&self, role: Role) -> String {
        style::words(self.style(role))
    }

    /// The role that has this foreground, in the theme for snapshots.
    pub fn role(foreground: Color) -> Option<Role> {
        match foreground {
            Color::Indexed(index) => Role::ALL.get(usize::from(index)).copied(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
