//! What the rules, the agent's claims and what the gateway sees make of a submission together.

use super::*;
use serde_json::json;

fn rules(text: &str) -> Rules {
    Rules::read("rules.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn body(context: &serde_json::Value) -> String {
    json!({"tool": "sql.run", "arguments": {"n": 5}, "timeout": "1h", "context": context}).to_string()
}

fn sealed(rules: &Rules, body: &str) -> Sealed {
    let submission = Submission::read(body.as_bytes()).unwrap();
    let asker = Asker { id: "i", key: "k", tenant: "acme", agent: "bot" };
    match submission.seal(&asker, rules, "2026-11-27T12:00:00Z".parse().unwrap()).unwrap() {
        Ruled::Sealed(sealed) => *sealed,
        Ruled::Refused(refusing) => panic!("{refusing:?}"),
    }
}

fn reasons(sealed: &Sealed) -> Vec<&str> {
    sealed.action.risk_reasons.iter().map(crate::domain::Untrusted::raw).collect()
}

#[test]
fn the_highest_of_rule_claim_and_finding_is_sealed_with_who_said_so() {
    let high = rules("[[rule]]\nname = \"prod database\"\nrisk = \"high\"");
    for (context, risk, why) in [
        (json!({}), Risk::High, vec!["rule \"prod database\""]),
        (json!({"risk": "low"}), Risk::High, vec!["rule \"prod database\""]),
        (json!({"risk": "high"}), Risk::High, vec!["the agent says so", "rule \"prod database\""]),
        (json!({"risk": "critical"}), Risk::Critical, vec!["the agent says so"]),
        (
            json!({"risk": "low", "summary": "a\u{202e}b"}),
            Risk::High,
            vec![
                "rule \"prod database\"",
                "the gateway saw hidden characters: 1 in the summary",
                "the gateway saw hidden characters: 1 in the claims",
            ],
        ),
    ] {
        let sealed = sealed(&high, &body(&context));
        assert_eq!(sealed.action.risk, risk, "{context}");
        assert_eq!(reasons(&sealed), why, "{context}");
    }
    let medium = rules("[[rule]]\nname = \"m\"\nrisk = \"medium\"");
    assert_eq!(sealed(&medium, &body(&json!({"risk": "low"}))).action.risk, Risk::Medium);
    assert_eq!(sealed(&Rules::default(), &body(&json!({"risk": "low"}))).action.risk, Risk::Low);
}

#[test]
fn a_rule_shortens_the_time_and_never_lengthens_it() {
    for (time, left, why) in [("5m", 300, vec!["5m to decide: rule \"r\""]), ("2h", 3_600, vec![])] {
        let rules = rules(&format!("[[rule]]\nname = \"r\"\ntime = \"{time}\""));
        let sealed = sealed(&rules, &body(&json!({})));
        let action = &sealed.action;
        assert_eq!(timestamp::between(action.created_at, action.expires_at), Duration::from_secs(left));
        assert_eq!(reasons(&sealed), why);
    }
}

#[test]
fn the_most_reviewers_are_needed_whoever_asks_for_them() {
    let two = rules("[[rule]]\nname = \"two\"\nreviewers = 2\nreview_window = \"5m\"\ngrace = 90");
    for (claimed, needed, why) in [
        (json!(null), 2, "2 reviewers: rule \"two\""),
        (json!(2), 2, "2 reviewers: rule \"two\""),
        (json!(3), 3, "3 reviewers: the agent asks for them"),
        (json!(0), 2, "2 reviewers: rule \"two\""),
        (json!(-5), 2, "2 reviewers: rule \"two\""),
        (json!("7"), 2, "2 reviewers: rule \"two\""),
        (json!(1e30), 2, "2 reviewers: rule \"two\""),
        (json!(4_000_000_000_u64), 10, "10 reviewers: the agent asks for them"),
        (json!(99_999_999_999_u64), 10, "10 reviewers: the agent asks for them"),
    ] {
        let sealed = sealed(&two, &body(&json!({"reviewers_needed": claimed})));
        assert_eq!(sealed.action.reviewers_needed, needed, "{claimed}");
        assert_eq!(reasons(&sealed), [why, "held for 90s: rule \"two\""], "{claimed}");
        assert_eq!((sealed.window, sealed.action.grace), (Duration::from_secs(300), Duration::from_secs(90)));
    }
    let one = rules("[[rule]]\nname = \"one\"\nreviewers = 1");
    let sealed = sealed(&one, &body(&json!({})));
    assert_eq!((sealed.action.reviewers_needed, sealed.window), (1, WINDOW));
    assert!(reasons(&sealed).is_empty());
}

#[test]
fn it_runs_without_a_person_only_where_nothing_speaks_for_one() {
    let allow = "[[rule]]\nname = \"ok\"\naction = \"sql.run\"\nallow = true\n";
    let with = |more: &str| format!("{allow}[[rule]]\nname = \"other\"\n{more}\n");
    for (text, context, but) in [
        (allow.to_owned(), json!({}), None),
        (allow.to_owned(), json!({"risk": "low", "labels": {"env": "x"}}), None),
        (allow.to_owned(), json!({"risk": "high"}), Some("the risk is high")),
        (allow.to_owned(), json!({"reviewers_needed": 2}), Some("the agent asks for 2 reviewers")),
        (
            allow.to_owned(),
            json!({"source": {"name": "x", "reason": true, "covers": "many_calls", "silence": "not_run"}}),
            Some("one yes covers many calls"),
        ),
        (allow.to_owned(), json!({"summary": "a\u{200b}"}), Some("hidden characters: 1 in the summary")),
        (
            allow.to_owned(),
            json!({"n": "@1e400@"}),
            Some("numbers that a double cannot hold: 1 in the claims"),
        ),
        (with("risk = \"medium\""), json!({}), Some("rule \"other\" fits too")),
        (with("reviewers = 1"), json!({}), Some("rule \"other\" fits too")),
        (with("grace = 0"), json!({}), Some("rule \"other\" fits too")),
        (with("action = \"sql.drop\"\nreviewers = 2"), json!({}), None),
        (with("action = \"SQL.RUN\"\nreviewers = 1"), json!({}), Some("rule \"other\" fits too")),
    ] {
        let body = body(&context).replace("\"@1e400@\"", "1e400");
        let sealed = sealed(&rules(&text), &body);
        assert_eq!(sealed.allowed_by().is_some(), but.is_none(), "{context} {text}");
        let (rule, why) = sealed.allow.unwrap();
        assert_eq!(rule, "ok");
        assert!(why.as_deref().unwrap_or_default().contains(but.unwrap_or_default()), "{why:?}");
    }
    assert!(sealed(&Rules::default(), &body(&json!({}))).allow.is_none());
}

#[test]
fn what_the_source_can_carry_is_sealed_whole_or_not_at_all() {
    let whole = json!({"name": "opencode", "reason": false, "covers": "one_call", "silence": "runs", "x": 1});
    let whole_one = sealed(&Rules::default(), &body(&json!({"source": whole})));
    assert_eq!(
        whole_one.action.source.map(|source| source.words()).as_deref(),
        Some("one yes covers one call, no reason gets back")
    );
    // What says nothing of what it carries is the agent's own.
    for own in [json!("slack"), json!(7), json!({"name": "opencode"}), json!({"repo": "a/b"}), json!(null)] {
        let one = sealed(&Rules::default(), &body(&json!({"source": own})));
        assert_eq!(one.action.source, None, "{own}");
    }
    for (member, wrong) in [
        ("name", json!("open code")),
        ("name", json!("")),
        ("name", json!("x".repeat(65))),
        ("name", json!(null)),
        ("reason", json!("true")),
        ("covers", json!("all_calls")),
        ("covers", json!(null)),
        ("silence", json!("Runs")),
        ("silence", json!(["runs"])),
    ] {
        let mut source = whole.clone();
        source[member] = wrong;
        let body = body(&json!({"source": source}));
        let refusal = Submission::read(body.as_bytes()).err().map(|refusal| format!("{refusal:?}"));
        let words = refusal.unwrap_or_default();
        assert!(
            words.contains("invalid_source") && words.contains(&format!("context.source.{member}")),
            "{words}"
        );
    }
}

#[test]
fn a_refusal_wins_over_all_the_rest() {
    let text = "[[rule]]\nname = \"ok\"\naction = \"sql.run\"\nallow = true\n\
        [[rule]]\nname = \"no\"\npayload.\"/n\" = 5\nrefuse = \"not five\"\n";
    let (rules, body) = (rules(text), body(&json!({})));
    let submission = Submission::read(body.as_bytes()).unwrap();
    let asker = Asker { id: "i", key: "k", tenant: "acme", agent: "bot" };
    match submission.seal(&asker, &rules, Timestamp::UNIX_EPOCH).unwrap() {
        Ruled::Refused(refusing) => assert_eq!((refusing.rule, refusing.words), ("no", "not five")),
        Ruled::Sealed(_) => panic!("it was sealed"),
    }
}
