//! The flags that say how the screen looks and feels. What a colour is, the theme knows.

use crate::console::screens::queue::floods::DEFAULT_LIMIT;
use crate::console::theme::Theme;
use std::time::Duration;

/// The flags that say how the screen looks and feels; the demo has them too.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Look {
    /// Colour: `auto` obeys NO_COLOR
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    color: Color,

    /// Draw with ASCII alone; by itself where the locale is not UTF-8
    #[arg(long)]
    ascii: bool,

    /// Seconds for which an approval can be taken back before it is sent; 0 sends at once
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = grace)]
    pub(super) grace: Grace,

    /// Actions that an agent may ask in a minute; what it asks faster is gathered under one row
    #[arg(long, value_name = "ACTIONS", default_value_t = DEFAULT_LIMIT, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) flood: u32,
}

impl Default for Look {
    fn default() -> Self {
        Self { color: Color::default(), ascii: false, grace: Grace::default(), flood: DEFAULT_LIMIT }
    }
}

/// How long an approval is held; three seconds unless told otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grace(pub(super) Duration);

impl Default for Grace {
    fn default() -> Self {
        Self(Duration::from_secs(3))
    }
}

fn grace(text: &str) -> Result<Grace, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=600.0).contains(seconds));
    seconds
        .map(|seconds| Grace(Duration::from_secs_f64(seconds)))
        .ok_or_else(|| "a number from 0 to 600".into())
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Color {
    /// Unless NO_COLOR is set to something
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Look {
    pub(super) fn theme(self) -> Theme {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colour = match self.color {
            Color::Auto => !set("NO_COLOR"),
            Color::Always => true,
            Color::Never => false,
        };
        Theme::new(colour, self.ascii || !utf8_locale())
    }
}

/// Whether the terminal can be expected to draw more than ASCII: the first of LC_ALL, LC_CTYPE and LANG that is set
/// decides, and the Linux console has too few characters.
fn utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8")) && set("TERM").as_deref() != Some("linux")
}
