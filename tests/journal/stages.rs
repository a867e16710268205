//! The table of arrows, whole: from every state each step that is allowed, where it leads, and no other.

use crate::support::{SENDING, at, intent, outcomes, resolution, sample_try};
use aegis_console::journal::stage::next;
use aegis_console::journal::{Progress, Stage, Step};
use std::collections::BTreeSet;

/// Ends by which the decision is known to have reached the server, or may have.
const REACHED: &str =
    "accepted committed failed mine same conflict in_progress unknown unconfirmed counted lapsed";
/// Ends by which it is known to have had no effect.
const NO_EFFECT: &str = "quota refused not_sent";

fn steps() -> Vec<(String, Step)> {
    let intent = intent(1);
    let mut steps = vec![
        ("released".to_owned(), Step::Released),
        ("dropped".to_owned(), Step::Dropped),
        ("returned".to_owned(), Step::Returned("expired".into())),
        ("sending".to_owned(), Step::Sending { try_number: 1, at: at(5) }),
        ("tried".to_owned(), Step::Tried(sample_try(1), false)),
        ("landed?".to_owned(), Step::Tried(sample_try(1), true)),
        ("waiting".to_owned(), Step::Waiting { next_at: at(1) }),
        ("doubtful".to_owned(), Step::Doubtful { next_at: at(1) }),
        ("retried".to_owned(), Step::Retried),
        ("acknowledged".to_owned(), Step::Acknowledged),
    ];
    for outcome in outcomes() {
        let word = outcome.word();
        steps.push((format!("ended:{word}"), Step::Ended(resolution(&intent, outcome.clone()))));
        steps.push((format!("refined:{word}"), Step::Refined(resolution(&intent, outcome))));
    }
    steps
}

/// `ended:a ended:b>ended` for each of the words.
fn each(kind: &str, words: &str) -> String {
    words.split(' ').map(|word| format!(" {kind}:{word}>ended")).collect()
}

fn check(name: &str, now: &Progress, allowed: &str) {
    let found: BTreeSet<_> = steps()
        .into_iter()
        .filter_map(|(step, value)| next(now, &value).map(|to| format!("{step}>{}", to.word())))
        .collect();
    let expected: BTreeSet<_> = allowed.split_whitespace().map(str::to_owned).collect();
    assert_eq!(found, expected, "from {name}");
}

fn after(from: &Progress, steps: &[Step]) -> Progress {
    steps.iter().fold(from.clone(), |now, step| now.after(step).unwrap())
}

#[test]
fn before_an_end() {
    let (held, queued) = (Progress::new(true), Progress::new(false));
    let (no, maybe) = (Step::Tried(sample_try(1), false), Step::Tried(sample_try(1), true));
    let wait = Step::Waiting { next_at: at(1) };
    let go_on = "sending>sending doubtful>doubtful";
    let reached = each("ended", REACHED);
    let any = format!("{reached}{}", each("ended", NO_EFFECT));

    check("held", &held, "released>queued dropped>dropped returned>returned");
    check("queued", &queued, "sending>sending waiting>queued returned>returned ended:not_sent>ended");

    let flying = after(&queued, &[SENDING]);
    let tried = "tried>sending landed?>sending";
    check("sending, in flight", &flying, &format!("{go_on} {tried} {any}"));

    let answered = after(&flying, std::slice::from_ref(&no));
    check("sending, answered", &answered, &format!("{go_on} waiting>queued {any}"));
    let put_off = after(&answered, std::slice::from_ref(&wait));
    check("queued after a try", &put_off, &format!("{go_on} waiting>queued returned>returned {any}"));

    let doubted = after(&flying, std::slice::from_ref(&maybe));
    check("sending, perhaps landed", &doubted, &format!("{go_on} waiting>queued {reached}"));
    let put_off = after(&doubted, std::slice::from_ref(&wait));
    check("queued, perhaps landed", &put_off, &format!("{go_on} waiting>queued {reached}"));
    // A second try that certainly did not land takes no doubt away.
    let again = after(&put_off, &[SENDING, no]);
    check("sending again", &again, &format!("{go_on} waiting>queued {reached}"));

    let doubtful = after(&doubted, &[Step::Doubtful { next_at: at(9) }]);
    check("doubtful", &doubtful, &format!("{go_on} waiting>doubtful {reached}"));
    // The first try was never answered.
    let unanswered = after(&flying, &[SENDING]);
    check("sending, one unanswered", &unanswered, &format!("{go_on} {tried} {reached}"));
}

#[test]
fn after_an_end() {
    let known = "accepted committed failed mine same conflict in_progress";
    for (outcome, refined, steps) in [
        ("accepted", "accepted committed failed counted", ""),
        ("committed", "", ""),
        ("failed", &format!("{known} counted"), "retried>queued"),
        ("counted", "counted committed mine same conflict lapsed failed", ""),
        ("lapsed", "accepted committed counted mine same conflict in_progress lapsed", "retried>queued"),
        ("mine", "mine committed failed", ""),
        ("same", "", ""),
        ("conflict", "", ""),
        ("in_progress", &format!("{known} unknown counted lapsed"), "retried>queued"),
        ("unknown", &format!("{known} unknown counted lapsed"), ""),
        ("quota", "", "retried>queued"),
        ("refused", "", ""),
        ("unconfirmed", REACHED, "retried>queued"),
        ("not_sent", "", "retried>queued dropped>dropped"),
    ] {
        let end = outcomes().into_iter().find(|one| one.word() == outcome).unwrap();
        let end = Step::Ended(resolution(&intent(1), end));
        let ended = after(&Progress::new(false), &[SENDING, end]);
        let refined = if refined.is_empty() { String::new() } else { each("refined", refined) };
        check(outcome, &ended, &format!("acknowledged>ended {steps} {refined}"));
    }
    check("dropped", &after(&Progress::new(true), &[Step::Dropped]), "");
    let returned = after(&Progress::new(false), &[Step::Returned("expired".into())]);
    check("returned", &returned, "acknowledged>returned");
}

#[test]
fn what_is_sent_again_is_as_doubtful_as_it_ended() {
    for (outcome, maybe, reached) in [
        ("not_sent", false, false),
        ("quota", false, false),
        ("lapsed", false, false),
        ("failed", false, true),
        ("unconfirmed", true, true),
        ("in_progress", true, true),
    ] {
        let end = outcomes().into_iter().find(|one| one.word() == outcome).unwrap();
        let life = [SENDING, Step::Ended(resolution(&intent(1), end)), Step::Acknowledged, Step::Retried];
        let again = after(&Progress::new(false), &life);
        let reached_at = reached.then_some(jiff::Timestamp::UNIX_EPOCH);
        let expected = Progress { tries: 1, maybe, reached_at, ..Progress::new(false) };
        assert_eq!(again, expected, "{outcome}");
    }
}

#[test]
fn since_when_it_may_be_at_the_server_is_kept_from_the_first_doubtful_try_on() {
    let sending = |seconds| Step::Sending { try_number: 1, at: at(seconds) };
    let tried = |maybe| Step::Tried(sample_try(1), maybe);
    let waiting = Step::Waiting { next_at: at(9) };
    for (life, reached) in [
        (vec![sending(1)], Some(1)),
        (vec![sending(1), tried(false)], None),
        (vec![sending(1), tried(false), waiting.clone(), sending(3)], Some(3)),
        (vec![sending(1), tried(true), waiting.clone(), sending(3), tried(false)], Some(1)),
        // Never answered.
        (vec![sending(1), sending(3), tried(false)], Some(1)),
        (vec![sending(1), tried(true), Step::Doubtful { next_at: at(9) }, sending(3)], Some(1)),
    ] {
        let now = after(&Progress::new(false), &life);
        assert_eq!(now.reached_at, reached.map(at), "{life:?}");
    }
}

#[test]
fn another_end_is_to_be_seen_again() {
    let end = |outcome| resolution(&intent(1), outcome);
    let [accepted, _, failed, ..] = &outcomes()[..] else { panic!() };
    let life = [SENDING, Step::Ended(end(accepted.clone())), Step::Acknowledged];
    let seen = after(&Progress::new(false), &life);
    assert!(seen.acknowledged);
    assert!(after(&seen, &[Step::Refined(end(accepted.clone()))]).acknowledged);
    assert!(!after(&seen, &[Step::Refined(end(failed.clone()))]).acknowledged);
}

#[test]
fn words_read_back() {
    for stage in Stage::ALL {
        assert_eq!(Stage::parse(stage.word()), Some(stage));
    }
    assert_eq!(Stage::parse("done"), None);
}
