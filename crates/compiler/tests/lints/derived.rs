//! Policies and derived lines that no lint is about.

use std::{fmt::Write as _, fs, path::Path};

use tokenward_compiler::{
    lint::LintSet,
    method::Method,
    source::{Links, SourceSet},
};

use super::support::{all, policy};

#[test]
fn the_example_policies_have_no_lints() {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let sources = SourceSet::read_dir(&policies, Links::Refuse).unwrap();
    let (found, ..) = all(&sources, LintSet::Regular, None);
    let lints: Vec<_> = found
        .iter()
        .filter(|one| one.code.as_str().starts_with("TW05"))
        .collect();
    assert!(lints.is_empty(), "{lints:#?}");
}

/// Lines as a careful author derives them from descriptions of APIs, which are not part of this repository: set
/// `TOKENWARD_OPENAPI` to a directory of them (`*.json`), or put them beside the repository as `shared/openapi`.
#[test]
fn lines_that_are_derived_from_descriptions_of_apis_have_no_lints() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/openapi");
    let named = std::env::var_os("TOKENWARD_OPENAPI").map(std::path::PathBuf::from);
    let directory = named.unwrap_or(beside);
    // A description of the test's own, so that the derivation is always run.
    let own = r#"{"paths": {"/api/2/issue/{key}/comment/{id}": {"get": {"parameters": [
        {"in": "path", "name": "id", "schema": {"type": "integer"}},
        {"in": "query", "name": "expand", "schema": {"type": "string", "enum": ["names", "all"]}}]}},
        "/agile/1.0/board": {"post": {"requestBody": {"content": {"application/json": {"schema":
        {"properties": {"shared": {"type": "boolean"}}}}}}}}}}"#;
    let mut lines = derived(&serde_json::from_str(own).unwrap());
    assert_eq!(lines.len(), 2);
    let mut files: Vec<_> = fs::read_dir(directory).into_iter().flatten().flatten().collect();
    files.sort_by_key(|file| file.file_name());
    for file in files
        .iter()
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "json"))
    {
        let text = fs::read_to_string(file.path()).unwrap();
        let all = derived(&serde_json::from_str(&text).unwrap());
        let step = (all.len() / 100).max(1);
        lines.extend(all.into_iter().step_by(step));
    }
    assert!(files.is_empty() || lines.len() >= 200, "{}", lines.len());
    let (found, ..) = all(&policy(&lines.join("\n")), LintSet::Regular, None);
    let lints: Vec<_> = found
        .iter()
        .filter(|one| one.code.as_str().starts_with("TW05"))
        .map(|one| {
            format!(
                "{} {} {:?}",
                one.code,
                one.help.as_deref().unwrap_or_default(),
                one.witness
            )
        })
        .collect();
    assert!(lints.is_empty(), "{} of {}: {lints:#?}", lints.len(), lines.len());
}

/// A line for each operation: its method, its path with its parameters by type, its query parameters of few values, and its
/// booleans.
fn derived(description: &serde_json::Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, operations) in description["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if Method::from_name(method).is_none() {
                continue;
            }
            let parameters: Vec<&serde_json::Value> =
                operation["parameters"].as_array().into_iter().flatten().collect();
            let mut line = format!("[{method}]/rest");
            for segment in path.split('/').skip(usize::from(path.starts_with('/'))) {
                line.push('/');
                match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => {
                        let named = |one: &&&serde_json::Value| one["name"] == name;
                        let kind = parameters.iter().find(named).map(|one| &one["schema"]["type"]);
                        line.push_str(match kind.and_then(|kind| kind.as_str()) {
                            Some("integer") => r"\d+",
                            _ => "[^/]+",
                        });
                    }
                    None => line.push_str(&segment.replace('.', r"\.")),
                }
            }
            for parameter in parameters.iter().filter(|one| one["in"] == "query") {
                let values: Vec<&str> = parameter["schema"]["enum"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|value| value.as_str())
                    .collect();
                let name = parameter["name"].as_str().unwrap();
                if !values.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    write!(line, "[QueryParam::{name}?={}]", values.join("|")).unwrap();
                }
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"]["properties"];
            for (name, schema) in body.as_object().into_iter().flatten() {
                if schema["type"] == "boolean" && method != "get" {
                    write!(line, "[JsonData::{name}:boolean?=false]").unwrap();
                }
            }
            let is_plain = |one: char| one.is_ascii_graphic() || one == ' ';
            if !line.contains('{') && line.chars().all(is_plain) {
                lines.push(line);
            }
        }
    }
    lines
}
