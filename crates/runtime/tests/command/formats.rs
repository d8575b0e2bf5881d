//! `compile --check` in the formats of CI systems, and its baseline.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::tokenward::{run, tokenward};

const CONFIGURATION: &str = "[upstream]\nurl = \"http://127.0.0.1:8090\"\npublic_url = \"https://jira.example.com\"\nproduct = \"jira\"\n";

/// A repository whose policy has these lines. It warns of the missing expiry.
fn policy(lines: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir_all(directory.path().join("ci/policies")).unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::write(directory.path().join("ci/tokenward.toml"), CONFIGURATION).unwrap();
    rewrite(directory.path(), lines);
    directory
}

fn rewrite(directory: &Path, lines: &str) {
    let text = format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc-ci\"\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{lines}\n'''\n",
        "1".repeat(64)
    );
    fs::write(directory.join("ci/policies/ci.toml"), text).unwrap();
}

const LITERAL: &str = "[post]/rest/api/2/filter[JsonData::editable==false]";

#[test]
fn each_format_is_a_document_with_paths_in_the_work_tree() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    let check = |format: &str| {
        let ran = run(&here, &["compile", "--check", "--format", format]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        ran
    };
    let sarif: Value = serde_json::from_str(&check("sarif").out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri, "ci/policies/ci.toml");
    }
    let gitlab: Value = serde_json::from_str(&check("gitlab").out).unwrap();
    assert_eq!(gitlab[0]["location"]["path"], "ci/policies/ci.toml");
    let junit = check("junit");
    assert!(
        junit.out.starts_with("<?xml") && junit.out.contains("failures=\"0\""),
        "{}",
        junit.out
    );
    assert!(junit.err.ends_with("tokenward: 2 warnings\n"), "{}", junit.err);
    let github = check("github");
    assert!(
        github.out.contains("::warning file=ci/policies/ci.toml,line=6,"),
        "{}",
        github.out
    );
    assert!(github.out.ends_with("tokenward: 2 warnings\n"), "{}", github.out);
    // The order and all else is the same in each run.
    for format in ["sarif", "gitlab", "junit", "github"] {
        assert_eq!(check(format).out, check(format).out);
    }
}

#[test]
fn denied_warnings_are_failures_in_each_format() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    let check = |format: &str| {
        let ran = run(
            &here,
            &["compile", "--check", "--deny", "warnings", "--format", format],
        );
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        ran.out
    };
    assert!(check("junit").contains("failures=\"2\" errors=\"0\""));
    let gitlab: Value = serde_json::from_str(&check("gitlab")).unwrap();
    assert_eq!(
        (gitlab.as_array().unwrap().len(), &gitlab[0]["severity"]),
        (2, &"major".into())
    );
}

#[test]
fn a_run_that_fails_is_no_clean_report() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    let arguments = |format| ["compile", "--check", "absent", "--format", format];
    let ran = run(&here, &arguments("sarif"));
    let sarif: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (
            ran.code,
            &sarif["runs"][0]["invocations"][0]["executionSuccessful"]
        ),
        (3, &false.into())
    );
    let gitlab: Value = serde_json::from_str(&run(&here, &arguments("gitlab")).out).unwrap();
    assert_eq!(gitlab[0]["severity"], "blocker");
    let junit = run(&here, &arguments("junit")).out;
    assert!(junit.contains("errors=\"1\""), "{junit}");
    let github = run(&here, &arguments("github")).out;
    assert!(github.starts_with("::error title=tokenward::"), "{github}");
}

#[test]
fn the_summary_of_a_step_is_appended_to_its_file() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    let summary = directory.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let arguments = ["compile", "--check", "--format", "github"];
    let ran = tokenward(&here, &arguments)
        .environment(&[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())])
        .run();
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n### Tokenward: 2 warnings\n"), "{text}");
    assert!(
        text.contains("| warning TW0103 | `ci/policies/ci.toml:6` |"),
        "{text}"
    );
    let absent = directory.path().join("no/summary.md");
    let ran = tokenward(&here, &arguments)
        .environment(&[("GITHUB_STEP_SUMMARY", absent.to_str().unwrap())])
        .run();
    assert_eq!(ran.code, 3, "{}", ran.err);
}

#[test]
fn a_baseline_is_written_explained_and_applied() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    let check = |more: &[&str]| {
        let arguments = [
            &[
                "compile",
                "--check",
                "--deny",
                "warnings",
                "--baseline",
                "accepted.toml",
            ],
            more,
        ]
        .concat();
        run(&here, &arguments)
    };
    assert_eq!(check(&[]).code, 3, "it does not exist");
    let ran = check(&["--write-baseline"]);
    assert_eq!(ran.code, 1, "nobody has accepted the findings: {}", ran.err);
    assert!(ran.err.contains("2 entries have an empty `why`"), "{}", ran.err);
    let file = here.join("accepted.toml");
    let text = fs::read_to_string(&file).unwrap();
    let ran = check(&[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("accepted.toml:") && ran.err.contains("this entry has an empty `why`"),
        "{}",
        ran.err
    );
    fs::write(&file, text.replace("why = \"\"", "why = \"known\"")).unwrap();
    let ran = check(&[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("no findings, 2 in the baseline"), "{}", ran.out);
    let ran = check(&["--write-baseline"]);
    assert_eq!(ran.code, 0, "all are explained: {}", ran.err);
    let sarif: Value = serde_json::from_str(&check(&["--format", "sarif"]).out).unwrap();
    assert_eq!(sarif["runs"][0]["properties"]["baselined"], 2);
    // A new finding is shown.
    rewrite(
        directory.path(),
        &format!("{LITERAL}\n[post]/rest/api/2/filter/x[JsonData::y==true]"),
    );
    let ran = check(&[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("TW0103") && ran.err.contains("1 warning in"),
        "{}",
        ran.err
    );
    // A corrected one leaves a stale entry.
    rewrite(
        directory.path(),
        "[post]/rest/api/2/filter[JsonData::editable:boolean==false]",
    );
    let ran = check(&[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("TW0550") && ran.err.contains("1 error in the baseline `accepted.toml`"),
        "{}",
        ran.err
    );
    assert_eq!(check(&["--write-baseline"]).code, 0);
    assert_eq!(check(&[]).code, 0);
}

#[test]
fn a_baseline_in_the_policy_directory_is_refused() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    let ran = run(
        &here,
        &[
            "compile",
            "--check",
            "--baseline",
            "policies/accepted.toml",
            "--write-baseline",
        ],
    );
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(!here.join("policies/accepted.toml").exists());
}

#[test]
fn a_policy_with_errors_writes_no_baseline() {
    let directory = policy("/rest/x(?=y)");
    let here = directory.path().join("ci");
    let ran = run(
        &here,
        &["compile", "--check", "--baseline", "a.toml", "--write-baseline"],
    );
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(!here.join("a.toml").exists());
}

#[test]
fn diff_reports_what_gives_more() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    // Without a work tree, paths are relative to the working directory.
    fs::remove_dir(directory.path().join(".git")).unwrap();
    fs::rename(here.join("policies"), here.join("old")).unwrap();
    fs::create_dir(here.join("policies")).unwrap();
    rewrite(directory.path(), &format!("[get]/rest/api/2/myself\n{LITERAL}"));
    let diff = |format: &str| {
        let arguments = [
            "diff",
            "--old-config",
            "tokenward.toml",
            "--format",
            format,
            "old",
            "policies",
        ];
        let ran = run(&here, &arguments);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        ran.out
    };
    let gitlab: Value = serde_json::from_str(&diff("gitlab")).unwrap();
    let issue = &gitlab.as_array().unwrap()[0];
    assert_eq!(
        (&issue["check_name"], &issue["severity"]),
        (&"TW0301".into(), &"critical".into())
    );
    assert_eq!(issue["location"]["path"], "policies/ci.toml");
    assert_eq!(issue["location"]["lines"]["begin"], 6);
    assert!(diff("junit").contains("failures=\"1\""));
    assert!(diff("github").starts_with("::error file=policies/ci.toml,line=6,"));
}

/// An entry of a lint that finds nothing in [`OPEN`].
const LINT_ENTRY: &str =
    "\n[[accepted]]\ncode = \"TW0505\"\ntoken = \"ci\"\nline = '[get].*/rest/a'\nwhy = \"measured in May\"\n";
/// A line about which lints ask more than a budget of 100 answers.
const OPEN: &str = "[get].*/rest/a";
const SMALL: [&str; 2] = ["--budget", "100"];

/// A policy with [`OPEN`], and a baseline that accepts its findings and has [`LINT_ENTRY`].
fn open_with_baseline() -> TempDir {
    let directory = policy(OPEN);
    let here = directory.path().join("ci");
    let ran = run(
        &here,
        &["compile", "--check", "--baseline", "a.toml", "--write-baseline"],
    );
    assert_eq!(ran.code, 1, "{}", ran.err);
    let text = fs::read_to_string(here.join("a.toml")).unwrap();
    let text = text.replace("why = \"\"", "why = \"known\"") + LINT_ENTRY;
    fs::write(here.join("a.toml"), text).unwrap();
    directory
}

#[test]
fn a_baseline_keeps_entries_of_lints_that_were_not_judged() {
    let directory = open_with_baseline();
    let here = directory.path().join("ci");
    let check = |more: &[&str]| {
        let arguments = ["compile", "--check", "--baseline", "a.toml"];
        run(&here, &[&arguments, more].concat())
    };
    let kept = || fs::read_to_string(here.join("a.toml")).unwrap();
    // Open questions, and a smaller set: the entry may be needed.
    for more in [&SMALL, &["--lint", "none"]] {
        let ran = check(more);
        assert_eq!(ran.code, 0, "{more:?}: {}", ran.err);
    }
    let ran = check(&[&SMALL[..], &["--write-baseline"]].concat());
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("of lints could not be settled"), "{}", ran.err);
    assert!(kept().contains(LINT_ENTRY), "{}", kept());
    let ran = check(&["--lint", "none", "--write-baseline"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        kept().contains(LINT_ENTRY) && kept().contains("TW0504"),
        "{}",
        kept()
    );
    // All was judged: it is not needed.
    let ran = check(&[]);
    assert!(ran.code == 1 && ran.err.contains("TW0550"), "{}", ran.err);
    assert_eq!(check(&["--write-baseline"]).code, 0);
    assert!(!kept().contains("TW0505"), "{}", kept());
}

#[test]
fn open_questions_of_lints_are_told_in_each_format() {
    let directory = policy(OPEN);
    let here = directory.path().join("ci");
    let check = |format: &str| {
        let ran = run(
            &here,
            &[&["compile", "--check", "--format", format], &SMALL[..]].concat(),
        );
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        ran
    };
    let last = check("json").out.lines().last().unwrap().to_owned();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last, serde_json::json!({ "open_lint_questions": 1 }));
    let sarif: Value = serde_json::from_str(&check("sarif").out).unwrap();
    let told = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(
        told,
        "1 question of lints is open; a larger --budget settles them"
    );
    let junit = check("junit").out;
    assert!(
        junit.contains("name=\"open_lint_questions\" value=\"1\""),
        "{junit}"
    );
    let github = check("github").out;
    assert!(
        github.contains("::notice title=tokenward::1 question"),
        "{github}"
    );
    let gitlab = check("gitlab").err;
    assert!(gitlab.contains("1 question of lints open"), "{gitlab}");
    let denied = ["compile", "--check", "--deny", "warnings", "--format", "gitlab"];
    let ran = run(&here, &[&denied, &SMALL[..]].concat());
    assert!(
        ran.code != 0 && ran.err.contains("1 question of lints open"),
        "{}",
        ran.err
    );
}

#[test]
fn a_baseline_that_is_no_regular_file_is_refused() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    let pipe = here.join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    for file in ["pipe", "/dev/zero"] {
        let ran = run(&here, &["compile", "--check", "--baseline", file]);
        assert_eq!(ran.code, 3, "{file}: {}", ran.err);
        assert!(ran.err.contains("not a regular file"), "{}", ran.err);
    }
    // Its size is limited too.
    let large = fs::File::create(here.join("large.toml")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    let ran = run(&here, &["compile", "--check", "--baseline", "large.toml"]);
    assert!(ran.code == 3 && ran.err.contains("more than"), "{}", ran.err);
}

#[test]
fn no_policy_is_no_clean_document() {
    let directory = policy(LITERAL);
    let here = directory.path().join("ci");
    fs::remove_file(here.join("policies/ci.toml")).unwrap();
    for format in ["sarif", "junit", "github", "gitlab"] {
        let ran = run(&here, &["compile", "--check", "--format", format]);
        assert_eq!(ran.code, 2, "{format}: {}", ran.err);
        assert!(ran.out.contains("has no policy files"), "{format}: {}", ran.out);
    }
    // A fresh installation has none.
    assert_eq!(run(&here, &["compile", "--check"]).code, 0);
}

#[test]
fn a_policy_file_whose_name_is_not_utf8_is_an_error() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let directory = policy("/rest/a");
    let here = directory.path().join("ci");
    let hidden = here.join("policies").join(OsStr::from_bytes(b"\xff.toml"));
    fs::write(hidden, "garbage [[").unwrap();
    // `diff` asks git, to which the directory of the other tests is a damaged repository.
    fs::remove_dir_all(directory.path().join(".git")).unwrap();
    fs::create_dir(here.join("old")).unwrap();
    for (arguments, code) in [
        (["compile", "--check", "policies"].as_slice(), 3),
        (&["diff", "--old-config", "tokenward.toml", "old", "policies"], 3),
        (&["fmt", "--check", "policies"], 2),
    ] {
        let ran = run(&here, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        assert!(
            ran.err
                .contains("policies/\u{fffd}.toml` is not UTF-8; rename it"),
            "{arguments:?}: {}",
            ran.err
        );
    }
}
