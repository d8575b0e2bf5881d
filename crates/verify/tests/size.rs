//! The checker stays small enough to be read by whoever relies on it.

use std::{fs, path::Path};

#[test]
fn the_checker_has_at_most_500_lines_of_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let texts = files.map(|file| fs::read_to_string(file).expect("a text"));
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let lines: usize = texts.map(|text| text.lines().filter(is_code).count()).sum();
    assert!(lines <= 500, "{lines}");
    println!("{lines} lines of code");
}
