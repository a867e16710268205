//! Who looks at which action, and what the gateway is told that this reviewer looks at: the action on which the cursor
//! has rested, said again while it stays, taken back when it leaves.
//!
//! Nothing hangs on it: what is not told in time is no longer believed by the gateway, and a source that keeps no such
//! thing is asked once. Where nobody has touched the console for a while, nobody looks.

use super::guard::Selection;
use super::{Effect, Model, Now};
use crate::domain::Untrusted;
use crate::feed::{Link, Looking};
use std::collections::HashMap;
use std::time::Duration;

/// The cursor has rested on an action once it was there for so long.
const RESTED: Duration = Duration::from_secs(1);
/// What is looked at is said again after this time; the gateway believes it for thirty seconds.
const AGAIN: Duration = Duration::from_secs(10);
/// After this time without a key nobody sits there.
const AWAY: Duration = Duration::from_secs(300);

/// Who looks at which action.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    /// The other reviewers, by the action that they look at.
    looking: HashMap<String, Vec<Untrusted>>,
    /// What the cursor is on, and since when.
    rests: Option<(Selection, Duration)>,
    /// What the gateway was told last, and when.
    said: Option<(Selection, Duration)>,
    /// When the reviewer last did anything.
    touched: Duration,
    /// Whether the source keeps no such thing.
    refused: bool,
}

impl Presence {
    /// The other reviewers who look at this action.
    pub fn looking_at(&self, action: &str) -> &[Untrusted] {
        self.looking.get(action).map_or(&[], Vec::as_slice)
    }

    /// Takes in who looks now.
    pub fn told(&mut self, looking: Vec<Looking>) {
        self.looking.clear();
        for Looking { reviewer, action_id } in looking {
            self.looking.entry(action_id).or_default().push(reviewer);
        }
    }

    /// The link broke: nobody knows who looks, and the gateway will not believe for long what it was told.
    pub fn unlinked(&mut self) {
        (self.looking, self.said) = (HashMap::new(), None);
    }

    /// The source keeps no such thing: it is not asked again.
    pub fn refused(&mut self) {
        (self.refused, self.said) = (true, None);
    }

    /// The reviewer is here.
    pub fn touched(&mut self, now: Now) {
        self.touched = now.tick;
    }
}

/// What the reviewer looks at.
fn looked_at(model: &Model, now: Now) -> Option<&Selection> {
    let here = now.tick < model.presence.touched.saturating_add(AWAY);
    let shows = model.link == Link::Live && !model.layout.too_small && model.exit.is_none();
    model.queue.cursor().filter(|_| here && shows)
}

/// Says what is looked at, where that is due.
pub(super) fn due(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    if !model.settings.presence || model.presence.refused {
        return;
    }
    let on = looked_at(model, now).cloned();
    let presence = &mut model.presence;
    if presence.rests.as_ref().map(|(on, _)| on) != on.as_ref() {
        presence.rests = on.map(|on| (on, now.tick));
    }
    let on = presence.rests.as_ref().map(|(on, _)| on);
    if presence.said.as_ref().is_some_and(|(said, _)| Some(said) != on) {
        presence.said = None;
        effects.push(Effect::Look(None));
    }
    let after = match (&presence.rests, &presence.said) {
        (Some((_, since)), None) => since.saturating_add(RESTED),
        (_, Some((_, at))) => at.saturating_add(AGAIN),
        (None, None) => return,
    };
    if let Some((on, _)) = presence.rests.as_ref().filter(|_| after <= now.tick) {
        presence.said = Some((on.clone(), now.tick));
        effects.push(Effect::Look(Some(on.clone())));
    }
}

/// When something of this is due; `None` for never.
pub(super) fn next(model: &Model) -> Option<Duration> {
    let presence = &model.presence;
    if !model.settings.presence || presence.refused {
        return None;
    }
    let away = presence.touched.saturating_add(AWAY);
    let next = match (&presence.rests, &presence.said) {
        (Some((_, since)), None) => since.saturating_add(RESTED),
        (Some(_), Some((_, at))) => at.saturating_add(AGAIN),
        (None, _) => return None,
    };
    Some(next.min(away))
}
