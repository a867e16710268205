//! What a text in the command line may mean: fuzzy, because a command is chosen with the eyes on it. A filter, where the
//! highlight must not rest on something else than was meant, matches substrings.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Something that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What has to be typed.
    pub name: String,
    /// What may follow it, as a hint.
    pub takes: Option<&'static str>,
    /// The key that does the same here.
    pub key: Option<String>,
    /// What it does.
    pub help: String,
}

/// Something that a text may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Which of what is known.
    pub(super) at: usize,
    /// The letters of its name that match, in order.
    pub(super) letters: Vec<u32>,
}

/// What the text may mean, best first: by names, and where no name matches by what they do. Nothing typed: everything.
pub(super) fn find(known: &[Known], text: &str) -> Vec<Found> {
    let (first, words) = text.trim_start().split_once(' ').unwrap_or((text, ""));
    let with_words = known.iter().position(|known| known.takes.is_some() && known.name == first);
    if let Some(at) = with_words.filter(|_| !words.is_empty() && !words.starts_with('@')) {
        return vec![Found { at, letters: Vec::new() }];
    }
    let mut config = Config::DEFAULT;
    config.prefer_prefix = true;
    let mut matcher = Matcher::new(config);
    let pattern = Pattern::new(text, CaseMatching::Ignore, Normalization::Never, AtomKind::Fuzzy);
    let by_name = matching(known, |known| &known.name, &pattern, &mut matcher);
    if !by_name.is_empty() {
        return by_name;
    }
    let words = Pattern::new(text, CaseMatching::Ignore, Normalization::Never, AtomKind::Substring);
    let mut by_help = matching(known, |known| &known.help, &words, &mut matcher);
    by_help.iter_mut().for_each(|found| found.letters.clear());
    by_help
}

fn matching(
    known: &[Known],
    text: impl Fn(&Known) -> &str,
    pattern: &Pattern,
    matcher: &mut Matcher,
) -> Vec<Found> {
    let mut buffer = Vec::new();
    let mut found: Vec<_> = known
        .iter()
        .enumerate()
        .filter_map(|(at, known)| {
            let mut letters = Vec::new();
            let score = pattern.indices(Utf32Str::new(text(known), &mut buffer), matcher, &mut letters)?;
            letters.sort_unstable();
            letters.dedup();
            Some((score, Found { at, letters }))
        })
        .collect();
    // Stable: what matches as well stays in the order in which help has it.
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, found)| found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let of =
            |name: &str, takes, help: &str| Known { name: name.into(), takes, key: None, help: help.into() };
        let known = [
            of("approve", None, "opens a bar"),
            of("mark", None, "mark it"),
            of("mark-all", None, "mark all that the list shows"),
            of("reject", Some("[reason]"), "asks for a reason"),
            of("copy-payload", None, "what is asked"),
        ];
        find(&known, text).into_iter().map(|found| known[found.at].name.clone()).collect()
    }

    #[test]
    fn names_come_before_what_they_do_and_better_ones_first() {
        assert_eq!(names("").len(), 5);
        for (text, found) in [
            ("mark", vec!["mark", "mark-all"]),
            ("ma", vec!["mark", "mark-all"]),
            ("mal", vec!["mark-all"]),
            ("copy pay", vec!["copy-payload"]),
            ("CP", vec!["copy-payload"]),
            ("bar", vec!["approve"]),
            ("zzz", vec![]),
            ("reject", vec!["reject"]),
            ("reject mark", vec!["reject"]),
        ] {
            assert_eq!(names(text), found, "{text}");
        }
    }

    #[test]
    fn the_letters_that_match_are_told() {
        let known = [Known { name: "mark-all".into(), takes: None, key: None, help: String::new() }];
        assert_eq!(find(&known, "mal")[0].letters, [0, 5, 6]);
    }
}
