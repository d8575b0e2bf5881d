//! Documents and what is read of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a failed expectation is its way to fail"
)]

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokenward_openapi::{Description, Error, Kind, Location, Operation, Parameter, Template, read};

fn described(document: &Value) -> Description {
    read(document.to_string().as_bytes()).unwrap()
}

/// A document of OpenAPI 3 with these paths.
fn with_paths(paths: Value) -> Value {
    json!({"openapi": "3.0.3", "info": {"title": "Notes", "version": "1"}, "paths": paths})
}

fn names(description: &Description) -> Vec<String> {
    description.operations.iter().map(Operation::name).collect()
}

fn defects(description: &Description) -> Vec<String> {
    description.defects.iter().map(ToString::to_string).collect()
}

fn parameter<'a>(operation: &'a Operation, name: &str) -> &'a Parameter {
    operation
        .parameters
        .iter()
        .find(|parameter| parameter.name == name)
        .unwrap()
}

#[test]
fn servers_of_the_operation_replace_those_of_the_path_and_of_the_document() {
    let mut document = with_paths(json!({
        "/a": {"get": {}},
        "/b": {"servers": [{"url": "/path"}], "get": {}, "put": {"servers": [{"url": "https://other.example/own/"}]}},
    }));
    document["servers"] = json!([
        {"url": "http://{host}/api/{version}", "variables": {
            "host": {"default": "notes.example:8080"}, "version": {"default": "v2", "enum": ["v1", "v2"]}}},
        {"url": "https://sandbox.example/api/v2/"},
        {"url": "https://x.example/{open}"},
    ]);
    let read = described(&document);
    assert_eq!(names(&read), ["GET /api/v2/a", "GET /path/b", "PUT /own/b"]);
    assert_eq!(read.operations[0].bases[..], ["/api/v2", "/api/v1"]);
    assert_eq!(
        read.operations[0].paths().collect::<Vec<_>>(),
        ["/api/v2/a", "/api/v1/a"]
    );
    assert_eq!(read.hosts, ["notes.example:8080", "sandbox.example"]);
    assert_eq!(read.operations[2].other_host.as_deref(), Some("other.example"));
    let expected = "/servers/2: the path `/{open}` has a variable without a value; the server is not read";
    assert_eq!(defects(&read), [expected]);
}

#[test]
fn swagger_has_its_base_its_bodies_and_its_forms() {
    let read = described(&json!({
        "swagger": "2.0", "info": {"title": "Old", "version": 2}, "host": "old.example", "basePath": "/v1/",
        "schemes": ["https"], "consumes": ["application/json"],
        "definitions": {"Note": {"required": ["title"], "properties": {
            "title": {"type": "string"}, "pages": {"type": "integer"}}}},
        "parameters": {"Id": {"name": "id", "in": "path", "type": "integer", "required": true}},
        "paths": {"/note/{id}": {
            "parameters": [{"$ref": "#/parameters/Id"}],
            "put": {"parameters": [{"name": "body", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Note"}}]},
            "post": {"consumes": ["multipart/form-data"], "parameters": [{"name": "file", "in": "formData", "type": "file"}]},
        }},
    }));
    assert_eq!(names(&read), ["POST /v1/note/{id}", "PUT /v1/note/{id}"]);
    assert_eq!(
        (read.version.as_str(), &read.hosts[..]),
        ("2", &["old.example".to_owned()][..])
    );
    assert!(parameter(&read.operations[1], "id").shape.is(Kind::Integer));
    let body = read.operations[1].body.as_ref().unwrap();
    let properties: Vec<_> = body
        .properties
        .iter()
        .map(|of| (of.name.as_str(), of.required))
        .collect();
    assert_eq!(properties, [("pages", false), ("title", true)]);
    assert_eq!(
        read.operations[0].body.as_ref().unwrap().media_types,
        ["multipart/form-data"]
    );
    assert_eq!(defects(&read), [""; 0]);
}

#[test]
fn parameters_come_from_the_path_the_operation_and_references() {
    let mut document = with_paths(json!({"/n/{id}/{name}": {
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "q", "in": "query", "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
        ],
        "get": {"parameters": [
            {"name": "id", "in": "path", "required": true, "example": 7, "schema": {"$ref": "#/components/schemas/Id"}},
            {"$ref": "#/components/parameters/Trace"},
        ]},
    }}));
    document["components"] = json!({
        "schemas": {"Id": {"allOf": [{"type": "integer", "minimum": 1}, {"maximum": 9}], "examples": [8]}},
        "parameters": {"Trace": {"name": "X-Trace", "in": "header", "schema": {"type": "string", "pattern": "^[a-f]+$"}}},
    });
    let read = described(&document);
    let operation = &read.operations[0];
    let shown: Vec<_> = operation
        .parameters
        .iter()
        .map(|of| (of.name.as_str(), of.location, of.described))
        .collect();
    let expected = [
        ("id", Location::Path, true),
        ("name", Location::Path, false),
        ("q", Location::Query, true),
        ("X-Trace", Location::Header, true),
    ];
    assert_eq!(shown, expected);
    let id = parameter(operation, "id");
    assert_eq!(
        (id.shape.minimum, id.shape.maximum, &id.examples[..]),
        (Some(1), Some(9), &["7".to_owned(), "8".to_owned()][..])
    );
    assert_eq!(
        parameter(operation, "q").shape.items.as_ref().unwrap().values,
        ["a", "b"]
    );
    let expected = "/paths/~1n~1{id}~1{name}/get: the parameter `name` of the path is not described; any text is assumed";
    assert_eq!(defects(&read), [expected]);
}

#[test]
fn alternatives_of_a_schema_make_a_wider_shape() {
    let schema = json!({"anyOf": [{"type": "integer", "minimum": 3}, {"type": "string", "pattern": "^a$"}, {"type": "null"}]});
    let document =
        with_paths(json!({"/n": {"get": {"parameters": [{"name": "q", "in": "query", "schema": schema}]}}}));
    let read = described(&document);
    let shape = &parameter(&read.operations[0], "q").shape;
    assert_eq!(shape.kinds, [Kind::Integer, Kind::String]);
    assert_eq!((shape.minimum, &shape.pattern), (None, &None));
}

#[test]
fn templates_are_read_as_frameworks_write_them() {
    for (path, shown, form) in [
        ("/", "/", "/"),
        ("/a/", "/a/", "/a/"),
        ("a/{id}.json", "/a/{id}.json", "/a/{}.json"),
        ("/c/{base}...{head}", "/c/{base}...{head}", "/c/{}...{}"),
        (r"/c/{id:\d{2}}/x", "/c/{id}/x", "/c/{}/x"),
        (
            "/v1/{name=projects/*}:cancel",
            "/v1/{name}:cancel",
            "/v1/{}:cancel",
        ),
        ("/{+rest}", "/{rest}", "/{}"),
        ("/a?b=c#d", "/a?b=c", "/a?b=c"),
        ("/a{?q}", "/a", "/a"),
        ("/a/{b", "/a/{b", "/a/{b"),
    ] {
        let template = Template::parse(path);
        assert_eq!(
            (template.to_string(), template.form()),
            (shown.to_owned(), form.to_owned()),
            "{path}"
        );
    }
}

#[test]
fn paths_that_span_segments_say_so() {
    let read = described(&with_paths(json!({
        "/a/{proxy+}": {"get": {}}, "/b/{path:.*}": {"get": {}}, "/c/{id:[0-9]+}": {"get": {}},
        "/d/{x}": {"get": {"parameters": [{"name": "x", "in": "path", "required": true, "x-multi-segment": true}]}},
    })));
    let spans: Vec<bool> = read
        .operations
        .iter()
        .map(|of| of.parameters[0].multi_segment)
        .collect();
    assert_eq!(spans, [true, true, false, true]);
    assert_eq!(
        read.operations[2].parameters[0].shape.pattern.as_deref(),
        Some("^(?:[0-9]+)$")
    );
}

#[test]
fn a_defect_costs_its_entry_and_names_its_place() {
    let read = described(&with_paths(json!({
        "x-hidden": {"get": {}},
        "/ok": {"GET": {}, "copy": {}, "x-more": 1, "parameters": 3},
        "/no": [],
        "/loop": {"$ref": "#/paths/~1loop"},
        "/far": {"$ref": "other.yaml#/x"},
        "/gone": {"$ref": "#/components/pathItems/None"},
        "/op": {"get": 7, "put": {"parameters": [4, {"name": "p"}, {"in": "query"}], "requestBody": {}}},
    })));
    assert_eq!(names(&read), ["GET /ok", "PUT /op"]);
    insta::assert_snapshot!(defects(&read).join("\n"));
}

#[test]
fn path_items_are_followed_and_the_entries_next_to_the_reference_win() {
    let mut document =
        with_paths(json!({"/n": {"$ref": "#/components/pathItems/N", "get": {"operationId": "own"}}}));
    document["components"] = json!({"pathItems": {"N": {
        "get": {"operationId": "shared"}, "delete": {}, "additionalOperations": {"LINK": {}}}}});
    let read = described(&document);
    assert_eq!(names(&read), ["DELETE /n", "GET /n", "LINK /n"]);
    assert_eq!(read.operations[1].id.as_deref(), Some("own"));
}

#[test]
fn documents_of_other_kinds_are_named() {
    let text = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    let cases: [&[u8]; 14] = [
        b"",
        b"\xef\xbb\xbf \n",
        b"\xff\xfe{",
        b"\x1f\x8b\x08",
        b"{\"openapi\": \"3.0.0\",\n \"paths\": }",
        b"openapi: 3.0.0\npaths: [\n",
        b"[]",
        b"just words",
        br#"{"openapi": "4.0.0"}"#,
        br#"{"swagger": "1.2"}"#,
        br#"{"log": {"entries": []}}"#,
        br#"{"info": {}, "item": []}"#,
        br#"{"asyncapi": "2.0.0"}"#,
        br#"{"name": "package"}"#,
    ];
    let shown = cases.iter().fold(String::new(), |mut out, bytes| {
        let _ = writeln!(out, "{:?}\n  {}", String::from_utf8_lossy(bytes), text(bytes));
        out
    });
    insta::assert_snapshot!(shown);
}

#[test]
fn yaml_says_the_same_as_json() {
    let yaml = "\
openapi: 3.1.0
info: {title: Notes, version: 1.10}
servers:
- url: /api
x-shared: &id
  name: id
  in: path
  required: true
  schema: {type: [integer, 'null'], enum: [1, 02, on, 1.50]}
paths:
  /note/{id}:
    get: &get
      operationId: getNote
      parameters: [*id]
    head:
      <<: *get
      operationId: headNote
  /note/{id}:
    delete:
      deprecated: true
      parameters:
      - *id
      - {name: force, in: nowhere}
";
    let described = read(yaml.as_bytes()).unwrap();
    assert_eq!(names(&described), ["DELETE /api/note/{id}"]);
    assert_eq!(described.version, "1.10");
    assert_eq!(
        described.operations[0].parameters[0].shape.values,
        ["1", "02", "on", "1.50"]
    );
    assert!(described.operations[0].deprecated);
    let expected = [
        "line 18, /paths: the key `/note/{id}` is given twice; the last value is used",
        "line 23, /paths/~1note~1{id}/delete/parameters/1: the parameter's `in` is `nowhere`; expected path, query, header or \
         cookie; it is not read",
    ];
    assert_eq!(defects(&described), expected);
    let merged = yaml.replace("  /note/{id}:\n    delete:", "  /other/{id}:\n    delete:");
    let described = read(merged.as_bytes()).unwrap();
    assert_eq!(
        names(&described),
        [
            "GET /api/note/{id}",
            "HEAD /api/note/{id}",
            "DELETE /api/other/{id}"
        ]
    );
    assert_eq!(described.operations[1].id.as_deref(), Some("headNote"));
}

#[test]
fn lines_are_found_in_json_that_has_lines() {
    let document = with_paths(json!({"/n/{id}": {"get": {}}}));
    let pretty = serde_json::to_string_pretty(&document).unwrap();
    let line = pretty.lines().position(|line| line.contains("\"get\"")).unwrap() + 1;
    assert_eq!(read(pretty.as_bytes()).unwrap().defects[0].line, Some(line));
    assert_eq!(described(&document).defects[0].line, None);
}

#[test]
fn repeated_keys_of_json_are_reported() {
    let text = r##"{"openapi": "3.0.0", "paths": {"/a": {"get": {}, "get": {"deprecated": true}}}}"##;
    let read = read(text.as_bytes()).unwrap();
    assert_eq!(
        defects(&read),
        ["/paths/~1a: the key `get` is given twice; the last value is used"]
    );
    assert!(read.operations[0].deprecated);
}

#[test]
fn a_repeated_key_loses_something_only_where_calls_are_described() {
    let lost = |section: &str, more: &str| {
        let text =
            format!(r##"{{"openapi": "3.0.0", "paths": {{"/a": {{"get": {{}}}}{more}}}, {section}}}"##);
        let read = read(text.as_bytes()).unwrap();
        assert!(!read.defects.is_empty(), "{text}");
        read.defects.iter().any(|defect| defect.is_loss)
    };
    let twice = |name: &str| format!(r##""{name}": {{"one": {{"get": {{}}}}, "one": {{"put": {{}}}}}}"##);
    assert!(lost(&twice("components"), ""));
    for name in ["x-webhooks", "webhooks", "info"] {
        assert!(!lost(&twice(name), ""), "{name}");
    }
    // A reference leads there, or the section itself is repeated.
    let reference = r##", "/b": {"$ref": "#/x-more/one"}"##;
    assert!(lost(&twice("x-more"), reference));
    assert!(!lost(&twice("x-other"), ""));
    assert!(lost(r##""servers": [], "servers": [{"url": "/a"}]"##, ""));
    // Past the number of those that are listed, too.
    let many = |name: &str| {
        let keys: Vec<String> = (0..300).map(|at| format!(r##""k": {at}"##)).collect();
        format!(r##""{name}": {{{}}}"##, keys.join(", "))
    };
    assert!(!lost(&many("x-more"), ""));
    assert!(lost(&format!("{}, {}", many("x-more"), many("components")), ""));
}

/// Texts that would need time or memory without a bound if they were believed.
#[test]
fn hostile_documents_end_in_an_error() {
    let mut bomb = "openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        let _ = writeln!(bomb, "a{level}: &a{level} [{before}]");
    }
    let deep = |open: &str| format!("{{\"openapi\": {}", open.repeat(200_000));
    let mut fan = with_paths(
        json!({"/n": {"post": {"requestBody": {"content": {"a/b": {"schema": {"$ref": "#/s/0"}}}}}}}),
    );
    for level in 0..6 {
        let part = json!({"$ref": format!("#/s/{}", level + 1)});
        fan["s"][level.to_string()] = json!({"allOf": vec![part; 100]});
    }
    fan["s"]["6"] = json!({});
    for (text, unit) in [
        (bomb, "values after its aliases"),
        (deep("["), "levels of nesting"),
        (deep("{\"a\":"), "levels of nesting"),
        (format!("openapi: {}", "[".repeat(200_000)), "levels of nesting"),
        (format!("openapi:\n{}", "- ".repeat(200_000)), "levels of nesting"),
        (format!("{{\"a\": [{}0]}}", "0,".repeat(4_100_000)), "values"),
        (fan.to_string(), "values after its references"),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, Error::TooLarge { .. }) && error.to_string().contains(unit),
            "{error}"
        );
    }
    let own = read(b"openapi: 3.0.0\na: &a [*a]\n").unwrap_err().to_string();
    assert!(own.contains("an alias to a value that contains it"), "{own}");
}

#[test]
fn operations_are_found_by_id_and_by_name() {
    let mut document = with_paths(json!({
        "/note/{id}": {"get": {"operationId": "getNote"}, "delete": {"operationId": "deleteNote"}},
        "/page/{id}": {"get": {"operationId": "same"}, "put": {"operationId": "same"}},
    }));
    document["servers"] = json!([{"url": "/api"}]);
    let read = described(&document);
    for asked in [
        "deleteNote",
        "DELETE /api/note/{id}",
        "delete /note/{}",
        " delete  /note/{key} ",
    ] {
        assert_eq!(
            read.find(asked).unwrap().name(),
            "DELETE /api/note/{id}",
            "{asked}"
        );
    }
    let refused = |asked: &str| read.find(asked).unwrap_err().to_string();
    assert_eq!(
        refused("deleteNotes"),
        "no operation `deleteNotes`; did you mean `deleteNote`?"
    );
    assert_eq!(
        refused("GET /api/notes/{id}"),
        "no operation `GET /api/notes/{id}`; did you mean `GET /api/note/{id}`?"
    );
    let expected =
        "no operation `zzzzzzzz`; give an `operationId`, or a method and a path as in the description";
    assert_eq!(refused("zzzzzzzz"), expected);
    let expected = "the `operationId` `same` names several operations; give one of `GET /api/page/{id}`, `PUT /api/page/{id}`";
    assert_eq!(refused("same"), expected);
    assert!(read.find("").is_err() && read.find(&"x".repeat(100_000)).is_err());
}

#[test]
fn values_in_the_path_that_are_not_plain_are_any_text() {
    let listed = json!({"type": "string", "enum": ["a", "b"]});
    for (parameter, is_plain) in [
        (json!({"schema": listed}), true),
        (json!({"schema": listed, "style": "simple"}), true),
        (json!({"schema": listed, "style": "matrix"}), false),
        (
            json!({"schema": listed, "style": "label", "explode": true}),
            false,
        ),
        (
            json!({"schema": {"type": "array", "enum": ["a", "b"], "items": listed}}),
            false,
        ),
        (
            json!({"schema": {"type": ["string", "array"], "enum": ["a"]}}),
            false,
        ),
    ] {
        let mut parameter = parameter;
        parameter["name"] = json!("x");
        parameter["in"] = json!("path");
        let read = described(&with_paths(
            json!({"/a/{x}": {"get": {"parameters": [parameter]}}}),
        ));
        let shape = &read.operations[0].parameters[0].shape;
        assert_eq!(!shape.values.is_empty(), is_plain, "{parameter}");
        assert_eq!(read.losses().count(), 0);
    }
}

#[test]
fn only_mistakes_that_cost_calls_are_losses() {
    let losses = |document: &str| read(document.as_bytes()).unwrap().losses().count();
    let same = r#"{"openapi": "3.0.0", "paths": {"/a": {"get": {}, "get": {}}}}"#;
    assert_eq!(
        (losses(same), losses(&same.replacen("{}", r#"{"tags": []}"#, 1))),
        (0, 1)
    );
    let yaml = "openapi: 3.0.0\npaths:\n  /a:\n    get: {}\n    get: {}\n";
    assert_eq!(
        (losses(yaml), losses(&yaml.replacen("{}", "{tags: []}", 1))),
        (0, 1)
    );
    assert_eq!(losses(&format!("{yaml}---\nopenapi: 3.0.0\n")), 1);
}
