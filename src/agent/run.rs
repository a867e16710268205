//! Which run a program belongs to: a name that is the same for everything that one script, or one job of a CI, does, and
//! another one the next time. A call that is made again in the same run is the same request.
//!
//! It only names. What a name is good for is the caller's to say.

use crate::domain::Digest;
use crate::domain::action::is_id;
use uuid::Uuid;

/// Names the run, whatever else there is.
pub const RUN_VARIABLE: &str = "AEGIS_RUN_ID";

/// What a CI calls one job of one run, so that a job that is started again has another name: the prefix, the variable
/// that tells this CI from others, and those that make the name. All of them must be there.
///
/// From the pages that list each CI's predefined variables.
const CI: [(&str, &str, &[&str]); 7] = [
    ("github", "GITHUB_ACTIONS", &["GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB"]),
    ("gitlab", "GITLAB_CI", &["CI_PIPELINE_ID", "CI_JOB_ID"]),
    ("buildkite", "BUILDKITE", &["BUILDKITE_JOB_ID"]),
    ("circleci", "CIRCLECI", &["CIRCLE_WORKFLOW_JOB_ID"]),
    ("azure", "TF_BUILD", &["BUILD_BUILDID", "SYSTEM_JOBID", "SYSTEM_JOBATTEMPT"]),
    ("codebuild", "CODEBUILD_BUILD_ID", &["CODEBUILD_BUILD_ID"]),
    ("jenkins", "JENKINS_URL", &["BUILD_TAG"]),
];

/// A group of processes: what a shell makes of each command line that is typed, and of all that one script starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The number of its first process.
    pub leader: u64,
    /// When that started, in the machine's ticks since it booted: numbers are given again.
    pub started: u64,
    /// Which boot of which machine.
    pub boot: String,
    /// Within which namespace the number counts: two containers on one machine have the same ones.
    pub namespace: String,
}

/// The name of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run(String);

impl Run {
    /// The run that this process belongs to.
    pub fn current() -> Self {
        Self::of(|name| std::env::var(name).ok(), Group::current().as_ref(), Uuid::new_v4)
    }

    /// The run: what `AEGIS_RUN_ID` says, else what a CI says, else this group of processes, else a fresh name.
    pub fn of(
        variable: impl Fn(&str) -> Option<String>,
        group: Option<&Group>,
        fresh: impl FnOnce() -> Uuid,
    ) -> Self {
        let variable = |name: &str| variable(name).filter(|text| !text.is_empty());
        if let Some(named) = variable(RUN_VARIABLE) {
            return Self(named);
        }
        for (ci, mark, parts) in CI {
            let parts: Option<Vec<_>> = parts.iter().map(|name| variable(name)).collect();
            if let (Some(_), Some(parts)) = (variable(mark), parts) {
                return Self(format!("{ci}:{}", parts.join(":")));
            }
        }
        match group {
            Some(Group { leader, started, boot, namespace }) => {
                let rest = Digest::of(format!("{boot}\0{namespace}\0{started}").as_bytes()).to_string();
                // 64 bits, beside a number that the machine gives to one group at a time.
                let rest = rest.trim_start_matches("sha256:").get(..16).unwrap_or_default();
                Self(format!("group:{leader}:{rest}"))
            }
            None => Self(format!("once:{}", fresh())),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name where it may be a thread's (wire.md, part 3: ids).
    pub fn thread(&self) -> Option<&str> {
        Some(self.name()).filter(|name| is_id(name))
    }
}

impl Group {
    /// The group of this process, where the machine tells of its first one; `None` elsewhere than on Linux, and where
    /// that process is gone: then nobody else could find the name again.
    fn current() -> Option<Self> {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        // 0 where the first one is outside of this namespace: it has no file either.
        let leader = field(&read("/proc/self/stat")?, GROUP)?;
        Some(Self {
            leader,
            started: field(&read(&format!("/proc/{leader}/stat"))?, START)?,
            boot: read("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
            namespace: std::fs::read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned(),
        })
    }
}

/// The fields of `/proc/PID/stat` that hold the group and the start: proc(5).
const GROUP: usize = 5;
const START: usize = 22;

/// A field of `/proc/PID/stat`. The name in field 2 may hold anything, brackets and blanks too.
fn field(stat: &str, number: usize) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        Group { leader: 4242, started: 77, boot: "b00t".into(), namespace: "pid:[1]".into() }
    }

    fn name(variables: &[(&str, &str)], group: Option<&Group>) -> String {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
        };
        Run::of(variable, group, Uuid::nil).name().to_owned()
    }

    #[test]
    fn the_name_of_a_run() {
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_RUN_ID", "99"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_JOB", "deploy"),
        ];
        let own = [("AEGIS_RUN_ID", "nightly 7"), github[0], github[1], github[2], github[3]];
        let here = group();
        let fresh = "once:00000000-0000-0000-0000-000000000000";
        let this_group = name(&[], Some(&here));
        for (variables, group, expected) in [
            (&own[..], Some(&here), "nightly 7"),
            (&github, Some(&here), "github:99:2:deploy"),
            (&github[..3], Some(&here), &*this_group),
            (&github[1..], Some(&here), &*this_group),
            (&[("AEGIS_RUN_ID", "")], Some(&here), &*this_group),
            (&[("GITLAB_CI", "true"), ("CI_PIPELINE_ID", "5"), ("CI_JOB_ID", "6")], None, "gitlab:5:6"),
            (&[("BUILDKITE", "true"), ("BUILDKITE_JOB_ID", "0197-a")], None, "buildkite:0197-a"),
            (&[("CIRCLECI", "true"), ("CIRCLE_WORKFLOW_JOB_ID", "a-b")], None, "circleci:a-b"),
            (
                &[
                    ("TF_BUILD", "True"),
                    ("BUILD_BUILDID", "1"),
                    ("SYSTEM_JOBID", "j"),
                    ("SYSTEM_JOBATTEMPT", "3"),
                ],
                None,
                "azure:1:j:3",
            ),
            (&[("CODEBUILD_BUILD_ID", "site:0197")], None, "codebuild:site:0197"),
            (&[("JENKINS_URL", "http://ci"), ("BUILD_TAG", "jenkins-a-7")], None, "jenkins:jenkins-a-7"),
            (&[("BUILD_TAG", "v1.2")], None, fresh),
            (&[], None, fresh),
        ] {
            assert_eq!(name(variables, group), expected, "{variables:?}");
        }
    }

    #[test]
    fn whatever_makes_a_group_another_makes_the_run_another() {
        let base = name(&[], Some(&group()));
        assert!(base.starts_with("group:4242:") && is_id(&base), "{base}");
        for other in [
            Group { leader: 4243, ..group() },
            Group { started: 78, ..group() },
            Group { boot: "another".into(), ..group() },
            Group { namespace: "pid:[2]".into(), ..group() },
        ] {
            assert_ne!(name(&[], Some(&other)), base, "{other:?}");
        }
        assert_eq!(name(&[], Some(&group())), base);
    }

    #[test]
    fn only_what_may_be_an_id_is_a_thread() {
        for (named, thread) in [("nightly-7", Some("nightly-7")), ("nightly 7", None), ("a/b", None)] {
            let run = Run::of(|name| (name == RUN_VARIABLE).then(|| named.to_owned()), None, Uuid::nil);
            assert_eq!(run.thread(), thread);
        }
    }

    #[test]
    fn fields_of_a_process_are_read_past_any_name() {
        let line = |name: &str| {
            format!(
                "7 ({name}) S 1 6 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 181818 1000 2 18446744073709551615"
            )
        };
        for name in ["sh", "a b", "a) S 1 2 (x", ")"] {
            let line = line(name);
            assert_eq!((field(&line, GROUP), field(&line, START)), (Some(6), Some(181_818)), "{name}");
        }
        for bad in ["", "7 (sh", "7 (sh) S 1 2", &line("sh").replace("181818", "x")] {
            assert_eq!(field(bad, START), None, "{bad}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_in_the_same_run_twice() {
        let group = Group::current();
        assert_eq!(Group::current(), group);
        // The first process of a group may be gone, where a shell has put the rest into the background.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let leader = field(&stat, GROUP).unwrap();
        assert_eq!(group.is_some(), std::path::Path::new(&format!("/proc/{leader}/stat")).exists());
        let well_formed = |group: Group| {
            group.started > 0 && group.boot.len() == 36 && group.namespace.starts_with("pid:[")
        };
        assert!(group.is_none_or(well_formed));
    }
}
