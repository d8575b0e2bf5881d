//! `tokenward lsp` as an editor starts it: over standard input and output, under the configuration of the policy.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tokenward::{BINARY, run, succeed};

/// An editor.
struct Editor {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next: i64,
    notifications: Vec<Value>,
}

impl Editor {
    fn start(directory: &Path) -> Self {
        let mut process = Command::new(BINARY)
            .args(["lsp", "--stdio"])
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut editor = Self {
            input: process.stdin.take(),
            output: BufReader::new(process.stdout.take().unwrap()),
            process,
            next: 0,
            notifications: Vec::new(),
        };
        editor.ask(
            "initialize",
            json!({ "processId": null, "rootUri": null, "capabilities": {} }),
        );
        editor.tell("initialized", json!({}));
        editor
    }

    fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n", bytes.len()).unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.write(
            json!({ "jsonrpc": "2.0", "method": method, "params": params })
                .to_string()
                .as_bytes(),
        );
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server ended");
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.write(
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
                .to_string()
                .as_bytes(),
        );
        loop {
            let message = self.read();
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{message}");
                return message["result"].clone();
            }
            self.notifications.push(message);
        }
    }

    /// Waits until the findings of a file fulfil a condition.
    fn findings(&mut self, uri: &str, is_wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        loop {
            let message = match self.notifications.is_empty() {
                true => self.read(),
                false => self.notifications.remove(0),
            };
            if message["params"]["uri"] == uri {
                let found = message["params"]["diagnostics"].as_array().unwrap();
                if is_wanted(found) {
                    return found.clone();
                }
            }
        }
    }

    fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "toml", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn finish(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        self.input = None;
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.canonicalize().unwrap().display())
}

const TOKEN: &str = "[[token]]\nname = \"a\"\nuser = \"svc\"\nsecret_hash = \"sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"\nexpires = 2035-01-01T00:00:00Z\nlimit_to = '''\n[get]/api/v4/projects/1\n[get]/rest/api/2/myself\n'''\n";

fn policy(product: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("policies")).unwrap();
    std::fs::write(directory.path().join("policies/a.toml"), TOKEN).unwrap();
    let configuration = format!("[upstream]\nproduct = \"{product}\"\n");
    std::fs::write(directory.path().join("tokenward.toml"), configuration).unwrap();
    directory
}

/// The findings of `compile --check`, as code and line.
fn checked(directory: &Path) -> Vec<(String, u64)> {
    let out = run(directory, &["compile", "--check", "--format", "json"]).out;
    let lines = out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found = lines.filter(|line| line["code"].is_string());
    let mut found: Vec<(String, u64)> = found
        .map(|one| {
            (
                one["code"].as_str().unwrap().to_owned(),
                one["line"].as_u64().unwrap(),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_editor_shows_what_the_command_finds() {
    for product in ["jira", "gitlab"] {
        let directory = policy(product);
        let file = uri(&directory.path().join("policies/a.toml"));
        let mut editor = Editor::start(directory.path());
        editor.open(&file, TOKEN);
        let found = editor.findings(&file, |found| !found.is_empty());
        let mut shown: Vec<(String, u64)> = found
            .iter()
            .map(|one| {
                let line = one["range"]["start"]["line"].as_u64().unwrap();
                (one["code"].as_str().unwrap().to_owned(), line + 1)
            })
            .collect();
        shown.sort();
        assert_eq!(shown, checked(directory.path()), "{product}");
        editor.finish();
    }
}

#[test]
fn quick_fixes_carry_their_proofs() {
    let directory = policy("jira");
    let lines = "[get]/rest/api/2/myself\n[get]/rest/api/2/myself\n[get]rest/api/2/user\n";
    let text = TOKEN.replace("[get]/api/v4/projects/1\n[get]/rest/api/2/myself\n", lines);
    let file = uri(&directory.path().join("policies/a.toml"));
    let mut editor = Editor::start(directory.path());
    editor.open(&file, &text);
    editor.findings(&file, |found| found.len() >= 2);
    let mut first = |line: u64| {
        let place = json!({ "line": line, "character": 7 });
        let actions = editor.ask(
            "textDocument/codeAction",
            json!({
                "textDocument": { "uri": file },
                "range": { "start": place, "end": place },
                "context": { "diagnostics": [] },
            }),
        );
        (
            actions[0]["title"].as_str().unwrap().to_owned(),
            actions[0]["isPreferred"] == true,
        )
    };
    let (title, is_preferred) = first(7);
    assert!(
        title.starts_with("TW0108: ") && title.ends_with("(proved equivalent)"),
        "{title}"
    );
    assert!(is_preferred, "{title}");
    let (title, is_preferred) = first(8);
    assert!(
        title.starts_with("TW0105: ")
            && title.contains("(not proved: it gives access; `a` would allow `GET /"),
        "{title}"
    );
    assert!(!is_preferred, "{title}");
    editor.finish();
}

#[test]
fn the_paths_of_the_description_complete_a_line() {
    let directory = policy("jira");
    let configuration = "[upstream]\nproduct = \"jira\"\n[api]\ndescriptions = [\"api.yaml\"]\n";
    std::fs::write(directory.path().join("tokenward.toml"), configuration).unwrap();
    let description = "openapi: 3.0.3\ninfo: {title: T, version: 1}\nservers: [{url: /rest}]\npaths:\n  /api/2/issue/{key}/votes:\n    \
                       parameters: [{name: key, in: path, required: true, schema: {type: string}}]\n    delete: {operationId: removeVote}\n";
    std::fs::write(directory.path().join("api.yaml"), description).unwrap();
    let text = TOKEN.replace("[get]/api/v4/projects/1", "[delete]/rest/api/2/is");
    let file = uri(&directory.path().join("policies/a.toml"));
    let mut editor = Editor::start(directory.path());
    editor.open(&file, &text);
    // Whoever explains a line waits for the description; completion does not.
    let place = |character: u64| json!({ "textDocument": { "uri": file }, "position": { "line": 6, "character": character } });
    editor.ask("textDocument/hover", place(9));
    let found = editor.ask("textDocument/completion", place(22));
    let first = &found[0];
    assert_eq!(first["label"], "issue/{key}/votes", "{found}");
    assert_eq!(first["textEdit"]["newText"], "issue/[^/]+/votes");
    assert_eq!(first["textEdit"]["range"]["start"]["character"], 20);
    assert!(
        first["documentation"]["value"]
            .as_str()
            .unwrap()
            .contains("removeVote")
    );
    editor.finish();
}

#[test]
fn a_changed_configuration_changes_the_findings() {
    let directory = policy("jira");
    let file = uri(&directory.path().join("policies/a.toml"));
    let configuration = uri(&directory.path().join("tokenward.toml"));
    let mut editor = Editor::start(directory.path());
    editor.open(&file, TOKEN);
    let at = |line: u64| move |found: &[Value]| found.iter().any(|one| one["range"]["start"]["line"] == line);
    editor.findings(&file, at(6));
    editor.open(&configuration, "[upstream]\nproduct = \"gitlap\"\n");
    let found = editor.findings(&configuration, |found| !found.is_empty());
    assert_eq!(found[0]["range"]["start"], json!({ "line": 1, "character": 10 }));
    std::fs::write(
        directory.path().join("tokenward.toml"),
        "[upstream]\nproduct = \"gitlab\"\n",
    )
    .unwrap();
    editor.tell(
        "textDocument/didSave",
        json!({ "textDocument": { "uri": configuration } }),
    );
    editor.findings(&file, at(7));
    editor.finish();
}

#[test]
fn broken_messages_get_an_answer_and_the_next_one_counts() {
    let directory = policy("jira");
    let mut editor = Editor::start(directory.path());
    for broken in [&b"{"[..], b"[1]", b"\xff", br#"{"id":[],"method":"x"}"#] {
        editor.write(broken);
        assert!(editor.read()["error"]["code"].is_i64());
    }
    let hover = json!({ "textDocument": { "uri": "file:///nowhere/a.toml" }, "position": { "line": 0, "character": 0 } });
    assert_eq!(editor.ask("textDocument/hover", hover), Value::Null);
    editor.finish();
}

#[test]
fn an_editor_that_leaves_ends_the_server() {
    let directory = policy("jira");
    let mut editor = Editor::start(directory.path());
    editor.input = None;
    assert_eq!(editor.process.wait().unwrap().code(), Some(1));
    let ran = run(directory.path(), &["lsp", "--config", "missing.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("missing.toml"), "{}", ran.err);
    assert!(succeed(directory.path(), &["lsp", "--help"]).contains("Language Server Protocol"));
}
