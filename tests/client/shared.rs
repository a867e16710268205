//! What all calls of one client share: the budget of what is asked again, and the breaker.

use crate::script::{Answer, Script, builder, client, status};
use aegis_console::domain::Outcome;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_thousand_failing_decisions_cost_a_bucketful_more_and_no_more() {
    let script = Script::deciding([status(503)]);
    let client = client(&script);
    for n in 0..1_000 {
        let resolution = client.approve(format!("k{n}")).send().await.unwrap();
        assert_eq!(resolution.outcome, Outcome::Unconfirmed);
        assert!(!resolution.tries.is_empty());
    }
    // The first decisions had their waits, and each second of them brought half a token.
    let requests = script.requests().len();
    assert!((1_000..=1_045).contains(&requests), "{requests} requests");
    assert_eq!(client.held_off(), None, "a server that says 503 is there");
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_again_comes_back_with_time_and_with_proper_answers() {
    let script = Script::deciding([status(503)]);
    let client = client(&script);
    while client.approve("k").send().await.unwrap().tries.len() == 4 {}
    let posts = script.posts().len();
    client.approve("k").send().await.unwrap();
    assert_eq!(script.posts().len() - posts, 1, "an empty bucket");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(client.approve("k").send().await.unwrap().tries.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_recovers_costs_nothing() {
    for _ in 0..3 {
        let answers: Vec<_> = (0..200).flat_map(|_| [status(503), status(202)]).collect();
        let script = Script::new(answers, [status(404)]);
        let client = client(&script);
        for n in 0..200 {
            let resolution = client.approve(format!("k{n}")).send().await.unwrap();
            assert_eq!((resolution.outcome, resolution.tries.len()), (Outcome::Accepted, 2));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_is_left_in_peace_but_for_probes() {
    let script = Script::deciding([Answer::NotSent]);
    let client = builder(&script).max_retries(0).build().unwrap();
    for _ in 0..5 {
        assert_eq!(client.approve("k").send().await.unwrap().tries.len(), 1);
    }
    for n in 0..1_000 {
        let resolution = client.approve(format!("k{n}")).send().await.unwrap();
        assert_eq!((resolution.outcome, resolution.tries.len()), (Outcome::NotSent, 0));
    }
    assert_eq!(script.requests().len(), 5);
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        let before = script.requests().len();
        assert_eq!(client.held_off(), Some(Duration::from_secs(pause)));
        tokio::time::sleep(Duration::from_secs(pause)).await;
        assert_eq!(client.clone().approve("probe").send().await.unwrap().tries.len(), 1);
        assert_eq!(client.approve("k").send().await.unwrap().tries.len(), 0);
        assert_eq!(script.requests().len() - before, 1, "one probe");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_the_peace() {
    let mut answers = vec![Answer::NotSent; 5];
    answers.push(status(202));
    let script = Script::new(answers, [status(404)]);
    let client = builder(&script).max_retries(0).build().unwrap();
    for _ in 0..5 {
        client.approve("k").send().await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..3 {
        assert_eq!(client.approve("k").send().await.unwrap().outcome, Outcome::Accepted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_begun_waits_for_the_probe_rather_than_give_up() {
    let mut answers = vec![Answer::NotSent; 7];
    answers.push(status(202));
    let script = Script::new(answers, [status(404)]);
    let resolution = builder(&script).max_retries(9).build().unwrap().approve("k").send().await.unwrap();
    assert_eq!((resolution.outcome, resolution.tries.len()), (Outcome::Accepted, 8));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_waits_for_does_not_close_the_way_for_ever() {
    let mut answers = vec![Answer::NotSent; 5];
    answers.extend([Answer::Hang, status(202)]);
    let script = Script::new(answers, [status(404)]);
    let client = builder(&script).max_retries(0).build().unwrap();
    for _ in 0..5 {
        client.approve("k").send().await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    tokio::time::timeout(Duration::from_secs(1), client.approve("k").send()).await.unwrap_err();
    assert_eq!(client.approve("k").send().await.unwrap().outcome, Outcome::Accepted);
}

#[tokio::test(start_paused = true)]
async fn tries_of_an_earlier_run_are_counted_on() {
    let script = Script::deciding([Answer::NotSent, status(202)]);
    let client = client(&script);
    let first = client.approve("k").max_retries(0).send().await.unwrap();
    let second = client.approve("k").tried_before(first.tries).send().await.unwrap();
    let numbers: Vec<_> = second.tries.iter().map(|one| (one.number, one.http_status)).collect();
    assert_eq!(numbers, [(1, None), (2, Some(202))]);
}
