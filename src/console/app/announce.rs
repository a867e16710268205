//! What the terminal is told besides frames: the bell, its title, notifications, the clipboard; and when.
//!
//! Decides what is said and how often; how it becomes bytes is the runtime's. Every text here can be drawn: foreign words
//! get in by [`Visible`](crate::domain::Visible) alone, and are cut.

use super::{Effect, Model, Now};
use crate::config::Occasion;
use crate::domain::{Risk, Untrusted};
use std::time::Duration;

/// Something that the terminal is told besides frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// Ring once.
    Bell,
    /// What the terminal's window is to be called.
    Title(String),
    /// A notification of the desktop.
    Notify {
        /// Who speaks.
        title: String,
        /// What has happened.
        body: String,
        /// Which sequence this terminal knows.
        how: NotifyBy,
    },
    /// What is to be put on the clipboard: lines that can be drawn, with line feeds between them.
    Copy(String),
}

/// The sequences by which terminals take notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifyBy {
    /// OSC 9: iTerm2, WezTerm, Windows Terminal.
    Osc9,
    /// OSC 777: rxvt-unicode, foot, Ghostty.
    Osc777,
    /// OSC 99: kitty.
    Osc99,
}

/// What a reviewer is called back for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alert {
    /// Another reviewer had decided the opposite.
    Conflict,
    /// The server refused a decision.
    Refused,
    /// A decision was not sent: its action no longer stood as it was seen.
    Returned,
    /// A decision could not be kept, or is no longer carried out.
    NotTaken,
    /// Nobody decided in time.
    Expired,
    /// An approval counts no more.
    Lapsed,
    /// Something of this risk waits now.
    Arrived(Risk),
}

impl Alert {
    fn occasion(self) -> Occasion {
        match self {
            Self::Conflict => Occasion::Conflict,
            Self::Refused | Self::Returned | Self::NotTaken => Occasion::Refusal,
            Self::Expired | Self::Lapsed => Occasion::Expiry,
            Self::Arrived(_) => Occasion::HighRisk,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Conflict => "409 CONFLICT",
            Self::Refused => "refused",
            Self::Returned => "returned, not sent",
            Self::NotTaken => "not taken",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Arrived(Risk::High) => "waits, high risk",
            Self::Arrived(Risk::Critical) => "waits, critical risk",
            Self::Arrived(_) => "waits",
        }
    }
}

/// The shortest time from one title to the next, and from one notification to the next.
const PAUSE: Duration = Duration::from_secs(1);
/// Columns of an action's name in a notification.
const NAME: usize = 40;
/// Who speaks.
const PROGRAM: &str = "aegis-console";

/// What the terminal has been told, and what it has yet to be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Announcer {
    /// Whether the terminal says that the reviewer is looking at it.
    focused: bool,
    /// The counts in the title.
    title: Option<Counts>,
    next_title: Duration,
    /// The first thing to be notified of, and how many came after it.
    waiting: Option<(String, usize)>,
    next_note: Duration,
}

/// What a title counts: what calls for the reviewer, and nothing that changes while it is being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    pending: usize,
    unconfirmed: usize,
    conflicts: usize,
}

impl Counts {
    fn of(model: &Model) -> Self {
        Self {
            pending: model.queue.len(),
            unconfirmed: model.outcomes.unconfirmed(),
            conflicts: model.outcomes.conflicts(),
        }
    }

    /// `aegis-console: 12 pending, 1 conflict`
    fn title(self) -> String {
        let mut title = format!("{PROGRAM}: {} pending", self.pending);
        if self.unconfirmed > 0 {
            title.push_str(&format!(", {} unconfirmed", self.unconfirmed));
        }
        if self.conflicts > 0 {
            let word = if self.conflicts == 1 { "conflict" } else { "conflicts" };
            title.push_str(&format!(", {} {word}", self.conflicts));
        }
        title
    }
}

/// The terminal came to the front, or went away from it. Who looks at the screen needs no notification of what it shows.
pub(super) fn focus(model: &mut Model, focused: bool) {
    model.announcer.focused = focused;
    if focused {
        model.announcer.waiting = None;
    }
}

/// Calls the reviewer back: rings once for a message however much it brings, and notifies where that is asked for.
pub(super) fn alert(model: &mut Model, alert: Alert, action: &Untrusted, effects: &mut Vec<Effect>) {
    if !model.settings.notify_on.contains(&alert.occasion()) {
        return;
    }
    let bell = Effect::Announce(Announcement::Bell);
    if model.settings.bell && !effects.contains(&bell) {
        effects.push(bell);
    }
    if model.settings.notify.is_none() || model.announcer.focused {
        return;
    }
    match &mut model.announcer.waiting {
        Some((_, more)) => *more += 1,
        None => {
            let body = format!("{}: {}", alert.words(), action.name().cut(NAME).plain());
            model.announcer.waiting = Some((body, 0));
        }
    }
}

/// Tells what has become due: a title where the counts have changed, a notification where something waits for it.
pub(super) fn due(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    if let Some(at) = next_title(model)
        && at <= now.tick
    {
        let counts = Counts::of(model);
        effects.push(Effect::Announce(Announcement::Title(counts.title())));
        (model.announcer.title, model.announcer.next_title) = (Some(counts), now.tick + PAUSE);
    }
    let announcer = &mut model.announcer;
    if let Some(how) = model.settings.notify
        && announcer.next_note <= now.tick
        && let Some((first, more)) = announcer.waiting.take()
    {
        let body = if more == 0 { first } else { format!("{first}, and {more} more") };
        effects.push(Effect::Announce(Announcement::Notify { title: PROGRAM.into(), body, how }));
        announcer.next_note = now.tick + PAUSE;
    }
}

/// When something is to be told that came too soon after the last; `None` where all has been told.
pub(super) fn next(model: &Model) -> Option<Duration> {
    let note = model.announcer.waiting.as_ref().map(|_| model.announcer.next_note);
    [next_title(model), note].into_iter().flatten().min()
}

fn next_title(model: &Model) -> Option<Duration> {
    let stale = model.settings.title && model.announcer.title != Some(Counts::of(model));
    stale.then_some(model.announcer.next_title)
}

/// The most bytes that terminals take for the clipboard at once, before they are encoded.
pub const LARGEST_COPY: usize = 74 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Settings;
    use crate::console::keymap::Keymap;
    use crate::console::theme::Theme;
    use jiff::Timestamp;

    fn at(millis: u64) -> Now {
        Now { wall: Timestamp::UNIX_EPOCH, tick: Duration::from_millis(millis) }
    }

    fn model(notify: Option<NotifyBy>) -> Model {
        let settings = Settings { notify, ..Settings::new(Theme::named(), Keymap::shipped().unwrap()) };
        let mut model = Model::new(settings, (120, 40));
        due(&mut model, at(0), &mut Vec::new());
        model
    }

    fn told(model: &mut Model, millis: u64) -> Vec<Announcement> {
        let mut effects = Vec::new();
        due(model, at(millis), &mut effects);
        let announcement = |effect| match effect {
            Effect::Announce(announcement) => announcement,
            other => panic!("{other:?}"),
        };
        effects.into_iter().map(announcement).collect()
    }

    #[test]
    fn a_title_counts_what_calls_for_the_reviewer() {
        for (pending, unconfirmed, conflicts, title) in [
            (0, 0, 0, "aegis-console: 0 pending"),
            (12, 0, 1, "aegis-console: 12 pending, 1 conflict"),
            (1, 2, 3, "aegis-console: 1 pending, 2 unconfirmed, 3 conflicts"),
        ] {
            assert_eq!(Counts { pending, unconfirmed, conflicts }.title(), title);
        }
    }

    #[test]
    fn a_title_is_told_when_it_changes_and_not_more_than_once_a_second() {
        let mut model = model(None);
        assert_eq!(next(&model), None, "nothing to wake up for");
        model.announcer.title = None;
        assert_eq!((next(&model), told(&mut model, 999)), (Some(PAUSE), vec![]));
        assert_eq!(told(&mut model, 1_000), [Announcement::Title("aegis-console: 0 pending".into())]);
        assert_eq!((next(&model), told(&mut model, 5_000)), (None, vec![]));
        model.announcer.title = None;
        model.settings.title = false;
        assert_eq!((next(&model), told(&mut model, 9_000)), (None, vec![]));
    }

    #[test]
    fn what_comes_together_rings_once_and_is_one_notification() {
        let mut model = model(Some(NotifyBy::Osc777));
        let mut effects = Vec::new();
        let notify = |body: &str| Announcement::Notify {
            title: "aegis-console".into(),
            body: body.into(),
            how: NotifyBy::Osc777,
        };
        for name in ["send_email\u{1b}]0;x\u{7}", "b", "c"] {
            alert(&mut model, Alert::Expired, &name.into(), &mut effects);
        }
        assert_eq!(effects, [Effect::Announce(Announcement::Bell)]);
        let [Announcement::Notify { body, .. }] = &told(&mut model, 10)[..] else { panic!() };
        assert!(body.starts_with("expired: \"send_email␛]0;x") && body.ends_with(", and 2 more"), "{body}");
        assert!(!body.chars().any(char::is_control), "{body:?}");
        alert(&mut model, Alert::Conflict, &"d".into(), &mut effects);
        assert_eq!((next(&model), told(&mut model, 500)), (Some(Duration::from_millis(1_010)), vec![]));
        assert_eq!(told(&mut model, 1_010), [notify("409 CONFLICT: d")]);
    }

    #[test]
    fn who_looks_at_the_terminal_hears_the_bell_alone() {
        let mut model = model(Some(NotifyBy::Osc9));
        for focused in [true, false] {
            focus(&mut model, focused);
            let mut effects = Vec::new();
            alert(&mut model, Alert::Refused, &"x".into(), &mut effects);
            assert_eq!(effects, [Effect::Announce(Announcement::Bell)]);
            assert_eq!(told(&mut model, 10).len(), usize::from(!focused));
        }
        model.announcer.next_note = Duration::MAX;
        alert(&mut model, Alert::Refused, &"x".into(), &mut Vec::new());
        focus(&mut model, true);
        assert_eq!(next(&model), None, "what was about to be told can be seen now");
    }
}
