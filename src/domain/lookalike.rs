//! Names that look like names seen before: of agents, actions and hosts, by their skeletons (UTS #39, section 4). ASCII
//! counts too: `rn` and `m`, `0` and `O`, `1` and `l`. A memory of one session; it says what looks alike and decides
//! nothing.

use super::findings::{Finding, FindingKind};
use super::json::{self, Kind};
use super::visible::is_blank;
use super::{Action, Untrusted};
use std::collections::HashMap;
use unicode_security::confusable_detection::skeleton;

/// Names of one kind that are remembered at most: an agent that floods must not fill the memory.
const REMEMBERED: usize = 10_000;
/// Bytes of a name that is looked at; no reader takes a longer one for another.
const LONGEST: usize = 512;
/// Hosts of one action that are looked at.
const HOSTS: usize = 1_000;

/// What a name is the name of. Names are compared with others of their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// An agent's credential.
    Agent,
    /// What an agent wants to do.
    Action,
    /// Where it wants to do it: the host of a URL or of a mail address.
    Host,
}

/// The names seen so far.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The first name of each skeleton.
    seen: HashMap<(NameKind, String), Untrusted>,
}

impl Names {
    /// Remembers the name and returns the earlier, different one that it looks like.
    pub fn see(&mut self, kind: NameKind, raw: &str) -> Option<Untrusted> {
        self.see_name(&Name::new(kind, raw, "")?)
    }

    fn see_name(&mut self, name: &Name) -> Option<Untrusted> {
        let room = self.seen.len() < REMEMBERED;
        match self.seen.get(&name.key) {
            Some(first) => (!same(name.key.0, first.raw(), name.raw.raw())).then(|| first.clone()),
            None if room => {
                self.seen.insert(name.key.clone(), name.raw.clone());
                None
            }
            None => None,
        }
    }

    /// Remembers the names of an action, and returns those that look like earlier ones as findings.
    pub fn look_at(&mut self, names: &[Name]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for name in names {
            if let Some(of) = self.see_name(name) {
                let kind = FindingKind::LookAlike { of };
                findings.push(Finding { kind, count: 1, place: name.place, first: None });
            }
        }
        findings
    }
}

/// A name with its skeleton, which takes longer to find than to compare: so it is found where nobody waits for a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    key: (NameKind, String),
    raw: Untrusted,
    place: &'static str,
}

impl Name {
    /// `None` for what nobody would take for another name.
    fn new(kind: NameKind, raw: &str, place: &'static str) -> Option<Self> {
        let looked_at = !raw.is_empty() && raw.len() <= LONGEST;
        looked_at.then(|| Self { key: (kind, skeleton_of(raw)), raw: raw.into(), place })
    }

    /// The names of an action; `payload` is its JSON.
    pub fn all(action: &Action, payload: Option<&json::Value>) -> Vec<Self> {
        let mut names: Vec<_> = [
            Self::new(NameKind::Agent, action.agent.raw(), "agent"),
            Self::new(NameKind::Action, action.name.raw(), "action"),
        ]
        .into_iter()
        .flatten()
        .collect();
        for host in payload.map(payload_hosts).unwrap_or_default() {
            // A host that stands there often is one name.
            if !names.iter().any(|name| name.raw.raw() == host) {
                names.extend(Self::new(NameKind::Host, &host, "payload"));
            }
        }
        names
    }
}

/// The skeleton of UTS #39. Nearly all names are ASCII, which is taken a short way that a test compares with the long one.
fn skeleton_of(raw: &str) -> String {
    if !raw.is_ascii() {
        return skeleton(raw).collect();
    }
    let mut out = String::with_capacity(raw.len() + 4);
    for c in raw.chars() {
        match c {
            '0' => out.push('O'),
            '1' | 'I' | '|' => out.push('l'),
            'm' => out.push_str("rn"),
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | ':' | '/') => out.push(c),
            _ => return skeleton(raw).collect(),
        }
    }
    out
}

/// What a reader could take a text for: its skeleton, in small letters, each run of blanks as one, none at either end. Two
/// texts that fold to the same look alike, or differ in case or blanks alone.
pub fn folded(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let skeleton = skeleton_of(&raw.to_lowercase());
    for c in skeleton.chars().flat_map(char::to_lowercase) {
        if !is_blank(c) {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// Hosts are the same in either case.
fn same(kind: NameKind, a: &str, b: &str) -> bool {
    a == b || kind == NameKind::Host && a.to_lowercase() == b.to_lowercase()
}

fn payload_hosts(payload: &json::Value) -> Vec<String> {
    let (mut values, mut found) = (vec![payload], Vec::new());
    while let Some(value) = values.pop() {
        match &value.kind {
            Kind::String(text) => found.extend(hosts(text).take(HOSTS - found.len()).map(str::to_owned)),
            Kind::Array(elements) => values.extend(elements.iter().rev()),
            Kind::Object(members) => values.extend(members.iter().rev().map(|member| &member.value)),
            _ => {}
        }
    }
    found
}

/// The hosts of the URLs and mail addresses of a text, as they stand there.
pub fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let after = text.match_indices(['@', '/']).filter_map(move |(at, sign)| {
        let rest = &text[at + 1..];
        if sign == "/" {
            // `//host`, and not the user's name before an `@`, which is found by itself.
            let authority = rest.strip_prefix('/').filter(|_| text[..at].ends_with(':'))?;
            let authority = authority.split(['/', '?', '#', '\\', ' ', '"', '\'']).next()?;
            return (!authority.contains('@')).then_some(authority);
        }
        Some(rest)
    });
    after
        .filter_map(move |rest| rest.split(ends).next())
        .map(|host| host.trim_matches(['.', '-', '_']))
        .filter(|host| host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Risk;

    fn second(first: &str, second: &str) -> Option<String> {
        let mut names = Names::default();
        assert_eq!(names.see(NameKind::Agent, first), None);
        names.see(NameKind::Agent, second).map(|name| name.raw().to_owned())
    }

    #[test]
    fn what_looks_like_an_earlier_name_is_told() {
        for (first, other) in [
            ("paypal", "p\u{430}ypal"),
            ("billing-agent", "bi11ing-agent"),
            ("modern", "rnodern"),
            ("OPS", "0PS"),
            ("l", "I"),
            ("scope", "ѕсоре"),
            ("pay", "\u{1d429}\u{1d41a}\u{1d432}"),
            ("send", "se\u{200b}nd"),
            ("caf\u{e9}", "cafe\u{301}"),
        ] {
            assert_eq!(second(first, other).as_deref(), Some(first), "{other}");
        }
        for (first, other) in
            [("send", "send"), ("send", "sent"), ("send", "Send"), ("a", ""), ("东京", "東京")]
        {
            assert_eq!(second(first, other), None, "{other}");
        }
    }

    #[test]
    fn kinds_are_apart_and_the_first_name_is_never_told() {
        let mut names = Names::default();
        assert_eq!(names.see(NameKind::Agent, "rn"), None);
        assert_eq!(names.see(NameKind::Action, "m"), None);
        assert_eq!(names.see(NameKind::Agent, "m"), Some("rn".into()));
        assert_eq!(names.see(NameKind::Agent, "m"), Some("rn".into()), "told each time");
        assert_eq!(names.see(NameKind::Agent, "rn"), None);
        assert_eq!(names.see(NameKind::Host, "Gate.example"), None);
        assert_eq!(names.see(NameKind::Host, "gate.example"), None, "a host has no case");
    }

    #[test]
    fn memory_is_bounded() {
        let mut names = Names::default();
        for n in 0..REMEMBERED + 10 {
            names.see(NameKind::Agent, &format!("agent {n} {}", "x".repeat(n % 7)));
        }
        assert!(names.seen.len() <= REMEMBERED);
        assert_eq!(names.see(NameKind::Agent, &"x".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn hosts_are_found_in_urls_and_addresses() {
        let text = "mail a@b.example and see https://user:pw@evil.example:8443/x?u=http://in.example#a, \
                    ftp://c.example. path/to/file.txt 'https://p\u{430}ypal.com' @d.example, https://e.example\\@f.example";
        assert_eq!(
            hosts(text).collect::<Vec<_>>(),
            [
                "b.example",
                "evil.example",
                "in.example",
                "c.example",
                "p\u{430}ypal.com",
                "d.example",
                "e.example",
                "f.example"
            ]
        );
    }

    #[test]
    fn what_folds_to_the_same_looks_alike_or_differs_in_case_and_blanks() {
        for (a, b) in [
            ("prod", "PROD"),
            ("prod", "\u{ff30}rod"),
            ("prod", "pr\u{43e}d"),
            ("prod", "pr\u{200b}od"),
            ("0PS", "ops"),
            ("drop table", "DROP\u{a0}\t\n TABLE"),
            ("caf\u{e9}", "CAFE\u{301}"),
        ] {
            assert_eq!(folded(a), folded(b), "{a:?} {b:?}");
        }
        assert_ne!(folded("drop table"), folded("droptable"));
        assert_ne!(folded("prod"), folded("prob"));
    }

    #[test]
    fn the_short_way_to_a_skeleton_leads_to_the_same_one() {
        for c in (0..=0x7f_u8).map(char::from) {
            let name = format!("a{c}z");
            assert_eq!(skeleton_of(&name), skeleton(&name).collect::<String>(), "{c:?}");
        }
    }

    #[test]
    fn an_action_is_looked_at_as_a_whole() {
        let action = |agent: &str, url: &str| {
            let sealed = format!(
                r#"{{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"{agent}","action":"x","risk":"low",
                "payload":{{"l":[{{"u":"{url}"}}]}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}}"#
            );
            Action::read(sealed).unwrap()
        };
        let mut names = Names::default();
        let all = |action: &Action| {
            let payload = json::parse(action.payload().as_bytes(), json::Limits::SEALED).unwrap();
            Name::all(action, Some(&payload))
        };
        assert_eq!(names.look_at(&all(&action("billing", "https://paypal.example/"))), []);
        let mut second = action("bi11ing", "https://paypa1.example/");
        let findings = names.look_at(&all(&second));
        assert_eq!(findings.iter().map(|finding| finding.place).collect::<Vec<_>>(), ["agent", "payload"]);
        findings.into_iter().for_each(|finding| second.found(finding));
        assert_eq!(second.risk, Risk::High);
    }
}
