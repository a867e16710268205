//! What is read, what is refused and why, and the limits.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Value, Problem> {
    parse(text.as_bytes(), Limits::DOOR).map_err(|error| error.problem)
}

#[test]
fn values_keep_their_text_order_and_place() {
    let source = r#" {"n": 1.10, "big":9007199254740993,"huge":1e400 , "s":"a\n\u00e9\ud83d\ude00", "l":[true,null,[]]} "#;
    let value = read(source).unwrap();
    assert_eq!(value.text(source), source.trim());
    let kind = |name| &value.get(name).unwrap().kind;
    assert_eq!(kind("n"), &Kind::Number("1.10".into()));
    assert_eq!(kind("big"), &Kind::Number("9007199254740993".into()));
    assert_eq!(kind("huge"), &Kind::Number("1e400".into()));
    assert_eq!(kind("s"), &Kind::String("a\né😀".into()));
    assert_eq!(value.get("l").unwrap().text(source), "[true,null,[]]");
    let names: Vec<_> = value.as_object().unwrap().iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["n", "big", "huge", "s", "l"]);
}

#[test]
fn magic_keys_of_serde_json_stay_an_object() {
    let value = read(r#"{"$serde_json::private::Number": "999"}"#).unwrap();
    assert_eq!(value.as_object().unwrap()[0].name, "$serde_json::private::Number");
    let raw = read(r#"{"$serde_json::private::RawValue": "1"}"#).unwrap();
    assert_eq!(raw.as_object().unwrap()[0].value.as_str(), Some("1"));
}

#[test]
fn duplicate_keys_are_found_at_any_depth_and_through_escapes() {
    let value = read(r#"{"a":[{"b":{"x":1,"\u0078":2}}]}"#).unwrap();
    assert_eq!(value.duplicate_key(), Some("x"));
    let error = parse_unique(br#"{"a":1,"\u0061":2}"#, Limits::DOOR).unwrap_err();
    assert_eq!(error.problem, Problem::DuplicateKey("a".into()));
    assert!(parse_unique(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#, Limits::DOOR).is_ok());
}

#[test]
fn what_is_not_json_is_refused_with_its_reason() {
    use Problem::*;
    for (text, problem) in [
        ("", EndsEarly),
        ("{", EndsEarly),
        ("[1,]", Unexpected(']')),
        ("{\"a\":1,}", Unexpected('}')),
        ("{a:1}", Unexpected('a')),
        ("[1 2]", Unexpected('2')),
        ("[1}", Unexpected('}')),
        ("nul", Unexpected('n')),
        ("'a'", Unexpected('\'')),
        ("01", BadNumber),
        ("1.", BadNumber),
        (".5", Unexpected('.')),
        ("+1", Unexpected('+')),
        ("-", BadNumber),
        ("1e", BadNumber),
        ("1x", BadNumber),
        ("NaN", Unexpected('N')),
        ("1 1", Trailing),
        ("{}\0", Trailing),
        ("\u{feff}{}", ByteOrderMark),
        ("\"a\nb\"", ControlInString(b'\n')),
        ("\"a\0\"", ControlInString(0)),
        (r#""\x""#, BadEscape),
        (r#""\u12g4""#, BadEscape),
        (r#""\ud800""#, LoneSurrogate),
        (r#""\ud800\u0041""#, LoneSurrogate),
        (r#""\udc00""#, LoneSurrogate),
        (r#""abc"#, EndsEarly),
        ("\"\\", BadEscape),
    ] {
        assert_eq!(read(text), Err(problem), "{text:?}");
    }
    assert_eq!(parse(b"\"\xff\"", Limits::DOOR).unwrap_err().problem, NotUtf8);
}

#[test]
fn limits_hold_to_the_last_step() {
    let small = Limits { bytes: 20, depth: 3, values: 4 };
    let read = |text: &str| parse(text.as_bytes(), small).map(|_| ()).map_err(|error| error.problem);
    assert_eq!(read("[[[]]]"), Ok(()));
    assert_eq!(read("[[[[]]]]"), Err(Problem::TooDeep(3)));
    assert_eq!(read("[1,2,3]"), Ok(()));
    assert_eq!(read("[1,2,3,4]"), Err(Problem::TooMany(4)));
    assert_eq!(read("\"123456789012345678\""), Ok(()));
    assert_eq!(read("\"1234567890123456789\""), Err(Problem::TooLarge(20)));
    let deep = "[".repeat(200_000);
    assert_eq!(parse(deep.as_bytes(), Limits::DOOR).unwrap_err().problem, Problem::TooDeep(64));
}

#[test]
fn the_same_json_in_another_order_is_the_same() {
    let (a, b) = (read(r#"{"a":1,"b":[1,"x"]}"#).unwrap(), read(r#"{ "b":[1,"\u0078"],"a":1 }"#).unwrap());
    assert!(a.same(&b));
    for other in [r#"{"a":1.0,"b":[1,"x"]}"#, r#"{"a":1}"#, r#"{"a":"1","b":[1,"x"]}"#] {
        assert!(!a.same(&read(other).unwrap()), "{other}");
    }
}

proptest! {
    #[test]
    fn what_serde_json_writes_reads_back(text in any::<String>(), number in any::<i64>()) {
        let source = serde_json::json!({"t": text, "n": number, (text.clone()): [text]}).to_string();
        let value = read(&source).unwrap();
        prop_assert!(value.as_object().unwrap().iter().any(|member| member.value.as_str() == Some(&text)) || text == "t" || text == "n");
        prop_assert_eq!(quote(&text), serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes, Limits::DOOR);
    }

    #[test]
    fn no_json_like_text_makes_it_panic(text in r#"[\[\]{}:,"\\u0-9eE+\-. dD8cC]{0,48}"#) {
        let ours = parse(text.as_bytes(), Limits::DOOR).is_ok();
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert!(!ours || theirs, "we take what serde_json refuses: {}", text);
    }
}
