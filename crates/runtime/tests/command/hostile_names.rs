//! Names of files, tokens and tests, and arguments, that try to change the reader's terminal or to begin a line of their own, which CI
//! systems may take for a command.

use std::path::Path;

use tempfile::TempDir;
use tokenward_testbed::Ran;

use crate::tokenward::run;

/// An escape sequence, a line that GitHub Actions takes for a command, and a character that turns the text around.
const HOSTILE: &str = "e\u{1b}[31m\n::error::x\u{202e}y";

/// Commands that fail or succeed with such names. `@` is the hostile text.
const COMMANDS: &[&[&str]] = &[
    &["compile", "--check", "@"],
    &["compile", "--check", "--config", "@"],
    &["compile", "--check", "--config=@"],
    &["compile", "--check", "--baseline", "@"],
    &["compile", "-o", "@/x", "good@"],
    &["compile", "--check", "bad@"],
    &["compile", "--check", "good@"],
    &["compile", "--check", "--format", "json", "good@"],
    &["compile", "--check", "--format", "json", "bad@"],
    &["compile", "--check", "--format", "junit", "@"],
    &["compile", "--check", "--format", "sarif", "good@"],
    &["compile", "--check", "--format", "gitlab", "good@"],
    &["compile", "--check", "--fix=narrow", "--diff", "good@"],
    &["compile", "--check", "--fix=narrow", "--audit", "@", "good@"],
    &["compile", "--check", "--no-new-access", "@"],
    &["compile", "--budget", "@"],
    &["compile", "--@"],
    &["fmt", "@"],
    &["fmt", "--check", "good@"],
    &["fmt", "--diff", "good@"],
    &["fmt", "bad@"],
    &["test", "@"],
    &["test", "--policies", "good@", "tests@"],
    &["test", "--policies", "good@", "--generate", "@"],
    &["test", "--at", "@"],
    &["diff", "@", "HEAD"],
    &["diff", "good@", "bad@"],
    &["diff", "good@", "@"],
    &["inspect", "@"],
    &["who-can", "GET", "@"],
    &["explain", "@"],
    &["explain-code", "@"],
    &["serve", "--config", "@"],
    &["health", "--config", "@"],
    &["config", "check", "--config", "@"],
    &["token", "list", "--config", "@"],
    &["token", "new", "--name", "@"],
    &["token", "show", "@"],
    &["token", "revoke", "@"],
    &["import", "@"],
    &["scan", "@"],
    &["scan", "tests@"],
    &["keys", "new", "@/x"],
    &["audit", "list", "--since", "@"],
    &["audit", "verify", "@"],
    &["lsp", "--config", "@"],
    &["schema", "@"],
    &["init", "good@"],
    &["completions", "@"],
    &["@"],
];

fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let place = |name: &str| directory.path().join(format!("{name}{HOSTILE}"));
    let write = |place: &Path, file: &str, text: &str| {
        std::fs::create_dir_all(place).unwrap();
        std::fs::write(place.join(file), text).unwrap();
    };
    let token = format!(
        "[[token]]\nname = \"a\"\nuser = \"svc\"\nsecret_hash = \"sha256:{}\"\nexpires = 2099-01-01T00:00:00Z\nlimit_to = '''\n[put,get].*/rest/api/2/a.b\n'''\n",
        "2".repeat(64)
    );
    write(&place("good"), &format!("f{HOSTILE}.toml"), &token);
    write(
        &place("bad"),
        &format!("f{HOSTILE}.toml"),
        "[[token]]\nname = \"a\\u001b[31m\\n::error::x\"\nfoo = 1\n[gett\n",
    );
    write(
        &place("tests"),
        &format!("t{HOSTILE}.toml"),
        "[[test]]\nname = \"n\\u001b[31m\\n::error::x\"\ntoken = \"q\\u001b\"\nrequest = \"GET /\"\nexpect = \"allow\"\n",
    );
    directory
}

#[test]
fn no_output_carries_out_what_a_name_says() {
    let directory = directory();
    let mut wrong = Vec::new();
    for command in COMMANDS {
        let arguments: Vec<String> = command.iter().map(|part| part.replace('@', HOSTILE)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let Ran { code, out, err, .. } = run(directory.path(), &arguments);
        let is_hostile = |text: &str| {
            text.contains(['\u{1b}', '\u{202e}'])
                || text
                    .lines()
                    .any(|line| line.trim_start().starts_with("::error::x"))
        };
        if is_hostile(&out) || is_hostile(&err) || !(0..=3).contains(&code) {
            wrong.push(format!("{command:?}: {code}\n{out:?}\n{err:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
