//! Tables for what is sorted, grouped, filtered and marked while it comes and goes.

use super::*;
use crate::console::widgets::Search;

/// What a test varies in an action.
#[derive(Clone, Copy)]
struct One {
    id: &'static str,
    agent: &'static str,
    thread: &'static str,
    risk: &'static str,
    /// The minute in which it was asked, and the one in which it expires.
    minutes: (u32, u32),
    amount: u32,
}

const ALL: [One; 6] = [
    One { id: "a", agent: "ops", thread: "t1", risk: "low", minutes: (5, 40), amount: 1 },
    One { id: "b", agent: "billing", thread: "t2", risk: "critical", minutes: (4, 30), amount: 2 },
    One { id: "c", agent: "ops", thread: "t1", risk: "high", minutes: (3, 30), amount: 1 },
    One { id: "d", agent: "billing", thread: "t1", risk: "low", minutes: (2, 20), amount: 2 },
    One { id: "e", agent: "ops", thread: "t3", risk: "high", minutes: (2, 50), amount: 3 },
    One { id: "f", agent: "desk", thread: "t2", risk: "low", minutes: (5, 40), amount: 1 },
];

impl One {
    fn queued(self) -> Queued {
        let Self { id, agent, thread, risk, minutes: (asked, expires), amount } = self;
        let sealed = format!(
            r#"{{"v":1,"id":"{id}","tenant_id":"t","thread_id":"{thread}","idempotency_key":"k-{id}","agent":"{agent}","action":"pay",
            "payload":{{"to":"x","amount":{amount}}},"risk":"{risk}",
            "created_at":"2026-11-23T12:{asked:02}:00Z","expires_at":"2026-11-23T13:{expires:02}:00Z"}}"#
        );
        Queued::pending(Action::read(sealed).unwrap())
    }

    fn gone(self) -> Queued {
        Queued { state: ActionState::Cancelled, ..self.queued() }
    }
}

fn of(id: &str) -> One {
    *ALL.iter().find(|one| one.id == id).unwrap()
}

fn tall() -> Queue {
    let mut queue = Queue::default();
    queue.clock("2026-11-23T12:10:00Z".parse().unwrap());
    queue.resize(Some(Rect::new(0, 0, 40, 22)), false);
    queue
}

fn listed(ids: &str) -> Queue {
    let mut queue = tall();
    for id in ids.chars() {
        queue.apply(of(&id.to_string()).queued(), true);
    }
    queue
}

fn filtered(queue: &mut Queue, text: &str) {
    queue.change_search(|search| {
        search.clear();
        search.begin();
        search.paste(text);
        search.keep();
    });
}

/// Every line, those that do not show too.
fn lines(queue: &Queue) -> String {
    let mut whole = queue.clone();
    whole.resize(Some(Rect::new(0, 0, 40, 60_000)), false);
    whole.scroll.top = 0;
    ids(&whole)
}

fn marks(queue: &Queue) -> String {
    queue.marked_actions().iter().map(|action| action.id.as_str()).collect()
}

#[test]
fn every_order_has_its_ties_broken_by_deadline_and_then_by_id() {
    for (order, rows) in [
        (Order::Deadline, "d b c a f e"),
        (Order::Risk, "b c e d a f"),
        (Order::Age, "d e c b a f"),
        (Order::Agent, "d b f c a e"),
    ] {
        for came in ["abcdef", "fedcba", "cafebd"] {
            let mut queue = listed("");
            queue.set_order(order);
            for id in came.chars() {
                queue.apply(of(&id.to_string()).queued(), true);
            }
            assert_eq!(ids(&queue).replace('>', ""), rows, "{order:?}, as they came: {came}");
            let mut later = listed(came);
            later.set_order(order);
            assert_eq!(ids(&later).replace('>', ""), rows, "{order:?}, put in order later");
        }
    }
}

#[test]
fn many_that_come_together_stand_as_if_they_had_come_one_by_one() {
    for order in [Order::Deadline, Order::Risk, Order::Age, Order::Agent] {
        for text in ["", "ops", "!ops risk:high+", "age>6m"] {
            let (mut together, mut one_by_one) = (tall(), tall());
            for queue in [&mut together, &mut one_by_one] {
                queue.apply(of("c").queued(), true);
                queue.touched();
                queue.set_order(order);
                filtered(queue, text);
            }
            together.many_come();
            for id in ["a", "b", "d", "e", "f"] {
                together.apply(of(id).queued(), false);
                one_by_one.apply(of(id).queued(), false);
            }
            assert_eq!(together.len(), 6);
            together.all_came();
            assert_eq!(ids(&together), ids(&one_by_one), "{order:?} {text:?}");
            assert_eq!(together.hidden(), one_by_one.hidden(), "{order:?} {text:?}");
            let gone = |queue: &mut Queue| queue.apply(of("b").gone(), true);
            assert_eq!(gone(&mut together), gone(&mut one_by_one));
            assert_eq!(ids(&together), ids(&one_by_one));
        }
    }
}

#[test]
fn what_is_settled_in_the_midst_of_many_is_not_listed() {
    let mut queue = tall();
    queue.many_come();
    queue.apply(of("a").queued(), false);
    queue.apply(of("b").queued(), false);
    queue.take_out("a");
    queue.apply(of("b").gone(), false);
    queue.apply(of("c").queued(), false);
    queue.all_came();
    queue.all_listed();
    assert_eq!((ids(&queue).as_str(), queue.len()), (">c", 1));
    queue.put_back("a");
    assert_eq!(ids(&queue), ">c a");
}

#[test]
fn another_order_keeps_the_cursor_on_its_action_and_its_line() {
    let mut queue = listed("abcdef");
    queue.resize(Some(Rect::new(0, 0, 40, 5)), false);
    for intent in [Intent::Top, Intent::Down, Intent::Down, Intent::Down] {
        queue.go(intent);
    }
    assert_eq!(ids(&queue), "b c >a");
    for order in [Order::Age, Order::Agent, Order::Risk, Order::Deadline, Order::Risk] {
        queue.set_order(order);
        assert_eq!(queue.cursor().unwrap().0, "a", "{order:?}");
        assert_eq!(ids(&queue).find('>'), Some(4), "{order:?}: {}", ids(&queue));
    }
}

#[test]
fn a_filter_that_leaves_the_cursor_out_puts_it_on_the_first_row_and_one_that_keeps_it_does_not() {
    let mut queue = listed("abcdef");
    queue.go(Intent::Bottom);
    filtered(&mut queue, "ops");
    assert_eq!(ids(&queue), "c a >e");
    filtered(&mut queue, "billing");
    assert_eq!(ids(&queue), ">d b");
    filtered(&mut queue, "nobody");
    assert_eq!((ids(&queue).as_str(), queue.kept(), queue.len(), queue.cursor()), ("", 0, 6, None));
    assert!(!queue.go(Intent::Down) && !queue.toggle_mark() && !queue.toggle_range());
    filtered(&mut queue, "");
    assert_eq!(ids(&queue), ">d b c a f e");
}

#[test]
fn under_a_filter_what_comes_shows_only_where_it_is_kept_and_what_goes_is_gone_under_it() {
    let mut queue = listed("ab");
    filtered(&mut queue, "ops");
    queue.touched();
    queue.apply(of("c").queued(), true);
    queue.apply(of("d").queued(), true);
    assert_eq!((ids(&queue).as_str(), queue.kept(), queue.len()), (">a", 2, 4), "c has come in above");
    queue.apply(of("b").gone(), true);
    queue.apply(of("c").gone(), true);
    assert_eq!((ids(&queue).as_str(), queue.kept(), queue.len()), (">a", 1, 2));
    queue.take_out("a");
    assert_eq!((ids(&queue).as_str(), queue.cursor()), ("", None));
    filtered(&mut queue, "");
    assert_eq!(ids(&queue), ">d");
    queue.put_back("a");
    assert_eq!(ids(&queue), ">d a");
}

#[test]
fn a_filter_that_looks_at_times_keeps_others_as_time_goes_by() {
    let mut queue = listed("abcdef");
    filtered(&mut queue, "age>6m");
    assert_eq!(ids(&queue), ">d c e");
    queue.clock("2026-11-23T12:10:30Z".parse().unwrap());
    queue.pass();
    assert_eq!(ids(&queue), ">d b c e");
    filtered(&mut queue, "expires>20m");
    queue.clock("2026-11-23T13:00:00Z".parse().unwrap());
    queue.pass();
    assert_eq!(ids(&queue), "b c a f e", "the cursor's row has gone by itself: it rests on nothing");
    assert_eq!(queue.cursor(), None);
}

#[test]
fn what_expires_goes_under_every_order_and_grouping() {
    for order in Order::ALL {
        for grouping in Grouping::ALL {
            let mut queue = listed("abcdef");
            queue.set_order(*order);
            queue.set_grouping(*grouping);
            let over = queue.expire("2026-11-23T13:30:00Z".parse().unwrap());
            let over: String = over.iter().map(|entry| entry.action.id.as_str()).collect();
            assert_eq!((over.len(), queue.len()), (3, 3), "{order:?} {grouping:?} {over}");
            queue.set_grouping(Grouping::None);
            queue.set_order(Order::Deadline);
            assert_eq!(ids(&queue).replace('>', ""), "a f e", "{order:?} {grouping:?}");
        }
    }
}

#[test]
fn groups_hold_what_belongs_together_in_the_order_of_the_list() {
    let mut queue = listed("abcdef");
    for (grouping, rows) in [
        (Grouping::Thread, "t1x3 d c a t2x2 b f t3x1 e"),
        (Grouping::Agent, "billingx2 d b opsx3 c a e deskx1 f"),
        (Grouping::Alike, "payx2 d b payx3 c a e payx1 f"),
        (Grouping::None, "d b c a f e"),
    ] {
        queue.set_grouping(grouping);
        assert_eq!(ids(&queue).replace('>', ""), rows, "{grouping:?}");
        assert_eq!(queue.cursor().unwrap().0, "a", "{grouping:?}");
    }
}

#[test]
fn a_group_goes_with_its_last_member_and_comes_with_its_first() {
    let mut queue = listed("abcde");
    queue.set_grouping(Grouping::Thread);
    queue.go(Intent::Bottom);
    assert_eq!(lines(&queue), "t1x3 d c a t2x1 b t3x1 >e");
    queue.apply(of("b").gone(), true);
    assert_eq!(lines(&queue), "t1x3 d c a t3x1 >e");
    queue.apply(of("f").queued(), true);
    assert_eq!(lines(&queue), "t1x3 d c a t2x1 f t3x1 >e");
    queue.go(Intent::Up);
    assert!(queue.toggle_group(), "{}", ids(&queue));
    assert_eq!(lines(&queue), "t1x3 d c a t2x1 f >t3x1");
    queue.take_out("e");
    assert_eq!((lines(&queue).as_str(), queue.group_cursor()), ("t1x3 d c a t2x1 f", None));
    queue.put_back("e");
    assert_eq!(lines(&queue), "t1x3 d c a t2x1 f t3x1", "closed, as it was left");
}

#[test]
fn under_a_closed_group_rows_come_and_go_without_moving_the_cursor() {
    let mut queue = listed("ace");
    queue.set_grouping(Grouping::Agent);
    queue.go(Intent::Top);
    assert!(queue.toggle_group());
    assert_eq!(ids(&queue), ">opsx3");
    queue.apply(of("b").queued(), true);
    queue.apply(of("c").gone(), true);
    assert_eq!(lines(&queue), "billingx1 b >opsx2");
    assert_eq!(queue.grouped(&GroupKey::Agent("ops".into())).len(), 2);
    filtered(&mut queue, "risk:high");
    assert_eq!(ids(&queue), ">opsx1");
    assert_eq!(queue.grouped(&GroupKey::Agent("ops".into()))[0].id, "e", "what shows under it, and no more");
}

#[test]
fn what_differs_between_alike_ones_is_told_by_name() {
    let mut queue = listed("ace");
    queue.set_grouping(Grouping::Alike);
    queue.resize(Some(Rect::new(0, 0, 40, 22)), false);
    let differing = |queue: &Queue| {
        queue
            .rows()
            .filter_map(|(row, _)| match row {
                Row::Group(group) => {
                    Some(group.differing().map(|name| name.visible().plain()).collect::<Vec<_>>().join(","))
                }
                Row::Action { .. } => None,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(differing(&queue), ["amount"]);
    filtered(&mut queue, "thread:t1");
    queue.resize(Some(Rect::new(0, 0, 40, 22)), false);
    assert_eq!(differing(&queue), [""], "a and c have the same payload");
}

#[test]
fn a_range_marks_what_the_cursor_goes_over_and_gives_it_back_on_the_way_back() {
    let mut queue = listed("abcdef");
    queue.go(Intent::Top);
    assert!(queue.toggle_mark());
    assert!(queue.toggle_range());
    for (intent, marked) in [
        (Intent::Down, "dbc"),
        (Intent::Bottom, "dbcafe"),
        (Intent::Up, "dbcaf"),
        (Intent::Top, "db"),
        (Intent::Down, "db"),
    ] {
        queue.go(intent);
        assert_eq!(marks(&queue), marked, "{intent:?}");
    }
    queue.go(Intent::Down);
    assert!(queue.unmark_all() && !queue.is_ranging());
    assert_eq!(marks(&queue), "d", "of an open range, only what it marked");
    assert!(queue.unmark_all() && !queue.unmark_all());
}

#[test]
fn a_range_gives_no_mark_back_to_what_has_gone() {
    let mut queue = listed("abcdef");
    queue.go(Intent::Bottom);
    queue.toggle_mark();
    queue.go(Intent::Top);
    queue.toggle_range();
    queue.take_out("e");
    queue.put_back("e");
    queue.unmark_all();
    assert_eq!((queue.marked(), marks(&queue).as_str()), (0, ""), "what comes back is not marked");
    queue.toggle_mark();
    queue.toggle_range();
    queue.apply(of("d").gone(), true);
    queue.unmark_all();
    assert_eq!(queue.marked(), 0);
}

#[test]
fn other_rows_end_a_range_and_keep_its_marks() {
    type Change = fn(&mut Queue);
    let changes: [Change; 4] = [
        |queue| queue.set_order(Order::Risk),
        |queue| queue.set_grouping(Grouping::Agent),
        |queue| filtered(queue, "!nothing"),
        |queue| assert!(!queue.reveal("e")),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut queue = listed("abcdef");
        queue.toggle_range();
        queue.go(Intent::Down);
        change(&mut queue);
        assert!(!queue.is_ranging(), "{number}");
        queue.go(Intent::Bottom);
        queue.go(Intent::Top);
        assert_eq!(marks(&queue).len(), 2, "{number}");
    }
}

#[test]
fn the_row_that_took_the_place_stays_a_step_away_whatever_comes_above() {
    let mut queue = listed("bcae");
    queue.go(Intent::Top);
    queue.go(Intent::Down);
    queue.apply(of("c").gone(), true);
    assert_eq!((ids(&queue).as_str(), queue.cursor()), ("b a e", None));
    queue.apply(of("d").queued(), true);
    queue.go(Intent::Down);
    assert_eq!(queue.cursor().unwrap().0, "a");
}

#[test]
fn a_row_is_gone_to_by_the_beginning_of_its_id_whatever_hides_it() {
    let mut queue = queue(&[("0197-aa", 10), ("0197-ab", 20), ("0198", 30)]);
    for (beginning, id) in
        [("0198", Ok("0198")), ("0197-a", Err(2)), ("0197-ab", Ok("0197-ab")), ("", Err(3)), ("98", Err(0))]
    {
        assert_eq!(queue.id_beginning(beginning), id.map(str::to_owned), "{beginning}");
    }
    queue.set_grouping(Grouping::Thread);
    queue.go(Intent::Top);
    queue.toggle_group();
    assert!(!queue.reveal("0198"), "nothing was filtered");
    assert_eq!(ids(&queue), "hx3 0197-aa 0197-ab >0198");
    filtered(&mut queue, "nothing");
    assert!(queue.reveal("0197-ab") && queue.filter().is_empty());
    assert_eq!(ids(&queue), "hx3 0197-aa >0197-ab 0198");
    queue.take_out("0198");
    assert_eq!(queue.id_beginning("0198"), Err(0), "a decision on it is on its way");
}

/// As many as there are numbers that may be in vain, and more.
const MANY: u32 = 4_200;

fn numbered(number: u32) -> Queued {
    let sealed = format!(
        r#"{{"v":1,"id":"n{number}","tenant_id":"t","thread_id":"h","idempotency_key":"k-{number}","agent":"g{}","action":"x",
        "payload":{{}},"created_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T15:{:02}:{:02}Z"}}"#,
        number % 3,
        59 - number / 60 % 60,
        59 - number % 60,
    );
    Queued::pending(Action::read(sealed).unwrap())
}

#[test]
fn numbers_that_are_given_out_anew_change_nothing_that_can_be_seen() {
    for grouping in [Grouping::None, Grouping::Agent] {
        let mut queue = tall();
        queue.set_flood_limit(usize::MAX);
        queue.many_come();
        for number in 0..MANY {
            queue.apply(numbered(number), false);
        }
        for id in ["a", "b", "c", "d"] {
            queue.apply(of(id).queued(), false);
        }
        queue.all_came();
        queue.all_listed();
        queue.set_grouping(grouping);
        for id in ["a", "c"] {
            assert!(queue.mark(id));
        }
        queue.reveal("c");
        queue.resize(Some(Rect::new(0, 0, 40, 22)), false);
        queue.take_out("b");
        let mut anew = 0;
        for number in 0..MANY {
            let numbers = queue.entries.numbers();
            let shown = (number > 4_000).then(|| ids(&queue));
            queue.apply(Queued { state: ActionState::Cancelled, ..numbered(number) }, true);
            if queue.entries.numbers() < numbers {
                anew += 1;
                // What went stands last of all.
                let kept = |rows: &str| rows.split(' ').take(6).map(str::to_owned).collect::<Vec<_>>();
                assert_eq!(kept(&ids(&queue)), kept(&shown.unwrap()), "{grouping:?}");
                assert_eq!((queue.cursor().unwrap().0.as_str(), marks(&queue).as_str()), ("c", "ca"));
            }
        }
        assert_eq!(anew, 1);
        assert!(queue.entries.numbers() < MANY as usize, "{}", queue.entries.numbers());
        queue.put_back("b");
        queue.set_grouping(Grouping::None);
        assert_eq!(ids(&queue), "d b >c a");
        assert_eq!(queue.known("a").unwrap().id, "a");
    }
}

#[test]
fn numbers_are_given_out_anew_in_the_midst_of_many_too() {
    let mut queue = tall();
    queue.set_flood_limit(usize::MAX);
    queue.many_come();
    for number in 0..MANY {
        queue.apply(numbered(number), false);
        queue.take_out(&format!("n{number}"));
    }
    queue.all_came();
    queue.many_come();
    queue.apply(of("a").queued(), false);
    // Decisions on them were on their way, so none of them is taken out of the list first.
    for number in 0..MANY {
        queue.apply(Queued { state: ActionState::Cancelled, ..numbered(number) }, false);
    }
    queue.apply(of("b").queued(), false);
    queue.all_came();
    queue.all_listed();
    assert!(queue.entries.numbers() < MANY as usize);
    assert_eq!(ids(&queue), ">b a");
}

#[test]
fn earlier_filters_come_back_in_the_field() {
    let mut queue = listed("abcdef");
    for text in ["ops", "risk:low"] {
        filtered(&mut queue, text);
    }
    queue.change_search(Search::begin);
    queue.change_search(|search| search.step(true));
    queue.change_search(|search| search.step(true));
    assert_eq!((queue.filter().text(), ids(&queue).replace('>', "").as_str()), ("ops", "c a e"));
    queue.change_search(|search| search.step(false));
    assert_eq!(queue.filter().text(), "risk:low");
}
