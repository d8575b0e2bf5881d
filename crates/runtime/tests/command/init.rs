//! `tokenward init`: a first policy repository for each product.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::tokenward::{run, succeed};

const PRODUCTS: [&str; 5] = ["jira", "confluence", "gitlab", "redmine", "generic"];
/// The check in the README of this repository.
const CHECK: &str = "tokenward compile --check --deny warnings";

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap()
}

/// The repository passes the check, which its CI files run, and which the README of Tokenward recommends.
#[test]
fn a_new_repository_passes_its_own_check() {
    let readme = include_str!("../../../../README.md");
    assert!(readme.contains(CHECK));
    for product in PRODUCTS {
        let directory = tempfile::tempdir().unwrap();
        let written = succeed(directory.path(), &["init", "--product", product]);
        assert!(written.starts_with("15 files written to .:\n"), "{written}");
        for ci in [".github/workflows/policy.yml", ".gitlab-ci.yml", "README.md"] {
            assert!(written.contains(ci), "{written}");
            let text = read(directory.path(), ci);
            let line = text.lines().find(|line| line.trim_end().ends_with(CHECK));
            assert!(line.is_some(), "{product}: {ci}");
        }
        let arguments: Vec<&str> = CHECK.split(' ').skip(1).collect();
        let out = succeed(directory.path(), &arguments);
        assert!(out.contains("1 token, no findings"), "{product}: {out}");
        // The same CI files run the tests.
        let out = succeed(directory.path(), &["test"]);
        assert_eq!(out, "2 tests: 2 passed, 0 failed\n", "{product}");
        succeed(directory.path(), &["fmt", "--check"]);
        for ci in [".github/workflows/policy.yml", ".gitlab-ci.yml", "README.md"] {
            assert!(
                read(directory.path(), ci).contains("tokenward test"),
                "{product}: {ci}"
            );
        }
    }
}

/// The invariants are about every token: one that deletes does not compile.
#[test]
fn the_invariants_hold_for_new_tokens() {
    for product in PRODUCTS {
        let directory = tempfile::tempdir().unwrap();
        succeed(directory.path(), &["init", "--product", product]);
        let new = [
            "token",
            "new",
            "--name",
            "careless",
            "--user",
            "svc",
            "--expires",
            "90d",
            "--limit-to",
            "[delete]/.*",
            "--file",
            "policies/careless.toml",
        ];
        let _ = run(directory.path(), &new);
        let ran = run(directory.path(), &["compile", "--check"]);
        assert!(
            ran.code == 1 && ran.err.contains("TW0201"),
            "{product}: {}{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn git_ignores_the_secrets() {
    let directory = tempfile::tempdir().unwrap();
    succeed(directory.path(), &["init", "--product", "jira", "tokens"]);
    let tokens = directory.path().join("tokens");
    crate::repository::git_succeeds(&tokens, &["init", "--quiet"]);
    let listed =
        crate::repository::git_succeeds(&tokens, &["status", "--porcelain", "--untracked-files=all"]);
    assert!(listed.contains("policies/example.toml"), "{listed}");
    assert!(!listed.contains(".tokenward/"), "{listed}");
    assert!(tokens.join(".tokenward/upstream-credentials.toml").is_file());
}

#[test]
fn files_for_ci_are_those_that_were_asked_for() {
    for (ci, expected) in [
        ("github", (true, false)),
        ("gitlab", (false, true)),
        ("both", (true, true)),
        ("none", (false, false)),
    ] {
        let directory = tempfile::tempdir().unwrap();
        succeed(directory.path(), &["init", "--product", "jira", "--ci", ci]);
        let has = |name: &str| directory.path().join(name).exists();
        assert_eq!(
            (has(".github/workflows/policy.yml"), has(".gitlab-ci.yml")),
            expected,
            "{ci}"
        );
    }
}

#[test]
fn nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join("README.md"), "mine\n").unwrap();
    symlink("nowhere", path.join("tokenward.toml")).unwrap();
    let ran = run(path, &["init", "--product", "jira"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(
        ran.err
            .contains(". already contains `tokenward.toml`, `README.md`; ")
            && ran.err.contains("nothing was written"),
        "{}",
        ran.err
    );
    assert_eq!(read(path, "README.md"), "mine\n");
    assert_eq!(fs::read_dir(path).unwrap().count(), 2);

    // A second time in the same place.
    let directory = tempfile::tempdir().unwrap();
    succeed(directory.path(), &["init", "--product", "jira"]);
    let before = read(directory.path(), "policies/example.toml");
    let ran = run(directory.path(), &["init", "--product", "gitlab"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(read(directory.path(), "policies/example.toml"), before);

    // Policies of somebody else would become part of the new one.
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    let ran = run(directory.path(), &["init", "--product", "jira"]);
    assert!(ran.code == 2 && ran.err.contains("`policies`"), "{}", ran.err);
}

#[test]
fn wrong_values_are_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    for (option, value) in [
        ("--upstream", "jira.internal"),
        ("--public-url", "https://api.example.com/?x"),
        ("--listen", "8080"),
        ("--listen", "0.0.0.0:8080"),
        ("--listen", "[::]:8080"),
        ("--product", "Jira"),
    ] {
        let product = if option == "--product" {
            vec![]
        } else {
            vec!["--product", "jira"]
        };
        let arguments = [vec!["init"], product, vec![option, value]].concat();
        let ran = run(directory.path(), &arguments);
        assert!(ran.code == 2 && ran.err.contains(value), "{option}: {}", ran.err);
    }
    let ran = run(directory.path(), &["init"]);
    assert!(ran.code == 2 && ran.err.contains("--product"), "{}", ran.err);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
