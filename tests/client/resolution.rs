//! What is said of a decision is never more than is known: 409s, lost answers, and what is no 202.

use crate::script::{Answer, Script, body, client, status};
use aegis_console::domain::{Outcome, Resolution, Verdict};

const OTHER: &str = "11111111-2222-4333-8444-555555555555";

async fn approve(
    decisions: impl Into<std::collections::VecDeque<Answer>>,
    looks: Vec<Answer>,
) -> (Resolution, usize) {
    let script = Script::new(decisions, looks);
    // The scripted looks say MINE; a status call bears no X-Request-Id, so the id is put in here.
    let id = uuid::Uuid::new_v4();
    script.name_mine(&id.to_string());
    let resolution = client(&script).approve("k").request_id(id).send().await.unwrap();
    (resolution, script.posts().len())
}

fn decision(request_id: &str, verdict: &str, status: &str) -> String {
    format!(
        r#"{{"type":"about:blank","title":"Conflict","status":409,"detail":"decided",
            "decision":{{"verdict":"{verdict}","reviewer":"alice","request_id":"{request_id}",
            "decided_at":"2026-11-23T12:03:11Z","status":"{status}"}}}}"#
    )
}

fn row(request_id: &str, verdict: &str, status: &str) -> String {
    format!(r#"{{"request_id":"{request_id}","verdict":"{verdict}","status":"{status}","reviewer":"alice"}}"#)
}

#[tokio::test(start_paused = true)]
async fn a_409_that_names_the_decision_needs_no_look() {
    for (request_id, verdict, outcome) in [
        ("MINE", "approve", Outcome::Mine),
        (OTHER, "approve", Outcome::Same),
        (OTHER, "reject", Outcome::Conflict),
    ] {
        let (resolution, posts) =
            approve([body(409, decision(request_id, verdict, "COMMITTED"))], vec![Answer::Hang]).await;
        assert_eq!((&resolution.outcome, posts), (&outcome, 1));
        let standing = resolution.standing.unwrap();
        assert_eq!(standing.reviewer.unwrap().raw(), "alice");
        assert_eq!(standing.verdict, verdict.parse::<Verdict>().ok());
        assert_eq!(resolution.detail.unwrap().raw(), "decided");
        assert_eq!(resolution.http_status, Some(409));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_409_is_asked_after_and_never_called_success() {
    for bare in
        ["", "<html>409</html>", r#"{"error":"duplicate"}"#, r#"{"request_id":"MINE"}"#, "\u{1b}]0;x\u{7}"]
    {
        for (look, outcome) in [
            (body(200, row("MINE", "approve", "COMMITTED")), Outcome::Mine),
            (body(200, row(OTHER, "approve", "COMMITTED")), Outcome::Same),
            (body(200, row(OTHER, "reject", "COMMITTED")), Outcome::Conflict),
            (body(200, row("MINE", "approve", "FAILED")), Outcome::Failed),
            (body(200, r#"{"status":"COMMITTED"}"#), Outcome::Unknown),
            (body(200, "<html>COMMITTED</html>"), Outcome::Unknown),
            (body(404, row("MINE", "approve", "COMMITTED")), Outcome::Unknown),
            (body(202, row("MINE", "approve", "COMMITTED")), Outcome::Unknown),
            (status(503), Outcome::Unknown),
            (Answer::Hang, Outcome::Unknown),
            (Answer::Lost, Outcome::Unknown),
        ] {
            let (resolution, posts) = approve([body(409, bare)], vec![look.clone()]).await;
            assert_eq!((&resolution.outcome, posts), (&outcome, 1), "{bare:?} {look:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_before_anything_is_sent_again() {
    for (look, outcome, posts) in [
        (body(200, row("MINE", "approve", "COMMITTED")), Outcome::Mine, 1),
        (body(200, row(OTHER, "approve", "COMMITTED")), Outcome::Same, 1),
        (body(200, row(OTHER, "reject", "COMMITTED")), Outcome::Conflict, 1),
        // Sent again by itself it could be carried out twice.
        (body(200, row("MINE", "approve", "FAILED")), Outcome::Failed, 1),
        (body(200, r#"{"status":"FAILED"}"#), Outcome::Failed, 1),
        (status(404), Outcome::Committed, 2),
        (status(503), Outcome::Committed, 2),
        (Answer::Hang, Outcome::Committed, 2),
        (body(200, r#"{"status":"COMMITTED"}"#), Outcome::Committed, 2),
    ] {
        let decisions = [Answer::Lost, body(202, r#"{"status":"COMMITTED"}"#)];
        let (resolution, sent) = approve(decisions, vec![look.clone()]).await;
        assert_eq!((&resolution.outcome, sent), (&outcome, posts), "{look:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_that_ends_in_a_409() {
    for (conflict, outcome) in [
        (decision("MINE", "approve", "COMMITTED"), Outcome::Mine),
        (decision(OTHER, "approve", "COMMITTED"), Outcome::Same),
        (decision(OTHER, "reject", "COMMITTED"), Outcome::Conflict),
        // Ours or another's: not said, so not claimed.
        (r#"{"decision":"approved"}"#.into(), Outcome::Unknown),
        (r#"{"decision":"rejected"}"#.into(), Outcome::Conflict),
        (String::new(), Outcome::Unknown),
    ] {
        let (resolution, posts) = approve([Answer::Lost, body(409, &conflict)], vec![status(404)]).await;
        assert_eq!((&resolution.outcome, posts), (&outcome, 2), "{conflict}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_later_refusal_undoes_a_doubt() {
    for refusal in [status(401), status(422), status(429), status(307), Answer::NotSent] {
        for doubt in [Answer::Lost, status(500)] {
            let (resolution, _) = approve([doubt.clone(), refusal.clone()], vec![status(404)]).await;
            assert_eq!(resolution.outcome, Outcome::Unconfirmed, "{doubt:?} then {refusal:?}");
            let looks = vec![status(404), body(200, row("MINE", "approve", "COMMITTED"))];
            let (resolution, _) = approve([doubt.clone(), refusal.clone()], looks).await;
            let proven = [Outcome::Mine, Outcome::Unconfirmed];
            assert!(proven.contains(&resolution.outcome), "{doubt:?} then {refusal:?}: {resolution:?}");
        }
        let (resolution, _) = approve([refusal.clone()], vec![Answer::Hang]).await;
        assert!(!matches!(resolution.outcome, Outcome::Unconfirmed), "without a doubt: {refusal:?}");
    }
    // Lost, looked for in vain, refused, and then found.
    let looks = vec![status(404), body(200, row("MINE", "approve", "COMMITTED"))];
    assert_eq!(approve([Answer::Lost, status(401)], looks).await.0.outcome, Outcome::Mine);
}

#[tokio::test(start_paused = true)]
async fn a_row_at_work_is_watched_and_nothing_is_sent_again() {
    let pending = || body(200, r#"{"status":"PENDING"}"#);
    for (last, outcome) in [
        (body(200, row("MINE", "approve", "COMMITTED")), Outcome::Mine),
        (body(200, row(OTHER, "reject", "COMMITTED")), Outcome::Conflict),
        (body(200, r#"{"status":"FAILED"}"#), Outcome::Failed),
        (pending(), Outcome::InProgress),
        (status(404), Outcome::InProgress),
    ] {
        let at_work = [body(409, r#"{"status":"PENDING"}"#)];
        let (resolution, posts) = approve(at_work, vec![pending(), pending(), last.clone()]).await;
        assert_eq!((&resolution.outcome, posts), (&outcome, 1), "{last:?}");
    }
    // The same where the look after a lost answer finds it at work.
    let looks = vec![pending(), body(200, row("MINE", "approve", "COMMITTED"))];
    let (resolution, posts) = approve([Answer::Lost], looks).await;
    assert_eq!((resolution.outcome, posts), (Outcome::Mine, 1));
}

#[tokio::test(start_paused = true)]
async fn once_a_row_is_committed_its_409_is_asked_whose_it_is() {
    let pending = || body(200, r#"{"status":"PENDING"}"#);
    let minimal = || vec![pending(), body(200, r#"{"status":"COMMITTED"}"#)];
    for (conflict, outcome) in [
        (decision("MINE", "approve", "COMMITTED"), Outcome::Mine),
        (decision(OTHER, "approve", "COMMITTED"), Outcome::Same),
        (decision(OTHER, "reject", "COMMITTED"), Outcome::Conflict),
        (String::new(), Outcome::Unknown),
    ] {
        for first in [body(409, r#"{"status":"PENDING"}"#), Answer::Lost] {
            let (resolution, posts) = approve([first.clone(), body(409, &conflict)], minimal()).await;
            assert_eq!((&resolution.outcome, posts), (&outcome, 2), "{first:?}, then {conflict}");
        }
    }
    // A server that contradicts itself is not asked for ever.
    let (resolution, posts) = approve([body(409, r#"{"status":"PENDING"}"#)], minimal()).await;
    assert_eq!((resolution.outcome, posts), (Outcome::Unknown, 4));
}

#[tokio::test(start_paused = true)]
async fn an_accepted_decision_is_followed() {
    let pending = || body(200, r#"{"status":"PENDING"}"#);
    for (first, looks, outcome, asked) in [
        (r#"{"status":"COMMITTED","request_id":"MINE"}"#, vec![Answer::Hang], Outcome::Committed, 0),
        (r#"{"status":"FAILED"}"#, vec![Answer::Hang], Outcome::Failed, 0),
        ("", vec![body(200, row("MINE", "approve", "COMMITTED"))], Outcome::Committed, 1),
        (
            r#"{"status":"PENDING"}"#,
            vec![pending(), pending(), body(200, r#"{"status":"COMMITTED"}"#)],
            Outcome::Committed,
            3,
        ),
        ("", vec![pending(), body(200, r#"{"status":"FAILED"}"#)], Outcome::Failed, 2),
        ("", vec![status(404)], Outcome::Accepted, 1),
        ("<html>", vec![status(500)], Outcome::Accepted, 1),
        ("", vec![Answer::Hang], Outcome::Accepted, 1),
        // What is said of another's decision is not said of ours.
        ("", vec![body(200, row(OTHER, "approve", "FAILED"))], Outcome::Accepted, 1),
    ] {
        let script = Script::new([body(202, first)], looks);
        let id = uuid::Uuid::new_v4();
        script.name_mine(&id.to_string());
        let resolution = client(&script).approve("k").request_id(id).send().await.unwrap();
        assert_eq!((&resolution.outcome, script.looks()), (&outcome, asked), "{first}");
    }
    let (resolution, _) = approve([status(202)], vec![pending()]).await;
    assert_eq!(resolution.outcome, Outcome::Accepted, "left as accepted after a while");
}

#[tokio::test(start_paused = true)]
async fn a_202_about_anothers_decision_is_not_ours() {
    for (first, looks, outcome) in [
        (row(OTHER, "approve", "COMMITTED"), status(404), Outcome::Same),
        (row(OTHER, "reject", "COMMITTED"), status(404), Outcome::Conflict),
        (format!(r#"{{"request_id":"{OTHER}","status":"COMMITTED"}}"#), status(404), Outcome::Same),
        (
            format!(r#"{{"request_id":"{OTHER}","status":"COMMITTED"}}"#),
            body(200, row("MINE", "approve", "COMMITTED")),
            Outcome::Mine,
        ),
    ] {
        let (resolution, posts) = approve([body(202, &first)], vec![looks]).await;
        assert_eq!((&resolution.outcome, posts), (&outcome, 1), "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_202_is_acceptance_and_no_redirect_is_one() {
    for code in [200, 201, 203, 204, 207] {
        let (resolution, posts) = approve([status(code)], vec![status(404)]).await;
        assert_eq!((resolution.outcome, posts), (Outcome::Unconfirmed, 4), "{code}");
        let found = vec![body(200, row("MINE", "approve", "COMMITTED"))];
        assert_eq!(approve([status(code)], found).await.0.outcome, Outcome::Mine, "{code}");
        let minimal = vec![body(200, r#"{"status":"COMMITTED"}"#)];
        assert_eq!(approve([status(code)], minimal).await.0.outcome, Outcome::Unknown, "{code}");
    }
    for code in [301, 302, 303, 307, 308] {
        let (resolution, posts) = approve([status(code)], vec![Answer::Hang]).await;
        assert_eq!((resolution.outcome, posts), (Outcome::Refused, 1), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_run_is_asked_about_before_anything_is_sent() {
    for (look, outcome, posts) in [
        (body(200, row("MINE", "approve", "COMMITTED")), Outcome::Mine, 0),
        (body(200, row("MINE", "approve", "FAILED")), Outcome::Failed, 0),
        (status(404), Outcome::Committed, 1),
    ] {
        let script = Script::new([body(202, r#"{"status":"COMMITTED"}"#)], [look.clone()]);
        let id = uuid::Uuid::new_v4();
        script.name_mine(&id.to_string());
        let call = client(&script).approve("k").request_id(id).sent_before(true);
        let resolution = call.send().await.unwrap();
        assert_eq!((&resolution.outcome, script.posts().len()), (&outcome, posts), "{look:?}");
    }
    let script = Script::new([status(401)], [status(404)]);
    let call = client(&script).approve("k").sent_before(true);
    assert_eq!(call.send().await.unwrap().outcome, Outcome::Unconfirmed, "the earlier run may have landed");
}
