//! What is sealed, read back; what cannot be read, and what is found.

use super::*;
use crate::domain::timestamp;

const PAYLOAD: &str = r#"{ "to":"a@b.example", "amount": 1.10, "n":9007199254740993 }"#;

fn sealed() -> String {
    Draft {
        id: "0197a1b2-0000-7000-8000-000000000001",
        tenant_id: "default",
        thread_id: "order-42",
        idempotency_key: "aap:0197a1b2-0000-7000-8000-000000000001",
        agent: "billing-agent",
        action: "send_email",
        server: None,
        payload: PAYLOAD,
        summary: Some("Refund\n\"mail\""),
        rationale: None,
        claims: Some(r#"{"run_id": 7}"#),
        risk: Risk::High,
        risk_reasons: &["the agent says so".into()],
        labels: &[("team".into(), "billing".into())],
        source: None,
        reviewers_needed: 1,
        grace: Duration::from_secs(30),
        created_at: "2026-11-23T12:00:00Z".parse().unwrap(),
        expires_at: "2026-11-23T12:10:00Z".parse().unwrap(),
    }
    .seal()
}

#[test]
fn what_is_sealed_reads_back_byte_for_byte() {
    let sealed = sealed();
    let action = Action::read(sealed.as_str()).unwrap();
    assert_eq!(&*action.sealed, sealed);
    assert_eq!(action.digest, Digest::of(sealed.as_bytes()));
    assert_eq!(action.payload(), PAYLOAD);
    assert_eq!(action.summary.as_ref().map(Untrusted::raw), Some("Refund\n\"mail\""));
    assert_eq!((action.risk, action.reviewers_needed), (Risk::High, 1));
    assert_eq!(action.grace, Duration::from_secs(30));
    assert_eq!(action.labels, [("team".into(), "billing".into())]);
    let (name, span) = &action.others[0];
    assert_eq!((name.raw(), action.other(span)), ("claims", r#"{"run_id": 7}"#));
}

#[test]
fn every_field_that_is_missing_or_wrong_is_named() {
    let good = sealed();
    for (from, to, names) in [
        ("\"v\":1", "\"v\":2", "\"v\""),
        ("\"id\":\"0197", "\"id\":\"../0197", "\"id\""),
        ("\"agent\":\"billing-agent\"", "\"agent\":\"\"", "\"agent\""),
        ("\"agent\"", "\"Agent\"", "\"agent\" is missing"),
        ("\"risk\":\"high\"", "\"risk\":\"none\"", "\"risk\""),
        ("\"reviewers_needed\":1", "\"reviewers_needed\":0", "\"reviewers_needed\""),
        ("\"grace_s\":30", "\"grace_s\":601", "\"grace_s\""),
        ("\"grace_s\":30", "\"grace_s\":-1", "\"grace_s\""),
        ("\"grace_s\":30", "\"grace_s\":3e1", "\"grace_s\""),
        ("\"grace_s\":30", "\"grace_s\":\"30\"", "\"grace_s\""),
        ("2026-11-23T12:10:00.000000Z", "tomorrow", "\"expires_at\""),
        ("\"idempotency_key\":\"aap", "\"idempotency_key\":\"a p", "\"idempotency_key\""),
        ("\"labels\":{\"team\":\"billing\"}", "\"labels\":{\"team\":1}", "\"labels\""),
        ("\"v\":1", "\"v\":1,\"v\":1", "stands twice"),
        ("\"payload\":{ ", "\"payload\":[{ ", "unexpected"),
    ] {
        let bad = good.replace(from, to);
        assert_ne!(bad, good, "{from}");
        let error = Action::read(bad).unwrap_err().to_string();
        assert!(error.contains(names), "{from} -> {to}: {error}");
    }
    assert_eq!(Action::read("[]"), Err(UnreadableAction::NotAnObject));
}

const SOURCE: &str = r#""source":{"name":"opencode","reason":false,"covers":"many_calls","silence":"runs"},"#;

#[test]
fn what_the_source_can_carry_is_sealed_and_read_back() {
    let action = Action::read(sealed()).unwrap();
    assert_eq!((action.source.as_ref(), action.silence()), (None, Silence::NotRun));
    assert!(!action.covers_many_calls() && action.mute().is_none());
    let with = sealed().replace("\"reviewers_needed\"", &format!("{SOURCE}\"reviewers_needed\""));
    let action = Action::read(with.as_str()).unwrap();
    let source = action.source.clone().unwrap();
    assert_eq!(format!("\"source\":{},", source.seal()), SOURCE);
    assert_eq!(action.silence(), Silence::Runs);
    assert!(action.covers_many_calls() && action.mute().is_some_and(|name| name.raw() == "opencode"));
    assert_eq!(action.others.len(), 1, "it is shown as what it says, not as it stands");
    // What a later version may add is not hidden.
    let more = Action::read(with.replace("\"runs\"}", "\"runs\",\"standing\":true}")).unwrap();
    let names: Vec<_> = more.others.iter().map(|(name, _)| name.raw().to_owned()).collect();
    assert_eq!((names, more.source), (vec!["claims".to_owned(), "source".to_owned()], Some(source)));
    for (from, to) in [
        ("\"opencode\"", "\"open code\""),
        ("\"opencode\"", "\"\""),
        ("\"reason\":false", "\"reason\":\"no\""),
        ("\"many_calls\"", "\"any_calls\""),
        ("\"runs\"", "\"not run\""),
        (",\"silence\":\"runs\"", ""),
        ("\"silence\":\"runs\"", "\"silence\":\"runs\",\"silence\":\"not_run\""),
    ] {
        let error = Action::read(with.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains("\"source\"") || error.contains("stands twice"), "{to}: {error}");
    }
}

#[test]
fn what_a_queue_file_may_leave_out() {
    let text = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x",
        "payload":{},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z","note":[1]}"#;
    let action = Action::read(text).unwrap();
    assert_eq!((action.risk, action.reviewers_needed), (Risk::Medium, 1));
    assert_eq!(action.grace, Duration::ZERO);
    assert_eq!(action.others.len(), 1, "an unknown member is kept, to be shown");
}

#[test]
fn a_key_that_stands_twice_is_shown_where_it_is_the_agents_and_refused_where_it_is_ours() {
    let twice = sealed().replace(r#""amount": 1.10"#, r#""amount": 1.10, "am\u006funt": 9"#);
    let action = Action::read(twice).unwrap();
    assert_eq!(action.risk, Risk::High);
    assert_eq!(action.findings[0].kind, findings::FindingKind::DuplicateKey);
    for (from, to) in [
        (r#"{"team":"billing"}"#, r#"{"team":"billing","te\u0061m":"x"}"#),
        (r#""agent":"#, r#""\u0061gent":"other","agent":"#),
    ] {
        let error = Action::read(sealed().replace(from, to)).unwrap_err().to_string();
        assert!(error.contains("stands twice"), "{error}");
    }
}

#[test]
fn sealed_text_may_be_as_deep_as_the_limit_and_no_deeper() {
    let deep = |levels: usize| {
        let value = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        sealed().replace("9007199254740993", &value)
    };
    assert!(Action::read(deep(510)).is_ok());
    let error = Action::read(deep(511)).unwrap_err();
    assert!(error.to_string().contains("nested deeper than 512 levels"), "{error}");
}

fn unreadable(source: &[u8]) -> Action {
    let reason = match std::str::from_utf8(source).map(Action::read) {
        Ok(Err(reason)) => reason,
        Ok(Ok(_)) => panic!("it can be read"),
        Err(_) => UnreadableAction::DigestDiffers,
    };
    Action::unreadable(source, &reason, "2026-11-23T12:05:00Z".parse().unwrap())
}

fn can_be_rejected(action: &Action) -> bool {
    action.unreadable.as_ref().is_some_and(|unreadable| unreadable.can_be_rejected)
}

#[test]
fn what_cannot_be_read_is_shown_whole_and_named_where_it_can_be() {
    let source = sealed().replace("\"payload\":{", "\"payload\":[{").replace("},\"claims\"", "}],\"claims\"");
    let action = unreadable(source.as_bytes());
    assert_eq!(action.payload(), source);
    assert_eq!(action.digest, Digest::of(source.as_bytes()));
    assert_eq!(
        (action.risk, action.risk.word(), action.risk.badge()),
        (Risk::Unreadable, "unreadable", "?!?!")
    );
    assert!(can_be_rejected(&action));
    let names =
        [action.id.as_str(), action.thread_id.raw(), action.idempotency_key.as_str(), action.name.raw()];
    assert_eq!(
        names,
        [
            "0197a1b2-0000-7000-8000-000000000001",
            "order-42",
            "aap:0197a1b2-0000-7000-8000-000000000001",
            "send_email"
        ]
    );
    assert_eq!(timestamp::format(action.expires_at), "2026-11-23T12:10:00.000000Z");
    let reason = action.unreadable.map(|unreadable| unreadable.reason);
    assert_eq!(reason, Some("the field \"payload\" must be an object".into()));
}

#[test]
fn what_is_too_deep_or_has_too_many_values_can_still_be_named() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let many = format!("[{}1]", "1,".repeat(50_000));
    for value in [deep, many] {
        let action = unreadable(sealed().replace("9007199254740993", &value).as_bytes());
        assert!(can_be_rejected(&action));
        assert_eq!(action.thread_id.raw(), "order-42");
    }
}

#[test]
fn what_is_ambiguous_names_nothing() {
    let good = sealed();
    for source in [
        good.replace("\"id\":", "\"\\u0069d\":\"other\",\"id\":").into_bytes(),
        good.replace("\"thread_id\":\"order-42\"", "\"thread_id\":7").into_bytes(),
        good.replace("\"idempotency_key\":\"aap", "\"idempotency_key\":\"a p").into_bytes(),
        good.replace('}', "").into_bytes(),
        format!("{good} x").into_bytes(),
        good.replace("order-42", r"\ud800").into_bytes(),
        [good.as_bytes(), b"\xff"].concat(),
        b"[]".to_vec(),
        b"hello".to_vec(),
    ] {
        let action = unreadable(&source);
        assert!(!can_be_rejected(&action), "{}", action.payload());
        assert_eq!(action.id, format!("unreadable:{}", Digest::of(&source)));
        assert!(is_id(&action.id));
        assert_eq!(action.idempotency_key, "");
    }
}

#[test]
fn an_unreadable_text_is_searched_too() {
    let action = unreadable("{\"a\": \u{202e}\u{1b}".as_bytes());
    assert_eq!((action.hidden_characters(), action.risk), (2, Risk::Unreadable));
}
