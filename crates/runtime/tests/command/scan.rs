//! `tokenward scan` as its users meet it.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use tokenward_pdp::secret::Secret;

use crate::repository::{git_succeeds, script};
use crate::tokenward::{run, tokenward};

fn git(directory: &TempDir, arguments: &[&str]) {
    git_succeeds(directory.path(), arguments);
}

/// Runs `tokenward scan`: exit code, standard output and standard error.
fn scan(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(directory.path(), &[&["scan"], arguments].concat()).apart()
}

fn policy(directory: &TempDir, tokens: &[(&str, &Secret, &str)]) {
    fs::create_dir_all(directory.path().join("policies")).unwrap();
    let entries = tokens.iter().map(|(name, secret, keys)| {
        let hash = secret.hash_text();
        format!("[[token]]\nname = \"{name}\"\nuser = \"u\"\nsecret_hash = \"{hash}\"\n{keys}\nlimit_to = '/rest/.*'\n")
    });
    fs::write(
        directory.path().join("policies/t.toml"),
        entries.collect::<String>(),
    )
    .unwrap();
}

#[test]
fn files_and_history_are_searched_and_nothing_is_shown() {
    let directory = TempDir::new().unwrap();
    let secrets: Vec<Secret> = (0..4)
        .map(|_| tokenward_runtime::new_secret::generate().unwrap())
        .collect();
    let [live, revoked, expired, unknown] = secrets.as_slice() else {
        unreachable!()
    };
    policy(
        &directory,
        &[
            ("ci", live, "expires = 2100-01-01"),
            ("off", revoked, "revoked = true"),
            ("old", expired, "expires = 2020-01-01"),
        ],
    );
    git(&directory, &["init", "-q"]);
    let write = |name: &str, text: String| fs::write(directory.path().join(name), text).unwrap();
    fs::create_dir(directory.path().join("sub")).unwrap();
    write("sub/deploy.sh", format!("curl -u u:{} x\n", live.expose()));
    git(&directory, &["add", "."]);
    git(&directory, &["commit", "-qm", "Deploy\u{1b}[31m by script"]);
    git(&directory, &["checkout", "-qb", "other"]);
    write("notes.txt", format!("\n  token {}\n", revoked.expose()));
    git(&directory, &["add", "."]);
    git(&directory, &["commit", "-qm", "Notes"]);
    git(&directory, &["checkout", "-q", "-"]);
    write("sub/deploy.sh", "curl -u \"u:$TOKEN\" x\n".to_owned());
    write("env", format!("A={}\nB={}\n", expired.expose(), unknown.expose()));

    let (code, out, err) = scan(&directory, &["."]);
    assert_eq!(code, 1, "{out}{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    assert_eq!(lines.first().unwrap(), &"./env:1:3: a secret of `old`, expired");
    assert_eq!(
        lines.get(1).unwrap(),
        &"./env:2:3: a secret, of no token in the policy"
    );
    let of = |place: &str| lines.iter().find(|line| line.starts_with(place)).unwrap();
    let deploy = of("sub/deploy.sh:1:11 in ");
    assert!(
        deploy.ends_with(": a secret of `ci`, live") && deploy.contains("Deploy\u{fffd}[31m by script"),
        "{deploy}"
    );
    assert!(of("notes.txt:2:9 in ").ends_with(" Notes: a secret of `off`, revoked"));
    assert!(
        secrets
            .iter()
            .all(|secret| !format!("{out}{err}").contains(secret.expose()))
    );
    assert!(err.contains("4 secrets were found"), "{err}");

    let (code, out, _) = scan(&directory, &["--no-history", "sub", "policies"]);
    assert_eq!((code, out.as_str()), (0, ""));
    let (code, out, _) = scan(&directory, &["--json", "sub"]);
    let row: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, row.get("token").and_then(Value::as_str)), (1, Some("ci")));
    assert_eq!(
        row.get("secret_hash").and_then(Value::as_str),
        Some(live.hash_text().as_str())
    );
}

#[test]
fn without_a_policy_or_a_repository() {
    let directory = TempDir::new().unwrap();
    let secret = tokenward_runtime::new_secret::generate().unwrap();
    fs::write(directory.path().join("x"), secret.expose()).unwrap();
    std::os::unix::fs::symlink("x", directory.path().join("link")).unwrap();
    std::os::unix::fs::symlink("..", directory.path().join("loop")).unwrap();
    let (code, out, _) = scan(&directory, &["."]);
    assert_eq!(
        (code, out.as_str()),
        (
            1,
            "./x:1:1: a secret, unknown, since there is no policy here that compiles\n"
        )
    );
    let (code, out, err) = scan(&directory, &["absent"]);
    assert!(
        code == 3 && out.is_empty() && err.contains("cannot search `absent`"),
        "{err}"
    );
    let (code, ..) = scan(&directory, &[]);
    assert_eq!(code, 2);
}

/// A repository whose first commit holds a secret that its second takes out again.
fn with_past_secret() -> (TempDir, Secret) {
    let directory = TempDir::new().unwrap();
    let secret = tokenward_runtime::new_secret::generate().unwrap();
    fs::create_dir(directory.path().join("s")).unwrap();
    in_repository(&directory, &["init", "-q", "-b", "main"]);
    let write = |text: &str| fs::write(directory.path().join("s/deploy.sh"), text).unwrap();
    write(&format!("TOKEN={}\n", secret.expose()));
    in_repository(&directory, &["add", "."]);
    in_repository(&directory, &["commit", "-qm", "One"]);
    write("TOKEN=$CI\n");
    in_repository(&directory, &["commit", "-qam", "Two"]);
    (directory, secret)
}

fn in_repository(directory: &TempDir, arguments: &[&str]) {
    git(directory, &[&["-C", "s"], arguments].concat());
}

/// With more environment: the exit code and all that it wrote.
fn scan_with(directory: &TempDir, path: &str, environment: &[(&str, &str)]) -> (i32, String) {
    tokenward(directory.path(), &["scan", path])
        .environment(environment)
        .run()
        .together()
}

#[test]
fn a_history_that_cannot_be_read_is_3_and_never_silent() {
    let (directory, secret) = with_past_secret();
    assert_eq!(scan_with(&directory, "s", &[]).0, 1);

    let (code, said) = scan_with(&directory, "s", &[("PATH", "/nonexistent")]);
    assert!(code == 3 && said.contains("git is not installed"), "{said}");
    // A `git` of the tree that is searched is not the one that runs.
    script(&directory.path().join("s/git"), "touch ran");
    let (code, said) = scan_with(&directory, "s", &[("PATH", "s::.")]);
    assert!(code == 3 && said.contains("git is not installed"), "{said}");
    assert!(!directory.path().join("ran").exists() && !directory.path().join("s/ran").exists());
    fs::remove_file(directory.path().join("s/git")).unwrap();

    let url = format!("file://{}/s", directory.path().display());
    git(&directory, &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let (code, said) = scan_with(&directory, "shallow", &[]);
    assert!(code == 3 && said.contains("--unshallow"), "{said}");
    // What was found in files is shown all the same.
    fs::write(directory.path().join("shallow/x"), secret.expose()).unwrap();
    let (code, said) = scan_with(&directory, "shallow", &[]);
    assert!(code == 3 && said.contains("shallow/x:1:1: a secret"), "{said}");

    in_repository(&directory, &["config", "uploadpack.allowFilter", "true"]);
    git(
        &directory,
        &["clone", "-q", "--filter=blob:none", &url, "partial"],
    );
    let (code, said) = scan_with(&directory, "partial", &[]);
    assert!(code == 3 && said.contains("partial"), "{said}");
}

#[test]
fn a_repository_of_another_user_is_3_until_it_is_declared_safe() {
    let (directory, _) = with_past_secret();
    let owner = Some(65_534);
    let top = directory.path().join("s").canonicalize().unwrap();
    if std::os::unix::fs::chown(&top, owner, owner).is_err() {
        // Only root can give a directory to another user.
        return;
    }
    let (code, said) = scan_with(&directory, "s", &[]);
    assert!(
        code == 3 && said.contains("belongs to another user (id 65534)") && said.contains("safe.directory"),
        "{said}"
    );
    assert_eq!(scan_with(&directory, "s", &[("SUDO_UID", "65534")]).0, 1);
    // Neither the environment nor the repository declares it.
    in_repository(
        &directory,
        &["-c", "safe.directory=*", "config", "safe.directory", "*"],
    );
    let environment = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "safe.directory"),
        ("GIT_CONFIG_VALUE_0", "*"),
    ];
    assert_eq!(scan_with(&directory, "s", &environment).0, 3);
    for (entry, code) in [
        (top.display().to_string(), 1),
        ("*".to_owned(), 1),
        (format!("{}/*", top.parent().unwrap().display()), 1),
        (format!("{}/*", top.display()), 3),
        ("/elsewhere".to_owned(), 3),
        ("*\n\tdirectory =".to_owned(), 3),
    ] {
        let text = format!("[safe]\n\tdirectory = {entry}\n");
        fs::write(directory.path().join(".gitconfig"), text).unwrap();
        assert_eq!(scan_with(&directory, "s", &[]).0, code, "{entry}");
    }
}

#[test]
fn every_repository_and_every_branch_below_a_path_is_searched() {
    let (directory, _) = with_past_secret();
    // From above, and through a link that is named itself.
    assert_eq!(scan_with(&directory, ".", &[]).0, 1);
    std::os::unix::fs::symlink("s", directory.path().join("link")).unwrap();
    assert_eq!(scan_with(&directory, "link", &[]).0, 1);

    // A branch that brought a secret in, took it out again, and was merged.
    let other = tokenward_runtime::new_secret::generate().unwrap();
    fs::create_dir(directory.path().join("s/sub")).unwrap();
    let write = |text: &str| fs::write(directory.path().join("s/sub/x"), text).unwrap();
    write("one\n");
    in_repository(&directory, &["add", "."]);
    in_repository(&directory, &["commit", "-qm", "Three"]);
    in_repository(&directory, &["checkout", "-qb", "side"]);
    write(other.expose());
    in_repository(&directory, &["commit", "-qam", "In"]);
    write("one\n");
    in_repository(&directory, &["commit", "-qam", "Out"]);
    in_repository(&directory, &["checkout", "-q", "main"]);
    in_repository(&directory, &["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
    in_repository(&directory, &["branch", "-d", "side"]);
    let (code, said) = scan_with(&directory, "s/sub", &[]);
    assert!(
        code == 1 && said.contains("sub/x:1:1 in ") && said.contains(" In: a secret"),
        "{said}"
    );
    let (code, said) = scan_with(&directory, "s", &[]);
    assert!(code == 1 && said.contains("2 secrets were found"), "{said}");

    // A bare repository holds nothing that could be searched as files.
    git(&directory, &["clone", "-q", "--bare", "s", "bare"]);
    let (code, said) = scan_with(&directory, "bare", &[]);
    assert!(code == 3 && said.contains("bare git repository"), "{said}");
}
