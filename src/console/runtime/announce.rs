//! What the terminal is told besides frames, as bytes: the bell, its title, notifications, the clipboard; wrapped for
//! tmux and GNU screen, which let through what is wrapped for them only. Where and when it is written is the loop's.
//!
//! Texts are made harmless once more here, whatever they were before: nothing but what draws something.

use crate::console::app::{Announcement, NotifyBy};
use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use std::io::Write;
use std::process::{Command as Process, Stdio};

/// The most bytes of a copy: terminals throw longer ones away.
const LONGEST_COPY: usize = 74 * 1024;
/// GNU screen takes so many bytes of a wrapped sequence at once.
const CHUNK: usize = 250;

/// What stands between the console and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Between {
    /// Nothing that anybody knows of.
    #[default]
    Nothing,
    Tmux,
    GnuScreen,
}

impl Between {
    /// As the environment has it.
    pub(super) fn of_process() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match () {
            () if is_set("TMUX") => Self::Tmux,
            () if is_set("STY") => Self::GnuScreen,
            () => Self::Nothing,
        }
    }

    fn wrap(self, sequence: &str) -> String {
        match self {
            Self::Nothing => sequence.to_owned(),
            Self::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Self::GnuScreen => {
                let mut wrapped = String::new();
                // Everything in it is ASCII where it is longer than a chunk: a copy.
                let mut rest = sequence;
                while !rest.is_empty() {
                    let mut end = rest.len().min(CHUNK);
                    while !rest.is_char_boundary(end) {
                        end -= 1;
                    }
                    let (chunk, after) = rest.split_at(end);
                    wrapped.push_str("\x1bP");
                    wrapped.push_str(chunk);
                    wrapped.push_str("\x1b\\");
                    rest = after;
                }
                wrapped
            }
        }
    }
}

/// The bytes that say it. Nothing where a copy is too long for any terminal.
pub(super) fn bytes(announcement: &Announcement, between: Between) -> Vec<u8> {
    let said = match announcement {
        Announcement::Bell => "\x07".to_owned(),
        // tmux and screen have titles of their own, and pass them on.
        Announcement::Title(title) => format!("\x1b]0;{}\x07", harmless(title)),
        Announcement::Notify { title, body, how } => {
            let (title, body) = (harmless(title), harmless(body));
            between.wrap(&match how {
                NotifyBy::Osc9 => format!("\x1b]9;{title}: {body}\x07"),
                NotifyBy::Osc777 => {
                    format!("\x1b]777;notify;{};{}\x07", title.replace(';', ","), body.replace(';', ","))
                }
                NotifyBy::Osc99 => format!("\x1b]99;;{title}: {body}\x07"),
            })
        }
        Announcement::Copy(text) => {
            let mut copy = String::new();
            // Writing to memory cannot fail.
            let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut copy);
            let copy = copy.trim_end_matches("\x1b\\").to_owned() + "\x07";
            match between {
                _ if text.len() > LONGEST_COPY => String::new(),
                // It takes this one bare, where it is set to take it at all.
                Between::Tmux => copy,
                between => between.wrap(&copy),
            }
        }
    };
    said.into_bytes()
}

/// Has tmux put the text on the clipboard, which it does as it comes from its makers; `false` where it did not. Waits.
pub(super) fn copy_by_tmux(text: &str) -> bool {
    let mut tmux = Process::new("tmux");
    tmux.args(["load-buffer", "-w", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut running) = tmux.spawn() else { return false };
    let written = running.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
    matches!(written, Some(Ok(()))) && running.wait().is_ok_and(|status| status.success())
}

/// Nothing but what draws something.
fn harmless(text: &str) -> String {
    use GeneralCategory as Category;
    let categories = CodePointMapData::<GeneralCategory>::new();
    let draws = |c: &char| {
        !matches!(
            categories.get(*c),
            Category::Control
                | Category::Format
                | Category::PrivateUse
                | Category::Unassigned
                | Category::Surrogate
                | Category::LineSeparator
                | Category::ParagraphSeparator
        )
    };
    text.chars().filter(draws).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(announcement: &Announcement, between: Between) -> String {
        String::from_utf8(bytes(announcement, between)).unwrap()
    }

    #[test]
    fn each_is_said_as_what_stands_between_lets_it_through() {
        use Between::{GnuScreen, Nothing, Tmux};
        let title = Announcement::Title("a \x1b]0;b\x07 \u{202e}c\u{9b}1m".into());
        let notify =
            |how| Announcement::Notify { title: "who; me".into(), body: "what\x1b\\ now".into(), how };
        let copy = Announcement::Copy("hello".into());
        for (announcement, between, expected) in [
            (&Announcement::Bell, Tmux, "\x07"),
            (&title, Nothing, "\x1b]0;a ]0;b c1m\x07"),
            (&title, GnuScreen, "\x1b]0;a ]0;b c1m\x07"),
            (&notify(NotifyBy::Osc9), Nothing, "\x1b]9;who; me: what\\ now\x07"),
            (&notify(NotifyBy::Osc777), Nothing, "\x1b]777;notify;who, me;what\\ now\x07"),
            (&notify(NotifyBy::Osc99), Nothing, "\x1b]99;;who; me: what\\ now\x07"),
            (&notify(NotifyBy::Osc9), Tmux, "\x1bPtmux;\x1b\x1b]9;who; me: what\\ now\x07\x1b\\"),
            (&notify(NotifyBy::Osc9), GnuScreen, "\x1bP\x1b]9;who; me: what\\ now\x07\x1b\\"),
            (&copy, Nothing, "\x1b]52;c;aGVsbG8=\x07"),
            (&copy, Tmux, "\x1b]52;c;aGVsbG8=\x07"),
            (&copy, GnuScreen, "\x1bP\x1b]52;c;aGVsbG8=\x07\x1b\\"),
        ] {
            assert_eq!(said(announcement, between), expected);
        }
    }

    #[test]
    fn a_copy_is_sent_whole_or_not_at_all() {
        let fits = said(&Announcement::Copy("x".repeat(74 * 1024 - 1)), Between::Nothing);
        assert!(fits.len() > 98 * 1024);
        assert_eq!(said(&Announcement::Copy("x".repeat(80 * 1024)), Between::Nothing), "");
        let chunks = said(&Announcement::Copy("x".repeat(600)), Between::GnuScreen);
        assert!(chunks.split("\x1b\\").all(|chunk| chunk.len() <= CHUNK + 2));
    }
}
