//! TW0105: a URL regexp without a leading `/` is held against the whole URL, which begins with `http`.

use regex_syntax::hir::{Hir, HirKind};

use crate::{
    ast,
    diagnostic::{Code, Diagnostic},
    policy::Limit,
    regexp::{self, Anchor},
    source::Span,
};

pub(super) fn check(line: &ast::Limit, meaning: &Limit, diagnostics: &mut Vec<Diagnostic>) {
    let place = line.url.span;
    let never = |headline: &str, help: &str| Diagnostic::new(Code::NeverMatches, place, headline).help(help);
    if let Some(prefix) = literal_prefix(&meaning.url.hir)
        && meaning.anchor == Anchor::Whole
        && !prefix.is_empty()
        && !overlaps(&prefix, b"http://")
        && !overlaps(&prefix, b"https://")
        && !overlaps(&prefix, regexp::BASE_URL_MARK.as_bytes())
    {
        let found = never(
            "no URL matches: without a leading `/` the regexp is compared with the whole URL",
            "begin with `/` for the path below the base URL, or with `.*`",
        );
        let is_path = prefix.first().is_some_and(u8::is_ascii_alphanumeric);
        let begin = Span {
            end: place.start,
            ..place
        };
        diagnostics.push(if is_path { found.fix(begin, "/") } else { found });
    } else if regexp::matches_nothing(&meaning.url.hir) {
        diagnostics.push(never(
            "no URL matches this regexp",
            "a class that excludes every character matches nothing",
        ));
    }
}

fn overlaps(one: &[u8], other: &[u8]) -> bool {
    one.iter()
        .zip(other)
        .all(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// The bytes that every match begins with, as far as the top of the tree determines them.
fn literal_prefix(hir: &Hir) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(literal.0.to_vec()),
        HirKind::Concat(parts) => parts
            .iter()
            .find(|part| !matches!(part.kind(), HirKind::Empty))
            .and_then(literal_prefix),
        _ => None,
    }
}
