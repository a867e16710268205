//! The cases of *Parsing JSON is a Minefield* (Nicolas Seriot), written anew: what every parser must take (`y_`), what
//! none may (`n_`), and where they differ (`i_`), for which this one's answer is written down.

use super::{Kind, Limits, Value, outline, parse, parse_unique};
use serde::de::IgnoredAny;

fn read(text: &[u8]) -> Result<Value, String> {
    parse(text, Limits::SEALED).map_err(|error| error.to_string())
}

const TAKEN: &[(&str, &str)] = &[
    ("y_array_arrays_with_blanks", "[[]   ]"),
    ("y_array_empty_string", r#"[""]"#),
    ("y_array_of_all_kinds", r#"[null, 1, "1", {}, [], true, false]"#),
    ("y_array_with_newlines", "[1\n,\r\n2\t]"),
    ("y_number_zero", "[0]"),
    ("y_number_minus_zero", "[-0]"),
    ("y_number_minus_zero_point", "[-0.0]"),
    ("y_number_zero_exponent", "[0e1]"),
    ("y_number_exponent_plus", "[0E+1]"),
    ("y_number_exponent_leading_zero", "[1e00000000000000000002]"),
    ("y_number_small", "[-0.000000000000000000000000000000000000000000000000000000000000000001]"),
    ("y_number_integer_beyond_64_bits", "[123456789012345678901234567890]"),
    ("y_object_empty", "{}"),
    ("y_object_empty_key", r#"{"":0}"#),
    ("y_object_key_with_nul", r#"{"foo\u0000bar":42}"#),
    ("y_object_extreme_keys", r#"{"min":-1.0e+28,"max":1.0e+28}"#),
    ("y_string_all_escapes", r#"["\"\\\/\b\f\n\r\t"]"#),
    ("y_string_escaped_pair", r#"["\ud801\udc37"]"#),
    ("y_string_escaped_noncharacter", r#"["\uFFFF"]"#),
    ("y_string_escaped_control", r#"["\u0012"]"#),
    ("y_string_escape_in_either_case", r#"["\u00E9\u00e9"]"#),
    ("y_string_backslash_u", r#"["\\u0000"]"#),
    ("y_string_del", "[\"\u{7f}\"]"),
    ("y_string_line_separators", "[\"\u{2028}\u{2029}\"]"),
    ("y_string_noncharacter", "[\"\u{10ffff}\"]"),
    ("y_string_byte_order_mark_inside", "[\"\u{feff}\"]"),
    ("y_structure_lonely_null", "null"),
    ("y_structure_lonely_string", r#""asd""#),
    ("y_structure_lonely_number", " -0.1 "),
    ("y_structure_blanks_around", " \t\r\n[] \t\r\n"),
    ("i_object_duplicate_key", r#"{"a":"b","a":"c"}"#),
    ("i_number_huge_exponent", "[0.4e00669999999999999999999999999999999999999999999999999999969999999006]"),
    ("i_number_negative_huge_exponent", "[-1e+9999]"),
    ("i_number_underflow", "[123e-10000000]"),
    ("i_structure_500_nested_arrays", NESTED),
];

const NESTED: &str = {
    const BYTES: [u8; 1000] = {
        let mut bytes = [b'['; 1000];
        let mut at = 500;
        while at < 1000 {
            bytes[at] = b']';
            at += 1;
        }
        bytes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

#[test]
fn what_is_json_is_taken() {
    for (name, text) in TAKEN {
        let value = read(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(value.text(text), text.trim_matches([' ', '\t', '\r', '\n']), "{name}");
    }
}

const REFUSED: &[(&str, &[u8])] = &[
    ("n_array_1_true_without_comma", b"[1 true]"),
    ("n_array_colon", br#"["": 1]"#),
    ("n_array_comma_after_close", br#"[""],"#),
    ("n_array_comma_and_number", b"[,1]"),
    ("n_array_double_comma", b"[1,,2]"),
    ("n_array_trailing_comma", b"[1,]"),
    ("n_array_trailing_commas", b"[1,,]"),
    ("n_array_just_comma", b"[,]"),
    ("n_array_just_minus", b"[-]"),
    ("n_array_missing_value", b"[   , \"\"]"),
    ("n_array_extra_close", b"[\"x\"]]"),
    ("n_array_unclosed", b"[\"\""),
    ("n_array_unclosed_trailing_comma", b"[1,"),
    ("n_array_unclosed_newline", b"[\"a\",\n4\n,1"),
    ("n_array_star", b"[*]"),
    ("n_array_vertical_tab", b"[\x0b1]"),
    ("n_array_invalid_utf8", b"[\xff]"),
    ("n_incomplete_true", b"[tru]"),
    ("n_incomplete_false", b"[fals]"),
    ("n_incomplete_null", b"[nul]"),
    ("n_capitalised_true", b"[True]"),
    ("n_number_plus", b"[+1]"),
    ("n_number_plus_plus", b"[++1234]"),
    ("n_number_minus_1_dot", b"[-1.]"),
    ("n_number_minus_leading_zero", b"[-01]"),
    ("n_number_leading_zero", b"[012]"),
    ("n_number_two_leading_zeros", b"[00]"),
    ("n_number_dot_first", b"[.123]"),
    ("n_number_dot_exponent", b"[2.e3]"),
    ("n_number_exponent_without_digits", b"[0e]"),
    ("n_number_exponent_sign_only", b"[0e+]"),
    ("n_number_two_dots", b"[1.2.3]"),
    ("n_number_hex", b"[0x42]"),
    ("n_number_octal", b"[0o17]"),
    ("n_number_suffix", b"[1f]"),
    ("n_number_blank_inside", b"[1 000.0]"),
    ("n_number_minus_blank", b"[- 1]"),
    ("n_number_nan", b"[NaN]"),
    ("n_number_infinity", b"[Infinity]"),
    ("n_number_minus_infinity", b"[-Infinity]"),
    ("n_number_fullwidth_digit", "[\u{ff11}]".as_bytes()),
    ("n_number_arabic_digit", "[\u{661}]".as_bytes()),
    ("n_object_bare_key", b"{a: 1}"),
    ("n_object_single_quotes", b"{'a':0}"),
    ("n_object_number_key", b"{1:1}"),
    ("n_object_missing_colon", br#"{"a" 1}"#),
    ("n_object_missing_value", br#"{"a":}"#),
    ("n_object_double_colon", br#"{"x"::"b"}"#),
    ("n_object_comma_for_colon", br#"{"x", null}"#),
    ("n_object_trailing_comma", br#"{"id":0,}"#),
    ("n_object_two_commas", br#"{"a":"b",,"c":"d"}"#),
    ("n_object_comment", br#"{"a":"b"/**/}"#),
    ("n_object_line_comment", b"{\"a\":\"b\"}//"),
    ("n_object_unterminated", br#"{"a":"a"#),
    ("n_object_closed_twice", b"{}}"),
    ("n_object_closed_by_bracket", br#"{"a":1]"#),
    ("n_single_blank", b" "),
    ("n_empty", b""),
    ("n_string_single_quote", b"['a']"),
    ("n_string_unescaped_newline", b"[\"new\nline\"]"),
    ("n_string_unescaped_tab", b"[\"\t\"]"),
    ("n_string_unescaped_nul", b"[\"a\x00a\"]"),
    ("n_string_unescaped_escape", b"[\"\x1b[2J\"]"),
    ("n_string_escaped_control", b"[\"\\\x1f\"]"),
    ("n_string_escape_x", br#"["\x00"]"#),
    ("n_string_escape_a", br#"["\a"]"#),
    ("n_string_escape_capital_u", br#"["\UA66D"]"#),
    ("n_string_escape_emoji", "[\"\\\u{1f300}\"]".as_bytes()),
    ("n_string_escape_u_incomplete", br#"["\u00A"]"#),
    ("n_string_escape_u_no_hex", br#"["\uqqqq"]"#),
    ("n_string_escape_u_sign", br#"["\u+123"]"#),
    ("n_string_escape_u_braces", br#"["\u{41}"]"#),
    ("n_string_escape_at_the_end", b"[\"\\"),
    ("n_string_escape_u_at_the_end", b"\"\\u"),
    ("n_string_unclosed", b"\""),
    ("n_string_with_trailing", b"\"\"x"),
    ("n_structure_only_open", b"["),
    ("n_structure_only_close", b"]"),
    ("n_structure_open_comma", b"[,"),
    ("n_structure_angle", b"<.>"),
    ("n_structure_nul_for_a_blank", b"[\x00]"),
    ("n_structure_nul_after", b"{}\x00"),
    ("n_structure_text_after", b"[1]x"),
    ("n_structure_second_value", b"{} {}"),
    ("n_structure_form_feed", b"[\x0c]"),
    ("n_structure_nbsp", "[\u{a0}]".as_bytes()),
    ("n_structure_line_separator", "\u{2028}[]".as_bytes()),
    ("n_structure_word_joiner", "[\u{2060}]".as_bytes()),
    ("n_structure_soft_hyphen", "[\u{ad}]".as_bytes()),
    ("i_structure_byte_order_mark", "\u{feff}{}".as_bytes()),
    ("i_structure_cut_byte_order_mark", b"\xef\xbb{}"),
    ("i_structure_utf16_little_endian", b"\xff\xfe[\x00\"\x00\xe9\x00\"\x00]\x00"),
    ("i_structure_utf16_without_mark", b"\x00[\x00\"\x00\xe9\x00\"\x00]"),
    ("i_string_lone_high_surrogate", br#"["\uD800"]"#),
    ("i_string_lone_low_surrogate", br#"["\uDFAA"]"#),
    ("i_string_surrogate_and_letter", br#"["\uD800abc"]"#),
    ("i_string_surrogate_and_newline", br#"["\uD800\n"]"#),
    ("i_string_two_high_surrogates", br#"["\uD800\uD800\uDC00"]"#),
    ("i_string_pair_turned_round", br#"["\uDd1e\uD834"]"#),
    ("i_string_surrogate_in_utf8", b"[\"\xed\xa0\x80\"]"),
    ("i_string_overlong_2_bytes", b"[\"\xc0\xaf\"]"),
    ("i_string_overlong_3_bytes", b"[\"\xe0\x80\xaf\"]"),
    ("i_string_overlong_6_bytes", b"[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
    ("i_string_latin_1", b"[\"\xe9\"]"),
    ("i_string_cut_utf8", b"[\"\xe0\xff\"]"),
    ("i_string_beyond_unicode", b"[\"\xf4\xbf\xbf\xbf\"]"),
    ("i_string_lonely_continuation", b"[\"\x81\"]"),
    ("i_key_lone_surrogate", br#"{"\uD800":1}"#),
];

#[test]
fn what_is_not_json_is_refused() {
    for (name, text) in REFUSED {
        assert!(read(text).is_err(), "{name}");
        assert!(outline(text).is_err(), "{name}, in outline");
        assert!(name.starts_with("i_") || serde_json::from_slice::<IgnoredAny>(text).is_err(), "{name}");
    }
}

#[test]
fn duplicate_keys_are_found_however_they_are_written_and_however_deep() {
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(500), "]".repeat(500));
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\u0061":1,"\u0061":2}"#,
        r#"{"é":1,"\u00e9":2}"#,
        r#"{"😀":1,"\ud83d\ude00":2}"#,
        r#"{"/":1,"\/":2}"#,
        r#"{"":1,"":2}"#,
        r#"{"a":{"b":[{"c":1,"d":2,"\u0063":3}]}}"#,
        &deep(r#"{"a":1,"\u0061":2}"#),
    ] {
        assert!(parse_unique(text.as_bytes(), Limits::SEALED).is_err(), "{text}");
        assert!(read(text.as_bytes()).unwrap().duplicate_key().is_some(), "{text}");
    }
    for text in [r#"{"a":1,"A":1}"#, r#"{"é":1,"e\u0301":1}"#, r#"{"a":{"a":{"a":1}}}"#, r#"{"a":1,"a ":1}"#]
    {
        assert!(parse_unique(text.as_bytes(), Limits::SEALED).is_ok(), "{text}");
    }
}

#[test]
fn numbers_keep_their_text() {
    for text in ["-0", "-0.0", "1E400", "1e-400", "0.10", "1e00002", "9007199254740993"] {
        assert_eq!(read(text.as_bytes()).unwrap().kind, Kind::Number(text.into()));
    }
}

#[test]
fn magic_keys_of_serde_json_stay_keys() {
    for magic in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
        let text = format!(r#"{{"{magic}":"1e400"}}"#);
        let value = read(text.as_bytes()).unwrap();
        assert_eq!(value.get(magic).and_then(Value::as_str), Some("1e400"));
        // And in what the program itself reads with serde_json: a test of the features of the whole tree.
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(theirs.is_object(), "{theirs}");
    }
}

#[test]
fn depth_is_an_error_and_never_a_crash() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
        assert!(read(nested(512).as_bytes()).is_ok());
        assert!(read(nested(513).as_bytes()).is_err());
        for levels in [100_000, 150_000] {
            let text = nested(levels);
            assert!(read(text.as_bytes()).unwrap_err().contains("nested deeper than 512 levels"));
            assert_eq!(outline(text.as_bytes()).is_ok(), levels == 100_000);
            assert!(read(&text.as_bytes()[..levels]).is_err(), "never closed");
        }
    }
}

#[test]
fn an_outline_has_the_members_and_nothing_below() {
    let text = r#"{"id":"a","deep":[[1,{"id":"b"}]],"id":7}"#;
    let value = outline(text.as_bytes()).unwrap();
    let members = value.as_object().unwrap();
    assert_eq!(members.iter().map(|member| member.duplicate).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(members[1].value.kind, Kind::Array(Vec::new()));
    assert_eq!(members[1].value.text(text), r#"[[1,{"id":"b"}]]"#);
    assert!(outline(br#"{"a":[1,]}"#).is_err(), "what is nested is still checked");
}
