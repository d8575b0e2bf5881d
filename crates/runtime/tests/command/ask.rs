//! `tokenward ask` and `tokenward who-can` as their users meet them.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tokenward::{run, succeed};

const POLICY: &str = r#"
[[token]]
name = "ci-comments"
user = "svc-ci"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
allowed_ips = ["10.0.0.0/8"]
limit_to = '''
[get,delete]/rest/api/2/issue/KANBAN-\d+/comment/.*
[post]/rest/api/2/search[QueryParam::max<=50][JsonData::jql:string==project = KANBAN.*]
!/rest/api/2/issue/KANBAN-1/.*
'''

[[token]]
name = "reader"
users = ["ann", "bob"]
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
limit_to = '[get]/rest/.*'

[[token]]
name = "old-admin"
user = "root"
revoked = true
unrestricted = true
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:3333333333333333333333333333333333333333333333333333333333333333"

[[token]]
name = "reader-copy"
user = "eve"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:4444444444444444444444444444444444444444444444444444444444444444"
limit_to = '''
[get]/rest/api/.*
[get]/rest/.*
'''
"#;

fn repository() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("policies/ci.toml"), POLICY).unwrap();
    fs::write(
        directory.path().join("tokenward.toml"),
        "[upstream]\nproduct = \"jira\"\npublic_url = \"https://jira.example.com\"\n",
    )
    .unwrap();
    directory
}

/// Runs a command: exit code, standard output and standard error.
fn told(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(directory.path(), arguments).apart()
}

#[test]
fn which_tokens_may() {
    let directory = repository();
    insta::assert_snapshot!(succeed(directory.path(), &["ask", "DELETE /rest/.*"]));
    insta::assert_snapshot!(succeed(directory.path(), &["ask", "[post]/rest/api/.*"]));
    // A question without a demand has no wrong answer.
    let none = succeed(
        directory.path(),
        &["ask", "--token", "reader", "PATCH", "/rest/.*"],
    );
    assert_eq!(
        none,
        "No: `reader` may not make requests that `[patch]/rest/.*` matches.\n"
    );
}

#[test]
fn demands_are_yes_or_no() {
    let directory = repository();
    let (code, out, err) = told(
        &directory,
        &["ask", "--token", "reader", "never [delete]/rest/.*"],
    );
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (
            0,
            "Yes: `reader` may not make any request that `[delete]/rest/.*` matches.\n",
            ""
        )
    );
    let (code, out, err) = told(&directory, &["ask", "never [delete]/rest/.*"]);
    assert_eq!((code, err.as_str()), (1, ""));
    insta::assert_snapshot!(out);
    for (question, code, begins) in [
        (
            "only GET .*",
            1,
            "No: 2 of 4 tokens may make requests that `[get].*` does not match.\n",
        ),
        (
            "always GET /rest/api/2/myself",
            1,
            "No: 1 of 4 tokens may not make all requests that `[get]/rest/api/2/myself` matches.\n",
        ),
        ("never [put]/rest/x/.*", 1, "No: 1 of 4 tokens may make requests"),
        (
            "always GET /rest/api/2/issue/KANBAN-7/comment/1",
            0,
            "Yes: each of 4 tokens may make every request",
        ),
    ] {
        let (ended, out, err) = told(&directory, &["ask", question]);
        assert!(
            ended == code && out.starts_with(begins) && err.is_empty(),
            "{question}: {ended} {out}{err}"
        );
    }
}

#[test]
fn two_tokens_are_equal_or_not() {
    let directory = repository();
    let (code, out, _) = told(&directory, &["ask", "--equal", "reader", "reader-copy"]);
    assert_eq!(code, 0, "{out}");
    insta::assert_snapshot!(out);
    let (code, out, _) = told(&directory, &["ask", "--equal", "reader", "ci-comments"]);
    assert_eq!(code, 1, "{out}");
    insta::assert_snapshot!(out);
}

#[test]
fn a_right_that_only_one_token_has_is_a_difference() {
    let directory = repository();
    let policy = POLICY.replace("name = \"reader-copy\"", "name = \"reader-copy\"\nmint = true");
    fs::write(directory.path().join("policies/ci.toml"), policy).unwrap();
    let (code, out, _) = told(&directory, &["ask", "--equal", "reader", "reader-copy"]);
    assert!(
        code == 1 && out.starts_with("No: ") && out.contains("only reader-copy:\n  has mint = true\n"),
        "{out}"
    );
}

const RELEASES: &str = r#"
[[token]]
name = "releases"
user = "svc-ci"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
limit_to = '[post]/rest/.*'

[[token]]
name = "reader"
user = "ann"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
limit_to = '[get]/rest/.*'
"#;

fn releases() -> TempDir {
    let directory = repository();
    fs::write(directory.path().join("policies/ci.toml"), RELEASES).unwrap();
    directory
}

/// The preset of Jira serves `/rest/*` and other paths, and not `/`.
#[test]
fn examples_are_calls_that_the_proxy_forwards() {
    let directory = repository();
    for question in ["POST .*", "never POST .*"] {
        let (_, out, _) = told(&directory, &["ask", "--token", "old-admin", question]);
        assert!(
            out.contains("example: POST /") && !out.contains("example: POST /\n"),
            "{out}"
        );
        assert!(!out.contains("the proxy forwards it"), "{out}");
    }
}

#[test]
fn a_token_without_the_key_of_a_call_may_not_make_it() {
    let directory = releases();
    let asked = "POST /rest/pat/.*";
    insta::assert_snapshot!(succeed(directory.path(), &["ask", asked]));
    let answer: Value = serde_json::from_str(&succeed(directory.path(), &["ask", "--json", asked])).unwrap();
    assert_eq!((&answer["may"], &answer["checked"]), (&json!(0), &json!(2)));
    let token = &answer["tokens"][0];
    assert_eq!(
        (
            &token["may"],
            &token["lines"][0]["request"]["forwarded"],
            &token["lines"][0]["request"]["obstacles"]
        ),
        (&json!(false), &json!(false), &json!(["only with `mint = true`"]))
    );
    let with = RELEASES.replacen("limit_to", "mint = true\nlimit_to", 1);
    fs::write(directory.path().join("policies/ci.toml"), with).unwrap();
    let out = succeed(directory.path(), &["ask", asked]);
    assert!(
        out.starts_with("1 of 2 tokens may make requests") && !out.contains("the proxy forwards"),
        "{out}"
    );
}

/// Of a token that may do all that the proxy forwards, a request that its lines do not allow shows why that does not matter.
#[test]
fn a_request_that_is_not_allowed_says_what_keeps_it_out() {
    let directory = releases();
    let out = succeed(directory.path(), &["ask", "--token", "releases", "POST .*"]);
    assert!(
        out.contains(
            "not allowed, for example: POST /; the proxy forwards it only with another `upstream.endpoints`\n"
        ),
        "{out}"
    );
    let always = ["ask", "--token", "releases", "always POST /rest/.*"];
    let yes = succeed(directory.path(), &always);
    assert!(
        yes.ends_with("This is about lines: calls that need `mint` or `escalate` also need that key.\n"),
        "{yes}"
    );
}

/// The lines decide about `never`; what only a key keeps out is said.
#[test]
fn demands_say_what_only_a_key_keeps_out() {
    let directory = releases();
    let (code, out, err) = told(&directory, &["ask", "never POST /rest/pat/.*"]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    insta::assert_snapshot!(out);
    let always = ["ask", "--token", "releases", "always POST /rest/pat/1/tokens"];
    let (code, out, _) = told(&directory, &always);
    assert_eq!(code, 1, "{out}");
    insta::assert_snapshot!(out);
    let (_, out, _) = told(&directory, &[&always[..], &["--json"]].concat());
    let answer: Value = serde_json::from_str(&out).unwrap();
    let breach = &answer["tokens"][0]["breaches"][0];
    assert_eq!(
        (
            &answer["holds"],
            &breach["allowed"],
            &breach["request"]["forwarded"]
        ),
        (&json!(false), &json!(true), &json!(false))
    );
}

/// The object in the documentation, whose names programs rely on.
#[test]
fn json_is_one_object() {
    let directory = repository();
    let json = |arguments: &[&str]| -> (i32, Value) {
        let (code, out, _) = told(&directory, arguments);
        (code, serde_json::from_str(&out).unwrap())
    };
    let (code, answer) = json(&["ask", "--json", "--token", "ci-comments", "DELETE /rest/.*"]);
    assert_eq!(code, 0);
    assert_eq!(
        answer,
        json!({
            "version": 1, "kind": "line", "question": "[delete]/rest/.*",
            "checked": 1, "may": 1, "settled": true, "blocked": [],
            "tokens": [{
                "token": "ci-comments", "state": "active", "may": true, "extent": "some", "why": null,
                "caller": {
                    "users": ["svc-ci"], "any_user": false,
                    "allowed_ips": ["10.0.0.0/8"], "expires": "2030-01-01T00:00:00.000Z",
                },
                "lines": [{
                    "line": {
                        "file": "ci.toml", "line": 9, "digest": "023a93f61d61680d",
                        "text": "[get,delete]/rest/api/2/issue/KANBAN-\\d+/comment/.*",
                    },
                    "conditions": [{
                        "subject": "path",
                        "text": "the path matches `/rest/api/2/issue/KANBAN-\\d+/comment/.*`",
                    }],
                    "request": {
                        "decoded": "DELETE /rest/api/2/issue/KANBAN-0/comment/a",
                        "method": "DELETE", "target": "/rest/api/2/issue/KANBAN-0/comment/a",
                        "content_type": null, "body": null,
                        "curl": "curl -X DELETE -u svc-ci:\"$TOKEN\" https://jira.example.com/rest/api/2/issue/KANBAN-0/comment/a",
                        "forwarded": true, "obstacles": [],
                    },
                }],
                "exceptions": [{
                    "file": "ci.toml", "line": 11, "digest": "345c9622dea110b3",
                    "text": "!/rest/api/2/issue/KANBAN-1/.*",
                }],
                "not_allowed": {
                    "decoded": "DELETE /rest/a", "method": "DELETE", "target": "/rest/a",
                    "content_type": null, "body": null,
                    "curl": "curl -X DELETE -u svc-ci:\"$TOKEN\" https://jira.example.com/rest/a",
                    "forwarded": true, "obstacles": [],
                },
            }],
        })
    );
    let (code, answer) = json(&["ask", "--json", "never [delete]/rest/.*"]);
    assert_eq!(code, 1);
    assert_eq!(
        (
            &answer["kind"],
            &answer["holds"],
            &answer["settled"],
            &answer["checked"]
        ),
        (&json!("never"), &json!(false), &json!(true), &json!(4))
    );
    assert_eq!(answer["tokens"][0]["breaches"][0]["line"]["line"], 9);
    let (code, answer) = json(&["ask", "--format", "json", "--equal", "reader", "reader-copy"]);
    assert_eq!(
        (code, &answer["kind"], &answer["equal"]),
        (0, &json!("equal"), &json!(true))
    );
}

#[test]
fn who_can_make_one_call() {
    let directory = repository();
    let answer = succeed(directory.path(), &["who-can", "post", "/rest/api/2/search?max=7"]);
    insta::assert_snapshot!(answer);
    for (method, url, expected) in [
        ("GET", "/rest/../x", "the proxy refuses the call (dot-segment)"),
        (
            "GET",
            "https://jira.example.com/login",
            "the proxy does not serve this path",
        ),
        (
            "PUT",
            "/rest/api/2/x",
            "1 of 4 tokens may make the call `PUT https://jira.example.com/rest/api/2/x`. It is revoked.",
        ),
        // The lines allow the call, and the preset of Jira needs a key for it.
        (
            "POST",
            "/rest/pat/latest/tokens",
            "old-admin: may not, although its lines allow it: it lacks `mint = true`",
        ),
    ] {
        let answer = succeed(directory.path(), &["who-can", method, url]);
        assert!(answer.contains(expected), "{answer}");
    }
    let (code, _, err) = told(&directory, &["who-can", "GET", "/rest/a?q=1&q=2"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("the parameter `q` has several values"), "{err}");
}

#[test]
fn bad_questions_are_2_with_one_sentence() {
    let directory = repository();
    for (arguments, expected) in [
        (
            &["ask", "DELET /rest/.*"][..],
            "`DELET` is not a method that a line can name; did you mean `DELETE`?",
        ),
        (&["ask", "GET /rest/("], "the question is not a limit line: "),
        (
            &["ask", "never /login"],
            "below the base URL, the proxy serves only `/rest/*`",
        ),
        (
            &["ask", "--token", "raeder", ".*"],
            "no token `raeder` in the policy; did you mean `reader`?",
        ),
        (
            &["ask", "--equal", "reader", "reeder-copy"],
            "did you mean `reader-copy`?",
        ),
    ] {
        let (code, out, err) = told(&directory, arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(
            err.contains(expected) && err.lines().count() == 1,
            "{arguments:?}: {err}"
        );
    }
    let (code, _, err) = told(&directory, &["who-can", "GEET", "/rest/a"]);
    assert!(code == 2 && err.contains("did you mean `GET`?"), "{err}");
    assert_eq!(told(&directory, &["ask"]).0, 2);
    assert_eq!(told(&directory, &["ask", "--equal", "reader"]).0, 2);
}

#[test]
fn a_policy_that_cannot_answer_is_no_answer() {
    let directory = repository();
    let asked = |directory: &TempDir| told(directory, &["ask", "never [delete].*"]);
    let write = |text: &str| fs::write(directory.path().join("policies/ci.toml"), text).unwrap();
    write(&POLICY.replace("[get]/rest/.*", "[gett]/rest/.*"));
    let (code, out, err) = asked(&directory);
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(err.contains("the policy in `policies` has 2 errors"), "{err}");
    assert!(err.contains("policies/ci.toml:"), "{err}");
    write("");
    let (code, out, err) = asked(&directory);
    assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{err}");
    assert!(err.contains("`policies` has no tokens"), "{err}");
    let (code, _, err) = told(&directory, &["ask", "--policies", "absent", "never [delete].*"]);
    assert_eq!(code, 3, "{err}");
}

#[test]
fn a_compiled_policy_gives_the_same_answer() {
    let directory = repository();
    succeed(directory.path(), &["compile", "-o", "policy.twp"]);
    for arguments in [
        &["ask", "DELETE /rest/.*"][..],
        &["ask", "--json", "[post]/rest/api/.*"],
        &["who-can", "GET", "/rest/a"],
    ] {
        let of_artifact = [arguments, &["--policies", "policy.twp"]].concat();
        assert_eq!(
            succeed(directory.path(), arguments),
            succeed(directory.path(), &of_artifact)
        );
    }
}

#[test]
fn past_the_budget_the_exit_code_is_3() {
    let directory = repository();
    let (code, out, err) = told(&directory, &["ask", "--budget", "0", "never [delete]/rest/.*y"]);
    assert!(code == 3 && out.starts_with("Not settled"), "{code} {out}{err}");
    assert!(err.contains("use a larger --budget"), "{err}");
    let (code, out, _) = told(
        &directory,
        &["ask", "--budget", "0", "--json", "never [delete]/rest/.*y"],
    );
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &answer["holds"], &answer["settled"]),
        (3, &Value::Null, &json!(false))
    );
    let (code, out, _) = told(&directory, &["ask", "--budget", "0", "[delete]/rest/.*y"]);
    assert!(code == 3 && out.contains("not settled"), "{code} {out}");
}
