//! Which file a command's name means: what execvp(3) does with PATH, done once, so that the file can be shown and that one
//! be run.

use std::path::{Path, PathBuf};

/// The absolute path of the program. A name with a slash is a path; any other is looked for in the directories of `search`,
/// of which an empty one is the working directory.
pub(super) fn find(
    name: &str,
    cwd: &Path,
    search: Option<&str>,
    can_run: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    if name.contains('/') {
        return Some(cwd.join(name)).filter(|path| can_run(path));
    }
    let mut places = search.unwrap_or("/bin:/usr/bin").split(':').map(|place| cwd.join(place).join(name));
    places.find(|path| can_run(path))
}

/// Whether that is a regular file that this user may execute.
pub(super) fn can_run(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_file() {
        let there = ["/bin/sh", "/work/sh", "/work/run.sh", "/work/bin/run.sh", "/opt/tool"];
        for (name, search, expected) in [
            ("sh", Some("/usr/bin:/bin"), Some("/bin/sh")),
            ("sh", Some(":/bin"), Some("/work/sh")),
            ("sh", Some("/bin:"), Some("/bin/sh")),
            ("run.sh", Some("bin"), Some("/work/bin/run.sh")),
            ("run.sh", Some("/bin"), None),
            ("./run.sh", Some("/bin"), Some("/work/./run.sh")),
            ("bin/run.sh", None, Some("/work/bin/run.sh")),
            ("/opt/tool", Some(""), Some("/opt/tool")),
            ("/opt/none", None, None),
            ("sh", None, Some("/bin/sh")),
            ("", Some("/bin"), None),
        ] {
            let found = find(name, Path::new("/work"), search, |path| {
                there.iter().any(|file| Path::new(file) == path)
            });
            assert_eq!(found.as_deref(), expected.map(Path::new), "{name} in {search:?}");
        }
        assert!(
            can_run(Path::new("/bin/sh"))
                && !can_run(Path::new("/bin"))
                && !can_run(Path::new("/etc/passwd"))
        );
    }
}
