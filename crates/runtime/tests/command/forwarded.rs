//! The requests that `diff` and `compile` show are ones that the proxy forwards; what it would forward after another change is a
//! finding of its own.

use std::fs;

use tempfile::TempDir;

use crate::policy::{EXPIRES, token};
use crate::tokenward::run;

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        let file = directory.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    directory
}

fn diff(old: &str, new: &str, arguments: &[&str]) -> (i32, String) {
    let token = |lines| token("ci", "11", EXPIRES, lines);
    let directory = directory(&[("old/t.toml", &token(old)), ("new/t.toml", &token(new))]);
    let (code, out, err) = run(directory.path(), &[&["diff", "old", "new"], arguments].concat()).apart();
    assert_eq!(err, "");
    (code, out)
}

#[test]
fn a_request_is_one_that_the_proxy_forwards() {
    for (old, new, request) in [
        ("/rest/a", ".*", "GET /rest/\n"),
        ("/rest/a", "/rest/pat.*", "GET /rest/pata\n"),
        ("/rest/a", "[post]/rest/api/2/user.*", "POST /rest/api/2/usera\n"),
        ("/rest/a", "/rest/b[QueryParam::only]\n/secure/b", "GET /rest/b\n"),
    ] {
        let (code, out) = diff(old, new, &[]);
        assert_eq!(code, 1, "{out}");
        assert!(out.contains(&format!("newly allowed: {request}")), "{out}");
    }
}

#[test]
fn a_request_is_one_of_the_product() {
    for (product, line, requests) in [
        (
            "gitlab",
            "[get]/api/v4/projects/a%2Fb/issues",
            &["GET /api/v4/projects/a%2Fb/issues\n"][..],
        ),
        ("gitlab", "[get]/.*", &["GET /api/\n"]),
        (
            "redmine",
            "[get]/issues.*",
            &["GET /issues.json\n", "GET /issues.xml\n"],
        ),
        ("generic", "[get]/(login|a)", &["GET /a\n"]),
    ] {
        let config = format!("[upstream]\nproduct = \"{product}\"\n");
        let token = |lines: &str| token("ci", "11", EXPIRES, lines);
        let new = token(&format!("/rest/a\n{line}"));
        let files = [
            ("old/t.toml", &*token("/rest/a")),
            ("new/t.toml", &new),
            ("tokenward.toml", &config),
        ];
        let directory = directory(&files);
        let arguments = ["diff", "old", "new", "--old-config", "tokenward.toml"];
        let (code, out, err) = run(directory.path(), &arguments).apart();
        assert_eq!(code, 1, "{out}{err}");
        let is_shown = |request: &&&str| out.contains(&format!("newly allowed: {request}"));
        assert!(requests.iter().any(|request| is_shown(&request)), "{out}");
        assert!(!out.contains("the proxy forwards it only"), "{out}");
    }
}

#[test]
fn the_most_telling_request_is_one_that_the_proxy_forwards() {
    // Reading a role needs no key, deleting it does.
    let (code, out) = diff("/rest/a", "/rest/a\n[get,delete]/rest/api/2/role/[0-9]+", &[]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("newly allowed: GET /rest/api/2/role/0\n"), "{out}");
    assert!(!out.contains("telling: DELETE"), "{out}");
    let (_, out) = diff(
        "/rest/a",
        "/rest/a\n[get,delete]/rest/api/2/issue/[A-Z]+-[0-9]+",
        &[],
    );
    assert!(out.contains("telling: DELETE /rest/api/2/issue/"), "{out}");
}

#[test]
fn what_the_proxy_refuses_is_named_with_its_setting() {
    for (lines, why) in [
        ("/rest/pat/.*", "only with `mint = true`"),
        ("[put]/rest/api/2/role/7", "only with `escalate = true`"),
        ("/secure/.*", "only with another `upstream.endpoints`"),
        (
            "/rest/b[QueryParam::jwt==a]",
            "only with another `upstream.accepted_names`",
        ),
    ] {
        let (code, out) = diff("/rest/a", &format!("/rest/a\n{lines}"), &[]);
        assert_eq!(code, 1, "{out}");
        for expected in [
            "ci: would allow more after another change\n",
            &format!("    the proxy forwards it {why}\n"),
        ] {
            assert!(out.contains(expected), "{expected} in {out}");
        }
        let (_, out) = diff("/rest/a", &format!("/rest/a\n{lines}"), &["--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let example = &report["tokens"][0]["newly_allowed"]["examples"][0];
        assert_eq!(
            (&example["forwarded"], &example["obstacles"][0]),
            (&false.into(), &why.into())
        );
        let (_, out) = diff("/rest/a", &format!("/rest/a\n{lines}"), &["--format", "markdown"]);
        assert!(out.contains(&format!("- the proxy forwards it {why}\n")), "{out}");
        let (_, out) = diff("/rest/a", &format!("/rest/a\n{lines}"), &["--format", "sarif"]);
        assert!(out.contains("\"ruleId\": \"latent-access\""), "{out}");
    }
}

#[test]
fn a_path_that_no_server_reads_in_one_way_is_no_difference() {
    for line in [r"/rest/[.]\x20[.]", r"/rest/[.]\x{200b}[.]/a"] {
        let (code, out) = diff("/rest/a", &format!("/rest/a\n{line}"), &[]);
        assert_eq!(code, 0, "{out}");
    }
}

#[test]
fn the_gate_wants_a_review_of_access_that_another_change_would_give() {
    let token = |lines| token("ci", "11", EXPIRES, lines);
    let new = token("/rest/a\n/rest/pat/.*");
    let directory = directory(&[("old/t.toml", &token("/rest/a")), ("policies/t.toml", &new)]);
    let arguments = ["compile", "--check", "policies", "--no-new-access", "./old"];
    let (code, _, err) = run(directory.path(), &arguments).apart();
    assert_eq!(code, 1, "{err}");
    let expected = "error[TW0330]: `ci` newly allows requests that this line matches; the proxy forwards them only with `mint = true`\n";
    assert!(err.contains(expected), "{err}");
    let review = "[[reviewed]]\ntoken = 'ci'\nline = '/rest/pat/.*'\nwhy = 'later'\n";
    fs::write(directory.path().join("old/reviewed.toml"), review).unwrap();
    fs::write(directory.path().join("policies/reviewed.toml"), review).unwrap();
    let (code, _, err) = run(directory.path(), &arguments).apart();
    assert_eq!(code, 0, "{err}");
}

#[test]
fn an_invariant_that_a_key_keeps_is_a_warning_until_a_token_has_the_key() {
    let never = "[[never]]\nname = 'n'\nlines = '/rest/pat/.*'\n";
    for (keys, code, expected) in [
        (
            "",
            0,
            "warning[TW0331]: `ci` allows a request that `n` excludes; the proxy forwards it only with `mint = true`\n",
        ),
        (
            "mint = true\n",
            1,
            "error[TW0201]: `ci` allows a request that `n` excludes\n",
        ),
    ] {
        let keys = format!("{EXPIRES}\n{keys}");
        let policy = token("ci", "11", &keys, "/rest/.*");
        let directory = directory(&[("policies/t.toml", &policy), ("policies/invariants.toml", never)]);
        let found = run(directory.path(), &["compile", "--check"]).apart();
        assert_eq!(found.0, code, "{}", found.2);
        assert!(found.2.contains(expected), "{}", found.2);
    }
}

#[test]
fn findings_show_requests_that_the_proxy_would_forward() {
    let policy = token("ci", "11", EXPIRES, "/rest/a\n![delete]/(rest|secure)/b.*");
    let directory = directory(&[("policies/t.toml", &policy)]);
    let (code, _, err) = run(directory.path(), &["compile", "--check"]).apart();
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("witness: DELETE /rest/b\n"), "{err}");
}
