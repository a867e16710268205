//! A transport that answers by a script and keeps every request.

use aegis_console::client::http::{Request, Response, StatusCode};
use aegis_console::client::{AegisClient, Builder, Bytes, Jitter, Transport, TransportError};
use futures_util::future::BoxFuture;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What one request is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Status(u16, String),
    /// With a header.
    Hinted(u16, &'static str, String),
    NotSent,
    Lost,
    /// Never an answer.
    Hang,
}

pub(crate) fn status(status: u16) -> Answer {
    Answer::Status(status, String::new())
}

pub(crate) fn body(status: u16, body: impl Into<String>) -> Answer {
    Answer::Status(status, body.into())
}

/// Decision calls take from one list, status calls from the other; the last entry of each repeats.
#[derive(Default)]
pub(crate) struct Script {
    decisions: Mutex<VecDeque<Answer>>,
    looks: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request<Bytes>>>,
    mine: Mutex<Option<String>>,
}

impl Script {
    pub(crate) fn new(
        decisions: impl Into<VecDeque<Answer>>,
        looks: impl Into<VecDeque<Answer>>,
    ) -> Arc<Self> {
        let (decisions, looks) = (Mutex::new(decisions.into()), Mutex::new(looks.into()));
        Arc::new(Self { decisions, looks, ..Self::default() })
    }

    /// Decisions as scripted; the server has no status call.
    pub(crate) fn deciding(decisions: impl Into<VecDeque<Answer>>) -> Arc<Self> {
        Self::new(decisions, [status(404)])
    }

    /// What `MINE` in the scripted bodies stands for.
    pub(crate) fn name_mine(&self, request_id: &str) {
        *self.mine.lock().unwrap() = Some(request_id.to_owned());
    }

    pub(crate) fn requests(&self) -> Vec<Request<Bytes>> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn posts(&self) -> Vec<Request<Bytes>> {
        self.requests().into_iter().filter(|request| request.method() == "POST").collect()
    }

    pub(crate) fn looks(&self) -> usize {
        self.requests().len() - self.posts().len()
    }

    fn answer(&self, request: Request<Bytes>) -> Answer {
        let mut list = if request.method() == "POST" { &self.decisions } else { &self.looks }.lock().unwrap();
        self.requests.lock().unwrap().push(request);
        let answer = if list.len() > 1 { list.pop_front() } else { list.front().cloned() };
        match (answer.expect("the script is empty"), self.mine.lock().unwrap().as_deref()) {
            (Answer::Status(status, body), Some(id)) => Answer::Status(status, body.replace("MINE", id)),
            (answer, _) => answer,
        }
    }
}

pub(crate) fn sent<'r>(request: &'r Request<Bytes>, header: &str) -> Option<&'r str> {
    let mut values = request.headers().get_all(header).iter();
    let value = values.next().map(|value| value.to_str().unwrap());
    assert!(values.next().is_none(), "{header} was sent twice");
    value
}

impl Transport for Script {
    fn send(
        &self,
        request: Request<Bytes>,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let mut response = Response::new(Bytes::new());
        let result = match self.answer(request) {
            Answer::Status(status, body) => {
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                *response.body_mut() = body.into();
                Ok(response)
            }
            Answer::Hinted(status, name, value) => {
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                response.headers_mut().insert(name, value.parse().unwrap());
                Ok(response)
            }
            Answer::NotSent => Err(TransportError::not_sent("connection refused")),
            Answer::Lost => Err(TransportError::lost("reset by \u{1b}[2Jpeer")),
            Answer::Hang => return Box::pin(std::future::pending()),
        };
        Box::pin(std::future::ready(result))
    }
}

/// A client in the published client's test setting, with its exact waits.
pub(crate) fn builder(script: &Arc<Script>) -> Builder {
    let transport = Arc::clone(script) as Arc<dyn Transport>;
    AegisClient::builder().tenant_id("t1").thread_id("th1").jitter(Jitter::None).transport(transport)
}

pub(crate) fn client(script: &Arc<Script>) -> AegisClient {
    builder(script).build().unwrap()
}
