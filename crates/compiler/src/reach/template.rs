//! The paths of an operation's template, as a regular language.

use regex_syntax::{
    ast::{self, Assertion, AssertionKind, Ast},
    hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition},
};

use super::operation::{Operation, Piece, Segment, Values};
use crate::{
    ir::Matcher,
    regexp::{Case, MAX_NESTING, translate},
};

/// A pattern of a parameter that is longer is not read.
const PATTERN_BYTES: usize = 2_000;
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
                repeated(&segment_class())
            }
        },
    }
}

/// The texts of a parameter's values.
fn parameter(values: &Values) -> Result<Hir, &'static str> {
    match values {
        Values::Any => Ok(repeated(&segment_class())),
        Values::Path => Ok(repeated(&Hir::class(Class::Unicode(every())))),
        Values::OneOf(texts) if texts.len() > MOST_VALUES => Err("its list of values is too long"),
        Values::OneOf(texts) => {
            let fitting = texts
                .iter()
                .filter(|text| !text.is_empty() && !text.contains('/'));
            let texts: Vec<Hir> = fitting.map(|text| literal(text)).collect();
            match texts.is_empty() {
                true => Err("none of its values fits into a segment"),
                false => Ok(Hir::alternation(texts)),
            }
        }
        Values::Pattern(text) => schema_pattern(text),
    }
}

/// The texts that fit into a segment and that a pattern of JSON Schema matches.
fn schema_pattern(text: &str) -> Result<Hir, &'static str> {
    if text.len() > PATTERN_BYTES {
        return Err("its pattern is too long");
    }
    let parser = ast::parse::ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build()
        .parse(text);
    let tree = parser.map_err(|_| "its pattern is not a regular expression that is supported")?;
    let branches = match &tree {
        Ast::Alternation(alternation) => alternation.asts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let branches: Result<Vec<Hir>, &'static str> = branches.iter().map(branch).collect();
    let whole = Hir::alternation(branches?);
    // An automaton past its limit would leave the whole operation out.
    match Matcher::new(&whole) {
        Ok(Matcher::Nothing) => Err("no text that fits into a segment matches its pattern"),
        Ok(_) => Ok(whole),
        Err(_) => Err("its pattern is too large"),
    }
}

/// One alternative of a pattern, with any text before and after it unless `^` and `$` say otherwise.
fn branch(tree: &Ast) -> Result<Hir, &'static str> {
    let mut parts = match tree {
        Ast::Concat(concat) => concat.asts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let (mut starts, mut ends) = (false, false);
    if let [first, rest @ ..] = parts
        && is_assertion(first, &[AssertionKind::StartLine, AssertionKind::StartText])
    {
        (starts, parts) = (true, rest);
    }
    if let [rest @ .., last] = parts
        && is_assertion(last, &[AssertionKind::EndLine, AssertionKind::EndText])
    {
        (ends, parts) = (true, rest);
    }
    let inner = parts.iter().map(|part| {
        let hir = translate(part, Case::AsWritten, None);
        hir.map_err(|_| "its pattern is not a regular expression that is supported")
    });
    let mut inner = vec![within_segment(&Hir::concat(inner.collect::<Result<_, _>>()?))?];
    let around = || {
        Hir::repetition(Repetition {
            min: 0,
            max: None,
            greedy: true,
            sub: Box::new(segment_class()),
        })
    };
    if !starts {
        inner.insert(0, around());
    }
    if !ends {
        inner.push(around());
    }
    Ok(Hir::concat(inner))
}

fn is_assertion(tree: &Ast, kinds: &[AssertionKind]) -> bool {
    matches!(tree, Ast::Assertion(assertion) if {
        let Assertion { kind, .. } = &**assertion;
        kinds.contains(kind)
    })
}

/// The texts of a pattern that have no slash: each class without it, and nothing in the place of a literal with one.
fn within_segment(hir: &Hir) -> Result<Hir, &'static str> {
    Ok(match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(text) if text.0.contains(&b'/') => Hir::fail(),
        HirKind::Literal(_) => hir.clone(),
        HirKind::Class(Class::Unicode(class)) => {
            let mut class = class.clone();
            class.difference(&slash());
            Hir::class(Class::Unicode(class))
        }
        // The translation writes a dot as all bytes.
        HirKind::Class(Class::Bytes(_)) => segment_class(),
        HirKind::Look(_) => return Err("its pattern has assertions within"),
        HirKind::Capture(capture) => within_segment(&capture.sub)?,
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(within_segment(&repetition.sub)?),
            ..repetition.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(within_segment).collect::<Result<_, _>>()?),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.iter().map(within_segment).collect::<Result<_, _>>()?)
        }
    })
}

fn literal(text: &str) -> Hir {
    Hir::literal(text.as_bytes().to_vec())
}

/// One or more of a class.
fn repeated(class: &Hir) -> Hir {
    Hir::repetition(Repetition {
        min: 1,
        max: None,
        greedy: true,
        sub: Box::new(class.clone()),
    })
}

/// Every character but the slash.
fn segment_class() -> Hir {
    let mut class = slash();
    class.negate();
    Hir::class(Class::Unicode(class))
}

fn slash() -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new('/', '/')])
}

fn every() -> ClassUnicode {
    ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)])
}
