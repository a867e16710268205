//! Patterns for texts: exact but for `*`, `?` and `[…]`; and what only looks like what they match.

use crate::domain::lookalike::folded;
use glob::MatchOptions;

/// Characters that a pattern may have.
const LONGEST: usize = 256;
/// Bytes of a text that is compared with a pattern.
pub(super) const TEXT: usize = 64 * 1024;

/// How something fits what a rule asks for. `Ord` is by how sure it is, so `min` is how all of several fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It does not.
    No,
    /// Not to the letter; but a person or a program could take it for what fits: other case, other blanks, letters that
    /// look the same, another type. It fits a rule that asks for more, and never one that allows.
    Alike,
    /// It does.
    Yes,
}

/// A pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    text: String,
    exact: glob::Pattern,
    /// For texts that were folded.
    alike: Option<glob::Pattern>,
}

/// A text that is compared with patterns; folded once, where that is asked for.
#[derive(Debug)]
pub(super) struct Text<'t> {
    raw: &'t str,
    folded: std::cell::OnceCell<String>,
}

impl<'t> Text<'t> {
    pub(super) fn new(raw: &'t str) -> Self {
        Self { raw, folded: std::cell::OnceCell::new() }
    }

    pub(super) fn raw(&self) -> &'t str {
        self.raw
    }

    fn folded(&self) -> &str {
        self.folded.get_or_init(|| folded(self.raw).trim().to_owned())
    }
}

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

impl Pattern {
    /// Reads one; where it is none, says why.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty pattern matches nothing".into());
        }
        if text.chars().count() > LONGEST {
            return Err(format!("a pattern has at most {LONGEST} characters"));
        }
        if text.contains("**") {
            return Err("* already stands for any text, / included: write one".into());
        }
        let pattern = |text: &str| {
            glob::Pattern::new(text)
                .map_err(|_| "a [ is never closed; write [[] for the character".to_owned())
        };
        let alike = if text.contains('[') { None } else { Some(pattern(&folded_pattern(text))?) };
        Ok(Self { text: text.to_owned(), exact: pattern(text)?, alike })
    }

    /// A pattern that matches this text alone, whatever stands in it.
    pub(super) fn literal(text: &str) -> Result<Self, String> {
        let pattern =
            |text: &str| glob::Pattern::new(&glob::Pattern::escape(text)).map_err(|e| e.to_string());
        let alike = Some(pattern(folded(text).trim())?);
        Ok(Self { text: text.to_owned(), exact: pattern(text)?, alike })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether anything of a text is laid down.
    pub(super) fn is_any(&self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b'*' | b'?'))
    }

    /// How an agent's name fits, where what an agent names itself stands behind a `/`: only `*` alone, and what has the
    /// `/` itself, fits that for sure. Otherwise whoever may name an instance `x-readonly` would have what `*-readonly` is
    /// allowed; a rule that asks for more still catches it.
    pub(super) fn fit_agent(&self, name: &Text<'_>) -> Fit {
        let apart = MatchOptions { require_literal_separator: true, ..OPTIONS };
        match self.fit(name) {
            Fit::Yes if self.text != "*" && !self.exact.matches_with(name.raw, apart) => Fit::Alike,
            fit => fit,
        }
    }

    /// How a text fits.
    pub(super) fn fit(&self, text: &Text<'_>) -> Fit {
        if text.raw.len() > TEXT {
            return Fit::Alike;
        }
        if self.exact.matches_with(text.raw, OPTIONS) {
            return Fit::Yes;
        }
        let loose = MatchOptions { case_sensitive: false, ..OPTIONS };
        let alike = match &self.alike {
            Some(alike) => alike.matches_with(text.folded(), loose),
            // What stands in brackets cannot be folded.
            None => self.exact.matches_with(text.raw, loose) || self.exact.matches_with(text.folded(), loose),
        };
        if alike { Fit::Alike } else { Fit::No }
    }
}

/// The pattern with the texts between its wildcards folded.
fn folded_pattern(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(['*', '?']) {
        let literal = part.trim_end_matches(['*', '?']);
        out.push_str(&glob::Pattern::escape(&folded(literal)));
        out.push_str(&part[literal.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, text: &str) -> Fit {
        Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).fit(&Text::new(text))
    }

    #[test]
    fn exact_but_for_wildcards() {
        for (pattern, text, expected) in [
            ("send_email", "send_email", Fit::Yes),
            ("send_email", "send_email2", Fit::No),
            ("send_email", "resend_email", Fit::No),
            ("send_*", "send_", Fit::Yes),
            ("send_*", "send_a/b\nc", Fit::Yes),
            ("*", "", Fit::Yes),
            ("s?nd", "sönd", Fit::Yes),
            ("[rs]end", "rend", Fit::Yes),
            ("[!rs]end", "rend", Fit::No),
            ("[*]", "*", Fit::Yes),
            ("[*]", "a", Fit::No),
            ("{a,b}", "a", Fit::No),
            ("{a,b}", "{a,b}", Fit::Yes),
            ("a.c", "abc", Fit::No),
            ("\\*", "\\x", Fit::Yes),
            ("*.prod", ".prod", Fit::Yes),
        ] {
            assert_eq!(fit(pattern, text), expected, "{pattern} {text:?}");
        }
    }

    #[test]
    fn a_wildcard_in_an_agents_name_spans_no_slash() {
        for (pattern, name, expected) in [
            ("*", "fleet/x", Fit::Yes),
            ("*", "mailer", Fit::Yes),
            ("*-readonly", "x-readonly", Fit::Yes),
            ("*-readonly", "fleet/x-readonly", Fit::Alike),
            ("fleet*", "fleet/x", Fit::Alike),
            ("fleet?x", "fleet/x", Fit::Alike),
            ("fleet[!a]x", "fleet/x", Fit::Alike),
            ("?*", "fleet/x", Fit::Alike),
            ("fleet/*", "fleet/x-readonly", Fit::Yes),
            ("*/x", "fleet/x", Fit::Yes),
            ("fleet/x", "fleet/x", Fit::Yes),
            ("fleet", "fleet/x", Fit::No),
            ("fleet/*", "mailer/x", Fit::No),
        ] {
            let fit = Pattern::parse(pattern).unwrap().fit_agent(&Text::new(name));
            assert_eq!(fit, expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_alike() {
        for (pattern, text) in [
            ("prod", "PROD"),
            ("prod", " prod\n"),
            ("prod", "pr\u{43e}d"),
            ("prod", "pr\u{200b}od"),
            ("*DROP TABLE*", "begin; drop\n\ttable users"),
            ("*@evil.example", "x@EVIL.example "),
            ("[pq]rod", "PROD"),
            ("*modern*", "a rnodern one"),
        ] {
            assert_eq!(fit(pattern, text), Fit::Alike, "{pattern} {text:?}");
        }
        assert_eq!(fit("prod", "product"), Fit::No);
        assert_eq!(fit("a*", &"b".repeat(TEXT + 1)), Fit::Alike, "nobody looks at so long a text");
    }

    #[test]
    fn a_literal_has_no_wildcards() {
        let literal = Pattern::literal("a*[b]?").unwrap();
        assert_eq!(literal.fit(&Text::new("a*[b]?")), Fit::Yes);
        assert_eq!(literal.fit(&Text::new("A*[B]? ")), Fit::Alike);
        assert_eq!(literal.fit(&Text::new("axb")), Fit::No);
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, why) in [("", "empty"), ("a**b", "write one"), ("a[b", "[[]"), (&"a".repeat(257), "256")] {
            assert!(Pattern::parse(text).unwrap_err().contains(why), "{text}");
        }
    }

    /// Backtracking must not take the gateway's time: this is done at once or not within a lifetime.
    #[test]
    fn a_text_made_to_be_slow_is_not() {
        let pattern = format!("{}b", "*a".repeat(120));
        assert_eq!(fit(&pattern, &"a".repeat(TEXT)), Fit::No);
        assert_eq!(fit(&format!("{}?", "*a".repeat(120)), &"ab".repeat(TEXT / 2)), Fit::Yes);
    }
}
