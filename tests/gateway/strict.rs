//! Strict JSON at every entrance: the same attacks at each of them, each with an answer that names it. And what is taken
//! stays what it is, byte for byte, from the asking to the consuming.

use crate::support::{Answer, Call, Entry, Fixture, call};
use aegis_console::domain::Action;
use serde_json::{Value, json};

/// An attack inside an object: a member that is put into a body. The status, the code, a word of the sentence.
struct Attack {
    member: Vec<u8>,
    code: &'static str,
    names: &'static str,
}

fn attack(member: impl Into<Vec<u8>>, code: &'static str, names: &'static str) -> Attack {
    Attack { member: member.into(), code, names }
}

fn nested(depth: usize) -> String {
    format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth))
}

fn attacks() -> Vec<Attack> {
    vec![
        attack(r#""x":1,"x":2"#, "duplicate_key", "\"x\""),
        attack(r#""x":[{"a":1,"\u0061":2}]"#, "duplicate_key", "\"a\""),
        attack(r#""\u0078\u001b[2J":1,"x\u001b[2J":1"#, "duplicate_key", "␛"),
        attack(nested(80), "too_deep", "6"),
        attack(nested(200_000), "too_deep", "6"),
        attack(format!(r#""x":[{}1]"#, "1,".repeat(20_500)), "too_many_values", "20"),
        attack(b"\"x\":\"\xff\"".to_vec(), "invalid_unicode", "UTF-8"),
        attack(b"\"x\":\"\xed\xa0\x80\"".to_vec(), "invalid_unicode", "UTF-8"),
        attack(b"\"x\":\"\xc0\xaf\"".to_vec(), "invalid_unicode", "UTF-8"),
        attack(r#""x":"\ud800""#, "invalid_unicode", "surrogate"),
        attack(r#""x":"\udc00\ud800""#, "invalid_unicode", "surrogate"),
        attack(r#""\ud83d":1"#, "invalid_unicode", "surrogate"),
        attack(b"\"x\":\"\0\"".to_vec(), "invalid_json", "0x00"),
        attack("\"x\":\"\n\"", "invalid_json", "0x0a"),
        attack(b"\"x\":\0".to_vec(), "invalid_json", "unexpected"),
        attack(r#""x":NaN"#, "invalid_json", "unexpected"),
        attack(r#""x":01"#, "invalid_json", "number"),
        attack(r#""x":.5"#, "invalid_json", "unexpected"),
        attack(r#""x":1."#, "invalid_json", "number"),
        attack(r#""x":+1"#, "invalid_json", "unexpected"),
        attack(r#""x":0x1F"#, "invalid_json", "number"),
        attack(r#""x":"\x41""#, "invalid_json", "escape"),
        attack(r#""x":'a'"#, "invalid_json", "unexpected"),
        attack(r#""x":1,"#, "invalid_json", "unexpected"),
        attack(r#""x":1,/* no */"y":2"#, "invalid_json", "unexpected"),
        attack("\"x\":\u{a0}1", "invalid_json", "unexpected"),
        attack(r#"x:1"#, "invalid_json", "unexpected"),
        attack(r#""x" 1"#, "invalid_json", "unexpected"),
        attack(r#""x":tru"#, "invalid_json", "unexpected"),
    ]
}

/// Attacks on the whole body: what stands before and behind a good one.
const AROUND: [(&[u8], &[u8], &str, &str); 8] = [
    (b"\xef\xbb\xbf", b"", "invalid_json", "byte-order mark"),
    (b"\xff\xfe", b"", "invalid_unicode", "UTF-8"),
    (b"", b"\0", "invalid_json", "after the value"),
    (b"", b" {}", "invalid_json", "after the value"),
    (b"", b"]", "invalid_json", "after the value"),
    (b"", b"\x0c", "invalid_json", "after the value"),
    (b"\x1e", b"", "invalid_json", "unexpected"),
    (b")]}'\n", b"", "invalid_json", "unexpected"),
];

/// Every entrance that reads JSON: its name, a call to it, and a good body that ends with `}`.
fn entrances(fixture: &Fixture, id: &str) -> Vec<(&'static str, Call, &'static str)> {
    let agent = |path: String| call("POST", path).bearer(&fixture.agent).header("Idempotency-Key", "k");
    let request = format!("/aap/v1/requests/{id}");
    let reviewer = |path: &str| call("POST", path).bearer(&fixture.reviewer);
    vec![
        ("ask", agent("/aap/v1/requests".into()), r#"{"tool":"t","arguments":{},"timeout":"10m"}"#),
        ("consume", agent(format!("{request}/consume")), "{}"),
        ("outcome", agent(format!("{request}/outcome")), r#"{"status":"succeeded"}"#),
        ("withdraw", call("DELETE", request).bearer(&fixture.agent), "{}"),
        ("approve", reviewer("/api/v1/hitl/approve").key("thread", "a-key"), r#"{"action":"t"}"#),
        ("reject", reviewer("/api/v1/hitl/reject").key("thread", "r-key"), r#"{"review":{"reason":"no"}}"#),
        ("pause", reviewer("/api/v1/hitl/agents/bot/pause"), "{}"),
        ("resume", reviewer("/api/v1/hitl/agents/bot/resume"), "{}"),
    ]
}

fn words(answer: &Answer) -> String {
    let json = answer.json();
    let text = json["detail"].as_str().or_else(|| json["error"]["message"].as_str());
    text.unwrap_or_else(|| panic!("no words: {}", answer.text)).to_owned()
}

#[tokio::test]
async fn every_attack_on_the_json_is_refused_by_name_at_every_entrance() {
    let fixture = Fixture::start().await;
    let entry = fixture.entry("stands", "10m").await;
    let before = fixture.shown(&entry.id).await;
    for (entrance, call, good) in entrances(&fixture, &entry.id) {
        for Attack { member, code, names } in attacks() {
            let comma: &[u8] = if good.len() > 2 { b"," } else { b"" };
            let body = [&good.as_bytes()[..good.len() - 1], comma, &member, b"}"].concat();
            let answer = fixture.send(call.clone().body(body)).await;
            let (member, said) =
                (String::from_utf8_lossy(&member[..member.len().min(40)]).into_owned(), words(&answer));
            // What is too large for the entrance is refused before it is read.
            let expected = if answer.status == 413 { (413, "too_large") } else { (400, code) };
            assert_eq!((answer.status, answer.code().as_str()), expected, "{entrance} {member}: {said}");
            assert!(answer.status == 413 || said.contains(names), "{entrance} {member}: {said}");
            assert!(!said.contains('\u{1b}'), "{said}");
        }
        for (head, tail, code, names) in AROUND {
            let answer = fixture.send(call.clone().body([head, good.as_bytes(), tail].concat())).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, code), "{entrance} {head:?} {tail:?}");
            assert!(words(&answer).contains(names), "{entrance}: {}", words(&answer));
        }
        for cut in 1..good.len() {
            assert_eq!(
                fixture.send(call.clone().body(&good[..cut])).await.status,
                400,
                "{entrance} cut at {cut}"
            );
        }
        for other in ["[]", "7", "\"{}\"", "null"] {
            let status = fixture.send(call.clone().body(other)).await.status;
            assert!(matches!(status, 400 | 422), "{entrance} {other}: {status}");
        }
    }
    assert_eq!(fixture.shown(&entry.id).await, before, "nothing has come of any of it");
    let page = fixture.send(call("GET", "/api/v1/hitl/actions").bearer(&fixture.reviewer)).await;
    assert_eq!(page.json()["actions"].as_array().unwrap().len(), 1);
    let unasked = "SELECT (SELECT count(*) FROM decision) + (SELECT count(*) FROM pause)";
    assert_eq!(fixture.rows(unasked).await, ["0"]);
}

#[tokio::test]
async fn the_last_step_within_each_limit_is_taken_and_the_next_is_not() {
    let fixture = Fixture::start().await;
    let ask = |arguments: String| format!(r#"{{"tool":"t","timeout":"10m","arguments":{{{arguments}}}}}"#);
    let list = |values: usize| format!(r#""x":[{}1]"#, "1,".repeat(values - 1));
    let fill = |bytes: usize| {
        let empty = ask(r#""x":"""#.into()).len();
        ask(format!(r#""x":"{}""#, "y".repeat(bytes - empty)))
    };
    // The submission, the arguments, and what nests in them; the object, its three members, and the list are values too.
    for (key, body, expected) in [
        ("deep", ask(nested(62)), (201, "")),
        ("deeper", ask(nested(63)), (400, "too_deep")),
        ("many", ask(list(20_000 - 5)), (201, "")),
        ("more", ask(list(20_000 - 4)), (400, "too_many_values")),
        ("large", fill(256 * 1024), (201, "")),
        ("larger", fill(256 * 1024 + 1), (413, "too_large")),
    ] {
        let answer = fixture.ask(key, body).await;
        let code = if answer.status == 201 { String::new() } else { answer.code() };
        assert_eq!((answer.status, code.as_str()), expected, "{key}");
    }
    let decide = |key: &str, body: String| {
        fixture.send(call("POST", "/api/v1/hitl/approve").bearer(&fixture.reviewer).key("t", key).body(body))
    };
    let payload = |bytes: usize| format!(r#"{{"x":"{}"}}"#, "y".repeat(bytes - 8));
    assert_eq!(decide("large", payload(1024 * 1024)).await.status, 202);
    assert_eq!(decide("larger", payload(1024 * 1024 + 1)).await.status, 413);
}

#[tokio::test]
async fn ids_keys_and_query_strings_are_checked_letter_by_letter() {
    let fixture = Fixture::start().await;
    for bad in ["a b", "a/b", "", "ä", "\u{0}", "a\n", &"x".repeat(129), "\u{202e}"] {
        for (place, context) in [("thread_id", json!({"thread_id": bad})), ("run_id", json!({"run_id": bad}))]
        {
            let body =
                json!({"tool": "t", "arguments": {}, "timeout": "10m", "context": context}).to_string();
            let answer = fixture.ask("k", body).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_id"), "{place} {bad:?}");
            assert!(words(&answer).contains(place), "{}", answer.text);
        }
    }
    let id = fixture.entry("good", "10m").await.id;
    let agent = format!("/aap/v1/requests/{id}");
    let queries = [
        ("/api/v1/hitl/actions", "state", &fixture.reviewer),
        ("/api/v1/hitl/actions", "limit", &fixture.reviewer),
        ("/api/v1/hitl/actions", "after", &fixture.reviewer),
        (agent.as_str(), "wait", &fixture.agent),
    ];
    for (path, name, token) in queries {
        let good = match name {
            "state" => "pending",
            "wait" => "1s",
            _ => "1",
        };
        for query in [
            format!("{name}=&"),
            name.to_owned(),
            format!("{name}={good}&{name}={good}"),
            format!("{name}={good}%00"),
            format!("%{:02x}{}={good}", name.as_bytes()[0], &name[1..]),
            format!("{name}={good}&other=1"),
            format!("{}={good}", name.to_uppercase()),
            format!("{name}=+{good}"),
            format!("{name}={good}."),
        ] {
            let answer = fixture.send(call("GET", format!("{path}?{query}")).bearer(token)).await;
            assert_eq!(answer.status, 400, "{path}?{query}: {}", answer.text);
            assert!(matches!(answer.code().as_str(), "bad_query" | "invalid_wait"), "{}", answer.text);
        }
    }
    let ask = |key: &str| {
        let call = call("POST", "/aap/v1/requests").bearer(&fixture.agent).header("Idempotency-Key", key);
        fixture.send(call.body(r#"{"tool":"t","arguments":{},"timeout":"10m"}"#))
    };
    for bad in ["", "a b", "ä", "a\tb", &"k".repeat(256)] {
        let answer = ask(bad).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_header"), "{bad:?}: {}", answer.text);
    }
}

/// Objects that serde_json would read as something else with the wrong features, and numbers that a double cannot hold.
const KEPT: &str = r#"{"n":{"$serde_json::private::Number":"999"},"r":{"$serde_json::private::RawValue":"{\"a\":1}"},
 "x" : [ -0, 0.10, 1.10, 1E+2, 1e400, -1e-400, 9007199254740993, 123456789012345678901234567890, 0e0 ] ,"\u0061":"\u0062\ud83d\ude00 é","":"" }"#;

#[tokio::test]
async fn what_is_asked_stays_what_it_is_from_the_asking_to_the_consuming() {
    let fixture = Fixture::start().await;
    let labels = r#"{"$serde_json::private::Number":"1"}"#;
    let body = format!(
        r#"{{"tool":"t","arguments":{KEPT},"timeout":"10m","context":{{"labels":{labels},"x":{KEPT}}}}}"#
    );
    let asked = fixture.ask("k", body.clone()).await;
    assert_eq!(asked.status, 201, "{}", asked.text);
    let same = |answer: &Answer| assert!(answer.text.starts_with(&body[..body.len() - 1]), "{}", answer.text);
    same(&asked);
    let id = asked.text.rsplit(r#""id":""#).next().unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/aap/v1/requests/{id}");
    let listed = fixture.send(call("GET", "/api/v1/hitl/actions").bearer(&fixture.reviewer)).await;
    let entry = listed.json()["actions"][0].clone();
    let sealed = entry["sealed"].as_str().unwrap();
    let action = Action::read(sealed).unwrap();
    assert_eq!(
        (action.payload(), entry["digest"].as_str()),
        (KEPT, Some(action.digest.to_string().as_str()))
    );
    assert!(sealed.contains(&format!(r#""payload":{KEPT},"#)), "{sealed}");
    assert!(sealed.contains(&format!(r#""claims":{{"labels":{labels},"x":{KEPT}}},"#)), "{sealed}");
    assert!(sealed.contains(&format!(r#""labels":{labels},"#)), "{sealed}");
    assert_eq!(fixture.shown(&id).await, entry);
    let seen = Entry {
        id: id.clone(),
        thread: action.thread_id.raw().to_owned(),
        key: action.idempotency_key.clone(),
        digest: action.digest.to_string(),
    };
    let decided = fixture.decide("approve", &seen, None).await;
    assert_eq!(decided.status, 202, "{}", decided.text);
    for (method, path, key, body) in [
        ("GET", path.clone(), None, ""),
        ("POST", format!("{path}/consume"), Some("c"), ""),
        ("POST", format!("{path}/consume"), Some("c"), "{}"),
        (
            "POST",
            format!("{path}/outcome"),
            None,
            r#"{"status":"failed","note":"{\"$serde_json::private::Number\":\"1\"}"}"#,
        ),
        ("GET", path.clone(), None, ""),
    ] {
        let answer = fixture.agent_call(method, path, key, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        same(&answer);
    }
    let again: Value = fixture.shown(&id).await;
    assert_eq!((&again["sealed"], &again["digest"]), (&entry["sealed"], &entry["digest"]));
    assert_eq!(again["execution"]["note"], r#"{"$serde_json::private::Number":"1"}"#);
}
