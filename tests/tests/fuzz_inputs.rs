//! Every input in `corpus/fuzz`, through the property of its folder: what once broke it stays mended.

use std::path::Path;

use tokenward_tests::property;

#[test]
fn kept_inputs_hold() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/fuzz");
    for folder in std::fs::read_dir(&corpus).unwrap() {
        let folder = folder.unwrap();
        if !folder.file_type().unwrap().is_dir() {
            continue;
        }
        let name = folder.file_name().into_string().unwrap();
        let (_, property) = property::ALL.iter().find(|(known, _)| *known == name).unwrap();
        for input in std::fs::read_dir(folder.path()).unwrap() {
            let input = input.unwrap().path();
            let bytes = std::fs::read(&input).unwrap();
            let outcome = std::panic::catch_unwind(|| property(&bytes));
            assert!(outcome.is_ok(), "{} breaks the property {name}", input.display());
        }
    }
}
