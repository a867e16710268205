//! What would run, looked at: the argument vector as it was given, and around it what makes of it what it is.

use super::file::{self, FileSeen, HASHED_AT_MOST};
use super::program;
use crate::domain::Visible;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Bytes of one file whose text is shown.
pub const SHOWN_AT_MOST: u64 = 128 * 1024;
/// What would show a credential to whoever reads the queue, and keep it there.
const NEVER_SHOWN: [&str; 2] = ["AEGIS_AGENT_TOKEN", "AEGIS_API_KEY"];

/// What somebody wants to run.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The program's name as it was given, and its arguments.
    pub argv: Vec<String>,
    /// The environment variables that are shown.
    pub env: Vec<String>,
    /// Whether the command gets these variables and no other.
    pub only_env: bool,
    /// Files whose text is shown.
    pub show: Vec<String>,
    /// Whether the command gets this process's standard input, which cannot be shown; else it gets nothing there.
    pub stdin: bool,
}

/// What would run, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The working directory.
    pub cwd: String,
    /// The file that would be executed, by its absolute path.
    pub program: FileSeen,
    /// The files that arguments may name, each with the argument's place in the vector.
    pub files: Vec<(usize, FileSeen)>,
    /// The variables that are shown; `None` is one that is not set.
    pub env: BTreeMap<String, Option<String>>,
    /// The files whose text is shown.
    pub shown: Vec<Shown>,
}

/// A file and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The file.
    pub file: FileSeen,
    /// Its whole text.
    pub text: String,
}

/// What cannot be told to a reviewer is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untellable {
    /// Something is not text.
    #[error("{0} is not UTF-8, so nobody could be shown what would run")]
    NotText(String),
    /// No such program.
    #[error("there is no program {0} that could be run; name it by its path, or put its directory into PATH")]
    NoProgram(String),
    /// The working directory is gone or cannot be read.
    #[error("the working directory cannot be told: {0}")]
    NoDirectory(std::io::ErrorKind),
    /// That is no name of a variable.
    #[error("--env takes the name of a variable, not {0}")]
    NotAName(String),
    /// A variable that holds a credential.
    #[error("{0} holds a credential: it is not shown to anybody, so it cannot be named with --env")]
    Secret(&'static str),
    /// A file that was to be shown, and cannot be.
    #[error("{path} cannot be shown: {why}")]
    NotShown {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

impl Wanted {
    /// Takes what stands on a command line; standard input is nothing.
    ///
    /// # Errors
    /// What is no UTF-8, a variable's name that is none, and one that holds a credential of this program's.
    pub fn new(
        argv: &[OsString],
        env: &[OsString],
        only_env: bool,
        show: &[OsString],
    ) -> Result<Self, Untellable> {
        let text = |what: &str, number: usize, given: &OsString| {
            let not_text = || Untellable::NotText(format!("{what} {number}"));
            given.to_str().map(str::to_owned).ok_or_else(not_text)
        };
        let all = |what: &str, first: usize, given: &[OsString]| -> Result<Vec<_>, _> {
            given.iter().enumerate().map(|(index, given)| text(what, index + first, given)).collect()
        };
        // The program's name is argument 0.
        let argv = all("argument", 0, argv)?;
        let (env, show) = (all("--env number", 1, env)?, all("--show number", 1, show)?);
        for name in &env {
            if name.is_empty() || name.contains('=') {
                return Err(Untellable::NotAName(Visible::of(name).cut(64).plain()));
            }
            if let Some(secret) = NEVER_SHOWN.into_iter().find(|secret| secret == name) {
                return Err(Untellable::Secret(secret));
            }
        }
        Ok(Self { argv, env, only_env, show, stdin: false })
    }

    /// Looks at what would run now: reads this process's environment, and every file.
    ///
    /// # Errors
    /// What cannot be told to a reviewer.
    pub fn look(&self) -> Result<Seen, Untellable> {
        let cwd = std::env::current_dir().map_err(|error| Untellable::NoDirectory(error.kind()))?;
        self.look_in(&cwd, |name| std::env::var_os(name))
    }

    pub(super) fn look_in(
        &self,
        cwd: &Path,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Seen, Untellable> {
        let variable = |name: &str| {
            let not_text = |_| Untellable::NotText(format!("the variable {name}"));
            variable(name).map(OsString::into_string).transpose().map_err(not_text)
        };
        let text = |path: &Path, what: &str| {
            path.to_str().map(str::to_owned).ok_or_else(|| Untellable::NotText(what.to_owned()))
        };
        let name = self.argv.first().map_or("", String::as_str);
        let search = variable("PATH")?;
        let found = program::find(name, cwd, search.as_deref(), program::can_run);
        let no_program = || Untellable::NoProgram(Visible::of(name).cut(200).plain());
        let program = found.ok_or_else(no_program)?;
        let mut left = HASHED_AT_MOST;
        let told_as = text(&program, "the program's path")?;
        let program = file::look(&program, &told_as, &mut left).ok_or_else(no_program)?;
        let named = self.argv.iter().enumerate().skip(1);
        let mut files = Vec::new();
        for (at, path) in named.flat_map(|(at, argument)| paths(argument).map(move |path| (at, path))) {
            // Which of them the command reads is not known: one that lies beside it must not hide it.
            files.extend(file::look(&cwd.join(path), path, &mut left).map(|seen| (at, seen)));
        }
        Ok(Seen {
            files,
            cwd: text(cwd, "the working directory")?,
            program,
            env: self.env.iter().map(|name| Ok((name.clone(), variable(name)?))).collect::<Result<_, _>>()?,
            shown: self.show.iter().map(|path| shown(cwd, path)).collect::<Result<_, _>>()?,
        })
    }
}

/// What of an argument may be a path: all of it, what stands behind the first `=` (`--values=prod.yaml`), what stands behind
/// an `@` (`-d @body.json`).
fn paths(argument: &str) -> impl Iterator<Item = &str> {
    let value = argument.split_once('=').map(|(_, value)| value);
    let contents = |text: &str| text.starts_with('@').then_some(1);
    let behind_at = contents(argument).map(|start| &argument[start..]);
    let value_behind_at = value.and_then(|value| contents(value).map(|start| &value[start..]));
    [Some(argument), value, behind_at, value_behind_at].into_iter().flatten().filter(|path| !path.is_empty())
}

fn shown(cwd: &Path, path: &str) -> Result<Shown, Untellable> {
    let not_shown = |why: String| Untellable::NotShown { path: Visible::of(path).cut(200).plain(), why };
    let read = |file: File| {
        let mut bytes = Vec::new();
        file.take(SHOWN_AT_MOST + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = file::open(&cwd.join(path)).and_then(read).map_err(|error| not_shown(file::words(&error)))?;
    if bytes.len() as u64 > SHOWN_AT_MOST {
        return Err(not_shown(format!("it is larger than {SHOWN_AT_MOST} bytes")));
    }
    let sha256 = file::Content::Sha256(file::sha256(&bytes));
    let file = FileSeen { path: path.to_owned(), bytes: bytes.len() as u64, content: sha256 };
    let text = String::from_utf8(bytes).map_err(|_| not_shown("it is not text in UTF-8".to_owned()))?;
    Ok(Shown { file, text })
}

#[cfg(test)]
mod tests {
    use super::super::file::Content;
    use super::*;
    use std::os::unix::ffi::OsStringExt as _;

    fn os(texts: &[&str]) -> Vec<OsString> {
        texts.iter().map(OsString::from).collect()
    }

    fn wanted(argv: &[&str], env: &[&str], show: &[&str]) -> Wanted {
        Wanted::new(&os(argv), &os(env), false, &os(show)).unwrap()
    }

    /// A directory with `run.sh` and `values.yaml`, and the variables of a process there.
    fn place() -> (tempfile::TempDir, impl Fn(&str) -> Option<OsString>) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("run.sh"), "echo").unwrap();
        std::fs::write(dir.path().join("values.yaml"), "a: 1").unwrap();
        let variable = |name: &str| match name {
            "PATH" => Some("/usr/bin:/bin".into()),
            "STAGE" => Some("prod".into()),
            "BYTES" => Some(OsString::from_vec(vec![0xff])),
            _ => None,
        };
        (dir, variable)
    }

    #[test]
    fn arguments_that_name_files_are_told_with_their_place() {
        let (dir, variable) = place();
        let full = dir.path().join("run.sh").to_str().unwrap().to_owned();
        for (argv, expected) in [
            (vec!["sh"], vec![]),
            (vec!["sh", "run.sh", "values.yaml"], vec![(1, "run.sh"), (2, "values.yaml")]),
            (vec!["sh", "./run.sh", "run.sh"], vec![(1, "./run.sh"), (2, "run.sh")]),
            (vec!["sh", &full], vec![(1, &full)]),
            (vec!["sh", "--values=values.yaml"], vec![(1, "values.yaml")]),
            (vec!["sh", "-d", "@run.sh", "body=@run.sh"], vec![(2, "run.sh"), (3, "run.sh")]),
            (vec!["sh", ".", "/dev/null", "none", "", "=", "@", "a="], vec![]),
        ] {
            let seen = wanted(&argv, &[], &[]).look_in(dir.path(), &variable).unwrap();
            let files: Vec<_> = seen.files.iter().map(|(at, seen)| (*at, seen.path.as_str())).collect();
            assert_eq!(files, expected, "{argv:?}");
            let hashed = |seen: &FileSeen| matches!(seen.content, Content::Sha256(_));
            assert!(seen.files.iter().all(|(_, seen)| hashed(seen)) && hashed(&seen.program), "{seen:?}");
            assert!(seen.program.path.starts_with('/') && seen.program.path.ends_with("/sh"), "{seen:?}");
        }
    }

    #[test]
    fn every_file_that_an_argument_may_mean_is_told() {
        for (decoy, argv, expected) in [
            ("@run.sh", ["sh", "@run.sh"], &["@run.sh", "run.sh"][..]),
            ("f=@run.sh", ["sh", "f=@run.sh"], &["f=@run.sh", "run.sh"]),
            ("@values.yaml", ["sh", "f=@values.yaml"], &["@values.yaml", "values.yaml"]),
            ("f=values.yaml", ["sh", "f=values.yaml"], &["f=values.yaml", "values.yaml"]),
        ] {
            let (dir, variable) = place();
            std::fs::write(dir.path().join(decoy), "decoy").unwrap();
            let wanted = wanted(&argv, &[], &[]);
            let seen = wanted.look_in(dir.path(), &variable).unwrap();
            let files: Vec<_> = seen.files.iter().map(|(_, seen)| seen.path.as_str()).collect();
            assert_eq!(files, expected, "{argv:?}");
            let real = dir.path().join(expected[1]);
            std::fs::write(&real, "other").unwrap();
            let changes = seen.changes(&wanted.look_in(dir.path(), &variable).unwrap());
            assert!(changes.join("; ").contains(&format!("{} has changed", expected[1])), "{changes:?}");
        }
    }

    #[test]
    fn variables_and_texts_are_told_as_they_are() {
        let (dir, variable) = place();
        let wanted = wanted(&["sh"], &["STAGE", "NONE"], &["run.sh"]);
        let seen = wanted.look_in(dir.path(), &variable).unwrap();
        assert_eq!(seen.env, BTreeMap::from([("NONE".into(), None), ("STAGE".into(), Some("prod".into()))]));
        assert_eq!((seen.shown[0].text.as_str(), seen.shown[0].file.bytes), ("echo", 4));
        assert_eq!(seen, wanted.look_in(dir.path(), &variable).unwrap());
        std::fs::write(dir.path().join("run.sh"), "rm x").unwrap();
        let now = wanted.look_in(dir.path(), &variable).unwrap();
        assert!(seen.changes(&now).join("; ").contains("run.sh has changed"));
    }

    #[test]
    fn what_cannot_be_told_is_not_asked() {
        let bad = OsString::from_vec(b"a\xff".to_vec());
        let new = |argv: &[OsString], env: &[OsString], show: &[OsString]| {
            Wanted::new(argv, env, false, show).map(|_| ()).unwrap_err().to_string()
        };
        let sh = os(&["sh"]);
        for (told, words) in [
            (new(&[sh[0].clone(), "x".into(), bad.clone()], &[], &[]), "argument 2 is not UTF-8"),
            (new(std::slice::from_ref(&bad), &[], &[]), "argument 0 is not UTF-8"),
            (new(&sh, std::slice::from_ref(&bad), &[]), "--env number 1 is not UTF-8"),
            (new(&sh, &[], &[bad]), "--show number 1 is not UTF-8"),
            (new(&sh, &os(&["A=b"]), &[]), "takes the name of a variable, not A=b"),
            (new(&sh, &os(&[""]), &[]), "takes the name"),
            (new(&sh, &os(&["AEGIS_AGENT_TOKEN"]), &[]), "holds a credential"),
        ] {
            assert!(told.contains(words), "{told}");
        }
        let (dir, variable) = place();
        std::fs::write(dir.path().join("binary"), [0xff, 0]).unwrap();
        let large = usize::try_from(SHOWN_AT_MOST).unwrap() + 1;
        std::fs::write(dir.path().join("large"), "x".repeat(large)).unwrap();
        for (argv, env, show, words) in [
            (&["no-such-program"][..], &[][..], &[][..], "no program no-such-program"),
            (&["./values.yaml"], &[], &[], "no program ./values.yaml"),
            (&["sh"], &["BYTES"], &[], "variable BYTES is not UTF-8"),
            (&["sh"], &[], &["none"], "none cannot be shown: entity not found"),
            (&["sh"], &[], &["."], ". cannot be shown: it is no regular file"),
            (&["sh"], &[], &["binary"], "not text in UTF-8"),
            (&["sh"], &[], &["large"], "larger than 131072 bytes"),
        ] {
            let told = wanted(argv, env, show).look_in(dir.path(), &variable).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
    }
}
