use serde_json::{Value, json};

use super::{LARGEST, answer};

/// 2026-12-01.
const NOW_MS: i64 = 1_796_083_200_000;
const CONFIG: &str = "[upstream]\nproduct = \"jira\"\npublic_url = \"https://jira.example.com\"\n";
const HASH: &str = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn policy(keys: &str, lines: &[&str]) -> String {
    format!(
        "[[token]]\nname = \"ci\"\nsecret_hash = \"{HASH}\"\nexpires = 2030-01-01T00:00:00Z\n{keys}\nlimit_to = '''\n{}\n'''\n",
        lines.join("\n")
    )
}

fn ask(mut question: Value) -> Value {
    let members = question.as_object_mut().unwrap();
    members.entry("config").or_insert(json!(CONFIG));
    members.insert("now_ms".to_owned(), json!(NOW_MS));
    serde_json::from_str(&answer(&question.to_string())).unwrap()
}

fn decide(keys: &str, request: &str, (user, client): (&str, &str)) -> Value {
    let policy = policy(
        keys,
        &[
            "[get,post]/rest/api/2/issue/KANBAN-\\d+/comment",
            "!/rest/api/2/issue/KANBAN-7/.*",
        ],
    );
    ask(
        json!({ "ask": "decide", "policy": policy, "token": "", "request": request, "user": user, "client": client }),
    )
}

fn decided(request: &str) -> (String, String) {
    let answered = decide("user = \"svc\"", request, ("", ""));
    let text = |name: &str| answered["decide"][name].as_str().unwrap_or_default().to_owned();
    assert!(answered["error"].is_null(), "{answered}");
    (text("decision"), text("reason"))
}

fn wrong(answered: &Value) -> (&str, &str) {
    let text = |name: &str| answered["error"][name].as_str().unwrap();
    (text("part"), text("message"))
}

#[test]
fn a_request_is_decided_as_the_proxy_decides_it() {
    let of = |decision: &str, reason: &str| (decision.to_owned(), reason.to_owned());
    assert_eq!(
        decided("get /rest/api/2/issue/KANBAN-1/comment"),
        of("allow", "allowed")
    );
    assert_eq!(
        decided("GET /rest/api/2/issue/KANBAN-7/comment"),
        of("deny", "forbid-line")
    );
    assert_eq!(
        decided("PUT /rest/api/2/issue/KANBAN-1/comment"),
        of("deny", "no-line")
    );
    assert_eq!(decided("GET /rest/api/2/issue/..%2fKANBAN-1/comment").0, "refuse");
    assert_eq!(decided("GET /elsewhere/..").0, "refuse");
}

#[test]
fn a_request_and_its_command_mean_the_same() {
    let written = "POST /rest/api/2/issue/KANBAN-1/comment\r\nContent-Type: application/json\r\n\r\n{\"body\": \"a\"}\n";
    let command = "$ curl -H 'Content-Type: application/json' -d '{\"body\": \"a\"}' \\\n  https://jira.example.com/rest/api/2/issue/KANBAN-1/comment | jq .";
    assert_eq!(decided(written), decided(command));
    let notes = decide("user = \"svc\"", command, ("", ""))["decide"]["notes"].clone();
    assert_eq!(notes, json!(["the part of the command after `|` is ignored"]));
}

#[test]
fn a_denial_names_the_part_of_each_line_that_failed() {
    let answered = decide(
        "user = \"svc\"",
        "PUT /rest/api/2/issue/KANBAN-1/comment",
        ("", ""),
    );
    let line = &answered["decide"]["lines"][0];
    assert_eq!(line["number"], 7);
    assert_eq!(line["failed"]["part"], "method");
}

#[test]
fn a_question_that_lacks_something_names_the_field() {
    let request = "GET /rest/api/2/issue/KANBAN-1/comment";
    let cases = [
        (decide("any_user = true", request, ("", "")), "user"),
        (
            decide(
                "user = \"svc\"\nallowed_ips = [\"192.0.2.0/24\"]",
                request,
                ("", ""),
            ),
            "client",
        ),
        (decide("user = \"svc\"", request, ("", "nowhere")), "client"),
        (decide("user = \"svc\"", "", ("", "")), "request"),
        (decide("user = \"svc\"", "GET", ("", "")), "request"),
        (decide("user = \"svc\"", "curl --proxy x", ("", "")), "request"),
        (
            decide(
                "user = \"svc\"",
                "curl -u \"other:$TOKEN\" https://jira.example.com/rest/api/2/myself",
                ("svc", ""),
            ),
            "user",
        ),
        (decide("nonsense = 1", request, ("", "")), "policy"),
        (ask(json!({ "ask": "diff", "old": "", "new": "[", })), "new"),
        (
            ask(json!({ "ask": "check", "policy": "", "config": "[upstream]\nproduct = 1" })),
            "config",
        ),
        (
            ask(json!({ "ask": "check", "policy": "", "config": "mode = \"secure\"" })),
            "config",
        ),
        (ask(json!({ "ask": "guess" })), "question"),
    ];
    for (answered, part) in cases {
        assert_eq!(wrong(&answered).0, part, "{answered}");
    }
    let any = decide("any_user = true", request, ("anna", ""));
    assert_eq!(any["decide"]["decision"], "allow", "{any}");
}

#[test]
fn an_expired_token_is_refused() {
    let policy = policy("user = \"svc\"", &["/.*"]).replace("2030", "2026");
    let asked = json!({ "ask": "decide", "policy": policy, "token": "ci", "request": "GET /rest/x", "user": "", "client": "" });
    let answered = ask(asked);
    assert_eq!(answered["decide"]["decision"], "refuse", "{answered}");
}

#[test]
fn errors_have_a_place_and_tokens_are_listed() {
    let good = ask(json!({ "ask": "check", "policy": policy("users = [\"a\", \"b\"]", &["/rest/x"]) }));
    assert_eq!(
        good["check"]["tokens"],
        json!([{ "name": "ci", "users": ["a", "b"], "addresses": false }])
    );
    let bad = ask(json!({ "ask": "check", "policy": policy("user = \"a\"", &["[fetch]/rest/x"]) }));
    assert_eq!(bad["check"]["tokens"], json!([]));
    let found = &bad["check"]["diagnostics"][0];
    assert_eq!(
        (&found["severity"], &found["line"]),
        (&json!("error"), &json!(7)),
        "{bad}"
    );
}

#[test]
fn all_findings_have_their_proofs() {
    let answered = ask(
        json!({ "ask": "prove", "policy": policy("user = \"a\"", &["[get]/rest/api/2/project/KANBAN-1.*"]) }),
    );
    let found = answered["prove"]["diagnostics"].as_array().unwrap();
    assert!(
        found.iter().any(|one| one["witness"]["request"].is_string()),
        "{answered}"
    );
    assert_eq!(answered["prove"]["open"], 0);
}

#[test]
fn a_wider_policy_is_shown_with_a_request() {
    let [old, new] =
        ["[get]/rest/api/2/x", "[get,put]/rest/api/2/x"].map(|line| policy("user = \"a\"", &[line]));
    let wider = ask(json!({ "ask": "diff", "old": old, "new": new }));
    assert_eq!(wider["diff"]["widens"], true);
    let example = &wider["diff"]["tokens"][0]["newly_allowed"]["examples"][0];
    assert_eq!(example["request"], "PUT /rest/api/2/x", "{wider}");
    let same = ask(json!({ "ask": "diff", "old": old, "new": old }));
    assert_eq!(same["diff"]["unchanged"], 1);
}

#[test]
fn what_is_not_a_question_is_an_error() {
    for text in ["", "[]", "null", "{\"ask\":\"check\"}", "\u{202e}"] {
        let answered: Value = serde_json::from_str(&answer(text)).unwrap();
        assert_eq!(wrong(&answered).0, "question", "{text}");
    }
    let answered: Value = serde_json::from_str(&answer(&" ".repeat(LARGEST + 1))).unwrap();
    assert!(wrong(&answered).1.contains("1 MiB"));
}
