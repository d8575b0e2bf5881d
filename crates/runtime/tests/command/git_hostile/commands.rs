//! Nothing that a repository or the environment names is run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::planted::{none_ran, plant};
use super::{GATE, answer, answer_in, committed, gate_fails};
use crate::policy::token;
use crate::repository::{git, script};

#[test]
fn no_other_file_of_the_sources_runs_git() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut left = vec![
        crates.to_owned(),
        crates.parent().unwrap().join("tests/src"),
        crates.parent().unwrap().join("tests/bed"),
    ];
    let mut running = Vec::new();
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let in_tests = path.ends_with("crates/runtime/tests");
            if path.is_dir() && !in_tests {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                if text.contains("Command::new(\"git\")") || text.contains("join(\"git\")") {
                    running.push(path);
                }
            }
        }
    }
    assert_eq!(running, [crates.join("runtime/src/git/run.rs")]);
}

#[test]
fn a_command_planted_in_the_repository_runs_nowhere() {
    let it = committed();
    it.write(
        "policies/t.toml",
        &token("t", "11", "", "[get]/rest/a\n[get]/rest/b"),
    );
    it.commit("Two");
    let ran = plant(&it);
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));

    gate_fails(&answer(&it, &GATE));
    gate_fails(&answer(
        &it,
        &["compile", "--check", "--no-new-access", "main~1", "policies"],
    ));
    assert_eq!(answer(&it, &["diff", "main~1..main"]).0, 1);
    assert_eq!(answer(&it, &["diff", "main.."]).0, 1);
    assert_eq!(answer(&it, &["scan", "."]), (0, String::new()));
    assert_eq!(answer(&it, &["scan", "policies"]), (0, String::new()));
    let (code, said) = answer(&it, &["token", "set-limits", "t", "--limit", "[get]/rest/c"]);
    assert!(code == 0, "{said}");
    let (code, said) = answer(&it, &["token", "list"]);
    assert!(code == 0, "{said}");
    none_ran(&ran);

    // The places are real ones: git itself runs what they name.
    git(&it.top(), &["status"]);
    git(&it.top(), &["log", "-p", "--textconv", "--ext-diff"]);
    assert!(ran.join("core.fsmonitor").exists() || ran.join("included").exists());
    assert!(
        ran.join("diff.evil.textconv").exists()
            || ran.join("diff.other.textconv").exists()
            || ran.join("diff.evil.command").exists()
    );
}

#[test]
fn the_environment_of_a_hook_redirects_nothing_and_runs_nothing() {
    let it = committed();
    it.write("examples/u.toml", &token("u", "22", "", "/rest/.*"));
    it.commit("Two");
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let ran = it.folder().join("ran");
    fs::create_dir(&ran).unwrap();
    let evil = it.folder().join("evil");
    script(&evil, &format!("touch '{}/evil'", ran.display()));
    script(
        &it.folder().join("exec/git-rev-parse"),
        &format!("touch '{}/exec'", ran.display()),
    );
    let other = committed();
    let (git, evil) = (
        other.top().join(".git").display().to_string(),
        evil.display().to_string(),
    );
    let trace = ran.join("trace").display().to_string();
    let exec = it.folder().join("exec").display().to_string();
    let environment = [
        ("GIT_DIR", git.as_str()),
        ("GIT_COMMON_DIR", git.as_str()),
        ("GIT_WORK_TREE", "/"),
        ("GIT_INDEX_FILE", "/dev/null"),
        ("GIT_PREFIX", "examples/"),
        ("GIT_OBJECT_DIRECTORY", "/nonexistent"),
        ("GIT_NAMESPACE", "n"),
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", evil.as_str()),
        ("GIT_CONFIG_KEY_1", "core.pager"),
        ("GIT_CONFIG_VALUE_1", evil.as_str()),
        ("GIT_CONFIG_PARAMETERS", "'diff.external=false'"),
        ("GIT_EXTERNAL_DIFF", evil.as_str()),
        ("GIT_PAGER", evil.as_str()),
        ("GIT_SSH", evil.as_str()),
        ("GIT_TRACE", trace.as_str()),
        ("GIT_TRACE2_EVENT", trace.as_str()),
        ("GIT_EXEC_PATH", exec.as_str()),
        ("GIT_REPLACE_REF_BASE", "refs/heads/"),
        ("GIT_LITERAL_PATHSPECS", "0"),
        ("GIT_CEILING_DIRECTORIES", "/"),
    ];
    gate_fails(&answer_in(&it.top(), &GATE, &environment));
    assert_eq!(answer_in(&it.top(), &["diff", "HEAD.."], &environment).0, 1);
    assert_eq!(
        answer_in(&it.top(), &["scan", "."], &environment),
        (0, String::new())
    );
    none_ran(&ran);
}

/// As `npm` and `direnv` set it.
#[test]
fn a_git_that_the_repository_contains_is_not_run() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let ran = it.folder().join("ran");
    script(
        &it.top().join("node_modules/.bin/git"),
        &format!("touch '{}'; exit 0", ran.display()),
    );
    symlink(it.top().join("node_modules/.bin"), it.folder().join("bin")).unwrap();
    let rest = std::env::var("PATH").unwrap();
    for directory in [it.top().join("node_modules/.bin"), it.folder().join("bin")] {
        let path = format!("{}:{rest}", directory.display());
        gate_fails(&answer_in(&it.top(), &GATE, &[("PATH", &path)]));
        let only = directory.display().to_string();
        let (code, said) = answer_in(&it.top(), &GATE, &[("PATH", &only)]);
        assert!(code == 3 && said.contains("git is not installed"), "{said}");
    }
    assert!(!ran.exists());
}
