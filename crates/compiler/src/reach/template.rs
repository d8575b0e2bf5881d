//! The paths of an operation's template, as a regular language.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir};

use super::{
    operation::{Operation, Piece, Segment, Values},
    schema_pattern::{self, KEPT_SLASH, segment_class},
};
use crate::regexp::repeated;

/// A list of values that is longer is not read.
const MOST_VALUES: usize = 1_000;

/// The pattern of an operation's paths. `warnings` receives the parameters whose values are taken for any text.
pub(super) fn pattern(operation: &Operation, warnings: &mut Vec<String>) -> Hir {
    let mut note = |name: &str, why: &str| {
        warnings.push(format!(
            "{}: the parameter `{name}` is taken for any text: {why}",
            operation.call()
        ));
    };
    let bases: Vec<Hir> = operation.bases.iter().map(|base| path(base, &mut note)).collect();
    let below = path(&operation.segments, &mut note);
    if bases.is_empty() {
        return below;
    }
    Hir::concat(vec![Hir::alternation(bases), below])
}

fn path(segments: &[Segment], note: &mut impl FnMut(&str, &str)) -> Hir {
    let mut parts = Vec::new();
    for segment in segments {
        parts.push(literal("/"));
        parts.extend(segment.0.iter().map(|part| piece(part, note)));
    }
    Hir::concat(parts)
}

fn piece(piece: &Piece, note: &mut impl FnMut(&str, &str)) -> Hir {
    match piece {
        Piece::Literal(text) => literal(text),
        Piece::Parameter { name, values, .. } => match parameter(values) {
            Ok(hir) => hir,
            Err(why) => {
                note(name, why);
                repeated(segment_class(), 1, None)
            }
        },
    }
}

/// The texts of a parameter's values.
fn parameter(values: &Values) -> Result<Hir, &'static str> {
    match values {
        Values::Any => Ok(repeated(segment_class(), 1, None)),
        Values::Path => Ok(repeated(Hir::class(Class::Unicode(every())), 1, None)),
        Values::OneOf(texts) if texts.len() > MOST_VALUES => Err("its list of values is too long"),
        Values::OneOf(texts) => {
            // A slash in a value is encoded in the path.
            let given = texts.iter().filter(|text| !text.is_empty());
            let texts: Vec<Hir> = given
                .map(|text| literal(&text.replace('/', KEPT_SLASH)))
                .collect();
            match texts.is_empty() {
                true => Err("all of its values are empty"),
                false => Ok(Hir::alternation(texts)),
            }
        }
        Values::Pattern(text) => schema_pattern::read(text),
    }
}

fn literal(text: &str) -> Hir {
    Hir::literal(text.as_bytes().to_vec())
}

fn every() -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)])
}
