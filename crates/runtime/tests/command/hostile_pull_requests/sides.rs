use super::repository::Repository;
use crate::policy::{review, token};

const LINE: &str = "[get]/rest/a";

/// The pull request's configuration must not choose the directory in which the base is read.
#[test]
fn the_configuration_moves_the_policy_elsewhere() {
    let repository = Repository::new(&[
        ("tokenward.toml", "policies = \"policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
        // Lies about, and is not the policy.
        ("elsewhere/ci.toml", &token("ci", "11", "", "/rest/.*")),
    ]);
    repository
        .proposes(&[("tokenward.toml", "policies = \"elsewhere\"\n")])
        .finds(&["TW0301", "TW0311"])
        .says("the setting `policies` may give more: it was policies and is now elsewhere");
}

/// The command names the directory; what `serve` would read is another, and that is told.
#[test]
fn the_configuration_moves_the_policy_away_from_the_directory_that_is_checked() {
    let repository = Repository::new(&[
        ("tokenward.toml", "policies = \"policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    repository.commit(&[
        ("tokenward.toml", "policies = \"elsewhere\"\n"),
        ("elsewhere/ci.toml", &token("ci", "11", "", "/rest/.*")),
    ]);
    repository.gate(&["policies"]).finds(&["TW0311"]);
}

#[test]
fn the_configuration_is_deleted() {
    let repository = Repository::new(&[
        ("tokenward.toml", "[auth]\nnever_act_as = [\"admin\"]\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    repository.remove("tokenward.toml");
    repository
        .proposes(&[])
        .finds(&["TW0311"])
        .says("the setting `auth.never_act_as` gives more: it was admin and is now (none)");
}

#[test]
fn the_configuration_is_moved() {
    let text = "policies = \"policies\"\n[auth]\nnever_act_as = [\"admin\"]\n";
    let repository = Repository::new(&[
        ("tokenward.toml", text),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    repository.remove("tokenward.toml");
    repository
        .proposes(&[("deploy/tokenward.toml", text), ("Tokenward.toml", text)])
        .finds(&["TW0311"]);
}

#[test]
fn a_named_configuration_that_the_base_lacks_is_not_guessed() {
    let repository = Repository::plain();
    repository.commit(&[("deploy/t.toml", "policies = \"../policies\"\n")]);
    repository
        .gate(&["--config", "deploy/t.toml"])
        .refuses(&["no configuration `deploy/t.toml` at `main`"]);
}

#[test]
fn a_configuration_below_the_top_has_its_policy_beside_it() {
    let repository = Repository::new(&[
        ("deploy/t.toml", "policies = \"../policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
        ("deploy/policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
    ]);
    repository.commit(&[("policies/ci.toml", &token("ci", "11", "", "/rest/.*"))]);
    repository.gate(&["--config", "deploy/t.toml"]).finds(&["TW0301"]);
    repository.commit(&[
        ("deploy/t.toml", "policies = \"policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    repository
        .gate(&["--config", "deploy/t.toml"])
        .finds(&["TW0301", "TW0311"]);
}

#[test]
fn the_policy_leads_out_of_the_repository() {
    let repository = Repository::new(&[
        ("tokenward.toml", "policies = \"policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    let outside = repository.top.parent().unwrap().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("ci.toml"), token("ci", "11", "", "/rest/.*")).unwrap();
    repository
        .proposes(&[("tokenward.toml", "policies = \"../outside\"\n")])
        .refuses(&["is not in the repository of `main`"]);
}

/// Both sides are the directory that the command names.
#[test]
fn another_directory_is_compared_with_itself() {
    let repository = Repository::new(&[
        ("tokenward.toml", "policies = \"policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
        ("staging/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    repository.commit(&[("staging/ci.toml", &token("ci", "11", "", "/rest/.*"))]);
    repository.gate(&["staging"]).finds(&["TW0301"]);
    repository.gate(&["policies"]).finds(&[]);
}

#[test]
fn a_policy_is_put_into_a_folder_below() {
    Repository::plain()
        .proposes(&[(
            "policies/deep/er/new.toml",
            &token("new", "99", "allowed_ips = [\"10.0.0.5\"]", "/rest/b"),
        )])
        .finds(&["TW0301", "TW0303", "TW0304", "TW0305", "TW0306"]);
}

#[test]
fn tokens_hide_in_files_of_other_names() {
    let new = token("new", "99", "", "/rest/b");
    let repository = Repository::plain();
    // No names that are read: nothing comes of them, and nothing is allowed.
    repository
        .proposes(&[
            ("policies/new.TOML", &new),
            ("policies/.new.toml", &new),
            ("policies/new.toml.bak", &new),
        ])
        .ends(0, &[]);
    // A token's file as a set: its keys are no lines.
    repository
        .proposes(&[("policies/new.limits", &new)])
        .finds(&["TW0020", "TW0020", "TW0020", "TW0020", "TW0020", "TW0102"]);
    // A set of lines that nobody includes.
    repository
        .proposes(&[("policies/new.limits", "/rest/.*\n")])
        .finds(&[])
        .says("warning[TW0315]");
    // A set as a token's file.
    let answer = repository.proposes(&[("policies/set.toml", "/rest/.*\n")]);
    assert!(
        answer.code == 1 && answer.err.contains("error[TW0001]"),
        "{}",
        answer.err
    );
}

#[test]
fn a_file_of_reviews_in_another_case_is_none() {
    let reviews = review("token = \"ci\"\nline = '/rest/.*'");
    let answer = Repository::plain().proposes(&[
        ("policies/Reviewed.toml", &reviews),
        ("policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
    ]);
    assert!(
        answer.code == 1 && answer.err.contains("there is no key `reviewed`"),
        "{}",
        answer.err
    );
}

#[test]
fn a_directory_as_base_has_its_own_configuration() {
    let repository = Repository::new(&[
        ("tokenward.toml", "[auth]\nnever_act_as = [\"admin\"]\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    repository.git(&["worktree", "add", "-q", "../base", "main"]);
    repository.commit(&[("tokenward.toml", "")]);
    let base = ["compile", "--check", "--no-new-access", "../base/policies"];
    repository.tokenward(&base).finds(&["TW0311"]);
    let named = [&base[..], &["--old-config", "tokenward.toml"]].concat();
    repository.tokenward(&named).finds(&[]);
}

/// A compiled policy has lines and keys, but no invariants, reviews and configuration.
#[test]
fn an_artifact_as_base_has_no_reviews() {
    let reviews = review("token = \"ci\"\nline = '/rest/.*'");
    let repository = Repository::new(&[
        ("tokenward.toml", "[auth]\nnever_act_as = [\"admin\"]\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
    ]);
    assert_eq!(repository.tokenward(&["compile", "-o", "base.twp"]).code, 0);
    repository.write(&[
        ("policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
        ("policies/reviewed.toml", &reviews),
    ]);
    let base = ["compile", "--check", "--no-new-access", "base.twp"];
    repository
        .tokenward(&base)
        .ends(2, &["`base.twp` has no configuration of its own", "--old-config"]);
    let named = [&base[..], &["--old-config", "tokenward.toml"]].concat();
    repository.tokenward(&named).finds(&["TW0301", "TW0314"]);
}

/// A base without a configuration does not get the one that the pull request adds.
#[test]
fn a_base_that_is_no_revision_does_not_get_the_new_configuration() {
    let loose = "[relax]\ncookies = true\n";
    let repository = Repository::plain();
    assert_eq!(repository.tokenward(&["compile", "-o", "../base.twp"]).code, 0);
    repository.git(&["worktree", "add", "-q", "../base", "main"]);
    let bases = ["../base/policies", "../base.twp"];
    for base in bases {
        // Neither side has one: both have the defaults.
        let gate = ["compile", "--check", "--no-new-access", base];
        repository.tokenward(&gate).finds(&[]);
    }
    repository.commit(&[
        ("tokenward.toml", loose),
        ("conf/t.toml", &format!("policies = \"../policies\"\n{loose}")),
    ]);
    repository.write(&[("../empty.toml", ""), ("../base/other.toml", loose)]);
    for base in bases {
        for config in ["tokenward.toml", "conf/t.toml"] {
            let said = ["has no configuration of its own", "--old-config"];
            let gate = ["compile", "--check", "--config", config, "--no-new-access", base];
            repository.tokenward(&gate).ends(2, &said);
            let diff = ["diff", "--config", config, base, "policies"];
            repository.tokenward(&diff).ends(2, &said);
        }
        let gate = ["compile", "--check", "--no-new-access", base];
        let named = [&gate[..], &["--old-config", "../empty.toml"]].concat();
        repository.tokenward(&named).finds(&["TW0311"]);
    }
}

/// A base whose policy is a compiled one, as its configuration says.
#[test]
fn the_base_is_served_from_an_artifact() {
    let repository = Repository::plain();
    repository.git(&["checkout", "-q", "main"]);
    assert_eq!(repository.tokenward(&["compile", "-o", "policy.twp"]).code, 0);
    repository.commit(&[("tokenward.toml", "policies = \"policy.twp\"\n")]);
    repository.git(&["checkout", "-q", "-B", "change"]);
    repository.commit(&[
        ("tokenward.toml", "policies = \"policies\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
    ]);
    repository.gate(&[]).finds(&["TW0301", "TW0311"]);
}

/// The configuration serves a compiled policy, and the pull request replaces it: its directory shows nothing of it.
#[test]
fn the_compiled_policy_that_is_served_is_replaced() {
    let repository = Repository::new(&[
        ("tokenward.toml", "policies = \"policy.twp\"\n"),
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
        ("wider/ci.toml", &token("ci", "11", "", "/rest/.*")),
    ]);
    let compile = |directory| {
        repository
            .tokenward(&["compile", "-o", "policy.twp", directory])
            .code
    };
    repository.git(&["checkout", "-q", "main"]);
    assert_eq!(compile("policies"), 0);
    repository.commit(&[]);
    repository.git(&["checkout", "-q", "-B", "change"]);
    assert_eq!(compile("wider"), 0);
    repository.commit(&[]);
    repository
        .gate(&["policies"])
        .refuses(&["serves the compiled policy `policy.twp` and not `policies`"]);
    repository
        .gate(&[])
        .refuses(&["`policy.twp` is a file", "tokenward diff OLD NEW"]);
    assert_eq!(repository.tokenward(&["diff", "main", "HEAD"]).code, 1);
    // As well if only the commit says so.
    repository.write(&[("tokenward.toml", "policies = \"policies\"\n")]);
    repository
        .gate(&["policies"])
        .refuses(&["serves the compiled policy `policy.twp` and not `policies`"]);
}
