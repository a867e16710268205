//! The ways in that are set up on this machine: where an agent's settings start this program, and whether what they start
//! is there. Files are read as JSON and nothing of them but that command is told.

use super::files::shown;
use super::report::{Report, State};
use crate::agent::hook::settings::SettingsFile;
use crate::domain::Visible;
use crate::domain::json::{self, Kind, Limits, Value};
use std::path::{Path, PathBuf};

/// Longer than anybody's settings.
const LIMITS: Limits = Limits { bytes: 4 * 1024 * 1024, depth: 128, values: 200_000 };

/// A command in somebody's settings that starts this program.
struct Way {
    program: String,
    /// What it is: `hook claude-code`, `mcp`.
    what: String,
}

/// Looks at all of them.
pub(super) fn look(report: &mut Report) {
    let mut found = 0;
    for path in places() {
        let text = match SettingsFile::open(&path) {
            Ok(file) if file.exists() => file.text().to_owned(),
            Ok(_) => continue,
            Err(error) => {
                let words = format!("{} cannot be read: {error}", shown(&path));
                report.not(State::Warn, "ways in", words, "");
                continue;
            }
        };
        let ways = match json::parse(text.as_bytes(), LIMITS) {
            Ok(value) => ways(&value),
            Err(error) => {
                let words =
                    format!("{} is no JSON: {}", shown(&path), Visible::of(&error.to_string()).plain());
                report.not(State::Warn, "ways in", words, "its agent can read it no better: mend it");
                continue;
            }
        };
        for Way { program, what } in ways {
            found += 1;
            let (what, program) = (Visible::of(&what).cut(40).plain(), Path::new(&program));
            if is_there(program) {
                report.ok("ways in", format!("{what} in {}", shown(&path)));
            } else {
                let words =
                    format!("{what} in {} starts {}, which is not there", shown(&path), shown(program));
                let advice =
                    "install it again: until then that agent asks nobody, and some then run everything";
                report.not(State::Fail, "ways in", words, advice);
            }
        }
    }
    if found == 0 {
        report.ok(
            "ways in",
            "no settings of Claude Code, Codex or an MCP client here start it (`aegis-console hook install`)",
        );
    }
}

/// Every settings file that an agent reads, of this directory and of this user.
fn places() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = variable("HOME");
    let below = |name: &str| home.as_ref().map(|home| home.join(name));
    let claude = variable("CLAUDE_CONFIG_DIR").or_else(|| below(".claude"));
    let codex = variable("CODEX_HOME").or_else(|| below(".codex"));
    let here = [".claude/settings.json", ".claude/settings.local.json", ".codex/hooks.json", ".mcp.json"];
    let of_user = [
        claude.map(|path| path.join("settings.json")),
        below(".claude.json"),
        codex.map(|path| path.join("hooks.json")),
        below(".cursor/mcp.json"),
    ];
    let mut all: Vec<_> = here.map(PathBuf::from).into_iter().chain(of_user.into_iter().flatten()).collect();
    // Where this directory is the home, its files are both.
    let mut seen = Vec::new();
    all.retain(|path| match path.canonicalize() {
        Ok(real) if seen.contains(&real) => false,
        Ok(real) => {
            seen.push(real);
            true
        }
        Err(_) => true,
    });
    all
}

/// Every object with a `command`, and `args` where they stand apart, that starts this program.
fn ways(value: &Value) -> Vec<Way> {
    let (mut found, mut values) = (Vec::new(), vec![value]);
    while let Some(value) = values.pop() {
        match &value.kind {
            Kind::Object(members) => {
                found.extend(way(value));
                values.extend(members.iter().rev().map(|member| &member.value));
            }
            Kind::Array(elements) => values.extend(elements.iter().rev()),
            _ => {}
        }
    }
    found
}

fn way(value: &Value) -> Option<Way> {
    let command = value.get("command")?.as_str()?;
    let args = value.get("args").and_then(Value::as_array);
    let words = match args {
        Some(args) => {
            let args = args.iter().filter_map(Value::as_str).map(str::to_owned);
            std::iter::once(command.to_owned()).chain(args).collect()
        }
        None => shlex::split(command)?,
    };
    let program = words.first()?;
    let name = Path::new(program).file_name()?.to_str()?;
    let what: Vec<_> = words[1..].iter().take_while(|word| !word.starts_with('-')).cloned().collect();
    name.starts_with("aegis-console").then(|| Way { program: program.clone(), what: what.join(" ") })
}

/// By its path, or on the PATH.
fn is_there(program: &Path) -> bool {
    if program.components().count() > 1 {
        return program.is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_this_program_is_found_and_nothing_else() {
        let text = r#"{
            "hooks": {"PreToolUse": [{"hooks": [
                {"type": "command", "command": "'/opt/a b/aegis-console' hook claude-code --timeout 9m"},
                {"type": "command", "command": "echo aegis-console hook claude-code"}]}]},
            "mcpServers": {
                "aegis": {"command": "aegis-console", "args": ["mcp", "--timeout", "30m"]},
                "other": {"command": "npx", "args": ["aegis-console"]}},
            "command": 7, "more": [{"command": ""}, {"command": "'"}]}"#;
        let value = json::parse(text.as_bytes(), LIMITS).unwrap();
        let found: Vec<_> = ways(&value).into_iter().map(|way| (way.program, way.what)).collect();
        let expected = [("/opt/a b/aegis-console", "hook claude-code"), ("aegis-console", "mcp")];
        assert_eq!(found, expected.map(|(program, what)| (program.to_owned(), what.to_owned())));
    }
}
