//! The sockets: reads requests and carries out the script.

use super::ledger::{Answered, Asked, Decision, Entered, Ledger};
use super::script::{Act, Conflicts, Other, Reply, Script, StatusCall, Step};
use super::{BOB, CALLER, KEY, OTHER, answer, write};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// All servers of a test binary live here, apart from the runtimes of the tests.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// A running server. It ends when it is dropped.
pub(crate) struct AegisServer {
    pub(crate) url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    script: Script,
    ledger: Mutex<Ledger>,
    /// Where redirects lead: a base URL.
    elsewhere: String,
    /// Decisions that are not at their end yet.
    busy: watch::Sender<usize>,
    gone: watch::Sender<bool>,
}

impl AegisServer {
    pub(crate) fn start(script: Script) -> Self {
        Self::start_with(script, "http://127.0.0.1:9".into())
    }

    /// As [`start`](Self::start), its redirects leading to `elsewhere`, a base URL.
    pub(crate) fn start_with(script: Script, elsewhere: String) -> Self {
        let listener = listen();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        if script.absent {
            stop_listening(&listener);
        }
        let (busy, gone) = (watch::Sender::new(0), watch::Sender::new(false));
        let shared = Arc::new(Shared { script, ledger: Mutex::default(), elsewhere, busy, gone });
        let accepting = RUNTIME.spawn({
            let shared = Arc::clone(&shared);
            async move { accept(TcpListener::from_std(listener).unwrap(), shared).await }
        });
        Self { url, shared, accepting }
    }

    /// Everything so far.
    pub(crate) fn ledger(&self) -> Ledger {
        self.shared.ledger().clone()
    }

    /// Everything, once all that will still happen to a decision has happened.
    pub(crate) async fn settled(&self) -> Ledger {
        let mut busy = self.shared.busy.subscribe();
        busy.wait_for(|count| *count == 0).await.unwrap();
        self.ledger()
    }

    /// As [`settled`](Self::settled), for tests without a runtime.
    pub(crate) fn settled_blocking(&self) -> Ledger {
        RUNTIME.block_on(self.settled())
    }
}

impl Drop for AegisServer {
    fn drop(&mut self) {
        // Its connections are aborted with it.
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut gone = shared.gone.subscribe();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                // What the other does in time starts with the first caller.
                if let Some(other) = shared.script.before.filter(|_| shared.ledger().rows.is_empty()) {
                    shared.other(KEY, other);
                }
                let _ = stream.set_nodelay(true);
                let shared = Arc::clone(&shared);
                connections.spawn(async move { shared.connection(stream).await });
            }
            Some(ended) = connections.join_next() => ended.unwrap(),
            _ = gone.changed() => break,
        }
    }
    let listener = listener.into_std().unwrap();
    stop_listening(&listener);
    while connections.join_next().await.is_some() {}
    std::future::pending::<()>().await;
}

/// Listens on a free port. It is asked for by its number, for only then it stays taken after [`stop_listening`].
fn listen() -> std::net::TcpListener {
    let host = host();
    let free = || std::net::TcpListener::bind((host, 0)).unwrap().local_addr().unwrap();
    // Somebody may take it first.
    std::iter::repeat_with(free).find_map(|address| std::net::TcpListener::bind(address).ok()).unwrap()
}

/// An address of this machine that no other server has: a port is given to the next one as soon as it is free, and then
/// a client of an earlier server, or of another program's, may call here.
fn host() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST;
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [_, _, high, low] = number.to_be_bytes();
    let [_, _, _, process] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, process.max(1), high, low.max(1))
}

/// Nobody listens any more, but the port stays taken: no other server of these tests may get it.
fn stop_listening(listener: &std::net::TcpListener) {
    let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(listener.try_clone().unwrap()));
    socket.shutdown(std::net::Shutdown::Both).unwrap();
}

/// One request, its body by `Content-Length`; `bytes` is what was read off the connection and not used yet.
async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Asked> {
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut asked = Asked { head, is_decision: bytes[0] == b'P', ..Asked::default() };
            let length: usize = asked.header("content-length").map_or(0, |text| text.parse().unwrap());
            let whole = end + 4 + length;
            if bytes.len() >= whole {
                asked.body = bytes[end + 4..whole].to_vec();
                bytes.drain(..whole);
                return Some(asked);
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    async fn connection(self: Arc<Self>, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            // By the first byte it is known what is asked, and it is on record before more is read.
            let mut first = [0];
            match bytes.first() {
                Some(byte) => first[0] = *byte,
                None if matches!(stream.peek(&mut first).await, Ok(1)) => {}
                None => return,
            }
            let is_decision = first[0] == b'P';
            let (step, number) = self.begin(is_decision);
            if let Some(count) = step.cut_request.filter(|_| is_decision) {
                let mut part = vec![0; count];
                // An error means that the other side has gone first.
                let _ = stream.read_exact(&mut part).await;
                let _ = stream.set_zero_linger();
                return;
            }
            let Some(asked) = read(&mut stream, &mut bytes).await else { return };
            self.ledger().asked[number] = asked.clone();
            let kept = if is_decision {
                self.decide(&mut stream, &asked, number, &step).await
            } else {
                self.status(&mut stream, &asked).await
            };
            if !kept {
                return;
            }
        }
    }

    /// Puts on record that a request has begun to come in: its step, and its number in the ledger.
    fn begin(&self, is_decision: bool) -> (Step, usize) {
        let mut ledger = self.ledger();
        let before = ledger.decisions().count();
        ledger.asked.push(Asked { is_decision, ..Asked::default() });
        let step = self.script.steps.get(before).unwrap_or(&self.script.rest).clone();
        (step, ledger.asked.len() - 1)
    }

    async fn status(&self, stream: &mut TcpStream, asked: &Asked) -> bool {
        let path = asked.head.split(' ').nth(1).unwrap_or_default();
        let request_id = path.rsplit('/').next().unwrap_or_default();
        let answer = {
            let ledger = self.ledger();
            answer::status(ledger.row_of(request_id).map(|(_, row)| row), self.script.status)
        };
        match answer {
            Some(bytes) => {
                let whole = !matches!(self.script.status, StatusCall::Cut(_));
                write::bytes(stream, &bytes).await && whole
            }
            None => write::hang(stream).await,
        }
    }

    /// Acts and answers; whether the connection is kept.
    async fn decide(
        self: &Arc<Self>,
        stream: &mut TcpStream,
        asked: &Asked,
        number: usize,
        step: &Step,
    ) -> bool {
        let verdict = asked.verdict().unwrap_or_else(|| panic!("this is no decision: {}", asked.head));
        self.busy.send_modify(|count| *count += 1);
        tokio::time::sleep(step.late).await;
        let header = |name| asked.header(name).unwrap_or_default().to_owned();
        let decision = Decision {
            key: header("idempotency-key"),
            request_id: header("x-request-id"),
            verdict,
            reviewer: CALLER.into(),
        };
        let entered = self.enter(&decision, step.act);
        let row = self.ledger().rows.get(&decision.key).cloned();
        let natural = match (entered, &row) {
            (Entered::Taken, _) if matches!(step.act, Act::Orphan { .. } | Act::Swept { .. }) => None,
            (Entered::Taken, _) if step.act == Act::Fail => Some((500, answer::failed())),
            (Entered::Taken, Some(row)) => Some((202, answer::accepted(row))),
            (Entered::Duplicate, Some(row)) => Some((409, answer::conflict(row, self.script.conflicts))),
            _ => None,
        };
        if let Some(other) = step.then {
            self.other(&decision.key, other);
        }
        if step.gone {
            self.gone.send_replace(true);
        }
        // Before it is written: who has read it must find it in the ledger.
        let ours = self.script.conflicts == Conflicts::Ours;
        let tells =
            entered == Entered::Taken && step.act != Act::Fail || entered == Entered::Duplicate && ours;
        let told = row.as_ref().map(|row| row.status);
        let answered = match &step.reply {
            Reply::Natural => natural.as_ref().map(|(status, _)| (*status, told.filter(|_| tells))),
            Reply::As(status, _) | Reply::Whole(status, ..) | Reply::Redirect(status) => {
                Some((*status, None))
            }
            Reply::Replayed => Some((202, told)),
            _ => None,
        };
        // A client that gave up has closed its end.
        let gone = matches!(stream.try_read(&mut [0]), Ok(0));
        {
            let mut ledger = self.ledger();
            let asked = &mut ledger.asked[number];
            asked.answered = answered.filter(|_| !gone).map(|(status, told)| Answered { status, told });
            asked.written = natural.as_ref().map_or(0, |(_, bytes)| bytes.len());
        }
        self.busy.send_modify(|count| *count -= 1);
        let natural = natural.map(|(_, bytes)| bytes);
        let stays = matches!(step.reply, Reply::Natural) && natural.is_some() && !step.gone;
        let row = row.as_ref().map(answer::row).unwrap_or_default();
        write::reply(stream, &step.reply, natural, &row, &self.elsewhere).await && stays
    }

    fn enter(self: &Arc<Self>, decision: &Decision, act: Act) -> Entered {
        let entered = self.ledger().enter(decision, act);
        if entered == Entered::Taken {
            let decision = decision.clone();
            match act {
                Act::Commit(after) => self.later(after, move |ledger| ledger.commit(&decision)),
                Act::Swept { after, .. } => self.later(after, move |ledger| ledger.sweep(&decision)),
                _ => {}
            }
        }
        entered
    }

    fn later(self: &Arc<Self>, after: Duration, end: impl FnOnce(&mut Ledger) + Send + 'static) {
        self.busy.send_modify(|count| *count += 1);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            end(&mut shared.ledger());
            shared.busy.send_modify(|count| *count -= 1);
        });
    }

    fn other(self: &Arc<Self>, key: &str, Other(verdict, act): Other) {
        let (key, request_id, reviewer) = (key.to_owned(), OTHER.to_owned(), BOB.to_owned());
        self.enter(&Decision { key, request_id, verdict, reviewer }, act);
    }
}
