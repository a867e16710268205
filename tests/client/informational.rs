//! A server that sends interim answers (1xx) without end holds up nobody but itself.

use crate::flood::{Flood, LONG};
use aegis_console::client::AegisClient;
use aegis_console::domain::Outcome;
use std::time::Duration;

#[tokio::test]
async fn interim_answers_without_end_are_a_lost_answer_and_hold_nothing_up() {
    let flood = Flood::start();
    let client = AegisClient::builder()
        .base_url(&flood.url)
        .tenant_id("t1")
        .thread_id("th1")
        .timeout(Duration::from_millis(300))
        .max_retries(0)
        .build()
        .unwrap();
    let (resolution, held) = flood.beside(client.approve("key-1").send()).await;
    let resolution = resolution.unwrap();
    assert_eq!((resolution.outcome, resolution.http_status), (Outcome::Unconfirmed, None));
    // Both the HTTP library's clock and our own around it end a try; on a busy machine either may be first.
    let ended = resolution.tries[0].error.as_deref();
    assert!(matches!(ended, Some("timed out" | "no answer within 0.3 s")), "{ended:?}");
    assert!(flood.sent() > 0);
    assert!(held < LONG, "{held} bytes were read and nothing else ran");
    flood.wait_for_a_close();
}
