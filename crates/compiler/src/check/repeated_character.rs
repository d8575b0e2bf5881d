//! TW0122: `KANBAN-*` is `KANBAN` with any number of hyphens, not with anything behind it.

use super::pieces::{Kind, Piece, pieces};
use crate::{
    ast::{self, Effect, Pattern, Test},
    diagnostic::{Code, Diagnostic},
    source::SourceSet,
};

pub(super) fn check(line: &ast::Limit, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    let values = line
        .constraints
        .iter()
        .filter_map(|constraint| match &constraint.test {
            Test::Values { pattern, .. } => Some(pattern),
            _ => None,
        });
    for pattern in std::iter::once(&line.url).chain(values) {
        find((pattern, line.effect), sources.text(pattern.span), diagnostics);
    }
}

fn find((pattern, effect): (&Pattern, Effect), text: &str, diagnostics: &mut Vec<Diagnostic>) {
    let placeholders: Vec<_> = pattern
        .placeholders
        .iter()
        .map(|(_, span)| span.start - pattern.span.start..span.end - pattern.span.start)
        .collect();
    let found = pieces(text, &placeholders);
    let star = found.windows(2).find_map(|pair| match pair {
        [
            Piece {
                kind: Kind::Character(repeated),
                range,
            },
            star,
        ] if star.is('*') && (repeated.is_alphanumeric() || "-_".contains(*repeated)) => {
            Some((*repeated, range.start..star.range.end))
        }
        _ => None,
    });
    if let Some((repeated, range)) = star {
        let place = pattern.span.part(range);
        let (any, number) = (format!("{repeated}.*"), format!("{repeated}\\d+"));
        // A forbid line that matches too much denies too much, and one that matches too little protects nothing.
        let written = match (effect, repeated) {
            (Effect::Permit, '-') => [number, any],
            _ => [any, number],
        };
        let mut found = Diagnostic::new(
                Code::RepeatedCharacter,
                place,
                format!("`{repeated}*` matches only `{repeated}`, zero or more times"),
            )
            .help(format!(
                "write `{repeated}.*` for any text after it, `{repeated}\\d+` for a number, or `(?:{repeated})*` if the repetition is intended"
            ));
        for text in written {
            found = found.fix(place, text);
        }
        diagnostics.push(found);
    }
}
