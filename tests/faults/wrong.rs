//! Clients that are wrong on purpose, one bug each. The checker must catch every one of them, and must have nothing to say
//! of the same client without a bug: a checker that cannot fail proves nothing.

use crate::aegis::checker::Standing;
use crate::aegis::{
    Act, AegisServer, Claim, Conflicts, KEY, Ledger, Lie, Reply, Script, StatusCall, Step, check,
};
use aegis_console::client::http::{HttpTransport, Request, Response};
use aegis_console::client::{Bytes, Transport as _, TransportError};
use aegis_console::domain::Verdict;
use aegis_console::domain::Verdict::{Approve, Reject};
use serde_json::Value;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_millis(400);
const DEADLINE: Duration = Duration::from_secs(4);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// Every try has a key of its own.
    NewKeys,
    /// Every try has a request id of its own.
    NewRequestIds,
    /// The body says which try it is.
    OtherBytes,
    /// The second try rejects.
    OtherVerdict,
    /// A 409 means that it is done.
    ConflictIsSuccess,
    /// A 409 means that another did the same.
    ConflictIsSame,
    /// A 409 means that the opposite stands.
    ConflictIsOpposite,
    /// A 409 means no effect: the published README's example.
    ConflictIsRefusal,
    /// COMMITTED means that it was us.
    CommittedIsMine,
    FollowsRedirects,
    /// Any 2xx is a 202.
    AnySuccess,
    /// The first line is enough.
    HeadIsEnough,
    /// 202 is as good as COMMITTED.
    AcceptedIsCommitted,
    /// Waits for a row at work until it is FAILED, and sends again.
    SendsFailedAgain,
    /// 500 means that the processing failed.
    ErrorIsFailed,
    /// Without an answer nothing was sent.
    LostIsNotSent,
    /// The last no counts, whatever was before.
    RefusalUndoes,
    /// As that, for a quota.
    QuotaUndoes,
    /// Ends without a word.
    Silent,
    /// Ends with a word of its own.
    SaysOk,
    /// Speaks of one try only.
    HidesTries,
    /// Does not watch the clock.
    NoDeadline,
    /// Says that whoever asked has decided.
    InventsStanding,
}

struct Wrong {
    bug: Bug,
    base: String,
    request_id: String,
    tries: usize,
    maybe: bool,
}

enum Yield {
    Answer(u16, Value),
    Lost,
    NotSent,
}

impl Wrong {
    async fn approve(bug: Bug, base: &str) -> Option<Claim> {
        let request_id = Uuid::new_v4().to_string();
        let mut wrong = Self { bug, base: base.to_owned(), request_id, tries: 0, maybe: false };
        let (outcome, standing) = wrong.carry_out().await?;
        Some(Claim {
            verdict: Approve,
            key: KEY.into(),
            request_id: wrong.request_id,
            outcome: if bug == Bug::SaysOk { "ok".into() } else { outcome.into() },
            http_status: None,
            tries: if bug == Bug::HidesTries { 1 } else { wrong.tries },
            standing,
        })
    }

    async fn carry_out(&mut self) -> Option<(&'static str, Option<Standing>)> {
        let bug = self.bug;
        while self.tries < 4 {
            self.tries += 1;
            if bug == Bug::NewRequestIds {
                self.request_id = Uuid::new_v4().to_string();
            }
            match self.send().await {
                Yield::Answer(202, _) if bug == Bug::AcceptedIsCommitted => return Some(("committed", None)),
                Yield::Answer(202, _) => return Some(("accepted", None)),
                Yield::Answer(200..=299, _) if bug == Bug::AnySuccess => return Some(("accepted", None)),
                Yield::Answer(409, body) => match self.conflict(&body).await {
                    Some(end) => return Some(end),
                    None => continue,
                },
                Yield::Answer(code @ (300..=407 | 410..=499), _) => {
                    let word = if code == 429 { "quota" } else { "refused" };
                    let undoes = bug == Bug::RefusalUndoes || bug == Bug::QuotaUndoes;
                    return Some((if self.maybe && !undoes { "unconfirmed" } else { word }, None));
                }
                Yield::Answer(500..=599, _) if bug == Bug::ErrorIsFailed => return Some(("failed", None)),
                Yield::Answer(..) | Yield::Lost => self.maybe = true,
                Yield::NotSent => {}
            }
            tokio::time::sleep(Duration::from_millis(if bug == Bug::NoDeadline { 2_000 } else { 20 })).await;
        }
        match bug {
            Bug::Silent => None,
            Bug::LostIsNotSent => Some(("not_sent", None)),
            _ => Some((if self.maybe { "unconfirmed" } else { "not_sent" }, None)),
        }
    }

    /// What a 409 means; `None` where it is sent again.
    async fn conflict(&self, body: &Value) -> Option<(&'static str, Option<Standing>)> {
        let text = |name: &str| body["decision"][name].as_str().map(str::to_owned);
        let verdict = text("verdict").and_then(|word| word.parse::<Verdict>().ok());
        let (id, status) = (text("request_id"), text("status"));
        let word = match self.bug {
            Bug::ConflictIsSuccess => "accepted",
            Bug::ConflictIsSame => "same",
            Bug::ConflictIsOpposite => "conflict",
            Bug::ConflictIsRefusal => "refused",
            Bug::CommittedIsMine if self.status().await.as_deref() == Some("COMMITTED") => "mine",
            Bug::InventsStanding => {
                return Some((
                    "unknown",
                    Some((Some(Approve), Some(self.request_id.clone()), Some("me".into()))),
                ));
            }
            Bug::SendsFailedAgain if status.as_deref() == Some("PENDING") => {
                while self.status().await.as_deref() != Some("FAILED") {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                return None;
            }
            _ => match (id, verdict, status.as_deref()) {
                (_, _, Some("PENDING")) => "in_progress",
                (_, _, Some("FAILED")) => "failed",
                (Some(id), _, _) if id == self.request_id => "mine",
                (Some(_), Some(Approve), _) => "same",
                (Some(_), Some(Reject), _) => "conflict",
                _ => "unknown",
            },
        };
        Some((word, None))
    }

    async fn send(&self) -> Yield {
        let verdict = if self.bug == Bug::OtherVerdict && self.tries > 1 { Reject } else { Approve };
        let key = if self.bug == Bug::NewKeys { format!("{KEY}-{}", self.tries) } else { KEY.into() };
        let number = if self.bug == Bug::OtherBytes { self.tries } else { 0 };
        let request = |base: &str| {
            let request = Request::post(format!("{base}/api/v1/hitl/{}", verdict.word()))
                .header("Tenant-Id", "acme")
                .header("Thread-Id", "order-42")
                .header("Idempotency-Key", &key)
                .header("X-Request-Id", &self.request_id);
            request.body(Bytes::from(format!(r#"{{"try":{number}}}"#))).unwrap()
        };
        if self.bug == Bug::HeadIsEnough {
            return self.first_line(&request(&self.base)).await;
        }
        match self.exchange(request(&self.base)).await {
            Ok(answer) if self.bug == Bug::FollowsRedirects && answer.status().is_redirection() => {
                let location = answer.headers()["location"].to_str().unwrap();
                let elsewhere = location.split("/api/").next().unwrap();
                yielded(self.exchange(request(elsewhere)).await)
            }
            answer => yielded(answer),
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let transport = HttpTransport::new(&self.base.parse().unwrap(), TIMEOUT).unwrap();
        transport.send(request, TIMEOUT).await
    }

    async fn status(&self) -> Option<String> {
        let url = format!("{}/api/v1/hitl/status/{}", self.base, self.request_id);
        let answer = self.exchange(Request::get(url).body(Bytes::new()).unwrap()).await.ok()?;
        let body: Value = serde_json::from_slice(answer.body()).ok()?;
        Some(body["status"].as_str()?.to_owned())
    }

    async fn first_line(&self, request: &Request<Bytes>) -> Yield {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream =
            tokio::net::TcpStream::connect(request.uri().authority().unwrap().as_str()).await.unwrap();
        let headers =
            request.headers().iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
        let (path, body) = (request.uri().path(), request.body());
        let head = format!("POST {path} HTTP/1.1\r\n{}", headers.collect::<String>());
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut line = [0; 12];
        match stream.read_exact(&mut line).await {
            Ok(_) => Yield::Answer(std::str::from_utf8(&line[9..]).unwrap().parse().unwrap(), Value::Null),
            Err(_) => Yield::Lost,
        }
    }
}

fn yielded(answer: Result<Response<Bytes>, TransportError>) -> Yield {
    match answer {
        Ok(answer) => {
            let body = serde_json::from_slice(answer.body()).unwrap_or_default();
            Yield::Answer(answer.status().as_u16(), body)
        }
        Err(error) if error.class == aegis_console::client::TransportClass::NotSent => Yield::NotSent,
        Err(_) => Yield::Lost,
    }
}

async fn lies(bug: Bug, script: Script) -> (Vec<Lie>, Ledger) {
    let elsewhere = AegisServer::start(Script::new([]));
    let server = AegisServer::start_with(script, elsewhere.url.clone());
    let started = Instant::now();
    let claim = Wrong::approve(bug, &server.url).await;
    let took = started.elapsed();
    let ledger = server.settled().await;
    (check(&ledger, Some(&elsewhere.ledger()), claim.as_ref(), took, DEADLINE), ledger)
}

fn whole(status: u16) -> Reply {
    Reply::Whole(status, String::new(), b"{}".to_vec())
}

/// The bug, a script on which it shows, and what the checker must say.
fn bugs() -> Vec<(Bug, Script, Lie)> {
    let lost = || Step::new(Act::Decide, Reply::Reset);
    let nothing = |reply| Step::new(Act::Nothing, reply);
    let then_always = |first, rest| Script { rest: nothing(whole(rest)), ..Script::new([first]) };
    let natural = || Script::new([]);
    let rejected = || natural().before(Reject, Act::Decide);
    let swept = Act::Swept { effect: true, after: Duration::from_millis(300) };
    vec![
        (Bug::NewKeys, Script::new([lost()]), Lie::Twice),
        (Bug::NewKeys, Script::new([nothing(Reply::Reset)]), Lie::OtherKey),
        (Bug::NewRequestIds, Script::new([lost()]), Lie::OtherRequestId),
        (Bug::OtherBytes, Script::new([lost()]), Lie::OtherBytes),
        (Bug::OtherVerdict, Script::new([nothing(Reply::Reset)]), Lie::OtherBytes),
        (Bug::ConflictIsSuccess, rejected(), Lie::NotTaken),
        (Bug::ConflictIsSame, rejected(), Lie::NotSame),
        (Bug::ConflictIsSame, Script::new([lost()]), Lie::NotSame),
        (Bug::ConflictIsOpposite, natural().before(Approve, Act::Decide), Lie::NotConflict),
        (Bug::ConflictIsOpposite, Script::new([lost()]), Lie::NotConflict),
        (Bug::ConflictIsRefusal, Script::new([lost()]), Lie::HadEffect),
        (
            Bug::CommittedIsMine,
            natural().before(Approve, Act::Decide).setting(StatusCall::Minimal, Conflicts::Bare),
            Lie::NotExecuted,
        ),
        (Bug::FollowsRedirects, Script::always(nothing(Reply::Redirect(307))), Lie::Elsewhere),
        (Bug::FollowsRedirects, Script::always(nothing(Reply::Redirect(307))), Lie::NotTaken),
        (Bug::AnySuccess, Script::always(nothing(whole(200))), Lie::NotTaken),
        (
            Bug::HeadIsEnough,
            Script::new([nothing(Reply::Bytes(b"HTTP/1.1 202 Accepted\r\nContent-Le".to_vec()))]),
            Lie::NotTaken,
        ),
        (
            Bug::AcceptedIsCommitted,
            Script::new([Step::new(Act::Orphan { effect: false }, whole(202))]),
            Lie::NotExecuted,
        ),
        (Bug::SendsFailedAgain, Script::new([Step::new(swept, Reply::Reset)]), Lie::Twice),
        (Bug::ErrorIsFailed, Script::new([Step::new(Act::Decide, whole(500))]), Lie::NotFailed),
        (Bug::LostIsNotSent, Script::always(nothing(Reply::Reset)), Lie::SomethingCame),
        (Bug::LostIsNotSent, Script::always(Step::cut_request(1)), Lie::SomethingCame),
        (Bug::RefusalUndoes, then_always(lost(), 401), Lie::HadEffect),
        (Bug::QuotaUndoes, then_always(Step::new(Act::Decide, whole(500)), 429), Lie::HadEffect),
        // The refusal is true when it is said, and a lie when the first try comes in.
        (Bug::RefusalUndoes, then_always(Step::natural().late(900), 401), Lie::HadEffect),
        (Bug::Silent, Script::always(nothing(whole(500))), Lie::Silent),
        (Bug::SaysOk, natural(), Lie::NoWord),
        (Bug::HidesTries, Script::new([lost()]), Lie::HiddenTries),
        (Bug::NoDeadline, Script::always(nothing(whole(500))), Lie::Late),
        (Bug::InventsStanding, rejected(), Lie::OtherStanding),
    ]
}

#[tokio::test]
async fn each_wrong_client_is_caught() {
    for (bug, script, lie) in bugs() {
        let (lies, ledger) = lies(bug, script).await;
        assert!(lies.contains(&lie), "{bug:?} was not caught as {lie:?}, only as {lies:?}: {ledger:?}");
    }
}

#[tokio::test]
async fn the_same_client_without_its_bug_is_not() {
    for (bug, script, _) in bugs() {
        let (lies, ledger) = lies(Bug::None, script).await;
        assert!(lies.is_empty(), "on the script of {bug:?}: {lies:?}: {ledger:?}");
    }
}

#[test]
fn there_is_a_wrong_client_for_every_rule() {
    let caught: HashSet<_> = bugs().into_iter().map(|(_, _, lie)| lie).collect();
    let never: Vec<_> = Lie::ALL.iter().filter(|lie| !caught.contains(lie)).collect();
    assert!(never.is_empty(), "{never:?}");
}
