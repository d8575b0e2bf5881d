//! `tokenward fmt`: canonical spelling of policy files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use crate::tokenward::{run, succeed, tokenward};

const MESSY: &str = "[[token]]\r\nlimit_to = '[POST,get] /rest/x'\r\nuser='u'\r\n# the build\r\nname = 'ci'\r\nsecret_hash = 'sha256:1111111111111111111111111111111111111111111111111111111111111111'\r\n";
const CLEAN: &str = "[[token]]\n# the build\nname = \"ci\"\nuser = \"u\"\nsecret_hash = \"sha256:1111111111111111111111111111111111111111111111111111111111111111\"\nlimit_to = '''\n[get,post]/rest/x\n'''\n";

fn policy() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("policies/ci.toml"), MESSY).unwrap();
    fs::write(directory.path().join("policies/read.limits"), "/rest/y\n").unwrap();
    directory
}

fn text(directory: &Path, file: &str) -> String {
    fs::read_to_string(directory.join(file)).unwrap()
}

#[test]
fn a_directory_is_formatted_once() {
    let directory = policy();
    let file = directory.path().join("policies/ci.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let ran = run(directory.path(), &["fmt", "--check"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (1, "not formatted: policies/ci.toml\n"),
        "{}",
        ran.err
    );
    assert_eq!(text(directory.path(), "policies/ci.toml"), MESSY);
    let ran = run(directory.path(), &["fmt"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.out,
        "formatted: policies/ci.toml\n1 file formatted, 1 unchanged; all proved to mean the same\n"
    );
    // What version 1 of the language read otherwise is named.
    assert!(
        ran.err
            .contains("in 1 line: policies/ci.toml:2; after an upgrade"),
        "{}",
        ran.err
    );
    assert_eq!(text(directory.path(), "policies/ci.toml"), CLEAN);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(
        succeed(directory.path(), &["fmt", "--check"]),
        "2 files formatted\n"
    );
    assert_eq!(
        fs::read_dir(directory.path().join("policies")).unwrap().count(),
        2,
        "no temporary file stays"
    );
}

#[test]
fn a_line_that_cannot_be_read_is_an_error() {
    let directory = policy();
    fs::write(
        directory.path().join("policies/read.limits"),
        "/rest/y(\n  [GET] /rest/z\n",
    )
    .unwrap();
    for arguments in [&["fmt", "--check"][..], &["fmt"]] {
        let ran = run(directory.path(), arguments);
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("read.limits:1"), "{}", ran.err);
        assert!(ran.err.contains("cannot parse 1 of 2 files"), "{}", ran.err);
    }
    assert_eq!(text(directory.path(), "policies/ci.toml"), CLEAN);
    assert_eq!(
        text(directory.path(), "policies/read.limits"),
        "/rest/y(\n  [GET] /rest/z\n"
    );
    let ran = tokenward(directory.path(), &["fmt", "--stdin-name", "x.limits", "-"])
        .input("/rest/y(")
        .run();
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
}

#[test]
fn a_diff_is_shown_and_nothing_written() {
    let directory = policy();
    let ran = run(directory.path(), &["fmt", "--diff", "policies/ci.toml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.out
            .starts_with("--- policies/ci.toml\n+++ policies/ci.toml\n@@ -1,6 +1,8 @@\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("\n+[get,post]/rest/x\n"), "{}", ran.out);
    assert_eq!(text(directory.path(), "policies/ci.toml"), MESSY);
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let directory = policy();
    let ran = tokenward(directory.path(), &["fmt", "-"]).input(MESSY).run();
    assert_eq!((ran.code, ran.out.as_str()), (0, CLEAN), "{}", ran.err);
    let ran = tokenward(directory.path(), &["fmt", "-"]).input(CLEAN).run();
    assert_eq!((ran.code, ran.out.as_str()), (0, CLEAN), "{}", ran.err);
    let ran = tokenward(directory.path(), &["fmt", "--check", "-"])
        .input(MESSY)
        .run();
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    let arguments = ["fmt", "--stdin-name", "x.limits", "-"];
    let ran = tokenward(directory.path(), &arguments)
        .input("  [PUT]/rest/x")
        .run();
    assert_eq!((ran.code, ran.out.as_str()), (0, "[put]/rest/x\n"), "{}", ran.err);
    let ran = tokenward(directory.path(), &["fmt", "-"]).input("[[token").run();
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
}

#[test]
fn standard_input_can_be_a_file_of_the_policy() {
    let directory = policy();
    // A seal signs the lines of the set that the token includes.
    let sealed = format!(
        "{MESSY}include = [\"read\"]\nseal = \"v2:{}:{}\"\n",
        "1".repeat(32),
        "2".repeat(128)
    );
    fs::write(directory.path().join("policies/ci.toml"), sealed).unwrap();
    let of = |name: &str| {
        let arguments = ["fmt", "--stdin-name", name, "-"];
        let ran = tokenward(directory.path(), &arguments)
            .input(" [PUT] /rest/x")
            .run();
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    assert_eq!(of("policies/read.limits"), "[PUT] /rest/x\n");
    assert_eq!(of("read.limits"), "[put]/rest/x\n");
}

#[test]
fn what_cannot_be_read_or_parsed_stays() {
    let directory = policy();
    let broken = "[[token]]\nname = 'b'\nlimit_to = '/rest/x[QueryParam::a]'\n";
    fs::write(directory.path().join("policies/b.toml"), broken).unwrap();
    let ran = run(directory.path(), &["fmt"]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("policies/b.toml:3:") && ran.err.contains("1 of 3 files"),
        "{}",
        ran.err
    );
    assert_eq!(text(directory.path(), "policies/b.toml"), broken);
    assert_eq!(
        text(directory.path(), "policies/ci.toml"),
        CLEAN,
        "the others are formatted"
    );
    for arguments in [
        ["fmt", "absent.toml"].as_slice(),
        &["fmt", "absent"],
        &["fmt", "policies/notes.md"],
        &["fmt", "--stdin-name", "x.toml", "policies"],
    ] {
        let ran = run(directory.path(), arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
    }
    let conflict = "/rest/x\n<<<<<<< ours\n/rest/y\n=======\n/rest/z\n>>>>>>> theirs\n";
    fs::write(directory.path().join("policies/read.limits"), conflict).unwrap();
    let ran = run(directory.path(), &["fmt", "policies/read.limits"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(text(directory.path(), "policies/read.limits"), conflict);
}

#[test]
fn a_file_by_itself_is_formatted() {
    let directory = policy();
    fs::write(directory.path().join("other.toml"), MESSY).unwrap();
    succeed(directory.path(), &["fmt", "other.toml"]);
    assert_eq!(text(directory.path(), "other.toml"), CLEAN);
    assert_eq!(text(directory.path(), "policies/ci.toml"), MESSY);
}

#[test]
fn a_merge_in_progress_is_left_alone() {
    let directory = policy();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::write(directory.path().join(".git/MERGE_HEAD"), "").unwrap();
    let ran = run(directory.path(), &["fmt"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("in the middle of a merge"), "{}", ran.err);
    assert_eq!(text(directory.path(), "policies/ci.toml"), MESSY);
    // Looking is harmless.
    assert_eq!(run(directory.path(), &["fmt", "--check"]).code, 1);
}

/// What other commands write is in the canonical spelling.
#[test]
fn written_policies_are_formatted() {
    let directory = TempDir::new().unwrap();
    succeed(directory.path(), &["init", "--product", "jira", "tokens"]);
    let tokens = directory.path().join("tokens");
    let ran = run(&tokens, &["fmt", "--diff"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// A token that includes the set `s`, with a seal that signs the set's lines.
fn sealed() -> TempDir {
    let directory = policy();
    let sealed = format!(
        "{MESSY}include = [\"s\"]\nseal = \"v2:{}:{}\"\n",
        "1".repeat(32),
        "2".repeat(128)
    );
    fs::write(directory.path().join("policies/ci.toml"), sealed).unwrap();
    fs::create_dir(directory.path().join("policies/team")).unwrap();
    fs::write(directory.path().join("policies/team/s.limits"), SIGNED).unwrap();
    fs::create_dir(directory.path().join("sub")).unwrap();
    directory
}

const SIGNED: &str = "[ GET ] /rest/a\n";

#[test]
fn seals_are_known_from_everywhere() {
    let directory = sealed();
    let set = "policies/team/s.limits";
    for (from, path) in [
        (".", set),
        ("sub", "../policies/team/s.limits"),
        ("policies/team", "s.limits"),
        (".", "policies/team"),
        ("sub", "../policies/team"),
    ] {
        let ran = run(directory.path().join(from), &["fmt", path]);
        assert_eq!(ran.code, 0, "{from} {path}: {}", ran.err);
        assert_eq!(text(directory.path(), set), SIGNED, "{from} {path}");
        assert!(ran.err.contains("seals sign them"), "{from} {path}: {}", ran.err);
    }
    // A configuration above the file names its policy.
    fs::create_dir(directory.path().join("policies/tokens")).unwrap();
    fs::rename(
        directory.path().join("policies/ci.toml"),
        directory.path().join("policies/tokens/ci.toml"),
    )
    .unwrap();
    fs::remove_file(directory.path().join("policies/read.limits")).unwrap();
    fs::write(
        directory.path().join("tokenward.toml"),
        "policies = \"policies\"\n",
    )
    .unwrap();
    let ran = run(
        directory.path().join("sub"),
        &["fmt", "../policies/team/s.limits"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(text(directory.path(), set), SIGNED);
    // One that does not load may name any.
    fs::write(directory.path().join("tokenward.toml"), "bogus = 1\n").unwrap();
    for (from, path) in [
        (".", set),
        ("sub", "../policies/team/s.limits"),
        (".", "policies/team"),
    ] {
        let ran = run(directory.path().join(from), &["fmt", path]);
        assert_eq!(ran.code, 2, "{from} {path}: {}", ran.err);
        assert!(ran.err.contains("bogus"), "{}", ran.err);
        assert_eq!(text(directory.path(), set), SIGNED);
    }
}

#[test]
fn a_file_that_is_named_twice_is_formatted_once() {
    let whole = "formatted: policies/ci.toml\n1 file formatted, 1 unchanged; all proved to mean the same\n";
    let one = "formatted: policies/ci.toml\n1 file formatted, 0 unchanged; all proved to mean the same\n";
    for (paths, expected) in [
        (["policies", "policies/ci.toml"], whole),
        (["policies/ci.toml", "policies"], whole),
        (["policies/ci.toml", "./policies/../policies/ci.toml"], one),
        (["policies", "policies/"], whole),
    ] {
        let directory = policy();
        let out = succeed(directory.path(), &["fmt", paths[0], paths[1]]);
        assert_eq!(out, expected, "{paths:?}");
        assert_eq!(text(directory.path(), "policies/ci.toml"), CLEAN);
    }
}

#[test]
fn links_and_pipes_are_refused() {
    let directory = policy();
    fs::create_dir(directory.path().join("old")).unwrap();
    let at = |name: &str| directory.path().join(name);
    std::os::unix::fs::symlink("policies/ci.toml", at("link.toml")).unwrap();
    std::os::unix::fs::symlink("policies", at("linked")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(at("old/f.toml"))
        .status()
        .unwrap();
    assert!(pipe.success());
    for (path, why) in [
        ("link.toml", "it is a link"),
        ("linked/", "it is a link"),
        ("old/f.toml", "not a regular file"),
    ] {
        let ran = run(directory.path(), &["fmt", path]);
        assert_eq!(ran.code, 2, "{path}: {}", ran.err);
        assert!(ran.err.contains(why), "{path}: {}", ran.err);
    }
    assert_eq!(text(directory.path(), "policies/ci.toml"), MESSY);
}

/// GitHub Actions reads a line that begins with `::`, behind spaces too, as a command.
#[test]
fn no_line_is_a_command_to_github() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("p")).unwrap();
    let name = "::error::pwn.limits";
    let set = "# one\n::error::/rest/x\n[GET]/rest/y\n";
    fs::write(directory.path().join("p").join(name), set).unwrap();
    for arguments in [
        ["fmt", "--check", name],
        ["fmt", "--diff", name],
        ["fmt", ".", name],
    ] {
        let ran = tokenward(directory.path().join("p"), &arguments)
            .environment(&[("GITHUB_ACTIONS", "true")])
            .run();
        let mut lines = ran.out.lines();
        assert!(
            !lines.any(|line| line.trim_start().starts_with("::")),
            "{}",
            ran.out
        );
        assert!(ran.out.contains("error::pwn.limits"), "{}{}", ran.out, ran.err);
    }
}
