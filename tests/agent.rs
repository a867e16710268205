//! The agents' side over real HTTP, against a scripted provider and against our own gateway: only one thing in the world
//! means yes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/flood.rs"]
#[allow(dead_code, reason = "each test binary uses some of it")]
mod flood;
#[path = "support/reviewing.rs"]
mod reviewing;

use aegis_console::agent::{AapClient, AapError, Answer, Asked, Gate, RequestState, Status, Submission};
use aegis_console::client::AegisClient;
use aegis_console::domain::{Digest, Untrusted, Verdict};
use aegis_console::gateway::{Config, Gateway};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use flood::{Flood, LONG};
use reviewing::Reviewer;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ID: &str = "0197a1b2-0000-7000-8000-000000000001";
const TIMES: &str =
    r#""created_at":"2026-11-23T12:00:00.000000Z","deadline_at":"2999-11-23T12:10:00.000000Z""#;
const APPROVED: &str = r#""status":"approved","decision":{"status":"approved","decided_at":"2026-11-23T12:01:00Z","expires_at":"2999-01-01T00:00:00Z"}"#;

/// One call as the provider saw it: `POST /v1/requests`, its key, its body.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    line: String,
    key: Option<String>,
    body: String,
}

#[derive(Clone, Default)]
struct Provider {
    script: Arc<Mutex<VecDeque<(u16, String)>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Provider {
    /// Answers with the script's entries in order; then the last one again and again, and to a withdrawal at any time.
    async fn start(script: Vec<(u16, String)>) -> (Self, String) {
        let provider = Self { script: Arc::new(Mutex::new(script.into())), ..Self::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/aap", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (provider, url)
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

async fn answer(
    State(provider): State<Provider>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(header::HeaderName, String); 2], String) {
    assert_eq!(headers[header::AUTHORIZATION], "Bearer s3cret");
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    let line = format!("{method} {}", uri.path_and_query().unwrap())
        .replace("/aap/v1/requests", "")
        .replace(ID, "ID");
    let body = String::from_utf8(body.to_vec()).unwrap();
    provider.calls.lock().unwrap().push(Call { line, key, body });
    let mut script = provider.script.lock().unwrap();
    let (status, text) = match script.len() {
        _ if method == Method::DELETE => script.back().cloned(),
        1 => script.front().cloned(),
        _ => script.pop_front(),
    }
    .unwrap();
    let location = (header::LOCATION, "/elsewhere".to_owned());
    let after = (header::RETRY_AFTER, text.strip_prefix("after ").unwrap_or_default().to_owned());
    (StatusCode::from_u16(status).unwrap(), [location, after], text)
}

fn wish() -> Submission {
    Submission::new("send_email", r#"{"to":"a@b.example","amount":1.10,"n":9007199254740993,"x":1e400}"#)
        .unwrap()
        .server("gmail")
        .timeout("5m")
        .reasoning("asked \"twice\"\n")
        .context(r#"{"thread_id":"order-42","risk":"high"}"#)
        .unwrap()
}

/// The request as a provider answers it: the submission echoed, and these members.
fn echo(more: &str) -> String {
    let body = wish().body();
    format!(r#"{},"id":"{ID}",{TIMES},{more}}}"#, body.strip_suffix('}').unwrap())
}

fn pending() -> String {
    echo(r#""status":"pending""#)
}

fn consumed() -> String {
    echo(&format!(r#"{APPROVED},"consumption":{{"consumed_at":"2026-11-23T12:02:00Z"}}"#))
}

fn conflict(code: &str) -> (u16, String) {
    (409, format!(r#"{{"error":{{"type":"conflict","code":"{code}","message":"no","request_id":"{ID}"}}}}"#))
}

fn client(url: &str) -> AapClient {
    AapClient::new(url, "s3cret").unwrap().retry_budget(Duration::from_millis(900))
}

async fn check(script: Vec<(u16, String)>) -> (Answer, Vec<Call>) {
    let (provider, url) = Provider::start(script).await;
    let answer = Gate::new(client(&url)).check(&wish(), "run-7:call-3").await;
    (answer, provider.calls())
}

#[tokio::test]
async fn approved_and_taken_once_is_the_only_yes() {
    let script = vec![
        (503, "<html>".into()),
        (429, String::new()),
        (201, pending()),
        (200, pending()),
        (200, echo(APPROVED)),
        (502, String::new()),
        (200, consumed()),
        (200, consumed()),
    ];
    let (provider, url) = Provider::start(script).await;
    let Answer::Allowed(approval) = Gate::new(client(&url)).check(&wish(), "run-7:call-3").await else {
        panic!("not allowed")
    };
    approval.report(Status::Failed, Some("it \"broke\"")).await.unwrap();
    let calls = provider.calls();
    let lines: Vec<_> = calls.iter().map(|call| call.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST ",
            "POST ",
            "POST ",
            "GET /ID?wait=25s",
            "GET /ID?wait=25s",
            "POST /ID/consume",
            "POST /ID/consume",
            "POST /ID/outcome"
        ]
    );
    let digest = Digest::of(format!("run-7:call-3\0{}", wish().body()).as_bytes());
    assert_eq!(calls[0].key, Some(digest.to_string()), "the same for the same call, for no other");
    assert_eq!(calls[0].body, wish().body());
    assert_eq!([&calls[1], &calls[2]], [&calls[0], &calls[0]], "a retry differs in nothing");
    assert_eq!(calls[5], calls[6], "a retried consume has the same key");
    assert!(calls[5].key.is_some());
    assert_eq!(calls[7].body, r#"{"status":"failed","note":"it \"broke\""}"#);
}

#[tokio::test]
async fn a_no_is_a_no_with_its_reason() {
    let decided = |status: &str, more: &str| {
        echo(&format!(
            r#""status":"{status}","decision":{{"status":"{status}","decided_at":"2026-11-23T12:01:00Z"{more}}}"#
        ))
    };
    let (answer, _) =
        check(vec![(201, pending()), (200, decided("denied", r#","note":"no\u001b[2J mails""#))]).await;
    assert!(
        matches!(&answer, Answer::Denied { reason: Some(reason), .. } if reason.raw() == "no\u{1b}[2J mails")
    );
    assert_eq!(answer.words(), "A reviewer denied this call: no␛[2J mails");
    let (answer, _) = check(vec![(201, decided("denied", ""))]).await;
    assert!(matches!(answer, Answer::Denied { reason: None, .. }));
    let (answer, _) = check(vec![(201, decided("expired", ""))]).await;
    assert!(matches!(answer, Answer::Expired { .. }));
    let (answer, _) = check(vec![(201, decided("cancelled", ""))]).await;
    assert!(matches!(answer, Answer::Cancelled { .. }));
}

/// Where our clock is ahead, every new request is past its deadline here; the provider goes on waiting.
#[tokio::test]
async fn what_is_undecided_after_its_deadline_here_is_withdrawn_and_has_expired() {
    let cancelled =
        echo(r#""status":"cancelled","decision":{"status":"cancelled","decided_at":"2026-11-23T12:01:00Z"}"#);
    let past = |text: &str| text.replace("2026-11-23", "2020-01-01").replace("2999-11-23", "2020-01-01");
    // More than can be asked for before it is withdrawn, which the last entry answers.
    let mut script = vec![(201, past(&pending()))];
    script.extend((0..100).map(|_| (200, past(&pending()))));
    script.push((200, past(&cancelled)));
    let (_, url) = Provider::start(script.clone()).await;
    let (gate, submission) = (Gate::new(client(&url)), wish());
    let within = gate.check_within(&submission, "k", Duration::from_secs(60), std::future::pending(), |_| ());
    let ((answer, calls), within) = tokio::join!(check(script), within);
    assert!(matches!(answer, Answer::Expired { .. }), "{answer:?}");
    assert_eq!(calls.last().unwrap().line, "DELETE /ID");
    assert!(matches!(within, Answer::Expired { .. }), "{within:?}");
    // There is time: somebody else withdrew it.
    let (answer, _) = check(vec![(201, pending()), (200, cancelled)]).await;
    assert!(matches!(answer, Answer::Cancelled { .. }), "{answer:?}");
}

#[tokio::test]
async fn an_approval_that_is_gone_runs_nothing() {
    let (answer, _) = check(vec![(200, consumed())]).await;
    assert!(matches!(answer, Answer::AlreadyConsumed { .. }));
    let (answer, _) = check(vec![(201, echo(APPROVED)), conflict("already_consumed")]).await;
    assert!(matches!(answer, Answer::AlreadyConsumed { .. }));
    let (answer, _) = check(vec![(201, echo(APPROVED)), conflict("approval_expired")]).await;
    assert!(matches!(answer, Answer::Expired { .. }));
    let past =
        APPROVED.replace("2999-01-01", "2026-11-24").replace("2026-11-23T12:01:00Z", "2020-01-01T00:00:00Z");
    let past = echo(&past)
        .replace("2026-11-24", "2020-01-02")
        .replace("2026-11-23T12:00:00.000000Z", "2019-01-01T00:00:00Z");
    let (answer, calls) = check(vec![(201, past)]).await;
    assert!(matches!(answer, Answer::Expired { .. }), "{answer:?}");
    assert_eq!(calls.len(), 1, "nothing is consumed");
}

#[tokio::test]
async fn an_answer_about_anything_else_is_an_error() {
    for (what, wrong) in [
        ("another argument", pending().replace("a@b.example", "c@b.example")),
        ("a number written otherwise", pending().replace("1.10", "1.1")),
        ("a number rounded", pending().replace("9007199254740993", "9007199254740992")),
        ("another tool", pending().replace("send_email", "Bash")),
        ("another context", pending().replace("order-42", "order-43")),
        ("no context", pending().replace(r#","context":{"thread_id":"order-42","risk":"high"}"#, "")),
        ("no server", pending().replace(r#","server":"gmail""#, "")),
        ("an unknown field", echo(r#""status":"pending","extra":1"#)),
        ("a null", echo(r#""status":"pending","decision":null"#)),
        ("a duplicate key", echo(r#""status":"pending","status":"approved""#)),
        ("an approval without an end", echo(APPROVED).replace(r#","expires_at":"2999-01-01T00:00:00Z""#, "")),
        ("two statuses", echo(&APPROVED.replacen("approved", "denied", 1))),
        ("an unknown status", echo(r#""status":"maybe""#)),
        ("a time with an offset", pending().replace("12:00:00.000000Z", "12:00:00+00:00")),
        ("no JSON", "<html>it works</html>".into()),
    ] {
        let (answer, calls) = check(vec![(201, wrong)]).await;
        assert!(matches!(answer, Answer::Error { error: AapError::Broken(_), .. }), "{what}: {answer:?}");
        assert_eq!(calls.len(), 1, "{what}");
    }
    // Right at first, another one while waiting or taking it.
    let other = "0197a1b2-0000-7000-8000-000000000002";
    for script in [
        vec![(201, pending()), (200, echo(APPROVED).replace(ID, other))],
        vec![(201, echo(APPROVED)), (200, consumed().replace("a@b.example", "c@b.example"))],
        vec![(201, echo(APPROVED)), (200, echo(APPROVED))],
    ] {
        let (answer, _) = check(script).await;
        assert!(
            matches!(answer, Answer::Error { request_id: Some(_), error: AapError::Broken(_) }),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_refuses_is_not_asked_again() {
    for (status, expected) in [
        (401, AapError::CredentialRefused(401)),
        (403, AapError::CredentialRefused(403)),
        (404, AapError::NotFound),
        (307, AapError::Refused { status: 307, message: None }),
        (202, AapError::Refused { status: 202, message: None }),
    ] {
        let (answer, calls) = check(vec![(status, "{}".into())]).await;
        assert!(matches!(&answer, Answer::Error { error, .. } if *error == expected), "{status}: {answer:?}");
        assert_eq!(calls.len(), 1, "{status}");
    }
    let paused = r#"{"error":{"type":"forbidden","code":"agent_paused","message":"x","request_id":"r"}}"#;
    let (answer, calls) = check(vec![(403, paused.into())]).await;
    assert!(matches!(&answer, Answer::Error { error: AapError::Paused, .. }), "{answer:?}");
    assert!(answer.words().contains("paused") && calls.len() == 1, "{}", answer.words());
    let (answer, calls) = check(vec![conflict("idempotency_conflict")]).await;
    assert!(answer.words().contains("idempotency_conflict"), "{}", answer.words());
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn no_provider_is_a_no_within_the_budget() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/aap", listener.local_addr().unwrap());
    drop(listener);
    let answer = Gate::new(client(&url)).check(&wish(), "k").await;
    assert!(
        matches!(&answer, Answer::Error { request_id: None, error: AapError::Unreachable(_) }),
        "{answer:?}"
    );
    let (answer, calls) = check(vec![(500, String::new())]).await;
    assert!(answer.words().contains("HTTP 500"), "{}", answer.words());
    assert!(calls.len() > 2, "tried again until the budget was used up");
}

/// A time that no clock has is not waited for, and does not end the task that asks either: then nobody would say no.
#[tokio::test]
async fn a_provider_that_puts_it_off_for_ever_is_a_no() {
    for after in ["18446744073709551615", "9223372036854775807"] {
        let (answer, calls) = check(vec![(429, format!("after {after}"))]).await;
        assert!(
            matches!(&answer, Answer::Error { request_id: None, error: AapError::Unreachable(_) }),
            "{after}: {answer:?}"
        );
        assert_eq!(calls.len(), 1, "{after}");
    }
}

/// Longer than one call goes on trying.
#[tokio::test]
async fn a_provider_that_is_away_ends_no_wait_and_loses_no_approval() {
    let away = || (503, String::new());
    let mut script = vec![(201, pending())];
    script.extend((0..5).map(|_| away()));
    script.push((200, echo(APPROVED)));
    script.extend((0..5).map(|_| away()));
    script.push((200, consumed()));
    let (answer, calls) = check(script).await;
    assert!(matches!(answer, Answer::Allowed(_)), "{answer:?}");
    let takes: Vec<_> = calls.iter().filter(|call| call.line == "POST /ID/consume").collect();
    assert!(takes.len() == 6 && takes.iter().all(|call| *call == takes[0]), "under one key: {takes:?}");
}

#[tokio::test]
async fn withdrawing_is_heard() {
    let cancelled =
        echo(r#""status":"cancelled","decision":{"status":"cancelled","decided_at":"2026-11-23T12:01:00Z"}"#);
    let (provider, url) = Provider::start(vec![(201, pending()), (200, cancelled)]).await;
    let asked = Gate::new(client(&url)).ask(&wish(), "k").await.unwrap();
    asked.withdraw().await.unwrap();
    assert_eq!(provider.calls()[1].line, "DELETE /ID");
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_is_sent() {
    for url in [
        "nonsense",
        "http://gate.acme.example/aap",
        "ftp://127.0.0.1/aap",
        "https://u:p4ss@gate.example/aap",
        "https://gate.example/aap?x=1",
    ] {
        let error = AapClient::new(url, "t").unwrap_err();
        assert!(matches!(error, AapError::Url(_)) && !error.to_string().contains("p4ss"), "{url}: {error}");
    }
    for token in ["", "a\nb"] {
        assert_eq!(AapClient::new("https://gate.example", token).unwrap_err(), AapError::Token);
    }
    assert!(!format!("{:?}", client("http://127.0.0.1:1/aap")).contains("s3cret"));
    assert!(Submission::new("t", "[]").is_err() && Submission::new("t", r#"{"a":1,"a":2}"#).is_err());
    assert!(Submission::new("", "{}").is_err() && Submission::new("t", "{}").unwrap().context("1").is_err());
}

#[tokio::test]
async fn interim_answers_without_end_hold_up_nothing_else() {
    let flood = Flood::start();
    let client = AapClient::new(&format!("{}/aap", flood.url), "s3cret").unwrap();
    let asks = async move { client.get(ID.parse().unwrap(), Duration::ZERO).await };
    let asks = tokio::spawn(asks);
    let ((), held) = flood.beside(flood.is_taken()).await;
    assert!(held < LONG, "{held} bytes were read and nothing else ran");
    asks.abort();
}

/// Our own gateway, an agent's gate at it, and a reviewer.
async fn gateway() -> (tempfile::TempDir, Gateway, Gate, Reviewer) {
    let data = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(Config::new(([127, 0, 0, 1], 0).into(), data.path())).await.unwrap();
    let agent = AapClient::new(&format!("{}/aap", gateway.url()), gateway.agent("mailer")).unwrap();
    let client = AegisClient::builder().base_url(gateway.url()).api_key(gateway.reviewer("dana"));
    (data, gateway, Gate::new(agent), Reviewer::new(client.build().unwrap()))
}

async fn decide(reviewer: &Reviewer, asked: &Asked, verdict: Verdict, reason: &str) {
    let entry = reviewer.entry(&asked.request().id.to_string()).await;
    let resolution = reviewer.decide(&entry.action, verdict, reason).await;
    assert!(resolution.outcome.is_ours(), "{resolution:?}");
}

#[tokio::test]
async fn our_gateway_and_our_agent_agree() {
    let (_data, gateway, gate, reviewer) = gateway().await;

    let asked = gate.ask(&wish(), "yes").await.unwrap();
    let waiting = tokio::spawn(asked.clone().answer());
    decide(&reviewer, &asked, Verdict::Approve, "go ahead").await;
    let Answer::Allowed(approval) = waiting.await.unwrap() else { panic!("not allowed") };
    assert_eq!(approval.note.as_ref().map(Untrusted::raw), Some("go ahead"));
    approval.report(Status::Succeeded, Some("sent")).await.unwrap();
    approval.report(Status::Succeeded, Some("sent")).await.unwrap();
    assert!(approval.report(Status::Failed, None).await.is_err(), "it cannot be unsaid");
    let again = gate.check(&wish(), "yes").await;
    assert!(matches!(again, Answer::AlreadyConsumed { .. }), "{again:?}");

    let asked = gate.ask(&wish(), "no").await.unwrap();
    decide(&reviewer, &asked, Verdict::Reject, "not today").await;
    let denied = asked.answer().await;
    assert!(matches!(&denied, Answer::Denied { reason: Some(reason), .. } if reason.raw() == "not today"));

    let expired = gate.check(&wish().timeout("1s"), "late").await;
    assert!(matches!(expired, Answer::Expired { .. }), "{expired:?}");

    let mut asked = gate.ask(&wish(), "never mind").await.unwrap();
    assert_eq!(asked.request().state, RequestState::Pending);
    asked.withdraw().await.unwrap();
    asked.decided().await.unwrap();
    assert!(matches!(asked.answer().await, Answer::Cancelled { .. }));

    let changed = gate.ask(&wish().timeout("2m"), "no").await.unwrap();
    assert_eq!(changed.request().state, RequestState::Pending, "another submission is asked anew");
    gateway.shutdown().await;
}

#[tokio::test]
async fn who_cannot_wait_for_ever_withdraws_what_was_asked_and_takes_no_approval() {
    let (_data, gateway, gate, _) = gateway().await;
    let never = std::future::pending::<()>;
    let mut id = None;
    let see = |request: &aegis_console::agent::Request| id = Some(request.id);
    let late = gate.check_within(&wish(), "late", Duration::from_millis(300), never(), see).await;
    assert!(matches!(late, Answer::Expired { request_id } if Some(request_id) == id), "{late:?}");
    let withdrawn = gate.ask(&wish(), "late").await.unwrap();
    assert_eq!(withdrawn.request().state, RequestState::Cancelled, "nobody can approve it any more");

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let stop = |_: &aegis_console::agent::Request| stop.send(()).unwrap();
    let wish = wish();
    let answer = gate.check_within(&wish, "stopped", Duration::from_secs(60), stopped, stop).await;
    assert!(matches!(answer, Answer::Cancelled { .. }), "{answer:?}");
    let withdrawn = gate.ask(&wish, "stopped").await.unwrap();
    assert_eq!(withdrawn.request().state, RequestState::Cancelled);

    // Stopped before the gateway has answered: what was sent arrives all the same.
    let answer = gate.check_within(&wish, "at once", Duration::from_secs(60), async {}, |_| {}).await;
    assert!(matches!(answer, Answer::Cancelled { .. }), "{answer:?}");
    let withdrawn = gate.ask(&wish, "at once").await.unwrap();
    assert_eq!(withdrawn.request().state, RequestState::Cancelled);

    let nobody = AapClient::new("http://127.0.0.1:9/aap", "s3cret").unwrap();
    let answer = Gate::new(nobody);
    let answer = answer.check_within(&wish, "k", Duration::from_millis(100), never(), |_| {}).await;
    assert!(matches!(answer, Answer::Error { request_id: None, .. }), "{answer:?}");
    gateway.shutdown().await;
}
