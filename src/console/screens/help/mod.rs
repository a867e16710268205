//! Help: every key of this pane, drawn from the keymap, and what the words of the outcomes mean. Searched, it shows the
//! lines in which every word stands; it runs nothing, because the screen that a key would act on is not to be seen.

use crate::console::app::layout::{inside, readable};
use crate::console::app::{Model, Pane, Settings};
use crate::console::keymap::{Intent, Scope};
use crate::console::screens::view::frame_of;
use crate::console::theme::Role;
use crate::console::widgets::{RoleLine, Scroll, TextField, key_bar};
use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};

/// The words of the outcomes and what they mean (screen.md).
pub(in crate::console) const WORDS: [(&str, &str); 28] = [
    ("held", "on disk, not sent before its grace time is over; it can be taken back"),
    ("undone", "taken back in its grace time; nothing was sent"),
    ("queued", "on disk; goes out when its turn comes, or when the link is back"),
    ("sending", "on its way: the tries, the last answer, the time to the next"),
    ("202 accepted", "the server took it; how its processing ends is not known yet"),
    ("202 committed", "the server took it and carried it out"),
    ("failed", "the server took it and its processing failed; it can be sent again, under the same key"),
    ("202 counted", "your approval counts: 1 of 2; nothing is decided before another reviewer has decided"),
    ("lapsed", "no other reviewer decided in time: your approval counts no more, and can be sent again"),
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
    ("expired", "nobody decided in time: it does not run, unless its source said otherwise"),
    ("elsewhere", "another reviewer decided it while it was in the list"),
    ("rule", "a rule allowed or refused it, without a person"),
    ("no, not run", "on a row, after the time left: undecided, it does not run"),
    (
        "RUNS, then: runs",
        "undecided, it runs: so its source says, and only a no in time can keep it from that",
    ),
    ("else, elsewhere", "undecided here, a person is asked in another place too: so its source says"),
    ("many calls", "one yes covers many calls, so its source says; never approved together with others"),
    ("1/2, 1 of 2", "on a row: so many reviewers have approved, of so many that it needs"),
    ("@bob, bob looks", "on a row: another reviewer looks at it now"),
];

/// What is searched for has at most this many bytes.
const LONGEST: usize = 100;

/// The open help.
#[derive(Debug, Clone, Default)]
pub struct Help {
    lines: Vec<RoleLine>,
    /// What is searched for.
    search: Option<Search>,
    /// Which lines show.
    pub scroll: Scroll,
}

#[derive(Debug, Clone)]
struct Search {
    field: TextField,
    /// Whether keys go into it.
    typing: bool,
}

impl Help {
    /// Takes in the size of the terminal and what the help is about.
    pub fn resize(&mut self, (width, height): (u16, u16), settings: &Settings, focus: Pane) {
        let inner = inside(Rect::new(0, 0, width, height));
        let sought = self.search.as_ref().map_or("", |search| search.field.value());
        self.lines = lines(settings, focus, readable(inner.width), sought);
        let rows = inner.height.saturating_sub(u16::from(self.search.is_some()));
        self.scroll.resize(usize::from(rows), self.lines.len());
    }

    /// Whether what is searched for is being typed.
    pub fn is_typing(&self) -> bool {
        self.search.as_ref().is_some_and(|search| search.typing)
    }

    /// Begins to type what is searched for, or is done with it.
    pub fn search(&mut self) {
        match &mut self.search {
            Some(search) if search.field.value().is_empty() => self.search = None,
            Some(search) => search.typing = !search.typing,
            None => self.search = Some(Search { field: TextField::new(LONGEST), typing: true }),
        }
    }

    /// Shows everything again; `false` where it does already.
    pub fn show_all(&mut self) -> bool {
        self.search.take().is_some()
    }

    /// Whether nothing has been typed.
    pub fn is_blank(&self) -> bool {
        self.search.as_ref().is_none_or(|search| search.field.value().is_empty())
    }

    /// A key that is text, or edits it; `false` where the field is full.
    pub fn edit(&mut self, key: KeyEvent) -> bool {
        self.scroll.top = 0;
        self.search.as_mut().is_none_or(|search| search.field.edit(key))
    }

    /// Pasted text; `false` where not all of it fits.
    pub fn paste(&mut self, text: &str) -> bool {
        self.scroll.top = 0;
        self.search.as_mut().is_none_or(|search| search.field.paste(text))
    }
}

/// A title with what stands under it: each entry with the text that a search looks at.
struct Section {
    title: String,
    entries: Vec<(String, RoleLine)>,
}

fn sections(settings: &Settings, focus: Pane, column: usize) -> Vec<Section> {
    let scope = match focus {
        Pane::List => Scope::List,
        Pane::Detail => Scope::Detail,
        Pane::Outcomes => Scope::Outcomes,
    };
    let entry = |name: &str, words: &str| {
        let line = RoleLine::of(Role::KeyName, format!(" {name}")).fit(column);
        line.with(Role::Text, words)
    };
    let keys = |scope: Scope, title: String| {
        let of = |intent: Intent| {
            let keys = settings.keymap.keys(intent, &[scope]);
            let names = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            (format!("{names} {} {}", intent.name(), intent.help()), entry(&names, intent.help()))
        };
        Section { title, entries: settings.keymap.intents(scope).into_iter().map(of).collect() }
    };
    let words = |(word, meaning): (&str, &str)| (format!("{word} {meaning}"), entry(word, meaning));
    let mut sections = vec![keys(scope, format!("Keys of {}", focus.named()))];
    if focus == Pane::Outcomes {
        sections.push(keys(Scope::Outcome, "Keys of an outcome that is open".into()));
    }
    sections.extend([
        keys(Scope::Global, "Keys everywhere".into()),
        Section { title: "What became of a decision".into(), entries: WORDS.map(words).to_vec() },
    ]);
    if let Some(simulated) = &settings.simulated {
        let line = RoleLine::of(Role::Text, format!(" {simulated}"));
        let title = "What is simulated here".into();
        sections.push(Section { title, entries: vec![(simulated.clone(), line)] });
    }
    sections
}

/// The lines in which every word of what is sought stands; sections without one are left out.
fn lines(settings: &Settings, focus: Pane, columns: usize, sought: &str) -> Vec<RoleLine> {
    let sought = sought.to_lowercase();
    let matches = |text: &str| {
        let text = text.to_lowercase();
        sought.split_whitespace().all(|word| text.contains(word))
    };
    let column = if columns >= 60 { 20 } else { 16 };
    let mut lines = Vec::new();
    for Section { title, entries } in sections(settings, focus, column) {
        let hanging = if title.contains("simulated") { 1 } else { column };
        let found = entries.iter().filter(|(text, _)| matches(text));
        let found: Vec<_> = found.flat_map(|(_, line)| line.wrap_words(columns, hanging)).collect();
        if !found.is_empty() {
            if !lines.is_empty() {
                lines.push(RoleLine::default());
            }
            lines.push(RoleLine::of(Role::Title, format!(" {title}")));
            lines.extend(found);
        }
    }
    if lines.is_empty() {
        lines.push(RoleLine::of(Role::Notice, " nothing in here says that").cut(columns));
    }
    lines
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, help: &Help) {
    let theme = &model.settings.theme;
    let mut title = RoleLine::of(Role::Title, " Help ");
    let scopes = model.scopes();
    let hints: &[_] = if help.is_typing() {
        &[(Intent::Search, "is done "), (Intent::Leave, "shows all ")]
    } else if help.search.is_some() {
        &[(Intent::Leave, "shows all ")]
    } else {
        &[(Intent::Search, "searches "), (Intent::Leave, "leaves it ")]
    };
    for (intent, words) in hints {
        if let Some(key) = key_bar::name(&model.settings.keymap, &scopes[..1], *intent) {
            title.push(Role::KeyName, format!("{key} "));
            title.push(Role::KeyHint, *words);
        }
    }
    let mut foot = RoleLine::default();
    if help.scroll.below() > 0 {
        foot.push(Role::Title, format!(" {} more below ", help.scroll.below()));
    }
    let inner = frame_of(frame, area, model, true, &title, &foot);
    for (line, y) in help.lines[help.scroll.window()].iter().zip(inner.top()..inner.bottom()) {
        frame.buffer_mut().set_line(inner.x, y, &line.styled(theme), inner.width);
    }
    if let Some(search) = &help.search
        && let Some(y) = inner.bottom().checked_sub(1)
    {
        let (line, cursor) = search.field.line(RoleLine::of(Role::KeyName, " /"), usize::from(inner.width));
        frame.buffer_mut().set_line(inner.x, y, &line.styled(theme), inner.width);
        if search.typing {
            frame.set_cursor_position(Position { x: inner.x + u16::try_from(cursor).unwrap_or(0), y });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap::Keymap;
    use crate::console::theme::Theme;

    fn found(sought: &str) -> Vec<String> {
        let settings = Settings::new(Theme::named(), Keymap::shipped().unwrap());
        lines(&settings, Pane::List, 118, sought).iter().map(RoleLine::text).collect()
    }

    #[test]
    fn a_search_looks_at_keys_names_and_words() {
        for (sought, title, line) in [
            ("ctrl-l", "Keys everywhere", "draw the whole screen again"),
            ("mark-all", "Keys of the list", "mark all that the list shows"),
            ("QUOTA", "What became of a decision", "429"),
            ("opposite 409", "What became of a decision", "409 CONFLICT"),
        ] {
            let lines = found(sought);
            assert_eq!(lines.len(), 2, "{sought}: {lines:?}");
            assert!(lines[0].contains(title) && lines[1].contains(line), "{lines:?}");
        }
        assert_eq!(found("zzz"), [" nothing in here says that"]);
        assert!(found("").len() > 40);
    }
}
