//! TW0506: `report.pdf` also matches `report/pdf`: `.` is any character.

use super::{
    line::{Line, word_character},
    suspect::Suspect,
};
use crate::{
    ast::{Operator, Pattern, Test},
    check::pieces::Piece,
    diagnostic::Code,
};

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    found.extend(in_pattern(line, &line.syntax.url, &line.url));
    for constraint in &line.syntax.constraints {
        let Test::Values {
            operator: Operator::All | Operator::AllOrAbsent,
            pattern,
            ..
        } = &constraint.test
        else {
            continue;
        };
        found.extend(in_pattern(line, pattern, &line.pieces(pattern)));
    }
}

fn in_pattern(line: &Line<'_>, pattern: &Pattern, pieces: &[Piece]) -> Option<Suspect> {
    let text = line.slice(pattern.span);
    let dots: Vec<usize> = (1..pieces.len()).filter(|at| is_literal(pieces, *at)).collect();
    let first = pieces.get(*dots.first()?)?.range.clone();
    let with = |dot: &str, all: bool| {
        let mut changed = text.to_owned();
        // From the end, so that the places before stay right.
        for range in dots
            .iter()
            .rev()
            .filter_map(|at| Some(pieces.get(*at)?.range.clone()))
        {
            if all || range == first {
                changed.replace_range(range, dot);
            }
        }
        line.with(pattern.span, &changed)
    };
    let narrower = with("\\.", true);
    Some(Suspect {
        code: Code::UnescapedDot,
        span: pattern.span.part(first.clone()),
        headline: format!("`.` in `{text}` matches any character"),
        help: format!("write `{narrower}`"),
        claim: line.beyond(&narrower, with("x", false)),
        fixes: line.fixes([&narrower]),
        mend: line.mend([narrower]),
    })
}

/// Whether a dot stands between letters or digits, and is not repeated.
fn is_literal(pieces: &[Piece], at: usize) -> bool {
    let around = at
        .checked_sub(1)
        .and_then(|before| pieces.get(before))
        .zip(pieces.get(at + 1));
    pieces.get(at).is_some_and(|piece| piece.is('.'))
        && around.is_some_and(|(before, behind)| {
            word_character(before).is_some() && word_character(behind).is_some()
        })
}
