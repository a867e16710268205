//! Settings with the hook put in and taken out.

use super::*;

fn entry(event: Event, matcher: Option<&str>, command: &str) -> Entry {
    Entry { event, matcher: matcher.map(str::to_owned), command: command.to_owned(), timeout: 600 }
}

fn own(matcher: Option<&str>) -> Entry {
    entry(Event::PreToolUse, matcher, "/opt/bin/aegis-console hook claude-code --event PreToolUse")
}

/// Settings of a person who has other things in them, and other hooks.
const FULL: &str = r#"{
    "model": "opus",
    "permissions": { "allow": ["Bash(git log:*)"],   "deny": [] },
    "hooks": {
        "PreToolUse": [
            {
                "matcher": "Bash",
                "hooks": [ { "type": "command", "command": "guard.sh", "timeout": 1.50 } ]
            }
        ],
        "Stop": [{"hooks":[{"type":"command","command":"say done"}]}]
    },
    "unknown": {"é\u0041": 9007199254740993}
}
"#;

const EMPTIES: [&str; 9] = [
    "{}\n",
    "{ }",
    "{\n}\n",
    "{\n  \"a\": 1\n}\n",
    "{\"a\":1}",
    "{\r\n\t\"a\": 1\r\n}\r\n",
    "{\"hooks\": {\"Stop\": []}}",
    "{\n  \"hooks\": {\n    \"Stop\": []\n  },\n  \"z\": [1,\n2]\n}",
    FULL,
];

#[test]
fn into_nothing_it_is_written_as_a_person_would() {
    let text = with("{}\n", Agent::ClaudeCode, &[own(Some("Bash|Edit"))]).unwrap();
    assert_eq!(
        text,
        r#"{
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash|Edit",
        "hooks": [
          {
            "type": "command",
            "command": "/opt/bin/aegis-console hook claude-code --event PreToolUse",
            "timeout": 600,
            "onFailure": "block"
          }
        ]
      }
    ]
  }
}
"#
    );
    let codex = entry(Event::PreToolUse, None, "/opt/bin/aegis-console hook codex");
    let text = with("{}", Agent::Codex, &[codex]).unwrap();
    assert!(!text.contains("onFailure") && !text.contains("matcher"), "{text}");
}

/// Put in and taken out, the text is what it was, byte for byte.
#[test]
fn what_was_there_stays_byte_for_byte() {
    for text in EMPTIES {
        let both = [own(None), entry(Event::PermissionRequest, None, "aegis-console hook claude-code")];
        for entries in [&both[..1], &both] {
            let installed = with(text, Agent::ClaudeCode, entries).unwrap();
            assert!(
                is_in(&installed, Agent::ClaudeCode).unwrap() && !is_in(text, Agent::ClaudeCode).unwrap()
            );
            assert_eq!(
                with(&installed, Agent::ClaudeCode, entries).unwrap(),
                installed,
                "a second time changes nothing"
            );
            let back = without(&installed, Agent::ClaudeCode).unwrap();
            let blank = |text: &str| {
                json::parse_unique(text.as_bytes(), LIMITS).unwrap().as_object().unwrap().is_empty()
            };
            assert!(back == text || blank(text) && blank(&back), "{text}\n{installed}\n{back}");
            assert_eq!(
                without(&installed, Agent::Codex).unwrap(),
                installed,
                "another agent's is not ours to take"
            );
        }
    }
    let installed = with(FULL, Agent::ClaudeCode, &[own(None)]).unwrap();
    let (before, after) = FULL.split_once("\n        ],\n        \"Stop\"").unwrap();
    assert!(installed.starts_with(before) && installed.ends_with(after), "{installed}");
}

#[test]
fn other_flags_change_the_own_entry_where_it_stands_and_nothing_else() {
    let text = FULL.replace("\"hooks\": [ {", "\"hooks\": [ {\"type\":\"command\",\"command\":\"x\"}, {");
    let first = with(&text, Agent::ClaudeCode, &[own(None)]).unwrap();
    let user = first.replace("\"Stop\": [", "\"PostToolUse\": [], \"Stop\": [");
    let second = with(&user, Agent::ClaudeCode, &[own(Some("Bash"))]).unwrap();
    assert_eq!(second.matches("aegis-console").count(), 1);
    assert!(second.contains("\"matcher\": \"Bash\",\n                \"hooks\": [\n"), "{second}");
    assert_eq!(without(&second, Agent::ClaudeCode).unwrap(), without(&user, Agent::ClaudeCode).unwrap());
    let moved = entry(Event::PermissionRequest, None, "aegis-console hook claude-code");
    let third = with(&second, Agent::ClaudeCode, &[moved]).unwrap();
    assert_eq!(third.matches("aegis-console").count(), 1, "what is not asked for any more goes");
}

/// Put by hand into a group with others, or twice: they go one by one, their neighbours stay.
#[test]
fn an_own_hook_among_others_goes_alone() {
    let mine = r#"{"type":"command","command":"'/a b/aegis-console' hook claude-code"}"#;
    for (hooks, rest) in [
        (format!("[{mine}, {{\"command\":\"x\"}}]"), "[{\"command\":\"x\"}]"),
        (format!("[{{\"command\":\"x\"}} , {mine}]"), "[{\"command\":\"x\"}]"),
        (format!("[{mine},{mine},{{\"command\":\"x\"}},{mine}]"), "[{\"command\":\"x\"}]"),
    ] {
        let text = |hooks: &str| format!("{{\"hooks\":{{\"PreToolUse\":[{{\"hooks\":{hooks}}}]}}}}");
        assert_eq!(without(&text(&hooks), Agent::ClaudeCode).unwrap(), text(rest));
        let put = with(&text(&hooks), Agent::ClaudeCode, &[own(None)]).unwrap();
        assert_eq!(put.matches("aegis-console").count(), 1, "{put}");
    }
    let text = format!("{{\"hooks\":{{\"PreToolUse\":[{{\"hooks\":[{mine}]}}]}},\"a\":1}}");
    assert_eq!(without(&text, Agent::ClaudeCode).unwrap(), "{\"a\":1}");
    for foreign in
        ["aegis-console hook codex", "aegis-console review", "echo aegis-console hook claude-code", "'"]
    {
        let text = FULL.replace("guard.sh", foreign);
        assert_eq!(without(&text, Agent::ClaudeCode).unwrap(), text, "{foreign}");
    }
}

#[test]
fn what_is_no_settings_file_is_left_alone() {
    for text in [
        "",
        "// mine\n{}",
        "{\"a\": 1,}",
        "[]",
        "{\"hooks\": []}",
        "{\"hooks\": {\"PreToolUse\": {}}}",
        "{\"hooks\": {\"PreToolUse\": [{\"command\": \"x\"}]}}",
        "{\"hooks\": {}, \"hooks\": {}}",
        "{\"a\": \"\u{1}\"}",
    ] {
        assert!(with(text, Agent::ClaudeCode, &[own(None)]).is_err(), "{text}");
    }
}

#[test]
fn words_stay_words_in_the_shell_and_a_no_stands_behind_them() {
    let words =
        ["/a b/aegis-console", "hook", "codex", "--server", "https://x/?a=1&b='$(id)'"].map(str::to_owned);
    for event in Event::ALL {
        let command = command(Agent::Codex, event, &words).unwrap();
        let read = shlex::split(&command).unwrap();
        assert_eq!(read[..5], words);
        assert_eq!(read[5..8], ["||", "printf", "%s\\n"]);
        assert!(read[8].contains("deny") && read[8].contains(event.name()) && read.len() == 9, "{command}");
        let text = with("{}", Agent::Codex, &[entry(event, None, &command)]).unwrap();
        assert!(is_in(&text, Agent::Codex).unwrap());
        assert_eq!(with(&text, Agent::Codex, &[entry(event, None, &command)]).unwrap(), text);
    }
    assert!(command(Agent::Codex, Event::PreToolUse, &["a\0b".to_owned()]).is_err());
}
