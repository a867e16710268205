//! Ties the pure console to the runtime: the terminal's events become messages, time and ids come in here.
//!
//! Nothing is decided here, and nothing is sent: effects go to whoever runs the program.

use super::app::layout::inside;
use super::app::update::{painted, update};
use super::app::{Announcement, Context, Effect, Message, Model, Now, deadline, guard};
use super::runtime::{Input, PaneAt, Program};
use super::screens;
use crate::feed::Link;
use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use std::time::Duration;
use uuid::Uuid;

/// The console as a program for the runtime.
#[derive(Debug)]
pub struct Console {
    model: Model,
    changed: bool,
    repaint: bool,
    flush_input: bool,
    suspend: bool,
    announcements: Vec<Announcement>,
}

impl Console {
    /// A console that starts from this model.
    pub fn new(model: Model) -> Self {
        Self {
            model,
            changed: true,
            repaint: false,
            flush_input: false,
            suspend: false,
            announcements: Vec::new(),
        }
    }

    /// What it knows.
    pub fn model(&self) -> &Model {
        &self.model
    }
}

/// Letters that are told apart at a glance, without those that open a bar.
const LETTERS: [char; 18] =
    ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'k', 'm', 'n', 'p', 's', 't', 'v', 'w', 'x', 'y', 'z'];

/// Four of them, no two the same, so that a key that is held down types none of them twice.
pub(super) fn letters() -> String {
    fastrand::choose_multiple(LETTERS, 4).into_iter().collect()
}

impl Program for Console {
    type Message = Message;
    type Effect = Effect;

    fn update(&mut self, message: Message, now: Now) -> Vec<Effect> {
        self.changed = true;
        let mut context = Context { now, id: &mut Uuid::new_v4, letters: &mut letters };
        let mut effects = update(&mut self.model, message, &mut context);
        effects.retain_mut(|effect| match effect {
            Effect::Announce(announcement) => {
                self.announcements.push(announcement.clone());
                false
            }
            Effect::Suspend => {
                self.suspend = true;
                false
            }
            Effect::Repaint => {
                self.repaint = true;
                false
            }
            Effect::FlushInput => {
                self.flush_input = true;
                false
            }
            _ => true,
        });
        effects
    }

    fn view(&self, frame: &mut Frame<'_>, now: Now) {
        screens::view(&self.model, frame, now);
    }

    fn panes(&self) -> Vec<PaneAt> {
        let model = &self.model;
        let layout = &model.layout;
        let inside = |(frame, top): (Rect, usize)| PaneAt { rect: inside(frame), top };
        if let Some(help) = &model.help {
            let (width, height) = model.size;
            return vec![inside((Rect::new(0, 0, width, height), help.scroll.top))];
        }
        let (above, _) = model.queue.hidden();
        let panes = [
            layout.list.map(|frame| (frame, above)),
            layout.detail.map(|frame| (frame, model.detail.scroll.top)),
            layout.outcomes.map(|frame| (frame, model.outcomes.top())),
        ];
        panes.into_iter().flatten().map(inside).collect()
    }

    fn painted(&mut self, now: Now) {
        painted(&mut self.model, now);
    }

    fn next_deadline(&self, now: Now) -> Option<Duration> {
        deadline::next_deadline(&self.model, now)
    }

    fn dirty(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn is_ready(&self) -> bool {
        !self.model.queue.is_empty() || self.model.link != Link::Connecting
    }

    fn finished(&self) -> bool {
        self.model.exit.is_some()
    }

    fn input(event: Input) -> Message {
        match event {
            Input::Key(key) => Message::KeyPressed(key),
            Input::Paste(text) => Message::Pasted(text),
            Input::Resize(width, height) => Message::Resized(width, height),
            Input::FocusGained => Message::FocusChanged(true),
            Input::FocusLost => Message::FocusChanged(false),
            Input::Mouse(event) => Message::Mouse(event),
            // The loop keeps these to itself.
            Input::StopRequested | Input::Continued => Message::FocusChanged(true),
            Input::DeadlinePassed => Message::DeadlineReached,
            Input::TaskPanicked(words) => Message::TaskFailed(words),
            Input::End(end) => Message::InputEnded(end),
        }
    }

    fn announcements(&mut self) -> Vec<Announcement> {
        std::mem::take(&mut self.announcements)
    }

    fn suspend(&mut self) -> bool {
        std::mem::take(&mut self.suspend)
    }

    fn takes_at_once(&self, key: &KeyEvent) -> bool {
        guard::takes_at_once(&self.model, key)
    }

    fn mouse(&self) -> bool {
        self.model.mouse.on
    }

    fn repaint(&mut self) -> bool {
        std::mem::take(&mut self.repaint)
    }

    fn flush_input(&mut self) -> bool {
        std::mem::take(&mut self.flush_input)
    }
}
