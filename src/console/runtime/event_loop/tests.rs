//! The loop with a program and a terminal in memory, on tokio's paused clock.

use super::super::RawBytes;
use super::*;
use jiff::Timestamp;
use ratatui::Frame;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio::time::{Instant, sleep};

/// Writes down all that happens to it, and shows its text.
#[derive(Default)]
struct Recorder {
    text: String,
    log: Vec<(u128, String)>,
    changed: bool,
    deadline: Option<Duration>,
    stuck: bool,
    /// Changes on every second that is to come, as a countdown does.
    counts: bool,
    over: bool,
    /// Asks for a flush whenever it is told of this key.
    flush_at: Option<KeyCode>,
    flush: bool,
}

#[derive(Debug)]
enum Fact {
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
struct Shared(Arc<Mutex<Vec<u8>>>);

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
struct Hands {
    urgent: mpsc::Sender<Input>,
    keyboard: mpsc::Sender<RawBytes>,
    messages: mpsc::Sender<Fact>,
    out: Shared,
}

impl Hands {
    async fn press(&self, bytes: &str) {
        self.press_at(bytes, Instant::now()).await;
    }

    async fn press_at(&self, bytes: &str, at: Instant) {
        self.keyboard.send(RawBytes { bytes: bytes.into(), at }).await.unwrap();
    }

    async fn say(&self, fact: Fact) {
        self.messages.send(fact).await.unwrap();
    }

    /// Lets the program finish before the ends are dropped.
    async fn finish(&self) {
        self.say(Fact::Over).await;
        sleep(ms(1)).await;
    }

    fn bytes(&self) -> usize {
        self.out.0.lock().unwrap().len()
    }
}

/// Runs the loop beside the script, and returns what the program saw, with its milliseconds, and how it ended.
async fn play<S: Future<Output = ()>>(
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

fn log(entries: &[(u128, &str)]) -> Vec<(u128, String)> {
    entries.iter().map(|(at, text)| (*at, (*text).to_owned())).collect()
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[tokio::test(start_paused = true)]
async fn draws_at_once_and_then_at_most_every_16_ms() {
    let (seen, exit, effects) = play(Recorder::default(), |hands| async move {
        sleep(ms(100)).await;
        for text in ["a", "b", "c"] {
            hands.say(Fact::Text(text)).await;
            sleep(ms(4)).await;
        }
        sleep(ms(100)).await;
        hands.finish().await;
    })
    .await;
    let expected = [
        (0, "painted"),
        (100, "Text(\"a\")"),
        (100, "painted"),
        (104, "Text(\"b\")"),
        (108, "Text(\"c\")"),
        (116, "painted"),
        (212, "Over"),
    ];
    assert_eq!(seen, log(&expected));
    assert_eq!(exit, Exit::Finished);
    assert_eq!(effects.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn nothing_changing_sends_nothing_and_is_not_even_drawn() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        let bytes = hands.bytes();
        for _ in 0..10 {
            hands.say(Fact::Quiet).await;
            sleep(ms(50)).await;
        }
        assert_eq!(hands.bytes(), bytes, "a fact that changes nothing");
        hands.say(Fact::Text("")).await;
        sleep(ms(50)).await;
        assert_eq!(hands.bytes(), bytes, "a frame that is the same");
        hands.finish().await;
    })
    .await;
    assert_eq!(seen.iter().filter(|(_, what)| what == "painted").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn wakes_for_the_deadline_and_for_nothing_else() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        hands.say(Fact::Deadline(ms(5_000))).await;
        sleep(ms(60_000)).await;
        hands.finish().await;
    })
    .await;
    let expected = [
        (0, "painted"),
        (0, "Deadline(5s)"),
        (16, "painted"),
        (5_000, "Input(DeadlinePassed)"),
        (5_000, "painted"),
        (60_000, "Over"),
    ];
    assert_eq!(seen, log(&expected));
}

#[tokio::test(start_paused = true)]
async fn what_changes_every_second_is_told_every_second() {
    let counts = Recorder { counts: true, ..Recorder::default() };
    let (seen, ..) = play(counts, |hands| async move {
        sleep(ms(1_500)).await;
        // What happens meanwhile puts no second off.
        hands.say(Fact::Quiet).await;
        sleep(ms(1_600)).await;
        hands.finish().await;
    })
    .await;
    let told = seen.iter().filter(|(_, what)| what.contains("DeadlinePassed"));
    assert_eq!(told.map(|(at, _)| *at).collect::<Vec<_>>(), [1_000, 2_000, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_never_moves_does_not_stop_the_keys() {
    let program = Recorder { stuck: true, deadline: Some(Duration::ZERO), ..Recorder::default() };
    let (seen, ..) = play(program, |hands| async move {
        sleep(ms(100)).await;
        hands.press("\x1b[B").await;
        sleep(ms(1)).await;
        hands.finish().await;
    })
    .await;
    let told = seen.iter().filter(|(_, what)| what == "Input(DeadlinePassed)").count();
    assert!((6..=8).contains(&told), "{told} times in 100 ms");
    assert!(seen.iter().any(|(at, what)| *at == 100 && what.contains("Down")), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn keys_go_before_news_and_signals_before_both() {
    let (seen, exit, _) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        hands.say(Fact::Quiet).await;
        hands.press("\x1b[B").await;
        hands.urgent.send(Input::Resize(30, 3)).await.unwrap();
        sleep(ms(50)).await;
        hands.press("\x1b[A").await;
        hands.say(Fact::Quiet).await;
        hands.urgent.send(Input::End(EndOfInput::Hangup)).await.unwrap();
    })
    .await;
    let facts: Vec<_> =
        seen.into_iter().filter(|(_, what)| what != "painted").map(|(_, what)| what).collect();
    assert_eq!(facts.len(), 4, "{facts:?}");
    assert_eq!(facts[0], "Input(Resize(30, 3))");
    assert!(facts[1].contains("Down"));
    assert_eq!(facts[2..], ["Quiet", "Input(End(Hangup))"], "nothing is taken in after the end");
    assert_eq!(exit, Exit::Ended(EndOfInput::Hangup));
    assert_eq!(exit.code(), 129);
}

#[tokio::test(start_paused = true)]
async fn a_letter_bears_the_time_it_was_read_at() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        hands.press("a").await;
        sleep(ms(5)).await;
        hands.say(Fact::Text("drawn after the key was read")).await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    let (at, _) = seen.iter().find(|(_, what)| what.contains("Char('a')")).unwrap();
    let (drawn, _) = seen.iter().rfind(|(at, what)| what == "painted" && *at < 60).unwrap();
    assert_eq!((*at, *drawn), (50, 55));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_is_seen_before_a_letter_is_let_go() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        let at = Instant::now();
        sleep(ms(40)).await;
        // As after a write that blocked: three letters were read at once, long ago.
        for c in ["a", "b", "c"] {
            hands.press_at(c, at).await;
        }
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    assert!(seen.contains(&(50, "Input(Paste(\"abc\"))".into())), "{seen:?}");
}

/// Which keys and pastes came through, without their modifiers.
fn typed(seen: &[(u128, String)]) -> Vec<String> {
    let word = |what: &str| {
        let after = what.strip_prefix("Input(")?;
        let code = after.strip_prefix("Key(KeyEvent { code: ").and_then(|key| key.split(", ").next());
        Some(code.unwrap_or(after).to_owned())
    };
    seen.iter().filter_map(|(_, what)| word(what)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_flush_drops_what_was_typed_before_it() {
    let program = Recorder { flush_at: Some(KeyCode::Char('a')), ..Recorder::default() };
    let (seen, ..) = play(program, |hands| async move {
        sleep(ms(50)).await;
        // Everything here is there when the letter becomes a key, 15 ms after it was read.
        hands.press("a").await;
        sleep(ms(10)).await;
        hands.press("\r").await;
        hands.press("\x1b[A\x03\x1b[I\x1b[200~pasted").await;
        sleep(ms(20)).await;
        hands.press(" and still the same paste\x1b[201~").await;
        sleep(ms(50)).await;
        hands.press("b").await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    assert_eq!(typed(&seen), ["Char('a')", "Char('c')", "FocusGained)", "Char('b')"], "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_what_a_flush_cut_in_two_is_no_key() {
    let program = Recorder { flush_at: Some(KeyCode::Down), ..Recorder::default() };
    let (seen, ..) = play(program, |hands| async move {
        sleep(ms(50)).await;
        hands.press("\x1b[B\x1b]11;rgb:aa").await;
        sleep(ms(20)).await;
        hands.press("a\r\x1b\\").await;
        sleep(ms(50)).await;
        hands.press("\x1b[B\x1b").await;
        sleep(ms(20)).await;
        hands.press("[A").await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    assert_eq!(typed(&seen), ["Down", "Down"], "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn replies_are_told_apart_from_keys() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        hands.press("\x1b[0n\x1b]11;rgb:aaaa\x1b\\").await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
    let at_50: Vec<_> = seen.iter().filter(|(at, _)| *at == 50).map(|(_, what)| what.as_str()).collect();
    assert_eq!(at_50, ["Ready", "Other"]);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_cannot_be_written_to_ends_the_loop() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Output for Broken {}
    let mut program = Recorder { text: "x".into(), ..Recorder::default() };
    let (_urgent, urgent) = mpsc::channel(1);
    let (_keyboard, keyboard) = mpsc::channel(1);
    let (_messages, messages) = mpsc::channel(1);
    let mut screen = Screen::new(Broken, Size::new(20, 2), true).unwrap();
    let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
    let sources = Sources { urgent, keyboard: Typed::new(keyboard), messages };
    let exit = drive(&mut program, &mut screen, sources, Pace::new(false), &clock, drop).await;
    assert!(matches!(&exit, Exit::Ended(EndOfInput::Error(words)) if words.contains("gone")), "{exit:?}");
    assert!(!program.log.iter().any(|(_, what)| what == "painted"));
}

#[tokio::test(start_paused = true)]
async fn a_closed_keyboard_ends_it_and_closed_news_do_not() {
    let (seen, exit, _) = play(Recorder::default(), |hands| async move {
        let Hands { urgent, keyboard, messages, .. } = hands;
        drop((urgent, messages));
        sleep(ms(1_000)).await;
        drop(keyboard);
    })
    .await;
    assert_eq!(exit, Exit::Ended(EndOfInput::Closed));
    assert_eq!(seen, log(&[(0, "painted"), (1_000, "Input(End(Closed))")]));
}

/// When frames were painted.
fn painted(seen: &[(u128, String)]) -> Vec<u128> {
    seen.iter().filter(|(_, what)| what == "painted").map(|(at, _)| *at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_frame_waits_until_the_one_before_it_has_been_answered() {
    let (seen, ..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        hands.press("\x1b[0n").await;
        sleep(ms(50)).await;
        for text in ["a", "b", "c", "d"] {
            hands.press("\x1b[B").await;
            hands.say(Fact::Text(text)).await;
            sleep(ms(10)).await;
        }
        sleep(ms(160)).await;
        let before = hands.bytes();
        hands.press("\x1b[0n").await;
        sleep(ms(50)).await;
        let out = hands.out.0.lock().unwrap()[before..].to_vec();
        // From what shows to where the keys have led, and nothing in between.
        assert_eq!(out.escape_ascii().to_string(), "\\x1b[1Hd\\x1b[5n");
        hands.finish().await;
    })
    .await;
    // The first key by itself changed nothing that shows.
    assert_eq!(painted(&seen), [0, 100, 110, 300]);
    let keys: Vec<_> = seen.iter().filter(|(_, what)| what.contains("Down")).map(|(at, _)| *at).collect();
    assert_eq!(keys, [100, 110, 120, 130], "keys are taken meanwhile");
}

#[tokio::test(start_paused = true)]
async fn frames_are_wrapped_once_the_terminal_says_that_it_can() {
    let (..) = play(Recorder::default(), |hands| async move {
        sleep(ms(50)).await;
        let asked = hands.out.0.lock().unwrap().escape_ascii().to_string();
        assert!(asked.starts_with("\\x1b[?2026$p") && asked.ends_with("\\x1b[5n"), "{asked}");
        assert!(!asked.contains("2026h"));
        hands.press("\x1b[?2026;2$y\x1b[0n").await;
        hands.say(Fact::Text("x")).await;
        sleep(ms(50)).await;
        hands.finish().await;
    })
    .await;
}

/// Takes nothing but its first bytes, until it is told to.
#[derive(Clone, Default)]
struct Stopped(Shared, Arc<tokio::sync::Notify>, Arc<std::sync::atomic::AtomicBool>);

impl Write for Stopped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.2.load(std::sync::atomic::Ordering::Relaxed) {
            return self.0.write(bytes);
        }
        if self.0.0.lock().unwrap().is_empty() {
            self.0.write(&bytes[..3])
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Stopped {
    async fn writable(&self) -> io::Result<()> {
        self.1.notified().await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_takes_nothing_keeps_nobody_from_a_signal() {
    let (urgent_sender, urgent) = mpsc::channel(1);
    let (keyboard_sender, keyboard) = mpsc::channel(8);
    let (messages_sender, messages) = mpsc::channel(8);
    let out = Stopped::default();
    let mut screen = Screen::new(out.clone(), Size::new(20, 2), false).unwrap();
    let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
    let sources = Sources { urgent, keyboard: Typed::new(keyboard), messages };
    let mut program = Recorder { text: "x".into(), ..Recorder::default() };
    let script = async {
        sleep(ms(1_000)).await;
        keyboard_sender.send(RawBytes { bytes: b"\x1b[B".to_vec(), at: Instant::now() }).await.unwrap();
        messages_sender.send(Fact::Text("y")).await.unwrap();
        sleep(ms(1_000)).await;
        assert_eq!(out.0.0.lock().unwrap().len(), 3);
        out.2.store(true, std::sync::atomic::Ordering::Relaxed);
        out.1.notify_one();
        sleep(ms(1_000)).await;
        let said = String::from_utf8(out.0.0.lock().unwrap().clone()).unwrap();
        assert_eq!(said.matches("\x1b[2J").count(), 1);
        assert!(said.contains('x') && said.ends_with("\x1b[1Hy"), "{said:?}");
        out.2.store(false, std::sync::atomic::Ordering::Relaxed);
        messages_sender.send(Fact::Text("z")).await.unwrap();
        sleep(ms(1_000)).await;
        urgent_sender.send(Input::End(EndOfInput::Terminate)).await.unwrap();
    };
    let (exit, ()) =
        tokio::join!(drive(&mut program, &mut screen, sources, Pace::new(false), &clock, drop), script);
    assert_eq!(exit, Exit::Ended(EndOfInput::Terminate));
    assert!(program.log.iter().any(|(at, what)| *at == 1_000 && what.contains("Down")));
}
