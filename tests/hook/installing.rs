//! `hook install` and `hook uninstall` as a user runs them.

use crate::running::{Heard, Home, Input, hear, run, text};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn hook(home: &Home, args: &[&str]) -> Output {
    run(home.bare(args), b"")
}

fn command_in(path: &Path, event: &str) -> String {
    let settings: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    settings["hooks"][event][0]["hooks"][0]["command"].as_str().unwrap().to_owned()
}

/// What is installed is what the agent's shell runs, and it says no where there is no gateway.
#[test]
fn what_is_installed_runs_and_says_no() {
    let home = Home::new("s3cret");
    for (agent, file, input) in [
        ("claude-code", ".claude/settings.json", "claude-code/bash"),
        ("codex", ".codex/hooks.json", "codex/bash"),
    ] {
        for (scope, event) in [("--project", "PreToolUse"), ("--user", "PermissionRequest")] {
            let args =
                ["install", agent, scope, "--event", event, "--yes", "--timeout", "9m", "--matcher", "Bash"];
            let more = ["--server", "http://127.0.0.1:9", "--token-file", "agent.token"];
            let output = hook(&home, &[&args[..], &more[..]].concat());
            let said = text(&output.stdout);
            assert!(output.status.success(), "{output:?}");
            let path = home.dir.path().join(file);
            assert!(
                said.contains("+") && said.contains("\"matcher\": \"Bash\"") && said.contains("is written"),
                "{said}"
            );
            let written = fs::read_to_string(&path).unwrap();
            assert!(written.contains("\"timeout\": 570") && !written.contains("s3cret"), "{written}");
            assert_eq!(written.contains("\"onFailure\": \"block\""), agent == "claude-code");
            let command = command_in(&path, event);
            let gone = command.replace("/aegis-console", "/gone/aegis-console");
            let refused = command.replace(" --event ", " --no-such-flag ");
            for (what, command) in [("garbage", command), ("gone", gone), ("refused", refused)] {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(&command).current_dir("/");
                shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let output = run(shell, b"garbage");
                assert!(matches!(hear(agent, event, &output), Heard::No(_)), "{what}: {output:?}");
            }
            let again = hook(&home, &[&args[..], &more[..]].concat());
            assert!(text(&again.stdout).contains("nothing to change"), "{again:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), written);
        }
        assert!(Input::named(input).text.contains("Bash"));
        let path = home.dir.path().join(file);
        let output = hook(&home, &["uninstall", agent, "--yes"]);
        assert!(output.status.success() && fs::read_to_string(&path).unwrap() == "{}\n", "{output:?}");
    }
}

#[test]
fn settings_of_a_person_stay_theirs() {
    let home = Home::new("s3cret");
    let kept = home.dir.path().join("dotfiles/settings.json");
    let path = home.dir.path().join(".claude/settings.json");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let theirs = "{\n\t\"model\": \"opus\",\n\t\"big\": 9007199254740993\n}\n";
    fs::write(&kept, theirs).unwrap();
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&kept, &path).unwrap();
    // Nobody can be asked.
    let output = hook(&home, &["install", "claude-code"]);
    assert!(!output.status.success() && text(&output.stderr).contains("--yes"), "{output:?}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), theirs);
    assert!(hook(&home, &["install", "claude-code", "--yes"]).status.success());
    let written = fs::read_to_string(&kept).unwrap();
    assert!(written.starts_with(
        "{\n\t\"model\": \"opus\",\n\t\"big\": 9007199254740993,\n\t\"hooks\": {\n\t\t\"PreToolUse\""
    ));
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(hook(&home, &["uninstall", "claude-code", "-y"]).status.success());
    assert_eq!(fs::read_to_string(&kept).unwrap(), theirs);
    let files: Vec<_> = fs::read_dir(kept.parent().unwrap()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left behind");
}

#[test]
fn what_is_no_settings_is_not_touched() {
    let home = Home::new("s3cret");
    let path = home.dir.path().join(".claude/settings.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for theirs in ["// mine\n{}\n", "{\"hooks\": []}", "\u{1b}[2J"] {
        fs::write(&path, theirs).unwrap();
        for verb in ["install", "uninstall"] {
            let output = hook(&home, &[verb, "claude-code", "--yes"]);
            let said = text(&output.stderr);
            assert!(!output.status.success() && said.contains("is left as it is"), "{output:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), theirs);
        }
    }
}
