//! The pages that say which test holds which sentence name tests that exist.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a test's way to fail")]

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_test_that_the_page_names_exists() {
    all_exist("SEMANTICS-COVERAGE.md", 1, 60);
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    all_exist("../docs/threat-model.md", 2, 40);
}

/// Checks the names in a column of a page's tables, of which there have to be more than `least`.
fn all_exist(page: &str, column: usize, least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for directory in ["tests", "../crates", "../tools"] {
        collect(&root.join(directory), &mut sources);
    }
    let page = std::fs::read_to_string(root.join(page)).unwrap();
    let is_name = |text: &&str| {
        text.contains('_')
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let cells = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(column));
    let names: BTreeSet<&str> = cells.flat_map(|cell| cell.split('`')).filter(is_name).collect();
    assert!(names.len() > least, "{}", names.len());
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !sources.contains(&format!("fn {name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn collect(directory: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
