//! The file with every default, the order of the layers, and the words of each mistake.

use super::settings::SETTINGS;
use super::*;
use crate::document::{Mistake, Mistakes};
use std::time::Duration;

fn read(text: &str) -> Result<Effective, Mistakes> {
    Effective::resolve(Some(("config.toml", text)), |_| None, &[])
}

#[test]
fn the_file_with_every_default_reads_as_the_defaults_and_names_every_setting() {
    let effective = read(DEFAULTS).unwrap();
    assert_eq!(effective.config, Config::default());
    for setting in SETTINGS {
        assert!(matches!(effective.origin(setting.name), Origin::File(_)), "{} is missing", setting.name);
    }
}

#[test]
fn what_is_shown_reads_back() {
    let text = "grace = 0.5\nnotify_on = [\"high-risk\"]\n[review]\nserver = \"https://g.example\"\n[filters]\na-b = 'say \"no\"'";
    let effective = read(text).unwrap();
    let mut tables = String::new();
    for (name, toml, _) in effective.shown() {
        tables.push_str(&format!("{name} = {toml}\n"));
    }
    assert_eq!(read(&tables).unwrap().config, effective.config, "{tables}");
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let file = Some(("config.toml", "grace = 1\nflood = 2\norder = \"risk\"\n"));
    let variable = |name: &str| match name {
        "AEGIS_CONSOLE_GRACE" => Some("2.5".into()),
        "AEGIS_CONSOLE_FLOOD" => Some("9".into()),
        "AEGIS_CONSOLE_MOUSE" => Some(String::new()),
        "AEGIS_CONSOLE_NOTIFY_ON" => Some("conflict, high-risk".into()),
        _ => None,
    };
    let effective = Effective::resolve(file, variable, &[("grace", "0".into())]).unwrap();
    let Config { grace, flood, order, mouse, notify_on, .. } = effective.config.clone();
    assert_eq!((grace, flood.get(), order, mouse), (Duration::ZERO, 9, Order::Risk, false));
    assert_eq!(notify_on, [Occasion::Conflict, Occasion::HighRisk]);
    assert_eq!(effective.origin("grace"), &Origin::Flag("--grace".into()));
    assert_eq!(effective.origin("flood"), &Origin::Environment("AEGIS_CONSOLE_FLOOD".into()));
    assert_eq!(effective.origin("order"), &Origin::File(3));
    assert_eq!(effective.origin("mouse"), &Origin::Default);
}

#[test]
fn each_mistake_is_named_with_what_was_meant() {
    let cases = [
        ("them = \"dark\"", "1:1: them is no setting: did you mean theme?"),
        (
            "a = 1\n",
            "1:1: a is no setting; there are theme, color, ascii, plain, keymap, grace, flood, read_only, order, group, split, highlight, mouse, title, notify, notify_on, clipboard, filters",
        ),
        ("ascii = \"yes\"", "1:9: ascii must be true or false, not \"yes\""),
        (
            "order = \"dedline\"",
            "1:9: order must be \"deadline\", \"risk\", \"age\" or \"agent\", not \"dedline\"; did you mean \"deadline\"?",
        ),
        ("grace = \"3s\"", "1:9: grace must be a number of seconds from 0 to 600, not \"3s\""),
        ("grace = 601", "1:9: grace must be a number of seconds from 0 to 600, not the number 601"),
        ("grace = nan", "1:9: grace must be a number of seconds from 0 to 600, not the number nan"),
        ("flood = 0", "1:9: flood must be a whole number from 1, not the number 0"),
        ("split = 90", "1:9: split must be a whole number from 20 to 80, not the number 90"),
        (
            "theme = 3",
            "1:9: theme must be \"auto\", \"dark\", \"light\", \"high-contrast\", \"colour-blind\" or \"none\", or a theme file (with a dot or a slash in its name), not the number 3",
        ),
        (
            "theme = \"drak\"",
            "1:9: theme must be \"auto\", \"dark\", \"light\", \"high-contrast\", \"colour-blind\" or \"none\", or a theme file (with a dot or a slash in its name), not \"drak\"; did you mean \"dark\"?",
        ),
        ("keymap = [1]", "1:10: keymap must be the name of a file, not a list"),
        (
            "notify_on = \"bell\"",
            "1:13: notify_on must be a list of \"conflict\", \"refusal\", \"expiry\" or \"high-risk\", not \"bell\"",
        ),
        (
            "notify_on = [\"expiry\", \"high\"]",
            "1:24: notify_on must be a list of \"conflict\", \"refusal\", \"expiry\" or \"high-risk\", not \"high\"; did you mean \"high-risk\"?",
        ),
        ("[reviews]\nserver = \"x\"", "1:2: [reviews] is no table of this file: did you mean \"review\"?"),
        ("review = 3", "1:1: review is a table: [review]"),
        ("server = \"https://x\"", "1:1: server stands in [review]"),
        ("[review]\ngrace = 3", "2:1: grace stands at the top, before the first table"),
        ("[review]\nserve = \"\"", "2:1: serve is no setting of [review]: did you mean server?"),
        (
            "[review]\nserver = \"https://dana:hunter2@gate.example\"",
            "2:10: review.server must be a URL like https://gate.example, without a user name or password",
        ),
        (
            "[review]\ntoken = \"hunter2\"",
            "2:1: token is no setting: a secret does not belong in this file; token_file in [review] names the file that holds it",
        ),
        ("filters = 3", "1:11: filters must be a table of names and filters, not the number 3"),
        (
            "[filters]\nprod = 3",
            "2:8: filters.prod must be a filter like \"risk:high agent:billing\", not the number 3",
        ),
        ("[filters]\n\"a b\" = \"x\"", "2:1: the name of a filter is letters, digits, - and _"),
        ("grace = 1\ngrace = 2", "2:1: duplicate key"),
        ("order = risk", "1:9: string values must be quoted, expected literal string"),
    ];
    for (text, said) in cases {
        let error = read(text).unwrap_err().to_string();
        let first = error.lines().next().unwrap();
        assert_eq!(first, format!("config.toml:{said}"), "{text}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn several_mistakes_are_told_together_in_the_order_of_their_lines() {
    let error = read("mouse = 1\ngrase = 3\n[review]\nservr = \"\"\n").unwrap_err();
    assert_eq!(error.iter().filter_map(Mistake::position).collect::<Vec<_>>(), [(1, 9), (2, 1), (4, 1)]);
    assert_eq!(
        error.to_string().lines().take(3).collect::<Vec<_>>(),
        [
            "config.toml:1:9: mouse must be true or false, not the number 1",
            "  1 | mouse = 1",
            "    |         ^"
        ]
    );
}

#[test]
fn flags_and_variables_are_named_where_they_are_wrong() {
    let wrong = |variable: &str, flags: &[(&'static str, String)]| {
        let variable = variable.to_owned();
        let lookup = |name: &str| (name == "AEGIS_CONSOLE_ORDER").then(|| variable.clone());
        Effective::resolve(None, lookup, flags).unwrap_err().to_string()
    };
    assert_eq!(
        wrong("newest", &[("grace", "soon".into())]),
        "AEGIS_CONSOLE_ORDER: must be \"deadline\", \"risk\", \"age\" or \"agent\", not \"newest\"\n\
         --grace: must be a number of seconds from 0 to 600, not \"soon\""
    );
}
