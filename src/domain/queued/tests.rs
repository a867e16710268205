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
