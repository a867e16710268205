//! The plain mode: lines in, transcripts out, and what must not decide.

use crate::script::{LETTERS, at, command, decided, plain, refund, settings, trade};
use aegis_console::client::AttemptEvent;
use aegis_console::console::app::{Context, Effect, EndOfInput, Message, Model, Now, Settings};
use aegis_console::console::plain::Plain;
use aegis_console::dispatch::{DispatchEvent, News, Order};
use aegis_console::domain::{
    Action, Approval, Count, Outcome, Queued, Resolution, Review, Risk, Standing, Try, Untrusted, Verdict,
};
use aegis_console::feed::{FeedEvent, Link, Looking};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A reader who takes her time.
const LOOK: Duration = Duration::from_secs(2);

struct Session {
    plain: Plain,
    transcript: String,
    tick: Duration,
    printed: Duration,
    ids: u128,
    effects: Vec<Effect>,
}

impl Session {
    fn with(settings: Settings, size: (u16, u16), deciding: bool) -> Self {
        let settings = Settings { line_by_line: true, ..settings };
        let plain = Plain::new(Model::new(settings, size), deciding);
        let (tick, printed) = (Duration::ZERO, Duration::ZERO);
        let mut session =
            Self { plain, transcript: String::new(), tick, printed, ids: 0, effects: Vec::new() };
        session.print();
        session
    }

    /// A person at a terminal, and three actions that wait.
    fn new() -> Self {
        let mut session = Self::with(settings(), (80, 24), true);
        session.listing();
        session
    }

    fn listing(&mut self) {
        let entries = vec![refund(), trade(), command()];
        let pending: HashSet<_> = entries.iter().map(|entry| entry.action.id.clone()).collect();
        self.feed(FeedEvent::entries(entries));
        self.feed(FeedEvent::Complete { pending });
        self.feed(FeedEvent::Link(Link::Live));
    }

    fn now(&self) -> Now {
        Now { wall: at("12:02:00") + self.tick, tick: self.tick }
    }

    fn act(&mut self, act: impl FnOnce(&mut Plain, &mut Context<'_>) -> Vec<Effect>) {
        let now = self.now();
        let ids = &mut self.ids;
        let mut id = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        let mut context = Context { now, id: &mut id, letters: &mut || LETTERS.into() };
        self.effects.extend(act(&mut self.plain, &mut context));
    }

    fn print(&mut self) {
        let now = self.now();
        if let Some(output) = self.plain.output(now) {
            for line in &output.lines {
                self.transcript.push_str(line);
                self.transcript.push('\n');
            }
            self.transcript.push_str(output.prompt.as_deref().unwrap_or_default());
            self.printed = now.tick;
            self.plain.printed(&output, now);
        }
    }

    fn tell(&mut self, message: Message) -> &mut Self {
        self.act(|plain, context| plain.tell(message, context));
        self.print();
        self
    }

    fn feed(&mut self, event: FeedEvent) -> &mut Self {
        self.tell(Message::Feed(event))
    }

    fn hear(&mut self, news: News) -> &mut Self {
        let id = self.order().id;
        self.tell(Message::Dispatch(DispatchEvent { id, news }))
    }

    /// A line, typed this long after the last output.
    fn typed_after(&mut self, time: Duration, line: &str) -> &mut Self {
        self.tick += time;
        let early = self.tick <= self.printed;
        self.transcript.push_str(&format!("«{line}»\n"));
        self.act(|plain, context| plain.line(line, early, context));
        self.print();
        self
    }

    /// A line, typed by somebody who has read what it answers.
    fn say(&mut self, line: &str) -> &mut Self {
        self.typed_after(LOOK, line)
    }

    fn orders(&self) -> Vec<Order> {
        let orders = |effect: &Effect| match effect {
            Effect::Decide(orders) => orders.clone(),
            _ => Vec::new(),
        };
        self.effects.iter().flat_map(orders).collect()
    }

    fn order(&self) -> Order {
        self.orders().pop().expect("an order went out")
    }

    fn resolved(&mut self, outcome: Outcome, status: u16, standing: Option<Standing>) -> &mut Self {
        let order = self.order();
        let one = Try {
            number: 1,
            http_status: Some(status),
            error: None,
            started: at("12:02:00"),
            took: Duration::from_millis(38),
            waited: Duration::ZERO,
        };
        let resolution = Resolution {
            outcome,
            http_status: Some(status),
            standing,
            detail: None,
            tries: vec![one],
            request_id: order.request_id.to_string(),
            idempotency_key: order.action.idempotency_key.clone(),
        };
        self.hear(News::Resolved(resolution))
    }

    /// The number of an action, as the list prints it.
    fn says(&self, text: &str) -> bool {
        self.transcript.contains(text)
    }

    fn last(&self) -> &str {
        let end = self.transcript.rfind('«').unwrap_or(0);
        &self.transcript[end..]
    }
}

fn held(session: &mut Session) {
    let until = session.now().wall + Duration::from_secs(3);
    session.hear(News::Held { until });
}

#[test]
fn read_approve_and_hear_what_became_of_it() {
    let mut session = Session::new();
    session.say("").say("show 1").say("approve 1").say(LETTERS);
    held(&mut session);
    session.say("");
    session.hear(News::Queued);
    session.hear(News::Attempt(AttemptEvent::Started { number: 1, of: 4, at: at("12:02:03") }));
    session.resolved(Outcome::Committed, 202, None);
    session.feed(FeedEvent::changed(plain(9, Risk::Low).queued()));
    session.say("reject 3 not on a Friday").say("yes").say("list").say("outcomes").say("status").say("quit");
    assert_eq!(session.orders().len(), 2);
    assert_eq!(session.order().reason.as_deref(), Some("not on a Friday"));
    insta::assert_snapshot!(session.transcript);
}

#[test]
fn a_payload_is_printed_page_by_page_and_approved_only_when_all_of_it_was() {
    let lines: Vec<_> = (1..=60).map(|line| format!("\"m{line}\": {line}")).collect();
    let payload = format!("{{{}}}", lines.join(","));
    let mut session = Session::with(settings(), (60, 16), true);
    session.listing();
    let mut long = plain(7, Risk::Medium);
    (long.payload, long.agent) = (&payload, "pager");
    session.feed(FeedEvent::changed(long.queued()));
    session.say("").say("list pager").say("approve 4");
    assert!(session.last().contains("62 lines not printed yet"), "{}", session.last());
    session.say("show 4").say("").say("approve 4");
    assert!(session.last().contains("lines not printed yet"), "{}", session.last());
    // Enters that were typed ahead turn no pages.
    session.say("show 4").typed_after(Duration::ZERO, "");
    assert!(session.last().contains("ignored"), "{}", session.last());
    while !session.last().contains("end of 4") {
        session.say("more");
    }
    session.say("approve 4").say("yes");
    assert_eq!(session.orders().len(), 1);
    insta::assert_snapshot!(session.transcript);
}

#[test]
fn what_was_typed_ahead_or_too_early_decides_nothing() {
    for (risk, answer, early) in [(Risk::Low, "yes", 299), (Risk::High, LETTERS, 999)] {
        let mut session = Session::with(settings(), (80, 24), true);
        session.listing();
        session.feed(FeedEvent::changed(plain(9, risk).queued()));
        session.say("").say("show 4").say("approve 4").typed_after(Duration::ZERO, answer);
        assert!(session.last().contains("ignored: this was typed before"), "{}", session.last());
        session.typed_after(Duration::from_millis(early - 1), answer);
        assert!(session.last().contains("ignored: this came before"), "{}", session.last());
        assert!(session.orders().is_empty());
        session.typed_after(Duration::from_millis(early + 1), answer);
        assert_eq!(session.orders().len(), 1, "{risk}");
    }
}

#[test]
fn anything_but_the_answer_leaves_the_question() {
    for answer in [
        "",
        "y",
        "YES",
        "yes please",
        "approve 1",
        "kmtx",
        "kmt",
        "kmtwx",
        "km\u{1b}tw",
        "\u{1b}[0n",
        "aaaaaaaaaaaa",
    ] {
        let mut session = Session::new();
        session.say("").say("show 1").say("approve 1").say(answer);
        assert!(session.last().contains("nothing was decided"), "{answer:?}: {}", session.last());
        session.say("yes").say(LETTERS);
        assert!(session.orders().is_empty(), "{answer:?}");
        session.say("reject 1 no").say(answer).say("yes");
        assert!(session.orders().is_empty(), "{answer:?}");
    }
}

#[test]
fn a_critical_risk_takes_the_letters_and_a_reason() {
    let mut session = Session::new();
    session.say("").say("show 2").say("approve 2").say(LETTERS);
    assert!(session.orders().is_empty());
    session.say("cancel");
    assert!(session.orders().is_empty() && session.last().contains("nothing was decided"));
    session.say("approve 2").say(LETTERS).say("  ");
    assert!(session.last().contains("a reason is needed") && session.orders().is_empty());
    session.say("as agreed with Noor");
    assert_eq!(session.order().reason.as_deref(), Some("as agreed with Noor"));
    let mut session = Session::new();
    session.say("").say("show 2").say("approve 2 as agreed").say(LETTERS);
    assert_eq!(session.order().reason.as_deref(), Some("as agreed"));
}

#[test]
fn a_number_never_changes_what_it_means() {
    let mut session = Session::new();
    session.say("");
    session.feed(FeedEvent::changed(decided(refund(), Verdict::Reject, "alice")));
    session.feed(FeedEvent::changed(plain(9, Risk::Low).queued()));
    session.say("list").say("reject 1").say("yes");
    assert!(session.says("1 does not wait for a decision any more") && session.orders().is_empty());
    session.say("reject 4").say("yes");
    assert_eq!(session.order().action.id, plain(9, Risk::Low).queued().action.id);
    session.say("reject 5");
    assert!(session.last().contains("there is no 5"), "{}", session.last());
}

#[test]
fn other_bytes_under_a_known_id_are_another_number() {
    let mut session = Session::new();
    session.say("").say("show 1");
    let mut other = refund();
    let sealed = other.action.sealed.replace("1.10", "1100");
    other.action = Arc::new(Action::read(sealed).unwrap());
    session.feed(FeedEvent::Replaced(other));
    session.say("approve 1");
    assert!(session.last().contains("1 does not wait for a decision any more"), "{}", session.last());
    session.say("list").say("approve 4");
    assert!(session.last().contains("not printed yet"), "{}", session.last());
    session.say("show 4");
    assert!(session.last().contains("it is other than when it was decided on"), "{}", session.last());
}

#[test]
fn nobody_is_interrupted_and_a_question_that_is_over_decides_nothing() {
    let mut session = Session::new();
    session.say("").say("show 1").say("approve 1");
    let before = session.transcript.clone();
    session.feed(FeedEvent::changed(plain(9, Risk::Low).queued()));
    session.feed(FeedEvent::changed(decided(refund(), Verdict::Reject, "alice")));
    assert_eq!(session.transcript, before, "a line is being typed");
    session.say(LETTERS);
    assert!(session.orders().is_empty());
    insta::assert_snapshot!(session.last());
}

#[test]
fn from_a_pipe_everything_can_be_looked_at_and_nothing_decided() {
    let mut session = Session::with(settings(), (80, 24), false);
    assert!(!session.plain.is_ready());
    session.listing();
    for line in
        ["list", "show 1", "approve 1", "yes", LETTERS, "reject 1", "yes", "undo", "pause 1", "noted 1"]
    {
        session.say(line);
    }
    assert!(session.effects.iter().all(|effect| matches!(effect, Effect::Link(_))), "{:?}", session.effects);
    session.feed(FeedEvent::changed(plain(9, Risk::Low).queued()));
    session.act(Plain::end_of_lines);
    assert!(session.plain.finished());
    insta::assert_snapshot!(session.transcript);
}

#[test]
fn where_nobody_may_be_reading_every_approval_takes_letters() {
    let settings = Settings { always_letters: true, ..settings() };
    let mut session = Session::with(settings, (80, 24), true);
    session.listing();
    session.feed(FeedEvent::changed(plain(9, Risk::Low).queued()));
    session.say("").say("approve 4").say("yes");
    assert!(session.orders().is_empty());
    session.say("approve 4").say(LETTERS);
    assert_eq!(session.orders().len(), 1);
    session.say("reject 1").say("yes");
    assert_eq!(session.orders().len(), 2, "rejecting is always cheap");
}

#[test]
fn the_end_of_input_is_no_decision_and_held_ones_are_asked_about() {
    let mut session = Session::new();
    session.say("").say("show 1").say("approve 1");
    session.act(Plain::end_of_lines);
    session.print();
    assert!(!session.plain.finished() && session.orders().is_empty());
    session.say("approve 1").say(LETTERS);
    held(&mut session);
    session.act(Plain::end_of_lines);
    session.print();
    assert!(!session.plain.finished());
    session.say("what?").say("stay").say("quit").say("drop");
    assert!(session.plain.finished());
    assert_eq!(session.effects.last(), Some(&Effect::DropHeld(vec![session.order().id])));
    insta::assert_snapshot!(session.transcript[session.transcript.find("«approve 1»\nApprove").unwrap()..]);

    let mut session = Session::new();
    session.say("").say("show 1").say("approve 1");
    session.act(|plain, context| plain.ended(EndOfInput::Hangup, context));
    assert!(session.plain.finished() && session.orders().is_empty());
}

#[test]
fn undo_again_and_noted_by_number() {
    let mut session = Session::new();
    session.say("").say("show 1").say("approve 1").say(LETTERS);
    held(&mut session);
    session.say("undo 2");
    assert!(session.last().contains("2 has not been decided here"), "{}", session.last());
    session.say("undo 1");
    assert_eq!(session.effects.last(), Some(&Effect::Undo(vec![session.order().id])));
    session.hear(News::Dropped).say("list").say("approve 1").say(LETTERS);
    let standing = Standing {
        verdict: Some(Verdict::Reject),
        reviewer: Some(Untrusted::from("alice")),
        request_id: Some("another".into()),
        decided_at: Some(at("12:03:11")),
        status: None,
        count: None,
    };
    session.resolved(Outcome::Conflict, 409, Some(standing)).say("undo 1").say("again 1").say("noted 1");
    assert_eq!(session.effects.last(), Some(&Effect::Acknowledge(session.order().id)));
    session.say("show 3").say("reject 3").say("yes").resolved(Outcome::NotSent, 503, None).say("again 3");
    assert_eq!(session.effects.last(), Some(&Effect::TryAgain(session.order().id)));
    insta::assert_snapshot!(session.transcript);
}

#[test]
fn what_is_marked_is_decided_by_one_table_and_one_answer() {
    let mut session = Session::new();
    let mail = |number, payload| {
        let mut sample = plain(number, Risk::Low);
        sample.payload = payload;
        sample.queued()
    };
    session.feed(FeedEvent::changed(mail(7, r#"{"to":"a@x","subject":"hi"}"#)));
    session.feed(FeedEvent::changed(mail(8, r#"{"to":"b@x","subject":"hi"}"#)));
    session
        .say("")
        .say("approve marked")
        .say("list")
        .say("mark 4 2")
        .say("mark ci")
        .say("mark 9")
        .say("marks");
    session.say("mark 5").typed_after(Duration::from_millis(100), "approve marked");
    assert!(session.last().contains("ignored: this came before"), "{}", session.last());
    session.say("approve marked").say("no").say("approve marked").say("yes");
    let verdicts: Vec<_> = session.orders().iter().map(|order| order.verdict).collect();
    assert_eq!(verdicts, [Verdict::Approve; 2], "high risk is approved one by one");
    session.say("mark all").say("reject marked out of hours").say("yes");
    assert_eq!(session.orders().len(), 5);
    assert!(session.orders()[2..].iter().all(|order| order.reason.as_deref() == Some("out of hours")));
    insta::assert_snapshot!(session.transcript);
}

#[test]
fn the_list_can_be_filtered_and_put_in_another_order() {
    let mut session = Session::new();
    session.say("").say("sort risk");
    assert!(session.last().find("2: critical") < session.last().find("1: high"), "{}", session.last());
    session.say("sort size");
    assert!(session.last().contains("sort by what?"), "{}", session.last());
    session.say("filter risk:critical");
    assert!(
        session.last().contains("1 of 3 kept") && !session.last().contains("1: high"),
        "{}",
        session.last()
    );
    // A number means what it means, whatever the list shows.
    session.say("reject 1").say("yes");
    assert_eq!(session.order().action.id, refund().action.id);
    session.say("filter");
    assert!(session.last().contains("3: high") && !session.last().contains("1: high"), "{}", session.last());
}

#[test]
fn nothing_foreign_stands_at_the_left_edge_and_no_line_is_too_long() {
    let mut hostile = plain(8, Risk::Low);
    let name = format!("x\n2: low, ping by ci, 01:00 left {}", "approve 2 ".repeat(40));
    (hostile.agent, hostile.action, hostile.summary) = (&name, "a\u{1b}[2Jb\r> yes", Some(name.as_str()));
    hostile.payload = "{\"a\":\"\\n> approve 1\\u001b[2J\\r\\n1: low\"}";
    for columns in [20, 40, 80, 200] {
        let mut session = Session::with(settings(), (columns, 24), true);
        session.listing();
        session.feed(FeedEvent::changed(hostile.queued()));
        session
            .say("")
            .say("list")
            .say("show 4")
            .say("more")
            .say("more")
            .say("reject 4")
            .say("yes")
            .say("outcomes");
        let own = session.transcript.lines().filter(|line| !line.starts_with('«'));
        for line in own {
            assert!(!line.contains(['\u{1b}', '\r']), "{line:?}");
            let width = unicode_width::UnicodeWidthStr::width(line);
            assert!(width <= usize::from(columns) || line.contains('«'), "{columns}: {line:?}");
            assert!(!line.starts_with("2: low") && !line.starts_with("approve 2"), "{line:?}");
        }
    }
}

#[test]
fn what_other_reviewers_make_of_it_is_told_line_by_line() {
    let reviewed = |names: &[&str]| {
        let approval =
            |name: &&str| Approval { reviewer: (*name).into(), decided_at: at("12:01:40"), reason: None };
        let approvals: Vec<_> = names.iter().map(approval).collect();
        let review = Review { needed: 2, approvals, until: Some(at("12:16:40")) };
        Queued { review: Some(Arc::new(review)), ..plain(9, Risk::Low).queued() }
    };
    let mut session = Session::new();
    session.feed(FeedEvent::changed(reviewed(&[])));
    session.feed(FeedEvent::changed(reviewed(&["alice"])));
    let looking = Looking { reviewer: "bob".into(), action_id: reviewed(&[]).action.id.clone() };
    session.feed(FeedEvent::Looking(vec![looking]));
    session.feed(FeedEvent::AllowedByRule(3));
    // What rules allow is counted, and interrupts nobody.
    session.feed(FeedEvent::changed(decided(plain(10, Risk::Low).queued(), Verdict::Approve, "rule:reads")));
    session.say("list").say("show 4").say("approve 4").say("yes");
    session.resolved(Outcome::Counted(Count { approvals: 1, needed: 2 }), 202, None);
    session.say("approve 4").say("status").say("outcomes");
    assert_eq!(session.orders().len(), 1);
    insta::assert_snapshot!(session.transcript);
}

#[test]
fn what_a_source_can_carry_is_said_in_words() {
    let source = r#""source":{"name":"legacy","reason":false,"covers":"many_calls","silence":"runs"},"reviewers_needed""#;
    let sealed = refund().action.sealed.replacen("\"reviewers_needed\"", source, 1);
    let mut session = Session::with(settings(), (80, 24), true);
    session.feed(FeedEvent::entries(vec![Queued::pending(Action::read(sealed).unwrap())]));
    session.feed(FeedEvent::Link(Link::Live));
    for line in ["list", "show 1", "approve 1", "no", "reject 1 not today", "no"] {
        session.say(line);
    }
    insta::assert_snapshot!(session.transcript);
}
