//! PostgreSQL goes away: the connection that hears of other gateways, all of them, and the one that waits for the answer to
//! a COMMIT. The gateway goes on by itself, says no meanwhile, and decides nothing twice.

use crate::database::{Fresh, Kept, server};
use crate::ledger::{Call, Ledger, Told};
use crate::member::{Member, REVIEWER, spawn};
use crate::postgres;
use crate::proxy::{Cut, Proxy};
use crate::three::Stream;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn start(dir: &tempfile::TempDir, name: &str, url: &str) -> Member {
    tokio::task::block_in_place(|| spawn(&dir.path().join(name), Some(url), None).listening()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_commit_that_is_lost_is_no_second_decision() {
    let Some(own) = postgres("a commit whose answer is lost").await else { return };
    let server: tokio_postgres::Config = own.url().parse().unwrap();
    let tokio_postgres::config::Host::Tcp(host) = &server.get_hosts()[0] else { panic!("a socket file") };
    let port = server.get_ports().first().copied().unwrap_or(5432);
    let proxy = Proxy::to(format!("{host}:{port}")).await;
    let (before, name) = (own.url(), own.name().to_owned());
    let credentials = before.split("://").nth(1).unwrap().rsplit_once('@').map_or("", |(user, _)| user);
    let url = format!("postgres://{credentials}@127.0.0.1:{}/{name}?sslmode=disable", proxy.port);
    let dir = tempfile::tempdir().unwrap();
    let member = start(&dir, "data", &url);
    let (ledger, kept) = (Ledger::new([member.url.clone()]), Kept::Server(own));
    for (number, cut) in [Cut::After, Cut::Before, Cut::Nowhere, Cut::After].into_iter().enumerate() {
        let call = Call::bare("approve", format!("key-{number}"));
        let made = proxy.made();
        proxy.cut(cut, &call.request_id);
        let told = ledger.once(&call, &member.url).await;
        assert_eq!(told.is_none(), cut != Cut::Nowhere, "nobody is told more than is known: {told:?}");
        assert_eq!(proxy.made() - made, usize::from(cut != Cut::Nowhere));
        let stands = kept.rows(&format!("SELECT request_id FROM decision WHERE key = 'key-{number}'")).await;
        assert_eq!(stands.is_empty(), cut == Cut::Before, "{cut:?}");
        assert_eq!(ledger.decide(0, &call).await, Told::Mine, "the same call again");
        let other = Call::bare("reject", format!("key-{number}"));
        assert_eq!(ledger.decide(0, &other).await, Told::Others(call.request_id));
    }
    assert_eq!(ledger.refused.load(Ordering::SeqCst), 3, "a 5xx for each that was cut, and no more");
    assert_eq!(ledger.audit(&kept).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_though_the_connection_that_hears_of_them_is_cut_over_and_over() {
    let Some(own) = postgres("a LISTEN connection that is cut").await else { return };
    let (dir, url, name) = (tempfile::tempdir().unwrap(), own.url(), own.name().to_owned());
    let members = [start(&dir, "a", &url), start(&dir, "b", &url)];
    let (writer, kept) = (Ledger::new([members[0].url.clone()]), Kept::Server(own));
    let mut stream = Stream::open(&writer.http, &members[1].url, Some(0)).await;
    // The one whose last words were those of the listener.
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'
         AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN%' OR query LIKE '%IS NOT NULL, o.kind%')"
    );
    let (mut cuts, mut seen) = (0, Vec::new());
    for round in 0..4 {
        cuts += kept.rows(&cut).await.len();
        let asked = writer.ask(10, "1h").await;
        for _ in 0..asked.len() {
            seen.push(stream.next().await.expect("the stream ended").0);
        }
        assert!(cuts > round, "nothing was cut");
    }
    let rows = kept.rows("SELECT seq FROM outbox ORDER BY seq").await;
    assert_eq!(seen.iter().map(i64::to_string).collect::<Vec<_>>(), rows, "each once, in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_and_comes_back_is_used_again_and_nothing_is_decided_twice() {
    let Some(own) = postgres("a database that goes away").await else { return };
    let (dir, url, name) = (tempfile::tempdir().unwrap(), own.url(), own.name().to_owned());
    let member = start(&dir, "data", &url);
    let (ledger, kept) = (Ledger::new([member.url.clone()]), Kept::Server(own));
    let outside = Kept::Server(Fresh::schema(server().unwrap()).await);
    let load: Vec<_> = (0..600)
        .map(|n| {
            let (ledger, call) = (ledger.clone(), Call::bare("approve", format!("key-{n}")));
            tokio::spawn(async move { ledger.decide(0, &call).await })
        })
        .collect();
    while ledger.accepted() < 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Not even its owner is let in: as while a server restarts.
    outside.change(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")).await;
    let all = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    assert!(!outside.rows(&all).await.is_empty());
    let refused = ledger.refused.load(Ordering::SeqCst);
    while ledger.refused.load(Ordering::SeqCst) < refused + 100 {
        outside.rows(&all).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ready = ledger.http.get(format!("{}/readyz", member.url)).bearer_auth(REVIEWER).send().await.unwrap();
    assert!(ready.status().is_server_error(), "it says so: {}", ready.status());
    outside.change(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")).await;
    for call in load {
        assert_eq!(call.await.unwrap(), Told::Mine);
    }
    assert_eq!(ledger.audit(&kept).await, 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_thrown_out_at_its_last_statement_stops_no_gateway_for_good() {
    let Some(own) = postgres("a connection that is thrown out at its last statement").await else { return };
    let (dir, url, name) = (tempfile::tempdir().unwrap(), own.url(), own.name().to_owned());
    let member = start(&dir, "data", &url);
    let (ledger, kept) = (Ledger::new([member.url.clone()]), Kept::Server(own));
    let (other, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let throw_out = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '{name}' AND wait_event_type = 'Lock' AND query LIKE 'UPDATE audit_head%'"
    );
    for number in 0..3 {
        let call = Call::bare("approve", format!("key-{number}"));
        // The end of the audit log is written last, and waits for this one.
        other.batch_execute("BEGIN; SELECT 1 FROM audit_head FOR UPDATE").await.unwrap();
        let (told, ()) = tokio::join!(ledger.once(&call, &member.url), async {
            while kept.rows(&throw_out).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            other.batch_execute("ROLLBACK").await.unwrap();
        });
        assert_eq!(told, None, "it was thrown out before the commit");
        assert_eq!(ledger.decide(0, &call).await, Told::Mine, "it goes on without a restart");
    }
    assert_eq!(ledger.audit(&kept).await, 3);
}
