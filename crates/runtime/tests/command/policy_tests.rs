//! `tokenward test` as its users meet it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::tokenward::{json, run, succeed};

const POLICY: &str = r#"
[[token]]
name = "ci"
user = "svc-ci"
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
limit_to = '''
[get,post]/rest/api/2/issue/KANBAN-\d+/comment
[post]/rest/api/2/search[QueryParam::max<=50][JsonData::jql:string==project = KANBAN]
!/rest/api/2/issue/KANBAN-1/.*
'''

[[token]]
name = "people"
users = ["ann", "bob"]
expires = 2030-01-01T00:00:00Z
secret_hash = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
allowed_ips = ["10.0.0.0/8"]
limit_to = '[get]/rest/api/2/(myself|serverInfo)'
"#;

/// Tests of which all pass.
const TESTS: &str = r#"
[[test]]
name = "reads comments"
token = "ci"
request = "GET /rest/api/2/issue/KANBAN-7/comment"
expect = "allow"
line = '[get,post]/rest/api/2/issue/KANBAN-\d+/comment'

[[test]]
name = "comments, by a pasted command"
token = "ci"
curl = '''
curl -u "svc-ci:$TOKEN" -H 'Content-Type: application/json' \
  -d '{"body": "done"}' https://jira.example.com/rest/api/2/issue/KANBAN-7/comment
'''
expect = "allow"
reason = "allowed"

[[test]]
name = "searches"
token = "ci"
request = "post /rest/api/2/search?max=50"
json = { jql = "project = KANBAN" }
expect = "allow"

[[test]]
name = "searches nowhere else"
token = "ci"
request = "POST /rest/api/2/search?max=50"
json = '{"jql": "project = HR"}'
expect = "deny"
reason = "no-line"
status = 403

[[test]]
name = "leaves the first issue alone"
token = "ci"
request = "GET /rest/api/2/issue/KANBAN-1/comment"
expect = "deny"
line = "!/rest/api/2/issue/KANBAN-1/.*"

[[test]]
name = "dots are refused"
token = "ci"
request = "GET /rest/api/2/issue/KANBAN-7/../KANBAN-8/comment"
expect = "deny"
status = 400

[[test]]
name = "people from the office"
token = "people"
user = "bob"
client = "10.1.2.3"
at = 2029-06-30T12:00:00Z
request = "GET /rest/api/2/myself"
expect = "allow"

[[test]]
name = "people from elsewhere"
token = "people"
user = "bob"
client = "192.0.2.1"
request = "GET /rest/api/2/myself"
expect = "deny"
reason = "address"

[[test]]
name = "too late"
token = "ci"
at = 2031-01-01T00:00:00Z
request = "GET /rest/api/2/issue/KANBAN-7/comment"
expect = "deny"
reason = "expired"
"#;

/// A policy with files of tests below `policies/tests`.
fn repository(tests: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    let top = directory.path();
    fs::create_dir_all(top.join("policies/tests")).unwrap();
    fs::write(top.join("policies/ci.toml"), POLICY).unwrap();
    fs::write(
        top.join("tokenward.toml"),
        "[upstream]\nproduct = \"jira\"\npublic_url = \"https://jira.example.com\"\n",
    )
    .unwrap();
    for (name, text) in tests {
        fs::write(top.join("policies/tests").join(name), text).unwrap();
    }
    directory
}

/// Runs a command: exit code, standard output and standard error.
fn told(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(directory.path(), arguments).apart()
}

#[test]
fn tests_that_pass_are_counted() {
    let directory = repository(&[("ci.toml", TESTS)]);
    assert_eq!(
        succeed(directory.path(), &["test"]),
        "9 tests: 9 passed, 0 failed\n"
    );
    assert_eq!(
        succeed(directory.path(), &["test", "--filter", "people"]),
        "2 tests: 2 passed, 0 failed, 7 left out by the filter\n"
    );
    // The same by a path, and with the compiled policy.
    succeed(directory.path(), &["test", "policies/tests"]);
    succeed(directory.path(), &["test", "policies"]);
    succeed(directory.path(), &["compile", "-o", "policy.twp"]);
    let compiled = ["test", "--policies", "policy.twp", "policies/tests/ci.toml"];
    succeed(directory.path(), &compiled);
    let (code, _, err) = told(&directory, &["test", "--policies", "policy.twp"]);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = told(&directory, &[compiled.as_slice(), &["--coverage"]].concat());
    assert!(code == 2 && err.contains("need the policy directory"), "{err}");
    // After the end of the token, its tests fail.
    assert_eq!(told(&directory, &["test", "--at", "2030-06-01"]).0, 1);
}

const FAILING: &str = r#"
[[test]]
name = "deletes"
token = "ci"
request = "DELETE /rest/api/2/issue/KANBAN-7/comment"
expect = "allow"

[[test]]
name = "is denied by another line"
token = "ci"
request = "GET /rest/api/2/issue/HR-1/comment"
expect = "deny"
line = "!/rest/api/2/issue/KANBAN-1/.*"
reason = "forbid-line"
status = 404

[[test]]
name = "<passes>"
token = "ci"
request = "GET /rest/api/2/issue/KANBAN-7/comment"
expect = "allow"
"#;

#[test]
fn failures_show_expected_seen_and_the_lines() {
    let directory = repository(&[("ci.toml", FAILING)]);
    let (code, out, err) = told(&directory, &["test"]);
    assert_eq!(code, 1, "{out}{err}");
    for expected in [
        "FAIL policies/tests/ci.toml:3: deletes\n  decision: expected allow, seen deny\n  denied: no-line (403)\n",
        "the request is DELETE\n",
        "  line: expected !/rest/api/2/issue/KANBAN-1/.*, seen no line\n",
        "  reason: expected forbid-line, seen no-line\n",
        "  status: expected 404, seen 403\n",
        "\n3 tests: 1 passed, 2 failed\n",
    ] {
        assert!(out.contains(expected), "{expected} in {out}");
    }
    assert_eq!(err, "tokenward: 2 of 3 tests failed\n");
    let (code, out, _) = told(&directory, &["test", "--json"]);
    assert_eq!(code, 1);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&value["passed"], &value["failed"]), (&1.into(), &2.into()));
    assert_eq!(value["tests"][0]["mismatches"][0]["part"], "decision");
    assert_eq!(value["tests"][0]["seen"]["lines"][0]["failed"]["part"], "method");
    let (code, out, _) = told(&directory, &["test", "--format", "junit"]);
    assert_eq!(code, 1);
    assert!(out.contains("tests=\"3\" failures=\"2\""), "{out}");
    assert!(out.contains("name=\"&lt;passes&gt;\""), "{out}");
    // Changes are tried only with tests that pass.
    let (code, _, err) = told(&directory, &["test", "--mutate"]);
    assert!(code == 1 && err.contains("no changes were tried"), "{err}");
}

/// What the command says of a test with these keys in the place of, or in addition to, the usual ones.
fn told_of(change: &str) -> String {
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let changed: Vec<String> = change.lines().map(name).collect();
    let usual = [
        "name = \"a\"",
        "token = \"ci\"",
        "expect = \"deny\"",
        "request = \"GET /rest/api/2/myself\"",
    ];
    let is_replaced = |key: &str| {
        let is_request = key == "request" && changed.iter().any(|changed| changed == "curl");
        is_request || changed.iter().any(|changed| changed == key)
    };
    let kept: Vec<&str> = usual
        .into_iter()
        .filter(|line| !is_replaced(&name(line)))
        .collect();
    let directory = repository(&[("ci.toml", &format!("[[test]]\n{}\n{change}\n", kept.join("\n")))]);
    let (code, out, err) = told(&directory, &["test"]);
    assert_eq!((code, out.as_str()), (2, ""), "{change}: {err}");
    err
}

#[test]
fn wrong_tests_are_errors_with_a_cure() {
    for (change, code, cure) in [
        ("tokn = \"ci\"", "TW0002", "did you mean `token`?"),
        ("token = \"peopel\"", "TW0603", "did you mean `people`?"),
        ("token = \"people\"", "TW0604", "add `"),
        ("token = \"people\"\nuser = \"ann\"", "TW0604", "add `client"),
        (
            "curl = \"curl --requst x https://jira.example.com/rest/api/2/myself\"",
            "TW0602",
            "did you mean `--request`?",
        ),
        (
            "curl = \"curl -d @/etc/passwd https://jira.example.com/rest/api/2/myself\"",
            "TW0602",
            "reads the file `/etc/passwd`",
        ),
        (
            "curl = \"wget https://jira.example.com/\"",
            "TW0602",
            "must begin with `curl`",
        ),
        (
            "curl = \"curl https://jira.example.com/ && reboot\"",
            "TW0602",
            "one curl command",
        ),
        (
            "curl = \"curl -u bob https://jira.example.com/\"\nuser = \"ann\"",
            "TW0604",
            "remove one of them",
        ),
        (
            "request = \"GET rest/api/2/myself\"",
            "TW0602",
            "`/rest/api/2/myself`",
        ),
        ("headers = [\"Content-Length: 7\"]", "TW0602", "remove the header"),
        ("line = \"/rest/api/2/issue\"", "TW0605", "has no line"),
        (
            "line = '[get,post]/rest/api/2/issue/KANBAN-\\d+/comment'",
            "TW0605",
            "a permit line cannot decide `deny`",
        ),
        ("reason = \"no-lines\"", "TW0605", "did you mean `no-line`?"),
        ("reason = \"allowed\"", "TW0605", "correct `reason` or `expect`"),
        ("expect = \"allow\"\nstatus = 403", "TW0605", "remove `status`"),
    ] {
        let err = told_of(change);
        assert!(err.contains(code) && err.contains(cure), "{change}: {err}");
        assert!(err.contains("policies/tests/ci.toml:"), "{change}: {err}");
    }
}

#[test]
fn what_cannot_be_read_is_never_success() {
    let none = repository(&[]);
    for (arguments, code) in [
        (vec!["test"], 2),
        (vec!["test", "nowhere"], 2),
        (vec!["test", "policies/ci.toml"], 2),
        (vec!["test", "--policies", "nowhere"], 2),
        (vec!["test", "--filter", "x"], 2),
        (vec!["test", "--at", "tomorrow"], 2),
        (vec!["test", "--min-score", "50"], 2),
        (vec!["test", "--mutate", "--min-score", "101"], 2),
        (vec!["test", "--generate", "nobody"], 2),
        (vec!["test", "--config", "nowhere.toml"], 2),
    ] {
        let (seen, out, err) = told(&none, &arguments);
        assert_eq!(seen, code, "{arguments:?}: {out}{err}");
        assert!(!err.is_empty(), "{arguments:?}");
    }
    let empty = repository(&[("ci.toml", "# nothing yet\n")]);
    assert_eq!(told(&empty, &["test"]).0, 2);
    let broken = repository(&[("ci.toml", TESTS)]);
    fs::write(broken.path().join("policies/more.toml"), "[[token]]\nname = 1\n").unwrap();
    let (code, _, err) = told(&broken, &["test"]);
    assert!(code == 2 && err.contains("does not compile"), "{err}");
}

/// A pull request that hides a token among the tests gives no access, and nobody overlooks it.
#[test]
fn tokens_among_tests_are_errors() {
    let hidden = "[[token]]\nname = \"hidden\"\nuser = \"root\"\nunrestricted = true\n\
                  expires = 2030-01-01T00:00:00Z\n\
                  secret_hash = \"sha256:9999999999999999999999999999999999999999999999999999999999999999\"\n";
    for (name, text) in [
        ("hidden.toml", hidden.to_owned()),
        ("both.toml", format!("{TESTS}\n{hidden}")),
        ("set.limits", "/rest/.*\n".to_owned()),
        ("invariants.toml", String::new()),
        ("reviewed.toml", String::new()),
    ] {
        let directory = repository(&[(name, &text)]);
        let (code, _, err) = told(&directory, &["compile", "--check"]);
        assert!(code == 1 && err.contains("TW0601"), "{name}: {err}");
        assert!(err.contains(&format!("policies/tests/{name}:")), "{name}: {err}");
        assert_eq!(told(&directory, &["test"]).0, 2, "{name}");
    }
    // A test that cannot be read keeps nothing from working.
    let directory = repository(&[("ci.toml", "[[test]\n")]);
    succeed(directory.path(), &["compile", "--check"]);
    assert_eq!(told(&directory, &["test"]).0, 2);
}

#[test]
fn coverage_lists_what_no_test_makes_decide() {
    let directory = repository(&[("ci.toml", TESTS)]);
    let out = succeed(directory.path(), &["test", "--coverage"]);
    for expected in [
        "coverage: 8 of 10 ",
        "the condition `[QueryParam::max<=50]` decides in no test",
        "the alternative `serverInfo` decides in no test",
    ] {
        assert!(out.contains(expected), "{expected} in {out}");
    }
    let value = json(directory.path(), &["test", "--coverage", "--json"]);
    let coverage = &value["coverage"];
    assert!(
        coverage["covered"].as_u64() < coverage["all"].as_u64(),
        "{coverage}"
    );
    let (code, _, err) = told(&directory, &["test", "--coverage", "--min-coverage", "100"]);
    assert!(code == 1 && err.contains("--min-coverage"), "{err}");
}

#[test]
fn mistakes_that_no_test_notices_are_shown_with_a_test_that_does() {
    let directory = repository(&[("ci.toml", TESTS)]);
    let (code, out, err) = told(&directory, &["test", "--mutate"]);
    assert_eq!(code, 1, "{out}{err}");
    for expected in [
        "any-text\n  - [get,post]/rest/api/2/issue/KANBAN-\\d+/comment\n  + [get,post]/rest/api/2/issue/KANBAN-.*/comment\n",
        "    [[test]]\n    name = ",
        "\nmutations: the tests notice ",
    ] {
        assert!(out.contains(expected), "{expected} in {out}");
    }
    assert_eq!(told(&directory, &["test", "--mutate", "--min-score", "10"]).0, 0);
    // Two runs say the same.
    assert_eq!(told(&directory, &["test", "--mutate"]).1, out);
    let few = json(
        directory.path(),
        &[
            "test",
            "--mutate",
            "--min-score",
            "0",
            "--max-mutants",
            "5",
            "--json",
        ],
    );
    assert!(few["mutation"]["changes"].as_array().unwrap().len() <= 5, "{few}");
    assert!(few["mutation"]["not_tried"].as_u64() > Some(0), "{few}");
}

/// Tests that `--generate` writes pass, and notice every mistake in their lines.
#[test]
fn generated_tests_pass_and_notice_all_mistakes() {
    let directory = repository(&[]);
    for token in ["ci", "people"] {
        let file = format!("policies/tests/{token}.toml");
        let out = succeed(directory.path(), &["test", "--generate", token, "-o", &file]);
        assert!(out.contains("to review"), "{out}");
        let (code, _, err) = told(&directory, &["test", "--generate", token, "-o", &file]);
        assert!(code == 2 && err.contains("nothing was written"), "{err}");
    }
    let value = json(directory.path(), &["test", "--mutate", "--json"]);
    assert_eq!(
        (&value["mutation"]["survived"], &value["failed"]),
        (&0.into(), &0.into()),
        "{value}"
    );
    let one = succeed(directory.path(), &["test", "--generate", "ci.toml:10"]);
    assert!(
        one.contains("!/rest/api/2/issue/KANBAN-1/.*") && one.contains("[[test]]"),
        "{one}"
    );
    let by_text = succeed(
        directory.path(),
        &["test", "--generate", "!/rest/api/2/issue/KANBAN-1/.*"],
    );
    assert_eq!(one, by_text);
}

/// A copy of a directory of this repository.
fn copy_of(from: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let directory = TempDir::new().unwrap();
    copy(from, directory.path());
    directory
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The example policies of this repository, with their tests.
#[test]
fn the_tests_of_the_example_policies_notice_every_mistake() {
    let directory = TempDir::new().unwrap();
    let policies = copy_of(&here("../../policies"));
    let place = policies.path().to_str().unwrap();
    let arguments = [
        "test",
        "--policies",
        place,
        place,
        "--at",
        "2029-01-01",
        "--coverage",
        "--mutate",
        "--json",
    ];
    let value = json(directory.path(), &arguments);
    assert_eq!(value["failed"], 0, "{value}");
    let (coverage, mutation) = (&value["coverage"], &value["mutation"]);
    assert_eq!(coverage["covered"], coverage["all"], "{coverage}");
    // A mistake in a line of the example that no test notices wants a test.
    assert_eq!(
        (&mutation["noticed"], &mutation["survived"], &mutation["open"]),
        (&70.into(), &0.into(), &0.into()),
        "{mutation}"
    );
}

/// A policy of 30 lines with generated tests, without those that notice no mistake that others do not notice.
#[test]
fn the_tests_of_thirty_lines_notice_every_mistake() {
    let directory = copy_of(&here("tests/command/fixtures/tested"));
    let arguments = ["test", "--at", "2029-01-01", "--coverage", "--mutate", "--json"];
    let value = json(directory.path(), &arguments);
    let (coverage, mutation) = (&value["coverage"], &value["mutation"]);
    assert_eq!(coverage["lines"].as_array().unwrap().len(), 30);
    assert_eq!((&coverage["covered"], &coverage["all"]), (&73.into(), &73.into()));
    assert_eq!(value["failed"], 0, "{value}");
    assert_eq!(
        (&mutation["noticed"], &mutation["survived"]),
        (&258.into(), &0.into())
    );
    assert_eq!((&mutation["same"], &mutation["open"]), (&19.into(), &0.into()));
}
