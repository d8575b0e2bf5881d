//! Names of revisions.

use std::fs;

use super::{answer, answer_in, committed, gate_fails};
use crate::policy::token;
use crate::repository::git_succeeds;

#[test]
fn a_name_of_several_things_is_an_error_that_names_them() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let new = it.commit("Two");
    it.git(&["branch", "base", "main~1"]);
    it.git(&["tag", "base", "main"]);
    let gate = |base: &str| answer(&it, &["compile", "--check", "--no-new-access", base, "policies"]);
    let (code, said) = gate("base");
    assert!(
        code == 3 && said.contains("ambiguous: `refs/heads/base`, `refs/tags/base`"),
        "{said}"
    );
    gate_fails(&gate("refs/heads/base"));
    gate_fails(&gate("heads/base"));
    assert_eq!(gate("refs/tags/base").0, 0);
    assert_eq!(gate(&new).0, 0);

    // A branch with the digits of a commit, whole and shortened.
    let short = new.get(..9).unwrap();
    for name in [new.as_str(), short] {
        it.git(&["update-ref", &format!("refs/heads/{name}"), "main~1"]);
        let (code, said) = gate(name);
        assert!(
            code == 3 && said.contains("ambiguous") && said.contains(&new),
            "{said}"
        );
    }
    it.git(&["update-ref", "refs/heads/HEAD", "main"]);
    let (code, said) = gate("HEAD");
    assert!(code == 3 && said.contains("ambiguous"), "{said}");
}

#[test]
fn a_revision_of_an_odd_form_is_refused_and_a_missing_one_names_the_cure() {
    let it = committed();
    let gate = |base: &str| {
        answer(
            &it,
            &[
                "compile",
                "--check",
                &format!("--no-new-access={base}"),
                "policies",
            ],
        )
    };
    for odd in [
        "--all",
        "-h",
        "main...HEAD",
        "^main",
        ":/One",
        "main:policies",
        "main@{1}",
        "@{u}",
        "@{-1}",
        "main^{tree}",
        "main^{/One}",
        "main^!",
        "main^@",
        "main ",
        "ma*n",
        "[m]ain",
        "ma\\in",
        "main\nmain",
        "~1",
    ] {
        let (code, said) = gate(odd);
        assert!(
            code == 2 && said.contains("not a revision"),
            "{odd}: {code} {said}"
        );
    }
    // Always a path, and there is none.
    assert_eq!(gate("/main").0, 3);
    assert_eq!(gate("@").0, 0);
    assert_eq!(gate("main^0").0, 0);
    let (code, said) = gate("origin/main");
    assert!(
        code == 3 && said.contains("git fetch origin main") && said.contains("fetch-depth: 0"),
        "{said}"
    );
    it.git(&["update-ref", "refs/remotes/origin/release", "main"]);
    let (code, said) = gate("release");
    assert!(code == 3 && said.contains("write `origin/release`"), "{said}");

    // Files of git's own directory that git would take for refs.
    fs::copy(it.top().join(".git/refs/heads/main"), it.top().join(".git/base")).unwrap();
    assert_eq!(gate("base").0, 3);
}

#[test]
fn a_shallow_clone_says_what_to_do() {
    let it = committed();
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    it.commit("Two");
    let url = format!("file://{}", it.top().display());
    git_succeeds(it.folder(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = it.folder().join("shallow");
    let (code, said) = answer_in(&shallow, &["diff", "HEAD~1..HEAD"], &[]);
    assert!(
        code == 3 && said.contains("--unshallow") && said.contains("fetch-depth: 0"),
        "{said}"
    );
}

#[test]
fn what_was_not_fetched_is_to_be_fetched() {
    let it = committed();
    let (code, said) = answer(&it, &["compile", "--check", "--no-new-access", "FETCH_HEAD"]);
    assert!(code == 3 && said.contains("git fetch origin main"), "{said}");
}
