//! Real documents, where `TOKENWARD_SHARED` names a directory with them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a failed expectation is its way to fail"
)]

use std::fs;
use std::path::PathBuf;

use tokenward_openapi::{compare, read};

fn shared(name: &str) -> Option<Vec<u8>> {
    let directory = PathBuf::from(std::env::var_os("TOKENWARD_SHARED")?);
    fs::read(directory.join("openapi").join(name)).ok()
}

#[test]
fn real_documents_are_read_whole() {
    for (name, operations, base) in [
        ("jira-dc-10.3.24.json", 433, "/rest/"),
        ("confluence-dc-10.0.3.json", 166, "/confluence/rest/"),
    ] {
        let Some(bytes) = shared(name) else { continue };
        let description = read(&bytes).unwrap();
        assert_eq!(description.operations.len(), operations, "{name}");
        for operation in &description.operations {
            assert!(
                operation.paths().all(|path| path.starts_with(base)),
                "{}",
                operation.name()
            );
            assert!(
                operation
                    .template
                    .parameters()
                    .all(|name| operation.path_parameter(name).is_some())
            );
            let found = description.by_name(&operation.name()).unwrap();
            assert_eq!(found.pointer, operation.pointer);
        }
        assert!(compare(&description, &description).is_empty(), "{name}");
    }
}
