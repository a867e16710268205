//! The transport: lines in, lines out, and one end that everybody hears of.
//!
//! The end of the client's stream, or a stop from outside, is told to every call that waits before `rmcp` is told, so
//! that each withdraws what it asked while its answer can still be sent. Nothing but messages is written.

use super::envelope::{self, LONGEST, Line};
use super::lines::{Lines, Read};
use rmcp::model::{ErrorData, JsonRpcMessage, RequestId};
use rmcp::service::{RoleServer, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, watch};

/// One client's two streams.
pub(super) struct Wire<R, W> {
    lines: Lines<R>,
    write: Arc<Mutex<W>>,
    /// Whether the client has sent its first request; `rmcp` takes nothing else before it.
    begun: bool,
    /// What is to be sent before anything more is read: reading may be given up at any time.
    reply: Option<TxJsonRpcMessage<RoleServer>>,
    stop: watch::Receiver<bool>,
    ended: watch::Sender<bool>,
}

impl<R: AsyncRead + Unpin, W> Wire<R, W> {
    /// The transport, and what becomes true once nobody is there to be answered.
    pub(super) fn new(read: R, write: W, stop: watch::Receiver<bool>) -> (Self, watch::Receiver<bool>) {
        let (ended, hears) = watch::channel(false);
        let (lines, write) = (Lines::new(read, LONGEST), Arc::new(Mutex::new(write)));
        (Self { lines, write, begun: false, reply: None, stop, ended }, hears)
    }

    fn refuse(&mut self, id: Option<RequestId>, error: ErrorData) {
        self.reply = Some(TxJsonRpcMessage::<RoleServer>::error(error, id));
    }
}

impl<R, W> Transport<RoleServer> for Wire<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let write = Arc::clone(&self.write);
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut write = write.lock().await;
            write.write_all(&line).await?;
            write.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(reply) = self.reply.take() {
                // By itself, because a client that does not read must not keep this from being stopped.
                let sent = self.send(reply);
                tokio::spawn(async move {
                    if let Err(error) = sent.await {
                        tracing::warn!(%error, "the client could not be answered");
                    }
                });
            }
            let read = tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => Ok(Read::End),
                read = self.lines.next() => read,
            };
            match read {
                Ok(Read::Line(line)) => match envelope::read(&line) {
                    Line::Message(message) => {
                        self.begun |= matches!(*message, JsonRpcMessage::Request(_));
                        if self.begun {
                            return Some(*message);
                        }
                    }
                    Line::Reply(id, error) => self.refuse(id, error),
                    Line::Nothing(why) => tracing::debug!("a line was left out: {why}"),
                },
                Ok(Read::TooLong) => {
                    tracing::warn!("a message of more than {LONGEST} bytes was left out");
                    self.refuse(None, ErrorData::invalid_request("the message is too long", None));
                }
                Ok(Read::End) => break,
                Err(error) => {
                    tracing::warn!(%error, "the client cannot be read from");
                    break;
                }
            }
        }
        self.ended.send_replace(true);
        None
    }

    async fn close(&mut self) -> io::Result<()> {
        self.ended.send_replace(true);
        Ok(())
    }
}
