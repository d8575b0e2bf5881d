//! TW0508: a line without methods allows seven of them, DELETE too.

use super::{
    line::Line,
    suspect::{Claim, Suspect},
};
use crate::{
    check::pieces::{Kind, Piece},
    diagnostic::Code,
};

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    // A line of a few fixed paths is not wide: its author has named what it allows.
    if line.syntax.methods.is_some() || !line.url.iter().any(|piece| is_open(line, piece)) {
        return;
    }
    let (reading, most) = (
        line.for_methods("get"),
        line.for_methods("get,head,post,put,patch,delete"),
    );
    found.push(Suspect {
        code: Code::NoMethods,
        span: line.syntax.url.span,
        headline: "without methods, this line allows all seven, DELETE too".to_owned(),
        help: format!("name the methods: `{reading}` for reading, or `{most}` for all but OPTIONS"),
        claim: Claim::Allows(line.compilable(line.for_methods("delete"))),
        fixes: line.fixes([&reading, &most]),
        mend: line.mend([reading, most]),
    });
}

/// Whether a piece repeats the one before it without a bound.
fn is_open(line: &Line<'_>, piece: &Piece) -> bool {
    piece.is('*')
        || piece.is('+')
        || piece.kind == Kind::Count
            && line
                .url_text()
                .get(piece.range.clone())
                .is_some_and(|text| text.ends_with(",}"))
}
