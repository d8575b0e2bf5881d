//! The `tokenward` binary as its users meet it: exit codes, what goes to standard output and what to standard error.

use std::fs;
use std::io::BufRead as _;
use tempfile::TempDir;

use crate::policy::token;
use crate::proxy::{call, listening, serve};
use crate::tokenward::{run, tokenward};

/// A directory with `policies/ci.toml` of one token with these lines.
fn policies(lines: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    let text = format!("# Ours.\n{}", token("a", "ab", "", lines));
    fs::write(directory.path().join("policies/ci.toml"), text).unwrap();
    directory
}

fn ci(directory: &TempDir) -> String {
    fs::read_to_string(directory.path().join("policies/ci.toml")).unwrap()
}

#[test]
fn help_and_version_are_fine() {
    let directory = TempDir::new().unwrap();
    let help = run(directory.path(), &["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("tokenward demo"), "{}", help.out);
    let version = run(directory.path(), &["--version"]);
    assert_eq!(
        (version.code, version.out.trim()),
        (0, concat!("tokenward ", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn wrong_usage_is_2() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["serv"][..],
        &[],
        &["compile", "--fromat", "json"],
        &["token", "new", "--name", "x", "--file", "p.toml", "--limit", "/x"],
        &["audit", "list", "--since", "yesterday"],
    ] {
        let ended = run(directory.path(), arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (2, ""),
            "{arguments:?}: {}",
            ended.err
        );
    }
}

#[test]
fn policies_that_are_right_are_0() {
    let directory = policies(r"[get]/rest/api/2/issue/KANBAN-\d+");
    let ended = run(directory.path(), &["compile", "--check"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "policies: 1 token, no findings\n"),
        "{}",
        ended.err
    );
    let ended = run(directory.path(), &["compile", "policies"]);
    assert_eq!(
        ended.out,
        "policies: 1 token, no findings; nothing was written (no -o)\n"
    );
}

#[test]
fn policies_that_are_wrong_are_1_with_the_place() {
    let directory = policies("/rest/(\n/rest/ok\n[JsonData::x");
    let before = ci(&directory);
    let ended = run(directory.path(), &["compile", "--check"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("ci.toml:8") && ended.err.contains("ci.toml:10"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.ends_with("tokenward: 2 errors in `policies`\n"),
        "{}",
        ended.err
    );
    let json = run(directory.path(), &["compile", "--format", "json"]);
    assert_eq!((json.code, json.out.lines().count()), (1, 2));
    assert!(json.out.lines().all(|line| line.starts_with('{')), "{}", json.out);
    assert_eq!(ci(&directory), before);
}

#[test]
fn a_policy_is_compiled_to_one_file_and_shown() {
    let directory = policies("[get].*/rest/a/\\d+");
    let compiled = run(directory.path(), &["compile", "-o", "policy.twp", "policies"]);
    assert_eq!(compiled.code, 0, "{}", compiled.err);
    let first = std::fs::read(directory.path().join("policy.twp")).unwrap();
    run(directory.path(), &["compile", "-o", "policy.twp", "policies"]);
    assert!(
        std::fs::read(directory.path().join("policy.twp")).unwrap() == first,
        "equal sources give equal bytes"
    );
    let (sources, artifact) = (
        run(directory.path(), &["inspect", "policies"]),
        run(directory.path(), &["inspect", "policy.twp"]),
    );
    assert_eq!(
        (sources.code, artifact.code),
        (0, 0),
        "{}{}",
        sources.err,
        artifact.err
    );
    let (header, listing) = artifact.out.split_at(artifact.out.find("program bound").unwrap());
    assert_eq!(sources.out, listing);
    assert!(
        header.starts_with("compiled policy ") && header.ends_with("\nformat 6, language 2, not signed\n"),
        "{header}"
    );
    assert!(
        sources.out.contains("glob * \"/rest/a/\" [0-9]{1,}"),
        "{}",
        sources.out
    );
    assert_eq!(
        run(directory.path(), &["compile", "-o", "no/such/place", "policies"]).code,
        3
    );
    assert_eq!(
        run(directory.path(), &["compile", "--check", "-o", "x", "policies"]).code,
        2
    );
    std::fs::write(directory.path().join("other.twp"), "nothing of ours").unwrap();
    let other = run(directory.path(), &["inspect", "other.twp"]);
    assert_eq!(other.code, 3);
    assert!(other.err.contains("not a compiled policy"), "{}", other.err);
}

#[test]
fn codes_are_explained() {
    let directory = tempfile::tempdir().unwrap();
    let page = run(directory.path(), &["explain-code", "tw0011"]);
    assert_eq!(page.code, 0);
    assert!(page.out.starts_with("# TW0011: "), "{}", page.out);
    let all = run(directory.path(), &["explain-code"]);
    assert!(
        all.out.lines().count() > 20 && all.out.contains("TW0105"),
        "{}",
        all.out
    );
    assert_eq!(run(directory.path(), &["explain-code", "TW9999"]).code, 2);
}

#[test]
fn what_is_not_there_is_3_or_2() {
    let directory = TempDir::new().unwrap();
    let ended = run(directory.path(), &["compile", "nowhere"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.err.starts_with("tokenward: cannot read `nowhere`"),
        "{}",
        ended.err
    );
    let ended = run(directory.path(), &["serve"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .starts_with("tokenward: no configuration file at `tokenward.toml`"),
        "{}",
        ended.err
    );
    let ended = run(directory.path(), &["audit", "list"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.err.starts_with("tokenward: no audit at `.tokenward/audit`"),
        "{}",
        ended.err
    );
}

#[test]
fn wrong_configuration_is_2_with_every_place() {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("tokenward.toml"),
        "[server]\nlisten = 8080\nworker = 2\n",
    )
    .unwrap();
    for verb in [&["serve"][..], &["compile"], &["audit", "list"]] {
        let ended = run(directory.path(), verb);
        assert_eq!(ended.code, 2);
        assert!(
            ended.err.contains("tokenward.toml:2:10: `listen` must be"),
            "{}",
            ended.err
        );
        assert!(
            ended
                .err
                .contains("tokenward.toml:3:1: unknown key `worker` in [server]; did you mean `workers`?"),
            "{}",
            ended.err
        );
    }
}

#[test]
fn a_new_token_is_written_and_its_secret_shown_once() {
    let directory = policies("/rest/x");
    let before = ci(&directory);
    let ended = run(
        directory.path(),
        &[
            "token",
            "new",
            "--name",
            "b",
            "--user",
            "svc",
            "--expires",
            "90d",
            "--limit",
            r"[get]/rest/api/2/issue/KANBAN-\d+",
            "--limit",
            "[post]/rest/api/2/filter[JsonData::editable:boolean==false]",
            "--file",
            "policies/ci.toml",
        ],
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    let secret = ended.out.trim_end();
    assert!(tokenward_pdp::secret::is_well_formed(secret), "{secret}");
    assert!(!ended.err.contains(secret));
    let after = ci(&directory);
    assert!(after.starts_with(&before) && !after.contains(secret), "{after}");
    assert!(
        after.contains(&hex::encode(tokenward_pdp::secret::hash(secret))),
        "{after}"
    );
    assert_eq!(
        run(directory.path(), &["compile", "--check"]).out,
        "policies: 2 tokens, no findings\n"
    );
}

#[test]
fn a_new_token_that_would_not_do_is_refused_and_nothing_written() {
    let directory = policies("/rest/x");
    let before = ci(&directory);
    let new = |extra: &[&str]| {
        let arguments = [
            &["token", "new", "--user", "svc", "--file", "policies/ci.toml"],
            extra,
        ]
        .concat();
        let ended = run(directory.path(), &arguments);
        assert_eq!(ended.out, "");
        assert_eq!(ci(&directory), before);
        ended
    };
    let broken = new(&["--name", "b", "--limit", "/rest/ok", "--limit", "/rest/("]);
    assert_eq!(broken.code, 1);
    assert!(
        broken.err.contains("ci.toml:17")
            && broken
                .err
                .contains("tokenward: the change has errors; nothing was written"),
        "{}",
        broken.err
    );
    let taken = new(&["--name", "a", "--limit", "/rest/ok"]);
    assert_eq!(
        (taken.code, taken.err.as_str()),
        (
            2,
            "tokenward: the name `a` is taken in `ci.toml`; choose another\n"
        )
    );
    assert_eq!(
        taken.assumed,
        "tokenward: no tokenward.toml in this directory, using the built-in defaults (policies in `policies`, \
         product `jira`, public URL http://127.0.0.1:8080)\n"
    );
    let past = new(&["--name", "b", "--limit", "/rest/ok", "--expires", "2020-01-01"]);
    assert_eq!(past.code, 2);
    let set = new(&["--name", "b", "--include", "nowhere"]);
    assert_eq!(set.code, 1, "{}", set.err);
}

#[test]
fn a_reader_that_has_gone_is_no_trouble() {
    let directory = TempDir::new().unwrap();
    let mut running = tokenward(directory.path(), &["completions", "bash"]).start();
    drop(running.out());
    let ended = running.wait();
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn serving_a_wrong_policy_is_1_with_the_place() {
    // An error in a line refuses only the calls of its token (`live/tests.rs`); any other keeps the proxy from starting.
    let directory = policies("/rest/x");
    let wrong = ci(&directory).replace("user = ", "usr = ");
    fs::write(directory.path().join("policies/ci.toml"), wrong).unwrap();
    fs::write(
        directory.path().join("tokenward.toml"),
        "[server]\nlisten = '127.0.0.1:0'\n[admin]\nlisten = '127.0.0.1:0'\n",
    )
    .unwrap();
    let ended = run(directory.path(), &["serve"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(
        ended.err.contains("there is no key `usr`") && ended.err.contains("ci.toml:4:1"),
        "{}",
        ended.err
    );
}

#[test]
fn the_audit_can_be_read_and_followed_while_the_proxy_runs() {
    let directory = policies("/rest/x");
    let (address, tables) = listening();
    fs::write(directory.path().join("tokenward.toml"), tables).unwrap();
    let serving = serve(directory.path());
    call(address, "/rest/first");

    let list = run(
        directory.path(),
        &["audit", "list", "--decision", "refuse", "--json"],
    );
    assert_eq!((list.code, list.out.lines().count()), (0, 1), "{}", list.err);
    let table = run(directory.path(), &["audit", "list"]);
    assert!(
        table.out.contains("/rest/first") && table.out.starts_with("TIME"),
        "{}",
        table.out
    );

    let mut tail = tokenward(directory.path(), &["audit", "tail", "--json"]).start();
    let mut lines = tail.out().lines();
    assert!(lines.next().unwrap().unwrap().contains("/rest/first"));
    call(address, "/rest/second");
    assert!(lines.next().unwrap().unwrap().contains("/rest/second"));

    drop(serving);
    assert!(lines.next().is_none(), "the tail ends with the proxy");
    let after = run(directory.path(), &["audit", "list", "--json"]);
    assert_eq!((after.code, after.out.lines().count()), (0, 2), "{}", after.err);
    let tail = run(directory.path(), &["audit", "tail", "--limit", "1"]);
    assert!(
        tail.out.contains("/rest/second") && tail.err.starts_with("No proxy"),
        "{}{}",
        tail.out,
        tail.err
    );
}

#[test]
fn the_demo_does_what_it_says() {
    let directory = TempDir::new().unwrap();
    let ended = run(directory.path(), &["demo", "--check"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(
        ended.out.ends_with("All calls had the expected result.\n"),
        "{}",
        ended.out
    );
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        0,
        "a check leaves nothing here"
    );
}

#[test]
fn a_named_directory_without_policies_is_no_success() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path();
    std::fs::create_dir(path.join("policies")).unwrap();
    for (arguments, code) in [
        (&["compile", "--check"][..], 0),
        (&["compile", "--check", "policies"], 2),
        (&["compile", "--check", "--deny", "warnings"], 2),
    ] {
        let ran = run(path, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        assert!(
            ran.err.contains("has no policy files"),
            "{arguments:?}: {}",
            ran.err
        );
    }
}
