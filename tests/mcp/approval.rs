//! `request_approval` and `report_outcome`, as any client calls them, and what the tools are listed as.

use crate::client::Place;
use aegis_console::domain::{Untrusted, Verdict};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_and_how_it_went() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    let wish = r#"{"action":"deploy","payload":{"version":1.10},"summary":"api to production","reason":"a fix","risk":"high",
        "labels":{"env":"prod"},"timeout":"2h","thread":"release-2","key":"k"}"#
        .replace('\n', " ");
    client.call("a", "request_approval", &wish);
    let entry = place.decide("deploy", Verdict::Approve, "after lunch").await;
    let action = &entry.action;
    assert_eq!((action.payload(), action.thread_id.raw()), (r#"{"version":1.10}"#, "release-2"));
    assert_eq!(action.rationale.as_ref().map(Untrusted::raw), Some("a fix"));
    let left = action.expires_at.duration_since(action.created_at);
    assert_eq!(left.as_secs(), 30 * 60, "never longer than the server's own limit");
    let covers = r#""source":{"name":"mcp","reason":true,"covers":"many_calls","silence":"not_run"}"#;
    assert!(action.sealed.contains(covers), "{}", action.sealed);

    let result = client.result("a");
    let told = &result["structuredContent"];
    assert_eq!((&result["isError"], &told["status"]), (&json!(false), &json!("approved")), "{result}");
    assert_eq!(
        (&told["reason"], &told["request_id"]),
        (&json!("after lunch"), &json!(action.id)),
        "{result}"
    );
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("APPROVED.") && text.contains("after lunch") && text.contains(&action.id),
        "{text}"
    );

    client.call("b", "request_approval", &wish);
    let again = client.result("b");
    assert_eq!(again["structuredContent"]["status"], "error", "an approval is given once: {again}");

    let report = json!({"request_id": action.id, "status": "failed", "note": "out of disk"}).to_string();
    for id in ["c", "d"] {
        client.call(id, "report_outcome", &report);
        let result = client.result(id);
        assert_eq!(result["isError"], false, "{result}");
    }
    let execution = place.now(&entry).await.execution.unwrap();
    assert_eq!(execution.note.as_ref().map(Untrusted::raw), Some("out of disk"));
    client.call("e", "report_outcome", &report.replace("failed", "succeeded"));
    let result = client.result("e");
    assert_eq!(result["isError"], true, "it cannot be unsaid: {result}");
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_is_a_no_in_plain_words() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    let status = |result: &Value| {
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("NOT APPROVED (") && text.contains("Do not do it"), "{text}");
        result["structuredContent"]["status"].as_str().unwrap().to_owned()
    };
    client.call("no", "request_approval", r#"{"action":"drop","payload":{}}"#);
    place.decide("drop", Verdict::Reject, "never").await;
    let result = client.result("no");
    assert_eq!(
        (status(&result).as_str(), &result["structuredContent"]["reason"]),
        ("denied", &json!("never"))
    );

    client.call("late", "request_approval", r#"{"action":"late","payload":{},"timeout":"1s"}"#);
    assert_eq!(status(&client.result("late")), "expired");

    for (number, (arguments, words)) in [
        (r#"{"payload":{}}"#, "action"),
        (r#"{"action":"a"}"#, "payload"),
        (r#"{"action":"a","payload":"{}"}"#, "payload"),
        (r#"{"action":"a","payload":{},"Risk":"low"}"#, "Risk"),
        (r#"{"action":"a","payload":{},"risk":"none"}"#, "risk"),
        (r#"{"action":"a","payload":{},"labels":{"n":1}}"#, "labels"),
        (r#"{"action":"a","payload":{},"timeout":"soon"}"#, "timeout"),
        (r#"{"action":"a","payload":{},"timeout":"0s"}"#, "timeout"),
        (r#"{"action":"a","payload":{},"thread":"a b"}"#, "thread"),
        (r#"{"action":"a","payload":{"x":1,"x":2}}"#, "stands twice"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("call-{number}");
        client.call(&id, "request_approval", arguments);
        let result = client.result(&id);
        assert_eq!((status(&result).as_str(), &result["isError"]), ("error", &json!(true)), "{arguments}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(words) && text.contains("Nobody was asked"), "{words}: {text}");
    }
    for arguments in ["{}", r#"{"request_id":"x","status":"succeeded"}"#, r#"{"status":"failed"}"#] {
        client.call("r", "report_outcome", arguments);
        assert_eq!(client.result("r")["isError"], true, "{arguments}");
    }
    assert!(place.reviewer.pending().await.is_empty());
    place.gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tools_are_listed_as_they_are() {
    let place = Place::new().await;
    let mut client = place.client(&[]);
    client.send(&json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list"}));
    let listed = client.result("list");
    let tools = listed["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["request_approval", "report_outcome", "permission_prompt"]);
    for tool in tools {
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        assert_eq!(tool["inputSchema"]["type"], "object");
        let required = tool["inputSchema"]["required"].as_array().unwrap();
        assert!(required.iter().all(|name| properties.contains_key(name.as_str().unwrap())), "{tool}");
        // An argument that is listed is taken: what is wrong with it is its value.
        for name in properties.keys() {
            client.call("x", tool["name"].as_str().unwrap(), &json!({ (name): [] }).to_string());
            let text = client.text("x");
            assert!(!text.contains("there is no argument"), "{name}: {text}");
        }
    }
    place.gateway.shutdown().await;
}
