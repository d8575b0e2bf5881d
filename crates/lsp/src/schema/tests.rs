use std::{fs, path::Path};

use serde_json::Value;
use tokenward_compiler::{
    diagnostic::Code,
    source::{SourceKind, SourceSet},
    tokens,
};

use super::{Schema, all};
use crate::keys::{BASELINE, INVARIANTS, REVIEWS, Section, TOKENS};

/// Set to write the schemas instead of comparing them.
const WRITE: &str = "TOKENWARD_WRITE_SCHEMAS";

#[test]
fn the_files_of_the_distribution_are_these_schemas() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    let mut files = Vec::new();
    for schema in all() {
        let file = directory.join(schema.file());
        if std::env::var_os(WRITE).is_some() {
            fs::create_dir_all(&directory).unwrap();
            fs::write(&file, schema.text()).unwrap();
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            text,
            schema.text(),
            "{}: write it with {WRITE}=1 and this test",
            schema.file()
        );
        files.push(schema.file());
    }
    for entry in fs::read_dir(&directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            files.contains(&name) || !name.ends_with(".json"),
            "{name} belongs to no schema"
        );
    }
}

fn keys(section: &Section) -> Vec<&'static str> {
    let mut keys: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
    keys.sort_unstable();
    keys
}

/// The keys that a reader names when it meets one that it does not know.
fn accepted(path: &str, array: &str) -> Vec<String> {
    let text = format!("[[{array}]]\nqqqqqqqqqq = 1\n");
    let kind = SourceKind::of(path);
    let sources = SourceSet::single(path.to_owned(), &text, kind.unwrap_or(SourceKind::Tokens));
    let mut found = Vec::new();
    let (id, source) = sources.iter().next().unwrap();
    match kind {
        Some(SourceKind::Tokens) => drop(tokens::read(id, source, &mut found)),
        Some(SourceKind::Invariants) => drop(tokens::read_invariants(id, source, &mut found)),
        Some(SourceKind::Reviewed) => drop(tokens::read_reviewed(&sources, &mut found)),
        _ => drop(tokens::read_baseline(id, source, &mut found)),
    }
    let unknown = found.iter().find(|found| found.code == Code::UnknownKey).unwrap();
    let help = unknown.help.as_deref().unwrap();
    let list = help.strip_prefix("the keys are ").unwrap();
    let mut keys: Vec<String> = list
        .split(", ")
        .map(|key| key.trim_matches('`').to_owned())
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn each_reader_accepts_exactly_the_keys_of_its_schema() {
    for (path, sections) in [
        ("a.toml", TOKENS),
        ("invariants.toml", INVARIANTS),
        ("reviewed.toml", REVIEWS),
        ("baseline", BASELINE),
    ] {
        for section in sections {
            assert_eq!(keys(section), accepted(path, section.name), "{}", section.name);
            for key in section.required.iter().chain(section.one_of) {
                assert!(keys(section).contains(key), "{key}");
            }
        }
    }
}

#[test]
fn each_key_has_a_meaning() {
    fn check(value: &Value, place: &str) {
        let Some(properties) = value["properties"].as_object() else {
            return;
        };
        for (name, property) in properties {
            let place = format!("{place}.{name}");
            let is_section = property["properties"].is_object();
            assert!(is_section || property["description"].is_string(), "{place}");
            check(property, &place);
            check(&property["items"], &place);
        }
    }
    for Schema { name, value, .. } in all() {
        check(&value, name);
        assert_eq!(value["additionalProperties"].is_object(), name == "credentials");
    }
}

#[test]
fn the_configuration_has_each_key_once() {
    let keys = super::configuration::keys();
    assert!(keys.len() > 100, "{}", keys.len());
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), keys.len());
}
