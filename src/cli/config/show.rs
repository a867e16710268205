//! What is in force, as TOML with the source of each value behind it; and every path that is looked at.

use super::Chosen;
use crate::cli::place::default_data;
use crate::config::{Origin, place};
use crate::console::theme::Role;
use crate::domain::Visible;
use crate::journal;
use std::fmt::Write as _;
use std::path::Path;

/// A part of what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Part {
    /// The settings, as a config file.
    Config,
    /// What every key means, as a keymap file.
    Keymap,
    /// The style of everything, as a theme file.
    Theme,
}

/// The name of a file, made visible.
pub(super) fn visible(path: &Path) -> String {
    Visible::of(&path.to_string_lossy()).plain()
}

/// What is in force, or a part of it.
pub(super) fn show(chosen: &Chosen, part: Option<Part>) -> String {
    let is_wanted = |one| part.is_none_or(|part| part == one);
    let mut parts = Vec::new();
    if is_wanted(Part::Config) {
        parts.push(settings(chosen));
    }
    if is_wanted(Part::Keymap) {
        let over = chosen.keymap_file.as_ref().filter(|found| found.text.is_some());
        let over = over.map(|found| format!(", with {} over it", visible(&found.path))).unwrap_or_default();
        parts.push(format!("# The keymap: the shipped one{over}\n{}", chosen.keymap.toml().trim_end()));
    }
    if is_wanted(Part::Theme) {
        let mut text = format!("# The theme: {}", Visible::of(&chosen.theme_name).plain());
        for role in Role::ALL {
            let _ = write!(text, "\n{} = \"{}\"", role.name(), chosen.theme.words(role));
        }
        parts.push(text);
    }
    format!("{}\n", parts.join("\n\n"))
}

fn settings(chosen: &Chosen) -> String {
    let file = chosen.file.as_ref().map(|found| visible(&found.path)).unwrap_or_default();
    let mut text = match &chosen.file {
        Some(found) if found.text.is_some() => format!("# The settings: {file}"),
        _ => "# The settings: no config file".into(),
    };
    let mut table = "";
    for (name, value, origin) in chosen.effective.shown() {
        let (here, key) = name.split_once('.').unwrap_or(("", name));
        if here != table {
            let _ = write!(text, "\n\n[{here}]");
            table = here;
        }
        let origin = match origin {
            Origin::Default => "default".into(),
            Origin::File(line) => format!("line {line}"),
            Origin::Environment(name) | Origin::Flag(name) => name.clone(),
        };
        let line = format!("{key} = {value}");
        let _ = write!(text, "\n{line:<40} # {origin}");
    }
    text
}

/// Everything that is looked for, and where.
pub(super) fn paths(chosen: &Chosen) -> Vec<(&'static str, String)> {
    let found = |found: &Option<place::Found>| match found {
        Some(found) if found.text.is_some() => visible(&found.path),
        Some(found) => format!("{} (not there)", visible(&found.path)),
        None => "none".into(),
    };
    let config = chosen.config();
    let theme = match &chosen.theme_file {
        Some(path) => visible(path),
        None => format!("{} (shipped)", Visible::of(&chosen.theme_name).plain()),
    };
    let data = default_data();
    let data = data.map_or_else(|error| format!("none: {error}"), |path| visible(&path));
    let journal = match (&config.journal, &config.server.0) {
        (Some(path), _) => visible(path),
        (None, Some(server)) => {
            journal::default_path(server).map_or_else(|error| format!("none: {error}"), |path| visible(&path))
        }
        (None, None) => format!("{data}/journal.sqlite (of the gateway of one's own)"),
    };
    let token = config
        .token_file
        .as_deref()
        .map_or_else(|| "none (AEGIS_API_KEY_FILE, AEGIS_API_KEY)".into(), visible);
    vec![
        ("config", found(&chosen.file)),
        ("keymap", found(&chosen.keymap_file)),
        ("theme", theme),
        ("token", token),
        ("journal", journal),
        ("data", format!("{data} (of the gateway of one's own)")),
        ("logs", "none: `serve` writes to standard error, the console writes none".into()),
    ]
}
