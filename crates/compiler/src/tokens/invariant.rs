//! `invariants.toml` to definitions: rules that every version of the policy must satisfy.

use std::collections::HashMap;

use toml::de::DeTable;

use super::{
    document::{self, At},
    entries,
    keys::Reader,
    lines::Lines,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Source, SourceId, Span},
};

/// The arrays that the file may have.
const KINDS: &[&str] = &["never", "only", "always"];
/// Every key that an invariant may have, in the order in which they are written.
pub(crate) const KEYS: &[&str] = &["name", "why", "tokens", "owners", "users", "lines"];

/// What an invariant demands of the requests that its lines match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvariantKind {
    /// The tokens allow none of them.
    Never,
    /// The tokens allow only these requests.
    Only,
    /// The tokens allow all of them.
    Always,
}

impl InvariantKind {
    /// The key of its array.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Only => "only",
            Self::Always => "always",
        }
    }
}

/// One entry as written.
#[derive(Clone, Debug)]
pub struct InvariantDef {
    /// The entry's name, or the entry.
    pub span: Span,
    /// The kind of demand.
    pub kind: InvariantKind,
    /// `name`
    pub name: At<String>,
    /// `why`
    pub why: Option<String>,
    /// `tokens`: globs of names; empty: all. The same applies to `owners` and `users`.
    pub tokens: Vec<At<String>>,
    /// `owners`
    pub owners: Vec<At<String>>,
    /// `users`
    pub users: Vec<At<String>>,
    /// `lines`
    pub lines: Lines,
}

/// Reads the invariants of one file. Errors go to `diagnostics`; the other entries are still read.
pub fn read(id: SourceId, source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Vec<InvariantDef> {
    let mut invariants = entries::read(
        (id, source),
        (KINDS, "invariant"),
        diagnostics,
        |reader, heading, table, range| {
            let kind = match heading {
                "never" => InvariantKind::Never,
                "only" => InvariantKind::Only,
                _ => InvariantKind::Always,
            };
            invariant(reader, kind, table, range)
        },
    );
    invariants.sort_by_key(|invariant| invariant.span);
    // Findings name an invariant, so a name must be unique.
    let mut names: HashMap<&str, &InvariantDef> = HashMap::new();
    for invariant in &invariants {
        let first = names.entry(&invariant.name.value).or_insert(invariant);
        if first.name.span != invariant.name.span {
            let headline = format!("two invariants are named `{}`", invariant.name.value);
            diagnostics.push(
                Diagnostic::new(Code::DuplicateName, invariant.name.span, headline)
                    .related(first.name.span, "the other")
                    .help("findings identify invariants by their names; rename one"),
            );
        }
    }
    invariants
}

fn invariant(
    reader: &mut Reader<'_>,
    kind: InvariantKind,
    table: &DeTable<'_>,
    range: std::ops::Range<usize>,
) -> Option<InvariantDef> {
    let place = document::span(reader.id, reader.source, range);
    let (mut name, mut why, mut lines) = (None, None, None);
    let mut misspelt: Vec<&str> = Vec::new();
    let [mut tokens, mut owners, mut users] = [const { Vec::new() }; 3];
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "name" => name = reader.string(value, "name"),
            "why" => why = reader.string(value, "why").map(|why| why.value),
            "tokens" => tokens = reader.strings(value, "tokens"),
            "owners" => owners = reader.strings(value, "owners"),
            "users" => users = reader.strings(value, "users"),
            "lines" => lines = reader.lines(value, "lines"),
            _ => misspelt.extend(reader.unknown(key, KEYS)),
        }
    }
    let given = |key: &str| table.keys().any(|known| known.get_ref() == key);
    for (key, help) in [
        ("name", "add `name = \"…\"`: findings name the invariant by it"),
        (
            "lines",
            "add the requests that it applies to, as Limit-to lines between `'''` and `'''`",
        ),
    ] {
        if !given(key) && !misspelt.contains(&key) {
            let headline = format!("the invariant has no `{key}`");
            reader
                .diagnostics
                .push(Diagnostic::new(Code::MissingKey, place, headline).help(help));
        }
    }
    let (name, lines) = (name?, lines?);
    if lines.lines.is_empty() {
        let headline = "the invariant has no lines, so it does not apply to any request";
        reader.diagnostics.push(
            Diagnostic::new(Code::MissingKey, name.span, headline)
                .help("add a line, or remove the invariant"),
        );
        return None;
    }
    Some(InvariantDef {
        span: name.span,
        kind,
        name,
        why,
        tokens,
        owners,
        users,
        lines,
    })
}
