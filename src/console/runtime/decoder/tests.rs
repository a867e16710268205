//! The decoder in tables: which bytes come when, and what they are taken for.

use super::*;
use crossterm::event::{KeyEventKind, KeyModifiers};
use proptest::prelude::*;

/// A name, which bytes come at which millisecond, and what is told.
type Row<'t> = (&'t str, &'t [(u64, &'t [u8])], &'t [&'t str]);

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// `ctrl-alt-shift-Up` and the like. Capital letters say by themselves that shift was held.
fn key_name(key: &KeyEvent) -> String {
    let mut name = String::new();
    for (modifier, word) in [
        (KeyModifiers::CONTROL, "ctrl-"),
        (KeyModifiers::ALT, "alt-"),
        (KeyModifiers::SHIFT, "shift-"),
        (KeyModifiers::SUPER, "super-"),
    ] {
        let told = matches!(key.code, KeyCode::Char(c) if c.is_uppercase()) && word == "shift-";
        if key.modifiers.contains(modifier) && !told {
            name += word;
        }
    }
    name += &match key.code {
        KeyCode::Char(c) => c.to_string(),
        code => format!("{code:?}"),
    };
    match key.kind {
        KeyEventKind::Press => name,
        kind => format!("{name} {kind:?}"),
    }
}

fn told((sent, at): &(Sent, Duration)) -> String {
    let name = match sent {
        Sent::Reply(reply) => format!("{reply:?}"),
        Sent::Event(Event::Key(key)) => key_name(key),
        Sent::Event(Event::Paste(text)) => format!("paste {text:?}"),
        Sent::Event(Event::Mouse(mouse)) => {
            format!("{:?} {},{} {:?}", mouse.kind, mouse.column, mouse.row, mouse.modifiers)
        }
        Sent::Event(event) => format!("{event:?}"),
    };
    format!("{name}@{}", at.as_millis())
}

/// Feeds the bytes at their milliseconds, then lets the time pass.
fn run(reads: &[(u64, &[u8])]) -> Vec<String> {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    for (at, bytes) in reads {
        out.extend(decoder.read(bytes, ms(*at)));
    }
    out.extend(decoder.passed(ms(600_000)));
    assert_eq!(decoder.deadline(), None);
    out.iter().map(told).collect()
}

fn check(table: &[Row]) {
    for (name, reads, expected) in table {
        assert_eq!(run(reads), *expected, "{name}");
    }
}

/// Whole sequences, each in one read.
fn check_keys(table: &[(&[u8], &str)]) {
    for (bytes, expected) in table {
        assert_eq!(run(&[(0, bytes)]), [format!("{expected}@0")], "{}", bytes.escape_ascii());
    }
}

#[test]
fn characters_and_controls() {
    check_keys(&[
        (b"a", "a"),
        (b"A", "A"),
        (b" ", " "),
        (b"~", "~"),
        ("ö".as_bytes(), "ö"),
        ("Ö".as_bytes(), "Ö"),
        ("漢".as_bytes(), "漢"),
        ("🦀".as_bytes(), "🦀"),
        (b"\r", "Enter"),
        (b"\t", "Tab"),
        (b"\n", "ctrl-j"),
        (b"\x7f", "Backspace"),
        (b"\x08", "ctrl-h"),
        (b"\0", "ctrl- "),
        (b"\x01", "ctrl-a"),
        (b"\x03", "ctrl-c"),
        (b"\x1a", "ctrl-z"),
        (b"\x1c", "ctrl-4"),
        (b"\x1f", "ctrl-7"),
        (b"\x1b", "Esc"),
        (b"\x1ba", "alt-a"),
        (b"\x1bA", "alt-A"),
        ("\x1bö".as_bytes(), "alt-ö"),
        (b"\x1b\r", "alt-Enter"),
        (b"\x1b\x01", "ctrl-alt-a"),
        (b"\x1b\x7f", "alt-Backspace"),
    ]);
}

#[test]
fn keys_of_every_terminal() {
    check_keys(&[
        // xterm, in both modes of the cursor keys
        (b"\x1b[A", "Up"),
        (b"\x1bOA", "Up"),
        (b"\x1b[D", "Left"),
        (b"\x1b[H", "Home"),
        (b"\x1bOF", "End"),
        (b"\x1b[E", "KeypadBegin"),
        (b"\x1b[1;5A", "ctrl-Up"),
        (b"\x1b[1;2D", "shift-Left"),
        (b"\x1b[1;8C", "ctrl-alt-shift-Right"),
        (b"\x1b[Z", "shift-BackTab"),
        (b"\x1bOP", "F(1)"),
        (b"\x1bOR", "F(3)"),
        (b"\x1b[1;5P", "ctrl-F(1)"),
        (b"\x1bO5S", "ctrl-F(4)"),
        (b"\x1bO1;2Q", "shift-F(2)"),
        (b"\x1b[2~", "Insert"),
        (b"\x1b[3~", "Delete"),
        (b"\x1b[3;5~", "ctrl-Delete"),
        (b"\x1b[5~", "PageUp"),
        (b"\x1b[6~", "PageDown"),
        (b"\x1b[15~", "F(5)"),
        (b"\x1b[17~", "F(6)"),
        (b"\x1b[24~", "F(12)"),
        (b"\x1b[24;2~", "shift-F(12)"),
        (b"\x1b[29~", "F(16)"),
        (b"\x1b[34~", "F(20)"),
        (b"\x1bOM", "Enter"),
        (b"\x1bOp", "0"),
        (b"\x1bOy", "9"),
        (b"\x1bOk", "+"),
        // rxvt
        (b"\x1b[7~", "Home"),
        (b"\x1b[8~", "End"),
        (b"\x1b[a", "shift-Up"),
        (b"\x1bOd", "ctrl-Left"),
        (b"\x1b[5^", "ctrl-PageUp"),
        (b"\x1b[6@", "ctrl-shift-PageDown"),
        (b"\x1b\x1b[A", "alt-Up"),
        (b"\x1b\x1bOP", "alt-F(1)"),
        // the Linux console
        (b"\x1b[[A", "F(1)"),
        (b"\x1b[[E", "F(5)"),
        (b"\x1b[1~", "Home"),
        (b"\x1b[4~", "End"),
        // tmux and xterm, where keys are told apart
        (b"\x1b[27;5;9~", "ctrl-Tab"),
        (b"\x1b[27;2;13~", "shift-Enter"),
        (b"\x1b[27;5;99~", "ctrl-c"),
        (b"\x1b[13;2u", "shift-Enter"),
        (b"\x1b[9;2u", "shift-BackTab"),
        // kitty
        (b"\x1b[27u", "Esc"),
        (b"\x1b[97u", "a"),
        (b"\x1b[97;;97u", "a"),
        (b"\x1b[97:65;2u", "A"),
        (b"\x1b[97;2u", "A"),
        (b"\x1b[50:34;2u", "shift-\""),
        (b"\x1b[99;5u", "ctrl-c"),
        (b"\x1b[127;5u", "ctrl-Backspace"),
        (b"\x1b[97;1:2u", "a Repeat"),
        (b"\x1b[97;1:3u", "a Release"),
        (b"\x1b[1;1:3A", "Up Release"),
        (b"\x1b[5;1:3~", "PageUp Release"),
        (b"\x1b[97;129u", "a"),
        (b"\x1b[97;256u", "ctrl-alt-super-A"),
        (b"\x1b[57414u", "Enter"),
        (b"\x1b[57400u", "1"),
        (b"\x1b[57419;5u", "ctrl-Up"),
        (b"\x1b[57376u", "F(13)"),
        // the window and the mouse
        (b"\x1b[I", "FocusGained"),
        (b"\x1b[O", "FocusLost"),
        (b"\x1b[<0;20;10M", "Down(Left) 19,9 KeyModifiers(0x0)"),
        (b"\x1b[<2;20;10m", "Up(Right) 19,9 KeyModifiers(0x0)"),
        (b"\x1b[<36;1;1M", "Drag(Left) 0,0 KeyModifiers(SHIFT)"),
        (b"\x1b[<35;1;1M", "Moved 0,0 KeyModifiers(0x0)"),
        (b"\x1b[<80;2;3M", "ScrollUp 1,2 KeyModifiers(CONTROL)"),
        (b"\x1b[<65;2;3M", "ScrollDown 1,2 KeyModifiers(0x0)"),
        (b"\x1b[32;30;40M", "Down(Left) 29,39 KeyModifiers(0x0)"),
    ]);
}

#[test]
fn a_reply_that_comes_into_the_way_of_esc_leaves_it_a_key() {
    for reads in [&[(0, b"\x1b\x1b[0n".as_slice())][..], &[(0, b"\x1b"), (20, b"\x1b[0n")]] {
        assert_eq!(run(reads), ["Esc@0", "Ready@0"]);
    }
}

#[test]
fn what_is_not_known_to_be_a_key_is_a_reply() {
    check_keys(&[
        (b"\x1b[0n", "Ready"),
        (b"\x1b[3n", "Other"),
        (b"\x1b[?997;1n", "Other"),
        (b"\x1b[12;40R", "Other"),
        (b"\x1b[1;2R", "Other"),
        (b"\x1b[R", "Other"),
        (b"\x1b[?1;2c", "Other"),
        (b"\x1b[>41;330;0c", "Other"),
        (b"\x1b[?2026;1$y", "Synchronized(true)"),
        (b"\x1b[?2026;2$y", "Synchronized(true)"),
        (b"\x1b[?2026;0$y", "Synchronized(false)"),
        (b"\x1b[?2026;4$y", "Synchronized(false)"),
        (b"\x1b[?2026;2$p", "Other"),
        (b"\x1b[4;2$y", "Other"),
        (b"\x1b[?1u", "Other"),
        (b"\x1b[u", "Other"),
        (b"\x1b[8;40;120t", "Other"),
        (b"\x1b[>1 q", "Other"),
        (b"\x1b[2;1;1x", "Other"),
        (b"\x1b[?0;1;1S", "Other"),
        (b"\x1b[5A", "Other"),
        (b"\x1b[1;1;1A", "Other"),
        (b"\x1b[1;0A", "Other"),
        (b"\x1b[1;257A", "Other"),
        (b"\x1b[1;2:4A", "Other"),
        (b"\x1b[1;99999999999A", "Other"),
        (b"\x1b[+1;2A", "Other"),
        (b"\x1b[97 u", "Other"),
        (b"\x1b[57399999u", "Other"),
        (b"\x1b[57441u", "Other"),
        (b"\x1b[55296u", "Other"),
        (b"\x1b[3u", "Other"),
        (b"\x1b[97:3;2u", "A"),
        (b"\x1b[<0;0;0M", "Other"),
        (b"\x1b[<0;1;65537M", "Other"),
        (b"\x1b[<0;1M", "Other"),
        (b"\x1b[0;1;1M", "Other"),
        (b"\x1b[201~", "Other"),
        (b"\x1b[99~", "Other"),
        (b"\x1bOZ", "Other"),
        (b"\x1b]11;rgb:aaaa/aaaa/aaaa\x1b\\", "Other"),
        (b"\x1b]11;rgb:aaaa/aaaa/aaaa\x07", "Other"),
        (b"\x1b]lthe title: a\r\x1b[Ar\x1bOM\x1b[13u\x1b[200~\x1b\\", "Other"),
        ("\x1b]l✜ U+271C ends in 9C\x07".as_bytes(), "Other"),
        (b"\x1bP>|XTerm(330)\x1b\\", "Other"),
        (b"\x1bP1$r0m bell \x07 a\r\x1b\\", "Other"),
        (b"\x1bP\x1b\x1b\\", "Other"),
        (b"\x1b_Gi=31;OK\x1b\\", "Other"),
        (b"\x1b^a\r\x1b\\", "Other"),
        (b"\x1bXa\r\x1b\\", "Other"),
    ]);
}

#[test]
fn nothing_comes_of_what_means_nothing() {
    for bytes in [
        b"\x1b\\".as_slice(),
        b"\x1b[M@aa",
        b"\x1b[Ma\r\r",
        b"\x80\xbf\xc0\xff",
        b"\xc3",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf4\xbf\xbf\xbf",
        b"\x1b[1;",
        b"\x1bO",
        b"\x1b]11;rgb:aaaa",
        b"\x1b[200",
        "\u{9b}1;".as_bytes(),
        b"\x9d11;rgb:aaaa",
    ] {
        assert_eq!(run(&[(0, bytes)]), [""; 0], "{}", bytes.escape_ascii());
    }
    check_keys(&[
        (b"\x9bA", "Up"),
        (b"\x9d11;rgb:aaaa\x07", "Other"),
        ("\u{9b}A".as_bytes(), "Up"),
        ("\u{90}aaaa\x1b\\".as_bytes(), "Other"),
        (b"\xe2\x82a", "a"),
        (b"\xc3\xc3\xb6", "ö"),
    ]);
    let long = [b"\x1b[".as_slice(), &b"1;".repeat(1_000), b"A"].concat();
    assert_eq!(run(&[(0, &long)]), ["Other@0"]);
}

#[test]
fn escape_by_itself_and_torn() {
    check(&[
        ("certain after a while", &[(10, b"\x1b"), (500, b"a")], &["Esc@10", "a@500"]),
        ("a key soon after it", &[(0, b"\x1b"), (25, b"q")], &["Esc@0", "q@25"]),
        ("alt comes with it", &[(0, b"\x1b"), (4, b"q")], &["alt-q@0"]),
        ("twice", &[(0, b"\x1b\x1b")], &["Esc@0", "Esc@0"]),
        ("twice, in peace", &[(0, b"\x1b"), (300, b"\x1b")], &["Esc@0", "Esc@300"]),
        ("three times", &[(0, b"\x1b\x1b\x1b")], &["Esc@0", "Esc@0", "Esc@0"]),
        ("twice and a letter", &[(0, b"\x1b\x1bx")], &["Esc@0", "alt-x@0"]),
        ("twice and a letter later", &[(0, b"\x1b\x1b"), (20, b"x")], &["Esc@0", "Esc@0", "x@20"]),
        ("an arrow in three parts", &[(0, b"\x1b"), (40, b"["), (80, b"A")], &["Up@0"]),
        ("torn after `Esc` was told", &[(0, b"\x1b"), (60, b"["), (90, b"A")], &["Esc@0"]),
        ("a function key", &[(0, b"\x1b"), (90, b"OP")], &["Esc@0"]),
        ("with parameters", &[(0, b"\x1b"), (60, b"[1;5A"), (61, b"x")], &["Esc@0", "x@61"]),
        ("one key only", &[(0, b"\x1b"), (60, b"[A"), (61, b"r")], &["Esc@0", "r@61"]),
        ("a torn reply", &[(0, b"\x1b"), (60, b"]11;rgb:aaaa\x1b\\")], &["Esc@0", "Other@60"]),
        ("a torn mouse report", &[(0, b"\x1b"), (60, b"[<0;1;1M")], &["Esc@0"]),
        (
            "a torn paste is still one",
            &[(0, b"\x1b"), (60, b"[200~a\r\x1b[201~")],
            &["Esc@0", "paste \"a\\r\"@60"],
        ),
        ("too late for the bracket", &[(0, b"\x1b"), (101, b"[")], &["Esc@0", "[@101"]),
        ("too late for the key", &[(0, b"\x1b"), (60, b"["), (261, b"A")], &["Esc@0", "A@261"]),
        ("another key ends it", &[(0, b"\x1b"), (60, b"a"), (80, b"[A")], &["Esc@0", "a@60", "[@80", "A@80"]),
        ("Enter does not come out of it", &[(0, b"\x1b"), (60, b"["), (80, b"\r")], &["Esc@0"]),
        ("without Esc it is typing", &[(0, b"[A")], &["[@0", "A@0"]),
    ]);
}

#[test]
fn what_does_not_end_is_dropped() {
    check(&[
        ("half a control sequence", &[(0, b"\x1b[1;"), (201, b"A")], &["A@201"]),
        ("it can still be ended", &[(0, b"\x1b[1;"), (199, b"5A")], &["ctrl-Up@0"]),
        ("half a character", &[(0, b"\xe2\x82"), (200, b"a")], &["a@200"]),
        ("a character in two parts", &[(0, b"\xe2\x82"), (150, b"\xac")], &["€@0"]),
        ("an unended string", &[(0, b"\x1b]11;rgb:aaaa"), (200, b"a")], &["a@200"]),
        ("its end comes in time", &[(0, b"\x1b]11;rgb:aaaa"), (199, b"/\x07a")], &["Other@0", "a@199"]),
        ("its end comes in parts", &[(0, b"\x1b]11;rgb:a\x1b"), (100, b"\\a")], &["Other@0", "a@100"]),
        ("a key too soon is lost", &[(0, b"\x1bP1$r"), (150, b"\r"), (220, b"a")], &["a@220"]),
        (
            "a long reply goes on while its bytes keep coming",
            &[
                (0, b"\x1b]52;c;"),
                (49, b"aaaa"),
                (98, b"aaaa"),
                (147, b"a"),
                (196, b"aaaa"),
                (245, b"aa\r"),
                (295, b"a"),
            ],
            &["a@295"],
        ),
        (
            "a key that is being held ends no reply",
            &[(0, b"\x1bP"), (190, b"\r"), (223, b"\r"), (273, b"j")],
            &["j@273"],
        ),
        ("an old mouse report", &[(0, b"\x1b[Ma"), (200, b"a")], &["a@200"]),
        ("an arrow after half a sequence", &[(0, b"\x1b[12;"), (20, b"\x1b[B")], &["Down@20"]),
        ("what cannot stand in a sequence", &[(0, b"\x1b[1\r;5\xc3\xb6A")], &["ctrl-Up@0"]),
    ]);
}

#[test]
fn pastes() {
    check(&[
        (
            "a paste",
            &[(0, b"\x1b[200~a\r\x1b[Ab\x1b[201~"), (15, b"r")],
            &["paste \"a\\r\\u{1b}[Ab\"@0", "r@15"],
        ),
        ("empty", &[(0, b"\x1b[200~\x1b[201~")], &["paste \"\"@0"]),
        (
            "with the mark inside",
            &[(0, b"\x1b[200~safe\x1b[201~a\r\x1b[201~")],
            &["paste \"safe\\u{1b}[201~a\\r\"@0"],
        ),
        (
            "with the mark inside, and without it at the end",
            &[(0, b"\x1b[200~safe\x1b[201~"), (14, b"a\r")],
            &["paste \"safe\\u{1b}[201~a\\r\"@0"],
        ),
        ("in parts", &[(0, b"\x1b["), (5, b"200~a"), (190, b"b\x1b[20"), (380, b"1~")], &["paste \"ab\"@0"]),
        ("unended", &[(0, b"\x1b[200~abc"), (200, b"r")], &["paste \"abc\"@0", "r@200"]),
        (
            "unended, with half a mark",
            &[(0, b"\x1b[200~a\x1b[20"), (300, b"r")],
            &["paste \"a\\u{1b}[20\"@0", "r@300"],
        ),
        ("a mark after half a mark", &[(0, b"\x1b[200~a\x1b[2\x1b[201~")], &["paste \"a\\u{1b}[2\"@0"]),
        ("what is not UTF-8", &[(0, b"\x1b[200~\xffb\x1b[201~")], &["paste \"\u{fffd}b\"@0"]),
        (
            "ctrl-c in its flow",
            &[(0, b"\x1b[200~a\x03b"), (49, b"\x03\x1b[201~")],
            &["paste \"a\\u{3}b\\u{3}\"@0"],
        ),
        (
            "ctrl-c when it stands still",
            &[(0, b"\x1b[200~a"), (50, b"\x03")],
            &["ctrl-c@50", "paste \"a\"@0"],
        ),
        ("an end without a beginning", &[(0, b"\x1b[201~a")], &["Other@0", "a@0"]),
    ]);
    let long = [b"\x1b[200~".as_slice(), &vec![b'x'; 3 << 20], b"\x1b[201~"].concat();
    let mut decoder = Decoder::default();
    assert_eq!(decoder.read(&long, ms(0)), []);
    assert_eq!(
        decoder.passed(ms(15)),
        [(Sent::Event(Event::Paste("x".repeat(1 << 20))), ms(0))],
        "it ends with its mark, however long it is"
    );
}

#[test]
fn ctrl_c_always_works() {
    for before in [
        b"\x1b[".as_slice(),
        b"\x1b[1;",
        b"\x1bO",
        b"\x1b]11;rgb:aaaa",
        b"\x1b]11;\x1b",
        b"\x1bP1",
        b"\x1b_",
        b"\x1b[M",
        b"\xc3",
        b"\xf0\x9f",
    ] {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.read(before, ms(0)), []);
        let out: Vec<_> = decoder.read(b"\x03", ms(0)).iter().map(told).collect();
        assert_eq!(out, ["ctrl-c@0"], "{}", before.escape_ascii());
    }
    check(&[
        ("after Esc", &[(0, b"\x1b"), (20, b"\x03")], &["Esc@0", "ctrl-c@20"]),
        ("with Esc", &[(0, b"\x1b\x03")], &["Esc@0", "ctrl-c@0"]),
        ("after a torn Esc", &[(0, b"\x1b"), (60, b"\x03[A")], &["Esc@0", "ctrl-c@60", "[@60", "A@60"]),
        ("a reply goes on after it", &[(0, b"\x1b]11;\x03aa\r\x07b")], &["ctrl-c@0", "Other@0", "b@0"]),
        ("a sequence goes on after it", &[(0, b"\x1b[1;\x035A")], &["ctrl-c@0", "ctrl-Up@0"]),
    ]);
}

/// Bytes that matter, and any others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(vec![
        &b"\x1b"[..],
        b"[",
        b"O",
        b"]",
        b"P",
        b"\\",
        b"\x07",
        b"\x03",
        b"\r",
        b"a",
        b"~",
        b"u",
        b"M",
        b"1",
        b";",
        b"<",
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x1b[A",
        b"\x1b]11;",
        b"\x1b\\",
        b"\xe2",
        b"\x82\xac",
        b"\x9b",
    ]);
    let run = prop_oneof![
        4 => telling.prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(run, 0..40).prop_map(|runs| runs.concat())
}

proptest! {
    /// Where reads are cut changes nothing, as long as the bytes come at the same time.
    #[test]
    fn cuts_change_nothing(bytes in bytes(), cuts in prop::collection::vec(0_usize..200, 0..8)) {
        let mut cut = Decoder::default();
        let mut out = Vec::new();
        let mut places: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).chain([0, bytes.len()]).collect();
        places.sort_unstable();
        for pair in places.windows(2) {
            out.extend(cut.read(&bytes[pair[0]..pair[1]], ms(0)));
        }
        out.extend(cut.passed(ms(10_000)));
        let mut whole = Decoder::default();
        let mut expected = whole.read(&bytes, ms(0));
        expected.extend(whole.passed(ms(10_000)));
        prop_assert_eq!(out, expected);
    }

    /// Whatever came: after so much silence the next key is that key.
    #[test]
    fn it_always_recovers(reads in prop::collection::vec((bytes(), 0_u64..300), 0..8)) {
        let mut decoder = Decoder::default();
        let mut at = 0;
        for (bytes, pause) in &reads {
            at += pause;
            decoder.read(bytes, ms(at));
        }
        decoder.passed(ms(at + 200));
        prop_assert_eq!(decoder.deadline(), None);
        let out: Vec<_> = decoder.read(b"r", ms(at + 200)).iter().map(told).collect();
        prop_assert_eq!(out, [format!("r@{}", at + 200)]);
    }
}
