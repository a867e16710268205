//! What clients were told, kept apart from the gateways: a small balancer that sends each call on to the next gateway where
//! one does not answer, under the same key and request id; and an audit that compares every answer with the database.

use crate::database::Kept;
use crate::member::{AGENT, REVIEWER};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An action as a reviewer sees it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) thread: String,
    pub(crate) key: String,
    pub(crate) digest: String,
}

/// One decision call: the same in all its tries.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) verdict: &'static str,
    pub(crate) thread: String,
    pub(crate) key: String,
    pub(crate) request_id: String,
    pub(crate) body: String,
}

impl Call {
    /// On a key that nobody asked for.
    pub(crate) fn bare(verdict: &'static str, key: String) -> Self {
        let request_id = uuid::Uuid::new_v4().to_string();
        Self { verdict, thread: "thread".into(), key, request_id, body: "{}".into() }
    }

    /// On an action.
    pub(crate) fn on(verdict: &'static str, entry: &Entry) -> Self {
        let body = json!({"review": {"action_id": entry.id, "digest": entry.digest}}).to_string();
        Self { thread: entry.thread.clone(), body, ..Self::bare(verdict, entry.key.clone()) }
    }
}

/// What a caller knows in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its decision stands, by a 202 or by a 409 that names its own request id.
    Mine,
    /// Another call's does.
    Others(String),
}

/// The gateways that a client knows, and what it was told.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) http: reqwest::Client,
    /// Of each gateway; `None` while it is down.
    pub(crate) urls: Arc<Mutex<Vec<Option<String>>>>,
    /// Key and request id of what was accepted.
    accepted: Arc<Mutex<BTreeMap<String, (String, &'static str)>>>,
    /// Answers of 5xx, and calls that got none.
    pub(crate) refused: Arc<AtomicUsize>,
    lost: Arc<AtomicUsize>,
}

impl Ledger {
    pub(crate) fn new(urls: impl IntoIterator<Item = String>) -> Self {
        // Another test of this process may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self {
            http,
            urls: Arc::new(Mutex::new(urls.into_iter().map(Some).collect())),
            accepted: Arc::default(),
            refused: Arc::default(),
            lost: Arc::default(),
        }
    }

    /// How many were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// How many calls got no answer.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }

    /// One of the gateways that are up: the turn of that number.
    pub(crate) fn url(&self, turn: usize) -> Option<String> {
        let urls = self.urls.lock().unwrap();
        let up: Vec<_> = urls.iter().flatten().collect();
        (!up.is_empty()).then(|| up[turn % up.len()].clone())
    }

    /// One try; `None` where nobody knows what came of it.
    pub(crate) async fn once(&self, call: &Call, url: &str) -> Option<Told> {
        let sent = self
            .http
            .post(format!("{url}/api/v1/hitl/{}", call.verdict))
            .bearer_auth(REVIEWER)
            .header("Thread-Id", &call.thread)
            .header("Idempotency-Key", &call.key)
            .header("X-Request-Id", &call.request_id)
            .body(call.body.clone())
            .send()
            .await;
        let Ok(answer) = sent else {
            self.lost.fetch_add(1, Ordering::SeqCst);
            return None;
        };
        let status = answer.status().as_u16();
        let Ok(text) = answer.text().await else {
            self.lost.fetch_add(1, Ordering::SeqCst);
            return None;
        };
        let told = match status {
            202 => Told::Mine,
            409 => {
                let body: Value = serde_json::from_str(&text).unwrap();
                let standing = body["decision"]["request_id"].as_str().unwrap_or_else(|| panic!("{text}"));
                assert_eq!(body["decision"]["status"], "COMMITTED", "{text}");
                if standing == call.request_id { Told::Mine } else { Told::Others(standing.to_owned()) }
            }
            500.. => {
                self.refused.fetch_add(1, Ordering::SeqCst);
                return None;
            }
            other => panic!("{other}: {text}"),
        };
        if told == Told::Mine {
            let record = (call.request_id.clone(), call.verdict);
            let before = self.accepted.lock().unwrap().insert(call.key.clone(), record);
            let same = before.is_none_or(|(request_id, _)| request_id == call.request_id);
            assert!(same, "{} was accepted twice", call.key);
        }
        Some(told)
    }

    /// Tries until somebody answers, on the next gateway each time.
    pub(crate) async fn decide(&self, turn: usize, call: &Call) -> Told {
        for again in 0..1_000 {
            if let Some(url) = self.url(turn + again)
                && let Some(told) = self.once(call, &url).await
            {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} was never answered", call.key)
    }

    /// Asks for so many actions, by turns, and reads them as a reviewer does.
    pub(crate) async fn ask(&self, many: usize, timeout: &str) -> Vec<Entry> {
        let limit = tokio::sync::Semaphore::new(64);
        let asks = (0..many).map(|n| {
            let (url, limit) = (self.url(n).unwrap(), &limit);
            async move {
                let _permit = limit.acquire().await.unwrap();
                let body = json!({"tool": "pay", "arguments": {"number": n}, "timeout": timeout});
                let ask = self.http.post(format!("{url}/aap/v1/requests")).bearer_auth(AGENT);
                let ask = ask.header("Idempotency-Key", uuid::Uuid::new_v4().to_string());
                let answer = ask.body(body.to_string()).send().await.unwrap();
                assert_eq!(answer.status(), 201);
                let asked: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                let path = format!("{url}/api/v1/hitl/actions/{}", asked["id"].as_str().unwrap());
                let shown = self.http.get(path).bearer_auth(REVIEWER).send().await.unwrap();
                let shown: Value = serde_json::from_str(&shown.text().await.unwrap()).unwrap();
                let sealed: Value = serde_json::from_str(shown["sealed"].as_str().unwrap()).unwrap();
                let text = |name: &str| sealed[name].as_str().unwrap().to_owned();
                let digest = shown["digest"].as_str().unwrap().to_owned();
                Entry { id: text("id"), thread: text("thread_id"), key: text("idempotency_key"), digest }
            }
        });
        futures_util::future::join_all(asks).await
    }

    /// Everything that was accepted stands, under its request id, with one event; and whatever else is decided has one
    /// event too. How many decisions there are.
    pub(crate) async fn audit(&self, kept: &Kept) -> usize {
        let rows = kept
            .rows(
                "SELECT d.key, d.request_id, d.verdict, d.status, count(o.seq), min(o.kind) FROM decision d
                 LEFT JOIN outbox o ON o.decision_id = d.id GROUP BY d.id, d.key, d.request_id, d.verdict, d.status",
            )
            .await;
        let mut decided = BTreeMap::new();
        for row in &rows {
            let cells: Vec<_> = row.split('|').collect();
            let [key, request_id, verdict, status, events, kind] = cells[..] else { panic!("{row}") };
            let expected = if verdict == "approve" { "ExecutionApproved" } else { "ExecutionRejected" };
            assert_eq!((status, events, kind), ("COMMITTED", "1", expected), "{row}");
            assert!(decided.insert(key, (request_id, verdict)).is_none(), "{key} is decided twice");
        }
        for (key, (request_id, verdict)) in &*self.accepted.lock().unwrap() {
            let stands = decided.get(key.as_str());
            assert_eq!(stands, Some(&(request_id.as_str(), *verdict)), "{key} was accepted and is lost");
        }
        let ends = "SELECT count(*) FROM outbox WHERE kind IN ('ExecutionApproved', 'ExecutionRejected')";
        assert_eq!(kept.rows(ends).await, [rows.len().to_string()], "an event without a decision");
        rows.len()
    }
}
