//! What would run as the JSON that a reviewer reads, the same bytes for the same command: first what was typed, then what
//! that means here and now.

use super::file::{Content, FileSeen};
use super::seen::{Seen, Wanted};
use crate::domain::json::quote;
use crate::domain::timestamp;

impl Seen {
    /// The payload. `more` is a JSON text of the asker's own, which stands in it as it came.
    pub fn payload(&self, wanted: &Wanted, more: Option<&str>) -> String {
        let argv = list(wanted.argv.iter().map(|argument| quote(argument)));
        let mut members = vec![
            member("argv", &argv),
            member("cwd", &quote(&self.cwd)),
            member("program", &object(&file(&self.program))),
        ];
        if !self.files.is_empty() {
            let files = self.files.iter().map(|(at, seen)| {
                let argument = std::iter::once(member("argument", &at.to_string()));
                object(&argument.chain(file(seen)).collect::<Vec<_>>())
            });
            members.push(member("files", &list(files)));
        }
        let env = self
            .env
            .iter()
            .map(|(name, value)| member(name, &value.as_deref().map_or_else(|| "null".to_owned(), quote)));
        members.push(member("env", &object(&env.collect::<Vec<_>>())));
        let others = if wanted.only_env { "none" } else { "inherited, not shown" };
        members.push(member("other_env", &quote(others)));
        // It can be the whole program, as in `curl … | sh`.
        let stdin = if wanted.stdin { "inherited, not shown" } else { "nothing" };
        members.push(member("stdin", &quote(stdin)));
        if !self.shown.is_empty() {
            let shown = self.shown.iter().map(|shown| {
                // As lines, which a reviewer can read; joined by line feeds they are the file.
                let lines = list(shown.text.split('\n').map(quote));
                object(&file(&shown.file).into_iter().chain([member("lines", &lines)]).collect::<Vec<_>>())
            });
            members.push(member("shown", &list(shown)));
        }
        members.extend(more.map(|more| member("payload", more.trim())));
        object(&members)
    }
}

fn file(seen: &FileSeen) -> Vec<String> {
    let mut members = vec![member("path", &quote(&seen.path)), member("bytes", &seen.bytes.to_string())];
    match &seen.content {
        Content::Sha256(sha256) => members.push(member("sha256", &quote(sha256))),
        Content::Unknown { why, modified } => {
            members.push(member("sha256", "null"));
            members.push(member("why", &quote(why)));
            members.extend(modified.map(|at| member("modified", &quote(&timestamp::format(at)))));
        }
    }
    members
}

fn member(name: &str, json: &str) -> String {
    format!("{}:{json}", quote(name))
}

fn object(members: &[String]) -> String {
    format!("{{{}}}", members.join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::super::seen::Shown;
    use super::*;
    use std::collections::BTreeMap;

    fn hashed(path: &str) -> FileSeen {
        FileSeen { path: path.into(), bytes: 3, content: Content::Sha256("ba7816bf 8f01cfea".into()) }
    }

    fn wanted(argv: &[&str]) -> Wanted {
        let argv = argv.iter().map(|argument| (*argument).to_owned()).collect();
        Wanted { argv, env: Vec::new(), only_env: false, show: Vec::new(), stdin: false }
    }

    fn seen() -> Seen {
        let program = hashed("/usr/bin/cp");
        Seen { cwd: "/srv".into(), program, files: Vec::new(), env: BTreeMap::new(), shown: Vec::new() }
    }

    const PROGRAM: &str = r#""program":{"path":"/usr/bin/cp","bytes":3,"sha256":"ba7816bf 8f01cfea"}"#;

    #[test]
    fn the_payload_is_what_would_run() {
        let modified = timestamp::parse("2026-11-23T12:00:00Z");
        let unknown = Content::Unknown { why: "more".into(), modified };
        let big = FileSeen { path: "big.img".into(), bytes: 9_007_199_254_740_993, content: unknown };
        let text = "#!/bin/sh\nrm -rf \"$1\"\r\n".to_owned();
        for (wanted, seen, more, expected) in [
            (
                wanted(&["cp", "a b", "", "\"\u{1b}\n"]),
                seen(),
                None,
                format!(
                    r#"{{"argv":["cp","a b","","\"\u001b\n"],"cwd":"/srv",{PROGRAM},"env":{{}},"other_env":"inherited, not shown","stdin":"nothing"}}"#
                ),
            ),
            (
                Wanted { only_env: true, stdin: true, ..wanted(&["cp", "-i", "big.img"]) },
                Seen {
                    files: vec![(2, big)],
                    env: BTreeMap::from([("A".into(), None), ("B".into(), Some("x\"y".into()))]),
                    ..seen()
                },
                Some(" {\"n\": 1.10, \"big\": 1e400} "),
                format!(
                    r#"{{"argv":["cp","-i","big.img"],"cwd":"/srv",{PROGRAM},"files":[{{"argument":2,"path":"big.img","bytes":9007199254740993,"sha256":null,"why":"more","modified":"2026-11-23T12:00:00.000000Z"}}],"env":{{"A":null,"B":"x\"y"}},"other_env":"none","stdin":"inherited, not shown","payload":{{"n": 1.10, "big": 1e400}}}}"#
                ),
            ),
            (
                wanted(&["cp"]),
                Seen { shown: vec![Shown { file: hashed("s.sh"), text }], ..seen() },
                None,
                format!(
                    r##"{{"argv":["cp"],"cwd":"/srv",{PROGRAM},"env":{{}},"other_env":"inherited, not shown","stdin":"nothing","shown":[{{"path":"s.sh","bytes":3,"sha256":"ba7816bf 8f01cfea","lines":["#!/bin/sh","rm -rf \"$1\"\r",""]}}]}}"##
                ),
            ),
        ] {
            let payload = seen.payload(&wanted, more);
            assert_eq!(payload, expected);
            assert!(crate::agent::Submission::new("t", payload).is_ok());
        }
    }

    #[test]
    fn nothing_of_it_is_an_opaque_word() {
        let sha256 = Content::Sha256(super::super::file::sha256(b"abc"));
        let seen = Seen { program: FileSeen { content: sha256, ..hashed("/bin/sh") }, ..seen() };
        let payload = seen.payload(&wanted(&["sh"]), None);
        assert_eq!(crate::domain::findings::opaque(&payload).count(), 0, "{payload}");
    }
}
