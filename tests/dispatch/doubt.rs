//! Decisions that may have landed: asked about and sent again in the background, at growing pauses, and not for ever.

use crate::world::{Desk, Disk, Fate, Server, process, word};
use aegis_console::dispatch::{Link, News, NoCheck, Pace};
use aegis_console::domain::Outcome;
use aegis_console::journal::Stage;
use std::time::Duration;

#[test]
fn it_is_sent_again_for_a_few_minutes_and_asked_about_for_half_an_hour() {
    let (server, disk) = (Server::always(Fate::Says(503)), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        let began = tokio::time::Instant::now();
        let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told.last().unwrap(), "unconfirmed");
        assert!(told.iter().filter(|word| *word == "doubtful").count() > 8, "{told:?}");
        let lasted = began.elapsed().as_secs();
        assert!((1_730..=1_801).contains(&lasted), "{lasted} s");

        // At least while no janitor can have come, and no longer: four and a half minutes.
        let times = server.post_times();
        assert!((4 + 7..=4 + 8).contains(&times.len()), "{}", times.len());
        assert!(*times.last().unwrap() - times[0] < Duration::from_secs(270));
        let pauses: Vec<_> = times.windows(2).skip(3).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        for (pause, most) in pauses.iter().zip([5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 60.0]) {
            assert!((most * 0.75..=most + 0.1).contains(pause), "{pauses:?}");
        }
        server.assert_same_bytes();
        assert_eq!((desk.stage(id), desk.dispatcher.open()), (Stage::Ended, 0));
        assert!(desk.entry(id).maybe);

        // Then it waits for the reviewer.
        tokio::time::sleep(Duration::from_secs(36_000)).await;
        assert_eq!(server.posts().len(), times.len());
        desk.dispatcher.try_again(id);
        let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told.first().unwrap(), "queued");
        assert_eq!(told.last().unwrap(), "unconfirmed");
        assert_eq!(server.posts().len(), times.len() + 4, "all the tries of a call");
    });
}

#[test]
fn it_ends_as_soon_as_the_server_says_what_became_of_it() {
    for (fate, lands, outcome) in [
        (Fate::AnswerLost, 1, Outcome::Mine),
        (Fate::RequestLost, 2, Outcome::Committed),
        (Fate::Says(503), 2, Outcome::Committed),
    ] {
        let (server, disk) = (Server::always(fate), Disk::new());
        process(async {
            let mut desk = Desk::with(
                crate::world::builder(&server).max_retries(0),
                &disk,
                std::sync::Arc::new(NoCheck),
                Pace::default(),
            );
            *server.answers_looks.lock().unwrap() = false;
            let id = desk.approve("k");
            desk.until(id, |news| matches!(news, News::Doubtful { .. })).await;
            *server.answers_looks.lock().unwrap() = true;
            server.is_now(Fate::Fine);
            assert_eq!(desk.ended(id).await, outcome, "{fate:?}");
            assert_eq!(server.posts().len(), lands);
            server.assert_same_bytes();
        });
    }
}

#[test]
fn the_reviewer_need_not_wait_for_the_next_time() {
    let (server, disk) = (Server::always(Fate::Says(503)), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        desk.until(id, |news| matches!(news, News::Doubtful { .. })).await;
        server.is_now(Fate::Fine);
        let began = tokio::time::Instant::now();
        desk.dispatcher.try_again(id);
        assert_eq!(desk.ended(id).await, Outcome::Committed);
        assert!(began.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn in_progress_is_watched_and_never_sent_again_by_itself() {
    let (server, disk) = (Server::always(Fate::Fine), Disk::new());
    let row = crate::world::Row { request_id: "other".into(), verdict: "approve".into(), status: "PENDING" };
    server.rows.lock().unwrap().insert("k".into(), row);
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        assert_eq!(desk.ended(id).await, Outcome::InProgress);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(server.posts().len(), 1);
        server.rows.lock().unwrap().get_mut("k").unwrap().status = "COMMITTED";
        desk.dispatcher.try_again(id);
        assert_eq!(desk.ended(id).await, Outcome::Same);
    });
}

#[test]
fn without_a_link_nothing_is_asked_and_the_reviewer_gets_it_in_the_end() {
    let (server, disk) = (Server::always(Fate::Says(503)), Disk::new());
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        desk.until(id, |news| matches!(news, News::Doubtful { .. })).await;
        desk.dispatcher.link(Link::Down);
        let requests = server.requests.lock().unwrap().len();
        let told = desk.until(id, |news| matches!(news, News::Resolved(_))).await;
        assert_eq!(told, ["unconfirmed"]);
        assert_eq!(server.requests.lock().unwrap().len(), requests);
    });
}

#[test]
fn a_refusal_after_doubt_is_still_doubt() {
    let server = Server::new(|number, _| if number == 1 { Fate::RequestLost } else { Fate::Says(403) });
    let disk = Disk::new();
    process(async {
        let mut desk = Desk::open(&server, &disk);
        let id = desk.approve("k");
        let told = desk.until(id, |news| matches!(news, News::Doubtful { .. } | News::Resolved(_))).await;
        assert_eq!(told.last().unwrap(), "doubtful", "{told:?}");
        assert!(told.iter().all(|told| *told != word(&News::Dropped)));
    });
}

#[test]
fn what_the_server_is_heard_to_say_is_asked_about_at_once() {
    // (what happens to the call, how the row stands afterwards, what is said at first, and at last)
    for (fate, status, first, last) in [
        (Fate::Pending, "COMMITTED", "accepted", Outcome::Committed),
        (Fate::Pending, "FAILED", "accepted", Outcome::Failed),
        (Fate::AnswerLost, "COMMITTED", "doubtful", Outcome::Mine),
    ] {
        let (server, disk) = (Server::always(fate), Disk::new());
        process(async {
            *server.answers_looks.lock().unwrap() = fate == Fate::Pending;
            let pace = Pace { first_pause: Duration::from_secs(60), ..Pace::default() };
            let client = crate::world::builder(&server).max_retries(0);
            let mut desk = Desk::with(client, &disk, std::sync::Arc::new(NoCheck), pace);
            let id = desk.approve("k");
            desk.until(id, |news| word(news) == first).await;
            // Long enough for the pauses between looks to be long.
            tokio::time::sleep(Duration::from_secs(20)).await;
            let request_id = desk.entry(id).intent.request_id.to_string();
            *server.answers_looks.lock().unwrap() = true;
            server.rows.lock().unwrap().get_mut("k").unwrap().status = status;
            let began = tokio::time::Instant::now();
            for other in ["", "no uuid", &uuid::Uuid::new_v4().to_string()] {
                desk.dispatcher.heard(other);
            }
            desk.dispatcher.heard(&request_id.to_uppercase());
            assert_eq!(desk.ended(id).await, last, "{fate:?}");
            assert!(began.elapsed() < Duration::from_secs(1), "{fate:?}: {:?}", began.elapsed());
            assert_eq!(server.posts().len(), 1);
            // It has ended: nothing more is asked.
            let asked = server.requests.lock().unwrap().len();
            desk.dispatcher.heard(&request_id);
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(server.requests.lock().unwrap().len(), asked);
        });
    }
}
