//! `tokenward token` and `tokenward keys` as their users meet them: what goes to standard output, exit codes, what bad input
//! gets. The life of a token beside a running proxy is in the crate that crosses crates.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::tokenward::{json, run, succeed};

const FILE: &str = "\
# Ours.
[[token]]
name = \"a\"  # the first
user = \"svc\"
secret_hash = \"sha256:abababababababababababababababababababababababababababababababab\"
expires = 2090-01-01T00:00:00Z
limit_to = '''
# reading
[get]/rest/a
'''
";

fn policies() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("policies/ci.toml"), FILE).unwrap();
    directory
}

fn ci(directory: &Path) -> String {
    fs::read_to_string(directory.join("policies/ci.toml")).unwrap()
}

#[test]
fn every_verb_of_the_life_says_what_it_did_in_json() {
    let directory = policies();
    let path = directory.path();
    let made = json(
        path,
        &[
            "token",
            "new",
            "--name",
            "b",
            "--user",
            "svc",
            "--limit",
            "/rest/b",
            "--file",
            "policies/ci.toml",
            "--json",
        ],
    );
    assert!(tokenward_pdp::secret::is_well_formed(
        made["secret"].as_str().unwrap()
    ));
    let rotated = json(path, &["token", "rotate", "b", "--overlap", "2h", "--json"]);
    assert_ne!(rotated["secret"], made["secret"]);
    assert!(rotated["previous_until"].is_string());
    let limited = json(
        path,
        &[
            "token",
            "set-limits",
            "a",
            "--limit",
            "[get]/rest/a",
            "--limit",
            "/rest/c",
            "--json",
        ],
    );
    assert_eq!(limited["token"], "a");
    assert_eq!(
        json(path, &["token", "rename", "a", "c", "--json"])["before"],
        "a"
    );
    assert_eq!(json(path, &["token", "revoke", "c", "--json"])["proxy"], "none");
    let shown = json(path, &["token", "show", "b", "--json"]);
    assert_eq!(
        (&shown["state"], &shown["limits"][0]["text"]),
        (&"active".into(), &"/rest/b".into())
    );
    assert_eq!(shown["last_used"], Value::Null);
    let snippet = json(path, &["token", "snippet", "b", "--json"]);
    assert_eq!(snippet["url"], "http://127.0.0.1:8080/rest/b");
    let listed = succeed(path, &["token", "list", "--json"]);
    let states: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(states[0]["state"], "revoked");
    assert_eq!(states[1]["findings"][0]["code"], "TW0101", "{listed}");
    let after = ci(path);
    assert!(
        after.starts_with("# Ours.\n[[token]]\nname = \"c\"  # the first\n"),
        "{after}"
    );
    assert!(after.contains("# reading\n[get]/rest/a\n/rest/c\n'''"), "{after}");
}

#[test]
fn without_an_audit_the_list_says_so() {
    let directory = policies();
    let ended = run(directory.path(), &["token", "list"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended.err.starts_with("Last uses cannot be shown: no audit at"),
        "{}",
        ended.err
    );
    assert!(ended.out.lines().nth(1).unwrap().ends_with('?'), "{}", ended.out);
}

/// One sentence and the cure, and the file as it was.
#[test]
fn bad_input_is_refused_and_nothing_written() {
    let directory = policies();
    let path = directory.path();
    let other = FILE.replace("\"a\"", "\"other\"").replace("abab", "cdcd");
    fs::write(path.join("policies/other.toml"), other).unwrap();
    fs::write(path.join("policy.txt"), FILE).unwrap();
    let refused = |arguments: &[&str], code: i32, said: &str| {
        let ended = run(path, arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ended.err
        );
        assert!(ended.err.contains(said), "{arguments:?}: {}", ended.err);
        assert_eq!(ci(path), FILE, "{arguments:?}");
    };
    refused(
        &["token", "rename", "a", "other"],
        2,
        "the name `other` is taken in `other.toml`; choose another",
    );
    refused(&["token", "rename", "a", ""], 1, "TW0003");
    refused(&["token", "show", "othr"], 2, "did you mean `other`?");
    refused(
        &["token", "rotate", "a", "--expires", "2020-01-01"],
        2,
        "is in the past",
    );
    refused(
        &["token", "rotate", "a", "--overlap", "soon"],
        2,
        "`soon` is not a duration",
    );
    refused(&["token", "set-limits", "a", "--limit", "/rest/("], 1, "TW0013");
    refused(&["token", "set-limits", "a", "--no-limit"], 1, "TW0007");
    refused(&["token", "set-limits", "a", "--include", "nowhere"], 1, "TW0009");
    refused(&["token", "set-limits", "a"], 2, "--limit");
    refused(
        &["token", "show", "a", "--secret"],
        2,
        "tokenward keys new sealing",
    );
    refused(
        &["token", "snippet", "a", "--user", "bob"],
        2,
        "works for svc, not for `bob`",
    );
    refused(&["token", "seal", "nobody"], 2, "no token `nobody`");
    let new = |file: &str, code: i32, said: &str| {
        let arguments = [
            "token", "new", "--name", "n", "--user", "u", "--limit", "/rest/n", "--file", file,
        ];
        refused(&arguments, code, said);
    };
    new("policy.txt", 2, "is not below the policy directory");
    fs::write(path.join("tokenward.toml"), "policies = \"policy.twp\"\n").unwrap();
    fs::write(path.join("policy.twp"), "x").unwrap();
    refused(
        &["token", "rename", "a", "b"],
        2,
        "is a compiled policy, which cannot be edited",
    );
    fs::remove_file(path.join("tokenward.toml")).unwrap();
    fs::create_dir(path.join(".git")).unwrap();
    fs::write(path.join(".git/MERGE_HEAD"), "").unwrap();
    refused(&["token", "rename", "a", "b"], 1, "in the middle of a merge");
    new("policies/ci.toml", 1, "git merge --continue");
    fs::remove_file(path.join(".git/MERGE_HEAD")).unwrap();
    fs::write(
        path.join("policies/other.toml"),
        "<<<<<<< HEAD\n=======\n>>>>>>> x\n",
    )
    .unwrap();
    refused(&["token", "rename", "lost", "b"], 1, "has conflict markers");
}

#[test]
fn a_call_is_found_or_it_is_said_that_none_was() {
    let directory = policies();
    let path = directory.path();
    for (line, method, url, body) in [
        (
            r"[get].*/rest/api/2/issue/KANBAN-\d+",
            "GET",
            "/rest/api/2/issue/KANBAN-1",
            Value::Null,
        ),
        ("{BASE_URL}/rest/(a|b)", "GET", "/rest/a", Value::Null),
        (r"https?://[^/]+/rest/z\{", "GET", "/rest/z%7B", Value::Null),
        (
            "[post,put]/rest/f[JsonData::a.b[*]:number==7]",
            "POST",
            "/rest/f",
            r#"{"a":{"b":[7]}}"#.into(),
        ),
        ("[patch]/rest/f", "PATCH", "/rest/f", "{}".into()),
        (
            r#"/rest/q[QueryParam::"a b"==x.y&z?][QueryParam::"a b"==.*&]"#,
            "GET",
            "/rest/q?a%20b=x1y%26",
            Value::Null,
        ),
        ("/rest/{USER}/x", "GET", "/rest/svc/x", Value::Null),
        ("/rest/j[JsonData::only]", "GET", "/rest/j", Value::Null),
        (
            "[post]/rest/p[JsonData::amount:number>0][JsonData::amount:number<=500]",
            "POST",
            "/rest/p",
            r#"{"amount":1}"#.into(),
        ),
        (
            "[post]/rest/p[JsonData::part>0.25][JsonData::part<0.5]",
            "POST",
            "/rest/p",
            r#"{"part":"0.35"}"#.into(),
        ),
        (
            "/rest/w[QueryParam::from>2018-01-31][QueryParam::from<2019-01-01]",
            "GET",
            "/rest/w?from=2018-02-01",
            Value::Null,
        ),
        (
            "[post]/rest/r[JsonData::$:string|null==svc]",
            "POST",
            "/rest/r",
            r#""svc""#.into(),
        ),
        (
            "[post]/rest/r[JsonData::$[*].name==release]",
            "POST",
            "/rest/r",
            r#"[{"name":"release"}]"#.into(),
        ),
        (
            "/rest/u[QueryParam::u=={BASE_URL}/a]",
            "GET",
            "/rest/u?u=http%3A%2F%2F127.0.0.1%3A8080%2Fa",
            Value::Null,
        ),
    ] {
        let set = ["token", "set-limits", "a", "--limit", line];
        let _ = succeed(path, &set);
        let call = json(path, &["token", "snippet", "a", "--json"]);
        let base = "http://127.0.0.1:8080";
        assert_eq!(
            (call["method"].as_str(), call["url"].as_str(), &call["body"]),
            (Some(method), Some(format!("{base}{url}").as_str()), &body),
            "{line}"
        );
    }
    for line in ["/elsewhere/a", "/rest/a[QueryParam::_method==x]", "/rest/a//b"] {
        fs::write(path.join("policies/ci.toml"), FILE.replace("[get]/rest/a", line)).unwrap();
        let none = run(path, &["token", "snippet", "a"]);
        assert_eq!((none.code, none.out.as_str()), (1, ""), "{line}");
        assert!(none.err.contains("no call found"), "{}", none.err);
    }
    // A method that is none is an error of the policy.
    let wrong = FILE.replace("[get]/rest/a", "[trace]/rest/a");
    fs::write(path.join("policies/ci.toml"), wrong).unwrap();
    let none = run(path, &["token", "snippet", "a"]);
    assert_eq!((none.code, none.out.as_str()), (1, ""));
    assert!(none.err.contains("the policy has errors"), "{}", none.err);
}

#[test]
fn keys_are_made_once_and_refused_when_others_can_read_them() {
    let directory = policies();
    let path = directory.path();
    let text = succeed(path, &["keys", "new", "sealing"]);
    fs::write(path.join("tokenward.toml"), &text).unwrap();
    assert_eq!(
        run(path, &["keys", "new", "sealing"]).code,
        3,
        "it is not written over"
    );
    let key = path.join(".tokenward/sealing.key");
    let shown = succeed(path, &["keys", "show", ".tokenward/sealing.key"]);
    let kept = fs::read_to_string(&key).unwrap();
    assert!(
        !shown.contains(kept.split_whitespace().last().unwrap()),
        "{shown}"
    );
    let rotated = succeed(path, &["token", "rotate", "a"]);
    assert_eq!(succeed(path, &["token", "show", "a", "--secret"]), rotated);

    // A second key seals anew; the first can go.
    let _ = succeed(path, &["keys", "new", "sealing", "next.key"]);
    let both = "[keys]\nsealing_keys = [\"next.key\", \".tokenward/sealing.key\"]\n";
    fs::write(path.join("tokenward.toml"), both).unwrap();
    assert_eq!(json(path, &["token", "seal", "a", "--json"])["changed"], true);
    assert_eq!(json(path, &["token", "seal", "a", "--json"])["changed"], false);
    fs::write(
        path.join("tokenward.toml"),
        "[keys]\nsealing_keys = [\"next.key\"]\n",
    )
    .unwrap();
    assert_eq!(succeed(path, &["token", "show", "a", "--secret"]), rotated);
    fs::write(path.join("tokenward.toml"), &text).unwrap();
    let lost = run(path, &["token", "show", "a", "--secret"]);
    assert_eq!(lost.code, 1);
    assert!(
        lost.err.contains("which is not in [keys] sealing_keys"),
        "{}",
        lost.err
    );

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = run(path, &["token", "rotate", "a"]);
    assert_eq!((open.code, open.out.as_str()), (3, ""));
    assert!(open.err.contains("chmod 600"), "{}", open.err);
}

#[test]
fn help_and_completions_name_every_verb() {
    let directory = TempDir::new().unwrap();
    let help = succeed(directory.path(), &["token", "--help"]);
    let completions = succeed(directory.path(), &["completions", "bash"]);
    for verb in [
        "new",
        "list",
        "show",
        "set-limits",
        "rename",
        "rotate",
        "revoke",
        "seal",
        "snippet",
    ] {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(verb)),
            "{verb}: {help}"
        );
        // `token,set-limits)` leads to the options of that verb.
        assert!(completions.contains(&format!("token,{verb})")), "{verb}");
        let page = succeed(directory.path(), &["token", verb, "--help"]);
        assert!(
            page.contains("Examples:") && page.contains("--json"),
            "{verb}: {page}"
        );
    }
}

#[test]
fn the_configuration_bounds_the_life_and_the_limits_of_tokens() {
    let directory = policies();
    let path = directory.path();
    let configured = |text: &str| fs::write(path.join("tokenward.toml"), text).unwrap();
    configured("[tokens]\nmax_lifetime = \"90d\"\nrate = \"600/1m\"\n");
    // The token that is there ends in 2090.
    let compiled = run(path, &["compile", "--check"]);
    assert_eq!(compiled.code, 1, "{}", compiled.err);
    assert!(
        compiled.err.contains("TW0403") && compiled.err.contains("`a` expires more than 90d from now"),
        "{}",
        compiled.err
    );
    fs::remove_file(path.join("policies/ci.toml")).unwrap();
    let new = |name: &str, more: &[&str]| {
        let base = [
            "token",
            "new",
            "--name",
            name,
            "--user",
            "svc",
            "--limit",
            "/rest/b",
            "--file",
            "policies/b.toml",
            "--json",
        ];
        run(path, &[&base, more].concat())
    };
    // Without a time a new token gets the longest life, and it compiles.
    let made = new(
        "b",
        &["--rate", "60/1m", "--concurrent", "5", "--max-body", "1MiB"],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let ends: jiff::Timestamp = made["expires"].as_str().unwrap().parse().unwrap();
    let days = ends.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((89 * 24..=90 * 24).contains(&days), "{made}");
    assert_eq!(run(path, &["compile", "--check"]).code, 0);
    let written = fs::read_to_string(path.join("policies/b.toml")).unwrap();
    for (more, said) in [
        (&["--expires", "91d"][..], "TW0403"),
        (&["--rate", "601/1m"], "TW0404"),
        (&["--rate", "600/m"], "a rate is a number of calls"),
        (&["--rate", "60/1m", "--burst", "0"], "--burst"),
        (&["--rate", "60/1m", "--burst", "601"], "TW0404"),
        (&["--concurrent=-1"], "--concurrent"),
        (&["--max-body", "1MB"], "is not a size"),
    ] {
        let refused = new("c", more);
        assert!(
            refused.code != 0 && refused.err.contains(said),
            "{more:?}: {}",
            refused.err
        );
        assert_eq!(fs::read_to_string(path.join("policies/b.toml")).unwrap(), written);
    }
    // What shows tokens shows their limits.
    let listed = json(path, &["token", "list", "--json"]);
    assert_eq!(
        (
            &listed["rate"],
            &listed["burst"],
            &listed["concurrent"],
            &listed["max_body"]
        ),
        (&"60/1m".into(), &60.into(), &5.into(), &"1MiB".into()),
        "{listed}"
    );
    let shown = succeed(path, &["token", "show", "b"]);
    assert!(
        shown.contains("rate         60/1m\n") && shown.contains("max body     1MiB\n"),
        "{shown}"
    );
    let inspected = succeed(path, &["inspect"]);
    assert!(
        inspected.contains("token \"b\" of svc, rate 60/1m, burst 60, concurrent 5, max_body 1MiB\n"),
        "{inspected}"
    );
    // A compiled policy is checked, too, by the proxy that would serve it.
    succeed(path, &["compile", "-o", "policy.twp"]);
    configured("policies = \"policy.twp\"\n[tokens]\nmax_lifetime = \"30d\"\nconcurrent = 4\n");
    let served = run(path, &["serve"]);
    assert_eq!(served.code, 1, "{}", served.err);
    assert!(
        served.err.contains("`b` expires more than 30d from now")
            && served
                .err
                .contains("`b` has more concurrent calls than [tokens] allows, 4"),
        "{}",
        served.err
    );
}

/// Creates a token without `--file`.
fn new_token(directory: &Path, name: &str) -> tokenward_testbed::Ran {
    run(
        directory,
        &[
            "token", "new", "--name", name, "--user", "svc", "--limit", "/rest/b",
        ],
    )
}

#[test]
fn a_new_token_goes_to_the_only_file_with_tokens() {
    let directory = policies();
    let path = directory.path();
    // Sets, invariants and reviews define no tokens.
    fs::write(path.join("policies/read.limits"), "[get]/rest/a\n").unwrap();
    fs::write(path.join("policies/invariants.toml"), "").unwrap();
    let ran = new_token(path, "b");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("Token `b` created in policies/ci.toml."),
        "{}",
        ran.err
    );
    assert!(ci(path).contains("name = \"b\""));
}

#[test]
fn the_first_token_of_a_fresh_repository_gets_a_file_of_its_name() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    succeed(path, &["init", "--product", "jira"]);
    let example = fs::read_to_string(path.join("policies/example.toml")).unwrap();
    let ran = new_token(path, "ci-notes");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("created in policies/ci-notes.toml"),
        "{}",
        ran.err
    );
    // The second token goes to the file of the first one, and the example stays as it is.
    let ran = new_token(path, "reports");
    assert!(
        ran.err.contains("created in policies/ci-notes.toml"),
        "{}",
        ran.err
    );
    assert_eq!(
        fs::read_to_string(path.join("policies/example.toml")).unwrap(),
        example
    );
}

#[test]
fn a_new_token_needs_a_file_if_there_are_several_or_no_suitable_name() {
    let directory = policies();
    let path = directory.path();
    fs::create_dir(path.join("policies/teams")).unwrap();
    let other = FILE
        .replace("name = \"a\"", "name = \"z\"")
        .replace("abab", "cdcd");
    fs::write(path.join("policies/teams/z.toml"), &other).unwrap();
    let ran = new_token(path, "b");
    assert_eq!(ran.code, 2, "{}", ran.err);
    for part in [
        "2 files define tokens",
        "`policies/ci.toml`",
        "`policies/teams/z.toml`",
        "`--file`",
    ] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    assert_eq!(ci(path), FILE);
    fs::remove_file(path.join("policies/ci.toml")).unwrap();
    fs::remove_dir_all(path.join("policies/teams")).unwrap();
    for name in ["../b", ".b", "a b", "invariants", "reviewed"] {
        let ran = new_token(path, name);
        assert_eq!(ran.code, 2, "{name}: {}", ran.err);
        assert!(
            ran.err.contains("`--file policies/tokens.toml`"),
            "{name}: {}",
            ran.err
        );
    }
    assert_eq!(fs::read_dir(path.join("policies")).unwrap().count(), 0);
}

#[test]
fn a_line_that_no_request_can_match_is_not_written() {
    let directory = policies();
    let path = directory.path();
    let before = ci(path);
    for verb in [
        &[
            "new",
            "--name",
            "b",
            "--user",
            "svc",
            "--file",
            "policies/ci.toml",
        ][..],
        &["set-limits", "a"],
    ] {
        let lines = ["--limit-to", "/rest/a", "--limit-to", "!/rest/x;y"];
        let ran = run(path, &[&["token"], verb, &lines].concat());
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("TW0027") && ran.out.is_empty(),
            "{}{}",
            ran.out,
            ran.err
        );
        assert_eq!(ci(path), before);
    }
}

#[test]
fn a_list_of_a_policy_with_errors_is_no_success() {
    let directory = policies();
    let path = directory.path();
    fs::write(path.join("policies/broken.toml"), "[[token]\n").unwrap();
    for arguments in [&["token", "list"][..], &["token", "list", "--json"]] {
        let ran = run(path, arguments);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("tokens may be missing"), "{}", ran.err);
        assert!(ran.out.contains('a'), "what can be read is shown: {}", ran.out);
    }
}
