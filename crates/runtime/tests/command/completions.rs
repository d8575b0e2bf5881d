//! Completion scripts, and the operations of the API that they complete.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::tokenward::{BINARY, run, succeed};

#[test]
fn completions_name_the_verbs() {
    let directory = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run(directory.path(), &["completions", shell]);
        assert_eq!(ended.code, 0);
        assert!(
            ended.out.contains("compile") && ended.out.contains("audit"),
            "{shell}"
        );
    }
}

const DESCRIPTION: &str = "\
openapi: 3.0.3
info: {title: Notes, version: 1}
servers: [{url: /rest}]
paths:
  /note/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getNote}
    delete: {operationId: deleteNote}
  /note:
    get: {}
";

fn described() -> TempDir {
    let directory = TempDir::new().unwrap();
    let configuration = "[upstream]\nproduct = \"generic\"\n[api]\ndescriptions = [\"notes.yaml\"]\n";
    fs::write(directory.path().join("tokenward.toml"), configuration).unwrap();
    fs::write(directory.path().join("notes.yaml"), DESCRIPTION).unwrap();
    directory
}

#[test]
fn operations_are_listed_for_the_scripts() {
    let directory = described();
    let all = succeed(&directory, &["complete-operations"]);
    assert_eq!(
        all,
        "GET /rest/note\tGET /rest/note\ndeleteNote\tDELETE /rest/note/{id}\ngetNote\tGET /rest/note/{id}\n"
    );
    let paths = succeed(&directory, &["complete-operations", "--paths-of", "get"]);
    assert_eq!(paths, "/rest/note\t\n/rest/note/{id}\tgetNote\n");
    // Whoever types wants no messages.
    for (name, text) in [
        ("notes.yaml", "{"),
        ("tokenward.toml", "[api]\ndescriptions = 1\n"),
    ] {
        fs::write(directory.path().join(name), text).unwrap();
        let ran = run(&directory, &["complete-operations"]);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    }
    let empty = TempDir::new().unwrap();
    let ran = run(&empty, &["complete-operations"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert!(!succeed(&empty, &["--help"]).contains("complete-operations"));
}

/// The words that bash offers for the last of some words.
fn offered(directory: &Path, words: &[&str]) -> Vec<String> {
    fs::write(
        directory.join("script"),
        succeed(directory, &["completions", "bash"]),
    )
    .unwrap();
    let mut words: Vec<&str> = words.to_vec();
    words.insert(0, BINARY);
    let count = words.len() - 1;
    let asked = format!(
        "source ./script; COMP_WORDS=(\"$@\"); COMP_CWORD={count}; _tokenward_operations \"${{COMP_WORDS[0]}}\" \"${{COMP_WORDS[{count}]}}\" \"${{COMP_WORDS[{}]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        count - 1
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &asked, "bash"])
        .args(&words)
        .current_dir(directory)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_operations() {
    let directory = described();
    let offered = |words: &[&str]| offered(directory.path(), words);
    assert_eq!(offered(&["who-can", "del"]), ["deleteNote"]);
    assert_eq!(
        offered(&["who-can", ""]),
        ["GET\\ /rest/note", "deleteNote", "getNote"]
    );
    assert_eq!(offered(&["who-can", "DELETE", "/"]), ["/rest/note/\\{id\\}"]);
    assert_eq!(offered(&["reach", "--operation", "get"]), ["getNote"]);
    assert_eq!(
        offered(&["token", "new", "--name", "a", "--operation", "d"]),
        ["deleteNote"]
    );
    // The description and the configuration of the command line count, and other words are completed as before.
    let other = ["who-can", "--config", "none.toml", "del"];
    assert!(!offered(&other).contains(&"deleteNote".to_owned()));
    let named = [
        "who-can",
        "--config",
        "none.toml",
        "--openapi",
        "notes.yaml",
        "del",
    ];
    assert_eq!(offered(&named), ["deleteNote"]);
    assert!(offered(&["who-can", "--op"]).contains(&"--openapi".to_owned()));
    assert!(offered(&["who-c"]).contains(&"who-can".to_owned()));
}
