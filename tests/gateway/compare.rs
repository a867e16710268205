//! What is decided and handed out is what was seen: compare-and-set on id, state, digest and deadline, also where all of
//! them change at once; and a database that was changed on the disk.

use crate::support::{Entry, Fixture, call};
use aegis_console::domain::json::{self, Limits};
use aegis_console::domain::{Digest, Queued};
use futures_util::future::join_all;
use serde_json::{Value, json};

async fn events(fixture: &Fixture, id: &str) -> Vec<String> {
    fixture.rows(&format!("SELECT kind FROM outbox WHERE action_id = '{id}' ORDER BY seq")).await
}

fn wrong(entry: &Entry) -> Entry {
    Entry { digest: Digest::of(b"another").to_string(), ..entry.clone() }
}

#[tokio::test]
async fn each_of_the_four_that_fails_decides_nothing() {
    let fixture = Fixture::start().await;
    let decided = fixture.entry("decided", "10m").await;
    assert_eq!(fixture.decide("reject", &decided, None).await.status, 202);
    let withdrawn = fixture.entry("withdrawn", "10m").await;
    let path = format!("/aap/v1/requests/{}", withdrawn.id);
    assert_eq!(fixture.agent_call("DELETE", path, None, "").await.status, 200);
    let expired = fixture.entry("expired", "1s").await;
    let wait = call("GET", format!("/aap/v1/requests/{}?wait=30s", expired.id)).bearer(&fixture.agent);
    assert_eq!(fixture.send(wait).await.json()["status"], "expired");
    let other = fixture.entry("other", "10m").await;
    for (entry, status, code, ended) in [
        (&wrong(&other), 412, "digest_differs", None),
        (&decided, 409, "duplicate", Some("ExecutionRejected")),
        (&withdrawn, 409, "cancelled", Some("ActionCancelled")),
        (&expired, 409, "expired", Some("ActionExpired")),
        (&wrong(&decided), 409, "duplicate", Some("ExecutionRejected")),
    ] {
        let before = fixture.shown(&entry.id).await;
        let answer = fixture.decide("approve", entry, None).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
        assert_eq!(fixture.shown(&entry.id).await, before);
        let kinds: Vec<_> = ["ActionCreated"].into_iter().chain(ended).map(str::to_owned).collect();
        assert_eq!(events(&fixture, &entry.id).await, kinds);
    }
    assert_eq!(fixture.decide("approve", &other, None).await.status, 202, "nothing was taken from it");
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_rejecting_and_withdrawing_at_once_leave_one_end_for_each_action() {
    let fixture = Fixture::start().await;
    let mut entries = Vec::new();
    for n in 0..24 {
        entries.push(fixture.entry(&format!("k{n}"), "10m").await);
    }
    let race = |entry: &Entry, n: usize| {
        let (entry, fixture) = (entry.clone(), &fixture);
        async move {
            let path = format!("/aap/v1/requests/{}", entry.id);
            let seen_otherwise = wrong(&entry);
            // Who is polled first turns with the number.
            let withdraw = || fixture.agent_call("DELETE", path.clone(), None, "");
            let decide = |verdict| fixture.decide(verdict, &entry, None);
            let (approved, rejected, withdrawn, blind) = match n % 3 {
                0 => tokio::join!(
                    decide("approve"),
                    decide("reject"),
                    withdraw(),
                    fixture.decide("approve", &seen_otherwise, None)
                ),
                1 => {
                    let (w, b, r, a) = tokio::join!(
                        withdraw(),
                        fixture.decide("approve", &seen_otherwise, None),
                        decide("reject"),
                        decide("approve")
                    );
                    (a, r, w, b)
                }
                _ => {
                    let (b, r, a, w) = tokio::join!(
                        fixture.decide("approve", &seen_otherwise, None),
                        decide("reject"),
                        decide("approve"),
                        withdraw()
                    );
                    (a, r, w, b)
                }
            };
            assert!(matches!(blind.status, 409 | 412), "{}", blind.text);
            let ends = [
                (approved.status == 202, "approved", "ExecutionApproved"),
                (rejected.status == 202, "rejected", "ExecutionRejected"),
                (withdrawn.status == 200, "cancelled", "ActionCancelled"),
            ];
            let won: Vec<_> = ends.iter().filter(|(won, ..)| *won).collect();
            let [(_, state, kind)] = won[..] else {
                panic!("{won:?}: {} {} {}", approved.text, rejected.text, withdrawn.text)
            };
            assert_eq!(fixture.shown(&entry.id).await["state"], *state);
            assert_eq!(events(fixture, &entry.id).await, ["ActionCreated", kind]);
        }
    };
    join_all(entries.iter().zip(0..).map(|(entry, n)| race(entry, n))).await;
}

impl Fixture {
    /// An action with a payload of its own, as the reviewer sees it.
    async fn paying(&self, key: &str) -> Entry {
        let body =
            r#"{"tool":"pay","arguments":{"amount":10},"timeout":"10m","context":{"thread_id":"order"}}"#;
        let answer = self.ask(key, body).await;
        self.look(answer.json()["id"].as_str().unwrap()).await
    }

    /// Changes its row on the disk.
    async fn tamper(&self, entry: &Entry, set: &str) {
        self.change(&format!("UPDATE action SET {set} WHERE id = '{}'", entry.id)).await;
    }

    /// Makes the digest of the row that of its sealed bytes as they are now.
    async fn reseal(&self, entry: &Entry) -> Entry {
        let sealed = self.rows(&format!("SELECT sealed FROM action WHERE id = '{}'", entry.id)).await;
        let digest = Digest::of(sealed[0].as_bytes()).to_string();
        self.tamper(entry, &format!("digest = '{digest}'")).await;
        Entry { digest, ..entry.clone() }
    }
}

const SEALED: &str = r#"sealed = replace(sealed, '"amount":10', '"amount":99')"#;
const SENT: &str = r#"submission = replace(submission, '"amount":10', '"amount":99')"#;

#[tokio::test]
async fn an_action_that_was_changed_on_the_disk_is_never_decided_and_hides_no_other() {
    let fixture = Fixture::start().await;
    let whole = fixture.paying("whole").await;
    let mut changed = Vec::new();
    for (n, set) in [SEALED, SENT, "expires_at = expires_at + 1000000", "agent = 'another'", "sealed = '{'"]
        .into_iter()
        .enumerate()
    {
        let entry = fixture.paying(&format!("k{n}")).await;
        fixture.tamper(&entry, set).await;
        changed.push(entry.clone());
        if set == SEALED {
            // Under the digest of the changed bytes too: the agent has never sent them.
            let other = fixture.paying("resealed").await;
            fixture.tamper(&other, set).await;
            changed.push(fixture.reseal(&other).await);
        }
    }
    for entry in &changed {
        for verdict in ["approve", "reject"] {
            let answer = fixture.decide(verdict, entry, None).await;
            assert_eq!((answer.status, answer.code().as_str()), (412, "damaged"), "{}", answer.text);
        }
        let bare =
            call("POST", "/api/v1/hitl/approve").bearer(&fixture.reviewer).key(&entry.thread, &entry.key);
        assert_eq!(fixture.send(bare.body("{}")).await.status, 412);
        let shown = fixture.shown(&entry.id).await;
        assert_eq!(shown["state"], "pending");
        assert!(shown["damaged"].is_string(), "the entry says so: {shown}");
        assert_eq!(events(&fixture, &entry.id).await, ["ActionCreated"]);
    }
    let list = fixture.send(call("GET", "/api/v1/hitl/actions").bearer(&fixture.reviewer)).await;
    let page = json::parse(list.text.as_bytes(), Limits::PAGE).unwrap();
    let entries = page.get("actions").unwrap().as_array().unwrap();
    assert_eq!(entries.len(), changed.len() + 1);
    let whole_ones = entries.iter().filter(|entry| entry.get("damaged").is_none());
    let whole_ones: Vec<_> = whole_ones.map(|entry| Queued::read(entry).unwrap().action.id.clone()).collect();
    assert_eq!(whole_ones.concat(), whole.id);
    let one = fixture.shown(&changed[0].id).await;
    let one = json::parse(one.to_string().as_bytes(), Limits::PAGE).unwrap();
    assert!(Queued::read(&one).is_err(), "a console that computes the digest sees it too");
    let ready = fixture.send(call("GET", "/readyz")).await;
    assert_eq!((ready.status, ready.json()), (200, json!({"status": "ready", "damaged": changed.len()})));
    assert_eq!(fixture.decide("approve", &whole, None).await.status, 202);
}

#[tokio::test]
async fn an_approval_whose_action_was_changed_afterwards_is_never_handed_out() {
    let fixture = Fixture::start().await;
    for (n, sets) in [&[SENT][..], &[SEALED], &[SEALED, SENT]].into_iter().enumerate() {
        let entry = fixture.paying(&format!("k{n}")).await;
        assert_eq!(fixture.decide("approve", &entry, None).await.status, 202);
        for set in sets {
            fixture.tamper(&entry, set).await;
        }
        if sets.len() == 2 {
            // Everything agrees, but for the digest that was decided on.
            fixture.reseal(&entry).await;
        }
        let path = format!("/aap/v1/requests/{}", entry.id);
        for (method, path, key) in [("POST", format!("{path}/consume"), Some("c")), ("GET", path, None)] {
            let answer = fixture.agent_call(method, path, key, "").await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (409, "damaged"),
                "{sets:?}: {}",
                answer.text
            );
            assert!(!answer.text.contains("amount"), "{}", answer.text);
        }
        let taken = fixture.rows(&format!("SELECT consume_key FROM action WHERE id = '{}'", entry.id)).await;
        assert_eq!(taken, ["NULL"]);
    }
}

#[tokio::test]
async fn what_the_executor_gets_is_what_is_stored_whatever_the_decision_says() {
    let fixture = Fixture::start().await;
    let entry = fixture.paying("k").await;
    let review = json!({"action_id": entry.id, "digest": entry.digest});
    let body = json!({"action": "pay", "payload": {"amount": 99}, "review": review}).to_string();
    let approve =
        call("POST", "/api/v1/hitl/approve").bearer(&fixture.reviewer).key(&entry.thread, &entry.key);
    assert_eq!(fixture.send(approve.body(body)).await.status, 202);
    let taken =
        fixture.agent_call("POST", format!("/aap/v1/requests/{}/consume", entry.id), Some("c"), "{}").await;
    let taken: Value = taken.json();
    assert_eq!((&taken["arguments"], &taken["tool"]), (&json!({"amount": 10}), &json!("pay")));
}
