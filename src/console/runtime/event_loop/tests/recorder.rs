//! A program that writes down what happens to it, a terminal in memory, and the ends of the loop that a test holds.

use super::super::super::RawBytes;
use super::super::*;
use jiff::Timestamp;
use ratatui::Frame;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio::time::{Instant, sleep};

/// Writes down all that happens to it, and shows its text.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) text: String,
    pub(super) log: Vec<(u128, String)>,
    pub(super) changed: bool,
    pub(super) deadline: Option<Duration>,
    pub(super) stuck: bool,
    /// Changes on every second that is to come, as a countdown does.
    pub(super) counts: bool,
    pub(super) over: bool,
    /// Asks for a flush whenever it is told of this key.
    pub(super) flush_at: Option<KeyCode>,
    pub(super) flush: bool,
}

#[derive(Debug)]
pub(super) enum Fact {
    Input(Input),
    Text(&'static str),
    Deadline(Duration),
    Quiet,
    Over,
}

impl Program for Recorder {
    type Message = Fact;
    type Effect = String;

    fn update(&mut self, message: Fact, now: Now) -> Vec<String> {
        self.log.push((now.tick.as_millis(), format!("{message:?}")));
        self.changed = !matches!(message, Fact::Quiet);
        match message {
            Fact::Text(text) => self.text = text.into(),
            Fact::Deadline(at) => self.deadline = Some(at),
            Fact::Input(Input::DeadlinePassed) if !self.stuck => self.deadline = None,
            Fact::Over => self.over = true,
            Fact::Input(Input::Key(key)) => self.flush = self.flush_at == Some(key.code),
            _ => {}
        }
        vec![format!("effect of {}", self.log.len())]
    }

    fn view(&self, frame: &mut Frame<'_>, _: Now) {
        frame.render_widget(self.text.as_str(), frame.area());
    }

    fn painted(&mut self, now: Now) {
        self.log.push((now.tick.as_millis(), "painted".into()));
    }

    fn next_deadline(&self, now: Now) -> Option<Duration> {
        let second = Duration::from_secs(now.tick.as_secs() + 1);
        if self.counts { Some(second) } else { self.deadline }
    }

    fn dirty(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn finished(&self) -> bool {
        self.over
    }

    fn input(event: Input) -> Fact {
        Fact::Input(event)
    }

    fn flush_input(&mut self) -> bool {
        std::mem::take(&mut self.flush)
    }

    fn replied(&mut self, reply: Reply, now: Now) {
        self.log.push((now.tick.as_millis(), format!("{reply:?}")));
    }
}

#[derive(Clone, Default)]
pub(super) struct Shared(pub(super) Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Shared {}

/// The ends of the loop that a test holds.
pub(super) struct Hands {
    pub(super) urgent: mpsc::Sender<Input>,
    pub(super) keyboard: mpsc::Sender<RawBytes>,
    pub(super) messages: mpsc::Sender<Fact>,
    pub(super) out: Shared,
}

impl Hands {
    pub(super) async fn press(&self, bytes: &str) {
        self.press_at(bytes, Instant::now()).await;
    }

    pub(super) async fn press_at(&self, bytes: &str, at: Instant) {
        self.keyboard.send(RawBytes { bytes: bytes.into(), at }).await.unwrap();
    }

    pub(super) async fn say(&self, fact: Fact) {
        self.messages.send(fact).await.unwrap();
    }

    /// Lets the program finish before the ends are dropped.
    pub(super) async fn finish(&self) {
        self.say(Fact::Over).await;
        sleep(ms(1)).await;
    }

    pub(super) fn bytes(&self) -> usize {
        self.out.0.lock().unwrap().len()
    }
}

/// Runs the loop beside the script, and returns what the program saw, with its milliseconds, and how it ended.
pub(super) async fn play<S: Future<Output = ()>>(
    program: Recorder,
    script: impl FnOnce(Hands) -> S,
) -> (Vec<(u128, String)>, Exit, Vec<String>) {
    let (urgent_sender, urgent) = mpsc::channel(8);
    let (keyboard_sender, keyboard) = mpsc::channel(64);
    let (message_sender, messages) = mpsc::channel(64);
    let out = Shared::default();
    let hands = Hands {
        urgent: urgent_sender,
        keyboard: keyboard_sender,
        messages: message_sender,
        out: out.clone(),
    };
    let mut screen = Screen::new(out, Size::new(20, 2), true).unwrap();
    let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
    let (mut program, mut effects) = (program, Vec::new());
    let sources = Sources { urgent, keyboard: Typed::new(keyboard), messages };
    let (exit, ()) = tokio::join!(
        drive(&mut program, &mut screen, sources, Pace::new(false), &clock, |effect| effects.push(effect)),
        script(hands)
    );
    (program.log, exit, effects)
}

pub(super) fn log(entries: &[(u128, &str)]) -> Vec<(u128, String)> {
    entries.iter().map(|(at, text)| (*at, (*text).to_owned())).collect()
}

pub(super) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}
