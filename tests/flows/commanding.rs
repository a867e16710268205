//! The command line: everything by name, and nothing decided by it.

use crate::script::{SHORT, SMALL, Script, WIDE, command, plain, refund, settings, trade};
use aegis_console::console::app::model::Exit;
use aegis_console::console::app::{Message, Pane, Settings};
use aegis_console::domain::{Risk, Verdict};
use aegis_console::feed::FeedEvent;
use insta::assert_snapshot;
use std::time::Duration;

#[test]
fn the_line_at_three_sizes() {
    for (name, size) in [("120x40", WIDE), ("72x12", SHORT), ("40x12", SMALL)] {
        let mut script = Script::with_queue(size);
        script.keys(":");
        assert_snapshot!(format!("command_{name}"), script.screen());
        script.typed("ma").keys("tab tab");
        assert_snapshot!(format!("command_chosen_{name}"), script.screen());
    }
}

#[test]
fn a_command_opens_the_bar_and_never_decides() {
    let mut script = Script::with_queue(WIDE);
    script.keys("j : r e j e c t").typed(" too much").keys("enter");
    let bar = script.model.bar.clone().unwrap();
    assert_eq!((bar.verdict, bar.reason()), (Verdict::Reject, Some("too much".into())));
    assert_eq!(bar.actions()[0].id, trade().action.id);
    assert_eq!(script.orders(), 0);
    script.hasty("enter");
    assert_eq!(script.orders(), 0, "the bar has only just opened");
    script.keys("enter");
    assert_eq!(script.order().reason.as_deref(), Some("too much"));
}

#[test]
fn what_approving_asks_is_asked_of_a_command_too() {
    let mut script = Script::with_queue(WIDE);
    script.keys("j j : a p p r o v e enter");
    assert!(script.model.bar.is_some(), "three lines of payload have all been on the screen");
    script.keys("esc k :").typed("approve").keys("enter");
    let letters = script.model.bar.as_ref().is_some_and(|bar| bar.letters.is_some());
    assert!(letters, "{}", script.text());
}

#[test]
fn a_paste_runs_nothing_and_neither_does_a_machine_that_types_slowly() {
    let mut script = Script::with_queue(WIDE);
    script.tell(Message::Pasted(":reject\n".into()));
    assert!(!script.model.command.is_open() && script.model.bar.is_none());
    script.keys(":").tell(Message::Pasted("reject\n".into()));
    assert!(script.text().contains("\n:reject"), "{}", script.text());
    assert!(script.model.bar.is_none(), "a line feed that was pasted is no Enter");
    script.keys("esc");
    // A paste that comes so slowly that each letter could have been typed, its Enter as fast as the rest.
    script.hasty(": r e j e c t enter");
    assert!(script.model.bar.is_none());
    assert!(script.text().contains("ignored: the screen had just changed"), "{}", script.text());
    script.keys("enter");
    assert!(script.model.bar.is_some(), "the line is still there for somebody who has read it");
}

#[test]
fn what_harms_nothing_runs_as_fast_as_hands_are() {
    let mut script = Script::with_queue(WIDE);
    script.hasty(": d o w n enter");
    assert_eq!(script.model.queue.cursor().unwrap().0, trade().action.id);
    script.hasty(": q enter");
    assert_eq!(script.model.exit, Some(Exit::Quit));
}

#[test]
fn what_is_unknown_is_told_with_the_nearest_name_and_comes_back_with_up() {
    let mut script = Script::with_queue(SMALL);
    script.keys(":").typed("aprove").keys("enter");
    assert!(script.text().contains("there is no command \"aprove\": approve?"), "{}", script.text());
    script.keys(": up");
    assert!(script.text().contains("\n:aprove"), "{}", script.text());
    script.keys("backspace esc :").typed("acknowledge").keys("enter");
    assert!(script.text().contains("acknowledge works in the outcomes"), "{}", script.text());
}

#[test]
fn the_line_is_left_by_esc_and_where_there_is_none_by_backspace() {
    for leave in ["esc", "backspace"] {
        let mut script = Script::with_queue(SMALL);
        script.keys(": x backspace").keys(leave);
        assert!(!script.model.command.is_open(), "{leave}");
        assert_eq!(script.model.focus, Pane::List);
    }
}

#[test]
fn a_bar_has_to_be_left_before_a_command() {
    let mut script = Script::new(WIDE);
    script.feed(FeedEvent::entries([plain(9, Risk::Low).queued()])).keys("a :");
    assert!(!script.model.command.is_open());
    assert!(script.text().contains("leave the bar first"), "{}", script.text());
}

#[test]
fn what_the_list_of_commands_covers_has_not_been_read() {
    let mut script = Script::new(WIDE);
    let lines: Vec<_> = (0..60).map(|line| format!("\"m{line}\":{line}")).collect();
    let mut sample = plain(9, Risk::Medium);
    let payload = format!("{{{}}}", lines.join(","));
    sample.payload = &payload;
    script.feed(FeedEvent::entries([sample.queued()]));
    let unseen = script.model.detail.unseen();
    script.keys("tab :").typed("bottom").keys("enter");
    script.keys("g");
    assert!(script.model.detail.unseen() > 0 && script.model.detail.unseen() < unseen);
    let seen_before = script.model.detail.unseen();
    script.keys(":");
    script.wait(Duration::from_secs(5));
    assert_eq!(script.model.detail.unseen(), seen_before);
}

#[test]
fn an_id_and_a_filter_are_gone_to_by_name() {
    let filters = [("sent".to_owned(), "202".to_owned())].into();
    let mut script = Script::with(Settings { filters, ..settings() }, WIDE);
    script.feed(FeedEvent::entries(vec![refund(), trade(), command()]));
    script.keys(":").typed("goto nowhere").keys("enter");
    assert!(script.text().contains("no action waits with the id \"nowhere\""), "{}", script.text());
    script.keys(":").tell(Message::Pasted(format!("goto {}\n", trade().action.id))).keys("enter");
    assert_eq!(script.model.queue.cursor().unwrap().0, trade().action.id);
    script.keys("tab tab :").typed("filter @s").keys("tab");
    assert!(script.text().contains(":filter @sent"), "{}", script.text());
    script.keys("enter");
    assert_eq!(script.model.search().map(|search| search.text().to_owned()).as_deref(), Some("202"));
    script.keys(":").typed("filter @none").keys("enter");
    assert!(script.text().contains("the config has no filter \"none\""), "{}", script.text());
}

#[test]
fn order_and_grouping_are_set_by_name_from_everywhere() {
    let mut script = Script::with_queue(WIDE);
    script.keys(":").typed("sort r").keys("tab");
    assert!(script.text().contains("\n:sort risk"), "{}", script.text());
    script.keys("enter");
    assert!(script.text().contains("┌ Pending 3 ─ by risk ─"), "{}", script.text());
    script.keys("enter :").typed("group agent").keys("enter");
    assert_eq!(script.model.focus, Pane::Detail);
    assert!(script.text().contains("by risk, grouped by agent"), "{}", script.text());
    script.keys(":").typed("group none").keys("enter :").typed("sort dedline").keys("enter");
    let words = "there is no command \"sort dedline\": sort deadline?";
    assert!(script.text().contains(words), "{}", script.text());
    assert!(script.text().contains("┌ Pending 3 ─ by risk ─"), "{}", script.text());
}

#[test]
fn the_list_is_filtered_by_name_too() {
    let filters = [("mine".to_owned(), "agent:trader".to_owned())].into();
    let mut script = Script::with(Settings { filters, ..settings() }, WIDE);
    script.feed(FeedEvent::entries(vec![refund(), trade(), command()]));
    script.keys(":").typed("filter agent:ci").keys("enter");
    assert_eq!(script.model.queue.cursor().unwrap().0, command().action.id);
    script.keys(":").typed("filter @mine").keys("enter");
    assert!(script.text().contains("┌ Pending 1 of 3 ─ by deadline ─ /@mine ─"), "{}", script.text());
    script.keys(":").typed("filter @none").keys("enter");
    assert!(script.text().contains("@none: no filter has this name"), "{}", script.text());
    script.keys(":").typed("clear-filter").keys("enter");
    assert!(script.text().contains("┌ Pending 3 ─ by deadline ─"), "{}", script.text());
    // From an action that is read, the list beside it is meant.
    script.keys("enter :").typed("filter").keys("enter").typed("sell");
    assert!(script.text().contains("┌ Pending 1 of 3 ─ by deadline ─ /sell ─"), "{}", script.text());
}

#[test]
fn an_id_is_gone_to_by_its_beginning_and_whatever_hides_it_gives_way() {
    let mut script = Script::with_queue(WIDE);
    let id = trade().action.id.clone();
    script.keys(":").typed("goto 0197a1b2").keys("enter");
    assert!(script.text().contains("the ids of 3 begin with \"0197a1b2\""), "{}", script.text());
    script.keys("/").typed("agent:ci").keys("enter :").typed(&format!("goto {id}")).keys("enter");
    assert!(script.text().contains("the filter hid it: everything shows again"), "{}", script.text());
    assert_eq!(script.model.queue.cursor().unwrap().0, id);
    assert!(script.text().contains("▌ CRIT execute_trade"), "{}", script.text());
    // The row has only just appeared: a key that was meant for the one before is dropped.
    script.hasty("r");
    assert!(script.model.bar.is_none());
}
