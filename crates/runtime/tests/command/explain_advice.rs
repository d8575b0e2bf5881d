//! What `tokenward explain` proposes after a denial, and where it says that an allowing line comes from.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tokenward_testbed::Ran;

use crate::policy::token;
use crate::repository::Repository;

const CONFIGURATION: &str = "policies = 'policies'\n[upstream]\nurl = 'http://127.0.0.1:9'\npublic_url = 'https://jira.example.com'\nproduct = 'jira'\n[upstream.identity]\nmode = 'trusted-header'\n";
const LINES: &str = r"[get]/rest/api/2/issue/KANBAN-\d+
# a comment that stays
/rest/api/2/search[QueryParam::jql==project = KANBAN][QueryParam::only]
![delete].*";
const FILE: &str = "policies/ci.toml";

fn committed(more: &[(&str, &str)]) -> Repository {
    let it = Repository::new();
    it.write("tokenward.toml", CONFIGURATION);
    it.write(FILE, &token("ci", "11", "", LINES));
    for (name, text) in more {
        it.write(name, text);
    }
    it.commit("Let CI read KANBAN");
    it
}

#[track_caller]
fn explain(it: &Repository, code: i32, arguments: &[&str]) -> Ran {
    let ran = it.run(&[&["explain", "ci"], arguments].concat());
    assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
    ran
}

#[track_caller]
fn report(it: &Repository, code: i32, arguments: &[&str]) -> Value {
    let ran = explain(it, code, &[&["--json"], arguments].concat());
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_denial_shows_the_smallest_change_and_the_smallest_line() {
    let it = committed(&[]);
    let ran = explain(&it, 1, &["GET", "/rest/api/2/search?jql=project%20%3D%20HR&x=1"]);
    let (_, advice) = ran.out.split_once("\n\n").unwrap();
    insta::assert_snapshot!(advice, @r#"
    smallest change of the request that the proxy would forward:
      set the parameter `jql` to `project = KANBAN` instead of `project = HR`
      leave out the parameter `x`
      allowed by ci.toml:9: /rest/api/2/search[QueryParam::jql==project = KANBAN][QueryParam::only]
      curl -u svc:"$TOKEN" 'https://jira.example.com/rest/api/2/search?jql=project%20%3D%20KANBAN'
    smallest line that would allow this request, and no other:
      [get]/rest/api/2/search[QueryParam::jql==project = HR][QueryParam::x==1][QueryParam::only]
    as a patch, for `tokenward explain --patch … | git apply`:
      --- a/policies/ci.toml
      +++ b/policies/ci.toml
      @@ -8,4 +8,5 @@
       # a comment that stays
       /rest/api/2/search[QueryParam::jql==project = KANBAN][QueryParam::only]
       ![delete].*
      +[get]/rest/api/2/search[QueryParam::jql==project = HR][QueryParam::x==1][QueryParam::only]
       '''
    "#);
}

/// Whatever is proposed works: the changed request is allowed, and the patch allows the request as it is.
#[test]
fn proposals_are_right() {
    let json = ["-H", "Content-Type: application/json", "-d"];
    for request in [
        vec!["GET", "/rest/api/2/issue/HR-1"],
        vec!["PUT", "/rest/api/2/issue/KANBAN-1"],
        vec!["GET", "/rest/api/2/search"],
        vec!["POST", "/rest/api/2/search?jql=a%25b%3Cc&d=&d=2"],
        vec!["GET", "/rest/api/2/issue/A%20B%3F(c)[d]%2B%23%25zz%C3%A9"],
        [
            &["POST", "/rest/api/2/issue"],
            &json[..],
            &[r#"{"a":{"b":[1,"x",{"c":null}],"d":[],"e":"=]|\n ü"}}"#],
        ]
        .concat(),
        vec!["POST", "/rest/api/2/search", "-d", "a=b"],
    ] {
        let it = committed(&[]);
        let found = report(&it, 1, &request);
        let advice = &found["advice"];
        if let Some(curl) = advice["change"]["curl"].as_str() {
            let ran = explain(
                &it,
                0,
                &["--curl", &curl.replace("\"$TOKEN\"", "").replace("-u svc:", "")],
            );
            assert!(ran.out.starts_with("allowed"), "{}", ran.out);
        }
        let line = advice["new_line"]["text"].as_str();
        let line = line.unwrap_or_else(|| panic!("{request:?}: {advice}"));
        let patch = explain(&it, 0, &[&["--patch"], &request[..]].concat());
        assert_eq!(patch.out, advice["new_line"]["patch"].as_str().unwrap());
        let findings = || {
            let found = it.run(&["compile", "--check", "--json"]);
            (
                found.code,
                found.out.lines().count(),
                it.run(&["fmt", "--check"]).code,
            )
        };
        let before = findings();
        fs::write(it.folder().join("p.patch"), &patch.out).unwrap();
        it.git(&["apply", "../p.patch"]);
        assert_eq!(
            findings(),
            before,
            "{line}: {}",
            it.run(&["compile", "--check"]).err
        );
        let found = report(&it, 0, &request);
        assert_eq!(found["line"]["text"], line, "{request:?}");
        assert!(
            fs::read_to_string(it.top().join(FILE))
                .unwrap()
                .contains("# a comment that stays")
        );
        // Nothing is proposed twice.
        assert_eq!(explain(&it, 0, &[&["--patch"], &request[..]].concat()).out, "");
    }
}

#[test]
fn a_line_that_breaks_an_invariant_is_not_proposed() {
    let invariants = "[[only]]\nname = \"kanban-alone\"\nwhy = \"It is CI's.\"\nlines = '''\n/rest/api/2/issue/KANBAN-.*\n/rest/api/2/search\n'''\n";
    let it = committed(&[("policies/invariants.toml", invariants)]);
    let request = ["GET", "/rest/api/2/issue/HR-1"];
    let advice = &report(&it, 1, &request)["advice"];
    assert_eq!(advice["new_line"], Value::Null);
    let why = advice["no_new_line"].as_str().unwrap();
    assert!(why.contains("break the invariant `kanban-alone`"), "{why}");
    assert!(advice["change"].is_object());
    let ran = explain(&it, 1, &[&["--patch"], &request[..]].concat());
    assert!(
        ran.out.is_empty() && ran.err.contains("kanban-alone"),
        "{}{}",
        ran.out,
        ran.err
    );
    // One within the invariant is.
    let within = report(&it, 1, &["PUT", "/rest/api/2/issue/KANBAN-1"]);
    assert!(within["advice"]["new_line"].is_object(), "{within}");
}

#[test]
fn where_nothing_helps_the_reason_is_said() {
    for (keys, request, reason, change, line) in [
        (
            "revoked = true",
            &["GET", "/rest/x"][..],
            "revoked",
            "the token is revoked",
            "create another token",
        ),
        (
            "expires = 2020-01-01T00:00:00Z",
            &["GET", "/rest/x"],
            "expired",
            "it has ended",
            "a later `expires`",
        ),
        (
            "",
            &["GET", "/plugins/x"],
            "outside-endpoints",
            "base URL",
            "`endpoints`",
        ),
        (
            "",
            &["POST", "/rest/pat/latest/tokens"],
            "minting",
            "issues or shows",
            "`mint = true`",
        ),
        (
            "",
            &["GET", "/rest//x"],
            "empty-segment",
            "as the reason says",
            "before it asks any line",
        ),
        (
            "",
            &["DELETE", "/rest/api/2/x"],
            "forbid-line",
            "",
            "the forbid line ci.toml:",
        ),
    ] {
        let it = Repository::new();
        it.write("tokenward.toml", CONFIGURATION);
        it.write(
            FILE,
            &token("ci", "11", keys, &format!("{LINES}\n[post]/rest/pat/.*")),
        );
        let found = report(&it, 1, request);
        assert_eq!(found["reason"], reason, "{found}");
        let advice = &found["advice"];
        let says = |key: &str, text: &str| {
            let said = advice[key].as_str().unwrap_or_default();
            assert!(said.contains(text), "{reason} {key}: {said}");
        };
        says("no_change", change);
        says("no_new_line", line);
        assert_eq!(advice["new_line"], Value::Null);
        assert_eq!(advice["change"].is_null(), !change.is_empty(), "{advice}");
    }
}

#[test]
fn an_allowing_line_has_its_commit_and_author() {
    let it = committed(&[]);
    let request = ["GET", "/rest/api/2/issue/KANBAN-1"];
    let id = it.git(&["rev-parse", "HEAD"]);
    // Another commit and an edit move the line.
    let text = fs::read_to_string(it.top().join(FILE)).unwrap();
    it.write(FILE, &format!("# one\n{text}"));
    it.commit("A comment");
    it.write(FILE, &format!("# one\n# two\n{text}"));
    let origin = &report(&it, 0, &request)["origin"];
    assert_eq!(origin["commit"], id.as_str());
    assert_eq!(origin["author"], "t");
    assert_eq!(origin["subject"], "Let CI read KANBAN");
    let ran = explain(&it, 0, &request);
    let short = id.get(..12).unwrap();
    assert!(
        ran.out
            .contains(&format!("commit {short} by t <t@example.com> on ")),
        "{}",
        ran.out
    );
    let without = explain(&it, 0, &[&["--no-blame"], &request[..]].concat());
    assert!(!without.out.contains("commit"), "{}", without.out);
    // A line of the work tree alone.
    it.write(FILE, &text.replace("KANBAN-\\d+", "KANBAN-[0-9]"));
    assert_eq!(report(&it, 0, &request)["origin"]["commit"], Value::Null);
    assert!(explain(&it, 0, &request).out.contains("not committed"));
    // Outside of a work tree.
    fs::rename(it.top().join(".git"), it.folder().join("git")).unwrap();
    assert_eq!(report(&it, 0, &request)["origin"], Value::Null);
    assert!(explain(&it, 0, &request).out.contains("its commit is not known"));
}

/// git would run a repository's filters and text conversions, and take its names for authors.
#[test]
fn a_hostile_repository_runs_nothing_and_names_nobody() {
    let it = committed(&[]);
    let marker = it.folder().join("MARKER");
    let script = it.folder().join("run");
    fs::write(
        &script,
        format!("#!/bin/sh\ntouch '{}'\ncat \"$@\"\n", marker.display()),
    )
    .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let command = script.to_str().unwrap();
    for name in [
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "diff.x.textconv",
        "core.fsmonitor",
        "core.pager",
        "diff.external",
    ] {
        it.git(&["config", name, command]);
    }
    it.git(&["config", "blame.ignoreRevsFile", ".git/ignored"]);
    let id = it.git(&["rev-parse", "HEAD"]);
    fs::write(it.top().join(".git/ignored"), format!("{id}\n")).unwrap();
    fs::write(it.top().join(".git/info/attributes"), "* filter=x diff=x\n").unwrap();
    it.write(".gitattributes", "* filter=x diff=x\n");
    it.write(".mailmap", "Somebody Else <else@example.com> <t@example.com>\n");
    let origin = &report(&it, 0, &["GET", "/rest/api/2/issue/KANBAN-1"])["origin"];
    assert_eq!(
        (origin["commit"].as_str(), origin["author"].as_str()),
        (Some(id.as_str()), Some("t"))
    );
    assert!(!marker.exists());
}

#[test]
fn secrets_and_odd_texts_stay_out_of_proposals() {
    let it = committed(&[]);
    let secret = format!("twk_{}", "a".repeat(40));
    for request in [
        vec!["GET".to_owned(), format!("/rest/api/2/search?jql={secret}")],
        vec!["GET".to_owned(), "/rest/api/2/issue/%1B%5B2J".to_owned()],
        vec!["GET".to_owned(), format!("/rest/api/2/{}", "x".repeat(3_000))],
        vec!["PROPFIND".to_owned(), "/rest/api/2/issue/KANBAN-1".to_owned()],
        vec![
            "POST".to_owned(),
            "/rest/api/2/issue".to_owned(),
            "-d".to_owned(),
            "{".repeat(5_000),
        ],
    ] {
        let request: Vec<&str> = request.iter().map(String::as_str).collect();
        let ran = it.run(&[&["explain", "ci"], &request[..]].concat());
        assert_eq!(ran.code, 1, "{request:?}: {}{}", ran.out, ran.err);
        assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
    }
}
