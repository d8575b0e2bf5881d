//! Sides that `tokenward diff`, `ask` and `who-can` cannot compare or ask, and where reports say that files are.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::repository::Repository;
use crate::tokenward::{run, succeed};

const CONFIGURATION: &str = "[upstream]\npublic_url = \"https://jira.example.com\"\nproduct = \"jira\"\n";

/// A policy file of one token.
fn policy(lines: &str) -> String {
    let hash = "1".repeat(64);
    format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc\"\nexpires = 2090-01-01\nsecret_hash = \"sha256:{hash}\"\nlimit_to = \'\'\'\n{lines}\n\'\'\'\n"
    )
}

/// A directory with a configuration and policies of these lines.
fn place(configuration: &str, policies: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("tokenward.toml"), configuration).unwrap();
    for (name, lines) in policies {
        fs::create_dir(directory.path().join(name)).unwrap();
        fs::write(directory.path().join(name).join("ci.toml"), policy(lines)).unwrap();
    }
    directory
}

/// The forbid lines are right by themselves, and without effect under this configuration.
const DEAD: [(&str, &str); 2] = [
    (
        "[get]/rest/.*\n![delete]https://jira.exmaple.com/rest/.*",
        "TW0027",
    ),
    ("[get]/rest/.*\n!/rest/a%2Fb", "TW0020"),
];

#[test]
fn a_side_with_errors_under_its_configuration_is_not_compared() {
    for (lines, code) in DEAD {
        let directory = place(CONFIGURATION, &[("bad", lines), ("good", "[get]/rest/.*")]);
        succeed(directory.path(), &["compile", "-o", "good.twp", "good"]);
        assert_eq!(run(directory.path(), &["compile", "--check", "bad"]).code, 1);
        for (old, new) in [("bad", "bad"), ("good", "bad"), ("bad", "good.twp")] {
            let ran = run(
                directory.path(),
                &["diff", "--old-config", "tokenward.toml", old, new],
            );
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
            assert!(
                ran.err.contains(code) && ran.err.contains("bad/ci.toml:8"),
                "{}",
                ran.err
            );
            assert!(
                ran.err
                    .contains("the policy in `bad` does not compile under its configuration: 1 error"),
                "{}",
                ran.err
            );
        }
        for arguments in [
            &["ask", "never [delete].*"][..],
            &["ask", "GET .*"],
            &["who-can", "GET", "/rest/a"],
        ] {
            let ran = run(directory.path(), &[arguments, &["--policies", "bad"]].concat());
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{arguments:?} {}", ran.err);
            assert!(
                ran.err.contains(code) && ran.err.contains("has 1 error"),
                "{}",
                ran.err
            );
        }
    }
}

/// The compiled policy is right under the configuration that compiled it.
#[test]
fn a_compiled_side_with_errors_is_not_compared() {
    let directory = place(
        CONFIGURATION,
        &[("policies", DEAD[0].0), ("good", "[get]/rest/.*")],
    );
    let there = CONFIGURATION.replace("example", "exmaple");
    fs::write(directory.path().join("there.toml"), there).unwrap();
    succeed(
        directory.path(),
        &["compile", "--config", "there.toml", "-o", "p.twp"],
    );
    let diff = ["diff", "--old-config", "tokenward.toml", "good", "p.twp"];
    for arguments in [&diff[..], &["ask", "--policies", "p.twp", "never [delete].*"]] {
        let ran = run(directory.path(), arguments);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
        assert!(
            ran.err
                .contains("`p.twp` has 1 error under its configuration, the first: ci.toml:8"),
            "{}",
            ran.err
        );
    }
}

/// Limits of the configuration, too, keep a policy from being served.
#[test]
fn a_side_beyond_the_limits_of_its_configuration_is_not_compared() {
    let limited = format!("{CONFIGURATION}[tokens]\nmax_lifetime = \"30d\"\n");
    let directory = place(&limited, &[("policies", "[get]/rest/.*")]);
    assert_eq!(run(directory.path(), &["compile", "--check"]).code, 1);
    let ran = run(
        directory.path(),
        &[
            "diff",
            "--old-config",
            "tokenward.toml",
            "./policies",
            "./policies",
        ],
    );
    assert!(
        ran.code == 3 && ran.err.contains("TW0403"),
        "{} {}",
        ran.code,
        ran.err
    );
}

#[test]
fn two_sides_without_a_policy_are_not_equivalent() {
    let directory = place(CONFIGURATION, &[("good", "[get]/rest/.*")]);
    fs::create_dir(directory.path().join("one")).unwrap();
    fs::create_dir(directory.path().join("other")).unwrap();
    let diff = |old, new| {
        run(
            directory.path(),
            &["diff", "--old-config", "tokenward.toml", old, new],
        )
    };
    let ran = diff("one", "other");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(
        ran.err
            .contains("neither `one` nor `other` has policy files or tokens, so nothing was compared"),
        "{}",
        ran.err
    );
    // A first policy is new access.
    assert_eq!(diff("one", "good").code, 1);
    assert_eq!(diff("good", "one").code, 0);
}

/// The question of what is newly denied is a question too.
#[test]
fn an_open_question_about_what_is_denied_is_3() {
    let directory = place(
        CONFIGURATION,
        &[
            ("old", "/rest/(.*a){12}.*\n/rest/(.*c){9}.*"),
            ("new", "/rest/(.*c){9}.*"),
        ],
    );
    let diff = |format: &str| {
        let budget = ["--budget", "1", "--format", format, "old", "new"];
        run(
            directory.path(),
            &[&["diff", "--old-config", "tokenward.toml"], &budget[..]].concat(),
        )
    };
    let ran = diff("json");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let token = &json["tokens"][0];
    assert_eq!(
        (
            &token["newly_allowed"]["verdict"],
            &token["newly_denied"]["verdict"]
        ),
        (&"no".into(), &"inconclusive".into()),
        "{json:#}"
    );
    assert_eq!((&json["widens"], &json["open"]), (&false.into(), &true.into()));
    for format in ["text", "json", "markdown", "sarif", "junit", "github", "gitlab"] {
        let ran = diff(format);
        assert_eq!(ran.code, 3, "{format}: {}", ran.out);
        assert!(
            ran.err.contains("cannot decide whether less is allowed"),
            "{}",
            ran.err
        );
    }
    assert!(diff("junit").out.contains("<failure"), "{}", diff("junit").out);
}

/// A program that reads the output finds a document, whatever the reason.
#[test]
fn a_comparison_that_fails_prints_a_document() {
    let directory = place(CONFIGURATION, &[("bad", DEAD[0].0), ("good", "[get]/rest/.*")]);
    for (new, code, why) in [
        ("bad", 3, "does not compile"),
        ("absent", 3, "neither a directory"),
        ("a..b", 2, "more than two sides"),
    ] {
        let diff = |format: &str| {
            let ran = run(
                directory.path(),
                &[
                    "diff",
                    "--old-config",
                    "tokenward.toml",
                    "--format",
                    format,
                    "good",
                    new,
                ],
            );
            assert_eq!(ran.code, code, "{format} {new}: {}", ran.err);
            assert!(ran.err.contains(why), "{}", ran.err);
            ran.out
        };
        assert_eq!(diff("text"), "");
        let json: Value = serde_json::from_str(&diff("json")).unwrap();
        assert_eq!(
            (&json["version"], &json["widens"], &json["open"]),
            (&1.into(), &true.into(), &true.into())
        );
        assert!(json["error"].as_str().unwrap().contains(why), "{json:#}");
        let sarif: Value = serde_json::from_str(&diff("sarif")).unwrap();
        assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
        assert!(sarif.to_string().contains(why), "{sarif:#}");
        let gitlab: Value = serde_json::from_str(&diff("gitlab")).unwrap();
        assert!(!gitlab.as_array().unwrap().is_empty());
        assert!(diff("junit").contains("<error"), "{}", diff("junit"));
        assert!(
            diff("github").starts_with("::error title=tokenward::"),
            "{}",
            diff("github")
        );
        let markdown = diff("markdown");
        assert!(
            markdown.starts_with("### Policy: The policies could not be compared\n")
                && markdown.contains(why),
            "{markdown}"
        );
        if new == "bad" {
            assert_eq!(
                (&json["errors"][0]["code"], &json["errors"][0]["line"]),
                (&"TW0027".into(), &8.into()),
                "{json:#}"
            );
            assert!(
                sarif["runs"][0]["results"].to_string().contains("bad/ci.toml"),
                "{sarif:#}"
            );
        }
    }
    let ran = run(
        directory.path(),
        &["ask", "--json", "--policies", "bad", "never [delete].*"],
    );
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &answer["settled"]), (3, &false.into()));
    assert!(
        answer["error"].as_str().unwrap().contains("has 1 error"),
        "{answer}"
    );
}

/// Reports name files from the top of the work tree, wherever the command runs, and whatever kind of side it is.
#[test]
fn every_format_names_files_from_the_top_of_the_work_tree() {
    let repository = Repository::new();
    repository.write("team/tokenward.toml", CONFIGURATION);
    repository.write("team/policies/ci.toml", &policy("[get]/rest/a"));
    repository.commit("one");
    repository.write(
        "team/tokenward.toml",
        &format!("{CONFIGURATION}[relax]\nsemicolon = true\n"),
    );
    repository.write("team/policies/ci.toml", &policy("[get]/rest/a.*"));
    repository.commit("two");
    // A file at the path that the revision's file would have from here.
    repository.write("team/team/policies/ci.toml", &policy("[get]/rest/b"));
    let below = repository.top().join("team");
    for new in ["HEAD", "./policies", below.join("policies").to_str().unwrap()] {
        for (format, places) in [
            (
                "sarif",
                [
                    "\"uri\": \"team/policies/ci.toml\"",
                    "\"uri\": \"team/tokenward.toml\"",
                ],
            ),
            ("gitlab", ["\"team/policies/ci.toml\"", "\"team/tokenward.toml\""]),
            (
                "github",
                ["file=team/policies/ci.toml,", "file=team/tokenward.toml,"],
            ),
            ("junit", ["team/policies/ci.toml", "team/tokenward.toml"]),
        ] {
            let ran = run(&below, &["diff", "--format", format, "HEAD~1", new]);
            assert_eq!(ran.code, 1, "{}", ran.err);
            for place in places {
                assert!(ran.out.contains(place), "{format} {new}: {place} in {}", ran.out);
            }
            assert!(!ran.out.contains("team/team"), "{format} {new}: {}", ran.out);
        }
    }
}
