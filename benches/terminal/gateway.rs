//! From the start of the console to a full first page of a gateway on this machine on which very many wait.

use super::queue::{Kind, ask};
use super::table::{Goal, Table, Values, ms};
use super::{Ground, MANY, SIZE, counts, rows_of_actions};
use crate::tester::Tester;
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Calls in flight while it is filled.
const IN_FLIGHT: usize = 200;

pub(crate) fn measure(ground: &Ground, table: &mut Table) {
    for count in [100, ground.rounds(MANY, 10_000)] {
        let data = ground.home.join(format!("gateway-{count}"));
        let mut gateway = Serving::start(&data);
        let began = Instant::now();
        gateway.fill(&data, count);
        eprintln!("filled a gateway with {count} actions in {:.0} s", began.elapsed().as_secs_f64());
        let (mut first, mut full, mut ready) = (Values::default(), Values::default(), Values::default());
        let rows = page(ground, &gateway.url, &data, count);
        for _ in 0..ground.rounds(9, 3) {
            let mut console = gateway.console(ground, &data);
            let mut wait = |what: &str, is: &dyn Fn(&vt100::Screen) -> bool| {
                let at = if is(console.screen()) { Instant::now() } else { console.wait_for(what, is) };
                ms(at - console.started)
            };
            first.push(wait("the first row", &|screen| rows_of_actions(&screen.contents()).next().is_some()));
            full.push(wait("a full page", &|screen| rows_of_actions(&screen.contents()).count() >= rows));
            ready.push(wait("the count", &|screen| counts(screen, count)));
        }
        let goal = Goal::value(80.0);
        let name = format!("gateway, {count} actions");
        table.line(&format!("{name}: first paint, median"), "ms", first.median(), None, Goal::NONE);
        table.line(&format!("{name}: a full page, median"), "ms", full.median(), None, goal);
        table.line(&format!("{name}: a full page, worst"), "ms", full.max(), None, Goal::NONE);
        table.line(&format!("{name}: all counted, median"), "ms", ready.median(), None, Goal::NONE);
        gateway.stop();
    }
}

/// How many rows of actions a full page has.
fn page(ground: &Ground, url: &str, data: &Path, count: usize) -> usize {
    let mut console = console(ground, url, data);
    console.wait_for("the count", |screen| counts(screen, count));
    console.quiet(0, Duration::from_millis(500), Duration::from_secs(5));
    rows_of_actions(&console.screen_now().contents()).count()
}

/// One agent has asked for everything at once; the rows are to stand by themselves all the same.
fn console(ground: &Ground, url: &str, data: &Path) -> Tester {
    let token = data.join("reviewer.token");
    let journal = data.join("console.sqlite");
    let arguments =
        ["review", "--server", url, "--token-file", token.to_str().unwrap(), "--flood", "1000000"];
    let arguments = [&arguments[..], &["--journal", journal.to_str().unwrap()]].concat();
    Tester::start(Ground::program(), &arguments, &ground.home, SIZE, ground.manners, false)
}

struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(Ground::program());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--pending-per-agent", "1000000", "--data"])
            .arg(data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }

    /// As an agent does, many at once.
    fn fill(&self, data: &Path, count: usize) {
        let token = std::fs::read_to_string(data.join("agent.token")).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        // One may be installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let post = |number: usize| {
            let ask = ask(number, Kind::Series);
            let labels = ask.labels;
            let body = json!({"tool": ask.tool, "arguments": ask.arguments, "timeout": "30d", "context": {
                "thread_id": ask.thread, "summary": ask.summary, "risk": ask.risk, "labels": labels}});
            let request = client.post(format!("{}/aap/v1/requests", self.url)).bearer_auth(token.trim());
            let request = request.header("Idempotency-Key", format!("key-{number}")).body(body.to_string());
            async move {
                let answer = request.send().await.unwrap();
                assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
            }
        };
        runtime
            .block_on(stream::iter(0..count).map(post).buffer_unordered(IN_FLIGHT).for_each(|()| async {}));
    }

    fn console(&self, ground: &Ground, data: &Path) -> Tester {
        console(ground, &self.url, data)
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
    }
}
