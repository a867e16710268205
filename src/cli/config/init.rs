//! A first copy of the user's files: every default, commented out, so that they change nothing until a line is.

use super::failed;
use super::show::visible;
use crate::cli::output::line;
use crate::config::DEFAULTS;
use crate::console::keymap::SHIPPED;
use crate::console::theme::Shipped;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// Writes the config to this file, and keymap and theme beside it.
pub(super) fn run(config: &Path) -> ExitCode {
    let directory =
        config.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Err(error) = std::fs::create_dir_all(directory) {
        return failed(&format!("cannot make the directory {}: {error}", visible(directory)));
    }
    let files = [
        (config.to_owned(), DEFAULTS),
        (directory.join("keymap.toml"), SHIPPED),
        (directory.join("theme.toml"), Shipped::Dark.text()),
    ];
    let mut code = ExitCode::SUCCESS;
    for (path, text) in files {
        let name = visible(&path);
        // Made anew or not at all: between a look and a write another program could have put a file there.
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        match opened.and_then(|mut file| file.write_all(commented_out(text).as_bytes())) {
            Ok(()) => line(&format!("{name} is written")),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                line(&format!("{name} is there already, and stays as it is"));
            }
            Err(error) => code = failed(&format!("cannot write {name}: {error}")),
        }
    }
    code
}

/// The text with every setting behind a `#`; comments and the heads of tables stay as they are.
fn commented_out(text: &str) -> String {
    let is_setting = |line: &&str| !line.is_empty() && !line.starts_with(['#', '[']);
    text.lines()
        .map(|line| if is_setting(&line) { format!("#{line}\n") } else { format!("{line}\n") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Effective};
    use crate::console::keymap::Keymap;
    use crate::console::theme::{Depth, Read, Theme};

    #[test]
    fn what_is_written_changes_nothing() {
        let config = commented_out(DEFAULTS);
        assert_eq!(
            Effective::resolve(Some(("c", &config)), |_| None, &[]).unwrap().config,
            Config::default()
        );
        let shipped = Keymap::shipped().unwrap();
        assert_eq!(shipped.with("k", &commented_out(SHIPPED)).unwrap(), shipped);
        let theme = Read::of("t", &commented_out(Shipped::Dark.text()), Depth::Sixteen).unwrap().theme;
        assert_eq!(theme, Theme::shipped(Shipped::Dark, Depth::Sixteen));
    }

    #[test]
    fn what_is_written_is_what_is_shipped_once_the_comments_are_taken_away() {
        for text in [DEFAULTS, SHIPPED, Shipped::Dark.text()] {
            let written = commented_out(text);
            let lines = written.lines().map(|line| match line.strip_prefix('#') {
                Some(rest) if rest.starts_with(|c: char| c.is_lowercase() || c == '"') => rest,
                _ => line,
            });
            assert_eq!(lines.collect::<Vec<_>>(), text.lines().collect::<Vec<_>>());
        }
    }
}
