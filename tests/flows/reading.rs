//! A console that only looks.

use crate::script::{SMALL, Script, WIDE, command, refund, settings, trade};
use aegis_console::console::app::model::Exit;
use aegis_console::console::app::{Effect, Settings};
use aegis_console::console::keymap::Intent;
use aegis_console::feed::FeedEvent;
use insta::assert_snapshot;

fn reader(size: (u16, u16)) -> Script {
    let settings = Settings { read_only: true, decisions_go_out: false, ..settings() };
    let mut script = Script::with(settings, size);
    script.feed(FeedEvent::entries(vec![refund(), trade(), command()]));
    script
}

#[test]
fn no_key_decides_and_the_screen_says_so() {
    for (name, size) in [("120x40", WIDE), ("40x12", SMALL)] {
        let script = reader(size);
        assert_snapshot!(format!("read_only_{name}"), script.screen());
    }
    let mut script = reader(WIDE);
    for keys in ["a", "r", "p", "u", "* a", "* r", "tab tab t", "x", "tab enter a", "r"] {
        script.keys(keys);
        assert!(script.text().contains("read-only: nothing is decided"), "{keys}: {}", script.text());
        assert!(script.model.bar.is_none(), "{keys}");
    }
    for intent in Intent::ALL {
        script.keys(":").typed(intent.name()).keys("enter esc");
        script.model.exit = None;
    }
    let asks = |effect: &&Effect| {
        !matches!(
            effect,
            Effect::Announce(_) | Effect::FlushInput | Effect::Repaint | Effect::Suspend | Effect::Link(_)
        )
    };
    assert_eq!(script.effects.iter().filter(asks).count(), 0, "{:?}", script.effects);
    script.keys("q");
    assert_eq!(script.model.exit, Some(Exit::Quit));
}
