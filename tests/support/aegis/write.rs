//! Writes answers, or what is left of them on the way. An error means that the other side has gone, which is its right.

use super::answer;
use super::script::{Ending, Reply};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Whether all was written.
pub(super) async fn bytes(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).await.is_ok()
}

/// Says nothing until the other side goes.
pub(super) async fn hang(stream: &mut TcpStream) -> bool {
    let mut more = [0; 64];
    while stream.read(&mut more).await.is_ok_and(|count| count > 0) {}
    false
}

/// Whether all was written. `natural` is what the contract says, `row` the decision that stands as JSON.
pub(super) async fn reply(
    stream: &mut TcpStream,
    reply: &Reply,
    natural: Option<Vec<u8>>,
    row: &str,
    elsewhere: &str,
) -> bool {
    match (reply, natural) {
        (Reply::Natural, Some(natural)) => return bytes(stream, &natural).await,
        (Reply::As(status, headers), _) => {
            end(stream, &answer::whole(*status, headers, row.as_bytes())).await;
        }
        (Reply::Whole(status, headers, body), _) => end(stream, &answer::whole(*status, headers, body)).await,
        (Reply::Replayed, _) => end(stream, &answer::replayed(row)).await,
        (Reply::Redirect(status), _) => {
            let location = format!("Location: {elsewhere}/api/v1/hitl/approve\r\n");
            end(stream, &answer::whole(*status, &location, b"")).await;
        }
        (Reply::Bytes(part), _) => end(stream, part).await,
        (Reply::Cut(count, ending), Some(natural)) => {
            bytes(stream, &natural[..natural.len().min(*count)]).await;
            match ending {
                Ending::Closed => drop(stream.shutdown().await),
                Ending::Reset => drop(stream.set_zero_linger()),
            }
        }
        (Reply::Slowly(pause), Some(natural)) => {
            for byte in natural {
                if !bytes(stream, &[byte]).await {
                    break;
                }
                tokio::time::sleep(*pause).await;
            }
        }
        (Reply::Endless(first, again), _) => {
            let mut goes_on = bytes(stream, first).await;
            while goes_on {
                goes_on = bytes(stream, again).await;
            }
        }
        (Reply::Drip(first, again), _) => {
            let mut goes_on = bytes(stream, first).await;
            while goes_on {
                tokio::time::sleep(Duration::from_millis(20)).await;
                goes_on = bytes(stream, again).await;
            }
        }
        (Reply::Hang, _) => return hang(stream).await,
        (Reply::Reset, _) => drop(stream.set_zero_linger()),
        // A server that died has no natural answer.
        (Reply::Close | Reply::Natural | Reply::Cut(..) | Reply::Slowly(_), _) => {
            let _ = stream.shutdown().await;
        }
    }
    false
}

/// Writes it and closes, without losing it to a reset because of bytes that were not read.
async fn end(stream: &mut TcpStream, part: &[u8]) {
    if bytes(stream, part).await && stream.shutdown().await.is_ok() {
        let _ = tokio::time::timeout(Duration::from_secs(1), hang(stream)).await;
    }
}
