//! Over real sockets: what the wire sees of a decision over lost answers and restarts.

use crate::fault_server::{FaultServer, Reply};
use crate::world::{Disk, live, order};
use aegis_console::client::AegisClient;
use aegis_console::dispatch::{Dispatcher, News, NoCheck, Pace};
use aegis_console::domain::{Outcome, Verdict};
use aegis_console::journal::Stage;
use std::sync::Arc;
use std::time::Duration;

fn client(server: &FaultServer) -> AegisClient {
    AegisClient::builder().base_url(server.url.as_str()).api_key("k".to_owned()).build().unwrap()
}

#[test]
fn killed_while_it_waits_for_an_answer_and_resumed() {
    let server = FaultServer::start(|number, request| match number {
        1 => Reply::Hang,
        2 => Reply::json(404, "{}"),
        3 => Reply::Reset,
        4 => Reply::json(404, "{}"),
        5 => Reply::json(202, r#"{"status":"COMMITTED"}"#),
        _ => panic!("{}", request.head),
    });
    let disk = Disk::new();
    let id = live(async {
        let (dispatcher, mut events) =
            Dispatcher::start(client(&server), disk.journal(), Arc::new(NoCheck), Pace::default());
        let order = order(Verdict::Approve, "k");
        dispatcher.decide(vec![order.clone()], Duration::ZERO);
        while server.posts().is_empty() {
            tokio::time::timeout(Duration::from_millis(10), events.recv()).await.ok();
        }
        order.id
    });
    let journal = disk.journal();
    assert!(journal.entry(id).unwrap().unwrap().stage == Stage::Sending);
    drop(journal);
    live(async {
        let (_dispatcher, mut events) =
            Dispatcher::start(client(&server), disk.journal(), Arc::new(NoCheck), Pace::default());
        loop {
            if let News::Resolved(resolution) = events.recv().await.unwrap().news {
                assert_eq!(resolution.outcome, Outcome::Committed);
                return;
            }
        }
    });
    let posts = server.posts();
    assert_eq!(posts.len(), 3);
    assert!(posts.iter().all(|post| post == &posts[0]), "head and body of every try are the same");
    assert!(
        server.received()[1].is(&format!("GET /api/v1/hitl/status/{}", posts[0].header("x-request-id")[0]))
    );
}

#[test]
fn nobody_listens_and_then_somebody_does() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let disk = Disk::new();
    live(async {
        let client =
            AegisClient::builder().base_url(url).api_key("k".to_owned()).max_retries(0).build().unwrap();
        let (dispatcher, mut events) =
            Dispatcher::start(client, disk.journal(), Arc::new(NoCheck), Pace::default());
        let order = order(Verdict::Approve, "k");
        dispatcher.decide(vec![order.clone()], Duration::ZERO);
        loop {
            if let News::Resolved(resolution) = events.recv().await.unwrap().news {
                assert_eq!(resolution.outcome, Outcome::NotSent);
                assert_eq!(resolution.tries[0].error.as_deref(), Some("connection refused"));
                break;
            }
        }
        dispatcher.shutdown().await;
    });
}
