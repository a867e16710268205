//! Everything that the console knows. Changed by `update` alone; drawing only reads it.

use super::announce::Announcer;
use super::guard::Shown;
use super::layout::{Arrangement, Asking, inside};
use super::mouse::Mouse;
use super::presence::Presence;
use super::{EndOfInput, Layout, NotifyBy, Now};
use crate::config::{Clipboard, Config, Filters, Group, Highlight, Occasion, Order, Percent};
use crate::console::keymap::{Keymap, Scope};
use crate::console::screens::command::CommandLine;
use crate::console::screens::copy::Menu;
use crate::console::screens::decide::{self, Bar, Subject};
use crate::console::screens::detail::{Detail, Reviewed};
use crate::console::screens::help::Help;
use crate::console::screens::outcomes::Outcomes;
use crate::console::screens::queue::Queue;
use crate::console::screens::queue::floods::DEFAULT_LIMIT;
use crate::console::theme::{Role, Theme};
use crate::console::widgets::{RoleLine, Search};
use crate::domain::Untrusted;
use crate::feed::{AgentState, Link};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::time::Duration;

/// The panes that keys can go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// The list of what waits.
    List,
    /// The action in full.
    Detail,
    /// What became of decisions.
    Outcomes,
}

impl Pane {
    /// What it is called.
    pub fn named(self) -> &'static str {
        match self {
            Self::List => "the list",
            Self::Detail => "the detail",
            Self::Outcomes => "the outcomes",
        }
    }
}

/// What is fixed at the start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who decides and where, for the top line.
    pub identity: String,
    /// The name to send as the reviewer's; the server puts its own on record.
    pub reviewer: Option<String>,
    /// Whether decisions go anywhere at all.
    pub decisions_go_out: bool,
    /// How long an approval is held before it is sent; zero for not at all.
    pub grace: Duration,
    /// How often an agent may ask within a minute before what it asks is gathered under one row.
    pub flood_limit: usize,
    /// Whether nobody but this console sees to it that an action expires (a queue file has no server).
    pub expires_here: bool,
    /// Whether the source may be told what the reviewer looks at.
    pub presence: bool,
    /// What makes something wait: shown while nothing does.
    pub how_to_ask: Vec<String>,
    /// Whether everything is printed line by line, with no screen to place it on.
    pub line_by_line: bool,
    /// Whether every approval asks for the letters, because nothing else shows that somebody reads what is printed.
    pub always_letters: bool,
    /// What the demo simulates, where this is the demo.
    pub simulated: Option<String>,
    /// By which sequence the terminal is asked to notify, besides the bell; `None` for by none.
    pub notify: Option<NotifyBy>,
    /// Whether the bell rings.
    pub bell: bool,
    /// What the reviewer is called back for.
    pub notify_on: Vec<Occasion>,
    /// Whether the terminal's title tells the counts.
    pub title: bool,
    /// Whether decisions are out of reach.
    pub read_only: bool,
    /// What stands first in the list.
    pub order: Order,
    /// What stands together in the list.
    pub group: Group,
    /// Filters by name.
    pub filters: Filters,
    /// The list's part of a wide screen, in percent.
    pub split: Percent,
    /// How the row under the cursor is shown.
    pub highlight: Highlight,
    /// Whether the mouse selects and scrolls.
    pub mouse: bool,
    /// How a copied text gets to the clipboard.
    pub clipboard: Clipboard,
    /// Where times of day are shown.
    pub time_zone: TimeZone,
    /// How everything looks.
    pub theme: Theme,
    /// What keys mean.
    pub keymap: Keymap,
}

impl Settings {
    /// What holds where nothing else was said: nobody in particular, decisions that go out at once, times in UTC.
    /// (What a user gets who sets nothing is [`Config`].)
    pub fn new(theme: Theme, keymap: Keymap) -> Self {
        Self {
            identity: String::new(),
            reviewer: None,
            decisions_go_out: true,
            grace: Duration::ZERO,
            flood_limit: DEFAULT_LIMIT as usize,
            expires_here: false,
            presence: false,
            how_to_ask: Vec::new(),
            line_by_line: false,
            always_letters: false,
            simulated: None,
            notify: None,
            bell: true,
            notify_on: Config::default().notify_on,
            title: true,
            read_only: false,
            order: Order::Deadline,
            group: Group::None,
            filters: Filters::new(),
            split: Percent::LIST,
            highlight: Highlight::Gutter,
            mouse: false,
            clipboard: Clipboard::Auto,
            time_zone: TimeZone::UTC,
            theme,
            keymap,
        }
    }
}

/// A passing message in place of the key bar, gone with the next key or after a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What it says.
    pub line: RoleLine,
    /// When it goes by itself.
    pub until: Duration,
}

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(8);

/// Everything that the console knows.
#[derive(Debug, Clone)]
pub struct Model {
    /// What is fixed at the start.
    pub settings: Settings,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Where everything stands.
    pub layout: Layout,
    /// The pane that keys go to.
    pub focus: Pane,
    /// What the mouse may do.
    pub mouse: Mouse,
    /// How the panes share the screen.
    pub panes: Arrangement,
    /// What waits for a decision.
    pub queue: Queue,
    /// The action in full.
    pub detail: Detail,
    /// What became of decisions.
    pub outcomes: Outcomes,
    /// The bar that asks, while it is open.
    pub bar: Option<Bar>,
    /// The help, while it is open.
    pub help: Option<Help>,
    /// The menu of what can be copied, while it is open.
    pub copy: Option<Menu>,
    /// The command line.
    pub command: CommandLine,
    /// How the connection to the source is.
    pub link: Link,
    /// The agents that are paused at the source, and by whom.
    pub paused: HashMap<Untrusted, AgentState>,
    /// Who looks at which action.
    pub presence: Presence,
    /// How many actions rules have allowed without a person lately, where the source says so.
    pub allowed_by_rule: Option<u64>,
    /// How much came from the source that is no action, not even one that cannot be read.
    pub not_taken: usize,
    /// A passing message.
    pub notice: Option<Notice>,
    /// What the terminal was told besides frames.
    pub announcer: Announcer,
    /// What the last painted frame showed.
    pub shown: Shown,
    /// Whether the reviewer was told that decisions are still being sent, and may quit all the same.
    pub quit_warned: bool,
    /// Whether the reviewer is being asked what becomes of held decisions.
    pub leaving: bool,
    /// Whether another process carries out what is decided here.
    pub carried_elsewhere: bool,
    /// Why no decision can be taken, once the journal has failed.
    pub journal_failed: Option<Untrusted>,
    /// Why the program ends, once it does.
    pub exit: Option<Exit>,
}

/// Why the program ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The reviewer quit.
    Quit,
    /// No key can come any more.
    Input(EndOfInput),
}

impl Model {
    /// A console that has seen nothing yet.
    pub fn new(settings: Settings, size: (u16, u16)) -> Self {
        let panes = Arrangement::new(settings.split.get());
        let mouse = Mouse::new(settings.mouse);
        let mut model = Self {
            settings,
            size,
            layout: Layout::default(),
            focus: Pane::List,
            mouse,
            panes,
            queue: Queue::default(),
            detail: Detail::default(),
            outcomes: Outcomes::default(),
            bar: None,
            help: None,
            copy: None,
            command: CommandLine::default(),
            link: Link::Connecting,
            paused: HashMap::new(),
            presence: Presence::default(),
            allowed_by_rule: None,
            not_taken: 0,
            notice: None,
            announcer: Announcer::default(),
            shown: Shown::default(),
            quit_warned: false,
            leaving: false,
            carried_elsewhere: false,
            journal_failed: None,
            exit: None,
        };
        model.queue.set_flood_limit(model.settings.flood_limit);
        model.queue.set_named_filters(model.settings.filters.clone());
        model.queue.set_order(model.settings.order);
        model.queue.set_grouping(model.settings.group);
        model.settle();
        model
    }

    /// The scopes that a key goes through, innermost first.
    pub fn scopes(&self) -> [Scope; 2] {
        if self.leaving {
            return [Scope::Leaving, Scope::Global];
        }
        if self.command.is_open() {
            return [Scope::Command, Scope::Global];
        }
        if self.copy.is_some() {
            return [Scope::Copy, Scope::Global];
        }
        let inner = match (&self.help, &self.bar, self.focus) {
            (Some(help), _, _) if help.is_typing() => Scope::Search,
            (Some(_), _, _) => Scope::Help,
            (None, Some(bar), _) if bar.has_fields() => Scope::Field,
            (None, Some(_), _) => Scope::Bar,
            (None, None, _) if self.search().is_some_and(Search::is_typing) => Scope::Filter,
            (None, None, Pane::Outcomes) if self.outcomes.page().is_some() => Scope::Outcome,
            (None, None, Pane::List) => Scope::List,
            (None, None, Pane::Detail) => Scope::Detail,
            (None, None, Pane::Outcomes) => Scope::Outcomes,
        };
        [inner, Scope::Global]
    }

    /// Whether something stands over the panes, so that nobody reads what they show.
    pub fn is_covered(&self) -> bool {
        self.help.is_some() || self.copy.is_some() || self.command.is_open()
    }

    /// The filter of the pane that keys go to, where it has one.
    pub fn search(&self) -> Option<&Search> {
        match self.focus {
            Pane::Outcomes => Some(self.outcomes.search()),
            Pane::List => Some(self.queue.search()),
            Pane::Detail => None,
        }
    }

    /// Changes that filter; `None` where there is none.
    pub fn change_search<T>(&mut self, change: impl FnOnce(&mut Search) -> T) -> Option<T> {
        match self.focus {
            Pane::Outcomes => Some(self.outcomes.change_search(change)),
            Pane::List => Some(self.queue.change_search(change)),
            Pane::Detail => None,
        }
    }

    /// Whether the source was lost and is not back yet.
    pub fn is_offline(&self) -> bool {
        matches!(self.link, Link::Reconnecting { .. })
    }

    /// Brings everything that follows from something else in line with it: places, windows, wrapped lines.
    pub fn settle(&mut self) {
        let asking =
            |bar: &Bar| Asking { rows: decide::rows(bar), table: matches!(bar.subject, Subject::Marked(_)) };
        if self.focus != Pane::Outcomes {
            self.outcomes.left();
        }
        // An open outcome is a page of its own.
        let zoomed = self.panes.zoomed || self.outcomes.page().is_some();
        let panes = Arrangement { zoomed, ..self.panes };
        self.layout = if self.settings.line_by_line {
            Layout::line_by_line(self.size)
        } else {
            Layout::of(self.size, self.focus, panes, self.bar.as_ref().map(asking))
        };
        if let Some(Bar { subject: Subject::Marked(table), .. }) = &mut self.bar
            && let Some(frame) = self.layout.table.map(inside)
        {
            table.resize(usize::from(frame.width), usize::from(frame.height));
        }
        self.queue.resize(self.layout.list, self.layout.has_split());
        let review = self.queue.selected().and_then(|action| self.queue.review(&action.id));
        let review = review.map(|review| Reviewed::of(review, &self.settings.time_zone));
        self.detail.reviewed(review);
        self.detail.show(self.queue.selected(), self.layout.detail);
        self.outcomes.resize(self.layout.outcomes);
        if let Some(help) = &mut self.help {
            help.resize(self.size, &self.settings, self.focus);
        }
    }

    /// Shows a passing message in the console's own words.
    pub fn tell(&mut self, role: Role, text: impl Into<String>, now: Now) {
        self.tell_line(RoleLine::of(role, text), now);
    }

    /// Shows a passing message.
    pub fn tell_line(&mut self, line: RoleLine, now: Now) {
        self.notice = Some(Notice { line, until: now.tick + NOTICE });
    }
}
