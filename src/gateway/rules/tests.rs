//! Reading rules, every mistake in them, what fits what, and what holds of several.

use super::*;
use crate::domain::json::{Limits, Value, parse_unique};
use proptest::prelude::*;

fn rules(text: &str) -> Rules {
    Rules::read("rules.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A rule that looks at this, and does that.
fn rule(looks: &str, does: &str) -> Rules {
    rules(&format!("[[rule]]\nname = \"r\"\n{looks}\n{does}"))
}

/// What an agent asks for; `payload` is JSON.
struct Asked {
    action: String,
    server: Option<String>,
    labels: Vec<(String, String)>,
    payload: Value,
}

impl Asked {
    fn new(payload: &str) -> Self {
        let payload = parse_unique(payload.as_bytes(), Limits::DOOR).unwrap();
        Self { action: "sql.run".into(), server: None, labels: Vec::new(), payload }
    }

    fn subject(&self) -> Subject<'_> {
        let server = self.server.as_deref();
        Subject::new("acme", "bot", &self.action, server, &self.labels, &self.payload)
    }
}

/// How it fits the only rule.
fn fit(rules: &Rules, asked: &Asked) -> Fit {
    rules.rules[0].fit(&asked.subject())
}

#[test]
fn the_shipped_example_is_four_rules_without_a_mistake() {
    assert_eq!(rules(EXAMPLE).len(), 4);
    assert!(rules("").is_empty() && rules("# nothing\n").is_empty());
}

#[test]
fn a_place_in_the_payload_fits_by_type_and_value() {
    use Fit::{Alike, No, Yes};
    for (test, payload, expected) in [
        (r#" = "prod""#, r#"{"a":"prod"}"#, Yes),
        (r#" = "prod""#, r#"{"a":"prod2"}"#, No),
        (r#" = "prod""#, r#"{"a":"PROD "}"#, Alike),
        (r#" = "prod""#, r#"{"a":"pr\u043ed"}"#, Alike),
        (r#" = "prod""#, r#"{"a":["prod"]}"#, Alike),
        (r#" = "prod""#, r#"{"a":7}"#, Alike),
        (r#" = "prod""#, r#"{"a":null}"#, No),
        (r#" = "prod""#, r#"{"A":"prod"}"#, No),
        (r#" = "prod""#, "{}", No),
        (r#" = "*""#, r#"{"a":"prod"}"#, No),
        (r#" = "*""#, r#"{"a":"*"}"#, Yes),
        (r#".glob = "pr*""#, r#"{"a":"prod/x"}"#, Yes),
        (r#".glob = "pr*""#, r#"{"a":"Prod"}"#, Alike),
        (r#".glob = "pr*""#, r#"{"a":{"b":"prod"}}"#, Alike),
        (" = true", r#"{"a":true}"#, Yes),
        (" = true", r#"{"a":false}"#, No),
        (" = true", r#"{"a":"true"}"#, Alike),
        (" = true", r#"{"a":1}"#, Alike),
        (" = 9007199254740993", r#"{"a":9007199254740993}"#, Yes),
        (" = 9007199254740993", r#"{"a":9007199254740992}"#, No),
        (" = 1.1", r#"{"a":1.10}"#, Yes),
        (" = 1.1", r#"{"a":1.1000000000000000001}"#, No),
        (" = 100", r#"{"a":1e2}"#, Yes),
        (" = 100", r#"{"a":"100"}"#, Alike),
        (" = 0x10", r#"{"a":16}"#, Yes),
        (" = 1_000", r#"{"a":1000.0}"#, Yes),
        (".min = 1000", r#"{"a":1000}"#, Yes),
        (".min = 1000", r#"{"a":999.999999999999999999999}"#, No),
        (".min = 1000", r#"{"a":1e400}"#, Yes),
        (".min = 1000", r#"{"a":"5000"}"#, Alike),
        (".min = 1000", r#"{"a":[5000]}"#, Alike),
        (".min = 1000", r#"{"a":-1e999999999999999999999999}"#, No),
        (".max = 9007199254740992", r#"{"a":9007199254740993}"#, No),
        (" = { min = 1, max = 9 }", r#"{"a":9}"#, Yes),
        (" = { min = 1, max = 9 }", r#"{"a":9.01}"#, No),
        (" = { min = -1e400, max = 1e400 }", r#"{"a":1e399}"#, Yes),
        (".exists = true", r#"{"a":null}"#, Yes),
        (".exists = true", "{}", No),
        (".exists = false", "{}", Yes),
        (".exists = false", r#"{"a":0}"#, No),
    ] {
        let rules = rule(&format!("payload.\"/a\"{test}"), "reviewers = 2");
        assert_eq!(fit(&rules, &Asked::new(payload)), expected, "{test} {payload}");
    }
    let below = rule("payload.\"/a/b\".exists = false", "reviewers = 2");
    assert_eq!(fit(&below, &Asked::new(r#"{"a":"text"}"#)), Alike, "nobody knows what is in a text");
    assert_eq!(fit(&below, &Asked::new(r#"{"a":{}}"#)), Yes);
}

#[test]
fn all_that_a_rule_looks_at_must_fit() {
    let mut asked = Asked::new(r#"{"a":1,"b":2}"#);
    asked.server = Some("db".into());
    asked.labels = vec![("env".into(), "prod".into()), ("team".into(), "x".into())];
    for (looks, expected) in [
        ("", true),
        ("action = \"sql.*\"", true),
        ("action = [\"x\", \"sql.run\"]", true),
        ("action = \"sql\"", false),
        ("agent = \"bot\"\ntenant = \"acme\"\nserver = \"d?\"", true),
        ("agent = \"other\"\ntenant = \"acme\"", false),
        ("tenant = \"other\"", false),
        ("server = \"other\"", false),
        ("labels.env = \"prod\"", true),
        ("labels.env = [\"dev\", \"p*\"]\nlabels.team = \"x\"", true),
        ("labels.env = \"prod\"\nlabels.region = \"*\"", false),
        ("payload.\"/a\" = 1\npayload.\"/b\" = 2", true),
        ("payload.\"/a\" = 1\npayload.\"/b\" = 3", false),
    ] {
        let fits = fit(&rule(looks, "reviewers = 2"), &asked) == Fit::Yes;
        assert_eq!(fits, expected, "{looks}");
    }
    asked.server = None;
    assert_eq!(fit(&rule("server = \"*\"", "reviewers = 2"), &asked), Fit::No, "there is none");
}

#[test]
fn what_only_looks_like_it_is_caught_and_never_allowed() {
    let asked = Asked::new(r#"{"env":"Prod"}"#);
    let looks = "action = \"sql.run\"\npayload.\"/env\" = \"prod\"";
    let more = rule(looks, "risk = \"critical\"");
    assert_eq!(more.rule_on(&asked.subject()).risk(), Some(Risk::Critical));
    let refuse = rule(looks, "refuse = \"no\"");
    assert!(refuse.rule_on(&asked.subject()).refuse.is_some());
    let allow = rule(looks, "allow = true");
    assert_eq!(allow.rule_on(&asked.subject()), Ruling::default());
    let exact = Asked::new(r#"{"env":"prod"}"#);
    assert_eq!(allow.rule_on(&exact.subject()).allow, Some("r"));
}

#[test]
fn of_several_rules_the_strictest_holds_whatever_their_order() {
    let all = [
        "name = \"a\"\nrisk = \"high\"\nreviewers = 2\ntime = \"10m\"\ngrace = 5\nreview_window = \"1h\"",
        "name = \"b\"\nrisk = \"medium\"\nreviewers = 3\ntime = \"1h\"\ngrace = 60\nreview_window = \"5m\"",
        "name = \"c\"\naction = \"sql.run\"\nallow = true",
        "name = \"d\"\naction = \"other\"\nrefuse = \"no\"",
    ];
    let asked = Asked::new("{}");
    let minutes = |count: u64| Duration::from_secs(count * 60);
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let text: String = order.map(|at| format!("[[rule]]\n{}\n", all[at])).concat();
        let rules = rules(&text);
        let ruling = rules.rule_on(&asked.subject());
        assert_eq!(ruling.risk(), Some(Risk::High));
        assert_eq!(ruling.reviewers, Some((3, "b")));
        assert_eq!(ruling.window, Some((minutes(5), "b")));
        assert_eq!(ruling.time, Some((minutes(10), "a")));
        assert_eq!(ruling.grace, Some((minutes(1), "b")));
        assert_eq!((ruling.allow, ruling.refuse), (Some("c"), None));
        assert!(ruling.other.is_some(), "so a person decides");
    }
}

#[test]
fn every_mistake_is_named_with_its_line_and_what_was_meant() {
    for (text, place, words) in [
        (
            "[[rules]]\nname = \"a\"",
            "1:3",
            "rules is not of this file, which holds [[rule]]s: did you mean \"rule\"?",
        ),
        ("[rule]\nname = \"a\"", "1:2", "write [[rule]], with two brackets"),
        ("risk = \"high\"", "1:1", "it belongs under [[rule]]"),
        ("[[rule]]\nreviewers = 2", "1:1", "no name"),
        ("[[rule]]\nname = \"a\"", "1:1", "does nothing"),
        ("[[rule]]\nname = \" a\"\nreviewers = 2", "2:8", "no blank at either end"),
        ("[[rule]]\nname = \"a\u{200b}\"\nreviewers = 2", "2:8", "none of them hidden"),
        ("[[rule]]\nname = 'a\"'\nreviewers = 2", "2:8", "a quote"),
        (
            "[[rule]]\nname = \"a\"\nreviewers = 2\n[[rule]]\nname = \"a\"\nreviewers = 2",
            "5:8",
            "line 1 has this name too",
        ),
        ("[[rule]]\nname = \"a\"\nreviewer = 2", "3:1", "did you mean reviewers?"),
        ("[[rule]]\nname = \"a\"\nreviewers = 0", "3:13", "from 1 to 10, not the number 0"),
        ("[[rule]]\nname = \"a\"\nreviewers = 11", "3:13", "from 1 to 10"),
        ("[[rule]]\nname = \"a\"\nrisk = \"low\"", "3:8", "raises and never lowers"),
        ("[[rule]]\nname = \"a\"\nrisk = \"hihg\"", "3:8", "did you mean \"high\"?"),
        ("[[rule]]\nname = \"a\"\ntime = 5", "3:8", "a time like \"90s\""),
        ("[[rule]]\nname = \"a\"\ntime = \"31d\"", "3:8", "from \"1s\" to \"30d\", not \"31d\""),
        ("[[rule]]\nname = \"a\"\ngrace = 601", "3:9", "0 to 600"),
        ("[[rule]]\nname = \"a\"\ngrace = 60\ntime = \"60s\"", "3:1", "no approval could ever be sent"),
        ("[[rule]]\nname = \"a\"\nrefuse = \"\"", "3:10", "1 to 200 characters"),
        (
            "[[rule]]\nname = \"a\"\nrefuse = \"no\"\nrisk = \"high\"",
            "4:1",
            "a rule that refuses does nothing else",
        ),
        (
            "[[rule]]\nname = \"a\"\naction = \"x\"\nallow = true\nreviewers = 1",
            "5:1",
            "a rule that allows does nothing else",
        ),
        (
            "[[rule]]\nname = \"a\"\naction = \"x\"\nallow = true\nrefuse = \"no\"",
            "4:1",
            "a rule that refuses does nothing else",
        ),
        ("[[rule]]\nname = \"a\"\naction = \"x\"\nallow = false", "4:1", "leave it out"),
        ("[[rule]]\nname = \"a\"\nallow = true", "3:1", "must name its actions"),
        ("[[rule]]\nname = \"a\"\naction = [\"x\", \"*\"]\nallow = true", "4:1", "whatever there is"),
        ("[[rule]]\nname = \"a\"\naction = \"??*\"\nallow = true", "4:1", "whatever there is"),
        (
            "[[rule]]\nname = \"a\"\naction = \"x\"\nlabels.env = \"dev\"\nallow = true",
            "4:1",
            "the agent's own word",
        ),
        ("[[rule]]\nname = \"a\"\naction = \"a**b\"\nreviewers = 2", "3:10", "write one"),
        ("[[rule]]\nname = \"a\"\naction = []\nreviewers = 2", "3:10", "a list of 1 to 64"),
        (
            "[[rule]]\nname = \"a\"\naction = [\"x\", 5]\nreviewers = 2",
            "3:16",
            "action must be a text, not the number 5",
        ),
        ("[[rule]]\nname = \"a\"\nlabels = \"x\"\nreviewers = 2", "3:10", "labels.env"),
        ("[[rule]]\nname = \"a\"\npayload.amount = 5\nreviewers = 2", "3:9", "did you mean \"/amount\"?"),
        (
            "[[rule]]\nname = \"a\"\n\"/amount\" = 5\nreviewers = 2",
            "3:1",
            "did you mean payload.\"/amount\"?",
        ),
        ("[[rule]]\nname = \"a\"\npayload.\"/a\".mim = 5\nreviewers = 2", "3:14", "did you mean min?"),
        (
            "[[rule]]\nname = \"a\"\npayload.\"/a\" = { min = 5, glob = \"x\" }\nreviewers = 2",
            "3:9",
            "a rule for each",
        ),
        (
            "[[rule]]\nname = \"a\"\npayload.\"/a\" = { min = 5, max = 4 }\nreviewers = 2",
            "3:9",
            "nothing is ever between",
        ),
        ("[[rule]]\nname = \"a\"\npayload.\"/a\".min = inf\nreviewers = 2", "3:20", "min must be a number"),
        ("[[rule]]\nname = \"a\"\npayload.\"/a\".min = \"5\"\nreviewers = 2", "3:20", "not \"5\""),
        ("[[rule]]\nname = \"a\"\npayload.\"/a\" = {}\nreviewers = 2", "3:9", "one of equals"),
        ("[[rule]]\nname = \"a\"\npayload.\"/a\" = [1]\nreviewers = 2", "3:16", "not a list"),
        ("[[rule]]\nname = \"a\"\nname = \"b\"\nreviewers = 2", "3:1", "duplicate key"),
    ] {
        let mistakes = Rules::read("rules.toml", text).expect_err(text).to_string();
        assert!(mistakes.starts_with(&format!("rules.toml:{place}: ")), "{place} in {text}\n{mistakes}");
        assert!(mistakes.contains(words), "{words}\n{mistakes}");
        assert_eq!(mistakes.matches("rules.toml:").count(), 1, "one mistake is told once\n{mistakes}");
    }
}

#[test]
fn there_is_a_limit_to_what_a_file_may_hold() {
    let many = |count: usize| -> String {
        (0..count).map(|n| format!("[[rule]]\nname = \"{n}\"\nreviewers = 2\n")).collect()
    };
    assert_eq!(rules(&many(MOST)).len(), MOST);
    assert!(Rules::read("r", &many(MOST + 1)).unwrap_err().to_string().contains("256 is the most"));
    let places = |count: usize| -> String {
        let places: String = (0..count).map(|n| format!("payload.\"/{n}\" = 1\n")).collect();
        format!("[[rule]]\nname = \"a\"\nreviewers = 2\n{places}")
    };
    assert_eq!(rules(&places(MATCHERS)).len(), 1);
    assert!(Rules::read("r", &places(MATCHERS + 1)).unwrap_err().to_string().contains("1 to 16"));
}

/// One rule that does not allow, as text; what it is called is put in.
fn restricting() -> impl Strategy<Value = String> {
    let looks = prop_oneof![
        Just(String::new()),
        Just("action = \"sql.*\"\n".into()),
        Just("action = \"none\"\n".into()),
        (0..3_u8).prop_map(|n| format!("payload.\"/n\".min = {n}\n")),
        Just("payload.\"/env\" = \"prod\"\n".into()),
        Just("labels.env = \"p*\"\n".into()),
    ];
    let does = prop_oneof![
        prop::sample::select(vec!["medium", "high", "critical"])
            .prop_map(|risk| format!("risk = \"{risk}\"\n")),
        (1..=10_u32).prop_map(|count| format!("reviewers = {count}\n")),
        (1..=9_u32).prop_map(|minutes| format!("time = \"{minutes}m\"\n")),
        (0..=600_u32).prop_map(|seconds| format!("grace = {seconds}\n")),
        Just("refuse = \"no\"\n".into()),
    ];
    (looks, does).prop_map(|(looks, does)| looks + &does)
}

fn allowing() -> impl Strategy<Value = String> {
    let looks = prop_oneof![Just(""), Just("payload.\"/env\" = \"prod\"\n"), Just("agent = \"bot\"\n")];
    looks.prop_map(|looks| format!("action = \"sql.run\"\n{looks}allow = true\n"))
}

fn file(rules: &[String]) -> String {
    rules.iter().enumerate().map(|(n, rule)| format!("[[rule]]\nname = \"{n}\"\n{rule}")).collect()
}

proptest! {
    /// Whatever stands in the file, one more rule that does not allow never takes anything back.
    #[test]
    fn a_rule_that_does_not_allow_never_lowers_anything(
        before in prop::collection::vec(prop_oneof![restricting(), allowing()], 0..6),
        one in restricting(),
        payload in prop::sample::select(vec!["{}", r#"{"n":1,"env":"prod"}"#, r#"{"n":"2","env":"PROD"}"#]),
    ) {
        let mut asked = Asked::new(payload);
        asked.labels = vec![("env".into(), "prod".into())];
        let fewer = rules(&file(&before));
        let more = rules(&file(&[before, vec![one]].concat()));
        let subject = asked.subject();
        let (less, more) = (fewer.rule_on(&subject), more.rule_on(&subject));
        prop_assert!(more.risk() >= less.risk());
        prop_assert!(more.reviewers.map(|(count, _)| count) >= less.reviewers.map(|(count, _)| count));
        prop_assert!(more.grace.map(|(grace, _)| grace) >= less.grace.map(|(grace, _)| grace));
        let time = |ruling: &Ruling<'_>| ruling.time.map_or(Duration::MAX, |(time, _)| time);
        prop_assert!(time(&more) <= time(&less));
        prop_assert!(more.refuse.is_some() || less.refuse.is_none());
        prop_assert!(more.other.is_some() || less.other.is_none());
        prop_assert_eq!(more.allow, less.allow, "and none makes another allow");
    }

    /// No payload, however it is made, fits a rule that allows one exact value unless it has that value there.
    #[test]
    fn an_allow_needs_the_very_value(env in "[a-z ]{0,5}|prod|PROD|pr\u{43e}d") {
        let allow = rule("action = \"sql.run\"\npayload.\"/env\" = \"prod\"", "allow = true");
        let asked = Asked::new(&serde_json::json!({ "env": &env }).to_string());
        prop_assert_eq!(allow.rule_on(&asked.subject()).allow.is_some(), env == "prod");
    }
}
