//! What the terminal is told besides frames: the bell, its title, notifications.

use crate::script::{Script, WIDE, at, decided, plain, refund, settings, standing};
use aegis_console::config::Occasion;
use aegis_console::console::app::{Announcement, Effect, Message, NotifyBy, Settings};
use aegis_console::domain::{ActionState, Outcome, Risk, Verdict};
use aegis_console::feed::FeedEvent;
use std::time::Duration;

fn notifying() -> Settings {
    let notify_on = Occasion::ALL.to_vec();
    Settings { notify: Some(NotifyBy::Osc777), notify_on, ..settings() }
}

fn notifications(script: &Script) -> Vec<&str> {
    let body = |effect| match effect {
        &Effect::Announce(Announcement::Notify { ref body, .. }) => Some(body.as_str()),
        _ => None,
    };
    script.effects.iter().filter_map(body).collect()
}

#[test]
fn the_title_follows_the_counts_at_the_pace_of_the_eye() {
    let mut script = Script::with_queue(WIDE);
    assert_eq!(script.titles, ["aegis-console: 0 pending"], "a second has not passed yet");
    script.wait(Duration::from_secs(1));
    script.approve().resolved(Outcome::Conflict, Some(409), 1, Some(standing(Verdict::Reject, "alice")));
    script.wait(Duration::from_secs(1));
    assert_eq!(script.titles[1], "aegis-console: 3 pending");
    assert_eq!(script.titles.last().unwrap(), "aegis-console: 2 pending, 1 conflict");
    let told = script.titles.len();
    script.wait(Duration::from_secs(10));
    assert_eq!(script.titles.len(), told, "nothing has changed since");
}

#[test]
fn without_a_title_nothing_is_called_anything() {
    let mut script = Script::with(Settings { title: false, ..settings() }, WIDE);
    script.feed(FeedEvent::entries(vec![refund()])).wait(Duration::from_secs(3));
    assert_eq!(script.titles, [""; 0]);
}

#[test]
fn what_calls_back_rings_and_notifies_unless_it_is_being_looked_at() {
    let mut script = Script::with(notifying(), WIDE);
    script.feed(FeedEvent::changed(plain(7, Risk::Low).queued()));
    assert_eq!((script.bells(), notifications(&script).len()), (0, 0));
    script.feed(FeedEvent::changed(refund()));
    assert_eq!((script.bells(), notifications(&script)), (1, vec!["waits, high risk: send_email"]));
    script.tell(Message::FocusChanged(true));
    let mut expired = decided(refund(), Verdict::Approve, "nobody");
    (expired.state, expired.decision) = (ActionState::Expired, None);
    script.wait(Duration::from_secs(2)).feed(FeedEvent::changed(expired));
    assert_eq!((script.bells(), notifications(&script).len()), (2, 1));
}

#[test]
fn what_the_reviewer_does_not_want_to_be_called_back_for_is_silent() {
    for (bell, notify_on, bells) in [
        (true, vec![Occasion::HighRisk], 1),
        (true, vec![Occasion::Conflict], 0),
        (false, notifying().notify_on, 0),
    ] {
        let silent = Settings { notify: None, bell, notify_on, ..settings() };
        let mut script = Script::with(silent, WIDE);
        script.feed(FeedEvent::entries(vec![])).feed(FeedEvent::changed(refund()));
        assert_eq!(script.bells(), bells);
    }
}

#[test]
fn many_that_expire_at_once_ring_once_and_are_one_notification() {
    let mut script = Script::with(Settings { expires_here: true, ..notifying() }, WIDE);
    let entries = (0..20).map(|number| plain(number, Risk::Low).queued());
    script.feed(FeedEvent::entries(entries));
    let left = at("12:10:00").duration_since(at("12:02:00"));
    script.wait(left.try_into().unwrap());
    assert_eq!((script.bells(), notifications(&script)), (1, vec!["expired: send_email, and 19 more"]));
}
