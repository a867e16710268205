//! What a text of JSON holds, found without the program's own parser: its strings, decoded, and its words in order. For
//! telling whether anything was left out of what the console shows.

/// A piece of a text of JSON.
enum Token {
    /// A string, decoded as far as it can be.
    Text(String),
    /// A number, a literal, or a mark.
    Bare(char),
}

fn tokens(json: &str) -> Vec<Token> {
    let (mut tokens, mut chars) = (Vec::new(), json.chars().peekable());
    while let Some(c) = chars.next() {
        if c != '"' {
            tokens.push(Token::Bare(c));
            continue;
        }
        let mut units: Vec<u16> = Vec::new();
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => match chars.next() {
                    Some('b') => push(&mut units, '\u{8}'),
                    Some('f') => push(&mut units, '\u{c}'),
                    Some('n') => push(&mut units, '\n'),
                    Some('r') => push(&mut units, '\r'),
                    Some('t') => push(&mut units, '\t'),
                    Some('u') => {
                        let digits: String = chars.by_ref().take(4).collect();
                        units.push(u16::from_str_radix(&digits, 16).unwrap_or(0));
                    }
                    Some(c) => push(&mut units, c),
                    None => break,
                },
                c => push(&mut units, c),
            }
        }
        tokens.push(Token::Text(String::from_utf16_lossy(&units)));
    }
    tokens
}

fn push(units: &mut Vec<u16>, c: char) {
    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
}

/// Every string, keys too.
pub(crate) fn strings(json: &str) -> Vec<String> {
    let text = |token| match token {
        Token::Text(text) => Some(text),
        Token::Bare(_) => None,
    };
    tokens(json).into_iter().filter_map(text).collect()
}

/// Its ASCII letters and digits, in order: strings decoded, everything else as it stands.
pub(crate) fn words(json: &str) -> String {
    let text = |token| match token {
        Token::Text(text) => text,
        Token::Bare(c) => c.to_string(),
    };
    letters(&tokens(json).into_iter().map(text).collect::<String>())
}

/// The ASCII letters and digits of a text, in order.
pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The text without the console's signs, `‹…›`. Nobody else can draw them.
pub(crate) fn without_signs(shown: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for c in shown.chars() {
        match c {
            '‹' => inside = true,
            '›' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

#[test]
fn strings_are_decoded_and_words_keep_their_order() {
    let json = r#"{"a\u0062":"x\n\ud83d\ude00\u202e","n":-1.10e5,"t":true}"#;
    assert_eq!(strings(json), ["ab", "x\n😀\u{202e}", "n", "t"]);
    assert_eq!(words(json), "abxn110e5ttrue");
    assert_eq!(without_signs("a‹U+202E›b‹4 blanks›c"), "abc");
}
