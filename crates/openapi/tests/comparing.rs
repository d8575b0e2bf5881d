//! Two versions of a description.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a failed expectation is its way to fail"
)]

use serde_json::{Value, json};
use tokenward_openapi::{Description, Operation, compare, read};

fn described(base: &str, paths: &Value) -> Description {
    let document = json!({"openapi": "3.0.3", "servers": [{"url": base}], "paths": paths});
    read(document.to_string().as_bytes()).unwrap()
}

fn names(operations: &[&Operation]) -> Vec<String> {
    operations.iter().map(|operation| operation.name()).collect()
}

#[test]
fn each_change_is_of_one_kind() {
    let old = described(
        "/api",
        &json!({
            "/note/{id}": {"get": {"operationId": "getNote"}, "delete": {"operationId": "deleteNote"}},
            "/page": {"get": {"operationId": "getPage"}},
            "/gone": {"get": {"operationId": "gone"}},
            "/twice/a": {"get": {"operationId": "twice"}}, "/twice/b": {"get": {"operationId": "twice"}},
        }),
    );
    let new = described(
        "/api",
        &json!({
            "/note/{noteId}": {"get": {"operationId": "readNote", "deprecated": true}},
            "/notes/{id}": {"delete": {"operationId": "deleteNote"}},
            "/page": {"get": {"operationId": "getPage"}, "put": {"operationId": "putPage"}},
            "/twice/c": {"get": {"operationId": "twice"}},
        }),
    );
    let found = compare(&old, &new);
    assert_eq!(names(&found.added), ["PUT /api/page", "GET /api/twice/c"]);
    assert_eq!(
        names(&found.removed),
        ["GET /api/gone", "GET /api/twice/a", "GET /api/twice/b"]
    );
    let moved: Vec<_> = found
        .moved
        .iter()
        .map(|moved| (moved.from.name(), moved.to.name()))
        .collect();
    assert_eq!(
        moved,
        [(
            "DELETE /api/note/{id}".to_owned(),
            "DELETE /api/notes/{id}".to_owned()
        )]
    );
    assert_eq!(names(&found.deprecated), ["GET /api/note/{noteId}"]);
    assert!(compare(&old, &old).is_empty() && compare(&new, &new).is_empty());
}

#[test]
fn a_new_base_moves_every_operation() {
    let paths = json!({"/note": {"get": {"operationId": "getNote"}, "put": {}}});
    let (old, new) = (described("/v1", &paths), described("/v2", &paths));
    let found = compare(&old, &new);
    assert_eq!(
        (found.moved.len(), names(&found.added), names(&found.removed)),
        (
            1,
            vec!["PUT /v2/note".to_owned()],
            vec!["PUT /v1/note".to_owned()]
        )
    );
}

#[test]
fn exchanged_ids_move_operations_without_new_calls() {
    let old = described(
        "",
        &json!({"/a": {"get": {"operationId": "x"}}, "/b": {"get": {"operationId": "y"}}}),
    );
    let new = described(
        "",
        &json!({"/a": {"get": {"operationId": "y"}}, "/b": {"get": {"operationId": "x"}}}),
    );
    let found = compare(&old, &new);
    let moved: Vec<_> = found
        .moved
        .iter()
        .map(|moved| (moved.to.name(), moved.new_bases.len()))
        .collect();
    assert_eq!(moved, [("GET /a".to_owned(), 0), ("GET /b".to_owned(), 0)]);
    assert!(found.added.is_empty() && found.removed.is_empty());
    let new = described(
        "",
        &json!({"/a": {"put": {"operationId": "x"}}, "/b": {"get": {"operationId": "y"}}}),
    );
    let found = compare(&old, &new);
    assert_eq!(found.moved[0].new_bases, [""]);
}
