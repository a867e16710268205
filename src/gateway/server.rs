//! The sockets: accepting, limits that hold for every connection, and a stop that lets what runs end.

use super::metrics::Level;
use super::seats::{Seat, Seats};
use super::tls::Tls;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// How long whoever comes waits for a seat before one more is cleared.
const SEAT_TIME: Duration = Duration::from_millis(100);
/// File handles that are left for the database, the logs and what the process does besides.
const OTHER_HANDLES: usize = 64;
/// How long a request's head may take, and how long a connection may stay idle. Longer than the 5 s for which the
/// published clients keep an idle connection, so that the two ends do not close and use it at the same moment.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a new connection may say nothing. Longer than the rest of a head may take: who opens hundreds at once on a
/// busy machine comes to the last of them late.
const FIRST_BYTE_TIME: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The first byte of every TLS connection: a handshake record.
const HANDSHAKE: u8 = 22;
/// What somebody reads who speaks plain HTTP where TLS is spoken.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 43\r\n\
    Connection: close\r\n\r\nthis gateway speaks https: call it by that\n";
/// How long what runs may take to end after the stop; with closing the store, a stop takes less than 5 s.
const STOP_TIME: Duration = Duration::from_secs(4);

/// How long, and over how many bytes, a finished connection waits for the other end to stop sending.
const LINGER_TIME: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// Tells everything that the gateway stops.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The signal, and the one who gives it.
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Ends when the gateway stops, or has been dropped.
    pub(crate) async fn stopped(&self) {
        let mut receiver = self.0.clone();
        // An error says that the gateway is gone.
        let _ = receiver.wait_for(|stop| *stop).await;
    }
}

/// How many connections there can be of those that are wanted: no more than the process may have files open.
pub(crate) fn connections(wanted: usize) -> usize {
    let handles = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let handles = handles.and_then(|handles| usize::try_from(handles).ok()).unwrap_or(usize::MAX);
    wanted.min(handles.saturating_sub(OTHER_HANDLES)).max(1)
}

/// Accepts and serves until the stop, then lets what runs end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    connections: usize,
    tls: Option<Arc<Tls>>,
    open_now: Level,
    stop: Stop,
) {
    let slots = Arc::new(Semaphore::new(connections));
    let seats = Arc::<Seats>::default();
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.stopped() => break,
            Some(_) = open.join_next() => continue,
            accepted = accept(&listener, &slots, &seats) => accepted,
        };
        if let Some((stream, slot)) = accepted {
            let (router, stop, sitting) = (router.clone(), stop.clone(), seats.sit());
            let (tls, counted) = (tls.clone(), open_now.one());
            open.spawn(async move {
                connection(stream, router, tls, stop, &sitting.seat).await;
                drop((sitting, slot, counted));
            });
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_TIME, ended).await.is_err() {
        tracing::warn!(connections = open.len(), "some connections did not end in time and are cut");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    seats: &Seats,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    // One is kept free for whoever comes next: only who has come in can say who they are.
    if slots.available_permits() == 0 {
        seats.make_room();
    }
    let slot = loop {
        match tokio::time::timeout(SEAT_TIME, Arc::clone(slots).acquire_owned()).await {
            Ok(slot) => break slot.ok()?,
            Err(_) => seats.make_room(),
        };
    };
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, slot)),
        Err(error) => {
            // Out of file handles, for example.
            tracing::warn!(%error, "a connection could not be accepted");
            seats.make_room();
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, router: Router, tls: Option<Arc<Tls>>, stop: Stop, seat: &Arc<Seat>) {
    if let Ok(peer) = stream.peer_addr() {
        seat.is_of(peer.ip());
    }
    // Not by `readable`, which may say yes too early.
    let mut first = [0];
    tokio::select! {
        begun = tokio::time::timeout(FIRST_BYTE_TIME, stream.peek(&mut first)) => match begun {
            Ok(Ok(1)) => {}
            // Too late, broken, or closed.
            _ => return,
        },
        () = stop.stopped() => return,
        () = seat.must_leave() => return,
    }
    // An answer is small; waiting to fill a packet only delays it.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        if let Some(stream) = speak(stream, router, &stop, seat).await {
            linger(stream).await;
        }
        return;
    };
    if first != [HANDSHAKE] {
        return refuse_plain(stream).await;
    }
    let acceptor = tls.acceptor();
    let stream = tokio::select! {
        shaken = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)) => match shaken {
            Ok(Ok(stream)) => stream,
            // Too late, or not to be agreed with: the caller has been told why.
            _ => return,
        },
        () = stop.stopped() => return,
        () = seat.must_leave() => return,
    };
    if let Some(mut stream) = speak(stream, router, &stop, seat).await {
        // Says that this is the end, so that nobody can have cut it; who does not read it is not waited for.
        if let Ok(Ok(())) = tokio::time::timeout(LINGER_TIME, stream.shutdown()).await {
            linger(stream.into_inner().0).await;
        }
    }
}

/// Tells a caller who speaks plain HTTP what is spoken here.
async fn refuse_plain(mut stream: TcpStream) {
    if let Ok(Ok(())) = tokio::time::timeout(LINGER_TIME, stream.write_all(NO_TLS)).await {
        linger(stream).await;
    }
}

/// Serves one connection to its end; what is left of it where it ended by itself.
async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    router: Router,
    stop: &Stop,
    seat: &Arc<Seat>,
) -> Option<S> {
    let mut builder = http1::Builder::new();
    // Without the timer the header timeout never fires.
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(64).max_buf_size(64 * 1024);
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let work = seat.work();
        request.extensions_mut().insert(Arc::clone(seat));
        let answer = routes.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(work);
            answer
        })
    });
    let mut serving = builder.serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| serving.poll_without_shutdown(cx)) => Some(ended),
        () = stop.stopped() => None,
        () = seat.must_leave() => return None,
    };
    // A connection that breaks is the caller's affair; what was committed is committed.
    match ended {
        Some(Ok(())) => Some(serving.into_parts().io.into_inner()),
        Some(Err(_)) => None,
        None => {
            Pin::new(&mut serving).graceful_shutdown();
            let _ = serving.await;
            None
        }
    }
}

/// Closes after what is still on its way in has been taken off the line. Closing over it would reset the connection, and
/// a caller who is still sending a body that is too large would lose the answer that says so.
async fn linger(stream: TcpStream) {
    let half_closed = stream.into_std().and_then(|stream| {
        stream.shutdown(Shutdown::Write)?;
        TcpStream::from_std(stream)
    });
    let Ok(stream) = half_closed else { return };
    let drain = async {
        let (mut left, mut bytes) = (LINGER_BYTES, [0; 8 * 1024]);
        while left > 0 && stream.readable().await.is_ok() {
            match stream.try_read(&mut bytes) {
                Ok(0) => return,
                Ok(read) => left = left.saturating_sub(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    // In either case it is closed now.
    let _ = tokio::time::timeout(LINGER_TIME, drain).await;
}
