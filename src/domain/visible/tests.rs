//! What is drawn, against attacks by name, against properties, and against the Unicode tables code point by code point.

use super::property::{is_blank, is_digit, is_hidden, is_left_to_right, is_mark, is_right_to_left};
use super::*;
use icu_properties::props::{BidiClass, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use proptest::prelude::*;
use unicode_width::UnicodeWidthChar;

fn plain(text: &str) -> String {
    Visible::of(text).plain()
}

fn block(text: &str) -> String {
    runs_of_block(text).map(|run| run.drawn().to_owned()).collect()
}

/// What is drawn with every fold open.
fn open(runs: Runs<'_>) -> String {
    let drawn = |run: Run<'_>| match run {
        Run::Fold { source, .. } => opened(source).map(|run| run.drawn().to_owned()).collect(),
        run => run.drawn().to_owned(),
    };
    runs.map(drawn).collect()
}

/// Undoes [`open`].
fn source(shown: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '⇥' => out.push('\t'),
            '␡' => out.push('\u{7f}'),
            '␣' => out.push(' '),
            '\u{2400}'..='\u{241f}' => out.push(char::from_u32(u32::from(c) - 0x2400)?),
            '‹' => {
                let (sign, after) = rest.split_once('›')?;
                rest = after;
                if let Some(tags) = sign.strip_prefix("tags: ") {
                    let tag = |c| char::from_u32(0xe0000 + u32::from(if c == '␣' { ' ' } else { c }));
                    out.extend(tags.chars().filter_map(tag));
                } else {
                    out.push(char::from_u32(u32::from_str_radix(sign.strip_prefix("U+")?, 16).ok()?)?);
                }
            }
            c => out.push(c),
        }
    }
    Some(out)
}

#[test]
fn what_can_act_or_hide_is_shown() {
    assert_eq!(plain("a\u{1b}[31mb\tc\nd\0\u{7f}"), "a␛[31mb⇥c␊d␀␡");
    assert_eq!(
        plain("x\u{202e}y\u{200b}z\u{85}\u{a0}\u{e0001}\u{e000}\u{2028}"),
        "x‹U+202E›y‹U+200B›z‹U+0085›‹U+00A0›‹U+E0001›‹U+E000›‹U+2028›"
    );
    assert_eq!(plain("naïve 漢字 Ω"), "naïve 漢字 Ω");
    assert_eq!(Visible::of("a\u{1b}\u{202e}b").hidden(), 2);
}

#[test]
fn a_source_cannot_fake_a_sign() {
    for (acts, fakes) in [("\u{1b}", "␛"), ("\u{202e}", "‹U+202E›"), ("\t", "⇥"), ("\u{e0041}", "‹tags: A›")]
    {
        assert_ne!(plain(acts), plain(fakes));
        assert_eq!(Visible::of(fakes).hidden(), 0, "{fakes} is ordinary text");
    }
    assert_ne!(plain(&" ".repeat(40)), plain("‹40 blanks›"));
    assert!(!plain("cut…").ends_with('…'), "a cut cannot be faked");
}

#[test]
fn tag_characters_are_decoded() {
    let tags = |text: &str| -> String {
        text.chars().map(|c| char::from_u32(0xe0000 + u32::from(c)).unwrap()).collect()
    };
    assert_eq!(plain(&format!("a{}b", tags("send it"))), "a‹tags: send it›b");
    assert_eq!(plain(&tags(" two  blanks ")), "‹tags: ␣two␣␣blanks␣›");
    assert_eq!(Visible::of(&tags("hello")).hidden(), 5);
    let long = tags(&" ".repeat(100));
    assert_eq!(source(&plain(&long)), Some(long));
}

#[test]
fn blanks_of_any_kind_are_folded_from_the_33rd_on() {
    for blank in [" ", "\t", "\u{a0}", "\u{3000}", "\u{2800}", "\u{3164}", "\u{1680}", "\u{ffa0}"] {
        assert_eq!(plain(&format!("a{}b", blank.repeat(33))), "a‹33 blanks›b", "{blank:?}");
        assert!(!plain(&format!("a{}b", blank.repeat(32))).contains("blanks"), "{blank:?}");
    }
    assert_eq!(plain(&format!("rm{} -rf", " \u{a0}\t".repeat(20))), "rm‹61 blanks›-rf");
    assert_eq!(plain("a\n\n\n\nb"), "a␊␊␊␊b");
    assert_eq!(plain("a\n\n\n\n\nb"), "a‹5 blanks›b");
    assert_eq!(plain("a\r\n\r\n\r\n\r\nb"), "a␍␊␍␊␍␊␍␊b", "CR LF is one line end");
    assert_eq!(plain("a\n \n \u{2028} \u{85} \rb"), "a‹9 blanks›b");
    let fold = runs(&" ".repeat(400)).next().map(|run| (run.hidden(), run.drawn().to_owned()));
    assert_eq!(fold, Some((400, "‹400 blanks›".into())));
}

#[test]
fn what_is_hidden_among_blanks_is_counted_and_tags_are_not_folded() {
    let text = format!("a{}\u{200b}{}b", " ".repeat(20), " ".repeat(20));
    assert_eq!(plain(&text), "a‹40 blanks, 1 hidden›b");
    let kind = runs(&text).find_map(|run| match run {
        Run::Fold { kind, .. } => Some(kind),
        _ => None,
    });
    assert_eq!(kind, Some(FoldKind::BlanksAndHidden));
    let text = format!("{}\u{e0041}{}", " ".repeat(20), " ".repeat(20));
    assert_eq!(plain(&text), format!("{0}‹tags: A›{0}", " ".repeat(20)));
    assert_eq!(plain(&"\u{200b}".repeat(40)), "‹U+200B›".repeat(40), "nothing is folded without blanks");
}

#[test]
fn more_than_four_marks_are_counted() {
    assert_eq!(plain("e\u{301}\u{302}\u{303}\u{304}x"), "e\u{301}\u{302}\u{303}\u{304}x");
    let zalgo = format!("e{}x", "\u{301}".repeat(50));
    assert_eq!(plain(&zalgo), format!("e{}‹+46 marks›x", "\u{301}".repeat(4)));
    assert_eq!(Visible::of(&zalgo).hidden(), 46);
}

#[test]
fn a_mark_without_a_base_of_its_own_is_a_sign() {
    for before in ["", " ", "\n", "\u{200b}", "‹"] {
        let shown = plain(&format!("{before}\u{338}x"));
        assert!(shown.ends_with("‹U+0338›x"), "{shown}");
    }
}

#[test]
fn letters_of_another_script_inside_a_word_are_marked() {
    assert_eq!(plain("p\u{430}ypal"), "p‹U+0430›ypal");
    assert_eq!(plain("\u{440}\u{430}ypal and пиво"), "‹U+0440›‹U+0430›ypal and пиво");
    assert_eq!(plain("p\u{200b}\u{430}y"), "p‹U+200B›‹U+0430›y", "an invisible letter ends no word");
    assert_eq!(plain("αб"), "α‹U+0431›");
    assert_eq!(plain("été 東京Tシャツ한국 Привет42 ภาษา 5µm"), "été 東京Tシャツ한국 Привет42 ภาษา 5µm");
    assert_eq!(Visible::of("p\u{430}ypal").hidden(), 1);
}

#[test]
fn right_to_left_is_drawn_only_among_itself_on_a_line_of_its_own() {
    assert_eq!(plain("a שב"), "a ‹U+05E9›‹U+05D1›");
    assert_eq!(plain("שב"), "‹U+05E9›‹U+05D1›", "a field shares its line");
    assert_eq!(block("שלום, עולם!"), "שלום, עולם!");
    assert_eq!(block("pay שב"), "pay ‹U+05E9›‹U+05D1›");
    assert_eq!(block("שב (100)"), "‹U+05E9›‹U+05D1› (100)");
    assert_eq!(block("ש \u{661}"), "‹U+05E9› ‹U+0661›");
    assert_eq!(block("pay\nשב\n100"), "pay␊שב␊100");
    assert_eq!(block("ש\u{200f}"), "‹U+05E9›‹U+200F›", "a sign is ASCII too");
    assert_eq!(block("ש ö ב a"), "ש ö ‹U+05D1› a");
    assert_eq!(block("ש - ב - a"), "‹U+05E9› - ‹U+05D1› - a", "what is neutral is no wall");
    assert_eq!(block("שָׁ a"), "‹U+05E9›‹U+05B8›‹U+05C1› a", "its marks go with it");
}

#[test]
fn names_and_quotes_cannot_end_early() {
    assert_eq!(Visible::name("send_email").plain(), "send_email");
    assert_eq!(Visible::name("https://a.example/x@y:1-2").plain(), "https://a.example/x@y:1-2");
    assert_eq!(Visible::name("").plain(), "\"\"");
    assert_eq!(Visible::name("x approved").plain(), "\"x approved\"");
    assert_eq!(Visible::name("x\" approved \\").plain(), "\"x\\\" approved \\\\\"");
    assert_eq!(Visible::quoted("\u{1b}").plain(), "\"␛\"");
    assert!(Visible::quoted("a\"b").pieces().iter().any(|piece| piece.marked && piece.text == "\\\""));
    let long = Visible::quoted(&"x".repeat(50)).cut(10);
    assert_eq!((long.plain().as_str(), long.width()), ("\"xxxxxxx…\"", 10), "a cut closes the quotes");
    assert_eq!(Visible::quoted("xyz").cut(1).plain(), "…");
}

#[test]
fn a_cut_is_announced_and_never_too_wide() {
    let visible = Visible::of("漢字漢字\u{1b}");
    assert_eq!(visible.width(), 9);
    assert_eq!(visible.cut(9).plain(), "漢字漢字␛");
    assert_eq!(visible.cut(4).plain(), "漢…");
    assert_eq!(visible.cut(1).plain(), "…");
    assert_eq!(visible.cut(0).plain(), "");
}

#[test]
fn a_head_is_the_cut_of_the_whole_and_never_silent() {
    let blanks = format!("rm{} -rf /", " ".repeat(400));
    for text in ["", "abc", "漢字漢字\u{1b}", &"x\u{202e}".repeat(500), &blanks] {
        for columns in [0, 1, 4, 9, 30, 80] {
            let whole = Visible::of(text).cut(columns).plain();
            assert_eq!(Visible::head(text, columns).plain(), whole, "{text}");
        }
    }
    let marks = format!("a{}b", "\u{301}".repeat(10_000));
    assert!(Visible::head(&marks, 20).plain().ends_with('…'));
    let blanks = format!("a{}b", " ".repeat(100_000));
    assert_eq!(Visible::head(&blanks, 20).plain(), "a…", "a count that is not known is not told");
}

/// Every code point by itself, in a field and in a block: escaped if, and only if, it must be.
#[test]
fn every_code_point_is_escaped_if_and_only_if_it_must_be() {
    use GeneralCategory as Category;
    let categories = CodePointMapData::<GeneralCategory>::new();
    let directions = CodePointMapData::<BidiClass>::new();
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let empty = ['\u{2800}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{1d159}'];
    for c in ('\0'..=char::MAX).filter(|c| !(' '..='~').contains(c)) {
        let category = categories.get(c);
        let by_category = matches!(
            category,
            Category::Control
                | Category::Format
                | Category::PrivateUse
                | Category::Unassigned
                | Category::LineSeparator
                | Category::ParagraphSeparator
                | Category::SpaceSeparator
                // Nothing stands before it that it could belong to.
                | Category::NonspacingMark
                | Category::EnclosingMark
                | Category::SpacingMark
        );
        let direction = directions.get(c);
        let backwards =
            matches!(direction, BidiClass::RightToLeft | BidiClass::ArabicLetter | BidiClass::ArabicNumber);
        let by_sign = matches!(c, '‹' | '›' | '…' | '⇥' | '\u{2400}'..='\u{243f}');
        let anywhere = by_category
            || ignorable.contains(c)
            || by_sign
            || empty.contains(&c)
            || c.width().is_none_or(|columns| columns == 0);
        let counts = category == Category::DecimalNumber || direction == BidiClass::EuropeanNumber;
        let text = c.to_string();
        let is_plain = |mut runs: Runs<'_>| runs.next() == Some(Run::Plain(&text));
        assert_eq!(!is_plain(runs(&text)), anywhere || backwards, "U+{:04X} in a field", u32::from(c));
        if category == Category::Unassigned {
            continue;
        }
        assert_eq!(
            !is_plain(runs_of_block(&text)),
            anywhere || backwards && counts,
            "U+{:04X} in a block",
            u32::from(c)
        );
        assert_eq!(source(&open(runs(&text))), Some(text.clone()), "U+{:04X}", u32::from(c));
        // The standard library has tables of its own, made from an earlier Unicode.
        if c.is_control() || c.is_whitespace() {
            assert!(!is_plain(runs_of_block(&text)), "U+{:04X} is no letter", u32::from(c));
        }
        if c.is_alphanumeric() && !ignorable.contains(c) && !is_mark(c) && !empty.contains(&c) {
            let narrow = c.width() == Some(0);
            assert!(narrow || !is_hidden(c), "U+{:04X} is a letter", u32::from(c));
        }
    }
}

#[test]
fn a_mebibyte_costs_no_more_runs_than_it_must() {
    let text = "rm -rf / ".repeat(120_000);
    assert_eq!(runs(&text).count(), 1);
    assert_eq!(runs_of_block(&text).count(), 1);
}

/// Text out of what attacks are made of.
fn hostile() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        "[ -~]{0,6}",
        any::<String>(),
        "[\\x00-\\x1f\\x7f-\\xa0]{0,4}",
        "[ \u{a0}\t\n\r\u{2028}\u{3000}\u{2800}\u{200b}]{0,40}",
        "[אבשـعم\u{661}\u{6f1}0-9a-z .()]{0,8}",
        "[\u{202a}-\u{202e}\u{2066}-\u{2069}\u{200b}-\u{200f}\u{feff}]{0,4}",
        "[\u{300}-\u{36f}\u{5b8}\u{903}\u{20dd}]{0,8}",
        "[\u{e0020}-\u{e007e}]{0,8}",
        "[‹›…⇥␛␊␣\"\\\\]{0,4}",
        "[a\u{430}αб漢ツ한ア]{0,6}",
        "[\u{1100}-\u{11ff}가]{0,4}",
        Just("‹U+202E›".to_owned()),
        Just("‹tags: a›".to_owned()),
        Just(" ".repeat(40)),
    ];
    proptest::collection::vec(parts, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn it_can_be_undone(text in hostile()) {
        prop_assert_eq!(source(&open(runs(&text))), Some(text.clone()));
        prop_assert_eq!(source(&open(runs_of_block(&text))), Some(text));
    }

    #[test]
    fn two_texts_never_look_the_same(a in hostile(), b in hostile()) {
        prop_assume!(a != b);
        prop_assert_ne!(open(runs(&a)), open(runs(&b)));
        prop_assert_ne!(open(runs_of_block(&a)), open(runs_of_block(&b)));
        if ![&a, &b].iter().any(|text| runs(text).any(|run| matches!(run, Run::Fold { .. }))) {
            prop_assert_ne!(Visible::name(&a).plain(), Visible::name(&b).plain());
        }
    }

    #[test]
    fn the_runs_are_the_text(text in hostile()) {
        prop_assert_eq!(runs(&text).map(|run| run.source()).collect::<String>(), text.clone());
        prop_assert_eq!(runs_of_block(&text).map(|run| run.source()).collect::<String>(), text);
    }

    #[test]
    fn nothing_that_acts_comes_out(text in hostile()) {
        for shown in [plain(&text), block(&text), open(runs(&text)), Visible::name(&text).plain()] {
            let acts = shown.chars().find(|&c| c != ' ' && (c.is_control() || is_hidden(c) || is_blank(c)));
            prop_assert_eq!(acts, None);
        }
    }

    #[test]
    fn nothing_that_runs_backwards_comes_out_beside_digits_or_ascii(text in hostile()) {
        prop_assert!(!plain(&text).contains(is_right_to_left));
        for line in block(&text).split('␊') {
            let mut last = None;
            for c in line.chars() {
                let kind = if is_right_to_left(c) {
                    prop_assert!(!is_digit(c), "a digit that runs backwards");
                    'r'
                } else if c.is_ascii_alphanumeric() || is_digit(c) {
                    'a'
                } else if is_left_to_right(c) {
                    'l'
                } else {
                    continue;
                };
                prop_assert!(!matches!((last, kind), (Some('r'), 'a') | (Some('a'), 'r')), "{}", line);
                last = Some(kind);
            }
        }
    }

    #[test]
    fn marks_are_few_and_stand_on_the_text_itself(text in hostile()) {
        let shown = block(&text);
        let mut marks = None;
        for c in shown.chars() {
            marks = match marks {
                _ if !is_mark(c) => (c != ' ').then_some(0),
                Some(count) if count < 4 => Some(count + 1),
                _ => return Err(TestCaseError::fail(shown)),
            };
        }
    }

    #[test]
    fn a_cut_fits(text in hostile(), columns in 0usize..40) {
        prop_assert!(Visible::of(&text).cut(columns).width() <= columns);
        prop_assert!(Visible::name(&text).cut(columns).width() <= columns);
        prop_assert!(Visible::head(&text, columns).width() <= columns);
    }
}
