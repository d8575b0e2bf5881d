//! `tokenward scan` as its users meet it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails the test"
)]

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokenward_runtime::secret::Secret;

fn run(directory: &TempDir, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(directory.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn git(directory: &TempDir, arguments: &[&str]) {
    let fixed = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.com",
        "-c",
        "commit.gpgsign=false",
    ];
    let arguments: Vec<&str> = fixed.iter().chain(arguments).copied().collect();
    let output = run(directory, "git", &arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn scan(directory: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let arguments: Vec<&str> = std::iter::once("scan").chain(arguments.iter().copied()).collect();
    let output = run(directory, env!("CARGO_BIN_EXE_tokenward"), &arguments);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
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
    let secrets: Vec<Secret> = (0..4).map(|_| Secret::generate().unwrap()).collect();
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
    let secret = Secret::generate().unwrap();
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
        code == 3 && out.is_empty() && err.contains("cannot look at `absent`"),
        "{err}"
    );
    let (code, ..) = scan(&directory, &[]);
    assert_eq!(code, 2);
}
