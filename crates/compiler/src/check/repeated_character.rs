//! TW0122: `KANBAN-*` is `KANBAN` with any number of hyphens, not with anything behind it, and `KANBAN-{1,100}` with 1 to 100 of them.

use std::ops::Range;

use super::{
    number_range,
    pieces::{Kind, Piece, pieces},
};
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
    } else if let Some(found) = counted(pattern, text, &found) {
        diagnostics.push(found);
    }
}

/// `KANBAN-{1,100}`, which people write for the numbers from 1 to 100.
fn counted(pattern: &Pattern, text: &str, pieces: &[Piece]) -> Option<Diagnostic> {
    let (sign, range) = pieces.windows(2).find_map(|pair| match pair {
        [one, count] if count.kind == Kind::Count => {
            let sign = ['-', '_'].into_iter().find(|sign| one.is(*sign))?;
            Some((sign, count.range.clone()))
        }
        _ => None,
    })?;
    let count = text.get(range.clone())?;
    let (low, high) = count
        .trim_matches(['{', '}'])
        .split_once(',')
        .and_then(|(low, high)| Some((low.parse::<u64>().ok()?, high.parse::<u64>().ok()?)))
        .filter(|(low, high)| low < high)?;
    let place: Range<usize> = range.start - sign.len_utf8()..range.end;
    let numbers = format!("{sign}{}", number_range::regexp(low, high));
    Some(
        Diagnostic::new(
            Code::RepeatedCharacter,
            pattern.span.part(place.clone()),
            format!("`{sign}{count}` matches only `{sign}`, {low} to {high} times"),
        )
        .help(format!(
            "write `{numbers}` for the numbers from {low} to {high}, or `(?:{sign}){count}` if the repetition is intended"
        ))
        .fix(pattern.span.part(place), numbers),
    )
}
