//! `tokenward token new --from`: lines for recorded calls.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tokenward::{json, run, succeed};

const CONFIGURATION: &str = "\
[upstream]
url = \"http://127.0.0.1:9\"
public_url = \"https://api.example/ctx\"
product = \"generic\"
";

const DESCRIPTION: &str = "\
openapi: 3.0.3
info: {title: Notes, version: 1}
servers: [{url: /ctx/rest}]
paths:
  /note/{key}:
    parameters: [{name: key, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getNote
      parameters: [{name: page, in: query, schema: {type: integer}}]
    delete: {operationId: deleteNote}
  /note/{key}/comment:
    parameters: [{name: key, in: path, required: true, schema: {type: string}}]
    post:
      operationId: addComment
      requestBody: {content: {application/json: {schema: {properties: {body: {type: string}, kind: {enum: [a, b]}}}}}}
";

fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("policies")).unwrap();
    fs::write(path.join("tokenward.toml"), CONFIGURATION).unwrap();
    fs::write(path.join("notes.yaml"), DESCRIPTION).unwrap();
    directory
}

fn archive(directory: &Path, requests: &[Value]) {
    let entries: Vec<Value> = requests
        .iter()
        .map(|request| json!({"request": request}))
        .collect();
    fs::write(
        directory.join("calls.har"),
        json!({"log": {"entries": entries}}).to_string(),
    )
    .unwrap();
}

/// Arguments of `token new` with more.
fn new<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let base = ["token", "new", "--name", "t", "--user", "svc", "--expires", "9d"];
    base.into_iter().chain(more.iter().copied()).collect()
}

fn lines(directory: &Path, more: &[&str]) -> Vec<String> {
    let shown = json(directory, &new(&[more, &["--dry-run", "--json"]].concat()));
    let lines = shown["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line["text"].as_str().unwrap().to_owned())
        .collect()
}

fn get(url: &str) -> Value {
    json!({"method": "GET", "url": url})
}

#[test]
fn without_a_description_the_lines_allow_the_calls_and_nothing_else() {
    let directory = directory();
    let path = directory.path();
    archive(
        path,
        &[
            get("https://api.example/ctx/rest/note/KEY-1?page=1"),
            get("https://api.example/ctx/rest/note/KEY-1"),
            get("https://api.example/ctx/rest/note/KEY-2"),
            get("https://api.example/ctx/rest/note/KEY-2?page=1"),
            json!({"method": "DELETE", "url": "https://api.example/ctx/rest/page/a.b"}),
            get("https://elsewhere.example/track?token=hunter2"),
        ],
    );
    assert_eq!(
        lines(path, &["--from", "calls.har"]),
        [
            "[get]/rest/note/(KEY-1|KEY-2)[QueryParam::page?=1][QueryParam::only]",
            r"[delete]/rest/page/a\.b[QueryParam::only][JsonData::only]",
        ]
    );
    assert!(
        fs::read_dir(path.join("policies")).unwrap().next().is_none(),
        "a dry run writes nothing"
    );
    let text = succeed(path, &new(&["--from", "calls.har", "--dry-run"]));
    assert!(
        text.contains("2 lines for 5 calls")
            && text.contains("1 call to other servers left out (elsewhere.example)"),
        "{text}"
    );
}

#[test]
fn segments_that_differ_in_two_places_do_not_become_a_product() {
    let directory = directory();
    archive(
        directory.path(),
        &[
            get("https://api.example/ctx/rest/a/1"),
            get("https://api.example/ctx/rest/b/2"),
        ],
    );
    assert_eq!(lines(directory.path(), &["--from", "calls.har"]).len(), 2);
}

#[test]
fn a_description_makes_patterns_of_ids_and_members() {
    let directory = directory();
    let path = directory.path();
    let body = json!({"body": "done, hunter2", "kind": "a"}).to_string();
    archive(
        path,
        &[
            get("https://api.example/ctx/rest/note/KEY-1?page=1"),
            get("https://api.example/ctx/rest/note/KEY-77?page=3"),
            json!({"method": "POST", "url": "https://api.example/ctx/rest/note/home/comment",
            "postData": {"mimeType": "application/json", "text": body}}),
        ],
    );
    let found = json(
        path,
        &new(&[
            "--from",
            "calls.har",
            "--openapi",
            "notes.yaml",
            "--dry-run",
            "--json",
        ]),
    );
    let texts: Vec<&str> = found["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            r"[get]/rest/note/KEY-\d+[QueryParam::page==\d+][QueryParam::only]",
            "[post]/rest/note/home/comment[QueryParam::only][JsonData::body:string==.*][JsonData::kind:string==a][JsonData::only]",
        ]
    );
    assert_eq!(
        found["lines"][0]["operations"],
        json!(["GET /ctx/rest/note/{key}"])
    );
    assert!(!found.to_string().contains("hunter2"));
}

#[test]
fn credentials_are_neither_shown_nor_kept() {
    let directory = directory();
    let path = directory.path();
    fs::write(
        path.join("calls.sh"),
        "#!/bin/sh\n\
         BASE=https://api.example/ctx   # the server\n\
         API=\"https://api.example/ctx/rest\"\n\
         # curl -X DELETE \"$API/note/1\"\n\
         ID=$(curl -s -u \"svc:hunter2\" \"$API/note/7?access_token=hunter2\" | jq .id)\n\
         curl -fsS -X POST \\\n  -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\\n  \
         -d '{\"password\": \"hunter2\",\n  \"a\": 1}' \"$API/thing\" > /dev/null && echo done\n",
    )
    .unwrap();
    let ran = run(path, &new(&["--from", "calls.sh"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let written = fs::read_to_string(path.join("policies/t.toml")).unwrap();
    assert!(
        !format!("{}{}{written}", ran.out, ran.err).contains("hunter2"),
        "{written}"
    );
    assert!(
        written.contains("[get]/rest/note/7[QueryParam::only]"),
        "{written}"
    );
    assert!(written.contains("[JsonData::password:string==.*]"), "{written}");
    assert!(!written.contains("delete"), "{written}");
}

#[test]
fn collections_have_folders_and_variables() {
    let directory = directory();
    let path = directory.path();
    let collection = json!({
        "info": {"name": "N"}, "variable": [{"key": "key", "value": "KEY-1"}],
        "item": [{"name": "Folder", "item": [
            {"name": "Read", "request": {"method": "GET", "url": {"raw": "{{baseUrl}}/rest/note/{{key}}/:part",
                "variable": [{"key": "part", "value": "x"}]}}},
            {"name": "Write", "request": {"method": "PUT", "url": "https://api.example/ctx/rest/note/2",
                "header": [{"key": "X-Api-Key", "value": "{{secret}}"}],
                "body": {"mode": "raw", "raw": "{\"a\": true}", "options": {"raw": {"language": "json"}}}}},
        ]}],
    });
    fs::write(path.join("calls.json"), collection.to_string()).unwrap();
    assert_eq!(
        lines(path, &["--from", "calls.json"]),
        [
            "[get]/rest/note/KEY-1/x[QueryParam::only]",
            "[put]/rest/note/2[QueryParam::only][JsonData::a:boolean==true][JsonData::only]",
        ]
    );
    fs::write(
        path.join("calls.json"),
        collection
            .to_string()
            .replace("\"key\",\"value\":\"KEY-1\"", "\"other\""),
    )
    .unwrap();
    let ran = run(path, &new(&["--from", "calls.json"]));
    let expected = "\"Folder / Read\": the variable `{{key}}` has no value";
    assert!(ran.code == 2 && ran.err.contains(expected), "{}", ran.err);
}

#[test]
fn bad_input_gets_its_place_and_a_cure_and_writes_nothing() {
    let directory = directory();
    let path = directory.path();
    for (text, expected) in [
        ("", "has no calls"),
        ("{", "line 1, column 1: not valid JSON"),
        ("{\"a\": 1}", "neither a HAR archive nor a Postman collection"),
        ("{\"openapi\": \"3.0.0\"}", "give it with --openapi"),
        ("{\"requests\": []}", "export it as version 2.1"),
        ("{\"log\": {\"entries\": [{}]}}", "not an entry of a HAR archive"),
        (
            "curl --frob https://api.example/ctx/rest/a",
            "line 1: the curl option `--frob` is unknown",
        ),
        (
            "\ncurl \"https://api.example/ctx/rest/$X\"",
            "line 2: `$X` has no known value",
        ),
        (
            "curl https://other.example/a",
            "no call goes to `https://api.example/ctx`, but to other.example",
        ),
        ("curl -X FOO https://api.example/ctx/rest/a", "line 1"),
    ] {
        fs::write(path.join("calls"), text).unwrap();
        let ran = run(path, &new(&["--from", "calls"]));
        assert!(
            ran.code != 0 && ran.err.contains(expected),
            "{text}: {} {}",
            ran.code,
            ran.err
        );
    }
    let ran = run(path, &new(&["--from", "missing.har"]));
    assert!(
        ran.code == 3 && ran.err.contains("cannot read `missing.har`"),
        "{}",
        ran.err
    );
    fs::write(path.join("calls"), "curl https://api.example/ctx/rest/a").unwrap();
    let ran = run(path, &new(&["--from", "calls", "--openapi", "tokenward.toml"]));
    assert!(
        ran.code == 2 && ran.err.contains("`tokenward.toml`: "),
        "{}",
        ran.err
    );
    assert!(fs::read_dir(path.join("policies")).unwrap().next().is_none());
    // Recorded at another place.
    fs::write(path.join("calls"), "curl https://other.example/x/rest/a").unwrap();
    let recorded = ["--from", "calls", "--recorded-at", "https://other.example/x"];
    assert_eq!(lines(path, &recorded), ["[get]/rest/a[QueryParam::only]"]);
}

#[test]
fn the_base_path_is_that_of_described_calls_too() {
    let directory = directory();
    let path = directory.path();
    let moved = DESCRIPTION.replace("/ctx/rest", "/elsewhere");
    fs::write(path.join("notes.yaml"), moved).unwrap();
    archive(path, &[get("https://api.example/ctx/rest/note/KEY-1")]);
    let from = ["--from", "calls.har", "--openapi", "notes.yaml"];
    assert_eq!(lines(path, &from), ["[get]/rest/note/KEY-1[QueryParam::only]"]);
    assert_eq!(
        lines(path, &[&from[..], &["--base-path", "/rest"]].concat()),
        [r"[get]/rest/note/KEY-\d+[QueryParam::only]"]
    );
}

#[test]
fn texts_of_an_operations_path_are_escaped_as_lines_need_it() {
    let directory = directory();
    let path = directory.path();
    let name = "/note/{key}/a%20b:copy";
    let other = DESCRIPTION.replace("/note/{key}/comment", name);
    fs::write(path.join("notes.yaml"), other).unwrap();
    let ran = run(
        path,
        &new(&["--operation", "addComment", "--openapi", "notes.yaml"]),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let reach = succeed(path, &["reach", "--token", "t", "--openapi", "notes.yaml"]);
    assert!(reach.contains("(addComment): full"), "{reach}");
}

/// The lines of a script whose text is given.
fn of_script(directory: &Path, text: &str) -> Vec<String> {
    fs::write(directory.join("calls"), text).unwrap();
    lines(directory, &["--from", "calls"])
}

#[test]
fn each_call_of_a_script_is_covered_or_named() {
    let directory = directory();
    let path = directory.path();
    assert_eq!(
        of_script(
            path,
            "API=https://api.example/ctx/rest\nget() { curl -fsS \"$API/$1\"; }\n\
             for i in 1 2; do get \"note/$i\" | jq .; done\nif get a; then curl -X DELETE $API/b || true; fi\n"
        ),
        [
            "[get]/rest/note/(1|2)[QueryParam::only]",
            "[get]/rest/a[QueryParam::only]",
            "[delete]/rest/b[QueryParam::only][JsonData::only]",
        ]
    );
    for (text, expected) in [
        (
            "curl https://api.example/ctx/rest/a; wget https://api.example/ctx/rest/b",
            "calls: line 1: calls of `wget`",
        ),
        (
            "\nfor i in $(seq 3); do curl https://api.example/ctx/rest/$i; done",
            "calls: line 2: `$i` has no known value: it is set by the loop",
        ),
    ] {
        fs::write(path.join("calls"), text).unwrap();
        let ran = run(path, &new(&["--from", "calls"]));
        assert!(
            ran.code == 2 && ran.err.contains(expected),
            "{} {}",
            ran.code,
            ran.err
        );
    }
    assert!(fs::read_dir(path.join("policies")).unwrap().next().is_none());
}

#[test]
fn no_credential_gets_into_a_line() {
    let directory = directory();
    let path = directory.path();
    fs::write(
        path.join("calls.sh"),
        "curl -u svc:swordfish99 'https://api.example/ctx/rest/a?session=hunter2&x=swordfish99'\n\
         curl -H 'Content-Type: application/json' -d '{\"user\": {\"pwd\": [\"hunter2\"]}, \"a\": \"see ghp_0123456789abcdefABCDEF0123\"}' https://api.example/ctx/rest/b\n",
    )
    .unwrap();
    let ran = run(path, &new(&["--from", "calls.sh"]));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let written = fs::read_to_string(path.join("policies/t.toml")).unwrap();
    for secret in ["hunter2", "swordfish", "ghp_"] {
        assert!(
            !format!("{}{written}", ran.err).contains(secret),
            "{secret}: {written}"
        );
    }
    assert!(ran.err.contains("the parameter `session` as `.*`"), "{}", ran.err);
    archive(
        path,
        &[
            json!({"method": "GET", "url": "https://api.example/ctx/rest/tokens/abcdef123456",
            "headers": [{"name": "Authorization", "value": "Bearer abcdef123456"}]}),
        ],
    );
    let ran = run(path, &new(&["--from", "calls.har"]));
    assert!(
        ran.code == 2 && ran.err.contains("entry 1: the path contains a credential"),
        "{}",
        ran.err
    );
    let collection = json!({
        "auth": {"type": "basic", "basic": [{"key": "password", "value": "swordfish99"}]},
        "item": [{"name": "R", "request": {"method": "GET", "url": "{{base}}/rest/a?token={{tok}}&x=swordfish99"}}],
    });
    // Another directory: the policy of this one has the token `t` now.
    let directory = self::directory();
    let path = directory.path();
    fs::write(path.join("calls.json"), collection.to_string()).unwrap();
    assert_eq!(
        lines(path, &["--from", "calls.json"]),
        ["[get]/rest/a[QueryParam::x==.*][QueryParam::only]"]
    );
}

#[test]
fn bodies_of_each_form_are_covered() {
    let directory = directory();
    let path = directory.path();
    for body in [
        "{\"a\":1.50,\"b\":1e5,\"c\":-0,\"d\":123456789012345678901234567890}",
        "{\"e\":[]}",
        "{\"f\":{}}",
        "[{}]",
        "[{\"a\":1},{\"b\":[2]},{\"b\":[]}]",
        "[[],[1]]",
        "{\"a\":[1,\"x\",null,true]}",
        "{\"a\":[1,[2],{\"b\":3}]}",
        "[]",
        "{}",
        "\"text\"",
    ] {
        let request = json!({"method": "POST", "url": "https://api.example/ctx/rest/a",
            "postData": {"mimeType": "application/json", "text": body}});
        archive(path, &[request]);
        let found = lines(path, &["--from", "calls.har"]);
        assert_eq!(found.len(), 1, "{body}");
    }
}

#[test]
fn the_public_host_is_known_in_each_form() {
    let directory = directory();
    let path = directory.path();
    for host in [
        "api.example",
        "api.example:443",
        "API.Example.",
        "api.example.:443",
    ] {
        let text = format!("curl https://{host}/ctx/rest/a");
        assert_eq!(
            of_script(path, &text),
            ["[get]/rest/a[QueryParam::only]"],
            "{host}"
        );
    }
    fs::write(path.join("calls"), "curl HTTPS://Other.example:443/x/rest/a").unwrap();
    let recorded = ["--from", "calls", "--recorded-at", "https://other.example./x"];
    assert_eq!(lines(path, &recorded), ["[get]/rest/a[QueryParam::only]"]);
}

#[test]
fn many_ids_are_split_into_lines_and_a_dry_run_shows_all() {
    let directory = directory();
    let path = directory.path();
    let calls: Vec<Value> = (0..2_500)
        .map(|id| get(&format!("https://api.example/ctx/rest/note/NUMBER-{id}")))
        .collect();
    archive(path, &calls);
    let found = lines(path, &["--from", "calls.har", "--limit-to", "[get]/rest/given"]);
    assert!(
        found.len() > 2 && found.iter().all(|line| line.len() <= 16 << 10),
        "{}",
        found.len()
    );
    assert_eq!(found.first().unwrap(), "[get]/rest/given");
    let shown = succeed(path, &new(&["--limit-to", "[get]/rest/given", "--dry-run"]));
    assert!(shown.contains("[get]/rest/given"), "{shown}");
    assert!(fs::read_dir(path.join("policies")).unwrap().next().is_none());
}

#[test]
fn limits_of_a_token_are_replaced_by_lines_for_calls() {
    let directory = directory();
    let path = directory.path();
    assert_eq!(run(path, &new(&["--limit-to", "[get]/rest/old"])).code, 0);
    fs::write(path.join("calls"), "curl https://api.example/ctx/rest/a").unwrap();
    let shown = succeed(
        path,
        &["token", "set-limits", "t", "--from", "calls", "--dry-run"],
    );
    assert!(shown.contains("[get]/rest/a[QueryParam::only]"), "{shown}");
    assert!(
        fs::read_to_string(path.join("policies/t.toml"))
            .unwrap()
            .contains("/rest/old")
    );
    succeed(path, &["token", "set-limits", "t", "--from", "calls"]);
    let written = fs::read_to_string(path.join("policies/t.toml")).unwrap();
    assert!(
        written.contains("[get]/rest/a[QueryParam::only]") && !written.contains("/rest/old"),
        "{written}"
    );
}

#[test]
fn values_of_an_operations_parameters_are_single_expressions() {
    let directory = directory();
    let path = directory.path();
    let base = [
        "--operation",
        "getNote",
        "--openapi",
        "notes.yaml",
        "--dry-run",
        "--where",
    ];
    for (value, expected) in [
        ("key=^A$", "has an anchor"),
        ("key=A)|(B", "is not a regular expression by itself"),
        ("key=A[QueryParam::x==1]", "has a condition"),
    ] {
        let ran = run(path, &new(&[&base[..], &[value]].concat()));
        assert!(
            ran.code == 2 && ran.err.contains(expected),
            "{value}: {} {}",
            ran.code,
            ran.err
        );
    }
    let shown = succeed(path, &new(&[&base[..], &["key=A|B"]].concat()));
    assert!(shown.contains("[get]/rest/note/(A|B)"), "{shown}");
    let ran = run(
        path,
        &new(&[
            "--operation",
            "GET /ctx/rest/note/KEY-1",
            "--openapi",
            "notes.yaml",
        ]),
    );
    assert!(
        ran.code == 2 && ran.err.contains("did you mean `GET /ctx/rest/note/{key}`?"),
        "{}",
        ran.err
    );
}

#[test]
fn other_operations_are_those_that_the_line_allows() {
    let directory = directory();
    let path = directory.path();
    // The path of `listHot` is one of `/note/{key}`; `find` has a literal that no call of the line has.
    let more = "  /note/HR-7: {get: {operationId: getHot}}\n  /note/find: {get: {operationId: find}}\n";
    fs::write(path.join("notes.yaml"), format!("{DESCRIPTION}{more}")).unwrap();
    let request = |url: &str| json!({ "method": "GET", "url": format!("https://api.example/ctx/rest{url}"), "headers": [] });
    archive(path, &[request("/note/HR-1"), request("/note/HR-2")]);
    let found = json(
        &directory,
        &new(&[
            "--from",
            "calls.har",
            "--openapi",
            "notes.yaml",
            "--dry-run",
            "--json",
        ]),
    );
    let line = &found["lines"][0];
    assert_eq!(line["text"], "[get]/rest/note/HR-\\d+[QueryParam::only]");
    assert_eq!(line["operations"], json!(["GET /ctx/rest/note/{key}"]));
    assert_eq!(line["other_operations"], json!(["GET /ctx/rest/note/HR-7"]));
    assert_eq!(line["not_settled"], json!([]));
    // Without a description, nothing is said of operations.
    let found = json(&directory, &new(&["--from", "calls.har", "--dry-run", "--json"]));
    assert_eq!(found["lines"][0].get("other_operations"), None);
}
