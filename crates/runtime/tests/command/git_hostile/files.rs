//! Links, submodules and file names of the policy directory.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::{answer, committed};
use crate::policy::token;

#[test]
fn links_and_submodules_at_a_revision_are_refused() {
    let it = committed();
    let honest = it.git(&["rev-parse", "HEAD"]);
    let (gate, sides) = (
        ["compile", "--check", "--no-new-access", "main", "policies"],
        ["diff", "main..main"],
    );
    let both = |expected: &str| {
        let (code, said) = answer(&it, &sides);
        assert!(code == 3 && said.contains(expected), "{code} {said}");
        it.git(&["checkout", "-q", &honest]);
        let (code, said) = answer(&it, &gate);
        assert!(code == 3 && said.contains(expected), "{code} {said}");
        it.git(&["checkout", "-q", "main"]);
        it.git(&["reset", "-q", "--hard", &honest]);
    };
    it.write("elsewhere/u.toml", &token("u", "22", "", "/rest/.*"));
    symlink("../elsewhere", it.top().join("policies/team")).unwrap();
    it.commit("A linked directory");
    both("`policies/team` at `main` is a symbolic link; replace it by");

    symlink("t.toml", it.top().join("policies/v.toml")).unwrap();
    it.commit("A linked file");
    both("`policies/v.toml` at `main` is a symbolic link");

    fs::rename(it.top().join("policies"), it.top().join("real")).unwrap();
    symlink("real", it.top().join("policies")).unwrap();
    it.commit("The directory itself");
    both("`policies` at `main` is a symbolic link");

    it.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{honest},policies/sub"),
    ]);
    it.git(&["commit", "-qm", "A submodule"]);
    both("`policies/sub` at `main` is a submodule; replace it by the files that it contains");
}

#[test]
fn a_policy_file_at_a_revision_whose_name_is_not_utf8_is_refused() {
    let it = committed();
    let name = |bytes| it.top().join("policies").join(OsStr::from_bytes(bytes));
    // This one is no policy file.
    fs::write(name(b"\xff.md"), "").unwrap();
    it.commit("A note");
    let (code, said) = answer(&it, &["diff", "main..main"]);
    assert_eq!(code, 0, "{said}");
    fs::write(name(b"\xff.toml"), "garbage [[").unwrap();
    it.commit("A policy file");
    let (code, said) = answer(&it, &["diff", "main..main"]);
    let expected = "the name of `policies/\u{fffd}.toml` at `main` is not UTF-8; rename it";
    assert!(code == 3 && said.contains(expected), "{code} {said}");
}

#[test]
fn links_and_submodules_of_the_directory_are_refused() {
    let it = committed();
    it.write("elsewhere/u.toml", &token("u", "22", "", "/rest/.*"));
    let policies = it.top().join("policies");
    let check = |path: &str| answer(&it, &["compile", "--check", path]);
    for (link, target) in [
        ("team", "../elsewhere"),
        ("v.toml", "t.toml"),
        ("README", "../README"),
        ("x.limits", "absent"),
    ] {
        symlink(target, policies.join(link)).unwrap();
        let (code, said) = check("policies");
        assert!(
            code == 3
                && said.contains(&format!("policies/{link}` is a symbolic link"))
                && said.contains("replace it"),
            "{link}: {said}"
        );
        fs::remove_file(policies.join(link)).unwrap();
    }
    symlink("policies", it.top().join("linked")).unwrap();
    symlink(".", it.top().join("here")).unwrap();
    for path in [
        "linked",
        "linked/",
        "./linked",
        "here/policies",
        "policies/../linked",
    ] {
        let (code, said) = check(path);
        assert!(code == 3 && said.contains("is a symbolic link"), "{path}: {said}");
    }
    let absolute = it.top().join("linked").display().to_string();
    assert_eq!(check(&absolute).0, 3);
    assert_eq!(check(&policies.display().to_string()).0, 0);

    // A submodule within, and the directory as one.
    it.write("policies/sub/.git", "gitdir: ../../.git/modules/sub\n");
    let (code, said) = check("policies");
    assert!(
        code == 3 && said.contains("policies/sub` is a git repository of its own"),
        "{said}"
    );
    fs::remove_dir_all(policies.join("sub")).unwrap();
    it.write("policies/.git", "gitdir: ../.git/modules/policies\n");
    let (code, said) = check("policies");
    assert!(
        code == 3 && said.contains("policies` is a git repository of its own"),
        "{said}"
    );
}

#[test]
fn names_with_control_characters_stay_in_their_line() {
    let evil = "a\n::set-output name=x::\u{1b}[31m";
    let it = committed();
    it.write(&format!("policies/{evil}.toml"), &format!("{evil:?} = 1\n"));
    let is_harmless = |said: &str| {
        let mut lines = said.lines();
        !said.contains('\u{1b}') && lines.all(|line| !line.trim_start().starts_with("::"))
    };
    let (code, said) = answer(&it, &["compile", "--check"]);
    assert!(code == 1 && is_harmless(&said), "{said}");
    fs::remove_file(it.top().join(format!("policies/{evil}.toml"))).unwrap();
    it.write(
        "tokenward.toml",
        "\"a\\n::set-output::\\u001b[31m\" = 1\n[auth]\nmethods = [\"\\n::x\\u001b\"]\n",
    );
    let (code, said) = answer(&it, &["compile", "--check"]);
    assert!(
        code == 2 && said.contains("set-output") && is_harmless(&said),
        "{said}"
    );
    fs::remove_file(it.top().join("tokenward.toml")).unwrap();
    symlink("/etc/hostname", it.top().join(format!("policies/{evil}.toml"))).unwrap();
    it.commit("Two");
    for arguments in [["compile", "--check"], ["diff", "HEAD~1..HEAD"]] {
        let (code, said) = answer(&it, &arguments);
        assert!(
            code == 3 && said.contains("set-output") && is_harmless(&said),
            "{said}"
        );
    }
}
