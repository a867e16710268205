//! Exactly once, over real sockets: what the private AEGIS server's own tests check of it (its 0.1.0 source archive), and
//! that the database says the same as the answers.

use crate::support::{Entry, Fixture, call, http};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Barrier;

/// A call to decide.
#[derive(Debug, Clone)]
struct Decision {
    verdict: &'static str,
    tenant: String,
    thread: String,
    key: String,
    body: Value,
}

/// An answer, and what was asked.
#[derive(Debug)]
struct Told {
    call: Decision,
    request_id: String,
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

/// A call as the private server's tests make it: a tenant without a credential, and a key that nobody asked for.
fn bare(verdict: &'static str, number: usize, key: impl Into<String>) -> Decision {
    let (tenant, thread) = (format!("tenant-{number}"), format!("thread-{number}"));
    let body = json!({"tenant_id": tenant, "thread_id": thread});
    Decision { verdict, tenant, thread, key: key.into(), body }
}

/// A decision on an action.
fn on(verdict: &'static str, entry: &Entry) -> Decision {
    let review = json!({"action_id": entry.id, "digest": entry.digest});
    let (tenant, thread) = ("default".to_owned(), entry.thread.clone());
    Decision { verdict, tenant, thread, key: entry.key.clone(), body: json!({"review": review}) }
}

async fn gateway() -> Fixture {
    Fixture::with(|config| config.tenant_mode = true).await
}

impl Fixture {
    /// Sends all of them at the same moment, each over a socket.
    async fn at_once(&self, calls: Vec<Decision>) -> Vec<Told> {
        let (client, barrier) = (http(), Arc::new(Barrier::new(calls.len())));
        let sent = calls.into_iter().map(|call| {
            let (client, barrier, url) = (client.clone(), Arc::clone(&barrier), self.gateway.url());
            tokio::spawn(async move {
                let request_id = uuid::Uuid::new_v4().to_string();
                let request = client
                    .post(format!("{url}/api/v1/hitl/{}", call.verdict))
                    .header("Tenant-Id", &call.tenant)
                    .header("Thread-Id", &call.thread)
                    .header("Idempotency-Key", &call.key)
                    .header("X-Request-Id", &request_id)
                    .body(call.body.to_string());
                barrier.wait().await;
                let answer = request.send().await.unwrap();
                let status = answer.status().as_u16();
                let retry_after =
                    answer.headers().get("retry-after").map(|at| at.to_str().unwrap().to_owned());
                let body = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                Told { call, request_id, status, retry_after, body }
            })
        });
        join_all(sent).await.into_iter().map(Result::unwrap).collect()
    }

    async fn one(&self, call: Decision) -> Told {
        self.at_once(vec![call]).await.remove(0)
    }

    /// Of each key one call is accepted, all others are told of that one, and the database says the same: one row, one
    /// event, of the verdict and the request id that were accepted. How many keys there were.
    async fn exactly_once(&self, answers: &[Told]) -> usize {
        let mut keys = BTreeMap::<_, Vec<&Told>>::new();
        for told in answers {
            assert!(matches!(told.status, 202 | 409), "{told:?}");
            keys.entry((&told.call.tenant, &told.call.thread, &told.call.key)).or_default().push(told);
        }
        let mut expected = Vec::new();
        for ((tenant, thread, key), calls) in &keys {
            let accepted: Vec<_> = calls.iter().filter(|told| told.status == 202).collect();
            let [accepted] = accepted[..] else { panic!("{key}: {} accepted", accepted.len()) };
            for told in calls.iter().filter(|told| told.status == 409) {
                let standing = &told.body["decision"];
                let (request_id, verdict) = (&standing["request_id"], &standing["verdict"]);
                assert_eq!(
                    (request_id, verdict),
                    (&json!(accepted.request_id), &json!(accepted.call.verdict))
                );
                assert_eq!(standing["status"], "COMMITTED");
            }
            let kind =
                if accepted.call.verdict == "approve" { "ExecutionApproved" } else { "ExecutionRejected" };
            let (verdict, id) = (accepted.call.verdict, &accepted.request_id);
            expected.push(format!("{tenant}|{thread}|{key}|COMMITTED|{verdict}|{id}|{kind}"));
        }
        let mut rows = self
            .rows(
                "SELECT d.tenant, d.thread, d.key, d.status, d.verdict, d.request_id, o.kind
                 FROM decision d LEFT JOIN outbox o ON o.decision_id = d.id",
            )
            .await;
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected);
        keys.len()
    }

    /// What another server left that died in the middle, so long ago.
    async fn orphan(&self, call: &Decision, action_id: Option<&str>, minutes: i64) {
        let begun = jiff::Timestamp::now().as_microsecond() - minutes * 60_000_000;
        let Decision { verdict, tenant, thread, key, .. } = call;
        let action_id = action_id.map_or("NULL".to_owned(), |id| format!("'{id}'"));
        self.change(&format!(
            "INSERT INTO decision (tenant, thread, key, action_id, status, verdict, reviewer, request_id, decided_at)
             VALUES ('{tenant}', '{thread}', '{key}', {action_id}, 'PENDING', '{verdict}', 'gone', 'old-{key}', {begun});
             INSERT INTO call (tenant, request_id, decision_id, at)
             SELECT tenant, request_id, id, decided_at FROM decision WHERE request_id = 'old-{key}';"
        ))
        .await;
    }

    /// Waits until the janitor has been there: it comes with the next deadline.
    async fn janitor(&self) {
        let entry = self.entry(&uuid::Uuid::new_v4().to_string(), "1s").await;
        let wait = call("GET", format!("/aap/v1/requests/{}?wait=30s", entry.id)).bearer(&self.agent);
        assert_eq!(self.send(wait).await.json()["status"], "expired");
    }

    /// What a caller without a credential is told of a request id.
    async fn told_of(&self, request_id: &str) -> Value {
        let status = self.send(call("GET", format!("/api/v1/hitl/status/{request_id}"))).await;
        assert_eq!(status.status, 200, "{}", status.text);
        status.json()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_approve_or_reject_at_once_one_is_the_first() {
    let fixture = gateway().await;
    let mut all = Vec::new();
    for (number, verdict) in ["approve", "reject"].into_iter().enumerate() {
        let answers = fixture.at_once(vec![bare(verdict, number, "double"); 2]).await;
        let mut statuses: Vec<_> = answers.iter().map(|told| told.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 409]);
        all.extend(answers);
    }
    assert_eq!(fixture.exactly_once(&all).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_takes_no_other_state() {
    let fixture = gateway().await;
    let mut all = Vec::new();
    for (number, verdict) in ["approve", "approve", "reject"].into_iter().enumerate() {
        all.push(fixture.one(bare(verdict, 1, "key")).await);
        assert_eq!(all[number].status, if number == 0 { 202 } else { 409 });
    }
    assert_eq!(fixture.exactly_once(&all).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_mixed_calls_at_once_decide_each_key_and_each_action_once_and_none_is_a_500() {
    for many in [80, 120, 200, 500] {
        let fixture = gateway().await;
        let mut chance = fastrand::Rng::with_seed(many as u64);
        let mut entries = Vec::new();
        for n in 0..10 {
            entries.push(fixture.entry(&format!("asked-{n}"), "10m").await);
        }
        // 20 threads, some keys used by many, some by one; and ten actions that everybody wants to decide.
        let mut calls: Vec<_> = (0..many)
            .map(|n| {
                let verdict = ["approve", "reject"][chance.usize(..2)];
                match chance.usize(..3) {
                    0 => on(verdict, &entries[chance.usize(..10)]),
                    1 => bare(verdict, chance.usize(..20), format!("load-{}", chance.usize(..4))),
                    _ => bare(verdict, chance.usize(..20), format!("own-{n}")),
                }
            })
            .collect();
        chance.shuffle(&mut calls);
        let answers = fixture.at_once(calls).await;
        let keys = fixture.exactly_once(&answers).await;
        assert!(keys < many, "some were sent again: {keys} of {many}");
        for entry in &entries {
            let decided = answers.iter().find(|told| told.status == 202 && told.call.key == entry.key);
            let state = decided.map_or("pending", |told| match told.call.verdict {
                "approve" => "approved",
                _ => "rejected",
            });
            assert_eq!(fixture.shown(&entry.id).await["state"], state);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_processing_fails_takes_nothing_with_it_and_its_key_is_accepted_afterwards() {
    let fixture = gateway().await;
    let entry = fixture.entry("asked", "10m").await;
    let (condition, failure) = (format!("NEW.thread IN ('thread-1', '{}')", entry.thread), "on purpose");
    let trigger = match fixture.on_postgres() {
        false => format!(
            "CREATE TRIGGER fault BEFORE INSERT ON outbox WHEN {condition}
             BEGIN SELECT RAISE(ABORT, '{failure}'); END;"
        ),
        true => format!(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{failure}'; END $$;
             CREATE TRIGGER fault BEFORE INSERT ON outbox FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION fault();"
        ),
    };
    fixture.change(&trigger).await;
    let failing = [bare("approve", 1, "retry-key"), on("reject", &entry)];
    let neighbours = (0..20).map(|n| bare("approve", 2, format!("neighbour-{n}")));
    let answers = fixture.at_once(failing.iter().cloned().chain(neighbours).collect()).await;
    let (failed, mut others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|told| told.status == 500);
    assert_eq!((failed.len(), others.len()), (2, 20));
    for told in &failed {
        assert!(!told.body.to_string().contains(failure), "for the log alone: {}", told.body);
        let status = fixture.send(call("GET", format!("/api/v1/hitl/status/{}", told.request_id))).await;
        assert_eq!(status.status, 404, "nothing is on record: {}", status.text);
    }
    assert_eq!(fixture.exactly_once(&others).await, 20);
    assert_eq!(fixture.shown(&entry.id).await["state"], "pending");
    fixture
        .change(if fixture.on_postgres() { "DROP TRIGGER fault ON outbox" } else { "DROP TRIGGER fault" })
        .await;
    for call in failing {
        let told = fixture.one(call).await;
        assert_eq!(told.status, 202, "{}", told.body);
        others.push(told);
    }
    assert_eq!(fixture.exactly_once(&others).await, 22);
    assert_eq!(fixture.shown(&entry.id).await["state"], "rejected");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_is_pending_then_failed_and_then_its_key_is_free_once() {
    let fixture = gateway().await;
    let entry = fixture.entry("asked", "10m").await;
    let (old, young, asked) = (bare("approve", 1, "old"), bare("approve", 2, "young"), on("reject", &entry));
    fixture.orphan(&old, None, 10).await;
    fixture.orphan(&young, None, 4).await;
    fixture.orphan(&asked, Some(&entry.id), 10).await;
    for call in [&old, &young, &asked] {
        let told = fixture.one(call.clone()).await;
        assert_eq!((told.status, told.retry_after.as_deref()), (409, Some("1")), "{}", told.body);
        let standing = &told.body["decision"];
        assert_eq!(standing["status"], "PENDING", "{standing}");
        assert_eq!(standing["request_id"], format!("old-{}", call.key), "{standing}");
        assert_eq!(fixture.told_of(&told.request_id).await["status"], "PENDING");
    }
    let shown = fixture.shown(&entry.id).await;
    assert_eq!(
        (&shown["state"], &shown["decision"]),
        (&json!("pending"), &Value::Null),
        "nothing was decided"
    );
    fixture.janitor().await;
    assert_eq!(
        fixture.one(young.clone()).await.body["decision"]["status"],
        "PENDING",
        "it may still be alive"
    );
    for call in [&old, &asked] {
        let status = fixture.told_of(&format!("old-{}", call.key)).await;
        assert_eq!(status["status"], "FAILED", "{status}");
        assert!(status["detail"].as_str().unwrap().contains("same key"), "{status}");
    }
    fixture.change("DELETE FROM call WHERE request_id = 'old-young' OR decision_id IN (SELECT id FROM decision WHERE key = 'young'); DELETE FROM decision WHERE key = 'young'").await;
    let many = (0..100).map(|n| if n % 2 == 0 { old.clone() } else { asked.clone() });
    let answers = fixture.at_once(many.collect()).await;
    assert_eq!(fixture.exactly_once(&answers).await, 2);
    assert_eq!(fixture.shown(&entry.id).await["state"], "rejected");
    let status = fixture.told_of("old-old").await;
    assert_eq!((&status["status"], &status["detail"]), (&json!("COMMITTED"), &Value::Null), "{status}");
    assert_ne!(status["request_id"], "old-old", "it stands, and is another's");
}
