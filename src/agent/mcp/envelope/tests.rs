//! What becomes of a line: numbers, doubled keys, what is too deep, and what is no message.

use super::*;
use rmcp::model::{ClientRequest, JsonRpcMessage};

fn call(arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{{"name":"t","arguments":{arguments}}}}}"#
    )
}

/// The member of the arguments that `rmcp` got, and what is in it.
fn carried(line: &[u8]) -> (String, String) {
    let Line::Message(message) = read(line) else { panic!("no message: {:?}", read(line)) };
    let JsonRpcMessage::Request(request) = *message else { panic!("no request") };
    assert_eq!(request.id, NumberOrString::String("c".into()));
    let ClientRequest::CallToolRequest(call) = request.request else { panic!("no call") };
    assert_eq!(call.params.name, "t");
    let mut arguments = call.params.arguments.unwrap().into_iter();
    let (name, text) = arguments.next().unwrap();
    assert!(arguments.next().is_none());
    (name, text.as_str().unwrap().to_owned())
}

#[test]
fn arguments_come_out_as_they_went_in() {
    for arguments in [
        "{}",
        r#"{ "a" : 1.10,"b":1e400, "c":9007199254740993, "d":-0.0, "e":123456789012345678901234567890 }"#,
        r#"{"$serde_json::private::Number":"999","x":{"$serde_json::private::RawValue":"1"}}"#,
        r#"{"é":"\u00e9\n\"\\/","deep":[[[[]]]]}"#,
        r#"{"a":1,"a":2}"#,
        "[1]",
        "null",
        r#""text""#,
    ] {
        let expected = (TEXT.to_owned(), arguments.to_owned());
        assert_eq!(carried(call(arguments).as_bytes()), expected, "{arguments}");
    }
}

#[test]
fn a_call_that_cannot_be_read_is_a_call_that_says_so() {
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let many = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(100_000));
    for arguments in [r#"{"a":"\ud800"}"#, &deep, &many] {
        let (name, why) = carried(call(arguments).as_bytes());
        assert_eq!(name, REFUSED);
        assert!(why.starts_with("it cannot be read: "), "{why}");
    }
}

#[test]
fn what_is_no_message_is_refused_where_somebody_waits_for_it() {
    // The line, and the id of the answer; an empty one is an answer without an id, a dash none at all.
    for (line, expected) in [
        (r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#, "7"),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","name":"b"}}"#, "7"),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"arguments":{},"arguments":{}}}"#, "7"),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, ""),
        (r#"{"jsonrpc":"2.0","id":1e400,"method":"ping"}"#, ""),
        (r#"{"jsonrpc":"2.0","id":"x","method":"ping","params":"\ud800"}"#, "x"),
        (r#"{"jsonrpc":"2.0","method":"x","params":"\ud800"}"#, ""),
        (r#"{"jsonrpc":"1.0","id":3}"#, "3"),
        ("[]", "-"),
        ("{", "-"),
        ("nonsense", "-"),
        ("", "-"),
        ("  \r", "-"),
        ("\u{feff}{}", "-"),
    ] {
        let said = match read(line.as_bytes()) {
            Line::Message(message) => panic!("{line}: {message:?}"),
            Line::Reply(id, _) => id.map(|id| id.to_string()).unwrap_or_default(),
            Line::Nothing(_) => "-".to_owned(),
        };
        assert_eq!(said, expected, "{line}");
    }
    assert!(matches!(read(b"\xff\xfe"), Line::Nothing(_)));
}

#[test]
fn other_messages_are_what_they_are() {
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\r",
    ] {
        assert!(matches!(read(line.as_bytes()), Line::Message(_)), "{line}");
    }
}
