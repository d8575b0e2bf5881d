//! What the example policies become: as they are compiled, and once bound and through the passes.

#![allow(clippy::unwrap_used, reason = "a test fails where these do")]

use std::path::Path;

use tokenward_compiler::{BaseUrl, compile, source::SourceSet};

#[test]
fn the_example_policies_before_and_after_the_passes() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files: Vec<(String, String)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .filter(|(name, _)| name.ends_with(".toml") || name.ends_with(".limits"))
        .collect();
    files.sort();
    let unbound = compile(&SourceSet::from_files(files)).program.unwrap();
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    insta::assert_snapshot!("policies_before", unbound);
    insta::assert_snapshot!("policies_after", unbound.bind(&base).unwrap());
}
