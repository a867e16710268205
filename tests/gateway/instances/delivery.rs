//! What receivers are told, when, and how often.

use super::receiver::{Came, Receiver, SOON, Says};
use crate::support::{Fixture, call};
use aegis_console::gateway::TokenDesk;
use std::time::{Duration, Instant};

/// Waits until the database says so.
async fn until(fixture: &Fixture, sql: &str, expected: &[&str]) {
    let begun = Instant::now();
    loop {
        let rows = fixture.rows(sql).await;
        if rows == expected {
            return;
        }
        assert!(begun.elapsed() < SOON, "{sql}: {rows:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What comes was waited for by its schedule; now it is due.
async fn hurry(fixture: &Fixture) {
    fixture.change("UPDATE delivery SET next_at = 0 WHERE state = 'waiting' AND tries > 0").await;
}

fn tells(came: &Came, request: &str, instance: &str) {
    assert!(came.signed, "{came:?}");
    assert_eq!(came.body["type"], "request.resolved");
    assert_eq!(came.body["request_id"], request);
    assert_eq!(came.body["instance_id"], instance);
    assert_eq!(came.body.as_object().unwrap().len(), 5, "not what was decided: {came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_request_is_told_once() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let instance = fixture.instance("codex", &receiver).await;
    let read = async |id: &str| {
        let read = call("GET", format!("/aap/v1/requests/{id}")).bearer(&instance.token);
        fixture.send(read).await.json()
    };
    for (n, (end, status)) in
        [("approve", "approved"), ("reject", "denied"), ("withdraw", "cancelled"), ("expire", "expired")]
            .into_iter()
            .enumerate()
    {
        let id = fixture.asked_by(&instance.token, end, if end == "expire" { "1s" } else { "10m" }).await;
        match end {
            "withdraw" => {
                let withdraw = call("DELETE", format!("/aap/v1/requests/{id}")).bearer(&instance.token);
                assert_eq!(fixture.send(withdraw).await.status, 200);
            }
            "expire" => {}
            verdict => {
                let entry = fixture.look(&id).await;
                assert_eq!(fixture.decide(verdict, &entry, Some("so it is")).await.status, 202);
                assert_eq!(fixture.decide(verdict, &entry, None).await.status, 409, "told once all the same");
            }
        }
        let came = receiver.until(n + 1).await;
        tells(&came[n], &id, &instance.id);
        let request = read(&id).await;
        assert_eq!(request["status"], status);
        assert_eq!(came[n].body["created_at"], request["decision"]["decided_at"]);
    }
    // What another agent asks is told to nobody.
    let entry = fixture.entry("mine", "10m").await;
    assert_eq!(fixture.decide("approve", &entry, None).await.status, 202);
    until(&fixture, "SELECT count(*), state FROM delivery GROUP BY state", &["4|delivered"]).await;
    assert_eq!(receiver.came().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_sent_again_under_the_same_id() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let instance = fixture.instance("codex", &receiver).await;
    let elsewhere = Receiver::start().await;
    receiver.says([
        Says::Status(500, None),
        Says::Status(302, Some(("location", elsewhere.url()))),
        Says::Status(503, Some(("retry-after", "3600".into()))),
    ]);
    let id = fixture.asked_by(&instance.token, "k", "10m").await;
    let decided = jiff::Timestamp::now();
    assert_eq!(fixture.decide("approve", &fixture.look(&id).await, None).await.status, 202);
    for tries in 1..=3 {
        receiver.until(tries).await;
        // On a busy machine it has come again by itself.
        let waits = format!("SELECT count(*) FROM delivery WHERE tries >= {tries} AND state = 'waiting'");
        until(&fixture, &waits, &["1"]).await;
        if tries == 3 {
            let hour = decided.as_microsecond() + 3_500_000_000;
            until(&fixture, &format!("SELECT count(*) FROM delivery WHERE next_at > {hour}"), &["1"]).await;
        }
        hurry_after_settled(&fixture, tries).await;
    }
    let came = receiver.until(4).await;
    until(&fixture, "SELECT state, tries FROM delivery", &["delivered|4"]).await;
    for one in &came {
        tells(one, &id, &instance.id);
        assert_eq!((&one.id, &one.body), (&came[0].id, &came[0].body), "the same message");
        assert!(one.at >= decided.as_second(), "signed when it was sent");
    }
    assert!(elsewhere.came().is_empty(), "no redirect is followed");
    let metrics = fixture.send(call("GET", "/metrics")).await.text;
    assert!(metrics.contains(r#"webhooks_total{result="failed"} 3"#), "{metrics}");
    assert!(metrics.contains(r#"webhooks_total{result="delivered"} 1"#), "{metrics}");
}

/// Once the try has been settled, which the gateway counts then.
async fn hurry_after_settled(fixture: &Fixture, tries: usize) {
    let begun = Instant::now();
    loop {
        let metrics = fixture.send(call("GET", "/metrics")).await.text;
        let failed = metrics.lines().find_map(|line| line.split_once(r#"webhooks_total{result="failed"} "#));
        if failed.is_some_and(|(_, count)| count.parse::<usize>().unwrap() >= tries) {
            break;
        }
        assert!(begun.elapsed() < SOON, "{metrics}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hurry(fixture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_seven_days_it_is_given_up_and_said() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let instance = fixture.instance("codex", &receiver).await;
    receiver.says([Says::Status(500, None), Says::Status(500, None)]);
    let id = fixture.asked_by(&instance.token, "k", "10m").await;
    assert_eq!(fixture.decide("reject", &fixture.look(&id).await, None).await.status, 202);
    receiver.until(1).await;
    fixture.change("UPDATE delivery SET resolved_at = resolved_at - 604800000000").await;
    hurry_after_settled(&fixture, 1).await;
    until(&fixture, "SELECT state, tries FROM delivery", &["given_up|2"]).await;
    let told = fixture.rows("SELECT entry FROM audit WHERE kind = 'webhook.given_up'").await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains(&id) && told[0].contains("it answered 500"), "{}", told[0]);
    assert_eq!(receiver.came().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_told_nothing_any_more() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let instance = fixture.instance("codex", &receiver).await;
    receiver.says([Says::Status(410, None)]);
    for key in ["a", "b"] {
        let id = fixture.asked_by(&instance.token, key, "10m").await;
        assert_eq!(fixture.decide("approve", &fixture.look(&id).await, None).await.status, 202);
        until(&fixture, "SELECT delivery, signing_secret FROM instance", &["ended|NULL"]).await;
    }
    until(&fixture, "SELECT count(*), state FROM delivery GROUP BY state", &["1|given_up"]).await;
    assert_eq!(receiver.came().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_an_instance_ends_what_its_receiver_is_told() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    let instance = fixture.instance("codex", &receiver).await;
    receiver.says([Says::Status(500, None)]);
    let [first, second] = [
        fixture.asked_by(&instance.token, "a", "10m").await,
        fixture.asked_by(&instance.token, "b", "10m").await,
    ];
    assert_eq!(fixture.decide("approve", &fixture.look(&first).await, None).await.status, 202);
    receiver.until(1).await;
    let desk = TokenDesk::open(&fixture.database(), &fixture.dir.path().join("data")).await.unwrap();
    let listed = desk.list(None).await.unwrap();
    let token = listed.iter().find(|token| token.name == "fleet/codex").unwrap();
    assert_eq!((token.role, token.created_by.as_str()), ("agent", "fleet"));
    assert_eq!(desk.revoke(None, "fleet/codex", "test".into()).await.unwrap().len(), 1);
    desk.close().await;
    until(&fixture, "SELECT state FROM delivery", &["given_up"]).await;
    until(&fixture, "SELECT delivery, signing_secret FROM instance", &["ended|NULL"]).await;
    assert_eq!(fixture.decide("approve", &fixture.look(&second).await, None).await.status, 202);
    hurry(&fixture).await;
    until(&fixture, "SELECT count(*) FROM delivery", &["1"]).await;
    assert_eq!(receiver.came().len(), 1);
    let begun = Instant::now();
    // The gateway looks four times a second whether tokens were taken back beside it.
    loop {
        let read = call("GET", format!("/aap/v1/requests/{first}")).bearer(&instance.token);
        let refused = fixture.send(read).await;
        if refused.status == 401 {
            assert_eq!(refused.code(), "token_revoked");
            break;
        }
        assert!(begun.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Nor is its credential given again.
    let again = super::making(&fixture.provisioner(), "codex", &super::order("codex", &receiver.url()));
    assert_eq!(fixture.send(again).await.code(), "instance_deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_receiver_that_hangs_holds_up_no_other() {
    let (fixture, stuck, quick) = (Fixture::start().await, Receiver::start().await, Receiver::start().await);
    let (slow, fast) = (fixture.instance("slow", &stuck).await, fixture.instance("fast", &quick).await);
    stuck.says(vec![Says::Nothing; 64]);
    for n in 0..24 {
        let id = fixture.asked_by(&slow.token, &format!("s{n}"), "10m").await;
        assert_eq!(fixture.decide("approve", &fixture.look(&id).await, None).await.status, 202);
    }
    stuck.until(4).await;
    let id = fixture.asked_by(&fast.token, "f", "10m").await;
    assert_eq!(fixture.decide("approve", &fixture.look(&id).await, None).await.status, 202);
    quick.until(1).await;
    let told = "SELECT i.agent, d.state, count(*) FROM delivery d JOIN instance i ON i.id = d.instance_id
        GROUP BY i.agent, d.state ORDER BY i.agent";
    until(&fixture, told, &["fleet/fast|delivered|1", "fleet/slow|waiting|24"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_try_is_one_gateways() {
    let (fixture, receiver) = (Fixture::start().await, Receiver::start().await);
    if !fixture.on_postgres() {
        // One gateway is all that SQLite has.
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::support::config(&dir.path().join("data"));
    config.database = fixture.database();
    let other = aegis_console::gateway::Gateway::start(config).await.unwrap();
    let instance = fixture.instance("codex", &receiver).await;
    let mut ids = Vec::new();
    for n in 0..40 {
        let id = fixture.asked_by(&instance.token, &format!("k{n}"), "10m").await;
        assert_eq!(fixture.decide("approve", &fixture.look(&id).await, None).await.status, 202);
        ids.push(id);
    }
    until(&fixture, "SELECT count(*), state FROM delivery GROUP BY state", &["40|delivered"]).await;
    let came = receiver.came();
    let mut told: Vec<_> =
        came.iter().map(|came| came.body["request_id"].as_str().unwrap().to_owned()).collect();
    told.sort();
    ids.sort();
    assert_eq!(told, ids, "each once");
    other.shutdown().await;
}
