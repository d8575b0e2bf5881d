use serde_json::json;

use crate::client::{Client, codes, token};

#[test]
fn findings_come_and_go_while_somebody_types() {
    let good = token("a", "[get]/rest/api/2/issue/KANBAN-[0-9]+/comment");
    let other = token("b", "[get]/rest/api/2/[");
    let mut client = Client::start(&[
        ("a.toml", &good),
        ("sub/b.toml", &other),
        ("unused.limits", "/rest/x\n"),
    ]);
    client.open("a.toml", &good);
    // Files that are not open have findings too.
    let found = client.findings("sub/b.toml", |found| !found.is_empty());
    assert_eq!(codes(&found), ["TW0013"]);
    assert_eq!(
        (found[0]["severity"].as_i64(), found[0]["source"].as_str()),
        (Some(1), Some("tokenward"))
    );
    let found = client.findings("unused.limits", |found| !found.is_empty());
    assert_eq!(codes(&found), ["TW0106"]);
    assert_eq!(found[0]["tags"], json!([1]), "shown as unnecessary");
    // A bracket too much, in the line behind an astral character and after `\r\n`.
    let line = good.lines().position(|line| line.starts_with("[get]")).unwrap();
    let change = |start: usize, end: usize, text: &str| json!([{ "range": { "start": { "line": line, "character": start }, "end": { "line": line, "character": end } }, "text": text }]);
    client.change("a.toml", 2, change(0, 0, "# 💡\r\n"));
    let line = line + 1;
    let at = json!({ "line": line, "character": 5 });
    client.change(
        "a.toml",
        3,
        json!([{ "range": { "start": at, "end": at }, "text": "(" }]),
    );
    let found = client.findings("a.toml", |found| !found.is_empty());
    assert_eq!(codes(&found), ["TW0013"]);
    assert_eq!(found[0]["range"]["start"]["line"], line);
    client.change(
        "a.toml",
        4,
        json!([{ "range": { "start": at, "end": { "line": line, "character": 6 } }, "text": "" }]),
    );
    client.findings("a.toml", <[_]>::is_empty);
    client.finish();
}

#[test]
fn findings_of_other_tokens_move_with_their_text() {
    let text = format!(
        "{}{}",
        token("one", "[get]/rest/api/2/issue/KANBAN-[0-9]+"),
        token("two", "[get]/rest/api/2/project/A\n[get]/rest/api/2/project/A")
    );
    let mut client = Client::start(&[("a.toml", &text)]);
    client.open("a.toml", &text);
    let found = client.findings("a.toml", |found| !found.is_empty());
    assert_eq!(codes(&found), ["TW0108"]);
    assert!(
        found[0]["relatedInformation"][0]["location"]["uri"]
            .as_str()
            .unwrap()
            .ends_with("/a.toml")
    );
    let before = found[0]["range"]["start"]["line"].as_i64().unwrap();
    let start = json!({ "line": 1, "character": 0 });
    client.change(
        "a.toml",
        2,
        json!([{ "range": { "start": start, "end": start }, "text": "\n\nnam = 1\n" }]),
    );
    let found = client.findings("a.toml", |found| codes(found).contains(&"TW0002"));
    // The first answer already has both: of the changed token, and of the one that moved.
    let moved = found
        .iter()
        .find(|one| one["code"] == "TW0108")
        .expect("it is kept");
    assert_eq!(moved["range"]["start"]["line"].as_i64().unwrap(), before + 3);
    client.finish();
}

#[test]
fn a_closed_document_counts_as_it_is_on_disk() {
    let good = token("a", "[get]/rest/api/2/myself");
    let mut client = Client::start(&[
        ("a.toml", &good),
        ("b.toml", &token("b", "[get]/rest/api/2/user")),
    ]);
    client.open("b.toml", &token("b", "[get]/rest/api/2/user"));
    client.open("a.toml", "[[token]]\n");
    client.findings("a.toml", |found| codes(found).contains(&"TW0004"));
    client.tell(
        "textDocument/didClose",
        json!({ "textDocument": { "uri": client.uri("a.toml") } }),
    );
    client.findings("a.toml", <[_]>::is_empty);
    client.finish();
}

#[test]
fn a_byte_order_mark_on_disk_moves_no_place() {
    let text = format!("\u{feff}nam = 1\n{}", token("a", "[get]/rest/api/2/myself"));
    let good = token("b", "[get]/rest/api/2/user");
    let mut client = Client::start(&[("a.toml", &text), ("b.toml", &good)]);
    client.open("b.toml", &good);
    let found = client.findings("a.toml", |found| codes(found).contains(&"TW0002"));
    let unknown = found.iter().find(|one| one["code"] == "TW0002").unwrap();
    assert_eq!(unknown["range"]["start"], json!({ "line": 0, "character": 0 }));
    assert_eq!(unknown["range"]["end"], json!({ "line": 0, "character": 3 }));
    client.finish();
}

#[test]
fn problems_of_the_configuration_have_their_places() {
    let mut client = Client::start(&[]);
    client.open("tokenward.toml", "💡bad\n");
    let found = client.findings("tokenward.toml", |found| !found.is_empty());
    assert_eq!(found[0]["range"]["start"], json!({ "line": 0, "character": 2 }));
    client.change("tokenward.toml", 2, json!([{ "text": "fine" }]));
    client.findings("tokenward.toml", <[_]>::is_empty);
    client.finish();
}

#[test]
fn many_changes_end_with_the_findings_of_the_last() {
    let good = token("a", "[get]/rest/api/2/myself");
    let mut client = Client::start(&[("a.toml", &good)]);
    client.open("a.toml", &good);
    for version in 2..400_i32 {
        client.change(
            "a.toml",
            version,
            json!([{ "text": format!("{good}{}", "x".repeat(usize::try_from(version % 7).unwrap())) }]),
        );
    }
    client.change(
        "a.toml",
        400,
        json!([{ "text": token("a", "[get]/rest/api/2/[") }]),
    );
    let found = client.findings("a.toml", |found| codes(found) == ["TW0013"]);
    assert_eq!(found.len(), 1);
    client.finish();
}
