//! TW0504: `.*/rest/…` also matches a path that only ends like that: `/rest/x/rest/…`.

use std::ops::Range;

use super::{any_text::any_text, line::Line, suspect::Suspect};
use crate::{check::pieces::Piece, diagnostic::Code};

/// A path below which the rest of the URL is found again.
const BELOW: &str = "/rest/x";

/// Flags that may stand before the URL.
const FLAGS: &str = "(?i)";

/// An alternative that begins with any text.
struct Unanchored<'a> {
    /// Whether flags are in front of it.
    has_flags: bool,
    any_text: Range<usize>,
    /// The path after it.
    rest: &'a str,
}

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    let alternatives = line.alternatives();
    let all: Option<Vec<_>> = alternatives.iter().map(|range| unanchored(line, range)).collect();
    let Some(all) = all else { return };
    let Some(first) = all.first() else { return };
    let flags = if first.has_flags { FLAGS } else { "" };
    let rests: Vec<&str> = all.iter().map(|one| one.rest).collect();
    let narrower = line.with_url(&format!("{flags}{}", rests.join("|")));
    let example = line.with_url(&format!("{flags}{BELOW}{}", first.rest));
    let shown = line.url_text().get(first.any_text.clone()).unwrap_or_default();
    found.push(Suspect {
        code: Code::Unanchored,
        span: line.syntax.url.span.part(first.any_text.clone()),
        headline: format!("`{shown}` before the path also matches paths that only end like this"),
        help: format!("write `{narrower}`"),
        claim: line.beyond(&narrower, example),
        fixes: line.fixes([&narrower]),
        mend: line.mend([narrower]),
    });
}

/// Reads an alternative that begins with any text, perhaps after flags and `^`.
fn unanchored<'a>(line: &Line<'a>, range: &Range<usize>) -> Option<Unanchored<'a>> {
    let url = line.url_text();
    let is_flags = |piece: &Piece| url.get(piece.range.clone()) == Some(FLAGS);
    let is_inside = |piece: &&Piece| range.start <= piece.range.start && piece.range.end <= range.end;
    let pieces: Vec<Piece> = line.url.iter().filter(is_inside).cloned().collect();
    let leading = pieces.iter().take_while(|piece| piece.is('^') || is_flags(piece));
    let at = leading.count();
    let (before, behind) = pieces.split_at_checked(at)?;
    // `.+` does not match the path by itself.
    let any = any_text(behind, url).filter(|any| !any.needs_one)?;
    let start = behind.first()?.range.start;
    let end = behind.get(any.pieces.checked_sub(1)?)?.range.end;
    let rest = url.get(end..range.end)?;
    rest.starts_with('/').then(|| Unanchored {
        has_flags: before.iter().any(is_flags),
        any_text: start..end,
        rest,
    })
}
