//! The layers of the crates, listed in `layers.toml`: each import runs downwards, and no files import each other in a circle.

#![expect(clippy::unwrap_used, reason = "a failed expectation is a test's way to fail")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use tokenward_tests::layers::{Crate, Edge, Violation};

#[derive(Deserialize)]
struct Listed {
    root: String,
    layers: Vec<Vec<String>>,
}

#[test]
fn imports_run_downwards_and_in_no_circle() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let listed: BTreeMap<String, Listed> = toml::from_str(include_str!("layers.toml")).unwrap();
    let mut wrong = Vec::new();
    for (name, Listed { root, layers }) in listed {
        let found = Crate::read(&top.join(root)).unwrap();
        let in_circles: usize = found.circles().iter().map(Vec::len).sum();
        let (files, imports) = (found.files().len(), found.edges().len());
        println!("{name}: {files} files, {imports} imports, {in_circles} files in circles");
        wrong.extend(
            found
                .judge(&layers)
                .iter()
                .map(|violation| format!("{name}: {violation}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A crate of these files: name and text.
fn tree(files: &[(&str, &str)]) -> Crate {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Crate::read(&dir.path().join("lib.rs")).unwrap()
}

fn edges(found: &Crate) -> Vec<String> {
    let shown = |edge: &Edge| format!("{} > {}", edge.from, edge.to);
    found.edges().iter().map(shown).collect()
}

fn layers(of: &[&[&str]]) -> Vec<Vec<String>> {
    of.iter()
        .map(|layer| layer.iter().map(ToString::to_string).collect())
        .collect()
}

#[test]
fn an_import_upwards_is_found_and_names_both_files() {
    let found = tree(&[
        ("lib.rs", "mod high; mod low;"),
        ("high.rs", "use crate::low::Low; pub struct High;"),
        (
            "low.rs",
            "pub struct Low; pub fn up() -> crate::high::High { todo!() }",
        ),
    ]);
    assert_eq!(edges(&found), ["high.rs > low.rs", "low.rs > high.rs"]);
    let wrong = found.judge(&layers(&[&["lib"], &["high"], &["low"]]));
    let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "low.rs imports high.rs, which is in a higher layer",
            "these files import each other: high.rs, low.rs",
        ]
    );
    let wrong = found.judge(&layers(&[&["lib"], &["high"]]));
    assert!(
        wrong.contains(&Violation::Unplaced("low.rs".to_owned())),
        "{wrong:?}"
    );
}

#[test]
fn a_circle_within_a_layer_is_found() {
    let found = tree(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b;"),
        ("b.rs", "use super::c::{C, self as other};"),
        ("c.rs", "pub struct C; fn f() { crate::a::g() }"),
        ("d.rs", "use crate::a;"),
    ]);
    let circle = ["a.rs", "b.rs", "c.rs"].map(str::to_owned).to_vec();
    assert_eq!(found.circles(), std::slice::from_ref(&circle));
    let wrong = found.judge(&layers(&[&["lib"], &["a", "b", "c", "d"]]));
    assert_eq!(wrong, [Violation::Circle(circle)]);
}

#[test]
fn groups_supers_and_names_of_modules_are_resolved() {
    let found = tree(&[
        ("lib.rs", "mod a; mod b; mod room;"),
        ("a.rs", "pub struct A; pub struct B;"),
        (
            "b.rs",
            "pub mod inner { pub struct C; fn f() -> super::super::a::A { todo!() } }",
        ),
        ("room.rs", "pub(crate) mod deep; pub mod wide;"),
        (
            "room/deep.rs",
            "use crate::{a::{A, B}, b::inner::C}; use super::wide; fn f() { wide::g() }",
        ),
        (
            "room/wide.rs",
            "use super::super::a as other; fn f(_: other::A) {}",
        ),
    ]);
    let expected = [
        "b.rs > a.rs",
        "room/deep.rs > a.rs",
        "room/deep.rs > b.rs",
        "room/deep.rs > room/wide.rs",
        "room/wide.rs > a.rs",
    ];
    assert_eq!(edges(&found), expected);
}

#[test]
fn an_import_leads_through_re_exports_to_the_file_that_defines() {
    let found = tree(&[
        ("lib.rs", "mod room; mod user; pub use room::Thing;"),
        (
            "room.rs",
            "mod deep; mod all; pub use self::deep::Thing as Renamed; pub use deep::Thing; pub use self::all::*;",
        ),
        ("room/deep.rs", "use super::Every; pub struct Thing;"),
        ("room/all.rs", "pub struct Every;"),
        (
            "user.rs",
            "use crate::Thing; use crate::room::{Renamed, Every}; use crate::room;  fn f(_: room::Thing) {}",
        ),
    ]);
    let expected = [
        "lib.rs > room/deep.rs",
        "room.rs > room/all.rs",
        "room.rs > room/deep.rs",
        "room/deep.rs > room/all.rs",
        "user.rs > room/all.rs",
        "user.rs > room/deep.rs",
        "user.rs > room.rs",
    ];
    let (mut found, mut expected) = (edges(&found), expected.map(str::to_owned).to_vec());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn tests_comments_texts_and_other_crates_are_no_imports() {
    let found = tree(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        (
            "a.rs",
            r##"
            // use crate::b;
            /* use crate::b; /* nested */ use crate::b; */
            use std::fmt; use regex; use regex::Regex;
            #[cfg(test)] pub(crate) use crate::b::{B, C};
            #[cfg(test)] fn helper<A, B>(_: A) -> crate::b::B { crate::b::B }
            #[cfg(test)]
            mod tests { use crate::b; }
            struct S<'a> { quote: char, #[cfg(test)] field: crate::b::B, text: &'a str }
            fn captures(text: &str) -> impl Iterator<Item = char> + use<'_> { let it = text.chars(); it }
            pub(in crate::b) fn seen() {}
            fn captured() -> impl Fn() + use<> { let _ = { 1; 2 }; || {} }
            fn f() { let _ = ('"', b'\'', "use crate::b::B \" crate::b", r#"crate::b::B"#); }
            "##,
        ),
        ("b.rs", "pub struct B; pub struct C;"),
    ]);
    assert_eq!(edges(&found), [""; 0]);
    assert_eq!(
        found.files().into_iter().collect::<Vec<_>>(),
        ["a.rs", "b.rs", "lib.rs"]
    );
}

#[test]
fn a_module_placed_elsewhere_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("lib.rs");
    fs::write(&root, "#[path = \"other.rs\"] mod a;").unwrap();
    assert!(Crate::read(&root).unwrap_err().to_string().contains("#[path]"));
    fs::write(&root, "mod a;").unwrap();
    assert!(Crate::read(&root).unwrap_err().to_string().contains("a.rs"));
}
