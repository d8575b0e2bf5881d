//! TOML to token definitions, every part with its place.

mod baseline;
mod definition;
mod document;
mod entries;
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
pub(crate) use invariant::KEYS as INVARIANT_KEYS;
pub use invariant::read as read_invariants;
pub use invariant::{InvariantDef, InvariantKind};
pub use keys::KEYS as TOKEN_KEYS;
pub use lines::{Lines, split_lines};
pub(crate) use reviewed::KEYS as REVIEW_KEYS;
pub use reviewed::{OPERATION_KEY, Reviewed, ReviewedWhat, read_reviewed};
pub use seal::{KeyId, NotAKey, NotASeal, PublicKey, Seal, Version};
pub(crate) use test_case::read as read_tests;
pub use test_case::{Expect, Keys as RequestKeys, RequestDef, TestDef};

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
    let mut tokens = entries::read(
        (id, source),
        (&["token"], "token"),
        diagnostics,
        |reader, _, table, range| Some(reader.token(table, range)),
    );
    tokens.sort_by_key(|token| token.span);
    tokens
}
