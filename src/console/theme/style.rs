//! Styles as words: `default`, `bold red`, `reverse`, `underline black on cyan`.

use super::colour::{Colour, Depth, OWN};
use crate::document::nearest;
use crate::domain::Visible;
use ratatui::style::{Color, Modifier, Style};

const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

/// A style as a theme file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    modifiers: Modifier,
    pub(super) foreground: Option<Colour>,
    pub(super) background: Option<Colour>,
}

impl Words {
    /// What the terminal draws by default.
    pub(super) const PLAIN: Self = Self { modifiers: Modifier::empty(), foreground: None, background: None };

    /// Reads a style; else says which word is wrong, by where it starts, and why.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, usize, String)> {
        let mut style = Self { modifiers: Modifier::empty(), foreground: None, background: None };
        let mut behind = false;
        for word in text.split_whitespace() {
            let at = word.as_ptr() as usize - text.as_ptr() as usize;
            let wrong = |why: String| Err((at, word.len(), why));
            if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
                style.modifiers |= *modifier;
            } else if word == "on" && !behind {
                behind = true;
            } else if let Some(colour) = Colour::parse(word) {
                let place = if behind { &mut style.background } else { &mut style.foreground };
                if place.replace(colour).is_some() {
                    return wrong(
                        "there is one colour already; one for the background goes behind \"on\"".into(),
                    );
                }
            } else {
                return wrong(unknown(word));
            }
        }
        match style {
            Self { foreground: None, background: None, modifiers }
                if modifiers.is_empty() && text.trim() != "default" =>
            {
                Err((
                    0,
                    text.len(),
                    "a style is at least one word: \"default\" for the terminal's own".into(),
                ))
            }
            _ if behind && style.background.is_none() => {
                Err((0, text.len(), "a colour is missing behind \"on\"".into()))
            }
            Self { foreground: Some(one), background: Some(other), .. } if one == other => {
                Err((0, text.len(), "nobody can read a colour on itself".into()))
            }
            _ => Ok(style),
        }
    }

    /// The style on a terminal with so many colours, and what of it the terminal does not have.
    pub(super) fn on(self, depth: Depth) -> (Style, Option<String>) {
        let mut style = Style::new().add_modifier(self.modifiers);
        let mut instead = Vec::new();
        for (colour, is_background) in [(self.foreground, false), (self.background, true)] {
            let Some(colour) = colour else { continue };
            let (near, is_other) = colour.on(depth);
            if is_other {
                instead.push(format!("{} is drawn as {}", colour.name(), near.name()));
            }
            // What was bright and is not is told from the plain colour by being bold; grey is not black on black.
            let near = match colour {
                Colour::Own(8) if is_other && !is_background => {
                    style = style.add_modifier(Modifier::DIM);
                    Colour::Default
                }
                Colour::Own(9..) if is_other && !is_background => {
                    style = style.add_modifier(Modifier::BOLD);
                    near
                }
                _ => near,
            };
            if near != Colour::Default {
                style = if is_background { style.bg(near.drawn()) } else { style.fg(near.drawn()) };
            }
        }
        if style.fg.is_some() && style.fg == style.bg {
            style.bg = None;
        }
        (style, (!instead.is_empty()).then(|| instead.join(", ")))
    }
}

fn unknown(word: &str) -> String {
    let colours = OWN.iter().map(|(name, ..)| *name);
    let known = MODIFIERS.iter().map(|(name, _)| *name).chain(colours).chain(["default", "on"]);
    let shown = Visible::head(word, 40).plain();
    match nearest(word, known) {
        _ if word.starts_with('#') => {
            format!("\"{shown}\" is no colour: it is # and six digits, like #1e90ff")
        }
        Some(near) => format!("\"{shown}\" is no colour and no style: did you mean \"{near}\"?"),
        None => format!(
            "\"{shown}\" is no colour and no style; there are default, black, red, green, yellow, blue, magenta, cyan, white, \
             the same behind bright-, #rrggbb, and bold, dim, italic, underline, reverse"
        ),
    }
}

/// A style as a theme file would have it.
pub(super) fn words(style: Style) -> String {
    let modifiers = MODIFIERS.iter().filter(|(_, modifier)| style.add_modifier.contains(*modifier));
    let mut words: Vec<String> = modifiers.map(|(name, _)| (*name).to_owned()).collect();
    words.extend(style.fg.and_then(name));
    if let Some(name) = style.bg.and_then(name) {
        words.extend(["on".into(), name]);
    }
    if words.is_empty() { "default".into() } else { words.join(" ") }
}

fn name(colour: Color) -> Option<String> {
    match colour {
        Color::Rgb(red, green, blue) => Some(Colour::Exact([red, green, blue]).name()),
        Color::Indexed(number) => Some(format!("{number}")),
        colour => OWN.iter().find(|(_, own, _)| *own == colour).map(|(name, ..)| (*name).to_owned()),
    }
}
