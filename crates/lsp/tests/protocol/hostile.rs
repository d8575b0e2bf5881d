use lsp_server::{Message, RequestId, Response};
use serde_json::{Value, json};
use tokenward_lsp::Ended;

use crate::client::{Client, codes, token};

#[test]
fn the_order_of_the_protocol_is_kept() {
    let mut client = Client::silent(&[]);
    assert_eq!(
        client.try_ask("textDocument/hover", json!({})).unwrap_err().0,
        -32002
    );
    client.tell("textDocument/didOpen", json!({}));
    client.ask("initialize", json!({}));
    assert_eq!(client.try_ask("no/such", json!({})).unwrap_err().0, -32601);
    client.ask("shutdown", Value::Null);
    assert_eq!(
        client.try_ask("textDocument/hover", json!({})).unwrap_err().0,
        -32600
    );
    client.tell("exit", Value::Null);
    assert_eq!(client.leave(), Ended::Asked);
    let client = Client::start(&[]);
    client.tell("exit", Value::Null);
    assert_eq!(client.leave(), Ended::Left);
    assert_eq!(Client::start(&[]).leave(), Ended::Left);
    assert_eq!(Client::silent(&[]).leave(), Ended::Left);
}

#[test]
fn odd_messages_change_nothing() {
    let good = token("a", "[get]/rest/api/2/myself");
    let mut client = Client::start(&[("a.toml", &good)]);
    let odd = [
        Value::Null,
        json!([]),
        json!({}),
        json!({ "textDocument": { "uri": "not a uri" } }),
        json!({ "textDocument": { "uri": "file:///" }, "position": { "line": -1, "character": 0 } }),
        json!({ "textDocument": { "uri": "untitled:x", "version": 1, "text": "", "languageId": "toml" } }),
        json!({ "textDocument": { "uri": "file:///%00/a.toml", "version": 1, "text": "", "languageId": "toml" } }),
        json!({ "textDocument": { "uri": "http://example.com/a.toml", "version": 1, "text": "", "languageId": "toml" } }),
        json!({ "textDocument": { "uri": client.uri("a.toml"), "version": 9 }, "contentChanges": [{ "range": 1 }] }),
    ];
    let methods = [
        "initialized",
        "initialize",
        "textDocument/didOpen",
        "textDocument/didChange",
        "textDocument/didClose",
        "textDocument/didSave",
        "workspace/didChangeWatchedFiles",
        "$/cancelRequest",
        "textDocument/hover",
        "textDocument/completion",
        "textDocument/definition",
        "textDocument/references",
        "textDocument/rename",
        "textDocument/prepareRename",
        "textDocument/codeAction",
        "textDocument/formatting",
        "",
    ];
    for method in methods {
        for params in &odd {
            client.tell(method, params.clone());
            let _ = client.try_ask(method, params.clone());
        }
    }
    client.send(Message::Response(Response::new_ok(
        RequestId::from(77),
        json!({}),
    )));
    client.open("a.toml", &token("a", "["));
    client.findings("a.toml", |found| codes(found) == ["TW0013"]);
    client.finish();
}

#[test]
fn positions_outside_the_text_are_answered() {
    let text = token("a", "[get]/rest/💡\r\n[post]/x");
    let mut client = Client::start(&[("a.toml", &text), ("s.limits", "💡")]);
    client.open("a.toml", &text);
    client.open("s.limits", "💡");
    for path in ["a.toml", "s.limits", "not-there.toml"] {
        for line in [0, 1, 6, 7, 8, 9, u32::MAX] {
            for character in [0, 1, 11, 12, 13, u32::MAX] {
                let params = json!({
                    "textDocument": { "uri": client.uri(path) },
                    "position": { "line": line, "character": character },
                    "range": { "start": { "line": line, "character": character }, "end": { "line": 0, "character": 0 } },
                    "context": { "includeDeclaration": true, "diagnostics": [] },
                    "newName": "x",
                });
                for method in [
                    "hover",
                    "completion",
                    "definition",
                    "references",
                    "rename",
                    "prepareRename",
                    "codeAction",
                ] {
                    let _ = client.try_ask(&format!("textDocument/{method}"), params.clone());
                }
            }
        }
    }
    client.finish();
}

#[test]
fn a_cancelled_request_is_answered_once() {
    let text = token("a", "[get]/rest/.*");
    let mut client = Client::start(&[("a.toml", &text)]);
    client.open("a.toml", &text);
    let params = client.at("a.toml", &text, "/rest");
    let ids: Vec<RequestId> = (0..200)
        .map(|_| client.request("textDocument/hover", params.clone()))
        .collect();
    for id in ids.iter().rev() {
        client.tell("$/cancelRequest", json!({ "id": id }));
    }
    let mut codes: Vec<i32> = ids
        .iter()
        .map(|id| client.answer(id).map_or_else(|(code, _)| code, |_| 0))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    // Done, cancelled, or refused because too many waited.
    assert!(
        codes.iter().all(|code| [0, -32800, -32802].contains(code)),
        "{codes:?}"
    );
    client.finish();
}
