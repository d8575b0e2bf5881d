//! Which repository is read, and where its work tree is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tokenward_testbed::Invocation;

use super::planted::{none_ran, plant};
use super::{GATE, answer, answer_in, committed, gate_fails};
use crate::policy::token;
use crate::repository::{git, script};
use crate::tokenward::BINARY;

#[test]
fn a_hook_in_a_linked_work_tree_gets_the_answer_that_a_person_gets() {
    let it = committed();
    it.write("examples/u.toml", &token("u", "22", "", "/rest/.*"));
    it.write(
        "conf/tokenward.toml",
        "policies = \"../policies\"\n[upstream]\nurl = \"http://127.0.0.1:8090\"\npublic_url = \"https://jira.example.com\"\n",
    );
    it.commit("Two");
    let said = it.folder().join("said");
    script(
        &it.top().join(".git/hooks/pre-commit"),
        &format!(
            "env | grep -q '^GIT_DIR=' || exit 7\n'{}' compile --check --no-new-access HEAD policies --config conf/tokenward.toml \
             >'{1}' 2>&1\necho \"code $?\" >>'{1}'\nexit 1",
            BINARY,
            said.display()
        ),
    );
    it.git(&["worktree", "add", "-q", "../w", "-b", "w"]);
    let work_tree = it.folder().join("w");
    fs::copy(
        work_tree.join("examples/u.toml"),
        work_tree.join("policies/u.toml"),
    )
    .unwrap();
    git(&work_tree, &["add", "-A"]);
    let arguments = ["--config", "conf/tokenward.toml"];
    let by_hand = answer_in(&work_tree, &[GATE.as_slice(), &arguments].concat(), &[]);
    gate_fails(&by_hand);
    assert_ne!(git(&work_tree, &["commit", "-qm", "New"]).code, 0);
    let in_hook = fs::read_to_string(said).unwrap();
    assert_eq!(in_hook, format!("{}code 1\n", by_hand.1));
}

#[test]
fn a_directory_that_looks_like_a_bare_repository_is_not_taken_for_one() {
    let it = committed();
    let evil = committed();
    let ran = plant(&evil);
    for entry in ["HEAD", "config", "objects", "refs"] {
        let (from, to) = (
            evil.top().join(".git").join(entry),
            it.top().join("policies").join(entry),
        );
        let copied = Invocation::new("cp", it.folder())
            .arguments(&[Path::new("-r"), &from, &to])
            .run();
        copied.ends(0, &[]);
    }
    // The gate begins at the working directory, and compares with the repository of that.
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let (code, said) = answer(&it, &GATE);
    assert!(code == 1 && said.contains("TW0301"), "{said}");
    for arguments in [["scan", "policies"], ["scan", "."]] {
        let (code, said) = answer(&it, &arguments);
        assert!(
            code == 3 && said.contains("looks like a bare git repository"),
            "{arguments:?}: {said}"
        );
    }
    none_ran(&ran);
}

#[test]
fn a_git_directory_elsewhere_is_used_and_a_linked_or_broken_one_is_an_error() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let (git, elsewhere) = (it.top().join(".git"), it.folder().join("elsewhere"));
    fs::rename(&git, &elsewhere).unwrap();

    fs::write(&git, "gitdir: ../elsewhere\n").unwrap();
    gate_fails(&answer(&it, &GATE));

    for (content, expected) in [
        ("gitdir: ../absent\n", "absent"),
        ("gitdir: ..\n", "is not a git directory"),
        ("gitdir:\n", "does not name a directory"),
        ("elsewhere\n", "does not name a directory"),
    ] {
        fs::write(&git, content).unwrap();
        for arguments in [GATE.as_slice(), &["scan", "."]] {
            let (code, said) = answer(&it, arguments);
            assert!(code == 3 && said.contains(expected), "{content}: {said}");
        }
    }
    fs::remove_file(&git).unwrap();
    symlink("../elsewhere", &git).unwrap();
    for arguments in [GATE.as_slice(), &["scan", "."]] {
        let (code, said) = answer(&it, arguments);
        assert!(code == 3 && said.contains("is a symbolic link"), "{said}");
    }
    fs::remove_file(&git).unwrap();
    fs::create_dir(&git).unwrap();
    let (code, said) = answer(&it, &["scan", "."]);
    assert!(code == 3 && said.contains("is not a git directory"), "{said}");
}

#[test]
fn settings_that_move_the_work_tree_and_links_among_refs_change_no_answer() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let config = fs::read_to_string(it.top().join(".git/config")).unwrap();
    for more in [
        "[core]\nworktree = /\n",
        "[core]\nbare = true\n",
        "[core]\nworktree = policies\n",
    ] {
        fs::write(it.top().join(".git/config"), format!("{config}{more}")).unwrap();
        gate_fails(&answer(&it, &GATE));
        assert_eq!(answer(&it, &["scan", "."]), (0, String::new()), "{more}");
    }
    fs::write(it.top().join(".git/config"), &config).unwrap();
    let base = it.top().join(".git/refs/heads/base");
    for (target, expected) in [
        ("refs/heads/main", 3),
        ("main", 1),
        ("/etc/hostname", 3),
        ("../../../policies/u.toml", 3),
    ] {
        symlink(target, &base).unwrap();
        let (code, said) = answer(
            &it,
            &["compile", "--check", "--no-new-access", "base", "policies"],
        );
        assert_eq!(code, expected, "{target}: {said}");
        fs::remove_file(&base).unwrap();
    }
}
