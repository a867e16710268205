//! Colours by name, and what becomes of one on a terminal that has fewer.

use ratatui::style::Color;

/// The terminal's own colours: their names, and what xterm makes of them, by which the nearest is found.
pub(super) const OWN: [(&str, Color, [u8; 3]); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("white", Color::Gray, [229, 229, 229]),
    ("bright-black", Color::DarkGray, [127, 127, 127]),
    ("bright-red", Color::LightRed, [255, 0, 0]),
    ("bright-green", Color::LightGreen, [0, 255, 0]),
    ("bright-yellow", Color::LightYellow, [255, 255, 0]),
    ("bright-blue", Color::LightBlue, [92, 92, 255]),
    ("bright-magenta", Color::LightMagenta, [255, 0, 255]),
    ("bright-cyan", Color::LightCyan, [0, 255, 255]),
    ("bright-white", Color::White, [255, 255, 255]),
];

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None at all.
    None,
    /// The eight of old, without their bright versions.
    Eight,
    /// Sixteen.
    Sixteen,
    /// Any that can be written as `#rrggbb`.
    True,
}

/// Terminals whose entry in terminfo has eight colours; with `-256color` or the like behind them they have more.
const EIGHT: [&str; 16] = [
    "Eterm",
    "ansi",
    "beterm",
    "cons25",
    "cygwin",
    "dtterm",
    "gnome",
    "konsole",
    "linux",
    "pcansi",
    "putty",
    "rxvt",
    "screen",
    "sun-color",
    "tmux",
    "xterm",
];

impl Depth {
    /// What TERM and COLORTERM tell. There are many that have more than they tell, and none that is told too much here:
    /// `COLORTERM=truecolor` (or `24bit`) is any colour, and set to anything else sixteen; then the name counts. terminfo
    /// is not asked: it is missing in containers, and knows these names no better.
    pub fn of(term: &str, colorterm: &str) -> Self {
        if matches!(colorterm, "truecolor" | "24bit") {
            return Self::True;
        }
        let (family, kind) = term.split_once(['-', '.']).unwrap_or((term, ""));
        let more = ["256color", "88color", "16color", "direct"].iter().any(|more| kind.contains(more));
        let mono = ["m", "mono"].iter().any(|mono| kind.split('-').any(|part| part == *mono));
        match family {
            _ if more || !colorterm.is_empty() => Self::Sixteen,
            "" | "dumb" | "vt52" | "vt100" | "vt102" | "vt220" | "vt320" | "vt420" => Self::None,
            _ if mono => Self::None,
            _ if kind.contains("8color")
                || EIGHT.contains(&family) && !kind.contains("kitty") && !kind.contains("ghostty") =>
            {
                Self::Eight
            }
            _ => Self::Sixteen,
        }
    }
}

/// A colour of a theme file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// What the terminal draws by default.
    Default,
    /// One of the terminal's own, by number.
    Own(u8),
    /// Red, green and blue.
    Exact([u8; 3]),
}

impl Colour {
    pub(super) fn parse(word: &str) -> Option<Self> {
        if word == "default" {
            return Some(Self::Default);
        }
        if let Some(digits) = word.strip_prefix('#') {
            let is_hex = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
            let [_, red, green, blue] = number.to_be_bytes();
            return Some(Self::Exact([red, green, blue]));
        }
        let number = OWN.iter().position(|(name, ..)| *name == word)?;
        u8::try_from(number).ok().map(Self::Own)
    }

    /// The nearest that a terminal has, and whether that is another one. What is bright is not always told apart there.
    pub(super) fn on(self, depth: Depth) -> (Self, bool) {
        match (self, depth) {
            (Self::Own(number @ 8..), Depth::Eight) => (Self::Own(number - 8), true),
            (Self::Exact(wanted), Depth::Sixteen) => (nearest(wanted, 16), true),
            (Self::Exact(wanted), Depth::Eight) => (nearest(wanted, 8), true),
            (Self::Default, _) | (Self::Own(_), _) | (Self::Exact(_), Depth::True) => (self, false),
            (Self::Exact(_), Depth::None) => (Self::Default, true),
        }
    }

    pub(super) fn drawn(self) -> Color {
        match self {
            Self::Default => Color::Reset,
            Self::Own(number) => OWN.get(usize::from(number)).map_or(Color::Reset, |(_, colour, _)| *colour),
            Self::Exact([red, green, blue]) => Color::Rgb(red, green, blue),
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Default => "default".into(),
            Self::Own(number) => OWN.get(usize::from(number)).map_or("default", |(name, ..)| name).into(),
            Self::Exact([red, green, blue]) => format!("#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

/// The nearest of the terminal's first colours, as the eye weighs red, green and blue.
fn nearest(wanted: [u8; 3], among: usize) -> Colour {
    let far = |(_, _, colour): &(&str, Color, [u8; 3])| {
        let part = |at: usize, weight: u32| u32::from(wanted[at].abs_diff(colour[at])).pow(2) * weight;
        part(0, 2) + part(1, 4) + part(2, 3)
    };
    let near = OWN.iter().take(among).enumerate().min_by_key(|(_, own)| far(own));
    near.and_then(|(number, _)| u8::try_from(number).ok()).map_or(Colour::Default, Colour::Own)
}
