//! What a frame costs in bytes and writes.

use super::super::Input;
use super::*;
use jiff::Timestamp;
use ratatui::Frame;
use std::time::Duration;

/// Shows its text, with the cursor where it says.
struct Shows(&'static str, Option<u16>);

impl Program for Shows {
    type Message = Input;
    type Effect = ();

    fn update(&mut self, _: Input, _: Now) -> Vec<()> {
        Vec::new()
    }

    fn view(&self, frame: &mut Frame<'_>, _: Now) {
        frame.render_widget(ratatui::text::Text::from(self.0), frame.area());
        if let Some(x) = self.1 {
            frame.set_cursor_position((x, 0));
        }
    }

    fn painted(&mut self, _: Now) {}

    fn next_deadline(&self, _: Now) -> Option<Duration> {
        None
    }

    fn dirty(&mut self) -> bool {
        false
    }

    fn finished(&self) -> bool {
        false
    }

    fn input(event: Input) -> Input {
        event
    }
}

const NOW: Now = Now { wall: Timestamp::UNIX_EPOCH, tick: Duration::ZERO };

/// Keeps each write by itself.
#[derive(Default)]
struct Writes(Vec<Vec<u8>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes of each write, as texts, that drawing those one after the other takes.
fn writes(synchronized: bool, shown: &[Shows]) -> Vec<String> {
    let mut out = Writes::default();
    let mut screen = Screen::new(&mut out, Size::new(10, 2), false).unwrap();
    screen.synchronize(synchronized);
    for program in shown {
        screen.draw(program, NOW, false).unwrap();
    }
    drop(screen);
    out.0.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

#[test]
fn a_frame_is_one_write() {
    let writes = writes(true, &[Shows("hello", None)]);
    assert_eq!(writes, ["\x1b[?25l\x1b[?7l\x1b[r\x1b[m\x1b[2J\x1b[1Hhello"]);
}

#[test]
fn a_frame_that_is_not_small_is_one_write_inside_dec_2026() {
    let mut out = Writes::default();
    let mut screen = Screen::new(&mut out, Size::new(80, 24), false).unwrap();
    screen.synchronize(true);
    let lines = concat!(
        "a frame of many words and many lines, one like the other, each as long as it is\n",
        "a frame of many words and many lines, one like the other, each as long as it is\n",
        "a frame of many words and many lines, one like the other, each as long as it is\n",
        "a frame of many words and many lines, one like the other, each as long as it is"
    );
    screen.draw(&Shows(lines, None), NOW, false).unwrap();
    screen.draw(&Shows("A frame", None), NOW, false).unwrap();
    drop(screen);
    let writes: Vec<_> = out.0.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    assert_eq!(writes.len(), 2);
    assert!(writes[0].starts_with("\x1b[?2026h") && writes[0].ends_with("\x1b[?2026l"), "{writes:?}");
    assert_eq!(writes[0].matches("2026").count(), 2);
    assert!(!writes[1].contains("2026"), "{writes:?}");
}

#[test]
fn an_unchanged_frame_writes_nothing() {
    assert_eq!(writes(true, &[Shows("hello", None), Shows("hello", None)]).len(), 1);
    assert_eq!(writes(true, &[Shows("hello", Some(3)), Shows("hello", Some(3))]).len(), 1);
}

#[test]
fn only_what_changed_is_sent() {
    let writes = writes(false, &[Shows("left 4:31", None), Shows("left 4:30", None)]);
    assert_eq!(writes.len(), 2);
    assert!(
        writes[1].len() <= 10 && writes[1].contains('0') && !writes[1].contains("left"),
        "{:?}",
        writes[1]
    );
}

#[test]
fn the_cursor_alone_can_move_show_and_hide() {
    let writes = writes(
        false,
        &[Shows("hello", None), Shows("hello", Some(1)), Shows("hello", Some(2)), Shows("hello", None)],
    );
    assert_eq!(writes[1..], ["\x1b[1;2H\x1b[?25h", "\x1b[1;3H", "\x1b[?25l"]);
}

#[test]
fn the_cursor_goes_back_to_its_place_after_a_change() {
    let writes = writes(false, &[Shows("a", Some(5)), Shows("b", Some(5))]);
    assert!(writes[1].ends_with("b\x1b[4C"), "{:?}", writes[1]);
}

#[test]
fn resizing_and_repainting_send_the_frame_whole() {
    let mut out = Writes::default();
    let mut screen = Screen::new(&mut out, Size::new(10, 2), false).unwrap();
    let program = Shows("hello", None);
    screen.draw(&program, NOW, false).unwrap();
    screen.resize(Size::new(8, 3));
    screen.draw(&program, NOW, false).unwrap();
    screen.repaint().unwrap();
    screen.draw(&program, NOW, false).unwrap();
    drop(screen);
    assert_eq!(out.0.len(), 3);
    assert!(out.0.iter().all(|bytes| String::from_utf8_lossy(bytes).contains("hello")));
}

mod exact;
