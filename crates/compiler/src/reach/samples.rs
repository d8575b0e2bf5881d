//! Example paths of an operation: the description's own examples first.

use super::operation::{Operation, Piece, Segment, Values};

/// Paths of one operation, at most.
const PATHS: usize = 6;
/// Examples of one parameter, at most.
const EXAMPLES: usize = 2;
/// Longer values are not used in examples.
const VALUE_BYTES: usize = 60;

/// Paths that probably fit the template. No two are equal.
pub(super) fn paths(operation: &Operation) -> Vec<String> {
    let bases: Vec<&[Segment]> = operation.paths_before().collect();
    let mut paths: Vec<String> = Vec::new();
    for at in 0..PATHS {
        let base = bases
            .get(at)
            .or(bases.first())
            .copied()
            .unwrap_or_default()
            .iter();
        let mut path = String::new();
        for segment in base.chain(&operation.segments) {
            path.push('/');
            for piece in &segment.0 {
                path.push_str(&value(piece, at));
            }
        }
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// A value of a piece; a later number gives another one, as far as there are any.
pub(super) fn value(piece: &Piece, at: usize) -> String {
    let (values, examples) = match piece {
        Piece::Literal(text) => return text.clone(),
        Piece::Parameter { values, examples, .. } => (values, examples),
    };
    let fits = |text: &&String| {
        let slashes = matches!(values, Values::Path);
        !text.is_empty() && text.len() <= VALUE_BYTES && (slashes || !text.contains('/'))
    };
    let mut known: Vec<&str> = examples
        .iter()
        .filter(fits)
        .take(EXAMPLES)
        .map(String::as_str)
        .collect();
    match values {
        Values::Any => known.extend(["1", "HR-1", "a", "~"]),
        Values::Path => known.extend(["a", "a/b", "~"]),
        Values::OneOf(texts) => {
            let fitting = || texts.iter().filter(fits).map(String::as_str);
            known.extend(fitting().next());
            known.extend(fitting().next_back());
        }
        Values::Pattern(_) => known.extend(["1", "a", "A1", "HR-1"]),
    }
    let chosen = known.get(at).or(known.last());
    chosen.copied().unwrap_or("1").to_owned()
}
