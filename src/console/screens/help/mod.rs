//! Help: every key of this pane, drawn from the keymap, and what the words of the outcomes mean.

use crate::console::app::layout::{inside, readable};
use crate::console::app::{Model, Pane, Settings};
use crate::console::keymap::{Intent, Scope};
use crate::console::screens::view::frame_of;
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, Scroll, key_bar};
use ratatui::Frame;
use ratatui::layout::Rect;

/// The words of the outcomes and what they mean (screen.md).
pub(in crate::console) const WORDS: [(&str, &str); 19] = [
    ("held", "on disk, not sent before its grace time is over; it can be taken back"),
    ("undone", "taken back in its grace time; nothing was sent"),
    ("queued", "on disk; goes out when its turn comes, or when the link is back"),
    ("sending", "on its way: the tries, the last answer, the time to the next"),
    ("202 accepted", "the server took it; how its processing ends is not known yet"),
    ("202 committed", "the server took it and carried it out"),
    ("failed", "the server took it and its processing failed; it can be sent again, under the same key"),
    ("409 mine", "an earlier try of this very decision had landed, its answer was lost"),
    ("409 same", "another reviewer had decided the same"),
    ("409 CONFLICT", "another reviewer had decided the opposite: this decision had no effect"),
    ("409 in progress", "the server is still at it"),
    ("409 unknown", "already processed; this server does not say by whom"),
    ("429", "quota used up; says until when, where the server does"),
    ("4xx", "refused, with the server's words; not sent again by itself"),
    ("unconfirmed", "sent, and no answer can be had: it may have landed"),
    ("returned", "not sent, because its action no longer stood as it was seen"),
    ("not sent", "nothing reached the server"),
    ("expired", "nobody decided in time: it does not run"),
    ("elsewhere", "another reviewer decided it while it was in the list"),
];

/// The open help.
#[derive(Debug, Clone, Default)]
pub struct Help {
    lines: Vec<RoleLine>,
    /// Which lines show.
    pub scroll: Scroll,
}

impl Help {
    /// Takes in the size of the terminal and what the help is about.
    pub fn resize(&mut self, (width, height): (u16, u16), settings: &Settings, focus: Pane) {
        let inner = inside(Rect::new(0, 0, width, height));
        self.lines = lines(settings, focus, readable(inner.width));
        self.scroll.resize(usize::from(inner.height), self.lines.len());
    }
}

fn lines(settings: &Settings, focus: Pane, columns: usize) -> Vec<RoleLine> {
    let (scope, pane) = match focus {
        Pane::List => (Scope::List, "the list"),
        Pane::Detail => (Scope::Detail, "the detail"),
        Pane::Outcomes => (Scope::Outcomes, "the outcomes"),
    };
    let mut lines = Vec::new();
    let wide = columns >= 60;
    let entry = |name: String, words: &str| {
        let column = if wide { 20 } else { 16 };
        let mut line = RoleLine::of(Role::KeyName, format!(" {name}")).fit(column);
        line.push(Role::Text, words);
        line.wrap_words(columns, column)
    };
    for (scope, title) in [(scope, format!("Keys of {pane}")), (Scope::Global, "Keys everywhere".into())] {
        lines.push(RoleLine::of(Role::Title, format!(" {title}")));
        for intent in settings.keymap.intents(scope) {
            let keys = settings.keymap.keys(intent, &[scope]);
            let names: Vec<_> = keys.iter().map(ToString::to_string).collect();
            lines.extend(entry(names.join(" "), intent.help()));
        }
        lines.push(RoleLine::default());
    }
    lines.push(RoleLine::of(Role::Title, " What became of a decision"));
    for (word, meaning) in WORDS {
        lines.extend(entry(word.into(), meaning));
    }
    if let Some(simulated) = &settings.simulated {
        lines.push(RoleLine::default());
        lines.push(RoleLine::of(Role::Title, " What is simulated here"));
        lines.extend(RoleLine::of(Role::Text, format!(" {simulated}")).wrap_words(columns, 1));
    }
    lines
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, help: &Help) {
    let mut title = RoleLine::of(Role::Title, " Help ");
    if let Some(key) = key_bar::name(&model.settings.keymap, &[Scope::Help], Intent::Leave) {
        title.push(Role::KeyName, key);
        title.push(Role::KeyHint, " leaves it ");
    }
    let mut foot = RoleLine::default();
    if help.scroll.below() > 0 {
        foot.push(Role::Title, format!(" {} more below ", help.scroll.below()));
    }
    let inner = frame_of(frame, area, model, true, &title, &foot);
    for (line, y) in help.lines[help.scroll.window()].iter().zip(inner.top()..inner.bottom()) {
        frame.buffer_mut().set_line(inner.x, y, &line.styled(&model.settings.theme), inner.width);
    }
}
