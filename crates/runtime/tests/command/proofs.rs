//! `tokenward compile` as those meet it who own a policy: what is proved of it, and what a change may allow.

use std::fs;

use tempfile::TempDir;
use tokenward_testbed::Invocation;

use crate::policy::{EXPIRES, token};
use crate::tokenward::{BINARY, run};

/// Runs `tokenward compile --check`: exit code, standard output and standard error.
fn check(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(directory.path(), &[&["compile", "--check"], arguments].concat()).apart()
}

/// A directory with these files in `policies`.
fn policies(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    write(&directory, "policies", files);
    directory
}

fn write(directory: &TempDir, place: &str, files: &[(&str, &str)]) {
    let place = directory.path().join(place);
    fs::create_dir_all(&place).unwrap();
    for (name, text) in files {
        fs::write(place.join(name), text).unwrap();
    }
}

#[test]
fn a_broken_invariant_keeps_a_policy_from_compiling() {
    let tokens = token("a", "11", EXPIRES, "[get,delete]/rest/a");
    let never = "[[never]]\nname = \"nobody-deletes\"\nlines = '[delete]/.*'\n";
    let directory = policies(&[("a.toml", &tokens), ("invariants.toml", never)]);
    let (code, out, err) = check(&directory, &[]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    for expected in [
        "error[TW0201]: `a` allows a request that `nobody-deletes` excludes\n",
        "a.toml:7:1\n",
        "invariants.toml:3:10\n",
        "witness: DELETE /rest/a\n",
        "witness: curl -X DELETE -u svc:\"$TOKEN\" http://127.0.0.1:8080/rest/a\n",
    ] {
        assert!(err.contains(expected), "{expected} in {err}");
    }
    let code = run(directory.path(), &["compile", "-o", "policy.twp"]).code;
    assert_eq!((code, directory.path().join("policy.twp").exists()), (1, false));

    write(
        &directory,
        "policies",
        &[("a.toml", &token("a", "11", EXPIRES, "[get]/rest/a"))],
    );
    let (code, out, err) = check(&directory, &[]);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, "policies: 1 token, no findings, 1 invariant proved\n", "")
    );
}

#[test]
fn findings_have_their_witness_in_json() {
    let lines = "[get]/rest/a\n![delete]/rest/a";
    let directory = policies(&[("a.toml", &token("a", "11", EXPIRES, lines))]);
    let (code, out, _) = check(&directory, &["--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(out.trim()).unwrap();
    assert_eq!((code, &found["code"]), (0, &"TW0109".into()));
    assert_eq!(found["witness"]["request"], "DELETE /rest/a");
}

#[test]
fn what_would_take_too_much_is_not_passed() {
    let lines = "/(.*a){12}.*\n/(.*b){12}.*";
    let directory = policies(&[("a.toml", &token("a", "11", EXPIRES, lines))]);
    let (code, out, err) = check(&directory, &["--budget", "1"]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(err.contains("could not be settled within the budget"), "{err}");
    let (code, _, err) = check(&directory, &[]);
    assert_eq!(code, 0, "{err}");
}

/// Hundreds of lines whose patterns no product tells apart end within the run's budget, whatever each question may take.
#[test]
fn one_budget_bounds_all_questions_of_a_run() {
    let lines: String = (0..700)
        .map(|at| format!("![get].*/x{at}.*y\n[get].*/y{at}.*\n"))
        .collect();
    let directory = policies(&[("a.toml", &token("a", "11", EXPIRES, &lines))]);
    // A signal ends the command after 60 seconds of processor time, whatever else the machine does.
    let bounded = ["-c", "ulimit -t 60; exec \"$0\" \"$@\"", BINARY];
    let arguments = [&bounded[..], &["compile", "--check", "--budget", "100"]].concat();
    let (code, out, err) = Invocation::new("sh", directory.path())
        .arguments(&arguments)
        .run()
        .apart();
    assert_eq!(code, 3, "{out}{err}");
    assert!(err.contains("could not be settled within the budget"), "{err}");
}

#[test]
fn new_access_fails_unless_it_was_reviewed() {
    let old = token(
        "a",
        "11",
        EXPIRES,
        "[get]/rest/a\n[get]/rest/b.*\n![get]/rest/b/x",
    );
    let new = token(
        "a",
        "11",
        "expires = 2091-01-01T00:00:00Z",
        "[get]/rest/a.*\n[get]/rest/b.*",
    );
    let directory = policies(&[("a.toml", &new)]);
    write(&directory, "old", &[("a.toml", &old)]);
    let gate = ["--no-new-access", "old"];
    let (code, _, err) = check(&directory, &gate);
    assert_eq!((code, err.matches("error[").count()), (1, 3), "{err}");
    for expected in [
        "error[TW0301]",
        "error[TW0305]",
        "error[TW0310]",
        "`a` newly allows requests that this line matches\n",
        "`a` newly allows requests that `![get]/rest/b/x` forbade\n",
        "`expires` was 2090-01-01T00:00:00Z and is now 2091-01-01T00:00:00Z\n",
        "= widened: path from `/b` to `/a`\n  = witness: GET /rest/aa\n",
        "= widened: forbid line removed: `a.toml:9: ![get]/rest/b/x`\n  = witness: GET /rest/b/x\n",
    ] {
        assert!(err.contains(expected), "{expected} in {err}");
    }
    let (_, out, _) = check(&directory, &[&gate[..], &["--format", "json"]].concat());
    let found = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let widened: Vec<String> = found
        .filter_map(|found| Some(found["widened"].as_str()?.to_owned()))
        .collect();
    assert_eq!(widened.len(), 2, "{out}");

    let entries = [
        "line = '[get]/rest/a.*'",
        "lifted = '![get]/rest/b/x'",
        "key = \"expires\"\nvalue = \"2091-01-01T00:00:00Z\"",
    ];
    let reviewed = |entries: &[&str]| -> String {
        let entries = entries
            .iter()
            .map(|entry| format!("[[reviewed]]\ntoken = \"a\"\n{entry}\nwhy = \"…\"\n"));
        entries.collect()
    };
    write(&directory, "policies", &[("reviewed.toml", &reviewed(&entries))]);
    let (code, _, err) = check(&directory, &gate);
    assert_eq!((code, err.matches("error[TW0314]").count()), (1, 3), "{err}");
    let gate = ["--no-new-access", "old", "--accept-reviews", "--lint", "none"];
    let (code, out, err) = check(&directory, &gate);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, "policies: 1 token, no findings\n", "")
    );

    // One that is missing fails; one too many is told, and one that has ended.
    write(
        &directory,
        "policies",
        &[("reviewed.toml", &reviewed(entries.get(1..).unwrap()))],
    );
    let (code, _, err) = check(&directory, &gate);
    assert_eq!((code, err.matches("error[TW0301]").count()), (1, 1), "{err}");
    let more = [
        &entries[..],
        &["line = '/rest/c'", "line = '[get]/rest/a.*'\nuntil = 2020-01-01"],
    ]
    .concat();
    write(&directory, "policies", &[("reviewed.toml", &reviewed(&more))]);
    let (code, _, err) = check(&directory, &gate);
    assert_eq!((code, err.matches("warning[TW0302]").count()), (0, 2), "{err}");
}

#[test]
fn paranoia_proves_the_optimised_program() {
    let directory = policies(&[("a.toml", &token("a", "11", EXPIRES, ".*/rest/a.*\n!/rest/a/b"))]);
    let (code, out, err) = check(&directory, &["--paranoid", "--lint", "none"]);
    assert_eq!(
        (code, out.as_str()),
        (
            0,
            "policies: 1 token, no findings, the optimised program proved equivalent\n"
        ),
        "{err}"
    );
}

/// A line that was reviewed does not hide what another one adds.
#[test]
fn a_review_is_of_its_line_alone() {
    let directory = policies(&[("a.toml", &token("a", "11", EXPIRES, "/rest/a\n/rest/a.*"))]);
    write(
        &directory,
        "old",
        &[("a.toml", &token("a", "11", EXPIRES, "/rest/b"))],
    );
    let entry = "[[reviewed]]\ntoken = \"a\"\nline = '/rest/a'\nwhy = \"…\"\n";
    write(&directory, "policies", &[("reviewed.toml", entry)]);
    let (code, _, err) = check(&directory, &["--no-new-access", "old", "--accept-reviews"]);
    assert!(code == 1 && err.contains("witness: GET /rest/aa\n"), "{err}");
}

#[test]
fn the_reviewed_file_has_its_own_errors() {
    let directory = policies(&[("a.toml", &token("a", "11", EXPIRES, "/rest/a"))]);
    write(
        &directory,
        "old",
        &[("a.toml", &token("a", "11", EXPIRES, "/rest/a"))],
    );
    let entries = "[[reviewed]]\ntokn = \"a\"\n\n[[reviewed]]\ntoken = \"a\"\nline = '/x'\nkey = \"user\"\nvalue = \"b\"\nwhy = \"…\"\n";
    write(&directory, "policies", &[("reviewed.toml", entries)]);
    let (code, _, err) = check(&directory, &["--no-new-access", "old"]);
    assert_eq!(code, 1, "{err}");
    for expected in [
        "did you mean `token`?",
        "the entry has no `why`",
        "the entry has both `line` and `key`",
        "reviewed.toml:2:1\n",
    ] {
        assert!(err.contains(expected), "{expected} in {err}");
    }
}

#[test]
fn invariants_that_apply_to_no_request_are_errors() {
    let tokens = token("a", "11", EXPIRES, "/rest/.*");
    let configuration = "policies = 'policies'\n[upstream]\nurl = 'http://127.0.0.1:8090'\n\
         public_url = 'http://127.0.0.1:8080'\nproduct = 'jira'\n";
    for (kind, lines, words) in [
        ("never", "![delete].*", "all of its lines begin with `!`"),
        ("always", "![post].*\n!/rest/x", "all of its lines begin with `!`"),
        ("never", "[delete]/rest/x;.*", "no request can match this line"),
        ("never", "[delete]/secure/.*", "the proxy serves only"),
        ("never", "[delete]/rest/x\n/secure/.*", "the proxy serves only"),
        ("only", "/rest/.*\n/secure/.*", "the proxy serves only"),
        ("never", "/rest/secret\n!/secure/.*", "the proxy serves only"),
    ] {
        let invariant = format!("[[{kind}]]\nname = 'i'\nlines = '''\n{lines}\n'''\n");
        let directory = policies(&[("a.toml", &tokens), ("invariants.toml", &invariant)]);
        fs::write(directory.path().join("tokenward.toml"), configuration).unwrap();
        let (code, _, err) = check(&directory, &[]);
        assert_eq!(code, 1, "{lines}: {err}");
        assert!(err.contains(words), "{lines}: {err}");
        assert!(err.contains("TW0204") || err.contains("TW0027"), "{lines}: {err}");
    }
    let exception = "[[never]]\nname = 'i'\nlines = '''\n[delete]/rest/.*\n!/rest/.*\n'''\n";
    let directory = policies(&[("a.toml", &tokens), ("invariants.toml", exception)]);
    fs::write(directory.path().join("tokenward.toml"), configuration).unwrap();
    let (_, _, err) = check(&directory, &[]);
    assert!(!err.contains("TW0204"), "an exception is no fault: {err}");
}

#[test]
fn lines_and_tokens_that_no_call_can_use_are_warnings() {
    let with = |lines: &str, more: &str| format!("{}{more}", token("a", "11", EXPIRES, lines));
    let configuration = |auth: &str| {
        format!(
            "policies = 'policies'\n[upstream]\nurl = 'http://127.0.0.1:8090'\n\
             public_url = 'http://127.0.0.1:8080'\nproduct = 'jira'\n[auth]\n{auth}\n"
        )
    };
    let never = "never_act_as = ['SVC']";
    for (auth, tokens, expected) in [
        ("", with("[post]/rest/auth/1/session", ""), "`mint = true`"),
        ("", with("[put]/rest/api/2/user", ""), "`escalate = true`"),
        (
            "",
            with("[get]/rest/x[QueryParam::os_username==a]", ""),
            "the parameter `os_username`",
        ),
        (never, with("/rest/.*", ""), "`[auth] never_act_as` lists `svc`"),
        (
            "methods = 'bearer'",
            with("/rest/.*", "").replace("user = \"svc\"", "users = [\"svc\", \"b\"]"),
            "the caller cannot name a user",
        ),
        ("", with("[post]/rest/auth/1/session", "mint = true\n"), ""),
        ("", with("[put]/rest/api/2/user.*", ""), ""),
        ("", with("/rest/auth/.*", ""), ""),
        ("", with("[get]/rest/x[QueryParam::os_username!=a]", ""), ""),
        ("methods = 'bearer'", with("/rest/.*", ""), ""),
    ] {
        let directory = policies(&[("a.toml", &tokens)]);
        fs::write(directory.path().join("tokenward.toml"), configuration(auth)).unwrap();
        let (code, out, err) = check(&directory, &["--deny", "warnings", "--lint", "none"]);
        if expected.is_empty() {
            assert_eq!(code, 0, "{tokens}: {out}{err}");
        } else {
            assert_eq!(code, 1, "{tokens}: {out}{err}");
            assert!(err.contains(expected), "{tokens}: {err}");
        }
    }
}

#[test]
fn a_path_with_or_without_a_version_needs_its_key() {
    let configuration = "policies = 'policies'\n[upstream]\nurl = 'http://127.0.0.1:8090'\n\
         public_url = 'http://127.0.0.1:8080'\nproduct = 'confluence'\n";
    for (line, code) in [
        ("[get]/rest/api/webhooks/[0-9]+", 1),
        ("[get]/rest/api/2/webhooks/[0-9]+", 1),
        ("[get]/rest/api/content/[0-9]+", 0),
    ] {
        let directory = policies(&[("a.toml", &token("a", "11", EXPIRES, line))]);
        fs::write(directory.path().join("tokenward.toml"), configuration).unwrap();
        let (found, out, err) = check(&directory, &["--deny", "warnings"]);
        assert_eq!(found, code, "{line}: {out}{err}");
        assert_eq!(err.contains("`mint = true`"), code == 1, "{line}: {err}");
    }
}
