//! Both directions of the wire, and merging.

use super::*;

fn entry() -> Queued {
    let sealed = r#"{"v":1,"id":"a","tenant_id":"t","thread_id":"h","idempotency_key":"k","agent":"g","action":"x",
        "payload":{"n":1e400},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:10:00Z"}"#;
    Queued::pending(Action::read(sealed).unwrap())
}

fn decided(verdict: Verdict) -> Queued {
    let decided_at = "2026-11-23T12:01:00Z".parse().unwrap();
    let mut entry = entry();
    entry.state = if verdict == Verdict::Approve { ActionState::Approved } else { ActionState::Rejected };
    entry.decision = Some(Decision {
        verdict,
        reviewer: "dana".into(),
        reason: Some("no\u{1b}[2J".into()),
        request_id: "r".into(),
        decided_at,
        digest: Some(entry.action.digest),
    });
    entry.execution = Some(Execution { state: ExecutionState::Consumed, note: None, at: decided_at });
    entry
}

fn read(text: &str) -> Result<Queued, UnreadableAction> {
    Queued::read(&json::parse_unique(text.as_bytes(), Limits::PAGE).unwrap())
}

#[test]
fn what_is_written_reads_back() {
    for entry in [entry(), decided(Verdict::Approve)] {
        assert_eq!(read(&entry.write()), Ok(entry));
    }
}

#[test]
fn a_digest_of_other_bytes_is_refused() {
    let text = entry().write().replace("1e400", "1e401");
    assert_eq!(read(&text), Err(UnreadableAction::DigestDiffers));
}

#[test]
fn one_bad_entry_hides_no_other() {
    let page = format!(r#"{{"actions":[{},{{"sealed":1}}],"next":"c2"}}"#, entry().write());
    let page = Queued::read_page(page.as_bytes()).unwrap();
    assert_eq!(page.next.as_deref(), Some("c2"));
    assert!(page.actions[0].is_ok() && page.actions[1].is_err());
}

#[test]
fn merging_never_goes_back() {
    let mut known = decided(Verdict::Reject);
    assert!(!known.merge(&entry()));
    assert!(!known.merge(&decided(Verdict::Approve)), "what is final stays");
    assert_eq!(known, decided(Verdict::Reject));
    let mut fresh = entry();
    assert!(fresh.merge(&known));
    assert_eq!(fresh, known);
}

#[test]
fn an_entry_that_cannot_be_read_is_shown_as_its_sealed_text_or_else_as_it_stands() {
    let seen = "2026-11-23T12:05:00Z".parse().unwrap();
    let reason = UnreadableAction::DigestDiffers;
    let text = decided(Verdict::Approve).write().replace("1e400", "1e401");
    let unreadable = Queued::unreadable(&text, &reason, seen);
    assert_eq!(unreadable.state, ActionState::Approved);
    assert!(unreadable.action.payload().starts_with("{\"v\":1") && unreadable.action.id == "a");
    for odd in [r#"{"sealed":1}"#, r#"{"sealed":"{}","sealed":"{}"}"#, "7"] {
        let unreadable = Queued::unreadable(odd, &reason, seen);
        assert_eq!((unreadable.action.payload(), unreadable.state), (odd, ActionState::Pending));
        assert_eq!(unreadable.action.unreadable.as_ref().map(|it| it.can_be_rejected), Some(false));
    }
}

/// The entry with that for its `review`.
fn with_review(review: &str) -> Result<Queued, UnreadableAction> {
    let text = entry().write();
    read(&format!("{},\"review\":{review}}}", text.strip_suffix('}').unwrap()))
}

const APPROVAL: &str = r#"{"reviewer":"alice\u001b[2J","decided_at":"2026-11-23T12:01:00Z","more":1}"#;

#[test]
fn how_far_several_reviewers_are_is_read_and_written_and_absent_elsewhere() {
    let review = format!(r#"{{"needed":3,"approvals":[{APPROVAL}],"until":"2026-11-23T12:16:00Z"}}"#);
    let queued = with_review(&review).unwrap();
    let read_back = queued.review.clone().unwrap();
    assert_eq!((read_back.needed, read_back.count()), (3, 1));
    assert_eq!(read_back.approvals[0].reviewer.raw(), "alice\u{1b}[2J");
    assert_eq!(read_back.until, "2026-11-23T12:16:00Z".parse().ok());
    assert_eq!(read(&queued.write()), Ok(queued.clone()));
    let told = r#"{"needed":2,"approvals":[{"reviewer":"a","decided_at":"2026-11-23T12:01:00Z","reason":"r"}],"until":null}"#;
    let told = with_review(told).unwrap();
    assert_eq!(told.review.as_ref().unwrap().approvals[0].reason, Some("r".into()));
    assert_eq!(read(&told.write()), Ok(told));
    assert_eq!(with_review("null").unwrap().review, None);
    assert!(!entry().write().contains("review"));
}

#[test]
fn what_is_no_review_of_several_is_refused_by_name() {
    let many = vec![APPROVAL; 1_001].join(",");
    let long = format!(r#"{{"reviewer":"{}","decided_at":"2026-11-23T12:01:00Z"}}"#, "x".repeat(257));
    for (review, field) in [
        ("7", "approvals"),
        (r#"{"needed":2}"#, "approvals"),
        (r#"{"needed":1,"approvals":[]}"#, "needed"),
        (r#"{"needed":4294967296,"approvals":[]}"#, "needed"),
        (r#"{"needed":"2","approvals":[]}"#, "needed"),
        (r#"{"approvals":[]}"#, "needed"),
        (&format!(r#"{{"needed":2,"approvals":[{many}]}}"#), "approvals"),
        (r#"{"needed":2,"approvals":[{"reviewer":"a"}]}"#, "decided_at"),
        (r#"{"needed":2,"approvals":[{"decided_at":"2026-11-23T12:01:00Z"}]}"#, "reviewer"),
        (&format!(r#"{{"needed":2,"approvals":[{long}]}}"#), "reviewer"),
        (r#"{"needed":2,"approvals":[],"until":"soon"}"#, "until"),
    ] {
        let error = with_review(review).unwrap_err();
        assert!(
            matches!(error, UnreadableAction::Wrong { field: at, .. } if at == field),
            "{review}: {error}"
        );
    }
}

#[test]
fn approvals_may_lapse_so_what_was_told_last_stands() {
    let some = |approvals: &str| {
        with_review(&format!(r#"{{"needed":2,"approvals":[{approvals}],"until":null}}"#)).unwrap()
    };
    let mut known = entry();
    assert!(known.merge(&some(APPROVAL)) && !known.merge(&some(APPROVAL)));
    assert!(!known.merge(&entry()), "who says nothing of it takes nothing back");
    assert!(known.merge(&some("")));
    assert_eq!(known.review.unwrap().count(), 0);
}

#[test]
fn a_rule_is_told_from_a_person_by_its_colon() {
    let name = |reviewer: &str| rule_name(&reviewer.into()).map(|name| name.raw().to_owned());
    assert_eq!(name("rule:prod reads").as_deref(), Some("prod reads"));
    assert_eq!(name("rule"), None);
    assert_eq!(name("alice"), None);
}
