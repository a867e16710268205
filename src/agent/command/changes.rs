//! What is not as it was shown: each difference in words, for the person at the command line and for the reviewer.

use super::file::{Content, FileSeen};
use super::seen::Seen;

impl Seen {
    /// What is another thing now than when it was shown; nothing is what may run.
    pub fn changes(&self, now: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        if self.cwd != now.cwd {
            changes.push(format!("the working directory was {}, it is {}", self.cwd, now.cwd));
        }
        if self.program.path != now.program.path {
            changes.push(format!("the program was {}, it is {}", self.program.path, now.program.path));
        } else {
            changes.extend(file(&self.program, &now.program));
        }
        for (at, before) in &self.files {
            match now.files.iter().find(|(place, seen)| place == at && seen.path == before.path) {
                Some((_, seen)) => changes.extend(file(before, seen)),
                None => changes.push(format!("{} is not there any more", before.path)),
            }
        }
        let known = |at: &usize, seen: &FileSeen| {
            self.files.iter().any(|(place, before)| place == at && seen.path == before.path)
        };
        let new = now.files.iter().filter(|(at, seen)| !known(at, seen));
        changes.extend(new.map(|(_, seen)| format!("{} was not there before", seen.path)));
        for (before, seen) in self.shown.iter().zip(&now.shown) {
            changes.extend(file(&before.file, &seen.file));
        }
        for (name, value) in &self.env {
            if now.env.get(name) != Some(value) {
                changes.push(format!("the variable {name} has another value"));
            }
        }
        // Whatever was not thought of above.
        if changes.is_empty() && self != now {
            changes.push("something is not as it was shown".to_owned());
        }
        changes.dedup();
        changes
    }
}

fn file(before: &FileSeen, now: &FileSeen) -> Option<String> {
    if before == now {
        return None;
    }
    let short = |sha256: &str| sha256.get(..17).unwrap_or(sha256).to_owned();
    let content = |seen: &FileSeen| match &seen.content {
        Content::Sha256(sha256) => format!("sha256 {}…, {} bytes", short(sha256), seen.bytes),
        Content::Unknown { modified: Some(at), .. } => format!("{} bytes, written at {at}", seen.bytes),
        Content::Unknown { modified: None, .. } => format!("{} bytes", seen.bytes),
    };
    Some(format!("{} has changed: it was {}, it is {}", before.path, content(before), content(now)))
}

#[cfg(test)]
mod tests {
    use super::super::seen::Shown;
    use super::*;
    use std::collections::BTreeMap;

    fn sha256(path: &str, sha256: &str) -> FileSeen {
        FileSeen { path: path.into(), bytes: 3, content: Content::Sha256(sha256.into()) }
    }

    fn seen() -> Seen {
        Seen {
            cwd: "/work".into(),
            program: sha256("/bin/sh", "aa"),
            files: vec![(1, sha256("run.sh", "bb"))],
            env: BTreeMap::from([("STAGE".into(), Some("prod".into())), ("DRY".into(), None)]),
            shown: vec![Shown { file: sha256("lib.sh", "cc"), text: "exit".into() }],
        }
    }

    type Change = fn(&mut Seen);

    #[test]
    fn every_difference_is_found_and_named() {
        assert_eq!(seen().changes(&seen()), [""; 0]);
        let cases: [(Change, &[&str]); 13] = [
            (|now| now.cwd = "/tmp".into(), &["working directory was /work, it is /tmp"]),
            (|now| now.program.path = "/opt/sh".into(), &["program was /bin/sh, it is /opt/sh"]),
            (
                |now| now.program = sha256("/bin/sh", "ab"),
                &["/bin/sh has changed: it was sha256 aa…", "it is sha256 ab…"],
            ),
            (|now| now.files[0].1 = sha256("run.sh", "b0"), &["run.sh has changed"]),
            (|now| now.files[0].1.bytes = 4, &["run.sh has changed", "3 bytes", "4 bytes"]),
            (|now| now.files.clear(), &["run.sh is not there any more"]),
            (|now| now.files.push((2, sha256("x", "dd"))), &["x was not there before"]),
            (|now| now.files[0].0 = 2, &["run.sh is not there any more", "run.sh was not there before"]),
            (
                |now| {
                    let why = "it cannot be read: permission denied".into();
                    now.files[0].1.content = Content::Unknown { why, modified: None };
                },
                &["run.sh has changed"],
            ),
            (|now| now.shown[0].file = sha256("lib.sh", "c0"), &["lib.sh has changed"]),
            (|now| now.shown[0].text = "other".into(), &["not as it was shown"]),
            (|now| drop(now.env.insert("STAGE".into(), Some("test".into()))), &["variable STAGE"]),
            (|now| drop(now.env.insert("DRY".into(), Some(String::new()))), &["variable DRY"]),
        ];
        for (number, (change, words)) in cases.into_iter().enumerate() {
            let mut now = seen();
            change(&mut now);
            let told = seen().changes(&now).join("; ");
            assert!(words.iter().all(|word| told.contains(word)), "{number}: {told}");
            assert!(!told.contains("prod") && !told.contains("test"), "{number}: no values: {told}");
        }
    }
}
