//! A console without a terminal: keys go in, frames come out, every effect is kept.

use aegis_console::client::AttemptEvent;
use aegis_console::console::app::guard::ARMED_HIGH;
use aegis_console::console::app::{
    Announcement, Context, Effect, Message, Model, Now, Settings, deadline::next_deadline, update,
    update::painted,
};
use aegis_console::console::keymap::Keymap;
use aegis_console::console::screens::decide::Bar;
use aegis_console::console::screens::view;
use aegis_console::console::theme::Theme;
use aegis_console::dispatch::{DispatchEvent, News, Order};
use aegis_console::domain::action::Draft;
use aegis_console::domain::{
    Action, ActionState, Decision, Outcome, Queued, Resolution, Risk, Standing, Try, Untrusted, Verdict,
};
use aegis_console::feed::{FeedEvent, Link};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use std::time::Duration;
use uuid::Uuid;

/// What the random letters of every bar are here.
pub(crate) const LETTERS: &str = "kmtw";

pub(crate) const WIDE: (u16, u16) = (120, 40);
pub(crate) const SHORT: (u16, u16) = (72, 12);
pub(crate) const SMALL: (u16, u16) = (40, 12);
pub(crate) const BROAD: (u16, u16) = (200, 50);
pub(crate) const HUGE: (u16, u16) = (300, 80);

pub(crate) struct Script {
    pub(crate) model: Model,
    terminal: Terminal<TestBackend>,
    started: Timestamp,
    tick: Duration,
    /// For how long the reviewer has looked at frames before pressing keys: time that no clock on the screen shows.
    looked: Duration,
    ids: u128,
    pub(crate) effects: Vec<Effect>,
    /// What the terminal was to be called.
    pub(crate) titles: Vec<String>,
}

pub(crate) fn settings() -> Settings {
    Settings {
        identity: "default · dana · http://127.0.0.1:8000".into(),
        reviewer: Some("dana".into()),
        grace: Duration::from_secs(3),
        how_to_ask: vec![
            "agents ask at http://127.0.0.1:8000/aap".into(),
            "their token: DIR/agent.token".into(),
        ],
        ..Settings::new(Theme::named(), Keymap::shipped().unwrap())
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    format!("2026-11-23T{text}Z").parse().unwrap()
}

impl Script {
    pub(crate) fn new(size: (u16, u16)) -> Self {
        Self::with(settings(), size)
    }

    pub(crate) fn with(settings: Settings, size: (u16, u16)) -> Self {
        let mut script = Self {
            model: Model::new(settings, size),
            terminal: Terminal::new(TestBackend::new(size.0, size.1)).unwrap(),
            started: at("12:02:00"),
            tick: Duration::ZERO,
            looked: Duration::ZERO,
            ids: 0,
            effects: Vec::new(),
            titles: Vec::new(),
        };
        script.paint();
        script.feed(FeedEvent::Link(Link::Live));
        script
    }

    /// A console with three actions waiting.
    pub(crate) fn with_queue(size: (u16, u16)) -> Self {
        let mut script = Self::new(size);
        script.feed(FeedEvent::entries(vec![refund(), trade(), command()]));
        script
    }

    pub(crate) fn now(&self) -> Now {
        Now { wall: self.started + self.tick, tick: self.tick + self.looked }
    }

    /// One message and the frame that it leads to.
    pub(crate) fn tell(&mut self, message: Message) -> &mut Self {
        self.tell_unpainted(message).paint();
        self
    }

    /// One message that no frame follows: what comes next is typed ahead.
    pub(crate) fn tell_unpainted(&mut self, message: Message) -> &mut Self {
        let now = self.now();
        let ids = &mut self.ids;
        let mut id = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        let mut context = Context { now, id: &mut id, letters: &mut || LETTERS.into() };
        for effect in update(&mut self.model, message, &mut context) {
            match effect {
                Effect::Announce(Announcement::Title(title)) => self.titles.push(title),
                effect => self.effects.push(effect),
            }
        }
        self
    }

    /// Time passes, and nobody looks.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.tick += time;
    }

    /// A frame reaches the terminal.
    pub(crate) fn paint(&mut self) {
        let (model, now) = (&self.model, self.now());
        let (width, height) = model.size;
        self.terminal.backend_mut().resize(width, height);
        self.terminal.draw(|frame| view(model, frame, now)).unwrap();
        painted(&mut self.model, now);
    }

    /// What happens in here was read that much earlier than now.
    pub(crate) fn late(&mut self, by: Duration, happens: impl FnOnce(&mut Self)) {
        self.tick -= by;
        happens(self);
        self.tick += by;
    }

    /// Keys by their names, blanks between them, each pressed by somebody who has looked at what it answers.
    pub(crate) fn keys(&mut self, names: &str) -> &mut Self {
        for name in names.split(' ') {
            self.looked += ARMED_HIGH;
            self.tell(Message::KeyPressed(key(name)));
        }
        self
    }

    /// Keys that come as fast as a machine can send them.
    pub(crate) fn hasty(&mut self, names: &str) -> &mut Self {
        for name in names.split(' ') {
            self.tell(Message::KeyPressed(key(name)));
        }
        self
    }

    /// Reads what the cursor is on to its end and opens the bar that approves it.
    pub(crate) fn read_and_ask(&mut self) -> &mut Self {
        self.keys("enter");
        while self.model.detail.unseen() > 0 {
            self.keys("space");
        }
        self.keys("a")
    }

    /// Approves what the cursor is on as its bar asks.
    pub(crate) fn approve(&mut self) -> &mut Self {
        self.read_and_ask();
        if self.model.bar.as_ref().is_some_and(|bar| bar.letters.is_some()) {
            self.typed(LETTERS);
        }
        if self.model.bar.as_ref().is_some_and(Bar::needs_reason) {
            self.keys("tab").typed("agreed");
        }
        self.keys("enter")
    }

    /// Characters as a person types them.
    pub(crate) fn typed(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.tell(Message::KeyPressed(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        }
        self
    }

    pub(crate) fn feed(&mut self, event: FeedEvent) -> &mut Self {
        self.tell(Message::Feed(event))
    }

    /// The order that went out last.
    pub(crate) fn order(&self) -> Order {
        let order = |effect: &Effect| match effect {
            Effect::Decide(orders) => orders.last().cloned(),
            _ => None,
        };
        self.effects.iter().rev().find_map(order).expect("an order went out")
    }

    pub(crate) fn orders(&self) -> usize {
        let orders = |effect: &Effect| if let Effect::Decide(orders) = effect { orders.len() } else { 0 };
        self.effects.iter().map(orders).sum()
    }

    pub(crate) fn bells(&self) -> usize {
        self.effects.iter().filter(|effect| **effect == Effect::Announce(Announcement::Bell)).count()
    }

    /// Something that the dispatcher tells of the order that went out last.
    pub(crate) fn hear(&mut self, news: News) -> &mut Self {
        let id = self.order().id;
        self.tell(Message::Dispatch(DispatchEvent { id, news }))
    }

    /// News of a try of the order that went out last.
    pub(crate) fn attempt(&mut self, event: AttemptEvent) -> &mut Self {
        let id = self.order().id;
        self.tell(Message::Dispatch(DispatchEvent { id, news: News::Attempt(event) }))
    }

    pub(crate) fn resolved(
        &mut self,
        outcome: Outcome,
        http_status: Option<u16>,
        tries: u32,
        standing: Option<Standing>,
    ) -> &mut Self {
        let order = self.order();
        let one = |number| Try {
            number,
            http_status,
            error: None,
            started: at("12:02:00"),
            took: Duration::from_millis(38),
            waited: Duration::ZERO,
        };
        let resolution = Resolution {
            outcome,
            http_status,
            standing,
            detail: None,
            tries: (1..=tries).map(one).collect(),
            request_id: order.request_id.to_string(),
            idempotency_key: order.action.idempotency_key.clone(),
        };
        self.tell(Message::Dispatch(DispatchEvent { id: order.id, news: News::Resolved(resolution) }))
    }

    /// Time passes; the deadline that falls into it is told, as the event loop would.
    pub(crate) fn wait(&mut self, time: Duration) -> &mut Self {
        let end = self.tick + time;
        let until = end + self.looked;
        while let Some(next) = next_deadline(&self.model, self.now()).filter(|next| *next <= until) {
            self.tick = next.saturating_sub(self.looked).max(self.tick);
            self.tell(Message::DeadlineReached);
        }
        self.tick = end;
        self.paint();
        self
    }

    /// The frame as text, and beside each line the roles of its runs that are not plain text.
    pub(crate) fn screen(&self) -> String {
        let plain = ["", "Text", "Quiet", "Border", "BorderFocused", "KeyHint", "KeyName"];
        let role = |cell: &Cell| match Theme::role(cell.fg).map(|role| format!("{role:?}")) {
            Some(role) if !plain.contains(&role.as_str()) => role,
            _ => String::new(),
        };
        let mut out = String::new();
        for (text, runs) in self.lines(role) {
            out.push_str(text.trim_end());
            if !runs.is_empty() {
                out.push_str(&format!("\n        ^ {runs}"));
            }
            out.push('\n');
        }
        out
    }

    /// The frame line by line, each with the runs to which `name` gives a name.
    pub(crate) fn lines(&self, name: impl Fn(&Cell) -> String) -> Vec<(String, String)> {
        let buffer = self.terminal.backend().buffer();
        let area = buffer.area;
        let line = |y| {
            let mut text = String::new();
            let mut runs: Vec<(String, u16, u16)> = Vec::new();
            let mut covered = 0;
            for x in area.left()..area.right() {
                let cell = &buffer[(x, y)];
                if covered > 0 {
                    covered -= 1;
                } else {
                    text.push_str(cell.symbol());
                    covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
                }
                let name = name(cell);
                match runs.last_mut() {
                    Some((last, _, end)) if *last == name => *end = x + 1,
                    _ => runs.push((name, x, x + 1)),
                }
            }
            let named = runs.iter().filter(|(name, ..)| !name.is_empty());
            let named: Vec<_> = named.map(|(name, from, to)| format!("{name} {from}-{to}")).collect();
            (text, named.join(", "))
        };
        (area.top()..area.bottom()).map(line).collect()
    }

    /// The frame as plain text.
    pub(crate) fn text(&self) -> String {
        let lines = self.screen();
        lines.lines().filter(|line| !line.starts_with("        ^ ")).collect::<Vec<_>>().join("\n")
    }
}

fn key(name: &str) -> KeyEvent {
    let (code, modifiers) = match name {
        "enter" => (KeyCode::Enter, KeyModifiers::NONE),
        "esc" => (KeyCode::Esc, KeyModifiers::NONE),
        "tab" => (KeyCode::Tab, KeyModifiers::NONE),
        "backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
        "space" => (KeyCode::Char(' '), KeyModifiers::NONE),
        "backtab" => (KeyCode::BackTab, KeyModifiers::NONE),
        "down" => (KeyCode::Down, KeyModifiers::NONE),
        "up" => (KeyCode::Up, KeyModifiers::NONE),
        "end" => (KeyCode::End, KeyModifiers::NONE),
        "ctrl-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
        _ => (KeyCode::Char(name.chars().next().unwrap()), KeyModifiers::NONE),
    };
    KeyEvent::new(code, modifiers)
}

/// What a test varies in an action.
pub(crate) struct Sample<'a> {
    pub(crate) number: u32,
    pub(crate) agent: &'a str,
    pub(crate) action: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) summary: Option<&'a str>,
    pub(crate) risk: Risk,
    pub(crate) expires: &'a str,
}

impl Sample<'_> {
    pub(crate) fn queued(&self) -> Queued {
        let id = format!("0197a1b2-0000-7000-8000-{:012}", self.number);
        let sealed = Draft {
            id: &id,
            tenant_id: "default",
            thread_id: "order-42",
            idempotency_key: &format!("aap:{id}"),
            agent: self.agent,
            action: self.action,
            server: None,
            payload: self.payload,
            summary: self.summary,
            rationale: Some("the customer asked twice"),
            claims: None,
            risk: self.risk,
            risk_reasons: &[],
            labels: &[],
            source: None,
            reviewers_needed: 1,
            grace: Duration::ZERO,
            created_at: at("12:00:00"),
            expires_at: at(self.expires),
        };
        Queued::pending(Action::read(sealed.seal()).unwrap())
    }
}

/// Something that nothing is the matter with.
pub(crate) fn plain(number: u32, risk: Risk) -> Sample<'static> {
    Sample {
        number,
        agent: "billing-agent",
        action: "send_email",
        payload: "{}",
        summary: None,
        risk,
        expires: "12:10:00",
    }
}

pub(crate) fn refund() -> Queued {
    Sample {
        number: 1,
        agent: "billing-agent",
        action: "send_email",
        payload: r#"{"to":"user@example.com","subject":"Your refund","amount":1.10,"body":"Dear customer,\nhere it is.\n"}"#,
        summary: Some("Refund mail to user@example.com"),
        risk: Risk::High,
        expires: "12:06:31",
    }
    .queued()
}

pub(crate) fn trade() -> Queued {
    Sample {
        number: 2,
        agent: "trader",
        action: "execute_trade",
        payload: r#"{"symbol":"ACME","side":"sell","quantity":9007199254740993}"#,
        summary: Some("Sell 500 ACME"),
        risk: Risk::Critical,
        expires: "12:11:20",
    }
    .queued()
}

pub(crate) fn command() -> Queued {
    Sample {
        number: 3,
        agent: "ci",
        action: "Bash",
        payload: r#"{"command":"rm -rf build/*","note":"tricky\u001b[2J\u202e"}"#,
        summary: None,
        risk: Risk::Medium,
        expires: "12:11:51",
    }
    .queued()
}

/// The entry as another reviewer left it.
pub(crate) fn decided(mut entry: Queued, verdict: Verdict, reviewer: &str) -> Queued {
    entry.state = if verdict == Verdict::Approve { ActionState::Approved } else { ActionState::Rejected };
    entry.decision = Some(Decision {
        verdict,
        reviewer: reviewer.into(),
        reason: None,
        request_id: "another".into(),
        decided_at: at("12:03:11"),
        digest: None,
    });
    entry
}

pub(crate) fn standing(verdict: Verdict, reviewer: &str) -> Standing {
    Standing {
        verdict: Some(verdict),
        reviewer: Some(Untrusted::from(reviewer)),
        request_id: Some("another".into()),
        decided_at: Some(at("12:03:11")),
        status: None,
        count: None,
    }
}
