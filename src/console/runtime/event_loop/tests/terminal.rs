//! What goes to the terminal: one that cannot be written to, takes nothing, or answers for each frame.

use super::super::super::RawBytes;
use super::super::*;
use super::recorder::*;
use jiff::Timestamp;
use std::io::Write;
use std::sync::Arc;
use tokio::time::{Instant, sleep};

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
