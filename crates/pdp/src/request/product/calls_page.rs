use std::fmt::Write as _;

use super::*;
use crate::request::Source;

/// Formats the tables of `docs/calls.md`.
fn tables() -> String {
    let mut page = String::new();
    for product in Product::ALL {
        let mut chapter = format!("## {}\n", product.name());
        for group in product.calls() {
            let source = match group.source {
                Source::Described => "in the description".to_owned(),
                Source::Known(why) => format!("not in a description: {why}"),
            };
            write!(
                chapter,
                "\n**{}**: {} ({source}).\n\n",
                group.class.name(),
                group.reason
            )
            .unwrap();
            chapter.push_str("| methods | path |\n| --- | --- |\n");
            for call in group.calls {
                writeln!(chapter, "| {} | `{}` |", call.methods(), call.path()).unwrap();
            }
        }
        page.push_str(&chapter);
        page.push('\n');
    }
    page
}

#[test]
fn the_documentation_shows_every_call() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/calls.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let expected = tables();
    if !page.ends_with(expected.trim_end_matches('\n')) && !page.ends_with(&expected) {
        let written = std::env::temp_dir().join("tokenward-calls.md");
        std::fs::write(&written, &expected).unwrap();
        panic!(
            "docs/calls.md does not end in these tables: {}",
            written.display()
        );
    }
}

#[test]
fn every_reason_is_one_sentence_without_its_stop() {
    for product in Product::ALL {
        for group in product.calls() {
            assert!(
                !group.reason.ends_with('.') && !group.calls.is_empty(),
                "{}",
                group.reason
            );
        }
    }
}
