//! A stream of server-sent events, metered: an event may have so many bytes, and silence may last so long.
//!
//! The parser keeps what it is given until an event is complete, so the limit stands before it, on the bytes.

use super::trouble::Kind;
use crate::client::http::words;
use futures_util::{Stream, StreamExt, stream};
use sse_stream::{Sse, SseByteStream};
use std::fmt;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;

/// Bytes of one event: an entry whose sealed text has 1 MiB, every byte of it escaped in the string, and what is beside
/// it.
const EVENT_BYTES: usize = 2 * 1024 * 1024 + 128 * 1024;

/// The events of one connection.
pub(super) struct Events(Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>);

impl Events {
    pub(super) fn new(response: reqwest::Response, silence: Duration) -> Self {
        let bytes = Box::pin(response.bytes_stream());
        let metered = stream::unfold(
            (bytes, Meter::default(), false),
            move |(mut bytes, mut meter, over)| async move {
                if over {
                    return None;
                }
                let (item, over) = match timeout(silence, bytes.next()).await {
                    Err(_) => (Err(Stop(Kind::Silent(silence))), true),
                    Ok(None) => return None,
                    Ok(Some(Err(error))) => (Err(Stop(Kind::Broken(words(&error)))), true),
                    Ok(Some(Ok(chunk))) if meter.fits(&chunk) => (Ok(chunk), false),
                    Ok(Some(Ok(_))) => (Err(Stop(Kind::TooLarge(EVENT_BYTES))), true),
                };
                Some((item, (bytes, meter, over)))
            },
        );
        Self(Box::pin(SseByteStream::new(Box::pin(metered))))
    }

    /// The next event; the error says why there are no more.
    pub(super) async fn next(&mut self) -> Result<Sse, Kind> {
        match self.0.next().await {
            Some(Ok(event)) => Ok(event),
            None => Err(Kind::Closed),
            Some(Err(sse_stream::Error::Body(error))) => {
                let stop = error.downcast::<Stop>();
                Err(stop.map_or_else(|error| Kind::Broken(error.to_string()), |stop| stop.0))
            }
            Some(Err(error)) => Err(Kind::Garbled(error.to_string().into())),
        }
    }
}

/// A kind of trouble on its way through the parser.
#[derive(Debug)]
struct Stop(Kind);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream was stopped")
    }
}

impl std::error::Error for Stop {}

/// Counts the bytes since the last blank line, which ends an event.
#[derive(Debug, Default)]
struct Meter {
    event: usize,
    line: usize,
    after_cr: bool,
}

impl Meter {
    /// Takes the bytes in; `false` where an event has become too large.
    fn fits(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| {
            let second_half = std::mem::replace(&mut self.after_cr, *byte == b'\r') && *byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' if self.line == 0 => self.event = 0,
                b'\n' | b'\r' => self.line = 0,
                _ => self.line += 1,
            }
            self.event += 1;
            self.event <= EVENT_BYTES
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_starts_again_at_every_blank_line() {
        let line = [b'x'; 1024];
        for end in ["\n\n", "\r\r", "\r\n\r\n"] {
            let mut meter = Meter::default();
            for _ in 0..2 * EVENT_BYTES / line.len() {
                assert!(meter.fits(&line) && meter.fits(end.as_bytes()), "{end:?}");
            }
        }
    }

    #[test]
    fn the_meter_stops_an_event_without_end_however_it_is_cut() {
        for end in ["", "\n", "\r", "\r\n"] {
            let mut meter = Meter::default();
            let line = [&[b'x'; 1000], end.as_bytes()].concat();
            let fitted = (0..).take_while(|_| meter.fits(&line)).count();
            assert!(
                (EVENT_BYTES / line.len() - 1..=EVENT_BYTES / line.len() + 1).contains(&fitted),
                "{end:?}"
            );
        }
    }
}
