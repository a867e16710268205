//! The fault table: what goes wrong, and the best word that can be said of it where the status call and every 409 tell
//! all. Times are a fiftieth of the real ones, as the client's are.

use crate::aegis::{Act, Ending, Other, Reply, Script, Step};
use aegis_console::domain::Verdict::{Approve, Reject};
use std::time::Duration;

/// One case. The decision is always an approval.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) script: Script,
    /// Any of these is the best that can be said.
    pub(crate) best: &'static [&'static str],
}

const DONE: &[&str] = &["committed"];
const MINE: &[&str] = &["mine"];
const FAILED: &[&str] = &["failed"];
const REFUSED: &[&str] = &["refused"];
const QUOTA: &[&str] = &["quota"];
const UNCONFIRMED: &[&str] = &["unconfirmed"];
const UNKNOWN: &[&str] = &["unknown"];
const SAME: &[&str] = &["same"];
const CONFLICT: &[&str] = &["conflict"];
const AT_WORK: &[&str] = &["in_progress"];

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn bytes(text: impl AsRef<[u8]>) -> Reply {
    Reply::Bytes(text.as_ref().to_vec())
}

fn whole(status: u16, body: &str) -> Reply {
    Reply::Whole(status, String::new(), body.into())
}

fn hinted(status: u16, retry_after: &str) -> Reply {
    Reply::Whole(status, format!("Retry-After: {retry_after}\r\n"), b"{}".to_vec())
}

fn headers(count: usize) -> String {
    (0..count).map(|number| format!("X-{number}: y\r\n")).collect()
}

/// Every way in which an answer says nothing of what happened.
fn losses() -> Vec<(&'static str, Reply)> {
    let head = "HTTP/1.1 202 Accepted\r\n";
    vec![
        ("reset", Reply::Reset),
        ("closed", Reply::Close),
        ("hang", Reply::Hang),
        ("head cut", Reply::Cut(20, Ending::Closed)),
        ("head cut by a reset", Reply::Cut(20, Ending::Reset)),
        ("body cut", bytes(format!("{head}Content-Length: 99\r\n\r\n{{\"status\":\"COMM"))),
        ("body cut at its last byte", bytes(format!("{head}Content-Length: 3\r\n\r\n{{}}"))),
        (
            "body never starts",
            Reply::Drip(format!("{head}Content-Length: 90000\r\n\r\n").into(), b" ".to_vec()),
        ),
        ("chunk cut", bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\n20\r\n{{\"sta"))),
        ("last chunk missing", bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n"))),
        (
            "chunk size garbage",
            bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n")),
        ),
        ("head drips", Reply::Drip(format!("{head}X-Slow: ").into(), b"y".to_vec())),
        ("slower than the timeout", Reply::Slowly(ms(20))),
        ("two lengths", bytes(format!("{head}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{{}}"))),
        ("length garbage", bytes(format!("{head}Content-Length: two\r\n\r\n{{}}"))),
        ("garbage", bytes([0, 159, 146, 150, 13, 10, 13, 10])),
        ("another protocol", bytes("SSH-2.0-OpenSSH_9.6\r\n\r\n")),
        ("a page without a head", bytes("<html>502</html>")),
        ("HTTP/9.9", bytes("HTTP/9.9 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")),
        ("status 999", bytes("HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\n{}")),
        ("65 headers", Reply::As(202, headers(65))),
        ("2000 headers", Reply::As(202, headers(2000))),
        ("a header of 1 MiB", Reply::As(202, format!("X: {}\r\n", "y".repeat(1 << 20)))),
        ("endless headers", Reply::Endless(head.into(), b"X-Flood: y\r\n".repeat(100))),
        ("endless 1xx", Reply::Drip(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100))),
        ("101", bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")),
        ("200 of a proxy", whole(200, "<html>welcome</html>")),
        ("200 of the server", Reply::As(200, String::new())),
        ("201", whole(201, r#"{"status":"COMMITTED"}"#)),
        ("204", bytes("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")),
        ("500", whole(500, r#"{"detail":"oops"}"#)),
        ("502 page", whole(502, "<html>Bad Gateway</html>")),
        ("503", whole(503, "")),
        ("504", whole(504, "")),
        ("520", whole(520, "unknown \u{1b}[2J")),
        ("503 with a hint", hinted(503, "1")),
        ("408", whole(408, "")),
    ]
}

/// Ways in which a 202 comes that is whole all the same.
fn acceptances() -> Vec<(&'static str, Reply)> {
    let head = "HTTP/1.1 202 Accepted\r\nConnection: close\r\n";
    let gzip = [b"\x1f\x8b\x08\x00".as_slice(), &[0; 50_000]].concat();
    vec![
        ("natural", Reply::Natural),
        ("no body", whole(202, "")),
        ("a page", whole(202, "<html>COMMITTED</html>")),
        ("an array", whole(202, "[]")),
        ("not UTF-8", Reply::Whole(202, String::new(), b"{\"status\":\"\xff\"}".to_vec())),
        ("deep", whole(202, &"[".repeat(30_000))),
        ("the same field twice", whole(202, r#"{"status":"FAILED","status":"COMMITTED"}"#)),
        ("a control character in every text", whole(202, "{\"detail\":\"\\u001b[2J\\u0007\"}")),
        ("chunked", bytes(format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"))),
        ("until it closes", bytes(format!("{head}\r\n{{}}"))),
        ("after a 100", bytes(format!("HTTP/1.1 100 Continue\r\n\r\n{head}Content-Length: 2\r\n\r\n{{}}"))),
        ("packed", Reply::Whole(202, "Content-Encoding: gzip\r\n".into(), gzip.clone())),
        ("a bomb", Reply::Endless(format!("{head}Content-Encoding: gzip\r\n\r\n").into(), gzip)),
        ("an endless body", Reply::Endless(format!("{head}\r\n").into(), vec![b' '; 1 << 16])),
        ("64 headers less what is there", Reply::As(202, headers(60))),
        ("with a redirect", Reply::As(202, "Location: http://127.0.0.1:9/\r\n".into())),
    ]
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: String, script: Script, best| cases.push(Case { name, script, best });

    for (name, reply) in acceptances() {
        case(format!("accepted: {name}"), Script::new([Step::new(Act::Decide, reply)]), DONE);
    }
    for (name, reply) in losses() {
        let once = |act| Script::new([Step::new(act, reply.clone())]);
        case(format!("done, then {name}"), once(Act::Decide), MINE);
        case(format!("not done, {name}"), once(Act::Nothing), DONE);
    }
    for (name, reply) in losses() {
        if ["reset", "hang", "garbage", "body cut", "500", "408", "200 of a proxy", "endless 1xx"]
            .contains(&name)
        {
            let always = |act| Script::always(Step::new(act, reply.clone()));
            case(format!("done, then always {name}"), always(Act::Decide), MINE);
            case(format!("never done, always {name}"), always(Act::Nothing), UNCONFIRMED);
        }
    }
    for (name, bytes) in [("nothing", 0), ("a byte", 1), ("the head in part", 40), ("all but the body", 200)]
    {
        case(format!("of the request {name} is read"), Script::new([Step::cut_request(bytes)]), DONE);
    }
    for (millis, name) in [(100, "late, but in time"), (350, "later than the timeout")] {
        let late = Script::new([Step::natural().late(millis)]);
        case(format!("done {name}"), late, if millis < 200 { DONE } else { MINE });
    }
    let overtaken = Script::new([Step::natural().late(1_200)]);
    case("the first try arrives after the second".into(), overtaken, &["committed", "mine"]);
    let after_all = Script::always(Step::new(Act::Decide, Reply::Natural).late(4_000));
    case("every try arrives after the deadline".into(), after_all, UNCONFIRMED);

    case("nobody there".into(), Script::absent(), &["not_sent"]);

    processing(&mut case);
    refusals(&mut case);
    others(&mut case);
    cases
}

/// How the processing of what was taken ends.
fn processing(case: &mut impl FnMut(String, Script, &'static [&'static str])) {
    let once = |act, reply| Script::new([Step::new(act, reply)]);
    let swept = |effect| Act::Swept { effect, after: ms(250) };
    case("accepted, committed soon".into(), once(Act::Commit(ms(150)), Reply::Natural), DONE);
    case("accepted, committed later".into(), once(Act::Commit(ms(900)), Reply::Natural), DONE);
    case("accepted, never ends".into(), once(Act::Orphan { effect: false }, whole(202, "{}")), &["accepted"]);
    for effect in [false, true] {
        let how = if effect { "after the effect" } else { "before the effect" };
        let accepted = once(swept(effect), whole(202, r#"{"status":"PENDING"}"#));
        case(format!("accepted, then its server dies {how}"), accepted, FAILED);
        let orphan = Act::Orphan { effect };
        case(format!("its server dies {how}, never swept"), once(orphan, Reply::Natural), AT_WORK);
        case(format!("its server dies {how} with a 500"), once(orphan, whole(500, "")), AT_WORK);
        case(format!("its server dies {how} in a hang"), once(orphan, Reply::Hang), AT_WORK);
        // The janitor comes while the client watches: after the 409 that says PENDING.
        let later = Act::Swept { effect, after: ms(1_100) };
        case(format!("its server dies {how}, swept while it is watched"), once(later, Reply::Reset), FAILED);
    }
    case("committed after the answer was lost".into(), once(Act::Commit(ms(900)), Reply::Reset), MINE);
    // Long after the second try, which comes half a second later and more on a busy machine.
    case("committed after a 500".into(), once(Act::Commit(ms(1_500)), whole(500, "")), MINE);
    case("processing fails once".into(), once(Act::Fail, Reply::Natural), DONE);
    case("processing fails always".into(), Script::always(Step::new(Act::Fail, Reply::Natural)), FAILED);
    case("processing fails, and the answer is lost".into(), once(Act::Fail, Reply::Reset), FAILED);
}

/// The server says no, or not yet.
fn refusals(case: &mut impl FnMut(String, Script, &'static [&'static str])) {
    let no = |reply| Step::new(Act::Nothing, reply);
    for status in [400, 401, 402, 403, 404, 405, 410, 412, 413, 415, 422, 431, 451] {
        case(format!("{status}"), Script::always(no(whole(status, r#"{"detail":"no"}"#))), REFUSED);
    }
    for status in [301, 302, 303, 307, 308] {
        case(format!("{status} to another server"), Script::always(no(Reply::Redirect(status))), REFUSED);
    }
    case("304".into(), Script::always(no(bytes("HTTP/1.1 304 X\r\nConnection: close\r\n\r\n"))), REFUSED);
    case("a 409 of a proxy".into(), Script::always(no(whole(409, "<html>"))), UNKNOWN);
    case("425, then taken".into(), Script::new([no(whole(425, ""))]), DONE);
    case("429 without a hint".into(), Script::always(no(whole(429, "{}"))), QUOTA);
    for hint in ["3600", "31", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37 GMT", "99999999999999999999"] {
        case(format!("429, Retry-After: {hint}"), Script::always(no(hinted(429, hint))), QUOTA);
    }
    for hint in ["0", "1"] {
        case(format!("429, Retry-After: {hint}, then taken"), Script::new([no(hinted(429, hint))]), DONE);
    }
    case("429 always".into(), Script::always(no(hinted(429, "0"))), QUOTA);
    case("429, then nobody there".into(), Script::new([no(hinted(429, "0")).gone()]), QUOTA);
    case("503 for an hour".into(), Script::always(no(hinted(503, "3600"))), UNCONFIRMED);

    // A doubt, and then a no: the no undoes nothing.
    for (name, reply) in [
        ("400", whole(400, "")),
        ("401", whole(401, "")),
        ("404", whole(404, "")),
        ("422", whole(422, "")),
        ("429", whole(429, "")),
        ("307", Reply::Redirect(307)),
    ] {
        for (doubt, loss) in [("reset", Reply::Reset), ("500", whole(500, ""))] {
            let script =
                |act| Script { rest: no(reply.clone()), ..Script::new([Step::new(act, loss.clone())]) };
            case(format!("done, {doubt}, then {name}"), script(Act::Decide), MINE);
            case(format!("not done, {doubt}, then {name}"), script(Act::Nothing), UNCONFIRMED);
        }
    }
    let gone = |act| Script::new([Step::new(act, Reply::Reset).gone()]);
    case("done, reset, then nobody there".into(), gone(Act::Decide), UNCONFIRMED);
    case("not done, reset, then nobody there".into(), gone(Act::Nothing), UNCONFIRMED);
}

/// Another reviewer.
fn others(case: &mut impl FnMut(String, Script, &'static [&'static str])) {
    let natural = || Script::new([]);
    let other = |act| natural().before(Reject, act);
    case("another approved".into(), natural().before(Approve, Act::Decide), SAME);
    case("another rejected".into(), other(Act::Decide), CONFLICT);
    case("another's approval commits soon".into(), natural().before(Approve, Act::Commit(ms(1_400))), SAME);
    case("another's rejection commits soon".into(), other(Act::Commit(ms(1_400))), CONFLICT);
    case("another's rejection never ends".into(), other(Act::Orphan { effect: true }), AT_WORK);
    for effect in [false, true] {
        let how = if effect { "after the effect" } else { "before the effect" };
        let swept = Act::Swept { effect, after: ms(700) };
        case(format!("another's approval dies {how}"), natural().before(Approve, swept), FAILED);
        case(format!("another's rejection dies {how}"), other(swept), FAILED);
    }
    case("another's approval had failed".into(), natural().before(Approve, Act::Fail), DONE);
    case("another's rejection had failed".into(), other(Act::Fail), DONE);
    for (verdict, word) in [(Approve, SAME), (Reject, CONFLICT)] {
        let name = verdict.word();
        let other = Other(verdict, Act::Decide);
        for (how, reply) in [
            ("lost", Reply::Reset),
            ("timed out", Reply::Hang),
            ("answered 500", whole(500, "")),
            ("408", whole(408, "")),
        ] {
            let lost = Script::new([Step::new(Act::Nothing, reply.clone()).then(other)]);
            case(format!("not done, {how}, another's {name} is first"), lost, word);
            let late = Script::new([Step::new(Act::Decide, reply).then(other)]);
            case(format!("done, {how}, another's {name} is second"), late, MINE);
        }
        let slow = Script::new([Step::new(Act::Commit(ms(700)), Reply::Reset).then(other)]);
        case(format!("at work, lost, another's {name} is second"), slow, MINE);
        let replayed = Script::new([Step::new(Act::Decide, Reply::Replayed)]).before(verdict, Act::Decide);
        case(format!("another's {name} is repeated to everybody"), replayed, word);
        let lost = Step::new(Act::Decide, Reply::Reset);
        let twice = Script::new([lost.clone(), lost]).before(verdict, Act::Decide);
        case(format!("another's {name} was first, the 409 is lost twice"), twice, word);
        let refused = Script::new([Step::new(Act::Nothing, hinted(429, "0")).then(other)]);
        case(format!("429, another's {name} is first"), refused, word);
    }
}
