//! TOML to token definitions, every part with its place.

mod invariant;
mod keys;
mod lines;
mod reviewed;
mod seal;
mod value;

pub(crate) use invariant::read as read_invariants;
pub use invariant::{InvariantDef, InvariantKind};
#[cfg(test)]
pub(crate) use keys::KEYS as TOKEN_KEYS;
pub use lines::{Lines, split_lines};
pub use reviewed::{Reviewed, ReviewedWhat, read_reviewed};
pub use seal::{KeyId, NotAKey, NotASeal, PublicKey, Seal, Version};

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Source, SourceId, SourceKind, SourceSet, Span},
};

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// One `[[token]]` entry as written; what is missing or contradicts itself is `resolve`'s to say.
#[derive(Clone, Debug)]
pub struct TokenDef {
    /// The entry, or its name once that is known: where findings about the whole token point.
    pub span: Span,
    /// `name`
    pub name: Option<At<String>>,
    /// `user`
    pub user: Option<At<String>>,
    /// `users`
    pub users: Option<At<Vec<String>>>,
    /// `any_user`
    pub any_user: Option<At<bool>>,
    /// `secret_hash`
    pub secret_hash: Option<At<[u8; 32]>>,
    /// `previous_secret_hash`
    pub previous_secret_hash: Option<At<[u8; 32]>>,
    /// `previous_until`, ms UTC
    pub previous_until: Option<At<i64>>,
    /// `expires`, ms UTC
    pub expires: Option<At<i64>>,
    /// `allowed_ips`
    pub allowed_ips: Vec<ipnet::IpNet>,
    /// `on_behalf_of`
    pub on_behalf_of: Option<At<Vec<String>>>,
    /// `revoked`
    pub revoked: bool,
    /// `mint`
    pub mint: bool,
    /// `unrestricted`
    pub unrestricted: Option<At<bool>>,
    /// `owner`
    pub owner: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `include`
    pub include: Vec<At<String>>,
    /// `limit_to`
    pub limit_to: Option<Lines>,
    /// Whether `secret_sealed` stands there
    pub secret_sealed: bool,
    /// `seal`
    pub seal: Option<Seal>,
    /// `lint_allow`
    pub lint_allow: Vec<Code>,
    /// The keys that stand there, with a value that can be used or without: what is there is not missing.
    pub given: Vec<String>,
}

impl TokenDef {
    /// Whether a key stands there, whatever its value.
    #[must_use]
    pub fn gives(&self, key: &str) -> bool {
        self.given.iter().any(|given| given == key)
    }
}

/// Reads the token entries of all files. What is wrong goes to `diagnostics`; whatever else can be read is read.
pub(crate) fn read_all(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) -> Vec<TokenDef> {
    sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Tokens)
        .flat_map(|(id, source)| read(id, source, diagnostics))
        .collect()
}

/// Reads the token entries of one file. What is wrong goes to `diagnostics`; whatever else can be read is read.
#[must_use]
pub fn read(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<TokenDef> {
    let Some(root) = parse(id, source, diagnostics) else {
        return Vec::new();
    };
    let mut reader = keys::Reader {
        id,
        source,
        diagnostics,
    };
    let mut tokens = Vec::new();
    for (key, value) in root.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("token", DeValue::Array(entries)) => {
                for entry in entries.iter() {
                    match entry.get_ref() {
                        DeValue::Table(table) => tokens.push(reader.token(table, entry.span())),
                        _ => reader.wrong(entry, "`token` holds tables: write `[[token]]` above each"),
                    }
                }
            }
            ("token", _) => reader.wrong(value, "one token too is an array's entry: write `[[token]]`"),
            _ => reader.unknown(key, &["token"]),
        }
    }
    tokens.sort_by_key(|token| token.span);
    tokens
}

/// The file's table; `None` if it is not TOML.
fn parse<'s>(
    id: SourceId,
    source: &'s Source,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Spanned<DeTable<'s>>> {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        let headline = format!("the file is not TOML: {}", error.message().replace('\n', ", "));
        diagnostics.push(Diagnostic::new(
            Code::TomlSyntax,
            span(id, source, range),
            headline,
        ));
    }
    errors.is_empty().then_some(root)
}

fn span(id: SourceId, source: &Source, range: Range<usize>) -> Span {
    let end = range.end.min(source.text.len());
    Span {
        source: id,
        start: range.start.min(end),
        end,
    }
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
