//! Answers of `tokenward reach` and `report` about descriptions that could not be read as a whole, and about operations that moved.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tokenward::{json as answer, run};

const POLICY: &str = r#"
[[token]]
name = "writer"
user = "svc"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
limit_to = '''
/rest/api/2/issue/.*
'''
"#;

fn described(paths: &Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Tracker", "version": "1" },
        "servers": [{ "url": "https://tracker.example/rest/api/2" }],
        "paths": paths,
    })
}

fn paths() -> Value {
    let key = json!([{ "name": "key", "in": "path", "required": true, "schema": { "type": "string" } }]);
    json!({
        "/issue/{key}": { "parameters": key, "get": { "operationId": "getIssue" } },
        "/issue/{key}/notes": { "parameters": key, "get": { "operationId": "getNotes" } },
    })
}

fn repository(document: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("policies")).unwrap();
    fs::write(root.join("policies/ci.toml"), POLICY).unwrap();
    fs::write(
        root.join("tokenward.toml"),
        "[upstream]\nproduct = \"jira\"\npublic_url = \"https://jira.example.com\"\n[api]\ndescriptions = [\"api.json\"]\n",
    )
    .unwrap();
    fs::write(root.join("api.json"), document).unwrap();
    fs::write(root.join("whole.json"), described(&paths()).to_string()).unwrap();
    directory
}

fn with(path: &str, value: Value) -> String {
    let mut paths = paths();
    paths[path] = value;
    described(&paths).to_string()
}

#[test]
fn an_answer_about_a_description_with_losses_is_never_settled() {
    let many: Vec<Value> = (0..70).map(|at| json!({ "url": format!("/v{at}") })).collect();
    let mut servers = described(&paths());
    servers["servers"] = json!(many);
    let mut values = described(&paths());
    let listed: Vec<String> = (0..70).map(|at| format!("v{at}")).collect();
    values["servers"] = json!([{ "url": "/{v}", "variables": { "v": { "default": "v0", "enum": listed } } }]);
    let twice = "openapi: 3.0.3\nservers: [{url: /rest/api/2}]\npaths:\n  /issue/a:\n    get: {operationId: a}\n  /issue/a:\n    put: {}\n";
    for document in [
        with("/other", json!({ "$ref": "other.json#/x" })),
        with("/other", json!([])),
        with("/other", json!({ "get": 1 })),
        with("/other", json!({ "gett": {} })),
        servers.to_string(),
        values.to_string(),
        twice.to_owned(),
    ] {
        let directory = repository(&document);
        let ran = run(&directory, &["reach", "--json"]);
        let found: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &found["settled"]), (3, &json!(false)), "{document}");
        assert_eq!(found["descriptions"][0]["losses"], 1, "{document}");
        assert!(ran.err.contains("operations may be missing"), "{}", ran.err);
        // Both versions count.
        for arguments in [
            [
                "reach",
                "--json",
                "--openapi",
                "api.json",
                "--against",
                "api.json",
            ],
            [
                "reach",
                "--json",
                "--openapi",
                "api.json",
                "--against",
                "whole.json",
            ],
            [
                "reach",
                "--json",
                "--openapi",
                "whole.json",
                "--against",
                "api.json",
            ],
        ] {
            let ran = run(&directory, &arguments);
            // Versions without a common operation are not compared at all.
            assert!(
                ran.code == 3 && ran.out.contains("\"settled\":false") || ran.code == 2,
                "{document} {}",
                ran.out
            );
        }
        let ran = run(&directory, &["report", "--at", "2029-01-01"]);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.out.contains("Operations may be missing"), "{}", ran.out);
        let ran = run(&directory, &["reach", "--defects"]);
        assert_eq!(ran.code, 3, "{}", ran.out);
        assert!(ran.out.contains("  loss: "), "{}", ran.out);
        let ran = run(&directory, &["reach", "--defects", "--json"]);
        assert!(ran.out.contains("\"loss\":true"), "{}", ran.out);
        let ran = run(&directory, &["config", "check"]);
        assert!(ran.out.contains("operations may be missing"), "{}", ran.out);
    }
    let directory = repository(&described(&paths()).to_string());
    let ran = run(&directory, &["reach", "--defects"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "api.json: 0 defects\n"),
        "{}",
        ran.err
    );
    // A question about one operation is settled if nothing that was lost concerns it.
    let directory = repository(&with("/other", json!([])));
    assert_eq!(run(&directory, &["reach", "--operation", "getIssue"]).code, 0);
}

#[test]
fn a_moved_operation_with_new_calls_is_more() {
    let mut moved = paths();
    let notes = moved
        .as_object_mut()
        .unwrap()
        .remove("/issue/{key}/notes")
        .unwrap();
    moved["/issue/{key}/comments"] = notes;
    moved["/issue/{key}"]["delete"] = moved["/issue/{key}"]["get"].take();
    moved["/issue/{key}"].as_object_mut().unwrap().remove("get");
    let directory = repository(&described(&moved).to_string());
    let arguments = ["reach", "--against", "whole.json", "--json"];
    let ran = run(&directory, &arguments);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &found["unreviewed"]), (1, &json!(2)), "{}", ran.out);
    // The names of parameters in reviews do not matter, and entries that count for nothing are told.
    let review = |value: &str| {
        format!("[[reviewed]]\ntoken = \"writer\"\nkey = \"operation\"\nvalue = \"{value}\"\nwhy = \"x\"\n")
    };
    let reviews = [
        review("DELETE /rest/api/2/issue/{id}"),
        review("get /rest/api/2/issue/{}/comments"),
        review("GET /rest/api/2/issue/{key}/coments"),
        review("GET /rest/api/2/issue/{key}/notes").replace("writer", "writr"),
    ];
    fs::write(directory.path().join("policies/reviewed.toml"), reviews.concat()).unwrap();
    let ran = run(&directory, &arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err
            .contains("no operation `GET /rest/api/2/issue/{key}/coments`; did you mean"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("no token `writr`; did you mean `writer`?"),
        "{}",
        ran.err
    );
}

#[test]
fn exchanged_ids_are_moves() {
    let mut exchanged = paths();
    exchanged["/issue/{key}"]["get"]["operationId"] = json!("getNotes");
    exchanged["/issue/{key}/notes"]["get"]["operationId"] = json!("getIssue");
    let directory = repository(&described(&exchanged).to_string());
    let found = answer(&directory, &["reach", "--against", "whole.json", "--json"]);
    let kinds: Vec<&str> = found["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|change| change["kind"].as_str())
        .collect();
    assert_eq!((kinds, &found["unreviewed"]), (vec!["moved", "moved"], &json!(0)));
}

#[test]
fn a_policy_is_named_in_either_way() {
    let directory = repository(&described(&paths()).to_string());
    fs::create_dir(directory.path().join("empty")).unwrap();
    for verb in ["reach", "report"] {
        for arguments in [&[verb, "empty"][..], &[verb, "--policies", "empty"]] {
            assert_eq!(run(&directory, arguments).code, 2, "{arguments:?}");
        }
        assert_eq!(
            run(&directory, &[verb, "--policies", "policies"]).code,
            0,
            "{verb}"
        );
        for name in ["-", "https://api.example.com/openapi.json"] {
            let ran = run(&directory, &[verb, "--openapi", name]);
            assert_eq!(ran.code, 2, "{}", ran.err);
        }
    }
}

#[test]
fn a_policy_with_errors_has_a_page_with_the_errors() {
    let directory = repository(&described(&paths()).to_string());
    fs::write(
        directory.path().join("policies/wrong.toml"),
        "[[token]]\nname = 1\n",
    )
    .unwrap();
    let ran = run(&directory, &["report", "--at", "2029-01-01"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.out.contains("The policy has errors") && ran.out.contains("TW"),
        "{}",
        ran.out
    );
}

#[test]
fn certificates_replace_only_certificates() {
    let directory = repository(&described(&paths()).to_string());
    let root = directory.path();
    let policy = root.join("policies/ci.toml");
    for arguments in [
        &["ask", "--certificates", "policies/ci.toml", "never [delete].*"][..],
        &["compile", "--check", "--certificates", "policies/ci.toml"],
        &[
            "diff",
            "--certificates",
            "policies/ci.toml",
            "policies",
            "policies",
        ],
    ] {
        assert_eq!(run(&directory, arguments).code, 2, "{arguments:?}");
        assert_eq!(fs::read_to_string(&policy).unwrap(), POLICY);
    }
    // Files of certificates are replaced.
    for _ in 0..2 {
        let ran = run(
            &directory,
            &["ask", "--certificates", "a.jsonl", "never [delete]/rest/x"],
        );
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    fs::write(root.join("a.jsonl.twp"), "mine").unwrap();
    let ran = run(
        &directory,
        &["ask", "--certificates", "a.jsonl", "never [delete]/rest/x"],
    );
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn a_code_that_does_not_exist_is_told() {
    let directory = repository(&described(&paths()).to_string());
    let ran = run(&directory, &["explain", "TW9999"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no code `TW9999`"), "{}", ran.err);
}
