use serde_json::{Value, json};

use crate::client::{Client, codes, token};

/// A policy with a set, which two files include.
fn policy() -> [(&'static str, String); 4] {
    let with_set = token("reader", "![get]/rest/api/2/issue/KANBAN-1")
        .replace("owner", "include = [\"jira-read\", \"gone\"]\nowner");
    [
        ("a.toml", with_set),
        (
            "b.toml",
            token(
                "bot",
                "[post]/rest/api/2/filter[JsonData::fields.summary:string==x][QueryParam::jql==a]",
            ),
        ),
        (
            "sets/jira-read.limits",
            "# reading\n[get]/rest/api/2/issue/KANBAN-[0-9]+\n".to_owned(),
        ),
        (
            "sets/all.limits",
            "@include jira-read\n![delete]/rest/.*\n".to_owned(),
        ),
    ]
}

fn start() -> (Client, [(&'static str, String); 4]) {
    let files = policy();
    let texts: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let client = Client::start(&texts);
    for (path, text) in &files {
        client.open(path, text);
    }
    (client, files)
}

fn hover(client: &mut Client, path: &str, text: &str, place: &str) -> String {
    let params = client.at(path, text, place);
    let hover = client.ask("textDocument/hover", params);
    hover["contents"]["value"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn hover_explains_lines_with_a_request() {
    let (mut client, files) = start();
    let b = &files[1].1;
    let shown = hover(&mut client, "b.toml", b, "filter");
    assert!(shown.contains("the method is POST"), "{shown}");
    assert!(shown.contains("the path matches `/rest/api/2/filter`"), "{shown}");
    assert!(shown.contains("the JSON node `fields.summary`"), "{shown}");
    assert!(
        shown.contains("For example: `POST /rest/api/2/filter?jql=a with application/json"),
        "{shown}"
    );
    assert!(shown.contains("curl -X POST -u svc-bot:"), "{shown}");
    let shown = hover(&mut client, "a.toml", &files[0].1, "![get]");
    assert!(shown.contains("Forbids requests"), "{shown}");
    // A line of a set; its token's forbid lines are not known there.
    let shown = hover(&mut client, "sets/jira-read.limits", &files[2].1, "KANBAN");
    assert!(
        shown.contains("Allows requests") && shown.contains("/rest/api/2/issue/KANBAN-"),
        "{shown}"
    );
    client.finish();
}

#[test]
fn hover_names_the_forbid_lines_that_take_requests_away() {
    let text = token(
        "a",
        "[get]/rest/api/2/.*\n![get]/rest/api/2/user.*\n![post]/other",
    );
    let mut client = Client::start(&[("a.toml", &text)]);
    client.open("a.toml", &text);
    let shown = hover(&mut client, "a.toml", &text, "2/.*");
    assert!(
        shown.contains("except the requests that these lines forbid:\n\n- `![get]/rest/api/2/user.*`"),
        "{shown}"
    );
    assert!(!shown.contains("/other"), "{shown}");
    client.finish();
}

#[test]
fn hover_explains_keys_sets_and_findings() {
    let (mut client, files) = start();
    let a = &files[0].1;
    assert!(hover(&mut client, "a.toml", a, "expires").contains("never expires"));
    assert!(hover(&mut client, "a.toml", a, "[[token]]").contains("A token"));
    let shown = hover(&mut client, "a.toml", a, "jira-read");
    assert!(
        shown.contains("The set `jira-read`, defined in `sets/jira-read.limits`, included in 2 places."),
        "{shown}"
    );
    client.findings("a.toml", |found| codes(found).contains(&"TW0009"));
    let shown = hover(&mut client, "a.toml", a, "gone");
    assert!(
        shown.contains("There is no set `gone`") && shown.contains("TW0009"),
        "{shown}"
    );
    let params = client.at("a.toml", a, "'''");
    client.ask("textDocument/hover", params);
    client.finish();
}

#[test]
fn completion_knows_the_place() {
    let (mut client, files) = start();
    let b = &files[1].1;
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        ("limit_to = '''\n|\n'''", "b.toml", &["[get]", "!"], &["@include"]),
        ("limit_to = '''\n[get,p|", "b.toml", &["post", "put"], &["get"]),
        (
            "limit_to = '''\n/rest[|",
            "b.toml",
            &["[QueryParam::", "[JsonData::only]"],
            &["get"],
        ),
        (
            "limit_to = '''\n/rest[QueryParam::|",
            "b.toml",
            &["jql", "only"],
            &["fields.summary"],
        ),
        (
            "limit_to = '''\n/rest[JsonData::f|",
            "b.toml",
            &["fields.summary"],
            &["jql"],
        ),
        (
            "limit_to = '''\n/rest[JsonData::f:|",
            "b.toml",
            &["boolean", "null"],
            &[],
        ),
        (
            "limit_to = '''\n/rest[JsonData::f=|",
            "b.toml",
            &["==", "?="],
            &[],
        ),
        (
            "limit_to = '''\n/rest/{|",
            "b.toml",
            &["{USER}", "{BASE_URL}"],
            &[],
        ),
        ("include = [\"|\"]", "b.toml", &["jira-read", "all"], &[]),
        ("include = |", "b.toml", &["jira-read"], &[]),
        ("user = \"|\"", "b.toml", &["svc-reader", "svc-bot"], &["team"]),
        ("owner = \"|\"", "b.toml", &["team"], &["svc-bot"]),
        ("revoked = |", "b.toml", &["true", "false"], &[]),
        (
            "lint_allow = [\"|\"]",
            "b.toml",
            &["TW0101", "TW0504"],
            &["TW0011"],
        ),
        ("exp|", "b.toml", &["expires", "[[token]]"], &["name"]),
        ("|", "sets/all.limits", &["@include", "[get]"], &[]),
        ("@include |", "sets/all.limits", &["jira-read"], &[]),
        ("name = \"x\"\n# |", "b.toml", &[], &["expires"]),
    ];
    let mut version = 1;
    for (text, path, has, lacks) in cases {
        let text = if path.ends_with(".toml") {
            format!("{b}[[token]]\nname = \"new\"\n{text}\n")
        } else {
            (*text).to_owned()
        };
        let at = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        version += 1;
        client.change(path, version, json!([{ "text": text }]));
        let params = client.position(path, &text, at);
        let found = client.ask("textDocument/completion", params);
        let labels: Vec<&str> = found
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| item["label"].as_str().unwrap())
            .collect();
        for label in *has {
            assert!(labels.contains(label), "{label} in {labels:?} for {text}");
        }
        for label in *lacks {
            assert!(!labels.contains(label), "{label} in {labels:?} for {text}");
        }
    }
    client.finish();
}

#[test]
fn an_include_leads_to_its_set_and_back() {
    let (mut client, files) = start();
    let params = client.at("a.toml", &files[0].1, "jira-read");
    let found = client.ask("textDocument/definition", params.clone());
    assert_eq!(found[0]["uri"], client.uri("sets/jira-read.limits").as_str());
    let params = client.at("sets/all.limits", &files[3].1, "jira-read");
    let found = client.ask("textDocument/definition", params);
    assert_eq!(found[0]["uri"], client.uri("sets/jira-read.limits").as_str());
    let mut params = client.at("sets/jira-read.limits", &files[2].1, "issue");
    params["context"] = json!({ "includeDeclaration": true });
    let found = client.ask("textDocument/references", params);
    let mut files: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["uri"].as_str().unwrap())
        .collect();
    files.sort_unstable();
    let mut wanted = [
        client.uri("a.toml"),
        client.uri("sets/all.limits"),
        client.uri("sets/jira-read.limits"),
    ];
    wanted.sort_unstable();
    assert_eq!(files, wanted);
    client.finish();
}

#[test]
fn a_set_is_renamed_in_all_files() {
    let (mut client, files) = start();
    let mut params = client.at("a.toml", &files[0].1, "jira-read");
    let prepared = client.ask("textDocument/prepareRename", params.clone());
    assert_eq!(prepared["placeholder"], "jira-read");
    params["newName"] = json!("reading");
    let edit = client.ask("textDocument/rename", params.clone());
    let changes = edit["documentChanges"].as_array().unwrap();
    let edited: Vec<&Value> = changes
        .iter()
        .filter(|change| change["edits"].is_array())
        .collect();
    assert_eq!(edited.len(), 2);
    for change in edited {
        assert_eq!(change["edits"][0]["newText"], "reading");
    }
    let renamed = changes.last().unwrap();
    assert_eq!(renamed["kind"], "rename");
    assert_eq!(renamed["oldUri"], client.uri("sets/jira-read.limits").as_str());
    assert_eq!(renamed["newUri"], client.uri("sets/reading.limits").as_str());
    for (name, why) in [
        ("ALL", "there is a set `all` already"),
        ("", "needs a name"),
        ("../x", "cannot be the name of a file"),
        (".x", "cannot be the name of a file"),
        ("a/b", "cannot be the name of a file"),
        ("a b", "cannot be the name of a file"),
    ] {
        params["newName"] = json!(name);
        let (_, told) = client.try_ask("textDocument/rename", params.clone()).unwrap_err();
        assert!(told.contains(why), "{name}: {told}");
    }
    let mut params = client.at("a.toml", &files[0].1, "gone");
    params["newName"] = json!("reading");
    assert!(
        client
            .try_ask("textDocument/rename", params)
            .unwrap_err()
            .1
            .contains("no set `gone`")
    );
    let mut params = client.at("a.toml", &files[0].1, "team");
    params["newName"] = json!("reading");
    assert!(
        client
            .try_ask("textDocument/rename", params)
            .unwrap_err()
            .1
            .contains("only sets")
    );
    client.finish();
}

#[test]
fn corrections_and_exceptions_are_quick_fixes() {
    let text = token("a", "[post]/rest/api/2/filter[JsonData::editable==false]");
    let mut client = Client::start(&[("a.toml", &text)]);
    client.open("a.toml", &text);
    let found = client.findings("a.toml", |found| codes(found).contains(&"TW0103"));
    let mut params = client.at("a.toml", &text, "false");
    params["range"] = found[0]["range"].clone();
    params["context"] = json!({ "diagnostics": found });
    params.as_object_mut().unwrap().remove("position");
    let actions = client.ask("textDocument/codeAction", params);
    let actions = actions.as_array().unwrap();
    let uri = client.uri("a.toml");
    let edit = |at: usize| &actions[at]["edit"]["changes"][uri.as_str()][0];
    // It denies a text that is spelled like the value.
    let title = actions[0]["title"].as_str().unwrap();
    assert!(title.contains("proved to allow less"), "{title}");
    assert_eq!(actions[0]["isPreferred"], true, "{title}");
    assert!(
        edit(0)["newText"].as_str().unwrap().contains(":boolean"),
        "{actions:?}"
    );
    assert_eq!(edit(1)["newText"], "# allow TW0103: \n");
    assert_eq!(edit(1)["range"]["start"]["character"], 0);
    client.finish();
}

#[test]
fn proved_corrections_are_preferred() {
    let lines = "[get]/rest/api/2/myself\n[get]/rest/api/2/myself";
    let text = token("a", lines).replace("limit_to", "include = [\"set\"]\nlimit_to");
    let set = "/rest/api/2/user\n/rest/api/2/user\n";
    let mut client = Client::start(&[("a.toml", &text), ("set.limits", set)]);
    client.open("a.toml", &text);
    client.open("set.limits", set);
    client.findings("a.toml", |found| codes(found) == ["TW0108"]);
    client.findings("set.limits", |found| codes(found) == ["TW0108"]);
    let first = |client: &mut Client, path: &str, line: usize| {
        let range =
            json!({ "start": { "line": line, "character": 0 }, "end": { "line": line, "character": 1 } });
        let params = json!({
            "textDocument": { "uri": client.uri(path) },
            "range": range,
            "context": { "diagnostics": [] },
        });
        let actions = client.ask("textDocument/codeAction", params);
        let title = actions[0]["title"].as_str().unwrap().to_owned();
        (title, actions[0]["isPreferred"].as_bool().unwrap_or_default())
    };
    let line = text.lines().position(|line| line.starts_with("[get]")).unwrap() + 1;
    for (path, line) in [("a.toml", line), ("set.limits", 1)] {
        let (title, is_preferred) = first(&mut client, path, line);
        assert!(title.contains("(proved equivalent)") && is_preferred, "{title}");
    }
    client.finish();
}

#[test]
fn a_document_is_formatted_as_by_fmt() {
    let text = token("a", "  [ get ]  /rest/api/2/myself").replace("name = ", "name=");
    let mut client = Client::start(&[("a.toml", &text)]);
    client.open("a.toml", &text);
    let params = json!({
        "textDocument": { "uri": client.uri("a.toml") },
        "options": { "tabSize": 4, "insertSpaces": true },
    });
    let edits = client.ask("textDocument/formatting", params.clone());
    let new = edits[0]["newText"].as_str().unwrap();
    assert!(
        new.contains("name = \"a\"") && new.contains("\n[get]/rest/api/2/myself"),
        "{new}"
    );
    client.change("a.toml", 2, json!([{ "text": "[[token]\n" }]));
    let (_, why) = client.try_ask("textDocument/formatting", params).unwrap_err();
    assert!(why.contains("has errors"), "{why}");
    client.finish();
}
