//! What holds of every theme, and the words of each mistake in a theme file.

use super::*;
use crate::document::Mistake;
use ratatui::style::Modifier;

const DEPTHS: [Depth; 3] = [Depth::Eight, Depth::Sixteen, Depth::True];

fn every() -> impl Iterator<Item = (Shipped, Depth, Theme)> {
    Shipped::ALL
        .into_iter()
        .flat_map(|which| DEPTHS.map(|depth| (which, depth, Theme::shipped(which, depth))))
}

#[test]
fn roles_stand_in_the_order_of_their_numbers() {
    for (number, role) in Role::ALL.into_iter().enumerate() {
        assert_eq!(role as usize, number);
        assert_eq!(Role::parse(role.name()), Some(role));
        assert_eq!(Theme::named().style(role).fg.and_then(Theme::role), Some(role));
    }
}

#[test]
fn every_shipped_theme_is_sound_and_names_every_role() {
    for which in Shipped::ALL {
        assert_eq!(Shipped::parse(which.name()), Some(which));
        file::shipped(which, Depth::Sixteen).unwrap();
        for role in Role::ALL {
            let line = format!("\n{} = ", role.name());
            assert!(which.text().contains(&line), "{}: {}", which.name(), role.name());
        }
    }
}

#[test]
fn the_words_of_an_agent_look_unlike_the_consoles_own_in_every_theme() {
    for (which, depth, theme) in every() {
        for foreign in Role::of(Voice::Foreign) {
            for own in Role::of(Voice::Own) {
                assert_ne!(theme.style(foreign), theme.style(own), "{which:?} {depth:?} {foreign:?} {own:?}");
            }
        }
    }
}

#[test]
fn what_weighs_more_looks_unlike_what_weighs_less() {
    for (which, depth, theme) in every() {
        for (one, other) in [
            (Role::Critical, Role::Medium),
            (Role::Critical, Role::Low),
            (Role::High, Role::Low),
            (Role::Bad, Role::Good),
            (Role::KeyName, Role::KeyHint),
            (Role::Match, Role::Foreign),
            (Role::BorderFocused, Role::Border),
        ] {
            assert_ne!(theme.style(one), theme.style(other), "{which:?} {depth:?} {one:?} {other:?}");
        }
    }
}

#[test]
fn shipped_themes_keep_to_the_terminals_own_colours_and_fill_nothing() {
    for (which, depth, theme) in every() {
        for role in Role::ALL {
            let Style { fg, bg, .. } = theme.style(role);
            assert_eq!(bg, None, "{which:?} {role:?}");
            assert!(!matches!(fg, Some(Color::Rgb(..) | Color::Indexed(_))), "{which:?} {role:?}");
            let bright = theme.words(role).contains("bright-");
            assert!(depth != Depth::Eight || !bright, "{which:?} {role:?}");
        }
    }
}

#[test]
fn without_colour_there_is_none_and_nothing_that_such_terminals_lack() {
    let allowed = Modifier::BOLD | Modifier::REVERSED | Modifier::UNDERLINED;
    for role in Role::ALL {
        let style = Theme::new(false, false).style(role);
        assert_eq!((style.fg, style.bg), (None, None));
        assert!(allowed.contains(style.add_modifier), "{role:?}");
    }
}

#[test]
fn for_the_colour_blind_nothing_is_red_or_green() {
    for role in Role::ALL {
        let words = Theme::shipped(Shipped::ColourBlind, Depth::Sixteen).words(role);
        assert!(
            !["red", "green", "cyan", "magenta"].iter().any(|word| words.contains(word)),
            "{role:?}: {words}"
        );
    }
}

#[test]
fn the_file_that_is_the_documentation_is_the_dark_theme() {
    let read = Read::of("theme.toml", Shipped::Dark.text(), Depth::Sixteen).unwrap();
    assert_eq!(read.theme, Theme::shipped(Shipped::Dark, Depth::Sixteen));
    assert_eq!(read.instead, [""; 0]);
}

#[test]
fn terminals_tell_how_many_colours_they_have() {
    for (term, colorterm, depth) in [
        ("xterm-256color", "", Depth::Sixteen),
        ("xterm-256color", "truecolor", Depth::True),
        ("xterm", "24bit", Depth::True),
        ("xterm", "yes", Depth::Sixteen),
        ("xterm", "", Depth::Eight),
        ("xterm-color", "", Depth::Eight),
        ("xterm-8color", "", Depth::Eight),
        ("xterm-16color", "", Depth::Sixteen),
        ("linux", "", Depth::Eight),
        ("linux-16color", "", Depth::Sixteen),
        ("screen", "", Depth::Eight),
        ("screen.xterm-256color", "", Depth::Sixteen),
        ("tmux-256color", "", Depth::Sixteen),
        ("xterm-kitty", "", Depth::Sixteen),
        ("xterm-ghostty", "", Depth::Sixteen),
        ("alacritty", "", Depth::Sixteen),
        ("foot-8color", "", Depth::Eight),
        ("xterm-direct", "", Depth::Sixteen),
        ("xterm-mono", "", Depth::None),
        ("linux-m", "", Depth::None),
        ("vt100", "", Depth::None),
        ("dumb", "", Depth::None),
        ("", "", Depth::None),
    ] {
        assert_eq!(Depth::of(term, colorterm), depth, "{term} {colorterm}");
    }
}

#[test]
fn colours_that_a_terminal_lacks_become_the_nearest_that_it_has() {
    let drawn = |text: &str, depth| {
        let text = format!("low = \"{text}\"");
        let read = Read::of("t", &text, depth).unwrap();
        (read.theme.words(Role::Low), read.instead.join("; "))
    };
    for (text, depth, words, instead) in [
        ("#1e90ff", Depth::True, "#1e90ff", ""),
        ("#1e90ff", Depth::Sixteen, "bright-blue", "low: #1e90ff is drawn as bright-blue"),
        ("#fefefe", Depth::Eight, "white", "low: #fefefe is drawn as white"),
        (
            "bold #c00000 on #111111",
            Depth::Sixteen,
            "bold red on black",
            "low: #c00000 is drawn as red, #111111 is drawn as black",
        ),
        ("bright-red", Depth::Eight, "bold red", "low: bright-red is drawn as red"),
        ("bright-black", Depth::Eight, "dim", "low: bright-black is drawn as black"),
        ("bright-red", Depth::Sixteen, "bright-red", ""),
        ("default", Depth::Eight, "default", ""),
        (
            "#ff0000 on #fe0000",
            Depth::Sixteen,
            "bright-red",
            "low: #ff0000 is drawn as bright-red, #fe0000 is drawn as bright-red",
        ),
    ] {
        assert_eq!(drawn(text, depth), (words.to_owned(), instead.to_owned()), "{text} {depth:?}");
    }
}

#[test]
fn a_theme_that_needs_more_colours_than_there_are_gives_way_to_its_base() {
    let text = "base = \"light\"\nforeign = \"#0000ee\"\nlow = \"#0000e8\"";
    assert_eq!(Read::of("t", text, Depth::True).unwrap().instead, [""; 0]);
    let read = Read::of("t", text, Depth::Sixteen).unwrap();
    assert_eq!(read.theme, Theme::shipped(Shipped::Light, Depth::Sixteen));
    assert!(read.instead.last().unwrap().starts_with("foreign would look like low"));
}

#[test]
fn each_mistake_is_named_with_what_was_meant() {
    for (text, said) in [
        ("text = \"blod\"", "1:9: \"blod\" is no colour and no style: did you mean \"bold\"?"),
        ("text = \"bold rde\"", "1:14: \"rde\" is no colour and no style: did you mean \"red\"?"),
        ("low = \"#12345\"", "1:8: \"#12345\" is no colour: it is # and six digits, like #1e90ff"),
        (
            "low = \"red green\"",
            "1:12: there is one colour already; one for the background goes behind \"on\"",
        ),
        ("low = \"red on\"", "1:8: a colour is missing behind \"on\""),
        ("low = \"red on red\"", "1:8: nobody can read a colour on itself"),
        ("low = \"\"", "1:8: a style is at least one word: \"default\" for the terminal's own"),
        ("low = 3", "1:7: low must be a style like \"bold red\", not the number 3"),
        ("lwo = \"red\"", "1:1: lwo is nothing that has a style: did you mean low?"),
        (
            "base = \"drak\"",
            "1:8: base must be one of dark, light, high-contrast, colour-blind, none, not \"drak\": did you mean \"dark\"?",
        ),
        (
            "foreign = \"default\"",
            "1:11: foreign and text are both \"default\": an agent's words must not look like the console's own",
        ),
        (
            "notice = \"bold cyan\"",
            "1:10: foreign-name and notice are both \"bold cyan\": an agent's words must not look like the console's own",
        ),
        ("low = \"red\"\nlow = \"blue\"", "2:1: duplicate key"),
    ] {
        let error = Read::of("theme.toml", text, Depth::Sixteen).unwrap_err();
        let first = error.to_string().lines().next().unwrap().to_owned();
        assert_eq!(first, format!("theme.toml:{said}"), "{text}");
        assert!(error.iter().all(|mistake| Mistake::position(mistake).is_some()));
    }
}
