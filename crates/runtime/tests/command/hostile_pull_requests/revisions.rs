use std::fs;

use super::repository::Repository;
use crate::policy::token;
use crate::repository::git_succeeds;
use crate::tokenward::{run, tokenward};

const LINE: &str = "[get]/rest/a";

fn wider() -> String {
    token("ci", "11", "", "/rest/.*")
}

/// A directory of the base's name would be compared with in its place.
#[test]
fn a_directory_is_named_as_the_base() {
    let repository = Repository::plain();
    repository
        .proposes(&[("policies/ci.toml", &wider()), ("main/ci.toml", &wider())])
        .refuses(&["`main` is both a path and a git revision; write `./main` for the path, or `main..` for the revision"]);
    let base = |base| ["compile", "--check", "--no-new-access", base];
    repository.tokenward(&base("main..")).finds(&["TW0301"]);
    repository.tokenward(&base("./main")).finds(&[]);
    repository
        .tokenward(&["diff", "main", "policies"])
        .refuses(&["`./main`"]);
}

#[test]
fn a_file_is_named_as_the_base() {
    Repository::plain()
        .proposes(&[("policies/ci.toml", &wider()), ("main", "TWPA")])
        .refuses(&["`main` is both a path and a git revision"]);
}

#[test]
fn a_link_that_leads_nowhere_is_named_as_the_base() {
    let repository = Repository::plain();
    std::os::unix::fs::symlink("nowhere", repository.top.join("main")).unwrap();
    repository
        .proposes(&[("policies/ci.toml", &wider())])
        .refuses(&["`main` is both a path and a git revision"]);
}

/// git takes a directory with these entries for a repository.
#[test]
fn the_policy_directory_looks_like_a_repository() {
    let repository = Repository::plain();
    repository
        .proposes(&[
            ("policies/ci.toml", &wider()),
            ("policies/HEAD", "ref: refs/heads/main\n"),
            ("policies/config", "[core]\nbare = true\n"),
            ("policies/objects/x", ""),
            ("policies/refs/x", ""),
        ])
        .finds(&["TW0301"]);
    repository.gate(&["policies"]).finds(&["TW0301"]);
}

#[test]
fn a_tag_has_the_name_of_the_base() {
    let repository = Repository::plain();
    repository.commit(&[("policies/ci.toml", &wider())]);
    repository.git(&["tag", "main"]);
    repository
        .gate(&[])
        .refuses(&["`main` is ambiguous", "refs/heads/main", "refs/tags/main"]);
    let full = ["compile", "--check", "--no-new-access", "refs/heads/main"];
    repository.tokenward(&full).finds(&["TW0301"]);
}

/// What is merged is not what the branch has: it lacks a set that main has made larger since.
#[test]
fn the_branch_lacks_what_main_has_gained() {
    let repository = Repository::plain();
    repository.commit(&[("README", "x")]);
    repository.git(&["checkout", "-q", "main"]);
    repository.commit(&[("policies/new.limits", "/rest/.*\n")]);
    repository.git(&["checkout", "-q", "change"]);
    repository
        .proposes(&[("policies/ci.toml", &token("ci", "11", "", LINE))])
        .refuses(&[
            "`HEAD` lacks commits of `main`",
            "merge `main` into it, or rebase it onto `main`",
        ]);
    repository
        .tokenward(&["diff", "main..HEAD"])
        .refuses(&["tokenward diff main...HEAD"]);
    repository.git(&["merge", "-q", "-m", "m", "main"]);
    repository.gate(&[]).ends(0, &[]);
}

#[test]
fn a_merge_base_is_no_base() {
    let repository = Repository::plain();
    let base = |base| ["compile", "--check", "--no-new-access", base];
    for range in ["main...HEAD", "main...", "main..HEAD"] {
        repository.tokenward(&base(range)).ends(2, &["name one revision"]);
    }
}

#[test]
fn diff_with_a_merge_base_says_so() {
    let repository = Repository::plain();
    repository.git(&["checkout", "-q", "main"]);
    repository.commit(&[("README", "x")]);
    repository.git(&["checkout", "-q", "change"]);
    repository.commit(&[("policies/ci.toml", &wider())]);
    let answer = repository.tokenward(&["diff", "main...HEAD"]);
    assert!(
        answer.code == 1 && answer.out.contains("newly allowed: "),
        "{}",
        answer.err
    );
    answer.says("the merge base of `main` and `HEAD`; later changes of `main` are not compared");
}

#[test]
fn diff_takes_two_revisions() {
    let repository = Repository::plain();
    repository.commit(&[("policies/ci.toml", &wider())]);
    for arguments in [
        &["diff", "main", "HEAD"][..],
        &["diff", "main..HEAD"],
        &["diff", "main.."],
    ] {
        let answer = repository.tokenward(arguments);
        assert!(
            answer.code == 1 && answer.out.contains("newly allowed: "),
            "{arguments:?} {}",
            answer.err
        );
    }
    repository
        .tokenward(&["diff", "main..HEAD", "change"])
        .ends(2, &["`tokenward diff OLD NEW`, or a single range"]);
    // Back to what was: less, and no question of what a merge would be.
    assert_eq!(repository.tokenward(&["diff", "HEAD", "main"]).code, 0);
}

#[test]
fn a_base_that_is_missing_says_how_to_get_it() {
    let repository = Repository::plain();
    let base = ["compile", "--check", "--no-new-access", "origin/main"];
    repository
        .tokenward(&base)
        .refuses(&["`origin/main` is neither a directory, a compiled policy nor a git revision"]);
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(outside.path().join("policies")).unwrap();
    run(outside.path(), &["compile", "--check", "--no-new-access", "main"])
        .refuses(&["not a git repository"]);
}

#[test]
fn a_shallow_clone_says_what_to_do() {
    let repository = Repository::plain();
    repository.commit(&[("policies/ci.toml", &wider())]);
    repository.commit(&[("README", "x")]);
    let clone = repository.top.parent().unwrap().join("clone");
    let from = format!("file://{}", repository.top.display());
    let arguments = [
        "clone",
        "-q",
        "--depth",
        "1",
        "--no-single-branch",
        &from,
        clone.to_str().unwrap(),
    ];
    git_succeeds(&repository.top, &arguments);
    run(&clone, &["compile", "--check", "--no-new-access", "origin/main"])
        .refuses(&["this clone is shallow", "fetch-depth: 0"]);
}

/// As git sets it for every hook, in linked work trees above all.
#[test]
fn git_dir_of_a_hook_changes_nothing() {
    let repository = Repository::plain();
    repository.commit(&[("policies/ci.toml", &wider())]);
    let other = Repository::new(&[("policies/ci.toml", &wider())]);
    let elsewhere = other.top.join(".git");
    let elsewhere = elsewhere.to_str().unwrap();
    let arguments = ["compile", "--check", "--no-new-access", "main"];
    for environment in [
        &[("GIT_DIR", elsewhere)][..],
        &[
            ("GIT_DIR", elsewhere),
            ("GIT_WORK_TREE", other.top.to_str().unwrap()),
        ],
        &[("GIT_OBJECT_DIRECTORY", "/nowhere")],
        &[("GIT_CEILING_DIRECTORIES", "/"), ("GIT_PREFIX", "policies/")],
    ] {
        tokenward(&repository.top, &arguments)
            .environment(environment)
            .run()
            .finds(&["TW0301"]);
    }
}

#[test]
fn a_hook_in_a_linked_work_tree_is_answered_alike() {
    let repository = Repository::new(&[
        ("policies/p.toml", &token("ci", "11", "", LINE)),
        ("examples/admin.toml", &token("admin", "22", "", "/rest/.*")),
        ("conf/tw.toml", "policies = \"../policies\"\n"),
    ]);
    repository.git(&["worktree", "add", "-q", "-b", "w", "../w"]);
    let tree = repository.top.parent().unwrap().join("w");
    fs::copy(tree.join("examples/admin.toml"), tree.join("policies/admin.toml")).unwrap();
    let git_dir = repository.top.join(".git/worktrees/w");
    let arguments = [
        "compile",
        "--check",
        "--no-new-access",
        "HEAD",
        "policies",
        "--config",
        "conf/tw.toml",
    ];
    for environment in [&[][..], &[("GIT_DIR", git_dir.to_str().unwrap())]] {
        tokenward(&tree, &arguments)
            .environment(environment)
            .run()
            .finds(&["TW0301", "TW0303", "TW0304", "TW0305", "TW0306"]);
    }
}

/// Writes a file into the commit as it is, past the work tree and past filters.
fn stage(repository: &Repository, name: &str, text: &[u8]) {
    let raw = repository.top.join("raw");
    fs::write(&raw, text).unwrap();
    let id = repository.git(&["hash-object", "-w", "--no-filters", "raw"]);
    fs::remove_file(raw).unwrap();
    repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("100644,{id},{name}"),
    ]);
}

/// The commit allows more, and its checkout shows a comment instead.
#[test]
fn an_attribute_changes_the_policy_at_checkout() {
    for attribute in [
        "working-tree-encoding=ISO646-GB",
        "filter=evil",
        "ident",
        "eol=crlf",
    ] {
        let repository = Repository::plain();
        repository.commit(&[(
            ".gitattributes",
            &format!("policies/ci.toml {attribute}\n*.png filter=lfs\n"),
        )]);
        stage(
            &repository,
            "policies/ci.toml",
            token("ci", "11", "", "[get]/rest/a\n£?.*/rest/.*").as_bytes(),
        );
        repository.git(&["commit", "-qm", "change"]);
        repository.write(&[(
            "policies/ci.toml",
            &token("ci", "11", "", "[get]/rest/a\n#?.*/rest/.*"),
        )]);
        let (attribute, _) = attribute.split_once('=').unwrap_or((attribute, ""));
        let named = format!("`policies/ci.toml` at `HEAD` has the attribute `{attribute}`");
        repository.gate(&[]).refuses(&[&named]);
        repository.gate(&["policies"]).refuses(&[&named]);
        let answer = repository.tokenward(&["diff", "main", "HEAD"]);
        answer.refuses(&["has the attribute"]);

        // The base has it already, and the pull request removes it.
        repository.git(&["branch", "-f", "main"]);
        repository.git(&["rm", "-q", ".gitattributes"]);
        repository.git(&["commit", "-qm", "change"]);
        repository
            .gate(&[])
            .refuses(&["`policies/ci.toml` at `main` has the attribute"]);
    }
}

#[test]
fn an_attribute_changes_the_configuration_or_comes_by_a_macro_from_a_folder_below() {
    let config = "[auth]\nnever_act_as = [\"admin\"]\n";
    let repository = Repository::new(&[
        ("tokenward.toml", config),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
    ]);
    repository.commit(&[(".gitattributes", "tokenward.* ident\n")]);
    repository
        .gate(&[])
        .refuses(&["`tokenward.toml` at `HEAD` has the attribute `ident`"]);
    repository.commit(&[
        (".gitattributes", "[attr]harmless filter=evil\n"),
        ("policies/.gitattributes", "* harmless\n"),
    ]);
    repository
        .gate(&[])
        .refuses(&["`policies/ci.toml` at `HEAD` has the attribute `filter`"]);
}

#[test]
fn attributes_of_other_files_and_those_that_change_no_checkout_are_no_errors() {
    Repository::plain()
        .proposes(&[(
            ".gitattributes",
            "* text=auto eol=lf\n*.png filter=lfs diff=lfs merge=lfs -text\n*.bat eol=crlf\n",
        )])
        .ends(0, &[]);
}

/// Neither a sparse checkout nor a flag of the index hides a file of the commit.
#[test]
fn the_work_tree_lacks_what_the_commit_has() {
    let wider = token("ci", "11", "", "/rest/.*");
    let repository = Repository::plain();
    repository.commit(&[("policies/ci.toml", &wider)]);
    repository.git(&["update-index", "--skip-worktree", "policies/ci.toml"]);
    repository.write(&[("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a"))]);
    repository
        .gate(&[])
        .finds(&["TW0301"])
        .says("in the commit `HEAD`, which differs from the work tree");

    let repository = Repository::plain();
    repository.commit(&[("policies/new.toml", &token("ci2", "11", "", "/rest/.*"))]);
    repository.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/policies/new.toml"]);
    assert!(!repository.top.join("policies/new.toml").exists());
    let answer = repository.gate(&[]);
    assert_eq!(answer.code, 1, "{}", answer.err);

    let config = "[auth]\nnever_act_as = [\"admin\"]\n";
    let repository = Repository::new(&[
        ("tokenward.toml", config),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
    ]);
    repository.commit(&[("tokenward.toml", "")]);
    repository.write(&[("tokenward.toml", config)]);
    repository.gate(&[]).finds(&["TW0311"]);
}

/// What a hook asks before a commit: the base is the commit of the work tree.
#[test]
fn changes_that_are_not_committed_are_judged() {
    let repository = Repository::plain();
    repository.write(&[("policies/ci.toml", &token("ci", "11", "", "/rest/.*"))]);
    let ask = ["compile", "--check", "--no-new-access", "HEAD"];
    repository.tokenward(&ask).finds(&["TW0301"]);
    repository.git(&["add", "-A"]);
    repository.tokenward(&ask).finds(&["TW0301"]);
    repository.gate(&[]).finds(&["TW0301"]);
}
