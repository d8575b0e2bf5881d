use std::os::unix::fs::symlink;

use super::repository::Repository;
use crate::policy::token;
use crate::repository::git_succeeds;

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
    assert_ne!(repository.proposes(&[]).code, 0);
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
    repository.proposes(&[]).refuses(&["repository of its own"]);
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
