//! The bridge to OpenCode, between a scripted OpenCode server and our own gateway: a reviewer's yes reaches it once, every
//! no as a no, and whatever fails is never a yes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod place;
#[path = "../support/reviewing.rs"]
mod reviewing;
mod scripted;

use aegis_console::agent::opencode::{Login, OnExpiry, Server};
use aegis_console::agent::{AapClient, Gate};
use aegis_console::domain::action::Silence;
use aegis_console::domain::{ActionState, ExecutionState, Verdict};
use place::{Place, Process, Running, provider, taken, until};
use scripted::{Scripted, permission};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_goes_back_once_and_a_no_with_its_reason() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    scripted.ask(permission("per_2", "ses_b", "echo 2"));
    scripted.ask(permission("per_3", "ses_b", "echo 3"));
    let (one, two, three) =
        (place.waiting("echo 1").await, place.waiting("echo 2").await, place.waiting("echo 3").await);
    let source = one.action.source.clone().unwrap();
    assert_eq!(
        (source.name.raw(), source.reason, source.silence),
        ("opencode", true, Silence::AskedElsewhere)
    );
    assert_eq!((one.action.name.raw(), one.action.thread_id.raw()), ("bash", "ses_a"));
    assert!(one.action.payload().starts_with(r#"{"patterns":["echo 1"],"metadata":{"command":"echo 1"}"#));

    place.decide(&one, Verdict::Approve, "go ahead").await;
    assert_eq!(taken(&scripted, 1).await, [("per_1".to_owned(), json!({"reply": "once"}))]);
    place.decide(&two, Verdict::Reject, "not on a Friday").await;
    let all = taken(&scripted, 2).await;
    assert_eq!(all[1], ("per_2".to_owned(), json!({"reply": "reject", "message": "not on a Friday"})));
    // OpenCode ended the other one of that session with it.
    until("withdrawn", || async { (place.state(&three).await == ActionState::Cancelled).then_some(()) })
        .await;
    bridge.says("approved, passed on").await;
    bridge.stop().await;
    let execution = place.reviewer.entry(&one.action.id).await.execution.unwrap();
    assert_eq!(execution.state, ExecutionState::Consumed, "nobody knows how the command itself ended");
    assert_eq!((scripted.taken().len(), scripted.inner().late.len()), (2, 0), "each was answered once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_in_opencode_is_withdrawn_and_a_bridge_that_ends_withdraws_and_asks_anew() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    scripted.ask(permission("per_2", "ses_b", "echo 2"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let (one, two) = (place.waiting("echo 1").await, place.waiting("echo 2").await);
    scripted.inner().pending.remove(0);
    scripted.tell("permission.replied");
    until("withdrawn", || async { (place.state(&one).await == ActionState::Cancelled).then_some(()) }).await;
    bridge.stop().await;
    assert_eq!(place.state(&two).await, ActionState::Cancelled);
    let _again = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let anew = place.waiting("echo 2").await;
    assert_ne!(anew.action.id, two.action.id);
    place.decide(&anew, Verdict::Approve, "").await;
    assert_eq!(taken(&scripted, 1).await, [("per_2".to_owned(), json!({"reply": "once"}))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_a_no_unless_it_is_left_to_opencode() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "1s");
    let told = json!({"reply": "reject", "message": "nobody decided in time"});
    assert_eq!(taken(&scripted, 1).await, [("per_1".to_owned(), told)]);
    bridge.stop().await;
    scripted.ask(permission("per_2", "ses_a", "echo 2"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Leave, "1s");
    bridge.says("left to OpenCode's own question").await;
    assert_eq!(scripted.taken().len(), 1);
    scripted.tell("permission.asked");
    bridge.stop().await;
    assert_eq!((scripted.taken().len(), scripted.inner().pending.len()), (1, 1), "and it is not asked again");
}

/// What a provider says of each request that is made anew, and how OpenCode is told no in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_withdrawn_again_and_again_is_a_no_in_the_end() {
    let (scripted, url) = Scripted::start().await;
    let withdrawn = r#""status":"cancelled","decision":{"status":"cancelled","decided_at":"2020-01-01T00:01:00.000000Z"}"#;
    let (gate, asked) = provider(r#""2999-01-01T00:00:00.000000Z""#, withdrawn, withdrawn).await;
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, gate, OnExpiry::Reject, "30m");
    let told = json!({"reply": "reject", "message": "every time that it was asked it was withdrawn"});
    assert_eq!(taken(&scripted, 1).await, [("per_1".to_owned(), told)]);
    assert_eq!(asked.load(Ordering::SeqCst), 100, "and no more often than that");
    bridge.stop().await;

    // Our clock is ahead: withdrawn here, as nobody decided in time, and not asked anew.
    let (gate, asked) =
        provider(r#""2020-01-01T00:30:00.000000Z""#, r#""status":"pending""#, withdrawn).await;
    scripted.ask(permission("per_2", "ses_b", "echo 2"));
    let _bridge = Running::start(&url, gate, OnExpiry::Reject, "30m");
    let told = json!({"reply": "reject", "message": "nobody decided in time"});
    assert_eq!(taken(&scripted, 2).await[1], ("per_2".to_owned(), told));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_does_not_ask_is_a_no_with_its_words() {
    let rules = "[[rule]]\nname = \"never\"\naction = \"bash\"\npayload.\"/metadata/command\" = \"echo 1\"\nrefuse = \"use staging\"\n";
    let (place, (scripted, url)) = (Place::start(rules).await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    scripted.ask(permission("per_2", "ses_b", &"x".repeat(300_000)));
    let _bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let mut all = taken(&scripted, 2).await;
    all.sort_by(|one, other| one.0.cmp(&other.0));
    for ((_, body), words) in all.iter().zip(["use staging", "cannot be asked"]) {
        assert_eq!(body["reply"], "reject");
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_was_approved_is_rejected() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let _bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let one = place.waiting("echo 1").await;
    scripted.inner().pending[0]["metadata"]["command"] = json!("rm -rf /");
    place.decide(&one, Verdict::Approve, "").await;
    let all = taken(&scripted, 1).await;
    assert_eq!((all[0].1["reply"].as_str(), all.len()), (Some("reject"), 1));
    assert!(
        place
            .reviewer
            .entry(&one.action.id)
            .await
            .execution
            .is_none_or(|execution| { execution.state == ExecutionState::Waiting }),
        "the approval was not taken"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_refusals_are_no_answer_and_nothing_that_waits_is_lost() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let one = place.waiting("echo 1").await;
    for (status, text) in [
        (200, "[{\"id\":".to_owned()),
        (200, "{}".into()),
        (200, "<html>".into()),
        (200, "[".repeat(100_000)),
        (204, String::new()),
        (302, String::new()),
        (500, "[]".into()),
        (404, "[]".into()),
    ] {
        let before = scripted.inner().listed;
        scripted.inner().list = Some((status, text.clone()));
        scripted.tell("permission.asked");
        until("it is listed", || async { (scripted.inner().listed > before).then_some(()) }).await;
        assert_eq!(place.state(&one).await, ActionState::Pending, "{status} {text}");
    }
    bridge.says("OpenCode: ").await;
    // Approved while OpenCode makes no sense: nothing is taken before it can be told.
    place.decide(&one, Verdict::Approve, "").await;
    let before = scripted.inner().listed;
    until("it is listed", || async { (scripted.inner().listed > before + 1).then_some(()) }).await;
    assert!(scripted.taken().is_empty());
    scripted.inner().list = None;
    assert_eq!(taken(&scripted, 1).await, [("per_1".to_owned(), json!({"reply": "once"}))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_said_again_and_lands_once() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.inner().loses = true;
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    let one = place.waiting("echo 1").await;
    place.decide(&one, Verdict::Approve, "").await;
    bridge.says("whether OpenCode heard it is not known").await;
    assert_eq!(scripted.taken(), [("per_1".to_owned(), json!({"reply": "once"}))]);
    let execution = place.reviewer.entry(&one.action.id).await.execution.unwrap();
    assert_eq!(execution.state, ExecutionState::Consumed, "nothing is claimed of how it went");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_down_is_no_answer() {
    let (scripted, url) = Scripted::start().await;
    let client = AapClient::new("http://127.0.0.1:9/aap", "s3cret").unwrap();
    let gate = Gate::new(client.retry_budget(Duration::ZERO));
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, gate, OnExpiry::Reject, "30m");
    bridge.says("the gateway: the provider could not be reached").await;
    bridge.stop().await;
    assert_eq!((scripted.taken().len(), scripted.inner().pending.len()), (0, 1));
    // A credential that is refused is none either.
    let place = Place::start("").await;
    let client = AapClient::new(&format!("{}/aap", place.gateway.url()), "wrong").unwrap();
    let bridge = Running::start(&url, Gate::new(client), OnExpiry::Reject, "30m");
    bridge.says("refused the agent's credential").await;
    bridge.stop().await;
    assert!(scripted.taken().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_password_is_given_it() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    scripted.inner().password = Some("Basic ZGFuYTpzM2NyZXQ=");
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let bridge = Running::start(&url, place.gate(), OnExpiry::Reject, "30m");
    bridge.says("set OPENCODE_SERVER_PASSWORD").await;
    bridge.stop().await;
    let login = Login { user: "dana".into(), password: "s3cret".into() };
    let server = Server::new(&url, Some(login), None).unwrap();
    let _bridge = Running::with(server, place.gate(), OnExpiry::Reject, "30m");
    place.waiting("echo 1").await;
    assert!(
        Server::new("http://opencode.example:4096", None, None).is_err(),
        "in the clear only on this machine"
    );
    assert!(Server::new("http://me:pw@127.0.0.1:4096", None, None).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_and_started_again_it_never_says_yes_twice_nor_to_what_was_denied() {
    let (place, (scripted, url)) = (Place::start("").await, Scripted::start().await);
    // Taken, and not told: nobody can know, so it is a no.
    scripted.ask(permission("per_1", "ses_a", "echo 1"));
    let mut bridge = Process::start(&url, &place, "after opencode taken");
    let one = place.waiting("echo 1").await;
    place.decide(&one, Verdict::Approve, "").await;
    bridge.ended().await;
    assert!(scripted.taken().is_empty());
    let bridge = Process::start(&url, &place, "");
    assert_eq!(taken(&scripted, 1).await[0].1["reply"], "reject");
    drop(bridge);

    // Told, and not reported.
    scripted.ask(permission("per_2", "ses_b", "echo 2"));
    let mut bridge = Process::start(&url, &place, "after opencode told");
    let two = place.waiting("echo 2").await;
    place.decide(&two, Verdict::Approve, "").await;
    bridge.ended().await;
    assert_eq!(taken(&scripted, 2).await[1], ("per_2".to_owned(), json!({"reply": "once"})));

    // Killed while it waits; denied while nobody is there.
    scripted.ask(permission("per_3", "ses_c", "echo 3"));
    let bridge = Process::start(&url, &place, "");
    let three = place.waiting("echo 3").await;
    drop(bridge);
    place.decide(&three, Verdict::Reject, "no").await;
    let _bridge = Process::start(&url, &place, "");
    let all = taken(&scripted, 3).await;
    assert_eq!(all[2], ("per_3".to_owned(), json!({"reply": "reject", "message": "no"})));
    assert_eq!(all.len(), 3);
    assert!(scripted.inner().late.is_empty(), "nothing was answered twice");
}
