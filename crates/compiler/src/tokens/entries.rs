//! The entries of a file: tables under headings such as `[[token]]`.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{document, keys::Reader};
use crate::{
    diagnostic::Diagnostic,
    source::{Source, SourceId},
};

/// Reads the entries of one file. Other keys and values are errors, which go to `diagnostics`.
///
/// `headings`: the arrays that the file may have. `what`: what their entries are, for the help. `entry` reads one entry of an array.
pub(super) fn read<T>(
    (id, source): (SourceId, &Source),
    (headings, what): (&[&str], &str),
    diagnostics: &mut Vec<Diagnostic>,
    mut entry: impl FnMut(&mut Reader<'_>, &str, &DeTable<'_>, Range<usize>) -> Option<T>,
) -> Vec<T> {
    let Some(root) = document::parse(id, source, diagnostics) else {
        return Vec::new();
    };
    let mut reader = Reader {
        id,
        source,
        diagnostics,
        unknown: 0,
    };
    let mut entries = Vec::new();
    for (key, value) in root.get_ref() {
        let heading = key.get_ref().as_ref();
        if !headings.contains(&heading) {
            reader.unknown(key, headings);
            continue;
        }
        let help = format!("write `[[{heading}]]` above each {what}");
        let DeValue::Array(tables) = value.get_ref() else {
            reader.wrong(value, &help);
            continue;
        };
        for table in tables.iter() {
            match table.get_ref() {
                DeValue::Table(keys) => entries.extend(entry(&mut reader, heading, keys, table.span())),
                _ => reader.wrong(table, &help),
            }
        }
    }
    entries
}
