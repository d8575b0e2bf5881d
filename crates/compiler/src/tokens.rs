//! TOML to token definitions, every part with its place.

mod baseline;
mod definition;
mod document;
mod invariant;
mod keys;
mod lines;
mod reviewed;
mod seal;
mod test_case;
mod value;
mod well_known;

pub(crate) use baseline::can_be_accepted;
pub use baseline::{Accepted, read_baseline};
pub use definition::{AllowDef, TokenDef};
pub use document::At;
pub use invariant::read as read_invariants;
pub use invariant::{InvariantDef, InvariantKind};
#[cfg(test)]
pub(crate) use keys::KEYS as TOKEN_KEYS;
pub use lines::{Lines, split_lines};
pub(crate) use reviewed::KEYS as REVIEW_KEYS;
pub use reviewed::{Reviewed, ReviewedWhat, read_reviewed};
pub use seal::{KeyId, NotAKey, NotASeal, PublicKey, Seal, Version};
pub(crate) use test_case::read as read_tests;
pub use test_case::{Expect, Keys as RequestKeys, RequestDef, TestDef};

use toml::de::DeValue;

use self::document::parse;
use crate::{
    diagnostic::Diagnostic,
    source::{Source, SourceId, SourceKind, SourceSet},
};

/// Reads the token entries of all files. Errors go to `diagnostics`; the other entries are still read.
pub(crate) fn read_all(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) -> Vec<TokenDef> {
    sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Tokens)
        .flat_map(|(id, source)| read(id, source, diagnostics))
        .collect()
}

/// Reads the token entries of one file. Errors go to `diagnostics`; the other entries are still read.
#[must_use]
pub fn read(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<TokenDef> {
    let Some(root) = parse(id, source, diagnostics) else {
        return Vec::new();
    };
    let mut reader = keys::Reader {
        id,
        source,
        diagnostics,
        unknown: 0,
    };
    let mut tokens = Vec::new();
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("token", DeValue::Array(entries)) => {
                for entry in entries.iter() {
                    match entry.get_ref() {
                        DeValue::Table(table) => tokens.push(reader.token(table, entry.span())),
                        _ => reader.wrong(entry, "`token` must contain tables: write `[[token]]` above each"),
                    }
                }
            }
            ("token", _) => reader.wrong(
                value,
                "a single token must also be an array entry: write `[[token]]`",
            ),
            _ => drop(reader.unknown(key, &["token"])),
        }
    }
    tokens.sort_by_key(|token| token.span);
    tokens
}
