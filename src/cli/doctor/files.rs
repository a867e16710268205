//! What is set up on the disk: the config, the directories and who may read them. Looked at, never changed.

use super::report::{Report, State};
use crate::cli::config::Chosen;
use crate::domain::Visible;
use crate::journal;
use std::path::Path;

/// The config file, the keymap and the theme.
pub(super) fn config(report: &mut Report, config: Option<&Path>) -> Option<Chosen> {
    match Chosen::of(config, &[]) {
        Ok(chosen) => {
            report.ok("config", "config, keymap and theme can be read");
            Some(chosen)
        }
        Err(mistakes) => {
            let words = mistakes.to_string();
            let first = words.lines().next().unwrap_or_default();
            let advice = "mend it: `aegis-console config check` shows every mistake";
            report.not(State::Fail, "config", Visible::of(first).plain(), advice);
            None
        }
    }
}

/// The gateway's directory on this machine, and what in it nobody else may read.
pub(super) fn data(report: &mut Report, data: &Path) {
    let name = shown(data);
    if !data.exists() {
        report.ok("data", format!("no gateway keeps its data in {name}"));
        return;
    }
    let files = ["agent.token", "reviewer.token", "gateway.db", "journal.sqlite"].map(|file| data.join(file));
    let places = std::iter::once(data.to_owned()).chain(files);
    private(report, "data", places, format!("{name}: only you can read it"));
}

/// The journal of the decisions that go to that server.
pub(super) fn journal(report: &mut Report, named: Option<&Path>, server: &str) {
    let path = match named.map_or_else(|| journal::default_path(server), |path| Ok(path.to_owned())) {
        Ok(path) => path,
        Err(error) => {
            let advice = "name a file with `journal` below [review] in the config";
            report.not(State::Fail, "journal", Visible::of(&error.to_string()).plain(), advice);
            return;
        }
    };
    let name = shown(&path);
    if !path.exists() {
        report.ok("journal", format!("no decision has been recorded yet; the first goes to {name}"));
        return;
    }
    let places = path.parent().map(Path::to_owned).into_iter().chain([path]);
    private(report, "journal", places, format!("{name}: only you can read it"));
}

fn private(
    report: &mut Report,
    check: &'static str,
    places: impl Iterator<Item = std::path::PathBuf>,
    fine: String,
) {
    let open: Vec<_> = places.filter_map(|path| Some((mode(&path)?, path))).collect();
    let Some((mode, path)) = open.iter().find(|(mode, _)| mode & 0o077 != 0) else {
        report.ok(check, fine);
        return;
    };
    let name = shown(path);
    let advice = format!("run `chmod go= {name}`, and make new tokens if it may have been read");
    report.not(State::Fail, check, format!("others may use {name} (mode {mode:03o})"), advice);
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(path.metadata().ok()?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> Option<u32> {
    None
}

/// The name of a file, made visible.
pub(super) fn shown(path: &Path) -> String {
    Visible::of(&path.to_string_lossy()).plain()
}
