//! The operations of the API that a change newly allows, as `compile --no-new-access` and `diff` name them in each format.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use tokenward_testbed::Ran;

use crate::tokenward::run;

const DESCRIPTION: &str = "\
openapi: 3.0.3
info: {title: Notes, version: 1}
servers: [{url: /rest}]
paths:
  /note/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getNote}
    put: {operationId: putNote}
    delete: {operationId: deleteNote}
  /note:
    get: {operationId: listNotes}
  /admin/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}}]
    get: {operationId: getAdmin}
  /secret/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string}}]
    get: {operationId: getSecret}
";

fn policy(lines: &str) -> String {
    let hash = "1".repeat(64);
    format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc\"\nexpires = 2099-01-01T00:00:00Z\nsecret_hash = \"sha256:{hash}\"\nlimit_to = '''\n{lines}\n'''\n"
    )
}

/// A policy that replaced another one. The description is only named on the command line.
fn change(old: &str, new: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    for (name, lines) in [("old", old), ("new", new)] {
        fs::create_dir(path.join(name)).unwrap();
        fs::write(path.join(name).join("ci.toml"), policy(lines)).unwrap();
    }
    let configuration = "policies = \"new\"\n[upstream]\npublic_url = \"https://notes.example\"\nproduct = \"generic\"\nendpoints = [\"/rest/note\", \"/rest/note/*\", \"/rest/admin/*\", \"/rest/old\"]\n";
    fs::write(path.join("tokenward.toml"), configuration).unwrap();
    fs::write(path.join("notes.yaml"), DESCRIPTION).unwrap();
    directory
}

fn gate(directory: &TempDir, more: &[&str]) -> Ran {
    let base = [
        "compile",
        "--check",
        "--no-new-access",
        "./old",
        "--old-config",
        "tokenward.toml",
    ];
    let arguments: Vec<&str> = base.into_iter().chain(more.iter().copied()).collect();
    run(directory, &arguments)
}

/// The operations that each finding names, from JSON.
fn named(directory: &TempDir) -> Vec<(String, Vec<String>)> {
    let ran = gate(directory, &["--openapi", "notes.yaml", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let findings = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let names = |finding: &Value| {
        let names = finding["newly_allowed"].as_array().into_iter().flatten();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    findings
        .map(|finding| (finding["code"].as_str().unwrap().to_owned(), names(&finding)))
        .collect()
}

#[test]
fn every_format_of_the_gate_names_new_operations() {
    let directory = change("[get]/rest/note/[0-9]+", "[get,delete]/rest/note/[0-9]+");
    let own = "DELETE /rest/note/{id} (deleteNote)";
    for (format, expected) in [
        ("text", format!("newly allowed: {own}")),
        ("json", format!("\"newly_allowed\":[\"{own}\"]")),
        ("json", format!("\"operation\":\"{own}\"")),
        ("sarif", format!("\\nnewly allowed: {own}\\n")),
        ("gitlab", format!("; newly allowed: {own};")),
        ("junit", format!("\nnewly allowed: {own}\n")),
        ("github", format!("%0Anewly allowed: {own}%0A")),
    ] {
        let ran = gate(&directory, &["--openapi", "notes.yaml", "--format", format]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        let shown = if format == "text" { &ran.err } else { &ran.out };
        assert!(shown.contains(&expected), "{format}: {shown}");
        // Nobody named a description.
        let ran = gate(&directory, &["--format", format]);
        let shown = if format == "text" { &ran.err } else { &ran.out };
        assert!(!shown.contains("deleteNote"), "{format}: {shown}");
    }
}

#[test]
fn the_step_summary_names_new_operations() {
    let directory = change("[get]/rest/note/[0-9]+", "[get,delete]/rest/note/[0-9]+");
    let configured = fs::read_to_string(directory.path().join("tokenward.toml")).unwrap();
    let configured = format!("{configured}[api]\ndescriptions = [\"notes.yaml\"]\n");
    fs::write(directory.path().join("tokenward.toml"), configured).unwrap();
    for format in ["sarif", "junit", "gitlab", "github", "markdown", "text"] {
        let ran = run(
            &directory,
            &[
                "diff",
                "--old-config",
                "tokenward.toml",
                "--format",
                format,
                "./old",
                "./new",
            ],
        );
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        let expected = match format {
            "markdown" => "- newly allowed: `DELETE /rest/note/{id} (deleteNote)`",
            _ => "newly allowed: DELETE /rest/note/{id} (deleteNote)",
        };
        assert!(ran.out.contains(expected), "{format}: {}", ran.out);
    }
}

#[test]
fn operations_are_those_of_the_finding() {
    // What another line allowed before is not new. What the proxy does not forward is said to be so.
    let directory = change(
        "[get]/rest/note/.*\n!/rest/admin/.*\n[get]/rest/admin/.*\n[get]/rest/old",
        "[get,put]/rest/note/a\n[get]/rest/.*",
    );
    let found = named(&directory);
    let texts = |code: &str, at: usize| {
        let own = found.iter().filter(|(own, _)| own == code).nth(at);
        own.map(|(_, names)| names.join("; "))
            .unwrap_or_else(|| panic!("{code} {at}: {found:?}"))
    };
    assert_eq!(texts("TW0310", 0), "GET /rest/admin/{name} (getAdmin)");
    assert_eq!(texts("TW0301", 0), "PUT /rest/note/{id} (putNote)");
    assert_eq!(
        texts("TW0301", 1),
        "GET /rest/admin/{name} (getAdmin); GET /rest/note (listNotes); GET /rest/secret/{name} (getSecret), not forwarded as configured"
    );
}

#[test]
fn reviewed_lines_do_not_count_again() {
    let directory = change("[get]/rest/old", "[get]/rest/note/.*\n[get]/rest/(note|admin)/.*");
    let review = "[[reviewed]]\ntoken = \"ci\"\nline = '[get]/rest/note/.*'\nwhy = \"notes are public\"\n";
    fs::write(directory.path().join("old/reviewed.toml"), review).unwrap();
    fs::write(directory.path().join("new/reviewed.toml"), review).unwrap();
    let found = named(&directory);
    let names: Vec<&str> = found
        .iter()
        .flat_map(|(_, names)| names)
        .map(String::as_str)
        .collect();
    assert_eq!(names, ["GET /rest/admin/{name} (getAdmin)"], "{found:?}");
}

#[test]
fn an_unrestricted_token_names_all_that_it_newly_reaches() {
    let directory = change("[get]/rest/note/.*", "");
    let hash = "1".repeat(64);
    let free = format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc\"\nexpires = 2099-01-01T00:00:00Z\nsecret_hash = \"sha256:{hash}\"\nunrestricted = true\n"
    );
    fs::write(directory.path().join("new/ci.toml"), free).unwrap();
    let found = named(&directory);
    let names = found.iter().find(|(_, names)| !names.is_empty());
    let (_, names) = names.unwrap_or_else(|| panic!("{found:?}"));
    for name in ["putNote", "deleteNote", "listNotes", "getAdmin"] {
        assert!(
            names.iter().any(|own| own.ends_with(&format!("({name})"))),
            "{names:?}"
        );
    }
    assert!(!names.iter().any(|own| own.contains("getNote)")), "{names:?}");
}

#[test]
fn a_description_that_cannot_be_read_is_told() {
    let directory = change("[get]/rest/note/[0-9]+", "[get,delete]/rest/note/[0-9]+");
    // One of the command line is an error.
    let ran = gate(&directory, &["--openapi", "none.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    // One of the configuration only helps readers.
    let configured = fs::read_to_string(directory.path().join("tokenward.toml")).unwrap();
    let configured = format!("{configured}[api]\ndescriptions = [\"none.yaml\"]\n");
    fs::write(directory.path().join("tokenward.toml"), configured).unwrap();
    let ran = gate(&directory, &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("without the names of operations"), "{}", ran.err);
}

#[test]
fn warnings_name_the_operation_of_their_request() {
    let directory = change("[get]/rest/note/1", "[get]/rest/note/1.*");
    let ran = run(
        &directory,
        &[
            "compile",
            "--check",
            "--lint",
            "pedantic",
            "--openapi",
            "notes.yaml",
            "--json",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let own = "\"operation\":\"GET /rest/note/{id} (getNote)\"";
    assert!(ran.out.contains(own), "{} {}", ran.out, ran.err);
}

fn review(token: &str, operation: &str) -> String {
    format!("[[reviewed]]\ntoken = \"{token}\"\nkey = \"operation\"\nvalue = \"{operation}\"\nwhy = \"x\"\n")
}

#[test]
fn reviews_of_operations_that_count_for_nothing_are_told() {
    let directory = change(
        "[get]/rest/note/.*\n!/rest/note/secret",
        "[get]/rest/note/.*\n!/rest/note/secret",
    );
    let entries = [
        review("ci", "GET /rest/note/{key}"),
        review("ci", "PUT /rest/note/{id}"),
        review("ci", "GET /rest/notes"),
        review("co", "GET /rest/note/{id}"),
    ];
    for side in ["old", "new"] {
        fs::write(
            directory.path().join(side).join("reviewed.toml"),
            entries.concat(),
        )
        .unwrap();
    }
    let told = |ran: Ran| {
        let shown = format!("{}{}", ran.out, ran.err);
        let lines = shown
            .lines()
            .filter_map(|line| Some(line.split_once("counts for nothing: ")?.1.to_owned()));
        lines.collect::<Vec<_>>()
    };
    let whys = [
        "`ci` does not reach `PUT /rest/note/{id}`",
        "the description has no operation `GET /rest/notes`; did you mean `GET /rest/note`?",
        "the policy has no token `co`",
    ];
    let mut found = told(gate(&directory, &["--openapi", "notes.yaml"]));
    found.sort();
    let mut expected = whys.map(str::to_owned);
    expected.sort();
    assert_eq!(found, expected);
    // Without a description, only the token is known.
    assert_eq!(told(gate(&directory, &[])), [whys[2]]);
    let mut found = told(run(&directory, &["reach", "--openapi", "notes.yaml"]));
    found.sort();
    assert_eq!(found, expected);
}
