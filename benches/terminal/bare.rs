//! What everything is compared with: the least program with ratatui and crossterm that shows a list of as many lines.
//! This executable, run again with a hidden argument.
//!
//! It is written as its users write them: it draws after each key, builds a `List` from the lines in the window, and
//! filters by searching every line anew.

use crossterm::event::{Event, KeyCode, KeyEventKind, read};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, List, ListState, Paragraph, Wrap};
use ratatui::{DefaultTerminal, Frame};

/// The hidden first argument.
pub(crate) const ARGUMENT: &str = "--be-the-bare-list";

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// A pane beside the list with what the line is about.
    pub(crate) detail: bool,
    /// The cursor is a mark in the gutter, else the whole row reversed.
    pub(crate) gutter: bool,
}

impl Look {
    /// The arguments that ask for it.
    pub(crate) fn arguments(self) -> Vec<&'static str> {
        let asked = [(self.detail, "detail"), (self.gutter, "gutter")];
        asked.into_iter().filter_map(|(is, word)| is.then_some(word)).collect()
    }
}

struct Bare {
    lines: Vec<String>,
    shown: Vec<usize>,
    filter: Option<String>,
    cursor: usize,
    top: usize,
    look: Look,
}

/// Runs it: the file of lines, then the words of the look.
pub(crate) fn run(arguments: &[String]) {
    let text = std::fs::read_to_string(&arguments[0]).unwrap();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    drop(text);
    let shown = (0..lines.len()).collect();
    let look = Look { detail: has("detail"), gutter: has("gutter") };
    let mut bare = Bare { lines, shown, filter: None, cursor: 0, top: 0, look };
    let mut terminal = ratatui::init();
    while bare.turn(&mut terminal) {}
    ratatui::restore();
}

impl Bare {
    /// Draws, and takes one event. `false` is the end.
    fn turn(&mut self, terminal: &mut DefaultTerminal) -> bool {
        terminal.draw(|frame| self.draw(frame)).unwrap();
        let Ok(Event::Key(key)) = read() else { return true };
        if key.kind != KeyEventKind::Press {
            return true;
        }
        match (key.code, &mut self.filter) {
            (KeyCode::Esc, filter) => {
                *filter = None;
                self.search();
            }
            (KeyCode::Backspace, Some(filter)) => {
                filter.pop();
                self.search();
            }
            (KeyCode::Char(letter), Some(filter)) => {
                filter.push(letter);
                self.search();
            }
            (KeyCode::Char('q'), None) => return false,
            (KeyCode::Char('/'), filter) => *filter = Some(String::new()),
            (KeyCode::Down | KeyCode::Char('j'), _) => {
                self.cursor = (self.cursor + 1).min(self.shown.len().saturating_sub(1));
            }
            (KeyCode::Up | KeyCode::Char('k'), _) => self.cursor = self.cursor.saturating_sub(1),
            _ => {}
        }
        true
    }

    fn search(&mut self) {
        let word = self.filter.as_deref().unwrap_or_default();
        let found = self.lines.iter().enumerate().filter(|(_, line)| line.contains(word));
        self.shown = found.map(|(at, _)| at).collect();
        (self.cursor, self.top) = (0, 0);
    }

    fn draw(&mut self, frame: &mut Frame<'_>) {
        let columns = if self.look.detail {
            [Constraint::Percentage(50); 2]
        } else {
            [Constraint::Percentage(100), Constraint::Length(0)]
        };
        let [left, right] = Layout::horizontal(columns).areas(frame.area());
        let height = usize::from(left.height.saturating_sub(2));
        self.top = self.top.clamp((self.cursor + 1).saturating_sub(height), self.cursor);
        let window = self.shown.iter().skip(self.top).take(height);
        let title = format!(" Pending {} {}", self.shown.len(), self.filter.as_deref().unwrap_or_default());
        let mut list = List::new(window.map(|at| Line::from(self.lines[*at].as_str())))
            .block(Block::bordered().title(title));
        list = if self.look.gutter {
            list.highlight_symbol("> ")
        } else {
            list.highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        };
        let mut state = ListState::default().with_selected(Some(self.cursor - self.top));
        frame.render_stateful_widget(list, left, &mut state);
        if self.look.detail {
            let line = self.shown.get(self.cursor).map_or("", |at| self.lines[*at].as_str());
            let text = detail(self.cursor, line);
            let detail =
                Paragraph::new(text).wrap(Wrap { trim: false }).block(Block::bordered().title(" Detail "));
            frame.render_widget(detail, right);
        }
    }
}

/// A kilobyte about the line, of which what differs is about as much as in an action of a series.
fn detail(number: usize, line: &str) -> String {
    let fields = line.split_whitespace().collect::<Vec<_>>().join("\n  ");
    let id = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "{{\n  \"id\": \"{id:016x}\"\n  {fields}\n  \"body\": \"{}\"\n}}",
        "the same words in each of them, ".repeat(28)
    )
}
