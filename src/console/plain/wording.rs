//! How things are said: one fact a line, in words, without signs that a voice would stumble over.

use crate::console::app::guard::Refusal;
use crate::console::app::{Model, Now};
use crate::console::screens::detail::review::{sum, time};
use crate::console::screens::outcomes::{Kind, Row, view};
use crate::console::theme::Role;
use crate::console::widgets::RoleLine;
use crate::domain::action::Silence;
use crate::domain::timestamp::{age, between, countdown};
use crate::domain::{Action, Risk, Untrusted};
use crate::feed::Link;

/// Columns that a name may take in a list; in the action itself it stands in full.
const NAME: usize = 40;
/// Columns that an agent's summary may take in a list.
const SUMMARY: usize = 120;

/// The console's own words.
pub(super) fn say(words: impl Into<String>) -> RoleLine {
    RoleLine::of(Role::Text, words)
}

/// `7: high, send_email by billing-agent, 04:31 left, then not run`.
pub(super) fn action(number: u32, action: &Action, now: Now) -> RoleLine {
    let left = countdown(between(now.wall, action.expires_at));
    say(format!("{number}: {}, ", action.risk))
        .followed_by(Some(what(action)))
        .with(Role::Text, format!(", {left} left, then {}", action.silence().then()))
}

/// `send_email by billing-agent`.
pub(super) fn what(action: &Action) -> RoleLine {
    RoleLine::default()
        .foreign(&action.name.name().cut(NAME))
        .with(Role::Text, " by ")
        .foreign(&action.agent.name().cut(NAME))
}

/// `    says "Refund mail to user@example.com"`: indented, because an agent wrote it.
pub(super) fn summary(action: &Action) -> Option<RoleLine> {
    let summary = action.summary.as_ref()?;
    Some(say("    says ").foreign(&summary.quoted().cut(SUMMARY)))
}

/// `1 of 2: alice, bob looks`: what other reviewers make of it.
pub(super) fn others(model: &Model, action: &Action) -> Option<RoleLine> {
    let review = model.queue.review(&action.id).map(|review| sum(review));
    let looking = looking(model, action);
    match (review, looking) {
        (Some(review), Some(looking)) => Some(review.with(Role::Text, "; ").followed_by(Some(looking))),
        (review, looking) => review.or(looking),
    }
}

/// `bob, eve look at it now`.
fn looking(model: &Model, action: &Action) -> Option<RoleLine> {
    let names = model.presence.looking_at(&action.id);
    let mut line = RoleLine::default();
    for name in names {
        line.push(Role::Text, if line.is_empty() { "" } else { ", " });
        line.push_foreign(Role::Foreign, &name.name().cut(NAME));
    }
    let verb = if names.len() == 1 { " looks at it now" } else { " look at it now" };
    (!names.is_empty()).then(|| line.with(Role::Text, verb))
}

/// `37 more of billing-agent, which asks faster than anybody can read`.
pub(super) fn flood(agent: &Untrusted, count: usize) -> RoleLine {
    say(format!("{count} of "))
        .foreign(&agent.name().cut(NAME))
        .with(Role::Text, ", which asks faster than anybody can read: list AGENT lists them")
}

/// What became of an action: `7: approve send_email: 202, committed, 38 ms`.
pub(super) fn outcome(model: &Model, number: u32, row: &Row, now: Now) -> RoleLine {
    let (label, words) = view::sentence(model, row, now);
    let verb = match &row.kind {
        Kind::Ours(ours) => format!("{number}: {} ", ours.order.verdict),
        Kind::Elsewhere(_) => format!("{number}: "),
    };
    let mut line =
        say(verb).foreign(&row.action.name.name().cut(NAME)).with(Role::Text, format!(": {label}"));
    if !words.is_empty() {
        line.push(Role::Text, ", ");
        line.append(words);
    }
    if matches!(&row.kind, Kind::Ours(ours) if ours.is_held()) {
        line.push(Role::Text, format!("; undo {number} takes it back"));
    }
    if matches!(&row.kind, Kind::Ours(ours) if ours.is_open_conflict()) {
        line.push(Role::Text, format!("; noted {number} takes note of it"));
    }
    if matches!(&row.kind, Kind::Ours(ours) if ours.may_try_again()) {
        line.push(Role::Text, format!("; again {number} sends it again"));
    }
    line
}

/// Why something was not done.
pub(super) fn refusal(why: &Refusal, number: u32) -> String {
    let lines = |lines: usize| if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
    match why {
        Refusal::JustChanged => {
            "ignored: this came before you could have read what it answers. Say it again".into()
        }
        Refusal::NothingSelected => format!("{number} does not wait for a decision"),
        Refusal::NotOpen | Refusal::NotRead => format!("read it to its end first: show {number}"),
        Refusal::NotSeen(unseen) => {
            format!("read it to its end first: {} not printed yet, show {number} prints it", lines(*unseen))
        }
        Refusal::Folded(1) => "read it to its end first: 1 part is folded, unfold prints it".into(),
        Refusal::Folded(parts) => {
            format!("read it to its end first: {parts} parts are folded, unfold prints them")
        }
        Refusal::Letters(_) => "these are not the letters".into(),
        other => other.words().into_owned(),
    }
}

/// How the connection to the source is.
pub(super) fn link(model: &Model, now: Now) -> String {
    match &model.link {
        Link::Connecting => "connecting".into(),
        Link::Live => "live".into(),
        Link::Reconnecting { next, since, .. } => {
            let since = since.to_zoned_datetime(model.settings.time_zone.clone()).strftime("%H:%M:%S");
            let left = between(now.wall, *next).as_millis().div_ceil(1_000);
            format!("the link is down since {since}, tried again in {left} s")
        }
        Link::Ended => "read to its end".into(),
    }
}

/// `12 wait for a decision, 1 held, 2 sending`.
pub(super) fn counts(model: &Model) -> String {
    let outcomes = &model.outcomes;
    let mut words = match model.queue.len() {
        0 => "nothing waits for a decision".to_owned(),
        1 => "1 waits for a decision".to_owned(),
        many => format!("{many} wait for a decision"),
    };
    let more = [
        (outcomes.held(), "held"),
        (outcomes.queued(), "queued"),
        (outcomes.sending(), "sending"),
        (outcomes.counted_ones(), "counted"),
        (outcomes.unconfirmed(), "unconfirmed"),
        (outcomes.conflicts(), if outcomes.conflicts() == 1 { "conflict" } else { "conflicts" }),
    ];
    for (count, word) in more.into_iter().filter(|(count, _)| *count > 0) {
        words.push_str(&format!(", {count} {word}"));
    }
    if let Some(count) = model.allowed_by_rule.filter(|count| *count > 0) {
        words.push_str(&format!(", {count} allowed by rule"));
    }
    words
}

/// The facts of an action, one a line, each by its name.
pub(super) fn facts(number: u32, action: &Action, model: &Model, now: Now) -> Vec<RoleLine> {
    let fact = |name: &str| say(format!("{name}: "));
    let left = countdown(between(now.wall, action.expires_at));
    let then = match action.silence() {
        Silence::NotRun => "is not run",
        Silence::Runs => "runs, as its source says",
        Silence::AskedElsewhere => "is asked elsewhere, as its source says",
    };
    let risk =
        if action.risk == Risk::Unreadable { "unreadable".into() } else { format!("{} risk", action.risk) };
    let mut lines = vec![
        say(format!("{number}: "))
            .foreign(&action.name.name())
            .with(Role::Text, format!(", {risk}, expires in {left}, then it {then}")),
        fact("agent").foreign(&action.agent.name()),
    ];
    if let Some(server) = &action.server {
        lines.push(fact("server").foreign(&server.name()));
    }
    lines.push(fact("thread").foreign(&action.thread_id.name()));
    lines.push(fact("asked").with(Role::Text, format!("{} ago", age(between(action.created_at, now.wall)))));
    if let Some(source) = &action.source {
        let words = format!(" says: {}", source.words());
        lines.push(fact("source").foreign(&source.name.name()).with(Role::Text, words));
    }
    let hidden = action.hidden_characters();
    if hidden > 0 {
        lines.push(fact("hidden characters").with(Role::Text, hidden.to_string()));
    }
    if action.reviewers_needed > 1 {
        lines.push(fact("reviewers needed").with(Role::Text, action.reviewers_needed.to_string()));
    }
    if let Some(review) = model.queue.review(&action.id) {
        let zone = &model.settings.time_zone;
        let until = review.until.map(|until| format!(", counts until {}", time(until, zone)));
        lines.push(fact("review").followed_by(Some(sum(review))).with(Role::Text, until.unwrap_or_default()));
    }
    if let Some(looking) = looking(model, action) {
        lines.push(looking);
    }
    let Action { sealed_risk, risk_reasons, .. } = action;
    for reason in risk_reasons {
        let risk = format!("{sealed_risk}: ");
        lines.push(fact("risk").with(Role::Text, risk).foreign(&reason.visible()));
    }
    if let Some(changes) = model.detail.changes(&action.digest) {
        lines.push(say("it is other than when it was decided on: read it anew"));
        for change in &changes.found {
            let part = |text: &Option<Untrusted>| {
                text.as_ref().map_or(say("nothing"), |text| say("").foreign(&text.quoted()))
            };
            let line = fact("changed").foreign(&change.place.name()).with(Role::Text, " was ");
            let line = line.followed_by(Some(part(&change.old))).with(Role::Text, ", is now ");
            lines.push(line.followed_by(Some(part(&change.new))));
        }
        if changes.more > 0 {
            lines.push(say(format!("changed: {} more places", changes.more)));
        }
    }
    if let Some(unreadable) = &action.unreadable {
        lines.push(fact("unreadable").foreign(&unreadable.reason.visible()));
        let then = if unreadable.can_be_rejected {
            "it can only be rejected"
        } else {
            "nothing can be decided about it"
        };
        lines.push(say(then));
    }
    if let Some(summary) = &action.summary {
        lines.push(fact("says (agent's words)").foreign(&summary.quoted()));
    }
    lines
}
