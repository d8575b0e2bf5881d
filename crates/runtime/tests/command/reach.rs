//! `tokenward reach`, and `who-can` with the name of an operation, as their users meet them.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tokenward::{json as answer, run, succeed};

const POLICY: &str = r#"
[[token]]
name = "ci-comments"
user = "svc-ci"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
limit_to = '''
[get,delete]/rest/api/2/issue/KANBAN-\d+/comment/.*
[get]/rest/api/2/search[QueryParam::jql==project = KANBAN]
[get]/rest/api/2/serverInfo
[get]/rest/old/.*
!/rest/api/2/issue/KANBAN-1/.*
'''

[[token]]
name = "writer"
user = "svc"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
limit_to = '''
/rest/api/2/.*
![delete]/rest/api/2/project/.*
'''
"#;

fn parameter(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
}

fn description() -> Value {
    let key = parameter("issueIdOrKey");
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Tracker", "version": "1" },
        "servers": [{ "url": "https://tracker.example/rest" }],
        "paths": {
            "/api/2/issue/{issueIdOrKey}": {
                "parameters": [key],
                "get": { "operationId": "getIssue" },
                "delete": { "operationId": "deleteIssue" },
            },
            "/api/2/issue/{issueIdOrKey}/comment/{id}": {
                "parameters": [key, id],
                "get": { "operationId": "getComment" },
                "delete": { "operationId": "deleteComment" },
            },
            "/api/2/search": { "get": { "operationId": "search" } },
            "/api/2/serverInfo": { "get": { "operationId": "getServerInfo" } },
            "/api/2/project/{key}": {
                "parameters": [parameter("key")],
                "delete": { "operationId": "deleteProject" },
            },
            "/pat/latest/tokens": { "post": { "operationId": "createToken" } },
        },
    })
}

fn repository() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("policies/ci.toml"), POLICY).unwrap();
    fs::write(
        directory.path().join("tokenward.toml"),
        "[upstream]\nproduct = \"jira\"\npublic_url = \"https://jira.example.com\"\n[api]\ndescriptions = [\"api.json\"]\n",
    )
    .unwrap();
    write(&directory, "api.json", &description());
    directory
}

fn write(directory: &TempDir, name: &str, document: &Value) {
    fs::write(directory.path().join(name), document.to_string()).unwrap();
}

/// The extents of a token's operations, by `operationId`.
fn extents(answer: &Value, token: &str) -> Vec<String> {
    let tokens = answer["tokens"].as_array().unwrap();
    let own = tokens.iter().find(|one| one["token"] == token).unwrap();
    let cells = own["operations"].as_array().unwrap().iter();
    let words = cells.map(|cell| {
        let because: Vec<&str> = cell["because"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let text = format!(
            "{} {} {}",
            cell["id"].as_str().unwrap(),
            cell["extent"].as_str().unwrap(),
            because.join("+")
        );
        text.trim().to_owned()
    });
    words.collect()
}

#[test]
fn each_token_reaches_its_operations() {
    let directory = repository();
    let found = answer(&directory, &["reach", "--json"]);
    assert_eq!(found["settled"], true);
    assert_eq!(
        extents(&found, "ci-comments"),
        [
            "deleteComment part path+forbid",
            "getComment part path+forbid",
            "search part condition",
            "getServerInfo full",
        ]
    );
    assert_eq!(
        extents(&found, "writer"),
        [
            "deleteIssue full",
            "getIssue full",
            "deleteComment full",
            "getComment full",
            "deleteProject forbidden",
            "search full",
            "getServerInfo full",
        ]
    );
    let own = &found["tokens"][0];
    assert_eq!(own["lines_without_operation"][0]["text"], "[get]/rest/old/.*");
    assert_eq!(own["lines_without_operation"].as_array().unwrap().len(), 1);
    let operations = found["operations"].as_array().unwrap();
    let delete = operations.iter().find(|one| one["id"] == "deleteIssue").unwrap();
    assert_eq!(delete["tokens"], 1);
}

#[test]
fn people_see_calls_that_are_allowed_and_not() {
    let directory = repository();
    let text = succeed(&directory, &["reach", "--token", "ci-comments"]);
    assert!(
        text.starts_with("`ci-comments` reaches 4 of 8 operations.\n"),
        "{text}"
    );
    assert!(
        text.contains("GET /rest/api/2/search (search): in part: condition"),
        "{text}"
    );
    assert!(
        text.contains("allowed: GET /rest/api/2/search?jql=project = KANBAN"),
        "{text}"
    );
    assert!(text.contains("not allowed: GET /rest/api/2/search\n"), "{text}");
    assert!(
        text.contains("except what this line matches: ci.toml:12"),
        "{text}"
    );
    let text = succeed(&directory, &["reach"]);
    assert!(text.contains("2 of 2 tokens reach 6 of 8 operations."), "{text}");
    assert!(
        text.contains("ci-comments: ci.toml:11: [get]/rest/old/.*"),
        "{text}"
    );
    let page = succeed(&directory, &["reach", "--format", "markdown"]);
    assert!(page.contains("| `writer` | 6 | 0 | 2 | 1 | 0 |"), "{page}");
}

#[test]
fn who_can_takes_the_name_of_an_operation() {
    let directory = repository();
    for arguments in [
        &["who-can", "deleteIssue"][..],
        &["who-can", "DELETE", "/rest/api/2/issue/{issueIdOrKey}"],
        &["who-can", "delete", "/api/2/issue/{key}"],
        &["reach", "--operation", "DELETE /rest/api/2/issue/{x}"],
    ] {
        let text = succeed(&directory, arguments);
        assert!(
            text.starts_with(
                "1 of 2 tokens reaches `DELETE /rest/api/2/issue/{issueIdOrKey} (deleteIssue)`.\n"
            ),
            "{text}"
        );
        assert!(text.contains("writer: full"), "{text}");
    }
}

#[test]
fn wrong_names_are_told_with_the_nearest() {
    let directory = repository();
    let ran = run(&directory, &["who-can", "deleteIsue"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `deleteIssue`?"), "{}", ran.err);
    let ran = run(&directory, &["reach", "--token", "ci-coments"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("ci-comments"), "{}", ran.err);
    let ran = run(&directory, &["who-can", "DELETE"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("give the URL"), "{}", ran.err);
}

#[test]
fn documents_that_are_not_descriptions_are_refused() {
    let directory = repository();
    write(&directory, "other.json", &json!({ "a": 1 }));
    fs::write(directory.path().join("empty.json"), "").unwrap();
    for (file, code) in [
        ("other.json", 2),
        ("empty.json", 2),
        ("policies", 2),
        ("absent.json", 3),
    ] {
        let ran = run(&directory, &["reach", "--openapi", file]);
        assert_eq!(ran.code, code, "{file} {}", ran.err);
        assert!(ran.err.contains(file), "{}", ran.err);
        let ran = run(&directory, &["reach", "--json", "--openapi", file]);
        assert_eq!(ran.code, code);
        let answer: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(answer["settled"], false);
    }
}

#[test]
fn a_description_of_another_product_is_told() {
    let directory = repository();
    let other = json!({
        "openapi": "3.0.0", "info": { "title": "Other", "version": "1" },
        "paths": { "/v1/customers": { "get": {} } },
    });
    write(&directory, "other.json", &other);
    let ran = run(&directory, &["reach", "--openapi", "other.json"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("no line reaches an operation of other.json"),
        "{}",
        ran.err
    );
}

#[test]
fn an_open_answer_is_not_a_success() {
    let directory = repository();
    let ran = run(&directory, &["reach", "--budget", "0"]);
    assert_eq!(ran.code, 3, "{} {}", ran.out, ran.err);
}

#[test]
fn new_operations_under_lines_that_stand_need_a_review() {
    let directory = repository();
    let mut new = description();
    new["paths"]["/api/2/issue/{issueIdOrKey}/votes"] =
        json!({ "parameters": [parameter("issueIdOrKey")], "delete": { "operationId": "removeVote" } });
    new["paths"]["/api/3/other"] = json!({ "get": { "operationId": "other" } });
    new["paths"].as_object_mut().unwrap().remove("/api/2/serverInfo");
    write(&directory, "new.json", &new);
    let arguments = ["reach", "--openapi", "new.json", "--against", "api.json"];
    let ran = run(&directory, &arguments);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.out
            .contains("2 operations added (1 of them write), 0 moved, 1 removed"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("added DELETE /rest/api/2/issue/{issueIdOrKey}/votes (removeVote)\n  writer: full"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("Removed operations that lines still reach:\n  GET /rest/api/2/serverInfo"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("added GET /rest/api/3/other"), "{}", ran.out);
    let review = "[[reviewed]]\ntoken = \"writer\"\nkey = \"operation\"\n\
                  value = \"DELETE /rest/api/2/issue/{issueIdOrKey}/votes\"\nwhy = \"votes are harmless\"\n";
    fs::write(directory.path().join("policies/reviewed.toml"), review).unwrap();
    let text = succeed(&directory, &arguments);
    assert!(
        text.contains("No line reaches more that nobody reviewed. 1 case is reviewed."),
        "{text}"
    );
    let expired = format!("{review}until = 2020-01-01T00:00:00Z\n");
    fs::write(directory.path().join("policies/reviewed.toml"), expired).unwrap();
    assert_eq!(run(&directory, &arguments).code, 1);
    // The same description twice has no difference.
    let text = succeed(&directory, &["reach", "--against", "api.json"]);
    assert!(text.contains("0 operations added"), "{text}");
}

#[test]
fn a_moved_operation_has_new_calls() {
    let directory = repository();
    let mut old = description();
    let moved = old["paths"]
        .as_object_mut()
        .unwrap()
        .remove("/api/2/serverInfo")
        .unwrap();
    old["paths"]["/api/1/serverInfo"] = moved;
    write(&directory, "old.json", &old);
    let ran = run(
        &directory,
        &["reach", "--against", "old.json", "--format", "markdown"],
    );
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("| `writer` | moved"), "{}", ran.out);
    let found: Value =
        serde_json::from_str(&run(&directory, &["reach", "--against", "old.json", "--json"]).out).unwrap();
    assert_eq!(found["unreviewed"], 1);
    assert_eq!(found["changes"][0]["before"], "GET /rest/api/1/serverInfo");
}

#[test]
fn the_configuration_names_and_checks_descriptions() {
    let directory = repository();
    let ran = run(&directory, &["config", "check"]);
    assert!(ran.out.contains("api.json: 8 operations"), "{}", ran.out);
    fs::write(directory.path().join("api.json"), "{}").unwrap();
    let ran = run(&directory, &["config", "check"]);
    assert!(ran.out.contains("not an OpenAPI"), "{}", ran.out);
    assert_ne!(ran.code, 0);
}

#[test]
fn a_token_is_made_for_an_operation() {
    let directory = repository();
    let new = |name: &str, more: &[&str]| {
        let mut arguments = vec![
            "token",
            "new",
            "--user",
            "svc",
            "--expires",
            "90d",
            "--file",
            "policies/ci.toml",
        ];
        arguments.extend(["--name", name]);
        arguments.extend(more);
        run(&directory, &arguments)
    };
    let policy = || fs::read_to_string(directory.path().join("policies/ci.toml")).unwrap();
    let get = "GET /rest/api/2/issue/{issueIdOrKey}";
    let ran = new(
        "one",
        &["--operation", get, "--where", r"issueIdOrKey=KANBAN-\d+"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        policy().contains(r"[get]/rest/api/2/issue/KANBAN-\d+"),
        "{}",
        policy()
    );
    let ran = new("two", &["--operation", "getComment", "--operation", "search"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        policy().contains("[get]/rest/api/2/issue/[^/]+/comment/[0-9]+"),
        "{}",
        policy()
    );
    let text = succeed(&directory, &["reach", "--token", "two"]);
    assert!(
        text.contains("(getComment): full") && text.contains("(search): full"),
        "{text}"
    );
    let before = policy();
    for (operation, values, said) in [
        (get, "issueIdOrKey=.*", "would also match"),
        (get, "issueKey=A", "did you mean `issueIdOrKey`?"),
        (get, "issueIdOrKey", "is not NAME=REGEXP"),
        (
            "GET /rest/api/2/isue/{issueIdOrKey}",
            "issueIdOrKey=A",
            "did you mean",
        ),
        (get, "issueIdOrKey=(", "tokenward:"),
    ] {
        let ran = new("bad", &["--operation", operation, "--where", values]);
        assert_eq!(ran.code, 2, "{values} {}", ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    assert_eq!(policy(), before);
}

#[test]
fn a_difference_names_operations() {
    let directory = repository();
    fs::create_dir(directory.path().join("old")).unwrap();
    fs::write(directory.path().join("old/ci.toml"), POLICY).unwrap();
    let wider = POLICY.replace("![delete]/rest/api/2/project/.*\n", "");
    fs::write(directory.path().join("policies/ci.toml"), wider).unwrap();
    let ran = run(
        &directory,
        &["diff", "--old-config", "tokenward.toml", "old", "policies"],
    );
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("operation: DELETE /rest/api/2/project/{key} (deleteProject)"),
        "{}",
        ran.out
    );
    let ran = run(
        &directory,
        &[
            "diff",
            "--json",
            "--old-config",
            "tokenward.toml",
            "old",
            "policies",
        ],
    );
    assert!(
        ran.out
            .contains("\"operation\": \"DELETE /rest/api/2/project/{key} (deleteProject)\""),
        "{}",
        ran.out
    );
    // A description that cannot be read is noted, and changes nothing else.
    fs::remove_file(directory.path().join("api.json")).unwrap();
    let ran = run(
        &directory,
        &["diff", "--old-config", "tokenward.toml", "old", "policies"],
    );
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("without the names of operations"), "{}", ran.err);
}

#[test]
fn a_token_for_an_operation_shows_what_else_it_reaches() {
    let directory = repository();
    let mut document = description();
    document["paths"]["/api/2/issue/createmeta"] = json!({ "get": { "operationId": "getMeta" } });
    document["paths"]["/api/2/issue/{issueIdOrKey}"]["head"] = json!({ "operationId": "headIssue" });
    write(&directory, "api.json", &document);
    let new = [
        "token",
        "new",
        "--name",
        "n",
        "--user",
        "svc",
        "--expires",
        "9d",
        "--operation",
    ];
    let shown = |more: &[&str]| succeed(&directory, &[&new[..], more].concat());
    let line = "  [get]/rest/api/2/issue/[^/]+\n    also reaches: GET /rest/api/2/issue/createmeta\n";
    let out = shown(&["getIssue", "--dry-run"]);
    assert!(out.contains(line), "{out}");
    // Both were meant, or the values are others.
    let out = shown(&["getIssue", "--operation", "getMeta", "--dry-run"]);
    assert!(!out.contains("also reaches"), "{out}");
    let out = shown(&["getIssue", "--where", "issueIdOrKey=HR-\\d+", "--dry-run"]);
    assert!(!out.contains("also reaches"), "{out}");
    // The calls that the token may not make are told, and so are those of a script that reads JSON.
    let out = shown(&["createToken", "--dry-run"]);
    assert!(
        out.contains("    POST /rest/pat/latest/tokens: the proxy forwards it only with `mint = true`\n"),
        "{out}"
    );
    let ran = run(&directory, &[&new[..], &["getIssue", "--json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains(line.trim_end()), "{}", ran.err);
    let created: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        created["lines"],
        json!([{
            "text": "[get]/rest/api/2/issue/[^/]+",
            "other_operations": ["GET /rest/api/2/issue/createmeta"],
            "not_forwarded": [],
            "not_settled": [],
        }])
    );
}
