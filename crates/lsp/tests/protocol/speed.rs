//! The time from a change to its findings in a policy of 1,000 tokens with 10 lines each. The bound is loose, for debug builds on busy
//! machines; docs/editors.md has figures of the release build.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Client, codes, token};

fn large() -> String {
    let tokens = (0..1_000).map(|number| {
        let lines = (0..10).map(|line| format!("[get]/rest/api/2/issue/P{number}-{line}[0-9]/comment"));
        token(&format!("t{number}"), &lines.collect::<Vec<_>>().join("\n"))
    });
    tokens.collect()
}

#[test]
fn a_change_in_a_large_policy_is_answered_at_once() {
    let text = large();
    let mut client = Client::start(&[("a.toml", &text)]);
    client.open("a.toml", &text);
    // The first whole check has nothing to say.
    let other = format!("{text}[[token]]\n");
    client.change("a.toml", 2, json!([{ "text": other }]));
    client.findings("a.toml", |found| codes(found).contains(&"TW0004"));
    client.change("a.toml", 3, json!([{ "text": text }]));
    client.findings("a.toml", <[_]>::is_empty);
    let line = text.lines().position(|line| line.contains("/P500-5")).unwrap();
    let mut times = Vec::new();
    for round in 0..5 {
        let at = json!({ "line": line, "character": 5 });
        let began = Instant::now();
        client.change(
            "a.toml",
            10 + 2 * round,
            json!([{ "range": { "start": at, "end": at }, "text": "[" }]),
        );
        client.findings("a.toml", |found| codes(found).contains(&"TW0013"));
        times.push(began.elapsed());
        let end = json!({ "line": line, "character": 6 });
        client.change(
            "a.toml",
            11 + 2 * round,
            json!([{ "range": { "start": at, "end": end }, "text": "" }]),
        );
        client.findings("a.toml", <[_]>::is_empty);
    }
    times.sort_unstable();
    println!("from a change to its findings: {times:?}");
    assert!(times[0] < Duration::from_secs(2), "{times:?}");
    client.finish();
}
