use std::os::unix::fs::symlink;

use super::repository::Repository;
use crate::policy::token;
use crate::repository::git_succeeds;
use crate::tokenward::run;

fn wider() -> String {
    token("ci", "11", "", "/rest/.*")
}

#[test]
fn the_policy_directory_becomes_a_link() {
    let repository = Repository::plain();
    repository.commit(&[("elsewhere/ci.toml", &wider())]);
    repository.git(&["rm", "-rq", "policies"]);
    symlink("elsewhere", repository.top.join("policies")).unwrap();
    repository.proposes(&[]).refuses(&["symbolic link"]);
    repository.gate(&["policies"]).refuses(&["symbolic link"]);
}

#[test]
fn a_directory_below_is_a_link() {
    let repository = Repository::plain();
    repository.commit(&[("elsewhere/new.toml", &token("new", "99", "", "/rest/.*"))]);
    symlink("../elsewhere", repository.top.join("policies/more")).unwrap();
    repository.proposes(&[]).refuses(&["symbolic link"]);
    // Without a gate as well.
    repository
        .tokenward(&["compile", "--check"])
        .refuses(&["symbolic link"]);
}

#[test]
fn a_file_is_a_link() {
    let repository = Repository::plain();
    symlink("/etc/hostname", repository.top.join("policies/a.limits")).unwrap();
    repository.proposes(&[]).refuses(&["symbolic link"]);
}

#[test]
fn the_base_has_links() {
    let repository = Repository::plain();
    repository.git(&["checkout", "-q", "main"]);
    symlink("ci.toml", repository.top.join("policies/b.toml")).unwrap();
    repository.commit(&[]);
    repository.git(&["checkout", "-q", "-B", "change"]);
    repository.remove("policies/b.toml");
    repository
        .proposes(&[])
        .refuses(&["`policies/b.toml` at `main`", "link"]);
}

#[test]
fn the_configuration_is_a_link() {
    let repository = Repository::new(&[
        ("tokenward.toml", "[auth]\nnever_act_as = [\"admin\"]\n"),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
    ]);
    repository.remove("tokenward.toml");
    symlink("/proc/self/environ", repository.top.join("tokenward.toml")).unwrap();
    repository
        .proposes(&[])
        .refuses(&["`tokenward.toml` is a symbolic link"]);
    repository.remove("tokenward.toml");
    repository.write(&[("a.toml", "[auth]\nnever_act_as = [\"admin\"]\n")]);
    symlink("a.toml", repository.top.join("tokenward.toml")).unwrap();
    repository
        .proposes(&[])
        .refuses(&["symbolic link on the way to the configuration"]);
}

#[test]
fn the_policy_directory_becomes_a_submodule() {
    let other = Repository::new(&[("ci.toml", &wider())]);
    let repository = Repository::plain();
    repository.git(&["rm", "-rq", "policies"]);
    let from = other.top.to_str().unwrap().to_owned();
    git_succeeds(&repository.top, &["submodule", "add", "-q", &from, "policies"]);
    repository.proposes(&[]).refuses(&["repository of its own"]);
    repository.gate(&["policies"]).refuses(&["repository of its own"]);
}

#[test]
fn a_submodule_lies_below_the_policy_directory() {
    let other = Repository::new(&[("new.toml", &token("new", "99", "", "/rest/.*"))]);
    let repository = Repository::plain();
    let from = other.top.to_str().unwrap().to_owned();
    git_succeeds(
        &repository.top,
        &["submodule", "add", "-q", &from, "policies/more"],
    );
    repository
        .proposes(&[])
        .refuses(&["`policies/more` at `HEAD` is a submodule"]);
    repository
        .tokenward(&["compile", "--check"])
        .refuses(&["repository of its own"]);
}

#[test]
fn the_configurations_directory_becomes_a_submodule() {
    let other = Repository::new(&[("t.toml", "policies = \"../policies\"\n")]);
    let repository = Repository::new(&[
        ("deploy/t.toml", "policies = \"../policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
    ]);
    repository.git(&["rm", "-rq", "deploy"]);
    let from = other.top.to_str().unwrap().to_owned();
    git_succeeds(&repository.top, &["submodule", "add", "-q", &from, "deploy"]);
    repository.commit(&[("policies/ci.toml", &wider())]);
    repository
        .gate(&["--config", "deploy/t.toml"])
        .refuses(&["repository of its own"]);
}

/// A CI checkout leaves a submodule's directory empty: only the commit shows that it is one.
#[test]
fn a_submodule_is_not_checked_out() {
    for (place, is_below) in [("policies", false), ("policies/sub", true), ("conf", false)] {
        let repository = if place == "conf" {
            Repository::new(&[
                ("tokenward.toml", "policies = \"conf/policies\"\n"),
                ("conf/policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
            ])
        } else {
            Repository::plain()
        };
        if !is_below {
            repository.git(&["rm", "-rq", place]);
        }
        let id = repository.git(&["rev-parse", "main"]);
        repository.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{id},{place}"),
        ]);
        repository.git(&["commit", "-qm", "change"]);
        let empty = if place == "conf" { "conf/policies" } else { place };
        std::fs::create_dir_all(repository.top.join(empty)).unwrap();
        let said = format!("`{place}` at `HEAD` is a submodule");
        repository.gate(&[]).refuses(&[&said]);
        repository
            .gate(&[if place == "conf" { empty } else { "policies" }])
            .refuses(&[&said]);
    }
}

/// Without symbolic links (`core.symlinks=false`), git checks out a file with the target's name.
#[test]
fn a_link_is_checked_out_as_a_file() {
    let repository = Repository::plain();
    repository.git(&["config", "core.symlinks", "false"]);
    std::fs::write(repository.top.join("target"), "../elsewhere").unwrap();
    let id = repository.git(&["hash-object", "-w", "target"]);
    repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("120000,{id},policies/more"),
    ]);
    repository.git(&["commit", "-qm", "change"]);
    std::fs::write(repository.top.join("policies/more"), "../elsewhere").unwrap();
    repository
        .gate(&[])
        .refuses(&["`policies/more` at `HEAD` is a symbolic link"]);
}

/// A link on the way to the policy, however the command names the directory.
#[test]
fn a_parent_of_the_policy_directory_becomes_a_link() {
    let repository = Repository::new(&[
        ("tokenward.toml", "policies = \"conf/policies\"\n"),
        ("conf/policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
    ]);
    let top = &repository.top;
    let outside = top.parent().unwrap().join("outside");
    std::fs::rename(top.join("conf"), &outside).unwrap();
    symlink("../outside", top.join("conf")).unwrap();
    let elsewhere = top.parent().unwrap().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(top, elsewhere.join("linked")).unwrap();
    for top in [top.clone(), elsewhere.join("linked")] {
        let config = top.join("tokenward.toml").display().to_string();
        let policies = top.join("conf/policies").display().to_string();
        for more in [&["--config", &config][..], &["--config", &config, &policies]] {
            let check = [&["compile", "--check"], more].concat();
            run(&elsewhere, &check).refuses(&["is a symbolic link"]);
            let gate = [&["compile", "--check", "--no-new-access", "main"], more].concat();
            // From the repository's top, where a revision is looked for first.
            run(&repository.top, &gate).refuses(&["link"]);
        }
    }
}
