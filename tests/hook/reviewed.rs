//! With our own gateway and a reviewer: the yes, the no with its reason, and never a second yes for one approval.

use crate::reviewing::Reviewer;
use crate::running::{Heard, Home, Input, ask, feed, hear};
use aegis_console::client::AegisClient;
use aegis_console::domain::{Queued, Verdict};
use aegis_console::gateway::{Config, Gateway};
use secrecy::ExposeSecret as _;
use std::time::{Duration, Instant};

/// Long enough for any machine; no test waits for it.
const LONG: u64 = 300;

struct World {
    _data: tempfile::TempDir,
    gateway: Gateway,
    home: Home,
    reviewer: Reviewer,
}

impl World {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let gateway =
            Gateway::start(Config::new(([127, 0, 0, 1], 0).into(), data.path().join("data"))).await.unwrap();
        let home = Home::new(gateway.agent("hook").expose_secret());
        let client =
            AegisClient::builder().base_url(gateway.url()).api_key(gateway.reviewer("alice").expose_secret());
        let reviewer = Reviewer::new(client.build().unwrap());
        Self { _data: data, gateway, home, reviewer }
    }

    /// What waits, once something does.
    async fn waiting(&self) -> Queued {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(queued) = self.reviewer.pending().await.pop() {
                return queued;
            }
            assert!(Instant::now() < until, "nothing was asked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs the hook, and decides what it asks.
    async fn decided(&self, input: &Input, verdict: Verdict, reason: &str) -> (Heard, Queued) {
        let hook = self.begin(input);
        let queued = self.waiting().await;
        self.reviewer.decide(&queued.action, verdict, reason).await;
        (hook.await.unwrap(), queued)
    }

    fn begin(&self, input: &Input) -> tokio::task::JoinHandle<Heard> {
        let mut command = self.home.hook(input, &self.gateway.url(), &format!("{LONG}s"));
        let (agent, event) = (input.agent, input.event());
        let child = feed(command.spawn().unwrap(), input.text.as_bytes());
        tokio::task::spawn_blocking(move || hear(agent, &event, &child.wait_with_output().unwrap()))
    }

    /// Runs it where nothing is left to decide.
    async fn settled(&self, input: &Input) -> Heard {
        let (home, input, url) = (&self.home, input.clone(), self.gateway.url());
        tokio::task::block_in_place(|| ask(home, &input, &url, LONG))
    }
}

/// What a reviewer judges by is the tool's input byte for byte, and where it would run.
#[tokio::test(flavor = "multi_thread")]
async fn each_tool_is_shown_whole_and_runs_when_a_reviewer_says_so() {
    let world = World::start().await;
    for input in Input::all() {
        let (heard, queued) = world.decided(&input, Verdict::Approve, "fine").await;
        assert_eq!(heard, Heard::Yes, "{}", input.name);
        let action = &queued.action;
        let (_, rest) = input.text.split_once("\"tool_input\":{").unwrap();
        let members = action.payload().strip_prefix('{').unwrap();
        let (own, cwd) = members.rsplit_once("\"cwd").unwrap();
        assert!(rest.starts_with(own.trim_end_matches(',')), "{}: {members}", input.name);
        let own_cwd = if input.text.contains("\"cwd\":\"/srv\"") { " of the session" } else { "" };
        assert_eq!(cwd, format!("{own_cwd}\":\"/home/noor/shop\"}}"), "{}", input.name);
        let value = input.value();
        assert_eq!(action.thread_id.raw(), value["session_id"].as_str().unwrap());
        assert_eq!(action.name.raw(), value["tool_name"].as_str().unwrap());
        let server = if input.name.ends_with("mcp") { "github" } else { input.agent };
        assert_eq!(action.server.as_ref().unwrap().raw(), server);
        let entry = world.reviewer.entry(&action.id.to_string()).await;
        assert!(entry.execution.is_some_and(|execution| format!("{execution:?}").contains("Consumed")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_brings_the_reviewers_words_to_the_agent() {
    let world = World::start().await;
    for name in
        ["claude-code/bash", "claude-code/permission_bash", "codex/apply_patch", "codex/permission_bash"]
    {
        let input = Input::named(name);
        let (heard, _) = world.decided(&input, Verdict::Reject, "use \"make clean\"\nand not rm").await;
        let said = "A reviewer denied this call: use \"make clean\"␊and not rm";
        assert_eq!(heard, Heard::No(said.into()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_approval_is_one_run_and_another_call_is_asked_about_anew() {
    let world = World::start().await;
    let first = Input::named("claude-code/bash");
    assert_eq!(world.decided(&first, Verdict::Approve, "").await.0, Heard::Yes);
    for _ in 0..3 {
        let again = world.settled(&first).await;
        assert!(matches!(&again, Heard::No(why) if why.contains("attempted before")), "{again:?}");
    }
    let (heard, asked) = world.decided(&first.as_call("toolu_another"), Verdict::Approve, "").await;
    assert_eq!((heard, asked.action.name.raw()), (Heard::Yes, "Bash"));
    // It gives its calls no id: two equal ones are two.
    for name in ["claude-code/permission_bash", "codex/permission_bash"] {
        let input = Input::named(name);
        let (heard, one) = world.decided(&input, Verdict::Approve, "").await;
        assert_eq!(heard, Heard::Yes);
        let (heard, two) = world.decided(&input, Verdict::Reject, "").await;
        assert!(matches!(heard, Heard::No(_)) && one.action.id != two.action.id, "{heard:?}");
    }
}

/// Killed while it waited, then approved: whoever asks again for the same call gets the approval, once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_waiting_it_has_said_nothing_and_the_approval_is_good_once() {
    let world = World::start().await;
    let input = Input::named("claude-code/bash");
    let mut command = world.home.hook(&input, &world.gateway.url(), &format!("{LONG}s"));
    let mut child = feed(command.spawn().unwrap(), input.text.as_bytes());
    let queued = world.waiting().await;
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.is_empty() && output.status.code().is_none(), "{output:?}");
    world.reviewer.decide(&queued.action, Verdict::Approve, "").await;
    assert_eq!(world.settled(&input).await, Heard::Yes);
    assert!(matches!(world.settled(&input).await, Heard::No(_)));
}

/// Two at once for one call, as where the hook is installed twice: one is told yes, the other no, and to an agent one no is
/// a no.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_hooks_of_one_call_one_hears_yes() {
    let world = World::start().await;
    let input = Input::named("codex/bash");
    let (one, two) = (world.begin(&input), world.begin(&input));
    let queued = world.waiting().await;
    world.reviewer.decide(&queued.action, Verdict::Approve, "").await;
    let heard = [one.await.unwrap(), two.await.unwrap()];
    assert_eq!(heard.iter().filter(|heard| **heard == Heard::Yes).count(), 1, "{heard:?}");
    assert!(world.reviewer.pending().await.is_empty());
}
