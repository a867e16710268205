//! A clock that is not the gateway's.

use crate::world::World;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Here every approval has run out when it comes, as where the local clock is far ahead.
async fn approve(State(asked): State<Arc<AtomicUsize>>, body: String) -> (StatusCode, String) {
    asked.fetch_add(1, Ordering::SeqCst);
    let echo = body.strip_suffix('}').unwrap();
    let answer = format!(
        r#"{echo},"id":"0197a1b2-0000-7000-8000-000000000001","status":"approved",
            "created_at":"2019-01-01T12:00:00.000000Z","deadline_at":"2999-11-23T12:10:00.000000Z",
            "decision":{{"status":"approved","decided_at":"2020-01-01T00:00:00Z","expires_at":"2020-01-02T00:00:00Z"}}}}"#
    );
    (StatusCode::CREATED, answer)
}

#[test]
fn where_every_approval_has_run_out_it_asks_once_and_says_no() {
    let (world, asked) = (World::new(), Arc::new(AtomicUsize::new(0)));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(approve).with_state(asked.clone());
    runtime.spawn(async move { axum::serve(listener, app).await });
    let done = world.ask(&["--server", &url, "--", "touch", "out"]);
    assert_eq!((done.code, asked.load(Ordering::SeqCst)), (Some(4), 1), "{done:?}");
    assert!(!world.path("out").exists(), "{done:?}");
}
