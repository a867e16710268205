//! A server that carries decisions out once for each key, loses some answers on their way, and remembers every call.

use crate::fault_server::{FaultServer, Received, Reply};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// What another reviewer had decided before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    Same,
    Opposite,
}

/// One key, carried out.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) verdict: &'static str,
    pub(crate) request_id: String,
}

#[derive(Default)]
struct Known {
    rows: HashMap<String, Row>,
    /// Every decision call: key, request id, verdict and bytes.
    calls: Vec<(String, String, &'static str, Vec<u8>)>,
    chance: fastrand::Rng,
}

#[derive(Clone)]
pub(crate) struct Ledger(Arc<Mutex<Known>>);

const ALICE: &str = "a11ce000-0000-4000-8000-000000000000";

impl Ledger {
    pub(crate) fn new(seed: u64) -> Self {
        let known = Known { chance: fastrand::Rng::with_seed(seed), ..Known::default() };
        Self(Arc::new(Mutex::new(known)))
    }

    pub(crate) fn serve(&self) -> FaultServer {
        let ledger = self.clone();
        FaultServer::start(move |_, request| ledger.answer(request))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap()
    }

    /// Some were decided by alice, before.
    pub(crate) fn decided_before(&self, number: usize) -> Option<Other> {
        match number % 20 {
            7 => Some(Other::Same),
            13 => Some(Other::Opposite),
            _ => None,
        }
    }

    fn answer(&self, request: &Received) -> Reply {
        let path = request.head.split(' ').nth(1).unwrap();
        if let Some(request_id) = path.strip_prefix("/api/v1/hitl/status/") {
            return self.status(request_id);
        }
        let verdict = match path {
            "/api/v1/hitl/approve" => "approve",
            "/api/v1/hitl/reject" => "reject",
            other => panic!("{other}"),
        };
        let header = |name: &str| request.header(name)[0].to_owned();
        let (key, request_id) = (header("idempotency-key"), header("x-request-id"));
        let mut known = self.known();
        known.calls.push((key.clone(), request_id.clone(), verdict, request.body.clone()));
        let fate = known.chance.u8(..100);
        // Before anything happens: it never came, or the server was not well.
        match fate {
            0..2 => return Reply::Close,
            2..4 => return Reply::json(503, "{}"),
            _ => {}
        }
        let answer = match known.rows.get(&key) {
            Some(row) => Reply::json(409, &format!(r#"{{"decision":{}}}"#, record(row))),
            None => {
                let number: usize = key.strip_prefix("k-").unwrap().parse().unwrap();
                let before = self.decided_before(number).map(|other| match (other, verdict) {
                    (Other::Same, _) => verdict,
                    (Other::Opposite, "approve") => "reject",
                    (Other::Opposite, _) => "approve",
                });
                let row = Row {
                    verdict: before.unwrap_or(verdict),
                    request_id: before.map_or(request_id, |_| ALICE.to_owned()),
                };
                let answer = match before {
                    Some(_) => Reply::json(409, &format!(r#"{{"decision":{}}}"#, record(&row))),
                    None => Reply::json(202, r#"{"status":"COMMITTED"}"#),
                };
                known.rows.insert(key, row);
                answer
            }
        };
        // After it has happened: the answer is lost.
        if fate < 8 { Reply::Reset } else { answer }
    }

    fn status(&self, request_id: &str) -> Reply {
        let known = self.known();
        let asked = known.calls.iter().find(|(_, id, ..)| id == request_id);
        match asked.and_then(|(key, ..)| known.rows.get(key)) {
            Some(row) => Reply::json(200, &record(row)),
            None => Reply::json(404, "{}"),
        }
    }

    pub(crate) fn row(&self, key: &str) -> Option<Row> {
        self.known().rows.get(key).cloned()
    }

    pub(crate) fn keys(&self) -> usize {
        self.known().rows.len()
    }

    pub(crate) fn calls(&self) -> usize {
        self.known().calls.len()
    }

    /// Of every key that was sent.
    pub(crate) fn request_ids(&self) -> Vec<(String, String)> {
        self.known().calls.iter().map(|(key, id, ..)| (key.clone(), id.clone())).collect()
    }

    /// So that a server which forgot a key, or told calls apart by their request id, would not carry one out twice either.
    pub(crate) fn each_key_has_one_request_id_and_the_same_bytes(&self) {
        let known = self.known();
        let mut first = HashMap::new();
        for call in &known.calls {
            let before = *first.entry(&call.0).or_insert(call);
            assert_eq!(before, call);
        }
    }
}

fn record(row: &Row) -> String {
    format!(
        r#"{{"verdict":"{}","request_id":"{}","reviewer":"somebody","decided_at":"2026-11-23T12:00:00Z","status":"COMMITTED"}}"#,
        row.verdict, row.request_id
    )
}
