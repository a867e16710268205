//! A server of the Model Context Protocol on standard input and output: its tools ask a person, through the
//! [`Gate`], and tell the client what came of it.
//!
//! `lines` and `envelope` take what a client sends, `wire` is the transport that the crate `rmcp` speaks the protocol
//! over, `server` has the tools (`listed` describes them), `permission` and `approval` say what a call means and what
//! it gets, `waiting` asks. Only [`Answer::Allowed`](super::Answer) becomes a yes; all else, and every failure, is a
//! no that the client can read. Nothing here may run what was approved, read the environment, or write anything but
//! the protocol.

mod approval;
mod arguments;
mod envelope;
mod lines;
mod listed;
mod permission;
mod server;
mod waiting;
mod wire;

use super::{AapClient, Gate};
use rmcp::ServiceExt as _;
use rmcp::service::{QuitReason, ServerInitializeError};
use server::Server;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use wire::Wire;

/// How the server asks.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a person has to decide, at most; then the answer is no.
    pub timeout: Duration,
    /// How often a client that wants to hear of it is told that the wait goes on.
    pub progress: Duration,
    /// The thread that what is asked belongs to: 1 to 128 of `A-Z a-z 0-9 . _ : -`.
    pub thread: String,
    /// Where the client works, to be shown to reviewers.
    pub directory: Option<String>,
}

/// Why serving came to a bad end.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// The client broke the protocol before it had begun. Nothing of what it sent is repeated.
    #[error("the client did not begin as MCP does, with initialize")]
    NotInitialized,
    /// A task of the server ended as it must not.
    #[error("the server stopped by a fault of its own")]
    Broken,
}

/// Serves one client until it closes `read`, or `stop` is done: then whatever still waits is withdrawn and answered
/// with a no.
///
/// # Errors
/// The client never began, or a task of the server ended as it must not.
pub async fn serve(
    client: AapClient,
    options: Options,
    read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), McpError> {
    let (stopping, stopped) = watch::channel(false);
    let (wire, ended) = Wire::new(read, write, stopped);
    let server = Server::new(Gate::new(client.clone()), client, options, ended);
    let served = async {
        let running = match server.serve(wire).await {
            Ok(running) => running,
            // Nobody is there any more, which is how every client ends.
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(_) => return Err(McpError::NotInitialized),
        };
        match running.waiting().await {
            Ok(QuitReason::Closed | QuitReason::Cancelled) => Ok(()),
            Ok(_) | Err(_) => Err(McpError::Broken),
        }
    };
    let stops = async {
        stop.await;
        stopping.send_replace(true);
        std::future::pending().await
    };
    tokio::select! {
        served = served => served,
        never = stops => never,
    }
}
