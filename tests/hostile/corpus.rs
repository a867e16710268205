//! The attacks: files of actions, a few that are too large for files, and what has to be said about each.
//!
//! A folder of actions holds, for each attack, one file that is named for it:
//!
//! | file | is |
//! |---|---|
//! | `NAME.json` | one sealed action, as a line of a queue file has it; line breaks between its members are taken out |
//! | `NAME.raw` | the bytes of a line that is no action |
//! | `NAME.jsonl` | one sealed action a line |
//! | `announced.txt` | `NAME: text ¦ text`: what the console must say about it somewhere, beside what always holds |

use super::bytes::is_hidden;
use super::oracle;
use aegis_console::domain::Action;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// One attack.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Named for what it tries.
    pub(crate) name: String,
    /// The line of the queue file.
    pub(crate) line: Vec<u8>,
    /// What the console must say about it.
    pub(crate) announced: Vec<String>,
}

impl Case {
    /// An attack of which nothing is demanded but what always holds.
    pub(crate) fn new(name: &str, line: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), line: line.into(), announced: Vec::new() }
    }

    /// The action, where it is one.
    pub(crate) fn action(&self) -> Option<Action> {
        Action::read(std::str::from_utf8(&self.line).ok()?).ok()
    }

    /// Whether anything in it must be announced as hidden.
    pub(crate) fn hides(&self) -> bool {
        let text = String::from_utf8_lossy(&self.line);
        if self.action().is_none() {
            // It is shown as the text that it is: an escape in it is no more than its letters.
            return text.chars().any(is_hidden);
        }
        oracle::strings(&text).iter().any(|string| string.chars().any(is_hidden))
    }
}

/// The attacks of a folder, by name.
pub(crate) fn of_folder(folder: &Path) -> Vec<Case> {
    let said = fs::read_to_string(folder.join("announced.txt")).unwrap_or_default();
    let mut said: HashMap<&str, Vec<String>> = said
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, texts)| (name, texts.split(" ¦ ").map(str::to_owned).collect()))
        .collect();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let kind = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes = || fs::read(&file).unwrap();
        match kind {
            // Between members a line break is a blank; inside a string JSON has none.
            "json" => {
                let line: Vec<u8> = bytes()
                    .into_iter()
                    .map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte })
                    .collect();
                cases.push(Case::new(&name, line.trim_ascii()));
            }
            "raw" => cases.push(Case::new(&name, bytes())),
            "jsonl" => cases.extend(
                bytes()
                    .split(|byte| *byte == b'\n')
                    .filter(|line| !line.trim_ascii().is_empty())
                    .enumerate()
                    .map(|(number, line)| Case::new(&format!("{name}:{}", number + 1), line)),
            ),
            _ => {}
        }
    }
    for case in &mut cases {
        case.announced = said.remove(case.name.as_str()).unwrap_or_default();
    }
    assert!(said.is_empty(), "announced.txt names what is not there: {:?}", said.keys());
    cases
}

/// Those that are too large to be kept as files.
pub(crate) fn large() -> Vec<Case> {
    let members = |count: usize| {
        let mut text = String::from("{");
        for number in 0..count {
            write!(text, "\"key{number}\":{number},").unwrap();
        }
        text + "\"last\":\"THE-TAIL\"}"
    };
    let nested =
        |depth: usize| format!("{{\"deep\":{}\"THE-TAIL\"{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let string = |length: usize| format!("{{\"text\":\"{} THE-TAIL\"}}", "lorem ipsum ".repeat(length / 12));
    [
        ("string-as-long-as-a-submission-may-be", string(250 * 1024), "characters"),
        ("keys-as-many-as-there-may-be", members(19_990), ""),
        ("depth-as-deep-as-it-may-be", nested(64), ""),
        ("depth-beyond-the-door", nested(90), ""),
    ]
    .into_iter()
    .map(|(name, payload, announced)| Case {
        announced: [announced].into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect(),
        ..Case::new(name, harmless(name, "bulk_import", "low", &payload))
    })
    .collect()
}

/// A harmless action with every field that one can have, so old that its age no longer grows.
pub(crate) fn harmless(id: &str, action: &str, risk: &str, payload: &str) -> String {
    format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"acme","thread_id":"order-42","idempotency_key":"key:{id}","agent":"billing-agent","action":"{action}","server":"mail.example","summary":"a harmless summary","rationale":"a harmless rationale","payload":{payload},"claims":{{"agent":"billing"}},"risk":"{risk}","risk_reasons":["a harmless reason"],"labels":{{"team":"support"}},"reviewers_needed":1,"created_at":"2020-01-01T00:00:00Z","expires_at":"2099-01-01T00:00:00Z"}}"#
    )
}

/// The same with nothing but what there must be.
pub(crate) fn bare(id: &str, action: &str, risk: &str, payload: &str) -> String {
    format!(
        r#"{{"v":1,"id":"{id}","tenant_id":"acme","thread_id":"order-42","idempotency_key":"key:{id}","agent":"billing-agent","action":"{action}","payload":{payload},"risk":"{risk}","created_at":"2020-01-01T00:00:00Z","expires_at":"2099-01-01T00:00:00Z"}}"#
    )
}

#[test]
fn the_corpus_is_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/actions");
    let cases = of_folder(&folder);
    assert!(cases.len() >= 60, "only {} attacks", cases.len());
    let wrong = cases.iter().filter(|case| {
        let file = |kind: &str| folder.join(format!("{}.{kind}", case.name)).is_file();
        let (action, json, raw) = (case.action().is_some(), file("json"), file("raw"));
        !(action && json || !action && raw)
    });
    let wrong: Vec<_> = wrong.map(|case| &case.name).collect();
    assert!(wrong.is_empty(), "an action is a .json, and what is none a .raw: {wrong:?}");
}
