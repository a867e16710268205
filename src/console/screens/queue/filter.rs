//! What a filter means: words that must stand in an action's texts, and narrower ones. Substrings, never fuzzy: what is
//! highlighted must be what was meant.
//!
//! | written | kept are actions |
//! |---|---|
//! | `word` | in whose action, agent, summary, thread or labels it stands, in either case |
//! | `"two words"` | the same with blanks |
//! | `agent:x` `action:x` `thread:x` `label:x` `summary:x` | in whose field it stands; a label is `name=value` |
//! | `risk:high` | of that risk; `risk:high+` and everything above it |
//! | `age>10m` `age<2h` `expires<5m` `expires>1d` | asked longer ago, or expiring sooner |
//! | `!…` | for which the rest does not hold |
//! | `@name` | as the filter of that name says |

use super::entries::{Entries, Slot};
use crate::config::Filters;
use crate::domain::timestamp::between;
use crate::domain::{Field, Headline, Risk};
use jiff::Timestamp;
use std::time::Duration;

/// A word that is not understood, as it was written, and why: the console's own words.
type Problem = (String, &'static str);

/// A filter, as it was written and as it is understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
    problem: Option<Problem>,
}

#[derive(Debug, Clone, PartialEq)]
struct Term {
    negated: bool,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// In lower case; `None` for any field.
    Word(Option<Field>, String),
    Risk {
        least: Risk,
        above: bool,
    },
    Older(Duration),
    Younger(Duration),
    ExpiresWithin(Duration),
    ExpiresAfter(Duration),
}

const FIELDS: [(&str, Field); 5] = [
    ("agent:", Field::Agent),
    ("action:", Field::Action),
    ("thread:", Field::Thread),
    ("label:", Field::Labels),
    ("summary:", Field::Summary),
];

impl Filter {
    /// Reads a filter. There is no text that is none: what cannot be understood is told by [`problem`](Self::problem) and
    /// left out.
    pub fn parse(text: &str, named: &Filters) -> Self {
        let mut filter = Self { text: text.to_owned(), ..Self::default() };
        let mut meant = Vec::new();
        for word in words(text) {
            match word.strip_prefix('@').map(|name| (name, named.get(name))) {
                None => meant.push(word),
                Some((_, Some(text))) => meant.extend(words(text)),
                // While it is typed it may still become one.
                Some((name, None)) if named.keys().any(|known| known.starts_with(name)) => {}
                Some(_) => filter.problem = Some((word, "no filter has this name")),
            }
        }
        for word in meant {
            let (negated, rest) = word.strip_prefix('!').map_or((false, &*word), |rest| (true, rest));
            match kind(rest) {
                Ok(Some(kind)) => filter.terms.push(Term { negated, kind }),
                Ok(None) => {}
                Err(why) => filter.problem = Some((word, why)),
            }
        }
        filter
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it keeps everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The word in it that is not understood, as it was written, and why. Whoever wrote it may have pasted it.
    pub fn problem(&self) -> Option<(&str, &'static str)> {
        self.problem.as_ref().map(|(word, why)| (word.as_str(), *why))
    }

    /// Whether it keeps others as time goes by.
    pub fn is_timed(&self) -> bool {
        let timed = |term: &Term| !matches!(term.kind, Kind::Word(..) | Kind::Risk { .. });
        self.terms.iter().any(timed)
    }

    /// The words whose letters are shown in a field, in lower case.
    pub fn words_in(&self, field: Field) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(move |term| match &term.kind {
            Kind::Word(only, word) if !term.negated && only.is_none_or(|only| only == field) => Some(&**word),
            _ => None,
        })
    }

    /// Whether everything that this keeps was kept by the other one: each of its terms stands here too, or as a word that
    /// has grown.
    fn narrows(&self, other: &Self) -> bool {
        let grown = |(old, new): (&Term, &Term)| match (&old.kind, &new.kind) {
            _ if old == new => true,
            (Kind::Word(field, old_word), Kind::Word(same, word)) => {
                !old.negated && !new.negated && field == same && word.contains(old_word.as_str())
            }
            _ => false,
        };
        !other.is_timed()
            && self.terms.len() >= other.terms.len()
            && other.terms.iter().zip(&self.terms).all(grown)
    }

    /// Which entries it keeps, by their numbers. `before` is what the filter before it kept.
    pub(super) fn hits(
        &self,
        entries: &Entries,
        before: Option<(&Self, &[bool])>,
        now: Timestamp,
    ) -> Vec<bool> {
        let mut hits = vec![false; entries.numbers()];
        let mut done = None;
        match before.filter(|(filter, kept)| kept.len() == hits.len() && self.narrows(filter)) {
            Some((_, kept)) => hits.copy_from_slice(kept),
            None => {
                // The longest word leaves the fewest to be looked at one by one.
                let words = self.terms.iter().enumerate().filter_map(|(number, term)| match &term.kind {
                    Kind::Word(None, word) if !term.negated => Some((number, word)),
                    _ => None,
                });
                match words.max_by_key(|(_, word)| word.len()) {
                    Some((number, word)) => {
                        entries.find(word, &mut hits);
                        done = Some(number);
                    }
                    None => hits.fill(true),
                }
            }
        }
        if self.terms.len() > usize::from(done.is_some()) {
            for (slot, hit) in (0..).zip(&mut hits).filter(|(_, hit)| **hit) {
                *hit = self.keeps_but(entries, slot, now, done);
            }
        }
        hits
    }

    /// Whether it keeps this entry.
    pub(super) fn keeps(&self, entries: &Entries, slot: Slot, now: Timestamp) -> bool {
        self.keeps_but(entries, slot, now, None)
    }

    fn keeps_but(&self, entries: &Entries, slot: Slot, now: Timestamp, done: Option<usize>) -> bool {
        let Some(entry) = entries.get(slot) else { return false };
        self.terms.iter().enumerate().all(|(number, term)| {
            Some(number) == done || term.kind.holds(entries, slot, &entry.headline, now) != term.negated
        })
    }
}

impl Kind {
    fn holds(&self, entries: &Entries, slot: Slot, headline: &Headline, now: Timestamp) -> bool {
        let age = || between(headline.created_at, now);
        let left = || between(now, headline.expires_at);
        match self {
            Self::Word(field, word) => entries.text(slot, *field).contains(word.as_str()),
            Self::Risk { least, above: true } => headline.risk >= *least,
            Self::Risk { least, above: false } => headline.risk == *least,
            Self::Older(time) => age() > *time,
            Self::Younger(time) => age() < *time,
            Self::ExpiresWithin(time) => left() < *time,
            Self::ExpiresAfter(time) => left() > *time,
        }
    }
}

/// The words of a text: blanks part them, but for those between quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What a word means; `None` while it says nothing yet.
fn kind(word: &str) -> Result<Option<Kind>, &'static str> {
    for (prefix, field) in FIELDS {
        if let Some(rest) = word.strip_prefix(prefix) {
            let word = rest.to_lowercase();
            return Ok((!word.is_empty()).then_some(Kind::Word(Some(field), word)));
        }
    }
    if let Some(rest) = word.strip_prefix("risk:") {
        return risk(rest);
    }
    type Timed = fn(Duration) -> Kind;
    let timed: [(&str, Timed); 4] = [
        ("age>", Kind::Older),
        ("age<", Kind::Younger),
        ("expires<", Kind::ExpiresWithin),
        ("expires>", Kind::ExpiresAfter),
    ];
    for (prefix, make) in timed {
        if let Some(rest) = word.strip_prefix(prefix) {
            return time(rest).map(|time| time.map(make));
        }
    }
    let word = word.to_lowercase();
    Ok((!word.is_empty()).then_some(Kind::Word(None, word)))
}

/// `high`, `high+`, `h`.
fn risk(text: &str) -> Result<Option<Kind>, &'static str> {
    let (word, above) = text.strip_suffix('+').map_or((text, false), |word| (word, true));
    if word.is_empty() {
        return Ok(None);
    }
    let all = Risk::ALL.into_iter().chain([Risk::Unreadable]);
    let found = all.into_iter().find(|risk| risk.word().starts_with(&word.to_lowercase()));
    found
        .map(|least| Some(Kind::Risk { least, above }))
        .ok_or("low, medium, high, critical or unreadable; high+ and above")
}

/// `30s`, `10m`, `2h`, `1d`; a number alone is minutes.
fn time(text: &str) -> Result<Option<Duration>, &'static str> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    if text.is_empty() {
        return Ok(None);
    }
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "" | "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let number = digits.parse::<u32>().ok().filter(|_| unit > 0);
    let seconds = number.map(|number| Duration::from_secs(u64::from(number) * unit));
    seconds.map(Some).ok_or("a time is 30s, 10m, 2h or 1d")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Action, Listed, Queued};

    fn entries() -> Entries {
        let mut entries = Entries::default();
        for (id, agent, action, summary, risk, minute) in [
            ("a", "billing", "refund", "Refund Münchner KINDL", "high", 10),
            ("b", "trading", "refund", "sell 500 ACME", "low", 20),
            ("c", "ops", "bash", "rm -rf build", "critical", 40),
        ] {
            let sealed = format!(
                r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"order-{id}","idempotency_key":"k","agent":"{agent}","action":"{action}",
                "payload":{{}},"summary":"{summary}","risk":"{risk}","labels":{{"env":"{agent}x"}},
                "created_at":"2026-11-23T11:{minute}:00Z","expires_at":"2026-11-23T12:{minute}:00Z"}}"#
            );
            entries.insert(Listed::from(Queued::pending(Action::read(sealed).unwrap())).headline, false);
        }
        entries
    }

    fn parse(text: &str) -> Filter {
        let named = Filters::from([("mine".to_owned(), "refund !acme".to_owned())]);
        Filter::parse(text, &named)
    }

    fn kept(text: &str) -> String {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let entries = entries();
        let hits = parse(text).hits(&entries, None, now);
        let one_by_one: Vec<_> = (0..3).map(|slot| parse(text).keeps(&entries, slot, now)).collect();
        assert_eq!(hits, one_by_one, "{text}");
        "abc".chars().zip(hits).filter(|(_, hit)| *hit).map(|(c, _)| c).collect()
    }

    #[test]
    fn words_narrow() {
        for (text, ids) in [
            ("", "abc"),
            ("refund", "ab"),
            ("REFUND acme", "b"),
            ("!refund", "c"),
            ("refund !acme", "a"),
            ("@mine", "a"),
            ("@mine sell", ""),
            ("@mi", "abc"),
            ("münchner kindl", "a"),
            ("\"rm -rf\"", "c"),
            ("\"rf rm\"", ""),
            ("agent:o", "c"),
            ("action:refund", "ab"),
            ("thread:order-b", "b"),
            ("label:env=ops", "c"),
            ("!label:env=ops", "ab"),
            ("summary:sell", "b"),
            ("risk:high", "a"),
            ("risk:h", "a"),
            ("risk:high+", "ac"),
            ("!risk:low", "ac"),
            ("age>30m", "ab"),
            ("age<30m", "c"),
            ("expires<15m", "a"),
            ("expires>30", "c"),
            ("agent: risk: age> !", "abc"),
            ("refundrefund", ""),
            // A word never stands in two fields at once.
            ("refundbilling", ""),
        ] {
            assert_eq!(kept(text), ids, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told_and_left_out() {
        for text in ["@yours", "risk:x", "age>x", "expires<10y", "age>99999999999"] {
            let filter = parse(text);
            assert!(filter.problem().is_some() && filter.is_empty(), "{text}");
        }
        assert_eq!(parse("risk:high age>3h").problem(), None);
    }

    #[test]
    fn letters_typed_one_by_one_keep_what_the_whole_keeps() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let entries = entries();
        for text in [
            "refund acme",
            "!refund",
            "re !acme x",
            "risk:high+",
            "age>30m",
            "agent:billing",
            "\"rm -rf\" x",
            "a:b",
        ] {
            let mut before = (Filter::default(), vec![true; 3]);
            let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            // Typed, and taken back.
            for end in ends.clone().chain(ends.rev()) {
                let filter = parse(&text[..end]);
                let hits = filter.hits(&entries, Some((&before.0, &before.1)), now);
                assert_eq!(hits, parse(&text[..end]).hits(&entries, None, now), "{:?}", &text[..end]);
                before = (filter, hits);
            }
        }
    }
}
