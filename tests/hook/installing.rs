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
            assert!(said.contains("\n+") && said.contains(event) && said.contains("is written"), "{said}");
            let written = fs::read_to_string(&path).unwrap();
            assert!(
                written.contains("\"timeout\": 570") && written.contains("\"matcher\": \"Bash\""),
                "{written}"
            );
            assert!(!written.contains("s3cret"), "{written}");
            assert_eq!(written.contains("\"onFailure\": \"block\""), agent == "claude-code");
            let command = command_in(&path, event);
            let gone = command.replace("/aegis-console", "/gone/aegis-console");
            let refused = command.replace(" --event ", " --no-such-flag ");
            for (what, command) in [("garbage", command), ("gone", gone), ("refused", refused)] {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(&command).current_dir("/");
                shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                let output = run(shell, b"garbage");
                let Heard::No(reason) = hear(agent, event, &output) else { panic!("{what}: {output:?}") };
                let is_own = reason.contains("cannot be read") && !reason.contains("could not answer");
                assert_eq!(is_own, what == "garbage", "{what}: {reason}");
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

/// A key in the settings, or a password in an address, is neither shown nor written.
#[test]
fn no_secret_of_the_settings_or_of_the_address_is_shown() {
    let home = Home::new("s3cret");
    let path = home.dir.path().join(".claude/settings.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for theirs in [
        "{\n  \"env\": {\n    \"KEY\": \"k3y\"\n  }\n}\n",
        "{\n  \"model\": \"opus\",\n  \"key\": \"k3y\"\n}\n",
        "{\n  \"key\": \"k3y\"\n}\n",
        "{\"key\": \"k3y\"}\n",
        "{\"key\": \"k3y\"}",
    ] {
        fs::write(&path, theirs).unwrap();
        let output = hook(&home, &["install", "claude-code", "--yes"]);
        let said = text(&output.stdout);
        assert!(output.status.success() && said.contains("hook claude-code"), "{output:?}");
        assert!(!said.contains("k3y") && !text(&output.stderr).contains("k3y"), "{theirs}: {said}");
        assert!(fs::read_to_string(&path).unwrap().contains("k3y"));
        let output = hook(&home, &["uninstall", "claude-code", "--yes"]);
        let said = text(&output.stdout);
        assert!(output.status.success() && said.contains("hook claude-code"), "{output:?}");
        assert!(!said.contains("k3y"), "{theirs}: {said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), theirs);
    }
    for url in ["https://u:p4ss@gate.example", "http://u:p4ss@127.0.0.1:9"] {
        let output =
            hook(&home, &["install", "codex", "--yes", "--server", url, "--token-file", "agent.token"]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!output.status.success() && said.contains("a user or a password"), "{said}");
        assert!(!said.contains("p4ss") && !home.dir.path().join(".codex").exists(), "{said}");
    }
}

/// What an error quotes does nothing to the terminal.
#[test]
fn a_path_that_acts_is_made_visible() {
    let home = Home::new("s3cret");
    let directory = home.dir.path().join("a\u{1b}[2Jb");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("settings.json"), "[]").unwrap();
    let mut command = home.bare(&["install", "claude-code", "--user", "--yes"]);
    command.env("CLAUDE_CONFIG_DIR", &directory);
    let output = run(command, b"");
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("is left as it is"), "{said}");
    assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
}

/// The token of this machine's own gateway is not for a server elsewhere.
#[test]
fn the_usual_token_goes_to_no_other_machine() {
    let home = Home::new("s3cret");
    let usual = home.dir.path().join("state/aegis-console/agent.token");
    fs::create_dir_all(usual.parent().unwrap()).unwrap();
    fs::copy(home.dir.path().join("agent.token"), &usual).unwrap();
    let input = Input::named("claude-code/bash");
    for (server, is_used) in [("http://127.0.0.1:9", true), ("https://gate.invalid", false)] {
        let args = ["claude-code", "--event", "PreToolUse", "--timeout", "20s", "--server", server];
        let output = run(home.bare(&args), input.text.as_bytes());
        let Heard::No(reason) = hear("claude-code", "PreToolUse", &output) else { panic!("{output:?}") };
        assert_eq!(reason.contains("could not be reached"), is_used, "{reason}");
        assert_eq!(
            reason.contains("another machine") && reason.contains("--token-file"),
            !is_used,
            "{reason}"
        );
    }
}
