//! What differs between two sealed texts of one action: what a reviewer is shown when the bytes under a known id have
//! become others (412, screen.md: *what is decided is what was on the screen*).
//!
//! JSON is compared by its text, so that `1.10` and `1.1`, or `"a"` and `"\u0061"`, differ as their bytes do. Without
//! recursion, and bounded: where it stops it says how much is left.

use super::Untrusted;
use super::action::Action;
use super::json::{self, Kind, Limits, Value};
use std::collections::{HashMap, HashSet};

/// One place at which two actions differ. Every text in it is the agent's, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// A JSON pointer into the sealed text: `/payload/amount`, `/expires_at`; a key that stands again has its number
    /// behind it, `/payload/to (2)`. Long keys are cut with a sign that says how much. Empty where the whole differs.
    pub place: Untrusted,
    /// The JSON text that stood there; `None` where nothing did.
    pub old: Option<Untrusted>,
    /// The JSON text that stands there now; `None` where nothing does.
    pub new: Option<Untrusted>,
}

/// Where two actions differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// The first [`MOST_DIFFERENCES`] places, in the order of the old text, what is new behind it.
    pub found: Vec<Difference>,
    /// How many more there are.
    pub more: usize,
}

/// Places that are named; a reviewer who sees so many reads the whole anew.
pub const MOST_DIFFERENCES: usize = 100;
/// Characters of a key in a place.
const KEY_CHARACTERS: usize = 64;

/// Where the sealed texts of two actions differ. Nothing, if and only if their digests are equal.
pub fn differences(old: &Action, new: &Action) -> Differences {
    if old.sealed == new.sealed {
        return Differences::default();
    }
    let read = |text: &str| json::parse(text.as_bytes(), Limits::SEALED);
    let (Ok(old_value), Ok(new_value)) = (read(&old.sealed), read(&new.sealed)) else {
        let text = |action: &Action| Some(Untrusted::from(&*action.sealed));
        return Differences {
            found: vec![Difference { place: Untrusted::default(), old: text(old), new: text(new) }],
            more: 0,
        };
    };
    let mut walk = Walk { texts: [&old.sealed, &new.sealed], steps: Vec::new(), out: Differences::default() };
    walk.run(&old_value, &new_value);
    walk.out
}

/// One key or index on the way to a place; places share their beginnings, so that a deep one costs no more than its
/// last step.
struct Step {
    parent: Option<usize>,
    name: String,
}

/// Two values that stand at one place, and that place.
struct Pair<'v> {
    at: Option<usize>,
    old: Option<&'v Value>,
    new: Option<&'v Value>,
}

struct Walk<'s> {
    texts: [&'s str; 2],
    steps: Vec<Step>,
    out: Differences,
}

impl Walk<'_> {
    fn run<'v>(&mut self, old: &'v Value, new: &'v Value) {
        let mut open = vec![Pair { at: None, old: Some(old), new: Some(new) }];
        while let Some(pair) = open.pop() {
            let within = open.len();
            match (pair.old.map(|value| &value.kind), pair.new.map(|value| &value.kind)) {
                (Some(Kind::Object(_)), Some(Kind::Object(_))) => self.members(&pair, &mut open),
                (Some(Kind::Array(_)), Some(Kind::Array(_))) => self.elements(&pair, &mut open),
                _ => {}
            }
            if open.len() == within {
                // Values of which nothing inside differs differ as a whole: other blanks, another order.
                self.tell(&pair);
            }
            // The last one in is the first one out.
            open[within..].reverse();
        }
    }

    fn members<'v>(&mut self, pair: &Pair<'v>, open: &mut Vec<Pair<'v>>) {
        let members = |value: Option<&'v Value>| value.and_then(Value::as_object).unwrap_or_default();
        /// Each member under its key and how many of that key came before it.
        fn numbered(members: &[json::Member]) -> impl Iterator<Item = ((&str, usize), &Value)> {
            let mut seen = HashMap::<&str, usize>::new();
            members.iter().map(move |member| {
                let count = seen.entry(&member.name).or_default();
                *count += 1;
                ((member.name.as_str(), *count), &member.value)
            })
        }
        let new: HashMap<_, _> = numbered(members(pair.new)).collect();
        let mut known = HashSet::new();
        for (key, old) in numbered(members(pair.old)) {
            known.insert(key);
            self.compare(pair.at, || name(key), Some(old), new.get(&key).copied(), open);
        }
        for (key, new) in numbered(members(pair.new)).filter(|(key, _)| !known.contains(key)) {
            self.compare(pair.at, || name(key), None, Some(new), open);
        }
    }

    fn elements<'v>(&mut self, pair: &Pair<'v>, open: &mut Vec<Pair<'v>>) {
        let elements = |value: Option<&'v Value>| value.and_then(Value::as_array).unwrap_or_default();
        let (old, new) = (elements(pair.old), elements(pair.new));
        for index in 0..old.len().max(new.len()) {
            self.compare(pair.at, || index.to_string(), old.get(index), new.get(index), open);
        }
    }

    /// Opens the pair where it differs.
    fn compare<'v>(
        &mut self,
        parent: Option<usize>,
        name: impl FnOnce() -> String,
        old: Option<&'v Value>,
        new: Option<&'v Value>,
        open: &mut Vec<Pair<'v>>,
    ) {
        let [old_text, new_text] = self.texts;
        if old.map(|value| value.text(old_text)) != new.map(|value| value.text(new_text)) {
            self.steps.push(Step { parent, name: name() });
            open.push(Pair { at: Some(self.steps.len() - 1), old, new });
        }
    }

    fn tell(&mut self, pair: &Pair<'_>) {
        if self.out.found.len() == MOST_DIFFERENCES {
            self.out.more += 1;
            return;
        }
        let [old, new] = self.texts;
        let text = |value: Option<&Value>, source: &str| value.map(|value| value.text(source).into());
        let (place, old, new) = (self.place(pair.at), text(pair.old, old), text(pair.new, new));
        self.out.found.push(Difference { place, old, new });
    }

    fn place(&self, at: Option<usize>) -> Untrusted {
        let steps = std::iter::successors(at, |at| self.steps.get(*at)?.parent);
        let names: Vec<_> =
            steps.filter_map(|at| self.steps.get(at)).map(|step| step.name.as_str()).collect();
        names.iter().rev().map(|name| format!("/{name}")).collect::<String>().into()
    }
}

/// A key as it stands in a pointer (RFC 6901).
fn name((key, number): (&str, usize)) -> String {
    let mut name = match key.char_indices().nth(KEY_CHARACTERS) {
        None => key.to_owned(),
        Some((end, _)) => format!("{}… ({} characters)", &key[..end], key.chars().count()),
    };
    name = name.replace('~', "~0").replace('/', "~1");
    if number > 1 { format!("{name} ({number})") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn action(payload: &str, more: &str) -> Action {
        Action::read(format!(
            r#"{{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x","payload":{payload}{more},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
        ))
        .unwrap()
    }

    /// Each difference as `place: old -> new`, and how many more.
    fn told(old: &Action, new: &Action) -> (Vec<String>, usize) {
        let Differences { found, more } = differences(old, new);
        let text =
            |text: &Option<Untrusted>| text.as_ref().map_or("nothing".into(), |text| text.raw().to_owned());
        let line =
            |one: &Difference| format!("{}: {} -> {}", one.place.raw(), text(&one.old), text(&one.new));
        (found.iter().map(line).collect(), more)
    }

    fn payloads(old: &str, new: &str) -> Vec<String> {
        let (told, more) = told(&action(old, ""), &action(new, ""));
        assert_eq!(more, 0);
        told
    }

    #[test]
    fn every_place_that_differs_is_named_with_both_texts() {
        assert_eq!(payloads(r#"{"a":1}"#, r#"{"a":1}"#), [""; 0]);
        assert_eq!(payloads(r#"{"a":1.10}"#, r#"{"a":1.1}"#), ["/payload/a: 1.10 -> 1.1"]);
        assert_eq!(payloads(r#"{"a":"b"}"#, r#"{"a":"\u0062"}"#), [r#"/payload/a: "b" -> "\u0062""#]);
        assert_eq!(payloads(r#"{"a":false}"#, r#"{"a":"false"}"#), [r#"/payload/a: false -> "false""#]);
        assert_eq!(
            payloads(r#"{"l":[1,{"x":1,"y":2},3],"gone":{}}"#, r#"{"new":null,"l":[1,{"x":1,"y":9},3,4]}"#),
            [
                "/payload/l/1/y: 2 -> 9",
                "/payload/l/3: nothing -> 4",
                "/payload/gone: {} -> nothing",
                "/payload/new: nothing -> null"
            ]
        );
        assert_eq!(payloads(r#"{"a/b~c":1}"#, r#"{"a/b~c":2}"#), ["/payload/a~1b~0c: 1 -> 2"]);
        assert_eq!(payloads(r#"{"a":[1]}"#, r#"{"a":{"0":1}}"#), [r#"/payload/a: [1] -> {"0":1}"#]);
        let (told, _) =
            told(&action("{}", r#","summary":"pay 10""#), &action("{}", r#","summary":"pay 99""#));
        assert_eq!(told, [r#"/summary: "pay 10" -> "pay 99""#]);
    }

    #[test]
    fn another_order_and_other_blanks_are_differences_of_the_whole() {
        assert_eq!(
            payloads(r#"{"o":{"a":1,"b":2}}"#, r#"{"o":{"b":2,"a":1}}"#),
            [r#"/payload/o: {"a":1,"b":2} -> {"b":2,"a":1}"#]
        );
        assert_eq!(payloads(r#"{"l":[1]}"#, r#"{"l":[ 1]}"#), ["/payload/l: [1] -> [ 1]"]);
    }

    #[test]
    fn no_more_than_a_reviewer_can_use_is_named_and_the_rest_is_counted() {
        let many = |value: u32| {
            let members: Vec<_> = (0..5_000).map(|n| format!(r#""k{n}":{value}"#)).collect();
            action(&format!("{{{}}}", members.join(",")), "")
        };
        let (told, more) = told(&many(1), &many(2));
        assert_eq!((told.len(), more), (MOST_DIFFERENCES, 4_900));
        let key = "k".repeat(100_000);
        let long = payloads(&format!(r#"{{"{key}":1}}"#), &format!(r#"{{"{key}":2}}"#));
        assert!(long[0].len() < 200 && long[0].contains("(100000 characters)"), "{}", long[0]);
    }

    #[test]
    fn what_is_deep_is_named_to_its_last_step() {
        let deep = |leaf: u32| format!(r#"{{"a":{}{leaf}{}}}"#, "[".repeat(60), "]".repeat(60));
        let place = format!("/payload/a{}", "/0".repeat(60));
        assert_eq!(payloads(&deep(1), &deep(2)), [format!("{place}: 1 -> 2")]);
    }

    proptest! {
        #[test]
        fn there_is_a_difference_if_and_only_if_the_bytes_differ(
            old in r#"\{("[ab]":(1|2|\[1\]|\[2,1\]|\{"a":1\}))?\}"#,
            new in r#"\{("[ab]":(1|2|\[1\]|\[2,1\]|\{"a":1\}))?\}"#,
        ) {
            let (old, new) = (action(&old, ""), action(&new, ""));
            prop_assert_eq!(differences(&old, &new) == Differences::default(), old.digest == new.digest);
        }
    }
}
